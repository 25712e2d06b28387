"""What a certificate says in words, dates and of people: whether it is what this program states."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from lnl_core.review.auditing import ALPHA
from lnl_core.said import many
from lnl_core.services.in_force import Standing, standing_at
from lnl_core.services.review import corrected, goal_proofs, goals
from lnl_core.services.review.auditing import errors_left, is_team
from lnl_core.store import decisions, looks
from lnl_core.store.goals import LEFT, RECALL, REVIEWS, SECONDS, Goal
from lnl_core.types import DatasetInfo

METHOD = (
    "Images drawn uniformly at random among those without an answer, at moments of the review; a "
    "betting martingale over every possible number of wrong labels; by Ville's inequality the "
    "limit is ever too low with a chance of 5 % at most, whatever else was reviewed and whenever "
    "one stops."
)
CLOCKS = timedelta(minutes=1)
"""By how much the clocks of two servers of one workspace may differ."""

ASSUMPTIONS = (
    "The answers to the drawn images are right.",
    "Unsure, disputed and unanswered draws count as wrong.",
    "The labels are those of the export of the same day: nothing was changed elsewhere.",
)


def texts(kind: str) -> dict[str, Any]:
    """Return method, assumptions and confidence as a certificate of that kind of goal has them."""
    share = kind == RECALL
    return {
        "confidence": 1 - ALPHA,
        "method": METHOD + (f" {goal_proofs.SHARE_METHOD}" if share else ""),
        "assumptions": [*ASSUMPTIONS, *[goal_proofs.SHARE_ASSUMPTION] * share],
    }


def check(info: DatasetInfo, body: Mapping[str, Any], then: Standing) -> tuple[bool, str]:
    """Tell whether what is stated beside the proof is so; with words.

    Args:
        info: the data set.
        body: the certificate.
        then: the decisions in force when it was issued.
    """
    if int(body["last_decision"]) != then.last_id:
        return False, f"the set has no decision {body['last_decision']}"
    said = body["stopping"]
    for name, ours in texts(said["kind"]).items():
        if body[name] != ours:
            return False, f"{name}: not what this program states"
    limit, team = int(body["at_most_left"]), is_team(then)

    def known(*, whole: bool) -> str:
        return goals.reached_words(said["kind"], said["value"], limit, team=team, whole=whole)

    ways = {REVIEWS: (goals.is_whole(then),), SECONDS: (False, goals.is_whole(then))}
    earlier = ""
    if said["said"] not in {known(whole=each) for each in ways.get(said["kind"], (False,))}:
        if said["kind"] != REVIEWS or said["said"] != known(whole=True):
            return False, f"“{said['said']}” is not what its numbers say"
        meant = goals.answered_words(said["value"])
        earlier = f"; “{goals.WHOLE}” is an earlier program's word for “{meant}”"
    if said["kind"] != LEFT and body["goal"] is not None:
        return False, "a goal of errors left, beside another"
    wrong, dated = _date(info, body, then)
    wrong = wrong or _people(info, body, then)
    late = later_looks(info, body)
    more = (
        f"; {many(late, 'hidden look from before it is', 'hidden looks from before it are')} not "
        f"in it"
        if late
        else ""
    )
    issued = f"issued {body['issued_at']}, in the words of this program"
    return not wrong, wrong or f"{issued}{dated}{more}{earlier}"


def dates(info: DatasetInfo, now: Standing, goal: Goal | None, issued: str) -> dict[str, str]:
    """Return what a certificate says of dates where a clock was wrong: the latest that it rests on.

    Args:
        info: the data set.
        now: the decisions that it rests on.
        goal: that was reached.
        issued: when the certificate is issued, as the clock says today.
    """
    latest = _latest(info, now, None if goal is None else goal.set_at)
    return {"rests_on_until": latest} if latest and _time(issued) < _time(latest) else {}


def _latest(info: DatasetInfo, then: Standing, set_at: str | None) -> str:
    """Return the latest date among the answers and the goal."""
    last = decisions.last_answered_at(info, then.last_id)
    return max(filter(None, (last, set_at)), key=_time, default="")


def _date(info: DatasetInfo, body: Mapping[str, Any], then: Standing) -> tuple[str, str]:
    """Say what is wrong with the date: it lies after the answers and goal, and not ahead.

    Where a clock was wrong and the certificate says so, that is the second thing said.
    """
    set_at = body["stopping"]["set_at"]
    try:
        issued, latest = _time(body["issued_at"]), _latest(info, then, set_at)
    except ValueError:
        return f"“{body['issued_at']}” or “{set_at}” is no date", ""
    if issued > datetime.now(UTC) + CLOCKS:
        return (
            f"issued {body['issued_at']}, which is still to come: a clock was wrong then, or is "
            "now. Issue it anew",
            "",
        )
    if not latest or issued >= _time(latest):
        return "", ""
    if body.get("rests_on_until") != latest:
        return "issued before its last answer, or before its goal was set", ""
    return "", f"; answers or goal are dated up to {latest}, after that: a clock was wrong"


def _time(text: str) -> datetime:
    when = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def _people(info: DatasetInfo, body: Mapping[str, Any], then: Standing) -> str:
    """Say what is stated of people and is not so."""
    said = body["people"]
    until = corrected.Until(int(said["last_look"]), int(said["last_answer"]))
    if wrong := _until(info, until, then):
        return wrong
    left = errors_left(info, now=then)
    for name, value in corrected.corrected(info, left, then, until).as_dict().items():
        if said[name] != value:
            return f"people, {name.replace('_', ' ')}: not what this set's answers say"
    return ""


def _until(info: DatasetInfo, until: corrected.Until, then: Standing) -> str:
    """Say what is wrong with the looks and answers that gold is said to rest on."""
    if until.last_look and until.last_look not in {each.id for each in looks.every(info)}:
        return f"the set has no hidden look {until.last_look}"
    if until.last_answer < then.last_id:
        return "gold is said to rest on fewer answers than the limit"
    if standing_at(info, until.last_answer).last_id != until.last_answer:
        return f"the set has no decision {until.last_answer}"
    return ""


def later_looks(info: DatasetInfo, body: Mapping[str, Any]) -> int:
    """Return how many hidden looks carry a time before a certificate, and are not in it.

    They came in late from a browser that had no connection, or somebody left them out.
    """
    last = body["people"]["last_look"]
    issued = _time(body["issued_at"])
    return sum(each.id > last and _time(each.decided_at) < issued for each in looks.every(info))
