"""Several trainings one after the other inside one run: one checkpoint, one progress bar."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from lnl_core.types import BaseRun, Context, FloatArray

_OURS = "stages."


class Stages:
    """Hands out one context per training and keeps what the finished ones left.

        stages = Stages(context, ("fold 1", "fold 2"), {"probs": np.zeros((n, k))})
        for number, inner in stages:
            ...train with `inner`, write into stages.kept["probs"]...

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
        self._saved: tuple[dict[str, Any], dict[str, Any]] | None = None
        found = context.load()
        if found is not None:
            arrays, state = found
            self.number, self.costs = int(state["stage"]), list(state["costs"])
            for name in self.kept:
                self.kept[name] = np.array(arrays.pop(_OURS + name))  # writable
            self._saved = arrays, state["inner"]

    def __iter__(self) -> Any:
        """Give (number, context) of every training still to do."""
        while self.number < len(self.names):
            yield self.number, _Stage(self, self._saved)
            self.number, self._saved = self.number + 1, None

    def cost(self) -> dict[str, float]:
        """Return what the trainings cost together; the peak is the largest of theirs."""
        total: dict[str, float] = {}
        for cost in self.costs:
            for name, value in cost.items():
                peak = name.startswith("peak")
                total[name] = max(total.get(name, 0), value) if peak else total.get(name, 0) + value
        return total


class _Stage:
    """What one training sees of the world."""

    def __init__(self, stages: Stages, saved: tuple[dict[str, Any], dict[str, Any]] | None) -> None:
        outer = stages.outer
        self._stages, self._saved = stages, saved
        self.device, self.base = outer.device, outer.base
        self.representation = stages.representation
        self.seed = outer.seed * 1_000 + stages.number if stages.number else outer.seed

    base: BaseRun | None

    def features(self) -> FloatArray:
        return self._stages.outer.features()

    def report(
        self, stage: str, fraction: float, metrics: Mapping[str, float] | None = None
    ) -> None:
        stages = self._stages
        done = (stages.number + fraction) / len(stages.names)
        stages.outer.report(f"{stages.names[stages.number]}, {stage}", done, metrics)

    def save(self, arrays: Mapping[str, Any], state: Mapping[str, Any]) -> None:
        stages = self._stages
        ours = {_OURS + name: value for name, value in stages.kept.items()}
        told = {"stage": stages.number, "costs": [dict(cost) for cost in stages.costs]}
        stages.outer.save({**arrays, **ours}, {**told, "inner": dict(state)})

    def load(self) -> tuple[dict[str, Any], dict[str, Any]] | None:
        return self._saved

    def keep(self, name: str, arrays: Mapping[str, Any], state: Mapping[str, Any]) -> None:
        self._stages.outer.keep(name, arrays, state)
