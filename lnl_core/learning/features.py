"""Label-free features: one row of numbers per image, from a network that never saw the labels.

Which numbers a representation gives is in `encoders.py`; here they are computed and kept.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lnl_core.learning import contrastive, encoders, grown, hardware, process_group
from lnl_core.learning.feature_keys import cache_key
from lnl_core.learning.images import images_alone
from lnl_core.parsing import parsed
from lnl_core.records import file_size
from lnl_core.store import locks
from lnl_core.store.arrays import new_array, read_array, read_json, write_json
from lnl_core.types import (
    Damaged,
    FloatArray,
    IntArray,
    LabeledDataset,
    LnlError,
)

Report = Callable[[str, float, Mapping[str, float] | None], None]

CPU_BATCH = 16
"""Images at a time in a network on the CPU: maps of more leave its caches, a third slower."""


def content_version(dataset: LabeledDataset, rows: int = 4096) -> str:
    """Return a digest of the images alone: features do not change with labels."""
    digest = hashlib.blake2b(repr(dataset.images.shape).encode(), digest_size=16)
    for start in range(0, len(dataset), rows):
        digest.update(np.asarray(dataset.images[start : start + rows]).tobytes())
    return digest.hexdigest()


def cached(
    directory: Path,
    dataset: LabeledDataset,
    representation: str,
    device: str = "cpu",
    report: Report | None = None,
    *,
    version: str | None = None,
) -> FloatArray:
    """Return the features, computed once and kept in `directory`/features/<key>.

    Work that was stopped goes on from the last block of rows that reached the disk. Where another
    job is at it, its work is waited for. Of several processes of one run the first one computes and
    writes; the others help to train a network.

    Args:
        directory: the data set's folder.
        dataset: n images.
        representation: `pretrained`, `raw`, `simclr`, `moco` (both perhaps with a number of
            epochs, `simclr:200`) or the name of a timm network.
        device: where to compute.
        report: progress, as `Context.report`.
        version: digest of the contents; taken from the images where it is None.

    Returns:
        (n, d) float16, memory-mapped, read-only.

    Raises:
        LnlError: as `compute`, or the disk is full.
    """
    key = cache_key(version or content_version(dataset), representation)
    folder = directory / "features" / key
    ready, group = folder / "features.npy", process_group.current()
    if not group.broadcast_number(_is_whole(folder)):
        first = group.rank == 0
        with _lock_of(folder, report) if first else contextlib.nullcontext():
            # looked at again under the lock: another job may have made them, and then none trains
            if group.broadcast_number(first and not _is_whole(folder)):
                if first:
                    _compute_into(folder, ready, dataset, representation, device, report)
                elif contrastive.is_contrastive(representation):
                    recipe = contrastive.recipe_for(representation, dataset, device)
                    contrastive.train(dataset, recipe, device)
        group.broadcast_number(True)  # the others wait until the first one has written
    return read_array(ready)


def _lock_of(folder: Path, report: Report | None) -> contextlib.AbstractContextManager[None]:
    """Hold the lock of a folder of features, which is made for it."""
    with contextlib.suppress(OSError):  # said where they are written
        folder.mkdir(parents=True, exist_ok=True)
    return locks.held(folder / "lock", partial(_wait, report))


def _wait(report: Report | None) -> None:
    """Say that another job computes the features; what `report` raises ends the wait."""
    if report is not None:
        report("waiting for another job's features", 0.0, None)


def _is_whole(folder: Path) -> bool:
    """Tell whether features are there; damaged ones go, to be computed again."""
    meta, ready = folder / "meta.json", folder / "features.npy"
    if not (meta.is_file() and ready.is_file()):
        return False
    try:
        read_array(ready)
    except Damaged:
        ready.unlink(missing_ok=True)
        return False
    return True


def _compute_into(
    folder: Path,
    ready: Path,
    dataset: LabeledDataset,
    representation: str,
    device: str,
    report: Report | None,
) -> None:
    """Compute a representation into `ready`, from where it was stopped."""
    folder.mkdir(parents=True, exist_ok=True)
    part, progress = folder / "part.npy", folder / "part.json"
    encoder = encoders.encoder(representation, dataset, device, report, folder)
    encoder.alone = representation != "raw" and not contrastive.is_contrastive(representation)
    shape = (len(dataset), encoder.width)
    done, fingerprint = 0, [encoder.name, list(shape), _backend(device)]
    if part.is_file() and progress.is_file():
        with contextlib.suppress(Damaged, KeyError, TypeError):
            state = read_json(progress)
            if state["made"] == fingerprint and read_array(part).shape == shape:
                done = int(state["rows"])
    try:
        if not done:
            new_array(part, np.float16, shape)
        out = parsed(np.lib.format.open_memmap, part, mode="r+")
        if not done and encoder.alone:
            known = grown.known_before(
                folder, representation, shape, partial(_rows, dataset, encoder, device)
            )
            if known is not None:
                done = len(known)
                out[:done] = known

        def keep(rows: int) -> None:
            out.flush()
            write_json(progress, {"rows": rows, "made": fingerprint})

        _fill(out, dataset, encoder, device, report, start=done, keep=keep)
        out.flush()
        os.replace(part, ready)
    except FileNotFoundError as error:
        raise LnlError(
            f"{folder} was taken away while features were written there. Resume to write them anew."
        ) from error
    except OSError as error:
        raise LnlError(
            f"Features cannot be written to {folder}: {error.strerror}. Free about "
            f"{file_size(shape[0] * shape[1] * 2)} there, or set LNL_HOME to another disk, "
            "then resume."
        ) from error
    write_json(folder / "meta.json", {"representation": representation, "shape": shape})
    progress.unlink(missing_ok=True)
    (folder / contrastive.STATE).unlink(missing_ok=True)


def compute(
    dataset: LabeledDataset,
    representation: str = "pretrained",
    device: str = "cpu",
    report: Report | None = None,
    batch: int = 64,
) -> FloatArray:
    """Compute the features of every image, reading the images in batches.

    Args:
        dataset: n images, perhaps memory-mapped.
        representation: `pretrained` (d = 3,872), `raw` (pixels, at most 32 x 32 of them, minus
            their mean image, divided by their standard deviation) or the name of a timm network.
        device: `cpu` or `cuda`.
        report: called at least about once a second with stage, fraction and images per second;
            what it raises ends the work.
        batch: images at a time.

    Returns:
        (n, d) float16.

    Raises:
        LnlError: an unknown network, or weights that this machine does not have.
    """
    encoder = encoders.encoder(representation, dataset, device, report)
    out = np.empty((len(dataset), encoder.width), dtype=np.float16)
    _fill(out, dataset, encoder, device, report, batch=batch)
    return out


def cached_maps(
    directory: Path,
    dataset: LabeledDataset,
    device: str = "cpu",
    report: Report | None = None,
    *,
    version: str | None = None,
) -> FloatArray:
    """Return the last feature maps of the pretrained network, kept on the disk as `cached` does.

    Returns:
        (n, 1280, 4, 4) float16, memory-mapped, read-only: 40 kB an image, read in batches.
    """
    flat = cached(directory, dataset, encoders.MAPS, device, report, version=version)
    return flat.reshape(len(flat), *encoders.MAPS_SHAPE)


def _rows(
    dataset: LabeledDataset, encoder: encoders.Encoder, device: str, rows: IntArray
) -> FloatArray:
    """Return the features of some rows, (m, width) float16."""
    some = images_alone(dataset, rows)
    out = np.empty((len(rows), encoder.width), dtype=np.float16)
    _fill(out, some, encoder, device, None)
    return out


def _fill(
    out: Any,
    dataset: LabeledDataset,
    encoder: encoders.Encoder,
    device: str,
    report: Report | None,
    *,
    batch: int = 64,
    start: int = 0,
    keep: Callable[[int], None] | None = None,
) -> None:
    n = len(dataset)
    began = reported = saved = time.monotonic()
    with torch.inference_mode():
        for first in range(start, n, batch):
            images = torch.from_numpy(np.array(dataset.images[first : first + batch])).to(device)
            values = _in_parts(encoder.encode, images.permute(0, 3, 1, 2).float() / 255)
            limit = torch.finfo(torch.float16).max  # above it the stored row would hold inf
            out[first : first + batch] = values.clamp(-limit, limit).half().cpu().numpy()
            last, now = min(first + batch, n), time.monotonic()
            if keep is not None and now - saved > 5:
                keep(last)
                saved = now
            if report is not None and (now - reported > 0.5 or last == n):
                speed = (last - start) / max(now - began, 1e-6)
                done = encoder.before + (1 - encoder.before) * last / n
                report("features", done, {"images_per_second": speed})
                reported = now


def _in_parts(encode: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
    """Return the rows of (b, c, h, w) images, few images at a time where that is faster."""
    if images.device.type != "cpu":
        return encode(images)
    return torch.cat([encode(part) for part in torch.split(images, CPU_BATCH)])


def _backend(device: str) -> str:
    """Return the arithmetic in use, so that half-done work is not continued in another."""
    return f"{torch.device(device).type}-{hardware.precision(torch.device(device))}"
