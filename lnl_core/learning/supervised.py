"""One network and one loss, epoch by epoch: the run under the methods that only change the loss."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from lnl_core.learning import networks, training
from lnl_core.learning.recorder import ProbabilityRecorder
from lnl_core.types import Context, FloatArray, IntArray, LabeledDataset, Signals, TopProbs

FEATURE_LIMIT = 256_000_000
"""Most numbers (n x d) that a run keeps as features: 512 MB."""


class Loss(NamedTuple):
    """What a loss says about a batch: the scalar to minimise, and numbers for the run's curves."""

    total: Tensor
    notes: Mapping[str, Tensor | float]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is left of a run.

    Attributes:
        recorder: probabilities of every example, averaged and by epoch.
        features: (n, d) float16 input of the last layer at the end; None for very large sets.
        curves: name -> (epochs,), among them `train_loss`.
        cost: seconds, cpu_seconds, peak_memory_bytes, images.
    """

    recorder: ProbabilityRecorder
    features: FloatArray | None
    curves: dict[str, FloatArray]
    cost: dict[str, float]


def train(
    dataset: LabeledDataset,
    knobs: training.TrainingKnobs,
    context: Context,
    *,
    loss: Callable[[Tensor, Tensor, int], Loss],
    probs: Callable[[Tensor], Tensor],
    record_from: float = 0.0,
    online: bool = False,
) -> Outcome:
    """Train on the given labels and keep what the network said about every example.

    Epochs from `record_from` on end with a pass in evaluation mode over the plain images (and
    their mirror images where training mirrors); these enter the mean probabilities. Earlier
    epochs show in the curves only, as the training pass saw them, at no cost. The recorded loss
    of an example is the negative logarithm of the probability of its given label.

    Args:
        dataset: only images and given labels are looked at.
        knobs: how to train.
        context: progress, cancel, checkpoints.
        loss: (logits (b, k), labels (b,), epoch from 0) -> `Loss`.
        probs: logits -> (b, k) probabilities.
        record_from: share of the epochs to go before probabilities are averaged, in [0, 1].
        online: average the predictions of every training pass as well; an image's first such
            prediction was made before the network had learned from its label.
    """
    first = min(int(record_from * knobs.epochs), knobs.epochs - 1)
    with training.Session(dataset, knobs, context) as session:
        features = None
        for epoch in session.epochs():
            for batch in session.batches(epoch):
                logits = session.forward(batch.images, batch.rows)
                total, notes = loss(logits, batch.labels, epoch)
                session.step(total)
                for name, value in notes.items():
                    session.note(name, value)
                if online or epoch < first:
                    batch_probs = probs(logits.detach())
                    session.record(
                        batch, batch_probs, surprise(batch_probs, batch.labels), average=online
                    )
            if epoch < first:
                continue
            if epoch == knobs.epochs - 1:
                features = feature_array(session)
            predicted = torch.zeros(session.k, device=session.device)
            for rows, views in session.predictions(mirror=session.augment.flip, features=features):
                batch_probs = sum((probs(view) for view in views[1:]), start=probs(views[0])) / len(
                    views
                )
                session.recorder.add(rows, batch_probs, surprise(batch_probs, session.labels[rows]))
                best = batch_probs.argmax(dim=1)
                session.note("agreement", (best == session.labels[rows]).float().mean())
                predicted += torch.bincount(best, minlength=session.k)
            session.note("classes_predicted", effective_classes(predicted))
        if features is None and feature_array(session) is not None:
            features = session.features()  # resumed after the last epoch
        networks.keep_network(context, session)
        return Outcome(session.recorder, features, session.run_curves(), session.cost())


def signals(key: str, outcome: Outcome, given: IntArray) -> Signals:
    """Return what a run says of labels by self-confidence: suspicion = 1 - mean p of the given one.

    Args:
        key: of the method.
        outcome: of `train`.
        given: (n,) labels.
    """
    recorder = outcome.recorder
    confidence, probs = recorder.mean_given(), recorder.mean_probs()
    predicted = probs.classes[:, 0] if isinstance(probs, TopProbs) else probs.argmax(axis=1)
    return Signals(
        method=key,
        suspicion=np.clip(1 - confidence.astype(np.float64), 0, 1),
        pred_probs=probs,
        features=outcome.features,
        curves=recorder.curves() | outcome.curves,
        extras={
            "mean_loss": recorder.mean_loss(),
            "self_confidence": confidence,
            "noise_rate": np.array([np.mean(predicted != given)], np.float32),
        },
        cost=outcome.cost,
    )


def feature_array(session: training.Session) -> FloatArray | None:
    """Return an array for the features of all images, (n, d) float16; None for very large sets."""
    width = int(session.averaged.feature_size)  # type: ignore[arg-type]
    if session.n * width > FEATURE_LIMIT:
        return None
    return np.zeros((session.n, width), np.float16)


def surprise(probs: Tensor, labels: Tensor) -> Tensor:
    """Return -log of the probability of each label, (b, k) and (b,) -> (b,).

    A float32 probability can be exactly 0; the floor caps the loss at 16.1.
    """
    return -probs.gather(1, labels[:, None]).squeeze(1).clamp_min(1e-7).log()


def effective_classes(counts: Tensor) -> Tensor:
    """Return exp(entropy) of class counts (k,): k when even, 1 when all fall on one class."""
    share = counts / counts.sum()
    return torch.exp(-torch.special.xlogy(share, share).sum())
