"""The threshold on a run's losses leads into the queue, from Compare and from Explore."""

import numpy as np
import pytest

from lnl_core.services.compare import losses
from lnl_core.services.explore import selections
from lnl_core.store import arrays
from tests.pages.test_compare import judged  # noqa: F401
from tests.pages.test_explore import queue_sent


@pytest.mark.parametrize(
    ("page", "key", "run"), [("compare", "losses", "1"), ("explore", "explore_losses", "1")]
)
def test_what_lies_above_goes_to_the_queue_by_a_link(desk, workspace, judged, page, key, run):  # noqa: F811
    app = desk(page, dataset="tiny", view="losses")
    assert not app.exception
    values = losses.losses(judged, run)
    slider = app.select_slider(key=f"{key}_threshold_{judged.id}_{run}_loss")
    third = float(np.sort(values.x)[-3])
    slider.set_value(max(each for each in _steps(values) if each <= third)).run()
    button = app.button(key=f"{key}_review")
    rows = losses.rows_above(values, slider.value)
    assert button.label == f"Review these {len(rows)}"
    assert 3 <= len(rows) < 60
    app = button.click().run()
    assert not app.exception
    name = app.query_params["selection"]
    name = name[0] if isinstance(name, list) else name
    assert selections.selection_rows(judged, name).tolist() == rows.tolist()
    shared = desk("review", dataset="tiny", selection=name)
    assert {item["row"] for item in queue_sent(shared)["items"]} == set(rows.tolist())


@pytest.mark.parametrize("page", ["compare", "explore"])
def test_a_set_that_runs_were_told_whole_has_a_threshold_too(desk, judged, page):  # noqa: F811
    for number in ("1", "2"):
        told = judged.directory / "runs" / number / "trusted.npy"
        arrays.write_array(told, np.ones(judged.n, bool))
    app = desk(page, dataset="tiny", view="losses")
    assert not app.exception
    assert [each.value for each in app.error] == []


def _steps(values):
    return [round(float(x), 4) for x in np.linspace(values.x.min(), values.x.max(), 121)]
