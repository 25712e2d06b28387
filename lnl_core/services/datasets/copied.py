"""The pictures that a set holds more than once: how many, which, with which labels and splits."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from lnl_core.data import copies as finding
from lnl_core.review import copies
from lnl_core.said import command
from lnl_core.services.in_force import loaded, scored, standing
from lnl_core.services.review import groups
from lnl_core.store import arrays, datasets
from lnl_core.types import DatasetInfo, IntArray, LnlError

KINDS = {
    "all": "stored more than once",
    "labels": "with different labels",
    "splits": "in more than one split",
}
"""Which copies are asked for -> in words."""


@dataclass(frozen=True, slots=True)
class Copied:
    """One picture that comes more than once.

    Attributes:
        rows: of its images, rising.
        ids: theirs.
        labels: name of a given class -> how often, the most frequent first.
        splits: name of a split -> how often; empty where there are none.
        contradicts: whether labels differ, so that at least one is wrong.
    """

    rows: tuple[int, ...]
    ids: tuple[str, ...]
    labels: dict[str, int]
    splits: dict[str, int]
    contradicts: bool

    @property
    def leaks(self) -> bool:
        """Whether it is in more than one split."""
        return len(self.splits) > 1


def counted(info: DatasetInfo) -> dict[str, int]:
    """Return how many copies there are (`data.copies.summary`); empty where nothing comes twice.

    A set from before there were groups is looked over now, which takes a while for large ones.
    """
    known: dict[str, int] = dict(datasets.read_meta(info).get(datasets.COPIES_FOUND, {}))
    known.pop("rule", None)
    if known.pop("of", None) == info.n and datasets.copies(info) is not None:
        return known
    first = finding.noted_of(info)
    split = datasets.splits(info)
    labels = np.asarray(loaded(info).given_labels)
    found = finding.summary(first, labels, info.no_classes, None if split is None else split[1])
    with suppress(LnlError):  # where nothing can be written they are counted again
        by = {} if (rule := _rule(info)) is None else {"rule": rule}
        datasets.update_meta(info, **{datasets.COPIES_FOUND: by | {"of": info.n} | found})
    return found


def notes(info: DatasetInfo) -> list[str]:
    """Say what `counted` counts, a sentence each."""
    older = []
    if of_an_earlier_version(info):
        again = command("copies", info.name, "--again")
        older = [f"An earlier version looked for copies: {again} looks anew, and answers stay."]
    counts = counted(info)
    rows = rows_of(info, "labels")
    found = groups.groups_of(info)
    if found is None or not len(rows):
        return finding.notes(counts) + older
    open_ = rows[~standing(info).answered[rows]]
    return finding.notes(counts, len(np.unique(found.first[open_]))) + older


def of_an_earlier_version(info: DatasetInfo) -> bool:
    """Tell whether the copies were found by other rules than those of now."""
    return datasets.copies(info) is not None and _rule(info) != finding.RULE


def _rule(info: DatasetInfo) -> int | None:
    rule: int | None = datasets.read_meta(info).get(datasets.COPIES_FOUND, {}).get("rule")
    return rule


def look_again(info: DatasetInfo) -> None:
    """Find the copies of a set anew, by the rules of now, and rank anew; answers stay as they are.

    Raises:
        ReadOnly, NoRoom: nothing can be written; what was known stays.
    """
    from lnl_core.jobs import outcome

    images = loaded(info).images
    found = finding.group(images, known=finding.outlined(info.arrays))
    arrays.write_array(info.arrays / datasets.COPIES, found)
    datasets.update_meta(info, **{datasets.COPIES_FOUND: {"rule": finding.RULE}})
    counted(info)
    if scored(info) is not None:
        outcome.rank(info)


def known(info: DatasetInfo) -> dict[str, int]:
    """Return what is known of copies by now; a set that nobody has looked over is begun with.

    Once it is done, copies that contradict each other are put first in the ranking that is there.
    """
    if datasets.copies(info) is None:
        groups.look_over(info, lambda: _found(info))
        return {}
    return counted(info)


def _found(info: DatasetInfo) -> None:
    if counted(info).get("different_labels") and scored(info) is not None:
        from lnl_core.jobs import outcome

        outcome.rank(info)


def rows_of(info: DatasetInfo, kind: str) -> IntArray:
    """Return the rows of copies of a kind, rising; none where nobody has looked yet.

    Raises:
        KeyError: no such kind.
    """
    found = groups.groups_of(info)
    if found is None:
        return np.zeros(0, np.int64)
    return _rows(info, found, kind)


@lru_cache(maxsize=32)
def _rows(info: DatasetInfo, found: copies.Groups, kind: str) -> IntArray:
    rows: IntArray
    if kind == "labels":
        labels = np.asarray(loaded(info).given_labels)
        rows = copies.differing(found.first, labels, info.no_classes)
    elif kind == "splits":
        split = datasets.splits(info)
        none = np.zeros(0, np.int64)
        rows = none if split is None else copies.differing(found.first, split[1], [-1])
    else:
        rows = np.sort({"all": found.rows}[kind])
    return rows


def listed(info: DatasetInfo, kind: str = "all", limit: int | None = None) -> list[Copied]:
    """Return pictures that come more than once: those whose labels differ, then the most frequent.

    Args:
        info: the data set.
        kind: of `KINDS`.
        limit: how many at most.
    """
    found = groups.groups_of(info)
    if found is None:
        return []
    differ = set(found.first[rows_of(info, "labels")].tolist())
    firsts, times = np.unique(found.first[rows_of(info, kind)], return_counts=True)
    told = np.array([first in differ for first in firsts.tolist()], bool)
    order = np.lexsort((firsts, -times, ~told))[:limit]
    return [_picture(info, found, int(first), int(first) in differ) for first in firsts[order]]


def _picture(info: DatasetInfo, found: copies.Groups, first: int, contradicts: bool) -> Copied:
    data, split = loaded(info), datasets.splits(info)
    rows = found.of(first)
    labels = [info.class_names[label] for label in np.asarray(data.given_labels)[rows].tolist()]
    places = [] if split is None else split[1][rows].tolist()
    return Copied(
        rows=tuple(rows.tolist()),
        ids=tuple(data.ids[int(row)] for row in rows),
        labels=_tally(labels),
        splits=_tally([split[0][place] for place in places if place >= 0] if split else []),
        contradicts=contradicts,
    )


def _tally(names: list[str]) -> dict[str, int]:
    times = {name: names.count(name) for name in dict.fromkeys(names)}
    return dict(sorted(times.items(), key=lambda each: -each[1]))
