"""More images for a set that is there: ids, answers, random checks and runs stay as they are.

What is added comes behind the rows that are there, so every row keeps its number. The arrays are
written anew beside the old ones; the set is the larger one from the moment that its `meta.json` is
replaced, and never anything between.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lnl_core.data import content, copies, joining
from lnl_core.data.contrast import Contrast
from lnl_core.data.writing import Plan
from lnl_core.jobs import executors, outcome, queue
from lnl_core.jobs.tasks import embedding, maps, ranking
from lnl_core.readings import Answers, Reading, Unanswered
from lnl_core.said import many
from lnl_core.services.datasets import batches, copied
from lnl_core.services.datasets.batches import NewClasses as NewClasses
from lnl_core.services.datasets.catalog import scratch
from lnl_core.services.datasets.joined import Batch, adopt, check_same, write_listed, written
from lnl_core.services.in_force import loaded
from lnl_core.services.methods import title
from lnl_core.services.workspace import dataset_by_id
from lnl_core.store import arrays, audits, datasets, decisions
from lnl_core.store.db import now
from lnl_core.store.files import is_short
from lnl_core.types import ACTIVE_STATES, DatasetInfo, Job, JobState, LnlError, Missing, Workspace

if TYPE_CHECKING:
    from lnl_core.data.importers import ImportReport

NAMED = 1000
_DRAWN = (embedding.KEY, maps.TASK.key, ranking.KEY)
"""Tasks that nobody waits for: they stop while a set grows, and start again."""

_PATIENCE, _STEP = 60.0, 0.1
"""Seconds that such a task has to stop in; a worker ends one that does not answer in two."""


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
        conflicts: (id in the source, id in the set, label there, label here) of known images that
            the source labels otherwise; likewise.
        conflict_count: how many.
        copies: (id here, id of the same picture here) of added images that are encoded or sized
            anew; likewise.
        copy_count: how many.
        new: ids here of added images; likewise, of `added`.
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
    conflicts: tuple[tuple[str, str, str, str], ...]
    conflict_count: int
    copies: tuple[tuple[str, str], ...]
    copy_count: int
    new: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What an addition would do.

    Attributes:
        reading: what was understood of the source.
        would: what would become of it; None where a question comes first.
        refused: why nothing comes in as things are, "" where it does.
    """

    reading: Reading
    would: Added | None
    refused: str


def foresee(
    info: DatasetInfo,
    source: Path,
    *,
    root: Path | None = None,
    new_classes: bool = False,
    answers: Answers | None = None,
    report: Callable[[int, int, int], None] | None = None,
) -> Foreseen:
    """Say what `add_images` would do; nothing is kept.

    The source is read whole, for what is new is known by its content.

    Raises:
        LnlError: nothing could be read.
    """
    info, readings = _as_it_is(info), list[Reading]()
    with _aside(info.workspace) as folder:
        try:
            told = _read(info, source, folder / "set", root, answers, report, readings.append)
        except Unanswered:
            if not readings or not readings[0].open_questions:
                raise
            return Foreseen(readings[0], None, "")
        new, refused = batches.new_names(info, folder / "set"), ""
        try:
            batches.check_names(info, new, new_classes)
        except NewClasses as error:
            refused = str(error)
        batch = _batch(info, folder / "set", source, new)
        read = arrays.read_array(folder / "set" / "images.npy")
        both = joining.Joined(loaded(info).images, read, batch.rows)
        groups = copies.group(both, known=copies.outlined(info.arrays))
        same = batches.copied_pairs(batch, groups)
        return Foreseen(readings[0], _said(info, batch, told.skipped, same), refused)


@contextmanager
def _aside(ws: Workspace) -> Iterator[Path]:
    """Give a folder for a moment; a look takes no room that the workspace lacks."""
    if not is_short(ws.home):
        with scratch(ws) as folder:
            yield folder
        return
    with tempfile.TemporaryDirectory(prefix="lnl-reading-") as name:
        yield Path(name)


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
    info = _as_it_is(info)
    _check_idle(info)
    with scratch(info.workspace) as folder:
        told = _read(info, source, folder / "set", root, answers, report, None)
        new = batches.new_names(info, folder / "set")
        batches.check_names(info, new, new_classes)
        batch = _batch(info, folder / "set", source, new)
        if not len(batch.rows):
            if _list_labels(batch):
                outcome.rank(_as_it_is(info))
            return _said(info, batch, told.skipped, [])
        before = copied.counted(info)
        part = written(batch)
        try:
            with _alone(info):
                same = batches.copied_pairs(batch, copies.noted(part))
                _commit(batch, part, source)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    changed = _as_it_is(info)  # by its number: somebody may have renamed it meanwhile
    _forget(info)
    outcome.rank(changed)
    if copied.counted(changed) != before:
        batch.notes += copied.notes(changed)
    return _said(changed, batch, told.skipped, same)


def _as_it_is(info: DatasetInfo) -> DatasetInfo:
    """Return a set with what has come to it since it was looked up.

    Raises:
        NotFound: it is gone.
    """
    return dataset_by_id(info.workspace, info.id)


def _batch(info: DatasetInfo, folder: Path, source: Path, new: Sequence[str]) -> Batch:
    """Compare what was read with the set; see `batches.batch_of`.

    Raises:
        LnlError: somebody else has added images meanwhile, and the smaller set's files are gone.
    """
    try:
        return batches.batch_of(info, folder, source, new)
    except (Missing, FileNotFoundError):
        check_same(info, datasets.read_meta(info))
        raise


def _read(
    info: DatasetInfo,
    source: Path,
    folder: Path,
    root: Path | None,
    answers: Answers | None,
    report: Callable[[int, int, int], None] | None,
    told: Callable[[Reading], None] | None,
) -> ImportReport:
    """Read the source into a folder as the set was read: its size, contrast and answers."""
    from lnl_core.data import importers

    answers = answers if answers not in (None, Answers()) else as_before(info)
    contrast = Contrast.from_json(datasets.read_meta(info).get("contrast"))
    plan = Plan(info.height, info.width, 3, info.format, contrast)
    readings: list[Reading] = []

    def read(said: Answers) -> ImportReport:
        readings.clear()
        return importers.import_source(
            source,
            info.name,
            folder,
            root=root,
            plan=plan,
            answers=said,
            report=report,
            told=readings.append,
        )

    try:
        try:
            return read(answers)
        except Unanswered:
            if not readings or not _only_known(info, readings[0]):
                raise
            return read(replace(answers, measured="classes"))
    finally:
        if told is not None and readings:
            told(readings[0])


def _only_known(info: DatasetInfo, reading: Reading) -> bool:
    """Tell whether a reading asks whether labels are classes, and all are the set's."""
    keys = [each.key for each in reading.open_questions]
    return "measured" in keys and set(reading.class_names or ()) <= set(info.class_names)


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
        measured=said.measured,
    )


def _check_idle(info: DatasetInfo) -> None:
    job = next((job for job in _going_on(info) if job.method not in _DRAWN), None)
    if job is not None:
        what = "A task" if job.executor == queue.TASKS else "A run"
        raise LnlError(
            f"{what} of “{info.name}” is going on ({job.id}, {title(job.method)}). Wait for its "
            "end or cancel it, then add the images."
        )


def _going_on(info: DatasetInfo) -> list[Job]:
    jobs = [*queue.jobs(info), *queue.jobs(info, tasks=True)]
    return [job for job in jobs if job.state in ACTIVE_STATES and job.state is not JobState.QUEUED]


@contextmanager
def _alone(info: DatasetInfo) -> Iterator[None]:
    """Have no run read the set meanwhile; what is drawn of it stops, and starts again after.

    Raises:
        LnlError: a run is going on.
    """
    _check_idle(info)
    drawn = [job.id for job in _going_on(info)]
    for number in drawn:
        queue.cancel(info.workspace, number)
    try:
        until = time.monotonic() + _PATIENCE
        while going_on := _going_on(info):
            if time.monotonic() > until:
                job = going_on[0]
                raise LnlError(
                    f"“{title(job.method)}” of “{info.name}” does not stop ({job.id}). Try again "
                    "in a minute."
                )
            time.sleep(_STEP)
        yield
    finally:
        for number in drawn:
            with suppress(LnlError):  # done before it was asked to stop, or removed
                executors.resume(info.workspace, number)


def _said(info: DatasetInfo, batch: Batch, skipped: int, same: Sequence[tuple[str, str]]) -> Added:
    return Added(
        added=len(batch.rows),
        n=batch.info.n + len(batch.rows),
        known=tuple(batch.known[:NAMED]),
        known_count=len(batch.known),
        renamed=tuple(batch.renamed[:NAMED]),
        renamed_count=len(batch.renamed),
        new_classes=tuple(batch.names[len(batch.info.class_names) :]),
        skipped=skipped,
        notes=tuple(batch.notes),
        conflicts=tuple(batch.conflicts[:NAMED]),
        conflict_count=len(batch.conflicts),
        copies=tuple(same[:NAMED]),
        copy_count=len(same),
        new=tuple(batch.ids[:NAMED]),
    )


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
        check_same(info, meta)
        write_listed(batch, grown)
        adopt(info, grown)
        came = many(len(batch.rows), "image was", "images were")
        told = f"{came} added on {now()[:10]} from {source}."
        whole = str(source.expanduser().absolute())
        after = [len(audits.draws(info)), decisions.last_id(info)]
        addition = {"first": info.n, "count": n - info.n, "source": whole, "added_at": now()}
        addition["lists"] = batch.meta.get("lists", [])
        return {
            "n": n,
            "version": digest.hexdigest(),
            "class_names": batch.names,
            "imported_classes": datasets.imported_classes(meta),
            "skipped": int(meta.get("skipped", 0)) + int(batch.meta["skipped"]),
            "notes": [*meta.get("notes", ()), told, *batch.notes],
            "additions": [*meta.get("additions", ()), addition | {"after": after}],
            datasets.COPIES_FOUND: meta.get(datasets.COPIES_FOUND, {}) | {"rule": copies.RULE},
        } | _as_read(meta, batch.meta)

    datasets.change_meta(info, change)


def _list_labels(batch: Batch) -> bool:
    """Keep the labels that a source has for images that are there; False where none is new.

    Raises:
        LnlError: somebody else has added images or classes meanwhile.
    """
    new = []

    def change(meta: dict[str, Any]) -> dict[str, Any]:
        check_same(batch.info, meta)
        if not write_listed(batch, batch.info.arrays):
            return {}
        new.append(True)
        named = batch.names[len(meta["class_names"]) :]
        came = [*meta.get("new_classes", ()), *named]  # no image has them yet: runs leave them out
        return {"class_names": batch.names, "new_classes": came}

    datasets.change_meta(batch.info, change)
    return bool(new)


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
    for name in (
        "images.npy",
        datasets.CONTENT,
        datasets.FILE_DIGESTS,
        datasets.COPIES,
        datasets.OUTLINE,
    ):
        (info.directory / name).unlink(missing_ok=True)
