"""Where two classes meet: which way the reviewed images went, and whether people know which.

A label can be wrong, or the line between two classes can be unclear: Longsleeve beside Hoodie.
The second shows where people contradict one another, call an image both, are unsure, or correct
images in both directions. There a sentence in the guide helps more than another review.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from lnl_core.services.in_force import loaded
from lnl_core.services.ledger import SETTLING_ACTIONS
from lnl_core.store import decisions
from lnl_core.types import Action, DatasetInfo, Decision

FEWEST = 3
"""Unclear images, or corrections each way, from which a definition counts as disputed."""

SHARE = 0.1
"""And so large a part of the pair's reviewed images has to be unclear."""


@dataclass(slots=True)
class Definition:
    """What people said of the images that are one of two classes, given as either.

    Attributes:
        one: the class with the smaller number.
        two: the other one.
        kept: label -> images that stayed as they were given.
        moved: label -> images given so that went to the other class.
        both: images of which somebody said that they are both, undisputed.
        unsure: images on which somebody is unsure and nobody has settled it.
        split: images on which people contradict one another.
        twice: images that two people or more have settled; on `agreed` of them they agree.
        agreed: see `twice`.
    """

    one: int
    two: int
    kept: dict[int, int] = field(default_factory=dict)
    moved: dict[int, int] = field(default_factory=dict)
    both: int = 0
    unsure: int = 0
    split: int = 0
    twice: int = 0
    agreed: int = 0

    @property
    def unclear(self) -> int:
        """Images that the definitions do not decide."""
        return self.both + self.unsure + self.split

    @property
    def reviewed(self) -> int:
        """Images of the pair with an answer."""
        return sum(self.kept.values()) + sum(self.moved.values()) + self.unclear

    @property
    def disputed(self) -> bool:
        """Whether it is unclear where one class ends and the other begins; see `words`."""
        each_way = [self.moved.get(label, 0) for label in (self.one, self.two)]
        return self._unclear_often or min(each_way) >= FEWEST

    @property
    def _unclear_often(self) -> bool:
        return self.unclear >= max(FEWEST, SHARE * self.reviewed)

    def words(self, one: str, two: str) -> str:
        """Say why it is disputed, by the names of the classes: people, or the given labels.

        Corrections both ways are no disagreement of the people who made them.
        """
        if self.split and self._unclear_often:
            return f"People disagree on where {one} ends and {two} begins."
        if self._unclear_often:
            return f"People find it unclear where {one} ends and {two} begins."
        return f"The given labels are wrong both ways: {one} for {two}, and {two} for {one}."


def definition(info: DatasetInfo, one: int, two: int) -> Definition:
    """Return what people said where two classes meet."""
    key = (min(one, two), max(one, two))
    return _definitions(info, decisions.last_id(info)).get(key, Definition(*key))


def disputed(info: DatasetInfo) -> list[Definition]:
    """Return the pairs that people disagree on, most unclear images first."""
    definitions = [
        each for each in _definitions(info, decisions.last_id(info)).values() if each.disputed
    ]
    return sorted(definitions, key=lambda each: (-each.unclear, -each.reviewed, each.one, each.two))


@lru_cache(maxsize=8)
def _definitions(info: DatasetInfo, _last_id: int) -> Mapping[tuple[int, int], Definition]:
    given = loaded(info).given_labels
    by_pair: dict[tuple[int, int], Definition] = {}
    for row, several in decisions.in_force(info).items():
        label = int(given[row])
        if label in info.no_classes:
            continue
        for other in _others(info, label, several):
            key = (min(label, other), max(label, other))
            _count(by_pair.setdefault(key, Definition(*key)), label, several)
    return by_pair


def _others(info: DatasetInfo, given: int, several: Sequence[Decision]) -> Iterator[int]:
    """Yield the classes that an image was held against: those chosen, else the one suggested."""
    chosen = {d.label for d in several if d.action is Action.RELABEL}
    chosen |= {label for d in several if d.action is Action.MULTIPLE for label in d.labels}
    if not chosen and any(d.action in (Action.KEEP, Action.UNSURE) for d in several):
        chosen = {d.suggested_label for d in several}
    for label in sorted(each for each in chosen if each is not None):
        if label >= 0 and label != given and label not in info.no_classes:
            yield label


def _count(pair: Definition, given: int, several: Sequence[Decision]) -> None:
    verdict = decisions.verdict(several)
    people = sum(d.action in SETTLING_ACTIONS for d in several)
    if people > 1:
        pair.twice += 1
        pair.agreed += verdict.agreed
    if verdict.waiting:
        pair.unsure += 1
    elif not verdict.agreed:
        pair.split += 1
    elif verdict.decision is None:
        return
    elif verdict.decision.action is Action.KEEP:
        pair.kept[given] = pair.kept.get(given, 0) + 1
    elif verdict.decision.action is Action.RELABEL:
        pair.moved[given] = pair.moved.get(given, 0) + 1
    elif verdict.decision.action is Action.MULTIPLE:
        pair.both += 1
