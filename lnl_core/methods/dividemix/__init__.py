"""DivideMix: what one network finds hard to learn becomes unlabelled for the other.

Two networks warm up on all labels. From then on each epoch begins with a division: a mixture of two
Gaussians on one network's losses says how likely each label is clean, and the OTHER network trains
on that division, so that neither confirms its own mistakes. Labels held to be clean are refined by
the network's own answers; the others are forgotten, and both networks guess in their place; mixed
pairs of all of them are learned (MixMatch).

Reference: Li, Socher, Hoi, "DivideMix: Learning with Noisy Labels as Semi-supervised Learning",
ICLR 2020, and what is known of the authors' code: both divisions are made before either network
trains, the unlabelled loss rises over 16 epochs, the learning rate falls to a tenth at half time.

Ours: score and suggestion; trusted labels always count as clean and are not refined; a picture that
comes several times is drawn once an epoch; `prior=labels`, which asks the mean answer for the
shares of the given labels instead of even classes; a division that leaves no labels falls back to
training on all; what `quick` and `standard` change. Left out: the loss averaged over five epochs
that the authors use at 90 % symmetric noise, and RandAugment of later work.

Suspicion is 1 - the mean probability of the given label by both networks over the last
`score_epochs` epochs, in evaluation mode on the plain images.

Curves by epoch: `train_loss`; `clean` (share of labels that both divisions hold to be clean, on
average), `labelled_loss`, `unlabelled_loss`, `uneven`, `ramp`; by epoch and image `p_given`,
`p_other`, `loss`.
Extras: `clean` (n,) float32, mean of both networks' last division; `networks_disagree` (n,) uint8,
their classes differ at the end; `noise_rate` (1,), share held to be wrong; `divided` (1,) uint8, 0
where no epoch came after the warm-up.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from lnl_core.methods.dividemix.knobs import Config
from lnl_core.types import Context, Group, LabeledDataset, Leaves, Method, Signals

if TYPE_CHECKING:
    from lnl_core.learning.training import Session
    from lnl_core.methods.dividemix.pair import Pair


def fit(dataset: LabeledDataset, config: Config, context: Context) -> Signals:
    """Warm up, divide and mix epoch by epoch; score every label by both networks."""
    n, k = len(dataset), len(dataset.class_names)
    if n < 2 or k < 2:
        sure = np.eye(k, dtype=np.float32)[np.asarray(dataset.given_labels, np.int64)]
        return Signals(METHOD.key, np.zeros(n, np.float32), sure)
    from lnl_core.learning import networks, supervised
    from lnl_core.methods.dividemix.training import (
        Division,
        divide,
        evaluate,
        mix_epoch,
        warm_epoch,
    )

    first_scored = max(0, config.epochs - config.score_epochs)
    with open_session(dataset, config, context) as session:
        division = Division(dataset, session)
        features = None
        for epoch in session.epochs():
            if epoch < config.warm_up:
                warm_epoch(session, config, epoch)
            else:
                divide(session, division, context.seed, epoch, record=epoch < first_scored)
                mix_epoch(session, config, division, epoch, context.seed)
            if epoch >= first_scored:
                last = epoch == config.epochs - 1
                features = supervised.feature_array(session) if last else None
                evaluate(session, features)
        if features is None and supervised.feature_array(session) is not None:
            features = session.features()  # resumed after the last epoch
        averaged: Any = session.averaged
        networks.keep_network(context, session, averaged.networks[0])
        return _signals(session, config, features)


def open_session(dataset: LabeledDataset, config: Config, context: Context) -> Session:
    """Return a session with two networks and an empty division."""
    import torch

    from lnl_core.learning import models, training
    from lnl_core.methods.dividemix import pair

    def build(k: int, channels: int, size: int) -> Pair:
        name = models.auto_name(size) if config.backbone == "auto" else config.backbone
        if context.representation != "pixels":
            name = "head"
        return pair.build(name, k, channels, size)

    n = len(dataset)
    tensors = {
        "clean": torch.ones(2, n),
        "disagree": torch.zeros(n, dtype=torch.uint8),
    }
    return training.Session(dataset, config, context, build=build, tensors=tensors)


def _signals(session: Session, config: Config, features: Any) -> Signals:
    from lnl_core.learning import supervised

    given = session.labels.cpu().numpy()
    outcome = supervised.Outcome(session.recorder, features, session.run_curves(), session.cost())
    signals = supervised.signals(METHOD.key, outcome, given)
    clean = session.tensors["clean"].mean(0).cpu().numpy()
    divided = config.epochs > config.warm_up
    extras = {
        "clean": clean,
        "networks_disagree": session.tensors["disagree"].cpu().numpy(),
        "divided": np.array([divided], np.uint8),
        "noise_rate": np.array([np.mean(clean <= config.clean_above)], np.float32)
        if divided
        else signals.extras["noise_rate"],
    }
    return replace(signals, extras=extras)


def doubts(signals: Signals) -> list[str]:
    """Say where the division never took place."""
    if not signals.extras["divided"][0]:
        return ["All epochs were warm-up: the run is plain training twice. Give it more epochs."]
    return []


def cost(n: int, size: int, config: Config) -> tuple[float, float]:
    """Return (seconds, bytes) on two cores: two networks, and 36 forward passes where all is clean.

    An epoch of division and mixing costs 36 r + 2 forward passes of all images, r the labelled
    share; 24 r + 2 where the unlabelled loss has no weight. Plain training costs three (r = 0.8 is
    assumed).
    """
    from types import SimpleNamespace

    from lnl_core.methods import _estimate

    plain = SimpleNamespace(
        backbone=config.backbone,
        epochs=1,
        batch_size=4 * config.batch_size,  # two views of labelled and of unlabelled images
        resolution=config.resolution,
        record_from=1.0,
    )
    seconds, held = _estimate.training_cost(n, size, plain)
    seconds = max(seconds - 2, 0.0)
    mixing = max(config.epochs - config.warm_up, 0)
    steps = 36 if config.unlabelled else 24
    passes = 2 * min(config.warm_up, config.epochs) + (steps * 0.8 + 2) / 3 * mixing
    return 4 + seconds * passes, held * 1.6


METHOD = Method(
    key="dividemix",
    title="DivideMix",
    summary="what one network finds hard, the other one guesses",
    reference="Li et al., ICLR 2020",
    config=Config,
    fit=fit,
    short="DivideMix",
    good_for="many wrong labels, where there is time",
    explanation=(
        "Two networks divide the labels for each other into clean and doubtful ones, and guess the "
        "doubtful ones together. A label is doubted that both of them contradict."
    ),
    group=Group.BASELINE,
    place=7,
    leaves=(Leaves.NETWORK, Leaves.FEATURES, Leaves.CURVES),
    after=("dmlp",),
    advice="Run it again with a longer warm_up, or with unlabelled set to 0 where few are wrong.",
    doubts=doubts,
    cost=cost,
)
