"""What is left of a set that grew: draws from before say nothing of what came."""

import numpy as np
import pytest

from lnl_core.services import in_force
from lnl_core.services.datasets import catalog, growing
from lnl_core.services.review import auditing, draws
from lnl_core.store import audits, datasets, decisions
from lnl_core.types import Action, Decision
from tests.services.datasets.test_growing import again, file_of, pictures


def checked(info, count, wrong=()):
    """Draw images at random and answer them: right, but for some of these draws."""

    def closed():
        now = in_force.standing(info)
        return now.last_id, np.array(now.answered)

    drawn = audits.draw(info, "ann", count, closed, seed=5)
    said = [Action.NONE if at in wrong else Action.KEEP for at in range(count)]
    decisions.append(
        info, [Decision(each.row, one, "ann") for each, one in zip(drawn, said, strict=True)]
    )


def test_errors_left_count_what_was_added_as_unseen_until_it_is_drawn_from(workspace, tmp_path):
    source = file_of(tmp_path, "set", pictures(60), np.arange(60) % 3)
    catalog.import_dataset(workspace, source, "set")
    info = datasets.dataset(workspace, "set")
    checked(info, 40, wrong=(1, 2))
    before = auditing.errors_left(info)
    assert before.unseen == 0
    growing.add_images(info, file_of(tmp_path, "more", pictures(30, seed=8), np.arange(30) % 3))
    info = again(info)
    after = auditing.errors_left(info)
    assert (after.unseen, after.total, after.audits) == (30, 90, 40)
    assert after.low == before.low
    assert after.high == before.high + 30
    assert after.limit == before.limit + 30
    assert before.estimate < after.estimate < after.high
    assert auditing.report(info).needed is None
    decisions.append(info, [Decision(row, Action.KEEP, "ann") for row in range(60, 70)])
    assert auditing.errors_left(info).high == before.high + 20  # looked at, so no longer unseen
    checked(info, 25)
    later = auditing.errors_left(info)
    assert later.unseen == 0
    assert later.high < before.high + 20


def test_a_few_draws_since_images_came_do_not_say_how_many_were_wrong(workspace, tmp_path):
    source = file_of(tmp_path, "set", pictures(60), np.arange(60) % 3)
    catalog.import_dataset(workspace, source, "set")
    info = datasets.dataset(workspace, "set")
    checked(info, 40, wrong=(1, 2))
    before = auditing.report(info).rate
    growing.add_images(info, file_of(tmp_path, "more", pictures(30, seed=8), np.arange(30) % 3))
    info = again(info)
    checked(info, 10, wrong=(0, 3, 5))  # these alone would say three in ten
    rate, left = auditing.report(info).rate, auditing.errors_left(info)
    assert left.since == 10
    assert rate.share == pytest.approx((left.found + left.estimate) / 90)
    assert before.share < rate.share < 0.2
    assert rate.high > before.high  # what came may be wrong to the last image


def test_draws_of_the_smaller_set_say_nothing_of_the_larger_one(workspace, tmp_path):
    source = file_of(tmp_path, "set", pictures(60), np.arange(60) % 3)
    catalog.import_dataset(workspace, source, "set")
    info = datasets.dataset(workspace, "set")
    checked(info, 30)
    growing.add_images(info, file_of(tmp_path, "more", pictures(300, seed=8), np.arange(300) % 3))
    info = again(info)
    checked(info, 24, wrong=range(12))  # half of what is drawn from all is wrong
    left = auditing.errors_left(info)
    assert left.low > 40
    assert len(draws.replay(info).rows) == 24
    assert draws.replay(info).unreviewed[0] == 330
