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

from types import SimpleNamespace
from typing import Any

import numpy as np

from lnl_core.methods.hnml.knobs import Config
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

LEAST_UNLEARNED = 0.05
"""Smallest fall of the teacher's agreement that is worth a warning."""


def fit(dataset: LabeledDataset, config: Config, context: Context) -> Signals:
    """Train network and teacher once; score by the teacher, show where both labels are seen."""
    from lnl_core.learning import models, networks, supervised
    from lnl_core.methods.hnml import session as metatraining
    from lnl_core.methods.hnml.phases import Phases

    maps = _maps(config, context)

    def build(k: int, channels: int, size: int) -> Any:
        if maps is not None:
            return models.map_head(k, channels)
        return models.build(config.backbone, k, channels, size)

    by_teacher = config.network == "teacher"
    with metatraining.MetaSession(dataset, config, context, maps=maps, build=build) as session:
        phases = Phases(dataset, config, session, context.seed)
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
        return 1 + n * (0.001 + config.epochs * 1.2e-4 * extra), 1.3e8 + min(n, 20_000) * 3.3e4
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
    good_for="why: where networks look",
    shows="Its picture: where the network looks for the given class, and where for the other.",
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
