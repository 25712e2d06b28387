"""Review's way to accept suggestions unseen: what it says first, the check, the end."""

import pytest

from lnl_core.services.review import accepting, proposing
from lnl_core.store import decisions, plans
from lnl_core.store.db import now
from lnl_core.types import Action, Decision
from tests.pages.test_review import score, sent


@pytest.fixture
def checked(tiny):
    """A plan over the three images that a sure method calls wrong; two of them are its check."""
    score(tiny)
    decisions.add_reviewer(tiny.workspace, "reviewer A")
    chosen = proposing.pool(tiny, least=0.1)
    labels = dict(zip(chosen.rows.tolist(), chosen.labels.tolist(), strict=True))
    rows = (3, 25, 47)
    plan = plans.Plan(
        *(0, "reviewer A", now(), 7, "all suggestions", 0.5, 0.5, 0, 0.9),
        *(rows, tuple(labels[row] for row in rows), rows[:2]),
    )
    return plans.add(tiny, plan)


def test_it_says_before_the_start_that_few_suggestions_do_not_pay(desk, tiny):
    score(tiny)
    app = desk("review")
    app.button(key="review_accept").click().run()
    assert not app.exception
    assert app.button(key="accept_draw").disabled
    (said,) = [each.value for each in app.warning]
    assert "Does not pay" in said
    assert "It would pay at no least chance from 0.50 up." in said


def test_a_passed_check_is_accepted_above_the_desk(desk, tiny, checked):
    app = desk("review")
    app.button(key="accept_look_banner").click().run()
    assert not app.exception
    assert {item["row"] for item in sent(app)["items"]} == {3, 25}
    assert sent(app)["mode"] == "commit"
    labels = dict(zip(checked.rows, checked.labels, strict=True))
    said = [Decision(row, Action.RELABEL, "reviewer A", label=labels[row]) for row in (3, 25)]
    decisions.append(tiny, said)
    app.run()
    assert sent(app)["ends"]["accepts"]  # so that "Clear filters" is no second primary button
    app.button(key="accept_do_banner").click().run()
    assert not app.exception
    assert accepting.plan(tiny, 1).in_force
    assert not [each for each in app.button if each.key == "accept_do_banner"]
    app.button(key="review_accept").click().run()
    app.button(key="accept_undo_1").click().run()
    assert not accepting.plan(tiny, 1).in_force
