"""One answer for all copies of a picture, by key and by mouse, one by one and on a page."""

import numpy as np
import pytest

from lnl_core.store import datasets, decisions
from tests.browser.desk import CLASSES, Desk

pytestmark = pytest.mark.browser

COPIES = (0, 4, 8, 12, 21)
"""Rows of one picture; the last is a bee, all others are ants."""


@pytest.fixture
def copied(common_server, page, make_set, request):
    """Review on a set in which one picture comes five times."""
    info = make_set(common_server, request.node.name[:60], CLASSES)
    first = np.arange(info.n, dtype=np.int32)
    first[list(COPIES)] = 0
    np.save(info.directory / datasets.COPIES, first)
    return Desk(common_server, page, info)


def answers(desk):
    return {row: str(each[0].action) for row, each in decisions.in_force(desk.info).items()}


def test_a_key_answers_all_copies_and_one_undo_takes_them_back(copied):
    page = copied.page
    copied.open("&id=item-4")
    before = page.locator(".panel .sec", has_text="The same picture, stored 5 times")
    assert before.locator("img").count() == 4
    assert page.locator(".panel").inner_text().count("bee") == 0  # labels would tell what to say
    copied.press("t")
    page.get_by_role("button", name="Right, all 5").wait_for()
    copied.press("k").saved()
    assert answers(copied) == {0: "keep", 4: "keep", 8: "keep", 12: "keep", 21: "relabel"}
    assert copied.shown not in COPIES
    page.locator(".li", has_text="× 5").wait_for()
    copied.press("z").saved()
    assert copied.shown == 4
    assert answers(copied) == {}
    page.get_by_role("button", name="Right").wait_for()
    assert page.get_by_role("button", name="Right, all 5").count() == 0  # asked anew each time
    copied.press("k").saved()
    assert answers(copied) == {4: "keep"}


def test_the_choice_comes_back_with_the_image_and_goes_no_further(copied):
    page = copied.page
    copied.open("&id=item-8").press("t", "w").evidence()
    page.locator(".nears:not(.copies) .nb").first.click()
    page.locator("button.back").wait_for()
    assert page.get_by_role("button", name="Right, all").count() == 0
    copied.press("b")
    page.get_by_role("button", name="Wrong, all 5").wait_for()


def test_by_mouse_after_wrong_with_the_labels_of_all_copies(copied):
    page = copied.page
    copied.open("&id=item-8").press("w").evidence()
    copies = page.locator(".copies")
    assert "Labelled ant 4, bee 1: at least one is certainly wrong." in copies.inner_text()
    assert copies.locator(".id").all_inner_texts() == ["item-21", "item-0", "item-4", "item-12"]
    copies.get_by_role("button", name="one answer for all 5").click()
    page.get_by_role("button", name="Wrong, all 5").wait_for()
    copied.press("2").saved()  # a bee
    assert answers(copied) == dict.fromkeys(COPIES[:4], "relabel") | {21: "keep"}


def test_an_answer_is_for_one_image_unless_told_otherwise(copied):
    copied.open("&id=item-4").press("k").saved()
    assert answers(copied) == {4: "keep"}
    copied.open("&id=item-8")
    section = copied.page.locator(".panel .sec", has_text="stored 5 times")
    section.get_by_role("button", name="one answer for all 4").click()
    copied.press("n").saved()
    assert answers(copied) == {4: "keep", **dict.fromkeys((0, 8, 12, 21), "none")}


def test_a_picture_that_is_stored_once_says_so(copied):
    copied.open("&id=item-5").press("t")
    copied.page.locator(".toast", has_text="stored once").wait_for()


def test_a_page_answers_copies_together_and_is_taken_back(copied):
    page = copied.page
    copied.open("&given=0").press("g")
    page.wait_for_selector(".tile")
    shown = page.locator(".tile", has=page.locator(".times")).count()
    assert shown >= 2  # some of the others are not on this page
    copied.press("t")
    page.locator(".tile", has=page.locator(".times")).first.click()
    assert page.locator(".tile.x").count() == shown  # copies are marked together
    page.locator(".tile.x").first.click()
    assert page.locator(".tile.x").count() == 0
    copied.press("Enter").saved()
    said = answers(copied)
    assert said[21] == "relabel"
    assert {said[row] for row in COPIES[:4]} == {"keep"}
    shown_modes = [each.mode for each in copied.history() if each.row in COPIES]
    assert sorted(shown_modes) == ["copies"] * 4 + ["page"]
    copied.press("Backspace").saved()
    assert answers(copied) == {}
