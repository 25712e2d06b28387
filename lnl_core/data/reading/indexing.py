"""The files of a folder by their names: one walk for all who look for some in one reading."""

from __future__ import annotations

import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path

from lnl_core.data.files import hidden, inside_path
from lnl_core.data.images import SUFFIXES

MOST = 1_000_000
"""Files that are looked through for a name; in a larger folder paths have to be right."""


@dataclass(frozen=True, slots=True)
class Index:
    """Where files of a name lie: paths from the folder, in the order of a walk.

    Attributes:
        names: whole name -> paths.
        cases: the same, capitals aside.
        stems: name without its ending -> paths of images.
        numbers: names that are whole numbers, without zeros before -> paths of images.
    """

    names: dict[str, list[str]] = field(default_factory=dict)
    cases: dict[str, list[str]] = field(default_factory=dict)
    stems: dict[str, list[str]] = field(default_factory=dict)
    numbers: dict[str, list[str]] = field(default_factory=dict)


_WALKED: ContextVar[dict[Path, Index] | None] = ContextVar("walked", default=None)


@contextmanager
def one_walk() -> Iterator[None]:
    """Within it every folder is walked once, whoever asks; it is forgotten afterwards."""
    if _WALKED.get() is not None:
        yield
        return
    token = _WALKED.set({})
    try:
        yield
    finally:
        _WALKED.reset(token)


def of(root: Path) -> Index:
    """Return the files below a folder; none where there are too many."""
    known = _WALKED.get()
    if known is None:
        return _walk(root)
    if root not in known:
        known[root] = _walk(root)
    return known[root]


def _walk(root: Path) -> Index:
    names, stems = defaultdict[str, list[str]](list), defaultdict[str, list[str]](list)
    count = 0
    for folder, inner, files in os.walk(root, followlinks=False):
        inner[:] = [name for name in inner if not hidden(name)]
        for name in files:
            count += 1
            if hidden(name):
                continue
            path = inside_path(root, os.path.join(folder, name)) or name
            names[composed(name)].append(path)
            stem, ending = os.path.splitext(name)
            if ending.lower() in SUFFIXES:
                stems[composed(stem)].append(path)
        if count > MOST:
            return Index()
    cases, numbers = defaultdict[str, list[str]](list), defaultdict[str, list[str]](list)
    for name, paths in names.items():
        cases[name.casefold()] += paths
    for stem, paths in stems.items():
        if number(stem):
            numbers[number(stem)] += paths
    return Index(dict(names), dict(cases), dict(stems), dict(numbers))


def number(stem: str) -> str:
    """Return a name that is a whole number without zeros before and “.0” behind; else ""."""
    whole = re.fullmatch(r"0*(\d{1,18})(\.0+)?", stem) if stem.isascii() else None
    return whole[1] if whole is not None else ""


def composed(name: str) -> str:
    """Return a name in the form of Unicode that names are compared in."""
    return unicodedata.normalize("NFC", name)
