"""Class activation maps: where a network sees a class, exactly and for all classes at once.

A network that averages its last maps and ends in a linear layer says z = W mean(A) + bias, so the
map of class c is the sum of the maps A weighted by row c of W. Centring W over classes takes away
the one part of it that no prediction depends on.

Reference: Zhou et al., "Learning Deep Features for Discriminative Localization", CVPR 2016.
Centring, the common scale and the numbers beside the maps are ours.

Shapes: `b` images, `d` maps of (u, v) places, `k` classes, `j` classes asked for.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lnl_core.learning.images import images_alone
from lnl_core.types import Array, FloatArray, LabeledDataset, LnlError

TINY = 1e-6
"""Keeps 0 / 0 out of a map without a positive place; far below any maximum that means something."""

FOREGROUND = 0.4
"""Part of a map's maximum from which on a place counts as foreground; ours (Zhou et al. cut boxes
at 0.2)."""

PACKAGED = ("GradCAM", "GradCAMPlusPlus", "EigenCAM", "LayerCAM")
_CHUNK = 128
"""Images at a time: bounds the memory that their maps take."""


def centred(weights: Tensor) -> Tensor:
    """Return the last layer's weights minus their mean over classes, (k, d)."""
    return weights - weights.mean(dim=0)


def of_classes(maps: Tensor, weights: Tensor, labels: Tensor, *, centre: bool = True) -> Tensor:
    """Return the maps of some classes of each image, (b, j, u, v).

    Args:
        maps: (b, d, u, v).
        weights: (k, d).
        labels: (b, j).
        centre: False gives the plain map, whose mean plus bias is the logit.
    """
    rows = (centred(weights) if centre else weights)[labels]  # (b, j, d)
    b, d, u, v = maps.shape
    return torch.bmm(rows, maps.reshape(b, d, u * v)).view(b, -1, u, v)


def normalised(maps: Tensor) -> Tensor:
    """Return max(map, 0) over its maximum, in [0, 1]; all 0 where nothing is positive.

    Args:
        maps: (..., u, v).
    """
    positive = maps.clamp_min(0)
    return positive / (positive.amax(dim=(-2, -1), keepdim=True) + TINY)


def foreground(maps: Tensor, tau: float = FOREGROUND) -> Tensor:
    """Return a bool mask (..., u, v) of places at `tau` of the maximum or above."""
    return normalised(maps) >= tau


def statistics(given: Tensor, suggested: Tensor, tau: float = FOREGROUND) -> dict[str, Tensor]:
    """Return numbers that put two maps of an image into words; none is a better score than logits.

    Args:
        given: (b, u, v) map of the given label.
        suggested: (b, u, v) map of the best other class.
        tau: of the masks.

    Returns:
        (b,) each: `energy_given`, `energy_suggested` (mean of the positive part), `energy_gap`,
        `energy_share` (suggested over both, 0.5 where there is none), `overlap_gap` (mean of
        suggested - given over the union of the masks), `mask_iou`, `foreground_fraction` (of the
        suggested map), `peak_given` (largest value of given), `support` (mean of given inside the
        mask of suggested), `divergence` (Jensen-Shannon, nats), `entropy_given` (nats).
    """
    positive_given, positive_suggested = given.clamp_min(0), suggested.clamp_min(0)
    e_given, e_suggested = positive_given.mean((1, 2)), positive_suggested.mean((1, 2))
    mask_given, mask_suggested = foreground(given, tau), foreground(suggested, tau)
    union, both = mask_given | mask_suggested, mask_given & mask_suggested
    p, q = _shares(positive_given), _shares(positive_suggested)
    middle = (p + q) / 2
    # 0 / 0 where neither class has a positive place: kept finite here, set to 0.5 below
    share = e_suggested / (e_suggested + e_given).clamp_min(1e-12)
    return {
        "energy_given": e_given,
        "energy_suggested": e_suggested,
        "energy_gap": e_suggested - e_given,
        "energy_share": torch.where(e_suggested + e_given > 0, share, torch.full_like(share, 0.5)),
        "overlap_gap": _mean_inside(suggested - given, union),
        "mask_iou": both.sum((1, 2)) / union.sum((1, 2)).clamp_min(1),
        "foreground_fraction": mask_suggested.to(given.dtype).mean((1, 2)),
        "peak_given": given.amax((1, 2)),
        "support": _mean_inside(given, mask_suggested),
        "divergence": _entropy(middle) - (_entropy(p) + _entropy(q)) / 2,
        "entropy_given": _entropy(p),
    }


def _shares(positive: Tensor) -> Tensor:
    """Turn positive parts into distributions over places, (b, u * v); even where all is 0."""
    flat = positive.flatten(1) + 1e-12  # a map of zeros becomes even instead of 0 / 0
    return flat / flat.sum(dim=1, keepdim=True)


def _entropy(shares: Tensor) -> Tensor:
    entropy: Tensor = -torch.special.xlogy(shares, shares).sum(dim=1)  # 0 log 0 counts as 0
    return entropy


def _mean_inside(values: Tensor, mask: Tensor) -> Tensor:
    inside = mask.to(values.dtype)
    # an empty mask gives 0, not 0 / 0
    return (values * inside).sum((1, 2)) / inside.sum((1, 2)).clamp_min(1)


def class_maps(
    folder: Path,
    dataset: LabeledDataset,
    rows: Array,
    labels: Array,
    *,
    maps: FloatArray | Callable[[], FloatArray] | None = None,
    device: str = "cpu",
) -> FloatArray:
    """Return maps of any classes of any images, by the network that a finished run kept.

    A head on frozen maps needs those alone: no image, no backbone. A network whose last layers are
    not an average and a linear layer gives Grad-CAM at its last maps instead.

    Args:
        folder: of the run.
        dataset: whose images it looked at; only `rows` of them are read.
        rows: (b,) row numbers.
        labels: (b, j) classes, for example the given and the suggested one.
        maps: (n, d, u, v) frozen maps, or what opens them, for a run on frozen maps.
        device: `auto`, `cpu` or `cuda`.

    Returns:
        (b, j, u, v) float32, signed; the difference of two of them is the contrast of two classes.

    Raises:
        LnlError: the run kept no network, or it needs frozen maps and got none.
    """
    from lnl_core.learning import hardware, networks

    rows, wanted = np.asarray(rows, np.int64), torch.from_numpy(np.asarray(labels, np.int64))
    head = networks.load_head(folder)
    parts: list[FloatArray] = []
    for start in range(0, len(rows), _CHUNK):
        part = rows[start : start + _CHUNK]
        if head is not None:
            if maps is None:
                raise LnlError(
                    f"Run {folder.name} looked at frozen feature maps, and they are not here. "
                    "Run it again, or choose a run on pixels."
                )
            network, place = head, hardware.pick_device(device)
            opened = maps() if callable(maps) else maps
            inputs = torch.from_numpy(np.asarray(opened[part])).float()
        else:
            loaded = networks.load_network(folder, images_alone(dataset, part), device)
            network, place = loaded.model, loaded.device
            inputs = loaded.source.normalise(loaded.source.batch(torch.arange(len(part))))
        asked = wanted[start : start + _CHUNK].to(place)
        parts.append(_signed_maps(network.to(place), inputs.to(place), asked).cpu().numpy())
    return np.concatenate(parts) if parts else np.zeros((0, wanted.shape[1], 1, 1), np.float32)


def _signed_maps(network: Any, inputs: Tensor, labels: Tensor) -> Tensor:
    if network.exact_cam:
        with torch.no_grad():
            return of_classes(network.maps(inputs).float(), network.head.weight, labels)
    with torch.enable_grad():
        maps = network.maps(inputs).detach().float().requires_grad_()
        logits = network.head(network.neck(maps))
        # centred as the weights are in `of_classes`: no map depends on a shift of all logits
        logits = (logits - logits.mean(dim=1, keepdim=True)).gather(1, labels).sum(dim=0)
        slopes = [torch.autograd.grad(each, maps, retain_graph=True)[0] for each in logits]
    weights = torch.stack(slopes, 1).mean((3, 4))  # (b, j, d)
    return torch.einsum("bjd,bduv->bjuv", weights, maps.detach())


class _Logits(nn.Module):
    """A network that returns its logits alone, where it returns more."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        output = self.network(images)
        logits: Tensor = output[0] if isinstance(output, tuple | list) else output
        return logits


def packaged(
    name: str, network: nn.Module, images: Tensor, labels: Tensor, layer: str
) -> FloatArray:
    """Return maps of any network and layer by the `grad-cam` package, one class an image.

    Works on a float32 copy in evaluation mode: neither the network nor its gradients, mode and
    hooks change.

    Args:
        name: one of `PACKAGED`.
        network: returns logits, alone or first in a tuple.
        images: (b, c, h, w) as the network takes them.
        labels: (b,) one class for each image; EigenCAM looks at none.
        layer: name of the module whose output is averaged, as in `get_submodule`; an earlier one
            gives plausible, wrong maps.

    Returns:
        (b, h, w) float32 in [0, 1], each map over its own range.

    Raises:
        ValueError: an unknown name, or another number of labels than of images.
    """
    if name not in PACKAGED:
        raise ValueError(f"name must be one of {', '.join(PACKAGED)}, got {name!r}")
    if labels.shape != images.shape[:1]:
        raise ValueError(f"{len(images)} images need as many labels, got {tuple(labels.shape)}")
    import pytorch_grad_cam
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    own = _Logits(copy.deepcopy(network).float().eval())
    place = own.network.get_submodule(layer)
    targets = [ClassifierOutputTarget(int(label)) for label in labels]
    inputs = images.detach().float().clone().requires_grad_()
    with (
        torch.enable_grad(),
        torch.autocast(images.device.type, enabled=False),
        getattr(pytorch_grad_cam, name)(own, [place]) as maker,
    ):
        maps: FloatArray = np.asarray(maker(inputs, targets), np.float32)
    return maps


def packaged_maps(
    name: str,
    folder: Path,
    dataset: LabeledDataset,
    rows: Array,
    labels: Array,
    device: str = "cpu",
    side: int = 56,
) -> FloatArray:
    """Return the grad-cam package's maps by the network of pixels that a finished run kept.

    Args:
        name: one of `PACKAGED`.
        folder: of the run.
        dataset: whose images it looked at; only `rows` of them are read.
        rows: (b,) row numbers.
        labels: (b, j) classes.
        device: `auto`, `cpu` or `cuda`.
        side: larger maps are averaged down to this many pixels.

    Returns:
        (b, j, u, v) float32 in [0, 1], each map over its own range.

    Raises:
        LnlError: the run kept no network of pixels.
        ValueError: an unknown name.
    """
    from lnl_core.learning import networks

    rows, wanted = np.asarray(rows, np.int64), torch.from_numpy(np.asarray(labels, np.int64))
    loaded = networks.load_network(folder, images_alone(dataset, rows), device)
    images = loaded.source.normalise(loaded.source.batch(torch.arange(len(rows))))
    several = [
        torch.from_numpy(packaged(name, loaded.model, images, wanted[:, j], "body"))
        for j in range(wanted.shape[1])
    ]
    maps = torch.stack(several, 1)
    longest = max(maps.shape[2:])
    if longest > side:
        size = [max(1, round(length * side / longest)) for length in maps.shape[2:]]
        maps = torch.nn.functional.interpolate(maps, size=size, mode="area")
    array: FloatArray = maps.numpy()
    return array
