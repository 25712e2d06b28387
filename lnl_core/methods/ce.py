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

from lnl_core.methods._knobs import check_choices, knob
from lnl_core.types import Context, LabeledDataset, Method, Signals

if TYPE_CHECKING:
    from torch import Tensor

    from lnl_core.learning.supervised import Loss

SCORES = ("confidence", "loss")
BACKBONES = (
    "auto",
    "resnet8",
    "resnet8-wide",
    "resnet18",
    "resnet34",
    "resnet50",
    "cnn8",
    "mlp",
    "head",
)
FLIPS = ("auto", "yes", "no")
SCHEDULES = ("one_cycle", "cosine", "constant")


@dataclass(frozen=True, slots=True)
class Config:
    """Every knob."""

    score: str = knob(
        "confidence", "Rank by the given label's mean probability, or mean loss.", SCORES
    )
    backbone: str = knob("auto", "Network to train.", BACKBONES)
    epochs: int = knob(30, "Passes over the images.")
    batch_size: int = knob(128, "Images per step.")
    lr: float = knob(0.2, "Highest learning rate.")
    momentum: float = knob(0.9, "Momentum of SGD.")
    nesterov: bool = knob(True, "Nesterov's form of momentum.")
    weight_decay: float = knob(5e-4, "Pull of the weights to zero.")
    schedule: str = knob("one_cycle", "Course of the learning rate.", SCHEDULES)
    clip: float = knob(5.0, "Largest norm of the gradient; 0 is none.")
    shift: int = knob(-1, "Largest random shift in pixels; -1 is an eighth of the side.")
    flip: str = knob("auto", "Mirror images; auto does so for colour photographs.", FLIPS)
    cutout: float = knob(0.0, "Side of a blanked square, as a share of the image's.")
    resolution: int = knob(0, "Train at most at this side in pixels; 0 is as stored.")
    average_weights: float = knob(0.98, "Decay of the running mean of weights; 0 is none.")
    blank: float = knob(0.2, "Share of features blanked in a view, for a head on features.")
    record_from: float = knob(0.66, "Share of epochs before probabilities are averaged.")

    def __post_init__(self) -> None:
        check_choices(self)
        if self.epochs < 1 or self.batch_size < 2:
            raise ValueError(
                "epochs must be at least 1 and batch_size at least 2, got "
                f"{self.epochs} and {self.batch_size}"
            )

    @classmethod
    def preset(cls, name: str, n: int, k: int, size: int) -> Self:
        """Return the knobs of `quick`, `standard` or `paper` for n images of `size` pixels.

        Plain training has no paper; `paper` is a long run at full resolution. Above 16 pixels a
        blanked square keeps longer runs from memorising (8,000 photographs, 17.6 % human noise:
        average precision .713 after 15 epochs without, .748 after 30 with it).
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
            blank=0.6,
            record_from=0.5,
        )


def fit(dataset: LabeledDataset, config: Config, context: Context) -> Signals:
    """Train once on the given labels; score by what the later epochs say."""
    from torch.nn import functional as F

    from lnl_core.learning import supervised, training

    def loss(logits: Tensor, labels: Tensor, epoch: int) -> Loss:
        return supervised.Loss(F.cross_entropy(logits, labels), {})

    outcome = supervised.train(
        dataset,
        training.recipe_of(config),
        context,
        loss=loss,
        probs=lambda logits: F.softmax(logits, dim=1),
        record_from=config.record_from,
    )
    found = supervised.signals(METHOD.key, outcome, np.asarray(dataset.given_labels))
    if config.score == "loss":
        return replace(found, suspicion=training.percentile(found.extras["mean_loss"]))
    return found


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
    baseline=True,
    cost=cost,
    parallel=True,
)
