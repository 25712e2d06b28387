"""HNML: a step on disturbed labels should neither change the answer nor where the network looks.

Hierarchical Noise-tolerant Meta-Learning, a reconstruction: of Liu, Wang, Yang, Wang, Wang,
"Hierarchical Noise-Tolerant Meta-Learning With Noisy Labels", IEEE Signal Processing Letters 31,
2024, only the abstract could be read; no number of that paper is claimed. From the abstract: two
levels, meta-training with a consistency loss on predictions, meta-testing on class activation maps
with mask-guided self-learning on the foreground. From its visible ancestor (Li, Wong, Zhao,
Kankanhalli, "Learning to Learn from Noisy Labeled Data", CVPR 2019): labels disturbed by neighbour
transfer, one inner step, a mean teacher. The rest is ours; each decision is a knob.

Every batch: cross-entropy on the given labels, plus what is lost when the weights first move once
along the gradient of disturbed labels, and are then asked for the teacher's answer from the
foreground alone, and for the teacher's map inside it. The gradient goes through that move. Copies
of one picture count as one image, disturb no label of each other, and are held out together.

Suspicion: the teacher's logit of the best other class minus that of the given one, squeezed to
[0, 1] so that no order is lost.

Curves by epoch: `outer_loss`, `foreground_loss`, `map_loss`, `consistency_loss`, `ramp`,
`agreement` and `student_agreement` (share predicted as given), `empty_masks`, `train_loss`.
Extras: `suggested_label` (n,) best other class; `cam_given`, `cam_suggested` (n, u, v) float16 its
maps; what these two say in numbers, (n,) each (`metatraining.Evidence.NUMBERS`, see
`learning.cam.statistics`); `noise_rate` (1,) share predicted otherwise, a model guess; `meta_start`
(1,) epoch at which the meta phase began, -1 never; `teacher_fell` (1,) by how much the teacher's
agreement fell below its value at that start: a warning where it is large; `first_order` (1,) 1
where second derivatives were left out.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from lnl_core.learning.knobs import OPEN_BACKBONES, TrainingKnobs, knob, restate
from lnl_core.types import (
    Context,
    FloatArray,
    LabeledDataset,
    Leaves,
    LnlError,
    Method,
    Signals,
    TopProbs,
)

if TYPE_CHECKING:
    from torch import Tensor

    from lnl_core.learning.training import Batch
    from lnl_core.methods.hnml.session import MetaSession

SOURCES = ("pixels", "maps")
BACKBONES = (*OPEN_BACKBONES, "cnn3")
ORDERS = ("second", "first")
DISTURBANCES = ("neighbours", "uniform")
INNER = ("all", "last-block")
MASKS = ("hard", "soft")
MASKS_OF = ("teacher", "given")
STARTS = ("rule", "count")
NETWORKS = ("teacher", "student")
LEAST_UNLEARNED = 0.05
"""Smallest fall of the teacher's agreement that is worth a warning."""


@dataclass(frozen=True, slots=True)
class Config(TrainingKnobs):
    """Every knob; the paper's own values are unknown, these are ours."""

    renamed: ClassVar[dict[str, str]] = {
        **TrainingKnobs.renamed,
        "teacher_decay": "ema_decay",
    }

    frozen_on: ClassVar[tuple[str, ...]] = ("pretrained",)
    """Representations that have feature maps; asked for another one, the run takes pixels."""

    source: str = knob(
        "pixels", "Train on pixels, or on frozen feature maps.", SOURCES, group="advanced"
    )
    alpha: float = knob(1.0, "Length of the inner step; 0 is none.")
    eta: float = knob(4.0, "Weight of the meta-test loss.")
    mu_foreground: float = knob(1.0, "Weight of the teacher's answer from the foreground alone.")
    mu_map: float = knob(1.0, "Weight of the teacher's map inside the foreground.")
    mu_consistency: float = knob(0.0, "Weight of the teacher's answer from the whole image.")
    mu_background: float = knob(0.0, "Weight of an even answer from the background alone.")
    tau: float = knob(0.4, "Part of a map's maximum that counts as foreground.")
    mask: str = knob("hard", "Edge of the mask.", MASKS)
    mask_of: str = knob("teacher", "Mask from the teacher's class or the given one.", MASKS_OF)
    consistency: float = knob(1.0, "Weight of the teacher's answer in the inner step.")
    disturbed: float = knob(0.5, "Share of labels that are disturbed.")
    disturbance: str = knob("neighbours", "Where a disturbed label comes from.", DISTURBANCES)
    neighbours: int = knob(10, "Neighbours to take a label from.")
    tasks: int = knob(1, "Sets of disturbed labels (meta-tasks) per batch.")
    order: str = knob("second", "First order is cheaper and much weaker.", ORDERS, group="advanced")
    inner: str = knob("all", "Weights that the inner step moves.", INNER)
    start: str = knob(
        "count",
        "Begin the meta phase after warm_up, or by rule once held-out labels are "
        "predicted clearly above chance as well.",
        STARTS,
    )
    warm_up: int = knob(6, "Epochs before the meta phase, at least.")
    ramp: int = knob(6, "Epochs until its weight is full.")
    filter: bool = knob(
        False, "In the second half, give no weight to labels that the teacher doubts."
    )
    filter_below: float = knob(0.5, "Doubted: probability below this part of the highest.")
    filter_epochs: int = knob(8, "Epochs over which that weight falls to 0.")
    network: str = knob(
        "teacher",
        "Network whose predictions count: the teacher, or the one in training.",
        NETWORKS,
        group="scoring",
    )
    ema_decay: float = restate(
        "ema_decay", 0.99, text="Decay per step of the teacher: the EMA of the network's weights."
    )
    backbone: str = restate(
        "backbone", "auto", BACKBONES, "Network to train; cnn3 is for tiny images."
    )
    batch_size: int = restate("batch_size", 64)
    nesterov: bool = restate("nesterov", True)
    schedule: str = restate("schedule", "cosine")
    shift: int = restate("shift", 0)

    def __post_init__(self) -> None:
        TrainingKnobs.__post_init__(self)
        if min(self.tasks, self.neighbours) < 1:
            raise ValueError(
                f"tasks and neighbours must be at least 1, got {self.tasks} and {self.neighbours}"
            )
        if not (0 < self.tau <= 1 and 0 <= self.disturbed <= 1 and 0 < self.ema_decay < 1):
            raise ValueError(
                "tau must lie in (0, 1], disturbed in [0, 1] and ema_decay in (0, 1), got "
                f"{self.tau}, {self.disturbed} and {self.ema_decay}"
            )
        if min(self.alpha, self.eta, self.consistency, self.warm_up, self.ramp) < 0:
            raise ValueError(
                "alpha, eta, consistency, warm_up and ramp must be at least 0, got "
                f"{self.alpha}, {self.eta}, {self.consistency}, {self.warm_up} and {self.ramp}"
            )

    @classmethod
    def preset(cls, name: str, n: int, k: int, size: int) -> Self:
        """Return the knobs of `quick`, `standard` or `paper` for n images of `size` pixels.

        The paper's numbers are unknown: `paper` is the long run of our own reconstruction. On
        images above 16 pixels `quick` trains a head on frozen feature maps.
        """
        if name == "quick" and size > 16:
            return cls.on_features(name, n, k)
        if size <= 16:
            if name == "quick":
                return cls(backbone="cnn3")
            epochs = {"standard": 90, "paper": 120}[name]
            return cls(backbone="cnn3", epochs=epochs, start="rule", warm_up=0, filter=True)
        batch = 128 if n >= 4000 else 64
        epochs = {"standard": 40, "paper": 120}[name]
        steps = epochs * -(-n // batch)
        return cls(
            alpha=0.2,
            eta=1.5,
            start="rule",
            warm_up=epochs // 3,
            ramp=epochs // 5,
            filter=True,
            ema_decay=0.999 if steps > 10_000 else 0.99,
            backbone="resnet18" if name == "paper" or size > 64 else "resnet8-wide",
            epochs=epochs,
            batch_size=batch,
            lr=0.1,
            schedule="one_cycle",
            shift=-1,
        )

    def fine_tuned(self) -> Self:
        """Return these knobs for the few epochs of a network that knows ImageNet."""
        return dataclasses.replace(
            self,
            source="pixels",
            alpha=0.2,
            eta=1.5,
            start="count",
            warm_up=max(1, self.epochs // 3),
            ramp=1,
            filter=False,
        )

    @classmethod
    def on_features(cls, preset: str, n: int, k: int) -> Self:
        """Return the knobs of a head on frozen feature maps; small sets get more epochs."""
        batch = 128 if n >= 4000 else 64 if n >= 1000 else 32
        epochs = max(10, min(40, 600 * batch // max(n, 1))) if n <= 30_000 else 5
        epochs *= 1 if preset == "quick" else 2
        return cls(
            source="maps",
            alpha=0.3,
            eta=2.0,
            warm_up=epochs // 5,
            ramp=max(1, 3 * epochs // 10),
            filter=True,
            filter_epochs=max(1, 3 * epochs // 10),
            epochs=epochs,
            batch_size=batch,
            lr=0.02 if n >= 4000 else 0.005,  # 800 photographs: average precision .62, else .54
        )

    def for_several(self, representation: str, based: bool) -> bool:
        """Say whether several processes help: not for a head on frozen maps."""
        return representation == "pixels" and self.source == "pixels"


def fit(dataset: LabeledDataset, config: Config, context: Context) -> Signals:
    """Train network and teacher once; score by the teacher, show where both labels are seen."""
    from lnl_core.learning import models, networks, supervised
    from lnl_core.methods.hnml import session as metatraining

    maps = _maps(config, context)

    def build(k: int, channels: int, size: int) -> Any:
        if maps is not None:
            return models.map_head(k, channels)
        return models.build(config.backbone, k, channels, size)

    by_teacher = config.network == "teacher"
    with metatraining.MetaSession(dataset, config, context, maps=maps, build=build) as session:
        phases = _Phases(dataset, config, session, context.seed)
        for epoch in session.epochs():
            phases.begin(epoch)
            for batch in session.batches(epoch):
                session.step(phases.loss(batch, epoch))
            phases.end(epoch)
        evidence = metatraining.Evidence(
            session, teacher=by_teacher, tau=config.tau, feature_limit=supervised.FEATURE_LIMIT
        )
        kept = session.averaged if by_teacher else session.model
        if maps is None:
            networks.keep_network(context, session, kept)
        else:
            networks.keep_head(context, kept)
        curves = session.recorder.curves() | session.run_curves()
        started, cost = session.started, session.cost()
    probs, margin = evidence.probs, evidence.margin
    predicted = probs.classes[:, 0] if isinstance(probs, TopProbs) else probs.argmax(axis=1)
    return Signals(
        method=METHOD.key,
        # softsign: a sigmoid would round all large margins to 1
        suspicion=(1 + margin / (1 + np.abs(margin))) / 2,
        pred_probs=probs,
        features=evidence.features,
        curves=curves,
        extras={
            **evidence.extras,
            "noise_rate": np.array([np.mean(predicted != dataset.given_labels)], np.float32),
            "meta_start": np.array([started], np.int32),
            "teacher_fell": np.array([_fall(curves["agreement"], started)], np.float32),
            "first_order": np.array([config.order == "first"], np.uint8),
        },
        cost=cost,
    )


class _Phases:
    """The loss of a batch, before and in the meta phase, and when that begins."""

    def __init__(
        self, dataset: LabeledDataset, config: Config, session: MetaSession, seed: int
    ) -> None:
        import torch

        from lnl_core.learning import holding_out
        from lnl_core.methods.hnml import bilevel

        self._config, self._session = config, session
        self._meta = bilevel.Meta(
            **{f.name: getattr(config, f.name) for f in dataclasses.fields(bilevel.Meta)}
        )
        self._student, self._teacher = session.extractors()
        self._weights = bilevel.inner_weights(self._student, config.inner)
        trusted = np.zeros(len(dataset), bool) if dataset.trusted is None else dataset.trusted
        self._trusted = torch.from_numpy(np.array(trusted, bool)).to(session.device)
        share = holding_out.SHARE if config.start == "rule" else 0.0
        groups = dataset.groups
        held = holding_out.held_out(len(dataset), share, seed, trusted, groups)
        self._held = held.to(session.device)
        self._groups, self._shares = None, torch.ones(len(dataset), device=session.device)
        if groups is not None and (times := np.bincount(groups)[groups]).max() > 1:
            self._groups = torch.from_numpy(np.array(groups, np.int64)).to(session.device)
            self._shares /= torch.from_numpy(times).to(session.device)

    def begin(self, epoch: int) -> None:
        """Open an epoch; without a warm-up the meta phase begins with the first one."""
        if self._session.started < 0 and epoch >= self._config.warm_up and not self._held.any():
            self._session.started = epoch
        self._student.train(self._session.n > 1)
        self._teacher.eval()

    def loss(self, batch: Batch, epoch: int) -> Tensor:
        """Return the scalar loss of a batch (spec 2.3), noting its parts for the curves."""
        from torch.nn import functional as F

        from lnl_core.methods.hnml import bilevel

        session, config = self._session, self._config
        logits = session.group.sharded_forward(
            lambda images: self._student(images)[0], batch.images
        )
        logits = logits.float()  # (b, k)
        outer = F.cross_entropy(logits, batch.labels, reduction="none")  # (b,)
        right = (logits.detach().argmax(dim=1) == batch.labels).float()
        session.note("student_agreement", right.mean())
        if session.started < 0 or not config.eta:
            learned = (~self._held[batch.rows]).float() * self._shares[batch.rows]
            loss = (outer * learned).sum() / learned.sum().clamp_min(1e-3)
            notes = dict.fromkeys(("foreground", "map", "consistency", "total"), 0.0 * loss)
            weight, empty = 0.0, 0.0 * loss
        else:
            view = bilevel.teacher_view(
                self._teacher, batch.images, self._meta, batch.labels, session.group
            )
            session.tick()
            shares = self._shares[batch.rows]
            counted = self._label_weights(batch, view.log_probs, epoch) * shares
            loss = (outer * counted).sum() / shares.sum()
            weight = bilevel.ramp(epoch, session.started, config.ramp)
            notes = bilevel.meta_loss(
                self._student,
                logits,
                batch.images,
                self._tasks(batch, view.features),
                view,
                self._meta,
                weights=self._weights,
                pause=session.tick,
                group=session.group,
            )
            empty = 1 - view.seen.float().mean()
        session.note("outer_loss", loss)
        for name in ("foreground", "map", "consistency"):
            session.note(f"{name}_loss", notes[name])
        session.note("ramp", weight)
        session.note("empty_masks", empty)
        return loss + config.eta * weight * notes["total"]

    def _tasks(self, batch: Batch, features: Tensor) -> Tensor:
        """Return the disturbed labels of each meta-task, (t, b); confirmed ones stay."""
        import torch

        from lnl_core.methods.hnml import bilevel

        config, labels = self._config, batch.labels
        classes = self._session.k if config.disturbance == "uniform" else None
        more: dict[str, Any] = {"locked": self._trusted[batch.rows], "classes": classes}
        if self._groups is not None:
            more["groups"] = self._groups[batch.rows]
        share, near, draw = config.disturbed, config.neighbours, self._session.generator
        tasks = range(config.tasks)
        return torch.stack(
            [bilevel.disturb(labels, features, share, near, draw, **more) for _ in tasks]
        )

    def _label_weights(self, batch: Batch, log_probs: Tensor, epoch: int) -> Tensor:
        """Return the weight of each given label in the outer loss, (b,): 1 unless `filter`."""
        from lnl_core.methods.hnml import bilevel

        config = self._config
        since = epoch + 1 - config.epochs // 2
        fade = min(1.0, max(since, 0) / max(config.filter_epochs, 1)) if config.filter else 0.0
        doubted = bilevel.doubted(log_probs, batch.labels, config.filter_below)
        return 1 - fade * (doubted & ~self._trusted[batch.rows]).float()

    def end(self, epoch: int) -> None:
        """Record the teacher's predictions; by rule, decide whether the meta phase begins."""
        import torch

        from lnl_core.learning import holding_out

        session, held = self._session, self._held
        right = torch.zeros(session.n, device=session.device)
        for rows, (logits,) in session.predictions():
            probs, labels = torch.softmax(logits, dim=1), session.labels[rows]
            p_given = probs.gather(1, labels[:, None]).squeeze(1)
            # a float32 probability can be exactly 0
            session.recorder.add(rows, probs, -p_given.clamp_min(1e-7).log())
            right[rows] = (probs.argmax(dim=1) == labels).float()
        session.note("agreement", right.mean())
        if session.started < 0 and held.any() and epoch + 1 >= self._config.warm_up:
            share = float(right[held].mean())
            if holding_out.beats_chance(share, session.labels[held], session.k):
                session.started = epoch + 1


def _maps(config: Config, context: Context) -> FloatArray | None:
    """Return the frozen maps that a run trains on, None for pixels."""
    if config.source == "pixels" and context.representation == "pixels":
        return None
    if context.representation not in ("pixels", "auto", "pretrained"):
        raise LnlError(
            f"HNML needs feature maps, and the representation {context.representation} has none. "
            "Choose pretrained, or pixels."
        )
    return context.maps()


def _fall(agreement: FloatArray, started: int) -> float:
    """Return by how much the teacher ends below its agreement at the start of the meta phase."""
    if started < 1 or started >= len(agreement):
        return 0.0
    return max(0.0, float(agreement[started - 1]) - float(agreement[-1]))


def cost(n: int, size: int, config: Config) -> tuple[float, float]:
    """Return (seconds, bytes) on two cores, from runs on 8,000 images of 32 pixels."""
    from lnl_core.methods import _estimate

    share = max(0.0, 1 - config.warm_up / config.epochs)  # of the run that pays for both levels
    extra = 1 + 4.5 * share * (0.5 if config.order == "first" else 1.0) * config.tasks
    if config.source == "maps":
        return 5 + n * (0.007 + config.epochs * 4e-4 * extra), 1.3e8 + min(n, 20_000) * 3.3e4
    backbone = "resnet8" if config.backbone == "cnn3" else config.backbone
    knobs = {name: getattr(config, name) for name in ("epochs", "batch_size", "resolution")}
    known = SimpleNamespace(backbone=backbone, record_from=0.0, **knobs)
    seconds, held = _estimate.training_cost(n, size, known)
    if backbone == "auto":
        backbone = "resnet8" if size <= 64 else "resnet18"
    seen = min(size, config.resolution) if config.resolution else size
    return seconds * extra, held + _estimate.step_bytes(backbone, seen, config.batch_size)


def doubts(signals: Signals) -> list[str]:
    """Say where the teacher unlearned more than wrong labels."""
    extras = signals.extras
    fell = float(extras["teacher_fell"][0]) if "teacher_fell" in extras else 0.0
    if fell < LEAST_UNLEARNED:
        return []
    return [
        f"Its teacher agreed with the given labels {fell:.0%} less often at the end than when the "
        "meta phase began: it unlearned more than wrong labels."
    ]


METHOD = Method(
    key="hnml",
    title="HNML",
    summary="answers robust to disturbed labels",
    reference="Liu et al., IEEE SPL 2024 (reconstruction from the abstract)",
    config=Config,
    fit=fit,
    short="HNML",
    good_for="why: where the network looks",
    explanation=(
        "A step on disturbed labels should change neither a network's answer nor where it looks. "
        "It doubts a label where the network, averaged over its training, sees another class."
    ),
    place=5,
    leaves=(Leaves.NETWORK, Leaves.FEATURES, Leaves.CURVES, Leaves.MAPS),
    advice="Run HNML again with a smaller eta or alpha (half of it) or a longer warm_up.",
    doubts=doubts,
    reconstruction=True,
    cost=cost,
    parallel=True,
)
