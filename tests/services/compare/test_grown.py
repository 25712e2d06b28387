"""Views of a run after its set has grown: what the run has not seen is in none of them."""

import numpy as np
import pytest

from lnl_core.services import in_force
from lnl_core.services.compare import comparing, five_views, losses, report
from lnl_core.services.datasets import catalog, growing
from lnl_core.store import datasets
from tests.services.datasets.test_growing import again, file_of, pictures, run


@pytest.fixture
def grown(workspace, tmp_path):
    """Thirty images that two runs have seen, six that came later; a third run has seen all."""
    catalog.import_dataset(
        workspace, file_of(tmp_path, "thirty", pictures(30), np.arange(30) % 3), "thirty"
    )
    info = datasets.dataset(workspace, "thirty")
    first = [run(info, method="probe"), run(info, method="sr")]
    growing.add_images(info, file_of(tmp_path, "more", pictures(6, seed=8), np.arange(6) % 3))
    return again(info), [str(number) for number in first]


def test_losses_count_what_the_run_has_seen(grown):
    info, (key, _) = grown
    for quantity in ("loss", "suspicion"):
        values = losses.losses(info, key, quantity)
        np.testing.assert_array_equal(values.counted, np.arange(36) < 30)
        assert set(losses.most(values)) == set(range(30))
        assert losses.above(values, -99).queued == 30
    assert losses.trajectory(info, key, 33) == {}
    assert losses.losses(info, "consensus").counted.sum() == 30


def test_runs_are_compared_on_what_all_of_them_have_seen(grown):
    info, keys = grown
    before = comparing.compare(info, keys)
    assert before.compared == 30
    old = [np.asarray(in_force.signals(info, int(key)).suspicion)[:30] for key in keys]
    assert before.correlation[0, 1] == pytest.approx(
        np.corrcoef(*(np.argsort(np.argsort(one)) for one in old))[0, 1], abs=1e-6
    )
    later = str(run(info, method="knn"))
    assert comparing.compare(info, [later]).compared == 36
    assert comparing.compare(info, [*keys, later]).compared == 30
    tops = comparing.overlap(info, [*keys, later], 30)
    np.testing.assert_allclose(tops, 1)  # of the thirty that all have seen, not of thirty-six


def test_places_are_among_what_the_run_has_seen(grown):
    info, _ = grown
    by_run = {each.short: each for each in five_views.views(info, 3).methods if each.key}
    assert {each.of for each in by_run.values()} == {30}
    assert {each.state for each in five_views.views(info, 33).methods if each.key} == {"unseen"}


def test_the_report_says_how_many_are_left_out(grown):
    info, keys = grown
    said = "6 of 36 images are left out of orders and tops"
    assert said in report.html(info, keys=keys)
    later = str(run(info, method="knn"))
    assert "left out of orders" not in report.html(info, keys=[later])
