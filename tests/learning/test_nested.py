import numpy as np
import pytest

from lnl_core.jobs.context import LocalContext
from lnl_core.learning.nested import Nested, Stages
from lnl_core.types import Cancelled


class Interrupted(LocalContext):
    """Ends the run at its `after`-th checkpoint."""

    def __init__(self, folder, after):
        super().__init__(seed=5, checkpoint=folder / "checkpoint.safetensors")
        self.left = after

    def save(self, arrays, state):
        super().save(arrays, state)
        self.left -= 1
        if self.left == 0:
            raise Cancelled


def count_to(steps, nested, seen):
    """A training whose whole state is a counter; notes the seed at each step."""
    saved = nested.load()
    at = 0 if saved is None else int(saved[0]["at"][0])
    assert saved is None or saved[1] == {"at": at}
    for step in range(at, steps):
        seen.append((nested.seed, step))
        nested.report("count", (step + 1) / steps)
        nested.save({"at": np.array([step + 1])}, {"at": step + 1})


def run(context, seen):
    stages = Stages(context, ("one", "two"), {"sum": np.zeros(2)})
    for number, nested in stages:
        count_to(3, nested, seen)
        stages.kept["sum"][number] += 10 * (number + 1)
        stages.costs.append({"seconds": 1.0, "peak": float(number)})
    return stages


@pytest.mark.parametrize("after", range(1, 7))
def test_a_run_cut_off_anywhere_does_each_step_once(tmp_path, after):
    seen = []
    with pytest.raises(Cancelled):
        run(Interrupted(tmp_path, after), seen)
    stages = run(LocalContext(seed=5, checkpoint=tmp_path / "checkpoint.safetensors"), seen)
    assert seen == [(seed, step) for seed in (5, 5001) for step in range(3)]
    assert stages.kept["sum"].tolist() == [10, 20]
    assert stages.cost() == {"seconds": 2.0, "peak": 1.0}


def test_stages_share_the_progress_line():
    told = []
    run(LocalContext(on_report=lambda stage, done, metrics: told.append((stage, done))), [])
    assert [stage for stage, _ in told] == 3 * ["one, count"] + 3 * ["two, count"]
    np.testing.assert_allclose([done for _, done in told], np.arange(1, 7) / 6)


def test_a_checkpoint_of_another_form_is_not_read_as_ours(tmp_path):
    context = LocalContext(seed=5, checkpoint=tmp_path / "checkpoint.safetensors")
    context.save({"stages.sum": np.ones(2), "at": np.array(2)}, {"stage": 1, "inner": {}})
    seen = []
    stages = run(LocalContext(seed=5, checkpoint=tmp_path / "checkpoint.safetensors"), seen)
    assert seen[0] == (5, 0)
    assert stages.kept["sum"].tolist() == [10, 20]


def test_results_go_to_the_run_or_where_they_are_asked_for(tmp_path):
    outer = LocalContext(seed=0, folder=tmp_path)
    went = []
    outer.keep = lambda *told: went.append(("run", *told))
    plain = Nested(outer, 1, (0, 1), dict)
    plain.keep("network", {}, {})
    kept = {}
    caught = Nested(outer, 1, (0, 1), dict, keep=lambda name, *told: kept.update({name: told}))
    caught.keep("network", {"w": 1}, {"k": 2})
    assert went == [("run", "network", {}, {})]
    assert kept == {"network": ({"w": 1}, {"k": 2})}
