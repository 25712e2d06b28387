"""What the audit makes of suggestions accepted unseen: draws, limits, certificates."""

import numpy as np
import pytest

from lnl_core.services import in_force
from lnl_core.services.moment import moment
from lnl_core.services.review import accepting, auditing, certifying
from lnl_core.store import datasets
from lnl_core.types import LnlError
from tests.services.review.plans import (
    N,
    accepted,
    autos,
    begun,
    birds,
    looked_at,
    review_at_random,
)

__all__ = ["birds"]


def test_they_are_drawn_and_a_wrong_one_counts_as_left_until_a_person_finds_it(birds):
    plan = accepted(birds)
    decided = autos(birds)
    true = np.asarray(datasets.load(birds).true_labels)
    labels = dict(zip(plan.rows, plan.labels, strict=True))
    spoilt = [int(row) for row in decided if labels[row] != true[row]]
    review_at_random(birds, 500)
    drawn = {each.row for each in auditing.since_grown(birds)}
    assert drawn & set(decided.tolist())
    said = auditing.said_of(in_force.standing(birds))
    for row in drawn & set(decided.tolist()):
        assert said[row] == (auditing.WRONG if row in spoilt else auditing.RIGHT)
    left = auditing.errors_left(birds, fresh=True)
    now = in_force.standing(birds)
    current = np.where(now.auto >= 0, now.auto, np.asarray(datasets.load(birds).given_labels))
    really = int(((current != true) & ~now.answered).sum())
    assert left.low <= really <= left.limit
    assert left.auto == int((~now.answered[decided]).sum())


def test_before_new_draws_every_unseen_label_may_be_wrong(birds):
    review_at_random(birds, 200, seed=1)
    plan = begun(birds)
    before = auditing.errors_left(birds, fresh=True)
    looked_at(birds, plan)
    accepting.accept(birds, plan.number, "ann")
    after = auditing.errors_left(birds, fresh=True)
    assert after.before
    assert after.auto == len(autos(birds))
    checked = len(plan.checks)
    assert after.limit >= before.limit - checked  # the old limit, and all that nobody looked at
    accepting.undo(birds, plan.number, "ann")
    undone = auditing.errors_left(birds, fresh=True)
    assert not undone.before
    assert undone.auto == 0
    assert undone.limit <= before.limit


def test_no_certificate_rests_on_draws_from_before_labels_changed(birds):
    review_at_random(birds, 300, seed=1)
    accepted(birds)
    datasets.update_meta(birds, errors_goal=N)
    with pytest.raises(LnlError, match="changed unseen"):
        certifying.certificate(birds)
    review_at_random(birds, 400)
    datasets.update_meta(birds, errors_goal=150)
    body = certifying.certificate(birds)
    assert body["auto_fixed"] == int(moment(birds).auto_open.sum()) > 0
    path = birds.directory / "certificate.json"
    path.write_bytes(certifying.as_bytes(body))
    assert all(each.holds for each in certifying.verify(birds, path))
    accepting.undo(birds, 1, "ann")
    body["auto_fixed"] = 0
    body["checksum"] = certifying._checksum(body)
    path.write_bytes(certifying.as_bytes(body))
    assert not all(each.holds for each in certifying.verify(birds, path))


def test_limits_hold_where_a_plan_spoils_labels():
    """Truth is replayed by chance: twenty reviews, each with a plan in the middle."""
    false = 0
    for seed in range(20):
        false += _review_with_a_plan(seed)
    assert false <= 3  # of 20, at 5 %: more has a chance of 1.6 %


def _review_with_a_plan(seed, n=300):
    """Return whether the better of both limits was ever below what was left, in plain arrays."""
    from lnl_core.review.evidence import Evidence, possible_totals

    rng = np.random.default_rng(seed)
    given_wrong = rng.random(n) < 0.2
    open_, auto = np.ones(n, bool), np.zeros(n, bool)
    said = Evidence(possible_totals(n))
    after = None
    false = False
    for step in range(160):
        if step == 60:
            rows = np.flatnonzero(open_ & (given_wrong | (rng.random(n) < 0.02)))
            auto[rows], after = True, Evidence(possible_totals(n))
        now_wrong = np.where(auto, ~given_wrong, given_wrong)
        rows = np.flatnonzero(open_)
        row = int(rng.choice(rows))
        found_given = int((given_wrong & ~open_).sum())
        found_now = int((now_wrong & ~open_).sum())
        said.draw(len(rows), found_given, bool(given_wrong[row]))
        if after is not None:
            after.draw(len(rows), found_now, bool(now_wrong[row]))
        open_[row] = False
        alpha = 0.05 if after is None else 0.025
        found = int((given_wrong & ~open_).sum())
        most = found + int(open_.sum())
        limit = auditing.auditing.live_limits(said, found, most, alpha).limit - found
        limit += int((auto & open_).sum())
        if after is not None:
            found = int((now_wrong & ~open_).sum())
            most = found + int(open_.sum())
            own = auditing.auditing.live_limits(after, found, most, alpha).limit - found
            limit = min(limit, own)
        false |= limit < int((now_wrong & open_).sum())
    return false
