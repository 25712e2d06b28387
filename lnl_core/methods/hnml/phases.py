"""HNML's two phases: the loss of a batch before and in the meta phase, and when that begins."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from lnl_core.methods.hnml.knobs import Config
from lnl_core.types import LabeledDataset

if TYPE_CHECKING:
    from torch import Tensor

    from lnl_core.learning.training import Batch
    from lnl_core.methods.hnml.session import MetaSession


class Phases:
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
