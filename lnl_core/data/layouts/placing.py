"""Images put into a new folder: copied, hard-linked or written out; the originals only read.

The folder is made under a hidden name and renamed at the end: nobody sees half of it.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lnl_core.data import files
from lnl_core.data import images as pictures
from lnl_core.data.content import has_changed
from lnl_core.data.files import hidden, inside_path
from lnl_core.data.layouts.cleaned import Cleaned
from lnl_core.data.tables import visible
from lnl_core.data.writing import part_of
from lnl_core.records import file_size
from lnl_core.types import IntArray, LnlError

MODES = ("copy", "link", "none")
"""`copy` the files, hard-`link` them (no space, same disk), or `none`: refer to the originals."""

Report = Callable[[int, int], None]
"""Called with (done, total) now and then; may raise to stop."""

SAMPLE = 1000
_EVERY = 256
_UNFIT = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)
_LONGEST = 150


@dataclass(frozen=True, slots=True)
class Need:
    """What a layout will take: `files` images, about `size` bytes of the `free` ones.

    Attributes:
        files: images to place.
        size: bytes; estimated from a sample above 1,000 files, 0 for links.
        free: bytes free where the folder will be.
        originals: False where the set came as arrays, whose working copies are written as PNG.
        missing: originals that are not where they were, which will be left out; likewise.
    """

    files: int
    size: int
    free: int
    originals: bool
    missing: int = 0


@dataclass(slots=True)
class Names:
    """Names that no two things share, whatever their case; see `fit_name`."""

    by_stem: bool = False
    _taken: set[str] = field(default_factory=set)
    _last: dict[str, int] = field(default_factory=dict)

    def take(self, wanted: str) -> str:
        """Return `wanted`, made fit for every system, or `wanted (2)` where it is taken."""
        name = fit_name(wanted)
        stem, suffix = os.path.splitext(name)
        first = self._key(name)
        number = self._last.get(first, 1)  # all of a set may be called alike
        while self._key(name) in self._taken:
            number += 1
            name = f"{stem} ({number}){suffix}"
        self._last[first] = number
        self._taken.add(self._key(name))
        return name

    def _key(self, name: str) -> str:
        shown = os.path.splitext(name)[0] if self.by_stem else name
        return unicodedata.normalize("NFC", shown).casefold()


def fit_name(text: str) -> str:
    """Return a name that a file or folder can have on Linux, macOS and Windows."""
    name = _UNFIT.sub("_", visible(text)).strip(" ")
    while len(name.encode()) > _LONGEST:
        stem, suffix = os.path.splitext(name)
        name = f"{stem[:-1]}{suffix}" if stem and len(suffix) < 10 else name[:-1]
    name = name.rstrip(". ")
    if not name or hidden(name) or _RESERVED.match(name):
        name = f"_{name}"
    return name


def original(cleaned: Cleaned, row: int) -> Path | None:
    """Return the original's path where it still lies inside the imported folder."""
    paths = cleaned.data.paths
    if cleaned.root is None or paths is None or not paths[row]:
        return None
    return files.original(cleaned.root, paths[row], cleaned.links)


def has_originals(cleaned: Cleaned) -> bool:
    """Tell whether the set came as files."""
    return cleaned.root is not None and cleaned.data.paths is not None


def need(cleaned: Cleaned, rows: IntArray, target: Path, mode: str) -> Need:
    """Estimate what placing these rows takes, before anything is written."""
    count = len(rows)
    free = shutil.disk_usage(_existing(target)).free
    on_disk = has_originals(cleaned)
    if not on_disk:
        return Need(count, count * int(np.prod(cleaned.data.images.shape[1:])), free, False)
    sample = rows if count <= SAMPLE else rows[:: count // SAMPLE]
    there = [path for row in sample if (path := original(cleaned, int(row))) is not None]
    found = round(len(there) / max(len(sample), 1) * count)
    if mode == "none":
        return Need(0, 0, free, True, count - found)
    sizes = [path.stat().st_size for path in there] if mode == "copy" else []
    mean = sum(sizes) / len(sizes) if sizes else 0.0
    return Need(found, round(mean * found), free, True, count - found)


def _existing(path: Path) -> Path:
    path = path.absolute()
    while not path.exists():
        path = path.parent
    return path


class Written(NamedTuple):
    """Images or tasks in a folder, what is not there or not as it was, and what else to know."""

    rows: int
    problems: list[str]
    notes: Sequence[str] = ()


@contextmanager
def new_folder(target: Path, cleaned: Cleaned) -> Iterator[Path]:
    """Give a hidden folder that becomes `target` once all went well.

    Raises:
        LnlError: the target is in use, lies among the originals, or cannot be written.
    """
    target = target.expanduser().absolute()
    check_target(target, cleaned)
    part = part_of(target)
    shutil.rmtree(part, ignore_errors=True)
    try:
        part.mkdir(parents=True)
        yield part
        if target.is_dir():
            target.rmdir()  # empty: checked above
        os.replace(part, target)
    except OSError as error:
        raise _cannot_write(target, error) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def check_target(target: Path, cleaned: Cleaned) -> None:
    """Refuse a folder that holds something, or that lies among or around the originals.

    Raises:
        LnlError: which, and what to choose instead.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise LnlError(f"{target} is there already and not empty. Choose a new folder.")
    if cleaned.root is not None:
        here, root = os.path.realpath(target), os.path.realpath(cleaned.root)
        if here == root or inside_path(Path(root), here) or inside_path(Path(here), root):
            raise LnlError(
                f"{target} lies among the originals ({root}), which are never touched. Choose a "
                "folder beside them."
            )


def _cannot_write(target: Path, error: OSError) -> LnlError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return LnlError(f"The disk is full; nothing of {target} was kept. Free space there.")
    if error.errno == errno.EXDEV:
        return LnlError(
            f"Hard links need one disk, and {target} is on another one than the originals. "
            "Choose copy, or a folder on their disk."
        )
    if error.errno in (errno.EMLINK, errno.ENOTSUP, errno.EPERM):
        return LnlError(
            f"The disk of {target} makes no hard links to the originals "
            f"({error.strerror}). Choose copy."
        )
    return LnlError(f"{target} cannot be written: {error.strerror or error}. Choose another one.")


@dataclass(slots=True)
class Placer:
    """Puts images under a folder; `missing` are the originals that are gone, `changed` others.

    `elsewhere` are images that were added from outside the set's folder: no original is known.

    Attributes:
        folder: the (hidden) folder that is being made.
        cleaned: the set.
        mode: `copy`, `link` or `none`; arrays are written as PNG in every mode.
        report: told how far it is.
        total: number of images that will come.
    """

    folder: Path
    cleaned: Cleaned
    mode: str
    total: int
    report: Report | None = None
    done: int = 0
    missing: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)

    def wanted_name(self, row: int) -> str:
        """Return the name that an image would like to have: its own, else its id."""
        paths = self.cleaned.data.paths
        if has_originals(self.cleaned) and paths is not None and paths[row]:
            return paths[row].rsplit("/", 1)[-1]
        return f"{self.cleaned.data.ids[row]}.png"

    def put(self, row: int, inside: str) -> bool:
        """Put one image at `inside`, relative to the folder; False where its original is gone.

        With mode `none` and originals on disk, nothing is written.
        """
        if self.report is not None and self.done % _EVERY == 0:
            self.report(self.done, self.total)
        self.done += 1
        target = self.folder / inside
        if not has_originals(self.cleaned):
            target.write_bytes(pictures.encode_png(np.asarray(self.cleaned.data.images[row])))
            return True
        source = original(self.cleaned, row)
        if source is None:
            paths = self.cleaned.data.paths
            path = "" if paths is None else str(paths[row])
            if path:
                self.missing.append(path)
            else:
                self.elsewhere.append(str(self.cleaned.data.ids[row]))
            return False
        known = self.cleaned.content
        if self.mode != "none" and known is not None and has_changed(known[row], source):
            self.changed.append(str(source))
        if self.mode == "link":
            os.link(source, target)
        elif self.mode == "copy":
            shutil.copyfile(source, target)
            shutil.copystat(source, target)
        return True

    def problems(self) -> list[str]:
        """Say which originals were not found, and which are other files than were imported.

        Raises:
            LnlError: not one was.
        """
        told = []
        if self.changed:
            are = _are(len(self.changed), "original is another file", "originals are other files")
            told.append(
                f"{are} than {'was' if len(self.changed) == 1 else 'were'} imported, first "
                f"{self.changed[0]}. Such files are here as they are now, with labels that people "
                "gave to the pictures before: look at them, or put the old files back."
            )
        if self.elsewhere:
            were = _are(len(self.elsewhere), "image was added", "images were added")
            told.append(
                f"{were} from outside the folder of the set and left out, first "
                f"{self.elsewhere[0]}: only working copies of such images are known. "
                f"To have them, put their files below {self.cleaned.root} and import anew."
            )
        if not self.missing:
            return told
        where = f"{self.missing[0]} under {self.cleaned.root}"
        if len(self.missing) == self.total:
            raise LnlError(
                f"No original is where it was, e.g. {where}. Put the folder back, say where it "
                "is now (lnl relink), or import the set again."
            )
        gone = _are(
            len(self.missing),
            "original is not where it was and is",
            "originals are not where they were and are",
        )
        return [
            *told,
            f"{gone} left out, first {where}. Put what is missing back, or say where it is now "
            "(lnl relink), and export again.",
        ]


def _are(count: int, one: str, several: str) -> str:
    return f"{count:,} {one if count == 1 else several}"


def check_space(needed: Need, target: Path) -> None:
    """Refuse what does not fit on the disk.

    Raises:
        LnlError: how much is needed and how much is free.
    """
    if needed.size > needed.free:
        raise LnlError(
            f"{target} needs about {file_size(needed.size)}, the disk has "
            f"{file_size(needed.free)} free. Free some, choose another disk, or hard links."
        )
