"""However often a set is changed, the risks of all its states together are those of one review."""

import numpy as np
import pytest

from lnl_core.review.auditing import ALPHA, risk
from lnl_core.services.datasets import growing
from lnl_core.services.in_force import standing
from lnl_core.services.review import accepting, auditing, limits
from lnl_core.services.review.filtering import Filters
from lnl_core.services.review.risks import risks, states
from lnl_core.store import datasets
from tests.services.datasets.test_growing import file_of, pictures
from tests.services.review.plans import accepted, birds, review_at_random

__all__ = ["birds"]  # a fixture


def test_all_states_together_have_the_risk_of_one_review():
    parts = [risk(k) for k in range(60)]
    assert sum(parts) == pytest.approx(ALPHA)
    assert parts == sorted(parts, reverse=True)


@pytest.mark.parametrize(
    ("changes", "number"),
    [
        ([], 0),
        ([("accepted", 1)], 1),
        ([("accepted", 1), ("accepted", 2)], 2),
        ([("accepted", 1), ("undone", 1)], 0),  # goes on where it was
        ([("accepted", 1), ("undone", 1), ("accepted", 2)], 2),
        ([("accepted", 1), ("accepted", 2), ("undone", 2)], 1),
        ([("accepted", 1), ("accepted", 2), ("undone", 1)], 3),  # labels as they never were
        ([("grown", 0), ("grown", 0)], 2),
        ([("accepted", 1), ("grown", 0), ("undone", 1)], 3),
    ],
)
def test_each_state_has_a_number_of_its_own(changes, number):
    told = states([(str(at), *each) for at, each in enumerate(changes)])
    assert list(told.values())[-1] == number
    assert sorted(told.values()) == list(range(len(told)))


def test_a_plan_takes_a_part_of_what_is_left_and_gives_it_back(birds):
    review_at_random(birds, 60)
    before = auditing.errors_left(birds, fresh=True)
    assert risks(birds, standing(birds)).now == risk(0)
    plan = accepted(birds)
    now = risks(birds, standing(birds))
    assert (now.now, now.given, now.before) == (risk(1), risk(0), None)
    accepting.undo(birds, plan.number, "ann")
    assert risks(birds, standing(birds)).now == risk(0)
    after = auditing.errors_left(birds, fresh=True)
    assert after.limit <= before.limit  # draws from before count again
    accepted(birds)
    assert risks(birds, standing(birds)).now == risk(2)


def test_images_added_after_a_plan_leave_every_label_that_it_changed_in_doubt(birds, tmp_path):
    """Draws from before the plan speak of the labels that the images came with."""
    review_at_random(birds, 60)
    accepted(birds, least=0.0)  # right labels, too, which it spoils
    truth = np.array(datasets.load(birds).true_labels)
    more = pictures(6, seed=8, side=4, channels=1)
    names = np.array(["auk", "bee", "cod"])
    source = file_of(tmp_path, "more", more, np.zeros(6, int), class_names=names)
    growing.add_images(birds, source)
    grown = datasets.dataset(birds.workspace, birds.name)
    now = standing(grown)
    told = risks(grown, now)
    assert (told.now, told.given, told.before) == (risk(2), None, risk(0))
    left = auditing.errors_left(grown, fresh=True)
    assert left.unseen == 6
    spoilt = now.auto_open[: birds.n] & (now.auto[: birds.n] != truth)
    assert spoilt.sum() > 600
    assert left.limit >= spoilt.sum() + left.unseen
    assert left.low == 0  # the plan may have put every one of them right


def test_an_older_plan_taken_back_leaves_no_limit_of_the_labels_before(birds):
    first = accepted(birds, filters=Filters(given=0, suggested=2), least=0.5)
    accepted(birds, least=0.5)
    review_at_random(birds, 60, seed=4)
    before = auditing.errors_left(birds, fresh=True)
    accepting.undo(birds, first.number, "ann")
    kept_up = auditing.errors_left(birds, fresh=True)
    assert kept_up.limit > before.limit
    limits._growing.cache_clear()
    limits.limits_of.cache_clear()
    assert auditing.errors_left(birds, fresh=True) == kept_up
