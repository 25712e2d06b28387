"""One checkpoint, one file: tensors by safetensors, the rest as JSON inside it; never a pickle."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from lnl_core.records import Damaged
from lnl_core.store.files import readable, write_atomic
from lnl_core.types import Array

log = logging.getLogger("lnl.worker")


def save_checkpoint(path: Path, arrays: Mapping[str, Any], state: Mapping[str, Any]) -> None:
    """Keep arrays (numpy or anything with `__array__`) and a JSON-able state, atomically."""
    from safetensors.numpy import save

    plain = {name: np.ascontiguousarray(np.asarray(value)) for name, value in arrays.items()}
    data = save(plain, metadata={"state": json.dumps(state)})
    write_atomic(path, lambda stream: stream.write(data))


def usable_checkpoint(path: Path) -> tuple[dict[str, Array], dict[str, Any]] | None:
    """Return what a run may go on from: a damaged checkpoint counts as none."""
    try:
        return load_checkpoint(path)
    except Damaged as error:
        log.warning("%s It begins anew.", error)
        return None


def load_checkpoint(path: Path) -> tuple[dict[str, Array], dict[str, Any]] | None:
    """Return the arrays and the state last saved, None where there is no checkpoint.

    Raises:
        Damaged: it is cut off or something else.
    """
    if not path.is_file():
        return None
    from safetensors import safe_open

    with readable(path), safe_open(path, framework="numpy") as file:
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        state = json.loads((file.metadata() or {})["state"])
    return arrays, state
