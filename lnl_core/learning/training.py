"""The engine that every method trains with: one `Session` per run.

A method reads top to bottom:

    with training.Session(dataset, knobs, context) as session:
        for epoch in session.epochs():
            for batch in session.batches(epoch):
                logits = session.forward(batch.images, batch.rows)  # (b, k) float32
                loss = losses.cross_entropy(F.log_softmax(logits, 1), batch.labels)  # (b,)
                session.step(loss.mean())
                session.record(batch, F.softmax(logits, 1), loss)
        probs = session.predict_probs()

`epochs` resumes after the last checkpoint and writes one at the end of every epoch. All randomness
of an epoch derives from (seed, epoch), so a resumed run equals an uninterrupted one to the last
bit.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn

from lnl_core.learning import checkpoints, hardware, models, process_group
from lnl_core.learning.augment import Augment, augment, views_of
from lnl_core.learning.batching import Batch, cuts_of, shares_of
from lnl_core.learning.frozen import FeatureSource, blank
from lnl_core.learning.images import ImageSource
from lnl_core.learning.knobs import TrainingKnobs
from lnl_core.learning.moving_average import Ema
from lnl_core.learning.optimizer import Sgd
from lnl_core.learning.recorder import ProbabilityRecorder
from lnl_core.learning.schedule import learning_rate
from lnl_core.learning.seeds import derive_seed, generator_for, seed_everything, seeded
from lnl_core.types import Array, Context, FloatArray, LabeledDataset, LnlError

__all__ = [
    "Batch",
    "Session",
    "TrainingKnobs",
    "derive_seed",
    "generator_for",
    "learning_rate",
    "percentile",
    "seeded",
]

_TICK = 0.5
"""Seconds between two reports."""

_BLOCK_PIXELS = 1 << 20
"""Pixels of the images whose second views are made at once: a hundred small calls on a thousand
small images cost little more than on a hundred."""


def percentile(scores: Array) -> FloatArray:
    """Turn any score into its rank in [0, 1], (n,) float64; equal scores share a mean rank."""
    _, inverse, count = np.unique(np.asarray(scores), return_inverse=True, return_counts=True)
    below = np.cumsum(count) - count
    ranks: FloatArray = (below + (count - 1) / 2)[inverse] / max(len(inverse) - 1, 1)
    return ranks


class Session:
    """One training run: model, optimiser, data on the device, records, checkpoints, progress.

    Attributes:
        model: the network in training.
        averaged: EMA of its weights, or the model itself where the knobs ask for none.
        recorder: what was said about every example.
        tensors: further tensors by name that a method wants in the checkpoint.
        history: name -> one number per epoch (`train_loss` and what `note` adds).
        source, device, generator (of the epoch at hand), knobs, labels (n,), k, n.
    """

    def __init__(
        self,
        dataset: LabeledDataset,
        knobs: TrainingKnobs,
        context: Context,
        *,
        build: Callable[[int, int, int], nn.Module] | None = None,
        tensors: Mapping[str, Tensor] | None = None,
    ) -> None:
        """Prepare a run; nothing is trained yet.

        Args:
            dataset: given labels are used, true labels never.
            knobs: how to train.
            context: device, seed, progress, checkpoints.
            build: (k, channels, size) -> network; the knobs' backbone where None.
            tensors: initial values of `tensors`; a checkpoint overwrites them.
        """
        self.knobs, self._context = knobs, context
        self.device = hardware.pick_device(context.device)
        self.dtype = hardware.precision(self.device)
        self.group = process_group.current()
        self.n, self.k = len(dataset), len(dataset.class_names)
        self._guard = seeded(derive_seed(context.seed, 0))
        self._dataset, self._build = dataset, build
        self._tensors_at_start = dict(tensors or {})
        self.history: dict[str, list[float]] = {}
        self._noted: dict[str, list[Tensor]] = {}

    def __enter__(self) -> Self:
        self._guard.__enter__()
        try:
            self._prepare()
        except BaseException as error:
            self._guard.__exit__(type(error), error, error.__traceback__)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._guard.__exit__(kind, error, trace)

    def _prepare(self) -> None:
        knobs, context = self.knobs, self._context
        self._last_tick, self._epoch_now, self._step, self._fraction = 0.0, 0, 0, 0.0
        self._losses: list[Tensor] = []
        saved = context.load()
        earlier = saved[1].get("cost") if saved else None
        self._meter = hardware.CostMeter(self.device, earlier)
        self.on_features = context.representation != "pixels"
        self.source = self._open_source()
        size = max(self.source.height, self.source.width)
        channels = self.source.channels
        backbone = "head" if self.on_features else knobs.backbone
        make = self._build or (lambda k, c, s: models.build(backbone, k, c, s))
        self.model = self.group.wrap(make(self.k, channels, size).to(self.device))
        self.averaged = copy.deepcopy(self.model) if knobs.ema_decay else self.model
        self.optimizer = Sgd(
            self.model.parameters(),
            lr=knobs.lr,
            momentum=knobs.momentum,
            weight_decay=knobs.weight_decay,
            nesterov=knobs.nesterov,
        )
        labels = np.asarray(self._dataset.given_labels, np.int64)
        self.labels = torch.as_tensor(labels, device=self.device)  # (n,)
        self.recorder = ProbabilityRecorder(labels, self.k, knobs.epochs, self.device)
        self.tensors = {
            name: value.to(self.device) for name, value in self._tensors_at_start.items()
        }
        self.augment = self._augment()
        self._shares = shares_of(self._dataset.groups, self.device)
        self.steps_per_epoch = len(cuts_of(self.n, knobs.batch_size))
        self._first_epoch = 0
        if saved is not None:
            checkpoints.unpack(self, *saved)
            self._first_epoch = int(saved[1]["epoch"]) + 1
        moves = self.averaged is not self.model
        self._ema = Ema(self.averaged, self.model) if moves else None

    def _augment(self) -> Augment:
        if self.on_features:
            return Augment()  # views of features are blanked ones
        side = min(self.source.height, self.source.width)
        return views_of(self.knobs, self._dataset, side, self.source.channels)

    def _open_source(self) -> ImageSource | FeatureSource:
        if self.on_features:
            return FeatureSource(self._context.features(), self.device)
        return ImageSource(
            self._dataset,
            self.device,
            resolution=self.knobs.resolution,
            report=lambda done: self._context.report("load", 0.02 * done),
        )

    # -- the loop -------------------------------------------------------------------------------

    def epochs(self) -> Iterator[int]:
        """Go through the epochs still to do, from 0; checkpoint and report after each.

        Raises:
            LnlError: an epoch's mean loss is not finite.
        """
        for epoch in range(self._first_epoch, self.knobs.epochs):
            seed = self._context.seed
            seed_everything(derive_seed(seed, epoch, 1))
            self.generator = generator_for(seed, epoch, 2)
            self._epoch_now, self._losses, self._step = epoch, [], 0
            self._noted = {}
            self.model.train(self.n > 1)  # batch norm takes no statistics of a single row
            yield epoch
            self._end_epoch(epoch)

    def _end_epoch(self, epoch: int) -> None:
        self.recorder.end_epoch(epoch)
        if self._losses:
            loss = torch.stack(self._losses).mean()
            if not torch.isfinite(loss):
                raise LnlError(
                    f"The loss was no finite number in epoch {epoch + 1} of {self.knobs.epochs}: "
                    "training has diverged. Start a new run with a lower learning rate (--set "
                    f"METHOD.lr=…; here {self.knobs.lr:g})."
                )
            self.note("train_loss", loss)
        for name, values in self._noted.items():
            self.history.setdefault(name, []).append(torch.stack(values).mean().item())
        arrays, state = checkpoints.pack(self, epoch)
        self._context.save(arrays, state)
        self.tick((epoch + 1) / self.knobs.epochs, force=True)

    def batches(
        self,
        epoch: int,
        change: Callable[[Tensor], Tensor] | None = None,
        batch_size: int | None = None,
    ) -> Iterator[Batch]:
        """Give every image once, shuffled and augmented; a tiny last batch joins the one before.

        Args:
            epoch: from 0.
            change: see `view`; each batch then carries a second view, changed by it.
            batch_size: the knob's where None.
        """
        order = torch.randperm(self.n, generator=self.generator)
        cuts = cuts_of(self.n, batch_size or self.knobs.batch_size)
        block, begin, end = None, 0, 0  # second views of the rows from begin to end
        for step, (start, stop) in enumerate(cuts):
            self.pace(epoch, step, len(cuts))
            at = order[start:stop]
            if change is not None and stop > end:
                begin, end = start, self._block_end(cuts[step:])
                block = self.view(order[begin:end], change)
            images = self.view(at)
            rows = at.to(self.device, non_blocking=True)
            changed = None if block is None else block[start - begin : stop - begin]
            yield Batch(rows, images, self.labels[rows], at, changed)
            self.went(epoch, step, len(cuts), stop - start)

    def cuts(self, n: int) -> list[tuple[int, int]]:
        """Return the borders of batches of n rows, (start, stop) each; a tiny last one is joined.

        For a method that draws its rows by itself; such a one calls `pace` before each step and
        `went` after it.
        """
        return cuts_of(n, self.knobs.batch_size)

    def pace(self, epoch: int, step: int, steps: int) -> None:
        """Set the learning rate for a step of an epoch, both from 0."""
        self._step = step
        by_step = self.knobs.schedule == "one_cycle"
        done = (epoch + (step / steps if by_step else 0)) / self.knobs.epochs
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.knobs.schedule, self.knobs.lr, done)

    def went(self, epoch: int, step: int, steps: int, images: int) -> None:
        """Count the images of a step that is over, and report how far the run is."""
        self._meter.images += images
        self.tick((epoch + (step + 1) / steps) / self.knobs.epochs)

    def _block_end(self, cuts: Sequence[tuple[int, int]]) -> int:
        """Return where the block of second views that begins with the first cut ends."""
        start, end = cuts[0]
        most = 0 if self.on_features else _BLOCK_PIXELS // (self.source.height * self.source.width)
        for _, stop in cuts[1:]:
            if stop - start > most:
                break
            end = stop
        return end

    def view(self, rows: Tensor, change: Callable[[Tensor], Tensor] | None = None) -> Tensor:
        """Return a random training view of some rows, standardised.

        Args:
            rows: (b,) row numbers.
            change: what else happens to the uint8 images (b, h, w, c); a head on frozen features
                blanks twice the share of features instead.
        """
        images = self.source.batch(rows)
        if self.on_features:
            share = self.knobs.feature_dropout * (1 if change is None else 2)
            return blank(images, min(share, 0.9), self.generator)
        images = augment(images, self.augment, self.generator)
        return self.source.normalise(images if change is None else change(images))

    def forward(self, images: Tensor, rows: Tensor | None = None) -> Tensor:
        """Run the model in the machine's precision; (b, k) float32 logits.

        Copies of one picture pull at the weights as one image does: the gradient of each is divided
        by their number. Eight copies that are all labelled wrong are else learned at once.

        Args:
            images: (b, c, h, w) standardised, or (b, d).
            rows: (b,) whose images these are; without, every image counts.
        """
        with hardware.autocast(self.device, self.dtype):
            logits = self.group.sharded_forward(self.model, images)
        logits = logits.float()
        if self._shares is None or rows is None:
            return logits
        share = self._shares[rows][:, None]
        return share * logits + (1 - share) * logits.detach()

    def step(self, loss: Tensor) -> None:
        """Move the weights once along the gradient of a scalar loss."""
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.group.all_reduce_gradients(self.model)
        if self.knobs.clip:
            nn.utils.clip_grad_norm_(self.model.parameters(), self.knobs.clip)
        self.optimizer.step()
        self._losses.append(loss.detach())
        if self._ema is not None:
            self._ema.step(self._decay())

    def _decay(self) -> float:
        """Decay of the EMA, smaller at first so the random start is forgotten.

        At most s / (s + 10) after s steps.
        """
        steps = self._epoch_now * self.steps_per_epoch + self._step + 1
        return min(self.knobs.ema_decay, steps / (steps + 10))

    def record(
        self, batch: Batch, probs: Tensor, losses: Tensor | None = None, *, average: bool = True
    ) -> None:
        """Keep what the training pass said: probabilities (b, k), losses (b,)."""
        self.recorder.add(batch.rows, probs, losses, average=average)

    def note(self, name: str, value: float | Tensor) -> None:
        """Keep a number for the run's curves; several in one epoch are averaged."""
        if isinstance(value, Tensor):
            value = value.detach().to(self.device, torch.float32)
        else:
            value = torch.full((), value, dtype=torch.float32, device=self.device)
        self._noted.setdefault(name, []).append(value)

    # -- looking at the model -------------------------------------------------------------------

    @torch.no_grad()
    def predictions(
        self,
        *,
        mirror: bool = False,
        averaged: bool = True,
        features: Array | None = None,
    ) -> Iterator[tuple[Tensor, list[Tensor]]]:
        """Go over all images in order without augmentation, in evaluation mode.

        Args:
            mirror: look at the mirrored image too.
            averaged: use the EMA of the weights where the knobs keep one.
            features: (n, d) array to fill with the input of the last layer, where given.

        Yields:
            rows (b,) and the logits (b, k) of each view: one, or two with `mirror`.
        """
        model = self.averaged if averaged else self.model
        model.eval()
        # small enough that stop is answered soon, also for large images on a processor
        batch_size = min(512, max(16, 512 * 48**2 // (self.source.height * self.source.width)))
        for start in range(0, self.n, batch_size):
            rows = torch.arange(start, min(start + batch_size, self.n))
            b = len(rows)
            images = self.source.normalise(self.source.batch(rows[self.group.shard(b)]))
            with hardware.autocast(self.device, self.dtype):
                if features is None:
                    views = [self.group.all_gather(model(images).float(), b)]
                else:
                    deep = self.group.all_gather(model.features(images).float(), b)  # type: ignore[operator]
                    features[rows.numpy()] = deep.float().cpu().numpy()
                    views = [model.head(deep).float()]  # type: ignore[operator]
                if mirror:
                    views.append(self.group.all_gather(model(images.flip(3)).float(), b))
            self._meter.images += len(rows) * len(views)
            yield rows.to(self.device), views
            self.tick()

    @torch.no_grad()
    def predict_probs(
        self,
        to_probs: Callable[[Tensor], Tensor] | None = None,
        *,
        mirror: bool | None = None,
    ) -> Tensor:
        """Return probabilities of all images, (n, k) float32 on the CPU.

        Args:
            to_probs: logits -> probabilities; softmax where None.
            mirror: average over the mirrored view too; None = where training mirrors.
        """
        to_probs = to_probs or (lambda logits: torch.softmax(logits, dim=1))
        mirror = self.augment.flip if mirror is None else mirror
        out = torch.empty(self.n, self.k)
        for rows, views in self.predictions(mirror=mirror):
            out[rows.cpu()] = torch.stack([to_probs(view) for view in views]).mean(0).cpu()
        return out

    def features(self) -> FloatArray:
        """Return the penultimate features of all images, (n, d) float16."""
        width = int(self.averaged.feature_size)  # type: ignore[arg-type]
        features = np.zeros((self.n, width), np.float16)
        for _ in self.predictions(features=features):
            pass
        return features

    # -- progress -------------------------------------------------------------------------------

    def tick(self, fraction: float | None = None, *, force: bool = False) -> None:
        """Report progress about twice a second; raises `Cancelled` where the user pressed stop."""
        now = time.perf_counter()
        if fraction is not None:
            self._fraction = max(self._fraction, fraction)  # two networks take turns in an epoch
        if not force and now - self._last_tick < _TICK:
            return
        self._last_tick = now
        self._meter.sample()
        metrics = {
            "epoch": float(self._epoch_now + 1),
            "epochs": float(self.knobs.epochs),
            "images_per_second": self._meter.images / max(self._meter.seconds(), 1e-9),
        }
        if self._losses:
            metrics["loss"] = torch.stack(self._losses[-50:]).mean().item()
        metrics |= {name: values[-1] for name, values in self.history.items()}
        # the first 2 % of the bar are loading, the last 1 % is what the method does afterwards
        self._context.report("train", 0.02 + 0.97 * self._fraction, metrics)

    def cost(self) -> dict[str, float]:
        """Return seconds, cpu_seconds, peak_memory_bytes and images of the run so far."""
        return self._meter.cost()

    def run_curves(self) -> dict[str, FloatArray]:
        """Return one number per epoch for each noted name, (epochs,) float32."""
        return {name: np.asarray(values, np.float32) for name, values in self.history.items()}

    def state(self) -> dict[str, Any]:
        """Return the JSON part of a checkpoint beyond the epoch."""
        return {"history": self.history, "cost": self.cost()}
