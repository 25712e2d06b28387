"""Arrays and signals as files: written aside, then renamed, so no reader sees half of one."""

from __future__ import annotations

import errno
import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np

from lnl_core.parsing import parsed
from lnl_core.store.files import ranking_version as ranking_version
from lnl_core.store.files import read_json as read_json
from lnl_core.store.files import readable as readable
from lnl_core.store.files import write_atomic as write_atomic
from lnl_core.store.files import write_json as write_json
from lnl_core.types import Array, LnlError, Ranking, Signals, TopProbs


def write_array(path: Path, array: Array) -> None:
    """Save one array as .npy, atomically."""
    write_atomic(path, lambda stream: np.save(stream, np.asarray(array), allow_pickle=False))


def new_array(path: Path, dtype: Any, shape: tuple[int, ...]) -> np.memmap[Any, Any]:
    """Make an .npy file to be filled in place, with its room on the disk taken at once.

    Where a disk is full, a write to a mapped page that has no room ends the process.

    Raises:
        OSError: no room, or no right to write.
    """
    out: np.memmap[Any, Any]
    out = np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=shape)
    try:
        if hasattr(os, "posix_fallocate"):
            with path.open("r+b") as stream:
                os.posix_fallocate(stream.fileno(), 0, path.stat().st_size)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP, errno.ENOSYS):
            path.unlink()
            raise  # else this kind of disk cannot say beforehand
    return out


def read_array(path: Path, *, mmap: bool = True) -> Array:
    """Open a .npy file; memory-mapped unless told otherwise, never a pickle.

    Raises:
        Missing: it is gone.
        Damaged: it is cut off, or no array.
    """
    with readable(path):
        mode: Literal["r"] | None = "r" if mmap else None
        array: Array = parsed(np.load, path, mmap_mode=mode, allow_pickle=False)
        if not isinstance(array, np.ndarray):
            raise ValueError("it is an archive, not one array")
        return array


def save_signals(folder: Path, signals: Signals) -> None:
    """Write a run's signals to its folder; `signals.json`, written last, makes them visible."""
    write_array(folder / "suspicion.npy", signals.suspicion.astype(np.float32))
    probs = signals.pred_probs
    kind = "none"
    if isinstance(probs, TopProbs):
        kind = "top"
        write_array(folder / "top_classes.npy", probs.classes.astype(np.int32))
        write_array(folder / "top_probs.npy", probs.probs.astype(np.float16))
    elif probs is not None:
        kind = "dense"
        write_array(folder / "pred_probs.npy", probs.astype(np.float32))
    if signals.features is not None:
        write_array(folder / "features.npy", signals.features.astype(np.float16))
    for name, curve in signals.curves.items():
        write_array(folder / f"curve_{name}.npy", curve)
    for name, extra in signals.extras.items():
        write_array(folder / f"extra_{name}.npy", extra)
    meta = {
        "method": signals.method,
        "pred_probs": kind,
        "class_count": probs.class_count if isinstance(probs, TopProbs) else None,
        "features": signals.features is not None,
        "curves": sorted(signals.curves),
        "extras": sorted(signals.extras),
        "cost": dict(signals.cost),
    }
    write_json(folder / "signals.json", meta)


def load_signals(folder: Path) -> Signals:
    """Open what `save_signals` wrote; arrays stay on disk, memory-mapped.

    Raises:
        LnlError: the run has no finished signals.
        Damaged: one of its files is cut off, gone, or does not fit the others.
    """
    if not (folder / "signals.json").is_file():
        raise LnlError(f"{folder} holds no finished signals. Resume the run, or start it again.")
    with readable(folder / "signals.json"):
        return _signals(folder, read_json(folder / "signals.json"))


def _signals(folder: Path, meta: Mapping[str, Any]) -> Signals:
    probs: Array | TopProbs | None = None
    if meta["pred_probs"] == "dense":
        probs = read_array(folder / "pred_probs.npy")
    elif meta["pred_probs"] == "top":
        probs = TopProbs(
            read_array(folder / "top_classes.npy"),
            read_array(folder / "top_probs.npy"),
            meta["class_count"],
        )
    return Signals(
        method=meta["method"],
        suspicion=read_array(folder / "suspicion.npy"),
        pred_probs=probs,
        features=read_array(folder / "features.npy") if meta["features"] else None,
        curves={name: read_array(folder / f"curve_{name}.npy") for name in meta["curves"]},
        extras={name: read_array(folder / f"extra_{name}.npy") for name in meta["extras"]},
        cost=meta["cost"],
    )


_RANKING_ARRAYS = (
    "suspicion",
    "p_wrong",
    "suggested_labels",
    "top_labels",
    "top_probs",
    "order",
    "transition_matrix",
)


RULE = 6
"""Part of every ranking: raise it when the same runs would be ranked otherwise, so that rankings
made before are made anew. What was made before there was such a number has 0."""


def save_ranking(
    folder: Path,
    ranking: Ranking,
    run_ids: Mapping[str, int],
    seen: int | None = None,
    last_decision: int = 0,
) -> None:
    """Write a ranking into a new folder under `folder`, then point `current.json` at it.

    `seen` of its rows, the first ones, are scored; all of them when None. It knows no decision
    after `last_decision`.
    """
    known = [int(path.name) for path in folder.glob("*") if path.name.isdecimal()]
    version = f"{max([time.time_ns() - 1, *known]) + 1}"  # the clock may have been set back
    place = folder / version
    for name in _RANKING_ARRAYS:
        write_array(place / f"{name}.npy", getattr(ranking, name))
    meta = {
        "methods": list(ranking.methods),
        "weights": dict(ranking.weights),
        "noise_rate": ranking.noise_rate,
        "run_ids": dict(run_ids),
        "seen": len(ranking.order) if seen is None else seen,
        "rule": RULE,
        "last_decision": last_decision,
    }
    write_json(place / "ranking.json", meta)
    write_json(folder / "current.json", {"version": version})
    first = version_before_review(folder)
    old = sorted(path.name for path in folder.iterdir() if path.is_dir())
    for name in old[:-3]:  # readers may still open the one before
        if name != first:
            shutil.rmtree(folder / name, ignore_errors=True)


_BEFORE = "before.json"
"""In the folder of rankings: which of them was in force when people gave their first answer."""


def keep_before_review(folder: Path) -> None:
    """Keep the ranking in force as the one from before the review; once there is one, it stays."""
    version = ranking_version(folder)
    if version is not None and not (folder / _BEFORE).is_file():
        write_json(folder / _BEFORE, {"version": version})


def version_before_review(folder: Path) -> str | None:
    """Return the name of the ranking that was kept from before the review, None without one.

    Raises:
        Damaged: the file that names it cannot be read.
    """
    file = folder / _BEFORE
    return str(read_json(file)["version"]) if file.is_file() else None


def drop_ranking(folder: Path) -> None:
    """Let no ranking be in force; its files stay until the next one."""
    (folder / "current.json").unlink(missing_ok=True)


def ranking_seen(folder: Path, version: str) -> int | None:
    """Return how many rows of a ranking are scored, the first ones; None: all of them."""
    seen: int | None = read_json(folder / version / "ranking.json").get("seen")
    return seen


def ranking_knows(folder: Path, version: str) -> int | None:
    """Return the last decision that a ranking may know; None where that was not kept yet."""
    last: int | None = read_json(folder / version / "ranking.json").get("last_decision")
    return last


def ranking_rule(folder: Path, version: str) -> int:
    """Return the rule by which a ranking was made, see `RULE`."""
    return int(read_json(folder / version / "ranking.json").get("rule", 0))


def load_ranking(folder: Path) -> tuple[Ranking, dict[str, int]] | None:
    """Open the ranking in force with its run ids (method -> job id), memory-mapped.

    Raises:
        Damaged: one of its files is cut off, gone, or does not fit the others.
    """
    version = ranking_version(folder)
    return None if version is None else read_ranking(folder / version)


def read_ranking(place: Path) -> tuple[Ranking, dict[str, int]]:
    """Open one version of a ranking: (ranking, method -> job id).

    Raises:
        Damaged: one of its files is cut off, gone, or does not fit the others.
    """
    with readable(place / "ranking.json"):
        meta = read_json(place / "ranking.json")
        arrays = {name: read_array(place / f"{name}.npy") for name in _RANKING_ARRAYS}
        ranking = Ranking(
            methods=tuple(meta["methods"]),
            weights=meta["weights"],
            noise_rate=meta["noise_rate"],
            **arrays,
        )
        return ranking, {str(key): int(value) for key, value in meta["run_ids"].items()}
