"""Random views of image batches, made on the device for the whole batch at once.

Batches are uint8 (b, h, w, c), the layout of the stored arrays; a permuted view of it is already
`channels_last`. All randomness comes from a CPU generator, so a seed gives the same views on every
device.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from lnl_core.learning.knobs import TrainingKnobs
from lnl_core.types import LabeledDataset


@dataclass(frozen=True, slots=True)
class Augment:
    """Which random changes a training view gets.

    Attributes:
        shift: largest shift in pixels, along each axis.
        flip: mirror left and right with chance 1/2.
        cutout: side in pixels of a square that is blanked; 0 for none.
        jitter: largest relative change of brightness and contrast; 0 for none.
        border: what comes in at the edge of a shifted image: `reflect`, `edge` or `zero`.
        rotate: largest angle in degrees, either way; corners that come in are black.
    """

    shift: int = 0
    flip: bool = False
    cutout: int = 0
    jitter: float = 0.0
    border: str = "reflect"
    rotate: float = 0.0


def views_of(knobs: TrainingKnobs, dataset: LabeledDataset, side: int, channels: int) -> Augment:
    """Return what the knobs ask of the views of a set's images.

    Args:
        knobs: `shift`, `flip`, `border`, `cutout`, `rotate`, `jitter`.
        dataset: says whether its images may be mirrored.
        side: the shorter side of the images in training, in pixels.
        channels: 1 or 3.
    """
    border = knobs.border
    if border == "auto":
        border = "reflect" if channels == 3 else "edge"
    return Augment(
        shift=side // 8 if knobs.shift < 0 else knobs.shift,
        flip=wants_flip(knobs.flip, dataset),
        cutout=round(knobs.cutout * side),
        jitter=knobs.jitter,
        rotate=knobs.rotate,
        border=border,
    )


def mirror_is_safe(dataset: LabeledDataset) -> bool:
    """Tell whether a mirrored image keeps its class, as far as one can see without looking.

    Colour photographs may be mirrored. Gray images (digits, letters, scans) and classes named by
    a single character or a number may not.
    """
    if dataset.images.shape[3] == 1:
        return False
    names = [name.strip() for name in dataset.class_names]
    return not all(len(name) <= 1 or name.isdigit() for name in names)


def wants_flip(knob: str, dataset: LabeledDataset) -> bool:
    """Read a `flip` knob: `yes`, `no` or `auto` (see `mirror_is_safe`)."""
    if knob not in ("auto", "yes", "no"):
        raise ValueError(f"flip must be auto, yes or no, got {knob!r}")
    return mirror_is_safe(dataset) if knob == "auto" else knob == "yes"


def _positions(length: int, offset: Tensor, border: str) -> Tensor:
    """Source positions (b, length) of a shifted axis, kept inside 0..length-1."""
    at = torch.arange(length, device=offset.device)[None, :] + offset[:, None]  # (b, length)
    if border == "reflect" and length > 1:
        last = length - 1
        return (last - (last - at.abs()).abs()).clamp_(0, last)
    return at.clamp_(0, length - 1)


def augment(images: Tensor, how: Augment, generator: torch.Generator) -> Tensor:
    """Return a random view of each image.

    Args:
        images: (b, h, w, c) uint8.
        how: the changes and their sizes.
        generator: on the CPU; it advances by an amount that depends on b and `how` only.

    Returns:
        (b, h, w, c) uint8 on the same device.
    """
    b, h, w, _ = images.shape
    device = images.device
    if how.shift or how.flip:
        shift = min(how.shift, h - 1, w - 1)
        # only these few numbers travel to the device, and nothing here waits for it
        moves = torch.randint(-shift, shift + 1, (2, b), generator=generator)
        moves = moves.to(device, non_blocking=True)
        rows = _positions(h, moves[0], how.border)
        columns = _positions(w, moves[1], how.border)
        if how.flip:
            mirrored = torch.rand(b, generator=generator) < 0.5
            mirrored = mirrored.to(device, non_blocking=True)
            columns = torch.where(mirrored[:, None], columns.flip(1), columns)
        flat = (rows[:, :, None] * w + columns[:, None, :]).view(b, h * w)  # (b, h*w)
        flat = (flat + torch.arange(b, device=device)[:, None] * (h * w)).view(-1)
        pixels = images.reshape(b * h * w, -1).index_select(0, flat).view(images.shape)
        if how.border == "zero" and shift:
            dark_columns = _outside(w, moves[1])
            if how.flip:
                dark_columns = torch.where(mirrored[:, None], dark_columns.flip(1), dark_columns)
            dark = _outside(h, moves[0])[:, :, None] | dark_columns[:, None, :]  # (b, h, w)
            pixels = pixels.masked_fill(dark[..., None], 0)
        images = pixels
    if how.rotate:
        images = _rotated(images, how.rotate, generator)
    if how.jitter:
        images = _jitter(images, how.jitter, generator)
    if how.cutout:
        images = _cutout(images, how.cutout, generator)
    return images


def _outside(length: int, offset: Tensor) -> Tensor:
    at = torch.arange(length, device=offset.device)[None, :] + offset[:, None]
    return (at < 0) | (at >= length)


def _rotated(images: Tensor, most: float, generator: torch.Generator) -> Tensor:
    """Turn each image about its middle by an angle of its own; the nearest pixel is taken."""
    b, h, w, _ = images.shape
    angle = (torch.rand(b, generator=generator) * 2 - 1) * math.radians(most)
    sine, cosine = torch.stack([angle.sin(), angle.cos()]).to(images.device, non_blocking=True)
    y = torch.arange(h, device=images.device)[None, :, None] - (h - 1) / 2
    x = torch.arange(w, device=images.device)[None, None, :] - (w - 1) / 2
    sine, cosine = sine[:, None, None], cosine[:, None, None]
    column = (cosine * x + sine * y + (w - 1) / 2).round().long()  # (b, h, w)
    row = (cosine * y - sine * x + (h - 1) / 2).round().long()
    inside = (column >= 0) & (column < w) & (row >= 0) & (row < h)
    flat = row.clamp(0, h - 1) * w + column.clamp(0, w - 1)
    flat = (flat.view(b, -1) + torch.arange(b, device=images.device)[:, None] * (h * w)).view(-1)
    pixels = images.reshape(b * h * w, -1).index_select(0, flat).view(images.shape)
    return pixels.masked_fill(~inside[..., None], 0)


def _jitter(images: Tensor, strength: float, generator: torch.Generator) -> Tensor:
    change = (torch.rand(2, images.shape[0], 1, 1, 1, generator=generator) * 2 - 1) * strength
    change = change.to(images.device, non_blocking=True)
    values = images.float()
    middle = values.mean(dim=(1, 2, 3), keepdim=True)
    values = (values - middle) * (1 + change[0]) + middle * (1 + change[1])
    return values.round_().clamp_(0, 255).to(torch.uint8)


def _cutout(images: Tensor, side: int, generator: torch.Generator) -> Tensor:
    """Blank a square with the batch's mean value; the square may hang over the edge."""
    b, h, w, _ = images.shape
    device = images.device
    top = torch.randint(-side // 2, h - side // 2, (b,), generator=generator)
    left = torch.randint(-side // 2, w - side // 2, (b,), generator=generator)
    top, left = torch.stack([top, left]).to(device, non_blocking=True)
    y, x = torch.arange(h, device=device)[None, :], torch.arange(w, device=device)[None, :]
    in_rows = (y >= top[:, None]) & (y < top[:, None] + side)  # (b, h)
    in_columns = (x >= left[:, None]) & (x < left[:, None] + side)  # (b, w)
    hole = (in_rows[:, :, None] & in_columns[:, None, :])[..., None]
    middle = images.float().mean().round().to(torch.uint8)
    return torch.where(hole, middle, images)
