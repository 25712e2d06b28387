"""Data in and out on the command line: layouts, decisions twice, public sets, a new name."""

import json

import numpy as np
import pytest
from PIL import Image

from lnl_core.cli import main
from lnl_core.data import images
from lnl_core.jobs.engines import local
from lnl_core.store.db import dispose, open_workspace


@pytest.fixture
def lnl(tmp_path, capsys, monkeypatch):
    home = tmp_path / "home"
    monkeypatch.setenv("LNL_HOME", str(home))
    monkeypatch.chdir(tmp_path)

    def call(*arguments, code=0):
        try:
            found = main([str(one) for one in arguments])
        except SystemExit as end:
            found = end.code
        told = capsys.readouterr()
        assert found == code, told.out + told.err
        return told

    yield call
    dispose(open_workspace(home))


def test_corrections_of_another_tool_are_looked_at_before_they_are_stored(lnl, tmp_path):
    lnl("demo", "--digits")
    call = ["decide", "Handwritten digits", "--file", "t.csv", "--reviewer", "ann", "--json"]
    (tmp_path / "t.csv").write_text("image,now\ndigit-0003,5\ndigit-0004,eleven\n")
    assert "no column of corrected labels" in lnl(*call, code=1).out
    call += ["--label-column", "now"]
    dry = json.loads(lnl(*call, "--dry-run", "--new-class", "eleven").out)
    assert (dry["stored"], dry["source"], dry["dry_run"]) == (2, "table", True)
    said = json.loads(lnl(*call, code=3).out)
    assert (said["stored"], said["problems"]) == (
        1,
        [
            "Row 3: “eleven” is no class of this data set. Correct the label, or add --new-class "
            "NAME to make it one."
        ],
    )
    assert "would be" not in lnl(*call[:-3], "--label-column", "now", code=3).out
    said = json.loads(lnl(*call, "--new-class", "eleven").out)
    assert (said["stored"], said["unchanged"]) == (1, 1)


def test_layouts_and_decisions(lnl, tmp_path):
    lnl("demo", "--digits")
    name = "Handwritten digits"
    (tmp_path / "in.csv").write_text("id,action,label\ndigit-0003,relabel,5\ndigit-0004,none,\n")
    said = json.loads(lnl("decide", name, "--file", "in.csv", "--reviewer", "ann", "--json").out)
    assert (said["stored"], said["unchanged"], said["held"]) == (2, 0, 0)
    said = json.loads(lnl("decide", name, "--file", "in.csv", "--reviewer", "ann", "--json").out)
    assert (said["stored"], said["unchanged"]) == (0, 2)
    (tmp_path / "other.csv").write_text("id,action\ndigit-0003,keep\n")
    done = lnl("decide", name, "--file", "other.csv", "--reviewer", "ann", code=3)
    assert "Row 2, digit-0003: in force is relabel to 5 by ann" in done.err
    lnl("decide", name, "--file", "other.csv", "--reviewer", "ann", "--replace")

    done = lnl("export", name, "--format", "folder", "--out", "clean")
    assert "1,796 images in clean, 1 has no one right class and is left out" in done.out
    assert "image files" in done.err
    assert len(list((tmp_path / "clean").glob("*/*.png"))) == 1796
    assert "not empty" in lnl("export", name, "--format", "folder", "--out", "clean", code=1).err
    lnl("export", name, "--format", "label-studio", "--out", "ls", "--images", "copy")
    lnl("export", name, "--format", "manifest", "--out", "m.parquet")
    lnl("export", name, "--format", "audit-trail", "--out", "trail.csv")
    assert (
        "nothing is scored" in lnl("export", name, "--format", "cleanlab", "--out", "c", code=1).err
    )
    help_text = lnl("export", "--help").out
    for word in ("manifest", "fiftyone", "label-studio", "audit-trail", "cleanlab"):
        assert word in help_text


def test_an_import_scores_when_asked(lnl, tmp_path):
    held = local.lock(open_workspace(tmp_path / "home"), local.LOCAL)  # nothing trains here
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 255, (30, 8, 8), dtype=np.uint8)
    np.savez(tmp_path / "set.npz", images=pixels, labels=np.arange(30) % 3)
    told = lnl("import", "set.npz", "--name", "small", "--score")
    assert "Scoring goes on: recipe for tiny images, first queue after about" in told.out
    assert told.out.endswith("Next: lnl open\n")
    (status,) = json.loads(lnl("status", "--json").out)["datasets"]
    assert [run["method"] for run in status["runs"]][::-1] == ["sr", "jump", "ce"]
    told = lnl("import", "set.npz", "--name", "again")
    assert "Next: lnl run again" in told.out
    held.close()


def test_a_set_gets_another_name(lnl):
    lnl("demo", "--digits")
    lnl("rename", "Handwritten digits", "mine")
    assert [d["name"] for d in json.loads(lnl("status", "--json").out)["datasets"]] == ["mine"]
    assert "no data set named" in lnl("rename", "Handwritten digits", "x", code=1).err
    lnl("demo", "--digits")
    assert "already" in lnl("rename", "mine", "Handwritten digits", code=1).err


def test_public_sets_tell_their_terms_first(lnl, tmp_path, monkeypatch):
    text = lnl("public").out
    assert "CC BY-NC 4.0" in text
    assert "170 MB. MD5 c58f30108f718f92721af3b95e74349a" in text
    assert "Add --accept" in lnl("public", "cifar10n", code=1).err
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    done = lnl("public", "cifar10n", "--accept", code=1)
    assert "could not be reached: https://www.cs.toronto.edu" in done.err


def test_what_a_list_leaves_out_is_named_by_row(lnl, tmp_path):
    rng = np.random.default_rng(0)
    for name in ("a.png", "b.png"):
        pixels = rng.integers(0, 255, (12, 12, 3), dtype=np.uint8)
        (tmp_path / name).write_bytes(images.encode_png(pixels))
    (tmp_path / "list.csv").write_text("image,label\na.png,cat\ngone.png,dog\nb.png,dog\n,cat\n")
    told = lnl("import", "list.csv", "--name", "few", code=3).err
    assert "row 3, gone.png: There is no such file." in told
    assert "row 5: No image is named." in told


def test_bad_usage_is_two_and_a_place_that_cannot_be_written_is_one(lnl, tmp_path):
    lnl("demo", "--digits")
    name = "Handwritten digits"
    export = ("export", name, "--out", "x", "--format")
    assert "one of corrections, decisions" in lnl(*export, "parrot", code=2).err
    assert "holds no images" in lnl(*export, "decisions", "--images", "copy", code=2).err
    assert "one of copy, link" in lnl(*export, "folder", "--images", "none", code=2).err
    assert "share between 0 and 1" in lnl("audit", name, "--target", "2", code=2).err
    (tmp_path / "file").touch()
    for out in ("file/in/x.csv", "file/x.csv"):
        done = lnl("export", name, "--format", "decisions", "--out", out, code=1)
        assert f"There is no folder {(tmp_path / out).parent}" in done.err
    done = lnl("export", name, "--format", "decisions", "--out", tmp_path, code=1)
    assert "is a folder" in done.err


def test_benchmarks_are_listed_and_run_with_their_own_arguments(lnl):
    told = json.loads(lnl("bench", "--json").out)["benchmarks"]
    assert {"speed", "detection", "scale"} <= set(told)
    assert all(sentence for sentence in told.values())
    assert "Known: " in lnl("bench", "parrot", code=1).err
    lnl("bench", "speed", "--epochs", "many", code=2)


def test_labels_that_are_no_classes(lnl, tmp_path):
    pictures = np.random.default_rng(0).integers(0, 255, (12, 8, 8, 3), dtype=np.uint8)
    names = np.array(["cat", "Skip", "dog"])
    np.savez("set.npz", images=pictures, labels=np.arange(12) % 3, class_names=names)
    told = lnl("import", "set.npz", "--name", "asked")
    assert told.err.count("“Skip” (4)") == 1  # said once, by the reading
    assert "--not-a-class" in told.err
    told = lnl("import", "set.npz", "--name", "said", "--not-a-class", "Skip")
    assert "No class, so to be labelled: “Skip” (4)." in told.err
    assert (
        "no label “skip”"
        in lnl("import", "set.npz", "--name", "wrong", "--not-a-class", "skip", code=1).err
    )
    audit = json.loads(lnl("audit", "said", "--json").out)
    assert (audit["images"], audit["without_class"]) == (8, 4)
    (tmp_path / "d.csv").write_text("id,action,label\n0000001,relabel,dog\n")
    lnl("decide", "said", "--file", "d.csv", "--reviewer", "ann")
    said = lnl("audit", "said").out
    assert "4 more images came without a class, 1 labelled since: nothing here" in said
    assert "without_class" not in json.loads(lnl("audit", "asked", "--json").out)
    rows = "".join(
        f"{row:07d},{0.9 - 0.8 * (row % 2)},{0.1 + 0.8 * (row % 2)}\n" for row in range(12)
    )
    (tmp_path / "own.csv").write_text("id,cat,dog\n" + rows)
    lnl("score", "said", "own.csv", "--title", "mine")  # its model knows the real classes alone
    lnl("rank", "said", "--out", "scores.csv")
    cells = [line.split(",") for line in (tmp_path / "scores.csv").read_text().splitlines()[1:]]
    assert {row[2] for row in cells} == {"cat", "dog"}
    assert [row[3] == "" for row in cells] == [row[1] == "Skip" for row in cells]


@pytest.mark.parametrize(("broken", "said"), [(1, "left out: 1 image, "), (2, "2 images, ")])
def test_what_is_left_out_is_counted_in_words(lnl, tmp_path, broken, said):
    for i in range(6):
        path = tmp_path / "photos" / "ab"[i % 2] / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (8, 8), 40 * i).save(path)
        if i < broken:
            path.write_bytes(b"no picture")
    assert said in lnl("import", "photos", "--dry-run").out
    lnl("import", "photos", "--name", "ab", code=3)
    done = lnl("export", "ab", "--format", "label-studio", "--out", "tasks")
    assert "no image files; " in done.err


def test_rows_that_are_not_stored_are_counted_by_reason_and_the_first_named(lnl, tmp_path):
    lnl("demo", "--digits")
    name = "Handwritten digits"
    rows = "".join(f"digit-{row:04d},relabel,5\n" for row in range(11, 41))
    (tmp_path / "in.csv").write_text("id,action,label\n" + rows)
    lnl("decide", name, "--file", "in.csv", "--reviewer", "ann")
    (tmp_path / "other.csv").write_text("id,action,label\n" + rows.replace(",5", ",6"))
    call = ["decide", name, "--file", "other.csv", "--reviewer", "ann"]
    said = lnl(*call, code=3).err.splitlines()
    (at,) = (at for at, line in enumerate(said) if "than what is in force" in line)
    assert said[at].startswith("30 rows")
    assert sum("in force is " in line for line in said) == 5
    assert "  and 25 more: --verbose names them" in said
    whole = lnl(*call, "--verbose", code=3).err.splitlines()
    assert sum("in force is " in line for line in whole) == 30


def test_what_is_mended_comes_in_with_add(lnl, tmp_path):
    for at, name in enumerate(("cat", "cat", "dog", "dog")):
        (tmp_path / "pets" / name).mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (16, 16), (60 * at, 0, 0)).save(tmp_path / "pets" / name / f"{at}.png")
    (tmp_path / "pets" / "dog" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (tmp_path / "pets" / "cat" / "0.txt").write_text("a cat")
    said = lnl("import", "pets", "--name", "pets", code=3).err
    assert "dog/broken.png" in said
    assert "Repaired files come in with: lnl add pets pets" in said
    assert "1 left out, first cat/0.txt: Not an image, by name and content: .txt files." in said


def test_what_is_mended_comes_in_with_the_answers_of_the_import(lnl, tmp_path):
    (tmp_path / "hot").mkdir()
    for at in range(6):
        Image.new("RGB", (16, 16), (40 * at, 0, 0)).save(tmp_path / "hot" / f"{at}.png")
    rows = [f"{at}.png,{at % 2},{1 - at % 2}" for at in range(7)]
    (tmp_path / "list.csv").write_text("\n".join(["image,cat,dog", *rows]) + "\n")
    said = lnl("import", "list.csv", "--root", "hot", "--name", "hot", "--one-hot", code=3).err
    again = "lnl add hot list.csv --root hot --one-hot"
    assert f"Repaired files come in with: {again}\n" in said
    Image.new("RGB", (16, 16), (0, 99, 0)).save(tmp_path / "hot" / "6.png")
    assert "1 image added" in lnl(*again.split()[1:]).out


def test_what_add_would_do_is_said_first(lnl, tmp_path):
    pictures = np.random.default_rng(0).integers(0, 255, (8, 8, 8, 3), dtype=np.uint8)
    labels = np.arange(8) % 2
    np.savez("old.npz", images=pictures[:6], labels=labels[:6], class_names=["cat", "dog"])
    np.savez("more.npz", images=pictures[4:], labels=labels[4:], class_names=["cat", "dog"])
    lnl("import", "old.npz", "--name", "old")
    said = lnl("add", "old", "more.npz", "--dry-run").out
    assert "Read as: " in said
    assert "  new to the set: 2: 0000006, 0000007" in said
    assert "has the content of 0000004 left out" in said
    assert said.splitlines()[-1] == "Nothing is stored: --dry-run."
    value = json.loads(lnl("add", "old", "more.npz", "--dry-run", "--json").out)
    assert value["would"]["added"] == value["would"]["known_count"] == 2
    assert value["reading"]["n"] == 4
    np.savez("yak.npz", images=pictures[6:], labels=[0, 1], class_names=["cat", "yak"])
    said = lnl("add", "old", "yak.npz", "--dry-run", code=2).out
    assert "“yak”: no class of “old”" in said
    (found,) = json.loads(lnl("status", "--json").out)["datasets"]
    assert found["n"] == 6


def test_one_is_said_as_one(lnl, tmp_path):
    pictures = np.random.default_rng(0).integers(0, 255, (4, 8, 8, 3), dtype=np.uint8)
    names = {"class_names": ["cat", "dog"]}
    np.savez("old.npz", images=pictures[:3], labels=[0, 1, 0], **names)
    np.savez("more.npz", images=pictures[2:], labels=[0, 1], **names)
    lnl("import", "old.npz", "--name", "old")
    said = lnl("add", "old", "more.npz").out
    assert "1 image added to “old”, 4 now; 1 was there already, 0 skipped." in said
    (tmp_path / "in.csv").write_text("id,action,label\n0000000,relabel,dog\n")
    call = ["decide", "old", "--file", "in.csv", "--reviewer", "ann"]
    assert "1 decision stored, 0 known already" in lnl(*call).out
    assert "ann: 1 answer," in lnl("team", "old").out
