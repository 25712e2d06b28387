"""Filters that are kept under a name, with the set: each is what an address says of it.

Review and Explore write their filters into the address in the same words, so what one page saved
the other can open, where it has such a part.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lnl_core.store import datasets
from lnl_core.types import DatasetInfo, LnlError

LONGEST, MOST = 60, 100
"""Letters of a name, and filters of one set."""

PARTS = (
    "given",
    "suggested",
    "by_method",
    "p",
    "of",
    "verdict",
    "by",
    "path",
    "copies",
    "split",
    "again",
    "to_label",
    "selection",
    "chosen_by",
)
"""Parts of an address that are a filter."""

_ENTRY = "filters"

Query = Mapping[str, Sequence[str]]
"""Part of the address -> its values."""


@dataclass(frozen=True, slots=True)
class Saved:
    """A filter under its name.

    Attributes:
        name: as a person wrote it.
        query: part of the address, of `PARTS` -> its values.
    """

    name: str
    query: Query

    @property
    def one_each(self) -> bool:
        """Whether each part has one value, and none is of Explore's colours: Review takes these."""
        return all(len(values) == 1 for values in self.query.values()) and "of" not in self.query

    @property
    def tells(self) -> bool:
        """Whether images are chosen by their suggested class."""
        return "suggested" in self.query or "suggestion" in self.query.get("chosen_by", ())


def saved(info: DatasetInfo) -> list[Saved]:
    """Return the filters of a set, by name."""
    kept: dict[str, dict[str, list[str]]] = datasets.read_meta(info).get(_ENTRY, {})
    return [Saved(name, kept[name]) for name in sorted(kept, key=str.casefold)]


def of_address(query: Query) -> dict[str, list[str]]:
    """Return the parts of an address that are a filter."""
    return {part: list(query[part]) for part in PARTS if query.get(part)}


def save(info: DatasetInfo, title: str, query: Query) -> str:
    """Keep a filter under a name and return the name without outer blanks.

    Raises:
        LnlError: nothing is filtered, the name cannot be used or is taken, or there are too many.
    """
    filtered = of_address(query)
    if not filtered:
        raise LnlError("Nothing is filtered. Choose a filter first.")

    def change(kept: dict[str, Any]) -> dict[str, Any]:
        if len(kept) >= MOST:
            raise LnlError(f"{MOST} filters are the most. Delete one first.")
        return kept | {_usable(title, kept): filtered}

    _change(info, change)
    return title.strip()


def rename(info: DatasetInfo, old: str, new: str) -> str:
    """Give a filter another name and return it without outer blanks.

    Raises:
        LnlError: there is no such filter, or the new name cannot be used or is taken.
    """

    def change(kept: dict[str, Any]) -> dict[str, Any]:
        others = {each: query for each, query in kept.items() if each != old}
        return others | {_usable(new, others): _there(old, kept)}

    _change(info, change)
    return new.strip()


def delete(info: DatasetInfo, title: str) -> None:
    """Drop a filter.

    Raises:
        LnlError: there is no such filter.
    """

    def change(kept: dict[str, Any]) -> dict[str, Any]:
        _there(title, kept)
        return {each: query for each, query in kept.items() if each != title}

    _change(info, change)


def _change(info: DatasetInfo, change: Any) -> None:
    """Change the filters of a set; what another process changes meanwhile stays."""
    datasets.change_meta(info, lambda meta: {_ENTRY: change(dict(meta.get(_ENTRY, {})))})


def _there(name: str, kept: Mapping[str, Any]) -> Any:
    if name not in kept:
        raise LnlError(f"There is no filter “{name}” any more. Somebody deleted or renamed it.")
    return kept[name]


def _usable(name: str, kept: Mapping[str, Any]) -> str:
    """Return a name without outer blanks, or say why it cannot be used."""
    name = name.strip()
    if not name:
        raise LnlError("The filter needs a name.")
    if len(name) > LONGEST:
        raise LnlError(f"The name has {len(name)} characters; {LONGEST} are the most. Shorten it.")
    if not name.isprintable():
        raise LnlError("The name has characters that cannot be shown. Use letters and blanks.")
    if (taken := {each.casefold(): each for each in kept}.get(name.casefold())) is not None:
        raise LnlError(f"There is a filter “{taken}” already. Delete it first, or choose another.")
    return name
