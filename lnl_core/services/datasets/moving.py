"""Originals that have moved: a set is pointed to where they are, once they are known to be them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

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
    """

    root: Path
    total: int
    same: int
    alike: int
    missing: int
    changed: int
    astray: tuple[Astray, ...]
    done: bool


def relink(
    info: DatasetInfo,
    root: Path,
    *,
    anyway: bool = False,
    report: Callable[[int, int], None] | None = None,
) -> Relinked:
    """Point a set to where its originals are now, where all of them are there and unchanged.

    Every file's digest is compared with the one of the import. Where a file differs, or its digest
    is not known (sets of an older version), its picture is: decoded as at the import.

    Args:
        info: the data set.
        root: the folder that the paths of the set start from, at its new place.
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
    counts = {"same": 0, "alike": 0, "missing": 0, "changed": 0}
    astray: list[Astray] = []
    total = sum(_moves(path) for path in paths)
    for done, (row, word, why) in enumerate(_looked_over(info, place), start=1):
        counts[word] += 1
        if why and len(astray) < NAMED:
            astray.append(Astray(loaded(info).ids[row], paths[row], why))
        if report is not None:
            report(done, total)
    if total and counts["missing"] == total:
        raise LnlError(
            f"None of the {total:,} originals is below {place}: the first would be "
            f"{place / astray[0].path}. Choose the folder that “{astray[0].path}” starts from."
        )
    done_now = anyway or not astray
    if done_now:
        datasets.update_meta(info, root=str(place))
    return Relinked(place, total, **counts, astray=tuple(astray), done=done_now)


def _moves(path: str | None) -> bool:
    """Tell whether an original lies below the set's root; what was added elsewhere does not."""
    return bool(path) and not Path(str(path)).is_absolute()


def _looked_over(info: DatasetInfo, root: Path) -> Iterator[tuple[int, str, str]]:
    """Yield (row, same, alike, missing or changed, why) of every original, in order."""
    known, paths = contents(info), loaded(info).paths
    assert paths is not None
    size = (info.height, info.width)
    contrast = Contrast.from_json(datasets.read_meta(info).get("contrast"))
    links = datasets.follows_links(info)

    def look(row: int, path: str) -> tuple[int, str, str]:
        return (row, *_compared(known, row, locate(root, path, links), size, contrast))

    rows = ((row, path) for row, path in enumerate(paths) if _moves(path))
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
