"""One purification from labels and features to purified labels: rounds, early stop, read-out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from lnl_core.methods.dmlp import validation as agreement
from lnl_core.methods.dmlp.closed_form import (
    Ridge,
    Rows,
    gram,
    label_cross,
    probe,
    relative_ridge,
    residual,
    soft_labels,
)
from lnl_core.methods.dmlp.loops import Knobs, LabelSpace, Problem, WeightSpace
from lnl_core.types import BoolArray, Context, FloatArray, IntArray

Loop = LabelSpace | WeightSpace
Saved = tuple[dict[str, Any], dict[str, Any]]

MIN_HELD = 6
"""Fewest held-out validation rows that may choose the number of rounds."""

PATIENCE = 2
"""Rounds without a better held-out score before the early stop."""

REFIT_WORK = 1e11
"""Most rows x features x classes for a second run with all validation rows."""

VOTE_WORK = 1e12
"""Most rows x validation rows x features for naming the votes behind each label."""

COURSE_WORK = 1e11
"""Most rows x features x classes that a round may take to note every label's course."""

COURSE_LIMIT = 16_000_000
"""Most numbers (rounds x rows) of a course: 32 MB each for the given and the best other class."""

PIN = 1e-3
"""What a certain label leaves to chance."""


def learned(trusted: BoolArray, validation: IntArray, stands: IntArray | None) -> IntArray:
    """Return the rows whose labels move: nobody confirmed them, they do not validate.

    Of a picture that comes more than once (`stands`, see `make_problem`) one row.
    """
    which: IntArray = np.setdiff1d(np.flatnonzero(~trusted), validation)
    return which if stands is None else which[stands[which] == which]


def make_problem(
    rows: Rows,
    given: IntArray,
    trusted: BoolArray,
    validation: IntArray,
    prior: FloatArray,
    ridge: float,
    seed: int,
    stands: IntArray | None = None,
) -> Problem:
    """Factor the closed form of the rows that nobody confirmed and that do not validate.

    Of a picture that comes more than once, one row is learned: a label that several copies carry
    would explain itself.

    Args:
        rows: features of all n rows.
        given: (n,) int64 labels; trusted: (n,) bool.
        validation: (n_v,) row numbers.
        prior: (k,) class shares.
        ridge: as a share of the mean diagonal of X'X.
        seed: of the head.
        stands: (n,) the row that counts for each row's picture, None where there are no copies.
    """
    which = learned(trusted, validation, stands)
    device, k = rows.device, len(prior)
    total = gram(rows, which)
    onehot = torch.zeros(len(validation), k, device=device)
    at = torch.arange(len(validation), device=device)
    onehot[at, torch.from_numpy(given[validation]).to(device)] = 1
    return Problem(
        rows=rows,
        which=which,
        given=torch.from_numpy(given[which]).to(device),
        x_v=rows[validation],
        onehot=onehot,
        ridge=Ridge(total, relative_ridge(total, ridge)),
        prior=torch.from_numpy(prior.astype(np.float32)).to(device),
        seed=seed,
    )


def baseline(problem: Problem, held: BoolArray, n: int) -> tuple[float, IntArray]:
    """Fit the probe that sees validation rows alone.

    Returns:
        its accuracy on the held-out third when fitted on the others (nan without a third), and
        (n,) int32 its prediction for every row when fitted on all validation rows.
    """
    accuracy = float("nan")
    x, onehot = problem.x_v, problem.onehot
    out = torch.from_numpy(held).to(x.device)
    if int(out.sum()) >= MIN_HELD:
        scores = x[out].double() @ probe(x[~out], onehot[~out])
        accuracy = float((scores.argmax(1) == onehot[out].argmax(1)).double().mean())
    weights = probe(x, onehot).float()
    labels = np.empty(n, np.int32)
    for part, rows in problem.rows.chunks(np.arange(n), problem.k):
        labels[part] = (rows @ weights).argmax(1).cpu().numpy()
    return accuracy, labels


class Rounds:
    """Rounds until the held-out rows say stop, then as many with all validation rows.

    Attributes:
        history: name -> one number per round: of the choosing run where there is one.
        best: held-out accuracy, minus the held-out loss, and the number of rounds kept.
        course: per round of the run that counts, (2, n) float16 from `note`; empty without it.
    """

    def __init__(
        self,
        problem: Problem,
        labels: IntArray,
        context: Context,
        knobs: Knobs,
        *,
        dense: bool,
        rounds: int,
        early_stop: bool,
        refit: bool,
        state: Callable[[], Mapping[str, Any]] = dict,
        arrays: Mapping[str, Any] | None = None,
        note: Callable[[Loop], FloatArray] | None = None,
    ) -> None:
        """Prepare; nothing runs yet.

        Args:
            problem: with all validation rows; labels: (n_v,) theirs.
            context: progress, cancel, checkpoints.
            knobs: of the loop.
            dense: keep the label matrix (`LabelSpace`).
            rounds: at most.
            early_stop: choose the number of rounds on a held-out third of the validation rows.
            refit: run again with all of them.
            state, arrays: what else belongs in a checkpoint.
            note: says what the labels are after a round, (2, n); None keeps no course.
        """
        self.problem, self.labels, self.context, self.knobs = problem, labels, context, knobs
        self.rounds, self._state, self._arrays = rounds, state, dict(arrays or {})
        self._note_labels, self.course = note, list[FloatArray]()
        self.held = agreement.hold_out(labels, context.seed)
        self.choosing = early_stop and int(self.held.sum()) >= MIN_HELD
        work = float(len(problem.which)) * problem.k * problem.rows.d
        self.refit = refit and work <= REFIT_WORK
        self._form: type[LabelSpace] | type[WeightSpace] = LabelSpace if dense else WeightSpace
        self.history: dict[str, list[float]] = {}
        self.best: tuple[float, float, int] = (-1.0, 0.0, rounds)

    def run(self, saved: Saved | None) -> Loop:
        """Run what is left; return the loop after its last round."""
        phase, first = (0 if self.choosing else 1), 0
        if saved is not None:
            state = saved[1]
            phase, first = int(state["phase"]), int(state["round"])
            self.history = {name: list(values) for name, values in state["history"].items()}
            accuracy, loss, number = state["best"]
            self.best = float(accuracy), float(loss), int(number)
            self.course = list(saved[0].get("course", ()))
        loop = self._loop(phase)
        if saved is not None:
            loop.unpack(*saved)
        if phase == 0:
            kept = self._choose(loop, first, saved)
            if not self.refit:
                return kept
            loop, first, self.course = self._loop(1), 0, []
        for number in range(first, self.best[2]):
            self._round(loop, 1, number)
            self._save(loop, 1, number + 1)
        return loop

    def _loop(self, phase: int) -> Loop:
        problem = self.problem if phase else self.problem.judged_by(~self.held)
        return self._form(problem, self.knobs)

    def _choose(self, loop: Loop, first: int, saved: Saved | None) -> Loop:
        """Run rounds on two thirds of the validation rows; remember the best for the others."""
        at = torch.from_numpy(np.flatnonzero(self.held))
        x = self.problem.x_v[at.to(self.problem.x_v.device)]
        labels = torch.from_numpy(self.labels[self.held]).to(x.device)
        best: Saved = ({}, {})
        if saved is not None:
            best = (_unprefixed(saved[0]), saved[1].get("best_loop", {}))
        for number in range(first, self.rounds):
            if self.best[0] >= 0 and number >= self.best[2] + PATIENCE:
                break
            self._round(loop, 0, number)
            right, loss = loop.score(x, labels)
            self._note({"held_out_accuracy": right, "held_out_loss": loss})
            if (right, -loss) > self.best[:2]:
                self.best = right, -loss, number + 1
                best = ({}, {}) if self.refit else loop.pack()
            self._save(loop, 0, number + 1, best)
        if not self.refit:
            loop.unpack(*best)
            self.course = self.course[: self.best[2]]
        return loop

    def _round(self, loop: Loop, phase: int, number: int) -> None:
        total = self.best[2] if phase else self.rounds
        parts = (0.5, 0.5) if self.choosing and self.refit else (float(self.choosing), 1.0)
        low, width = (parts[0] if phase else 0.0), (1 - parts[0] if phase else parts[0])

        def report(part: float, metrics: Mapping[str, float]) -> None:
            done = 0.05 + 0.8 * (low + width * (number + part) / max(total, 1))
            self.context.report("purify", done, metrics)

        losses = loop.round(number, report)
        if self._note_labels is not None and (phase or not self.refit):
            self.course.append(self._note_labels(loop))
        if phase == 0 or not self.choosing:
            changed = loop.changed()
            self._note(losses | {"label_change": changed})

    def _note(self, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            self.history.setdefault(name, []).append(value)

    def _save(self, loop: Loop, phase: int, done: int, best: Saved = ({}, {})) -> None:
        arrays, state = loop.pack()
        arrays |= {f"best.{name}": value for name, value in best[0].items()} | self._arrays
        if self.course:
            arrays["course"] = np.stack(self.course)
        progress = {"phase": phase, "round": done, "history": self.history, "best": list(self.best)}
        self.context.save(arrays, {**state, **progress, "best_loop": best[1], **self._state()})


def _unprefixed(arrays: Mapping[str, Any]) -> dict[str, Any]:
    return {name[5:]: value for name, value in arrays.items() if name.startswith("best.")}


@dataclass(frozen=True, slots=True)
class Purified:
    """What a loop says about every row.

    Attributes:
        suspicion: (n,) float32, 1 - q of the given label.
        labels: (n,) int32, argmax q.
        confidence: (n,) float32, max q.
        probs: (n, k) float32 q, or (classes, probs) of the best ones, (n, top) each.
    """

    suspicion: FloatArray
    labels: IntArray
    confidence: FloatArray
    probs: FloatArray | tuple[IntArray, FloatArray]


def read_out(
    loop: LabelSpace | WeightSpace,
    given: IntArray,
    pinned: BoolArray,
    tick: Callable[[float], None],
    top: int = 0,
    stands: IntArray | None = None,
) -> Purified:
    """Go once over all rows and write down their soft labels; copies have those of one row.

    Args:
        loop: after its last round.
        given: (n,) labels of all rows.
        pinned: (n,) bool, rows whose label is certain.
        tick: called with the share that is done; may raise.
        top: keep so many classes of each row; 0 keeps all.
        stands: (n,) the row that counts for each row's picture, None where there are no copies.
    """
    problem, n, k = loop.problem, len(given), loop.problem.k
    rows = problem.rows
    suspicion, confidence = np.empty(n, np.float32), np.empty(n, np.float32)
    labels = np.empty(n, np.int32)
    probs = np.empty((0 if top else n, k), np.float32)
    classes = np.empty((n if top else 0, top), np.int32)
    best = np.empty((n if top else 0, top), np.float32)
    fit = loop.weights().float()
    shown = np.arange(n) if stands is None else stands
    learned = np.isin(shown, problem.which)
    done = 0
    for which in (np.flatnonzero(learned), np.flatnonzero(~learned)):
        for part, x in rows.chunks(shown[which], k):
            at = which[part]
            if learned[at[0]]:
                place = torch.from_numpy(np.searchsorted(problem.which, shown[at]))
                soft = loop.at(place.to(x.device), x)
            else:
                soft = x @ fit
            q = soft_labels(soft, torch.softmax(loop.head.logits(x), dim=1))
            target = torch.from_numpy(given[at]).to(x.device)[:, None]
            own = torch.from_numpy(pinned[at]).to(x.device)
            q[own] = (PIN / k + (1 - PIN) * torch.zeros_like(q).scatter_(1, target, 1))[own]
            suspicion[at] = (1 - q.gather(1, target)[:, 0]).clamp(0, 1).cpu().numpy()
            most, index = q.topk(max(top, 1), dim=1)
            labels[at], confidence[at] = index[:, 0].cpu().numpy(), most[:, 0].cpu().numpy()
            if top:
                classes[at], best[at] = index.cpu().numpy(), most.cpu().numpy()
            else:
                probs[at] = (q / q.sum(1, keepdim=True)).cpu().numpy()
            done += len(at)
            tick(done / n)
    return Purified(suspicion, labels, confidence, (classes, best) if top else probs)


def course(
    loop: Loop,
    given: IntArray,
    pinned: BoolArray,
    stands: IntArray | None = None,
) -> FloatArray:
    """Return q of the given and of the best other class after a round, (2, n) float16.

    Args:
        loop: after the round.
        given: (n,) labels of all rows.
        pinned: (n,) bool, rows whose label is certain.
        stands: as in `read_out`.
    """
    two = read_out(loop, given, pinned, lambda part: None, min(2, loop.problem.k), stands)
    assert isinstance(two.probs, tuple)
    classes, probs = two.probs
    other = np.where(classes[:, 0] != given, probs[:, 0], probs[:, -1])
    if loop.problem.k < 2:
        other = np.zeros(len(given), np.float32)
    both: FloatArray = np.stack([1 - two.suspicion, other]).astype(np.float16)
    return both


def keeps_course(n: int, d: int, k: int, rounds: int) -> bool:
    """Say whether noting every label after every round costs little beside the rounds."""
    return float(n) * d * k <= COURSE_WORK and n * rounds <= COURSE_LIMIT


def votes(
    problem: Problem, given: IntArray, validation: IntArray, count: int = 3
) -> tuple[IntArray, FloatArray] | None:
    """Return the validation rows that pull hardest at each label (spec 5, evidence panel).

    Args:
        problem: as purified.
        given: (n,) labels of all rows.
        validation: (n_v,) row numbers of `problem.x_v`.
        count: rows to name.

    Returns:
        (n, count) int32 row numbers and (n, count) float32 votes, above 0 for the given label,
        -1 and 0 where there are fewer rows; None where that is too much work.
    """
    n, n_v = len(given), len(validation)
    if float(n) * n_v * problem.rows.d > VOTE_WORK:
        return None
    start = problem.ridge.solve(
        label_cross(problem.rows, problem.which, problem.given, problem.k)
    )  # (d, k) fit of the labels as they came
    pull = residual(problem.x_v.double() @ start, problem.onehot.double())
    solved = problem.ridge.solve(problem.x_v.T.double()).float()  # (d, n_v)
    strength, pull = pull.norm(dim=1).float(), pull.float()
    voters = np.full((n, count), -1, np.int32)
    strengths = np.zeros((n, count), np.float32)
    take = min(count, n_v)
    named = torch.from_numpy(validation).to(problem.rows.device)
    for part, x in problem.rows.chunks(np.arange(n), n_v):
        lever = x @ solved  # (b, n_v) cross-leverage
        index = (lever.abs() * strength).topk(take, dim=1).indices
        label = torch.from_numpy(given[part]).to(x.device)[:, None]
        vote = -lever.gather(1, index) * pull[index, label]
        voters[part, :take] = named[index].cpu().numpy()
        strengths[part, :take] = vote.cpu().numpy()
    return voters, strengths
