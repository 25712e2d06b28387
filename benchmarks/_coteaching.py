"""Co-teaching with two networks on the shared engine, a measure for speed, memory and accuracy.

Reference: Han et al., "Co-teaching: Robust Training of Deep Neural Networks with Extremely Noisy
Labels", NeurIPS 2018. Each network passes its small-loss rows to the other one. Both networks see
every batch and both graphs are alive until the first of them is stepped, as in the authors' code.
Same networks without a code head, data, batches, views, precision, optimiser and records as the
methods that it stands beside; no method of the desk.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from benchmarks._adam import Adam
from lnl_core.learning import models, networks, supervised, training
from lnl_core.learning.knobs import TrainingKnobs, restate
from lnl_core.learning.optimizer import Sgd
from lnl_core.types import Context, LabeledDataset, Signals


@dataclass(frozen=True, slots=True)
class Config(TrainingKnobs):
    """The knobs of the recipe, the share of rows that is forgotten in the end, and Adam or not."""

    backbone: str = restate("backbone", "resnet8")
    forget: float = 0.2
    forget_epochs: int = 10
    adam: bool = False
    score_epochs: int = 1


def fit(dataset: LabeledDataset, config: Config, context: Context) -> Signals:
    """Train both networks; suspicion is 1 - what both give the label, over the last epochs."""

    def make(k: int, channels: int, size: int) -> nn.Module:
        return models.build(config.backbone, k, channels, size)

    recipe = config
    with training.Session(dataset, recipe, context, build=make) as session:
        size = max(session.source.height, session.source.width)
        second = make(session.k, session.source.channels, size).to(session.device)
        descent = Sgd(
            second.parameters(),
            lr=recipe.lr,
            momentum=recipe.momentum,
            weight_decay=recipe.weight_decay,
        )
        if config.adam:
            session.optimizer, descent = Adam(session.optimizer), Adam(descent)
        for epoch in session.epochs():
            second.train(session.n > 1)
            kept = 1 - config.forget * min(1.0, epoch / max(config.forget_epochs, 1))
            for batch in session.batches(epoch):
                train_step(session, second, descent, batch, kept)
            if epoch >= config.epochs - config.score_epochs:
                evaluate(session, second)
        return signals("coteaching", session, context, session.averaged)


def evaluate(session: training.Session, second: nn.Module) -> None:
    """Add the mean of what both say of the plain images to the record."""
    second.eval()
    for rows, views in session.predictions():
        images = session.source.normalise(session.source.batch(rows.cpu()))
        with torch.no_grad():
            both = torch.stack([views[0], second(images).float()])
        probs = torch.softmax(both, dim=2).mean(0)
        session.recorder.add(rows, probs, supervised.surprise(probs, session.labels[rows]))


def signals(key: str, session: training.Session, context: Context, kept: nn.Module) -> Signals:
    """Keep one network, and return what the record says of each label."""
    networks.keep_network(context, session, kept)
    recorder = session.recorder
    return Signals(key, 1 - recorder.mean_given(), recorder.mean_probs(), cost=session.cost())


def train_step(
    session: training.Session,
    second: nn.Module,
    descent: Sgd,
    batch: training.Batch,
    kept: float,
) -> None:
    """Forward both, exchange the rows of small loss, step both."""
    first_logits = session.forward(batch.images)
    with training.hardware.autocast(session.device, session.dtype):
        second_logits = second(batch.images)
    second_logits = second_logits.float()
    first = F.cross_entropy(first_logits, batch.labels, reduction="none")
    other = F.cross_entropy(second_logits, batch.labels, reduction="none")
    count = max(1, int(np.ceil(kept * len(batch.rows))))
    small_first = first.detach().topk(count, largest=False).indices
    small_other = other.detach().topk(count, largest=False).indices
    with torch.no_grad():
        probs = torch.softmax(first_logits, dim=1)
    session.record(batch, probs, first.detach(), average=False)
    session.note("kept", kept)
    loss = other[small_first].mean()
    session.step(first[small_other].mean())
    descent.param_groups[0]["lr"] = session.optimizer.param_groups[0]["lr"]
    descent.zero_grad()
    loss.backward()
    if session.knobs.clip:
        nn.utils.clip_grad_norm_(second.parameters(), session.knobs.clip)
    descent.step()
