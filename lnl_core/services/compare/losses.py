"""One run's losses: their spread, two groups in it, and one image's own course.

Numpy on memory-mapped files; scikit-learn only where the two groups are fitted.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from lnl_core.methods import yardstick
from lnl_core.review import comparison
from lnl_core.review.comparison import Mixture
from lnl_core.services.compare import _detecting
from lnl_core.services.compare.comparing import (
    cache_key,
    candidates,
    comparable,
    joint_of,
    run_signals,
    suspicion,
)
from lnl_core.services.compare.truth import KEPT, answered
from lnl_core.services.in_force import (
    judged_by,
    learned_from,
    loaded,
    scored,
    signals,
    told_of,
    unjudged,
)
from lnl_core.store import arrays, decisions
from lnl_core.types import (
    Array,
    BoolArray,
    DatasetInfo,
    FloatArray,
    IntArray,
    LnlError,
    Signals,
    TopProbs,
)
from lnl_core.views import TOGETHER, Candidate, Losses

# Spread ---------------------------------------------------------------------------------------


LOSS_FLOOR = 1e-4
LATE = 1 / 3
"""Share of the epochs, from the end, that a loss is averaged over."""


def losses(info: DatasetInfo, key: str, quantity: str = "loss") -> Losses:
    """Return one run's losses or suspicions with what splits them and two fitted groups.

    Raises:
        LnlError: no such run.
    """
    ranked = scored(info)
    if ranked is None:
        raise LnlError(f"Nothing of “{info.name}” is scored yet. Start a run first.")
    last = decisions.last_id(info)
    return _losses(info, ranked.version, key, quantity, last)


@lru_cache(maxsize=16)
def _losses(info: DatasetInfo, _version: str, key: str, quantity: str, last: int) -> Losses:
    candidate = next((c for c in candidates(info) if c.key == key), None)
    ranked = scored(info)
    if candidate is None or ranked is None:
        raise LnlError(f"There is no finished run {key} of “{info.name}”. Choose another one.")
    data = loaded(info)
    given = np.asarray(data.given_labels)
    p_wrong = np.where(unjudged(info), np.nan, np.asarray(ranked.ranking.p_wrong, np.float64))
    counted = comparable(info, [candidate])
    loss = None
    if key in TOGETHER:
        agrees = ~(np.asarray(joint_of(info, key).ranking.p_wrong) > 0.5)
    else:
        run = run_signals(info, key)
        agrees = _agrees(run, given)
        by_training = bool(learned_from(info, int(key))[counted].all())
        loss = given_loss(run, given, by_training) if quantity == "loss" else None
    if loss is not None:
        values, where = loss
        x = np.log10(np.clip(np.asarray(values, np.float64), LOSS_FLOOR, None))
        axis, kind = f"loss of the given label, nats, logarithmic ({where})", "loss"
    else:
        share = np.clip(np.asarray(suspicion(info, candidate), np.float64), 1e-3, 1 - 1e-3)
        x = np.log(share / (1 - share))
        axis, kind = "suspicion, 0 to 1, on a logit scale", "suspicion"
    verdict = np.zeros(info.n, np.int8)
    for row, label in answered(info).labels.items():
        verdict[row] = 1 if label == KEPT else 2
    wrong = None if data.true_labels is None else np.asarray(data.true_labels) != given
    if not counted.all():  # the others stand at the smallest value, where nothing queues them
        x = np.where(counted, x, x[counted].min() if counted.any() else 0.0)
        agrees = agrees | ~counted
    fitted = _fitted(info, candidate, kind, x[counted], counted)
    return Losses(candidate, kind, axis, x, agrees, verdict, fitted, wrong, p_wrong, counted)


def _fitted(
    info: DatasetInfo, candidate: Candidate, kind: str, x: FloatArray, counted: BoolArray
) -> Mixture | None:
    """Return the two groups, of an earlier time where there was one: scikit-learn loads slowly."""

    def make() -> dict[str, Any] | None:
        parameters = comparison.fit_mixture(x)
        return None if parameters is None else asdict(parameters)

    of = hashlib.blake2b(np.packbits(counted).tobytes(), digest_size=8).hexdigest()
    inputs = ("mixture", cache_key(info, candidate), kind, of)
    parameters = _detecting.kept(info, inputs, make)
    if parameters is None:
        return None
    two = {name: (value[0], value[1]) for name, value in parameters.items() if name != "separate"}
    return Mixture(**two, separate=parameters["separate"])


@lru_cache(maxsize=16)
def most(values: Losses, count: int = 500) -> IntArray:
    """Return the counted rows with the largest values, the largest first; equal ones by row."""
    rows = np.flatnonzero(values.counted)
    if (n := len(rows)) > count:
        cut = np.partition(values.x[rows], n - count)[n - count]
        rows = rows[values.x[rows] >= cut]
    order: IntArray = rows[np.argsort(-values.x[rows], kind="stable")][:count]
    return order


def rows_above(values: Losses, threshold: float) -> IntArray:
    """Return the rows at or above a threshold, rising."""
    return np.flatnonzero((values.x >= threshold) & values.counted)


def _agrees(run: Signals, given: IntArray) -> BoolArray:
    probs = run.pred_probs
    if isinstance(probs, TopProbs):
        said: BoolArray = np.asarray(probs.classes[:, 0]) == given
    elif probs is None:
        said = np.asarray(run.suspicion) <= 0.5
    else:
        said = np.asarray(probs).argmax(axis=1) == given
    return said


def given_loss(
    run: Signals, given: IntArray, by_training: bool = True
) -> tuple[FloatArray, str] | None:
    """Return (n,) cross-entropy of the given label in nats, and over what it is taken.

    Without `by_training` it is of the probabilities alone: an image that was not trained on has no
    losses of training, and those of two kinds do not stand on one axis.
    """
    curves, n = run.curves if by_training else {}, len(given)
    for name in ("loss", "p_given"):
        curve = curves.get(name)
        if curve is not None and curve.ndim == 2 and curve.shape[1] == n and len(curve):
            late = max(1, round(len(curve) * LATE))
            tail = np.asarray(curve[-late:], np.float64)
            if name == "p_given":
                tail = -np.log(np.maximum(tail, LOSS_FLOOR))
            steps = "rounds" if "round_removed" in run.extras else "epochs"
            return tail.mean(axis=0), f"mean of the last third of the {steps}"
    if by_training and "mean_loss" in run.extras:
        return np.asarray(run.extras["mean_loss"]), "mean over the later epochs"
    probs = run.pred_probs
    if probs is None:
        return None
    p = np.empty(n)
    for rows in np.array_split(np.arange(n), max(1, -(-n // 65_536))):
        block = probs.dense(rows) if isinstance(probs, TopProbs) else np.asarray(probs[rows])
        p[rows] = block[np.arange(len(rows)), given[rows]]
    return -np.log(np.maximum(p, LOSS_FLOOR)), "of the method's probabilities"


@dataclass(frozen=True, slots=True)
class Above:
    """What a threshold would queue.

    `mixture`, `consensus` and `true` are the expected share of wrong labels in it: by the fitted
    groups, by the calibrated consensus, and as known; None where that does not exist.
    """

    queued: int
    mixture: float | None
    consensus: float | None
    true: float | None
    true_interval: tuple[float, float] | None


def above(values: Losses, threshold: float) -> Above:
    """Say how many images lie at or above a threshold, and how many of them are wrong."""
    inside = (values.x >= threshold) & values.counted
    n = int(inside.sum())
    if not n:
        return Above(0, None, None, None, None)
    by_mixture = None
    if values.mixture is not None and values.mixture.separate:
        by_mixture = float(values.mixture.posterior(values.x[inside]).mean())
    true = interval = None
    if values.wrong is not None:
        hits = int(values.wrong[inside].sum())
        true, interval = hits / n, comparison.binomial_interval(hits, n)
    p_wrong = values.p_wrong[inside]
    known = ~np.isnan(p_wrong)
    consensus = float(p_wrong[known].mean()) if known.any() else None
    return Above(n, by_mixture, consensus, true, interval)


# One image ------------------------------------------------------------------------------------


def is_learned(info: DatasetInfo, key: str, row: int) -> bool:
    """Say whether a run has trained on an image; only of those does it keep anything by image."""
    return key.isdigit() and 0 <= row < info.n and bool(learned_from(info, int(key))[row])


def trajectory(info: DatasetInfo, key: str, row: int) -> dict[str, list[float]]:
    """Return one image's curves by epoch, or by round of removal: `given`, `other`, `loss`.

    Nothing where the run was told the answer, for they say how it learned that, or has not trained
    on the image.
    """
    if not is_learned(info, key, row):
        return {}
    if told_of(info, [key])[row]:
        return {}
    curves = run_signals(info, key).curves
    curves_of_image = {}
    for source, target in (("p_given", "given"), ("p_other", "other"), ("loss", "loss")):
        curve = curves.get(source)
        if curve is not None and curve.ndim == 2 and curve.shape[1] == info.n:
            values: list[float] = np.asarray(curve[:, row], np.float64).tolist()
            curves_of_image[target] = values
    return curves_of_image


def sub_losses(info: DatasetInfo, key: str, row: int) -> dict[str, Any] | None:
    """Return the sub-losses of one image's code, None for other runs.

    `values` (K,), `mean`, `variance`, `variance_rank` (share of images with a smaller variance),
    `typical` (K,) mean over the least suspicious half, `rejected` share of the epochs, or None.
    None as well, here and below, for an image that the run has not trained on.
    """
    if not is_learned(info, key, row):
        return None
    run = run_signals(info, key)
    extras = run.extras
    if "sub_losses" not in extras:
        return None
    values = np.asarray(extras["sub_losses"][row], np.float64)
    judged = judged_by(info, int(key)) & learned_from(info, int(key))
    suspicion = np.asarray(run.suspicion)
    unsuspected = judged & (suspicion <= np.median(suspicion[judged]))
    some = np.flatnonzero(unsuspected)[:: max(1, int(unsuspected.sum()) // 4000)]
    variance = np.asarray(extras["sub_loss_variance"], np.float64)
    return {
        "values": values.tolist(),
        "typical": np.asarray(extras["sub_losses"][some], np.float64).mean(axis=0).tolist(),
        "mean": float(extras["sub_loss_mean"][row]),
        "variance": float(variance[row]),
        "variance_rank": float((variance[judged] < variance[row]).mean()),
        "rejected": float(extras["rejected"][row]) if "rejected" in extras else None,
    }


def sharpened(info: DatasetInfo, key: str, row: int) -> dict[str, Any] | None:
    """Return the sharpened probabilities of one image beside plain training's.

    `own` and `plain` (k,) (`plain` None without such a run, `plain_title` its name), `p_max` the
    most that the temperature allows, `confidence` the image's, `confidence_rank` share of images
    below it; None for runs without these extras.
    """
    if not is_learned(info, key, row):
        return None
    run = run_signals(info, key)
    if "p_max" not in run.extras or run.pred_probs is None:
        return None
    ranked = scored(info)
    plain = None
    known = yardstick()
    if ranked is not None and known.key in ranked.run_ids:
        other = signals(info, ranked.run_ids[known.key])
        if other is not None and other.pred_probs is not None:
            plain = _one(other.pred_probs, row).tolist()
    confidence = np.asarray(run.extras["confidence"], np.float64)
    judged = judged_by(info, int(key)) & learned_from(info, int(key))
    return {
        "own": _one(run.pred_probs, row).tolist(),
        "plain": plain,
        "plain_title": known.title.lower(),
        "p_max": float(run.extras["p_max"][0]),
        "confidence": float(confidence[row]),
        "confidence_rank": float((confidence[judged] < confidence[row]).mean()),
    }


def _one(probs: Array | TopProbs, row: int) -> FloatArray:
    if isinstance(probs, TopProbs):
        return np.asarray(probs.dense(np.array([row]))[0], np.float64)
    return np.asarray(probs[row], np.float64)


def rounds(info: DatasetInfo, key: str, row: int) -> dict[str, Any] | None:
    """Return a removal's course: what each round removed, and when this image went.

    Images whose answer the run was told are not counted.

    `removed`, `given_back`, `agreement` by round; `round_removed` of the image, 0 = never;
    `best_round`; `true` share of wrong labels among those removed, by round, where it is known.
    """
    if not is_learned(info, key, row):
        return None
    run = run_signals(info, key)
    if "round_removed" not in run.extras:
        return None
    went = np.where(told_of(info, [key]), 0, np.asarray(run.extras["round_removed"], np.int64))
    last = max(int(went.max()), 0)
    removed = np.bincount(went, minlength=last + 1)[1:]
    data = loaded(info)
    true = None
    if data.true_labels is not None and last:
        wrong = np.asarray(data.true_labels) != np.asarray(data.given_labels)
        hits = np.bincount(went, weights=wrong, minlength=last + 1)[1:]
        true = (hits / np.maximum(removed, 1)).tolist()
    curves = run.curves
    return {
        "removed": removed.tolist(),
        "agreement": _course(curves.get("agreement")),
        "given_back": _course(curves.get("given_back")),
        "best_round": int(np.asarray(run.extras["best_round"]).ravel()[0]),
        "round_removed": int(went[row]),
        "true": true,
    }


def _course(curve: Array | None) -> list[float]:
    return [] if curve is None else np.asarray(curve, np.float64).ravel().tolist()


def learned_label(info: DatasetInfo, key: str, row: int) -> int:
    """Return the label that a run learned for an image: the given one, or a purified one."""
    file = info.directory / "runs" / key / "labels.npy"
    return int(arrays.read_array(file)[row]) if file.is_file() else given_label(info, row)


def given_label(info: DatasetInfo, row: int) -> int:
    """Return the label that an image came with."""
    return int(loaded(info).given_labels[row])
