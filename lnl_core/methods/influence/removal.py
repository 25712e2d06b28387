"""Gradual removal: fit the head, score, take out the most influential rows, again.

After Park et al., arXiv 2106.07217, of which only the abstracts were to be had; see `influence`.

Copies of one picture go together, and the head is fitted on one of them alone: it would give back a
label that every copy carries.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lnl_core.methods.influence import scores as influence
from lnl_core.methods.influence.softmax_head import Design, Problem, fit
from lnl_core.review import copies
from lnl_core.types import DENSE_CLASSES, KEPT_CLASSES, Array, BoolArray, IntArray, TopProbs

FLOOR = 10
"""Rows of a class that stay at least."""

FEW_TRUSTED = 20
"""Below this many confirmed rows their accuracy decides nothing."""

LARGEST_CAP = 0.4
"""Share removed at most where no cap is set."""

MEMORISED = 0.15
"""Up to this share of labels not given back the first head has memorised the set."""

CURVE_CELLS = 200_000_000
"""Most rows x rounds for which p_given and p_other of every round are kept."""


_STATE = ("kept", "removed_in", "cuts", "best_left_out", "at_removal")


class Rounds:
    """The state of gradual removal over n rows; `arrays` is all of it, for a checkpoint.

    Round 0 is the head on all rows; round t follows the t-th removal.

    Attributes:
        done: rounds that were scored.
        planned: rounds in all, from the cap; 0 before the first.
        kept: (n,) bool.
        removed_in: (n,) int16, 0 = never.
        notes: name -> one number per round.
        best: the round whose head is taken.
        stands: (n,) the row that counts for each row's picture, None where there are no copies.
        leads: (n,) the first row with the same picture and label; each for itself without copies.
    """

    def __init__(
        self,
        labels: IntArray,
        k: int,
        trusted: BoolArray | None,
        most: int,
        device: torch.device,
        groups: IntArray | None = None,
    ) -> None:
        self.labels = torch.from_numpy(np.asarray(labels, np.int64))
        self.k, self.device = k, device
        n = len(labels)
        self.pinned = torch.zeros(n, dtype=torch.bool)
        if trusted is not None:
            self.pinned |= torch.from_numpy(np.asarray(trusted, bool))
        self.stands, self.leads = None, torch.arange(n)
        if groups is not None and len(np.unique(groups)) < n:
            stands, leads = copies.standing_for(
                np.asarray(groups), np.asarray(labels), self.pinned.numpy()
            )
            self.stands, self.leads = torch.from_numpy(stands), torch.from_numpy(leads)
        self.kept = torch.ones(n, dtype=torch.bool)
        self.removed_in = torch.zeros(n, dtype=torch.int16)
        self.done, self.planned, self.quota, self.best = 0, 0, 0, 0
        self.notes: dict[str, list[float]] = {}
        self.weights: Tensor | None = None
        self.best_weights: Tensor | None = None
        self.first: dict[str, Tensor] = {}
        self.cuts = torch.zeros(0, k, dtype=torch.float64)
        keeps = n * (most + 1) <= CURVE_CELLS
        self.p_given = torch.zeros(most + 1 if keeps else 0, n, dtype=torch.float16)
        self.p_other = torch.zeros_like(self.p_given)
        self.best_left_out = torch.ones(n, dtype=torch.float64)
        self.at_removal = torch.zeros(n, dtype=torch.float64)

    # -- a round ---------------------------------------------------------------------------------

    def fit_and_score(
        self,
        design: Design,
        *,
        lam: float,
        solve: str,
        raw: Tensor | None = None,
        limit: int = 4000,
        report: Callable[[float], None] = lambda _: None,
    ) -> influence.Scores:
        """Fit the head on the kept rows and score all of them; note how it stands.

        Args:
            design: features of all rows.
            lam: ridge term.
            solve: of `influence.score`.
            raw: (k, d) layer to score in place of a fitted one.
            limit: most passes over the data for one fit.
            report: called with the share of the fit that is done.
        """
        problem = self.problem(design, lam)
        if raw is None:
            start = self.weights
            if start is not None and start.shape[1] != design.d:
                start = None
            head = fit(problem, start, limit=limit, report=report)
            self.weights = head.weights
            self._note("gradient_norm", head.gradient_norm)
        else:
            self.weights = raw
        scores = influence.score(problem, self.weights, solve, self.stands)
        if self.done == 0:
            names = ("influence", "residual", "leverage", "loss")
            self.first = {name: getattr(scores, name).float() for name in names}
        if len(self.p_given):
            self.p_given[self.done] = scores.p_given.half()
            self.p_other[self.done] = scores.p_other.half()
        self._note("kept", float(self.kept.sum()))
        self._note("agreement", float((scores.best == self.labels).double().mean()))
        self._note("kept_loss", float(scores.loss[self.kept].mean()))
        if self.done:
            fresh = self.removed_in == self.done
            back = scores.best[fresh] == self.labels[fresh]
            # nothing went: the labels are all still given
            self._note("given_back", float(back.double().mean()) if len(back) else 1.0)
        if self.pinned.any():
            right = scores.p_left_out[self.pinned] > scores.p_other[self.pinned]
            self._note("trusted_accuracy", float(right.double().mean()))
        return scores

    def problem(self, design: Design, lam: float) -> Problem:
        """Return the head's problem on the kept rows."""
        counts = self.kept
        if self.stands is not None:
            counts = counts & (self.stands == torch.arange(len(counts)))
        rows = None if bool(counts.all()) else torch.nonzero(counts).squeeze(1)
        rows = None if rows is None else rows.to(self.device)
        return Problem(design, self.labels.to(self.device), self.k, lam, rows)

    def _note(self, name: str, value: float) -> None:
        self.notes.setdefault(name, []).append(value)

    def plan(self, share: float, cap: float, most: int) -> None:
        """Set how much goes in each round and in all.

        Args:
            share: of the original rows that goes per round.
            cap: largest share removed in all; 0 is `LARGEST_CAP`, often with an end before
                it (`over`).
            most: rounds.
        """
        self.quota = max(1, round(share * int(self._leading.sum())))
        self.planned = min(most, max(1, round((cap or LARGEST_CAP) / share)))

    @property
    def judged(self) -> bool:
        """Whether there are enough confirmed rows for their accuracy to choose a round."""
        return int(self.pinned.sum()) >= FEW_TRUSTED

    def over(self, scores: influence.Scores, patience: int, follow: bool) -> bool:
        """Say whether removal has come to its end; chooses the best round on the way.

        Args:
            scores: of the present head.
            patience: rounds without gain of the trusted rows' accuracy.
            follow: end where the labels say so. Where the first head gives all but few labels, the
                set is easy or memorised: go on until a round's labels are mostly given back
                by the head that no longer knows them, and do not take that round. Elsewhere stop
                at the share of labels that the first head does not give.
        """
        doubted = 1 - self.notes["agreement"][0]
        if self.done and not self.notes.get("removed", [1.0])[-1]:
            return True  # what is left is confirmed or too few
        if follow and self.done and self.notes["given_back"][-1] > 0.5:
            return True
        accuracy = self.notes.get("trusted_accuracy", [])
        if not self.judged or self.done == 0 or accuracy[self.done] > accuracy[self.best]:
            self.best = self.done
            assert self.weights is not None
            self.best_weights = self.weights.clone()
            self.best_left_out = scores.p_left_out
        gone = 1 - float(self.kept.double().mean())
        if follow and doubted > MEMORISED and gone >= doubted - 1e-9:  # equal, up to rounding
            return True
        stuck = self.judged and self.done - self.best >= patience
        return self.done >= self.planned or stuck or not bool(self._wanted().any())

    @property
    def _leading(self) -> Tensor:
        return self.leads == torch.arange(len(self.leads))

    def _wanted(self) -> Tensor:
        here = self.kept & self._leading
        return influence.quotas(self.labels, here, self.quota, self.k, FLOOR)

    def _pinned(self) -> Tensor:
        """Return the rows that stay, (n,) bool: a confirmed label is right on every copy."""
        pinned = torch.zeros_like(self.pinned)
        pinned[self.leads[self.pinned]] = True
        return pinned[self.leads]

    def remove(self, ranking: Tensor, within_class: bool) -> int:
        """Take out the top of a ranking, (n,), higher first; return how many rows went.

        Copies with one label count once and go together, by the rank of the first of them.
        """
        ranking = ranking[self.leads]
        free = self.kept & ~self._pinned() & self._leading
        wanted = self._wanted()
        if not within_class:
            here = self.kept & self._leading
            spare = (torch.bincount(self.labels[here], minlength=self.k) - FLOOR).clamp_min(0)
            at = torch.where(free, ranking, torch.full_like(ranking, -torch.inf))
            top = torch.argsort(-at, stable=True)[: min(self.quota, int(free.sum()))]
            wanted = torch.minimum(torch.bincount(self.labels[top], minlength=self.k), spare)
        gone = influence.pick(ranking, self.labels, free, wanted)
        if self.stands is not None:
            leaving = torch.zeros_like(self.kept)
            leaving[gone] = True
            gone = torch.nonzero(leaving[self.leads]).squeeze(1)
        self.done += 1
        cut = torch.full((self.k,), torch.inf, dtype=torch.float64)
        cut.scatter_reduce_(0, self.labels[gone], ranking[gone].double(), "amin")
        self.cuts = torch.cat([self.cuts, cut[None]])
        self.kept[gone] = False
        self.at_removal[gone] = ranking[gone].double()
        self.removed_in[gone] = self.done
        self._note("removed", float(len(gone)))
        return len(gone)

    # -- results ---------------------------------------------------------------------------------

    def suspicion(self, last: Tensor) -> Array:
        """Return the order by (round, score) as ranks in [0, 1], (n,) float64.

        Args:
            last: (n,) ranking under the last head, for rows that were never removed; those of one
                round are ordered by the ranking that they were removed by.
        """
        within = torch.where(self.removed_in > 0, self.at_removal, last)
        never = int(self.removed_in.max()) + 1 if len(self.removed_in) else 1
        late = torch.where(self.removed_in > 0, self.removed_in, never).long()
        order = torch.argsort(within, stable=True)
        order = order[torch.argsort(-late[order], stable=True)]
        ranks = torch.empty(len(order), dtype=torch.float64)
        ranks[order] = torch.arange(len(order), dtype=torch.float64)
        suspicion: Array = (ranks / max(len(order) - 1, 1)).numpy()
        return suspicion

    def arrays(self) -> dict[str, Any]:
        """Return the state as arrays."""
        arrays: dict[str, Any] = {
            "kept": self.kept,
            "removed_in": self.removed_in,
            "p_given": self.p_given,
            "p_other": self.p_other,
            "cuts": self.cuts,
            "best_left_out": self.best_left_out,
            "at_removal": self.at_removal,
            **{f"first.{name}": value for name, value in self.first.items()},
        }
        if self.weights is not None:
            arrays["weights"] = self.weights
        if self.best_weights is not None:
            arrays["best_weights"] = self.best_weights
        return arrays

    def state(self) -> dict[str, Any]:
        """Return the JSON part of the state."""
        return {
            "done": self.done,
            "planned": self.planned,
            "quota": self.quota,
            "best": self.best,
            "notes": self.notes,
        }

    def restore(self, arrays: dict[str, Any], state: dict[str, Any]) -> None:
        """Go back to what `arrays` and `state` were."""
        tensors = {name: torch.from_numpy(np.array(value)) for name, value in arrays.items()}
        for name in (*_STATE, "p_given", "p_other"):
            setattr(self, name, tensors[name])
        for name in ("weights", "best_weights"):
            if name in tensors:
                setattr(self, name, tensors[name].to(self.device))
        self.first = {
            name.removeprefix("first."): value
            for name, value in tensors.items()
            if name.startswith("first.")
        }
        self.done, self.planned = int(state["done"]), int(state["planned"])
        self.quota, self.best = int(state["quota"]), int(state["best"])
        self.notes = {name: list(values) for name, values in state["notes"].items()}


def head_probs(design: Design, weights: Tensor) -> Array | TopProbs:
    """Return what a head says about all rows: (n, k) float32, or the best of very many classes."""
    return probs_of(
        ((part, x @ weights.T) for part, x in design.chunks(wide=len(weights))),
        design.n,
        len(weights),
    )


def probs_of(logits: Any, n: int, k: int) -> Array | TopProbs:
    """Collect (rows, logits) into (n, k) float32 probabilities, or `TopProbs`."""
    if k <= DENSE_CLASSES:
        dense = np.empty((n, k), np.float32)
        for rows, values in logits:
            dense[_plain(rows)] = torch.softmax(values.double(), dim=1).float().cpu().numpy()
        return dense
    classes = np.empty((n, KEPT_CLASSES), np.int32)
    best = np.empty((n, KEPT_CLASSES), np.float32)
    for rows, values in logits:
        top = torch.softmax(values.double(), dim=1).topk(KEPT_CLASSES, dim=1)
        classes[_plain(rows)] = top.indices.int().cpu().numpy()
        best[_plain(rows)] = top.values.float().cpu().numpy()
    return TopProbs(classes, best, k)


def _plain(rows: Any) -> Array:
    array: Array = rows.cpu().numpy() if isinstance(rows, Tensor) else rows
    return array
