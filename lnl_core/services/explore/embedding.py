"""A map of the set: what it can be made of, its positions, its colours, what a loop selects.

Numpy on memory-mapped files only: what takes long is a task in a process of its own.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from lnl_core.jobs import queue
from lnl_core.jobs.engines import local
from lnl_core.jobs.tasks import embedding
from lnl_core.jobs.tasks.embedding import FEWEST as FEWEST
from lnl_core.jobs.tasks.embedding import Settings as Settings
from lnl_core.jobs.tasks.embedding import key_of as key_of
from lnl_core.jobs.tasks.embedding import outdated as outdated
from lnl_core.learning.feature_keys import cache_key
from lnl_core.methods import title_of
from lnl_core.services.in_force import Scored, loaded, scored, signals, standing, unjudged
from lnl_core.services.team import roles
from lnl_core.services.team.roles import Act
from lnl_core.store import arrays, decisions
from lnl_core.types import (
    ACTIVE_STATES,
    Action,
    ByteArray,
    Damaged,
    DatasetInfo,
    IntArray,
    Job,
    JobState,
    LnlError,
    usual_representation,
)
from lnl_core.views import DOUBTFUL, SUSPECTED, Layout

COLOURS = ("suspicion", "given", "suggested", "verdict")
SLOTS = 8
"""Classes that have a colour of their own; the others share grey."""

NAMES = 14
"""Class names written on the map at most."""

VERDICTS = (
    None,
    Action.KEEP,
    Action.RELABEL,
    Action.MULTIPLE,
    Action.NONE,
    Action.UNSURE,
    Action.AUTO,
)
LONGEST_LOOP = 500


# The map --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Source:
    """Features that a map can be made of; `key` as `Settings.source` takes it."""

    key: str
    title: str
    ready: bool


def sources(info: DatasetInfo) -> list[Source]:
    """Return what a map can be made of: the default first, then other features, then runs."""
    usual = usual_representation(info.height, info.width)
    cached = {}
    for meta in sorted((info.directory / "features").glob("*/meta.json")):
        try:
            facts = arrays.read_json(meta)
        except Damaged:  # a run that needs them makes them again
            continue
        name = str(facts["representation"])
        if len(facts["shape"]) == 2 and meta.parent.name == cache_key(info.version, name):
            cached[name] = True
    names = [usual, *(name for name in sorted(cached) if name != usual)]
    choices = [Source(name, f"{name} features", name in cached) for name in names]
    newest: dict[tuple[str, str], int] = {}
    for job in queue.jobs(info):
        if job.state is JobState.DONE:
            newest.setdefault((job.method, job.representation), job.id)
    for (method, _), number in newest.items():
        run = signals(info, number)
        if run is not None and run.features is not None and run.features.ndim == 2:
            title = f"features of {title_of(method)}, run {number}"
            choices.append(Source(f"run:{number}", title, True))
    return choices


@lru_cache(maxsize=4)
def _layout(path: Path, _modified: int) -> Layout:
    positions = arrays.read_array(path)
    low, high = positions.min(axis=0), positions.max(axis=0)
    unit = (positions - low) / np.maximum(high - low, 1e-9)
    unit[:, 0] = 0.03 + 0.94 * unit[:, 0]
    unit[:, 1] = 0.97 - 0.88 * unit[:, 1]  # room for the tools at the top
    points = np.round(65535 * unit).astype("<u2")
    order = np.argsort(points[:, 1], kind="stable").astype(np.int32)
    return Layout(
        path.stem,
        arrays.read_json(path.with_suffix(".json")),
        points,
        order,
        np.ascontiguousarray(points[order, 0]),
        np.ascontiguousarray(points[order, 1]),
    )


def layout(info: DatasetInfo, key: str) -> Layout | None:
    """Open a map, None where it is not there (yet)."""
    path = embedding.place(info, key)
    facts = path.with_suffix(".json")
    if not re.fullmatch(r"[0-9a-f]{16}", key) or not facts.is_file():
        return None
    return _layout(path, facts.stat().st_mtime_ns)


def layouts(info: DatasetInfo) -> list[dict[str, Any]]:
    """Return the facts of every map of today's features, newest first, with its `key`."""
    return embedding.kept(info)[0]


def start_layout(info: DatasetInfo, settings: Settings, by: str | None = None) -> Job:
    """Queue the map in the worker for tasks, or return the task that is under way for it.

    `by` is who asks, on a page; None works on the machine itself.

    Raises:
        NotAllowed: that person may not.
        LnlError: settings out of bounds, or too few images.
    """
    roles.require_of(info.workspace, by, Act.RUN)
    embedding.settings_of(settings.as_dict())
    if info.n < FEWEST:
        raise LnlError(f"A map needs at least {FEWEST} images; this set has {info.n}.")
    job = queue.submit_task(info, embedding.KEY, settings.as_dict())
    local.ensure_worker(info.workspace, queue.TASKS)
    return job


def layout_job(info: DatasetInfo, settings: Settings) -> Job | None:
    """Return the newest task for a map with these settings: under way, failed or done."""
    for job in queue.jobs(info, tasks=True):
        if job.method == embedding.KEY and dict(job.config) == settings.as_dict():
            return job
    return None


def is_active(job: Job | None) -> bool:
    """Tell whether a task waits or runs."""
    return job is not None and job.state in ACTIVE_STATES


def layout_seconds(info: DatasetInfo, source: Source) -> float:
    """Return about how long a map takes on two cores, features included where they are missing."""
    fitted = min(info.n, embedding.FITTED)
    features = 0.0 if source.ready or source.key == "raw" else 5 + 0.01 * info.n
    return features + 25 + 0.0025 * fitted + 0.0003 * (info.n - fitted)


# Colours --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Colouring:
    """How a map is coloured.

    Attributes:
        version: changes when the codes do.
        codes: (n,) uint8; the low four bits are the colour, the next two how much an image is
            suspected (0 below .25 or without a score, 1 to .5, 2 above).
        legend: colour -> name and how many, in the order shown.
    """

    version: str
    codes: ByteArray
    legend: tuple[tuple[int, str, int], ...]


def colour_version(info: DatasetInfo, colour: str, method: str | None) -> str:
    """Return what a colouring's address ends in: it changes with ranking and decisions."""
    ranked = scored(info)
    told = [ranked.version if ranked else "", colour, method or ""]
    if colour == "verdict":
        told.append(str(decisions.last_id(info)))
    return hashlib.blake2b("\0".join(told).encode(), digest_size=6).hexdigest()


def colouring(info: DatasetInfo, colour: str, method: str | None) -> Colouring:
    """Return the codes of every image.

    Args:
        info: the data set.
        colour: one of `COLOURS`.
        method: for `suspicion`, one method of the ranking alone; None takes p_wrong of all.

    Raises:
        LnlError: no such colouring, or it needs a run first.
    """
    if colour not in COLOURS:
        raise LnlError("There is no such colouring of the map.")
    ranked = scored(info)
    if ranked is None and colour in ("suspicion", "suggested"):
        raise LnlError(f"Nothing of “{info.name}” is scored yet. Start a run first.")
    return _colouring(info, ranked, colour, method, colour_version(info, colour, method))


@lru_cache(maxsize=8)
def _colouring(
    info: DatasetInfo,
    ranked: Scored | None,
    colour: str,
    method: str | None,
    version: str,
) -> Colouring:
    level = base = np.zeros(info.n, dtype=np.uint8)
    if ranked is not None:
        base = levels(info, ranked, method)
        level = np.where(base == UNJUDGED, 0, base).astype(np.uint8)
    if colour == "suspicion":
        names = ["below", "0.25–0.5", "above 0.5", UNJUDGED_WORDS]
        shown = [2, 1, 0] + ([UNJUDGED] if (base == UNJUDGED).any() else [])
    elif colour == "verdict":
        base, names = verdicts(info), [_VERDICT_WORDS[each] for each in VERDICTS]
        level = (2 * (base > 0)).astype(np.uint8)  # what has an answer is what stands out here
        accepted = VERDICTS.index(Action.AUTO)
        shown = [1, 2, 3, 4, 5, *([accepted] if (base == accepted).any() else []), 0]
    else:
        labels = np.asarray(loaded(info).given_labels)
        if colour == "suggested":
            assert ranked is not None
            labels = np.asarray(ranked.ranking.suggested_labels)
        chosen = frequent_classes(info, ranked)[:SLOTS]
        slot = np.full(info.class_count + 1, SLOTS, dtype=np.uint8)
        slot[chosen] = np.arange(len(chosen))
        base = slot[labels]  # -1, no suggestion, is the last: grey
        names = [info.class_names[label] for label in chosen] + [""] * (SLOTS - len(chosen))
        names.append("other classes" if colour == "given" else "others")
        shown = list(range(len(chosen))) + ([SLOTS] if (base == SLOTS).any() else [])
    counts = np.bincount(base, minlength=16)
    legend = tuple((slot, names[slot], int(counts[slot])) for slot in shown)
    return Colouring(version, (base | (level << 4)).astype(np.uint8), legend)


_VERDICT_WORDS = {
    None: "no answer",
    Action.KEEP: "kept",
    Action.RELABEL: "relabelled",
    Action.MULTIPLE: "several classes",
    Action.NONE: "none fits",
    Action.UNSURE: "unsure",
    Action.AUTO: "accepted unseen",
}


UNJUDGED = 3
UNJUDGED_WORDS = "told or not judged"
"""What stands in place of a level where a run was told the answer, or has not judged the image."""


def levels(info: DatasetInfo, ranked: Scored, method: str | None) -> ByteArray:
    """Return (n,) how much an image is suspected: 0 hardly, 1 doubtful, 2 suspected, or `UNJUDGED`.

    Args:
        info: the data set.
        ranked: the ranking in force.
        method: whose suspicion; the chance by all methods when None.

    Raises:
        LnlError: the method is not in the ranking.
    """
    number = None if method is None else ranked.run_ids.get(method, -1)
    run = None if number is None else signals(info, number)
    if number is not None and run is None:
        raise LnlError("This method is not in the ranking. Choose another one.")
    p = np.asarray(ranked.ranking.p_wrong if run is None else run.suspicion)
    level = (p >= DOUBTFUL).astype(np.uint8) + (p >= SUSPECTED)
    return np.where(unjudged(info, number), UNJUDGED, level).astype(np.uint8)


def verdicts(info: DatasetInfo) -> ByteArray:
    """Return (n,) places in VERDICTS; what settles an image goes before unsure.

    What a plan accepted unseen is told apart until a person answers it.
    """
    codes = np.where(standing(info).auto_open, VERDICTS.index(Action.AUTO), 0).astype(np.uint8)
    unsure = VERDICTS.index(Action.UNSURE)
    for row, _, action, _label in decisions.states(info):
        if action is Action.UNSURE:
            codes[row] = codes[row] or unsure
        elif action in VERDICTS:
            codes[row] = VERDICTS.index(action)
    return codes


@lru_cache(maxsize=8)
def frequent_classes(info: DatasetInfo, ranked: Scored | None) -> list[int]:
    """Return the classes, most expected errors (given or suggested) first, then the largest.

    Labels that are no classes are not among them.
    """
    given = np.asarray(loaded(info).given_labels)
    k = info.class_count
    size = np.bincount(given, minlength=k).astype(np.float64)
    errors = np.zeros(k)
    if ranked is not None:
        p = np.asarray(ranked.ranking.p_wrong, dtype=np.float64)
        suggested = np.asarray(ranked.ranking.suggested_labels)
        errors += np.bincount(given, weights=p, minlength=k)
        errors += np.bincount(np.maximum(suggested, 0), weights=p * (suggested >= 0), minlength=k)
    size[list(info.no_classes)] = errors[list(info.no_classes)] = 0
    return [int(label) for label in np.lexsort((-size, -errors)) if size[label] or errors[label]]


@lru_cache(maxsize=8)
def _class_names(map_: Layout, info: DatasetInfo, ranked: Scored | None) -> list[dict[str, Any]]:
    given = np.asarray(loaded(info).given_labels)
    sure = np.ones(info.n, dtype=bool)
    if ranked is not None:
        sure = np.asarray(ranked.ranking.p_wrong) < SUSPECTED
    shown = []
    for label in frequent_classes(info, ranked)[:NAMES]:
        rows = np.flatnonzero((given == label) & sure)
        if len(rows):
            rows = rows[:: max(1, len(rows) // 20_000)]
            x, y = np.median(map_.points[rows], axis=0) / 65535
            name = info.class_names[label]
            shown.append({"name": name, "x": round(float(x), 4), "y": round(float(y), 4)})
    return shown


def class_names(info: DatasetInfo, map_: Layout) -> list[dict[str, Any]]:
    """Return names to write on the map, each where most of its class is: `name`, `x`, `y`."""
    return _class_names(map_, info, scored(info))


# Selections -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """Images inside a loop.

    Attributes:
        rows: all of them, rising.
        suspected: those with p_wrong of at least a half, most suspicious first.
        pair: (given, suggested) of most of the suspected, None without any.
    """

    rows: IntArray
    suspected: IntArray
    pair: tuple[int, int] | None


def inside(map_: Layout, loop: Sequence[Sequence[float]]) -> IntArray:
    """Return the rows inside a loop, rising; where it crosses itself, by the even-odd rule.

    Each edge looks only at the points of its own heights, so that the time follows the points,
    not points times corners.

    Args:
        map_: the map.
        loop: corners as (x, y) in 0..1, left to right and top to bottom; at most 500.

    Raises:
        LnlError: no loop, or too many corners.
    """
    try:
        corners = 65535 * np.array(loop, dtype=np.float64)
    except (TypeError, ValueError):
        corners = np.zeros(0)
    wanted = corners.ndim == 2 and corners.shape[1] == 2 and 3 <= len(corners) <= LONGEST_LOOP
    if not wanted or not np.isfinite(corners).all():
        raise LnlError("This loop cannot be read. Draw it again.")
    within = np.zeros(len(map_.order), dtype=bool)
    for (x1, y1), (x2, y2) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if y1 == y2:
            continue
        low, high = np.searchsorted(map_.y_sorted, (min(y1, y2), max(y1, y2)))  # half open
        heights = map_.y_sorted[low:high].astype(np.float32)
        crossing = (x1 + (x2 - x1) / (y2 - y1) * (heights - y1)).astype(np.float32)
        within[low:high] ^= map_.x_by_y[low:high] < crossing
    return np.sort(map_.order[within])


def select(info: DatasetInfo, rows: IntArray) -> Selection:
    """Say what is in a selection."""
    ranked = scored(info)
    if ranked is None or not len(rows):
        return Selection(rows, rows[:0], None)
    p = np.where(unjudged(info), 0, ranked.ranking.p_wrong)[rows]
    suspected = rows[p >= SUSPECTED][np.argsort(-p[p >= SUSPECTED], kind="stable")]
    pair = None
    if len(suspected):
        given = np.asarray(loaded(info).given_labels)[suspected].astype(np.int64)
        to = np.asarray(ranked.ranking.suggested_labels)[suspected].astype(np.int64)
        pairs, counts = np.unique(given * (info.class_count + 1) + to + 1, return_counts=True)
        best = int(pairs[np.argmax(counts)])
        pair = best // (info.class_count + 1), best % (info.class_count + 1) - 1
    return Selection(rows, suspected, pair if pair and pair[1] >= 0 else None)
