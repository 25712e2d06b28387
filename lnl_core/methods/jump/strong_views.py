"""Strong random views: two random changes per image, then a small blanked square.

The pool follows Jump-teaching's released configuration (spec 2.6), itself a variant of Cubuk et
al., "RandAugment", NeurIPS 2020: sixteen changes, two drawn with replacement, each applied with
chance 1/2 at a whole magnitude in [1, m), of 10. Colour changes go either way of the original.
Everything runs on the device, one small group of images per change.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

LARGEST = 10
"""Magnitude at which a change has its full strength."""


def rand_augment(
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
    view = images.permute(0, 3, 1, 2).clone(memory_format=torch.contiguous_format)  # (b, c, h, w)
    b = len(view)
    for _ in range(operations):
        choice = torch.randint(len(POOL), (b,), generator=generator)
        applied = torch.rand(b, generator=generator) < 0.5
        level = torch.randint(1, max(magnitude, 2), (b,), generator=generator) / LARGEST
        level = level * torch.where(torch.rand(b, generator=generator) < 0.5, -1.0, 1.0)
        place = torch.rand(2, b, generator=generator)
        if magnitude >= 2:
            _change(view, choice.masked_fill(~applied, len(POOL)), level, place)
    place = torch.rand(2, b, generator=generator)
    if cutout:
        view = _blank(view, cutout, place.to(view.device, non_blocking=True))
    return view.permute(0, 2, 3, 1)


def _change(view: Tensor, choice: Tensor, level: Tensor, place: Tensor) -> None:
    """Apply to each image, in place, the change of its number; the number after the last is none.

    `view` is (b, c, h, w) uint8; only what changes becomes float, and is rounded after. Images of
    one change are brought together first, those that are moved last: one gather and one scatter for
    all, slices in between, and one resampling for all movements.
    """
    choice = _PLACES[choice]
    order = choice.argsort(stable=True)
    sizes = torch.bincount(choice, minlength=len(POOL) + 1)[: len(POOL)].tolist()
    rows = order[: sum(sizes)].to(view.device, non_blocking=True)
    if not len(rows):
        return
    held = view.index_select(0, rows).float()
    levels = level.to(view.device, non_blocking=True).index_select(0, rows)
    places = place.to(view.device, non_blocking=True).index_select(1, rows)
    done, matrices, start = [], [], 0
    for number, size in zip(_ORDER, sizes, strict=True):
        part = slice(start, start + size)
        start += size
        if size and number in MOVES:
            matrices.append(MOVES[number](levels[part]))
        elif size:
            done.append(POOL[number](held[part], levels[part, None, None, None], places[:, part]))
    if matrices:
        moved = torch.cat(matrices)
        done.append(_affine(held[-len(moved) :], moved))
    view.index_copy_(0, rows, torch.cat(done).round_().clamp_(0, 255).to(torch.uint8))


Change = Callable[[Tensor, Tensor, Tensor], Tensor]
"""(b, c, h, w) values in 0..255, (b, 1, 1, 1) signed level in [-1, 1], (2, b) place in [0, 1)."""


def _blend(base: Tensor, values: Tensor, level: Tensor) -> Tensor:
    """Move away from `base` (level > 0) or towards it (level < 0), by at most 90 %."""
    return (base + (values - base) * (1 + 0.9 * level)).clamp(0, 255)


def _auto_contrast(values: Tensor, level: Tensor, place: Tensor) -> Tensor:
    low, high = values.amin((2, 3), keepdim=True), values.amax((2, 3), keepdim=True)
    # an even channel stays: it has no contrast to stretch
    return torch.where(high > low, (values - low) * (255 / (high - low).clamp_min(1)), values)


def _brightness(values: Tensor, level: Tensor, place: Tensor) -> Tensor:
    return _blend(torch.zeros_like(values), values, level)


def _gray(values: Tensor) -> Tensor:
    if values.shape[1] != 3:
        return values.clone()
    return (values * _luma(values.device)).sum(1, keepdim=True)


@cache
def _luma(device: torch.device) -> Tensor:
    # ITU-R BT.601
    return torch.tensor([0.299, 0.587, 0.114], device=device)[:, None, None]


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


def _rotate(level: Tensor) -> Tensor:
    angle = level * (30 * math.pi / 180)
    cos, sin, zero = angle.cos(), angle.sin(), torch.zeros_like(angle)
    return torch.stack([cos, -sin, zero, sin, cos, zero], 1)


def _sharpness(values: Tensor, level: Tensor, place: Tensor) -> Tensor:
    kernel = _smoothing(values.device)
    padded = F.pad(values, (1, 1, 1, 1), mode="replicate")
    channels = values.shape[1]
    smooth = F.conv2d(padded, kernel.expand(channels, 1, 3, 3), groups=channels)
    return _blend(smooth, values, level)


@cache
def _smoothing(device: torch.device) -> Tensor:
    # Pillow's SMOOTH filter, on which its sharpness is built
    return torch.tensor([[1.0, 1, 1], [1, 5, 1], [1, 1, 1]], device=device) / 13


def _shear_x(level: Tensor) -> Tensor:
    one, zero = torch.ones_like(level), torch.zeros_like(level)
    return torch.stack([one, 0.1 * level, zero, zero, one, zero], 1)


def _shear_y(level: Tensor) -> Tensor:
    one, zero = torch.ones_like(level), torch.zeros_like(level)
    return torch.stack([one, zero, zero, 0.1 * level, one, zero], 1)


def _solarise(values: Tensor, level: Tensor, place: Tensor) -> Tensor:
    return torch.where(values < 256 * (1 - level.abs()), values, 255 - values)


def _solarise_add(values: Tensor, level: Tensor, place: Tensor) -> Tensor:
    return torch.where(values < 128, (values + 110 * level.abs()).clamp(0, 255), values)


def _translate_x(level: Tensor) -> Tensor:
    one, zero = torch.ones_like(level), torch.zeros_like(level)
    return torch.stack([one, zero, 0.1 * level, zero, one, zero], 1)


def _translate_y(level: Tensor) -> Tensor:
    one, zero = torch.ones_like(level), torch.zeros_like(level)
    return torch.stack([one, zero, zero, zero, one, 0.1 * level], 1)


def _moved(matrix: Callable[[Tensor], Tensor]) -> Change:
    """Return the change that resamples by the matrices of one movement."""

    def change(values: Tensor, level: Tensor, place: Tensor) -> Tensor:
        return _affine(values, matrix(level.view(-1)))

    change.__name__ = matrix.__name__
    return change


def _affine(values: Tensor, matrix: Tensor) -> Tensor:
    """Resample by (b, 6) matrices in coordinates from -1 to 1; the edge is repeated."""
    grid = F.affine_grid(matrix.view(-1, 2, 3), list(values.shape), align_corners=False)
    return F.grid_sample(values, grid, padding_mode="border", align_corners=False)


def _blank(values: Tensor, side: int, place: Tensor) -> Tensor:
    """Fill a square, wholly or partly inside, with mid-gray; `place` is where its middle lies."""
    b, _, h, w = values.shape
    steps = torch.arange(side, device=values.device)
    top, left = (
        (p * n - side / 2).round().long()[:, None] for p, n in zip(place, (h, w), strict=True)
    )
    y, x = (top + steps).clamp(0, h - 1), (left + steps).clamp(0, w - 1)  # (b, side)
    image = torch.arange(b, device=values.device)[:, None, None]
    blanked = values.clone()
    blanked[image, :, y[:, :, None], x[:, None, :]] = 127
    return blanked


POOL: tuple[Change, ...] = (
    _auto_contrast,
    _brightness,
    _colour,
    _contrast,
    _small_cutout,
    _equalise,
    _invert,
    _posterise,
    _moved(_rotate),
    _sharpness,
    _moved(_shear_x),
    _moved(_shear_y),
    _solarise,
    _solarise_add,
    _moved(_translate_x),
    _moved(_translate_y),
)

MOVES: dict[int, Callable[[Tensor], Tensor]] = {
    8: _rotate,
    10: _shear_x,
    11: _shear_y,
    14: _translate_x,
    15: _translate_y,
}
"""Number in the pool -> (b,) signed levels to (b, 6) matrices, for the changes that move pixels."""

_ORDER = (*(number for number in range(len(POOL)) if number not in MOVES), *MOVES)
_PLACES = torch.tensor([*(_ORDER.index(number) for number in range(len(POOL))), len(POOL)])
