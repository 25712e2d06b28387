"""Suggestions accepted unseen: a pool, a random check that a person looks at, and what it decides.

What plans decide has the status `auto`. It is nobody's answer: the random audit still draws from
these images, and a label that is wrong there counts as one that is left. A person's answer goes
before it, and one step takes a plan back.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

import numpy as np

from lnl_core.review import accepting
from lnl_core.review.accepting import Proof
from lnl_core.said import percent
from lnl_core.services.explore import selections
from lnl_core.services.in_force import (
    loaded,
    standing,
)
from lnl_core.services.review.draws import draws
from lnl_core.services.review.proposing import Pool, Proposal
from lnl_core.services.team.roles import Act, require
from lnl_core.store import decisions
from lnl_core.store import plans as stored
from lnl_core.store.db import now as moment
from lnl_core.store.plans import Plan as Plan
from lnl_core.types import Action, DatasetInfo, Decision, LnlError


def begin(
    info: DatasetInfo,
    who: str,
    chosen: Pool,
    proposal: Proposal,
    words: str,
    seed: int | None = None,
) -> Plan:
    """Fix a plan and draw its checks; from now on only answers to them decide.

    Raises:
        NotAllowed: the person may not accept suggestions.
        LnlError: the pool is too small, or another check is under way.
    """
    require(info.workspace, who, Act.ACCEPT)
    if proposal.checks is None or proposal.size != len(chosen.rows):
        raise LnlError(proposal.against or "The pool has changed. Look at it again.")
    decisions.add_reviewer(info.workspace, who)
    seed = secrets.randbits(31) if seed is None else seed
    drawn = accepting.chosen(seed, len(chosen.rows), proposal.checks)
    return stored.add(
        info,
        Plan(
            number=0,
            reviewer=who,
            made_at=moment(),
            seed=seed,
            words=words,
            precision=proposal.precision,
            confidence=proposal.confidence,
            allowed=proposal.allowed,
            expected=chosen.expected,
            rows=tuple(chosen.rows.tolist()),
            labels=tuple(chosen.labels.tolist()),
            checks=tuple(chosen.rows[drawn].tolist()),
        ),
    )


def check_address(info: DatasetInfo, one: Plan) -> str:
    """Return the query of Review's address that shows what is left of a check."""
    return f"dataset={quote(info.name)}&selection={check_selection(info, one)}"


def check_selection(info: DatasetInfo, one: Plan) -> str:
    """Return the name of the selection that holds a check's images."""
    return selections.keep_selection(info, np.array(one.checks, np.int64))


def state_words(info: DatasetInfo, one: Plan) -> str:
    """Say where a plan stands, in one sentence without its end."""
    seen = check(info, one)
    checks = f"{seen.done:,} of {len(one.checks):,} images of its check, {seen.wrong:,} wrong"
    if one.open:
        if failed(one, seen):
            return f"{checks}: did not pass ({one.allowed} allowed)"
        return f"{checks}: passed, to be accepted" if passed(one, seen) else f"{checks} so far"
    last = one.events[-1]
    facts = one.events[0].facts
    if last.kind == stored.ACCEPTED:
        return (
            f"{facts['images']:,} accepted by {last.reviewer}, at least "
            f"{percent(facts['precision'], 1)} right ({100 * one.confidence:.4g} % sure)"
        )
    if last.kind == stored.UNDONE:
        return f"{last.facts['images']:,} taken back by {last.reviewer}"
    why = "did not pass" if last.kind == stored.REFUSED else "given up"
    return f"{facts['done']:,} images of its check, {facts['wrong']:,} wrong: {why}"


# The check -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Check:
    """How far a plan's check is.

    Attributes:
        open: rows that wait for an answer, in the order drawn.
        done: checks with an answer.
        wrong: of those whose suggestion was not right: another class, unsure and disputed count.
        rest: rows of the pool that would be decided: no check, no answer, not drawn since.
        proof: what the check says of the rest; None until it is finished.
    """

    open: tuple[int, ...]
    done: int
    wrong: int
    rest: tuple[int, ...]
    proof: Proof | None


def plans(info: DatasetInfo) -> list[Plan]:
    """Return the plans of a data set, oldest first."""
    return stored.plans(info)


def plan(info: DatasetInfo, number: int) -> Plan:
    """Return one plan.

    Raises:
        LnlError: there is none of this number.
    """
    for each in stored.plans(info):
        if each.number == number:
            return each
    raise LnlError(f"“{info.name}” has no plan {number}.")


def under_way(info: DatasetInfo) -> Plan | None:
    """Return the plan whose check is to be finished, None where there is none."""
    return next((each for each in stored.plans(info) if each.open), None)


def check(info: DatasetInfo, one: Plan) -> Check:
    """Say how far a check is, by the answers of today."""
    now = standing(info)
    said = decisions.in_force(info, rows=one.checks)
    labels = dict(zip(one.rows, one.labels, strict=True))
    waiting = tuple(row for row in one.checks if not now.answered[row])
    wrong = sum(
        not _is_right(said.get(row, ()), labels[row]) for row in one.checks if row not in waiting
    )
    drawn = {each.row for each in draws(info)} | set(one.checks)
    free = ~(now.answered | now.no_class | (now.auto >= 0))
    rest = tuple(row for row in one.rows if free[row] and row not in drawn)
    proof = None
    if not waiting:
        counts = (len(one.rows), len(one.checks), wrong, len(rest))
        proof = accepting.proof(*counts, one.confidence)
    return Check(waiting, len(one.checks) - len(waiting), wrong, rest, proof)


def _is_right(several: Sequence[Decision], label: int) -> bool:
    verdict = decisions.verdict(several)
    said = verdict.decision
    relabelled = said is not None and said.action is Action.RELABEL and said.label == label
    return relabelled and verdict.agreed and not verdict.waiting


def passed(one: Plan, seen: Check) -> bool:
    """Say whether a finished check allows the rest to be decided."""
    if seen.proof is None or not seen.rest:
        return False
    return seen.wrong <= one.allowed and seen.proof.precision >= one.precision - 1e-9


def failed(one: Plan, seen: Check) -> bool:
    """Say whether a check can pass no more."""
    return seen.wrong > one.allowed or (seen.proof is not None and not passed(one, seen))


def accept(info: DatasetInfo, number: int, who: str) -> int:
    """Decide the rest of a pool whose check has passed; return how many images that are.

    Raises:
        NotAllowed: the person may not accept suggestions.
        LnlError: the check is not finished or did not pass, or somebody answered meanwhile.
    """
    require(info.workspace, who, Act.ACCEPT)
    one = plan(info, number)
    if not one.open:
        raise LnlError(f"Plan {number} has ended: {one.events[-1].kind}.")
    last_id = decisions.last_id(info)
    seen = check(info, one)
    if seen.open:
        raise LnlError(
            f"{len(seen.open):,} of {len(one.checks):,} images of the check wait for an answer."
        )
    if not passed(one, seen) or seen.proof is None:
        raise LnlError(
            f"The check did not pass: {seen.wrong:,} of {len(one.checks):,} were not right, "
            f"{one.allowed} may be. Nothing was changed."
        )
    decisions.add_reviewer(info.workspace, who)
    given = loaded(info).given_labels
    facts = {
        "images": len(seen.rest),
        "wrong": seen.wrong,
        "at_most_wrong": seen.proof.wrong,
        "precision": seen.proof.precision,
    }
    kept = [int(given[row]) for row in seen.rest]
    stored.accept(info, number, who, seen.rest, facts, kept, last_id)
    return len(seen.rest)


def give_up(info: DatasetInfo, number: int, who: str) -> None:
    """End a check: as refused where it can pass no more, else as given up.

    Raises:
        NotAllowed: the person may not accept suggestions.
        LnlError: it has ended already.
    """
    require(info.workspace, who, Act.ACCEPT)
    one = plan(info, number)
    seen = check(info, one)
    kind = stored.REFUSED if failed(one, seen) else stored.DROPPED
    decisions.add_reviewer(info.workspace, who)
    stored.end(info, number, kind, who, {"done": seen.done, "wrong": seen.wrong})


def undo(info: DatasetInfo, number: int, who: str) -> int:
    """Take back all that a plan decided; return how many images that were.

    Raises:
        NotAllowed: the person may not accept suggestions.
        LnlError: nothing of it is in force.
    """
    require(info.workspace, who, Act.ACCEPT)
    decisions.add_reviewer(info.workspace, who)
    return stored.undo(info, number, who)
