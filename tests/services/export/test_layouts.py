"""Layouts, read back by what they are for: torchvision's and our own reader."""

import csv
import io
import json
import os
import re
import shutil
import xml.etree.ElementTree as ElementTree
import zipfile
from urllib.parse import unquote

import numpy as np
import pandas as pd
import pytest

from lnl_core.data.layouts import placing
from lnl_core.readings import Answers
from lnl_core.services.datasets import catalog, growing
from lnl_core.services.export import exporting
from lnl_core.services.review import goals
from lnl_core.services.review.auditing import errors_left
from lnl_core.store import datasets, decisions
from lnl_core.types import Action, Decision, LnlError
from tests.data.making import encoded, picture
from tests.services.review.test_auditing import Reviewer, make

MADE = [
    Decision(0, Action.RELABEL, "ann", label=1),
    Decision(1, Action.KEEP, "ann"),
    Decision(2, Action.MULTIPLE, "ann", labels=(0, 1)),
    Decision(3, Action.NONE, "ann"),
    Decision(4, Action.UNSURE, "ann"),
    Decision(5, Action.KEEP, "ann"),
    Decision(5, Action.RELABEL, "bob", label=0),
]


@pytest.fixture
def photos(workspace, tmp_path):
    """Two classes with four images each, the same names in both; seven decisions."""
    root = tmp_path / "photos"
    for at, name in enumerate(("=cat", "dog")):
        (root / name).mkdir(parents=True)
        for i in range(4):
            (root / name / f"{i}.jpg").write_bytes(encoded(picture(seed=10 * at + i)))
    catalog.import_dataset(workspace, root, "photos")
    decisions.append(datasets.dataset(workspace, "photos"), MADE)
    return root


@pytest.fixture
def photo_set(workspace, photos):
    """The data set of `photos`."""
    return datasets.dataset(workspace, "photos")


def everything(folder):
    """Every file below a folder: path, bytes, time."""
    return {
        str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("images", ["copy", "link"])
def test_a_relabelled_folder_moves_files_and_touches_no_original(
    workspace, photos, photo_set, tmp_path, images
):
    before = everything(photos)
    out = tmp_path / "clean"
    result = exporting.write_export(photo_set, "folder", out, images=images)
    assert (result.rows, result.left_out, result.problems) == (6, 2, ())
    found = everything(out)
    # 0.jpg of the cats became a dog: both dogs named 0.jpg are there
    assert sorted(name for name in found if name.endswith(".jpg")) == [
        "=cat/1.jpg",
        "dog/0 (2).jpg",
        "dog/0.jpg",
        "dog/1.jpg",
        "dog/2.jpg",
        "dog/3.jpg",
    ]
    assert found["dog/0.jpg"][0] == before["=cat/0.jpg"][0]
    assert found["dog/0 (2).jpg"][0] == before["dog/0.jpg"][0]
    assert os.path.samefile(out / "dog/0.jpg", photos / "=cat/0.jpg") == (images == "link")
    assert everything(photos) == before


def test_originals_that_are_other_files_by_now_are_named(photo_set, photos, tmp_path):
    same = exporting.write_export(photo_set, "folder", tmp_path / "same")
    assert same.problems == ()
    (photos / "dog" / "2.jpg").write_bytes(encoded(picture(seed=77)))
    (problem,) = exporting.write_export(photo_set, "folder", tmp_path / "other").problems
    assert problem.startswith("1 original is another file than was imported, first ")
    assert str(photos / "dog" / "2.jpg") in problem


def test_the_folder_comes_back_with_ids_and_names(workspace, photo_set, tmp_path):
    out = tmp_path / "clean"
    exporting.write_export(photo_set, "folder", out)
    with (out / "metadata.csv").open(newline="", encoding="utf-8") as stream:
        rows = {row["id"]: row for row in csv.DictReader(stream)}
    assert rows["'=cat/0.jpg"] == rows["'=cat/0.jpg"] | {
        "file_name": "dog/0.jpg",
        "label": "dog",
        "given_label": "'=cat",
        "lnl_verdict": "relabelled",
    }
    assert rows["dog/1.jpg"]["lnl_verdict"] == "contradicted"
    assert rows["'=cat/1.jpg"]["file_name"] == "./=cat/1.jpg"  # no formula, and still its path
    assert all((out / row["file_name"]).is_file() for row in rows.values())
    catalog.import_dataset(workspace, out, "again")
    info = datasets.dataset(workspace, "again")
    data = datasets.load(info)
    assert info.class_names == ("=cat", "dog")
    assert dict(zip(data.ids, data.given_labels.tolist(), strict=True)) == {
        "=cat/0.jpg": 1,
        "=cat/1.jpg": 0,
        "dog/0.jpg": 1,
        "dog/1.jpg": 1,
        "dog/2.jpg": 1,
        "dog/3.jpg": 1,
    }


def test_torchvision_reads_the_folder(workspace, photo_set, tmp_path):
    torchvision = pytest.importorskip("torchvision")
    exporting.write_export(photo_set, "folder", tmp_path / "clean")
    found = torchvision.datasets.ImageFolder(tmp_path / "clean")
    assert found.classes == ["=cat", "dog"]
    assert sorted(label for _, label in found.samples) == [0, 1, 1, 1, 1, 1]


def test_where_a_folder_may_not_lie(workspace, photos, photo_set, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    for out, word in (
        (photos / "clean", "among the originals"),
        (photos, "not empty"),
        (tmp_path / "full", "not empty"),
        (tmp_path / "full" / "x", "not empty"),
    ):
        with pytest.raises(LnlError, match=word):
            exporting.write_export(photo_set, "folder", out)
    (tmp_path / "link").symlink_to(photos)
    with pytest.raises(LnlError, match="among the originals"):
        exporting.write_export(photo_set, "folder", tmp_path / "link" / "clean")
    with pytest.raises(LnlError, match="Known: copy, link"):
        exporting.write_export(photo_set, "folder", tmp_path / "x", images="none")
    assert sorted(everything(photos)) == sorted(everything(photos))
    assert not list(tmp_path.glob(".*part"))


def test_originals_that_are_gone_are_named(workspace, photos, photo_set, tmp_path):
    (photos / "dog" / "2.jpg").unlink()
    for format, images in (("folder", "copy"), ("folder", "link"), ("fiftyone", "none")):
        plan = exporting.plan_export(photo_set, format, tmp_path / "clean", images=images)
        assert plan.missing == 1
        assert plan.files in (plan.rows - 1, 0)
    result = exporting.write_export(photo_set, "folder", tmp_path / "clean")
    assert result.rows == 5
    assert result.problems[0].startswith("1 original is not where it was and is left out")
    assert "dog/2.jpg" in result.problems[0]
    exporting.write_export(photo_set, "folder", tmp_path / "clean.zip")
    with zipfile.ZipFile(tmp_path / "clean.zip") as packed:
        (facts,) = (name for name in packed.namelist() if name.endswith("review.json"))
        assert json.loads(packed.read(facts))["problems"] == list(result.problems)
    shutil.rmtree(photos)
    with pytest.raises(LnlError, match="No original"):
        exporting.write_export(photo_set, "folder", tmp_path / "none")
    assert not (tmp_path / "none").exists()
    assert not list(tmp_path.glob(".*part"))


def test_disk_space_is_told_before_and_checked(workspace, photos, photo_set, tmp_path, monkeypatch):
    out = tmp_path / "clean"
    plan = exporting.plan_export(photo_set, "folder", out)
    size = sum(len(data) for name, (data, _) in everything(photos).items())
    assert (plan.rows, plan.left_out, plan.unsettled, plan.files) == (6, 2, 2, 6)
    assert 0.5 * size < plan.size < size
    assert exporting.plan_export(photo_set, "folder", out, images="link").size == 0
    assert not out.exists()
    usage = type("Usage", (), {"free": plan.size - 1})
    monkeypatch.setattr(placing.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(LnlError, match=r" free\. Free some"):
        exporting.write_export(photo_set, "folder", out)


def test_names_fit_every_system():
    names = placing.Names()
    wanted = ["a/b", "A_B", "con", "..", ".git", "x" * 300 + ".png", "Ä", "A\u0308", "a?b", "  "]
    taken = [names.take(name) for name in wanted]
    assert taken[:5] == ["a_b", "A_B (2)", "_con", "_", "_.git"]
    assert taken[5].endswith(".png")
    assert len(taken[5]) <= 150
    assert taken[7] == "A\u0308 (2)"
    assert len({name.casefold() for name in taken}) == len(wanted)


def test_names_that_are_all_alike_are_not_counted_anew_each_time(monkeypatch):
    asked, key = [], placing.Names._key
    monkeypatch.setattr(
        placing.Names, "_key", lambda self, name: asked.append(1) or key(self, name)
    )
    names = placing.Names()
    taken = [names.take("image.jpg") for _ in range(300)]
    assert taken[1:3] == ["image (2).jpg", "image (3).jpg"]
    assert names.take("image (3).jpg") == "image (3) (2).jpg"
    assert len({*taken}) == 300
    assert len(asked) < 6 * 300


def test_arrays_become_png(workspace, scored, tmp_path):
    from PIL import Image

    decisions.append(scored, [Decision(3, Action.RELABEL, "ann", label=0)])
    result = exporting.write_export(scored, "folder", tmp_path / "out")
    assert result.rows == 60
    pixels = np.asarray(Image.open(tmp_path / "out" / "bar" / "item-00003.png"))
    assert (pixels == datasets.load(scored).images[3, :, :, 0]).all()


def test_the_manifest_holds_every_image_that_has_a_class(workspace, photos, photo_set, tmp_path):
    out = tmp_path / "clean.csv"
    result = exporting.write_export(photo_set, "manifest", out)
    assert (result.rows, result.left_out) == (6, 2)
    listed = pd.read_csv(out)["image"]
    assert listed[1] == "./=cat/1.jpg"
    assert all((photos / image).is_file() for image in listed)
    catalog.import_dataset(workspace, out, "from csv", root=photos)
    exporting.write_export(photo_set, "manifest", tmp_path / "clean.parquet")
    catalog.import_dataset(workspace, tmp_path / "clean.parquet", "from parquet", root=photos)
    for name in ("from csv", "from parquet"):
        data = datasets.load(datasets.dataset(workspace, name))
        assert data.class_names == ("=cat", "dog")
        assert list(data.ids)[:2] == ["=cat/0.jpg", "=cat/1.jpg"]
        assert data.given_labels.tolist() == [1, 0, 1, 1, 1, 1]
    frame = pd.read_parquet(tmp_path / "clean.parquet")
    assert frame["lnl_verdict"].tolist()[:3] == ["relabelled", "kept", "waiting"]


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_classes_that_differ_by_an_apostrophe_come_back_apart(workspace, tmp_path, ending):
    names = ["=q", "'=q", "''=q", 'it\'s "so"', "line\nbreak", "<b>", "Ünï 猫", "a|b"]
    for at in range(len(names)):
        (tmp_path / f"{at}.png").write_bytes(encoded(picture(seed=at), "PNG"))
    rows = [{"image": f"{at}.png", "label": name} for at, name in enumerate(names)]
    (tmp_path / "list.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    apart = Answers(spellings="keep")
    catalog.import_dataset(workspace, tmp_path / "list.jsonl", "odd", answers=apart)
    exporting.write_export(datasets.dataset(workspace, "odd"), "manifest", tmp_path / f"m.{ending}")
    catalog.import_dataset(workspace, tmp_path / f"m.{ending}", "again", answers=apart)
    for name in ("odd", "again"):
        data = datasets.load(datasets.dataset(workspace, name))
        assert [data.class_names[label] for label in data.given_labels] == names


def test_the_audit_trail_has_every_decision_and_every_field(workspace, photo_set, tmp_path):
    info = datasets.dataset(workspace, "photos")
    more = [
        Decision(0, Action.KEEP, "ann", seconds=1.5, suggested_label=1, p_wrong=0.25,
                 run_ids=(3, 4), position=7, route="audit", mode="blind", revealed=True),
        Decision(1, Action.REOPEN, "ann"),
    ]  # fmt: skip
    decisions.append(info, more)
    exporting.write_export(photo_set, "audit-trail", tmp_path / "trail.csv")
    with (tmp_path / "trail.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    stored = list(decisions.history(info))
    assert [int(row["number"]) for row in rows] == [d.id for d in stored]
    standing = [row["standing"] for row in rows]
    assert standing[:2] == ["superseded", "taken back"]
    assert standing[2:] == ["in force"] * 6 + ["taken back"]
    assert rows[0]["replaced_by"] == rows[7]["number"]
    fields = {"seconds": "1.50", "p_wrong_shown": "0.250000", "run_ids": "3 4", "position": "7",
              "route": "audit", "mode": "blind", "revealed": "yes"}  # fmt: skip
    assert fields.items() <= rows[7].items()
    assert [row["cid"] for row in rows] == [d.cid for d in stored]


@pytest.mark.parametrize("images", ["copy", "link", "none"])
def test_fiftyone_layout_as_documented(workspace, photos, photo_set, tmp_path, images):
    out = tmp_path / "fiftyone"
    assert exporting.write_export(photo_set, "fiftyone", out, images=images).rows == 6
    whole = json.loads((out / "labels.json").read_text("utf-8"))
    assert whole["classes"] == ["=cat", "dog"]
    files = {path.stem: path for path in (out / "data").iterdir()}
    assert len(whole["labels"]) == 6
    for key, target in whole["labels"].items():
        path = (photos / key if os.path.isabs(key) else files[key]).resolve()
        assert os.path.isabs(key) == (images == "none")
        attributes = target["attributes"]
        assert path.read_bytes() == (photos / attributes["lnl_id"]).read_bytes()
        relabelled = attributes["lnl_id"] == "=cat/0.jpg"
        given = whole["classes"].index(attributes["given_label"])
        assert target["label"] == (1 if relabelled else given)


@pytest.mark.parametrize("images", ["none", "copy"])
def test_label_studio_tasks_fit_their_config(workspace, photos, photo_set, tmp_path, images):
    out = tmp_path / "ls"
    assert exporting.write_export(photo_set, "label-studio", out, images=images).rows == 8
    config = ElementTree.fromstring((out / "label_config.xml").read_text("utf-8"))
    choices = {each.get("value") for each in config.iter("Choice")}
    control, image = config.find("Choices"), config.find("Image")
    assert choices == {"=cat", "dog"}
    assert (control.get("toName"), image.get("value")) == (image.get("name"), "$image")
    tasks = json.loads((out / "tasks.json").read_text("utf-8"))
    assert len(tasks) == 8
    for task in tasks:
        root = out if images == "copy" else photos
        url = task["data"]["image"]
        assert url.startswith("/data/local-files/?d=")
        assert (root / unquote(url.split("=", 1)[1])).is_file()
        for opinion in task["predictions"] + task["annotations"]:
            for result in opinion["result"]:
                assert (result["from_name"], result["to_name"]) == ("label", "image")
                assert result["type"] == "choices"
                assert set(result["value"]["choices"]) <= choices
    said = [[r["value"]["choices"] for a in t["annotations"] for r in a["result"]] for t in tasks]
    assert said[:6] == [[["dog"]], [["=cat"]], [["=cat", "dog"]], [], [], [["dog"], ["=cat"]]]
    assert tasks[3]["annotations"][0]["meta"] == {"reviewer": "ann", "action": "none"}


def test_label_studio_finds_images_that_were_added_from_another_folder(
    workspace, photos, photo_set, tmp_path
):
    (tmp_path / "more" / "dog").mkdir(parents=True)
    (tmp_path / "more" / "dog" / "n ü.png").write_bytes(encoded(picture(seed=99), "PNG"))
    growing.add_images(photo_set, tmp_path / "more")
    out = tmp_path / "ls"
    info = datasets.dataset(workspace, "photos")
    assert exporting.write_export(info, "label-studio", out).rows == 9
    (root,) = re.findall(r"DOCUMENT_ROOT=(.*)", (out / "README.txt").read_text("utf-8"))
    assert root == str(tmp_path)
    tasks = json.loads((out / "tasks.json").read_text("utf-8"))
    inside = [unquote(task["data"]["image"].split("=", 1)[1]) for task in tasks]
    assert inside[-1] == "more/dog/n ü.png"
    assert not any(path.startswith("/") for path in inside)
    assert all((tmp_path / path).is_file() for path in inside)


def test_a_stream_gets_a_zip_that_comes_back(workspace, photo_set, tmp_path):
    out = io.BytesIO()
    exporting.write_export(photo_set, "folder", out)
    names = zipfile.ZipFile(out).namelist()
    assert "folder/dog/0 (2).jpg" in names
    (tmp_path / "clean.zip").write_bytes(out.getvalue())
    catalog.import_dataset(workspace, tmp_path / "clean.zip", "again")
    assert datasets.dataset(workspace, "again").n == 6
    assert not list(workspace.home.glob(".export*"))


def test_files_that_are_older_than_zips_can_say_are_zipped(workspace, photos, photo_set, tmp_path):
    """As reproducible archives and containers date them."""
    for path in photos.rglob("*.jpg"):
        os.utime(path, (0, 0))
    assert exporting.write_export(photo_set, "folder", tmp_path / "clean.zip").rows == 6
    with zipfile.ZipFile(tmp_path / "clean.zip") as packed:
        assert sum(name.endswith(".jpg") for name in packed.namelist()) == 6


def test_of_a_file_with_two_ids_fiftyone_keeps_one_and_the_export_says_so(workspace, tmp_path):
    root = tmp_path / "twice"
    root.mkdir()
    rows = ["id,image,label"]
    for at, label in enumerate(("cat", "dog", "cat", "dog")):
        (root / f"{at}.png").write_bytes(encoded(picture(seed=at)))
        rows.append(f"{at},{at}.png,{label}")
    (root / "list.csv").write_text("\n".join([*rows, "again,0.png,dog"]))
    catalog.import_dataset(workspace, root / "list.csv", "twice")
    info = datasets.dataset(workspace, "twice")
    assert info.n == 5
    told = exporting.write_export(info, "fiftyone", tmp_path / "out", images="none")
    assert told.rows == 4
    assert told.problems[0].startswith("1 image shares its file with another")
    assert "first again" in told.problems[0]
    whole = exporting.write_export(info, "fiftyone", tmp_path / "copies", images="copy")
    assert (whole.rows, whole.problems) == (5, ())


def test_a_new_answer_is_in_the_next_export(workspace, photo_set):
    def counts():
        words = exporting.verdict_counts(datasets.dataset(workspace, "photos"))
        return words["relabelled"], words["contradicted"]

    assert counts() == (1, 1)
    info = datasets.dataset(workspace, "photos")
    decisions.append(info, [Decision(6, Action.RELABEL, "ann", label=0)])
    assert counts() == (2, 1)
    assert exporting.verdict_counts(photo_set, only_agreed=False)["contradicted"] == 0


@pytest.mark.parametrize("format", ["folder", "fiftyone", "label-studio", "cleanlab"])
def test_folders_say_how_far_the_review_is(workspace, tmp_path, format):
    info = make(workspace, tmp_path, 200)
    goals.set_goal(info, "left", 8, "ann")
    ann = Reviewer(workspace, info)
    while not errors_left(info, fresh=True).may_stop:
        ann.press(*ann.window(order="random")[:10])
    exporting.write_export(info, format, tmp_path / "out")
    said = json.loads((tmp_path / "out" / "review.json").read_text("utf-8"))
    left = errors_left(info)
    assert (said["at_most_left"], said["errors_left"]) == (left.limit, left.estimate)
    assert (said["found_wrong"], said["random_checks"]) == (left.found, left.audits)
    assert said["goal"]["goal"] == "until at most 8 wrong labels are left"
    assert (said["goal"]["reached"], said["goal"]["set_by"]) == (True, "ann")
    assert said["goal"]["said"] == f"at most {left.limit} error{'s' * (left.limit != 1)} left"
