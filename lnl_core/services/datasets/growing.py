"""More images for a set that is there: ids, answers, random checks and runs stay as they are.

What is added comes behind the rows that are there, so every row keeps its number. The arrays are
written anew beside the old ones; the set is the larger one from the moment that its `meta.json` is
replaced, and never anything between.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lnl_core.data import content, images
from lnl_core.data.class_names import near
from lnl_core.data.contrast import Contrast
from lnl_core.data.writing import Plan
from lnl_core.jobs import outcome, queue
from lnl_core.readings import Answers
from lnl_core.services.datasets import copied
from lnl_core.services.datasets.catalog import scratch
from lnl_core.services.datasets.joined import Batch, write_listed, written
from lnl_core.services.in_force import contents, loaded
from lnl_core.store import arrays, datasets
from lnl_core.store.db import now
from lnl_core.store.table import read_table
from lnl_core.types import (
    ACTIVE_STATES,
    DatasetInfo,
    JobState,
    LnlError,
)

NAMED = 1000


class NewClasses(LnlError):
    """The labels of an addition are no classes of the set; `names` says which."""

    code = "new_classes"

    def __init__(self, words: str, names: Sequence[str]) -> None:
        super().__init__(words)
        self.names = tuple(names)


@dataclass(frozen=True, slots=True)
class Added:
    """What became of an addition.

    Attributes:
        added: images that came in; the set has `n` now.
        n: see `added`.
        known: (id in the source, id in the set) of images with content that is there already;
            they were left out. The first 1,000 of `known_count`.
        known_count: how many.
        renamed: (id in the source, id in the set) of images whose id was another image's; likewise.
        renamed_count: how many.
        new_classes: classes that the set did not have.
        skipped: what could not be read.
        notes: sentences about the whole.
    """

    added: int
    n: int
    known: tuple[tuple[str, str], ...]
    known_count: int
    renamed: tuple[tuple[str, str], ...]
    renamed_count: int
    new_classes: tuple[str, ...]
    skipped: int
    notes: tuple[str, ...]


def add_images(
    info: DatasetInfo,
    source: Path,
    *,
    root: Path | None = None,
    new_classes: bool = False,
    answers: Answers | None = None,
    report: Callable[[int, int, int], None] | None = None,
) -> Added:
    """Add the images of a source to a set that is there.

    Images whose content the set has already are left out and named. An id that is another image's
    gets the source's name in front; row numbers go on counting. Runs stay: of the new images they
    say nothing until another run has seen them.

    Args:
        info: the data set.
        source: what `lnl import` reads: folder, list, NPZ, zip.
        root: for a list, the folder that its paths start from.
        new_classes: labels that the set does not have become classes of it.
        answers: what a person said about what is ambiguous.
        report: called with (done, total, skipped).

    Raises:
        Unanswered: labels could be read wrongly; nothing is added before that is answered.
        NewClasses: labels that the set does not have, and nobody said that they may come in.
        LnlError: a run is going on, nothing could be read, or nothing is new.
    """
    from lnl_core.data import importers

    _check_idle(info)
    answers = answers if answers not in (None, Answers()) else as_before(info)
    contrast = Contrast.from_json(datasets.read_meta(info).get("contrast"))
    plan = Plan(info.height, info.width, 3, info.format, contrast)
    with scratch(info.workspace) as folder:
        told = importers.import_source(
            source, info.name, folder / "set", root=root, plan=plan, answers=answers, report=report
        )
        batch = _batch(info, folder / "set", source, new_classes)
        if not len(batch.rows):
            if write_listed(batch, info.arrays):
                outcome.rank(info)
            return _said(info, batch, told.skipped)
        before = copied.counted(info)
        grown = written(batch)
        _check_idle(info)
        _commit(batch, grown, source)
    changed = datasets.dataset(info.workspace, info.name)
    _forget(info)
    outcome.rank(changed)
    if copied.counted(changed) != before:
        batch.notes += copied.notes(changed)
    return _said(changed, batch, told.skipped)


def as_before(info: DatasetInfo) -> Answers:
    """Return what was said of labels when the set was imported: more of it is read alike."""
    said = Answers.from_json(datasets.read_meta(info).get("answers", {}))
    return Answers(
        spellings=said.spellings,
        numbers=said.numbers,
        missing=said.missing,
        several=said.several,
        count_from=said.count_from,
        level=said.level,
    )


def _check_idle(info: DatasetInfo) -> None:
    jobs = [*queue.jobs(info), *queue.jobs(info, tasks=True)]
    if any(job.state in ACTIVE_STATES and job.state is not JobState.QUEUED for job in jobs):
        raise LnlError(
            f"A run of “{info.name}” is going on. Wait for its end or cancel it, then add the "
            "images."
        )


def _said(info: DatasetInfo, batch: Batch, skipped: int) -> Added:
    return Added(
        added=len(batch.rows),
        n=info.n,
        known=tuple(batch.known[:NAMED]),
        known_count=len(batch.known),
        renamed=tuple(batch.renamed[:NAMED]),
        renamed_count=len(batch.renamed),
        new_classes=tuple(batch.names[len(batch.info.class_names) :]),
        skipped=skipped,
        notes=tuple(batch.notes),
    )


# What is new -----------------------------------------------------------------------------------


def _batch(info: DatasetInfo, folder: Path, source: Path, new_classes: bool) -> Batch:
    """Compare what was read with the set; decide what comes in, and under which names."""
    meta = arrays.read_json(folder / "meta.json")
    labels = np.asarray(arrays.read_array(folder / "given_labels.npy"), np.int64)
    used = [str(meta["class_names"][label]) for label in np.unique(labels)]
    names = [*info.class_names, *_new_names(info, used, new_classes)]
    table = read_table(folder / "table.parquet").to_pydict()
    notes: list[str] = []
    _to_channels(info, folder, notes)
    digests = content.noted(folder)
    finder = content.Finder(contents(info))
    known, rows, other, listed = [], [], [], []
    data = loaded(info)
    for row, word in enumerate(digests):
        same = finder.rows(word)
        if same:
            known.append((str(table["id"][row]), data.ids[same[0]]))
            label, here = meta["class_names"][labels[row]], data.given_labels[same]
            if all(info.class_names[each] != label for each in here):
                other.append((*known[-1], label, info.class_names[here[0]]))
                listed += [(same[0], int(here[0])), (same[0], names.index(label))]
        else:
            rows.append(row)
    notes += _other_labels(other)
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


def _new_names(info: DatasetInfo, used: Sequence[str], allowed: bool) -> list[str]:
    """Return the labels that the set does not have.

    Raises:
        NewClasses: there are some and they may not come in, or one is spelled like a class.
    """
    new = [name for name in used if name not in info.class_names]
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
    return new


def _to_channels(info: DatasetInfo, folder: Path, notes: list[str]) -> None:
    """Bring what was read to the channels of the set, in place."""
    read = arrays.read_array(folder / "images.npy")
    if read.shape[3] == info.channels:
        return
    made = folder / "channels.npy"
    shape = (*read.shape[:3], info.channels)
    out = np.lib.format.open_memmap(made, mode="w+", dtype=np.uint8, shape=shape)
    coloured = 0
    for row, image in enumerate(read):
        coloured += info.channels == 1 and bool((image != image[:, :, :1]).any())
        out[row] = images.fit(image, (info.height, info.width), info.channels).reshape(shape[1:])
    out.flush()
    os.replace(made, folder / "images.npy")
    if coloured:
        notes.append(f"The set is grey: {coloured:,} images with colours were added in grey.")
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
    for id_, is_taken in zip(wanted, taken, strict=True):
        free = id_
        if is_taken or id_ in new:
            free = next(
                each for each in _others(id_, source) if each not in new and _free(each, old)
            )
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


def _free(id_: str, old: Any) -> bool:
    return int(old.positions([id_])[0]) < 0


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


# Writing ---------------------------------------------------------------------------------------


def _commit(batch: Batch, grown: Path, source: Path) -> None:
    """Make the larger set the set, in one step.

    Raises:
        LnlError: somebody else has added images or classes meanwhile.
    """
    info = batch.info
    given = np.asarray(arrays.read_array(grown / "given_labels.npy"))
    n = len(given)
    digest = hashlib.blake2b(info.version.encode(), digest_size=16)
    digest.update(np.asarray(content.noted(grown).pixels)[info.n :].tobytes())
    digest.update(given[info.n :].tobytes() + repr((batch.ids, batch.names)).encode())

    def change(meta: dict[str, Any]) -> dict[str, Any]:
        same = len(meta.get("additions", ())) == len(info.additions)
        if not same or tuple(meta["class_names"]) != info.class_names:
            raise LnlError(f"“{info.name}” was changed meanwhile. Add the images again.")
        told = f"{len(batch.rows):,} images were added on {now()[:10]} from {source}."
        whole = str(source.expanduser().absolute())
        addition = {"first": info.n, "count": n - info.n, "source": whole, "added_at": now()}
        return {
            "n": n,
            "version": digest.hexdigest(),
            "class_names": batch.names,
            "skipped": int(meta.get("skipped", 0)) + int(batch.meta["skipped"]),
            "notes": [*meta.get("notes", ()), told, *batch.notes],
            "additions": [*meta.get("additions", ()), addition],
        } | _as_read(meta, batch.meta)

    datasets.change_meta(info, change)


def _as_read(meta: dict[str, Any], added: dict[str, Any]) -> dict[str, Any]:
    """Return what showing the originals of both needs: contrast, and leave to follow links."""
    values: dict[str, Any] = {"contrast": added["contrast"]} if "contrast" in added else {}
    if added.get("answers", {}).get("links") == "follow":
        values["answers"] = {**meta.get("answers", {}), "links": "follow"}
    return values


def _forget(info: DatasetInfo) -> None:
    """Remove the arrays of the smaller set; whoever has them open keeps them."""
    if info.additions:
        shutil.rmtree(info.arrays, ignore_errors=True)
        return
    for name in ("images.npy", datasets.CONTENT, datasets.FILE_DIGESTS, datasets.COPIES):
        (info.directory / name).unlink(missing_ok=True)
