"""Plain cross-entropy: a network fits right labels first, so labels that it fits late are suspect.

References: Arpit et al., "A Closer Look at Memorization in Deep Networks", ICML 2017; Northcutt,
Jiang, Chuang, "Confident Learning", JAIR 2021 (self-confidence as a score).

Suspicion is 1 - the mean probability of the given label over the epochs from `record_from` on, or
the rank of the mean loss over the same epochs (`score = loss`).

Curves by epoch: `agreement` (share predicted as given), `classes_predicted` (effective number of
predicted classes), `train_loss`.
Extras: `mean_loss` (n,); `self_confidence` (n,) mean probability of the given label; `noise_rate`
(1,) share whose mean prediction differs from the given label, a model guess.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from lnl_core.learning.knobs import OPEN_BACKBONES, SHARE, TrainingKnobs, knob, restate
from lnl_core.types import Context, Group, LabeledDataset, Leaves, Method, Pictures, Signals

if TYPE_CHECKING:
    from torch import Tensor

    from lnl_core.learning.supervised import Loss

SCORES = ("confidence", "loss")
BACKBONES = (*OPEN_BACKBONES, "cnn8", "mlp", "head")


@dataclass(frozen=True, slots=True)
class Config(TrainingKnobs):
    """Every knob."""

    score: str = knob(
        "confidence",
        "Rank by the given label's mean probability, or mean loss.",
        SCORES,
        group="scoring",
    )
    backbone: str = restate("backbone", "auto", BACKBONES)
    lr: float = restate("lr", 0.2)
    nesterov: bool = restate("nesterov", True)
    ema_decay: float = restate("ema_decay", 0.98)
    record_from: float = knob(
        0.66, "Share of epochs before probabilities are averaged.", group="scoring", within=SHARE
    )

    @classmethod
    def preset(cls, name: str, n: int, k: int, size: int) -> Self:
        """Return the knobs of `quick`, `standard` or `paper` for n images of `size` pixels.

        Plain training has no paper; `paper` is a long run at full resolution. Above 16 pixels a
        blanked square keeps longer runs from memorising (docs/measurements.md).
        """
        quick = name == "quick"
        small = size <= 16
        return cls(
            backbone="resnet8" if small else "resnet8-wide" if quick or size <= 64 else "auto",
            epochs={"quick": 15 if small else 30, "standard": 60, "paper": 120}[name],
            batch_size=128 if n >= 4000 else 64,
            cutout=0.0 if small else 0.5,
            record_from=0.66 if small else 0.6,
            resolution=32 if quick else 0,
        )

    @classmethod
    def on_features(cls, preset: str, n: int, k: int) -> Self:
        """Return the knobs of a head on frozen features; every preset takes seconds."""
        return cls(
            backbone="head",
            epochs=6 if preset == "quick" else 12,
            lr=0.02,
            feature_dropout=0.6,
            record_from=0.5,
        )


def fit(dataset: LabeledDataset, config: Config, context: Context) -> Signals:
    """Train once on the given labels; score by the predictions of the later epochs."""
    from torch.nn import functional as F

    from lnl_core.learning import supervised, training

    def loss(logits: Tensor, labels: Tensor, epoch: int) -> Loss:
        return supervised.Loss(F.cross_entropy(logits, labels), {})

    outcome = supervised.train(
        dataset,
        config,
        context,
        loss=loss,
        probs=lambda logits: F.softmax(logits, dim=1),
        record_from=config.record_from,
    )
    signals = supervised.signals(METHOD.key, outcome, np.asarray(dataset.given_labels))
    if config.score == "loss":
        return replace(signals, suspicion=training.percentile(signals.extras["mean_loss"]))
    return signals


def cost(n: int, size: int, config: Config) -> tuple[float, float]:
    """Return (seconds, bytes) on two cores, from runs on 8,000 images of 32 pixels."""
    from lnl_core.methods import _estimate

    return _estimate.training_cost(n, size, config)


METHOD = Method(
    key="ce",
    title="Plain cross-entropy",
    summary="labels that a network learns late",
    reference="Arpit et al., ICML 2017",
    config=Config,
    fit=fit,
    short="plain CE",
    good_for="grey and tiny images; the yardstick",
    explanation=(
        "A network fits right labels before wrong ones. It doubts a label that gets little "
        "probability over the epochs."
    ),
    group=Group.BASELINE,
    place=3,
    first_on={Pictures.GREY: "", Pictures.TINY: ""},
    recommended=True,
    yardstick=True,
    leaves=(Leaves.NETWORK, Leaves.FEATURES, Leaves.CURVES),
    cost=cost,
    parallel=True,
)
