"""Images added to a set that is there."""

import shutil

import numpy as np
import pytest

from lnl_core.data.class_names import near
from lnl_core.jobs import outcome, queue
from lnl_core.services import in_force
from lnl_core.services.datasets import catalog, growing, moving, settings
from lnl_core.services.export import exporting
from lnl_core.services.review import desk, recording
from lnl_core.services.review import evidence as image_evidence
from lnl_core.services.runs import status
from lnl_core.store import arrays, audits, datasets, decisions, owned
from lnl_core.store.db import dispose, open_workspace
from lnl_core.types import Action, Decision, JobState, Signals
from tests.data.making import picture
from tests.killing import killed_at_every_step

NAMES = ("cat", "dog", "emu")


def pictures(n, seed=7, side=9, channels=3):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 255, (n, side, side, channels), dtype=np.uint8)


def file_of(tmp_path, name, images, labels, **arrays):
    path = tmp_path / f"{name}.npz"
    np.savez(path, images=images, labels=labels, **({"class_names": np.array(NAMES)} | arrays))
    return path


@pytest.fixture
def thirty(workspace, tmp_path):
    source = file_of(tmp_path, "thirty", pictures(30), np.arange(30) % 3)
    catalog.import_dataset(workspace, source, "thirty")
    return datasets.dataset(workspace, "thirty")


def run(info, probs=None, method="probe"):
    """Store a finished run without training."""
    job = queue.claim(info.workspace, queue.submit(info, method).id)
    folder = info.directory / "runs" / str(job.id)
    n, k = info.n, info.class_count
    rng = np.random.default_rng(job.id)
    probs = rng.dirichlet(np.ones(k), n).astype(np.float32) if probs is None else probs
    given = np.asarray(datasets.load(info).given_labels)
    suspicion = 1 - probs[np.arange(n), given]
    arrays.save_signals(folder, Signals(method, suspicion, probs))
    queue.finish(info.workspace, job.id, JobState.DONE)
    outcome.rank(info)
    return job.id


def again(info):
    return datasets.dataset(info.workspace, info.name)


def test_everything_that_was_there_stays(thirty, tmp_path):
    decisions.append(thirty, [Decision(4, Action.RELABEL, "ann", label=0)])
    audits.draw(thirty, "ann", 3, lambda: (decisions.last_id(thirty), np.zeros(30, bool)), seed=5)
    drawn = [each.row for each in audits.draws(thirty)]
    number = run(thirty)
    before = in_force.loaded(thirty)
    first = np.array(in_force.scored(thirty).ranking.p_wrong)
    source = file_of(tmp_path, "more", pictures(6, seed=8), np.arange(6) % 3)
    told = growing.add_images(thirty, source)
    info = again(thirty)
    assert (told.added, told.n, info.n, told.known_count) == (6, 36, 36, 0)
    data = in_force.loaded(info)
    assert data.ids[:30] == before.ids[:30]
    assert data.ids[30:] == [f"{row:07d}" for row in range(30, 36)]
    np.testing.assert_array_equal(data.images[:30], pictures(30))
    np.testing.assert_array_equal(data.images[30:], pictures(6, seed=8))
    np.testing.assert_array_equal(data.given_labels, [*np.arange(30) % 3, *np.arange(6) % 3])
    assert len(in_force.contents(info)) == len(data.groups) == 36
    assert decisions.in_force(info)[4][0].label == 0
    assert [each.row for each in audits.draws(info)] == drawn
    assert in_force.seen_by(info, number) == 30
    assert settings.behind(info) == {number: 6}
    (told_run,) = status.status([info])["datasets"][0]["runs"]
    assert told_run["unseen"] == 6
    np.testing.assert_array_equal(in_force.scored(info).ranking.p_wrong[:30], first)


def test_what_no_run_has_seen_comes_last_and_is_not_scored(thirty, tmp_path):
    run(thirty)
    source = file_of(tmp_path, "more", pictures(6, seed=8), np.arange(6) % 3)
    growing.add_images(thirty, source)
    info = again(thirty)
    ranked = in_force.scored(info)
    assert ranked.seen == 30
    assert sorted(ranked.ranking.order[-6:]) == list(range(30, 36))
    assert set(ranked.ranking.suggested_labels[30:]) == {-1}
    state = desk.review_state(info, "ann", limit=36)
    assert len(state.items) == 36
    unscored = [item["row"] for item in state.items if item.get("unscored")]
    assert sorted(unscored) == list(range(30, 36))
    recording.record(info, "ann", [{"cid": "x", "row": 33, "action": "keep"}])
    (stored,) = decisions.in_force(info)[33]
    assert (stored.p_wrong, stored.suggested_label) == (None, None)


def test_a_later_run_scores_them_and_earlier_ones_keep_their_say(thirty, tmp_path):
    run(thirty)
    old = np.array(in_force.scored(thirty).ranking.p_wrong)
    source = file_of(tmp_path, "more", pictures(6, seed=8), np.arange(6) % 3)
    growing.add_images(thirty, source)
    info = again(thirty)
    given = np.asarray(datasets.load(info).given_labels)
    sure = np.full((36, 3), 0.02, np.float32)
    sure[np.arange(36), given] = 0.96
    sure[32] = [0.97, 0.02, 0.01]  # given as emu
    run(info, sure, method="knn")
    ranked = in_force.scored(info)
    assert ranked.seen == 36
    assert set(ranked.run_ids) == {"probe", "knn"}
    p = np.asarray(ranked.ranking.p_wrong)
    assert p[32] == max(p[30:])
    assert ranked.ranking.suggested_labels[32] == 0
    assert list(ranked.ranking.order).index(32) < list(ranked.ranking.order).index(31)
    assert set(ranked.ranking.methods) == {"probe", "knn"}  # both speak about the first thirty
    assert p[:30].shape == old.shape
    assert sorted(ranked.ranking.order) == list(range(36))


def test_what_is_there_already_is_left_out_and_named(thirty, tmp_path):
    images = np.concatenate([pictures(30)[[3, 9]], pictures(2, seed=8)])
    ids = np.array(["a", "b", "c", "d"])
    told = growing.add_images(
        thirty, file_of(tmp_path, "more", images, np.array([0, 0, 1, 2]), ids=ids)
    )
    assert told.added == 2
    assert told.known == (("a", "0000003"), ("b", "0000009"))
    assert in_force.loaded(again(thirty)).ids[30:] == ["c", "d"]
    nothing = growing.add_images(
        again(thirty), file_of(tmp_path, "same", images, np.zeros(4, int), ids=ids)
    )
    assert (nothing.added, nothing.known_count) == (0, 4)
    assert len(again(thirty).additions) == 1


def test_another_label_of_an_image_that_is_there_is_said(thirty, tmp_path):
    images = np.concatenate([pictures(30)[[3, 4]], pictures(1, seed=8)])
    labels = np.array([0, 2, 1])
    told = growing.add_images(thirty, file_of(tmp_path, "more", images, labels))
    (note,) = told.notes
    assert note.startswith("1 image that was there already has another label in the source")
    assert "“emu” there, “dog” here (0000004)" in note
    assert in_force.loaded(again(thirty)).given_labels[4] == 1


def test_another_split_of_images_that_are_there_is_said(workspace, tmp_path):
    first, more = pictures(6), np.concatenate([pictures(6), pictures(1, seed=8)])
    for name, splits in (("set", ["train"] * 5 + [""]), ("none", [""] * 6)):
        source = file_of(tmp_path, name, first, np.arange(6) % 3, splits=np.array(splits))
        catalog.import_dataset(workspace, source, name)
    splits = np.array(["train", "val", "", "test", "train", "val", "val"])
    source = file_of(tmp_path, "more", more, np.arange(7) % 3, splits=splits)
    (said, new) = growing.add_images(datasets.dataset(workspace, "set"), source).notes
    assert said.startswith("3 images that were there already are in another split in the source")
    assert "first 0000001: “val” there, “train” here. The set's splits stay" in said
    assert new.startswith("New splits: val")
    names, places = datasets.splits(datasets.dataset(workspace, "set"))
    assert [names[at] if at >= 0 else "" for at in places] == ["train"] * 5 + ["", "val"]
    said = growing.add_images(datasets.dataset(workspace, "none"), source).notes[0]
    assert said.startswith("5 images that were there already are in another split")
    assert "“train” there, none here" in said
    assert not growing.add_images(datasets.dataset(workspace, "set"), tmp_path / "set.npz").notes


def test_an_id_that_is_another_images_gets_the_sources_name(thirty, tmp_path):
    ids = np.array(["x", "0000004"])
    source = file_of(tmp_path, "second", pictures(2, seed=8), np.array([0, 1]), ids=ids)
    told = growing.add_images(thirty, source)
    assert told.renamed == (("0000004", "second/0000004"),)
    assert in_force.loaded(again(thirty)).ids[30:] == ["x", "second/0000004"]


def test_new_classes_are_asked_about(thirty, tmp_path):
    names = np.array(["cat", "yak"])
    source = file_of(tmp_path, "more", pictures(2, seed=8), np.arange(2), class_names=names)
    with pytest.raises(growing.NewClasses, match="“yak”: no class") as refused:
        growing.add_images(thirty, source)
    assert refused.value.names == ("yak",)
    assert again(thirty).n == 30
    told = growing.add_images(thirty, source, new_classes=True)
    info = again(thirty)
    assert told.new_classes == ("yak",)
    assert info.class_names == (*NAMES, "yak")
    assert list(in_force.loaded(info).given_labels[30:]) == [0, 3]


def test_a_class_that_is_spelled_otherwise_is_refused_always(thirty, tmp_path):
    names = np.array(["Cat ", "dog"])
    source = file_of(tmp_path, "more", pictures(2, seed=8), np.arange(2), class_names=names)
    with pytest.raises(growing.NewClasses, match="did you mean “cat”"):
        growing.add_images(thirty, source, new_classes=True)


@pytest.mark.parametrize(
    ("name", "twin"),
    [
        ("Dog", "dog"),
        (" dog", "dog"),
        ("ice cream", "ice_cream"),
        ("T-shirt", "tshirt"),
        ("C++", None),
        ("-1", None),
        ("1-2", None),
        ("dogs", None),
    ],
)
def test_names_that_people_take_for_the_same(name, twin):
    assert near(name, ["dog", "ice_cream", "tshirt", "C", "1", "12"]) == twin


def test_a_folder_that_grew_keeps_paths_and_ids(workspace, tmp_path):
    root = tmp_path / "photos"
    for name in ("cat", "dog"):
        (root / name).mkdir(parents=True)
        for at in range(3):
            picture(40, 30, seed=at + 10 * (name == "dog")).save(root / name / f"{at}.png")
    catalog.import_dataset(workspace, root, "birds")
    info = datasets.dataset(workspace, "birds")
    picture(64, 64, seed=77).save(root / "cat" / "new.png")
    told = growing.add_images(info, root)
    info = again(info)
    assert (told.added, told.known_count) == (1, 6)
    assert in_force.loaded(info).paths[6] == "cat/new.png"
    assert in_force.loaded(info).images[6].shape == (info.height, info.width, 3)
    (tmp_path / "batch" / "dog").mkdir(parents=True)
    picture(40, 30, seed=78).save(tmp_path / "batch" / "dog" / "0.png")
    told = growing.add_images(info, tmp_path / "batch")
    assert told.renamed == (("dog/0.png", "batch/dog/0.png"),)
    outside = (tmp_path / "batch" / "dog" / "0.png").resolve()
    assert in_force.loaded(again(info)).paths[7] == outside.as_posix()
    assert any("exports name them by their whole path" in note for note in told.notes)
    written = exporting.write_export(again(info), "folder", tmp_path / "out")
    assert not written.problems
    assert len(list((tmp_path / "out" / "dog").iterdir())) == 4
    assert moving.relink(again(info), root).total == 7
    assert moving.folders(again(info)) == [str(root), str(outside.parent)]
    bytes_ = outside.read_bytes()
    outside.unlink()
    (tmp_path / "secret.png").write_bytes(bytes_)
    outside.symlink_to(tmp_path / "secret.png")  # not what was added
    (problem,) = exporting.write_export(again(info), "folder", tmp_path / "more").problems
    assert outside.as_posix() in problem
    outside.unlink()
    outside.write_bytes(bytes_)
    assert growing.add_images(again(info), tmp_path / "batch").notes == ()  # none is new
    assert again(info).n == 8


def test_splits_and_double_labels_grow_with_the_set(workspace, tmp_path):
    rows_of = {
        "first": ["0.png,cat,train", "1.png,dog,val", "0.png,dog,train"],
        "more": ["2.png,dog,val", "3.png,cat,test", "3.png,dog,test"],
    }
    for folder, rows in rows_of.items():
        (tmp_path / folder).mkdir()
        for row in rows:
            name = row.split(",")[0]
            picture(seed=int(name[0])).save(tmp_path / folder / name)
        text = "\n".join(["image,label,split", *rows])
        (tmp_path / folder / "l.csv").write_text(text)
    catalog.import_dataset(workspace, tmp_path / "first" / "l.csv", "growing")
    info = datasets.dataset(workspace, "growing")
    assert datasets.listed(info).tolist() == [[0, 0], [0, 1]]
    growing.add_images(info, tmp_path / "more" / "l.csv")
    grown = again(info)
    assert datasets.listed(grown).tolist() == [[0, 0], [0, 1], [3, 0], [3, 1]]
    names, codes = datasets.splits(grown)
    assert [names[code] for code in codes] == ["train", "val", "val", "test"]


def test_truth_that_is_known_in_part_judges_in_part(workspace, tmp_path):
    truth = (np.arange(30) + 1) % 3
    source = file_of(tmp_path, "known", pictures(30), np.arange(30) % 3, true_labels=truth)
    catalog.import_dataset(workspace, source, "known")
    info = datasets.dataset(workspace, "known")
    growing.add_images(info, file_of(tmp_path, "more", pictures(4, seed=8), np.arange(4) % 3))
    info = again(info)
    assert not info.has_truth
    np.testing.assert_array_equal(datasets.judged_labels(info), [*truth, -1, -1, -1, -1])


def test_colours_in_a_grey_set_and_grey_in_colours(workspace, tmp_path, thirty):
    grey = file_of(tmp_path, "grey", pictures(6, channels=1)[..., 0], np.arange(6) % 3)
    catalog.import_dataset(workspace, grey, "grey")
    colour = file_of(tmp_path, "colour", pictures(2, seed=8), np.arange(2))
    told = growing.add_images(datasets.dataset(workspace, "grey"), colour)
    assert any("grey" in note for note in told.notes)
    info = datasets.dataset(workspace, "grey")
    assert in_force.loaded(info).images.shape == (8, 9, 9, 1)
    assert growing.add_images(info, colour).known_count == 2
    growing.add_images(thirty, grey)
    images = in_force.loaded(again(thirty)).images
    np.testing.assert_array_equal(images[30, :, :, 0], images[30, :, :, 2])


def test_exports_leave_what_is_not_scored_blank(thirty, tmp_path):
    run(thirty)
    growing.add_images(thirty, file_of(tmp_path, "more", pictures(6, seed=8), np.arange(6) % 3))
    info = again(thirty)
    scores = list(exporting.rank_rows(info))
    assert all(row["p_wrong"] for row in scores[:30])
    for row in scores[30:]:
        assert (row["suspicion"], row["p_wrong"], row["label_quality"]) == ("", "", "")
        assert row["suggested_label"] == ""
    one = list(exporting.rank_rows(info, "probe"))
    assert [bool(row["suspicion"]) for row in one] == [True] * 30 + [False] * 6
    rows, count, _ = exporting.manifest_rows(info)
    assert count == 36
    assert [bool(row["p_wrong"]) for row in rows] == [True] * 30 + [False] * 6
    evidence = image_evidence.evidence(info, 33)
    assert evidence["p_wrong"] is None
    assert evidence["methods"] == []


@pytest.mark.slow
def test_killed_at_any_step_the_set_is_the_old_one_or_the_larger_one(tmp_path, monkeypatch):
    monkeypatch.delenv("LNL_DATABASE_URL", raising=False)
    master = open_workspace(tmp_path / "master")
    catalog.import_dataset(master, file_of(tmp_path, "few", pictures(4), np.arange(4) % 3), "few")
    decisions.append(datasets.dataset(master, "few"), [Decision(2, Action.NONE, "ann")])
    dispose(master)
    source = file_of(tmp_path, "more", pictures(3, seed=8), np.arange(3))
    numbers = iter(range(1000))

    def prepare():
        home = tmp_path / f"home-{next(numbers)}"
        shutil.copytree(tmp_path / "master", home)
        return home

    def act(home):
        growing.add_images(datasets.dataset(open_workspace(home), "few"), source)

    sizes = []

    def check(home, step):
        ws = open_workspace(home)
        owned.sweep(ws)
        info = datasets.dataset(ws, "few")
        sizes.append(info.n)
        data = datasets.load(info)
        np.testing.assert_array_equal(data.images[:4], pictures(4))
        assert len(data.ids) == len(data.given_labels) == info.n
        assert set(decisions.in_force(info)) == {2}
        told = growing.add_images(info, source)
        assert (told.n, told.added + told.known_count) == (7, 3)
        np.testing.assert_array_equal(datasets.load(again(info)).images[4:], pictures(3, seed=8))
        assert [each.name for each in ws.datasets_dir.glob("*/.grown*")] == []
        dispose(ws)
        shutil.rmtree(home)

    assert killed_at_every_step(prepare, act, check) > 20
    assert sizes == sorted(sizes)
    assert set(sizes) == {4, 7}


def test_what_is_said_of_copies_is_said_of_the_set_as_it_is(workspace, tmp_path):
    one, other = pictures(4, side=32), pictures(3, seed=8, side=32)
    first = file_of(tmp_path, "first", np.concatenate([one, one[:1]]), [0, 1, 2, 0, 0])
    catalog.import_dataset(workspace, first, "copied")
    info = datasets.dataset(workspace, "copied")
    old = ["1 picture comes more than once, 2 images in all.", "Read together: a, b."]
    datasets.update_meta(info, notes=old)  # as sets from before have it
    growing.add_images(info, file_of(tmp_path, "second", other[[0, 0, 1]], [0, 1, 1]))
    said = settings.notes(again(info))
    assert [each for each in said if "more than once" in each] == [
        "2 pictures come more than once, 4 images in all; 1 of them with different labels, at "
        "least one of which is wrong: they come first in the queue."
    ]
    assert f"At the import: {old[1]}" in said
    growing.add_images(again(info), file_of(tmp_path, "third", other[2:], [0]))
    assert any(each.startswith("1 image was added on ") for each in settings.notes(again(info)))


def test_notes_say_of_when_they_are_and_counts_are_of_today(workspace, tmp_path):
    splits = np.array(["train"] * 3 + [""] * 2)
    names = np.array(["cat", "dog", "Not sure"])
    first = file_of(
        tmp_path, "first", pictures(5), [0, 1, 2, 2, 0], class_names=names, splits=splits
    )
    catalog.import_dataset(workspace, first, "set", no_classes=["Not sure"])
    info = datasets.dataset(workspace, "set")
    assert settings.notes(info)[:2] == [
        "2 images are in no split.",
        "No class, so to be labelled: “Not sure” (2).",
    ]
    datasets.change_meta(info, lambda meta: {"notes": ["Read together: a, b.", *meta["notes"]]})
    assert settings.notes(again(info))[0] == "Read together: a, b."  # so far there is one day
    second = file_of(
        tmp_path, "second", pictures(2, seed=8), [2, 0], class_names=names, splits=["val", ""]
    )
    growing.add_images(again(info), second)

    def as_earlier(meta):  # which did not count one as one
        return {"notes": [each.replace("2 images were", "1 images were") for each in meta["notes"]]}

    datasets.change_meta(info, as_earlier)
    said = settings.notes(again(info))
    day = again(info).grown_at[0][:10]
    assert said[0] == "At the import: Read together: a, b."
    assert said[1].startswith(f"1 image was added on {day} from ")
    assert [each for each in said[2:] if each.startswith(f"On {day}: New splits: val")]
    assert [each for each in said if each.endswith("in no split.")] == ["3 images are in no split."]
    assert "No class, so to be labelled: “Not sure” (3)." in said
    assert len([each for each in said if "Not sure" in each]) == 1
