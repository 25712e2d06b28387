"""Some images as every published method sees them."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from lnl_core.figures import panel
from lnl_core.services.compare import five_views
from lnl_core.services.compare.report._album import Album
from lnl_core.services.in_force import scored
from lnl_core.types import DatasetInfo

VIEWED, TRIED = 3, 60
"""Images that are shown as every method sees them, and the head of a list that they come from."""


def five(info: DatasetInfo, album: Album) -> str:
    """Return the five views of a few images: one that methods disagree on, one alone, one by all.

    Empty while no published method has run.
    """
    chosen = list(_chosen(info, five_views.lists(info)))
    if not chosen:
        return ""
    shown = "".join(
        f'<div class="together"><h3>{escape(why)}</h3>'
        f"{panel.panel(five_views.views(info, row), album.uri, heading=4)}</div>"
        for row, why in chosen
    )
    left = five_views.lists(info).left_words
    said = f"What each method says of one image, in a picture of its own idea. {left}"
    return f"<p>{said.strip()}</p>{shown}"


def _chosen(info: DatasetInfo, there: five_views.Lists) -> Iterator[tuple[int, str]]:
    """Yield rows, each once, with why they are shown."""
    ranked = scored(info)
    assert ranked is not None
    alone = [name for name in there.rows if name not in (five_views.ALL, five_views.SPLIT)]
    lists = [
        (there.rows.get(five_views.SPLIT, ()), "Methods disagree"),
        *((there.rows[name], f"Only {name} expects another class") for name in alone),
        (there.rows.get(five_views.ALL, ()), f"All {there.asked} expect another class"),
        (ranked.ranking.order, "Most suspicious"),
    ]
    seen: set[int] = set()
    for rows, why in lists:
        row = next((each for each in map(int, rows[:TRIED]) if _whole(info, each, seen)), None)
        if row is None or len(seen) == VIEWED:
            continue
        if why.startswith("Only ") and len(seen) == VIEWED - 1:
            continue  # the last place is for what all of them doubt
        seen.add(row)
        yield row, why


def _whole(info: DatasetInfo, row: int, seen: set[int]) -> bool:
    """Tell whether every method that has run has an opinion of an image that is not shown yet."""
    if row in seen:
        return False
    states = [each.state for each in five_views.views(info, row).methods if each.state != "absent"]
    return bool(states) and all(state == "ready" for state in states)
