"""How many labels are wrong in a set of which only a part was judged.

Most judged labels of the clothing photographs were looked at because a first model doubted them,
the others by chance from the rest. So the share of wrong ones among the judged is not that of the
set: what was doubted counts for itself, what was drawn by chance for the rest.
"""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Sequence
from pathlib import Path


@dataclasses.dataclass(frozen=True)
class Drawn:
    """A set judged in part.

    Attributes:
        wrong: labels judged wrong, however they were drawn.
        clear: labels judged right or wrong.
        vague: labels about which no one can say.
        chance, chance_wrong, chance_vague: how many were drawn by chance, and what they were.
        unjudged: labels that nobody has looked at; those drawn by chance speak for them.
    """

    wrong: int
    clear: int
    vague: int
    chance: int
    chance_wrong: int
    chance_vague: int
    unjudged: int

    @property
    def share(self) -> float:
        """Share of wrong ones among the labels that are right or wrong, vague ones left out."""
        return self._with(self.chance_wrong / (self.chance - self.chance_vague))

    @property
    def limits(self) -> tuple[float, float]:
        """The share where chance was kind or unkind, to 95 % (Clopper and Pearson 1934)."""
        from scipy.stats import beta

        x, n = self.chance_wrong, self.chance - self.chance_vague
        low = float(beta.ppf(0.025, x, n - x + 1)) if x else 0.0
        high = float(beta.ppf(0.975, x + 1, n - x)) if x < n else 1.0
        return self._with(low), self._with(high)

    @property
    def unclear(self) -> float:
        """Share of all labels that are wrong or vague."""
        rest = self.unjudged * (self.chance_wrong + self.chance_vague) / self.chance
        return (self.wrong + self.vague + rest) / (self.clear + self.vague + self.unjudged)

    def _with(self, wrong: float) -> float:
        rest = self.unjudged * (1 - self.chance_vague / self.chance)
        return (self.wrong + wrong * rest) / (self.clear + rest)


def rows(path: Path) -> list[dict[str, str]]:
    """Read a list with a head."""
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def drawn(checked: Sequence[dict[str, str]], images: int) -> Drawn:
    """Count what was judged.

    Args:
        checked: a row each, `verdict` (right, wrong, ambiguous) and `drawn` (suspected, random).
        images: of the set.
    """
    said = [row["verdict"] for row in checked]
    random = [row["verdict"] for row in checked if row["drawn"] == "random"]
    vague = said.count("ambiguous")
    return Drawn(
        wrong=said.count("wrong"),
        clear=len(said) - vague,
        vague=vague,
        chance=len(random),
        chance_wrong=random.count("wrong"),
        chance_vague=random.count("ambiguous"),
        unjudged=images - len(said),
    )


DEMO = Drawn(33, 324, 37, 124, 1, 6, 239)
"""The 600 photographs of `assets/clothing`, as the README there says."""
