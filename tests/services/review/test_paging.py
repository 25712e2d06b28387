"""Page mode has random checks of its own, and the guarantee holds with them."""

import numpy as np
import pytest

from lnl_core.review import auditing as limits
from lnl_core.review.evidence import AUDIT, Audit
from lnl_core.services.in_force import standing
from lnl_core.services.review import auditing, desk
from lnl_core.services.review.draws import RIGHT, draws
from lnl_core.services.review.filtering import Filters
from lnl_core.services.review.limits import highest
from lnl_core.services.team import parts
from lnl_core.store import decisions, plans
from lnl_core.store.db import now
from lnl_core.store.plans import Plan
from tests.services.review.test_auditing import Reviewer, make


@pytest.fixture
def birds(workspace, tmp_path):
    return make(workspace, tmp_path, 600)


def turn(info, ann, **more):
    """Answer the page that comes next; return its class and rows."""
    page = desk.page_states(info, "ann", tab="a", count=2, **more)[0]
    rows = [item["row"] for item in page.items]
    ann.press(*rows)
    return page.label, rows


def test_pages_alone_bring_a_guarantee_and_hold_it(birds):
    ann = Reviewer(birds.workspace, birds)
    wrong = ann.truth != ann.given
    seen = []
    for _ in range(30):
        label, rows = turn(birds, ann)
        assert (ann.given[rows] == label).all()
        left = auditing.errors_left(birds, fresh=True)
        if left.limit is not None:
            assert left.limit >= (wrong & ~standing(birds).answered).sum()
            seen.append(left.limit)
    assert len(seen) > 10
    assert seen[-1] < seen[0] / 2
    drawn = [each.row for each in draws(birds)]
    answered = standing(birds).answered
    assert answered[drawn].sum() >= 0.08 * answered.sum()


def test_no_draw_is_left_behind_whatever_its_class(birds):
    ann = Reviewer(birds.workspace, birds)
    for _ in range(25):
        turn(birds, ann)
        here = standing(birds)
        open_ = [each for each in draws(birds) if not here.answered[each.row]]
        assert all(here.last_id - each.last_decision <= 12 * (2 + len(open_)) for each in open_)


def test_draws_outside_a_part_or_accepted_unseen_come_on_pages_too(birds):
    ann = Reviewer(birds.workspace, birds)
    decisions.add_reviewer(birds.workspace, "ann")
    parts.give(birds, "ann", "ann", (parts.Kind.CLASSES, [0]))
    rows = tuple(range(0, 600, 2))
    labels = tuple((int(ann.given[row]) + 1) % 3 for row in rows)
    plan = Plan(0, "ann", now(), 1, "x", 0.9, 0.95, 0, 0.9, rows, labels, (0,))
    plan = plans.add(birds, plan)
    facts = {"images": 299, "wrong": 0, "at_most_wrong": 3, "precision": 0.95}
    before = [int(ann.given[row]) for row in rows[1:]]
    plans.accept(birds, plan.number, "ann", rows[1:], facts, before, decisions.last_id(birds))
    for _ in range(14):
        _, page = turn(birds, ann)
        chosen = {each.row for each in draws(birds)} & set(page)
        assert len(page) >= min(12, 4 * len(chosen)), "alone, it would be known for what it is"
    answered = standing(birds).answered
    seen = [each.row for each in draws(birds) if answered[each.row]]
    assert any(ann.given[row] != 0 for row in seen)
    assert any(row in rows for row in seen)
    assert len(draws(birds)) - len(seen) <= 6
    assert any(row not in seen for row in np.flatnonzero(answered) if ann.given[row] != 0)
    accepted = set(rows[1:]) & set(np.flatnonzero(answered).tolist())
    assert accepted <= set(seen), "what was accepted unseen fills no page"


def test_images_of_other_parts_come_on_no_page_without_a_drawn_one(birds):
    ann = Reviewer(birds.workspace, birds)
    decisions.add_reviewer(birds.workspace, "ann")
    parts.give(birds, "ann", "ann", (parts.Kind.CLASSES, [0]))
    others = []
    for _ in range(10):
        label, rows = turn(birds, ann)
        chosen = {each.row for each in draws(birds)} & set(rows)
        if label != 0:
            assert len(rows) == min(12, 4 * len(chosen)) > 0
            others.append(len(rows))
        else:
            assert len(rows) == 12
    assert others


def test_a_page_that_is_only_looked_at_or_narrowed_draws_nothing(birds):
    desk.page_state(birds, "ann")
    desk.page_states(birds, "ann", tab="a", filters=Filters(given=1))
    assert draws(birds) == ()
    desk.page_states(birds, "ann", tab="a", count=2)
    assert draws(birds) != ()


def paged(rng, n, errors, kinds=4):
    """Review by pages; tell whether the limit was ever below the truth.

    Draws wait until a page of their class comes; classes differ in how wrong they are, and pages
    of the worst class come first, so that what is answered early is no fair part of the draws.
    """
    given = rng.integers(0, kinds, n)
    weight = 1.0 + 6 * (given == 0)
    wrong = np.zeros(n, bool)
    wrong[rng.choice(n, errors, replace=False, p=weight / weight.sum())] = True
    score = rng.normal(size=n) + 2 * (wrong & (rng.random(n) < 0.6))
    open_, made = np.ones(n, bool), []  # draw: row, rows that it chose from, rows out then
    while open_.any():
        waiting = [row for row, _, _ in made if open_[row]]
        while len(waiting) < 3:
            free = open_.copy()
            free[[row for row, _, _ in made]] = False
            if not free.any():
                break
            row = int(rng.choice(np.flatnonzero(free)))
            made.append((row, int(free.sum()), ~free))
            waiting.append(row)
        late = len(waiting) == 3 and rng.random() < 0.5
        mass = [score[open_ & (given == k)] for k in range(kinds)]
        sums = [np.sort(each)[-6:].sum() if len(each) else -99 for each in mass]
        label = given[waiting[0]] if late else int(np.argmax(sums))
        mine = [row for row in waiting if given[row] == label]
        best = np.flatnonzero(open_ & (given == label))
        open_[[*mine, *best[np.argsort(-score[best])][:6]]] = False
        answered = ~open_
        said = np.array([int(wrong[row]) if answered[row] else -2 for row, _, _ in made])
        if (said != -2).sum() < 10:
            continue
        # what is out without an answer counts as wrong, as the replay counts it
        found = np.array([(wrong | ~answered)[out].sum() for _, _, out in made])
        sizes = np.array([size for _, size, _ in made])
        upper = Audit(sizes, found, said != RIGHT, (AUDIT,) * len(made))
        known = int((wrong & answered).sum())
        _, limit = highest(upper, said, n, known, n - int((~wrong & answered).sum()))
        if limit < errors:
            return True
    return False


def test_the_limit_is_hardly_ever_false_with_draws_that_wait_for_their_page():
    rng = np.random.default_rng(3)
    reviews = 120
    false = sum(paged(rng, 90, 14) for _ in range(reviews))
    assert false / reviews <= limits.ALPHA + 3 * np.sqrt(0.05 * 0.95 / reviews)
