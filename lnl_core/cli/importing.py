"""`lnl import`: says what it understood, asks by options, and stores."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lnl_core.cli.command import Command
from lnl_core.cli.screen import DONE, PARTLY, USAGE, duration, first_run, progress, say
from lnl_core.readings import OPTIONS, advice
from lnl_core.said import command, many

if TYPE_CHECKING:
    from collections.abc import Callable

    from lnl_core.readings import Question, Reading, Unanswered
    from lnl_core.types import DatasetInfo

_CLASSES, _LEFT = 20, 12
"""Lines of a reading in a terminal; the page and --json have all."""


def _arguments(one: argparse.ArgumentParser) -> None:
    one.add_argument("source", type=Path, help="folder, .csv, .parquet, .npz or .zip")
    one.add_argument("--name", help="what to call the data set")
    one.add_argument("--root", type=Path, help="folder that the paths of a list start from")
    one.add_argument("--size", type=int, help="working resolution in pixels")
    one.add_argument(
        "--dry-run", action="store_true", help="say what is read and asked; store nothing"
    )
    one.add_argument(
        "--score",
        action="store_true",
        help="start the default recipe at once, as `lnl run NAME --detach` does",
    )
    add_questions(one)


def add_questions(one: argparse.ArgumentParser) -> None:
    """Add the options that answer what a reading asks."""
    asked = one.add_argument_group(
        "questions",
        "Asked where a source can be read in several ways. Where a wrong reading would change "
        "labels, the import stops with exit code 2 and names the option.",
    )
    for each in OPTIONS:
        words: dict[str, Any] = {"dest": each.key, "help": each.help}
        if each.sets:
            asked.add_argument(each.flag, action="store_const", const=each.sets, **words)
        elif each.many:
            asked.add_argument(
                each.flag, action="append", default=[], metavar=each.metavar, **words
            )
        elif each.choices:
            asked.add_argument(each.flag, choices=each.choices, **words)
        else:
            asked.add_argument(each.flag, metavar=each.metavar, **words)


def import_(options: Any) -> int:
    """Read a folder per class, a list, NPZ arrays or a zip."""
    from lnl_core.readings import Answers, Unanswered, said

    answers = Answers.from_json(said(options))
    if options.dry_run:
        return _dry_run(options, answers)
    if not options.name:
        options.usage("the following arguments are required: --name")
    readings: list[Reading] = []

    def told(reading: Reading) -> None:
        readings.append(reading)
        print("\n".join(lines(reading)), file=sys.stderr)

    try:
        _store(options, answers, told)
    except Unanswered as stopped:
        progress("")
        return _stopped(options, stopped, readings)
    return _report(options, readings)


def _dry_run(options: Any, answers: Any) -> int:
    """Say what would be imported; 2 where a question has to be answered first."""
    from lnl_core.services.datasets import incoming
    from lnl_core.services.datasets.incoming import Look

    reading = incoming.read(
        Look(options.source, root=options.root, size=options.size, answers=answers)
    )
    open_ones = reading.open_questions
    end = "Nothing is stored: --dry-run."
    if open_ones:
        end = f"Answer first: {' '.join(dict.fromkeys(map(advice, open_ones)))}"
    say(options, {"reading": reading.to_json()}, "\n".join([*lines(reading), end]))
    return USAGE if open_ones else DONE


def _store(options: Any, answers: Any, told: Callable[[Reading], None]) -> None:
    from lnl_core.services.datasets import catalog
    from lnl_core.services.workspace import open_workspace

    began = time.monotonic()
    shown = 0.0

    def report(done: int, total: int, skipped: int) -> None:
        nonlocal shown
        if time.monotonic() - shown < 0.2 and done < total:
            return
        shown = time.monotonic()
        left = (shown - began) / max(done, 1) * (total - done)
        progress(
            f"{done:,} of {total:,} read, {skipped:,} skipped, {duration(left)} left",
            done / max(total, 1),
        )

    catalog.import_dataset(
        open_workspace(),
        options.source,
        options.name,
        root=options.root,
        size=options.size,
        answers=answers,
        report=report,
        told=told,
    )
    progress("")


def _stopped(options: Any, stopped: Unanswered, readings: list[Reading]) -> int:
    """Say which questions stopped the import, and with which options it goes on."""
    if options.json:
        value: dict[str, Any] = {"error": {"code": stopped.code, "message": str(stopped)}}
        if readings:
            value["reading"] = readings[0].to_json()
        print(json.dumps(value, ensure_ascii=False))
    said = [f"  {each.text} {advice(each)}" for each in stopped.questions]
    print(
        "lnl: nothing was stored, because the source can be read in several ways.\n"
        + "\n".join(said),
        file=sys.stderr,
    )
    return USAGE


def _answered(options: Any) -> list[str]:
    """Return the options that were given about how the source is read, as they are written."""
    words = [] if options.root is None else ["--root", str(options.root)]
    for each in OPTIONS:
        said = getattr(options, each.key)
        if said and each.sets:
            words.append(each.flag)
        elif said:
            values = said if isinstance(said, list) else [said]
            words += [word for value in values for word in (each.flag, value)]
    return words


def _report(options: Any, readings: list[Reading]) -> int:
    """Say what came in and what did not."""
    from lnl_core.services.datasets import settings
    from lnl_core.services.workspace import dataset, open_workspace

    info = dataset(open_workspace(), options.name.strip())
    problems = settings.skipped_rows(info)
    missed = [each for each in problems if not settings.is_beside(each["reason"])]
    for problem in missed[:20]:
        where = problem["where"]
        if problem["row"] is not None and info.kind in ("manifest", "zip") and "row " not in where:
            where = f"row {problem['row']}, {where}"
        print(f"  {where}: {problem['reason']} → {problem['remedy']}", file=sys.stderr)
    if len(missed) > 20:
        print(f"  and {len(missed) - 20:,} more, all on the Data page", file=sys.stderr)
    for each in settings.skipped(info):
        if settings.is_beside(each.reason):
            print(f"  {each.count:,} left out, first {each.where}: {each.reason}", file=sys.stderr)
    for note in settings.unsaid(info, [note for reading in readings for note in reading.notes]):
        print(f"  {note}", file=sys.stderr)
    if missed:
        again = command("add", info.name, str(options.source), *_answered(options))
        print(f"Repaired files come in with: {again}", file=sys.stderr)
    runs, following = _scored(info) if options.score else ([], f"Next: {first_run(info.name)}")
    say(
        options,
        {
            "name": info.name,
            "n": info.n,
            "classes": info.real_class_count,
            "skipped": info.skipped,
            "problems": problems,
            "notes": settings.notes(info),
        }
        | ({"runs": [{"id": number} for number in runs]} if options.score else {}),
        f"{many(info.n, 'image')} in, {info.skipped:,} skipped, "
        f"{many(info.real_class_count, 'class', 'classes')}.\n"
        f"{following}",
    )
    return PARTLY if info.skipped else DONE


def _scored(info: DatasetInfo) -> tuple[list[int], str]:
    """Start the default recipe in the background; return its runs, and what to say of them."""
    from lnl_core.services.runs import recipes

    known = recipes.recipe(info)
    jobs = recipes.start_scoring(info)
    after = duration(round(known.first_seconds))
    words = f"Scoring goes on: {known.title.lower()}, first queue after about {after}."
    return [job.id for job in jobs], f"{words}\nNext: lnl open"


def lines(reading: Reading) -> list[str]:
    """Return a reading as lines of text."""
    said = [f"Read as: {reading.kind}. {_size(reading)}"]
    if reading.files:
        said.append(f"  from: {', '.join(reading.files[:6])}")
    if reading.columns:
        said.append(f"  columns: {', '.join(f'{k} = {v}' for k, v in reading.columns.items())}")
    if reading.splits:
        said.append(f"  splits: {', '.join(f'{k} {v:,}' for k, v in reading.splits.items())}")
    for each in (reading.classes or ())[:_CLASSES]:
        written = f", written {', '.join(map(repr, each.written))}" if each.written else ""
        none = ", no class" if each.no_class else ""
        said.append(f"  class {each.name}: {each.count:,}{written}{none}")
    if len(reading.classes or ()) > _CLASSES:
        said.append(
            f"  and {many(len(reading.classes or ()) - _CLASSES, 'more class', 'more classes')}"
        )
    for left in reading.left_out[:_LEFT]:
        first = f", first {left.first}" if left.first else ""
        said.append(f"  left out: {left.counted}{first}: {left.reason} {left.remedy}")
    said += [f"  {note}" for note in reading.notes]
    said += [line for each in reading.questions if each.is_open for line in _asked(each)]
    return said


def _size(reading: Reading) -> str:
    if reading.n is None:
        return "Questions come first."
    size = f", kept at {reading.width} x {reading.height} px" if reading.width else ""
    about = "" if reading.exact else "About "
    classes = many(len(reading.classes or ()), "class", "classes")
    return f"{about}{many(reading.n, 'image')}, {classes}{size}."


def _asked(question: Question) -> list[str]:
    said = [f"  ? {question.text}"]
    said += [f"      {detail}" for detail in question.details]
    said += [f"      {choice.value}: {choice.words}" for choice in question.choices[:12]]
    return [*said, f"      {advice(question)}"]


IMPORT = Command(
    "import",
    "Read a folder per class, a list, NPZ arrays or a zip.",
    import_,
    _arguments,
    (
        "lnl import photos/ --dry-run                      what is read, what is asked",
        "lnl import photos/ --name birds                   photos/CLASS/FILE",
        "lnl import photos/ --name birds --score           in, scored, then: lnl open",
        "lnl import list.csv --root photos/ --name birds   columns image, label[, id, true_label]",
        "lnl import arrays.npz --name birds                images (n, h, w[, c]), labels (n,)",
        "lnl import photos.zip --name birds                a folder per class inside",
        "lnl import data/cifar-10-batches-py --name cifar  as torchvision downloads it; MNIST too",
        "lnl import hub/ --name hub                        Hugging Face: metadata or Parquet",
        'lnl import list.csv --name shop --not-a-class "Not sure" --not-a-class Skip',
        "lnl import list.csv --name mine --image-column photo --label-column kind",
        "",
        "What cannot be read is skipped and listed with its reason; then the exit code is 3.",
        "A blank label is skipped; one that sounds like none (unknown, ?) is kept and named.",
    ),
)
