"""Sparse Regularization: outputs that must stay sharp and sparse cannot follow wrong labels.

Reference: Zhou, Liu, Wang, Zhai, Jiang, Ji, "Learning with Noisy Labels via Sparse
Regularization", ICCV 2021, arXiv 2108.00192, and the authors' code.

A loss is robust to symmetric noise once the network can only give permutations of one vector. Two
differentiable pieces push it there: a softmax with temperature tau on logits scaled to length 1,
and the penalty lambda * sum_k pi_k^p with p <= 1, lambda growing over the epochs. The strength is
set as kappa = lambda * p * k: at kappa = 1 the penalty makes cross-entropy symmetric, for any k.

Suspicion (ours; the paper scores no single label): 1 - mean pi of the given label / p_max, where
p_max is the most that the temperature allows.

Curves by epoch: `base_loss`, `penalty` (R), `weight` (lambda), `logit_norm`, `agreement` (share
predicted as given), `classes_predicted` (effective number of predicted classes), `train_loss`.
Extras: `noise_rate` (1,) share whose mean prediction differs from the given label, a model guess;
`p_max` (1,); `confidence` (n,) in [0, 1]; `collapsed` (1,) 1 where the run is worth nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from lnl_core.learning.knobs import OPEN_BACKBONES, SHARE, TrainingKnobs, knob, restate
from lnl_core.review import health
from lnl_core.types import Context, LabeledDataset, Leaves, Method, Pictures, Signals, TopProbs

if TYPE_CHECKING:
    from torch import Tensor

    from lnl_core.learning.supervised import Loss, Outcome

BASES = ("ce", "fl", "gce")
OWN_KNOB = {"fl": "gamma", "gce": "q"}
"""Base loss -> the knob that it alone has."""

SETTINGS = ("symmetric", "asymmetric", "imbalance")
BACKBONES = (*OPEN_BACKBONES, "cnn8", "mnist", "mlp", "head")


@dataclass(frozen=True, slots=True)
class Config(TrainingKnobs):
    """Every knob; the defaults are the authors' CIFAR-10 values."""

    base: str = knob(
        "ce", "Loss underneath: cross-entropy, focal or generalized cross-entropy.", BASES
    )
    setting: str = knob(
        "symmetric",
        "Which published numbers `paper` takes: for either noise, or for rare classes.",
        SETTINGS,
    )
    normalise: bool = knob(True, "Scale the logits to length 1 first.")
    tau: float = knob(0.5, "Temperature; smaller is sharper.")
    p: float = knob(0.1, "Exponent of the penalty, in (0, 1].")
    kappa: float = knob(
        1.2, "Strength at the start, lambda x p x classes; 1 balances the base loss."
    )
    growth: float = knob(1.03, "Factor by which the strength grows.", within=(1e-12, 10))
    growth_every: int = knob(1, "Epochs between two such steps.")
    gamma: float = knob(0.5, "Focusing exponent of the focal base.")
    q: float = knob(0.01, "Exponent of the gce base, in (0, 1].")
    backbone: str = restate("backbone", "cnn8", BACKBONES)
    epochs: int = restate("epochs", 120)
    lr: float = restate("lr", 0.01)
    weight_decay: float = restate("weight_decay", 1e-4)
    schedule: str = restate("schedule", "cosine")
    shift: int = restate("shift", 4)
    border: str = restate("border", "zero")
    record_from: float = knob(
        0.0, "Share of epochs before probabilities are averaged.", group="scoring", within=SHARE
    )

    def __post_init__(self) -> None:
        TrainingKnobs.__post_init__(self)
        if not (self.tau > 0 and 0 < self.p <= 1 and 0 < self.q <= 1):
            raise ValueError(
                f"tau must be above 0, p and q in (0, 1], got {self.tau}, {self.p} and {self.q}"
            )
        if self.growth_every < 1:
            raise ValueError(f"growth_every must be at least 1, got {self.growth_every}")
        if self.kappa < 0 or self.growth <= 0 or self.gamma < 0:
            raise ValueError(
                "kappa and gamma must be at least 0 and growth above 0, got "
                f"{self.kappa}, {self.gamma} and {self.growth}"
            )

    @classmethod
    def preset(cls, name: str, n: int, k: int, size: int) -> Self:
        """Return the knobs of `quick`, `standard` or `paper` for n colour images of `size` pixels.

        `paper` holds the authors' numbers: CIFAR-100's above 20 classes, else CIFAR-10's. The
        others set tau so that p_max is 0.98 for any number of classes.
        """
        return cls.preset_for(name, n, k, size, 3, {})

    @classmethod
    def preset_for(
        cls, name: str, n: int, k: int, size: int, channels: int, wanted: Mapping[str, object]
    ) -> Self:
        """Return the knobs of a preset, where `wanted` names a base loss or a setting with them.

        `paper` holds MNIST's numbers for grey images of up to 28 pixels and 20 classes, GCE's own
        tau and lambda there, and the recipe of the authors' class-imbalance script.
        """
        p = 0.1 if k <= 20 else 0.01
        if name != "paper":
            return cls._fast(name, p, n, k, size)
        setting = str(wanted.get("setting", "symmetric"))
        if setting == "imbalance":
            # lambda starts at 1, whatever the classes
            return replace(cls._cifar(k, size), kappa=p * k, clip=0.0, normalise=k > 20)
        if channels == 1 and size <= 28 and k <= 20:
            return cls._mnist(str(wanted.get("base", "ce")))
        knobs = cls._cifar(k, size)
        if setting == "asymmetric" and k > 20:
            knobs = replace(knobs, kappa=10.0)
        return knobs

    @classmethod
    def _mnist(cls, base: str) -> Self:
        gce = base == "gce"
        return cls(
            normalise=False,
            tau=0.5 if gce else 0.1,
            kappa=3.0 if gce else 4.0,
            growth=2.0,
            growth_every=5,
            backbone="mnist",
            epochs=50,
            weight_decay=1e-3,
            shift=0,
            flip="no",
        )

    @classmethod
    def _cifar(cls, k: int, size: int) -> Self:
        shift = 4 if size <= 64 else -1
        if k > 20:
            return cls(
                p=0.01,
                kappa=4.0,
                growth=1.02,
                q=0.001,
                backbone="resnet34" if size <= 64 else "resnet50",
                epochs=200,
                lr=0.1,
                weight_decay=1e-5,
                shift=shift,
                rotate=20.0,
            )
        return cls(backbone="cnn8" if size <= 64 else "resnet50", shift=shift)

    @classmethod
    def _fast(cls, name: str, p: float, n: int, k: int, size: int) -> Self:
        classes, quick = max(k, 2), name == "quick"
        reach = 0.98  # the p_max aimed at
        tau = math.sqrt(classes / (classes - 1)) / math.log((classes - 1) * reach / (1 - reach))
        epochs = {"quick": 15, "standard": 40}[name]
        return cls(
            tau=round(tau, 3),
            p=p,
            kappa=0.5,
            growth=round(4 ** (1 / epochs), 4),  # four times the strength over the run
            backbone="resnet8" if size <= 16 else "resnet8-wide" if quick or size <= 64 else "auto",
            epochs=epochs,
            batch_size=128 if n >= 4000 else 64,
            lr=0.2,
            nesterov=True,
            weight_decay=5e-4,
            schedule="one_cycle",
            shift=-1,
            border="auto",
            resolution=32 if quick else 0,
            ema_decay=0.98,
            record_from=0.66,
        )

    def over(self, epochs: int) -> Self:
        """Return the same for a run of another length: the strength grows as far in the end."""
        grown = self.growth ** (self.epochs / epochs)
        return replace(super(Config, self).over(epochs), growth=round(grown, 4))

    def idle(self, on_features: bool) -> frozenset[str]:
        """Return the knobs that change nothing: also those of other base losses."""
        others = {name for base, name in OWN_KNOB.items() if self.base != base}
        return super(Config, self).idle(on_features) | others

    def fine_tuned(self) -> Self:
        """Return these knobs for the few epochs of a network that knows ImageNet."""
        return replace(self, growth=round(4 ** (1 / self.epochs), 4), record_from=0.34)

    @classmethod
    def on_features(cls, preset: str, n: int, k: int) -> Self:
        """Return the knobs of a head on frozen features (ours); every preset takes seconds."""
        fast = cls._fast("quick", 0.1 if k <= 20 else 0.01, n, k, 32)
        epochs = 8 if preset == "quick" else 16
        return replace(
            fast,
            backbone="head",
            epochs=epochs,
            growth=round(4 ** (1 / epochs), 4),
            lr=0.02,
            feature_dropout=0.5,
            record_from=0.5,
        )


def read_out(logits: Tensor, config: Config) -> Tensor:
    """Return the sharpened probabilities of logits, (b, k): plain softmax says nothing of them."""
    from torch.nn import functional as F

    from lnl_core.methods.sr import losses

    return F.softmax(losses.sharpen(logits, config.tau, normalise=config.normalise), dim=1)


def fit(dataset: LabeledDataset, config: Config, context: Context) -> Signals:
    """Train once with sharpened, penalised outputs; score by their mean over epochs."""
    from torch.nn import functional as F

    from lnl_core.learning import supervised
    from lnl_core.methods.sr import losses

    k = len(dataset.class_names)
    flat = k ** (1 - config.p)  # the penalty of an even guess; taken off, for float32's sake

    own = {name: getattr(config, name) for base, name in OWN_KNOB.items() if config.base == base}

    def sharp(logits: Tensor) -> Tensor:
        return losses.sharpen(logits, config.tau, normalise=config.normalise)

    def loss(logits: Tensor, labels: Tensor, epoch: int) -> Loss:
        log_probs = F.log_softmax(sharp(logits), dim=1)  # (b, k), serves both terms
        base = losses.base_loss(config.base, log_probs, labels, **own).mean()
        penalty = losses.sparse_penalty(log_probs, config.p).mean()
        start = config.kappa / (config.p * k)
        weight = losses.penalty_weight(epoch, start, config.growth, config.growth_every)
        return supervised.Loss(
            base + weight * (penalty - flat),
            {
                "base_loss": base,
                "penalty": penalty,
                "weight": weight,
                "logit_norm": logits.detach().norm(dim=1).mean(),
            },
        )

    outcome = supervised.train(
        dataset,
        config,
        context,
        loss=loss,
        probs=lambda logits: read_out(logits, config),
        record_from=config.record_from,
    )
    return _signals(dataset, config, outcome)


def _signals(dataset: LabeledDataset, config: Config, outcome: Outcome) -> Signals:
    """Turn mean probabilities into suspicion, relative to the most that one class can get."""
    from lnl_core.methods.sr import losses

    recorder, k = outcome.recorder, len(dataset.class_names)
    p_max = losses.largest_probability(k, config.tau) if config.normalise else 1.0
    probs = recorder.mean_probs()
    if isinstance(probs, TopProbs):
        predicted, highest = probs.classes[:, 0], probs.probs[:, 0]
    else:
        predicted, highest = probs.argmax(axis=1), probs.max(axis=1)
    given = np.asarray(dataset.given_labels)
    spread = max(p_max - 1 / k, 1e-9)  # 0 with one class
    return Signals(
        method=METHOD.key,
        suspicion=np.clip(1 - recorder.mean_given().astype(np.float64) / p_max, 0, 1),
        pred_probs=probs,
        features=outcome.features,
        curves=recorder.curves() | outcome.curves,
        extras={
            "noise_rate": np.array([np.mean(predicted != given)], np.float32),
            "p_max": np.array([p_max], np.float32),
            "confidence": np.clip((highest - 1 / k) / spread, 0, 1).astype(np.float32),
            "collapsed": np.array([health.collapsed(predicted, given, k)], np.uint8),
        },
        cost=outcome.cost,
    )


def cost(n: int, size: int, config: Config) -> tuple[float, float]:
    """Return (seconds, bytes) on two cores, from runs on 8,000 images of 32 pixels."""
    from lnl_core.methods import _estimate

    return _estimate.training_cost(n, size, config)


METHOD = Method(
    key="sr",
    title="Sparse Regularization",
    summary="sparse outputs cannot follow wrong labels",
    reference="Zhou et al., ICCV 2021",
    config=Config,
    fit=fit,
    short="SR",
    good_for="tiny images; one class given as another",
    shows="Its picture: how sharp the answer is that it gives each class, beside plain training.",
    explanation=(
        "A network whose answers must stay sharp and sparse cannot follow wrong labels. It doubts "
        "a label that gets little probability while the network trains."
    ),
    place=1,
    first_on={Pictures.TINY: ""},
    recommended=True,
    leaves=(Leaves.NETWORK, Leaves.FEATURES, Leaves.CURVES),
    advice="Run Sparse Regularization again with a smaller kappa (half of it) or a larger tau.",
    cost=cost,
    read_out=read_out,
    parallel=True,
)
