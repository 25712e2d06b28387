"""A softmax head on fixed features, solved to its optimum, at which influence is measured.

Objective, for the kept rows (n of them), features h (d, the last one a constant 1) and weights W:

    L(W) = 1/n sum_i CE(W h_i, y_i) + lam/2 ||W||^2

strictly convex for lam > 0. Features are centred, turned to their principal axes and scaled to a
mean square of one: turning changes no result, centring and scaling give lam a portable meaning, and
in these axes a diagonal already preconditions the solve well. Arithmetic is float64; above `LARGE`
the products of a chunk are float32 and only their sums float64.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from lnl_core.learning.principal_axes import is_dual, leading
from lnl_core.types import Array, FloatArray

CELLS = 4_000_000
"""Numbers (rows x width or classes) worked on at a time: 32 MB as float64."""

HELD = 32_000_000
"""Up to this many numbers the features, or the probabilities, are held as float64: 256 MB."""

LARGE = 3e10
"""Rows x width x classes from which a pass works in float32: half a minute of one core."""

Tick = Callable[[], None]


class Design:
    """Features as the head sees them: (n, d) with the constant, read in chunks as float64.

    Above `HELD` numbers they are held as float32 and widened chunk by chunk.

    Attributes:
        n, d: rows, and columns with the constant.
        spread: (d,) mean square of each column; the axes are principal, so the others are 0.
        asked: columns that were asked for, with the constant; few rows have fewer axes.
        mean, turn: (features,) and (features, d - 1); column j is (h - mean) @ turn[:, j].
    """

    def __init__(
        self,
        features: FloatArray,
        device: torch.device | None = None,
        *,
        width: int = 0,
        raw: bool = False,
        tick: Tick | None = None,
    ) -> None:
        """Prepare features.

        Args:
            features: (n, f) finite, perhaps memory-mapped.
            device: where to compute.
            width: keep at most this many principal axes; 0 keeps all.
            raw: take the features as they are: neither centre nor turn nor scale.
            tick: called between chunks; what it raises ends the work.
        """
        self.n, f = features.shape
        self.device = device or torch.device("cpu")
        self._tick = tick or (lambda: None)
        self._step = max(64, CELLS // max(f, 1))
        mean = torch.zeros(f, dtype=torch.float64, device=self.device)
        turn = torch.eye(f, dtype=torch.float64, device=self.device)
        if not raw:
            mean, turn = self._axes(features, width)
        self.mean, self.turn = mean, turn
        self.d, self.asked = turn.shape[1] + 1, min(width or f, f) + 1
        kind = torch.float64 if self.n * self.d <= HELD else torch.float32
        self._x = torch.empty(self.n, self.d, dtype=kind, device=self.device)
        self._x[:, -1] = 1
        for start in range(0, self.n, self._step):
            part = self._read(features, start)
            self._x[start : start + len(part), :-1] = ((part - mean) @ turn).to(kind)
            self._tick()
        self._step = max(64, CELLS // self.d)
        self.spread = sum((x.square().sum(0) for _, x in self.chunks()), turn.new_zeros(1)) / max(
            self.n, 1
        )

    def _read(self, features: FloatArray, start: int) -> Tensor:
        part = torch.from_numpy(features[start : start + self._step].astype("float64"))
        return part.to(self.device)

    def _axes(self, features: FloatArray, width: int) -> tuple[Tensor, Tensor]:
        """Return the mean (f,) and the scaled principal axes (f, w)."""
        f = features.shape[1]
        keep = min(width or f, f)
        if self.n and is_dual(self.n, f):
            mean, values, axes = self._axes_of_few(features, keep)
        else:
            mean, values, axes = self._axes_of_many(features, keep)
        axes = axes * torch.where(axes.sum(0) < 0, -1.0, 1.0)  # a sign for each, always the same
        # axes without spread count: the scale does not depend on how few the rows are
        scale = (float(values.clamp_min(0).sum()) / keep) ** 0.5
        # equal rows have no axes: scaling would blow up rounding
        return mean, axes / (scale if scale > 1e-12 else 1.0)

    def _axes_of_few(self, features: FloatArray, keep: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return mean, spread and axes from the products of rows, which fit into the memory."""
        x = torch.from_numpy(features[:].astype("float64")).to(self.device)
        mean = x.mean(0)
        x -= mean
        self._tick()
        spread, mixed = _leading(x @ x.T / self.n, keep)
        kept = spread > 1e-12 * spread[:1].clamp_min(0)
        spread, mixed = spread[kept], mixed[:, kept]
        return mean, spread, x.T @ (mixed / (self.n * spread).sqrt())

    def _axes_of_many(self, features: FloatArray, keep: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return mean, spread and axes from the second moments, in one pass over the rows."""
        f = features.shape[1]
        total = torch.zeros(f, dtype=torch.float64, device=self.device)
        second = torch.zeros(f, f, dtype=torch.float64, device=self.device)
        first = self._read(features, 0)[:1].squeeze(0) if self.n else total
        for start in range(0, self.n, self._step):
            part = self._read(features, start) - first  # near the mean, so nothing cancels
            total += part.sum(0)
            second += part.T @ part
            self._tick()
        total /= max(self.n, 1)
        second = second / max(self.n, 1) - torch.outer(total, total)
        return first + total, *_leading(second, keep)

    def chunks(
        self, rows: Tensor | None = None, wide: int = 1, kind: torch.dtype = torch.float64
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Go over rows in order.

        Args:
            rows: (m,) row numbers; all where None.
            wide: how many numbers the caller makes per row, if more than d.
            kind: wanted type.

        Yields:
            (b,) row numbers and (b, d) of that type.
        """
        step = max(64, CELLS // max(self.d, wide))
        count = self.n if rows is None else len(rows)
        for start in range(0, count, step):
            stop = min(start + step, count)
            if rows is None:
                part = torch.arange(start, stop, device=self.device)
                yield part, self._x[start:stop].to(kind)
            else:
                part = rows[start:stop]
                yield part, self._x[part].to(kind)
            self._tick()

    def rows(self, rows: Tensor) -> Tensor:
        """Return some rows, (b, d) float64."""
        return self._x[rows].double()

    def to_features(self, weights: Tensor) -> tuple[Array, Array]:
        """Turn head weights (k, d) into weights (k, f) and bias (k,) on the features as given."""
        plain = weights[:, :-1] @ self.turn.T
        bias = weights[:, -1] - plain @ self.mean
        return plain.cpu().numpy(), bias.cpu().numpy()

    def from_features(self, weights: Array, bias: Array) -> Tensor:
        """Turn weights (k, f) and bias (k,) on the features as given into head weights (k, d)."""
        plain = torch.from_numpy(weights.astype("float64")).to(self.device)
        offset = torch.from_numpy(bias.astype("float64")).to(self.device) + plain @ self.mean
        axes = torch.linalg.pinv(self.turn)  # (d - 1, f)
        return torch.cat([plain @ axes.T, offset[:, None]], dim=1)


def _leading(symmetric: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Return the largest eigenvalues, falling, and their vectors; no others are solved for."""
    if symmetric.device.type == "cpu":
        values, vectors = leading(symmetric.numpy(), count)
        return torch.from_numpy(values.copy()), torch.from_numpy(vectors.copy())
    all_values, all_vectors = torch.linalg.eigh(symmetric)
    return all_values.flip(0)[:count], all_vectors.flip(1)[:, :count]


class Fit(NamedTuple):
    """A head and how well it was solved."""

    weights: Tensor  # (k, d) float64
    gradient_norm: float
    passes: int  # over the data, for gradients and Hessian products


class Problem:
    """L(W) on some rows of a design: value, gradient, Hessian times a direction.

    Args:
        design: n rows.
        labels: (n,) int64 on the design's device.
        k: number of classes.
        lam: ridge term, above 0.
        rows: (m,) rows that count; all where None.
    """

    def __init__(
        self, design: Design, labels: Tensor, k: int, lam: float, rows: Tensor | None = None
    ) -> None:
        self.design, self.labels, self.k, self.lam, self.rows = design, labels, k, lam, rows
        self.count = design.n if rows is None else len(rows)
        self._kind = torch.float32 if self.count * design.d * k > LARGE else torch.float64
        self._probs: Tensor | None = None
        self.passes = 0

    def value_and_gradient(self, weights: Tensor) -> tuple[float, Tensor]:
        """Return L(W) and its gradient (k, d); Hessian products then refer to this W."""
        used, held = weights.to(self._kind), self.count * self.k <= HELD
        self._weights = used
        self._probs = weights.new_empty(self.count, self.k) if held else None
        gradient, loss, at = torch.zeros_like(weights), 0.0, 0
        for part, x in self.design.chunks(self.rows, self.k, self._kind):
            log_probs = torch.log_softmax(x @ used.T, dim=1)
            given = self.labels[part][:, None]
            loss -= float(log_probs.gather(1, given).double().sum())
            probs = log_probs.exp_()
            if self._probs is not None:
                self._probs[at : at + len(part)] = probs
            at += len(part)
            probs.scatter_add_(1, given, torch.full_like(probs[:, :1], -1.0))
            gradient += probs.T @ x
        self.passes += 1
        value = loss / self.count + self.lam / 2 * float(weights.square().sum())
        return value, gradient / self.count + self.lam * weights

    def class_weights(self) -> Tensor:
        """Return the mean of p (1 - p) of each class, (k,), at the last W."""
        total, at = torch.zeros(self.k, dtype=torch.float64, device=self.design.device), 0
        for part, x in self.design.chunks(self.rows, self.k, self._kind):
            probs = self.probs(at, len(part), x)
            total += (probs * (1 - probs)).sum(0)
            at += len(part)
        return total / self.count

    def probs(self, start: int, size: int, x: Tensor) -> Tensor:
        """Return the probabilities at the last W of rows x (b, d), the `start`th of `rows` on."""
        if self._probs is not None:
            return self._probs[start : start + size]
        return torch.softmax(x @ self._weights.to(x.dtype).T, dim=1)

    def times(self, direction: Tensor) -> Tensor:
        """Return the Hessian at the last W times a direction, (k, d) -> (k, d)."""
        out, at, used = torch.zeros_like(direction), 0, direction.to(self._kind)
        for part, x in self.design.chunks(self.rows, self.k, self._kind):
            probs = self.probs(at, len(part), x)
            moved = (x @ used.T).mul_(probs)
            moved -= probs * moved.sum(dim=1, keepdim=True)
            out += moved.T @ x
            at += len(part)
        self.passes += 1
        return out / self.count + self.lam * direction

    def solve(self, target: Tensor, tolerance: float, limit: int = 500) -> Tensor:
        """Return H^-1 target, (k, d), by preconditioned conjugate gradients.

        Args:
            target: (k, d).
            tolerance: stop once the residual is this small, relative to the target.
            limit: most products.
        """
        # the diagonal of the Hessian by blocks: in principal axes most of it
        scale = 1 / (self.class_weights()[:, None] * self.design.spread + self.lam)
        solution, residual = torch.zeros_like(target), target.clone()
        stop = tolerance * float(target.norm())
        step = scale * residual
        direction, energy = step, float((residual * step).sum())
        for _ in range(limit):
            if float(residual.norm()) <= stop or energy <= 0:
                break
            turned = self.times(direction)
            length = energy / float((direction * turned).sum())
            solution += length * direction
            residual -= length * turned
            step = scale * residual
            before, energy = energy, float((residual * step).sum())
            direction = step + energy / before * direction
        return solution


def fit(
    problem: Problem,
    start: Tensor | None = None,
    *,
    tolerance: float = 1e-8,
    limit: int = 4000,
    report: Callable[[float], None] = lambda _: None,
) -> Fit:
    """Minimise L by damped Newton steps, each solved by conjugate gradients.

    Args:
        problem: what to minimise.
        start: (k, d) first weights; zeros where None.
        tolerance: wanted norm of the gradient.
        limit: most passes over the data; what is reached by then is returned.
        report: called with the share done, by how far the gradient fell and by the passes used.
    """
    device = problem.design.device
    weights = torch.zeros(problem.k, problem.design.d, dtype=torch.float64, device=device)
    weights = weights if start is None else start.clone()
    value, gradient = problem.value_and_gradient(weights)

    def above(gradient: Tensor) -> float:  # in powers of e over the wanted norm
        return math.log(max(float(gradient.norm()) / tolerance, 1.0))

    first, way = problem.passes, max(above(gradient), 1e-9)
    while (norm := float(gradient.norm())) > tolerance and problem.passes - first < limit:
        left = limit - (problem.passes - first)
        # an inexact solve that tightens as the gradient falls (Eisenstat and Walker 1996)
        forcing = max(min(0.25, norm**0.5), 0.25 * tolerance / norm)
        step = problem.solve(-gradient, forcing, left)
        slope, share = float((gradient * step).sum()), 1.0
        while True:
            tried = weights + share * step
            new_value, new_gradient = problem.value_and_gradient(tried)
            # near the optimum the value is flat to rounding, the gradient still falls
            better = new_value <= value + 1e-4 * share * slope  # Armijo's rule
            if better or float(new_gradient.norm()) < norm or share < 1e-6:
                break
            share /= 2
        if share < 1e-6:
            break
        weights, value, gradient = tried, new_value, new_gradient
        report(min(max(1 - above(gradient) / way, (problem.passes - first) / limit, 0.0), 1.0))
    return Fit(weights, float(gradient.norm()), problem.passes)
