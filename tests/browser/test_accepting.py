"""Suggestions accepted unseen, from the proposal to taking them back, under real keys."""

import re

import numpy as np
import pytest

from lnl_core.services import in_force
from lnl_core.store import arrays, datasets, plans
from lnl_core.types import Signals
from tests import rankings
from tests.browser.desk import CLASSES, Desk

pytestmark = pytest.mark.browser

IMAGES = 420


@pytest.fixture
def many_wrong(common_server, page, make_set):
    """A desk on images of which 40 % are wrong, and a method that knows the right classes."""
    given = np.arange(IMAGES) % len(CLASSES)
    wrong = np.random.default_rng(4).random(IMAGES) < 0.4
    truth = np.where(wrong, (given + 1) % len(CLASSES), given)
    info = make_set(common_server, "many wrong", CLASSES, n=IMAGES, true_labels=truth)
    probs = np.full((IMAGES, len(CLASSES)), 0.004)
    probs[np.arange(IMAGES), truth] = 0.988
    signals = Signals("sr", 1 - probs[np.arange(IMAGES), given], probs)
    arrays.save_signals(info.directory / "runs" / "1", signals)
    ranking = rankings.rank([signals], given, len(CLASSES))
    arrays.save_ranking(info.directory / "ranking", ranking, {"sr": 1})
    datasets.update_meta(info, hidden_looks=0)
    return Desk(common_server, page, info)


def key(name):
    return f".st-key-{name} button"


def auto(info):
    return in_force.standing(info).auto >= 0


def test_a_check_is_drawn_answered_accepted_and_taken_back_in_one_step(many_wrong):
    desk, page = many_wrong.open(), many_wrong.page
    truth = np.asarray(datasets.load(desk.info).true_labels)
    page.click(key("review_accept"))
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("Suggestions", exact=True).wait_for()
    dialog.get_by_role("slider").focus()
    page.keyboard.press("Home")  # from a chance of 0.5 on
    dialog.get_by_role("radio", name="90").click()
    dialog.get_by_role("button", name=re.compile(r"Check \d+ images")).click()
    page.wait_for_selector(".st-key-accept_banner")
    (plan,) = plans.plans(desk.info)
    seen = set()
    page.wait_for_selector(", ".join(f'.stage > img[src*="/{row}/"]' for row in plan.checks))
    for _ in plan.checks:
        seen.add(desk.shown)
        desk.press("w").evidence()
        desk.press("Enter")
    desk.saved()
    assert seen == set(plan.checks)
    assert not auto(desk.info).any()  # nothing is accepted by itself
    page.click(key("accept_do_banner"))
    page.wait_for_selector(".st-key-accept_banner", state="detached")
    now = in_force.standing(desk.info)
    rows = np.flatnonzero(now.auto >= 0)
    assert set(rows.tolist()) <= set(plan.rows) - set(plan.checks)
    assert len(rows) > 80
    assert (now.auto[rows] == truth[rows]).all()
    assert not now.answered[rows].any()  # nobody has looked at them: the audit still draws them
    page.click(key("review_accept"))
    page.get_by_role("dialog").get_by_text("accepted by").wait_for()
    page.click(key("accept_undo_1"))
    page.get_by_text("Taken back.").wait_for()
    assert not auto(desk.info).any()
    assert in_force.standing(desk.info).answered.sum() == len(plan.checks)  # these stay


def test_a_set_where_few_suggestions_are_sure_says_that_it_does_not_pay(
    common_server, page, make_set
):
    desk = Desk(common_server, page, make_set(common_server, "few", CLASSES)).open()
    page.click(key("review_accept"))
    page.get_by_role("dialog").get_by_text("Does not pay").wait_for()
    assert not plans.plans(desk.info)
