"""Probe: linear heads on label-free features predict each label from the other images' labels.

Two heads with different mistakes, both out of fold: multinomial logistic regression (sees the
border between classes) and Gaussian classes with one shared, shrunk covariance (sees their
centres, which wrong labels hardly move). Their log-probabilities are averaged. The features never
saw a label, so a label that the heads cannot reproduce is suspicious.

References: Northcutt et al., "Confident Learning", JAIR 2021 (out-of-fold self-confidence);
Alain and Bengio, "Understanding intermediate layers using linear classifier probes", 2016;
Ledoit and Wolf, "A well-conditioned estimator for large-dimensional covariance matrices", 2004.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Self

import numpy as np

from lnl_core.learning.knobs import ABOVE_NOUGHT, ONE_OR_MORE, SHARE, knob
from lnl_core.methods import _estimate, _out_of_fold, _standardised
from lnl_core.types import (
    DENSE_CLASSES,
    REFUSED,
    Context,
    Group,
    LabeledDataset,
    Method,
    Pictures,
    Signals,
)

AXES_MOST = 200_000
"""Most images whose features are turned onto their main directions, which are held in memory."""


@dataclass(frozen=True, slots=True)
class Config:
    """Every knob."""

    folds: int = knob(5, "Parts that the set is cut into.", within=(2, 1_000))
    l2: float = knob(
        0.8,
        "Weight of the squared weights beside the summed losses of all images, logistic head.",
        within=ABOVE_NOUGHT,
    )
    shrinkage: float = knob(
        0.4, "How far the shared covariance is pulled to a round one, 0 to 1.", within=SHARE
    )
    axes: int = knob(512, "Main directions of the features that are kept; 0 keeps all.")
    logistic: bool = knob(True, "Use the logistic head beside the Gaussian one.")
    iterations: int = knob(
        60, "Most L-BFGS steps of the logistic head per fold.", within=ONE_OR_MORE
    )

    @classmethod
    def preset(cls, name: str, n: int, k: int, size: int) -> Self:
        """Return the knobs of `quick`, `standard` or `paper`; all the same, it takes seconds."""
        return cls()


def fit(dataset: LabeledDataset, config: Config, context: Context) -> Signals:
    """Score each label by the out-of-fold probability that the heads give it.

    Returns:
        Signals with suspicion = 1 - p_given, the out-of-fold pred_probs, and the extra `refused`
        (n,) bool: labels that the heads of the other folds do not repeat, which were taught them.
    """
    began, cpu = time.monotonic(), time.process_time()
    features, labels = context.features(), np.asarray(dataset.given_labels, dtype=np.int64)
    n, k = len(labels), len(dataset.class_names)
    seen = np.unique(labels)
    if len(seen) < 2 or n < 4:
        probs = np.full((n, k), 1e-3 / max(k, 1), dtype=np.float32)
        probs[np.arange(n), labels] += 1 - 1e-3
        return Signals(METHOD.key, np.zeros(n, dtype=np.float32), _out_of_fold.stored(probs, k))
    compact = np.searchsorted(seen, labels)
    context.report("probe", 0.0)
    fold = _out_of_fold.folds(compact, config.folds, context.seed, dataset.groups)
    narrow = 0 < config.axes < features.shape[1] and n <= AXES_MOST
    if narrow:
        features = _standardised.leading_axes(features, config.axes)
    inputs = _standardised.Inputs(features, as_given=narrow)
    moments = _out_of_fold.Moments(inputs, compact, fold, len(seen))
    heads = [moments.gaussian_heads(config.shrinkage)]
    context.report("probe", 0.2)
    if config.logistic and _out_of_fold.logistic_fits(n, inputs.wide, len(seen)):
        heads.append(
            _out_of_fold.logistic_heads(
                inputs,
                compact,
                fold,
                len(seen),
                l2=config.l2 / n,
                iterations=config.iterations,
                device=context.device,
                report=lambda share: context.report("probe", 0.2 + 0.7 * share),
            )
        )
    p_given, pred = _out_of_fold.pooled(inputs, compact, fold, heads, seen, k)
    extras = {}
    if k <= DENSE_CLASSES:
        extras[REFUSED] = _out_of_fold.refused(inputs, compact, fold, heads)
    context.report("probe", 1.0, {"images_per_second": n / max(time.monotonic() - began, 1e-6)})
    return Signals(
        method=METHOD.key,
        suspicion=np.clip(1 - p_given, 0, 1),
        pred_probs=pred,
        extras=extras,
        cost={
            "seconds": time.monotonic() - began,
            "cpu_seconds": time.process_time() - cpu,
            "images": float(n),
        },
    )


def _cost(n: int, size: int, config: Config) -> tuple[float, float]:
    """Return seconds and bytes on two cores, without computing the features."""
    d = _estimate.usual_features(size)
    axes = config.axes if n <= AXES_MOST else 0
    return _out_of_fold.cost(n, d, config.folds, axes=axes)


METHOD = Method(
    key="probe",
    title="Probe",
    summary="linear heads that never saw the label",
    reference="Northcutt et al., Confident Learning, JAIR 2021",
    config=Config,
    fit=fit,
    short="probe",
    good_for="a first queue within seconds; photographs",
    explanation=(
        "Linear heads on features that never saw a label predict each label from those of the "
        "other images. It doubts a label that they cannot reproduce."
    ),
    group=Group.BASELINE,
    out_of_fold=True,
    place=1,
    first_on={Pictures.PHOTOGRAPHS: "", Pictures.GREY: ""},
    recommended=True,
    advice="Run it again on other features, for example those of a run on pixels.",
    needs=("features",),
    cost=_cost,
)
