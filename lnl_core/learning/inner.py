"""A training inside a run: its checkpoints ride along in the run's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lnl_core.types import BaseRun, Context, FloatArray

_PREFIX = "inner."


class Inner:
    """What a training inside a run sees of the world, always on pixels.

    Args:
        outer: context of the run.
        seed: of this training.
        span: (start, end) of its part of the run's progress.
        around: gives the arrays and the state of the run that every checkpoint has to hold.
        saved: the run's last checkpoint, where it was written by this very training.
        stage: what it is called on screen; the training's own word where empty.
    """

    representation = "pixels"
    base: BaseRun | None = None

    def __init__(
        self,
        outer: Context,
        seed: int,
        span: tuple[float, float],
        around: Callable[[], tuple[dict[str, Any], dict[str, Any]]],
        saved: tuple[dict[str, Any], dict[str, Any]] | None,
        stage: str = "",
    ) -> None:
        self.device, self.seed = outer.device, seed
        self.kept: dict[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {}
        self._outer, self._span, self._around, self._stage = outer, span, around, stage
        self._saved = None
        if saved is not None and "inner" in saved[1]:
            arrays = {
                name.removeprefix(_PREFIX): value
                for name, value in saved[0].items()
                if name.startswith(_PREFIX)
            }
            self._saved = arrays, saved[1]["inner"]

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
        self._outer.report(self._stage or stage, start + (end - start) * fraction, metrics)

    def save(self, arrays: Mapping[str, Any], state: Mapping[str, Any]) -> None:
        """Keep a checkpoint of the run with this training's inside."""
        around, told = self._around()
        inside = {_PREFIX + name: value for name, value in arrays.items()}
        self._outer.save({**around, **inside}, {**told, "inner": dict(state)})

    def load(self) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """Return this training's last checkpoint."""
        return self._saved

    def keep(self, name: str, arrays: Mapping[str, Any], state: Mapping[str, Any]) -> None:
        """Hand a result to the run, in `kept`."""
        self.kept[name] = arrays, state
