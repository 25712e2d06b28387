import numpy as np
import pytest

from lnl_core.jobs import queue
from lnl_core.services.compare import differences, seeds
from lnl_core.services.compare.comparing import compare
from lnl_core.store import arrays, datasets
from lnl_core.types import JobState, Signals
from tests import rankings


def run(info, seed, preset="quick"):
    """A finished run of plain training whose order follows its seed."""
    data = datasets.load(info)
    given, truth = np.asarray(data.given_labels), np.asarray(data.true_labels)
    rng = np.random.default_rng(seed)
    suspicion = np.clip((given != truth) * 0.3 + 0.6 * rng.random(len(given)), 0, 1)
    probs = np.full((len(given), 3), 0.1)
    probs[np.arange(len(given)), truth] = 0.8
    job = queue.submit(info, "ce", preset, seed=seed)
    queue.claim(info.workspace, job.id)
    queue.finish(info.workspace, job.id, JobState.DONE)
    signals = Signals("ce", suspicion, probs)
    arrays.save_signals(info.directory / "runs" / str(job.id), signals)
    ranking = rankings.rank([signals], given, 3)
    arrays.save_ranking(info.directory / "ranking", ranking, {"ce": job.id})
    return str(job.id)


def test_seeds_of_one_method_have_a_mean_and_a_deviation(workspace, tiny):
    first = run(tiny, 1)
    assert seeds.spreads(tiny, compare(tiny)) == {}
    second, other = run(tiny, 2), run(tiny, 3, "standard")
    last = run(tiny, 1)  # the same seed again is no further one
    every = compare(tiny, [first, second, other, last]).detections
    found = seeds.spreads(tiny, compare(tiny))
    assert list(found) == [last]
    aps = [every[second].ap, every[last].ap]
    assert found[last].runs == 2
    assert found[last].mean == pytest.approx(np.mean(aps))
    assert found[last].deviation == pytest.approx(np.std(aps, ddof=1))
    assert found[last].deviation > 0


def test_seeds_of_many_methods_are_judged_once(workspace, tiny):
    keys = [run(tiny, seed, "quick") for seed in range(12)]
    every = [compare(tiny, keys[:n]) for n in range(1, 13)]  # as a page asks, method after method
    assert all(compare(tiny, keys[: n + 1]) is one for n, one in enumerate(every))


def test_runs_that_learned_from_something_else_are_no_further_seeds(workspace, tiny):
    first, second, third = run(tiny, 1), run(tiny, 2), run(tiny, 3)
    told, labels = np.zeros(tiny.n, bool), np.array(datasets.load(tiny).given_labels)
    told[:20] = True
    folder = tiny.directory / "runs"
    arrays.write_array(folder / second / "trusted.npy", told)
    assert seeds.spreads(tiny, compare(tiny))[third].runs == 2, "the second was told answers"
    arrays.write_array(folder / third / "trusted.npy", told)
    assert seeds.spreads(tiny, compare(tiny))[third].runs == 2, "as the third was"
    kind = compare(tiny).truth.kind
    assert [[*each.values] for each in differences.seeds(tiny, kind)] == [[2, 3]]
    for number in (second, third):
        arrays.write_array(folder / number / "labels.npy", labels)
    labels[0] = (labels[0] + 1) % 3
    arrays.write_array(folder / second / "labels.npy", labels)
    assert seeds.spreads(tiny, compare(tiny)) == {}, "answers of another kind"
    arrays.write_array(folder / first / "labels.npy", labels[:50])
    assert seeds.spreads(tiny, compare(tiny)) == {}
