"""Why one image is suspected: methods, curves, neighbours. Numpy on memory-mapped files only.

What runs and features say of an image stays as it is while their ranking is in force, so it is
kept; `prepare` works it out for the images that come next, before anybody asks. What people have
said is read anew each time. Nothing leaves the server before the page asks for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from lnl_core.said import chances
from lnl_core.services.in_force import Scored, learned_from, loaded, scored
from lnl_core.services.review import groups, known_copies
from lnl_core.services.review.alike import features_of, nearest, nearest_of, newest
from lnl_core.services.review.opinions import curves, loss, opinions, runs_of
from lnl_core.store import datasets, decisions
from lnl_core.types import DatasetInfo, Decision, FloatArray, IntArray, LnlError, Signals

NEIGHBOURS = 10
AHEAD = 12
"""Images that come next whose evidence is worked out before it is asked for."""

Said = Mapping[int, Sequence[Decision]]
"""Decisions in force, by row."""


def evidence(info: DatasetInfo, row: int) -> dict[str, Any]:
    """Return what the panel shows about one image, as JSON-able values.

    Keys: `row`, `p_wrong`, `top` (three classes other than the given one with probabilities),
    `methods` (`opinions`), `told` (whether one of them was told what people answered), `curves`
    (probability of the given and the suggested class by epoch, of each run that has it and was not
    told), `loss` (by epoch, likewise), `neighbours`, `exemplars_given`, `exemplars_suggested`
    (rows), `said` (row of any of these -> what `facts` says of it). Where the same picture is
    stored again also `copies` (as `neighbours`, with their `id`, other labels first),
    `copies_total`, `copies_labels`: label and count of all of the picture's, this image's among
    them, the most frequent first, and `copies_corrected`: how many people have relabelled.
    `p_wrong` is None of an image that was added since the last run, of which no method says
    anything, and where a run was told the answer; answers to other copies go before it.
    Where the image came with several labels, `listed`: their classes.

    Raises:
        LnlError: no such row, or nothing is scored yet.
    """
    ranked = _ranked(info, row)
    found = dict(_lasting(info, ranked, newest(info), row, known_copies.shown(info, row)))
    near = found.pop("near")
    stored = groups.others(info, row)
    given = int(loaded(info).given_labels[row])
    copies = _first_copies(info, stored, given)
    rows = [*near, *copies, *found["exemplars_given"], *found["exemplars_suggested"]]
    said = decisions.in_force(info, rows=rows) if rows else {}
    again = _copies(info, row, stored, copies, said) if copies else {}
    return {
        **found,
        "neighbours": _labelled(info, near, said),
        "said": {one["row"]: one for one in _facts(info, rows, said)},
        **again,
        **_listed(info, row),
    }


def _ranked(info: DatasetInfo, row: int) -> Scored:
    if not 0 <= row < info.n:
        raise LnlError("There is no such image. Open the queue again.")
    ranked = scored(info)
    if ranked is None:
        raise LnlError(f"Nothing of “{info.name}” is scored yet. Start a run first.")
    return ranked


# Ahead of time --------------------------------------------------------------------------------

_BEFOREHAND = ThreadPoolExecutor(1, thread_name_prefix="evidence")


def prepare(info: DatasetInfo, rows: Sequence[int]) -> Future[None]:
    """Work out what lasts of the evidence on some images, in a thread, and keep it here."""
    return _BEFOREHAND.submit(_prepare, info, tuple(rows[:AHEAD]))


def _prepare(info: DatasetInfo, rows: tuple[int, ...]) -> None:
    ranked = scored(info)
    if ranked is None:
        return
    features = newest(info)
    for row in rows:
        _lasting(info, ranked, features, row, known_copies.shown(info, row))


@lru_cache(maxsize=1024)
def _lasting(
    info: DatasetInfo,
    ranked: Scored,
    features: tuple[Path, int] | None,
    row: int,
    known: int | None,
) -> dict[str, Any]:
    """Return what no answer changes, but one to another copy; `near` are the neighbours' rows.

    `features` is the file that `features_of` opens: with another one, the neighbours are others.
    `known` is the class that people have said of the picture by its other copies.
    """
    given = int(loaded(info).given_labels[row])
    no_class = given in info.no_classes
    runs = runs_of(info, ranked, row)
    said = opinions(info, ranked, runs, row, given)
    told = any(one["told"] for one in said)
    own = {
        one["key"]: runs[one["key"]]
        for one in said
        if not one["told"] and learned_from(info, ranked.run_ids[one["key"]])[row]
    }
    opened = features_of(info) if features else None
    top = _top(ranked, runs.values(), row, given, known)
    suggested = top[0]["label"] if top else -1
    scored_p = float(ranked.ranking.p_wrong[row]) if ranked.is_scored(row) and not told else None
    return {
        "row": row,
        "p_wrong": known_copies.p_wrong(info, row, known, scored_p),
        "top": top,
        "methods": said,
        "told": told,
        "curves": [] if no_class else curves(own, row, given, suggested),
        "loss": None if no_class else loss(own, row),
        "near": _near(info, runs, opened, row),
        "exemplars_given": nearest_of(info, ranked, opened, row, -1 if no_class else given),
        "exemplars_suggested": nearest_of(info, ranked, opened, row, suggested),
    }


def _top(
    ranked: Scored, runs: Iterable[Signals], row: int, given: int, known: int | None
) -> list[dict[str, Any]]:
    """Return the classes that it may be if the label is wrong: shares of that case, add up to 1."""
    labels, probs = ranked.ranking.top_labels[row], ranked.ranking.top_probs[row]
    top = [(int(label), float(p)) for label, p in zip(labels, probs, strict=True) if label >= 0]
    if known is not None:
        top = known_copies.likely(top, runs, row, given, known)
    words = chances([p for _, p in top])
    return [
        {"label": label, "prob": p, "said": said}
        for (label, p), said in zip(top, words, strict=True)
    ]


def _near(
    info: DatasetInfo, runs: Mapping[str, Signals], features: FloatArray | None, row: int
) -> list[int]:
    """Return the rows of the nearest images, as a run left them, else by features."""
    for run in runs.values():
        if "neighbours" in run.extras:
            rows = [int(other) for other in run.extras["neighbours"][row] if other >= 0]
            if rows:
                return rows[:NEIGHBOURS]
            break  # the run has not seen the image
    if features is None:
        return []
    return nearest(features, row, np.arange(info.n), NEIGHBOURS)


# What people said -----------------------------------------------------------------------------


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
    return _facts(info, rows, decisions.in_force(info, rows=list(rows)) if rows else {})


def _facts(info: DatasetInfo, rows: Sequence[int], said: Said) -> list[dict[str, Any]]:
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


def _first_copies(info: DatasetInfo, stored: IntArray, given: int) -> list[int]:
    """Return some of the other rows of a picture, those with other labels first."""
    labels = np.asarray(loaded(info).given_labels)[stored]
    rows: list[int] = stored[np.argsort(labels == given, kind="stable")][:NEIGHBOURS].tolist()
    return rows


def _copies(
    info: DatasetInfo, row: int, stored: IntArray, shown: Sequence[int], said: Said
) -> dict[str, Any]:
    """Return some other images of the same picture, how many there are, and all their labels."""
    data = loaded(info)
    labels, corrected = known_copies.labels(info, row)
    return {
        "copies": [one | {"id": data.ids[one["row"]]} for one in _labelled(info, shown, said)],
        "copies_total": len(stored),
        "copies_labels": labels,
        "copies_corrected": corrected,
    }


def _labelled(info: DatasetInfo, rows: Sequence[int], said: Said) -> list[dict[str, Any]]:
    """Return rows with their labels, as corrected by people, and what people said."""
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
