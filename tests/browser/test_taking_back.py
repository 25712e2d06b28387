"""Review in a browser: what is taken back, what stands again, and advice that was seen."""

import pytest

from lnl_core.services.review import recording
from lnl_core.store import decisions
from tests.browser.desk import CLASSES, Desk

pytestmark = pytest.mark.browser


def test_a_suggestion_asked_for_is_recorded(desk):
    desk.press("e").evidence().press("k").saved()
    assert desk.history()[0].revealed


def test_what_was_seen_stays_so_over_a_reload_and_in_page_mode(desk):
    first = desk.shown
    with desk.page.expect_response("**/lnl/advised/**"):
        desk.press("w")
    desk.press("z")
    desk.page.reload()
    desk.page.wait_for_selector(".stage > img")
    assert desk.shown == first
    desk.press("k")
    second = desk.shown
    with desk.page.expect_response("**/lnl/advised/**"):
        desk.press("e")
    desk.open(f"&given={second % len(CLASSES)}").press("g")  # whichever it is, on the first pages
    for _ in range(2):
        desk.page.wait_for_selector(".tile img")
        desk.press("Enter").saved()
    assert second in {row for row, _, _ in desk.actions()}
    assert {each.row for each in desk.history() if each.revealed} == {first, second}


def test_what_was_seen_stays_so_where_the_label_is_hidden(desk):
    row = desk.shown
    with desk.page.expect_response("**/lnl/advised/**"):
        desk.press("e")
    desk.open(f"&mode=blind&row={row}").press("2").saved()
    (said,) = desk.history()
    assert (said.row, said.mode, said.revealed) == (row, "blind", True)


def test_undo_brings_the_image_back_also_after_a_reload(desk):
    first = desk.shown
    desk.press("k")
    second = desk.shown
    desk.press("k").saved().press("z")
    assert desk.shown == second
    desk.saved()
    desk.page.reload()
    desk.page.wait_for_selector(".stage > img")
    desk.press("Control+z")
    assert desk.shown == first
    desk.saved()
    assert [action for _, action, _ in desk.actions()] == ["keep", "keep", "reopen", "reopen"]
    assert decisions.in_force(desk.info) == {}


def test_a_skip_leaves_an_answer_and_undo_brings_the_earlier_one_back(desk):
    row = desk.shown
    desk.press("k", "ArrowLeft", "s")
    desk.page.locator(".toast", has_text="Left as it was: kept.").wait_for()
    desk.press("ArrowLeft", "n", "z")
    desk.page.locator(".toast", has_text="was none fits; now again: kept.").wait_for()
    assert desk.shown == row
    assert "kept" in desk.page.locator(".q").inner_text()
    desk.saved()
    assert [action for _, action, _ in desk.actions()] == ["keep", "none", "reopen", "keep"]


def test_undo_of_a_skip_leaves_what_another_window_said(desk):
    row = desk.shown
    elsewhere = {"cid": "other.1", "row": row, "action": "keep", "ms": 900}
    recording.record(desk.info, "reviewer A", [elsewhere])
    desk.press("s").saved().press("z")
    assert desk.shown == row
    desk.saved()
    assert desk.actions() == [(row, "keep", None)]
    desk.press("z").saved()
    assert [action for _, action, _ in desk.actions()] == ["keep", "reopen"]


def test_undo_after_wrong_takes_back_the_wrong_only(desk):
    row = desk.shown
    desk.press("w").evidence().press("z")
    assert desk.shown == row
    desk.press("k").saved()
    assert desk.actions() == [(row, "keep", None)]
    assert desk.history()[0].revealed  # by then the suggestion had been seen


def test_advice_that_was_seen_stays_so_over_the_arrows_and_undo(desk):
    first = desk.shown
    desk.press("e").evidence().press("ArrowRight")
    assert desk.shown != first
    desk.press("ArrowLeft")
    assert desk.shown == first
    assert desk.page.locator(".choices").count() == 0  # it is not shown again unasked
    desk.press("k").saved()
    assert desk.history()[-1].revealed
    row = desk.shown
    desk.press("w").evidence().press("Enter").saved()
    assert not desk.history()[-1].revealed  # it was called wrong before
    desk.press("z").saved()
    assert desk.shown == row
    desk.press("k").saved()
    assert desk.history()[-1].revealed
    desk.press("k").saved()
    assert not desk.history()[-1].revealed


def test_advice_that_was_seen_stays_so_over_a_reload_and_undo(desk):
    desk.press("e").evidence().press("k").saved()
    desk.press("w").evidence().press("n").saved()
    for _ in range(2):  # none of them, then the keep
        desk.page.reload()
        desk.page.wait_for_selector(".stage > img")
        desk.press("z").saved()
        desk.press("k").saved()
        assert desk.history()[-1].revealed
        desk.press("z").saved()


def test_nothing_is_taken_back_behind_a_list(desk):
    row = desk.shown
    desk.press("k").saved()
    desk.press("?")
    desk.page.locator(".keylist").wait_for()
    desk.page.keyboard.press("Control+z")
    desk.page.keyboard.press("?")
    desk.page.keyboard.press("Control+Shift+Z")
    desk.press("Control+z").saved()
    assert desk.actions() == [(row, "keep", None), (row, "reopen", None)]


def test_what_another_window_took_back_is_open_in_this_one(common_server, page, make_set):
    info = make_set(common_server, "reopened elsewhere", CLASSES)
    said = [{"cid": f"v.{row}", "row": row, "action": "keep", "ms": 900} for row in range(60)]
    recording.record(info, "reviewer A", [each for each in said if each["row"] not in (0, 3)])
    desk = Desk(common_server, page, info).open()
    row = desk.shown
    desk.press("k").saved()
    back = {"cid": "v.back", "row": row, "action": "reopen", "back": desk.history()[-1].cid}
    recording.record(info, "reviewer A", [back])
    last = desk.shown
    desk.press("k")
    page.locator(f".stage > img[src*='/{row}/']").wait_for()
    assert {row, last} == {0, 3}
    desk.press("k").saved()
    page.get_by_text("Nothing is left in the queue.").wait_for()
    assert len(decisions.in_force(info)) == 60


UNSENT = """(name) => {
  const entry = { row: 59, action: "unsure", label: null, labels: [], ms: 900, revealed: false,
                  mode: "commit", cid: "gone.1", n: 1, at: new Date().toISOString() };
  localStorage.setItem(`${name}:${entry.cid}`, JSON.stringify(entry));
}"""


def test_a_window_made_of_another_one_takes_back_its_own_answers_alone(desk):
    """What a browser still keeps is sent by whichever window comes next."""
    row = desk.shown
    desk.press("k").saved()
    kept = "() => sessionStorage.getItem('lnl:window')"
    own = desk.page.evaluate(kept)
    desk.page.evaluate(UNSENT, f"lnl:{desk.info.id}:{desk.info.created_at}:reviewer A")
    with desk.page.expect_popup() as opened:  # it begins with what this one keeps
        desk.page.evaluate(f"() => {{ open('/review?dataset={desk.info.name}&row={row}') }}")
    other = Desk(desk.server, opened.value, desk.info)
    other.page.wait_for_selector(".stage > img")
    other.press("n").saved()
    assert other.page.evaluate(kept) != own
    desk.press("z")
    words = "Not taken back: you said none fits a moment ago in another window, and that stands."
    desk.page.get_by_text(words).first.wait_for()
    desk.page.locator(".q", has_text="None fits").wait_for()
    assert desk.page.locator(".toast", has_text="was kept").count() == 0
    desk.saved()
    there = {row: str(said.action) for row, (said,) in decisions.in_force(desk.info).items()}
    assert there == {row: "none", 59: "unsure"}
    for again in (desk.page.reload, lambda: desk.page.goto(desk.page.url)):
        again()
        desk.page.wait_for_selector(".stage > img")
        desk.page.wait_for_function(f"async (own) => ({kept})() === own", arg=own)
        desk.looked()
        assert desk.page.evaluate(kept) == own
