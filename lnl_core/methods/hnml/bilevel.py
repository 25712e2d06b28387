"""A step on disturbed labels, and the gradient of what it costs: HNML's bi-level objective.

One training step takes a batch whose labels are disturbed in a plausible way, moves the weights
once along the gradient of that (meta-training), and asks the moved network to agree with a slow
teacher on the image's foreground (meta-testing). The gradient of that loss is taken *through* the
move, so second derivatives are needed.

References: Liu et al., "Hierarchical Noise-Tolerant Meta-Learning With Noisy Labels", IEEE SPL 2024
(abstract only: a reconstruction); Li, Wong, Zhao, Kankanhalli, "Learning to Learn from Noisy
Labeled Data", CVPR 2019 (neighbour transfer, inner step, mean teacher); Finn, Abbeel, Levine,
"Model-Agnostic Meta-Learning", ICML 2017.

Shapes: `b` batch, `k` classes, `d` maps of (u, v) places, `t` meta-tasks.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from lnl_core.learning import cam, hardware
from lnl_core.learning.models import Network
from lnl_core.learning.process_group import ProcessGroup

ORDERS = ("second", "first")
ALONE = ProcessGroup()


@dataclass(frozen=True, slots=True)
class Meta:
    """Weights and sizes of the bi-level objective; what each one means is in HNML's `Config`."""

    alpha: float = 1.0
    consistency: float = 1.0
    mu_foreground: float = 1.0
    mu_map: float = 1.0
    mu_consistency: float = 0.0
    mu_background: float = 0.0
    tau: float = 0.4
    disturbed: float = 0.5
    neighbours: int = 10
    tasks: int = 1
    disturbance: str = "neighbours"
    order: str = "second"
    mask: str = "hard"
    mask_of: str = "teacher"


class FeatureExtractor(nn.Module):
    """A network whose call gives logits (b, k) and the maps (b, d, u, v) behind them.

    The convolutions may run in bfloat16; from the maps on it is the type of the last layer.
    """

    def __init__(self, network: Network, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.network, self.dtype = network, dtype

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits (b, k) and maps (b, d, u, v)."""
        with hardware.autocast(images.device, self.dtype):
            maps = self.network.maps(images)
        maps = maps.to(self.network.head.weight.dtype)
        return self.network.head(self.network.neck(maps)), maps


@dataclass(frozen=True, slots=True)
class TeacherView:
    """What the teacher says about a batch; constants, without gradient.

    Attributes:
        log_probs: (b, k).
        labels: (b,) its most probable class.
        confidence: (b,) that class's probability.
        features: (b, d) averaged maps.
        shown: (b,) the class whose map gives the mask.
        mask: (b, u, v) in [0, 1], 1 = foreground.
        target: (b, u, v) mask times the normalised map of `labels`.
        seen: (b,) bool, False where the mask is empty.
    """

    log_probs: Tensor
    labels: Tensor
    confidence: Tensor
    features: Tensor
    shown: Tensor
    mask: Tensor
    target: Tensor
    seen: Tensor

    def each(self, change: Callable[[Tensor], Tensor]) -> TeacherView:
        """Return the view with every tensor changed alike."""
        return TeacherView(*(change(getattr(self, field.name)) for field in fields(self)))


def ramp(epoch: int, start: int, length: int) -> float:
    """Return the weight of the meta-test loss, exp(-5 (1 - u)^2), u from 0 to 1 over `length`.

    The ramp of Laine and Aila, "Temporal Ensembling", ICLR 2017.
    """
    u = 1.0 if length <= 0 else min(max((epoch - start) / length, 0.0), 1.0)
    return math.exp(-5 * (1 - u) ** 2)


def kl(log_target: Tensor, logits: Tensor) -> Tensor:
    """Return KL(target || softmax(logits)) summed over classes, (b,): its mean is `batchmean`."""
    gap = log_target - F.log_softmax(logits, dim=1)
    return (log_target.exp() * gap).sum(dim=1)


def neighbours_of(features: Tensor, count: int, groups: Tensor | None = None) -> Tensor:
    """Return the `count` nearest other rows by cosine, (b, min(count, b - 1)); copies come last."""
    unit = F.normalize(features.float(), dim=1)
    alike = unit @ unit.T
    if groups is not None:
        alike.masked_fill_(groups[:, None] == groups, -2.0)  # below every cosine
    alike.fill_diagonal_(-math.inf)
    return alike.topk(min(count, len(features) - 1), dim=1).indices


def disturb(
    labels: Tensor,
    features: Tensor,
    share: float,
    count: int,
    generator: torch.Generator,
    *,
    locked: Tensor | None = None,
    classes: int | None = None,
    groups: Tensor | None = None,
) -> Tensor:
    """Give a random share of rows the label of one of their nearest neighbours in the batch.

    MLNT, section 3.1; drawn anew at every call. A copy is no neighbour: its label disturbs nothing.

    Args:
        labels: (b,).
        features: (b, d) of the teacher.
        share: part of the rows that are picked, in [0, 1]; round(share * b) of them.
        count: neighbours to choose from.
        generator: on the CPU; it advances by an amount that depends on b only.
        locked: (b,) bool, rows that keep their label.
        classes: draw from 0..classes-1 evenly instead of from neighbours.
        groups: (b,) equal where rows are copies of one picture, or None.

    Returns:
        (b,) labels.
    """
    b = len(labels)
    order = torch.randperm(b, generator=generator)[: round(share * b)]
    draws = torch.rand(b, generator=generator)
    if b < 2 or not len(order):
        return labels.clone()
    if classes is not None:
        new = (draws * classes).long().clamp_max(classes - 1).to(labels.device, non_blocking=True)
    else:
        near = neighbours_of(features, count, groups)  # (b, count)
        pick = (
            (draws * near.shape[1])
            .long()
            .clamp_max(near.shape[1] - 1)
            .to(labels.device, non_blocking=True)
        )
        new = labels[near.gather(1, pick[:, None]).squeeze(1)]
    picked = torch.zeros(b, dtype=torch.bool)
    picked[order] = True
    picked = picked.to(labels.device, non_blocking=True)
    if locked is not None:
        picked &= ~locked
    return torch.where(picked, new, labels)


def doubted(log_probs: Tensor, labels: Tensor, below: float) -> Tensor:
    """Return which labels have less than `below` times the highest probability, (b,) bool.

    Args:
        log_probs: (b, k) of the teacher.
        labels: (b,) given.
        below: in [0, 1].
    """
    given = log_probs.gather(1, labels[:, None]).squeeze(1)
    return (given - log_probs.amax(dim=1)).exp() < below  # a ratio, so no 0 / 0


@torch.no_grad()
def teacher_view(
    teacher: FeatureExtractor,
    images: Tensor,
    meta: Meta,
    labels: Tensor | None = None,
    group: ProcessGroup = ALONE,
) -> TeacherView:
    """Return what the teacher, in evaluation mode, predicts for a batch.

    Args:
        teacher: network in evaluation mode.
        images: (b, c, h, w), the same view that the student sees.
        meta: `tau`, `mask`, `mask_of`.
        labels: (b,) given labels, for a mask from the given label's map.
        group: each of its processes predicts its share, and all get the whole.
    """
    b, here = len(images), group.shard(len(images))
    logits, maps = teacher(images[here])
    log_probs = F.log_softmax(logits, dim=1)
    best, own = log_probs.max(dim=1)
    shown = labels[here] if meta.mask_of == "given" and labels is not None else own
    weights = teacher.network.head.weight
    map_own, map_shown = cam.of_classes(maps, weights, torch.stack([own, shown], 1)).unbind(1)
    height = cam.normalised(map_shown)
    mask = (height >= meta.tau).to(maps.dtype)
    seen = mask.flatten(1).any(dim=1)
    if meta.mask == "soft":
        mask = height
    view = TeacherView(
        log_probs, own, best.exp(), maps.mean((2, 3)), shown, mask,
        mask * cam.normalised(map_own), seen,
    )  # fmt: skip
    return view.each(lambda part: group.all_gather(part, b))


def foreground(images: Tensor, view: TeacherView, *, background: bool = False) -> Tensor:
    """Return images whose places outside the mask show the image's own mean per channel.

    Args:
        images: (b, c, h, w).
        view: with the mask (b, u, v), enlarged by nearest neighbour.
        background: blank the foreground instead. Rows without a mask stay whole.
    """
    mask = F.interpolate(view.mask[:, None], images.shape[2:], mode="nearest")
    mask = 1 - mask if background else mask
    mask = torch.where(view.seen[:, None, None, None], mask, torch.ones_like(mask))
    mean = images.mean(dim=(2, 3), keepdim=True)
    return torch.lerp(mean.expand_as(images), images, mask.to(images.dtype).expand_as(images))


def inner_weights(extractor: FeatureExtractor, which: str = "all") -> dict[str, nn.Parameter]:
    """Return the weights that the inner step moves; frozen ones are left out.

    Args:
        extractor: of the student.
        which: `all`, or `last-block`: the last part of the body and the last layer.
    """
    named = {name: w for name, w in extractor.named_parameters() if w.requires_grad}
    if which == "all":
        return named
    blocks = [name for name in named if name.startswith("network.body.")]
    last = blocks[-1].split(".")[2] if blocks else ""
    kept = ("network.head.", "network.neck.", f"network.body.{last}.")
    return {name: w for name, w in named.items() if name.startswith(kept)}


def inner_gradients(
    logits: Tensor,
    weights: Sequence[Tensor],
    labels: Tensor,
    log_target: Tensor,
    consistency: float,
    *,
    batched: bool = True,
) -> list[tuple[Tensor, ...]]:
    """Return the gradients of the meta-training loss of each task, differentiable once more.

    The loss is mean CE(z, labels) + consistency * mean KL(target || softmax z); its derivative by
    the logits is known in closed form, so one graph serves every task.

    Args:
        logits: (b, k) of the student, with graph.
        weights: tensors that the gradient is taken by.
        labels: (t, b) disturbed labels.
        log_target: (b, k) of the teacher.
        consistency: weight of the second term.
        batched: all tasks in one call (the same numbers).

    Returns:
        t tuples of gradients, as `weights`.
    """
    b, k = logits.shape
    wanted = F.one_hot(labels, k).to(logits.dtype) + consistency * log_target.exp()  # (t, b, k)
    pull = ((1 + consistency) * F.softmax(logits, dim=1) - wanted) / b
    if batched and len(labels) > 1:
        stacked = torch.autograd.grad(
            logits, weights, pull, create_graph=True, is_grads_batched=True
        )
        return [tuple(g[i] for g in stacked) for i in range(len(labels))]
    return [torch.autograd.grad(logits, weights, each, create_graph=True) for each in pull]


def meta_loss(
    student: FeatureExtractor,
    logits: Tensor,
    images: Tensor,
    labels: Tensor,
    view: TeacherView,
    meta: Meta,
    *,
    weights: Mapping[str, Tensor] | None = None,
    pause: Callable[[], None] = lambda: None,
    group: ProcessGroup = ALONE,
) -> dict[str, Tensor]:
    """Return the meta-test loss by term, averaged over tasks; `total` is their weighted sum.

    Running statistics of batch norm are left alone: the moved network works on copies. Of several
    processes each runs its share of the rows, here and in `logits`. The inner gradients are summed
    before the move, by a sum that gradients flow back through, so all move alike; what the weights
    enter into stays with the own rows, and the terms are of the whole batch everywhere.

    Args:
        student: in training mode.
        logits: (b, k) of `student(images)`, with graph.
        images: (b, c, h, w).
        labels: (t, b) disturbed labels.
        view: of the teacher.
        meta: weights and sizes.
        weights: what the inner step moves; all trainable weights where None.
        pause: called between the expensive parts, may raise.
        group: the processes that share the batch.
    """
    moved = dict(inner_weights(student) if weights is None else weights)
    gradients = inner_gradients(
        logits,
        list(moved.values()),
        labels,
        view.log_probs,
        meta.consistency,
        batched=group.size == 1,
    )
    pause()
    here = group.shard(len(images))
    images, mine = images[here], view.each(lambda whole: whole[here])
    seen_images = foreground(images, mine)
    behind = foreground(images, mine, background=True) if meta.mu_background else None
    sums: dict[str, Tensor] = {}
    for task in gradients:
        if meta.order == "first":
            task = tuple(g.detach() for g in task)
        fast = {
            name: weight - meta.alpha * gradient
            for (name, weight), gradient in zip(moved.items(), group.all_reduce(task), strict=True)
        }
        for name, value in _test(student, fast, images, seen_images, behind, view, pause, group):
            sums[name] = sums.get(name, torch.zeros((), device=value.device)) + value
    terms = {name: value / len(gradients) for name, value in sums.items()}
    terms["total"] = (
        meta.mu_foreground * terms["foreground"]
        + meta.mu_map * terms["map"]
        + meta.mu_consistency * terms["consistency"]
    )
    if behind is not None:
        terms["total"] = terms["total"] + meta.mu_background * terms["background"]
    return terms


def _test(
    student: FeatureExtractor,
    fast: Mapping[str, Tensor],
    images: Tensor,
    seen_images: Tensor,
    behind: Tensor | None,
    view: TeacherView,
    pause: Callable[[], None],
    group: ProcessGroup,
) -> list[tuple[str, Tensor]]:
    """Return the terms of one task: the moved network beside the teacher, on the own rows."""
    b = len(view.labels)
    labels, target = (whole[group.shard(b)] for whole in (view.labels, view.target))

    def run(batch: Tensor) -> tuple[Tensor, Tensor]:
        copies = {name: value.clone() for name, value in student.named_buffers()}
        outputs: tuple[Tensor, Tensor] = functional_call(student, {**fast, **copies}, (batch,))
        pause()
        return outputs

    whole, maps = run(images)
    part, _ = run(seen_images)
    head = fast.get("network.head.weight", student.network.head.weight)
    own = cam.normalised(cam.of_classes(maps, head, labels[:, None]).squeeze(1))
    apart = group.all_gather((own - target).square().mean(dim=(1, 2)), b)  # (b,)
    apart = view.confidence * apart
    whole, part = group.all_gather(whole, b), group.all_gather(part, b)
    seen = view.seen.to(whole.dtype)
    count = seen.sum().clamp_min(1)
    terms = [
        ("foreground", (seen * kl(view.log_probs, part)).sum() / count),
        ("map", (seen * apart).sum() / count),
        ("consistency", kl(view.log_probs, whole).mean()),
    ]
    if behind is not None:
        flat = torch.full_like(view.log_probs, -math.log(view.log_probs.shape[1]))
        hidden = group.all_gather(run(behind)[0], b)
        terms.append(("background", (seen * kl(flat, hidden)).sum() / count))
    return terms
