"""Jump-teaching's session, and one epoch of it: read the flags, learn, write the flags."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from lnl_core.methods.jump.knobs import Config
from lnl_core.types import Context, LabeledDataset

if TYPE_CHECKING:
    from torch import Tensor

    from lnl_core.learning.training import Batch, Session
    from lnl_core.methods.jump.codes import JumpTable
    from lnl_core.methods.jump.warm_up import WarmUp

STRIP_LIMIT = 64_000_000
"""Most sub-losses kept for the review page (float16, so 128 MB)."""


def open_session(dataset: LabeledDataset, config: Config, context: Context, bits: int) -> Session:
    """Return a session with a two-headed network and an empty jump table."""
    import torch

    from lnl_core.learning import models
    from lnl_core.learning.training import Session
    from lnl_core.methods.jump import codes as semantic_codes

    def build(k: int, channels: int, size: int) -> Any:
        name = models.auto_name(size) if config.backbone == "auto" else config.backbone
        if context.representation != "pixels":
            name = "head"
        return semantic_codes.build(name, k, channels, size, bits, config.dropout)

    n = len(dataset)
    tensors = {
        "table": torch.zeros(config.jump_step, n, dtype=torch.bool),
        "flags": torch.zeros(config.epochs, -(-n // 8), dtype=torch.uint8),
        "rejected": torch.zeros(n),
        "started": torch.full((1,), -1, dtype=torch.int64),
        "sub_loss_mean": torch.zeros(n),
        "sub_loss_variance": torch.zeros(n),
        "code_label": torch.zeros(n, dtype=torch.int32),
        "code_probability": torch.zeros(n),
        "code_given": torch.zeros(2, n),
        "heads_disagree": torch.zeros(n, dtype=torch.uint8),
    }
    if n * bits <= STRIP_LIMIT:
        tensors["sub_losses"] = torch.zeros(n, bits, dtype=torch.float16)
    return Session(dataset, config, context, build=build, tensors=tensors)


def train_epoch(
    session: Session,
    table: JumpTable,
    codes: Tensor,
    config: Config,
    epoch: int,
    seed: int,
    trusted: Tensor | None = None,
    warm_up: WarmUp | None = None,
    *,
    decide: Callable[[Tensor], Tensor] | None = None,
    watch: Callable[[Tensor], None] | None = None,
) -> None:
    """Go once over the images: forward, READ the table, loss, WRITE the table, step.

    Reading before writing is the method (spec 2.5): the other way round the present network
    would choose what it learns from, and nothing else would look different.

    Args:
        session: the run.
        table: flags of earlier epochs.
        codes: (k, K) codebook on the device.
        config: knobs.
        epoch: from 0.
        seed: of the run.
        trusted: (n,) bool, rows that are used whatever the table says; None for none.
        warm_up: says whether it lasts and ends it; by the knobs' number of epochs where None.
        decide: rows -> flags to write, in place of the criterion (tests).
        watch: called with the flags that were read, after warm-up (tests).
    """
    import torch
    from torch.nn import functional as F

    from lnl_core.methods.jump import codes as semantic_codes

    warming = epoch < config.warm_up if warm_up is None else warm_up.lasts(epoch)
    # an undecided code has a mean sub-loss of ln 2; half of it asks for a clear answer
    guard = 0.5 * math.log(2) if config.guard else math.inf
    mixing = np.random.default_rng([seed & 0xFFFFFFFF, epoch, 3])
    # every row is read before it is written, so what this epoch reads is known as it begins:
    # asked in the host's memory, a batch without any chosen row does not stop the device
    known = table.written(epoch).to("cpu", torch.bool, copy=True)
    if trusted is not None:
        known = known | trusted.cpu()
    sums = torch.zeros(2, 2, device=session.device)  # of now and of then: loss and count
    for batch in session.batches(epoch, None if warming else _stronger(session, config)):
        if config.schedule == "cosine":
            _end_above_zero(session, config)
        out = session.forward(_mixed(batch, mixing, config.beta), batch.rows)
        logits, sub = out[:, : session.k], out[:, session.k :]
        sub = semantic_codes.sub_losses(sub, codes[batch.labels])  # (b, K)
        read = table.read(batch.rows, epoch)
        chosen = read.bool()
        if warming:
            every = torch.ones_like(chosen)
            chosen = every if warm_up is None else warm_up.learns(batch.rows)
        if trusted is not None:
            chosen = chosen | trusted[batch.rows]
        loss = semantic_codes.selected_loss(logits, batch.labels, sub, chosen, config.temperature)
        with torch.no_grad():
            agree, steady = semantic_codes.clean_clauses(
                logits, batch.labels, sub, tau=config.tau, guard=guard
            )
            if warming and warm_up is not None:
                warm_up.saw(batch.rows, agree)
            flags = agree | steady if decide is None else decide(batch.rows)
            table.write(batch.rows, epoch, flags)
            losses = F.cross_entropy(logits, batch.labels, reduction="none")  # (b,)
            session.record(batch, torch.softmax(logits, dim=1), losses, average=False)
            shares = torch.stack([agree, steady, agree | steady, chosen]).float().mean(1)
            for name, value in zip(("agree", "steady", "clean", "chosen"), shares, strict=True):
                session.note(name, value)
            masks = torch.stack([flags.bool(), chosen]).to(losses.dtype)  # (2, b)
            sums += torch.stack([masks @ losses, masks.sum(1)], 1)
        if watch is not None and not warming:
            watch(read)
        if warming or bool(known[batch.at].any()):
            session.step(loss)
    if warming and warm_up is not None:
        warm_up.end(epoch)
    session.note("loss_now", sums[0, 0] / sums[0, 1])
    session.note("loss_then", sums[1, 0] / sums[1, 1])


def _mixed(batch: Batch, mixing: np.random.Generator, beta: float) -> Tensor:
    """Return lam * weak + (1 - lam) * strong view of the same images; the weak one in warm-up."""
    if batch.changed is None:
        return batch.images
    share = float(mixing.beta(beta, beta))
    return batch.images.lerp(batch.changed, min(share, 1 - share))


def _stronger(session: Session, config: Config) -> Callable[[Tensor], Tensor]:
    """Return what makes the strong view of uint8 images."""
    from lnl_core.methods.jump.strong_views import rand_augment

    side = min(session.source.height, session.source.width)

    def stronger(images: Tensor) -> Tensor:
        return rand_augment(
            images,
            session.generator,
            operations=config.operations,
            magnitude=config.magnitude,
            cutout=int(config.strong_cutout * side),
        )

    return stronger


def _end_above_zero(session: Session, config: Config) -> None:
    """Squeeze the engine's cosine, which ends at 0, between `lr_end` and `lr`."""
    for group in session.optimizer.param_groups:
        group["lr"] = config.lr_end + group["lr"] * (1 - config.lr_end / config.lr)


def trusted_rows(dataset: LabeledDataset, session: Session) -> Tensor | None:
    """Return the rows that people confirmed, (n,) bool on the device; None for none."""
    import torch

    if dataset.trusted is None or not np.any(dataset.trusted):
        return None
    return torch.from_numpy(np.asarray(dataset.trusted, dtype=bool)).to(session.device)
