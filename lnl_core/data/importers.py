"""Import: whatever form a labelled set has, it becomes one folder of arrays, row by row.

`read` looks and says what it understood, and what has to be asked; `import_source` stores. What
cannot be read does not stop the rest: it is skipped, with where, why and what helps.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from lnl_core.data import (
    archives,
    damage,
    folders,
    hub,
    no_class,
    nothing_in,
    npz,
    recognising,
    tables,
)
from lnl_core.data.contrast import Contrast
from lnl_core.data.files import FileSource, storable
from lnl_core.data.images import SUFFIXES, is_beside
from lnl_core.data.reading import expecting
from lnl_core.data.reading.assembling import mostly_skipped, reading_of
from lnl_core.data.reading.path_parts import inside
from lnl_core.data.tables import BadRow
from lnl_core.data.writing import Plan, Row, SetWriter, Skipped, Source, part_of
from lnl_core.readings import (
    Answers,
    ClassRead,
    LeftOut,
    Question,
    Reading,
    Unanswered,
)
from lnl_core.types import LnlError

Report = Callable[[int, int, int], None]
"""Called with (done, total, skipped), several times a second; may raise to stop the import."""

ORIGINALS = "originals"
_EVERY = 0.1
MAX_SIZE = 1024


@dataclass(frozen=True, slots=True)
class Reason:
    """Why things were skipped: how often, and where the first one is."""

    count: int
    reason: str
    remedy: str
    first: str


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What came in and what did not; every skipped item is in the set's `skipped.parquet`.

    Attributes:
        n: images read; `skipped` were not.
        kind: `folder`, `manifest`, `hub`, `npz`, `torchvision` or `zip`.
        reasons: most frequent first.
        notes: what a person should know about the set as a whole.
        version: digest of the contents.
    """

    name: str
    kind: str
    n: int
    skipped: int
    class_names: tuple[str, ...]
    height: int
    width: int
    channels: int
    format: str
    has_truth: bool
    reasons: tuple[Reason, ...]
    notes: tuple[str, ...]
    version: str
    seconds: float


@damage.refusing
def read(
    source: Path,
    *,
    root: Path | None = None,
    size: int | None = None,
    answers: Answers | None = None,
    scratch: Path | None = None,
    hollow: bool = False,
    pictures: bool = False,
) -> Reading:
    """Say what would be imported, and what has to be answered first. Nothing is stored.

    Args:
        source: as for `import_source`.
        root: for a list, the folder that its paths start from.
        size: working resolution; chosen when None.
        answers: what a person said already.
        scratch: an empty folder in which a zip may be unpacked; without it, only the zip's own
            list of files is read.
        hollow: of a zip, unpack only lists and a sample of the images; numbers are estimates.
        pictures: make a small picture of each class's examples.

    Raises:
        LnlError: nothing there can be imported.
    """
    source, said = source.expanduser(), answers or Answers()
    is_zip = _is_zip(source)
    if is_zip and scratch is None:
        return _outline_of_zip(source)
    looked_over, refused = _look(source, root, None, said, scratch, hollow)
    for each in refused:
        looked_over.outline.leave_out(1, "files", BadRow(each.reason, each.remedy), each.where)
    plan = _plan(looked_over, size, said)
    if looked_over.kind == "folder" and isinstance(looked_over, FileSource):
        looked_over.outline.notes += _odd_names(looked_over)
    kind = "zip" if is_zip else None
    reading = reading_of(looked_over, plan, str(source), said, kind=kind, pictures=pictures)
    if not reading.open_questions:
        nothing_in.refuse(looked_over, source, said)
    return reading


def _is_zip(source: Path) -> bool:
    return not source.is_dir() and recognising.kind_of(source) == "zip"


def _look(
    source: Path,
    root: Path | None,
    class_map: Mapping[str, str] | None,
    said: Answers,
    unpacked: Path | None,
    hollow: bool = False,
) -> tuple[Source, list[Skipped]]:
    """Look a source over, a zip unpacked; return it and what the zip was refused."""
    refused: list[Skipped] = []
    if unpacked is not None and _is_zip(source):
        refused = list(archives.unpack(source, unpacked, hollow=hollow))
        looked_over = recognising.look_inside(unpacked, class_map, said)
        if hollow and isinstance(looked_over, FileSource):
            looked_over.sampled = True
            shown = [each for few in looked_over.outline.examples.values() for _, each in few]
            files = [each for each in (*looked_over.sample, *shown) if isinstance(each, Path)]
            archives.fill(source, unpacked.resolve(), files)
    else:
        looked_over = recognising.look(source, root, class_map, said)
    lists_left = [each for each in looked_over.outline.left.values() if each.what == "lists"]
    expecting.settle(looked_over, said)
    for each in lists_left:
        why = BadRow(each.reason, each.remedy)
        looked_over.outline.leave_out(each.count, each.what, why, each.first)
    return looked_over, refused


def _plan(source: Source, size: int | None, answers: Answers) -> Plan:
    """Choose the working resolution and, for files, the contrast that a person did not refuse."""
    if isinstance(source, FileSource | hub.HubSource | npz.NpzSource):
        source.stretch = answers.contrast
    return source.plan(size)


def _as_set(plan: Plan | None, own: Plan) -> Plan:
    """Return the plan of the set that images are added to, else their own.

    Deep and real pixels are shown by the set's range; a set that has none takes theirs.
    """
    if plan is None or own.contrast is None:
        return plan or own
    known = plan.contrast or Contrast()
    both = Contrast(known.deep or own.contrast.deep, known.real or own.contrast.real, known.byte)
    return replace(plan, contrast=both if both.to_json() else None)


def _odd_names(source: FileSource) -> list[str]:
    """Say how many of a folder's files do not end as images do, judged by a sample."""
    odd = sum(file.suffix.lower() not in SUFFIXES for file in source.sample)
    if not odd:
        return []
    about = max(1, round(odd / len(source.sample) * source.total))
    return [
        f"About {about:,} of {source.total:,} files do not end like an image (.jpg, .png …): "
        "what is none is skipped. Is this the folder above the class folders?"
    ]


def _outline_of_zip(source: Path) -> Reading:
    outline = archives.outline(source)
    left_out = tuple(
        LeftOut(count, "files", why, "") for why, count in outline.refused.most_common()
    )
    notes = tuple(f"{each.count:,} left out: {each.reason}" for each in left_out)
    where = str(source)
    if any(parts[-1].lower().endswith((*recognising.TABLES, ".npz")) for parts in outline.paths):
        return Reading("zip", where, None, None, None, left_out=left_out, notes=notes)
    pictures = [parts for parts in outline.paths if Path(parts[-1]).suffix.lower() in SUFFIXES]
    if not pictures:
        raise LnlError(
            f"{source.name} holds no image. Zip a folder of class folders, or a list with images."
        )
    names = folders.classes_of(pictures)
    classes = tuple(ClassRead(name, 0) for name in names)
    return Reading(
        "zip", where, len(pictures), None, None, classes=classes, left_out=left_out, notes=notes
    )


@damage.refusing
def import_source(
    source: Path,
    name: str,
    out_dir: Path,
    *,
    root: Path | None = None,
    size: int | None = None,
    report: Report | None = None,
    class_map: Mapping[str, str] | None = None,
    no_classes: Sequence[str] = (),
    answers: Answers | None = None,
    told: Callable[[Reading], None] | None = None,
    plan: Plan | None = None,
) -> ImportReport:
    """Read a labelled set into `out_dir`, which appears only once it is complete.

    Args:
        source: folder per class, folder with a list, list (.csv, .parquet, .jsonl), raw torchvision
            folder (CIFAR, MNIST), .npz, or .zip of them.
        name: what the user calls the set.
        out_dir: the folder to make, on the disk where it will stay.
        root: for a list, the folder that its paths start from.
        size: longer side of the working resolution in pixels, 8 to 1,024; chosen when None.
        report: told how far it is.
        class_map: label as written -> class name, to rename or merge.
        no_classes: labels that say that nobody labelled the image; kept as they are.
        answers: what a person said about what is ambiguous.
        told: given the reading before anything is stored.
        plan: the working resolution, whatever the images say: that of a set they are added to.

    Raises:
        Unanswered: labels could be read wrongly; nothing is stored before it is answered.
        LnlError: nothing could be read, or there is no such label.
    """
    started = time.monotonic()
    if size is not None and not 8 <= size <= MAX_SIZE:
        raise LnlError(
            f"A working resolution of {size} px is out of range. Choose 8 to {MAX_SIZE}."
        )
    if out_dir.exists() and any(out_dir.iterdir()):
        raise LnlError(f"{out_dir} is not empty. Choose another folder.")
    source = source.expanduser()
    said = answers or Answers()
    said = replace(said, no_classes=tuple(dict.fromkeys((*said.no_classes, *no_classes))))
    part = part_of(out_dir)
    shutil.rmtree(part, ignore_errors=True)
    try:
        is_zip = _is_zip(source)
        looked_over, refused = _look(source, root, class_map, said, part / ORIGINALS)
        plan = _as_set(plan, _plan(looked_over, size, said))
        reading = reading_of(looked_over, plan, str(source), said)
        if told is not None:
            told(reading)
        if reading.open_questions:
            raise Unanswered(reading.open_questions)
        none = no_class.checked(
            (*said.no_classes, *looked_over.outline.no_classes), looked_over.class_names
        )
        with SetWriter(out_dir, plan, looked_over.total, looked_over.has_truth) as writer:
            for skipped in refused:
                writer.skip(skipped)
            _copy(looked_over, writer, report)
            if not writer.n:
                raise LnlError(nothing_in.why(looked_over, source, nothing_in.most(writer)))
            kind = "zip" if is_zip else looked_over.kind
            if writer.lost > writer.n and not said.mostly_skipped:
                raise Unanswered([_mostly(writer, said)])
            notes = [*reading.notes, *_notes(looked_over, writer)]
            counts = dict(
                zip(
                    looked_over.class_names,
                    writer.counts(len(looked_over.class_names)),
                    strict=True,
                )
            )
            notes += no_class.notes(counts, none)
            if not sum(count for label, count in counts.items() if label not in none):
                raise LnlError(nothing_in.NO_CLASS_LEFT)
            answers = _from_anywhere(said, looked_over)
            meta = {
                "name": name,
                "class_names": list(looked_over.class_names),
                "kind": kind,
                "source": tables.visible(str(source.absolute())),
                "root": _settle(looked_over, part) if is_zip else _root_to_store(looked_over),
                "format": plan.format,
                "notes": notes,
                "answers": answers.to_json(),
                "lists": [] if is_zip else _lists(looked_over),
            } | ({"no_classes": none} if none else {})
            if plan.contrast is not None:
                meta["contrast"] = plan.contrast.to_json()
            version = writer.finish(meta)
            notes += writer.copies
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return _report(
        name, kind, looked_over, plan, writer, notes, version, time.monotonic() - started
    )


def _lists(source: Source) -> list[str]:
    """Return the lists that were read, which no output may replace; those that JSON can hold."""
    paths = (str(each.absolute()) for each in source.outline.lists)
    return [path for path in paths if storable(path)]


def _from_anywhere(said: Answers, source: Source) -> Answers:
    """Return answers that hold in every folder: their file in whole, their folder from the root."""
    if said.images_in and isinstance(source, FileSource) and source.kind == "manifest":
        with suppress(LnlError):  # then it is one of the folders of splits
            said = replace(said, images_in=inside(source.root, said.images_in))
    file = Path(said.classes_file)
    return replace(said, classes_file=str(file.absolute())) if file.is_file() else said


def _root_to_store(source: Source) -> str | None:
    """Return the folder of the originals; None where JSON cannot hold its name.

    The working copies are shown then.
    """
    where = None if source.root is None else str(source.root)
    return where if where is not None and storable(where) else None


def _report(
    name: str,
    kind: str,
    source: Source,
    plan: Plan,
    writer: SetWriter,
    notes: Sequence[str],
    version: str,
    seconds: float,
) -> ImportReport:
    reasons = tuple(
        Reason(count, *key, writer.firsts[key]) for key, count in writer.reasons.most_common()
    )
    return ImportReport(
        name=name,
        kind=kind,
        n=writer.n,
        skipped=writer.skipped,
        class_names=tuple(source.class_names),
        height=plan.height,
        width=plan.width,
        channels=writer.channels,
        format=plan.format,
        has_truth=writer.all_true,
        reasons=reasons,
        notes=tuple(notes),
        version=version,
        seconds=seconds,
    )


def _copy(source: Source, writer: SetWriter, report: Report | None) -> None:
    done, told = 0, 0.0
    for item in source.rows(writer.plan):
        done += 1
        if isinstance(item, Row):
            split = source.outline.read_as.get(item.split, item.split)
            writer.add(item if split == item.split else replace(item, split=split))
        else:
            writer.skip(item)
        if report is not None and time.monotonic() - told >= _EVERY:
            told = time.monotonic()
            report(done, source.total, writer.skipped)
    if report is not None:
        report(done, source.total, writer.skipped)


def _settle(source: Source, part: Path) -> str | None:
    """Keep a zip's images as originals beside the arrays; a root inside the set is relative."""
    if source.root is None:
        shutil.rmtree(part / ORIGINALS)
        return None
    return source.root.relative_to(part.resolve()).as_posix()


def _notes(source: Source, writer: SetWriter) -> list[str]:
    counts = writer.counts(len(source.class_names))
    empty = [name for name, count in zip(source.class_names, counts, strict=True) if not count]
    if not empty:
        return []
    shown = ", ".join(f"“{name[:24]}”" for name in empty[:5])
    more = f" and {len(empty) - 5:,} more" if len(empty) > 5 else ""
    return [f"No image in {shown}{more}."]


def _mostly(writer: SetWriter, answers: Answers) -> Question:
    """Return the question that stops an import of which most was left out."""
    reason, remedy = next(key for key, _ in writer.reasons.most_common() if not is_beside(key[0]))
    first = writer.firsts[reason, remedy]
    return mostly_skipped(
        f"{writer.lost:,} of {writer.lost + writer.n:,} images cannot be read, first “{first}”: "
        f"{reason} {remedy}",
        answers,
    )
