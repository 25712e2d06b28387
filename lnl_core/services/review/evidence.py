"""Why one image is suspected: methods, curves, neighbours. Numpy on memory-mapped files only."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from lnl_core.methods import title_of, yardstick
from lnl_core.services.in_force import Scored, judged_by, loaded, scored, signals, told_of
from lnl_core.services.review import groups
from lnl_core.store import arrays, datasets, decisions
from lnl_core.types import DatasetInfo, FloatArray, IntArray, LnlError, Signals, TopProbs

NEIGHBOURS = 10
SEARCHED = 20_000
"""Neighbours are looked for among at most this many rows; larger classes are thinned evenly."""


def evidence(info: DatasetInfo, row: int) -> dict[str, Any]:
    """Return what the panel shows about one image, as JSON-able values.

    Keys: `row`, `p_wrong`, `top` (three classes other than the given one with probabilities),
    `methods` (suspicion, own top class and verdict of each, and whether it was `told` what people
    answered: then it has neither suspicion nor verdict), `told` (whether one of them was), `curve`
    (probability of the given and the suggested class by epoch), `loss` (by epoch), `neighbours`,
    `exemplars_given`,
    `exemplars_suggested` (rows), `said` (row of any of these -> what `facts` says of it). Where the
    same picture is stored again also `copies` (as `neighbours`, with their `id`, other labels
    first), `copies_total`, and `copies_labels`: label and count of all of the picture's, this
    image's among them, the most frequent first. Of an image that was added since the last run
    `p_wrong` is None, and no method says anything.
    Where the image came with several labels, `listed`: their classes.

    Raises:
        LnlError: no such row, or nothing is scored yet.
    """
    if not 0 <= row < info.n:
        raise LnlError("There is no such image. Open the queue again.")
    ranked = scored(info)
    if ranked is None:
        raise LnlError(f"Nothing of “{info.name}” is scored yet. Start a run first.")
    given = int(loaded(info).given_labels[row])
    suggested = int(ranked.ranking.suggested_labels[row])
    runs = {
        key: opened
        for key, run_id in ranked.run_ids.items()
        if judged_by(info, run_id)[row] and (opened := signals(info, run_id)) is not None
    }
    no_class = given in info.no_classes
    opinions = [
        _prediction(key, opened, row, given, no_class, _told(info, ranked.run_ids[key], row))
        for key, opened in runs.items()
    ]
    curve = None if no_class else _curve(runs, row, given, suggested)
    near = features_of(info)
    around = _neighbours(info, runs, near, row)
    both = (-1 if no_class else given, suggested)
    alike = [nearest_of(info, ranked, near, row, label) for label in both]
    again = _copies(info, row, given)
    stored = [one["row"] for one in again.get("copies", [])]
    rows = [one["row"] for one in around] + stored + alike[0] + alike[1]
    return {
        "row": row,
        "p_wrong": float(ranked.ranking.p_wrong[row]) if ranked.is_scored(row) else None,
        "top": [
            {"label": int(label), "prob": float(prob)}
            for label, prob in zip(
                ranked.ranking.top_labels[row], ranked.ranking.top_probs[row], strict=True
            )
            if label >= 0
        ],
        "methods": opinions,
        "told": any(one["told"] for one in opinions),
        "curve": curve,
        "loss": None if no_class else _loss(runs, row),
        "neighbours": around,
        "exemplars_given": alike[0],
        "exemplars_suggested": alike[1],
        "said": {one["row"]: one for one in facts(info, rows)},
        **again,
        **_listed(info, row),
    }


def _listed(info: DatasetInfo, row: int) -> dict[str, Any]:
    """Return the classes that the image came with, where they are several."""
    several = datasets.listed(info)
    if several is None:
        return {}
    labels = several[several[:, 0] == row, 1].tolist()
    return {"listed": labels} if labels else {}


def facts(info: DatasetInfo, rows: Sequence[int]) -> list[dict[str, Any]]:
    """Return what is known of some images, for a sentence on each.

    Keys: `row`, `label` (name of the given class), `verdict` and who said it (`by`), the class it
    was corrected `to`, whether it is `waiting` for a second reviewer, or reviewers are `split`.
    """
    said = decisions.in_force(info, rows=list(rows)) if rows else {}
    given = loaded(info).given_labels
    rows_said = []
    for row in dict.fromkeys(rows):
        verdict = decisions.verdict(said.get(row, []))
        decision = verdict.decision if verdict.agreed else None
        corrected = decision.label if decision else None
        rows_said.append(
            {
                "row": row,
                "label": info.class_names[int(given[row])],
                "verdict": str(decision.action) if decision else None,
                "by": decision.reviewer if decision else None,
                "to": None if corrected is None else info.class_names[corrected],
                "waiting": verdict.waiting,
                "split": verdict.decision is not None and not verdict.agreed,
            }
        )
    return rows_said


def _told(info: DatasetInfo, run_id: int, row: int) -> bool:
    return bool(told_of(info, [str(run_id)])[row])


def _prediction(
    key: str, run: Signals, row: int, given: int, no_class: bool, told: bool
) -> dict[str, Any]:
    """Say what one method thinks of the image; a label that is no class cannot be wrong.

    What a method says of an image whose answer it was told is no opinion.
    """
    suspicion = float(run.suspicion[row])
    label = None
    if isinstance(run.pred_probs, TopProbs):
        label = int(run.pred_probs.classes[row, 0])
    elif run.pred_probs is not None:
        label = int(np.argmax(run.pred_probs[row]))
    return {
        "key": key,
        "title": title_of(key),
        "suspicion": None if told else suspicion,
        "label": label,
        "wrong": not (no_class or told)
        and (label != given if label is not None else suspicion > 0.5),
        "told": told,
    }


def _curve(runs: dict[str, Signals], row: int, given: int, suggested: int) -> dict[str, Any] | None:
    """Return the probability of both classes by epoch, from the first method that has it."""
    for key, run in runs.items():
        title = title_of(key)
        if "probs" in run.curves and suggested >= 0:
            probs = np.asarray(run.curves["probs"][:, row], dtype=np.float64)  # (epochs, k)
            return {
                "given": probs[:, given].round(4).tolist(),
                "suggested": probs[:, suggested].round(4).tolist(),
                "source": title,
                "other": False,
            }
        if "p_given" in run.curves and "p_other" in run.curves:
            return {
                "given": _series(run.curves["p_given"], row),
                "suggested": _series(run.curves["p_other"], row),
                "source": title,
                "other": True,
            }
    return None


def _series(curve: FloatArray, row: int) -> list[float]:
    values: list[float] = np.asarray(curve[:, row], dtype=np.float64).round(4).tolist()
    return values


def _loss(runs: dict[str, Signals], row: int) -> dict[str, Any] | None:
    """Return the cross-entropy of the given label by epoch."""
    plain = yardstick().key
    for key in sorted(runs, key=lambda key: key != plain):
        curves = runs[key].curves
        title = title_of(key)
        if "loss" in curves and curves["loss"].ndim == 2:
            return {"values": _series(curves["loss"], row), "source": title}
        if "p_given" in curves:
            p = np.asarray(curves["p_given"][:, row], dtype=np.float64)
            return {"values": (-np.log(np.maximum(p, 1e-4))).round(4).tolist(), "source": title}
    return None


@lru_cache(maxsize=8)
def _open_features(path: Path, _modified: int) -> FloatArray:
    return arrays.read_array(path)


def features_of(info: DatasetInfo) -> FloatArray | None:
    """Open the newest cached features of the set, (n, d), or None before there are any."""
    files = [
        (path.stat().st_mtime_ns, path)
        for path in (info.directory / "features").glob("*/features.npy")
    ]
    for modified, path in sorted(files, reverse=True):
        features = _open_features(path, modified)
        if len(features) == info.n:
            return features
    return None


def _similar(features: FloatArray, row: int, rows: IntArray, count: int) -> list[int]:
    """Return the `count` of `rows` whose features point most nearly the same way."""
    rows = rows[rows != row]
    if len(rows) > SEARCHED:
        rows = rows[np.linspace(0, len(rows) - 1, SEARCHED).astype(np.int64)]
    if not len(rows):
        return []
    block = np.asarray(features[rows], dtype=np.float32)  # (r, d)
    query = np.asarray(features[row], dtype=np.float32)  # (d,)
    length = np.sqrt(np.einsum("rd,rd->r", block, block))
    cosine = block @ query / np.maximum(length, 1e-12)
    best = np.argsort(-cosine, kind="stable")[:count]
    return [int(other) for other in rows[best]]


def _neighbours(
    info: DatasetInfo,
    runs: dict[str, Signals],
    features: FloatArray | None,
    row: int,
) -> list[dict[str, Any]]:
    """Return the nearest images, each with its label and what people said of it."""
    rows: list[int] = []
    for run in runs.values():
        if "neighbours" in run.extras:
            rows = [int(other) for other in run.extras["neighbours"][row] if other >= 0]
            break
    if not rows and features is not None:  # no such run, or it has not seen the image
        rows = _similar(features, row, np.arange(info.n), NEIGHBOURS)
    return _labelled(info, rows[:NEIGHBOURS])


def _copies(info: DatasetInfo, row: int, given: int) -> dict[str, Any]:
    """Return some other images of the same picture, how many there are, and all their labels."""
    rows = groups.others(info, row)
    if not len(rows):
        return {}
    data = loaded(info)
    labels = np.asarray(data.given_labels)[rows]
    first = rows[np.argsort(labels == given, kind="stable")][:NEIGHBOURS].tolist()
    told, counts = np.unique(np.append(labels, given), return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return {
        "copies": [one | {"id": data.ids[one["row"]]} for one in _labelled(info, first)],
        "copies_total": len(rows),
        "copies_labels": [
            {"label": int(label), "count": int(count)}
            for label, count in zip(told[order], counts[order], strict=True)
        ],
    }


def _labelled(info: DatasetInfo, rows: list[int]) -> list[dict[str, Any]]:
    """Return rows with their labels, as corrected by people, and what people said."""
    said = decisions.in_force(info, rows=rows) if rows else {}
    given = loaded(info).given_labels
    answer = []
    for other in rows:
        verdict = decisions.verdict(said.get(other, []))
        action = verdict.decision.action if verdict.decision and verdict.agreed else None
        label = int(given[other])
        if action == "relabel" and verdict.decision and verdict.decision.label is not None:
            label = verdict.decision.label
        answer.append({"row": other, "label": label, "verdict": str(action) if action else None})
    return answer


def nearest_of(
    info: DatasetInfo, ranked: Scored, features: FloatArray | None, row: int, label: int
) -> list[int]:
    """Return the images of a class that look most like this one, doubtful ones left out."""
    if label < 0:
        return []
    rows = _class_rows(ranked, info, label)
    if features is None:
        return [int(other) for other in rows[:5] if other != row]
    return _similar(features, row, rows, 5)


@lru_cache(maxsize=1024)
def _class_rows(ranked: Scored, info: DatasetInfo, label: int) -> IntArray:
    rows = np.flatnonzero(np.asarray(loaded(info).given_labels) == label)
    doubtful = np.asarray(ranked.ranking.p_wrong)[rows] >= 0.5
    kept: IntArray = rows[~doubtful] if (~doubtful).sum() >= 5 else rows
    return kept
