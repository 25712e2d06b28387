"""Goals in the store: what answers took, whatever the database."""

from lnl_core.store import decisions, goals
from lnl_core.types import Action, Decision


def test_answers_without_a_time_took_none(workspace, tiny):
    took = [None, 5.0, None, 300.0, 0.5]
    decisions.append(tiny, [Decision(k, Action.KEEP, "ann", seconds=s) for k, s in enumerate(took)])
    assert goals.seconds_since(tiny, 0, decisions.last_id(tiny), 60.0) == 65.5
    assert goals.seconds_since(tiny, 0, 1, 60.0) == 0.0
