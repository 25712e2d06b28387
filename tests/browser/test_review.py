"""The review page under real keys: what a person presses is what the database holds."""

import json

import pytest
from playwright.sync_api import expect

from lnl_core.services.in_force import standing
from lnl_core.store import audits, decisions
from lnl_core.types import Action, Decision
from tests.browser.desk import CLASSES, MEASURE, STILL, Desk

pytestmark = pytest.mark.browser


def test_right_stores_a_keep_and_shows_the_next_image(desk):
    row = desk.shown
    desk.press("k")
    assert desk.shown != row
    desk.saved()
    assert desk.actions() == [(row, "keep", None)]
    assert not desk.history()[0].revealed
    assert desk.page.locator(".strip .since").first.inner_text().strip() == "+1"


def test_wrong_opens_the_suggestion_and_enter_takes_it(desk):
    row = desk.shown
    desk.press("w").evidence()
    first = desk.page.locator(".choice.first .name").inner_text()
    assert desk.shown == row  # the image stays
    desk.press("Enter").saved()
    assert desk.actions() == [(row, "relabel", CLASSES.index(first))]
    (stored,) = desk.history()
    assert stored.suggested_label == stored.label
    assert stored.mode == "commit"
    assert not stored.revealed  # wrong was said before the suggestion was seen


def test_a_digit_is_one_class_for_good(desk):
    row = desk.shown
    given = CLASSES.index(desk.page.locator(".q .given").inner_text())
    label = (given + 2) % 4
    desk.press("w", str(label + 1)).saved()
    assert desk.actions() == [(row, "relabel", label)]


def test_classes_that_are_digits_keep_their_own_keys(common_server, page, make_set):
    info = make_set(common_server, "digits", [str(digit) for digit in range(10)])
    desk = Desk(common_server, page, info).open()
    row = desk.shown
    other = "7" if desk.page.locator(".q .given").inner_text() != "7" else "3"
    desk.press("w", other).saved()
    assert desk.actions() == [(row, "relabel", int(other))]


def test_above_ten_classes_digits_are_the_suggestions(common_server, page, make_set):
    names = [f"kind {letter}" for letter in "abcdefghijkl"]
    desk = Desk(common_server, page, make_set(common_server, "dozen", names)).open()
    row = desk.shown
    desk.press("w").evidence()
    second = desk.page.locator(".choice .name").nth(1).inner_text()
    desk.press("9")  # there is no ninth
    assert desk.shown == row
    desk.press("2").saved()
    assert desk.actions() == [(row, "relabel", names.index(second))]
    desk.press("?")
    desk.page.locator(".keylist", has_text="the suggestion of that number").wait_for()


def test_before_an_answer_digits_and_enter_do_nothing(desk):
    row = desk.shown
    desk.press("1", "2", "Enter", "a")
    assert desk.shown == row
    desk.page.locator(".toast", has_text="4 presses not counted: W comes first").wait_for()
    desk.press("/")
    desk.page.keyboard.type("ksu")  # a name typed after a W that came too early is no answer either
    assert desk.page.locator(".picker .search").input_value() == "ksu"
    desk.press("Escape", "k").saved()
    assert desk.actions() == [(row, "keep", None)]


def test_every_other_verdict_has_its_key(desk):
    rows = []
    for key in ("u", "n", "s"):
        rows.append(desk.shown)
        desk.press(key)
    desk.saved()
    expected = zip(rows, ("unsure", "none", "skip"), (None,) * 3, strict=True)
    assert desk.actions() == list(expected)


def test_fast_typing_loses_nothing(desk):
    desk.press(*"k" * 20).saved()  # each as soon as an answer counts
    rows = [row for row, _, _ in desk.actions()]
    assert len(rows) == len(set(rows)) == 20


def test_a_key_held_down_is_one_answer(desk):
    desk.looked()
    for _ in range(8):
        desk.page.keyboard.down("k")  # the second and later ones are repeats
    desk.page.keyboard.up("k")
    desk.saved()
    assert len(desk.actions()) == 1


def test_answers_survive_a_reload_before_they_are_sent(desk):
    desk.page.evaluate("() => { window.WebSocket.prototype.send = () => {}; }")
    desk.press("k", "k", "k")
    assert desk.page.locator(".saved").inner_text() == "3 answers on their way"
    kept = "() => Object.values(localStorage).filter((value) => value.includes('cid')).length"
    assert desk.page.evaluate(kept) == 3
    assert desk.actions() == []
    desk.page.reload()
    desk.page.wait_for_selector(".stage > img")
    desk.saved()
    assert [action for _, action, _ in desk.actions()] == ["keep"] * 3
    assert desk.page.evaluate(kept) == 0


def test_a_killed_server_loses_no_decision(server, page, make_set):
    desk = Desk(server, page, make_set(server, "kill", CLASSES)).open()
    desk.press("k", "k").saved()
    desk.press("k")
    server.kill()
    page.locator(".saved.offline").wait_for()
    page.wait_for_timeout(1500)  # Streamlit's own dialog has come and gone
    assert page.get_by_role("dialog").count() == 0
    desk.press("k", "w", "n")
    words = "Connection lost. Your answers are kept here and sent later."
    assert page.locator(".saved").inner_text() == words
    server.start()
    desk.saved()
    stored = desk.actions()
    assert [action for _, action, _ in stored] == ["keep"] * 4 + ["none"]
    assert len({row for row, _, _ in stored}) == 5


def test_keys_rest_in_text_fields_and_under_dialogs(desk):
    row = desk.shown
    desk.page.get_by_role("button", name="This is not me").click()
    desk.page.get_by_label("Your name").click()
    desk.page.keyboard.type("kw")
    desk.press("Escape")
    assert desk.shown == row
    desk.page.evaluate(
        "() => { const d = document.createElement('div'); d.setAttribute('role', 'dialog');"
        "d.id = 'test-dialog'; document.body.append(d); document.activeElement.blur(); }"
    )
    desk.press("k", "n")
    assert desk.shown == row
    desk.page.evaluate("() => document.getElementById('test-dialog').remove()")
    desk.press("k").saved()
    assert [action for _, action, _ in desk.actions()] == ["keep"]


def test_buttons_do_what_their_keys_do(desk):
    row = desk.looked().shown
    desk.page.get_by_role("button", name="Wrong").click()
    desk.evidence().press("Enter")  # the click left no focus behind
    desk.looked().page.get_by_role("button", name="Right").click()
    desk.saved()
    assert [(r == row, a) for r, a, _ in desk.actions()] == [(True, "relabel"), (False, "keep")]


@pytest.mark.usefixtures("alone")
def test_commit_first_sends_no_advice_before_the_answer(common_server, page, make_set):
    """Review_science test 16: the page and its data hold no suggestion, p or score."""
    info = make_set(common_server, "blind", ["ant", "bee", "cow", "doe"])
    frames, asked = [], []
    page.on("websocket", lambda ws: ws.on("framereceived", lambda frame: frames.append(frame)))
    page.on("request", lambda request: asked.append(request.url))
    desk = Desk(common_server, page, info).open()
    desk.press("k", "k").saved()
    data = [_component_data(frame) for frame in frames]
    sent = [each for each in data if each]
    assert sent, "the component's data was not found among the messages"
    secret = ("suggest", "p_wrong", "suspicion", 'prob"', "score", 'top"', "neighbour")
    for each in sent:
        each.pop("comes_with", None)  # which methods bring what kind of evidence: of no image
        told = json.dumps(each).lower()
        assert not [word for word in secret if f'"{word}' in told]
    assert [url for url in asked if "/lnl/evidence/" in url] == []
    assert page.locator(".choice").count() == 0
    desk.press("w").evidence()
    assert len([url for url in asked if "/lnl/evidence/" in url]) == 1


def _component_data(frame):
    """Return the JSON that a message carries for the review component, if it does."""
    raw = frame if isinstance(frame, bytes) else frame.encode()
    start = raw.find(b'{"journal"')
    if start < 0:
        return None
    return json.JSONDecoder().raw_decode(raw[start:].decode("utf-8", "ignore"))[0]


def test_assisted_shows_everything_at_once_and_says_so(desk):
    desk.page.get_by_label("Mode").click()
    desk.page.get_by_role("option", name="Assisted").click()
    desk.evidence().press("a").saved()
    (stored,) = desk.history()
    assert (stored.mode, stored.revealed) == ("assisted", True)


def test_enter_takes_no_class_where_the_label_is_probably_right_and_says_so(desk):
    """An image far down the queue, everything shown: Enter, pressed by habit, changes nothing."""
    page, probably_right = desk.page, 7
    desk.open(f"&id=item-{probably_right}").looked()
    stage, size = page.locator(".stage"), "each => [each.offsetTop, each.offsetHeight]"
    before = stage.evaluate(size)
    desk.press("e")
    page.wait_for_selector(".choice .name")
    legend, rows = page.locator(".legend"), page.locator(".choice")
    assert "W Enter accept" in " ".join(legend.inner_text().split())
    assert legend.evaluate("each => each.scrollWidth - each.clientWidth") <= 0
    assert stage.evaluate(size) == before  # the picture never resizes
    assert rows.first.locator("kbd").all_inner_texts()[1:] == ["W", "Enter"]
    desk.press("Enter")
    page.locator(".toast", has_text="K keeps the label").wait_for()
    desk.press("w").evidence()
    assert " ".join(legend.inner_text().split()).startswith("Enter accept")
    assert stage.evaluate(size) == before
    assert rows.first.locator("kbd").all_inner_texts()[1:] == ["Enter"]
    desk.press("Enter").saved()
    ((row, action, _),) = desk.actions()
    assert (row, action) == (probably_right, "relabel")


EVIL = [
    "<img src=x onerror=window.hacked=1>",
    "![x](http://evil.example/a.png)",
    "=cmd|' /C calc'!A0",
]


@pytest.mark.usefixtures("alone")
def test_hostile_names_stay_text(common_server, page, make_set):
    paths = [f"<b onclick=hacked()>{i}</b>/![x](http://evil.example/{i}).png" for i in range(60)]
    info = make_set(common_server, "hostile names", EVIL, paths=paths)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    desk = Desk(common_server, page, info).open()
    given = desk.page.locator(".q .given")
    assert given.get_attribute("title") in EVIL or given.inner_text() in EVIL
    desk.press("w").evidence()
    desk.press("/")
    assert desk.page.locator(".option").count() == 3
    desk.press("Escape", "Enter").saved()
    desk.page.get_by_role("button", name="Filters").click()
    desk.page.get_by_label("Given class").click()
    desk.page.get_by_role("option").first.wait_for()
    assert desk.page.get_by_role("option").first.inner_text() == EVIL[0]
    desk.press("Escape", "Escape")
    desk.press("g")
    desk.page.wait_for_selector(".tile img")
    desk.press("q")
    assert desk.page.evaluate("() => window.hacked") is None
    assert [url for url in asked if "evil.example" in url or url.endswith("/x")] == []


def test_the_filters_count_what_is_open_after_the_last_answer(desk):
    matches = desk.page.locator(".st-key-review_filters p").first
    for left in (60, 57):
        desk.page.get_by_role("button", name="Filters").click()
        matches.filter(has_text=f"{left} open images").wait_for()
        desk.page.evaluate(STILL)  # a popover that opens takes no key yet
        desk.page.keyboard.press("Escape")
        matches.wait_for(state="detached")
        desk.page.locator(".stage").click()
        desk.press("k", "k", "k").saved()


def test_the_filters_stay_open_while_one_chooses(desk):
    """A choice changed the words of the button, which made it another one, and that was shut."""
    page, open_ = desk.page, desk.page.get_by_test_id("stPopoverBody")
    page.get_by_role("button", name="Filters").click()
    page.get_by_label("Given class").click()
    page.get_by_role("option", name="bee").click()
    open_.get_by_text("15 of 60 open images match").wait_for()
    page.evaluate(STILL)
    path = open_.get_by_label("Text in the path")
    path.fill("0001")
    path.press("Enter")
    open_.get_by_text("3 of 60 open images match").wait_for()
    page.evaluate(STILL)
    assert open_.is_visible()
    page.keyboard.press("Escape")
    open_.wait_for(state="detached")
    page.get_by_role("button", name="Filters (2)").wait_for()


def test_a_shared_link_opens_its_image_even_if_it_has_an_answer(desk):
    desk.open("&id=item-7")
    assert desk.shown == 7
    desk.press("n").saved()
    assert desk.shown != 7
    desk.open("&id=item-7")
    assert desk.shown == 7
    desk.open("&id=nobody")
    assert desk.shown != 7


def test_the_end_of_the_queue_is_said(common_server, page, make_set):
    desk = Desk(common_server, page, make_set(common_server, "short", CLASSES, n=6)).open()
    desk.press(*"kkkkkk")
    desk.page.get_by_text("Nothing is left in the queue.").wait_for()
    desk.saved()
    assert len(desk.actions()) == 6
    desk.press("z")
    desk.page.wait_for_selector(".stage > img")


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (1280, 680), (1920, 1080)])
def test_nothing_scrolls_and_the_image_never_moves(desk, width, height):
    desk.page.set_viewport_size({"width": width, "height": height})
    desk.page.wait_for_timeout(300)
    box = desk.page.locator(".stage > img").bounding_box()
    desk.press("w").evidence()
    assert desk.page.locator(".stage > img").bounding_box() == box
    for selector in ("[data-testid=stMain]", ".panel"):
        inside, room = desk.page.locator(selector).first.evaluate(
            "e => [e.scrollHeight, e.clientHeight]"
        )
        assert inside <= room
    assert desk.page.locator(".legend").bounding_box()["y"] < height - 30
    expect(desk.page.locator(".nbs")).to_be_in_viewport(ratio=1)  # it may be drawn anew meanwhile


@pytest.mark.parametrize(("width", "height"), [(853, 533), (1024, 768)])
def test_in_a_small_window_the_image_stays_and_says_its_answer(desk, width, height):
    desk.page.set_viewport_size({"width": width, "height": height})
    first = desk.shown
    while desk.shown == first:  # a key that comes while the window still changes answers nothing
        desk.press("k").saved()
    desk.open("&again=1&p=abc")  # a line above the desk says what was not understood
    desk.page.get_by_text("address was not understood").wait_for()
    while desk.shown != first:  # an image that was drawn for a check has come before its place
        desk.press("ArrowRight")
    desk.page.locator(".q .before", has_text="kept, by you").wait_for()
    box = desk.page.locator(".stage > img").bounding_box()
    desk.press("w").evidence()
    assert desk.page.locator(".stage > img").bounding_box() == box
    assert box["y"] + box["height"] < height
    for key in desk.page.locator(".keys .key").all():
        wide, room = key.evaluate("e => [e.scrollWidth, e.clientWidth]")
        assert wide <= room


def checked(desk, count):
    """Draw rows at random and call them right, those that the page drew as well."""

    def ask():
        now = standing(desk.info)
        return now.last_id, now.answered

    audits.draw(desk.info, "ann", count, ask)
    answered = ask()[1]
    rows = [each.row for each in audits.draws(desk.info) if not answered[each.row]]
    stored = [Decision(row, Action.KEEP, "ann", route="audit") for row in rows]
    decisions.append(desk.info, stored)


def test_a_low_window_keeps_the_way_to_what_was_put_off(desk):
    """“What is left” gave way to the last answers, and its button went with it."""
    checked(desk, 40)
    drawn = [each.row for each in audits.draws(desk.info)][:3]
    decisions.append(desk.info, [Decision(row, Action.UNSURE, "ann") for row in drawn])
    kept = [row for row in range(desk.info.n) if row not in drawn][:8]
    decisions.append(desk.info, [Decision(row, Action.KEEP, "reviewer A") for row in kept])
    desk.page.set_viewport_size({"width": 1024, "height": 600})
    desk.open()
    desk.page.evaluate(STILL)
    way = desk.page.locator(".leftsec").get_by_role("button", name="Show skipped and unsure")
    box, last = way.bounding_box(), desk.page.locator(".li:not(.out)").last.bounding_box()
    assert box["y"] + box["height"] < last["y"] < 600


def test_the_strip_says_what_is_left_and_when_to_stop(desk):
    left = desk.page.locator(".strip .left")
    assert "guarantee once all 60 are reviewed" in left.inner_text()  # draws would come too late
    checked(desk, 40)
    desk.open()
    assert "of 60 images" in left.inner_text()
    assert desk.page.locator(".strip .course .dot").count() == 1
    left.click()
    sheet = desk.page.get_by_role("dialog", name="What is left")
    assert "sure to 95" in sheet.inner_text()
    assert "Goal: 1." in sheet.get_by_role("img").get_attribute("aria-label")
    desk.page.keyboard.press("Escape")
    assert sheet.count() == 0
    checked(desk, 20)
    desk.open(picture=".strip .stop")
    assert "You may stop: no error left" in left.inner_text()
    desk.page.click(".strip .stop button:has-text('Go on')")
    assert "Errors left" in left.inner_text()
    desk.open(picture=".strip .course")  # also after a reload
    assert desk.page.locator(".strip .stop").count() == 0
    desk.page.evaluate("sessionStorage.clear()")
    desk.open(picture=".strip .stop")
    desk.page.click(".strip .stop button:has-text('Certificate')")
    read = desk.page.get_by_role("dialog")
    read.get_by_text("no wrong label left").wait_for()
    assert "certificate" not in desk.page.url  # it is shown once, not at every reload
    desk.open(picture=".strip .stop")
    desk.page.click(".strip .stop button:has-text('Export')")
    desk.page.wait_for_url("**/export?**")


WHOLE = """(rows) => {
  const { right, bottom } = rows[0].parentElement.getBoundingClientRect();
  const seen = rows.filter((row) => getComputedStyle(row).visibility === "visible");
  const boxes = seen.map((row) => row.getBoundingClientRect());
  return boxes.filter((box) => box.right <= right + 1 && box.bottom <= bottom + 1).length;
}"""
"""How many of the last answers are seen, each whole."""


def test_the_last_answers_keep_their_rows_under_what_the_goal_takes(desk):
    """A guarantee, its chart and what the goal takes took all the height; Z showed nothing."""
    desk.press("s", "s", "s").saved()
    checked(desk, 40)
    desk.open()
    desk.press("u", "k", "k").saved()
    for width, height in ((1280, 800), (1280, 680), (1024, 600), (853, 533), (1600, 800)):
        desk.page.set_viewport_size({"width": width, "height": height})
        desk.page.evaluate(STILL)
        rows = desk.page.locator(".last .li")
        assert rows.evaluate_all(WHOLE) >= 3, f"{width} x {height}"
        assert desk.page.evaluate(MEASURE) == [], f"{width} x {height}"
