"""Runs side by side: which find wrong labels, where they agree, what they cost.

Numpy on memory-mapped files only.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any

import numpy as np

from lnl_core.jobs import outcome, queue
from lnl_core.methods import AT, METHODS, short_of, title_of
from lnl_core.review import comparison
from lnl_core.review.comparison import Detection, Sample
from lnl_core.services.compare import _detecting
from lnl_core.services.compare.truth import JUDGED, KNOWN, covered_by, sample_of, truths
from lnl_core.services.in_force import (
    Scored,
    before_review,
    loaded,
    proposed,
    scored,
    signals,
    standing,
    told_of,
    without_class,
)
from lnl_core.store import datasets, decisions
from lnl_core.types import (
    Array,
    BoolArray,
    DatasetInfo,
    FloatArray,
    IntArray,
    Job,
    JobState,
    LnlError,
    Signals,
    TopProbs,
)
from lnl_core.views import BEFORE, CONSENSUS, TOGETHER, Candidate, Comparison, Truth

_ONE_AT_A_TIME = threading.Lock()


# What there is to compare ----------------------------------------------------------------------


def candidates(info: DatasetInfo) -> list[Candidate]:
    """Return the consensus and every finished run, the newest of each ranking key first.

    Where a later ranking has taken its place, the one from before the review stands second.
    """
    ranked = scored(info)
    if ranked is None:
        return []
    newest = set(ranked.run_ids.values())
    single = [_candidate(info, job, job.id in newest) for job in _done(info)]
    known = {c.key for c in single}
    single += [  # a ranking whose jobs are gone from the table: tests, imported workspaces
        _named(key, run, newest=True, cost=_cost(info, run))
        for key, run in ranked.run_ids.items()
        if str(run) not in known
    ]
    place = {key: i for i, key in enumerate(METHODS)}
    single.sort(
        key=lambda c: (not c.newest, place.get(c.name.split(AT)[0], len(place)), c.name, c.key)
    )
    joint = [Candidate(CONSENSUS, CONSENSUS, "consensus", "consensus", newest=True)]
    before = before_review(info)
    if before is not None and before.version != ranked.version:
        title = "consensus before the review"
        joint.append(Candidate(BEFORE, BEFORE, title, "before", newest=True))
    return [*joint, *single]


def joint_of(info: DatasetInfo, key: str) -> Scored:
    """Return the ranking that a key of `views.TOGETHER` stands for.

    Raises:
        LnlError: there is none.
    """
    ranked = before_review(info) if key == BEFORE else scored(info)
    if ranked is None:
        raise LnlError(f"“{info.name}” has no such ranking. Choose a run instead.")
    return ranked


def _done(info: DatasetInfo) -> list[Job]:
    return [
        job
        for job in queue.jobs(info)
        if job.state is JobState.DONE and signals(info, job.id) is not None
    ]


def _cost(info: DatasetInfo, run: int) -> dict[str, float]:
    opened = signals(info, run)
    return dict(opened.cost) if opened else {}


def _candidate(info: DatasetInfo, job: Job, newest: bool) -> Candidate:
    cost = dict(job.cost) or _cost(info, job.id)
    return _named(outcome.key(job, info), job.id, newest=newest, preset=job.preset, cost=cost)


def _named(
    name: str,
    run: int,
    *,
    newest: bool,
    preset: str = "",
    cost: Mapping[str, float] | None = None,
) -> Candidate:
    method = METHODS.get(name.partition(AT)[0])
    return Candidate(
        key=str(run),
        name=name,
        title=title_of(name) + ("" if newest else f", run {run}"),
        short=short_of(name) + ("" if newest else f" {run}"),
        newest=newest,
        baseline=method is None or method.baseline,
        reconstruction=method is not None and method.reconstruction,
        preset=preset,
        cost=cost or {},
    )


def _chosen(info: DatasetInfo, keys: Sequence[str] | None) -> list[Candidate]:
    """Return the candidates asked for; by default the consensus and the newest of each key."""
    every = candidates(info)
    if keys is None:
        return [c for c in every if c.newest]
    return [c for c in every if c.key in set(keys)]


def suspicion(info: DatasetInfo, candidate: Candidate) -> Array:
    """Return (n,) a candidate's suspicion, on the disk."""
    if candidate.key in TOGETHER:
        return joint_of(info, candidate.key).ranking.suspicion
    return run_signals(info, candidate.key).suspicion


def run_signals(info: DatasetInfo, key: str) -> Signals:
    """Open the signals of a run, by its number as text."""
    opened = signals(info, int(key)) if key.isdigit() else None
    if opened is None:
        raise LnlError(f"The files of run {key} are gone. Run the method again.")
    return opened


def suggestions(info: DatasetInfo, candidate: Candidate) -> IntArray | None:
    """Return (n,) the best class other than the given one; None for a method without any."""
    if candidate.key in TOGETHER:
        return joint_of(info, candidate.key).ranking.suggested_labels
    return _best_other(info, int(candidate.key))


@lru_cache(maxsize=64)
def _best_other(info: DatasetInfo, run: int) -> IntArray | None:
    probs = run_signals(info, str(run)).pred_probs
    given = np.asarray(loaded(info).given_labels)
    if probs is None:
        return None
    if isinstance(probs, TopProbs):
        first = np.asarray(probs.classes[:, 0])
        second = np.asarray(probs.classes[:, 1]) if probs.classes.shape[1] > 1 else -1
        return np.where(first != given, first, second).astype(np.int32)
    best = np.empty(len(given), np.int32)
    for rows in np.array_split(np.arange(len(given)), max(1, -(-len(given) // 65_536))):
        block = np.array(probs[rows], np.float32)
        block[np.arange(len(rows)), given[rows]] = -1
        best[rows] = block.argmax(axis=1)
    return best


# Compare --------------------------------------------------------------------------------------


def compare(
    info: DatasetInfo, keys: Sequence[str] | None = None, truth: str | None = None
) -> Comparison:
    """Put runs side by side.

    Args:
        info: the data set.
        keys: of `candidates`; the consensus and the newest of each ranking key when None.
        truth: `known`, `judged` or `audit`; the first that can be used when None.

    Raises:
        LnlError: nothing is scored yet, or none of the keys exists.
    """
    ranked = scored(info)
    if ranked is None:
        raise LnlError(f"Nothing of “{info.name}” is scored yet. Start a run first.")
    chosen = tuple(_chosen(info, keys))
    if not chosen:
        raise LnlError("No run is chosen. Choose at least one.")
    last = decisions.last_id(info)
    with _ONE_AT_A_TIME:  # a page that is drawn again meanwhile waits for the same answer
        return _compare(info, ranked.version, chosen_keys(chosen), truth, last)


def chosen_keys(chosen: Sequence[Candidate]) -> tuple[str, ...]:
    """Return the keys of candidates."""
    return tuple(c.key for c in chosen)


@lru_cache(maxsize=64)  # with many seeds a page asks for one of each method, all anew every time
def _compare(
    info: DatasetInfo,
    _version: str,
    keys: tuple[str, ...],
    kind: str | None,
    _last_id: int,
) -> Comparison:
    chosen = tuple(_chosen(info, keys))
    every = truths(info)
    usable = [t for t in every if not t.reason and kind in (None, t.kind)]
    told = unscored(info, chosen)
    truth, why, sample = None, "", None
    if usable:
        truth = usable[0]
        sample = sample_of(info, truth.kind, told)
        if sample is None or sample.errors <= 0:
            why = (
                "These runs were told the answers that would judge them. Choose runs from before "
                "the review, or answer further images drawn at random."
            )
            truth, sample = None, None
    else:
        asked = [t for t in every if kind in (None, t.kind)] or every
        why = asked[-1].reason
    detections: dict[str, Detection] = {}
    fixes: dict[str, float] = {}
    if sample is not None:
        assert truth is not None
        detections, fixes = _judged(info, chosen, sample, _judge(info, truth, told, _last_id))
    inside, now = covered_by(info, truth.kind if truth else ""), standing(info)
    judging = inside if sample is None else sample.population
    return Comparison(
        candidates=chosen,
        detections=detections,
        right_fix=fixes,
        correlation=_correlation(info, chosen),
        truth=truth,
        why_none=why,
        left_out=int((told & inside).sum()) if sample is not None else 0,
        compared=int(comparable(info, chosen).sum()),
        goal=proposed(scored(info)),
        reviewed=(int((now.answered & judging).sum()), int((now.found_wrong & judging).sum())),
        found=now.found,
    )


def _judged(
    info: DatasetInfo, chosen: Sequence[Candidate], sample: Sample, judge: tuple[str, ...]
) -> tuple[dict[str, Detection], dict[str, float]]:
    """Return detections and shares of right suggestions, those of earlier times from the disk."""
    counts = lru_cache(maxsize=1)(lambda: comparison.resamples(sample))

    def measure(each: Candidate) -> dict[str, Any]:
        detection = _detecting.detect(suspicion(info, each), sample, counts())
        best = suggestions(info, each)
        fix = float("nan") if best is None else comparison.suggestions_right(best, sample)
        return {"detection": _detecting.as_json(detection), "right_fix": fix}

    def one(each: Candidate) -> dict[str, Any]:
        inputs = ("detection", cache_key(info, each), *judge)
        seen: dict[str, Any] = _detecting.kept(info, inputs, lambda: measure(each))
        return seen

    with ThreadPoolExecutor(2) as pool:  # numpy sorts without holding the interpreter
        every = dict(zip((c.key for c in chosen), pool.map(one, chosen), strict=True))
    detections = {key: _detecting.from_json(seen["detection"]) for key, seen in every.items()}
    return (
        {key: detection for key, detection in detections.items() if detection is not None},
        {key: float(seen["right_fix"]) for key, seen in every.items()},
    )


def cache_key(info: DatasetInfo, candidate: Candidate) -> str:
    """Return what changes when a candidate's scores do, for names of what is kept."""
    if candidate.key in TOGETHER:
        return f"ranking {joint_of(info, candidate.key).version}"
    folder = info.directory / "runs" / candidate.key
    return f"run {candidate.key} {_detecting.stamp(folder / 'signals.json')}"


def _judge(info: DatasetInfo, truth: Truth, told: BoolArray, last_id: int) -> tuple[str, ...]:
    """Return what changes when the images that judge do."""
    files = {KNOWN: datasets.TRUE_LABELS, JUDGED: datasets.JUDGED_LABELS}
    file = files.get(truth.kind)
    of = _detecting.stamp(info.arrays / file) if file else last_id
    left_out = hashlib.blake2b(np.packbits(told).tobytes(), digest_size=8).hexdigest()
    return truth.kind, str(of), left_out, *map(str, info.no_classes)


def unscored(info: DatasetInfo, chosen: Sequence[Candidate]) -> BoolArray:
    """Return (n,) True where one of the candidates has no score of its own: nothing to compare.

    It was told the answer, has not seen the image, or was not asked to judge it.
    """
    none = np.zeros(info.n, bool)
    for each in chosen:
        none |= told_of(info, runs_behind(info, [each]))
        if each.key in TOGETHER:
            none |= ~joint_of(info, each.key).scored_rows
    return none


def comparable(info: DatasetInfo, chosen: Sequence[Candidate]) -> BoolArray:
    """Return (n,) True where scores can be compared: images with a class that all have scored."""
    rows: BoolArray = ~(without_class(info) | unscored(info, chosen))
    return rows


def _correlation(info: DatasetInfo, chosen: Sequence[Candidate]) -> FloatArray:
    """Return (m, m) rank correlation of suspicion; nan where no image can be compared."""
    rows = comparable(info, chosen)
    if not rows.any():
        return np.full((len(chosen), len(chosen)), np.nan)

    def make() -> list[list[float]]:
        correlation = comparison.rank_correlation(
            [np.asarray(suspicion(info, c))[rows] for c in chosen]
        )
        values: list[list[float]] = correlation.tolist()
        return values

    inputs = (
        "correlation",
        hashlib.blake2b(np.packbits(rows).tobytes(), digest_size=8).hexdigest(),
        *(cache_key(info, each) for each in chosen),
    )
    return np.array(_detecting.kept(info, inputs, make), np.float64)


def runs_behind(info: DatasetInfo, chosen: Sequence[Candidate]) -> set[str]:
    """Return the numbers of the runs behind the candidates, those of the consensus included."""
    runs = {c.key for c in chosen if c.key not in TOGETHER}
    for each in chosen:
        if each.key in TOGETHER:
            runs |= {str(run) for run in joint_of(info, each.key).run_ids.values()}
    return runs


def overlap(info: DatasetInfo, keys: Sequence[str] | None, k: int) -> FloatArray:
    """Return (m, m) share of the union that the k most suspicious images of two runs have.

    Images without a class, and those that one of the runs was told of or has not seen, are left
    out.
    """
    ranked = scored(info)
    if ranked is None:
        raise LnlError(f"Nothing of “{info.name}” is scored yet. Start a run first.")
    return _overlap(info, ranked.version, chosen_keys(_chosen(info, keys)), k)


@lru_cache(maxsize=32)
def _overlap(info: DatasetInfo, _version: str, keys: tuple[str, ...], k: int) -> FloatArray:
    chosen = _chosen(info, keys)
    rows = comparable(info, chosen)
    return comparison.top_overlap([np.asarray(suspicion(info, c))[rows] for c in chosen], k)
