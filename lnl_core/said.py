"""Numbers as pages, reports and commands say them: one function for each kind, rounded once.

What is neither nothing nor all is never said as 0 or 100 %, and a probability never as certain.
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Sequence

DIGITS = 6
LEAST = 10.0**-DIGITS
"""What a file says of anything less likely; 1 minus it is said of anything surer."""

NARROW = "\u202f"
"""Narrow no-break space, before a percent sign."""


def command(*words: object) -> str:
    """Return a command of ours to be copied into a shell: `lnl relink 'my birds' ROOT`."""
    return shlex.join(["lnl", *map(str, words)])


def many(count: int, one: str, more: str = "") -> str:
    """Return a number of things, as `1 answer`, `2,000 answers` and `2 classes are`."""
    return f"{count:,} {one if count == 1 else more or one + 's'}"


def chance(p: float) -> str:
    """Return a probability: two digits, and never certain."""
    return "<0.01" if p < 0.01 else ">0.99" if p > 0.99 else f"{p:.2f}"


def number(p: float) -> float:
    """Return a probability as JSON has it: six digits, and never certain."""
    return round(min(max(float(p), LEAST), 1 - LEAST), DIGITS)


def chances(shares: Sequence[float]) -> list[str]:
    """Return probabilities of one whole, or some of its parts, so that what is shown adds up."""
    return [
        chance(share) if not 0.01 <= share <= 0.99 else f"{min(part, 99) / 100:.2f}"
        for share, part in zip(shares, parts(shares), strict=True)
    ]


def percent(share: float, digits: int = 0) -> str:
    """Return a share as `65 %`; of what is not all `>99 %` at most, not nothing `<1 %` at least."""
    least = 10.0**-digits
    text = f"{100 * share:.{digits}f}"
    if share > 0 and float(text) == 0:
        return f"<{least:.{digits}f}{NARROW}%"
    if share < 1 and float(text) == 100:
        return f">{100 - least:.{digits}f}{NARROW}%"
    return f"{text}{NARROW}%"


def percents(low: float, high: float, to: str = "–") -> str:
    """Return the ends of an interval of shares: `3–98 %`, each said as `percent` says it."""
    unit = f"{NARROW}%"
    return f"{percent(low).removesuffix(unit)}{to}{percent(high)}"


def held(shares: Sequence[float]) -> list[str]:
    """Return shares of one whole as percents that add up; none is all or nothing unless it is."""
    return [
        percent(share) if part in (0, 100) else f"{part}{NARROW}%"
        for share, part in zip(shares, parts(shares), strict=True)
    ]


def score(value: float) -> str:
    """Return a measure that is 1 at best, as AP and kappa: two digits, 1.00 where it is 1 alone."""
    text = f"{value:.2f}"
    if value < 1 and text == "1.00":
        return ">0.99"
    return "<0.01" if value > 0 and text == "0.00" else text


def parts(shares: Sequence[float], of: int = 100) -> list[int]:
    """Return shares of one whole as whole numbers whose sum is the whole's, by largest remainder.

    Args:
        shares: none of them negative; of 1 in all, or less where some parts are not shown.
        of: how many the whole is, e.g. 100 for percents; 1 where the shares are counts.
    """
    exact = [of * float(share) for share in shares]
    whole = [math.floor(each) for each in exact]
    missing = math.floor(math.fsum(exact) + 0.5) - sum(whole)
    by_rest = sorted(range(len(exact)), key=lambda i: (whole[i] - exact[i], i))
    for i in by_rest[: max(missing, 0)]:
        whole[i] += 1
    return whole
