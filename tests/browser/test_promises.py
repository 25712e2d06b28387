"""Keys that keep their promises: what counts, what stays, what is told."""

import pytest

from lnl_core.services.review.recording import record
from lnl_core.store import decisions
from tests.browser.desk import CLASSES, Desk

pytestmark = pytest.mark.browser

AT_ONCE = """(stage) => new Promise((done) => {
  const row = () => stage.querySelector(':scope > img')?.src.split('/').at(-2);
  const press = () => document.dispatchEvent(new KeyboardEvent('keydown', { key: 'k' }));
  const first = row();
  press();
  const second = row();
  const shown = performance.now();
  let pressed = 0;
  let words = '';
  const bounce = () => {
    const ms = performance.now() - shown;
    if (row() !== second) return done({ first, second, pressed, words, ms });
    press();
    words = stage.parentNode.querySelector('.toast')?.textContent ?? '';
    pressed += 1;
    requestAnimationFrame(bounce);
  };
  bounce();
})"""
"""Press K, and again in every frame until the next image takes an answer too."""

AT_THE_DESK = "() => document.activeElement.shadowRoot?.activeElement?.querySelector('.stage')"
"""The list of modes has the focus until the server has answered; what is typed then is its own."""


def test_a_bounce_commits_nothing(desk):
    desk.looked()
    seen = desk.page.locator(".stage").evaluate(AT_ONCE)
    assert seen["first"] != seen["second"]
    assert seen["pressed"] >= 2
    assert seen["ms"] >= 120  # from the change of the page; on screen it was later still
    presses = f"{seen['pressed'] - 1} presses not" if seen["pressed"] > 2 else "Not"
    assert seen["words"] == f"{presses} counted: the image had only just come."
    desk.saved()
    assert [row for row, _, _ in desk.actions()] == [int(seen["first"]), int(seen["second"])]


def test_no_key_answers_an_image_that_is_not_on_screen(common_server, page, make_set):
    """The picture is held back: the page has changed, and there is nothing to see yet."""
    desk = Desk(common_server, page, make_set(common_server, "held back", CLASSES))
    page.route("**/lnl/img/**/full", lambda route: None)
    desk.open()
    page.locator(".keys .key.keep").wait_for()
    for key in "kwuns":
        page.keyboard.press(key)
    words = "5 presses not counted: the image had only just come."
    assert page.locator(".toast").inner_text() == words
    assert page.locator(".choice").count() == 0  # nor did W open the suggestion
    page.unroute("**/lnl/img/**/full")  # which lets them go on
    row = desk.shown
    desk.looked()
    desk.press("k").saved()
    assert desk.actions() == [(row, "keep", None)]


def test_a_key_after_a_bounce_counts_at_once(desk):
    row = desk.shown
    desk.press("k")
    desk.page.keyboard.press("k")  # a bounce, while the next picture is only just coming
    desk.press("w").evidence()
    assert desk.saved().actions() == [(row, "keep", None)]


def test_the_words_of_a_refusal_stay_over_the_next_image(desk):
    toast = desk.page.locator(".toast.refused")
    row = desk.shown
    desk.press("k")
    desk.page.keyboard.press("k")  # a bounce
    desk.press("k")
    assert toast.inner_text() == "Not counted: the image had only just come."
    held = []
    desk.page.route("**/evidence/**", lambda route: held.append(route))
    desk.press("w")
    desk.page.keyboard.press("Enter")
    desk.page.locator(".toast", has_text="the suggestion is still coming").wait_for()
    held[0].continue_()
    desk.page.get_by_role("button", name="Filters").click()
    desk.page.get_by_test_id("stPopoverBody").wait_for()
    desk.page.keyboard.press("k")
    desk.page.locator(".toast", has_text="something else is open; Esc closes it").wait_for()
    assert len(desk.saved().actions()) == 2
    assert desk.actions()[0] == (row, "keep", None)


def test_a_page_is_not_committed_before_it_was_seen(desk):
    desk.press("g")
    desk.page.locator(".tile img").first.wait_for()
    desk.looked()
    press = "() => document.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter' }))"
    desk.page.evaluate(f"() => {{ ({press})(); ({press})(); ({press})(); }}")
    desk.saved()
    assert len(desk.actions()) == 12
    desk.press("Enter").saved()  # once it was seen it is committed, by Enter alone
    assert len(desk.actions()) == 24


def given_of(desk):
    return CLASSES.index(desk.page.locator(".q .given").inner_text())


def test_digits_choose_in_the_picker(desk):
    row, given = desk.shown, given_of(desk)
    other = (given + 2) % 4
    desk.press("w").evidence().press("/", str(given + 1))
    desk.page.locator(".toast", has_text="That is the given label").wait_for()
    desk.press(str(other + 1)).saved()
    assert desk.actions() == [(row, "relabel", other)]


def test_digits_mark_classes_where_several_are_right(desk):
    row, given = desk.shown, given_of(desk)
    first, second = sorted(((given + 1) % 4, (given + 3) % 4))
    desk.press("w").evidence().press("m")
    assert desk.page.locator(".option.chosen").count() == 0  # it was just called wrong
    desk.press(str(first + 1), str(second + 1), "Enter").saved()
    (stored,) = desk.history()
    assert (stored.row, stored.labels) == (row, (first, second))


def test_the_image_stays_when_the_mode_changes(desk):
    desk.press("s", "s").saved()
    row = desk.shown
    for mode in ("Assisted", "Commit first"):
        choose(desk, mode)
        desk.evidence()
        assert desk.shown == row
    desk.press("k").saved()
    stored = desk.history()[-1]
    assert (stored.row, stored.mode, stored.revealed) == (row, "commit", True)


def choose(desk, mode):
    desk.page.get_by_label("Mode").click()
    desk.page.get_by_role("option", name=mode).click()
    desk.page.wait_for_function(AT_THE_DESK)  # the new mode has come: keys are the desk's again


def test_the_image_stays_when_the_mode_becomes_blind_whose_answer_says_what_was_seen(desk):
    desk.press("ArrowRight", "ArrowRight")
    row = desk.shown
    for _ in range(2):
        choose(desk, "Blind")
        desk.page.locator(".key.relabel").wait_for()
        assert desk.shown == row
        desk.page.locator(".toast", has_text="You have seen its label").wait_for()
        choose(desk, "Commit first")
        desk.page.locator(".key.keep").wait_for()
        assert desk.shown == row
    choose(desk, "Blind")
    desk.page.locator(".key.relabel").wait_for()
    desk.press("2", "2").saved()
    assert [each.mode for each in desk.history()] == ["blind"] * 2
    assert desk.history()[0].row == row
    assert desk.history()[0].revealed


def test_who_names_all_that_are_right_before_w_names_the_given_class_too(desk):
    row, given = desk.shown, given_of(desk)
    both = sorted((given, (given + 3) % 4))
    desk.press("m")
    desk.page.locator(".option.chosen").wait_for()
    desk.press(*(str(label + 1) for label in both))
    assert desk.page.locator(".option.chosen").count() == 2
    desk.press("Enter").saved()
    (stored,) = desk.history()
    assert (stored.row, stored.labels) == (row, tuple(both))


@pytest.mark.parametrize("way", ["reload", "page mode and back"])
def test_the_image_stays(desk, way):
    desk.open("&id=item-7")
    desk.press("s").saved()
    desk.press("ArrowRight", "ArrowRight")
    row = desk.shown
    if way == "reload":
        desk.page.reload()
    else:
        desk.press("g")
        desk.page.locator(".tile img").first.wait_for()
        desk.press("g")
    desk.page.wait_for_selector(".stage > img")
    assert desk.shown == row


def test_an_image_beyond_the_first_ones_comes_back_after_a_reload(common_server, page, make_set):
    desk = Desk(common_server, page, make_set(common_server, "far back", CLASSES, n=120)).open()
    desk.page.get_by_label("Order").click()
    desk.page.get_by_role("option", name="In random order").click()
    desk.page.get_by_role("option").first.wait_for(state="detached")
    desk.page.wait_for_timeout(500)
    row = desk.shown
    desk.page.reload()  # the order is the first again, and the image not among what comes
    desk.page.wait_for_selector(".stage > img")
    assert desk.shown == row


def test_a_second_answer_is_told_with_the_first(desk):
    row, given = desk.shown, given_of(desk)
    other = (given + 1) % 4
    entry = {"cid": "kim-1", "row": row, "action": "relabel", "label": other}
    record(desk.info, "Kim", [entry])
    desk.press("k")
    toast = desk.page.locator(".toast", has_text="recorded as second")
    toast.wait_for()
    words = f"Kim said {CLASSES[other]} a moment ago; yours: {CLASSES[given]}, recorded as second."
    assert toast.inner_text() == words
    desk.saved()
    assert {d.reviewer: str(d.action) for d in decisions.in_force(desk.info)[row]} == {
        "Kim": "relabel",
        desk.history()[-1].reviewer: "keep",
    }


def test_a_second_window_moves_nothing_in_the_first(desk):
    row, given = desk.shown, given_of(desk)
    other = desk.page.context.new_page()
    second = Desk(desk.server, other, desk.info).open()
    assert second.shown == row
    second.press("n").saved()
    assert desk.shown == row
    desk.press("k")
    words = f"You said none fits a moment ago in another window; now: {CLASSES[given]}."
    desk.page.locator(".toast", has_text=words).wait_for()
    desk.saved()
    (stands,) = decisions.in_force(desk.info)[row]
    assert str(stands.action) == "keep"


def test_an_image_that_was_answered_in_another_window_says_so_once_it_is_at_hand(desk):
    desk.press("ArrowRight")
    row = desk.shown
    desk.press("ArrowLeft")
    second = Desk(desk.server, desk.page.context.new_page(), desk.info).open(f"&id=item-{row}")
    assert second.shown == row
    second.press("k").saved()
    desk.page.bring_to_front()
    desk.press("k")
    assert desk.shown == row  # it had come before it was answered there
    desk.page.locator(".q .v", has_text="kept").wait_for()
    desk.saved()


def test_ones_own_change_of_mind_is_no_news(desk):
    desk.press("k").saved()
    desk.press("ArrowLeft", "n").saved()
    for picture in (".tile img", ".stage > img"):
        desk.press("g").page.locator(picture).first.wait_for()
    desk.page.wait_for_timeout(300)
    assert desk.page.locator(".toast").count() == 0
    assert [action for _, action, _ in desk.actions()] == ["keep", "none"]
