"""DMLP: labels are purified on frozen features, so that a linear fit of them is right elsewhere.

Reference: Tu, Zhang, Li, Liu, Li, Wang, Wang, Zhao, "Learning from Noisy Labels with Decoupled
Meta Label Purifier", CVPR 2023, arXiv 2302.06810, and the authors' code.

Stage 1: features from a network that never saw a label (`--representation pretrained`, `simclr`,
`moco`, `raw`). Stage 2: the labels become real numbers Y. IPC moves them along the exact gradient
of the validation loss of the ridge fit of Y; EAC, a linear head trained on argmax Y, is written
back into Y as a moving average. Stage 3: training on the purified labels, here (`retrain`) or in
another run.

The validation set is what people confirmed. For a class with fewer than two such images the rows
are taken on whose label three simple classifiers agree most (`bootstrap`): right for the most part,
but the easy part of a class. Ten confirmed images per class, drawn at random, make it better.
Images that were reviewed because they looked wrong are a biased sample of validation rows.

Suspicion: 1 - q of the given label, q = half the purified label, half the head's probability.
Confirmed rows are pinned: their suspicion is next to 0.

Ours: one softmax and a balance weight of 1 (the code stacks softmaxes and weighs by 2200); the
balance is towards the given class shares; no weight decay on Y; early stop on a held-out third of
the validation rows, then the same number of rounds with all of them; the form in weight space.

Curves by round: `label_change` (share of rows whose hard label differs from the given one),
`validation_loss`, `validation_squares`, `validation_accuracy`, `held_out_accuracy`,
`held_out_loss`; by epoch `train_loss` and others where it retrains.
Extras: `purified_labels` (n,) int32; `confidence` (n,) max q; `validation_rows` (n_v,) int64 and
`validation_confirmed` (n_v,) uint8; `bootstrap` (1,) 1 where a class took unconfirmed rows;
`rounds` (1,) rounds that were kept; `held_out_accuracy` (1,) of the purified fit and
`baseline_accuracy` (1,) of a ridge probe that saw the validation rows only, both on the held-out
third (nan without one); `baseline_labels` (n,) int32 what that probe says; `noise_rate` (1,) share
of labels changed, a model guess; `evidence_rows` (n, 3) int32 and `evidence_votes` (n, 3) float32,
the validation rows that pull hardest at each label: above 0 for the given label, below against;
`course_given` and `course_other` (rounds, n) float16, q of the given and of the best other class
after every round, where `rounds.keeps_course`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from lnl_core.learning.knobs import ABOVE_NOUGHT, OPEN_BACKBONES, TrainingKnobs, knob, restate
from lnl_core.learning.nested import Stages
from lnl_core.methods.dmlp import work
from lnl_core.methods.dmlp.advice import hints
from lnl_core.review import copies
from lnl_core.types import (
    DENSE_CLASSES,
    KEPT_CLASSES,
    Array,
    Context,
    LabeledDataset,
    Leaves,
    Method,
    Signals,
    TopProbs,
)

if TYPE_CHECKING:
    from lnl_core.learning.hardware import CostMeter
    from lnl_core.methods.dmlp.rounds import Rounds

SPACES = ("auto", "labels", "weights")
PRIORS = ("given", "uniform", "validation")
BACKBONES = (*OPEN_BACKBONES, "cnn8", "mlp")
STAGES = ("purify", "retrain")
FEWEST = 8
"""Fewest images that labels are purified of."""

DENSE_LABELS = 5_000_000
"""Up to this many numbers (n x k) `space = auto` keeps the label matrix."""

_NAMES = (
    "suspicion",
    "probs",
    "classes",
    "purified_labels",
    "confidence",
    "validation_rows",
    "validation_confirmed",
    "bootstrap",
    "rounds",
    "held_out_accuracy",
    "baseline_accuracy",
    "baseline_labels",
    "noise_rate",
    "evidence_rows",
    "evidence_votes",
    "course_given",
    "course_other",
    "curve.label_change",
    "curve.validation_loss",
    "curve.validation_squares",
    "curve.validation_accuracy",
    "curve.head_loss",
    "curve.held_out_accuracy",
    "curve.held_out_loss",
)
_KEPT: dict[str, Array] = {name: np.empty(0, np.float32) for name in _NAMES}
"""What stage 2 leaves for a run that is taken up again in stage 3."""


@dataclass(frozen=True, slots=True)
class Config(TrainingKnobs):
    """Every knob; the paper's text could not be read in full, so defaults follow the code."""

    space: str = knob(
        "auto", "Labels as a matrix (the authors' loop), or as weights (fast, any size).", SPACES
    )
    rounds: int = knob(5, "Times that the head is written into the labels, at most.")
    period: int = knob(20, "Epochs between two writes, label matrix only.")
    steps: int = knob(3, "Gradient steps on the labels per round, weights only.")
    sweeps: int = knob(20, "Passes of the head over the rows per round, weights only.")
    keep: float = knob(0.5, "Share of the old label that a write keeps; 0 overwrites.")
    ridge: float = knob(1e-3, "Ridge of the closed form, of the mean diagonal of X'X.")
    label_lr: float = knob(0.01, "Adam's step on the label matrix.", within=ABOVE_NOUGHT)
    head_lr: float = knob(0.01, "Adam's step on the head.", within=ABOVE_NOUGHT)
    head_batch: int = knob(500, "Rows per step of the head.")
    balance: float = knob(1.0, "Pull of mean predictions to the class shares; 0 is none.")
    prior: str = knob(
        "given",
        "Class shares to pull to: of the given labels, uniform, of validation rows.",
        PRIORS,
    )
    penalty: float = knob(0.0, "Weight of the head's confidence penalty; the code has 0.4.")
    standardise: bool = knob(False, "Bring all features to one spread before the row length.")
    per_class: int = knob(
        20,
        "Rows taken for a class where too few images are confirmed: three simple classifiers agree "
        "on their label. Ten confirmed images per class, drawn at random, are better.",
    )
    early_stop: bool = knob(True, "Choose the rounds on a held-out third of the validation rows.")
    refit: bool = knob(True, "After the early stop, run again with all validation rows.")
    retrain: bool = knob(True, "Train a network on the purified labels and keep it.")
    backbone: str = restate("backbone", "auto", BACKBONES, "Network to retrain.")
    epochs: int = restate("epochs", 30, text="Passes over the images when retraining.")
    lr: float = restate("lr", 0.2, text="Highest learning rate when retraining.")
    nesterov: bool = restate("nesterov", True)
    ema_decay: float = restate("ema_decay", 0.98)

    def __post_init__(self) -> None:
        TrainingKnobs.__post_init__(self)
        counts = ("rounds", "period", "steps", "sweeps", "per_class")
        for name in counts:
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.head_batch < 2:
            raise ValueError(f"head_batch must be at least 2, got {self.head_batch}")
        if not (0 <= self.keep < 1 and self.ridge > 0):
            raise ValueError(
                f"keep must lie in [0, 1) and ridge above 0, got {self.keep} and {self.ridge}"
            )

    def idle(self, on_features: bool) -> frozenset[str]:
        """Return the shared knobs that change nothing: all where no network is trained."""
        every = frozenset(each.name for each in fields(TrainingKnobs))
        return frozenset({"feature_dropout"}) if self.retrain else every

    @classmethod
    def preset(cls, name: str, n: int, k: int, size: int) -> Self:
        """Return the knobs of `quick`, `standard` or `paper` for n images of `size` pixels.

        `paper` is the authors' loop: 100 epochs of Adam on the label matrix, a write every 20,
        where that matrix fits, on features learned from the images alone (`learns_on`); its labels
        retrain a pre-activation ResNet-18, a ResNet-50 above 64 pixels. `quick` is the form in
        weight space and trains no network.
        """
        small_rows = 500 if n >= 5000 or name == "paper" else 128
        backbone = "resnet8" if size <= 16 else "resnet8-wide" if size <= 64 else "auto"
        if name == "paper":
            backbone = "preact18" if size <= 64 else "resnet50"
        return cls(
            space={"quick": "weights", "standard": "auto"}.get(
                name, "labels" if n * k <= 10 * DENSE_LABELS else "weights"
            ),
            head_batch=small_rows,
            retrain=name != "quick",
            backbone=backbone,
            epochs=120 if name == "paper" else 30,
            batch_size=128 if n >= 4000 else 64,
        )

    @classmethod
    def learns_on(cls, preset: str, size: int) -> str:
        """Return the features where nobody says: the paper's are learned on the set itself."""
        if preset != "paper":
            return "auto"
        return "simclr" if size <= 64 else "moco"

    def for_several(self, representation: str, based: bool) -> bool:
        """Say whether several processes help: where it retrains, or learns the features first."""
        return self.retrain or representation.split(":")[0] in ("simclr", "moco")


def fit(dataset: LabeledDataset, config: Config, context: Context) -> Signals:
    """Purify the labels on frozen features; retrain on them where asked to."""
    from lnl_core.learning import hardware

    if len(dataset) < FEWEST or len(np.unique(dataset.given_labels)) < 2:
        return _all_kept(dataset)
    stages = Stages(context, STAGES if config.retrain else STAGES[:1], _KEPT, "pixels")
    more: dict[str, Array] = {}
    for number, nested in stages:
        if number == 0:
            saved = nested.load()
            meter = hardware.CostMeter(
                hardware.pick_device(context.device), saved[1]["cost"] if saved else None
            )
            stages.kept = _KEPT | _purify(dataset, config, nested, meter, saved)
            stages.costs.append(meter.cost() | {"images": float(len(dataset))})
        else:
            more = _retrain(dataset, stages.kept["purified_labels"], config, nested, stages.costs)
    results = {name: value for name, value in (stages.kept | more).items() if value.size}
    probs: Array | TopProbs = results["probs"]
    if "classes" in results:
        probs = TopProbs(results["classes"], results["probs"], len(dataset.class_names))
    curves = {name[6:]: value for name, value in results.items() if name.startswith("curve.")}
    other = ("suspicion", "probs", "classes")
    return Signals(
        method=METHOD.key,
        suspicion=results["suspicion"],
        pred_probs=probs,
        curves=curves,
        extras={
            name: value
            for name, value in results.items()
            if name not in other and not name.startswith("curve.")
        },
        cost=stages.cost(),
    )


def _purify(
    dataset: LabeledDataset,
    config: Config,
    context: Context,
    meter: CostMeter,
    saved: tuple[dict[str, Any], dict[str, Any]] | None,
) -> dict[str, Array]:
    """Stage 2: return everything that the run says about the labels, by name."""
    from lnl_core.learning import seeds
    from lnl_core.methods.dmlp import closed_form, rounds, validation

    given = np.asarray(dataset.given_labels, dtype=np.int64)
    n, k = len(given), len(dataset.class_names)
    trusted = np.zeros(n, bool) if dataset.trusted is None else np.asarray(dataset.trusted, bool)
    stands = None
    if dataset.groups is not None and len(np.unique(dataset.groups)) < n:
        stands, _ = copies.standing_for(np.asarray(dataset.groups), given, trusted)
    features = context.features()
    with seeds.seeded(seeds.derive_seed(context.seed, 0)):
        context.report("purify", 0.0)
        rows = closed_form.Rows(features, context.device, standardise=config.standardise)
        if saved is not None:
            chosen = validation.Validation(saved[0]["judges"], saved[0]["confirmed"] > 0)
        else:
            chosen = validation.choose(
                rows,
                given,
                trusted,
                k,
                config.per_class,
                ridge=config.ridge,
                seed=context.seed,
                stands=stands,
            )
        if not len(rounds.learned(trusted, chosen.rows, stands)) or not len(chosen.rows):
            return _as_given(dataset)  # all confirmed, one image a class, copies of one
        context.report("purify", 0.03)
        counted = given if stands is None else given[np.unique(stands)]
        prior = _prior(config.prior, counted, given[chosen.rows], k)
        problem = rounds.make_problem(
            rows, given, trusted, chosen.rows, prior, config.ridge, context.seed, stands
        )
        context.report("purify", 0.05)
        dense = config.space == "labels" or (config.space == "auto" and n * k <= DENSE_LABELS)
        note = None
        if rounds.keeps_course(n, rows.d, k, config.rounds):
            note = partial(rounds.course, given=given, pinned=trusted, stands=stands)
        purification = rounds.Rounds(
            problem,
            given[chosen.rows],
            context,
            _loop_knobs(config),
            dense=dense,
            rounds=config.rounds,
            early_stop=config.early_stop,
            refit=config.refit,
            state=lambda: {"cost": meter.cost()},
            arrays={"judges": chosen.rows, "confirmed": chosen.confirmed.astype(np.uint8)},
            note=note,
        )
        loop = purification.run(saved)
        top = KEPT_CLASSES if k > DENSE_CLASSES else 0
        purified = rounds.read_out(
            loop,
            given,
            trusted,
            lambda part: context.report("purify", 0.85 + 0.1 * part),
            top,
            stands,
        )
        accuracy, probe_labels = rounds.baseline(problem, purification.held, n)
        evidence = rounds.votes(problem, given, chosen.rows)
        context.report("purify", 1.0)
    classes, probs = (
        purified.probs if isinstance(purified.probs, tuple) else (_KEPT["classes"], purified.probs)
    )
    extras: dict[str, Array] = {
        "purified_labels": purified.labels,
        "confidence": purified.confidence,
        "validation_rows": chosen.rows,
        "validation_confirmed": chosen.confirmed.astype(np.uint8),
        "bootstrap": np.array([chosen.bootstrap], np.uint8),
        "baseline_accuracy": np.array([accuracy], np.float32),
        "baseline_labels": probe_labels,
        "noise_rate": np.array([np.mean(purified.labels != given)], np.float32),
    }
    if evidence is not None:
        extras |= {"evidence_rows": evidence[0], "evidence_votes": evidence[1]}
    if purification.course:
        by_round = np.stack(purification.course)  # (rounds, 2, n)
        extras |= {"course_given": by_round[:, 0], "course_other": by_round[:, 1]}
    own = {"suspicion": purified.suspicion, "probs": probs, "classes": classes}
    return own | extras | _outcome_of_rounds(purification)


def _loop_knobs(config: Config) -> Any:
    """Return what the loop of either form takes."""
    from lnl_core.methods.dmlp import loops

    return loops.Knobs(
        period=config.period,
        steps=config.steps,
        sweeps=config.sweeps,
        keep=config.keep,
        lr=config.label_lr,
        head_lr=config.head_lr,
        head_batch=config.head_batch,
        balance=config.balance,
        penalty=config.penalty,
    )


def _outcome_of_rounds(purification: Rounds) -> dict[str, Array]:
    """Return which round was best, by what, and the curves over rounds."""
    accuracy = purification.best[0] if purification.choosing else np.nan
    best = {
        "rounds": np.array([purification.best[2]], np.int32),
        "held_out_accuracy": np.array([accuracy], np.float32),
    }
    curves = {f"curve.{name}": np.array(v, np.float32) for name, v in purification.history.items()}
    return best | curves


def _retrain(
    dataset: LabeledDataset,
    labels: Array,
    config: Config,
    context: Context,
    costs: list[Mapping[str, float]],
) -> dict[str, Array]:
    """Stage 3: plain training on the purified labels; the network is kept for later runs."""
    import torch
    from torch.nn import functional as F

    from lnl_core.learning import process_group, supervised

    first = process_group.current().broadcast(torch.from_numpy(np.asarray(labels, dtype=np.int64)))
    outcome = supervised.train(
        replace(dataset, given_labels=first.numpy()),
        config,
        context,
        loss=lambda logits, targets, epoch: supervised.Loss(F.cross_entropy(logits, targets), {}),
        probs=lambda logits: F.softmax(logits, dim=1),
        record_from=1 - 1 / config.epochs,
    )
    costs.append(outcome.cost)
    probs = outcome.recorder.mean_probs()
    predicted = probs.classes[:, 0] if isinstance(probs, TopProbs) else probs.argmax(axis=1)
    curves = {f"curve.{name}": value for name, value in outcome.curves.items()}
    return {"retrained_labels": np.asarray(predicted, np.int32)} | curves


def _prior(kind: str, given: Array, judged: Array, k: int) -> Array:
    """Return the class shares (k,) that mean predictions are pulled to."""
    if kind == "uniform":
        return np.full(k, 1 / k)
    # no class has share 0: a mean prediction of 0 would cost nothing there
    count = np.bincount(given if kind == "given" else judged, minlength=k) + 1e-3
    shares: Array = count / count.sum()
    return shares


def _all_kept(dataset: LabeledDataset) -> Signals:
    """Too few images or one class: every given label stands."""
    kept = _as_given(dataset)
    probs: Array | TopProbs = kept["probs"]
    if "classes" in kept:
        probs = TopProbs(kept["classes"], kept["probs"], len(dataset.class_names))
    extras = {"purified_labels": kept["purified_labels"]}
    return Signals(METHOD.key, kept["suspicion"], probs, extras=extras)


def _as_given(dataset: LabeledDataset) -> dict[str, Array]:
    """Return what a run says that has no label to move, or nothing to judge it by, by name."""
    given, k = np.asarray(dataset.given_labels, np.int64), len(dataset.class_names)
    # a thousandth for all classes together, so that a best other class exists
    probs = np.full((len(given), k), 1e-3 / max(k, 1), dtype=np.float32)
    probs[np.arange(len(given)), given] += 1 - 1e-3
    said = {"suspicion": np.zeros(len(given), np.float32), "purified_labels": given.astype("int32")}
    if k <= DENSE_CLASSES:
        return said | {"probs": probs}
    top = np.argsort(-probs, axis=1, kind="stable")[:, :KEPT_CLASSES]
    return said | {
        "classes": top.astype(np.int32),
        "probs": np.take_along_axis(probs, top, axis=1),
    }


METHOD = Method(
    key="dmlp",
    title="DMLP",
    summary="labels that a linear fit takes back",
    reference="Tu et al., CVPR 2023",
    config=Config,
    fit=fit,
    short="DMLP",
    good_for="very large sets; gains from confirmed images",
    shows="Its picture: the label before and after the fit, and the images that voted.",
    explanation=(
        "Labels become numbers that move until a linear fit of them, on frozen features, is right "
        "on confirmed images. It doubts a label that has moved to another class."
    ),
    place=4,
    leaves=(Leaves.PURIFIED_LABELS,),
    advice=(
        "Confirm ten images of each class in random order, or choose other features, then run "
        "DMLP again."
    ),
    hints=hints,
    needs=("features",),
    cost=work.cost,
    parallel=True,
)
