"""Class activation maps: where a network sees a class, exactly and for all classes at once.

A network that averages its last maps and ends in a linear layer says z = W mean(A) + bias, so the
map of class c is the sum of the maps A weighted by row c of W. Centring W over classes takes away
the one part of it that no prediction depends on.

Reference: Zhou et al., "Learning Deep Features for Discriminative Localization", CVPR 2016.
Centring, the common scale and the numbers beside the maps are ours.

Shapes: `b` images, `d` maps of (u, v) places, `k` classes, `j` classes asked for.
"""

from __future__ import annotations

import torch
from torch import Tensor

TINY = 1e-6
FOREGROUND = 0.4
"""Part of a map's maximum from which on a place counts as foreground."""


def centred(weights: Tensor) -> Tensor:
    """Return the last layer's weights minus their mean over classes, (k, d)."""
    return weights - weights.mean(dim=0)


def of_all_classes(maps: Tensor, weights: Tensor, *, centre: bool = True) -> Tensor:
    """Return the maps of every class, (b, k, u, v), in one product.

    Args:
        maps: (b, d, u, v) before averaging.
        weights: (k, d) of the last layer.
        centre: False gives the plain map, whose mean plus bias is the logit.
    """
    return torch.einsum("bduv,kd->bkuv", maps, centred(weights) if centre else weights)


def of_classes(maps: Tensor, weights: Tensor, labels: Tensor, *, centre: bool = True) -> Tensor:
    """Return the maps of some classes of each image, (b, j, u, v).

    Args:
        maps: (b, d, u, v).
        weights: (k, d).
        labels: (b, j).
        centre: as in `of_all_classes`.
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


def common_scale(maps: Tensor) -> Tensor:
    """Return the positive parts of an image's maps over their joint maximum, (b, j, u, v).

    A weak map beside a strong one stays weak.
    """
    positive = maps.clamp_min(0)
    return positive / (positive.amax(dim=(1, 2, 3), keepdim=True) + TINY)


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
    flat = positive.flatten(1) + 1e-12
    return flat / flat.sum(dim=1, keepdim=True)


def _entropy(shares: Tensor) -> Tensor:
    entropy: Tensor = -torch.special.xlogy(shares, shares).sum(dim=1)
    return entropy


def _mean_inside(values: Tensor, mask: Tensor) -> Tensor:
    inside = mask.to(values.dtype)
    return (values * inside).sum((1, 2)) / inside.sum((1, 2)).clamp_min(1)
