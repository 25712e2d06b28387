"""What a method may use while it fits: as a library, and inside a job."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from lnl_core.learning.memory import Peak
from lnl_core.store.checkpoint import save_checkpoint, usable_checkpoint
from lnl_core.types import COPIED_BYTES, Array, BaseRun, Cancelled, FloatArray, LnlError

HISTORY = 400
"""Most points of a run's loss curve that are kept for the page."""

FEATURES_SHARE = 0.9
"""How much of a run's progress computing the features is, where it has to compute them."""

EARLY_SECONDS = 5.0
"""Before this a run's pace says nothing."""

Report = Callable[[str, float, Mapping[str, float] | None], None]


def _plain(arrays: Mapping[str, Any]) -> dict[str, Array]:
    """Turn torch tensors into numpy arrays, on the CPU; bfloat16 becomes float32, exactly."""
    plain = {}
    for name, value in arrays.items():
        if hasattr(value, "detach"):
            value = value.detach().cpu()
            value = value.float() if str(value.dtype) == "torch.bfloat16" else value
        plain[name] = np.asarray(value)
    return plain


class LocalContext:
    """A context without a job: for notebooks, tests and benchmarks.

    Args:
        device: `cpu` or `cuda`.
        seed: of everything random.
        features: (n, d) array, or a function that makes one, for methods that need features.
        maps: (n, d, u, v) array, or a function that makes one, for heads on feature maps.
        checkpoint: file to keep checkpoints in; without one they are kept in memory.
        representation: `pixels`, or the name of the frozen features to train on.
        base: finished run to build on.
        folder: where `keep` writes; without one what is kept goes to `kept`.
        on_report: called with (stage, fraction, metrics); may raise `Cancelled`.
    """

    def __init__(
        self,
        device: str = "cpu",
        seed: int = 0,
        *,
        features: FloatArray | Callable[[], FloatArray] | None = None,
        maps: FloatArray | Callable[[], FloatArray] | None = None,
        checkpoint: Path | None = None,
        representation: str = "pixels",
        base: BaseRun | None = None,
        folder: Path | None = None,
        on_report: Callable[[str, float, Mapping[str, float]], None] | None = None,
    ) -> None:
        self.device = device
        self.seed = seed
        self._features = features
        self._maps = maps
        self._path = checkpoint
        self.representation = representation
        self.base = base
        self.kept: dict[str, tuple[dict[str, Array], dict[str, Any]]] = {}
        self._folder = folder
        self._on_report = on_report
        self._memory: tuple[dict[str, Any], dict[str, Any]] | None = None

    def features(self) -> FloatArray:
        """Return the features given to this context, (n, d) float32."""
        if self._features is None:
            raise LnlError("This method needs features: pass features= to the context.")
        features = self._features() if callable(self._features) else self._features
        return np.asarray(features, dtype=np.float32)

    def maps(self) -> FloatArray:
        """Return the feature maps given to this context, (n, d, u, v)."""
        if self._maps is None:
            raise LnlError("This run needs feature maps: pass maps= to the context.")
        return self._maps() if callable(self._maps) else self._maps

    def report(
        self, stage: str, fraction: float, metrics: Mapping[str, float] | None = None
    ) -> None:
        """Hand progress to `on_report`."""
        if self._on_report is not None:
            self._on_report(stage, fraction, metrics or {})

    def save(self, arrays: Mapping[str, Any], state: Mapping[str, Any]) -> None:
        """Keep one checkpoint."""
        plain = {name: value.copy() for name, value in _plain(arrays).items()}
        if self._path is not None:
            save_checkpoint(self._path, plain, state)
        else:
            self._memory = plain, dict(state)

    def load(self) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """Return the last checkpoint, None where there is none."""
        return self._memory if self._path is None else usable_checkpoint(self._path)

    def keep(self, name: str, arrays: Mapping[str, Any], state: Mapping[str, Any]) -> None:
        """Store a result for later runs."""
        plain = {key: value.copy() for key, value in _plain(arrays).items()}
        if self._folder is not None:
            save_checkpoint(self._folder / f"{name}.safetensors", plain, state)
        else:
            self.kept[name] = plain, dict(state)


class JobContext:
    """A context inside a job: the worker's heartbeat thread carries progress to the table.

    Args:
        seed: of the run.
        folder: the run's folder, where the checkpoint lives.
        device: resolved, `cpu` or `cuda`; the worker sets it once it has looked.
        features: makes the cached features on first use, reporting as it goes.
        maps: makes the cached feature maps of a frozen network likewise.
        representation: `pixels`, or the name of the frozen features to train on.
        base: finished run to build on.
        save_every: least seconds between two checkpoints on the disk; a checkpoint that takes
            long to write is written less often, so that it costs a twentieth of the time at most.
    """

    def __init__(
        self,
        seed: int,
        folder: Path,
        *,
        device: str = "cpu",
        features: Callable[[Report], FloatArray] | None = None,
        maps: Callable[[Report], FloatArray] | None = None,
        representation: str = "pixels",
        base: BaseRun | None = None,
        save_every: float = 2.0,
    ) -> None:
        self.device = device
        self.seed = seed
        self.representation = representation
        self.base = base
        self.cancelled = threading.Event()
        self.stage = "starting"
        self.fraction = 0.0
        self.metrics: dict[str, Any] = {}
        self.history: list[list[float]] = []
        self.kept = False
        self.memory: Peak | None = None
        self.features_cost: dict[str, float] = {}
        self.resumed = False
        self._own = time.monotonic(), time.process_time()
        self.make_features = features
        self.make_maps = maps
        self._folder = folder
        self._path = folder / "checkpoint.safetensors"
        self._save_every = save_every
        self._save_after = 0.0
        self._floor, self._share = 0.0, 1.0
        self._began = time.monotonic()
        self._began_at = 0.0

    def features(self) -> FloatArray:
        """Return the label-free features, (n, d) float32, from the cache where they are in it.

        Where they have to be computed, that is nine tenths of the run's progress.
        """
        if self.make_features is None:
            raise LnlError("This run was started without features.")
        features = self._prepared(self.make_features)
        return (
            features if 4 * features.size > COPIED_BYTES else np.asarray(features, dtype=np.float32)
        )

    def maps(self) -> FloatArray:
        """Return a frozen network's feature maps, (n, d, u, v) float16, from the cache or new."""
        if self.make_maps is None:
            raise LnlError("This run was started without feature maps.")
        return self._prepared(self.make_maps)

    def _prepared(self, make: Callable[[Report], FloatArray]) -> FloatArray:
        self._share = FEATURES_SHARE
        began, cpu = time.monotonic(), time.process_time()
        try:
            return make(self.report)
        finally:
            self._floor = FEATURES_SHARE if self.stage == "features" else 0.0
            self._share = 1.0 - self._floor
            if self.stage == "features":  # made anew, not read
                self._note_features(time.monotonic() - began, time.process_time() - cpu)

    def _note_features(self, seconds: float, cpu_seconds: float) -> None:
        """Keep what features cost apart from the run's own cost; others use them as well."""
        peak = 0 if self.memory is None else self.memory.lap()
        cost = self.features_cost
        self.features_cost = {
            "features_seconds": cost.get("features_seconds", 0.0) + seconds,
            "features_cpu_seconds": cost.get("features_cpu_seconds", 0.0) + cpu_seconds,
            "features_memory_bytes": max(cost.get("features_memory_bytes", 0.0), float(peak)),
        }
        began, cpu = self._own
        self._own = began + seconds, cpu + cpu_seconds

    def begin(self) -> None:
        """Start the clocks and the memory of the run's own cost."""
        self.memory = Peak()
        self._own = time.monotonic(), time.process_time()

    def pace(self) -> dict[str, float]:
        """Return how the run gets on, without its features; empty too early to say.

        Returns:
            `own_seconds`, `own_fraction` (share done) and `cores`, processor seconds per second.
        """
        began, cpu = self._own
        seconds = time.monotonic() - began
        done = (self.fraction - self._floor) / max(1 - self._floor, 1e-9)
        if seconds < EARLY_SECONDS or done <= 0.02 or self.stage == "features":
            return {}
        cores = (time.process_time() - cpu) / seconds
        return {"own_seconds": seconds, "own_fraction": done, "cores": cores}

    def report(
        self, stage: str, fraction: float, metrics: Mapping[str, float] | None = None
    ) -> None:
        """Remember progress; raise `Cancelled` once the user has pressed stop."""
        if self.cancelled.is_set():
            raise Cancelled
        done = self._floor + self._share * min(max(float(fraction), 0.0), 1.0)
        if stage != self.stage:
            self._began, self._began_at = time.monotonic(), done
        self.stage, self.fraction = stage, done
        known = {k: float(v) for k, v in (metrics or {}).items() if np.isfinite(v)}
        self.metrics = self.metrics | known  # a new one: the heartbeat may be reading the old
        if "epoch" in known and "loss" in known:
            self._remember(known["epoch"], round(known["loss"], 5))

    def _remember(self, epoch: float, loss: float) -> None:
        """Add a point to the loss curve; a long curve keeps every second point of its past."""
        points = [point for point in self.history if point[0] < epoch]
        if len(points) >= HISTORY:
            points = points[::2]
        self.history = [*points, [epoch, loss]]

    def eta_seconds(self) -> float | None:
        """Return the seconds left, by the pace of the present stage; None too early to say."""
        gone = self.fraction - self._began_at
        elapsed = time.monotonic() - self._began
        if gone <= 0.01 or elapsed < 0.5:
            return None
        return elapsed / gone * (1 - self.fraction)

    def save(self, arrays: Mapping[str, Any], state: Mapping[str, Any]) -> None:
        """Keep one checkpoint on the disk, at most every two seconds."""
        began = time.monotonic()
        if began < self._save_after:
            return
        save_checkpoint(self._path, _plain(arrays), {"method": state, "history": self.history})
        ended = time.monotonic()
        self._save_after = ended + max(self._save_every, 19 * (ended - began))
        self.kept = True

    def load(self) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """Return the last checkpoint, None where there is none."""
        checkpoint = usable_checkpoint(self._path)
        if checkpoint is None:
            return None
        arrays, state = checkpoint
        self.history = state["history"]
        self.resumed = True
        return arrays, state["method"]

    def keep(self, name: str, arrays: Mapping[str, Any], state: Mapping[str, Any]) -> None:
        """Store a result for later runs in the run's folder, atomically."""
        save_checkpoint(self._folder / f"{name}.safetensors", _plain(arrays), state)

    def forget(self) -> None:
        """Remove the checkpoint of a run that is done."""
        self._path.unlink(missing_ok=True)
