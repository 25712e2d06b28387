"""`lnl copies`: the pictures that a set holds more than once."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from lnl_core.cli.command import Command, add_dataset, opened
from lnl_core.cli.screen import DONE, say

_KINDS = ("all", "labels", "splits")


def _arguments(one: argparse.ArgumentParser) -> None:
    add_dataset(one)
    one.add_argument(
        "--only",
        choices=_KINDS[1:],
        help="labels: with different ones; splits: in more than one",
    )
    one.add_argument(
        "--again", action="store_true", help="look for copies anew, by the rules of this version"
    )
    one.add_argument("--limit", type=int, default=50, help="pictures listed (default: 50)")


def copies(options: Any) -> int:
    """List them."""
    from lnl_core.services.datasets import copied

    if options.limit < 0:
        options.usage(f"--limit is a number of pictures, got {options.limit}.")
    info = opened(options)
    if options.again:
        copied.look_again(info)
    counts = copied.counted(info)
    pictures = copied.listed(info, options.only or "all", options.limit)
    say(
        options,
        {"name": info.name, **counts, "listed": [asdict(each) for each in pictures]},
        "\n".join([*(copied.notes(info) or ["No picture comes twice."]), *map(_line, pictures)]),
    )
    return DONE


def _line(picture: Any) -> str:
    """Say one picture: labels, splits, ids."""
    labels = ", ".join(f"{name} {times:,}" for name, times in picture.labels.items())
    splits = ", ".join(f"{name} {times:,}" for name, times in picture.splits.items())
    ids = ", ".join(picture.ids[:4])
    more = f" and {len(picture.ids) - 4:,} more" if len(picture.ids) > 4 else ""
    return f"  {labels}{f'; {splits}' if splits else ''}: {ids}{more}"


COPIES = Command(
    "copies",
    "List the pictures that a set holds more than once.",
    copies,
    _arguments,
    (
        "lnl copies birds",
        "lnl copies birds --only labels                   at least one label of each is wrong",
        "lnl copies birds --only splits                   leaks: in train and in test",
        "lnl copies birds --again                         look anew, answers stay",
    ),
)
