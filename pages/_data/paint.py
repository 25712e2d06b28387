"""Markup of the Data page's cards: what each says is one element; all text is escaped.

What a page costs in the browser goes by how many elements it has, most of all those of Markdown.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from pages import _charts, _ui, _words
from pages._words import one_line


def said(*parts: str) -> str:
    """Return parts below each other, as far apart as Streamlit's elements in a card."""
    return f'<div style="display:grid;gap:.5rem">{"".join(filter(None, parts))}</div>'


def heading(name: str, limit: int = 26) -> str:
    """Return a card's heading; a name that is cut says the whole one to who points at it."""
    cut, whole = _ui.short(name, limit), one_line(name)
    title = f' title="{escape(whole)}"' if cut != whole else ""
    style = (
        "margin:6px 0 7px;padding:0;font-size:1rem;font-weight:600;line-height:1.2;"
        "overflow:hidden;text-overflow:ellipsis;white-space:nowrap"
    )
    return f'<h2 style="{style}"{title}>{escape(cut)}</h2>'


def caption(words: str) -> str:
    """Return words in grey."""
    muted = _charts.colours()["muted"]
    return f'<div style="font-size:.875rem;line-height:1.6;color:{muted}">{escape(words)}</div>'


def small(words: str) -> str:
    """Return a sentence in small type."""
    return f'<div style="font-size:.875rem;line-height:1.6">{escape(words)}</div>' if words else ""


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Return figures side by side, each with its label above."""
    muted = _charts.colours()["muted"]
    parts = "".join(
        f'<div><dt style="font-weight:400;font-size:.875rem;color:{muted}">{escape(label)}</dt>'
        f'<dd style="margin:0;font-weight:600">{escape(value)}</dd></div>'
        for label, value in pairs
    )
    style = "display:flex;flex-wrap:wrap;gap:4px clamp(8px,1.8cqw,30px);margin:0;padding:0"
    return f'<dl style="{style}">{parts}</dl>'


def bar(share: float, label: str) -> str:
    """Return how far something is, from 0 to 1, as a bar."""
    tone, per_cent = _charts.colours(), round(100 * min(max(share, 0.0), 1.0), 1)
    return (
        f'<div role="progressbar" aria-label="{escape(label)}" aria-valuemin="0" '
        f'aria-valuemax="100" aria-valuenow="{round(per_cent)}" '
        f'aria-valuetext="{_words.percent(share)}" style="height:.5rem;margin:.5rem 0;'
        f'border-radius:6px;overflow:hidden;background:{tone["track"]}">'
        f'<div style="height:100%;width:{per_cent}%;background:{tone["button"]}"></div></div>'
    )
