"""What a network said about every example, epoch by epoch, in bounded memory."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lnl_core.types import DENSE_CLASSES, KEPT_CLASSES, Array, FloatArray, TopProbs

CURVE_LIMIT = 64_000_000
"""Most numbers that one per-example curve may hold (float16, so 128 MB)."""


class ProbabilityRecorder:
    """Running sums of the class probabilities of each example, and curves over epochs.

    Up to `DENSE_CLASSES` classes the sums are (n, k). Above, the given class has its exact sum and
    twice `KEPT_CLASSES` candidate classes have theirs from the epoch at which they entered
    (SR spec 8: 1M x 1000 in tens of megabytes instead of gigabytes).

    Curves, (epochs, n) float16: `p_given`, `p_other` (best other class), `loss` where losses are
    given; `probs` (epochs, n, k) where `epochs * n * k` is at most `CURVE_LIMIT`. Where
    `epochs * n` is more than that, only every `every`-th epoch is kept.
    """

    def __init__(self, given_labels: Array, k: int, epochs: int, device: torch.device) -> None:
        self.given = torch.as_tensor(np.asarray(given_labels, np.int64), device=device)
        self.n, self.k, self.epochs, self.device = len(self.given), k, epochs, device
        self.dense = k <= DENSE_CLASSES
        n = self.n
        self.count = torch.zeros(n, device=device)
        self.sum_given = torch.zeros(n, device=device)
        self.sum_loss = torch.zeros(n, device=device)
        if self.dense:
            self.sums = torch.zeros(n, k, device=device)
        else:
            kept = min(k, 2 * KEPT_CLASSES)
            self.sums = torch.zeros(n, kept, device=device)
            self.classes = torch.arange(kept, device=device).repeat(n, 1)
        self.every = max(1, math.ceil(epochs * n / CURVE_LIMIT))
        self.keeps_probs = epochs * n * k <= CURVE_LIMIT
        self._curves: dict[str, list[Tensor]] = {"p_given": [], "p_other": [], "loss": []}
        if self.keeps_probs:
            self._curves["probs"] = []
        self._epoch: dict[str, Tensor] = {}
        self._new_epoch()

    def _new_epoch(self) -> None:
        shapes: dict[str, tuple[int, ...]] = {name: (self.n,) for name in self._curves}
        if self.keeps_probs:
            shapes["probs"] = (self.n, self.k)
        self._epoch = {
            name: torch.full(shape, torch.nan, dtype=torch.float16, device=self.device)
            for name, shape in shapes.items()
        }

    @torch.no_grad()
    def add(
        self, rows: Tensor, probs: Tensor, losses: Tensor | None = None, *, average: bool = True
    ) -> None:
        """Take in one batch; each row at most once per epoch.

        Args:
            rows: (b,) row numbers.
            probs: (b, k) probabilities.
            losses: (b,) or None.
            average: False leaves the batch out of the running sums (it still enters the curves).
        """
        rows, probs = rows.to(self.device), probs.detach().float()
        given = self.given[rows]
        p_given = probs.gather(1, given[:, None]).squeeze(1)
        # -1 takes the given class out of the maximum; with one class alone the rest is 0
        p_other = probs.scatter(1, given[:, None], -1.0).amax(dim=1).clamp_min(0)
        self._epoch["p_given"][rows] = p_given.half()
        self._epoch["p_other"][rows] = p_other.half()
        if losses is not None:
            # float16 ends at 65,504
            self._epoch["loss"][rows] = losses.detach().float().clamp(-6e4, 6e4).half()
        if self.keeps_probs:
            self._epoch["probs"][rows] = probs.half()
        if not average:
            return
        self.count[rows] += 1
        self.sum_given[rows] += p_given
        if losses is not None:
            self.sum_loss[rows] += losses.detach().float()
        if self.dense:
            self.sums[rows] += probs
        else:
            self._add_candidates(rows, probs)

    def _add_candidates(self, rows: Tensor, probs: Tensor) -> None:
        """Add to the classes kept so far, then let stronger newcomers replace the weakest."""
        classes, sums = self.classes[rows], self.sums[rows]  # (b, t)
        sums = sums + probs.gather(1, classes)
        rest = probs.scatter(1, classes, -1.0)
        new_probs, new_classes = rest.topk(min(KEPT_CLASSES, self.k - classes.shape[1] or 1), dim=1)
        every_sum = torch.cat([sums, new_probs], dim=1)
        every_class = torch.cat([classes, new_classes], dim=1)
        best, at = every_sum.topk(classes.shape[1], dim=1)
        self.sums[rows] = best.clamp_min(0)
        self.classes[rows] = every_class.gather(1, at)

    def end_epoch(self, epoch: int) -> None:
        """Close epoch `epoch` (from 0): its curves are kept, the next one starts empty."""
        if epoch % self.every == 0:
            for name, values in self._epoch.items():
                self._curves[name].append(values)
        self._new_epoch()

    def mean_given(self) -> FloatArray:
        """Return the mean probability of the given label, (n,) float32."""
        mean: FloatArray = (self.sum_given / self.count.clamp_min(1)).cpu().numpy()
        return mean

    def mean_loss(self) -> FloatArray:
        """Return the mean loss, (n,) float32."""
        mean: FloatArray = (self.sum_loss / self.count.clamp_min(1)).cpu().numpy()
        return mean

    def mean_probs(self) -> FloatArray | TopProbs:
        """Return the mean probabilities: (n, k) rows that sum to 1, or `TopProbs`.

        An example that was never recorded has even probabilities. In `TopProbs` the given class
        is always among the kept ones, with its exact mean.
        """
        count = self.count.clamp_min(1)[:, None]
        if self.dense:
            mean = self.sums / count + (self.count[:, None] == 0) / self.k
            mean = mean / mean.sum(dim=1, keepdim=True)
            dense: FloatArray = mean.cpu().numpy()
            return dense
        kept = min(KEPT_CLASSES, self.sums.shape[1])
        given = self.given[:, None]
        sums = torch.where(self.classes == given, -1.0, self.sums)
        best, at = sums.topk(kept - 1, dim=1)
        classes = torch.cat([self.classes.gather(1, at), given], dim=1)
        probs = torch.cat([best.clamp_min(0), self.sum_given[:, None]], dim=1) / count
        probs, order = probs.sort(dim=1, descending=True, stable=True)
        # kept classes may sum to less than 1 (the rest has the remainder), by rounding never more
        probs = probs / probs.sum(dim=1, keepdim=True).clamp_min(1)
        return TopProbs(
            classes.gather(1, order).cpu().numpy().astype(np.int32), probs.cpu().numpy(), self.k
        )

    def curves(self) -> dict[str, FloatArray]:
        """Return the curves, (epochs, n) or for `probs` (epochs, n, k), float16.

        Gaps (a row not seen in an epoch) are filled with the epoch before, or after at the start.
        """
        out: dict[str, FloatArray] = {}
        for name, epochs in self._curves.items():
            if not epochs:
                continue
            stack = torch.stack(epochs).cpu().numpy()
            if np.isnan(stack).all():
                continue
            out[name] = _fill_gaps(stack)
        return out

    def pack(self) -> dict[str, Array]:
        """Return the state as arrays, for a checkpoint."""
        arrays = {"count": self.count, "given": self.sum_given, "loss": self.sum_loss}
        arrays["sums"] = self.sums
        if not self.dense:
            arrays["classes"] = self.classes
        packed = {f"recorder.{name}": value.cpu().numpy() for name, value in arrays.items()}
        for name, epochs in self._curves.items():
            if epochs:
                packed[f"recorder.curve.{name}"] = torch.stack(epochs).cpu().numpy()
        return packed

    def unpack(self, arrays: Mapping[str, Any]) -> None:
        """Put back what `pack` gave."""

        def take(name: str) -> Tensor:
            return torch.as_tensor(np.array(arrays[f"recorder.{name}"])).to(self.device)

        self.count, self.sum_given, self.sum_loss = take("count"), take("given"), take("loss")
        self.sums = take("sums")
        if not self.dense:
            self.classes = take("classes")
        for name in self._curves:
            key = f"curve.{name}"
            self._curves[name] = list(take(key)) if f"recorder.{key}" in arrays else []


def _fill_gaps(stack: Array) -> Array:
    gaps = np.isnan(stack)
    if not gaps.any():
        return stack
    for now, before in zip(range(1, len(stack)), range(len(stack) - 1), strict=True):
        stack[now] = np.where(gaps[now], stack[before], stack[now])
    for now in range(len(stack) - 2, -1, -1):
        stack[now] = np.where(np.isnan(stack[now]), stack[now + 1], stack[now])
    return np.nan_to_num(stack)
