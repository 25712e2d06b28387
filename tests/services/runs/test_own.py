"""Probabilities of one's own model: a finished run like any other, or a sentence and nothing."""

import json

import numpy as np
import pytest

from lnl_core.cli import main
from lnl_core.jobs import own, queue
from lnl_core.services.export.scores import rank_rows
from lnl_core.services.review import evidence
from lnl_core.services.runs import status
from lnl_core.services.runs.own import score_with
from lnl_core.store import arrays, datasets, decisions
from lnl_core.types import Action, Decision, JobState, LnlError, TopProbs


@pytest.fixture
def good(tiny, tmp_path):
    """A file of probabilities that know the truth of `tiny`."""
    truth = np.asarray(datasets.load(tiny).true_labels)
    probs = np.full((60, 3), 0.05)
    probs[np.arange(60), truth] = 0.9
    np.save(tmp_path / "good.npy", probs)
    return tmp_path / "good.npy"


def given(info):
    return np.asarray(datasets.load(info).given_labels)


def test_it_stands_in_the_table_as_done_and_finds_the_errors(workspace, tiny, good):
    found = score_with(tiny, good, "My ViT/B")
    job = queue.job(workspace, found.job.id)
    assert (job.state, job.method, job.fraction) == (JobState.DONE, "own-my-vit-b", 1.0)
    assert job.config == {"title": "My ViT/B", "source": "good.npy"}
    assert job.other_class == 3
    assert found.agreement == pytest.approx(57 / 60)
    assert found.doubt == ""
    ranking, runs = arrays.load_ranking(tiny.directory / "ranking")
    assert runs == {"own-my-vit-b": job.id}
    assert set(ranking.order[:3]) == {3, 25, 47}
    told = evidence.evidence(tiny, 3)["methods"]
    assert [(m["title"], m["wrong"]) for m in told] == [("my-vit-b (own)", True)]
    assert status.status([tiny])["datasets"][0]["runs"][0]["state"] == "done"


def test_it_joins_the_consensus_beside_others_and_a_second_one_takes_its_place(
    workspace, tiny, good
):
    first = score_with(tiny, good, "own").job
    other = score_with(tiny, good, "second model").job
    ranking, runs = arrays.load_ranking(tiny.directory / "ranking")
    assert runs == {"own": first.id, "own-second-model": other.id}
    assert set(ranking.weights) == set(runs)
    again = score_with(tiny, good, "own").job
    _, runs = arrays.load_ranking(tiny.directory / "ranking")
    assert runs == {"own": again.id, "own-second-model": other.id}


def test_answers_change_nothing_of_what_a_model_says_that_was_told_none(tiny, good):
    """Labels that people found wrong leave with a low quality, whenever the model came."""
    before = score_with(tiny, good, "before").job
    truth = int(np.asarray(datasets.load(tiny).true_labels)[25])
    kept, right, false = (
        Decision(3, Action.KEEP, "ann"),
        Decision(25, Action.RELABEL, "ann", label=truth),
        Decision(40, Action.RELABEL, "ann", label=int(given(tiny)[40] + 1) % 3),
    )
    decisions.append(tiny, [kept, right, false])
    after = score_with(tiny, good, "after").job
    assert after.other_class == before.other_class == 3
    one, two = (list(rank_rows(tiny, f"own-{title}")) for title in ("before", "after"))
    columns = ("suspicion", "label_quality", "given_label", "suggested_label", "told")
    assert [[row[c] for c in columns] for row in one] == [[row[c] for c in columns] for row in two]
    told = [float(two[row]["suspicion"]) for row in (3, 25, 40, 47)]
    assert told == pytest.approx([0.95, 0.95, 0.1, 0.95])
    ranking, _ = arrays.load_ranking(tiny.directory / "ranking")
    assert list(ranking.order[:2]) == [25, 47]
    assert ranking.order[-1] == 3  # whose label a person has confirmed


def test_an_image_without_a_class_is_suspected_of_nothing_also_once_it_has_an_answer(tiny, good):
    datasets.update_meta(tiny, no_classes=[tiny.class_names[1]])
    info = datasets.dataset(tiny.workspace, tiny.name)
    row = int(np.flatnonzero(given(info) == 1)[0])
    decisions.append(info, [Decision(row, Action.RELABEL, "ann", label=2)])
    job = score_with(info, good, "own").job
    suspicion = arrays.load_signals(info.directory / "runs" / str(job.id)).suspicion
    assert not suspicion[given(info) == 1].any()
    assert suspicion[given(info) != 1].all()


def test_what_was_killed_before_it_counted_stands_in_nobodys_way(workspace, tiny, good):
    first = score_with(tiny, good, "own").job
    for number in range(first.id + 1, first.id + 4):  # a number that was never committed
        folder = tiny.directory / "runs" / str(number)
        folder.mkdir()
        (folder / "features.npy").write_bytes(b"of another run")
    job = score_with(tiny, good, "own").job
    folder = tiny.directory / "runs" / str(job.id)
    assert not (folder / "features.npy").exists()
    assert arrays.load_signals(folder).suspicion[47] == pytest.approx(0.95)


def test_no_run_begins_with_the_files_of_one_that_never_counted(workspace, tiny):
    first = queue.submit(tiny, "knn")
    folder = tiny.directory / "runs" / str(first.id + 1)
    folder.mkdir(parents=True)
    (folder / "features.npy").write_bytes(b"of a model that was killed as it was stored")
    assert queue.submit(tiny, "knn").id == first.id + 1
    assert not folder.exists()


def test_very_many_classes_keep_the_best_and_the_exact_suspicion():
    probs = np.random.default_rng(0).dirichlet(np.ones(150), 20).astype(np.float32)
    labels = np.arange(20)
    signals = own.signals_of("own", probs, labels)
    assert isinstance(signals.pred_probs, TopProbs)
    np.testing.assert_allclose(signals.suspicion, 1 - probs[labels, labels], atol=1e-6)
    np.testing.assert_array_equal(signals.pred_probs.classes[:, 0], probs.argmax(1))
    assert (np.diff(signals.pred_probs.probs, axis=1) <= 0).all()


@pytest.mark.parametrize("title", ["", " /// ", "x" * 41])
def test_a_title_that_does_not_do_stores_nothing(workspace, tiny, good, title):
    with pytest.raises(LnlError, match="title"):
        score_with(tiny, good, title)
    assert queue.jobs(tiny) == []
    assert not list((tiny.directory / "runs").glob("*"))


def test_a_disk_that_fails_leaves_neither_row_nor_files(workspace, tiny, good, monkeypatch):
    real = own.os.replace

    def full(source, target):
        if str(target).endswith(".npy") or str(target).endswith(".json"):
            return real(source, target)
        raise OSError("no room")

    monkeypatch.setattr(own.os, "replace", full)
    with pytest.raises(OSError, match="no room"):
        score_with(tiny, good, "own")
    assert queue.jobs(tiny) == []
    assert not list((tiny.directory / "runs").glob("*"))


def test_columns_in_a_wrong_order_are_doubted(workspace, tiny, good, tmp_path):
    np.save(tmp_path / "turned.npy", np.load(good)[:, [1, 2, 0]])
    found = score_with(tiny, tmp_path / "turned.npy", "own")
    assert found.agreement < 0.1
    assert "order of the classes" in found.doubt


def test_the_command_says_run_and_flags(workspace, tiny, good, monkeypatch, capsys):
    monkeypatch.setenv("LNL_HOME", str(workspace.home))
    assert main(["score", "tiny", str(good), "--title", "resnet", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["method"], told["other_class"], told["doubt"]) == ("own-resnet", 3, "")
    assert main(["score", "tiny", "missing.npy"]) == 1
    assert "missing.npy is not there" in capsys.readouterr().err
