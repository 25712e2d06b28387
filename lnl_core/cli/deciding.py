"""`lnl decide`: decisions made elsewhere come in, from this program or from another tool."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lnl_core.cli.command import Command, add_dataset, opened
from lnl_core.cli.screen import DONE, PARTLY, say
from lnl_core.readings import SOURCES, How, as_tags
from lnl_core.said import many

if TYPE_CHECKING:
    from lnl_core.services.export.reimporting import DecisionImport
    from lnl_core.types import DatasetInfo

_LINES = 5


def _arguments(one: argparse.ArgumentParser) -> None:
    add_dataset(one)
    one.add_argument("--file", type=Path, required=True, help="CSV, Parquet or JSON file")
    one.add_argument("--reviewer", required=True, help="who decided, where the file names nobody")
    one.add_argument(
        "--dry-run", action="store_true", help="say what would be stored; store nothing"
    )
    one.add_argument(
        "--verbose", action="store_true", help="name every row that was not stored or contradicts"
    )
    one.add_argument(
        "--replace", action="store_true", help="store rows that are older than what is in force"
    )
    one.add_argument(
        "--new-class",
        action="append",
        default=[],
        metavar="NAME",
        help="class that the set does not have yet and the file names; may be given several times",
    )
    one.add_argument(
        "--by-id", action="store_true", help="the ids are right, whatever the images' content"
    )
    one.add_argument(
        "--copies",
        action="store_true",
        help="an answer goes to all copies of its picture that have none",
    )
    _of_other_tools(one)


def _of_other_tools(one: argparse.ArgumentParser) -> None:
    others = one.add_argument_group(
        "other tools", "A file of another tool is recognised by what is in it."
    )
    others.add_argument(
        "--from",
        dest="source",
        choices=tuple(SOURCES),
        default="",
        help="which tool wrote the file",
    )
    others.add_argument(
        "--image-column", default="", metavar="COLUMN", help="column or field that names the image"
    )
    others.add_argument(
        "--label-column",
        default="",
        metavar="COLUMN",
        help="column or field of the corrected labels; of Label Studio the name of the control",
    )
    others.add_argument(
        "--reviewer-column", default="", metavar="COLUMN", help="column that says who decided"
    )
    others.add_argument("--time-column", default="", metavar="COLUMN", help="column that says when")
    others.add_argument(
        "--unchanged",
        choices=("skip", "keep"),
        default="skip",
        help="labels that are the given ones, where the file does not say that anybody looked: no "
        "decision (default), or confirmed",
    )
    others.add_argument(
        "--tag",
        action="append",
        default=[],
        metavar="TAG=ACTION",
        help="what a tag of FiftyOne stands for: keep, unsure, none or skip; may be given several "
        "times",
    )


def decide(options: Any) -> int:
    """Import decisions made elsewhere."""
    from lnl_core.services.export import reimporting
    from lnl_core.services.review import new_classes

    reimporting.check_file(options.file)
    how = How(
        source=options.source,
        image_column=options.image_column,
        label_column=options.label_column,
        reviewer_column=options.reviewer_column,
        time_column=options.time_column,
        unchanged=options.unchanged,
        tags=as_tags(options.tag),
    )
    info = opened(options)
    known = info.class_names
    for name in options.new_class:
        if options.dry_run:
            info = new_classes.with_class(info, name)
        else:
            info, _ = new_classes.add_class(info, name)
    try:
        result = reimporting.import_decisions(
            info,
            options.file,
            options.reviewer,
            replace_newer=options.replace,
            by_id=options.by_id,
            to_copies=options.copies,
            how=how,
            dry_run=options.dry_run,
        )
    finally:
        if not options.dry_run:
            _drop_unused(info, known)
    return _told(options, result)


def _drop_unused(info: DatasetInfo, known: tuple[str, ...]) -> None:
    from lnl_core.services.review.new_classes import drop_unused

    for name in drop_unused(info, set(info.class_names) - set(known)):
        print(f"  No row that was stored names “{name}”: it is no class.", file=sys.stderr)


def _told(options: Any, result: DecisionImport) -> int:
    """Say what became of the file; `PARTLY` where rows need a look."""
    for note in result.notes:
        print(f"  {note}", file=sys.stderr)
    for words, lines in (
        ("held back, for the set says otherwise", [e.words() for e in result.held_back]),
        ("other than what is in force", [e.words() for e in result.conflicts]),
        ("cannot be used", list(result.problems)),
    ):
        _named(words, lines, whole=options.verbose)
    would = "would be " if options.dry_run else ""
    say(
        options,
        {
            "stored": result.stored,
            "on_copies": result.on_copies,
            "unchanged": result.unchanged,
            "held": result.held,
            "by_content": result.by_content,
            "source": result.source,
            "unlooked": result.unlooked,
            "dry_run": options.dry_run,
            "held_back": [asdict(each) for each in result.held_back],
            "conflicts": [asdict(conflict) for conflict in result.conflicts],
            "problems": list(result.problems),
            "notes": list(result.notes),
        },
        f"{many(result.stored, 'decision')} {would}stored, "
        + (f"{result.on_copies:,} more on copies, " if options.copies else "")
        + f"{result.unchanged:,} known already, "
        f"{result.held:,} held back, {len(result.problems):,} refused.",
    )
    return PARTLY if result.problems or result.held else DONE


def _named(words: str, lines: list[str], *, whole: bool) -> None:
    """Print how many rows there are of a kind, and the first of them."""
    if not lines:
        return
    print(f"{many(len(lines), 'row')} {words}:", file=sys.stderr)
    shown = lines if whole else lines[:_LINES]
    for line in shown:
        print(f"  {line}", file=sys.stderr)
    if len(lines) > len(shown):
        print(f"  and {len(lines) - len(shown):,} more: --verbose names them", file=sys.stderr)


DECIDE = Command(
    "decide",
    "Import decisions made elsewhere, here or in another tool.",
    decide,
    _arguments,
    (
        "lnl decide birds --file decisions.csv --reviewer ann",
        "lnl decide birds --file decisions.csv --reviewer ann --replace",
        "lnl decide birds --file decisions.csv --reviewer ann --new-class owl",
        "lnl decide birds --file decisions.csv --reviewer ann --copies",
        "lnl decide birds --file samples.json --reviewer ann --dry-run       FiftyOne",
        "lnl decide birds --file project-1.json --reviewer ann               Label Studio",
        "lnl decide birds --file fixed.csv --reviewer ann --image-column photo --label-column now",
        "",
        "decisions.csv has the columns id, action[, label, reviewer, decided_at]; actions are",
        "keep, relabel, multiple, none, unsure, skip and reopen. The same file twice stores",
        "nothing twice. Exports carry the column content, by which a decision finds its image even",
        "where ids have moved. A row that contradicts the set (content, id, given_label), or a",
        "later answer of the same reviewer, is held back and named, never stored.",
        "What a model predicted (cleanlab's predicted_label, Label Studio's predictions) is none.",
    ),
)
