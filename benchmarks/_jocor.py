"""JoCoR with two networks on the shared engine, a measure for speed, memory and accuracy.

Reference: Wei, Feng, Chen, An, "Combating Noisy Labels by Agreement: A Joint Training Method with
Co-Regularization", CVPR 2020. Both networks see every batch; one loss joins them, cross-entropy of
both and the divergence of their answers, weighed by lambda; the rows where it is smallest are
learned, by one optimiser over both. Same networks without a code head, data, batches, views,
precision and records as the methods that it stands beside; no method of the desk.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from benchmarks import _coteaching
from benchmarks._adam import Adam
from lnl_core.learning import supervised, training
from lnl_core.learning.knobs import TrainingKnobs, restate
from lnl_core.methods.dividemix import pair
from lnl_core.types import Context, LabeledDataset, Signals


@dataclass(frozen=True, slots=True)
class Config(TrainingKnobs):
    """The knobs of the recipe, the share of rows that is forgotten in the end, lambda, Adam."""

    backbone: str = restate("backbone", "resnet8")
    forget: float = 0.2
    forget_epochs: int = 10
    together: float = 0.9
    adam: bool = False
    score_epochs: int = 1


def fit(dataset: LabeledDataset, config: Config, context: Context) -> Signals:
    """Train both networks; suspicion is 1 - what both give the label, over the last epochs."""

    def make(k: int, channels: int, size: int) -> pair.Pair:
        return pair.build(config.backbone, k, channels, size)

    with training.Session(dataset, config, context, build=make) as session:
        if config.adam:
            session.optimizer = Adam(session.optimizer)
        for epoch in session.epochs():
            kept = 1 - config.forget * min(1.0, epoch / max(config.forget_epochs, 1))
            for batch in session.batches(epoch):
                both = session.forward(batch.images).chunk(2, dim=1)
                losses = joint_loss(both[0], both[1], batch.labels, config.together)
                count = max(1, int(np.ceil(kept * len(batch.rows))))
                small = losses.detach().topk(count, largest=False).indices
                with torch.no_grad():
                    probs = torch.softmax(both[0], dim=1)
                session.record(batch, probs, losses.detach(), average=False)
                session.step(losses[small].mean())
            if epoch >= config.epochs - config.score_epochs:
                evaluate(session)
        averaged: Any = session.averaged
        return _coteaching.signals("jocor", session, context, averaged.networks[0])


def evaluate(session: training.Session) -> None:
    """Add the mean of what both say of the plain images to the record."""
    for rows, views in session.predictions():
        both = torch.stack(views[0].chunk(2, dim=1))
        probs = torch.softmax(both, dim=2).mean(0)
        session.recorder.add(rows, probs, supervised.surprise(probs, session.labels[rows]))


def joint_loss(first: Tensor, second: Tensor, labels: Tensor, together: float) -> Tensor:
    """Return (b,): (1 - lambda) of both cross-entropies, lambda of both divergences (eq. 1, 4)."""
    one, two = F.log_softmax(first, dim=1), F.log_softmax(second, dim=1)
    supervised = F.nll_loss(one, labels, reduction="none") + F.nll_loss(
        two, labels, reduction="none"
    )
    apart = ((one.exp() - two.exp()) * (one - two)).sum(dim=1)
    return (1 - together) * supervised + together * apart
