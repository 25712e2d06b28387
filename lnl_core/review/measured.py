"""How well people look: what hidden looks say of one person, or of a team, route by route.

A look is asked of an image whose truth is known by others. How often a wrong label is called wrong
is the sensitivity, how often a right one is, the false-alarm rate; of repeats both are measured
against one's own first answer, and tell how steady a person is. Intervals are exact (Clopper and
Pearson, "The use of confidence or fiducial limits", 1934): counts are small. Numbers of different
routes are never added, since each asks another question.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lnl_core.review.hidden import ROUTES
from lnl_core.review.sensitivity import Known

CONFIDENCE = 0.95
FEW = 20
"""Looks below which a share is shown as too few: its interval is wider than most it could say."""


@dataclass(frozen=True, slots=True)
class Share:
    """A share of `of` looks with its exact interval."""

    count: int
    of: int
    low: float
    high: float

    @property
    def share(self) -> float:
        """What was seen."""
        return self.count / self.of

    @property
    def few(self) -> bool:
        """Whether it says hardly anything yet."""
        return self.of < FEW


def share(count: int, of: int, confidence: float = CONFIDENCE) -> Share | None:
    """Return a share with its exact two-sided interval; None of nothing.

    Raises:
        ValueError: more is counted than there is.
    """
    from scipy.stats import beta

    if not 0 <= count <= of:
        raise ValueError(f"{count} of {of} is no share")
    if not of:
        return None
    tail = (1 - confidence) / 2
    low = 0.0 if count == 0 else float(beta.ppf(tail, count, of - count + 1))
    high = 1.0 if count == of else float(beta.ppf(1 - tail, count + 1, of - count))
    return Share(count, of, low, high)


@dataclass(frozen=True, slots=True)
class Look:
    """What somebody said of an image whose truth is known.

    Attributes:
        who: the reviewer.
        route: one of `hidden.ROUTES`.
        called: whether the label was called wrong.
        wrong: whether it is; of a repeat, whether the same person had called it so.
        mode: how it was shown: `commit`, `assisted` or `blind`.
        at: time of the answer, ISO 8601.
        seconds: that it took; None where unknown.
    """

    who: str
    route: str
    called: bool
    wrong: bool
    mode: str = "commit"
    at: str = ""
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """What the looks of one route say."""

    route: str
    known: Known

    def __post_init__(self) -> None:
        """Refuse a route that there is none of."""
        if self.route not in ROUTES:
            raise ValueError(f"“{self.route}” is no route of hidden looks")

    def __add__(self, other: Measured) -> Measured:
        """Return the looks of several people together.

        Raises:
            ValueError: the routes differ.
        """
        if self.route != other.route:
            raise ValueError(f"{self.route} and {other.route} are never merged")
        return Measured(self.route, self.known + other.known)

    @property
    def sensitivity(self) -> Share | None:
        """Share of the wrong labels that were called wrong."""
        return share(self.known.caught, self.known.wrong)

    @property
    def false_alarms(self) -> Share | None:
        """Share of the right labels that were called wrong."""
        return share(self.known.alarms, self.known.right)

    @property
    def same(self) -> Share | None:
        """Share of the answers that agree with what is known."""
        right = self.known.caught + self.known.right - self.known.alarms
        return share(right, self.known.wrong + self.known.right)


def measured(looks: Iterable[Look]) -> dict[str, dict[str, Measured]]:
    """Return reviewer -> route -> what the looks say, each look counted once."""
    counts: dict[tuple[str, str], list[int]] = {}
    for each in looks:
        one = counts.setdefault((each.who, each.route), [0, 0, 0, 0])
        one[0 if each.wrong else 2] += 1
        one[1 if each.wrong else 3] += each.called
    found: dict[str, dict[str, Measured]] = {}
    for (who, route), one in counts.items():
        found.setdefault(who, {})[route] = Measured(route, Known(*one))
    return found


def together(people: Iterable[dict[str, Measured]], route: str) -> Measured:
    """Return what the looks of one route say of everybody."""
    found = Measured(route, Known(0, 0, 0, 0))
    for each in people:
        if route in each:
            found = found + each[route]
    return found
