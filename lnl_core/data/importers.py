"""Import: whatever form a labelled set has, it becomes one folder of arrays, row by row.

`detect` looks and says what it sees; `import_source` reads. Nothing that cannot be read stops the
rest: it is skipped, with where, why and what helps.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lnl_core.data import archives, folders, manifests, no_class, npz, tables, vision
from lnl_core.data.files import FileSource, storable
from lnl_core.data.images import SUFFIXES
from lnl_core.data.writing import Plan, Row, SetWriter, Skipped, Source, part_of
from lnl_core.types import LnlError

Report = Callable[[int, int, int], None]
"""Called with (done, total, skipped), several times a second; may raise to stop the import."""

ORIGINALS = "originals"
_TABLES = (".csv", ".tsv", ".parquet", ".pq", ".jsonl")
_LISTS = (".npz", ".csv", ".jsonl")
_METADATA = (".csv", ".jsonl", ".parquet")
_DEEP = 3
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
        kind: `folder`, `manifest`, `npz`, `torchvision` or `zip`.
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


@dataclass(frozen=True, slots=True)
class Detected:
    """What a source seems to be, before anything is imported.

    Attributes:
        kind: `folder`, `manifest`, `npz`, `torchvision` or `zip`.
        n: images found, None where only reading would tell (a zip with a list or arrays).
        class_names: the classes, None likewise.
        height: working resolution that would be chosen; None for a zip.
        width: the same.
        problems: sentences to show beside the preview.
    """

    kind: str
    n: int | None
    class_names: tuple[str, ...] | None
    height: int | None
    width: int | None
    problems: tuple[str, ...]


def kind_of(source: Path) -> str:
    """Return `folder`, `manifest`, `npz`, `torchvision` or `zip`, by what the source holds.

    Raises:
        LnlError: it does not exist, or is none of them.
    """
    try:
        if source.is_dir():
            if _manifest_in(source):
                return "manifest"
            return "folder" if vision.find(source) is None else "torchvision"
        with source.open("rb") as stream:
            head = stream.read(4)
    except OSError as error:
        raise LnlError(f"{source} cannot be opened: {error.strerror}. Check the path.") from error
    suffix = source.suffix.lower()
    if suffix == ".npz":
        return "npz"
    if suffix in manifests.SUFFIXES or head == b"PAR1":
        return "manifest"
    if suffix == ".zip" or (head == b"PK\x03\x04" and suffix not in (".xlsx", ".ods", ".docx")):
        return "zip"
    raise LnlError(
        f"{source.name} is none of the known forms. Choose a folder of class folders, a list "
        "(.csv, .parquet), arrays (.npz) or a .zip of them."
    )


def _manifest_in(folder: Path, depth: int = 0) -> list[Path]:
    """Find the list of images inside a folder: a table whose header has image and label.

    Where there is none, every folder inside may have a `metadata` list of its own, as Hugging
    Face's imagefolder has for its splits; a lone folder around them (`data/`) is passed through.
    """
    inside = folders.entries(folder)
    inner = [each for each in inside if each.is_dir(follow_symlinks=False)]
    for entry in inside:
        if _is_manifest(Path(entry.path)):
            return [Path(entry.path)]
    lists = []
    for each in inner:
        names = [Path(each.path) / f"metadata{suffix}" for suffix in _METADATA]
        lists += [path for path in names if _is_manifest(path)][:1]
    if not lists and len(inner) == 1 and depth < _DEEP:
        return _manifest_in(Path(inner[0].path), depth + 1)
    return lists


def _is_manifest(path: Path) -> bool:
    return (
        path.suffix.lower() in manifests.SUFFIXES
        and path.is_file()
        and set(manifests.REQUIRED) <= tables.header(path, manifests.COLUMNS)
    )


def _look(source: Path, root: Path | None, class_map: Mapping[str, str] | None) -> Source:
    kind = kind_of(source)
    if kind == "npz":
        return npz.scan(source, class_map)
    if kind == "manifest":
        return manifests.scan(_manifest_in(source) if source.is_dir() else source, root, class_map)
    if kind == "torchvision":
        return vision.scan(source, class_map)
    return _folder(source, class_map)


def _folder(source: Path, class_map: Mapping[str, str] | None) -> Source:
    """Look over class folders; where there are none, a list without labels is the reason."""
    try:
        return folders.scan(source, class_map)
    except LnlError:
        for suffix in _METADATA:
            if (file := source / f"metadata{suffix}").is_file():
                manifests.scan(file)  # says which column is missing
        raise


def _look_inside(folder: Path, class_map: Mapping[str, str] | None) -> Source:
    """Look over an unpacked zip: a lone folder around everything is passed through."""
    for _ in range(8):
        inside = folders.entries(folder)
        arrays = [e for e in inside if e.name.lower().endswith(".npz")]
        if len(arrays) == 1:
            return npz.scan(Path(arrays[0].path), class_map)
        if _manifest_in(folder) or len(inside) != 1 or not inside[0].is_dir():
            break
        below = folders.entries(Path(inside[0].path))
        if not any(e.is_dir() or e.name.lower().endswith(_LISTS) for e in below):
            break
        folder = Path(inside[0].path)
    return _look(folder, None, class_map)


def detect(source: Path, *, root: Path | None = None, size: int | None = None) -> Detected:
    """Say what would be imported. Nothing is written; of a zip, only the list is read.

    Raises:
        LnlError: nothing there can be imported.
    """
    source = source.expanduser()
    if kind_of(source) == "zip":
        return _detect_zip(source)
    looked_over = _look(source, root, None)
    plan = looked_over.plan(size)
    counted = tuple(looked_over.class_names)
    problems = [*looked_over.notes]
    if looked_over.kind == "folder" and isinstance(looked_over, FileSource):
        problems += _odd_names(looked_over)
    if len(counted) == 1:
        problems.append("Only one class: there is nothing else that a label could be.")
    return Detected(
        looked_over.kind, looked_over.total, counted, plan.height, plan.width, tuple(problems)
    )


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


def _detect_zip(source: Path) -> Detected:
    outline = archives.outline(source)
    problems = tuple(f"{count:,} left out: {why}" for why, count in outline.refused.most_common())
    if any(parts[-1].lower().endswith((*_TABLES, ".npz")) for parts in outline.paths):
        return Detected("zip", None, None, None, None, problems)
    pictures = [parts for parts in outline.paths if Path(parts[-1]).suffix.lower() in SUFFIXES]
    if not pictures:
        raise LnlError(
            f"{source.name} holds no image. Zip a folder of class folders, or a list with images."
        )
    names = folders.classes_of(pictures)
    return Detected("zip", len(pictures), tuple(names), None, None, problems)


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

    Raises:
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
    part = part_of(out_dir)
    shutil.rmtree(part, ignore_errors=True)
    refused: list[Skipped] = []
    try:
        is_zip = kind_of(source) == "zip"
        if is_zip:
            refused = list(archives.unpack(source, part / ORIGINALS))
            looked_over = _look_inside(part / ORIGINALS, class_map)
        else:
            looked_over = _look(source, root, class_map)
        none = no_class.checked(no_classes, looked_over.class_names)
        plan = looked_over.plan(size)
        with SetWriter(out_dir, plan, looked_over.total, looked_over.has_truth) as writer:
            for skipped in refused:
                writer.skip(skipped)
            _copy(looked_over, writer, report)
            if not writer.n:
                raise LnlError(_nothing(looked_over, source, writer))
            kind = "zip" if is_zip else looked_over.kind
            notes = looked_over.notes + _notes(looked_over, writer)
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
            } | ({"no_classes": none} if none else {})
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
    if looked_over.kind in ("npz", "torchvision"):
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
    notes = []
    if empty:
        shown = ", ".join(f"“{name[:24]}”" for name in empty[:5])
        more = f" and {len(empty) - 5:,} more" if len(empty) > 5 else ""
        notes.append(f"No image in {shown}{more}.")
    if len(source.class_names) == 1:
        notes.append("Only one class: there is nothing else that a label could be.")
    return notes
