"""Data sets as a person sees them: cards, imports, the demo, the noise lab."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lnl_core import said
from lnl_core.jobs import queue
from lnl_core.review import labelled
from lnl_core.services.datasets import leftovers
from lnl_core.services.in_force import Standing, goal, loaded, scored, standing
from lnl_core.services.moment import moment
from lnl_core.services.review.auditing import errors_left
from lnl_core.services.review.expecting import expected
from lnl_core.services.review.goals import expected_reviews, stand
from lnl_core.services.serving import app_file
from lnl_core.services.team import roles
from lnl_core.services.team.roles import Act
from lnl_core.store import arrays, datasets, db, owned
from lnl_core.types import (
    ACTIVE_STATES,
    DatasetInfo,
    FloatArray,
    IntArray,
    Job,
    JobState,
    LnlError,
    Workspace,
)

if TYPE_CHECKING:
    from lnl_core.data.importers import ImportReport
    from lnl_core.data.public import PublicSet
    from lnl_core.readings import Answers, Reading

PHOTOGRAPHS, DIGITS = "Clothing photographs", "Handwritten digits"
DEMOS = (PHOTOGRAPHS, DIGITS)
"""Demo sets by name: errors of real people, and errors made on purpose, so that all is known."""


@dataclass(frozen=True, slots=True)
class DatasetCard:
    """What a data set's card shows; `noise_rate` is a model guess, without an interval.

    Attributes:
        info: the data set.
        runs: number of jobs that are done.
        reviewed: images with an answer; the given labels of `wrong` of them were found wrong.
        goal: wrong labels that may be left.
        takes: images with an answer once the goal is expected to be reached, as of the last moment
            and as the desk counts them.
        active: the job that runs or waits, None when idle.
        sample_rows: a few rows for a strip of thumbnails.
        has_queue: True once a ranking exists.
    """

    info: DatasetInfo
    runs: int
    reviewed: int
    wrong: int
    goal: int
    takes: int
    active: Job | None
    noise_rate: float | None
    sample_rows: tuple[int, ...]
    has_queue: bool


def overview(ws: Workspace) -> list[DatasetCard]:
    """Return one card per data set, last used first."""
    return [_card(info) for info in datasets.datasets(ws)]


def _card(info: DatasetInfo) -> DatasetCard:
    jobs = queue.jobs(info)
    active = [job for job in jobs if job.state in ACTIVE_STATES]
    running = [job for job in active if job.state is JobState.RUNNING]
    ranked = scored(info)
    now = standing(info)
    rng = np.random.default_rng(info.id)
    sample = rng.choice(info.n, size=min(7, info.n), replace=False)
    return DatasetCard(
        info=info,
        runs=sum(job.state is JobState.DONE for job in jobs),
        reviewed=now.reviewed,
        wrong=now.found,
        goal=goal(info),
        takes=_takes(info, now) if ranked else info.n,
        active=next(iter(running or active), None),
        noise_rate=ranked.ranking.noise_rate if ranked else None,
        sample_rows=tuple(int(row) for row in sample),
        has_queue=ranked is not None,
    )


def _takes(info: DatasetInfo, now: Standing) -> int:
    """Return how many answers the goal is expected to take in all; of nothing said, every image."""
    if not now.reviewed:
        return info.n
    return max(1, expected_reviews(stand(info), moment(info)) or info.n)


def check_name(new_name: str) -> str:
    """Return a new name without outer blanks.

    Raises:
        LnlError: blank, longer than 80 characters, or with control characters.
    """
    return datasets.check_name(new_name)


def import_dataset(
    ws: Workspace,
    source: Path,
    name: str,
    *,
    root: Path | None = None,
    size: int | None = None,
    no_classes: Sequence[str] = (),
    answers: Answers | None = None,
    report: Callable[[int, int, int], None] | None = None,
    told: Callable[[Reading], None] | None = None,
) -> ImportReport:
    """Read a folder, list, NPZ or zip into the workspace; the originals are never changed.

    Args:
        ws: the workspace.
        source: what to read.
        name: what to call the data set.
        root: for a list, the folder that its paths start from.
        size: working resolution in pixels; chosen from the images when None.
        no_classes: labels that say that nobody labelled the image: never trained on as a class,
            never suggested, queued apart.
        answers: what a person said about what is ambiguous.
        report: called with (done, total, skipped).
        told: given the reading before anything is stored.

    Raises:
        Unanswered: labels could be read wrongly; nothing is stored before that is answered.
        LnlError: nothing could be read, or the name is taken.
    """
    from lnl_core.data import importers

    name = datasets.check_name(name)
    if any(info.name == name for info in datasets.datasets(ws)):
        raise LnlError(f"There is a data set named “{name}” already. Choose another name.")
    with scratch(ws) as folder:
        result = importers.import_source(
            source,
            name,
            folder / "set",
            root=root,
            size=size,
            no_classes=no_classes,
            answers=answers,
            report=report,
            told=told,
        )
        datasets.register(ws, name, folder / "set")
    return result


class scratch:
    """A folder on the workspace's own disk, so that adopting what is in it is a rename."""

    def __init__(self, ws: Workspace) -> None:
        self._ws, self._parent = ws, ws.home / "incoming"

    def __enter__(self) -> Path:
        db.refuse_read_only(self._ws)
        leftovers.sweep(self._ws)
        self._parent.mkdir(exist_ok=True)
        self._folder = Path(tempfile.mkdtemp(dir=self._parent))
        owned.claim(self._folder)
        return self._folder

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        with suppress(OSError):
            self._parent.rmdir()


def add_demo(ws: Workspace, demo: str) -> DatasetInfo:
    """Register a demo set, one of `DEMOS`, or return it where it is registered already.

    Raises:
        LnlError: this installation is incomplete.
    """
    with suppress(LnlError):
        return datasets.dataset(ws, demo)
    from lnl_core.data import digits, photographs

    with scratch(ws) as folder:
        if demo == DIGITS:
            digits.write(folder / "set")
        else:
            photographs.write(folder / "set", app_file().parent / "assets" / "clothing")
        return datasets.register(ws, demo, folder / "set")


def public_sets() -> list[PublicSet]:
    """Return the sets that can be downloaded, with addresses, checksums and licences."""
    from lnl_core.data import public

    return list(public.SETS.values())


def add_public(
    ws: Workspace,
    key: str,
    name: str,
    labels: str,
    *,
    report: Callable[[str, int, int], None] | None = None,
) -> DatasetInfo:
    """Download a public set and register it; downloads stay in the workspace for another try.

    Args:
        ws: the workspace.
        key: of `public_sets`.
        name: what to call the data set.
        labels: which of its label sets to take as given.
        report: called with (what is done, done, total).

    Raises:
        LnlError: offline (it names what could not be reached), a taken name, or other content.
    """
    from lnl_core.data import public

    public.check_labels(key, labels)
    name = datasets.check_name(name)
    if any(info.name == name for info in datasets.datasets(ws)):
        raise LnlError(f"There is a data set named “{name}” already. Choose another name.")
    with scratch(ws) as folder:
        public.write_cifar10n(folder / "set", ws.home / "downloads" / key, labels, report)
        return datasets.register(ws, name, folder / "set")


def rename_dataset(info: DatasetInfo, new_name: str) -> DatasetInfo:
    """Call a data set something else; runs, decisions and files stay as they are.

    Raises:
        LnlError: no such set, or a name that is blank or taken.
    """
    return datasets.rename(info, new_name)


def add_noise(
    info: DatasetInfo,
    new_name: str,
    kind: str,
    rate: float,
    seed: int = 0,
    by: str | None = None,
) -> DatasetInfo:
    """Copy a data set with labels made wrong on purpose; the old labels become the known truth.

    Args:
        info: the data set to start from; its given labels are taken as true.
        new_name: name of the copy.
        kind: `symmetric`, `pair` or `instance`.
        rate: share of labels to change, in (0, 1).
        seed: of the random draw.
        by: who asks, on a page; None works on the machine itself.

    Raises:
        NotAllowed: that person may not.
        LnlError: an unknown kind, or a rate that is no share.
    """
    from lnl_core.data import noise

    roles.require_of(info.workspace, by, Act.NOISE)
    data = loaded(info)
    new_name = datasets.check_name(new_name)
    truth = np.asarray(data.true_labels if data.true_labels is not None else data.given_labels)
    # what is no class is neither made wrong nor taken for wrong
    inner = labelled.part(truth, info.class_count, info.no_classes)
    labels = np.array(truth)
    labels[inner.rows] = inner.classes[
        noise.inject(
            kind,
            inner.renumbered(truth[inner.rows]),
            rate,
            seed,
            class_count=len(inner.classes),
            images=inner.only_rows(data.images),
        )
    ]
    with scratch(info.workspace) as folder:
        target = folder / "set"
        target.mkdir()
        kept = (datasets.COPIES, datasets.OUTLINE, datasets.CONTENT, datasets.FILE_DIGESTS)
        for part in ("images.npy", "table.parquet", *kept):
            if part not in kept or (info.arrays / part).is_file():
                _link(info.arrays / part, target / part)
        arrays.write_array(target / "given_labels.npy", np.asarray(labels, np.int32))
        arrays.write_array(target / "true_labels.npy", np.asarray(truth, np.int32))
        meta = datasets.read_meta(info)
        rule = meta.get(datasets.COPIES_FOUND, {}).get("rule")
        for key in _OWN:  # copies are counted anew: their labels are others now
            meta.pop(key, None)
        if rule is not None:
            meta[datasets.COPIES_FOUND] = {"rule": rule}
        meta |= {
            "kind": "noise",
            "source": f"{info.name}, {kind} noise {rate:.0%}, seed {seed}",
            "skipped": 0,
            "root": None if info.root is None else str(info.directory / info.root),
            "version": f"{info.version[:24]}-{kind[0]}{round(rate * 1000)}-{seed}",
        }
        arrays.write_json(target / "meta.json", meta)
        return datasets.register(info.workspace, new_name, target)


_OWN = (
    "additions",
    datasets.COPIES_FOUND,
    "planned_reviews",
    "goal_at_start",
    "errors_goal",
    "filters",
)
"""In `meta.json`: what is of one set and its answers alone, and true of no copy of it."""


def _link(source: Path, target: Path) -> None:
    """Share a file that nobody edits; copy where the disk has no hard links."""
    try:
        target.hardlink_to(source)
    except OSError:
        shutil.copyfile(source, target)


def remove_dataset(info: DatasetInfo, by: str | None = None) -> None:
    """Forget a data set, its runs and decisions; the originals stay.

    Args:
        info: the data set.
        by: who asks, on a page; None for who works on the machine itself.

    Raises:
        NotAllowed: that person may not remove sets.
        LnlError: a run of it is going on.
    """
    roles.require_of(info.workspace, by, Act.REMOVE)
    if any(job.state is JobState.RUNNING for job in queue.jobs(info)):
        raise LnlError(f"A run of “{info.name}” is going on. Cancel it first, then remove the set.")
    datasets.remove(info)


def class_counts(info: DatasetInfo) -> list[dict[str, Any]]:
    """Return per class `name`, `count` and, once scored, `wrong`, with `said`, the same in words.

    That is what people found wrong, and what is expected among the rest, as of the last moment: the
    classes sum to what is said of the whole set. `exact` says that every image of the class has an
    answer, so that nothing of it is expected; `no_class` that the label is none.
    """
    given = np.asarray(loaded(info).given_labels)
    counts = np.bincount(given, minlength=info.class_count)
    wrong = _wrong_by_class(info, given)
    now = moment(info)
    unseen = np.bincount(given[~(now.answered | now.no_class)], minlength=info.class_count)
    whole = [None] * len(counts) if wrong is None else said.parts(wrong.tolist(), 1)
    return [
        {
            "name": class_name,
            "count": int(counts[label]),
            "wrong": None if wrong is None else float(wrong[label]),
            "said": whole[label],
            "exact": not unseen[label],
            "no_class": label in info.no_classes,
        }
        for label, class_name in enumerate(info.class_names)
    ]


def _wrong_by_class(info: DatasetInfo, given: IntArray) -> FloatArray | None:
    """Return (k,) wrong labels, found and expected; None before anything is scored."""
    now = moment(info)
    ahead, left = expected(info, now=now), errors_left(info, now=now)
    if ahead is None:
        return None
    k, rows = info.class_count, ahead.open
    p = np.asarray(ahead.p, np.float64)[rows]
    if left.estimate is not None and p.sum() > 0:
        p = np.minimum(p * (left.estimate / p.sum()), 1)
    wrong = np.bincount(given[now.found_wrong], minlength=k).astype(np.float64)
    wrong += np.bincount(given[rows], weights=p, minlength=k)
    return wrong
