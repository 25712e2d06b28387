"""`lnl goal`: what a review is to reach, and how far it is."""

from __future__ import annotations

import argparse
from typing import Any

from lnl_core.cli.command import Command, add_dataset, opened
from lnl_core.cli.screen import DONE, say


def _arguments(one: argparse.ArgumentParser) -> None:
    add_dataset(one)
    kind = one.add_mutually_exclusive_group()
    kind.add_argument(
        "--left", type=int, metavar="N", help="until at most N wrong labels are left, 95 %% sure"
    )
    kind.add_argument(
        "--share",
        type=float,
        metavar="SHARE",
        help="until this share of the wrong labels is found, 95 %% sure",
    )
    kind.add_argument("--reviews", type=int, metavar="N", help="until N images more have an answer")
    kind.add_argument("--hours", type=float, metavar="H", help="until so much time is spent")
    kind.add_argument("--usual", action="store_true", help="one wrong label in a hundred images")
    one.add_argument("--reviewer", metavar="WHO", help="who sets it; needed to set one")


def goal(options: Any) -> int:
    """Say what a review is to reach and how far it is; or set it."""
    from lnl_core.services.review import advising, goals
    from lnl_core.services.review.goals import LEFT, RECALL, REVIEWS, SECONDS

    asked = {
        LEFT: options.left,
        RECALL: options.share,
        REVIEWS: options.reviews,
        SECONDS: None if options.hours is None else 3600 * options.hours,
    }
    chosen = [(kind, value) for kind, value in asked.items() if value is not None]
    if options.usual:
        chosen = [(LEFT, None)]
    if chosen and options.reviewer is None:
        options.usage("--reviewer WHO is needed: a goal says who set it.")
    if options.reviewer is not None and not chosen:
        options.usage("--reviewer is who sets a goal: say which (--left, --share, --reviews ...).")
    info = opened(options)
    for kind, value in chosen:
        goals.set_goal(info, kind, value, options.reviewer)
    here = goals.stand(info)
    best = advising.advised(info)
    fits = best and {"kind": best.kind, "value": best.value, "reviews": best.outlook.reviews}
    ahead = {"more": here.more, "takes": here.takes, "fits": fits}
    lines = [_words(here)]
    if best is not None and not here.holds:
        words = goals.words(best.kind, best.value)
        lines.append(f"Fits this set: {words}. {best.outlook.words}")
    say(options, {"name": info.name, **goals.as_record(here), **ahead}, "\n".join(lines))
    return DONE


def _words(here: Any) -> str:
    """Say a goal in sentences."""
    who = ""
    if here.goal is not None:
        by = f" by {here.goal.reviewer}" if here.goal.reviewer else ""
        who = f", set{by} on {here.goal.set_at[:10]}"
    lines = [f"Review {here.words}{who}."]
    if here.said:
        lines.append(f"{here.said[0].upper()}{here.said[1:]}.")
    if here.holds:
        lines.append(f"Reached: {here.reached} (95 %).")
    else:
        lines.append(f"To the goal: {here.takes}.")
    return "\n".join(lines)


GOAL = Command(
    "goal",
    "Say what a review is to reach and how far it is; or set it.",
    goal,
    _arguments,
    (
        "lnl goal birds",
        "lnl goal birds --left 80 --reviewer ann      at most 80 wrong labels left",
        "lnl goal birds --share 0.9 --reviewer ann    90 % of the wrong labels found",
        "lnl goal birds --hours 2 --reviewer ann      two hours, and what is guaranteed then",
        "",
        "A goal stays until a person sets another one. A share set again takes a smaller risk.",
    ),
)
