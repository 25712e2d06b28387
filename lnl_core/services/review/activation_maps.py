"""Where a network looks: pairs of class activation maps for the review page.

The page asks for one image at a time. What a run or the worker has made is read from the disk;
the rest is asked of the worker for tasks, and the page asks again until it is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import numpy as np

from lnl_core import said
from lnl_core.jobs import executors, inputs, queue
from lnl_core.jobs.engines import local
from lnl_core.jobs.tasks import maps
from lnl_core.methods import leaves, short_of
from lnl_core.services.in_force import Scored, loaded, scored, signals, told_of
from lnl_core.services.review.map_grades import Grade, grade
from lnl_core.store import arrays
from lnl_core.types import (
    ACTIVE_STATES,
    Array,
    DatasetInfo,
    FloatArray,
    Job,
    JobState,
    Leaves,
    LnlError,
)
from lnl_core.views import STATISTICS, percent

REST_SECONDS = 30.0
"""A failure is told for so long; who looks at the image again later has it tried again."""

AHEAD = 16
"""Following images of the queue whose maps are asked for together with one that is missing."""


def where_it_looks(
    info: DatasetInfo,
    row: int,
    label: int | None = None,
    source: str = "",
    *,
    anyway: bool = False,
    ask: bool = True,
) -> dict[str, Any]:
    """Return the maps of the given and another class for one image, or say that they are made.

    The maps of a network that is no good (`map_grades`) are held back, and it is said why.

    Args:
        info: the data set.
        row: the image.
        label: the other class; the suggestion where None.
        source: `RUN:TECHNIQUE`; the first of `sources` where it is empty, or has not learned a
            class of the two.
        anyway: also of a network that is no good.
        ask: have maps made that are not there; without, `state` is `none`.

    Returns:
        `state`: `ready`, `making`, `failed`, `hidden` (with `words` why) or `none`; `sources`
        [{key, title, good, grade}], the `source` used and its `grade`; and where ready `given`,
        `other` (class numbers), `maps` [given, other], each {u, v, values} scaled by the larger
        maximum of both where `common`, `words` for a reader.

    Raises:
        LnlError: no such row, nothing is scored, or no such class or source.
    """
    if not 0 <= row < info.n:
        raise LnlError("There is no such image. Open the queue again.")
    ranked = scored(info)
    if ranked is None:
        raise LnlError(f"Nothing of “{info.name}” is scored yet. Start a run first.")
    given = int(loaded(info).given_labels[row])
    other = int(ranked.ranking.suggested_labels[row]) if label is None else label
    every = sources(info)
    nothing = given in info.no_classes or other in info.no_classes
    if not every or nothing or not 0 <= other < info.class_count:
        return {"state": "none", "sources": every}
    offered = sources(info, (given, other))
    if not offered:
        return {"state": "failed", "sources": [], "words": _unlearned(info, (given, other))}
    if source and source not in [one["key"] for one in every]:
        raise LnlError("That run's network is not here any more. Choose another one.")
    used = next((one for one in offered if one["key"] == source), offered[0])
    key = used["key"]
    run, technique = int(key.split(":")[0]), key.split(":")[1]
    answer = {"sources": offered, "source": key, "given": given, "other": other}
    answer |= {"grade": used["grade"]}
    if not (used["good"] or anyway):
        return answer | {"state": "hidden", "words": used["grade"]}
    pair = _pair(info, run, technique, row, given, other)
    if pair is None and not ask:
        return answer | {"state": "none"}
    if pair is None:
        return answer | _ask(info, run, technique, row, (given, other))
    drawn = _drawn(pair, technique, info, given, other)
    return answer | {"state": "ready", "numbers": _numbers(info, run, row, other)} | drawn


def activation_numbers(info: DatasetInfo, run: int) -> dict[str, FloatArray]:
    """Return the activation statistics of a run with maps, name -> (n,), nothing for other runs."""
    opened = signals(info, run)
    extras = opened.extras if opened is not None else {}
    if "energy_given" not in extras:
        return {}
    named = {name: np.asarray(extras[name], np.float64) for name in STATISTICS if name in extras}
    given = np.asarray(extras["energy_given"], np.float64)
    suggested = np.asarray(extras["energy_suggested"], np.float64)
    both = given + suggested
    share = np.divide(suggested, both, out=np.full(len(both), 0.5), where=both > 1e-9)
    named |= {"energy_gap": suggested - given, "energy_share": share}  # earlier runs kept neither
    return {name: named[name] for name in STATISTICS if name in named}


def _numbers(info: DatasetInfo, run: int, row: int, other: int) -> list[dict[str, Any]]:
    """Return the statistics of one image, each with its percentile in the set."""
    opened = signals(info, run)
    if opened is None or "suggested_label" not in opened.extras:
        return []
    if int(opened.extras["suggested_label"][row]) != other:
        return []  # they speak of another class
    if told_of(info, [str(run)])[row]:
        return []  # they speak of the label that it was told
    return [
        {
            "words": STATISTICS[name],
            "value": float(values[row]),
            "above": percent(float((values < values[row]).mean())),
        }
        for name, values in activation_numbers(info, run).items()
        if np.isfinite(values[row])
    ]


def _unlearned(info: DatasetInfo, pair: Sequence[int]) -> str:
    """Say of which of two classes no network can draw a map."""
    new = [each for each in pair if not sources(info, (each,))] or pair
    names = " and ".join(f"“{info.class_names[each]}”" for each in new)
    return f"No network has learned {names} yet. A new run does, from {inputs.FEWEST} images on."


def sources(info: DatasetInfo, classes: Sequence[int] = ()) -> list[dict[str, Any]]:
    """Return what can draw maps of some classes, the newest run of each method that knows them.

    Networks that are good enough come first, among them methods that leave maps of their own. Where
    too little is known to grade one, it passes for good. For each `key`, `title`, `good`, `grade`.
    """
    ordered: list[tuple[int, int, int, Job, tuple[str, ...]]] = []
    grades: dict[int, Grade | None] = {}
    seen = set()
    for job in queue.jobs(info):
        folder = queue.run_dir(info.workspace, job)
        if (
            job.state is not JobState.DONE
            or job.method in seen
            or not inputs.knows_classes(info, folder)
            or set(classes) & set(inputs.left_out(info, folder))
        ):
            continue
        if (folder / "map_head.safetensors").is_file():
            techniques: tuple[str, ...] = ("cam",)
        elif (folder / "network.safetensors").is_file():
            techniques = tuple(maps.TECHNIQUES)
        else:
            continue
        seen.add(job.method)
        grades[job.id] = grade(info, job.id)
        own = leaves(job.method, Leaves.MAPS)
        ordered.append((not _passes(grades[job.id]), not own, -job.id, job, techniques))
    return [
        {
            "key": f"{job.id}:{technique}",
            "title": _title(job, technique),
            "good": _passes(grades[job.id]),
            "grade": one.sentence() if (one := grades[job.id]) else "",
        }
        for _, _, _, job, techniques in sorted(ordered, key=lambda one: one[:3])
        for technique in techniques
    ]


def _passes(found: Grade | None) -> bool:
    return found is None or found.good


def _title(job: Job, technique: str) -> str:
    return f"{short_of(job.method)}, {maps.TECHNIQUES[technique]}"


def _pair(
    info: DatasetInfo, run: int, technique: str, row: int, given: int, other: int
) -> FloatArray | None:
    """Read the maps of both classes, (2, u, v), where somebody has made them."""
    if technique == "cam":
        opened = signals(info, run)
        extras = opened.extras if opened is not None else {}
        if "cam_given" in extras and int(extras["suggested_label"][row]) == other:
            labels = arrays.read_array(info.directory / "runs" / str(run) / "labels.npy")
            if int(labels[row]) == given:
                both = [extras["cam_given"][row], extras["cam_suggested"][row]]
                return np.asarray(both, dtype=np.float32)
    file = maps.place(info, run, technique, row, given, other)
    return np.asarray(arrays.read_array(file), np.float32) if file.is_file() else None


def _ask(
    info: DatasetInfo,
    run: int,
    technique: str,
    row: int,
    pair: tuple[int, int],
) -> dict[str, Any]:
    """See that the worker for tasks makes the maps of an image and of those that come next."""
    for job in queue.jobs(info, limit=20, tasks=True):
        about = job.method == "maps" and row in job.config.get("rows", ())
        if about and job.config["run"] == run and job.config["technique"] == technique:
            if job.state is JobState.FAILED:
                if _seconds_since(job.finished_at) > REST_SECONDS:
                    break
                return {"state": "failed", "words": job.error or "The maps could not be made."}
            if job.state in ACTIVE_STATES:
                executors.reconcile(info.workspace)
                return {"state": "making"}
            break  # stopped, or done and yet not there: another class was asked for
    rows, labels = _next(info, row)
    rows, labels = [row, *rows], [list(pair), *labels]
    told = {"run": run, "technique": technique, "rows": rows, "labels": labels}
    queue.submit_task(info, "maps", told)
    local.ensure_worker(info.workspace, queue.TASKS)
    return {"state": "making"}


def _seconds_since(stamp: str | None) -> float:
    if stamp is None:
        return 0.0
    return (datetime.now(UTC) - datetime.fromisoformat(stamp)).total_seconds()


def _next(info: DatasetInfo, row: int) -> tuple[list[int], list[list[int]]]:
    """Return the rows after one in the ranking, with their given and suggested classes."""
    ranked = scored(info)
    if ranked is None:
        return [], []
    at = int(_positions(ranked)[row])
    rows = [int(r) for r in ranked.ranking.order[at + 1 : at + 1 + AHEAD]]
    given, other = loaded(info).given_labels, ranked.ranking.suggested_labels
    kept = [r for r in rows if int(other[r]) >= 0 and int(given[r]) not in info.no_classes]
    return kept, [[int(given[r]), int(other[r])] for r in kept]


@lru_cache(maxsize=2)
def _positions(ranked: Scored) -> Array:
    """Return (n,) the place of each row in the ranking."""
    places = np.empty(len(ranked.ranking.order), np.int64)
    places[np.asarray(ranked.ranking.order)] = np.arange(len(places))
    return places


def _drawn(
    pair: FloatArray, technique: str, info: DatasetInfo, given: int, other: int
) -> dict[str, Any]:
    """Scale both maps alike, and say in words what they show."""
    pair = np.nan_to_num(np.asarray(pair, np.float32))
    signed = technique == "cam"
    top = float(pair.max(initial=0)) if signed else 1.0
    scaled = pair / max(top, 1e-6)
    positive = np.clip(scaled, 0, 1)
    u, v = pair.shape[1:]
    energy = positive.mean(axis=(1, 2))
    share = float(energy[1] / max(energy.sum(), 1e-9))
    held = said.held([1 - share, share])
    return {
        "common": signed,
        "maps": [{"u": u, "v": v, "values": np.round(one, 3).ravel().tolist()} for one in scaled],
        "shares": held if energy.sum() > 0 else None,
        "words": _words(positive, held[share >= 0.5], share >= 0.5, signed, info, given, other),
    }


def _words(
    positive: FloatArray,
    most: str,
    of_other: bool,
    signed: bool,
    info: DatasetInfo,
    given: int,
    other: int,
) -> str:
    """Put the larger share and the overlap of two maps into one sentence."""
    names = [info.class_names[given], info.class_names[other]]
    empty = [name for name, one in zip(names, positive, strict=True) if not one.any()]
    if len(empty) == 2:
        return "The network sees nothing of either class here."
    if empty:
        return f"The network sees nothing of {empty[0]} here."
    if not signed:
        return "Each map fills its own range: compare places, not strength."
    masks = [one >= 0.4 * one.max() for one in positive]
    iou = float((masks[0] & masks[1]).sum() / max((masks[0] | masks[1]).sum(), 1))
    places = "the same place" if iou >= 0.5 else "different places"
    return (
        f"Of what both maps show {most} is for {names[of_other]}, which is no probability; "
        f"they look at {places}."
    )
