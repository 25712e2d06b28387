"""What is behind one number a method: pairs, classes, and what another seed would have given."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from lnl_core.jobs import outcome, queue
from lnl_core.methods import title_of, yardstick
from lnl_core.review import differences
from lnl_core.review.comparison import Sample
from lnl_core.review.differences import ClassPair, Pair, Shares
from lnl_core.services.compare import comparing
from lnl_core.services.compare.seeds import but_for_seed
from lnl_core.services.compare.truth import sample_of
from lnl_core.services.in_force import loaded
from lnl_core.store import decisions
from lnl_core.types import BoolArray, DatasetInfo, FloatArray, JobState
from lnl_core.views import Comparison


def pairs(compared: Comparison) -> list[Pair]:
    """Compare every two of the methods that were measured, the clearest difference first."""
    return differences.pairs(compared.detections)


def words(found: Sequence[Pair]) -> str:
    """Say what was compared, and how, in two sentences; nothing of fewer than two methods."""
    if not found:
        return ""
    clear = sum(each.clear for each in found)
    noun = "pair" if len(found) == 1 else "pairs"
    return (
        f"{clear} of {len(found)} {noun} differ clearly. Average precision on the same bootstrap "
        "samples of the images; intervals are 95 %, for each pair alone; p is of no difference, "
        f"corrected for the {len(found)} {noun} by Holm's procedure."
    )


# Classes ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class ByClass:
    """Recall and precision by given class.

    Attributes:
        shares: key -> of each method; empty without a truth.
        reviews: how many images of each order are looked at: as many as there are wrong labels.
    """

    shares: Mapping[str, Shares]
    reviews: int


def by_class(info: DatasetInfo, compared: Comparison) -> ByClass:
    """Return how well each method finds the wrong labels of each given class."""
    asked = _asked(info, compared)
    return ByClass({}, 0) if asked is None else _by_class(info, *asked)


def class_pairs(info: DatasetInfo, compared: Comparison) -> list[ClassPair]:
    """Compare the recall of every two methods in every given class, the clearest first."""
    asked = _asked(info, compared)
    return [] if asked is None else list(_class_pairs(info, *asked))


def reference(compared: Comparison) -> str:
    """Return the key of the method that others are held against: plain training, else the best."""
    plain = yardstick().key
    known = [each for each in compared.candidates if each.key in compared.detections]
    best = compared.best()
    other = best.key if best is not None else known[0].key
    return next((each.key for each in known if each.newest and each.name == plain), other)


def class_pair_words(found: Sequence[ClassPair]) -> str:
    """Say what was compared in the classes, and how; nothing of fewer than two methods."""
    if not found:
        return ""
    clear = sum(each.clear for each in found)
    classes = len({each.label for each in found})
    return (
        f"{clear:,} of {len(found):,} differences are clear: every two methods in "
        f"{'one class' if classes == 1 else f'{classes:,} classes'}. p is McNemar's, exact, "
        "corrected for all of them by Holm's procedure; intervals are 95 %, for each alone."
    )


_Asked = tuple[str, tuple[str, ...], tuple[str, ...], int]


def _asked(info: DatasetInfo, compared: Comparison) -> _Asked | None:
    """Return the kind of truth, the methods, and what tells them from later ones."""
    if compared.truth is None or not compared.detections:
        return None
    chosen = [each for each in compared.candidates if each.key in compared.detections]
    versions = tuple(comparing.cache_key(info, each) for each in chosen)
    keys = tuple(each.key for each in chosen)
    return compared.truth.kind, keys, versions, decisions.last_id(info)


@lru_cache(maxsize=8)
def _by_class(
    info: DatasetInfo,
    kind: str,
    keys: tuple[str, ...],
    _versions: tuple[str, ...],
    _last_id: int,
) -> ByClass:
    sample, tops, reviews = _tops(info, kind, keys)
    if sample is None:
        return ByClass({}, 0)
    given = np.asarray(loaded(info).given_labels)
    shares = {
        key: differences.by_class(top, given, sample, info.class_count) for key, top in tops.items()
    }
    return ByClass(shares, reviews)


@lru_cache(maxsize=8)
def _class_pairs(
    info: DatasetInfo,
    kind: str,
    keys: tuple[str, ...],
    _versions: tuple[str, ...],
    _last_id: int,
) -> tuple[ClassPair, ...]:
    sample, tops, _ = _tops(info, kind, keys)
    if sample is None:
        return ()
    given = np.asarray(loaded(info).given_labels)
    return tuple(differences.class_pairs(tops, given, sample, info.class_count))


def _tops(
    info: DatasetInfo, kind: str, keys: tuple[str, ...]
) -> tuple[Sample | None, dict[str, BoolArray], int]:
    """Return what is known, and what is reviewed of each order: as many as there are wrong."""
    chosen = [each for each in comparing.candidates(info) if each.key in keys]
    told = comparing.unscored(info, chosen)
    sample = sample_of(info, kind, told)
    if sample is None:
        return None, {}, 0
    reviews = max(1, round(sample.errors))
    tops = {
        each.key: _top(np.asarray(comparing.suspicion(info, each)), sample.population, reviews)
        for each in chosen
    }
    return sample, tops, reviews


def _top(score: FloatArray, population: BoolArray, count: int) -> BoolArray:
    """Return (n,) True for the `count` most suspicious rows of a population; ties by row."""
    inside = np.flatnonzero(population)
    order = np.argsort(-score[inside], kind="stable")[:count]
    top = np.zeros(len(score), bool)
    top[inside[order]] = True
    return top


# Seeds -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Seeds:
    """One method with one set of knobs, run with several seeds.

    Attributes:
        title: of the method.
        preset: of the runs.
        values: seed -> average precision.
    """

    title: str
    preset: str
    values: Mapping[int, float]

    @property
    def mean(self) -> float:
        """Mean over the seeds."""
        return float(np.mean(list(self.values.values())))

    @property
    def spread(self) -> float:
        """Standard deviation over the seeds."""
        return float(np.std(list(self.values.values()), ddof=1))


def seeds(info: DatasetInfo, truth: str | None) -> list[Seeds]:
    """Return the methods that have run with several seeds and the same knobs, in their order.

    Empty where none has, or nothing is known of the truth.
    """
    alike: dict[tuple[str, str, str], dict[int, str]] = defaultdict(dict)
    known = {each.key: each for each in comparing.candidates(info)}
    for job in queue.jobs(info):  # the newest first: an older run of one seed counts no more
        if job.state is not JobState.DONE or str(job.id) not in known:
            continue
        same = (outcome.key(job, info), job.preset, but_for_seed(info, job))
        alike[same].setdefault(job.seed, str(job.id))
    several = {what: runs for what, runs in alike.items() if len(runs) > 1}
    keys = [key for runs in several.values() for key in runs.values()]
    if not keys:
        return []
    measured = comparing.compare(info, keys, truth).detections
    return [
        Seeds(
            title_of(name),
            preset,
            {seed: measured[key].ap for seed, key in sorted(runs.items()) if key in measured},
        )
        for (name, preset, _), runs in several.items()
        if sum(key in measured for key in runs.values()) > 1
    ]
