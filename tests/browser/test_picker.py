"""The pickers of classes: one of many, several that are right, and a new one."""

import pytest

from lnl_core.store import datasets
from tests.browser.desk import CLASSES

pytestmark = pytest.mark.browser


def test_typing_in_the_picker_presses_no_key(desk):
    row = desk.shown
    given = desk.page.locator(".q .given").inner_text()
    desk.press("w").evidence().press("/")
    desk.page.keyboard.type("kwunsz")
    assert desk.page.locator(".options").inner_text() == "new class\nkwunsz"
    desk.press("Escape")
    assert desk.shown == row
    label = next(i for i, name in enumerate(CLASSES) if name != given)
    desk.press("/")
    desk.page.keyboard.type(CLASSES[label])
    desk.press("Enter").saved()
    assert desk.actions() == [(row, "relabel", label)]


def test_a_panel_that_is_drawn_anew_leaves_the_picker_its_keys(desk):
    """Evidence and windows change while somebody types; what is typed must not answer."""
    row, given = desk.shown, desk.page.locator(".q .given").inner_text()
    label = next(i for i, name in enumerate(CLASSES) if name != given)
    desk.press("w").evidence().press("/")
    desk.page.keyboard.type(CLASSES[label][:1])
    desk.page.set_viewport_size({"width": 1400, "height": 1000})
    desk.page.wait_for_function("innerWidth === 1400")
    desk.page.evaluate("dispatchEvent(new Event('resize'))")
    desk.page.keyboard.type(CLASSES[label][1:])
    desk.press("Enter").saved()
    assert desk.actions() == [(row, "relabel", label)]


def test_a_click_in_the_picker_leaves_what_is_typed_to_its_field(desk):
    row, given = desk.shown, CLASSES.index(desk.page.locator(".q .given").inner_text())
    label = (given + 2) % 4
    desk.press("w").evidence().press("/")
    desk.page.locator(".option[aria-disabled]").click(force=True)  # the given class
    desk.page.keyboard.type(CLASSES[label][0])
    desk.page.evaluate("() => document.activeElement.shadowRoot.activeElement.blur()")
    desk.page.keyboard.type(CLASSES[label][1:])
    desk.press("Enter")
    desk.press("m").page.locator(".pickfoot .cap").click()
    desk.page.keyboard.type("ks")
    assert desk.page.locator(".picker .search").input_value() == "ks"
    assert desk.saved().actions() == [(row, "relabel", label)]


def test_several_classes_can_be_right(desk):
    row = desk.shown
    given = CLASSES.index(desk.page.locator(".q .given").inner_text())
    other = (given + 3) % 4
    desk.press("m")
    desk.page.keyboard.type(CLASSES[other])
    foot = desk.page.locator(".pickfoot .cap")
    assert foot.inner_text().split() == ["Enter", "marks"]
    desk.press("Enter")
    assert foot.inner_text().split() == ["Enter", "saves"]  # what it does now, however one marks
    desk.press("Enter").saved()
    (stored,) = desk.history()
    assert (stored.row, str(stored.action)) == (row, "multiple")
    assert stored.labels == tuple(sorted((given, other)))


def test_a_new_class_can_be_one_of_several(desk):
    row = desk.shown
    given = CLASSES.index(desk.page.locator(".q .given").inner_text())
    desk.press("m")
    desk.page.keyboard.type("heron")
    desk.press("Enter", "Enter").saved()
    (stored,) = desk.history()
    assert (stored.row, stored.labels) == (row, (given, len(CLASSES)))


def test_a_name_that_is_none_becomes_a_class_and_goes_with_its_answer(desk):
    row = desk.shown
    desk.press("w", "/")
    desk.page.keyboard.type("emu")
    desk.page.get_by_role("option", name="new class emu").wait_for()
    desk.press("Enter").saved()
    info = datasets.dataset(desk.ws, desk.info.name)
    assert info.class_names == (*CLASSES, "emu")
    assert desk.actions() == [(row, "relabel", 4)]
    assert desk.page.locator(".list .what").first.inner_text().endswith("emu")
    desk.press("w", "/")  # the next image: it is a class like the others now
    desk.page.keyboard.type("emu")
    desk.page.locator(".option", has_text="emu").wait_for()
    assert desk.page.locator(".option.fresh").count() == 0
    desk.press("Escape", "z", "z").saved()
    assert desk.actions()[-1] == (row, "reopen", None)
    desk.page.reload()
    desk.page.wait_for_selector(".stage > img")
    desk.press("w", "/")
    desk.page.locator(".option", has_text=CLASSES[0]).wait_for()
    assert desk.page.locator(".option", has_text="emu").count() == 0
