"""A hidden look under real keys: it asks without the label, decides nothing, Z brings it back."""

import pytest

from lnl_core.services.in_force import standing
from lnl_core.services.review import looks
from lnl_core.store import datasets, decisions
from lnl_core.store import looks as stored
from lnl_core.types import Action, Decision
from tests.browser.desk import CLASSES, Desk

pytestmark = pytest.mark.browser
WHO = "reviewer A"


def test_a_control_is_asked_blind_answered_by_a_digit_and_taken_back(common_server, page, make_set):
    info = make_set(common_server, "looks", CLASSES)
    datasets.update_meta(info, hidden_looks=0.1, looks_key="11" * 16)
    decisions.append(info, [Decision(row, Action.KEEP, "ann") for row in range(20)])
    for row in range(20, 50):  # until a control is the very next
        decisions.append(info, [Decision(row, Action.KEEP, WHO)])
        next_look = looks.placed(info, WHO, standing(info)).get(0)
        if next_look is not None and next_look.route == "control":
            break
    before = decisions.last_id(info)
    desk = Desk(common_server, page, info).open()
    assert (next_look.route, desk.shown) == ("control", next_look.row)
    assert page.locator(".q").inner_text().startswith("What is this?")
    assert f"{next_look.row:05d}" not in page.locator(".desk").inner_html()  # its path
    reviewed = page.locator(".strip b").first.inner_text()
    since = page.locator(".strip .since").all_inner_texts()
    desk.press("e")
    assert not page.locator(".choice.first .name").count()
    desk.press("2").saved()
    assert desk.shown != next_look.row
    assert page.locator(".strip b").first.inner_text() == reviewed
    answers = int("".join(since).strip() or 0) + 1  # as for any answer
    assert page.locator(".strip .since").inner_text().strip() == f"+{answers}"
    (made,) = stored.every(info)
    assert (made.row, made.route, made.mode) == (next_look.row, "control", "blind")
    assert decisions.last_id(info) == before
    desk.press("z").saved()
    assert desk.shown == next_look.row
    desk.press("3").saved()
    assert [each.cid for each in stored.in_force(info)] == [stored.every(info)[-1].cid]
    assert decisions.last_id(info) == before
