"""What several people say of one image together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lnl_core.records import Action, Decision

SETTLED = "settled"
"""Route of a decision by which somebody entitled ends a contradiction: it alone counts."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the reviewers of one image say together.

    `decision` is the latest of those that count; `agreed` is False while two reviewers
    contradict each other; `waiting` is True while somebody is unsure and nobody has settled it.
    What a plan decided counts where no person has said anything.
    """

    decision: Decision | None
    agreed: bool
    waiting: bool


def verdict(decisions: Sequence[Decision]) -> Verdict:
    """Join the decisions in force on one image, oldest first. Unsure and skip settle nothing.

    Where somebody entitled has settled it, that alone counts.
    """
    people = [d for d in decisions if d.action not in (Action.AUTO, Action.SKIP)]
    decisions = people or [d for d in decisions if d.action is Action.AUTO]
    decisions = [d for d in decisions if d.route == SETTLED][-1:] or decisions
    settled = [d for d in decisions if d.action not in (Action.UNSURE, Action.SKIP)]
    unsure = any(d.action is Action.UNSURE for d in decisions)
    opinions = {(d.action, d.label, frozenset(d.labels)) for d in settled}
    return Verdict(
        decision=settled[-1] if settled else None,
        agreed=len(opinions) <= 1,
        waiting=unsure and not settled,
    )
