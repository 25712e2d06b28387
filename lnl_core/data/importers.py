"""Import: whatever form a labelled set has, it becomes one folder of arrays, row by row.

`read` looks and says what it understood, and what has to be asked; `import_source` stores. What
cannot be read does not stop the rest: it is skipped, with where, why and what helps.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lnl_core.data import (
    archives,
    damage,
    folders,
    hub,
    manifests,
    no_class,
    npz,
    tables,
    vision,
)
from lnl_core.data.files import FileSource, storable
from lnl_core.data.images import SUFFIXES
from lnl_core.data.reading import lists
from lnl_core.data.reading.assembling import mostly_skipped, reading_of
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
_TABLES = (".csv", ".tsv", ".parquet", ".pq", ".jsonl")
_LISTS = (".npz", ".csv", ".jsonl")
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


def kind_of(source: Path, answers: Answers | None = None) -> str:
    """Return `folder`, `manifest`, `hub`, `npz`, `torchvision` or `zip`, by what the source holds.

    Raises:
        LnlError: it does not exist, or is none of them.
    """
    try:
        if source.is_dir():
            if vision.find(source) is None and hub.find(source):
                return "hub"
            if _lists_in(source, answers or Answers()).listings:
                return "manifest"
            return "folder" if vision.find(source) is None else "torchvision"
        with source.open("rb") as stream:
            head = stream.read(4)
    except OSError as error:
        raise LnlError(f"{source} cannot be opened: {error.strerror}. Check the path.") from error
    suffix = source.suffix.lower()
    if suffix == ".npz":
        return "npz"
    if hub.holds_images(source):
        return "hub"
    if suffix in manifests.SUFFIXES or head == b"PAR1":
        return "manifest"
    if suffix == ".zip" or (head == b"PK\x03\x04" and suffix not in (".xlsx", ".ods", ".docx")):
        return "zip"
    raise LnlError(
        f"{source.name} is none of the known forms. Choose a folder of class folders, a list "
        "(.csv, .parquet), arrays (.npz) or a .zip of them."
    )


def _lists_in(folder: Path, answers: Answers) -> lists.Lists:
    """Return the lists of a folder that have the labels; none where class folders have them."""
    if vision.find(folder) is not None:
        return lists.Lists()
    there = lists.inside(folder, answers)
    return lists.against_folders(folder, there, None, answers) if there.listings else there


def _look(
    source: Path, root: Path | None, class_map: Mapping[str, str] | None, answers: Answers
) -> Source:
    if not source.is_dir():
        kind = kind_of(source)
        if kind == "npz":
            return npz.scan(source, class_map, answers)
        if kind == "hub":
            return hub.scan([source], class_map, answers)
        return manifests.scan(source, root, class_map, answers)
    if vision.find(source) is not None:
        return vision.scan(source, class_map)
    if shards := hub.find(source):
        return hub.scan(shards, class_map, answers)
    there = _lists_in(source, answers)
    if there.listings:
        looked_over: Source = manifests.scan(there.listings, root or there.root, class_map, answers)
    else:
        looked_over = _folder(source, class_map, answers)
    outline = looked_over.outline
    outline.questions[:0] = there.questions
    for name, why in there.unused.items():
        outline.notes.append(f"“{name[:60]}” is not used. {why}")
        outline.leave_out(
            1, "lists", BadRow(why, "Choose it with --list, or --labels-in list."), name
        )
    return looked_over


def _folder(source: Path, class_map: Mapping[str, str] | None, answers: Answers) -> Source:
    """Look over class folders; where there are none, a lone table may be the list."""
    tables_there = [
        Path(entry.path)
        for entry in folders.entries(source)
        if Path(entry.path).suffix.lower() in (*_TABLES, ".txt") and entry.is_file()
    ]
    named = [file for file in tables_there if file.stem == "metadata"] or tables_there
    try:
        looked_over = folders.scan(source, class_map, answers)
    except LnlError:
        if len(named) == 1:
            return manifests.scan(named[0], None, class_map, answers)  # or it says what is missing
        raise
    if len(+looked_over.outline.counts) < 2 and len(named) == 1 and lists.may_have_labels(named[0]):
        return manifests.scan(named[0], None, class_map, answers)
    return looked_over


def _look_inside(folder: Path, class_map: Mapping[str, str] | None, answers: Answers) -> Source:
    """Look over an unpacked zip: a lone folder around everything is passed through."""
    for _ in range(8):
        inside = folders.entries(folder)
        arrays = [e for e in inside if e.name.lower().endswith(".npz")]
        if len(arrays) == 1:
            return npz.scan(Path(arrays[0].path), class_map, answers)
        if len(inside) != 1 or not inside[0].is_dir() or lists.inside(folder, answers).listings:
            break
        below = folders.entries(Path(inside[0].path))
        if not any(e.is_dir() or e.name.lower().endswith(_LISTS) for e in below):
            break
        folder = Path(inside[0].path)
    return _look(folder, None, class_map, answers)


@damage.refusing
def read(
    source: Path,
    *,
    root: Path | None = None,
    size: int | None = None,
    answers: Answers | None = None,
    scratch: Path | None = None,
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
        pictures: make a small picture of each class's examples.

    Raises:
        LnlError: nothing there can be imported.
    """
    source, said = source.expanduser(), answers or Answers()
    is_zip = not source.is_dir() and kind_of(source) == "zip"
    if is_zip and scratch is None:
        return _outline_of_zip(source)
    if is_zip and scratch is not None:
        refused = [*archives.unpack(source, scratch)]
        looked_over = _look_inside(scratch, None, said)
        for each in refused:
            looked_over.outline.leave_out(1, "files", BadRow(each.reason, each.remedy), each.where)
    else:
        looked_over = _look(source, root, None, said)
    plan = _plan(looked_over, size, said)
    if looked_over.kind == "folder" and isinstance(looked_over, FileSource):
        looked_over.outline.notes += _odd_names(looked_over)
    kind = "zip" if is_zip else None
    reading = reading_of(looked_over, plan, str(source), said, kind=kind, pictures=pictures)
    if isinstance(looked_over, FileSource) and not reading.open_questions:
        _refuse_unreadable(looked_over)
    return reading


def _refuse_unreadable(source: FileSource) -> None:
    """Raise where none of the images that were looked at can be read."""
    if source.sample and source.unreadable < len(source.sample):
        return
    if source.kind == "folder":
        raise LnlError(folders.NO_IMAGE)
    left = max(source.outline.left.values(), key=lambda each: each.count, default=None)
    why = f" First “{left.first}”: {left.reason} {left.remedy}" if left else ""
    raise LnlError(f"No image could be read.{why} Paths start from {source.root}.")


def _plan(source: Source, size: int | None, answers: Answers) -> Plan:
    """Choose the working resolution and, for files, the contrast that a person did not refuse."""
    if isinstance(source, FileSource | hub.HubSource):
        source.stretch = answers.contrast
    return source.plan(size)


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
    if any(parts[-1].lower().endswith((*_TABLES, ".npz")) for parts in outline.paths):
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
    refused: list[Skipped] = []
    try:
        is_zip = not source.is_dir() and kind_of(source) == "zip"
        if is_zip:
            refused = list(archives.unpack(source, part / ORIGINALS))
            looked_over = _look_inside(part / ORIGINALS, class_map, said)
        else:
            looked_over = _look(source, root, class_map, said)
        plan = plan or _plan(looked_over, size, said)
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
                raise LnlError(_nothing(looked_over, source, writer))
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
                raise LnlError("No image has a class: every label that is used is no class.")
            meta = {
                "name": name,
                "class_names": list(looked_over.class_names),
                "kind": kind,
                "source": tables.visible(str(source if is_zip else source.absolute())),
                "root": _settle(looked_over, part) if is_zip else _root_to_store(looked_over),
                "format": plan.format,
                "notes": notes,
                "answers": said.to_json(),
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
            writer.add(item)
        else:
            writer.skip(item)
        if report is not None and time.monotonic() - told >= _EVERY:
            told = time.monotonic()
            report(done, source.total, writer.skipped)
    if report is not None:
        report(done, source.total, writer.skipped)


def _nothing(looked_over: Source, source: Path, writer: SetWriter) -> str:
    """Say why not one image came in."""
    if looked_over.kind == "folder":
        return folders.NO_IMAGE
    (reason, remedy), count = writer.reasons.most_common(1)[0]
    where = writer.firsts[reason, remedy]
    if looked_over.kind in ("npz", "torchvision", "hub"):
        return f"No image could be read. {reason} {remedy}"
    return (
        f"No image could be read. {count:,} times, first at “{where}”: {reason} {remedy} The paths "
        f"of {source.name} start from {looked_over.root}."
    )


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
    reasons = {key: count for key, count in writer.reasons.most_common(1)}
    (reason, remedy), _ = next(iter(reasons.items()))
    first = writer.firsts[reason, remedy]
    return mostly_skipped(
        f"{writer.lost:,} of {writer.lost + writer.n:,} images cannot be read, first “{first}”: "
        f"{reason} {remedy}",
        answers,
    )
