"""What each random draw chose from, against a slow walk through decisions and draws."""

import uuid

import numpy as np
import pytest

from lnl_core.services import in_force
from lnl_core.services.review import draws, moves
from lnl_core.store import audits, decisions
from lnl_core.types import Action, Decision
from tests.services.review.test_auditing import make

ACTIONS = [Action.KEEP, Action.RELABEL, Action.UNSURE, Action.SKIP, Action.REOPEN, Action.NONE]


def walked(info):
    """Return (unreviewed, found, unclear) at each draw: one event after the other."""
    now = in_force.standing(info)
    said, log = draws.said_of(now), list(decisions.log(info))
    holders, taken, out, rows = {}, set(), set(), []
    for each in audits.draws(info):
        while log and log[0][0] <= each.last_decision:
            _, row, who, action = log.pop(0)
            held = holders.setdefault(row, set())
            (held.add if action in moves.ANSWERS else held.discard)(who)
            if row not in taken:
                (out.add if held else out.discard)(row)
        gone = said[list(out)] if out else np.zeros(0)
        rows.append((info.n - len(out), (gone == draws.WRONG).sum(), (gone < 0).sum()))
        taken.add(each.row)
        out.add(each.row)
    return np.array(rows)


def said_by(who, row, action):
    label = 0 if action is Action.RELABEL else None
    return Decision(row, action, who, label=label, cid=uuid.uuid4().hex)


@pytest.mark.parametrize("seed", range(6))
def test_draws_are_replayed_as_they_happened(workspace, tmp_path, seed):
    info = make(workspace, tmp_path, 30)
    rng = np.random.default_rng(seed)
    for _ in range(25):
        who = f"person {rng.integers(3)}"
        some = rng.integers(0, 30, rng.integers(1, 5)).tolist()
        decisions.append(info, [said_by(who, row, ACTIONS[rng.integers(6)]) for row in some])

        def ask():
            now = in_force.standing(info)
            return now.last_id, now.answered

        audits.draw(info, who, int(rng.integers(0, 3)), ask, seed=seed)
        past = draws.replay(info)  # kept up from one to the next
        assert len(past.rows) == len(audits.draws(info))
    found = np.stack([past.unreviewed, past.found, past.unclear], axis=1)
    np.testing.assert_array_equal(found, walked(info))
    moves._kept_up.cache_clear()
    draws._replay.cache_clear()
    anew = draws.replay(info)
    np.testing.assert_array_equal(anew.score_open, past.score_open)
    p = np.asarray(in_force.scored(info).ranking.p_wrong)
    assert 0 <= anew.score_open.min() <= anew.score_open.max() <= p.sum() + 1e-9
