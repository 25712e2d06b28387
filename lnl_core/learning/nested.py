"""Nested training: a training inside a run, whose checkpoints are stored in the run's own.

`Nested` is the context that one such training gets; `Stages` runs several of them one after the
other. Nothing here imports torch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from lnl_core.types import BaseRun, Context, FloatArray

Saved = tuple[dict[str, Any], dict[str, Any]]
"""A checkpoint: arrays by name, and a state that JSON can hold."""

_NESTED = "nested"
_KEPT = "kept."


class Nested:
    """The `Context` of a training inside a run.

    Args:
        outer: context of the run.
        seed: of this training.
        span: (start, end) of its part of the run's progress.
        around: gives the arrays and the state of the run that every checkpoint has to hold.
        saved: the run's last checkpoint, where it was written by this very training.
        title: turns the training's own stage into what the run says on screen.
        representation: what it trains on.
        base: the run that it builds on.
        keep: where its results go, by name; the run's own folder where None.
    """

    def __init__(
        self,
        outer: Context,
        seed: int,
        span: tuple[float, float],
        around: Callable[[], Saved],
        saved: Saved | None = None,
        *,
        title: Callable[[str], str] = str,
        representation: str = "pixels",
        base: BaseRun | None = None,
        keep: Callable[[str, Mapping[str, Any], Mapping[str, Any]], None] | None = None,
    ) -> None:
        self.device, self.seed = outer.device, seed
        self.representation, self.base = representation, base
        self._outer, self._span, self._around, self._title = outer, span, around, title
        self._keep = keep or outer.keep
        self._saved = None if saved is None else _inside(saved)

    def features(self) -> FloatArray:
        """Return the run's label-free representation, (n, d) float32."""
        return self._outer.features()

    def maps(self) -> FloatArray:
        """Return the run's label-free maps, (n, c, h, w)."""
        return self._outer.maps()

    def report(
        self, stage: str, fraction: float, metrics: Mapping[str, float] | None = None
    ) -> None:
        """Report as a part of the run."""
        start, end = self._span
        self._outer.report(self._title(stage), start + (end - start) * fraction, metrics)

    def save(self, arrays: Mapping[str, Any], state: Mapping[str, Any]) -> None:
        """Keep a checkpoint of the run with this training's inside."""
        around, outer_state = self._around()
        inside = {f"{_NESTED}.{name}": value for name, value in arrays.items()}
        self._outer.save({**around, **inside}, {**outer_state, _NESTED: dict(state)})

    def load(self) -> Saved | None:
        """Return this training's last checkpoint."""
        return self._saved

    def keep(self, name: str, arrays: Mapping[str, Any], state: Mapping[str, Any]) -> None:
        """Hand a result on."""
        self._keep(name, arrays, state)


def _inside(saved: Saved) -> Saved | None:
    """Return a nested training's part of its run's checkpoint; None where it holds none."""
    arrays, state = saved
    if _NESTED not in state:
        return None
    start = f"{_NESTED}."
    own = {name[len(start) :]: value for name, value in arrays.items() if name.startswith(start)}
    return own, state[_NESTED]


class Stages:
    """Hands out one context per training and keeps what the finished ones left.

        stages = Stages(context, ("fold 1", "fold 2"), {"probs": np.zeros((n, k))})
        for number, nested in stages:
            ...train with `nested`, write into stages.kept["probs"]...

    A checkpoint of a training holds `kept` too. A run taken up again starts with the training that
    was under way, at its own last checkpoint.

    Args:
        context: of the whole run.
        names: of the trainings, for the progress line.
        kept: name -> array that trainings fill; a checkpoint overwrites them.
        representation: what the trainings run on; the run's own where None.
    """

    def __init__(
        self,
        context: Context,
        names: tuple[str, ...],
        kept: Mapping[str, Any],
        representation: str | None = None,
    ) -> None:
        self.outer, self.names, self.kept = context, names, dict(kept)
        self.representation = representation or context.representation
        self.number = 0
        self.costs: list[Mapping[str, float]] = []
        self._saved = context.load()
        if self._saved is not None and _NESTED not in self._saved[1]:
            self._saved = None  # written by an earlier version, in another form: begin anew
        if self._saved is not None:
            arrays, state = self._saved
            self.number, self.costs = int(state["stage"]), list(state["costs"])
            self.kept |= {
                name[len(_KEPT) :]: np.array(value)  # writable
                for name, value in arrays.items()
                if name.startswith(_KEPT)
            }

    def __iter__(self) -> Iterator[tuple[int, Nested]]:
        """Give (number, context) of every training still to do."""
        while self.number < len(self.names):
            yield self.number, self._context()
            self.number, self._saved = self.number + 1, None

    def _context(self) -> Nested:
        outer, number, count = self.outer, self.number, len(self.names)
        return Nested(
            outer,
            # the first training has the run's own seed, so that alone it equals a plain run
            outer.seed * 1_000 + number if number else outer.seed,
            (number / count, (number + 1) / count),
            self._around,
            self._saved,
            title=lambda stage: f"{self.names[number]}, {stage}",
            representation=self.representation,
            base=outer.base,
        )

    def _around(self) -> Saved:
        costs = [dict(cost) for cost in self.costs]
        arrays = {_KEPT + name: value for name, value in self.kept.items()}
        return arrays, {"stage": self.number, "costs": costs}

    def cost(self) -> dict[str, float]:
        """Return what the trainings cost together; the peak is the largest of theirs."""
        total: dict[str, float] = {}
        for cost in self.costs:
            for name, value in cost.items():
                peak = name.startswith("peak")
                total[name] = max(total.get(name, 0), value) if peak else total.get(name, 0) + value
        return total
