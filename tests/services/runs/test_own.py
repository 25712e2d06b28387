"""Probabilities of one's own model: a finished run like any other, or a sentence and nothing."""

import json

import numpy as np
import pytest

from lnl_core.cli import main
from lnl_core.jobs import own, queue
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


def test_confirmed_labels_are_not_suspected_and_corrected_ones_count(workspace, tiny, good):
    data = datasets.load(tiny)
    truth = int(np.asarray(data.true_labels)[25])
    decisions.append(
        tiny,
        [Decision(3, Action.KEEP, "ann"), Decision(25, Action.RELABEL, "ann", label=truth)],
    )
    job = score_with(tiny, good, "own").job
    signals = arrays.load_signals(tiny.directory / "runs" / str(job.id))
    assert signals.suspicion[3] == 0
    assert signals.suspicion[25] == 0
    assert signals.suspicion[47] == pytest.approx(0.95)
    assert job.other_class == 2


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
