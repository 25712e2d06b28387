"""The feedback round: who is told what, and what judges before and after."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lnl_core.jobs import inputs, queue, splits, worker
from lnl_core.methods import METHODS
from lnl_core.services import in_force
from lnl_core.services.compare import rounds
from lnl_core.services.runs import running
from lnl_core.store import arrays, audits, datasets, decisions
from lnl_core.store.table import read_table
from lnl_core.types import Action, Decision, JobState, LnlError, Signals
from tests import rankings
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
    ranking = rankings.rank([signals], given, K)
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


def test_a_round_counts_what_a_run_is_told_that_trains_on_one_split(answered):
    info, _, rest = answered
    true, given = (np.asarray(getattr(datasets.load(info), name)) for name in
                   ("true_labels", "given_labels"))  # fmt: skip
    inside = np.isin(np.arange(N), rest[:25]) | (np.arange(N) % 4 == 0)
    table = read_table(info.arrays / "table.parquet")
    names = pa.array(np.where(inside, "train", "val").tolist(), pa.string())
    pq.write_table(table.append_column("split", names), info.arrays / "table.parquet")
    datasets.update_meta(info, version="with splits")
    info = datasets.dataset(info.workspace, info.name)
    run = queue.submit(info, "knn", train_on=["train"])
    queue.claim(info.workspace, run.id)
    queue.finish(info.workspace, run.id, JobState.DONE)
    signals = opinion(given, true, 0.5, 2)
    arrays.save_signals(info.directory / "runs" / str(run.id), signals)
    ranking, stored = arrays.load_ranking(info.directory / "ranking")
    arrays.save_ranking(info.directory / "ranking", ranking, stored | {"knn": run.id})
    told = np.asarray(rest)[inside[rest]]
    asked = rounds.plan(info)
    assert asked.told == len(told) < len(rest)
    assert asked.changed == int((true != given)[told].sum())
    assert not asked.alike
    _, trusted, _ = inputs.told_labels(info, {"train_on": ["train"], "hold": ["audit"]})
    assert sorted(np.flatnonzero(trusted).tolist()) == sorted(told.tolist())
    assert f"told {len(told)} answers" in running.told_words(info, train_on=["train"])
    arrays.save_ranking(info.directory / "ranking", ranking, {"knn": run.id})
    wrong = [int(row) for row in told if true[row] != given[row]]
    decisions.append(info, [Decision(row, Action.KEEP, "ann") for row in wrong])
    assert "among the images that the runs train on" in rounds.plan(info).refusal


def test_labels_of_copies_are_held_out_with_the_image(answered):
    info, drawn, rest = answered
    first = np.arange(N, dtype=np.int32)
    pair = sorted((drawn[0], rest[0]))
    first[pair[1]] = pair[0]
    arrays.write_array(info.arrays / datasets.COPIES, first)
    folder = info.directory / "runs" / "99"
    data = inputs.training_set(info, folder, chosen={"hold": ["audit"]})
    assert not np.asarray(data.trusted)[pair].any()


def test_images_of_no_class_judge_no_round_and_the_words_say_so(answered):
    """An answer that names no class was left out of those that "have an answer"."""
    info, drawn, _ = answered
    decisions.append(info, [Decision(row, Action.NONE, "ann") for row in drawn[:75]])
    asked = rounds.plan(info)
    assert asked.held == 45
    assert "that have one class by their answers: 45 so far, " in asked.refusal


def test_a_round_that_nothing_can_judge_is_refused_in_words(scored):
    assert rounds.plan(scored).refusal
    with pytest.raises(LnlError):
        rounds.start(scored, ["sr"])


RESULTS = Path(__file__).parents[3] / "benchmarks" / "results" / "feedback.json"


def test_what_is_expected_is_what_was_measured():
    measured = json.loads(RESULTS.read_text("utf-8"))
    for each, (_, lines) in zip(rounds.MEASURED, measured["rounds"].items(), strict=True):
        whole = lines[-1]  # as many reviews as there were wrong labels
        assert whole["depth"] == 1
        assert each.noise == pytest.approx(whole["reviewed"] / measured["images"], abs=0.005)
        assert each.order == pytest.approx(whole["held_after"] - whole["held_before"], abs=6e-4)
        assert each.accuracy == pytest.approx(whole["test_after"] - whole["test_before"], abs=6e-4)


def test_the_sentence_follows_the_share_of_wrong_labels_that_is_expected_here(answered, tmp_path):
    info, _, _ = answered
    said = rounds.expect(info)
    assert "Where 19" in said
    assert "the order lost a little (\N{MINUS SIGN}0.013 average precision)" in said
    assert "+0.042 accuracy" in said


def test_where_most_labels_are_wrong_the_order_gains_a_little(ranked_worse):
    said = rounds.expect(ranked_worse)
    assert "Where 44" in said
    assert "the order gained a little (+0.025 average precision)" in said


def test_before_anything_is_scored_all_that_was_measured_is_said(tiny):
    said = rounds.expect(tiny)
    assert "\N{MINUS SIGN}0.034 at 10" in said
    assert "+0.025 at 44" in said


@pytest.fixture
def ranked_worse(tiny):
    """A set of which the scores call half wrong."""
    given = np.asarray(datasets.load(tiny).given_labels)
    probs = np.full((tiny.n, tiny.class_count), 0.3 / (tiny.class_count - 1))
    top = np.where(np.arange(tiny.n) % 2 == 0, (given + 1) % tiny.class_count, given)
    probs[np.arange(tiny.n), top] = 0.7
    signals = Signals("probe", 1 - probs[np.arange(tiny.n), given], probs)
    ranking = rankings.rank([signals], given, tiny.class_count)
    half = replace(ranking, p_wrong=np.where(np.arange(tiny.n) % 2 == 0, 0.85, 0.05))
    arrays.save_ranking(tiny.directory / "ranking", half, {"probe": 1})
    return tiny
