"""The feedback round: who is told what, and what judges before and after."""

from dataclasses import replace

import numpy as np
import pytest

from lnl_core.jobs import inputs, queue, splits, worker
from lnl_core.methods import METHODS
from lnl_core.review import consensus
from lnl_core.services import in_force
from lnl_core.services.compare import rounds
from lnl_core.store import arrays, audits, datasets, decisions
from lnl_core.types import Action, Decision, JobState, LnlError, Signals
from tests.conftest import write_dataset

N, K = 400, 3


def opinion(given, truth, known, seed):
    """Probabilities that know the truth of some rows."""
    rng = np.random.default_rng(seed)
    probs = rng.dirichlet(np.ones(K), N) * 0.6
    probs[np.arange(N), np.where(rng.random(N) < known, truth, given)] += 0.4
    return Signals("probe", 1 - probs[np.arange(N), given], probs)


@pytest.fixture
def answered(workspace, tmp_path, no_worker):
    """A run of `probe` in force, 120 images drawn and answered, and 40 of the queue."""
    rng = np.random.default_rng(0)
    truth = np.arange(N) % K
    given = np.where(rng.random(N) < 0.2, (truth + 1) % K, truth)
    folder = tmp_path / "birds"
    folder.mkdir()
    images = rng.integers(0, 255, (N, 4, 4, 1), dtype=np.uint8)
    write_dataset(folder, images, given, ["auk", "bee", "cod"], truth=truth)
    info = datasets.register(workspace, "birds", folder)
    run = queue.submit(info, "probe")
    queue.claim(workspace)
    signals = opinion(given, truth, 0.5, 1)
    arrays.save_signals(info.directory / "runs" / str(run.id), signals)
    queue.finish(workspace, run.id, JobState.DONE)
    ranking = consensus.rank([signals], given, K)
    arrays.save_ranking(info.directory / "ranking", ranking, {"probe": run.id})

    def ask():
        now = in_force.standing(info)
        return now.last_id, now.answered

    drawn = [each.row for each in audits.draw(info, "ann", 120, ask, seed=3)]
    rest = [row for row in np.asarray(ranking.order).tolist() if row not in drawn][:40]
    say(info, [*drawn, *rest], truth, given)
    return info, drawn, rest


def say(info, rows, truth, given):
    decisions.append(
        info,
        [
            Decision(row, Action.KEEP, "ann")
            if truth[row] == given[row]
            else Decision(row, Action.RELABEL, "ann", label=int(truth[row]))
            for row in rows
        ],
    )


def test_a_round_holds_out_what_chance_drew_and_tells_the_rest(answered):
    info, drawn, rest = answered
    asked = rounds.plan(info)
    assert (asked.refusal, asked.held, asked.told) == ("", 120, 40)
    true = np.asarray(datasets.load(info).true_labels)
    given = np.asarray(datasets.load(info).given_labels)
    seen = []

    def fit(data, config, context):
        seen.append(data)
        return opinion(np.asarray(data.given_labels), true, 0.95, 2)

    (job,) = rounds.start(info, ["probe"])
    assert rounds.latest(info).active
    worker.run_job(info.workspace, queue.claim(info.workspace), replace(METHODS["probe"], fit=fit))
    (data,) = seen
    trusted = np.asarray(data.trusted)
    assert trusted[rest].all()
    assert not trusted[drawn].any()
    assert (np.asarray(data.given_labels)[drawn] == given[drawn]).all()
    held = arrays.read_array(info.directory / "runs" / str(job.id) / splits.HELD)
    assert sorted(np.flatnonzero(held).tolist()) == sorted(drawn)
    last = rounds.latest(info)
    (change,) = last.changes
    assert (last.images, last.active) == (120, False)
    assert last.wrong == int((given != true)[drawn].sum())
    before, after = change.precision
    assert after > before + 0.1
    gain, low, high = change.gained
    assert gain == pytest.approx(after - before)
    assert low < gain < high
    assert change.accuracy[1] > change.accuracy[0]


def test_labels_of_copies_are_held_out_with_the_image(answered):
    info, drawn, rest = answered
    first = np.arange(N, dtype=np.int32)
    pair = sorted((drawn[0], rest[0]))
    first[pair[1]] = pair[0]
    arrays.write_array(info.arrays / datasets.COPIES, first)
    folder = info.directory / "runs" / "99"
    data = inputs.training_set(info, folder, chosen={"hold": ["audit"]})
    assert not np.asarray(data.trusted)[pair].any()


def test_a_round_that_nothing_can_judge_is_refused_in_words(scored):
    assert rounds.plan(scored).refusal
    with pytest.raises(LnlError):
        rounds.start(scored, ["sr"])
