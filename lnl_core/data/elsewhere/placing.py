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
from functools import cached_property
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


class _End:
    """The images whose paths end with the same parts, told apart by one part more when asked."""

    def __init__(self, found: Sequence[tuple[int, tuple[str, ...]]], depth: int) -> None:
        self._found, self._depth = found, depth

    def __contains__(self, row: int) -> bool:
        return row in self._members

    @cached_property
    def rows(self) -> list[int]:
        return sorted(self._members)

    @cached_property
    def _members(self) -> frozenset[int]:
        return frozenset(row for row, _ in self._found)

    @cached_property
    def whole(self) -> list[int]:
        """The rows that have a path with no part more."""
        return sorted({row for row, parts in self._found if len(parts) == self._depth})

    @cached_property
    def further(self) -> dict[str, _End]:
        """The part before these -> the images that have it."""
        by_part = defaultdict[str, list[tuple[int, tuple[str, ...]]]](list)
        for row, parts in self._found:
            if len(parts) > self._depth:
                by_part[parts[-1 - self._depth]].append((row, parts))
        return {part: _End(found, self._depth + 1) for part, found in by_part.items()}


class ByPath:
    """The images of a set by the ends of their paths and ids."""

    def __init__(self, ids: Sequence[str], paths: Sequence[str] | None) -> None:
        self._ids, self._paths = ids, paths
        self._ends: dict[str, _End] = {}

    def find(self, written: str) -> tuple[list[int], bool]:
        """Return the rows that end most alike, and whether they end so to the last folder."""
        wanted = _plain(parts_of(written))
        end = self._end(wanted[-1]) or self._end(_stem(wanted[-1])) if wanted else None
        if end is None:
            return [], False
        ended: list[int] = []  # whole paths of the set with which the wanted one ends
        for part in reversed(wanted[:-1]):
            further = end.further.get(part)
            if further is None:
                return (end.whole or ended or end.rows), bool(end.whole or ended)
            ended = [row for row in end.whole if row not in further] or ended
            end = further
        return end.rows, True

    def _end(self, name: str) -> _End | None:
        """Return what is called so, with or without an ending."""
        if name not in self._ends and name in self._names:
            self._ends[name] = _End(self._names[name], 1)
        return self._ends.get(name)

    @cached_property
    def _names(self) -> dict[str, list[tuple[int, tuple[str, ...]]]]:
        """The last part of each path and id, with and without its ending -> rows and parts."""
        names = defaultdict[str, list[tuple[int, tuple[str, ...]]]](list)
        for row in range(len(self._ids)):
            for parts in self._parts(row):
                for name in {parts[-1], _stem(parts[-1])}:
                    names[name].append((row, parts))
        return dict(names)

    def _parts(self, row: int) -> set[tuple[str, ...]]:
        written = [self._ids[row]]
        if self._paths is not None and self._paths[row]:
            written.append(self._paths[row])
        return {parts for each in written if (parts := _plain(components(each)))}


def _plain(parts: Sequence[str]) -> tuple[str, ...]:
    return tuple(unicodedata.normalize("NFC", each) for each in parts)


def _stem(name: str) -> str:
    stem, ending = os.path.splitext(name)
    return stem if ending.lower() in images.SUFFIXES else name


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
