"""`lnl add`, `relink`: images come to a set that is there; originals that have moved."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lnl_core.cli.command import Command, add_dataset, opened
from lnl_core.cli.importing import add_questions
from lnl_core.cli.screen import DONE, PARTLY, first_run, progress, say

_NAMED = 20


def _add_arguments(one: argparse.ArgumentParser) -> None:
    add_dataset(one)
    one.add_argument("source", type=Path, help="folder, .csv, .parquet, .npz or .zip")
    one.add_argument("--root", type=Path, help="folder that the paths of a list start from")
    one.add_argument(
        "--new-classes",
        action="store_true",
        help="labels that the set does not have become classes of it",
    )
    add_questions(one)


def add(options: Any) -> int:
    """Add images to a set; ids, answers, random checks and runs stay."""
    from lnl_core.readings import Answers, Unanswered, said
    from lnl_core.services.datasets.growing import NewClasses, add_images

    info = opened(options)

    def report(done: int, total: int, skipped: int) -> None:
        if done % 64 == 0 or done == total:
            progress(f"{done:,} of {total:,} read, {skipped:,} skipped", done / max(total, 1))

    try:
        told = add_images(
            info,
            options.source,
            root=options.root,
            new_classes=options.new_classes,
            answers=Answers.from_json(said(options)),
            report=report,
        )
    except (NewClasses, Unanswered) as error:
        progress("")
        options.usage(str(error))
    progress("")
    _named(told.known, told.known_count, "has the content of", "left out")
    _named(told.renamed, told.renamed_count, "is the id of another image; it is", "here")
    for note in told.notes:
        print(f"  {note}", file=sys.stderr)
    words = (
        f"{told.added:,} images added to “{info.name}”, {told.n:,} now; {told.known_count:,} were "
        f"there already, {told.skipped:,} skipped."
    )
    if told.new_classes:
        words += f"\nNew classes: {', '.join(told.new_classes)}."
    if told.added:
        words += (
            "\nRuns have not seen the new ones: they stand behind the queue, and the interval of "
            f"errors left counts them as unseen.\nNext: {first_run(info.name)}"
        )
    say(options, asdict(told), words)
    return PARTLY if told.skipped else DONE


def _named(pairs: tuple[tuple[str, str], ...], count: int, verb: str, end: str) -> None:
    for here, there in pairs[:_NAMED]:
        print(f"  {here} {verb} {there} {end}", file=sys.stderr)
    if count > _NAMED:
        print(f"  and {count - _NAMED:,} more", file=sys.stderr)


ADD = Command(
    "add",
    "Add images to a set that is there.",
    add,
    _add_arguments,
    (
        "lnl add birds photos/                             what is new in the folder comes in",
        "lnl add birds more.csv --root photos/ --new-classes",
        "",
        "Ids, answers, random checks and runs stay. Images whose content is there already are left",
        "out and named; an id that is another image's gets the source's name in front; a label",
        "that is no class of the set is asked about (exit code 2) without --new-classes.",
    ),
)


def _relink_arguments(one: argparse.ArgumentParser) -> None:
    add_dataset(one)
    one.add_argument("root", type=Path, help="folder that the paths of the set start from, now")
    one.add_argument(
        "--from",
        dest="start",
        default="",
        metavar="FOLDER",
        help="folder of images that were added from elsewhere, which is at ROOT now",
    )
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

    found = moving.relink(
        info, options.root, start=options.start, anyway=options.anyway, report=report
    )
    progress("")
    for each in found.astray[:_NAMED]:
        print(f"  {each.path}: {each.why}", file=sys.stderr)
    if len(found.astray) > _NAMED:
        more = found.missing + found.changed - _NAMED
        print(f"  and {more:,} more; --json names them", file=sys.stderr)
    for folder in found.away[:_NAMED]:
        print(f"  {folder}: not there; say where it is: --from {folder}", file=sys.stderr)
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
        "lnl relink birds /mnt/new --from /data/new       images added from /data/new, elsewhere",
        "",
        "Every original is compared with its digest at the import. Where one is missing or holds",
        "another picture, it is named, nothing changes, and the exit code is 3.",
    ),
)
