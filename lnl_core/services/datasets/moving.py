"""Originals that have moved: a set is pointed to where they are, once they are known to be them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

from lnl_core.data import content, images
from lnl_core.data.content import Contents
from lnl_core.data.contrast import Contrast
from lnl_core.data.files import WORKERS, locate
from lnl_core.data.tables import BadRow
from lnl_core.services.in_force import contents, loaded
from lnl_core.store import datasets
from lnl_core.types import DatasetInfo, LnlError

NAMED = 1000
_BATCH = 1024


@dataclass(frozen=True, slots=True)
class Astray:
    """An original that is not what it was: `id`, `path` below the new root, and why."""

    id: str
    path: str
    why: str


@dataclass(frozen=True, slots=True)
class Relinked:
    """What was found at the place that a set is to be pointed to.

    Attributes:
        root: the place, whole and without links.
        total: originals of the set.
        same: the very same files.
        alike: other files with the same picture (metadata changed, saved anew without loss).
        missing: originals that are not there; the first 1,000 are named in `astray`.
        changed: files that hold another picture, or none that can be read.
        astray: what is missing or changed, by name.
        done: whether the set was pointed there.
        away: folders of images that were added from elsewhere and are neither there nor moved.
    """

    root: Path
    total: int
    same: int
    alike: int
    missing: int
    changed: int
    astray: tuple[Astray, ...]
    done: bool
    away: tuple[str, ...] = ()


def relink(
    info: DatasetInfo,
    root: Path,
    *,
    start: str = "",
    anyway: bool = False,
    report: Callable[[int, int], None] | None = None,
) -> Relinked:
    """Point a set to where its originals are now, where all of them are there and unchanged.

    Every file's digest is compared with the one of the import. Where a file differs, or its digest
    is not known (sets of an older version), its picture is: decoded as at the import.

    Args:
        info: the data set.
        root: the folder that the paths of the set start from, at its new place; images that were
            added from elsewhere and are gone are looked for where they would have moved along.
        start: of whole paths, the folder that they start with and that is at `root` now, from here
            where it is relative; blank for the set's own folder.
        anyway: the user's word to point there though something is missing or changed.
        report: told (done, total).

    Raises:
        LnlError: no such folder, the set has no originals elsewhere, or none of them is there.
    """
    paths = loaded(info).paths
    if paths is None or info.root is None or not Path(info.root).is_absolute():
        raise LnlError(
            f"The images of “{info.name}” lie in the workspace itself: there is nothing to point "
            "anywhere."
        )
    place = root.expanduser()
    if not place.is_dir():
        raise LnlError(f"There is no folder {root}. Check the path.")
    place = place.resolve()
    start = os.path.abspath(os.path.expanduser(start)) if start else ""
    moves = _moves(info, place, start)
    if start and not moves.places:  # typed by way of a link
        start = os.path.realpath(start)
        moves = _moves(info, place, start)
    if start and not moves.places:
        known = ", ".join(f"“{each}”" for each in folders(info)) or "none"
        raise LnlError(f"No original starts with {start}. Folders of originals: {known}.")
    counts = {"same": 0, "alike": 0, "missing": 0, "changed": 0}
    astray: list[Astray] = []
    for done, (row, word, why) in enumerate(_looked_over(info, place, moves.places), start=1):
        counts[word] += 1
        if why and len(astray) < NAMED:
            astray.append(Astray(loaded(info).ids[row], moves.places[row], why))
        if report is not None:
            report(done, len(moves.places))
    if moves.places and counts["missing"] == len(moves.places):
        others = [each for each in folders(info)[1:] if not start]
        raise LnlError(
            f"None of the {len(moves.places):,} originals is below {place}: the first would be "
            f"{place / astray[0].path}. Choose the folder that “{astray[0].path}” starts from."
            + (f" Images added from {others[0]} move with --from {others[0]}." if others else "")
        )
    done_now = anyway or not astray
    if done_now:
        _point(info, place, start, moves)
    named = tuple(astray)
    return Relinked(
        place, len(moves.places), **counts, astray=named, done=done_now, away=moves.away
    )


@dataclass(frozen=True, slots=True)
class _Moves:
    """Row -> its path below the new root or whole; (folder, where it is now); folders not found."""

    places: dict[int, str]
    pairs: tuple[tuple[str, str], ...]
    away: tuple[str, ...]


def folders(info: DatasetInfo) -> list[str]:
    """Return the set's own folder, and those of images that were added from elsewhere."""
    paths = loaded(info).paths
    if paths is None or info.root is None or not Path(info.root).is_absolute():
        return []
    found = [info.root]
    for first, end in pairwise((*info.additions, info.n)):
        whole = [os.path.dirname(p) for p in paths[first:end] if p and os.path.isabs(p)]
        found += [os.path.commonpath(whole)] if whole else []
    return list(dict.fromkeys(found))


def _moves(info: DatasetInfo, place: Path, start: str) -> _Moves:
    """Say where every original would be that moves along."""
    paths = loaded(info).paths
    assert paths is not None
    assert info.root is not None
    whole = {row: path for row, path in enumerate(paths) if path and os.path.isabs(path)}
    if start and os.path.normpath(start) != os.path.normpath(info.root):
        pair = (os.path.normpath(start), str(place))
        return _Moves(
            {row: new for row, path in whole.items() if (new := _at(path, pair))}, (pair,), ()
        )
    places = {row: path for row, path in enumerate(paths) if path and row not in whole}
    pair = _common(os.path.normpath(info.root), str(place))
    gone = {row: path for row, path in whole.items() if not os.path.isfile(path)}
    along = {row: new for row, path in gone.items() if (new := _at(path, pair, there=True))}
    away = dict.fromkeys(os.path.dirname(path) for row, path in gone.items() if row not in along)
    places |= along
    rest = [path for row, path in whole.items() if row not in along]
    pairs = _narrow(pair, [gone[row] for row in along], rest)
    return _Moves(dict(sorted(places.items())), pairs, tuple(away)[:NAMED])


def _narrow(
    pair: tuple[str, str], along: Sequence[str], rest: Sequence[str]
) -> tuple[tuple[str, str], ...]:
    """Return the folders that moved: as few as hold what moved along, and nothing that stayed."""
    if not along:
        return ()
    folders = list(dict.fromkeys(os.path.dirname(path) for path in along))
    for one in (pair[0], os.path.commonpath(folders)):
        if not any(_at(path, (one, one)) for path in rest):
            folders = [one]
            break
    return tuple((each, _at(each, pair) or pair[1]) for each in folders)


def _common(old: str, new: str) -> tuple[str, str]:
    """Return (old, new) without the folders that both end with."""
    while os.path.basename(old) == os.path.basename(new) and os.path.basename(old):
        old, new = os.path.dirname(old), os.path.dirname(new)
    return old, new


def _at(path: str, pair: tuple[str, str], *, there: bool = False) -> str:
    """Return where a whole path is once a folder has moved; "" where it is not below it."""
    old, new = (each.rstrip("/") for each in pair)
    if not path.startswith(f"{old}/"):
        return ""
    moved = f"{new}/{path[len(old) + 1 :]}"
    return moved if not there or os.path.isfile(moved) else ""


def _point(info: DatasetInfo, place: Path, start: str, moves: _Moves) -> None:
    """Note where originals are now, in one step."""

    def change(meta: dict[str, Any]) -> dict[str, Any]:
        own = not start or os.path.normpath(start) == os.path.normpath(str(info.root))
        moved = [*meta.get("moved", ()), *([*pair, info.n] for pair in moves.pairs)]
        return ({"root": str(place)} if own else {}) | ({"moved": moved} if moves.pairs else {})

    datasets.change_meta(info, change)


def _looked_over(
    info: DatasetInfo, root: Path, places: Mapping[int, str]
) -> Iterator[tuple[int, str, str]]:
    """Yield (row, same, alike, missing or changed, why) of every original, in order."""
    known = contents(info)
    size = (info.height, info.width)
    contrast = Contrast.from_json(datasets.read_meta(info).get("contrast"))
    links = datasets.follows_links(info)

    def look(row: int, path: str) -> tuple[int, str, str]:
        found = locate(root, path, links or os.path.isabs(path))
        return (row, *_compared(known, row, found, size, contrast))

    rows = iter(places.items())
    with ThreadPoolExecutor(WORKERS, "relink") as pool:
        while some := list(islice(rows, _BATCH)):
            yield from pool.map(lambda pair: look(*pair), some)


def _compared(
    known: Contents,
    row: int,
    found: tuple[Path, str] | BadRow,
    size: tuple[int, int],
    contrast: Contrast | None,
) -> tuple[str, str]:
    """Return (same, alike, missing or changed, why) of one original."""
    if not isinstance(found, tuple):
        return "missing", found.reason
    file = found[0]
    try:
        if known.files is not None and bytes(known.files[row]) == content.file_digest(file):
            return "same", ""
        picture = images.decode(file, size, contrast=contrast)
    except OSError as error:
        return "missing", f"It cannot be read ({error.strerror})."
    except images.ImageError as error:
        return "changed", str(error)
    if content.pixel_digest(picture) == bytes(known.pixels[row]):
        return "alike", ""
    return "changed", "It is another picture."
