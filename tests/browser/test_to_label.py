"""Images without a class on the review page: what is it, by keys, apart from the queue."""

import numpy as np
import pytest

from lnl_core.review import labelled
from lnl_core.store import arrays, datasets
from tests.browser.desk import Desk

pytestmark = pytest.mark.browser

NAMES = ["ant", "bee", "Not sure", "doe"]


@pytest.fixture
def vague(common_server, page, make_set, request):
    """A scored set whose third label is no class, not opened yet."""
    info = make_set(common_server, request.node.name[:60], NAMES)
    datasets.update_meta(info, no_classes=["Not sure"])
    info = datasets.dataset(info.workspace, info.name)
    given = np.asarray(datasets.load(info).given_labels)
    found = [arrays.load_signals(info.directory / "runs" / str(run)) for run in (1, 2)]
    ranking = labelled.rank(found, given, 4, None, info.no_classes)
    arrays.save_ranking(info.directory / "ranking", ranking, {"sr": 1, "knn": 2})
    return Desk(common_server, page, info)


def test_what_it_is_is_said_without_seeing_advice(vague):
    desk = vague.open("&to_label=1")
    page = desk.page
    row = desk.shown
    assert "What is it?" in page.locator(".q").inner_text()
    assert page.locator(".choice").count() == 0
    desk.press("k")  # there is no label to be right
    page.locator(".toast", has_text="Not sure is no class").wait_for()
    assert desk.shown == row
    desk.press("4").saved()  # doe, by its own key
    assert desk.shown != row
    assert desk.actions() == [(row, "relabel", 3)]
    assert not desk.history()[0].revealed
    assert "1 of 15 labelled" in page.locator(".strip").inner_text()


def test_advice_comes_on_request_and_is_recorded(vague):
    desk = vague.open("&to_label=1")
    row = desk.shown
    desk.press("e").evidence()
    first = desk.page.locator(".choice.first .name").inner_text()
    assert first != "Not sure"
    assert desk.page.locator(".choices").get_by_text("p wrong").count() == 0
    desk.press("Enter").saved()
    assert desk.actions() == [(row, "relabel", NAMES.index(first))]
    assert desk.history()[0].revealed


def test_the_picker_offers_classes_alone_and_undo_brings_the_image_back(vague):
    desk = vague.open("&to_label=1")
    page, row = desk.page, desk.shown
    desk.press("/")
    assert page.locator(".picker").inner_text().count("Not sure") == 0
    page.keyboard.type("bee")
    desk.press("Enter").saved()
    assert desk.actions() == [(row, "relabel", 1)]
    desk.press("z").saved()
    assert desk.shown == row
    assert "0 of 15 labelled" in page.locator(".strip").inner_text()


def test_the_queue_holds_none_of_them_and_no_answer_chooses_their_label(vague):
    desk = vague.open()
    given = np.asarray(datasets.load(desk.info).given_labels)
    for _ in range(6):
        assert given[desk.shown] != 2
        desk.press("w")
        desk.press("3")
        desk.page.locator(".toast", has_text="Not sure is no class").wait_for()
        desk.press("n")
    desk.saved()
    assert {action for _, action, _ in desk.actions()} == {"none"}
