"""Which images the map of Explore draws: by class, by how suspected they are, by verdict."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from lnl_core.services.datasets import copied
from lnl_core.services.datasets.copied import KINDS
from lnl_core.services.explore import embedding
from lnl_core.services.explore.embedding import VERDICTS, Colouring
from lnl_core.services.in_force import Scored, loaded, scored, standing
from lnl_core.services.review import filtering
from lnl_core.store import datasets, decisions
from lnl_core.types import BoolArray, DatasetInfo, LnlError

HIDDEN = 64
"""A colour code from here on is not drawn."""

_FORM = re.compile(r"([gslvcp]\d+(\.\d+)*)*(_[mwtr]([0-9a-f]{2})+)*")
_PARTS = {
    "given": "g",
    "suggested": "s",
    "levels": "l",
    "verdicts": "v",
    "copies": "c",
    "splits": "p",
}
_WORDS = {"caller": "m", "who": "w", "path": "t", "chance": "r"}


@dataclass(frozen=True, slots=True)
class Narrow:
    """What is drawn: images that meet every part that is not empty.

    Attributes:
        given: classes, any of them.
        suggested: classes, any of them.
        levels: of `embedding.levels`.
        verdicts: places in `embedding.VERDICTS`.
        copies: places in `copied.KINDS`, any of them.
        splits: places in the names of `datasets.splits`, any of them; one more for none.
        caller: the method that, alone, calls the label wrong.
        who: the reviewer who has answered.
        path: a text in the path, in any case.
        chance: ends of a range of chances that the label is wrong (`filtering.chance_text`).
        method: whose suspicion `levels` are of; all methods' chance when None.
    """

    given: tuple[int, ...] = ()
    suggested: tuple[int, ...] = ()
    levels: tuple[int, ...] = ()
    verdicts: tuple[int, ...] = ()
    copies: tuple[int, ...] = ()
    splits: tuple[int, ...] = ()
    caller: str = ""
    who: str = ""
    path: str = ""
    chance: str = ""
    method: str | None = None

    @property
    def parts(self) -> int:
        """Number of parts in force."""
        return sum(bool(getattr(self, name)) for name in (*_PARTS, *_WORDS))

    @property
    def by_people(self) -> bool:
        """Whether it follows what people answer."""
        return bool(self.verdicts or self.who)

    def as_text(self) -> str:
        """Return it as an address holds it, without the method; empty where all is drawn."""
        numbers = (
            letter + ".".join(str(each) for each in getattr(self, name))
            for name, letter in _PARTS.items()
            if getattr(self, name)
        )
        words = (
            f"_{letter}{getattr(self, name).encode().hex()}"
            for name, letter in _WORDS.items()
            if getattr(self, name)
        )
        return "".join((*numbers, *words))


def from_text(text: str, method: str | None) -> Narrow:
    """Return what `as_text` wrote.

    Raises:
        LnlError: it did not.
    """
    if len(text) > 4000 or not _FORM.fullmatch(text):
        raise LnlError("This filter of the map cannot be read.")
    numbers, *words = text.split("_")
    parts = {part[0]: part[1:] for part in re.findall(r"[gslvcp][\d.]+", numbers)}
    given, suggested, levels, verdicts, copies, splits = (
        tuple(int(each) for each in parts.get(letter, "").split(".") if each)
        for letter in _PARTS.values()
    )
    said = {word[0]: bytes.fromhex(word[1:]).decode(errors="replace") for word in words}
    if "r" in said and filtering.chance_ends(said["r"]) is None:
        raise LnlError("This filter of the map cannot be read.")
    named = {name: said.get(letter, "") for name, letter in _WORDS.items()}
    return Narrow(given, suggested, levels, verdicts, copies, splits, **named, method=method)


def splits(info: DatasetInfo) -> list[str]:
    """Return the names of a set's splits, a blank last where some images came in none."""
    divided = datasets.splits(info)
    if divided is None:
        return []
    return [*divided[0], *([""] if (divided[1] < 0).any() else [])]


def mask(info: DatasetInfo, narrow: Narrow) -> BoolArray | None:
    """Return (n,) True where an image is drawn; None where all are."""
    if not narrow.parts:
        return None
    last = decisions.last_id(info) if narrow.by_people else 0
    return _mask(info, scored(info), narrow, last)


@lru_cache(maxsize=4)
def _mask(info: DatasetInfo, ranked: Scored | None, narrow: Narrow, _last: int) -> BoolArray:
    shown = np.ones(info.n, dtype=bool)
    if narrow.given:
        shown &= np.isin(np.asarray(loaded(info).given_labels), narrow.given)
    if narrow.suggested:
        if ranked is None:
            return np.zeros(info.n, dtype=bool)
        shown &= np.isin(np.asarray(ranked.ranking.suggested_labels), narrow.suggested)
    if narrow.levels:
        if ranked is None:
            return np.zeros(info.n, dtype=bool)
        shown &= np.isin(embedding.levels(info, ranked, narrow.method), narrow.levels)
    if narrow.verdicts:
        shown &= np.isin(embedding.verdicts(info), narrow.verdicts)
    if narrow.copies:
        wanted = np.zeros(info.n, dtype=bool)
        for place in narrow.copies:
            if place < len(KINDS):
                wanted[copied.rows_of(info, list(KINDS)[place])] = True
        shown &= wanted
    if narrow.splits and (divided := datasets.splits(info)) is not None:
        names, codes = divided
        shown &= np.isin(np.where(codes < 0, len(names), codes), narrow.splits)
    if narrow.caller and ranked is not None:
        shown &= filtering.called_wrong(info, ranked, narrow.caller)
    if ends := filtering.chance_ends(narrow.chance):
        limits = filtering.chance_limits(*ends)
        if ranked is None or limits is None:
            return np.zeros(info.n, dtype=bool)
        shown &= filtering.in_chance(info, ranked, limits)
    if narrow.who:
        shown &= filtering.said(info, standing(info), None, narrow.who)
    if narrow.path:
        shown &= filtering.in_path(info, narrow.path)
    return shown


def colouring(info: DatasetInfo, colour: str, method: str | None, narrow: Narrow) -> Colouring:
    """Return the codes of every image, those that are not drawn above `HIDDEN`.

    Raises:
        LnlError: as `embedding.colouring`.
    """
    whole = embedding.colouring(info, colour, method)
    shown = mask(info, narrow)
    if shown is None:
        return whole
    codes = whole.codes | np.where(shown, 0, HIDDEN).astype(np.uint8)
    counts = np.bincount(whole.codes[shown] & 15, minlength=16)
    told = f"{whole.version} {narrow} {decisions.last_id(info) if narrow.by_people else ''}"
    version = hashlib.blake2b(told.encode(), digest_size=6).hexdigest()
    return replace(
        whole,
        version=version,
        codes=codes,
        legend=tuple((slot, name, int(counts[slot])) for slot, name, _ in whole.legend),
    )


VERDICT_NAMES = tuple(embedding._VERDICT_WORDS[each] for each in VERDICTS)
LEVEL_NAMES = ("below 0.25", "0.25–0.5", "above 0.5", embedding.UNJUDGED_WORDS)
