"""The strip above the images, in every state and at every width: all of it is read and reached."""

import pytest

from lnl_core.services.review import goals
from lnl_core.store import decisions
from lnl_core.types import Action, Decision
from tests.browser.desk import MEASURE, STILL
from tests.browser.test_review import checked

pytestmark = pytest.mark.browser

WIDTHS = (390, 768, 1024, 1280, 1440, 1920)

OUTSIDE = """([...all]) => all.flatMap((button) => {
  const boxOf = (each) => each.getBoundingClientRect();
  const [own, strip] = [boxOf(button), boxOf(button.closest(".strip"))];
  const inside = own.left >= strip.left && own.right <= Math.min(strip.right, innerWidth)
    && own.top >= strip.top && own.bottom <= strip.bottom;
  return inside ? [] : [button.textContent];
})"""
"""Names the buttons of the strip that are not wholly inside it."""


def begun(desk):
    team(desk, 3)


def near(desk):
    team(desk, 2)
    checked(desk, 40)


def may_stop(desk):
    near(desk)
    goals.set_goal(desk.info, "reviews", 4, "ann")
    checked(desk, 4)


def all_answered(desk):
    team(desk, 2)
    goals.set_goal(desk.info, "reviews", 40, "ann")
    checked(desk, 60)


def team(desk, count):
    """Have as many more answer: what is said supposes that nobody errs, and there is a pace."""
    people = [f"person {each}" for each in range(count)] + 5 * ["reviewer A"]
    stored = [Decision(row, Action.KEEP, who, seconds=1.7) for row, who in enumerate(people)]
    decisions.append(desk.info, stored)


@pytest.mark.parametrize(
    ("state", "buttons"), [(begun, 1), (near, 1), (may_stop, 3), (all_answered, 3)]
)
def test_all_of_the_strip_is_seen(desk, state, buttons):
    """`Export` stood outside the window at 1024 px, and numbers on words at 1280."""
    state(desk)
    desk.open(picture=".strip .left")
    wrong = []
    for width in WIDTHS:
        desk.page.set_viewport_size({"width": width, "height": 800})
        desk.page.evaluate(STILL)
        here = [*desk.page.evaluate(MEASURE)]
        pressed = desk.page.locator(".strip button")
        assert pressed.count() == buttons
        here += pressed.evaluate_all(OUTSIDE)
        wrong += [f"{width}: {said}" for said in here]
    assert not wrong, "\n".join(wrong)
