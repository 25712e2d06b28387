"""Suggestions accepted unseen: a pool, a random check that a person looks at, and what it decides.

What plans decide has the status `auto`. It is nobody's answer: the random audit still draws from
these images, and a label that is wrong there counts as one that is left. A person's answer goes
before it, and one step takes a plan back.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote

import numpy as np

from lnl_core.review import accepting
from lnl_core.review.accepting import Proof
from lnl_core.said import percent
from lnl_core.services.explore import selections
from lnl_core.services.in_force import (
    Scored,
    Standing,
    judged_by,
    loaded,
    scored,
    standing,
    told,
)
from lnl_core.services.review.draws import draws
from lnl_core.services.review.expecting import expected
from lnl_core.services.review.filtering import Filters, excluded
from lnl_core.services.team.roles import Act, require
from lnl_core.store import decisions
from lnl_core.store import plans as stored
from lnl_core.store.db import now as moment
from lnl_core.store.plans import Plan as Plan
from lnl_core.types import Action, BoolArray, DatasetInfo, Decision, FloatArray, IntArray, LnlError

PRECISIONS = (0.9, 0.95, 0.98)
"""Shares of right labels that can be asked for."""

CONFIDENCE = 0.95
LEAST = 0.9
"""Chance that a suggestion is right from which on it is in a pool, unless a person says."""


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """Suggestions that may be accepted together.

    Attributes:
        rows: (z,) images without an answer that no random draw has chosen, rising.
        labels: (z,) their suggestions.
        chances: (z,) p x q, the chance that the suggestion is right.
    """

    rows: IntArray
    labels: IntArray
    chances: FloatArray

    @property
    def expected(self) -> float:
        """Share of right suggestions, if the chances are calibrated."""
        return float(self.chances.mean()) if len(self.chances) else 0.0


def pool(info: DatasetInfo, filters: Filters | None = None, least: float = LEAST) -> Pool:
    """Return the suggestions that filters name and that are right with a chance of `least`.

    Args:
        info: the data set.
        filters: those of the queue; of answers they name none, whatever they say.
        least: smallest p x q.
    """
    ranked = scored(info)
    none = np.zeros(0, np.int64)
    if ranked is None:
        return Pool(none, none, np.zeros(0))
    now = standing(info)
    chances = _chances(info, ranked)
    inside = _free(info, ranked, now) & (chances >= least)
    inside &= ~excluded(info, ranked, "", filters or Filters(), now)
    rows = np.flatnonzero(inside)
    suggested = np.asarray(ranked.ranking.suggested_labels)
    return Pool(rows, suggested[rows].astype(np.int64), chances[rows])


def _chances(info: DatasetInfo, ranked: Scored) -> FloatArray:
    """Return (n,) p x q: recalibrated by the answers so far, times the suggestion's own chance."""
    ahead = expected(info)
    p = np.asarray(ranked.ranking.p_wrong) if ahead is None else ahead.p
    q = np.asarray(ranked.ranking.top_probs, np.float64)[:, 0]
    return np.asarray(p, np.float64) * q


def _free(info: DatasetInfo, ranked: Scored, now: Standing) -> BoolArray:
    """Return (n,) True where a plan may decide: scored, and neither answered nor drawn."""
    free = ~(now.answered | now.no_class | (now.auto >= 0) | told(info))
    free &= np.arange(info.n) < ranked.seen
    for run in ranked.run_ids.values() if ranked.judged is not None else ():
        free &= judged_by(info, run)
    free[[each.row for each in draws(info)]] = False
    suggested = np.asarray(ranked.ranking.suggested_labels)
    free &= (suggested >= 0) & (suggested != np.asarray(loaded(info).given_labels))
    return free


# Before anybody looks --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Proposal:
    """What accepting a pool would take.

    Attributes:
        size: suggestions in the pool.
        checks: of them a person has to look at; None where the pool is too small.
        allowed: wrong ones among those with which it passes.
        precision: share of right ones that is asked of the rest.
        confidence: how sure; more than usual where an earlier check of such images failed.
        expected: share of right ones that the scores let one expect.
        passes: chance that the check passes, if they are right.
    """

    size: int
    checks: int | None
    allowed: int
    precision: float
    confidence: float
    expected: float
    passes: float

    @property
    def saved(self) -> int:
        """Images that nobody would have to look at."""
        return self.size - (self.checks or self.size)

    @property
    def against(self) -> str:
        """What speaks against it, in words; blank where nothing does."""
        if not self.size:
            return "Does not pay: no suggestion is that sure. Review the images."
        if self.checks is None:
            return (
                f"Does not pay: {_suggestions(self.size)} are too few for "
                f"{100 * self.precision:g} % with {self.allowed} wrong allowed; every one would "
                "have to be looked at. Review them."
            )
        if self.passes < accepting.LIKELY:
            return (
                f"Does not pay if the scores are right: they expect about "
                f"{percent(self.expected, 1)} of these suggestions to be right, so the check "
                f"passes with a chance of {percent(self.passes)}. Ask for surer suggestions or "
                "less precision, or review them."
            )
        if self.size < accepting.PAYS_FROM * self.checks:
            return (
                f"Saves little: {self.checks:,} of {self.size:,} have to be looked at for the "
                "check alone."
            )
        return ""

    def words(self) -> list[str]:
        """Say what it takes and what speaks against it, a sentence each."""
        if not self.size:
            return [self.against]
        said = [
            f"{_suggestions(self.size)}; about {percent(self.expected, 1)} are expected to be "
            "right."
        ]
        if self.checks is not None:
            said.append(
                f"Check {self.checks:,} of them, drawn at random; with {self.allowed} wrong or "
                f"fewer at least {100 * self.precision:g} % of the other {self.saved:,} are right "
                f"({100 * self.confidence:.4g} % sure)."
            )
        return [*said, self.against] if self.against else said


def _suggestions(size: int) -> str:
    return f"{size:,} suggestion{'' if size == 1 else 's'}"


def paying(
    info: DatasetInfo,
    filters: Filters | None,
    steps: Sequence[float],
    precision: float = 0.95,
    allowed: int = 0,
) -> tuple[float, Proposal] | None:
    """Return the smallest chance of some at which accepting pays, and what it takes there.

    Args:
        info: the data set.
        filters: as for `pool`.
        steps: chances from which on a suggestion may be in the pool, rising.
        precision: as for `propose`.
        allowed: as for `propose`.

    Returns:
        None where it pays at none of them.
    """
    every = pool(info, filters, steps[0])
    for least in steps:
        some = every.chances >= least
        chosen = Pool(every.rows[some], every.labels[some], every.chances[some])
        asked = propose(info, chosen, precision, allowed)
        if not asked.against:
            return least, asked
    return None


def propose(info: DatasetInfo, chosen: Pool, precision: float = 0.95, allowed: int = 0) -> Proposal:
    """Say what accepting a pool would take, and whether it pays.

    Args:
        info: the data set.
        chosen: the pool.
        precision: share of right ones that is asked of what nobody looks at.
        allowed: wrong ones among the checks with which it passes.
    """
    confidence = _confidence(info, chosen.rows)
    size = len(chosen.rows)
    checks = accepting.checks_needed(size, precision, confidence, allowed)
    passes = 0.0
    if checks is not None:
        passes = accepting.chance_to_pass(checks, allowed, chosen.expected)
    return Proposal(size, checks, allowed, precision, confidence, chosen.expected, passes)


def _confidence(info: DatasetInfo, rows: IntArray) -> float:
    """Return how sure a check has to be: each failed one of the same images halves the risk.

    Else whoever tries often enough passes by luck (review science 5.3d).
    """
    failed = sum(
        each.events[0].kind in (stored.REFUSED, stored.DROPPED)
        and bool(np.isin(each.rows, rows).any())
        for each in stored.plans(info)
        if each.events
    )
    return float(1 - (1 - CONFIDENCE) / 2**failed)


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


def pool_words(info: DatasetInfo, filters: Filters, least: float) -> str:
    """Say what a pool is: `crow to raven, at least 0.90 sure`."""
    given, suggested = (
        "any class" if label is None else info.class_names[label]
        for label in (filters.given, filters.suggested)
    )
    pair = (filters.given, filters.suggested) != (None, None)
    narrowed = replace(filters, given=None, suggested=None) != Filters()
    parts = [
        f"{given} to {suggested}" if pair else "all suggestions",
        f"at least {least:.2f} sure",
        *(["filtered"] if narrowed else []),
    ]
    return ", ".join(parts)


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
