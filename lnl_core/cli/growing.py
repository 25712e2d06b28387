"""`lnl relink`: originals that have moved."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lnl_core.cli.command import Command, add_dataset, opened
from lnl_core.cli.screen import DONE, PARTLY, progress, say

_NAMED = 20


def _relink_arguments(one: argparse.ArgumentParser) -> None:
    add_dataset(one)
    one.add_argument("root", type=Path, help="folder that the paths of the set start from, now")
    one.add_argument(
        "--anyway", action="store_true", help="point there though originals are missing or changed"
    )


def relink(options: Any) -> int:
    """Say where the originals of a set are now, once they are known to be the same."""
    from lnl_core.services.datasets import moving

    info = opened(options)

    def report(done: int, total: int) -> None:
        if done % 64 == 0 or done == total:
            progress(f"{done:,} of {total:,} compared", done / max(total, 1))

    found = moving.relink(info, options.root, anyway=options.anyway, report=report)
    progress("")
    for each in found.astray[:_NAMED]:
        print(f"  {each.path}: {each.why}", file=sys.stderr)
    if len(found.astray) > _NAMED:
        more = found.missing + found.changed - _NAMED
        print(f"  and {more:,} more; --json names them", file=sys.stderr)
    words = (
        f"{found.same:,} of {found.total:,} originals are the same files, {found.alike:,} the same "
        f"pictures in other files, {found.missing:,} missing, {found.changed:,} changed.\n"
    )
    words += (
        f"“{info.name}” reads them from {found.root} now."
        if found.done
        else "Nothing was changed. Put the files right, or add --anyway."
    )
    values = asdict(found) | {"root": str(found.root)}
    say(options, values, words)
    return DONE if found.done else PARTLY


RELINK = Command(
    "relink",
    "Say where the originals of a set are now; they are compared first.",
    relink,
    _relink_arguments,
    (
        "lnl relink birds /mnt/archive/photos",
        "lnl relink birds /mnt/archive/photos --anyway    though some are missing or changed",
        "",
        "Every original is compared with its digest at the import. Where one is missing or holds",
        "another picture, it is named, nothing changes, and the exit code is 3.",
    ),
)
