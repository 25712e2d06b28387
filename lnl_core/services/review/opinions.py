"""What the runs behind a ranking say of one image: verdicts, probabilities and losses by epoch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from lnl_core.methods import title_of, yardstick
from lnl_core.said import chance
from lnl_core.services.in_force import Scored, judged_by, signals, told_of
from lnl_core.types import DatasetInfo, FloatArray, Signals, TopProbs


def runs_of(info: DatasetInfo, ranked: Scored, row: int) -> dict[str, Signals]:
    """Open the signals of those runs behind a ranking that judge an image, by their key."""
    return {
        key: opened
        for key, run_id in ranked.run_ids.items()
        if judged_by(info, run_id)[row] and (opened := signals(info, run_id)) is not None
    }


def opinions(
    info: DatasetInfo, ranked: Scored, runs: Mapping[str, Signals], row: int, given: int
) -> list[dict[str, Any]]:
    """Return what each run thinks of the image; a label that is no class cannot be wrong.

    What a method says of an image whose answer it was told is no opinion.

    Returns:
        For each run `key`, `title`, `suspicion`, its own top class (`label`), whether it calls the
        label `wrong`, and whether it was `told` the answer: then it has neither.
    """
    no_class = given in info.no_classes
    return [
        _opinion(key, run, row, given, no_class, _told(info, ranked.run_ids[key], row))
        for key, run in runs.items()
    ]


def _told(info: DatasetInfo, run_id: int, row: int) -> bool:
    return bool(told_of(info, [str(run_id)])[row])


def _opinion(
    key: str, run: Signals, row: int, given: int, no_class: bool, told: bool
) -> dict[str, Any]:
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


def curves(
    runs: Mapping[str, Signals], row: int, given: int, suggested: int
) -> list[dict[str, Any]]:
    """Return the probability of both classes by epoch, of every run that has it.

    Returns:
        For each such run `key`, `source` (its title), `given` and `suggested` (a value an epoch),
        their last values in words (`ends`),
        and whether the latter is the best `other` class of the moment, not the suggested one.
    """
    found = []
    for key, run in runs.items():
        pair = _pair(run, row, given, suggested)
        if pair is not None:
            found.append({"key": key, "source": title_of(key), **pair})
    return found


def _pair(run: Signals, row: int, given: int, suggested: int) -> dict[str, Any] | None:
    if "probs" in run.curves and suggested >= 0:
        probs = np.asarray(run.curves["probs"][:, row], dtype=np.float64)  # (epochs, k)
        return {
            "given": probs[:, given].round(4).tolist(),
            "suggested": probs[:, suggested].round(4).tolist(),
            "ends": [chance(float(probs[-1, label])) for label in (given, suggested)],
            "other": False,
        }
    if "p_given" in run.curves and "p_other" in run.curves:
        return {
            "given": _series(run.curves["p_given"], row),
            "suggested": _series(run.curves["p_other"], row),
            "ends": [chance(float(run.curves[name][-1, row])) for name in ("p_given", "p_other")],
            "other": True,
        }
    return None


def _series(curve: FloatArray, row: int) -> list[float]:
    values: list[float] = np.asarray(curve[:, row], dtype=np.float64).round(4).tolist()
    return values


def loss(runs: Mapping[str, Signals], row: int) -> dict[str, Any] | None:
    """Return the cross-entropy of the given label by epoch, of plain training where it was run."""
    plain = yardstick().key
    for key in sorted(runs, key=lambda key: key != plain):
        found = runs[key].curves
        title = title_of(key)
        if "loss" in found and found["loss"].ndim == 2:
            return {"values": _series(found["loss"], row), "source": title}
        if "p_given" in found:
            p = np.asarray(found["p_given"][:, row], dtype=np.float64)
            return {"values": (-np.log(np.maximum(p, 1e-4))).round(4).tolist(), "source": title}
    return None
