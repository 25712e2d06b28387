"""Strong random views as the authors' configuration draws them, pixel by pixel (spec 2.6).

A variant of Cubuk et al., "RandAugment", NeurIPS 2020: two of sixteen changes, drawn with
replacement, each applied with chance 1/2 at a whole level in [1, m) of 10, then a small blanked
square. The changes are those of the Pillow library to the last bit, made here for a whole batch on
the device: integers where Pillow has integers, its roundings, its fixed-point resampling.

Levels are what they are called: brightness, colour, contrast and sharpness have the factor
0.1 + 0.18 v, so below v = 5 they always weaken; posterise keeps 4 + floor(0.4 v) bits; shifts move
floor(0.005 v side) pixels, none on small images at low levels.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

GREY = 127
"""Value of a blanked pixel."""

_FIXED = 65536
"""Pillow computes source positions in 1/65536 of a pixel."""


class Draw(NamedTuple):
    """What is done to each image of a batch once; (b,) each, on the CPU."""

    choice: Tensor  # number in the pool
    applied: Tensor  # bool, chance 1/2
    level: Tensor  # int64 in [1, m)
    sign: Tensor  # int64, -1 or 1, of what has two directions
    place: Tensor  # (2, b) in [0, 1), where a square is blanked


def draw(b: int, magnitude: int, generator: torch.Generator) -> Draw:
    """Draw one change for each of b images; `magnitude` is m, and the generator is on the CPU."""
    choice = torch.randint(len(POOL), (b,), generator=generator)
    applied = torch.rand(b, generator=generator) < 0.5
    level = torch.randint(1, max(magnitude, 2), (b,), generator=generator)
    sign = torch.where(torch.rand(b, generator=generator) < 0.5, -1, 1)
    return Draw(choice, applied, level, sign, torch.rand(2, b, generator=generator))


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
        magnitude: m; whole levels 1..m-1 are drawn, of 10. 1 turns the changes off.
        cutout: side in pixels of the square that is blanked in the end, as the authors count: its
            borders are both inside, so it is a pixel wider; 0 for none.

    Returns:
        (b, h, w, c) uint8 on the same device.
    """
    view = images.permute(0, 3, 1, 2).clone(memory_format=torch.contiguous_format)  # (b, c, h, w)
    b = len(view)
    for _ in range(operations):
        drawn = draw(b, magnitude, generator)
        if magnitude >= 2:
            _change(view, drawn)
    place = torch.rand(2, b, generator=generator)
    if cutout:
        side = torch.full((b,), cutout, device=view.device)
        view = _blank(view, side, place.to(view.device, non_blocking=True))
    return view.permute(0, 2, 3, 1)


def _change(view: Tensor, drawn: Draw) -> None:
    """Apply to each image, in place, what was drawn for it; `view` is (b, c, h, w) uint8.

    Images of one change are brought together first, those that are moved last: one gather and one
    scatter for all, slices in between, and one resampling for all movements.
    """
    choice = _PLACES[drawn.choice.masked_fill(~drawn.applied, len(POOL))]
    order = choice.argsort(stable=True)
    sizes = torch.bincount(choice, minlength=len(POOL) + 1)[: len(POOL)].tolist()
    picked = order[: sum(sizes)]
    if not len(picked):
        return
    rows = picked.to(view.device, non_blocking=True)
    held = view.index_select(0, rows).float()
    level, sign = drawn.level[picked], drawn.sign[picked]
    levels = level.to(view.device, non_blocking=True)
    signs = sign.to(view.device, non_blocking=True)
    places = drawn.place[:, picked].to(view.device, non_blocking=True)
    done, matrices, start = [], [], 0
    for number, size in zip(_ORDER, sizes, strict=True):
        part = slice(start, start + size)
        start += size
        if size and number in MOVES:
            moves = MOVES[number](level[part] * sign[part], held.shape[2], held.shape[3])
            matrices.append(moves)
        elif size:
            done.append(POOL[number](held[part], levels[part], signs[part], places[:, part]))
    if matrices:
        moved = torch.cat(matrices)
        done.append(_resample(held[-len(moved) :], moved))
    view.index_copy_(0, rows, torch.cat(done).to(torch.uint8))


Change = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]
"""(b, c, h, w) whole values in 0..255, (b,) levels, (b,) signs, (2, b) places -> whole values."""


def _whole(level: Tensor, most: int) -> Tensor:
    """Return floor(level * most / 10), (b,)."""
    return level * most // 10


def _blend(base: Tensor, values: Tensor, level: Tensor) -> Tensor:
    """Go from `base` past `values` by the factor of the level, at which 5 is no change."""
    factor = (level.double() * 1.8 / 10 + 0.1).float()[:, None, None, None]
    return (base + factor * (values - base)).clamp(0, 255).floor()


def _auto_contrast(values: Tensor, level: Tensor, sign: Tensor, place: Tensor) -> Tensor:
    low = values.amin((2, 3), keepdim=True).double()
    high = values.amax((2, 3), keepdim=True).double()
    # `255 / x` of a tensor multiplies by 1 / x, which rounds twice
    scale = torch.full_like(low, 255).div((high - low).clamp_min(1))
    stretched = (values.double() * scale + -low * scale).clamp(0, 255).floor().float()
    # an even channel stays: it has no contrast to stretch
    return torch.where(high > low, stretched, values)


def _brightness(values: Tensor, level: Tensor, sign: Tensor, place: Tensor) -> Tensor:
    return _blend(torch.zeros_like(values), values, level)


def _grey(values: Tensor) -> Tensor:
    """Return the luma of ITU-R BT.601 in whole numbers, (b, 1, h, w)."""
    if values.shape[1] != 3:
        return values.clone()
    return ((values * _luma(values.device)).sum(1, keepdim=True) + 32768).div(65536).floor()


@cache
def _luma(device: torch.device) -> Tensor:
    # below 2^24 in all, so float32 adds them exactly
    return torch.tensor([19595.0, 38470, 7471], device=device)[:, None, None]


def _colour(values: Tensor, level: Tensor, sign: Tensor, place: Tensor) -> Tensor:
    return _blend(_grey(values).expand_as(values), values, level)


def _contrast(values: Tensor, level: Tensor, sign: Tensor, place: Tensor) -> Tensor:
    middle = (_grey(values).double().mean((1, 2, 3), keepdim=True) + 0.5).floor().float()
    return _blend(middle.expand_as(values), values, level)


def _small_cutout(values: Tensor, level: Tensor, sign: Tensor, place: Tensor) -> Tensor:
    side = (level.double() * 0.1 / 10 * min(values.shape[2:])).long()
    return _blank(values, side, place)


def _equalise(values: Tensor, level: Tensor, sign: Tensor, place: Tensor) -> Tensor:
    b, c, h, w = values.shape
    bins = values.long().view(b * c, h * w)
    counts = torch.zeros(b * c, 256, dtype=torch.int64, device=values.device)
    counts.scatter_add_(1, bins, torch.ones_like(bins))
    step = (h * w - counts.gather(1, bins.amax(1, keepdim=True))) // 255  # (b c, 1)
    table = (step // 2 + counts.cumsum(1) - counts) // step.clamp_min(1)
    table = torch.where(step > 0, table.clamp_max(255), torch.arange(256, device=values.device))
    return table.gather(1, bins).view(b, c, h, w).to(values.dtype)


def _invert(values: Tensor, level: Tensor, sign: Tensor, place: Tensor) -> Tensor:
    return 255 - values


def _posterise(values: Tensor, level: Tensor, sign: Tensor, place: Tensor) -> Tensor:
    step = (2 ** (4 - _whole(level, 4)).float())[:, None, None, None]
    return (values / step).floor() * step


def _sharpness(values: Tensor, level: Tensor, sign: Tensor, place: Tensor) -> Tensor:
    b, c, h, w = values.shape
    smooth = values.clone()  # Pillow's smoothing leaves the outermost pixels
    if min(h, w) > 2:
        kernel = _smoothing(values.device)
        total = F.conv2d(values.reshape(b * c, 1, h, w), kernel).view(b, c, h - 2, w - 2)
        smooth[:, :, 1:-1, 1:-1] = (total / 13 + 0.5).floor()
    return _blend(smooth, values, level)


@cache
def _smoothing(device: torch.device) -> Tensor:
    return torch.tensor([[[[1.0, 1, 1], [1, 5, 1], [1, 1, 1]]]], device=device)


def _turned_over(values: Tensor, threshold: Tensor | int) -> Tensor:
    return torch.where(values < threshold, values, 255 - values)


def _solarise(values: Tensor, level: Tensor, sign: Tensor, place: Tensor) -> Tensor:
    return _turned_over(values, (256 - _whole(level, 256))[:, None, None, None])


def _solarise_add(values: Tensor, level: Tensor, sign: Tensor, place: Tensor) -> Tensor:
    added = (sign * _whole(level, 110))[:, None, None, None]
    return _turned_over((values + added).clamp(0, 255), 128)


# Movements: (b,) signed levels, height, width -> (b, 6) coefficients on the CPU. The pixel at
# (x, y) comes from (a x + b y + c, d x + e y + f).

Movement = Callable[[Tensor, int, int], Tensor]


def _matrix(level: Tensor, **given: Tensor) -> Tensor:
    coefficients = torch.zeros(len(level), 6, dtype=torch.float64)
    coefficients[:, 0] = coefficients[:, 4] = 1
    for name, values in given.items():
        coefficients[:, "abcdef".index(name)] = values
    return coefficients


def _rotate(level: Tensor, h: int, w: int) -> Tensor:
    angle = torch.deg2rad(-(level * 3).double())
    cos, sin, x, y = angle.cos(), angle.sin(), w / 2, h / 2
    c, f = x - cos * x - sin * y, y + sin * x - cos * y  # the middle stays
    return _matrix(level, a=cos, b=sin, c=c, d=-sin, e=cos, f=f)


def _shear_x(level: Tensor, h: int, w: int) -> Tensor:
    return _matrix(level, b=level.double() * 0.1 / 10)


def _shear_y(level: Tensor, h: int, w: int) -> Tensor:
    return _matrix(level, d=level.double() * 0.1 / 10)


def _translate_x(level: Tensor, h: int, w: int) -> Tensor:
    return _matrix(level, c=(level.double() * 0.05 / 10 * w).trunc())


def _translate_y(level: Tensor, h: int, w: int) -> Tensor:
    return _matrix(level, f=(level.double() * 0.05 / 10 * h).trunc())


def _resample(values: Tensor, matrices: Tensor) -> Tensor:
    """Take the nearest pixel; what comes from outside is black."""
    b, c, h, w = values.shape
    m = matrices.clone()
    m[:, 2] += m[:, 0] / 2 + m[:, 1] / 2  # of the pixel's middle
    m[:, 5] += m[:, 3] / 2 + m[:, 4] / 2
    fixed = (m * _FIXED + 0.5).floor().long().to(values.device, non_blocking=True)
    a, bb, cc, d, e, f = fixed.T[:, :, None, None]
    x = torch.arange(w, device=values.device)[None, None, :]
    y = torch.arange(h, device=values.device)[None, :, None]
    column, row = (a * x + bb * y + cc) >> 16, (d * x + e * y + f) >> 16  # (b, h, w)
    inside = (column >= 0) & (column < w) & (row >= 0) & (row < h)
    flat = (row.clamp(0, h - 1) * w + column.clamp(0, w - 1)).view(b, 1, h * w)
    moved = values.view(b, c, h * w).gather(2, flat.expand(b, c, h * w)).view(b, c, h, w)
    return moved.mul(inside[:, None])


def _moved(matrix: Movement) -> Change:
    """Return the change that resamples by the matrices of one movement."""

    def change(values: Tensor, level: Tensor, sign: Tensor, place: Tensor) -> Tensor:
        h, w = values.shape[2:]
        return _resample(values, matrix((level * sign).cpu(), h, w))

    change.__name__ = matrix.__name__
    return change


def _blank(values: Tensor, side: Tensor, place: Tensor) -> Tensor:
    """Blank a square around a place, cut off at the top left and the edges as the authors do.

    Args:
        values: (b, c, h, w).
        side: (b,) whole; both borders are inside, so 0 blanks a pixel.
        place: (2, b) in [0, 1), vertical and horizontal.
    """
    inside = []
    for at, length in zip(place, values.shape[2:], strict=True):
        first = (at.double() * length - side / 2).clamp_min(0).long()[:, None]  # (b, 1)
        along = torch.arange(length, device=values.device)
        inside.append((along >= first) & (along <= first + side[:, None]))  # (b, length)
    hole = inside[0][:, None, :, None] & inside[1][:, None, None, :]
    return values.masked_fill(hole, GREY)


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

MOVES: dict[int, Movement] = {
    8: _rotate,
    10: _shear_x,
    11: _shear_y,
    14: _translate_x,
    15: _translate_y,
}
"""Number in the pool -> its matrices, for the changes that move pixels."""

_ORDER = (*(number for number in range(len(POOL)) if number not in MOVES), *MOVES)
_PLACES = torch.tensor([*(_ORDER.index(number) for number in range(len(POOL))), len(POOL)])
