"""`lnl team`: how well people look, by hidden looks, and what is to be said about it."""

from __future__ import annotations

import argparse
from typing import Any

from lnl_core.cli.command import Command, add_dataset, opened
from lnl_core.cli.screen import DONE, say
from lnl_core.records import DatasetInfo


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

    info = opened(options)
    if options.checks is not None:
        looks.set_share(info, None, options.checks)
    people, alarms = measuring.people(info), watching.alarms(info)
    everybody = {
        who: {route: _numbers(each) for route, each in routes.items()}
        for who, routes in people.items()
    }
    told = [{"who": each.who, "kind": each.kind, "words": each.words} for each in alarms]
    words = [f"{who}: {line}" for who, routes in people.items() for line in measuring.words(routes)]
    words += [f"Alarm: {each.who} {each.words} (p = {each.chance:.2g})." for each in alarms]
    share = looks.share(info)
    say(
        options,
        {"name": info.name, "checks": share, "people": everybody, "alarms": told},
        "\n".join([*(words or [_nobody(info, share)]), _shares(share)]),
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


def _nobody(info: DatasetInfo, share: float) -> str:
    why = "they begin after a person's first answers" if share else "they are switched off"
    return f"Nobody has been measured in “{info.name}” yet: {why}."


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
        "lnl team birds                  sensitivity, false alarms, steadiness, alarms",
        "lnl team birds --checks 0.05    five of a hundred answers for each purpose; 0 for none",
    ),
)
