"""`lnl team`: who has answered, how well each looks by hidden looks, and what is alarming."""

from __future__ import annotations

import argparse
from typing import Any

from lnl_core.cli.command import Command, add_dataset, opened
from lnl_core.cli.screen import DONE, say
from lnl_core.said import many

_YET = ", not measured yet"


def _arguments(one: argparse.ArgumentParser) -> None:
    add_dataset(one)
    one.add_argument(
        "--checks",
        type=float,
        metavar="SHARE",
        help="share of the answers that each kind of hidden look takes, 0 for none (default: 0.03)",
    )


def team(options: Any) -> int:
    """Say how well each person looks, route by route, and what is alarming."""
    from lnl_core.services.review import looks, measuring, watching
    from lnl_core.services.team import gold
    from lnl_core.services.team.team import team as of_team

    info = opened(options)
    if options.checks is not None:
        looks.set_share(info, None, options.checks)
    people, alarms = measuring.people(info), watching.alarms(info)
    there, answered = gold.gold(info), {each.name: each.answers for each in of_team(info).people}
    everybody = {
        who: {route: _numbers(each) for route, each in routes.items()}
        for who, routes in people.items()
    }
    told = [{"who": each.who, "kind": each.kind, "words": each.words} for each in alarms]
    words = []
    for who in dict.fromkeys([*answered, *people]):
        words.append(
            f"{who}: {many(answered.get(who, 0), 'answer')}{'' if who in people else _YET}"
        )
        words += [f"{who}: {line}" for line in measuring.words(people.get(who, {}))]
    words += [f"Alarm: {each.who} {each.words} (p = {each.chance:.2g})." for each in alarms]
    share = looks.share(info)
    say(
        options,
        {
            "name": info.name,
            "checks": share,
            "answers": answered,
            "people": everybody,
            "alarms": told,
            "gold": {"wrong": there.wrong, "right": there.right, "looks_needed": there.needed},
        },
        "\n".join(
            [*words, *([] if people else [measuring.nobody_yet(info)]), there.words, _shares(share)]
        ),
    )
    return DONE


def _numbers(each: Any) -> dict[str, Any]:
    shares = {"sensitivity": each.sensitivity, "false_alarms": each.false_alarms}
    return {
        name: None
        if share is None
        else {"count": share.count, "of": share.of, "low": share.low, "high": share.high}
        for name, share in shares.items()
    }


def _shares(share: float) -> str:
    if not share:
        return "Hidden looks are off; --checks 0.03 switches them on."
    return f"Hidden looks take {100 * share:g} % of the answers for each of four purposes."


TEAM = Command(
    "team",
    "Say how well each person looks, by hidden looks among the images, and what is alarming.",
    team,
    _arguments,
    (
        "lnl team birds                  answers, sensitivity, false alarms, gold",
        "lnl team birds --checks 0.05    five of a hundred answers for each purpose; 0 for none",
    ),
)
