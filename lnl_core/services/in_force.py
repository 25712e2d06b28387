"""Opened once, used by every service: data sets, rankings and the decisions in force.

Each cache is keyed by what changes its value (a version, the newest decision), so none goes stale.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from lnl_core.data import content
from lnl_core.jobs import inputs, splits
from lnl_core.review import labelled
from lnl_core.services.ledger import Ledger
from lnl_core.store import arrays, datasets, decisions, goals
from lnl_core.store.goals import Goal
from lnl_core.store.once import asked
from lnl_core.types import (
    BoolArray,
    DatasetInfo,
    IntArray,
    LabeledDataset,
    LnlError,
    Ranking,
    Signals,
)


@lru_cache(maxsize=16)
def _loaded(info: DatasetInfo) -> LabeledDataset:
    return datasets.load(info)


def loaded(info: DatasetInfo) -> LabeledDataset:
    """Open a data set, memory-mapped, once per process."""
    return _loaded(info)


@lru_cache(maxsize=8)
def contents(info: DatasetInfo) -> content.Contents:
    """Return what the images of a data set are, (n,) digests; made now where they are missing."""
    return content.noted(info.arrays)


def rows_of(info: DatasetInfo, ids: Sequence[str]) -> IntArray:
    """Return the rows of images, -1 for ids that are not in the set."""
    rows: IntArray = loaded(info).ids.positions(ids)  # type: ignore[attr-defined]
    return rows


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """A ranking in force: `run_ids` maps method to job, `queue_size` is where effort pays off.

    `seen` of its rows are scored, the first ones; what was added to the set since is not yet.
    `judged` is (n,) True for the rows that one of its runs judges; None where that is all of them.
    """

    version: str
    ranking: Ranking
    run_ids: dict[str, int]
    queue_size: int
    seen: int
    judged: BoolArray | None = None

    def is_scored(self, row: int) -> bool:
        """Say whether a run has judged an image's label."""
        return row < self.seen and (self.judged is None or bool(self.judged[row]))

    @property
    def scored_rows(self) -> BoolArray:
        """(n,) True where a run has judged the label."""
        seen: BoolArray = np.arange(len(self.ranking.p_wrong)) < self.seen
        return seen if self.judged is None else seen & self.judged


@lru_cache(maxsize=8)
def _scored(folder: Path, version: str, n: int, class_count: int) -> Scored | None:
    stored = arrays.load_ranking(folder)
    return None if stored is None else _as_scored(folder, version, stored, n, class_count)


def _as_scored(
    folder: Path, version: str, stored: tuple[Ranking, dict[str, int]], n: int, class_count: int
) -> Scored:
    """Return one version of a ranking as that of the set as it is today."""
    ranking, run_ids = stored
    seen = arrays.ranking_seen(folder, version)
    seen = len(ranking.p_wrong) if seen is None else min(seen, len(ranking.p_wrong))
    expected = float(np.asarray(ranking.p_wrong, dtype=np.float64).sum())
    ranking = labelled.padded_ranking(ranking, n, class_count)
    judged = splits.judged_by_any(folder.parent / "runs", list(run_ids.values()), n)
    size = min(n, max(1, round(2 * expected))) if n else 0
    return Scored(version, ranking, run_ids, size, seen, judged)


def scored(info: DatasetInfo) -> Scored | None:
    """Open the ranking in force, None before the first run is done."""
    folder = info.directory / "ranking"
    version = asked((scored, folder), lambda: arrays.ranking_version(folder))
    return None if version is None else _scored(folder, version, info.n, info.class_count)


@lru_cache(maxsize=8)
def _before(folder: Path, version: str, n: int, class_count: int) -> Scored | None:
    try:
        stored = arrays.read_ranking(folder / version)
    except LnlError:  # its files are gone or damaged: it is no more to be looked at
        return None
    return _as_scored(folder, version, stored, n, class_count)


def before_review(info: DatasetInfo) -> Scored | None:
    """Open the ranking as it stood before people gave their first answer.

    It may be the one in force. None before the first run is done, and where it was not kept: people
    had answered before there was a ranking, or before rankings were kept.
    """
    folder = info.directory / "ranking"
    kept, ranked = arrays.version_before_review(folder), scored(info)
    if kept is not None and (ranked is None or kept != ranked.version):
        return _before(folder, kept, info.n, info.class_count)
    knows = ranked is not None and bool(runs_told(info, ranked.run_ids.values()))
    return None if knows else ranked


def version(info: DatasetInfo) -> str | None:
    """Return the name of the ranking in force, None before the first run is done."""
    return arrays.ranking_version(info.directory / "ranking")


def goal_set(info: DatasetInfo) -> Goal | None:
    """Return the goal that a person set last; None before."""
    return (goals.goals(info) or (None,))[-1]


def goal(info: DatasetInfo) -> int:
    """Return how many wrong labels may be left: what a person set, else one in a hundred images.

    The latter is counted when the review begins: a set that grows moves nobody's goal. It holds as
    well where a person set a goal of another kind: so many are what the queue works towards.
    """
    chosen = goal_set(info)
    if chosen is not None and chosen.kind == goals.LEFT and chosen.value is not None:
        return int(chosen.value)
    meta = datasets.read_meta(info)
    own: int | None = meta.get("errors_goal") if chosen is None else None  # from before 0008
    fixed: int | None = meta.get("goal_at_start") if own is None else own
    return max(1, labelled_count(info) // 100) if fixed is None else fixed


def proposed(ranked: Scored | None) -> int:
    """Return how many images the queue holds where effort pays off; 0 without a ranking."""
    return ranked.queue_size if ranked else 0


@lru_cache(maxsize=64)
def _signals(folder: Path, _modified: int, n: int, class_count: int) -> Signals:
    return labelled.padded(arrays.load_signals(folder), n, class_count)


def signals(info: DatasetInfo, run_id: int) -> Signals | None:
    """Open a run's signals, memory-mapped; None where they are gone.

    Of images that were added since they say nothing: suspicion 0 (`seen_by`).
    """
    folder = info.directory / "runs" / str(run_id)
    try:
        modified = (folder / "signals.json").stat().st_mtime_ns
    except FileNotFoundError:
        return None
    return _signals(folder, modified, info.n, info.class_count)


def seen_by(info: DatasetInfo, run_id: int) -> int:
    """Return how many images a run has seen, the first ones; the set may have grown since."""
    return inputs.rows_seen(info, info.directory / "runs" / str(run_id))


def judged_by(info: DatasetInfo, run_id: int) -> BoolArray:
    """Return (n,) True for the rows whose labels a run has judged."""
    seen: BoolArray = np.arange(info.n) < seen_by(info, run_id)
    judged = splits.judged_rows(info.directory / "runs" / str(run_id), info.n)
    return seen if judged is None else seen & judged


def learned_from(info: DatasetInfo, run_id: int) -> BoolArray:
    """Return (n,) True for the images that a run trained on: of the others it has no curves.

    Nor has it anything else that training leaves by image; what is stored there says nothing.
    """
    folder = info.directory / "runs" / str(run_id)
    if not (folder / "labels.npy").is_file():  # it has learned nothing: brought predictions
        return np.arange(info.n) < seen_by(info, run_id)
    return _learned_from(info, folder)


@lru_cache(maxsize=32)
def _learned_from(info: DatasetInfo, folder: Path) -> BoolArray:
    return inputs.training_part(info, folder).inner


def class_numbers(info: DatasetInfo, run_id: int) -> IntArray:
    """Return (k,) the set's classes as a run numbers those that it learned, -1 for the others."""
    folder, numbers = info.directory / "runs" / str(run_id), np.arange(info.class_count)
    if (folder / "labels.npy").is_file():
        return inputs.training_part(info, folder).renumbered(numbers)
    return numbers


def told_of(info: DatasetInfo, runs: Iterable[str]) -> BoolArray:
    """Return (n,) True where runs have no score of their own.

    One of them was told the answer, so that it cannot be judged, or builds on a run that was; or
    none was asked to judge it, or has seen it: the set has grown since.
    """
    runs = list(runs)
    told = np.zeros(info.n, dtype=bool)
    numbers = [int(run) for run in runs if run.isdigit()]
    if numbers:
        told |= ~np.logical_or.reduce([judged_by(info, number) for number in numbers])
    for run in runs:
        told |= inputs.told_rows(info, run)
    return told


@lru_cache(maxsize=4)
def _told(info: DatasetInfo, ranked: Scored) -> BoolArray:
    return told_of(info, map(str, ranked.run_ids.values()))


def told(info: DatasetInfo) -> BoolArray:
    """Return (n,) True where the runs behind the ranking in force have no score of their own.

    One was told what people answered: what it says of such an image is what it was told. Or none
    has judged the image.
    """
    ranked = scored(info)
    return np.zeros(info.n, dtype=bool) if ranked is None else _told(info, ranked)


def runs_told(info: DatasetInfo, runs: Iterable[int]) -> Mapping[int, tuple[int, ...]]:
    """Return row -> those of some runs that know what people answered of it, rising."""
    by_row: dict[int, list[int]] = {}
    for run in sorted(runs):
        for row in np.flatnonzero(inputs.told_rows(info, run)).tolist():
            by_row.setdefault(row, []).append(run)
    return {row: tuple(several) for row, several in by_row.items()}


def told_words(info: DatasetInfo, runs: Iterable[int] | None = None) -> Mapping[int, str]:
    """Return row -> runs that were told its answer, as exports name them: numbers with blanks.

    Args:
        info: the data set.
        runs: which; those behind the ranking in force when None.
    """
    if runs is None:
        ranked = scored(info)
        runs = () if ranked is None else ranked.run_ids.values()
    known = runs_told(info, runs)
    return {row: " ".join(map(str, several)) for row, several in known.items()}


def score_shown(info: DatasetInfo, row: int) -> float | None:
    """Return the chance that a label is wrong as people see it, six digits.

    None before the first run, and where a run was told the answer or none has judged the image.
    """
    ranked = scored(info)
    if ranked is None or not ranked.is_scored(row) or told(info)[row]:
        return None
    return round(float(ranked.ranking.p_wrong[row]), 6)


def unjudged(info: DatasetInfo, run: int | None = None) -> BoolArray:
    """Return (n,) True where there is no score: of a run, or of the ranking in force when None.

    A run behind it was told the answer, was not asked for the image or has not seen it, or the
    label is no class. Without a ranking that is every image.
    """
    ranked = scored(info)
    if run is not None:
        return ~judged_by(info, run) | told_of(info, [str(run)]) | without_class(info)
    if ranked is None:
        return np.ones(info.n, bool)
    return told(info) | without_class(info) | ~ranked.scored_rows


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """Decisions in force as masks over the rows.

    Attributes:
        settled: (n,) somebody has said what is right. Where somebody entitled has settled a
            contradiction, that alone counts, here and below.
        wrong: (n,) somebody has said that the given label is not right.
        found_wrong: (n,) the same, and nobody has confirmed it: what every page and file counts as
            found (`store.found`).
        waiting: (n,) somebody is unsure and nobody has settled it.
        kept: (n,) somebody has confirmed the given label, and nobody has called it wrong.
        disputed: (n,) some have confirmed it, others have called it wrong.
        no_class: (n,) the given label is no class: such an image is settled once somebody has said
            what it is, and neither wrong nor kept.
        looks: (n,) how many people have an answer in force other than skip.
        right_by, wrong_by: (n,) how many people say so of the given label, whoever settled it.
        ruled: (n,) somebody entitled has settled it.
        touched: reviewer -> rows that this person has answered, skips included, the latest last.
        last_id: number of the newest decision that counts.
        auto: (n,) label that a plan in force gave unseen, -1 where none did; no answer, and not
            among the above. A person's answer goes before it.
        auto_right: (n,) a person has said that this label is right.
        auto_wrong: (n,) a person has said that it is not.
        auto_since: number of the newest decision by a plan that is in force; 0 without any.
    """

    settled: BoolArray
    wrong: BoolArray
    found_wrong: BoolArray
    waiting: BoolArray
    kept: BoolArray
    disputed: BoolArray
    no_class: BoolArray
    looks: IntArray
    right_by: IntArray
    wrong_by: IntArray
    ruled: BoolArray
    touched: dict[str, IntArray]
    last_id: int
    auto: IntArray
    auto_right: BoolArray
    auto_wrong: BoolArray
    auto_since: int

    @property
    def auto_open(self) -> BoolArray:
        """(n,) True where the label is a plan's and no person has answered."""
        return (self.auto >= 0) & ~self.answered

    @property
    def answered(self) -> BoolArray:
        """(n,) True where there is an answer other than skip; unsure is one."""
        return self.settled | self.waiting

    @property
    def reviewed(self) -> int:
        """Number of images with an answer other than skip; those without a class count apart."""
        return int((self.answered & ~self.no_class).sum())

    @property
    def found(self) -> int:
        """Number of labels found wrong."""
        return int(self.found_wrong.sum())


@lru_cache(maxsize=16)
def without_class(info: DatasetInfo) -> BoolArray:
    """Return (n,) True where the given label is no class."""
    given = np.asarray(loaded(info).given_labels)
    rows: BoolArray = np.isin(given, info.no_classes)
    return rows


def labelled_count(info: DatasetInfo) -> int:
    """Return how many images came with a class."""
    return info.n - int(without_class(info).sum()) if info.no_classes else info.n


@lru_cache(maxsize=16)
def _kept_up(info: DatasetInfo) -> tuple[Ledger, list[Standing]]:
    """Return a set's ledger, and the last thing said of it; both are guarded by `_keeping`."""
    return Ledger(without_class(info)), []


_keeping = threading.Lock()


def standing_at(info: DatasetInfo, last_id: int) -> Standing:
    """Return the decisions that were in force when the decision of that number was the newest."""
    ledger = Ledger(without_class(info))
    ledger.add(each for each in decisions.changes(info, 0) if each[0] <= last_id)
    return masks(ledger)


def standing(info: DatasetInfo) -> Standing:
    """Return the decisions in force as masks."""
    newest = decisions.last_id(info)
    with _keeping:
        ledger, said = _kept_up(info)
        if newest < ledger.last_id:  # an older copy of the database was restored
            _kept_up.cache_clear()
            ledger, said = _kept_up(info)
        if not said or newest > ledger.last_id:
            ledger.add(decisions.changes(info, ledger.last_id))
            said[:] = [masks(ledger)]
        return said[0]


def masks(ledger: Ledger) -> Standing:
    """Return what a ledger says now; it may take more decisions afterwards."""
    settled, wrong, kept = ledger.settled.copy(), ledger.wrong.copy(), ledger.kept.copy()
    return Standing(
        settled=settled,
        wrong=wrong,
        found_wrong=ledger.found_wrong.copy(),
        waiting=ledger.unsure & ~settled,
        kept=kept & ~wrong,
        disputed=kept & wrong,
        no_class=ledger.no_class,
        looks=ledger.looks.copy(),
        right_by=ledger.right_by.copy(),
        wrong_by=ledger.wrong_by.copy(),
        ruled=ledger.ruled.copy(),
        touched=dict(ledger.touched),
        last_id=ledger.last_id,
        auto=ledger.auto.copy(),
        auto_right=ledger.auto_right.copy(),
        auto_wrong=ledger.auto_wrong.copy(),
        auto_since=ledger.auto_since,
    )


def closed_to(standing_now: Standing, reviewer: str) -> BoolArray:
    """Return (n,) True where this reviewer has nothing to do: answered, or settled by others.

    An image on which somebody else is unsure stays open: it goes to a second reviewer.
    """
    return standing_now.settled | answered_by(standing_now, reviewer)


def answered_by(standing_now: Standing, reviewer: str) -> BoolArray:
    """Return (n,) True where this reviewer has answered, skips included."""
    answered = np.zeros(len(standing_now.settled), dtype=bool)
    answered[standing_now.touched.get(reviewer, [])] = True
    return answered
