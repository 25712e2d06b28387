"""Influential Rank: a label that nothing else supports moves the boundary far; take such ones out.

Reconstruction. Reference: Park, Song, Um, Jo, Yun, Choi, "Influential Rank: A New Perspective of
Post-training for Robust Model against Noisy Labels", arXiv 2106.07217 (v4, 2023; v1, 2021). Only
the abstracts were to be had, and no code. From them: it acts after training, on a network that any
method trained; it measures how much each sample affects the model and clean validation data; it
gradually removes samples of high influence on the decision boundary and refines. The formulas, the
quotas, the stopping rule and every number are ours.

A head is fitted to its optimum on the network's penultimate features (or on frozen ones), each
sample is ranked within its class by how far the head would move without it, the top is taken out,
the head is refined on the rest, and so on. Confirmed rows are pinned: they stay, and their accuracy
when left out picks the best round and ends the removal. Without a cap it also ends at the share
of labels that the first head does not give; where that is small, so the set easy or
memorised, at a round whose labels are mostly given back by the head that no longer knows them.
Copies of one picture count once, are left out together and are removed together; a network that
is trained or refined here still sees them all.

Suspicion: the order of removal, earlier is worse, then the score (`score = rounds`); or 1 - the
probability of the given label under the refined head when the row is left out (`left_out`).
Probabilities: of the refined head, or of the refined network (`refine = network`).

Curves by round, 0 = nothing removed: `p_given`, `p_other` (rounds + 1, n); `kept` rows, `agreement`
(share predicted as given), `kept_loss`, `trusted_accuracy` (confirmed rows, left out), `removed`,
`given_back` (share of the rows just removed whose label the head that never saw them gives).
Extras: `round_removed` (n,) int, 0 = never; of round 0 `influence` (n,), `residual` (n,) length of
p - label, `leverage` (n,) how alone in feature space, `first_loss` (n,); `left_out` (n,)
probability of the given label without the row; `validation` (n,) by how much leaving the row out
lowers the loss of confirmed ones, where there are any; `cuts` (rounds, k) lowest rank removed per
class; `best_round`, `noise_rate` (1,) each, the last a model guess.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from lnl_core.learning.knobs import OPEN_BACKBONES, TrainingKnobs, knob, restate
from lnl_core.types import (
    DENSE_CLASSES,
    Array,
    Context,
    LabeledDataset,
    Leaves,
    Method,
    Signals,
    TopProbs,
)

if TYPE_CHECKING:
    from lnl_core.methods.influence.run import Run

CRITERIA = ("influence", "loss", "gradient", "random")
REFINES = ("head", "network")
SOLVES = ("auto", "exact", "block")
SCORES = ("rounds", "left_out")
BACKBONES = (*OPEN_BACKBONES, "head", "cnn8", "mlp")


@dataclass(frozen=True, slots=True)
class Config(TrainingKnobs):
    """Every knob; the paper's values are unknown, these are ours."""

    criterion: str = knob("influence", "What is removed first; the others are controls.", CRITERIA)
    refine: str = knob("head", "What is trained between removals.", REFINES)
    score: str = knob(
        "rounds",
        "Suspicion: order of removal, or the label's probability without its row.",
        SCORES,
        group="scoring",
    )
    refit: bool = knob(True, "Fit the head to its optimum before scoring.")
    lam: float = knob(3e-2, "Ridge term; smaller lets the head memorise more.")
    rounds: int = knob(8, "Most rounds of removal.")
    share: float = knob(0.05, "Share of all images removed per round.")
    cap: float = knob(0.0, "Largest share removed in all; 0 lets the labels decide, up to 0.4.")
    patience: int = knob(2, "Rounds without gain on confirmed images before it stops.")
    within_class: bool = knob(True, "Remove from each class by its size, not overall.")
    solve: str = knob(
        "auto", "Whole Hessian where small, else by classes.", SOLVES, group="advanced"
    )
    width: int = knob(512, "Most principal axes of the features; 0 is all.", group="advanced")
    refine_epochs: int = knob(10, "Epochs per round where the network is refined.")
    refine_lr: float = knob(0.05, "Learning rate there, down to 0 along a cosine.")
    backbone: str = restate(
        "backbone", "auto", BACKBONES, "Network to train where there is no base run."
    )
    lr: float = restate("lr", 0.2)
    nesterov: bool = restate("nesterov", True)
    ema_decay: float = restate("ema_decay", 0.98)

    def __post_init__(self) -> None:
        TrainingKnobs.__post_init__(self)
        if not self.lam > 0:
            raise ValueError(f"lam must be above 0, or the Hessian is singular, got {self.lam}")
        if min(self.rounds, self.patience, self.refine_epochs) < 1:
            raise ValueError(
                "rounds, patience and refine_epochs must be at least 1, got "
                f"{self.rounds}, {self.patience} and {self.refine_epochs}"
            )
        if not (0 < self.share < 1 and 0 <= self.cap < 1) or self.width < 0:
            raise ValueError(
                f"share must be in (0, 1), cap in [0, 1) and width at least 0, got {self.share}, "
                f"{self.cap} and {self.width}"
            )

    def idle(self, on_features: bool) -> frozenset[str]:
        """Return the shared knobs that change nothing: all where no network is trained."""
        every = frozenset(each.name for each in fields(TrainingKnobs))
        return every if on_features else frozenset({"feature_dropout"})

    @classmethod
    def preset(cls, name: str, n: int, k: int, size: int) -> Self:
        """Return the knobs of `quick`, `standard` or `paper` for n images of `size` pixels.

        The paper's numbers are unknown; `paper` refines the whole network, as its abstract of 2021
        retrains it, removes from each class by its size and suspects in the order of removal. The
        others remove overall and suspect by the label's probability without its row: that found
        more errors on photographs, fewer on a network that had memorised digits
        (docs/measurements.md).
        """
        quick, small = name == "quick", size <= 16
        return cls(
            refine="network" if name == "paper" else "head",
            score="rounds" if name == "paper" else "left_out",
            within_class=name == "paper",
            backbone="resnet8" if small else "resnet8-wide" if quick or size <= 64 else "auto",
            epochs={"quick": 15, "standard": 30, "paper": 120}[name],
            batch_size=128 if n >= 4000 else 64,
            resolution=32 if quick else 0,
        )

    @classmethod
    def on_features(cls, preset: str, n: int, k: int) -> Self:
        """Return the knobs of a head on frozen features, which needs no network at all.

        `lam` is a third of a network's: measured in docs/methods/influence.md.
        """
        width = 256 if preset == "quick" else 512
        knobs = cls(lam=0.01, score="left_out", within_class=False, width=width, backbone="head")
        # a million rows of a thousand classes: each fit of the head takes minutes
        return replace(knobs, rounds=2, share=0.1) if n * k > 50_000_000 else knobs

    def for_several(self, representation: str, based: bool) -> bool:
        """Say whether several processes help: where it trains or refines a network on pixels."""
        return representation == "pixels" and (self.refine == "network" or not based)


def fit(dataset: LabeledDataset, config: Config, context: Context) -> Signals:
    """Post-train the base run's network, one trained here, or a head on frozen features.

    Raises:
        LnlError: the base run kept no network.
    """
    n, k = len(dataset), len(dataset.class_names)
    given = np.asarray(dataset.given_labels, np.int64)
    if n < 4 or len(np.unique(given)) < 2:
        context.report("influence", 1.0)
        return Signals(METHOD.key, np.zeros(n, np.float32), _sure(given, k))
    from lnl_core.methods.influence.run import Run

    with Run(dataset, config, context) as run:
        run.start()
        while True:
            scores = run.score()
            if run.over(scores):
                break
            run.remove()
        return _signals(run, given, k)


def _signals(run: Run, given: Array, k: int) -> Signals:
    rounds, config = run.rounds, run.config
    probs = run.probs()
    predicted = probs.classes[:, 0] if isinstance(probs, TopProbs) else probs.argmax(axis=1)
    left_out = rounds.best_left_out.numpy()
    if config.score == "left_out":
        suspicion = np.clip(1 - left_out, 0, 1)
    else:
        suspicion = rounds.suspicion(run.last_ranking)
    curves = {name: np.asarray(values, np.float32) for name, values in rounds.notes.items()}
    if len(rounds.p_given):
        curves["p_given"] = rounds.p_given[: rounds.done + 1].numpy()
        curves["p_other"] = rounds.p_other[: rounds.done + 1].numpy()
    extras: dict[str, Array] = {
        "round_removed": rounds.removed_in.numpy(),
        "left_out": left_out.astype(np.float32),
        "cuts": rounds.cuts.numpy(),
        "best_round": np.array([rounds.best]),
        "noise_rate": np.array([np.mean(predicted != given)], np.float32),
    }
    for name, value in rounds.first.items():
        extras["first_loss" if name == "loss" else name] = value.numpy()
    return Signals(
        method=METHOD.key,
        suspicion=suspicion,
        pred_probs=probs,
        features=run.deep_features(),
        curves=curves,
        extras=extras,
        cost=run.cost(),
    )


def _sure(given: Array, k: int) -> Array | TopProbs:
    """Return all weight on the given label, where there is nothing to compare."""
    if k > DENSE_CLASSES:
        return TopProbs(given[:, None].astype(np.int32), np.ones((len(given), 1), np.float32), k)
    return np.eye(k, dtype=np.float32)[given]


def cost(n: int, size: int, config: Config, k: int = 10) -> tuple[float, float]:
    """Return (seconds, bytes) on two cores with the training; on a base run it is far less.

    A head on frozen features is known by its `backbone`.
    """
    from types import SimpleNamespace

    from lnl_core.methods import _estimate
    from lnl_core.methods.influence import work

    if config.backbone == "head":
        return work.of_head(n, _estimate.usual_features(size), config, k)
    knobs = ("backbone", "epochs", "batch_size", "resolution")
    plain = SimpleNamespace(record_from=1.0, **{each: getattr(config, each) for each in knobs})
    seconds, held = _estimate.training_cost(n, size, plain)
    if config.refine == "network":
        seconds *= 1 + config.rounds * config.refine_epochs / config.epochs
    more, beside = work.of_head(n, work.DEEP, config, k)
    return seconds + more, max(held, beside)


METHOD = Method(
    key="influence",
    title="Influential Rank",
    summary="labels that nothing else supports",
    reference="Park et al., arXiv 2106.07217",
    config=Config,
    fit=fit,
    short="Infl. Rank",
    good_for="why: labels nothing supports",
    shows="Its picture: in which round the label was taken out, or that it stayed.",
    explanation=(
        "After training, labels that move the decision boundary far and that no other image "
        "supports are taken out, round by round. It doubts a label that goes early, or that the "
        "network does not expect once it has not seen it."
    ),
    place=3,
    builds_on=(Leaves.NETWORK,),
    leaves=(Leaves.NETWORK, Leaves.FEATURES, Leaves.CURVES),
    after=("ce",),
    after_words=(
        "Finds more on a network that has learned wrong labels, such as plain training; fewer on "
        "one that resisted them, such as Sparse Regularization. Accuracy after it: refining the "
        "whole network, as paper does, gained on photographs and lost on digits. There keep refine "
        "= head, and leave Jump-teaching's network as it is."
    ),
    advice="Post-train the network of another run, or run it again with a smaller share.",
    reconstruction=True,
    cost=cost,
    parallel=True,
)
