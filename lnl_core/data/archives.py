"""Zip files unpacked with care: nothing lands outside the folder, and no bomb goes off."""

from __future__ import annotations

import lzma
import os
import shutil
import stat
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath

from lnl_core.data.files import hidden, storable
from lnl_core.data.images import MAX_FILE_BYTES, SUFFIXES
from lnl_core.data.tables import visible
from lnl_core.data.writing import Skipped, disk_error
from lnl_core.types import LnlError

MAX_ENTRIES = 5_000_000
MAX_RATIO = 200
RATIO_FREE = 2**28
"""An archive may swell more than `MAX_RATIO` times until this many bytes."""

_ARRAYS = (".npz", ".parquet", ".pq", ".csv", ".tsv")


def check(archive: zipfile.ZipFile, name: str, folder: Path) -> None:
    """Refuse an archive that would fill the disk.

    Raises:
        LnlError: too many files, too strongly compressed, or larger than the free space.
    """
    entries = archive.infolist()
    total = sum(info.file_size for info in entries)
    packed = sum(info.compress_size for info in entries)
    if len(entries) > MAX_ENTRIES:
        raise LnlError(
            f"{name} holds {len(entries):,} files; {MAX_ENTRIES:,} are the most. Split it."
        )
    check_growth(name, total, packed)
    free = shutil.disk_usage(folder).free
    if total > free:
        raise LnlError(
            f"{name} needs {total / 2**30:,.1f} GB unpacked, the disk has {free / 2**30:,.1f} GB "
            "free. Free some, then import again."
        )


def check_growth(name: str, total: int, packed: int) -> None:
    """Refuse what unpacks to far more than it is.

    Raises:
        LnlError: more than `MAX_RATIO` times, and more than `RATIO_FREE` bytes.
    """
    if total > RATIO_FREE and total > MAX_RATIO * max(packed, 1):
        raise LnlError(
            f"{name} would grow {total // max(packed, 1):,} times to {total / 2**30:,.1f} GB; it "
            "looks like a zip bomb. Unpack it yourself if you trust it, and choose the folder."
        )


@dataclass(frozen=True, slots=True)
class Outline:
    """What a zip's own list tells: the parts of every path that can be read, and refusals."""

    paths: list[tuple[str, ...]]
    refused: Counter[str]


def outline(file: Path) -> Outline:
    """Read a zip's list without unpacking it.

    Raises:
        LnlError: no zip, or one that would fill the disk.
    """
    with _open(file) as archive:
        check(archive, file.name, file.parent)
        entries = [(info, _problem(info)) for info in archive.infolist()]
    paths = [_parts(info) for info, problem in entries if problem is None]
    return Outline(paths, Counter(problem[0] for _, problem in entries if problem and problem[0]))


def _open(file: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(file)
    except (zipfile.BadZipFile, OSError, ValueError, struct.error) as error:
        raise LnlError(f"{file.name} is no readable zip file. Copy or zip it again.") from error


def unpack(file: Path, folder: Path, *, hollow: bool = False) -> Iterator[Skipped]:
    """Unpack a zip into `folder`, yielding what was refused.

    Args:
        file: the zip.
        folder: where to.
        hollow: files that are called like images stay empty, until `fill`: enough to read what
            classes and lists there are, of a zip of any size.

    Raises:
        LnlError: no zip, a bomb, or the disk is full.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _open(file) as archive:
        check(archive, file.name, folder)
        for info in archive.infolist():
            empty = hollow and Path(info.filename).suffix.lower() in SUFFIXES
            problem = _problem(info) or _write(archive, info, folder, empty=empty)
            if problem is not None and problem[0]:
                yield Skipped(visible(info.filename)[:200], *problem)


def fill(file: Path, folder: Path, wanted: Iterable[Path]) -> None:
    """Write some of the images that a hollow folder has empty; what is damaged stays empty."""
    paths = {os.path.relpath(path, folder).replace(os.sep, "/") for path in wanted}
    with _open(file) as archive:
        for info in archive.infolist():
            if "/".join(_parts(info)) in paths and _problem(info) is None:
                folder.joinpath(*_parts(info)).unlink(missing_ok=True)
                _write(archive, info, folder)


def _parts(info: zipfile.ZipInfo) -> tuple[str, ...]:
    return PurePosixPath(info.filename.replace("\\", "/")).parts


def _problem(info: zipfile.ZipInfo) -> tuple[str, str] | None:
    """Say why an entry is not unpacked; a blank reason means in silence."""
    parts = _parts(info)
    if info.is_dir() or not parts or any(hidden(part) for part in parts):
        return "", ""
    if parts[0] == "/" or PureWindowsPath(info.filename).drive:
        return "An absolute path inside the zip.", "Zip the folder again with relative paths."
    if ".." in parts:
        return "A path that leads out of the zip.", "Zip the folder again, without “..”."
    if stat.S_ISLNK(info.external_attr >> 16):
        return "A link inside the zip.", "Zip the file itself."
    if info.flag_bits & 1:
        return "Protected by a password.", "Zip the folder again without one."
    if not storable(info.filename):
        return "The file name is not UTF-8.", "Rename it."
    if info.file_size > MAX_FILE_BYTES and not info.filename.lower().endswith(_ARRAYS):
        return "The file is larger than 1 GB.", "Shrink the image."
    return None


def _write(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, folder: Path, *, empty: bool = False
) -> tuple[str, str] | None:
    target = folder.joinpath(*_parts(info))
    created = False
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(info) as source, target.open("xb") as out:
            created = True
            if not empty:
                shutil.copyfileobj(source, out, 2**20)
        return None
    except FileExistsError:
        return "The zip holds this name twice.", "Rename one of the two."
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, struct.error):
        problem = "Damaged inside the zip.", "Copy or zip it again."
    except (NotImplementedError, RuntimeError):
        problem = "Compressed in a way that cannot be read.", "Zip it again the usual way."
    except (NotADirectoryError, ValueError):
        problem = "A name that no folder can hold.", "Rename it."
    except OSError as error:
        if disk_error(error).args[0].startswith("The disk is full"):
            raise disk_error(error) from error
        if error.errno is None:  # bz2 says so of damaged data
            problem = "Damaged inside the zip.", "Copy or zip it again."
        else:
            problem = "A name that no folder can hold.", "Rename it."
    if created:
        target.unlink(missing_ok=True)
    return problem
