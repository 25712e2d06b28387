"""Page mode under real keys: twelve images at once, those that do not load, and the way back."""

import pytest

from lnl_core.services.review.recording import record
from lnl_core.store import decisions
from tests.browser.desk import CLASSES, SAVED, STILL, Desk

pytestmark = pytest.mark.browser


AHEAD = """() => {
  const { now } = Date;
  const { toISOString } = Date.prototype;
  Date.now = () => now() + 5000;
  Date.prototype.toISOString = function () { return toISOString.call(new Date(+this + 5000)); };
}"""


def test_page_mode_keeps_the_rest_and_asks_for_the_marked(desk):
    desk.page.evaluate(AHEAD)
    desk.press("g")
    tiles = desk.page.locator(".tile img")
    tiles.first.wait_for()
    rows = [int(src.split("/")[-2]) for src in tiles.evaluate_all("all => all.map(i => i.src)")]
    assert len(rows) == 12
    given = {row % 4 for row in rows}
    assert len(given) == 1
    desk.press("w", "d", "d", "z", "ArrowRight", "Space")  # marks 2 and 9; D twice is none; X
    assert desk.page.locator(".tile.x").count() == 3
    marked = {rows[1], rows[8], rows[9]}
    desk.press("Enter")
    desk.page.wait_for_selector(".stage > img")
    desk.evidence()
    assert desk.shown in marked
    for left in (2, 1, 0):
        desk.press("Enter")
        if left:
            desk.page.wait_for_selector(".choice.first .name")
    desk.page.wait_for_selector(".tile img")
    desk.saved()
    stored = {d.row: d for d in desk.history()}
    assert {row for row, d in stored.items() if d.action == "keep"} == set(rows) - marked
    assert {row for row, d in stored.items() if d.action == "relabel"} == marked
    assert {d.mode for d in stored.values()} == {"page"}
    assert not any(d.revealed for d in stored.values())
    desk.press("Backspace").saved()  # whatever the browser's clock says
    assert decisions.in_force(desk.info) == {}, "nor do the answers to the marked stand"


def test_a_page_keeps_no_image_that_could_not_be_loaded(common_server, page, make_set):
    info = make_set(common_server, "failing", CLASSES)
    fails = [lambda row: True]

    def answer(route):
        row = int(route.request.url.split("/")[-2])
        route.abort() if fails[0](row) else route.continue_()

    page.route("**/thumb", answer)
    desk = Desk(common_server, page, info).open().press("g")
    tiles = page.locator(".tile img")
    tiles.last.wait_for()
    rows = [int(src.split("/")[-2]) for src in tiles.evaluate_all("all => all.map(i => i.src)")]
    none = page.locator(".toast", has_text="none of these images can be loaded")
    page.locator(".page12").evaluate(
        """async (tiles) => {
          while ([...tiles.querySelectorAll('img')].some((image) => !image.complete)) {
            await new Promise(requestAnimationFrame);
          }
        }"""
    )
    page.keyboard.press("Enter")
    none.wait_for()
    assert desk.history() == []
    fails[0] = lambda row: row == rows[3]
    page.keyboard.press("ArrowRight")  # drawn anew: they are asked for again
    desk.press("Enter")
    page.locator(".toast", has_text="Skipped: 1 image not loaded").wait_for()
    desk.saved()
    said = {row: action for row, action, _ in desk.actions()}
    assert said == dict.fromkeys(rows, "keep") | {rows[3]: "skip"}


def test_a_page_leaves_earlier_answers_where_the_image_could_not_be_loaded(
    common_server, page, make_set
):
    info = make_set(common_server, "said-before", CLASSES)
    rows = [0, 4, 8]  # of one given class
    said = [
        {"cid": f"b{row}", "row": row, "action": "relabel", "label": 1, "ms": 900} for row in rows
    ]
    record(info, "reviewer A", said)
    page.route(f"**/{rows[1]}/thumb", lambda route: route.abort())
    desk = Desk(common_server, page, info).open("&verdict=relabel").press("g")
    page.locator(".tile img").last.wait_for()
    desk.press("Enter")
    page.locator(".toast", has_text="Left as it was: 1 image not loaded").wait_for()
    desk.saved()
    there = {row: action for row, action, _ in desk.actions()}
    assert there == {rows[0]: "keep", rows[1]: "relabel", rows[2]: "keep"}
    page.keyboard.press("Backspace")
    desk.saved()
    assert [action for row, action, _ in desk.actions() if row == rows[1]] == ["relabel"]
    again = decisions.in_force(info, rows=rows)
    assert {str(said.action) for (said,) in again.values()} == {"relabel"}


def test_the_last_page_comes_back(desk):
    desk.press("g")
    tiles = desk.page.locator(".tile img")
    tiles.first.wait_for()
    before = tiles.evaluate_all("all => all.map(i => i.src)")
    desk.press("Enter").saved()
    assert tiles.evaluate_all("all => all.map(i => i.src)") != before
    desk.press("Backspace").saved()
    assert tiles.evaluate_all("all => all.map(i => i.src)") == before
    assert decisions.in_force(desk.info) == {}
    assert len(desk.history()) == 24


def rows_on(page):
    tiles = page.locator(".tile img")
    tiles.last.wait_for()
    return tiles.evaluate_all("all => all.map(i => Number(i.src.split('/').at(-2)))")


def test_the_last_page_stays_where_its_marked_were_answered_and_what_they_showed_was_seen(desk):
    desk.press("g")
    before = rows_on(desk.page)
    desk.press("q")
    with desk.page.expect_response("**/lnl/advised/**"):
        desk.press("Enter")
    desk.page.wait_for_selector(".stage > img")
    desk.evidence().press("n").saved()
    assert not set(rows_on(desk.page)) & set(before)
    desk.press("Backspace").saved()
    desk.page.evaluate(STILL)
    assert rows_on(desk.page) == before
    desk.press("q", "Enter").saved()
    there = {row: said for row, (said,) in decisions.in_force(desk.info).items()}
    assert {row: str(said.action) for row, said in there.items()} == dict.fromkeys(before, "keep")
    assert [row for row, said in there.items() if said.revealed] == [before[0]]


def test_where_the_browser_keeps_no_more_the_page_that_comes_back_is_the_last(desk):
    desk.press("g")
    first = rows_on(desk.page)
    desk.press("Enter").saved()
    desk.page.evaluate(
        "() => { Storage.prototype.setItem = () => { throw new Error('QuotaExceededError'); }; }"
    )
    second = rows_on(desk.page)
    desk.press("Enter")
    desk.page.locator(".saved", has_text=SAVED).wait_for()
    desk.press("Backspace")
    assert rows_on(desk.page) == second
    desk.page.locator(".saved", has_text=SAVED).wait_for()
    assert set(decisions.in_force(desk.info)) == set(first)


def test_a_page_that_comes_back_leaves_out_what_another_window_answered(desk):
    desk.press("g")
    before = rows_on(desk.page)
    desk.press("Enter").saved()
    elsewhere = {"cid": "v.1", "row": before[1], "action": "none", "ms": 900}
    record(desk.info, "reviewer A", [elsewhere])
    desk.press("Backspace")
    desk.page.get_by_text("Not taken back: you said none fits").first.wait_for()
    rest = [row for row in before if row != before[1]]
    assert rows_on(desk.page) == rest
    desk.saved().press("Enter").saved()
    there = {row: str(said.action) for row, (said,) in decisions.in_force(desk.info).items()}
    assert there == dict.fromkeys(rest, "keep") | {before[1]: "none"}


def test_a_mark_made_on_a_page_came_before_what_its_follow_up_shows(desk):
    desk.press("g")
    before = rows_on(desk.page)
    desk.press("q", "w", "Enter")
    desk.page.wait_for_selector(".stage > img")
    first = desk.evidence().shown
    desk.press("ArrowRight")
    second = desk.evidence().shown
    desk.press("n").saved()  # the first one comes again
    desk.page.locator(f".stage > img[src*='/{first}/']").wait_for()
    desk.evidence().press("n").saved()
    said = {d.row: d.revealed for d in desk.history() if str(d.action) == "none"}
    assert said == {first: False, second: False}
    assert set(said) == set(before[:2])
