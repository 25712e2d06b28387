"""Area under the margin: how far a label stays ahead of the best other class while it is learned.

A wrong label is pulled up by its own gradient and down by that of every look-alike image, so its
logit leads late, little or never. The margin, logit of the given label minus the largest other
logit, is averaged over the training passes of all epochs: one plain run, no further pass.

Reference: Pleiss, Zhang, Elenberg, Weinberger, "Identifying Mislabeled Data using the Area Under
the Margin Ranking", NeurIPS 2020. Theirs are the statistic and the threshold samples: n / (k + 1)
images get a class that does not exist, and the margin that 99 % of these surely wrong labels stay
below is the border. One run cannot judge its own threshold samples, so a second one, with others,
does. They stop the mean where the learning rate first drops, as `until` can.

Ours: the engine and its networks; suspicion is 1 / (1 + exp(AUM - border)), with border 0 where
there are no threshold samples; the suggestion is the mean of the probabilities of the later epochs.

Curves by epoch: `train_loss`; by epoch and image `p_given`, `p_other`, `loss`.
Extras: `aum` (n,) float32; `border` (1,) float32.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from lnl_core.learning.knobs import OPEN_BACKBONES, SHARE, TrainingKnobs, knob, restate
from lnl_core.learning.nested import Stages
from lnl_core.types import (
    Array,
    BoolArray,
    Context,
    FloatArray,
    Group,
    LabeledDataset,
    Leaves,
    Method,
    Signals,
)

if TYPE_CHECKING:
    from torch import Tensor

    from lnl_core.learning.training import Session

BACKBONES = (*OPEN_BACKBONES, "cnn8", "mlp", "head")


@dataclass(frozen=True, slots=True)
class Config(TrainingKnobs):
    """Every knob; the defaults are the paper's CIFAR settings where the engine has them."""

    thresholds: bool = knob(
        True, "Find the border with threshold samples; trains twice.", group="scoring"
    )
    percentile: float = knob(
        99.0, "Percentile of the threshold samples that is the border.", group="scoring"
    )
    until: float = knob(
        1.0, "Share of the epochs whose margins are averaged, from the start.", group="scoring"
    )
    backbone: str = restate("backbone", "resnet34", BACKBONES)
    epochs: int = restate("epochs", 150)
    batch_size: int = restate("batch_size", 64)
    lr: float = restate("lr", 0.1)
    nesterov: bool = restate("nesterov", True)
    weight_decay: float = restate("weight_decay", 1e-4)
    schedule: str = restate("schedule", "constant")
    clip: float = restate("clip", 0.0)
    border: str = restate("border", "zero")
    record_from: float = knob(
        0.66, "Share of epochs before probabilities are averaged.", group="scoring", within=SHARE
    )

    def __post_init__(self) -> None:
        TrainingKnobs.__post_init__(self)
        if not (0 < self.until <= 1 and 0 < self.percentile <= 100):
            raise ValueError(
                "until must be in (0, 1] and percentile in (0, 100], got "
                f"{self.until} and {self.percentile}"
            )

    @classmethod
    def preset(cls, name: str, n: int, k: int, size: int) -> Self:
        """Return the knobs of `quick`, `standard` or `paper` for n images of `size` pixels.

        `paper` is the published CIFAR run up to its first drop of the learning rate, above 64
        pixels WebVision's. The others train one small network with one cycle and take 0 as the
        border.
        """
        if name == "paper":
            if size > 64:
                return cls(backbone="resnet50", epochs=60, batch_size=256, border="auto")
            return cls()
        quick = name == "quick"
        small = size <= 16
        return cls(
            thresholds=False,
            backbone="resnet8" if small else "resnet8-wide" if quick or size <= 64 else "auto",
            epochs=15 if quick else 30,
            batch_size=128 if n >= 4000 else 64,
            lr=0.2,
            weight_decay=5e-4,
            schedule="one_cycle",
            clip=5.0,
            border="auto",
            resolution=32 if quick else 0,
        )

    def fine_tuned(self) -> Self:
        """Return these knobs for the few epochs of a network that knows ImageNet."""
        return replace(self, border="auto")

    @classmethod
    def on_features(cls, preset: str, n: int, k: int) -> Self:
        """Return the knobs of a head on frozen features (ours); every preset takes seconds."""
        return cls(
            thresholds=preset == "paper",
            backbone="head",
            epochs=8 if preset == "quick" else 16,
            batch_size=128,
            lr=0.02,
            weight_decay=5e-4,
            schedule="one_cycle",
            clip=5.0,
            record_from=0.5,
        )


def fit(dataset: LabeledDataset, config: Config, context: Context) -> Signals:
    """Train once, or twice with threshold samples, and score by the mean margin."""
    n, k = len(dataset), len(dataset.class_names)
    if n < 2 or k < 2:
        sure = np.eye(k, dtype=np.float32)[np.asarray(dataset.given_labels, np.int64)]
        return Signals(METHOD.key, np.zeros(n, np.float32), sure)
    if not config.thresholds:
        with _session(dataset, config, context, fake=False) as session:
            _train(session, config, None)
            aum = _mean_margin(session)
            return _signals(session, aum, 0.0, session.cost())
    sets = threshold_sets(n, k, context.seed)
    kept = {"aum": np.zeros(n, np.float32), "borders": np.zeros(2, np.float32)}
    stages = Stages(context, ("first run", "second run"), kept)
    for number, nested in stages:
        with _session(dataset, config, nested, fake=True) as session:
            _train(session, config, sets[number])
            aum = _mean_margin(session)
            # the second run judges the first one's threshold samples, the first one all others
            judged = ~sets[0] if number == 0 else sets[0]
            stages.kept["aum"][judged] = aum[judged]
            stages.kept["borders"][number] = np.percentile(aum[sets[number]], config.percentile)
            stages.costs.append(session.cost())
            if number == 1:
                border = float(stages.kept["borders"].mean())
                return _signals(session, stages.kept["aum"], border, stages.cost())
    raise AssertionError("the second run is the last")


def threshold_sets(n: int, k: int, seed: int) -> tuple[BoolArray, BoolArray]:
    """Draw two disjoint sets of about n / (k + 1) rows, (n,) bool each, at least one row each."""
    size = max(1, min(n // (k + 1), n // 2))
    order = np.random.default_rng([seed & 0xFFFFFFFF, 7]).permutation(n)
    sets = np.zeros((2, n), dtype=bool)
    sets[0, order[:size]] = True
    sets[1, order[size : 2 * size]] = True
    return sets[0], sets[1]


def margins(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the logit of each label minus the largest other one, (b, k) and (b,) -> (b,)."""
    import torch

    own = logits.gather(1, labels[:, None]).squeeze(1)
    others = logits.scatter(1, labels[:, None], -torch.inf)  # out of the maximum
    return own - others.amax(dim=1)


def _session(dataset: LabeledDataset, config: Config, context: Context, *, fake: bool) -> Session:
    """Return a session whose network has one output more where there is a class of fakes."""
    import torch

    from lnl_core.learning import models, training

    def build(k: int, channels: int, size: int) -> Any:
        name = "head" if context.representation != "pixels" else config.backbone
        return models.build(name, k + int(fake), channels, size)

    return training.Session(
        dataset,
        config,
        context,
        build=build,
        tensors={"margins": torch.zeros(len(dataset)), "seen": torch.zeros(len(dataset))},
    )


def _train(session: Session, config: Config, fakes: BoolArray | None) -> None:
    """Plain cross-entropy; the rows of `fakes` carry the class that does not exist."""
    import torch
    from torch.nn import functional as F

    k, last = session.k, max(1, round(config.until * config.epochs))
    first = min(int(config.record_from * config.epochs), config.epochs - 1)
    taught = session.labels.clone()
    if fakes is not None:
        taught[torch.from_numpy(fakes).to(session.device)] = k
    for epoch in session.epochs():
        for batch in session.batches(epoch):
            labels = taught[batch.rows]
            logits = session.forward(batch.images, batch.rows)
            session.step(F.cross_entropy(logits, labels))
            with torch.no_grad():
                if epoch < last:
                    session.tensors["margins"][batch.rows] += margins(logits, labels)
                    session.tensors["seen"][batch.rows] += 1
                probs = F.softmax(logits[:, :k], dim=1)
                p_given = probs.gather(1, batch.labels[:, None]).squeeze(1)
                loss = -p_given.clamp_min(1e-7).log()  # p may be exactly 0 in float32
                session.record(batch, probs, loss, average=epoch >= first)


def _mean_margin(session: Session) -> FloatArray:
    tensors = session.tensors
    mean: FloatArray = (tensors["margins"] / tensors["seen"].clamp_min(1)).cpu().numpy()
    return mean


def _signals(session: Session, aum: Array, border: float, cost: dict[str, float]) -> Signals:
    # exp cannot overflow, and at 50 the sigmoid is 0 or 1 to twenty digits
    lead = np.clip(np.asarray(aum, np.float64) - border, -50, 50)
    return Signals(
        method=METHOD.key,
        suspicion=1 / (1 + np.exp(lead)),
        pred_probs=session.recorder.mean_probs(),
        curves=session.recorder.curves() | session.run_curves(),
        extras={
            "aum": np.asarray(aum, np.float32),
            "border": np.array([border], np.float32),
        },
        cost=cost,
    )


def cost(n: int, size: int, config: Config) -> tuple[float, float]:
    """Return (seconds, bytes) on two cores: plain training without passes in evaluation mode."""
    from types import SimpleNamespace

    from lnl_core.methods import _estimate

    plain = SimpleNamespace(
        backbone=config.backbone,
        epochs=config.epochs,
        batch_size=config.batch_size,
        resolution=config.resolution,
        record_from=1.0,
    )
    seconds, held = _estimate.training_cost(n, size, plain)
    return seconds * (2 if config.thresholds else 1), held


METHOD = Method(
    key="aum",
    title="Area under the margin",
    summary="labels that never lead while learned",
    reference="Pleiss et al., NeurIPS 2020",
    config=Config,
    fit=fit,
    short="AUM",
    good_for="comparing: a classic, trains twice",
    explanation=(
        "While a network learns, the score of a right label leads all others early. It doubts a "
        "label whose lead, averaged over the epochs, is small or missing."
    ),
    group=Group.BASELINE,
    place=6,
    leaves=(Leaves.CURVES,),
    cost=cost,
    parallel=True,
)
