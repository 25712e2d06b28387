from threading import Thread

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import update

import lnl_core as lnl
from lnl_core.data import probabilities
from lnl_core.jobs import queue
from lnl_core.jobs.engines import local
from lnl_core.services.review.desk import review_state
from lnl_core.store import datasets, schema
from lnl_core.store.db import transaction
from lnl_core.types import LnlError
from tests.data.making import encoded, picture


@pytest.fixture
def shared(workspace):
    """A workspace of the library on the folder that the tests' own one has open."""
    return lnl.Workspace(workspace.home, workspace.url)


@pytest.fixture
def stripes():
    rng = np.random.default_rng(0)
    truth = np.arange(60) % 2
    images = rng.integers(0, 60, (60, 8, 8), dtype=np.uint8)
    images[truth == 0, :, :4] += 150
    images[truth == 1, :, 4:] += 150
    labels = truth.copy()
    labels[:4] = 1 - labels[:4]
    return images, labels


@pytest.fixture
def halves(shared, stripes):
    images, labels = stripes
    told = shared.add(images, "halves", np.array(["left", "right"])[labels])
    assert (told.n, told.skipped, told.class_names) == (60, 0, ("left", "right"))
    return shared


def ranking_of(stripes, ids=None):
    truth = np.arange(60) % 2
    probs = np.full((60, 2), 0.1)
    probs[np.arange(60), truth] = 0.9
    return lnl.rank_probs(stripes[1], [probs], class_names=["left", "right"], ids=ids)


def test_arrays_are_imported_and_seen_by_the_app(halves, workspace):
    info = datasets.dataset(workspace, "halves")
    assert info.class_names == ("left", "right")
    assert halves.datasets().loc["halves"].to_dict() == {
        "n": 60,
        "classes": 2,
        "reviewed": 0,
        "scored": False,
    }


def test_a_stored_ranking_is_what_review_shows(halves, stripes, workspace):
    number = halves.store("halves", ranking_of(stripes), title="two halves")
    info = datasets.dataset(workspace, "halves")
    assert queue.job(workspace, number).method == "own-two-halves"
    items = review_state(info, "ada").items
    assert sorted(item["row"] for item in items[:4]) == [0, 1, 2, 3]
    table = halves.ranking("halves", "own-two-halves")
    assert sorted(table.index[:4]) == [0, 1, 2, 3]
    assert table.loc[0, "suggested_label"] != table.loc[0, "given_label"]
    assert table["p_wrong"].dtype == float


def test_a_ranking_is_matched_by_id_whatever_its_order(halves, stripes):
    shuffled = ranking_of(stripes).sample(frac=1, random_state=0)
    halves.store("halves", shuffled)
    assert sorted(halves.ranking("halves").index[:4]) == [0, 1, 2, 3]


def test_a_ranking_of_other_images_is_refused(halves, stripes):
    other = ranking_of(stripes, ids=[f"x{row}" for row in range(60)])
    with pytest.raises(LnlError, match="60 of these are not in it by their id, for one “0”"):
        halves.store("halves", other)
    with pytest.raises(LnlError, match="no column suggested_label"):
        halves.store("halves", ranking_of(stripes).drop(columns="suggested_label"))
    wild = ranking_of(stripes)
    wild.loc[7, "p_wrong"] = 5.0
    with pytest.raises(LnlError, match=r"p_wrong of “7” is 5\.0"):
        halves.store("halves", wild)
    with pytest.raises(LnlError, match="is a table"):
        halves.store("halves", {"id": ["0"]})
    with pytest.raises(LnlError, match="Nothing of “halves” is scored"):
        halves.ranking("halves")


@pytest.mark.parametrize("form", ["rows", "table", "file"])
def test_answers_come_in_and_corrections_leave(halves, tmp_path, form):
    rows = [
        {"id": "0", "action": "relabel", "label": "left"},
        {"id": "9", "action": "keep"},
    ]
    given = {"rows": rows, "table": pd.DataFrame(rows), "file": tmp_path / "answers.csv"}[form]
    pd.DataFrame(rows).to_csv(tmp_path / "answers.csv", index=False)
    told = halves.decide("halves", given, reviewer="ada")
    assert told.stored == 2
    assert halves.decide("halves", given, reviewer="ada").stored == 0, "the same ones again"
    corrections = halves.export("halves")
    assert corrections[
        ["id", "given_label", "corrected_label", "reviewer"]
    ].to_numpy().tolist() == [["0", "right", "left", "ada"]]
    assert halves.datasets().loc["halves", "reviewed"] == 2


def test_exports_are_tables_or_files(halves, tmp_path):
    manifest = halves.export("halves", "manifest")
    assert len(manifest) == 60
    out = halves.export("halves", "manifest", out=tmp_path / "manifest.csv")
    assert len(pd.read_csv(out)) == 60
    with pytest.raises(LnlError, match="say where"):
        halves.export("halves", "folder")
    assert (halves.export("halves", "folder", out=tmp_path / "clean") / "left").is_dir()


@pytest.mark.parametrize("form", [list, pd.DataFrame])
def test_classes_that_are_numbers_stay_whole_beside_a_row_without_one(shared, stripes, form):
    images, labels = stripes
    shared.add(images, "numbers", np.array(["3", "4"])[labels])
    rows = [
        {"id": "0", "action": "relabel", "label": 4 - int(labels[0])},
        {"id": "9", "action": "keep"},
    ]
    rows = [each | {"score": 1e300} for each in rows]  # of another column, too large for one
    assert shared.decide("numbers", form(rows), reviewer="ada").stored == 2
    assert shared.export("numbers")["corrected_label"].tolist() == [str(4 - labels[0])]


def test_images_that_an_export_leaves_out_are_told(shared, tmp_path):
    for at in range(6):
        path = tmp_path / "photos" / "ab"[at % 2] / f"{at}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded(picture(seed=at)))
    shared.add(tmp_path / "photos", "photos")
    (tmp_path / "photos" / "b" / "3.png").unlink()
    with pytest.warns(UserWarning, match=r"1 original is not where it was.*3\.png"):
        shared.export("photos", "folder", out=tmp_path / "clean")


def test_what_does_not_exist_is_named(shared, stripes):
    with pytest.raises(LnlError, match="no data set"):
        shared.ranking("nothing")
    with pytest.raises(LnlError, match="no labels"):
        shared.add(stripes[0], "x")
    with pytest.raises(LnlError, match="brings its own labels"):
        shared.add("photos", "x", labels=[1])
    with pytest.raises(LnlError, match="There are 2 labels and images of the shape"):
        shared.add(stripes[0], "x", labels=[0, 1])


@pytest.fixture
def no_worker(workspace):
    """Hold the lock of this machine's workers, so that none starts."""
    held = local.lock(workspace)
    yield
    held.close()


def test_runs_are_queued_and_watched_to_their_end(halves, workspace, no_worker):
    """A worker of this very process does the work, as the real one would."""
    from lnl_core.jobs import worker

    queued = halves.run("halves", ["knn"], wait=False)
    assert queued["state"].tolist() == ["queued"]
    ended = Thread(target=lambda: worker.run_job(workspace, queue.claim(workspace)))
    ended.start()
    (job,) = halves._watched(queued.index)  # as `wait` does
    ended.join()
    assert job.method == "knn"
    assert sorted(halves.ranking("halves", "knn").index[:4]) == [0, 1, 2, 3]


def test_a_run_that_fails_says_so_in_its_own_words(halves, workspace, no_worker):
    queued = halves.run("halves", ["knn"], wait=False)
    with transaction(workspace) as connection:
        failed = {"state": "failed", "error": "The disk is full."}
        connection.execute(update(schema.jobs).values(**failed))
    with pytest.raises(LnlError, match=r"\(knn\): The disk is full"):
        halves._watched(queued.index)


def test_what_is_no_list_no_name_and_no_file_is_said_in_words(halves, stripes, tmp_path):
    """Each is a slip that Python would answer with a traceback, or letter by letter."""
    keep = {"id": "0", "action": "keep"}
    slips = {
        'methods must be a list: \\["probe"\\]': lambda: halves.run("halves", "probe"),
        "at least one key of lnl.methods": lambda: halves.run("halves", []),
        'judge must be a list: \\["test"\\]': lambda: halves.run("halves", judge="test"),
        "name must be a name, got None": lambda: halves.ranking(None),
        'no_classes must be a list: \\["Skip"\\]': lambda: halves.add(
            stripes[0], "more", stripes[1], no_classes="Skip"
        ),
        "reviewer must be a name, got None": lambda: halves.decide("halves", [keep], None),
        "There is no file .*gone.csv": lambda: halves.decide("halves", "gone.csv", "ann"),
        "is a folder. Name a file of decisions": lambda: halves.decide("halves", tmp_path, "ann"),
        "has no column “id”": lambda: halves.decide("halves", [{"action": "keep"}], "ann"),
    }
    for words, slip in slips.items():
        with pytest.raises(LnlError, match=words):
            slip()
    assert halves.decide("halves", keep, "ann").stored == 1


def test_a_folder_in_the_place_of_probabilities_is_called_one(tmp_path):
    with pytest.raises(LnlError, match=r"is a folder\. Name a file of probabilities in it"):
        probabilities.read(tmp_path, tmp_path.name, ["a"], ["x", "y"])
