"""The map of a data set: features laid out on a plane by UMAP, once per content and parameters.

UMAP is McInnes, Healy and Melville, "UMAP: Uniform Manifold Approximation and Projection for
Dimension Reduction", 2018, by the umap-learn package. Features are scaled to unit length, so that
distance means angle as it does for neighbours elsewhere, and reduced to fifty dimensions. Of very
large sets a seeded sample is laid out; every other image is put among its nearest in the sample.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lnl_core.jobs import queue
from lnl_core.jobs.context import JobContext, Report
from lnl_core.jobs.tasks import Task
from lnl_core.learning.feature_keys import recipe
from lnl_core.store import arrays
from lnl_core.types import (
    Array,
    Damaged,
    DatasetInfo,
    FloatArray,
    IntArray,
    Job,
    JobState,
    LnlError,
    usual_representation,
)

KEY = "embedding"
FITTED = 60_000
"""Rows that UMAP itself sees at most."""

FEWEST = 5
"""A map of fewer images says nothing."""

DIMENSIONS = 50
PLACED_BY = 5
"""A row outside the sample stands at the weighted mean of this many of the sample."""

_RECIPE = 1
"""Part of every key: raise it when the same features would give another map."""

_BLOCK = 8192


@dataclass(frozen=True, slots=True)
class Settings:
    """What a map is made of.

    Attributes:
        source: name of a label-free representation, or `run:N` for what run N learned.
        neighbours: how many neighbours each image keeps near, 2 to 200: few show small groups,
            many the whole.
        min_dist: how tightly groups pack, 0 to 1.
        seed: of the sample, the reduction and the layout.
    """

    source: str
    neighbours: int = 15
    min_dist: float = 0.1
    seed: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Return the task's parameters."""
        return {
            "source": self.source,
            "neighbours": self.neighbours,
            "min_dist": self.min_dist,
            "seed": self.seed,
        }


def settings_of(values: Mapping[str, Any]) -> Settings:
    """Read settings back, each within its bounds.

    Raises:
        LnlError: one of them is out of bounds.
    """
    try:
        settings = Settings(
            str(values["source"]),
            int(values["neighbours"]),
            float(values["min_dist"]),
            int(values["seed"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise LnlError("These are no settings of a map. Start it again from Explore.") from error
    if not (2 <= settings.neighbours <= 200 and 0 <= settings.min_dist <= 1 and settings.seed >= 0):
        raise LnlError("A map takes 2 to 200 neighbours, a distance of 0 to 1 and a seed from 0.")
    return settings


def recipe_of(source: str) -> int | None:
    """Return the recipe of a map's features; None of a run's, which stay as it left them."""
    return None if source.startswith("run:") else recipe(source)


def _key(info: DatasetInfo, settings: Settings, made_by: int | None) -> str:
    parts = [_RECIPE, info.version, settings.as_dict()]
    told = json.dumps(parts if made_by is None else [*parts, made_by], sort_keys=True)
    return hashlib.blake2b(told.encode(), digest_size=8).hexdigest()


def key_of(info: DatasetInfo, settings: Settings) -> str:
    """Return the name of the map's files: a digest of contents, settings and features' recipe."""
    return _key(info, settings, recipe_of(settings.source))


def place(info: DatasetInfo, key: str) -> Path:
    """Return where a map's positions lie, (n, 2) float32; the facts are beside it as .json."""
    return info.directory / "embeddings" / f"{key}.npy"


def kept(info: DatasetInfo) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the facts of every map of this version of the set, newest first, with its `key`.

    Returns:
        the maps of today's features, and those of features of an earlier recipe. A map that says
        nothing of a recipe is from before maps did.
    """
    by_time = []
    for path in (info.directory / "embeddings").glob("*.json"):
        try:
            facts = arrays.read_json(path)
            ours = facts["n"] == info.n and path.stem == _key(
                info, settings_of(facts), facts.get("recipe")
            )
        except (Damaged, LnlError, KeyError):
            continue
        if ours:
            by_time.append((path.stat().st_mtime_ns, facts | {"key": path.stem}))
    today: list[dict[str, Any]] = []
    before: list[dict[str, Any]] = []
    for _, facts in sorted(by_time, key=lambda each: -each[0]):
        same = facts.get("recipe") == recipe_of(str(facts["source"]))
        (today if same else before).append(facts)
    return today, before


def outdated(info: DatasetInfo) -> Settings | None:
    """Return the settings of the newest map where every map is of features that changed since."""
    today, before = kept(info)
    return settings_of(before[0]) if before and not today else None


def wanted(info: DatasetInfo) -> Settings | None:
    """Return the settings of the map that a set lacks; None where it has one, or shall have none.

    That is its first map, or a new one where the features have changed since. One that failed or
    was cancelled is never started again by itself.
    """
    if info.n < FEWEST or os.environ.get("LNL_MAP", "").casefold() == "off":
        return None
    tasks = (job for job in queue.jobs(info, tasks=True) if job.method == KEY)
    newest, old = next(tasks, None), outdated(info)
    if old is not None:
        return old if newest is None or newest.state is JobState.DONE else None
    settings = Settings(usual_representation(info.height, info.width))
    there = newest is not None or place(info, key_of(info, settings)).is_file()
    return None if there else settings


def _run(info: DatasetInfo, job: Job, context: JobContext) -> None:
    """Lay out and keep what is not there yet."""
    settings = settings_of(job.config)
    path = place(info, key_of(info, settings))
    if path.with_suffix(".json").is_file():
        return
    began = time.monotonic()
    features = _features(info, settings.source, context)
    positions, fitted = lay_out(features, settings, _after_features(context.report))
    seconds = round(time.monotonic() - began, 2)
    more = {"dimensions": int(features.shape[1]), "seconds": seconds}
    write(info, settings, positions, fitted, more)


def write(
    info: DatasetInfo,
    settings: Settings,
    positions: FloatArray,
    fitted: int,
    more: Mapping[str, Any] | None = None,
) -> str:
    """Keep a map and return its key; the facts come last and make it visible."""
    path = place(info, key_of(info, settings))
    arrays.write_array(path, positions)
    made = {"n": info.n, "recipe": recipe_of(settings.source), "fitted": fitted}
    arrays.write_json(path.with_suffix(".json"), settings.as_dict() | made | dict(more or {}))
    return path.stem


def _after_features(report: Report) -> Report:
    def later(stage: str, fraction: float, metrics: Mapping[str, float] | None = None) -> None:
        report(stage, 0.4 + 0.6 * fraction, metrics)

    return later


def _features(info: DatasetInfo, source: str, context: JobContext) -> FloatArray:
    """Open, or compute, the features that the map is made of, (n, d)."""
    if source.startswith("run:"):
        number = source.removeprefix("run:")
        features = arrays.load_signals(info.directory / "runs" / number).features
        if not number.isdecimal() or features is None or features.shape[:1] != (info.n,):
            raise LnlError(f"Run {number} kept no features. Choose others for the map.")
        return features
    from lnl_core.jobs import inputs
    from lnl_core.store import datasets

    def report(stage: str, fraction: float, metrics: Mapping[str, float] | None = None) -> None:
        context.report(stage, 0.4 * fraction, metrics)

    data = datasets.load(info)
    return inputs.features(info, data, source, context.device, report)


def lay_out(
    features: Array, settings: Settings, report: Report, *, most: int = FITTED
) -> tuple[FloatArray, int]:
    """Return positions (n, 2) float32 and how many rows UMAP itself laid out.

    Args:
        features: (n, d), perhaps on the disk; read in blocks.
        settings: of the map.
        report: progress; may raise `Cancelled`.
        most: rows that UMAP sees at most.

    Raises:
        LnlError: fewer than five rows.
    """
    n = len(features)
    if n < FEWEST:
        raise LnlError(f"A map needs at least {FEWEST} images; this set has {n}.")
    report("reducing", 0.02, None)
    rng = np.random.default_rng(settings.seed)
    chosen = np.arange(n) if n <= most else np.sort(rng.choice(n, most, replace=False))
    reduce = _reduction(features, chosen, settings.seed)
    sample = _by_blocks(features, chosen, reduce)
    report("neighbours", 0.1, None)
    if len(sample) < 4 * FEWEST:  # too few for a graph to say more than the reduction
        return _padded(sample), n
    count = min(settings.neighbours, len(sample) - 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # umap-learn warns of what is meant here: one thread, seeds
        fitted = _umap(sample, count, settings, report)
        if len(chosen) == n:
            report("placing", 1.0, None)
            return fitted, n
        positions = _place_rest(features, chosen, sample, fitted, reduce, settings, report)
    return positions, len(chosen)


def _padded(sample: FloatArray) -> FloatArray:
    wide: FloatArray = np.zeros((len(sample), 2), dtype=np.float32)
    wide[:, : min(2, sample.shape[1])] = sample[:, :2]
    return wide


def _unit(block: Array) -> FloatArray:
    """Return rows as float32 of length 1; what is not finite counts as zero."""
    rows: FloatArray = np.nan_to_num(np.asarray(block, dtype=np.float32), posinf=0.0, neginf=0.0)
    rows = rows.reshape(len(rows), -1)
    length = np.sqrt(np.einsum("rd,rd->r", rows, rows))
    rows /= np.maximum(length, 1e-12)[:, None]
    return rows


def _reduction(
    features: Array, chosen: IntArray, seed: int, most: int = 10_000
) -> Callable[[Array], FloatArray]:
    """Return a function from rows of features to at most fifty principal components."""
    from sklearn.decomposition import PCA

    rng = np.random.default_rng(seed)
    rows = chosen if len(chosen) <= most else np.sort(rng.choice(chosen, most, replace=False))
    seen = _unit(features[rows])
    wanted = min(DIMENSIONS, *seen.shape)
    solver = "randomized" if min(seen.shape) > 200 else "full"
    fitted = PCA(wanted, svd_solver=solver, random_state=seed).fit(seen)
    mean, axes = fitted.mean_.astype(np.float32), fitted.components_.astype(np.float32)

    def reduce(block: Array) -> FloatArray:
        projected: FloatArray = (_unit(block) - mean) @ axes.T
        return projected

    return reduce


def _by_blocks(
    features: Array, rows: IntArray, reduce: Callable[[Array], FloatArray]
) -> FloatArray:
    parts = [
        reduce(features[rows[start : start + _BLOCK]]) for start in range(0, len(rows), _BLOCK)
    ]
    joined: FloatArray = np.concatenate(parts).astype(np.float32)
    return joined


class _Bar:
    """A file that a progress bar writes to; each line moves the task's own progress."""

    def __init__(self, report: Report) -> None:
        self._report = report

    def write(self, text: str) -> None:
        """Take `done/total` from the bar's line."""
        done, _, total = text.strip().partition("/")
        if done.isdecimal() and total.isdecimal() and int(total):
            self._report("laying out", 0.3 + 0.5 * int(done) / int(total), None)

    def flush(self) -> None:
        """Nothing waits."""


def _umap(sample: FloatArray, count: int, settings: Settings, report: Report) -> FloatArray:
    """Lay the sample out, (m, 2)."""
    import contextlib
    import io

    from umap import UMAP

    bar = {"file": _Bar(report), "bar_format": "{n}/{total}", "mininterval": 0.2, "leave": False}
    layout = UMAP(
        n_neighbors=count,
        min_dist=settings.min_dist,
        random_state=settings.seed,
        n_jobs=1,
        init="pca",
        verbose=True,  # for the bar; what else it says goes nowhere
        tqdm_kwds=bar,
    )
    with contextlib.redirect_stdout(io.StringIO()):
        positions: FloatArray = layout.fit_transform(sample)
    return positions.astype(np.float32)


def _place_rest(
    features: Array,
    chosen: IntArray,
    sample: FloatArray,
    placed: FloatArray,
    reduce: Callable[[Array], FloatArray],
    settings: Settings,
    report: Report,
) -> FloatArray:
    """Put every row outside the sample among its nearest of the sample; return all, (n, 2)."""
    from pynndescent import NNDescent  # type: ignore[import-untyped,unused-ignore]

    index = NNDescent(sample, n_neighbors=15, random_state=settings.seed, n_jobs=1)
    index.prepare()
    n = len(features)
    positions: FloatArray = np.empty((n, 2), dtype=np.float32)
    positions[chosen] = placed
    inside = np.zeros(n, dtype=bool)
    inside[chosen] = True
    rest = np.flatnonzero(~inside)
    spread = 0.003 * np.ptp(placed, axis=0)  # so that rows with the same neighbours do not coincide
    rng = np.random.default_rng(settings.seed + 1)
    for start in range(0, len(rest), _BLOCK):
        report("placing", 0.8 + 0.2 * start / len(rest), None)
        rows = rest[start : start + _BLOCK]
        near, far = index.query(reduce(features[rows]), k=PLACED_BY)
        weight = 1 / np.maximum(far, 1e-6)
        weight /= weight.sum(axis=1, keepdims=True)
        mean = np.einsum("rk,rkd->rd", weight, placed[near])
        positions[rows] = mean + spread * rng.standard_normal(mean.shape)
    return positions


TASK = Task(KEY, "The map of Explore", _run)
