"""The three parts of a DivideMix epoch: warming up, dividing, mixing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from lnl_core.learning import supervised
from lnl_core.learning.batching import cuts_of
from lnl_core.learning.seeds import derive_seed
from lnl_core.methods.dividemix import division as mixtures
from lnl_core.methods.dividemix import pair as two
from lnl_core.types import IntArray, LabeledDataset

if TYPE_CHECKING:
    from lnl_core.learning.training import Session
    from lnl_core.methods.dividemix.knobs import Config

FEWEST = 2
"""Images of a kind that a step needs: batch norm takes no statistics of a single one."""


class Division:
    """What is known of the rows beyond the networks: trusted labels, copies, shares of classes.

    Attributes:
        trusted: (n,) bool on the device.
        shares: (k,) of the given labels.
    """

    def __init__(self, dataset: LabeledDataset, session: Session) -> None:
        trusted = np.zeros(session.n, bool)
        if dataset.trusted is not None:
            trusted = np.asarray(dataset.trusted, bool)
        self.trusted = torch.from_numpy(trusted).to(session.device)
        counts = torch.bincount(session.labels, minlength=session.k).float()
        self.shares = counts / counts.sum()
        self._groups = dataset.groups

    def once(self, generator: torch.Generator) -> Tensor:
        """Return the rows of an epoch in random order, one of every group of copies, (m,) int64."""
        n = len(self.trusted)
        order = torch.randperm(n, generator=generator)
        if self._groups is None:
            return order
        groups: IntArray = np.asarray(self._groups)[order.numpy()]
        _, first = np.unique(groups, return_index=True)
        return order[torch.from_numpy(np.sort(first))]


def warm_epoch(session: Session, config: Config, epoch: int) -> None:
    """Train both networks on every label, each with views and an order of its own."""
    pair: Any = session.model
    size = config.warm_up_batch * config.batch_size
    for who in (0, 1):
        pair.turn(who)
        for batch in session.batches(epoch, batch_size=size):
            logits = session.forward(batch.images, batch.rows)
            losses = F.cross_entropy(logits, batch.labels, reduction="none")
            total = losses.mean()
            if config.confident_warm_up:
                log_probs = F.log_softmax(logits, dim=1)
                total = total + (log_probs.exp() * log_probs).sum(dim=1).mean()
            session.step(total)
            if who == 0:
                probs = F.softmax(logits.detach(), dim=1)
                session.record(batch, probs, losses.detach(), average=False)
    pair.alone = None


def divide(session: Session, division: Division, seed: int, epoch: int, *, record: bool) -> None:
    """Let each network's losses say which labels are clean; keep it as `session.tensors["clean"]`.

    Args:
        session: the run.
        division: of the set.
        seed: of the run.
        epoch: from 0.
        record: keep what both say as the epoch's curve.
    """
    losses = torch.zeros(2, session.n)
    for rows, views in session.predictions():
        said = views[0].chunk(2, dim=1)
        for who, logits in enumerate(said):
            each = F.cross_entropy(logits, session.labels[rows], reduction="none")
            losses[who, rows.cpu()] = each.cpu()
        if record:
            probs = (F.softmax(said[0], 1) + F.softmax(said[1], 1)) / 2
            session.recorder.add(
                rows, probs, supervised.surprise(probs, session.labels[rows]), average=False
            )
    for who in (0, 1):
        start = derive_seed(seed, epoch, 4, who) % 2**32
        clean = torch.from_numpy(mixtures.clean_probability(losses[who].numpy(), start))
        clean = clean.to(session.device)
        session.tensors["clean"][who] = torch.where(division.trusted, 1.0, clean)


def mix_epoch(session: Session, config: Config, division: Division, epoch: int, seed: int) -> None:
    """Train each network on the other one's division."""
    pair: Any = session.model
    mixing = np.random.default_rng([seed & 0xFFFFFFFF, epoch, 5])
    prior = division.shares
    if config.prior == "even":
        prior = torch.full_like(prior, 1 / session.k)
    for who in (0, 1):
        clean = session.tensors["clean"][1 - who]  # never its own
        order = division.once(session.generator)
        labelled = clean.cpu()[order] > config.clean_above
        if int(labelled.sum()) < FEWEST:
            labelled = torch.ones_like(labelled)
            clean = torch.ones_like(clean)
        pair.turn(who)
        rows, others = order[labelled], order[~labelled]
        cuts = session.cuts(len(rows))
        unlabelled = _again(others, config.batch_size, session.generator)
        for step, (start, stop) in enumerate(cuts):
            session.pace(epoch, step, len(cuts))
            held = rows[start:stop]
            now = epoch + step / len(cuts)
            part = two.ramp(now, config.warm_up, config.ramp)
            mix = float(mixing.beta(config.alpha, config.alpha))
            total = _mixmatch(
                session, config, division, who, held, clean, next(unlabelled), prior, part, mix
            )
            session.step(total)
            session.went(epoch, step, len(cuts), stop - start)
    pair.alone = None
    session.note("clean", (session.tensors["clean"] > config.clean_above).float().mean())


def _again(rows: Tensor, size: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Give batches of the rows for ever, each round in another order; empty ones of too few."""
    while True:
        if len(rows) < FEWEST:
            yield rows[:0]
            continue
        order = rows[torch.randperm(len(rows), generator=generator)]
        for start, stop in cuts_of(len(order), size):
            yield order[start:stop]


def _mixmatch(
    session: Session,
    config: Config,
    division: Division,
    who: int,
    labelled: Tensor,
    clean: Tensor,
    unlabelled: Tensor,
    prior: Tensor,
    ramp: float,
    mix: float,
) -> Tensor:
    """Return the loss of one step: refine, guess, mix, learn (Algorithm 1, lines 12 to 26).

    Where the unlabelled loss has no weight, doubtful images are guessed and mixed into the labelled
    ones, but not learned by themselves (what is known of the authors' code for Clothing1M).

    Args:
        session: the run, the network `who` in training.
        config: knobs.
        division: trusted rows.
        who: 0 or 1.
        labelled: (b,) rows whose labels are held to be clean.
        clean: (n,) how likely, by the other network.
        unlabelled: (u,) rows whose labels are forgotten; may be empty.
        prior: (k,) shares of classes.
        ramp: part of the unlabelled loss that counts, in [0, 1].
        mix: drawn from the Beta distribution.
    """
    k = session.k
    sure, unsure = [session.view(labelled) for _ in range(2)], []
    rows = labelled.to(session.device)
    with torch.no_grad():
        own = _mean([_answer(session, view, who) for view in sure])
        given = F.one_hot(session.labels[rows], k).float()
        targets = two.refined(given, clean[rows], own, config.temperature)
        targets = torch.where(division.trusted[rows][:, None], given, targets)
        goals = [targets, targets]
        if len(unlabelled):
            unsure = [session.view(unlabelled) for _ in range(2)]
            both = [_answer(session, view, each) for view in unsure for each in (0, 1)]
            guessed = two.sharpen(_mean(both), config.temperature)
            goals += [guessed, guessed]
    inputs, goal = torch.cat([*sure, *unsure]), torch.cat(goals)
    order = torch.randperm(len(inputs), generator=session.generator).to(session.device)
    inputs, goal = two.mixed(inputs, goal, max(mix, 1 - mix), order)
    cut = 2 * len(labelled)
    learned = len(inputs) if config.unlabelled else cut
    pair: Any = session.model
    pair.alone = who
    logits = session.forward(inputs[:learned])
    loss = two.labelled_loss(logits[:cut], goal[:cut])
    penalty = two.uneven(logits, prior)
    session.note("labelled_loss", loss)
    session.note("uneven", penalty)
    session.note("ramp", ramp)
    total = loss + penalty
    if learned > cut:
        guess_loss = two.unlabelled_loss(logits[cut:], goal[cut:])
        session.note("unlabelled_loss", guess_loss)
        total = total + config.unlabelled * ramp * guess_loss
    return total


def _answer(session: Session, images: Tensor, who: int) -> Tensor:
    """Return one network's probabilities of training views, (b, k)."""
    pair: Any = session.model
    pair.alone = who
    return F.softmax(session.forward(images), dim=1)


def _mean(parts: list[Tensor]) -> Tensor:
    return torch.stack(parts).mean(dim=0)


def evaluate(session: Session, features: Any) -> None:
    """Take what both networks say of the plain images into the mean probabilities."""
    for rows, views in session.predictions(mirror=session.augment.flip, features=features):
        answers = [F.softmax(half, dim=1) for view in views for half in view.chunk(2, dim=1)]
        probs = _mean(answers)
        session.recorder.add(rows, probs, supervised.surprise(probs, session.labels[rows]))
        first, second = (half.argmax(dim=1) for half in views[0].chunk(2, dim=1))
        session.tensors["disagree"][rows] = (first != second).to(torch.uint8)
