"""The ranking from before the review is kept, and can be looked at beside that of now."""

import csv

import numpy as np
import pytest

from lnl_core.cli import main
from lnl_core.jobs import outcome, queue
from lnl_core.library.workspace import Workspace
from lnl_core.review import comparison
from lnl_core.services import in_force
from lnl_core.services.compare import comparing, in_words, losses, report
from lnl_core.services.export import exporting
from lnl_core.store import arrays, datasets, decisions
from lnl_core.types import Action, Decision, JobState, LnlError
from lnl_core.views import BEFORE, CONSENSUS
from tests.services.conftest import opinions

TOLD = 3


def run(info, method, seed, told=(), blind=False):
    """A finished run; `blind` doubts at random, and `told` rows are not doubted."""
    job = queue.submit(info, method)
    queue.claim(info.workspace)
    signals = opinions(datasets.load(info), method, seed)
    suspicion = np.random.default_rng(seed).random(info.n) if blind else signals.suspicion
    probs = np.asarray(signals.pred_probs)
    if blind:
        given = np.asarray(datasets.load(info).given_labels)
        probs = np.repeat(suspicion[:, None] / 2, 3, axis=1)
        probs[np.arange(info.n), given] = 1 - suspicion
    folder = queue.run_dir(info.workspace, job)
    mask = np.zeros(info.n, bool)
    mask[list(told)] = True
    kept = type(signals)(method, np.where(mask, 0, suspicion), probs, curves=signals.curves)
    arrays.save_signals(folder, kept)
    arrays.write_array(folder / "trusted.npy", mask)
    queue.finish(info.workspace, job.id, JobState.DONE)
    outcome.rank(info)
    return job.id


@pytest.fixture
def reviewed(workspace, tiny):
    """`tiny`, scored badly, answered once, and scored well by a run that was told the answer."""
    run(tiny, "knn", 1, blind=True)
    first = in_force.scored(tiny)
    decisions.append(tiny, [Decision(TOLD, Action.RELABEL, "ann", label=0)])
    run(tiny, "knn", 2, told=[TOLD])
    return tiny, first


def versions(info):
    return {path.name for path in (info.directory / "ranking").iterdir() if path.is_dir()}


def test_it_stays_whatever_runs_follow(reviewed):
    info, first = reviewed
    for seed in range(3, 9):
        run(info, "knn", seed, told=[TOLD])
    kept = in_force.before_review(info)
    assert kept.version == first.version != in_force.scored(info).version
    np.testing.assert_array_equal(kept.ranking.order, first.ranking.order)
    assert len(versions(info)) == 4  # the last three, and this one
    decisions.append(info, [Decision(TOLD, Action.REOPEN, "ann")])
    run(info, "knn", 9)  # told nothing: still not the one from before
    run(info, "knn", 10)
    assert in_force.before_review(info).version == first.version


def test_until_a_later_one_takes_its_place_it_is_the_one_in_force(workspace, tiny):
    run(tiny, "knn", 1)
    assert in_force.before_review(tiny) is in_force.scored(tiny)
    run(tiny, "knn", 2)  # nobody has answered: the review begins with this one
    second = in_force.scored(tiny).version
    assert BEFORE not in [each.key for each in comparing.candidates(tiny)]
    decisions.append(tiny, [Decision(TOLD, Action.KEEP, "ann")])
    assert in_force.before_review(tiny).version == second
    run(tiny, "sr", 3, told=[TOLD])
    assert in_force.before_review(tiny).version == second
    assert [each.key for each in comparing.candidates(tiny)][:2] == [CONSENSUS, BEFORE]


def test_where_people_had_answered_first_there_is_none_and_it_is_said(workspace, tiny):
    decisions.append(tiny, [Decision(TOLD, Action.KEEP, "ann")])
    run(tiny, "knn", 1, told=[TOLD])
    run(tiny, "knn", 2, told=[TOLD])
    assert in_force.before_review(tiny) is None
    assert BEFORE not in [each.key for each in comparing.candidates(tiny)]
    with pytest.raises(LnlError, match="from before the first answer was kept"):
        list(exporting.rank_rows(tiny, BEFORE))


def test_compare_measures_both_on_the_same_images(reviewed):
    info, first = reviewed
    compared = comparing.compare(info)
    now, before = compared.detections[CONSENSUS], compared.detections[BEFORE]
    assert now.size == before.size == info.n - 1
    data = datasets.load(info)
    inside = np.arange(info.n) != TOLD
    sample = comparison.known(np.asarray(data.given_labels), np.asarray(data.true_labels), inside)
    own = comparison.detect(first.ranking.suspicion, sample, comparison.resamples(sample))
    assert before.ap == pytest.approx(own.ap)
    assert now.ap > before.ap
    assert compared.best().key not in (CONSENSUS, BEFORE)
    words = in_words.before_words(compared)
    assert f"average precision of {before.ap:.2f}, now {now.ap:.2f}" in words
    assert "on the same 59 images" in words
    place = [each.key for each in compared.candidates].index(BEFORE)
    assert compared.correlation[0, place] < 1
    assert losses.losses(info, BEFORE, "suspicion").counted.all()  # nobody had answered
    assert in_words.before_words(comparing.compare(info, [CONSENSUS])) == ""


def test_the_report_has_it(reviewed):
    info, _ = reviewed
    page = report.html(info)
    assert "consensus before the review" in page
    assert "Before the review the consensus had an average precision of" in page


def test_it_leaves_by_command_and_notebook(reviewed, tmp_path, monkeypatch):
    info, first = reviewed
    monkeypatch.setenv("LNL_HOME", str(info.workspace.home))
    out = tmp_path / "before.csv"
    assert main(["rank", info.name, "--method", "before", "--out", str(out)]) == 0
    with out.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    wanted = np.asarray(first.ranking.suspicion, np.float64)
    np.testing.assert_allclose([float(row["suspicion"]) for row in rows], wanted, atol=2e-6)
    assert not any(row["told"] for row in rows)
    table = Workspace(info.workspace.home).ranking(info.name, "before")
    assert table.index[0] == int(np.argmax(wanted))
    assert Workspace(info.workspace.home).ranking(info.name)["p_wrong"].isna().sum() == 1
