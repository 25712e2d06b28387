"""Splits of a list that says none: those whose folders its paths name, `train/1.jpg`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from lnl_core.data.reading import path_parts
from lnl_core.data.reading.split_names import are_apart, is_split, split_in
from lnl_core.data.tables import visible

_MOST = 200_000
"""Folders that are told apart; a list with more has none for its splits."""


class PathSplits:
    """Counts the folders of paths, and says which split each of them is.

    They are where folders of two splits are named below what all paths start with: one alone tells
    nothing apart, and `/srv/test/` is none. Of a path's folders that counts which is as deep as one
    of every other path (`test/train/1.jpg`: a class may be called train), else the innermost.
    """

    def __init__(self) -> None:
        self._folders = Counter[str]()
        self._split: dict[str, str] = {}

    def add(self, path: str) -> None:
        """See one more path."""
        if len(self._folders) <= _MOST:
            self._folders[_folder(path)] += 1

    def settle(self) -> Counter[str]:
        """Return split -> paths, once all were seen; none where they say no splits."""
        parts = {folder: tuple(folder.split("/")) for folder in self._folders}
        if len(parts) < 2 or len(parts) > _MOST:
            return Counter()
        start = len(path_parts.shared_start(list(parts.values())))
        depth = _depth_of_all([each[start:] for each in parts.values()])
        named = {
            folder: _innermost(each[start:] if depth is None else each[start + depth :][:1])
            for folder, each in parts.items()
        }
        names = sorted(set(filter(None, named.values())))
        if not any(are_apart(one, other) for one in names[:1] for other in names):
            return Counter()
        self._split = {folder: visible(name) for folder, name in named.items() if name}
        counts = Counter[str]()
        for folder, name in self._split.items():
            counts[name] += self._folders[folder]
        return counts

    def of(self, path: str) -> str:
        """Return the split of a path; "" where it has none, or before they are settled."""
        return self._split.get(_folder(path), "") if self._split else ""

    def notes(self) -> list[str]:
        """Say that they are read."""
        shown = ", ".join(f"“{name[:40]}”" for name in [*dict.fromkeys(self._split.values())][:6])
        if not shown:
            return []
        said = f"Splits are the folders of the paths that are called so: {shown}."
        return [f"{said} --split-column none: they are not."]


def _folder(path: str) -> str:
    return path.replace("\\", "/").rpartition("/")[0]


def _depth_of_all(paths: Sequence[tuple[str, ...]]) -> int | None:
    """Return how deep the outermost folder is that is called like a split in every path."""
    shallow = min(map(len, paths))
    depths = (d for d in range(shallow) if all(_innermost(each[d : d + 1]) for each in paths))
    return next(depths, None)


def _innermost(folders: tuple[str, ...]) -> str:
    return next((each for each in reversed(folders) if is_split(each) and split_in(each)), "")
