"""What a certificate states of the goal that was reached, and whether that is so."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from lnl_core.services.in_force import Standing, labelled_count, loaded
from lnl_core.services.review import goals, sharing
from lnl_core.services.review.goals import Stand
from lnl_core.store import audits, datasets
from lnl_core.store import goals as stored
from lnl_core.store.goals import LEFT, RECALL, REVIEWS, SECONDS, Goal
from lnl_core.types import DatasetInfo

SHARE_METHOD = (
    "Share found: an order of the images without an answer was fixed with the goal. The random "
    "draws, with answered images in between where chance puts them, are the beginning of a random "
    "permutation of those images; its first wrong ones are a random sample of all wrong ones. "
    "Every image of the order up to the place of the j-th of r has an answer (QBCB, Lewis, Yang "
    "and Frieder 2021)."
)
SHARE_ASSUMPTION = "Wrong labels are those that people call wrong, or of which they are unsure."


def stated(info: DatasetInfo, here: Stand, now: Standing) -> dict[str, Any]:
    """Return what a certificate says of the goal: its kind, words, who set it, and its proof."""
    said = goals.as_record(here) | {"number": None if here.goal is None else here.goal.number}
    said.pop("reached")
    if here.kind != RECALL or here.goal is None:
        return said
    ids, made = loaded(info).ids, len(audits.draws(info))
    sample = sharing.sampled(info, here.goal, now, made)
    return said | {
        "confidence": 1 - float(here.goal.facts["alpha"]),
        "sampled_errors": [ids[int(row)] for row in sample.errors],
        "sample": sample.r,
        "to_pass": sample.j,
        "depth": sample.deep,
        "order": here.goal.facts["order"],
        "draws_made": made,
    }


def check(info: DatasetInfo, body: Mapping[str, Any], then: Standing) -> tuple[bool, str]:
    """Tell whether a certificate's goal was set so, and was reached then; with words.

    Args:
        info: the data set.
        body: the certificate.
        then: the decisions in force when it was issued.
    """
    said = body["stopping"]
    if said["number"] is None:
        usual = said["kind"] == LEFT and body["goal"] is not None
        if not usual or any(said[name] is not None for name in ("value", "set_by", "set_at")):
            return False, "nobody set it, and it states who did"
        meta = datasets.read_meta(info)
        begun = [meta.get(name) for name in ("errors_goal", "goal_at_start")]
        if int(body["goal"]) > max(1, int(body["labels"]) // 100, *filter(None, begun)):
            return False, "nobody set it, and it is more than one label in a hundred"
        return _left(body, int(body["goal"]), said, None)
    known = {each.number: each for each in stored.goals(info)}
    goal = known.get(int(said["number"]))
    own = ("kind", "value") if goal is None else (goal.kind, goal.value)
    if goal is None or own != (said["kind"], said["value"]):
        return False, "no such goal was set"
    if (goal.reviewer, goal.set_at) != (said["set_by"], said["set_at"]):
        return False, "it was set by somebody else, or at another time"
    if goal.last_decision > int(body["last_decision"]):
        return False, "it was set after the certificate was issued"
    if goal.kind == LEFT:
        usual = max(1, labelled_count(info) // 100)
        return _left(body, usual if goal.value is None else int(goal.value), said, goal)
    assert goal.value is not None
    words = goals.words(goal.kind, goal.value)
    if said["goal"] != words:
        return False, "its words are not those of its kind and value"
    if goal.kind == RECALL:
        return _share(info, goal, body, then)
    if goal.kind == REVIEWS:
        done = float(then.reviewed - int(goal.facts["reviewed"]))
    else:
        assert goal.kind == SECONDS
        last = int(body["last_decision"])
        done = stored.seconds_since(info, goal.last_decision, last, goals.PAUSE)
    if done < goal.value and goals.is_whole(then):
        return True, f"Review {words}: every image has an answer"
    if done < goal.value:
        return False, f"Review {words}: that was not so yet"
    return True, f"Review {words}: reached"


def _left(
    body: Mapping[str, Any], most: int, said: Mapping[str, Any], goal: Goal | None
) -> tuple[bool, str]:
    words = goals.words(LEFT, most)
    fixed = goal is None or goal.value is not None  # else the set may have grown since
    if (said["goal"] != words and fixed) or (fixed and int(body["goal"]) != most):
        return False, "its words are not those of its kind and value"
    if int(body["at_most_left"]) > int(body["goal"]):
        return False, f"Review {words}: not reached"
    return True, f"Review {said['goal']}: reached"


def _share(
    info: DatasetInfo, goal: Goal, body: Mapping[str, Any], then: Standing
) -> tuple[bool, str]:
    """Walk through the permutation again, and down the order that was fixed."""
    said = body["stopping"]
    order = sharing.order_fixed(info, goal)
    digest = hashlib.sha256(order.astype("<i4").tobytes()).hexdigest()
    if {digest, said["order"]} != {goal.facts["order"]}:
        return False, "the order is not the one that was fixed with the goal"
    if int(said["draws_made"]) != 1 + max(int(each["number"]) for each in body["draws"]):
        return False, "draws made: not those that it lists"
    sample, ids = sharing.sampled(info, goal, then, int(said["draws_made"])), loaded(info).ids
    ours = {
        "sampled_errors": [ids[int(row)] for row in sample.errors],
        "sample": sample.r,
        "to_pass": sample.j,
        "depth": sample.deep,
        "confidence": 1 - float(goal.facts["alpha"]),
    }
    for name, value in ours.items():
        if said[name] != value:
            return False, f"{name.replace('_', ' ')}: not what the draws and the answers say"
    if not sample.holds:
        return False, f"Review {said['goal']}: {sample.said}"
    return True, f"Review {said['goal']}: {sample.said}"
