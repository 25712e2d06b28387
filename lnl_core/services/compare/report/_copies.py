"""Pictures that a set holds more than once, as the Data page lists them; leaks come first."""

from __future__ import annotations

from html import escape

from lnl_core.services.compare.report import _markup
from lnl_core.services.compare.report._album import Album
from lnl_core.services.datasets import copied
from lnl_core.services.datasets.copied import Copied
from lnl_core.types import DatasetInfo

LISTED = 48
"""Pictures of each kind that are listed."""

_NAMED = 20

_TITLES = {
    "splits": ("In more than one split", "across_splits"),
    "labels": ("With different labels", "different_labels"),
}


def section(info: DatasetInfo, album: Album) -> str:
    """Return how many copies there are, and a table of those that leak or contradict each other.

    Empty where no picture comes twice, and where nobody has looked yet.
    """
    counted = copied.known(info)
    if not counted:
        return ""
    words = "".join(f"<p>{escape(each)}</p>" for each in copied.notes(info))
    return _markup.section(
        "Copies", words + "".join(_listed(info, kind, album) for kind in _TITLES)
    )


def _listed(info: DatasetInfo, kind: str, album: Album) -> str:
    title, name = _TITLES[kind]
    total = copied.known(info).get(name, 0)
    if not total:
        return ""
    there = copied.listed(info, kind, LISTED)
    split = any(each.splits for each in there)
    lines = "".join(_line(each, album, split) for each in there)
    heads = ("", "Times", "Labels", *["Splits"] * split, "Images")
    head = "".join(f"<th>{each}</th>" for each in heads)
    more = f", the first {LISTED} of {total:,}" if total > LISTED else f", {total:,}"
    return (
        f"<details open><summary>{title}{more}</summary>"
        f'<table class="copies"><thead><tr>{head}</tr></thead>'
        f"<tbody>{lines}</tbody></table></details>"
    )


def _line(one: Copied, album: Album, split: bool) -> str:
    """Return a row of the table; `split` where it has a column of splits."""
    picture = f'<td><img src="{album.uri(one.rows[0])}" alt="" width="48"></td>'
    cells = (
        f"{len(one.rows):,}",
        _tally(one.labels),
        *[_tally(one.splits)] * split,
        ", ".join(one.ids[:_NAMED]),
    )
    return f"<tr>{picture}{''.join(_markup.cell(each) for each in cells)}</tr>"


def _tally(names: dict[str, int]) -> str:
    return ", ".join(f"{name} {times:,}" for name, times in names.items())
