"""Strong random views: two random changes per image, then a small blanked square.

The pool follows Jump-teaching's released configuration (spec 2.6), itself a variant of Cubuk et
al., "RandAugment", NeurIPS 2020: sixteen changes, two drawn with replacement, each applied with
chance 1/2 at a whole magnitude in [1, m), of 10. Colour changes go either way of the original.
Everything runs on the device, one small group of images per change.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

LARGEST = 10
"""Magnitude at which a change has its full strength."""


def strong(
    images: Tensor,
    generator: torch.Generator,
    *,
    operations: int = 2,
    magnitude: int = 5,
    cutout: int = 4,
) -> Tensor:
    """Return a strongly changed view of each image.

    Args:
        images: (b, h, w, c) uint8, c = 1 or 3, already cropped and mirrored.
        generator: on the CPU; it advances by an amount that depends on b only.
        operations: changes drawn per image.
        magnitude: m; whole magnitudes 1..m-1 are drawn. 1 turns the changes off.
        cutout: side in pixels of the square that is blanked in the end; 0 for none.

    Returns:
        (b, h, w, c) uint8 on the same device.
    """
    values = images.permute(0, 3, 1, 2).float().contiguous()  # (b, c, h, w) in 0..255
    b = len(values)
    for _ in range(operations):
        choice = torch.randint(len(POOL), (b,), generator=generator)
        applied = torch.rand(b, generator=generator) < 0.5
        level = torch.randint(1, max(magnitude, 2), (b,), generator=generator) / LARGEST
        level = level * torch.where(torch.rand(b, generator=generator) < 0.5, -1.0, 1.0)
        place = torch.rand(2, b, generator=generator)
        if magnitude >= 2:
            _change(values, choice.masked_fill(~applied, len(POOL)), level, place)
    place = torch.rand(2, b, generator=generator)
    if cutout:
        values = _blank(values, cutout, place.to(values.device))
    return values.round_().clamp_(0, 255).to(torch.uint8).permute(0, 2, 3, 1)


def _change(values: Tensor, choice: Tensor, level: Tensor, place: Tensor) -> None:
    """Apply to each image, in place, the change of its number; the number after the last is none.

    Images of one change are brought together first: one gather and one scatter for all, and slices
    in between.
    """
    order = choice.argsort(stable=True)
    sizes = torch.bincount(choice, minlength=len(POOL) + 1)[: len(POOL)].tolist()
    rows = order[: sum(sizes)].to(values.device)
    if not len(rows):
        return
    held = values.index_select(0, rows)
    levels = level.to(values.device).index_select(0, rows)[:, None, None, None]
    places = place.to(values.device).index_select(1, rows)
    done, start = [], 0
    for change, size in zip(POOL, sizes, strict=True):
        if size:
            part = slice(start, start + size)
            done.append(change(held[part], levels[part], places[:, part]))
            start += size
    values.index_copy_(0, rows, torch.cat(done))


Change = Callable[[Tensor, Tensor, Tensor], Tensor]
"""(b, c, h, w) values in 0..255, (b, 1, 1, 1) signed level in [-1, 1], (2, b) place in [0, 1)."""


def _blend(base: Tensor, values: Tensor, level: Tensor) -> Tensor:
    """Move away from `base` (level > 0) or towards it (level < 0), by at most 90 %."""
    return (base + (values - base) * (1 + 0.9 * level)).clamp(0, 255)


def _auto_contrast(values: Tensor, level: Tensor, place: Tensor) -> Tensor:
    low, high = values.amin((2, 3), keepdim=True), values.amax((2, 3), keepdim=True)
    return torch.where(high > low, (values - low) * (255 / (high - low).clamp_min(1)), values)


def _brightness(values: Tensor, level: Tensor, place: Tensor) -> Tensor:
    return _blend(torch.zeros_like(values), values, level)


def _gray(values: Tensor) -> Tensor:
    weights = values.new_tensor([0.299, 0.587, 0.114] if values.shape[1] == 3 else [1.0])
    return (values * weights[:, None, None]).sum(1, keepdim=True)


def _colour(values: Tensor, level: Tensor, place: Tensor) -> Tensor:
    return _blend(_gray(values).expand_as(values), values, level)


def _contrast(values: Tensor, level: Tensor, place: Tensor) -> Tensor:
    return _blend(_gray(values).mean((2, 3), keepdim=True).expand_as(values), values, level)


def _small_cutout(values: Tensor, level: Tensor, place: Tensor) -> Tensor:
    return _blank(values, max(1, round(0.1 * min(values.shape[2:]))), place)


def _equalise(values: Tensor, level: Tensor, place: Tensor) -> Tensor:
    b, c, h, w = values.shape
    bins = values.round().clamp(0, 255).long().reshape(b * c, h * w)
    counts = torch.zeros(b * c, 256, device=values.device)
    counts.scatter_add_(1, bins, torch.ones_like(bins, dtype=torch.float32))
    below = counts.cumsum(1) - counts / 2  # a flat image becomes mid-gray, not black
    return (below.gather(1, bins) * (255 / (h * w))).view(b, c, h, w)


def _invert(values: Tensor, level: Tensor, place: Tensor) -> Tensor:
    return 255 - values


def _posterise(values: Tensor, level: Tensor, place: Tensor) -> Tensor:
    step = 2 ** (1 + (level.abs() * 4).floor())
    return (values / step).floor() * step


def _rotate(values: Tensor, level: Tensor, place: Tensor) -> Tensor:
    angle = level.view(-1) * (30 * math.pi / 180)
    cos, sin, zero = angle.cos(), angle.sin(), torch.zeros_like(angle)
    return _affine(values, torch.stack([cos, -sin, zero, sin, cos, zero], 1))


def _sharpness(values: Tensor, level: Tensor, place: Tensor) -> Tensor:
    kernel = values.new_tensor([[1.0, 1, 1], [1, 5, 1], [1, 1, 1]]) / 13
    padded = F.pad(values, (1, 1, 1, 1), mode="replicate")
    channels = values.shape[1]
    smooth = F.conv2d(padded, kernel.expand(channels, 1, 3, 3), groups=channels)
    return _blend(smooth, values, level)


def _shear_x(values: Tensor, level: Tensor, place: Tensor) -> Tensor:
    one, zero = torch.ones_like(level.view(-1)), torch.zeros_like(level.view(-1))
    return _affine(values, torch.stack([one, 0.1 * level.view(-1), zero, zero, one, zero], 1))


def _shear_y(values: Tensor, level: Tensor, place: Tensor) -> Tensor:
    one, zero = torch.ones_like(level.view(-1)), torch.zeros_like(level.view(-1))
    return _affine(values, torch.stack([one, zero, zero, 0.1 * level.view(-1), one, zero], 1))


def _solarise(values: Tensor, level: Tensor, place: Tensor) -> Tensor:
    return torch.where(values < 256 * (1 - level.abs()), values, 255 - values)


def _solarise_add(values: Tensor, level: Tensor, place: Tensor) -> Tensor:
    return torch.where(values < 128, (values + 110 * level.abs()).clamp(0, 255), values)


def _translate_x(values: Tensor, level: Tensor, place: Tensor) -> Tensor:
    one, zero = torch.ones_like(level.view(-1)), torch.zeros_like(level.view(-1))
    return _affine(values, torch.stack([one, zero, 0.1 * level.view(-1), zero, one, zero], 1))


def _translate_y(values: Tensor, level: Tensor, place: Tensor) -> Tensor:
    one, zero = torch.ones_like(level.view(-1)), torch.zeros_like(level.view(-1))
    return _affine(values, torch.stack([one, zero, zero, zero, one, 0.1 * level.view(-1)], 1))


def _affine(values: Tensor, matrix: Tensor) -> Tensor:
    """Resample by (b, 6) matrices in coordinates from -1 to 1; the edge is repeated."""
    grid = F.affine_grid(matrix.view(-1, 2, 3), list(values.shape), align_corners=False)
    return F.grid_sample(values, grid, padding_mode="border", align_corners=False)


def _blank(values: Tensor, side: int, place: Tensor) -> Tensor:
    """Fill a square, wholly or partly inside, with mid-gray; `place` is where its middle lies."""
    h, w = values.shape[2:]
    top = (place[0] * h - side / 2).round()[:, None]
    left = (place[1] * w - side / 2).round()[:, None]
    y = torch.arange(h, device=values.device)[None]
    x = torch.arange(w, device=values.device)[None]
    in_rows, in_columns = (y >= top) & (y < top + side), (x >= left) & (x < left + side)
    hole = (in_rows[:, :, None] & in_columns[:, None, :])[:, None]
    return values.masked_fill(hole, 127.0)


POOL: tuple[Change, ...] = (
    _auto_contrast,
    _brightness,
    _colour,
    _contrast,
    _small_cutout,
    _equalise,
    _invert,
    _posterise,
    _rotate,
    _sharpness,
    _shear_x,
    _shear_y,
    _solarise,
    _solarise_add,
    _translate_x,
    _translate_y,
)
