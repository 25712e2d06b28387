"""What of a source is new to a set, and under which names it comes in."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lnl_core.data import content, images
from lnl_core.data.class_names import near
from lnl_core.data.writing import disk_error
from lnl_core.said import many
from lnl_core.services.datasets.joined import Batch
from lnl_core.services.in_force import contents, loaded
from lnl_core.store import arrays, datasets
from lnl_core.store.table import read_table
from lnl_core.types import DatasetInfo, IntArray, LnlError


class NewClasses(LnlError):
    """The labels of an addition are no classes of the set; `names` says which."""

    code = "new_classes"

    def __init__(self, words: str, names: Sequence[str]) -> None:
        super().__init__(words)
        self.names = tuple(names)


def batch_of(info: DatasetInfo, folder: Path, source: Path, new: Sequence[str]) -> Batch:
    """Compare what was read with the set; decide what comes in, and under which names.

    Args:
        info: the data set.
        folder: the arrays that were read.
        source: what they were read from.
        new: labels that become classes of the set, of `new_names`.
    """
    meta = arrays.read_json(folder / "meta.json")
    labels = np.asarray(arrays.read_array(folder / "given_labels.npy"), np.int64)
    names = [*info.class_names, *new]
    table = read_table(folder / "table.parquet").to_pydict()
    notes: list[str] = []
    _to_channels(info, folder, notes)
    digests = content.noted(folder)
    finder = content.Finder(contents(info))
    known, rows, other, listed = [], [], [], []
    data, split_of, moved = loaded(info), _split_of(info), []
    for row, word in enumerate(digests):
        same = finder.rows(word)
        if same:
            known.append((str(table["id"][row]), data.ids[same[0]]))
            label, here = meta["class_names"][labels[row]], data.given_labels[same]
            split = table["split"][row]
            if split and all(split_of(each) != split for each in same):
                moved.append((known[-1][0], split, split_of(same[0])))
            if all(info.class_names[each] != label for each in here):
                other.append((*known[-1], label, info.class_names[here[0]]))
                listed += [(same[0], int(here[0])), (same[0], names.index(label))]
        else:
            rows.append(row)
    notes += _other_labels(other)
    notes += _other_splits(moved)
    notes += split_notes(info, table["split"], rows)
    ids, renamed = _ids(info, [str(table["id"][row]) for row in rows], source)
    paths = _paths(info, meta, [table["path"][row] for row in rows], notes)
    number = np.array([names.index(name) if name in names else -1 for name in meta["class_names"]])
    return Batch(
        info=info,
        folder=folder,
        meta=meta,
        rows=np.array(rows, np.int64),
        ids=ids,
        paths=paths,
        labels=number[labels[rows]] if rows else np.zeros(0, np.int64),
        names=names,
        number=number,
        known=known,
        renamed=renamed,
        notes=notes,
        conflicts=other,
        listed=[pair for pair in listed if pair[1] not in info.no_classes],
    )


def _other_labels(other: Sequence[tuple[str, str, str, str]]) -> list[str]:
    """Say which images (id in the source, id here, label there, label here) are given otherwise."""
    if not other:
        return []
    id_, here, label, given = other[0]
    has = "1 image that was there already has" if len(other) == 1 else ""
    has = has or f"{len(other):,} images that were there already have"
    return [
        f"{has} another label in the source, first {id_}: “{label}” there, “{given}” here "
        f"({here}). The set's labels stay, and Review begins there: one of the two is wrong."
    ]


def _split_of(info: DatasetInfo) -> Callable[[int], str]:
    """Return what says the split of an image of a set, "" where it is in none."""
    known = datasets.splits(info)
    if known is None:
        return lambda row: ""
    names, places = known
    return lambda row: names[places[row]] if places[row] >= 0 else ""


def _other_splits(moved: Sequence[tuple[str, str, str]]) -> list[str]:
    """Say which images (id in the source, split there, split here) the source puts elsewhere."""
    if not moved:
        return []
    id_, there, here = moved[0]
    are = "1 image that was there already is" if len(moved) == 1 else ""
    are = are or f"{len(moved):,} images that were there already are"
    own = f"“{here}” here" if here else "none here"
    return [
        f"{are} in another split in the source, first {id_}: “{there}” there, {own}. The set's "
        "splits stay, in every export, too. To have the source's, import it as a set of its own."
    ]


def split_notes(info: DatasetInfo, read: Sequence[str | None], rows: Sequence[int]) -> list[str]:
    """Say where the splits of what comes in are not those of the set.

    Args:
        info: the data set.
        read: the split of each image that was read.
        rows: those of them that come in.
    """
    known = datasets.splits(info)
    here, own = () if known is None else known[0], [read[row] for row in rows]
    new, without = list(dict.fromkeys(filter(None, own))), sum(not each for each in own)
    if not own or not (here or new):
        return []
    said = []
    the_set = f"“{info.name}” has {', '.join(here)}" if here else f"“{info.name}” has none so far"
    if without:
        said.append(
            f"{_images(without)} added in no split; {the_set}. Their split is blank in exports, "
            "and a run on one split leaves them out. To place them, give the source a split: "
            "folders named like it, or a column."
        )
    if strange := [name for name in new if name not in here]:
        twins = {name: twin for name in strange if (twin := near(name, here)) is not None}
        listed = ", ".join(
            f"{name} (did you mean {twins[name]}?)" if name in twins else name for name in strange
        )
        rest = "" if here else " Its other images stay in none."
        said.append(f"New splits: {listed}; {the_set}.{rest}")
    return said


def _images(count: int) -> str:
    return "1 image is" if count == 1 else f"{count:,} images are"


def new_names(info: DatasetInfo, folder: Path) -> list[str]:
    """Return the labels that were read and that the set does not have."""
    names = arrays.read_json(folder / "meta.json")["class_names"]
    used = np.unique(np.asarray(arrays.read_array(folder / "given_labels.npy"), np.int64))
    read = [str(names[label]) for label in used]
    return [name for name in read if name not in info.class_names]


def check_names(info: DatasetInfo, new: Sequence[str], allowed: bool) -> None:
    """Refuse labels that may not become classes of the set.

    Raises:
        NewClasses: there are some and they may not come in, or one is spelled like a class.
    """
    alike = [(name, twin) for name in new if (twin := near(name, info.class_names)) is not None]
    if alike:
        pairs = ", ".join(f"“{name}” (did you mean “{twin}”?)" for name, twin in alike[:5])
        raise NewClasses(
            f"Spelled like a class of “{info.name}”, but not the same: {pairs}. Correct the "
            "source.",
            [name for name, _ in alike],
        )
    if new and not allowed:
        names = ", ".join(f"“{name}”" for name in new[:8]) + (" …" if len(new) > 8 else "")
        raise NewClasses(
            f"{names}: no class of “{info.name}”. Nothing was added. Correct the source, or "
            "give --new-classes: they become classes then.",
            new,
        )


def _to_channels(info: DatasetInfo, folder: Path, notes: list[str]) -> None:
    """Bring what was read to the channels of the set, in place."""
    read = arrays.read_array(folder / "images.npy")
    if read.shape[3] == info.channels:
        return
    made = folder / "channels.npy"
    shape = (*read.shape[:3], info.channels)
    try:
        out = arrays.new_array(made, np.uint8, shape)
    except OSError as error:
        raise disk_error(error) from error
    coloured = 0
    for row, image in enumerate(read):
        coloured += info.channels == 1 and bool((image != image[:, :, :1]).any())
        out[row] = images.fit(image, (info.height, info.width), info.channels).reshape(shape[1:])
    out.flush()
    os.replace(made, folder / "images.npy")
    if coloured:
        notes.append(
            f"The set is grey: {many(coloured, 'image')} with colours "
            f"{'was' if coloured == 1 else 'were'} added in grey."
        )
        (folder / datasets.CONTENT).unlink(missing_ok=True)  # made anew, of what is in grey


def _ids(
    info: DatasetInfo, wanted: Sequence[str], source: Path
) -> tuple[list[str], list[tuple[str, str]]]:
    """Return an id for each new image that no other has, and which ones are not the source's."""
    old = loaded(info).ids
    numbers = all(each.isdecimal() for each in wanted) and old[info.n - 1] == f"{info.n - 1:07d}"
    if numbers:
        return [f"{info.n + at:07d}" for at in range(len(wanted))], []
    taken = old.positions(list(wanted)) >= 0  # type: ignore[attr-defined]
    given: list[str] = []
    renamed = []
    new: set[str] = set()
    others: dict[str, Iterator[str]] = {}  # each goes on where it stopped
    like: set[str] | None = None  # the set's own ids that another one could be
    for id_, is_taken in zip(wanted, taken, strict=True):
        free = id_
        if is_taken or id_ in new:
            if like is None:
                like = {each for each in old if each.startswith(source.stem)}
            left = others.setdefault(id_, _others(id_, source))
            free = next(each for each in left if each not in new and each not in like)
            renamed.append((id_, free))
        new.add(free)
        given.append(free)
    return given, renamed


def _others(id_: str, source: Path) -> Iterator[str]:
    yield f"{source.stem}/{id_}"
    number = 2
    while True:
        yield f"{source.stem}-{number}/{id_}"
        number += 1


def _paths(
    info: DatasetInfo, meta: dict[str, Any], paths: Sequence[str | None], notes: list[str]
) -> list[str | None]:
    """Return where the new originals lie: below the set's own root, else as absolute paths.

    A set of arrays has no paths at all; what was unpacked in the workspace has "".
    """
    root = meta.get("root")
    if info.root is None:
        return [None] * len(paths)
    if root is None or not paths:
        return [""] * len(paths)
    if Path(root).is_absolute() and Path(info.root).is_absolute():
        here, there = Path(info.root).resolve(), Path(root).resolve()
        if there.is_relative_to(here):
            below = there.relative_to(here)
            return ["" if path is None else (below / path).as_posix() for path in paths]
        notes.append(
            f"The new originals lie outside the folder of the set, below {there}: exports name "
            "them by their whole path."
        )
        return ["" if path is None else (there / path).as_posix() for path in paths]
    notes.append(
        "The new originals are not kept: Review shows their working copies, and exports of files "
        "leave them out. To have them whole, move them into the folder of the set and add them "
        "from there."
    )
    return [""] * len(paths)


def copied_pairs(batch: Batch, groups: IntArray) -> list[tuple[str, str]]:
    """Return (new id, id of the same picture before it) of images that come in as copies.

    Args:
        batch: what comes in.
        groups: `data.copies.group` of the larger set.
    """
    n, old = batch.info.n, loaded(batch.info).ids
    first = np.asarray(groups)[n:]
    copies = np.flatnonzero(first != n + np.arange(len(first)))
    named = ((int(at), int(first[at])) for at in copies)
    return [(batch.ids[at], old[to] if to < n else batch.ids[to - n]) for at, to in named]
