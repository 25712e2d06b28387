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
    lines = "".join(_line(each, album) for each in copied.listed(info, kind, LISTED))
    head = "".join(f"<th>{each}</th>" for each in ("", "Times", "Labels", "Splits", "Images"))
    more = f", the first {LISTED} of {total:,}" if total > LISTED else f", {total:,}"
    return (
        f"<details open><summary>{title}{more}</summary><table><thead><tr>{head}</tr></thead>"
        f"<tbody>{lines}</tbody></table></details>"
    )


def _line(one: Copied, album: Album) -> str:
    picture = f'<td><img src="{album.uri(one.rows[0])}" alt="" width="48"></td>'
    cells = (
        f"{len(one.rows):,}",
        _tally(one.labels),
        _tally(one.splits),
        ", ".join(one.ids[:_NAMED]),
    )
    return f"<tr>{picture}{''.join(_markup.cell(each) for each in cells)}</tr>"


def _tally(names: dict[str, int]) -> str:
    return ", ".join(f"{name} {times:,}" for name, times in names.items())
