"""Folders of very many tables, most of which are of one image each: which of them may be lists."""

from __future__ import annotations

from pathlib import Path

from lnl_core.data.reading import column_names
from lnl_core.data.reading.split_names import is_split
from lnl_core.readings import Answers

_MANY, _LONGEST = 200, 20
"""Tables above which only the longest ones may be lists, and how many of them."""

_NOTHING = Answers()


def _first_line(file: Path) -> bytes:
    """Return the first line of a text; nothing where it cannot be read."""
    try:
        with file.open("rb") as stream:
            return stream.readline(4096).strip()
    except OSError:
        return b""


def longest(found: list[Path], answers: Answers = _NOTHING) -> list[Path]:
    """Return the tables that may be lists: of very many the longest, and those called like splits.

    A look into each would take minutes. Where one of these has images and labels by its first line,
    all of that first line may be lists. All are where a person said so, and any can be named.
    """
    if len(found) <= _MANY or answers.lists == ("all",):
        return found
    by_length = sorted(found, key=lambda file: file.stat().st_size, reverse=True)
    splits = [file for file in by_length if is_split(file.stem, lists=True)]
    kept = {*by_length[:_LONGEST], *splits[:_LONGEST]}
    heads = {_first_line(file) for file in kept if column_names.recognised(file)} - {b""}
    if heads:
        kept.update(file for file in found if _first_line(file) in heads)
    return [file for file in found if file in kept]
