"""What stands on a page stays where it is while the rest of it comes."""

import json

import pytest

from lnl_core.store import decisions
from lnl_core.types import Action, Decision
from tests.browser.desk import STILL
from tests.browser.test_layout import NAMES, PAGES, layout_set

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("alone")]

__all__ = ["layout_set"]

MOST = 0.15
"""Of the browser's own measure, which calls a page good up to 0.1. With no room kept for the
sidebar alone it was 0.2. On two quiet cores each page has less than 0.02, on busy ones parts
that came together come apart: up to 0.09."""

WATCH = """
window.moved = [];
new PerformanceObserver((list) => window.moved.push(...list.getEntries().map((each) => ({
  value: each.value,
  what: each.sources.map(({ node, currentRect: { x, y, width, height } }) =>
    `${node?.closest?.("[data-testid]")?.dataset.testid} to ${[x, y, width, height]}`),
})))).observe({ type: "layout-shift", buffered: true });
"""


@pytest.mark.parametrize(
    "name", ["data", "review", "explore", "quality", "losses", "agreement", "export"]
)
def test_no_skeleton_changes_the_layout_when_it_fills(common_server, page, layout_set, name):
    address, ready = PAGES[name]
    page.add_init_script(WATCH)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    stays(page, f"{common_server.url}/{address}", layout_set.name, ready)
    health = [url for url in asked if url.endswith("/_stcore/health")]
    assert health == [f"{common_server.url}/_stcore/health"]  # asked once, at the right address


def test_what_stands_above_the_rows_of_a_file_keeps_its_room(common_server, page, make_set):
    info = make_set(common_server, "rows of a file", NAMES, n=120)
    other = [Decision(row, Action.RELABEL, "reviewer B", label=3) for row in range(0, 90, 4)]
    decisions.append(info, other)
    page.add_init_script(WATCH)
    table = ".stDataFrame canvas"
    stays(page, f"{common_server.url}/export", info.name, table)
    stays(page, f"{common_server.url}/export", info.name, table)  # with the browser's memory


def stays(page, address, name, ready):
    """Open a page, and hold how far its parts moved against the most."""
    joint = "&" if "?" in address else "?"
    page.goto(f"{address}{joint}dataset={name}")
    page.wait_for_selector(ready)
    page.evaluate(STILL)
    moved = page.evaluate("window.moved")
    assert sum(each["value"] for each in moved) <= MOST, moved


@pytest.mark.parametrize("name", ["losses", "quality"])
def test_no_rule_styles_the_page_anew_for_every_part_that_comes(
    browser, common_server, page, layout_set, tmp_path, name
):
    """`:has` on what holds the page did: Losses, of 1,700 elements, was styled 25 times over."""
    address, ready = PAGES[name]
    joint = "&" if "?" in address else "?"
    browser.start_tracing(page=page, path=tmp_path / "trace.json", categories=["devtools.timeline"])
    page.goto(f"{common_server.url}/{address}{joint}dataset={layout_set.name}")
    page.wait_for_selector(ready)
    page.evaluate(STILL)
    browser.stop_tracing()
    events = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    styled = sum(
        each.get("args", {}).get("elementCount", 0)
        for each in events
        if each["name"] == "UpdateLayoutTree"
    )
    assert 0 < styled <= 10 * page.locator("*").count()
