"""`lnl add`, `relink`: images come to a set that is there; originals that have moved."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lnl_core.cli.command import Command, add_dataset, opened
from lnl_core.cli.importing import add_questions, lines
from lnl_core.cli.screen import DONE, PARTLY, USAGE, first_run, progress, say
from lnl_core.readings import advice
from lnl_core.said import many

if TYPE_CHECKING:
    from lnl_core.services.datasets.growing import Added, Foreseen

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
    one.add_argument(
        "--dry-run",
        action="store_true",
        help="say what is read, new, there already, a copy or labelled otherwise; store nothing",
    )
    add_questions(one)


def add(options: Any) -> int:
    """Add images to a set; ids, answers, random checks and runs stay."""
    from lnl_core.readings import Answers, Unanswered, said
    from lnl_core.services.datasets import growing

    info = opened(options)

    def report(done: int, total: int, skipped: int) -> None:
        if done % 64 == 0 or done == total:
            progress(f"{done:,} of {total:,} read, {skipped:,} skipped", done / max(total, 1))

    asked: dict[str, Any] = {
        "root": options.root,
        "new_classes": options.new_classes,
        "answers": Answers.from_json(said(options)),
        "report": report,
    }
    if options.dry_run:
        return _foreseen(options, growing.foresee(info, options.source, **asked))
    try:
        told = growing.add_images(info, options.source, **asked)
    except (growing.NewClasses, Unanswered) as error:
        progress("")
        options.usage(str(error))
    progress("")
    print("\n".join(_details(told)), file=sys.stderr)
    words = (
        f"{many(told.added, 'image')} added to “{info.name}”, {told.n:,} now; {told.known_count:,} "
        f"{'was' if told.known_count == 1 else 'were'} there already, {told.skipped:,} skipped."
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


def _foreseen(options: Any, seen: Foreseen) -> int:
    """Say what an addition would do; 2 where something has to be answered first."""
    progress("")
    said, would = lines(seen.reading), seen.would
    if would is not None:
        new = f": {_listed(would.new, would.added)}" if would.added else ""
        said.append(f"  new to the set: {would.added:,}{new}")
        said += _details(would)
    open_ones = seen.reading.open_questions
    end = "Nothing is stored: --dry-run."
    if open_ones:
        end = f"Answer first: {' '.join(dict.fromkeys(map(advice, open_ones)))}"
    elif seen.refused:
        end = seen.refused
    values = {
        "reading": seen.reading.to_json(),
        "would": None if would is None else asdict(would),
        "refused": seen.refused,
    }
    say(options, values, "\n".join([*said, end]))
    return USAGE if open_ones or seen.refused else DONE


def _details(told: Added) -> list[str]:
    """Return what became of single images, and the notes, a line each."""
    otherwise = [(a, f"{b}, which is “{d}” here and “{c}” there;") for a, b, c, d in told.conflicts]
    return [
        *_named(told.known, told.known_count, "has the content of", "left out"),
        *_named(otherwise, told.conflict_count, "is the image", "both labels are kept"),
        *_named(told.copies, told.copy_count, "is the same picture as", "in another file"),
        *_named(told.renamed, told.renamed_count, "is the id of another image; it is", "here"),
        *(f"  {note}" for note in told.notes),
    ]


def _named(pairs: Sequence[tuple[str, str]], count: int, verb: str, end: str) -> list[str]:
    said = [f"  {here} {verb} {there} {end}" for here, there in pairs[:_NAMED]]
    return [*said, f"  and {count - _NAMED:,} more"] if count > _NAMED else said


def _listed(names: Sequence[str], count: int) -> str:
    shown = ", ".join(names[:_NAMED])
    return f"{shown} and {count - _NAMED:,} more" if count > _NAMED else shown


ADD = Command(
    "add",
    "Add images to a set that is there.",
    add,
    _add_arguments,
    (
        "lnl add birds photos/                             what is new in the folder comes in",
        "lnl add birds photos/ --dry-run                   what would come in; nothing is stored",
        "lnl add birds more.csv --root photos/ --new-classes",
        "",
        "Ids, answers, random checks and runs stay. Images whose content is there already are left",
        "out and named; an id that is another image's gets the source's name in front; a label",
        "that is no class of the set is asked about (exit code 2) without --new-classes. Images",
        "that come in no split of a set that has them, or in a new one, are named.",
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
