"""The nearest images beside the evidence: they open, and lead back to the queue."""

import numpy as np
import pytest

from lnl_core.store import arrays, datasets
from tests.browser.desk import CLASSES

pytestmark = pytest.mark.browser


def test_the_nearest_images_open_and_lead_back(desk):
    desk.press("w").evidence()
    first, buttons = desk.shown, desk.page.locator(".panel .nb")
    assert desk.page.locator(".nears .nb").count() == 10
    near = buttons.first
    aim = int(near.locator("img").get_attribute("src").split("/")[-2])
    name = CLASSES[aim % len(CLASSES)]
    assert near.get_attribute("aria-label") == f"Labelled {name}, no answer yet. Opens it."
    near.hover()
    assert desk.page.locator(".nears .said").inner_text() == f"Labelled {name}, no answer yet."
    near.click()
    desk.page.wait_for_url(f"**/review?dataset=*&id=item-{aim}")
    desk.page.wait_for_selector(f'.stage > img[src*="/{aim}/"]')
    assert desk.page.locator(".choice").count() == 0  # it has not been answered: no advice
    desk.press("b")
    desk.evidence()  # as it was left: said to be wrong
    assert desk.shown == first
    desk.page.wait_for_function("() => !location.search.includes('id=')")
    buttons.first.focus()
    desk.press("Enter")
    desk.page.wait_for_url(f"**/review?dataset=*&id=item-{aim}")
    desk.page.wait_for_selector(f'.stage > img[src*="/{aim}/"]')
    desk.page.locator("button.back").wait_for()
    desk.press("k").evidence()  # answered: back to the image whose evidence it was
    assert desk.shown == first
    desk.saved()
    assert desk.actions() == [(aim, "keep", None)]
    desk.press("Enter").saved()
    assert desk.actions()[-1] == (first, "relabel", (first + 1) % len(CLASSES))


def test_the_nearest_of_both_classes_are_there(desk):
    desk.press("w").evidence()
    given = desk.shown % len(CLASSES)
    sides = desk.page.locator(".pair > div")
    assert sides.count() == 2
    for place, label in enumerate((given, (given + 1) % len(CLASSES))):
        rows = [
            int(src.split("/")[-2])
            for src in sides.nth(place)
            .locator("img")
            .evaluate_all("images => images.map((image) => image.src)")
        ]
        assert rows
        assert {row % len(CLASSES) for row in rows} == {label}


def test_the_same_picture_is_shown_with_its_other_label(desk):
    groups, first = np.arange(desk.info.n, dtype=np.int32), desk.shown
    again, other = (first + 4) % desk.info.n, (first + 1) % desk.info.n
    groups[[first, again, other]] = min(first, again, other)
    arrays.write_array(desk.info.directory / datasets.COPIES, groups)
    desk.press("w").evidence()
    section = desk.page.locator(".sec.copies")
    told = f"{CLASSES[other % len(CLASSES)]} 1: at least one is certainly wrong."
    assert told in section.inner_text()
    aims = section.locator("img").evaluate_all("found => found.map((one) => one.src)")
    assert [int(aim.split("/")[-2]) for aim in aims] == [other, again]
    section.locator(".nb").first.hover()
    assert "no answer yet" in section.locator(".said").inner_text()
    section.locator(".nb").first.click()
    desk.page.wait_for_selector(f'.stage > img[src*="/{other}/"]')


def test_five_views_below_the_evidence_show_the_image_at_hand(desk):
    first = desk.shown
    assert desk.page.get_by_role("button", name="Five views").count() == 0, "nothing is answered"
    desk.press("w").evidence().saved()
    desk.page.get_by_role("button", name="Five views").click()
    desk.page.wait_for_url(f"**/compare?*id=item-{first}*")
    assert "view=five" in desk.page.url
    desk.page.locator(".fv .head .id", has_text=f"item-{first}").wait_for()
    assert desk.page.locator(".fv .column").count() == 5
