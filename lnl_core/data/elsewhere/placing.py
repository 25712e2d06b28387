"""Which image a file of another tool means: by content, else by a path that ends as one here does.

Paths of other tools start elsewhere (another computer, a server, a bucket), and some lose folders
on the way. A path that ends with a whole one of the set, or the other way round, is that image; one
that has only the name of the file in common counts where the file also knows the given label. Where
the file that is named is there, its content is what counts.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from lnl_core.data import content, images
from lnl_core.data.contrast import Contrast
from lnl_core.data.files import may_follow
from lnl_core.data.matching import Held, Matcher
from lnl_core.data.reading.finding import components
from lnl_core.data.tables import Cells, visible

_UPLOADED = re.compile(r"^[0-9a-f]{8}-(?=.)")
_SCHEME = re.compile(r"^[a-z][a-z0-9+.-]*://", re.IGNORECASE)

Digest = Callable[[Path], str]
"""Path of an image -> its content, as exports write it; "" where it cannot be read."""


def parts_of(written: str) -> tuple[str, ...]:
    """Return folders and name of a path or an address, without what only its server knows."""
    text = written.strip()
    if _SCHEME.match(text) or text.startswith("/data/"):
        address = urlsplit(text)
        inside = parse_qs(address.query).get("d")
        text = inside[0] if inside else unquote(address.path)
    parts = tuple(each for each in components(text) if each != "/")
    if "upload" in parts[:-1]:  # Label Studio's own: data/upload/3/1a2b3c4d-cat.jpg
        return (_UPLOADED.sub("", parts[-1]),)
    return parts


class ByPath:
    """The images of a set by the ends of their paths and ids."""

    def __init__(self, ids: Sequence[str], paths: Sequence[str] | None) -> None:
        self._ids, self._paths = ids, paths
        self._names: dict[str, set[int]] | None = None

    def find(self, written: str) -> tuple[list[int], bool]:
        """Return the rows that end most alike, and whether they end so to the last folder."""
        wanted = _plain(parts_of(written))
        if not wanted:
            return [], False
        scores: dict[int, tuple[int, bool]] = {}
        for row in self._index().get(wanted[-1], ()) or self._index().get(_stem(wanted[-1]), ()):
            scores[row] = max(_alike(wanted, parts) for parts in self._parts(row))
        best = max(scores.values(), default=(0, False))
        whole = [row for row, (_, all_of_it) in scores.items() if all_of_it]
        rows = whole or [row for row, score in scores.items() if score == best]
        if len(rows) > 1 and best[0] > 1:
            rows = [row for row in rows if scores[row][0] == best[0]]
        return sorted(rows), bool(whole)

    def _index(self) -> dict[str, set[int]]:
        """Return the last part of each path and id, with and without its ending, -> rows."""
        if self._names is None:
            names = defaultdict[str, set[int]](set)
            for row in range(len(self._ids)):
                for parts in self._parts(row):
                    names[parts[-1]].add(row)
                    names[_stem(parts[-1])].add(row)
            self._names = dict(names)
        return self._names

    def _parts(self, row: int) -> list[tuple[str, ...]]:
        written = [self._ids[row]]
        if self._paths is not None and self._paths[row]:
            written.append(self._paths[row])
        return [parts for each in written if (parts := _plain(components(each)))]


def _plain(parts: Sequence[str]) -> tuple[str, ...]:
    return tuple(unicodedata.normalize("NFC", each) for each in parts)


def _stem(name: str) -> str:
    stem, ending = os.path.splitext(name)
    return stem if ending.lower() in images.SUFFIXES else name


def _alike(one: Sequence[str], other: Sequence[str]) -> tuple[int, bool]:
    """Return how many parts two paths end alike, and whether the shorter one does as a whole."""
    count = 1
    shorter = min(len(one), len(other))
    while count < shorter and one[-1 - count] == other[-1 - count]:
        count += 1
    return count, count == shorter


class Placer:
    """Finds the images of a file of another tool; what is not sure is held back by the matcher."""

    def __init__(
        self, matcher: Matcher, paths: Sequence[str] | None, home: Path | None, digest: Digest
    ) -> None:
        """Take what is needed.

        Args:
            matcher: knows the set and holds rows back.
            paths: (n,) of the set, relative to its root; None for arrays.
            home: the folder of the file, from which its relative paths start; None for an upload.
            digest: reads the content of an image that is there.
        """
        self._matcher, self._home, self._digest = matcher, home, digest
        self._by_path = ByPath(matcher.ids, paths)

    def place(self, number: int, cells: Cells, row: int) -> tuple[int, str]:
        """Return the image of a row and by what it was found, as `Matcher.place` does."""
        word = cells.get("content", "")
        if not word and not self._matcher.by_id:
            word = self._content(cells["id"])
        if row < 0:
            row = self._row(number, cells, sure=bool(word))
        return self._matcher.place(number, cells | {"content": word}, row)

    def _row(self, number: int, cells: Cells, sure: bool) -> int:
        rows, whole = self._by_path.find(cells["id"])
        if not rows or (len(rows) > 1 and sure):
            return -1
        ids, shown = self._matcher.ids, visible(cells["id"])[:60]
        if len(rows) > 1:
            few = ", ".join(ids[each] for each in rows[:3])
            self._hold(
                number,
                cells,
                f"{len(rows):,} images of this set end like that path: {few} …",
                "Write more of its path, or its id.",
            )
        if not (whole or sure or cells.get("given_label", "").strip() or self._matcher.by_id):
            self._hold(
                number,
                cells,
                f"“{shown}” and {ids[rows[0]]} of this set are called alike and lie in different "
                "folders: perhaps another image.",
                "Write its path as it is here, add a column given_label, or say --by-id.",
            )
        return rows[0]

    def _hold(self, number: int, cells: Cells, why: str, remedy: str) -> None:
        self._matcher.hold(number, cells["id"], why, remedy)
        raise Held(why)

    def _content(self, written: str) -> str:
        """Return the content of the file that is named, where it is there and may be read."""
        if _SCHEME.match(written) and not written.lower().startswith("file://"):
            return ""
        text = unquote(urlsplit(written).path) if _SCHEME.match(written) else written
        try:
            path = Path(text)
            if not path.is_absolute():
                if self._home is None:
                    return ""
                path = self._home / path
            if not path.is_file() or not may_follow(os.path.realpath(path)):
                return ""
        except (OSError, ValueError):
            return ""
        return self._digest(path)


def digest_of(size: tuple[int, int], contrast: Contrast | None) -> Digest:
    """Return what reads an image's content as the set's own import would.

    Args:
        size: working resolution, (height, width).
        contrast: of the set.
    """

    def digest(path: Path) -> str:
        try:
            pixels = content.pixel_digest(images.decode(path, size, contrast=contrast)).hex()
            return f"{pixels} {content.file_digest(path).hex()}"
        except (OSError, images.ImageError):
            return ""

    return digest
