"""The two forms of DMLP's loop: labels as a matrix, and labels as weights.

`LabelSpace` is the authors' loop: Adam on the label matrix, one head sweep after each step, the
head written into the labels every `period` epochs. `WeightSpace` is the same idea in the form that
needs no matrix of n x k numbers: descent of the validation loss from the ridge fit of the noisy
labels, then head sweeps, then the write. One `round` of either ends with a write.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lnl_core.learning.seeds import generator_for
from lnl_core.methods.dmlp.closed_form import (
    Adam,
    Head,
    LazyLabels,
    Ridge,
    Rows,
    balance,
    label_cross,
    label_gradient,
    residual,
    soft_labels,
    step_size,
    validation_loss,
)
from lnl_core.types import Array, BoolArray, IntArray

Report = Callable[[float, Mapping[str, float]], None]

HEAD_WORK = 5e11
"""Most rows x features x classes x 3 of one round's head sweeps; fewer rows are swept above."""

HEAD_ROWS = 200_000
"""Rows that a round sweeps at least, however large the set."""


@dataclass(frozen=True, slots=True)
class Knobs:
    """What the loops need to know; `methods.dmlp.Config` explains each."""

    period: int = 20
    steps: int = 3
    sweeps: int = 20
    keep: float = 0.5
    lr: float = 0.01
    head_lr: float = 0.01
    head_batch: int = 500
    balance: float = 1.0
    penalty: float = 0.0


@dataclass(frozen=True, slots=True)
class Problem:
    """Frozen features, labels that may be wrong, and validation rows.

    Attributes:
        rows: all prepared features.
        which: (n,) row numbers whose labels are purified.
        given: (n,) int64 their given labels, on the device.
        x_v: (n_v, d) features of the validation rows; onehot: (n_v, k) their labels.
        ridge: the factored G of `which`.
        prior: (k,) class shares for the balance terms.
    """

    rows: Rows
    which: IntArray
    given: Tensor
    x_v: Tensor
    onehot: Tensor
    ridge: Ridge
    prior: Tensor
    seed: int

    @property
    def k(self) -> int:
        """Number of classes."""
        return self.onehot.shape[1]

    def judged_by(self, part: BoolArray) -> Problem:
        """Return the same problem with some of the validation rows only."""
        at = torch.from_numpy(np.flatnonzero(part)).to(self.onehot.device)
        return replace(self, x_v=self.x_v[at], onehot=self.onehot[at])


class _Loop:
    """What both forms share: the head, its sweeps, its checkpoint."""

    def __init__(self, problem: Problem, knobs: Knobs) -> None:
        self.problem, self.knobs = problem, knobs
        k = problem.k
        start = generator_for(problem.seed, 11)
        self.head = Head(problem.rows.d, k, knobs.head_lr, start, problem.rows.device)
        # a mean over fewer rows than classes says nothing of the balance between them
        self.batch = min(max(knobs.head_batch, min(2 * k, 8192)), max(len(problem.which), 1))
        self.balanced = knobs.balance if self.batch >= 2 * k else 0.0

    def _sweep(self, order: IntArray, targets: Tensor, tick: Callable[[float], None]) -> float:
        """Train the head over `order` (positions in `which`); return the mean loss."""
        total, steps = 0.0, 0
        for start in range(0, len(order), self.batch):
            at = order[start : start + self.batch]
            if len(at) < 2 and steps:
                break
            x = self.problem.rows[self.problem.which[at]]
            picked = targets[torch.from_numpy(at).to(targets.device)]
            loss = self.head.step(x, picked, self.problem.prior, self.balanced, self.knobs.penalty)
            total, steps = total + float(loss), steps + 1
            tick(start / len(order))
        return total / max(steps, 1)

    def _order(self, *parts: int) -> IntArray:
        generator = generator_for(self.problem.seed, 12, *parts)
        order: IntArray = torch.randperm(len(self.problem.which), generator=generator).numpy()
        return order

    def _validate(self, weights: Tensor) -> dict[str, float]:
        scores = self.problem.x_v @ weights.to(self.problem.x_v.dtype)
        entropy, squares = validation_loss(scores, self.problem.onehot)
        right = scores.argmax(1) == self.problem.onehot.argmax(1)
        return {
            "validation_loss": float(entropy),
            "validation_squares": float(squares) / max(len(scores), 1),
            "validation_accuracy": float(right.double().mean()),
        }

    def score(self, x: Tensor, labels: Tensor) -> tuple[float, float]:
        """Return accuracy and mean logarithmic loss of q on rows with known labels, (b,)."""
        fit = x @ self.weights().to(x.dtype)
        q = soft_labels(fit, torch.softmax(self.head.logits(x), dim=1))
        # one surely wrong row costs at most 9.2, so it alone does not choose the round
        given = q.gather(1, labels[:, None]).clamp_min(1e-4)
        return float((q.argmax(1) == labels).double().mean()), float(-given.log().mean())

    def changed(self, sample: int = 20_000) -> float:
        """Return the share of rows whose hard label differs from the given one, of a sample."""
        problem, n = self.problem, len(self.problem.which)
        at = np.unique(np.linspace(0, n - 1, min(n, sample)).astype(np.int64))
        moved = 0
        for part, x in problem.rows.chunks(problem.which[at], problem.k):
            here = torch.from_numpy(at[part]).to(problem.given.device)
            moved += int((self.at(here, x).argmax(1) != problem.given[here]).sum())
        return moved / max(len(at), 1)

    def weights(self) -> Tensor:
        """Return the ridge fit of the present labels, (d, k) float64."""
        raise NotImplementedError

    def at(self, part: slice | Tensor, x: Tensor) -> Tensor:
        """Return Y of the rows `which[part]` with features x, (b, k)."""
        raise NotImplementedError

    def _pack_head(self) -> tuple[dict[str, Array], dict[str, Any]]:
        adam = self.head.adam
        arrays = {
            "head": _array(self.head.weights),
            "head_first": _array(adam.first),
            "head_second": _array(adam.second),
        }
        return arrays, {"head_steps": adam.steps}

    def _unpack_head(self, arrays: Mapping[str, Any], state: Mapping[str, Any]) -> None:
        adam = self.head.adam
        self.head.weights.copy_(_tensor(arrays["head"]))
        adam.first.copy_(_tensor(arrays["head_first"]))
        adam.second.copy_(_tensor(arrays["head_second"]))
        adam.steps = int(state["head_steps"])


class LabelSpace(_Loop):
    """Adam on the label matrix Y (n, k), as the authors' code does; all rows at once."""

    def __init__(self, problem: Problem, knobs: Knobs) -> None:
        super().__init__(problem, knobs)
        n, k = len(problem.which), problem.k
        self.labels = torch.zeros(n, k, device=problem.rows.device)
        self.labels[torch.arange(n, device=problem.rows.device), problem.given] = 1
        self.adam = Adam(self.labels, knobs.lr)

    def weights(self) -> Tensor:
        """Return W = G^-1 X'Y, (d, k) float64, refitted on all rows."""
        problem = self.problem
        total = torch.zeros(problem.rows.d, problem.k, dtype=torch.float64).to(self.labels.device)
        for part, x in problem.rows.chunks(problem.which, problem.k):
            total += (x.T @ self.labels[part]).double()
        return problem.ridge.solve(total)

    def round(self, number: int, report: Report) -> dict[str, float]:
        """Run `period` epochs (an IPC step, an EAC sweep) and write the head; (losses, accuracy).

        Args:
            number: of the round, from 0.
            report: called with the share of the round that is done and numbers; may raise.
        """
        loss = 0.0
        for epoch in range(self.knobs.period):
            self._correct()
            order = self._order(number, epoch)
            loss = self._sweep(order, self.labels.argmax(1), lambda part: None)
            report((epoch + 1) / self.knobs.period, {"head_loss": loss})
        problem, keep = self.problem, self.knobs.keep
        for part, x in problem.rows.chunks(problem.which, problem.k):
            probs = torch.softmax(self.head.logits(x), dim=1)
            self.labels[part] = keep * self.labels[part] + (1 - keep) * probs
        self.adam.reset()
        return {**self._validate(self.weights()), "head_loss": loss}

    def _correct(self) -> None:
        """Take one Adam step on Y along the closed-form hyper-gradient."""
        problem = self.problem
        weights = self.weights().float()
        scores = problem.x_v @ weights
        by_weights = problem.x_v.T @ residual(scores, problem.onehot)
        if self.knobs.balance:
            fit = torch.empty_like(self.labels)
            for part, x in problem.rows.chunks(problem.which, problem.k):
                fit[part] = x @ weights
            pull = self.knobs.balance * balance(fit, problem.prior)[1]
            for part, x in problem.rows.chunks(problem.which, problem.k):
                by_weights += x.T @ pull[part]
        gradient = torch.empty_like(self.labels)
        for part, x in problem.rows.chunks(problem.which, problem.k):
            gradient[part] = label_gradient(x, problem.ridge, by_weights)
        self.adam.step(self.labels, gradient)

    def at(self, part: slice | Tensor, x: Tensor) -> Tensor:
        """Return Y of the rows `which[part]` with features x, (b, k)."""
        return self.labels[part]

    def pack(self) -> tuple[dict[str, Array], dict[str, Any]]:
        """Return everything that the rest of the loop depends on; the moments are zero here."""
        arrays, state = self._pack_head()
        return arrays | {"labels": _array(self.labels)}, state

    def unpack(self, arrays: Mapping[str, Any], state: Mapping[str, Any]) -> None:
        """Go back to where `pack` was called, after a round."""
        self._unpack_head(arrays, state)
        self.labels.copy_(_tensor(arrays["labels"]))
        self.adam.reset()


class WeightSpace(_Loop):
    """The same loop without a matrix of n x k numbers: memory O(d k) beside the rows."""

    def __init__(self, problem: Problem, knobs: Knobs) -> None:
        super().__init__(problem, knobs)
        cross = label_cross(problem.rows, problem.which, problem.given, problem.k)
        self.lazy = LazyLabels(cross)
        self.size = step_size(problem.x_v.double(), problem.ridge)

    def weights(self) -> Tensor:
        """Return W = G^-1 X'Y, (d, k) float64."""
        return self.problem.ridge.solve(self.lazy.cross)

    def round(self, number: int, report: Report) -> dict[str, float]:
        """Descend `steps` times, sweep the head, write it; return losses and accuracy."""
        problem, knobs = self.problem, self.knobs
        x_v, onehot = problem.x_v.double(), problem.onehot.double()
        for _ in range(knobs.steps):
            scores = x_v @ self.weights()
            self.lazy.descend(problem.ridge, x_v, residual(scores, onehot), self.size)
        n, k = len(problem.which), problem.k
        work = 3.0 * problem.rows.d * k
        budget = int(max(min(HEAD_WORK / work, float(knobs.sweeps * n)), min(HEAD_ROWS, n)))
        turns = -(-budget // n)
        wanted = self._order(number, 0)[:budget] if turns == 1 else np.arange(n)
        targets = self._targets(np.sort(wanted), lambda part: report(0.2 * part, {}))
        loss = 0.0
        for turn in range(turns):
            order = self._order(number, turn)[: budget - turn * n]
            done = 0.2 + 0.6 * turn / turns

            def tick(part: float, done: float = done) -> None:
                report(done + 0.6 * part / turns, {})

            loss = self._sweep(order, targets, tick)
        cross = torch.zeros_like(self.lazy.cross)
        for part, x in problem.rows.chunks(problem.which, k):
            probs = torch.softmax(self.head.logits(x), dim=1)
            cross += (x.T @ probs).double()
            report(0.8 + 0.2 * part.stop / n, {"head_loss": loss})
        self.lazy.write(self.head.weights, knobs.keep, cross)
        return {**self._validate(self.weights()), "head_loss": loss}

    def _targets(self, wanted: IntArray, tick: Callable[[float], None]) -> Tensor:
        """Return argmax Y at the positions `wanted` (sorted), the given labels elsewhere, (n,)."""
        targets = self.problem.given.clone()
        which = self.problem.which[wanted]
        for part, x in self.problem.rows.chunks(which, self.problem.k):
            at = torch.from_numpy(wanted[part]).to(targets.device)
            targets[at] = self.lazy.rows(x, self.problem.given[at]).argmax(1)
            tick(part.stop / len(wanted))
        return targets

    def at(self, part: slice | Tensor, x: Tensor) -> Tensor:
        """Return Y of the rows `which[part]` with features x, (b, k)."""
        return self.lazy.rows(x, self.problem.given[part])

    def pack(self) -> tuple[dict[str, Array], dict[str, Any]]:
        """Return everything that the rest of the loop depends on."""
        arrays, state = self._pack_head()
        lazy = self.lazy
        arrays |= {"moves": _array(lazy.moves), "cross": _array(lazy.cross)}
        arrays |= {f"written.{i}": _array(head) for i, head in enumerate(lazy.heads)}
        return arrays, {**state, "parts": lazy.parts, "share": lazy.share}

    def unpack(self, arrays: Mapping[str, Any], state: Mapping[str, Any]) -> None:
        """Go back to where `pack` was called."""
        self._unpack_head(arrays, state)
        lazy, device = self.lazy, self.problem.rows.device
        lazy.moves = _tensor(arrays["moves"]).to(device)
        lazy.cross = _tensor(arrays["cross"]).to(device)
        lazy.parts, lazy.share = [float(part) for part in state["parts"]], float(state["share"])
        lazy.heads = [_tensor(arrays[f"written.{i}"]).to(device) for i in range(len(lazy.parts))]


def _array(value: Tensor) -> Array:
    array: Array = value.detach().cpu().numpy().copy()
    return array


def _tensor(value: Any) -> Tensor:
    return value if isinstance(value, Tensor) else torch.from_numpy(np.array(value))
