"""The range of a set's pixels, where the format does not tell: deep, real, or nearly black."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from lnl_core.data import images, levels
from lnl_core.data.contrast import Contrast, Range
from lnl_core.data.images import ImageError
from lnl_core.data.reading.spread import BEYOND, Spread
from lnl_core.readings import Choice, Question
from lnl_core.types import Array

DARK = 25
"""Images of which no value is above this, of 255, are nearly black."""

_BITS = (8, 10, 12, 14)
_PER_BLOCK = 2**13
_PLAIN = 0.01
"""Share of an image's values above `DARK` from which the set is not nearly black, whatever else."""


@dataclass(slots=True)
class Measured:
    """What the images that were looked at hold: `contrast` to show them by, and words on it.

    `far` says that a few values lie far beyond all others.
    """

    contrast: Contrast | None = None
    far: bool = False
    said: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def question(self, answer: str) -> Question | None:
        """Return the question whether to stretch; None where there is nothing to stretch."""
        if self.contrast is None:
            return None
        return Question(
            "contrast",
            " ".join(self.said),
            (
                Choice("set", "black and white are there, for every image alike"),
                *((Choice("whole", "the few far values set black and white"),) if self.far else ()),
                Choice("file", "as the file's format says"),
            ),
            default="set",
            answer=answer,
        )


def measured(files: Sequence[Path | bytes], answer: str = "") -> Measured:
    """Look at the values of images; ordinary ones cost one look, the first bright one ends it.

    Args:
        files: an even sample of the set.
        answer: what a person said about contrast; `whole` lets the few far values count.
    """
    seen = {"deep": Spread(), "real": Spread(), "byte": Spread()}
    clear = odd = looked = 0
    bright = False
    for file in files:
        try:
            if bright and not images.probe(file).deep:
                continue
            found = levels.levels(file)
        except ImageError:
            continue
        looked += 1
        clear += found.clear
        odd += found.odd
        seen[found.kind].add(found.values, found.low, found.high)
        bright = bright or (found.kind == "byte" and _bright(found.values) and not found.clear)
    result = Measured()
    deep, real = _span(seen["deep"], answer, result), _span(seen["real"], answer, result)
    contrast = Contrast(
        _deep(deep, result.said) if deep else None,
        _real(real, result.said) if real else None,
        None if bright else _dark(seen["byte"], answer, result),
    )
    result.contrast = contrast if contrast.to_json() else None
    if clear:
        result.notes.append(
            f"{clear:,} of {looked:,} images looked at are transparent everywhere: their colours "
            "are shown as if they were not."
        )
    if odd:
        result.notes.append(
            f"{odd:,} of {looked:,} images looked at have pixels that are no numbers (NaN or "
            "infinite): shown black."
        )
    return result


def measured_arrays(blocks: Iterable[Array], dtype: np.dtype[Any], answer: str = "") -> Measured:
    """Look at the values of all images of an array; bytes end it at the first bright one.

    Args:
        blocks: (m, ...) of `dtype`, all of the set.
        dtype: numbers of any kind.
        answer: what a person said about contrast, as `measured` takes it.
    """
    seen, odd = Spread(), 0
    byte = dtype == np.uint8
    for block in blocks:
        finite = block
        if dtype.kind == "f":
            known = np.isfinite(block)
            odd += int(block.size - known.sum())
            finite = block[known]
        if finite.size:
            seen.add(levels.sampled(finite, _PER_BLOCK), float(finite.min()), float(finite.max()))
        if byte and _bright(block):
            return Measured()
    result = Measured()
    if odd:
        result.notes.append(f"{odd:,} pixels are no numbers (NaN or infinite): shown black.")
    if byte:
        dark = _dark(seen, answer, result)
        result.contrast = None if dark is None else Contrast(byte=dark)
        return result
    low, high = _span(seen, answer, result) or (0.0, 0.0)
    said = result.said
    if dtype.kind == "f":
        result.contrast = Contrast(real=_real((low, high), said) or _flat(low, high))
    else:
        result.contrast = Contrast(deep=_whole(low, high, said))
    return result


def _whole(low: float, high: float, said: list[str]) -> Range:
    """Return the range of whole numbers: 0..1, 0..255, that of 10 to 16 bits, else the set's."""
    if low >= 0 and high <= 1:
        said.append(f"Pixels are whole numbers from {low:.0f} to {high:.0f}, as masks have.")
        return 0.0, 1.0
    if low >= 0 and DARK < high <= 255:
        said.append(f"Pixels are whole numbers from {low:.0f} to {high:.0f}: read as 0 to 255.")
        return 0.0, 255.0
    return _deep((low, high), said) or ((0.0, 65535.0) if high > low else _flat(low, high))


def _flat(low: float, high: float) -> Range:
    """Return a range for images of one value alone: it is shown black."""
    return low, max(high, low + 1)


def as_typed(dtype: np.dtype[Any]) -> Contrast | None:
    """Return the range that the type of an array says: 0 to 1, to 255, to 65,535."""
    if dtype == np.uint8:
        return None
    if dtype.kind in "fb":
        return Contrast(real=(0.0, 1.0), deep=(0.0, 1.0))
    return Contrast(deep=(0.0, 65535.0 if dtype == np.uint16 else 255.0))


def _span(found: Spread, answer: str, result: Measured) -> Range | None:
    """Return the range to show, of nearly all pixels; None where none was seen."""
    if not found:
        return None
    low, high, beyond = found.span(answer == "whole")
    if beyond:
        result.far = True
        result.notes.append(
            f"A few pixels, fewer than 1 in {1 / BEYOND:,.0f}, go from {beyond}: they are cut off "
            "at the range of all others. --contrast whole lets them count."
        )
    return low, high


def _deep(span: Range, said: list[str]) -> Range | None:
    """Return the range of files of more than 8 bits; None where all 16 are used."""
    low, high = span
    if low >= 0 and high > 2**14 - 1 and high <= 65535 and low <= 0.25 * high:
        return None
    bits = next((b for b in _BITS if low >= 0 and high < 2**b), None)
    words = f" ({bits} bits)" if bits else ""
    top = float(2**bits - 1) if bits and high > 2 ** (bits - 1) - 1 else high
    bottom = 0.0
    if not 0 <= low <= 0.25 * top:
        bottom, top = low, high
    said.append(f"Pixels of deep files go from {low:,.0f} to {high:,.0f}{words}.")
    return (bottom, top) if top > bottom else None


def _real(span: Range, said: list[str]) -> Range | None:
    """Return the range of files of floats: 0..1, -1..1, 0..255, else what the set spans."""
    low, high = span
    for bottom, top in ((0.0, 1.0), (-1.0, 1.0), (0.0, 255.0)):
        if bottom <= low and high <= top and high - low > 0.1 * (top - bottom):
            low, high = bottom, top
            break
    said.append(f"Pixels are floating point numbers from {span[0]:.4g} to {span[1]:.4g}.")
    return (low, high) if high > low else None


def _bright(values: Array) -> bool:
    """Tell whether 8-bit values are so bright that no more need to be looked at."""
    return float(np.count_nonzero(values > DARK)) > _PLAIN * values.size


def _dark(found: Spread, answer: str, result: Measured) -> Range | None:
    """Return the range of 8-bit images that are all nearly black, as masks of 0 and 1 are."""
    about = Measured()
    low, high = _span(found, answer, about) or (0.0, 0.0)
    if not low < high <= DARK:
        return None
    kind = ", as masks have" if high <= 1 else ""
    result.far = result.far or about.far
    result.notes += about.notes
    result.said.append(
        f"The images are nearly black: values from {low:.0f} to {high:.0f} of 255{kind}."
    )
    return 0.0, high
