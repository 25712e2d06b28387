"""What colleagues do meanwhile: it is counted when one looks, and no skip hides their answers."""

import os
import signal

import pytest

from lnl_core.services.review import new_classes
from lnl_core.store import datasets, decisions
from lnl_core.types import Action, Decision
from tests.browser.desk import CLASSES, Desk

pytestmark = pytest.mark.browser

PICTURES_AHEAD = """(size) => performance.getEntriesByType("resource").filter(
  (each) => each.name.includes("/lnl/img/") && each.name.endsWith(`/${size}`)
).length > 3"""


def matching(page):
    """What the filters say of the queue: opened anew, read, closed."""
    page.get_by_role("button", name="Filters").click()
    words = page.get_by_test_id("stPopoverBody").locator("p").first
    words.wait_for()
    page.wait_for_selector(".stApp[data-test-script-state=notRunning]")
    said = words.inner_text()
    page.keyboard.press("Escape")
    words.wait_for(state="detached")
    return int(said.split()[0])


def test_a_filters_count_is_that_of_the_moment_at_which_one_looks(common_server, page, make_set):
    info = make_set(common_server, "counted", CLASSES)
    Desk(common_server, page, info).open("&given=0")
    before = matching(page)
    rows = list(range(0, info.n, 4))[-3:]  # of the first class, not on the screen
    decisions.append(info, [Decision(row, Action.KEEP, "bob") for row in rows])
    assert matching(page) == before - 3


def test_a_skip_hides_no_colleagues_answer(common_server, page, make_set):
    info = make_set(common_server, "skipped", CLASSES)
    decisions.append(info, [Decision(0, Action.KEEP, "bob")])
    desk = Desk(common_server, page, info).open("&again=1&id=item-0")
    said = page.locator(".q")
    assert "by bob" in said.inner_text()
    desk.press("s").saved()
    page.keyboard.press("ArrowLeft")
    said.get_by_text("by bob").wait_for()
    assert desk.shown == 0


def test_a_colleagues_new_class_is_there_with_the_next_image(common_server, page, make_set):
    info = make_set(common_server, "classes", CLASSES)
    desk = Desk(common_server, page, info).open()
    elsewhere = next(row for row in range(info.n - 1, -1, -1) if row != desk.shown)
    grown, emu = new_classes.add_class(info, "emu")
    decisions.append(grown, [Decision(elsewhere, Action.RELABEL, "bob", label=emu)])
    desk.press("k").saved()
    desk.press("w", "/")
    page.keyboard.type("emu")
    page.locator(".option", has_text="emu").wait_for()
    assert page.locator(".option.fresh").count() == 0, "it would be a second class of that name"
    desk.press("Enter").saved()
    assert [label for _, action, label in desk.actions() if action == "relabel"][-1] == emu


def test_one_key_leads_back_to_what_was_skipped_and_is_unsure(common_server, page, make_set):
    info = make_set(common_server, "put off", CLASSES)
    desk = Desk(common_server, page, info).open("&given=0")
    skipped = desk.shown
    desk.press("s").saved()
    unsure = desk.shown
    desk.press("u", "k").saved()
    page.keyboard.press("l")
    page.wait_for_url("**verdict=waits**")
    late = page.locator(f".stage > img[src*='/{skipped}/'], .stage > img[src*='/{unsure}/']")
    late.wait_for()
    assert "given=" not in page.url, "the filters before are gone: it is all that was put off"
    desk.press("s", "s").saved()
    page.get_by_text("That was all under these filters; 1 image left as before.").wait_for()
    page.get_by_role("button", name="Show skipped and unsure").click()
    late.wait_for()
    desk.press("k").saved().press("k").saved()
    page.get_by_text("Nothing left under these filters").wait_for()
    assert page.get_by_role("button", name="Show skipped and unsure").count() == 0
    assert [action for row, action, _ in desk.actions() if row in (skipped, unsure)][-2:] == [
        "keep",
        "keep",
    ]


@pytest.mark.parametrize("view", ["Single", "Page"])
def test_the_end_of_the_queue_leads_to_what_waits_on_team(common_server, page, make_set, view):
    info = make_set(common_server, f"ends {view}", CLASSES, n=8)
    for who in ("reviewer A", "bob"):
        decisions.add_reviewer(info.workspace, who)
        kept = [Decision(row, Action.KEEP, who) for row in range(2, info.n)]
        decisions.append(info, kept)
    decisions.append(
        info, [Decision(0, Action.NONE, "bob"), Decision(0, Action.KEEP, "reviewer A")]
    )
    decisions.append(info, [Decision(1, Action.UNSURE, "reviewer A")])
    page.goto(f"{common_server.url}/review?dataset={info.name}")
    if view == "Page":
        page.get_by_text("Page", exact=True).click()
        page.locator(".page12 .end").wait_for()
    page.get_by_text("Nothing is left in the queue.").wait_for()
    page.get_by_role("button", name="Show skipped and unsure").wait_for()
    page.get_by_role("button", name="Team: 1 disagreement to settle, 1 unsure image").click()
    page.get_by_role("heading", name="To settle").wait_for()


def test_all_that_was_put_off_is_passed_by_before_the_end_is_said(common_server, page, make_set):
    """The server sends a part of a queue at a time, and knows no skip of what stays as it was."""
    info = make_set(common_server, "put off much", CLASSES, n=80)
    rows = range(0, info.n, 2)
    decisions.add_reviewer(info.workspace, "reviewer A")
    decisions.append(info, [Decision(row, Action.UNSURE, "reviewer A") for row in rows])
    desk = Desk(common_server, page, info).open("&verdict=waits")
    end = page.get_by_text("That was all under these filters; 40 images left as before.")
    seen = []
    while not end.count() and len(seen) <= len(rows):
        seen.append(desk.looked().shown)
        page.keyboard.press("s")
        page.locator(".stage > img, .stage .end").first.wait_for()
    assert sorted(seen) == list(rows)
    assert len(desk.history()) == len(rows)
    page.keyboard.press("l")  # all of it again
    page.locator(".stage > img").wait_for()
    assert desk.shown == seen[0]


def test_two_who_add_a_class_at_once_each_get_their_own(common_server, page, make_set):
    """The browser would give the new class the number that a colleague's has got meanwhile."""
    info = make_set(common_server, "coined", CLASSES)
    desk = Desk(common_server, page, info).open()
    new_classes.add_class(info, "bobs")
    rows = []
    size = page.locator(".stage > img").get_attribute("src").split("/")[-1]
    page.wait_for_function(PICTURES_AHEAD, arg=size)  # none comes from a server that stands still
    os.killpg(common_server.process.pid, signal.SIGSTOP)  # no word from the server meanwhile
    try:
        for _ in range(2):
            rows.append(desk.shown)
            desk.press("w", "/")
            page.keyboard.type("anns")
            page.locator(".option", has_text="anns").wait_for()
            desk.press("Enter")
            page.locator(".list .what", has_text="anns").nth(len(rows) - 1).wait_for()
    finally:
        os.killpg(common_server.process.pid, signal.SIGCONT)
    desk.saved()
    named = datasets.dataset(desk.ws, info.name).class_names
    assert named == (*CLASSES, "bobs", "anns")
    assert desk.actions() == [(row, "relabel", named.index("anns")) for row in rows]


def test_a_class_that_was_added_has_no_key_and_moves_none(common_server, page, make_set):
    info = make_set(common_server, "keys", CLASSES)
    desk = Desk(common_server, page, info).open()
    new_classes.add_class(info, "emu")
    decisions.append(
        datasets.dataset(desk.ws, info.name), [Decision(0, Action.RELABEL, "bob", label=4)]
    )
    page.reload()
    page.wait_for_selector(".stage > img")
    row, given = desk.shown, page.locator(".q .given").inner_text()
    desk.press("w").evidence().press("5")
    page.locator(".toast", has_text="no class has the key 5").wait_for()
    assert desk.shown == row
    other = next(label for label, name in enumerate(CLASSES) if name != given)
    desk.press(str(other + 1)).saved()
    assert [each for each in desk.actions() if each[0] == row] == [(row, "relabel", other)]
    desk.press("?")
    rows = page.locator(".keylist")
    rows.get_by_text(CLASSES[-1], exact=True).wait_for()
    assert rows.get_by_text("emu", exact=True).count() == 0
