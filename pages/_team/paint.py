"""Markup of the Team page: agreement as a chart, answers as a list; all text is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from html import escape

import streamlit as st

from lnl_core.figures.palette import TONES
from lnl_core.services.team.team import Agreement
from lnl_core.types import Action
from lnl_core.views import score
from pages._words import count, day, hour, local, moment, one_line, short

_LIGHT, _DARK = TONES["light"], TONES["dark"]

VERDICTS = {
    Action.KEEP: ("check", "green", "keep"),
    Action.RELABEL: ("swap_horiz", "blue", "relabel"),
    Action.MULTIPLE: ("stacks", "violet", "multiple"),
    Action.NONE: ("block", "red", "none fits"),
    Action.UNSURE: ("help", "orange", "unsure"),
    Action.SKIP: ("skip_next", "gray", "skip"),
    Action.REOPEN: ("undo", "gray", "taken back"),
    Action.AUTO: ("bolt", "violet", "auto"),
}
"""Action -> icon, Streamlit's colour, word."""


def _both(name: str) -> str:
    return f"light-dark({_LIGHT[name]},{_DARK[name]})"


_STYLE = f"""<style>
:is(.team-line,.team-trail,.team-people){{color-scheme:MODE}}
.team-line{{display:grid;grid-template-columns:minmax(64px,1.2fr) minmax(80px,1.5fr) auto;gap:12px;
  align-items:center;min-height:25px;font-size:.87rem}}
.team-line .who{{overflow:hidden;overflow-wrap:anywhere;line-height:1.25;display:-webkit-box;
  -webkit-box-orient:vertical;-webkit-line-clamp:2}}
.team-line .n{{color:{_both("muted")};white-space:nowrap;font-variant-numeric:tabular-nums;
  text-align:right;min-width:82px}}
.team-line .n b{{color:{_both("text")};font-weight:600}}
.team-line .track{{position:relative;height:25px;background-repeat:no-repeat}}
.team-line .track u{{position:absolute;top:0;bottom:0;width:1px;background:{_both("line")}}}
.team-line .track i{{position:absolute;top:10px;height:5px;border-radius:3px;
  background:{_both("dot")}}}
.team-line .track b{{position:absolute;top:8px;width:9px;height:9px;margin-left:-4.5px;
  border-radius:50%;background:{_both("text")}}}
.team-line .few{{grid-column:2/4;color:{_both("muted")};text-align:right}}
.team-axis{{font-size:.8rem;color:{_both("muted")};min-height:18px}}
.team-axis .track{{height:18px;margin-bottom:0}}
.team-axis em{{position:absolute;transform:translateX(-50%);font-style:normal}}
.team-trail{{overflow-y:auto;margin:0 -4px;padding:0 4px;font-size:.87rem}}
.team-trail div{{display:grid;grid-template-columns:3.4em minmax(0,4.6em) 24px minmax(0,1fr) auto;
  gap:10px;align-items:center;min-height:34px;border-bottom:1px solid {_both("line")}}}
.team-trail time{{color:{_both("muted")};font-variant-numeric:tabular-nums;white-space:nowrap}}
.team-trail img{{width:24px;height:24px;object-fit:cover;border-radius:4px;display:block}}
.team-trail span{{overflow:hidden;text-overflow:ellipsis;white-space:nowrap}}
.team-trail .by{{font-weight:600}}
.team-trail .v{{display:flex;gap:4px;align-items:center;overflow:visible}}
.team-trail .v i{{font:normal 18px/1 "Material Symbols Rounded";font-feature-settings:"liga";
  width:18px;height:18px;overflow:hidden}}
[class*="st-key-conflict_first"]{{border-color:{_both("accent")}!important}}
.st-key-team_columns h2{{font-size:1.1rem;padding:2px 0}}
.team-people{{overflow-x:auto;border:1px solid {_both("line")};border-radius:6px}}
.team-people table{{width:100%;border-collapse:collapse;font-size:.87rem;margin:0}}
.team-people :is(th,td){{padding:6px 8px;text-align:right;white-space:nowrap;border:0;
  border-bottom:1px solid {_both("line")};font-variant-numeric:tabular-nums}}
.team-people tr:last-child td{{border-bottom:0}}
.team-people th{{background:{_both("ground")};color:{_both("muted")};font-weight:400}}
.team-people :is(th,td):is(:first-child,.l){{text-align:left}}
@media(max-width:700px){{.team-people .minor{{display:none}}
  .team-people :is(th,td){{padding:6px}}}}
</style>"""


def style() -> None:
    """Set the look of what this module draws, in dialogs too, which inherit no theme."""
    mode = "dark" if st.context.theme.type == "dark" else "light"
    st.html(_STYLE.replace("MODE", mode))


_MINOR = ("Role", "Median", "Shared")
"""Columns of people that a telephone has no room for."""


def table(lines: Sequence[Mapping[str, str]], helps: Mapping[str, str]) -> str:
    """Return a table of one line for each mapping; `helps` are tooltips of its columns.

    The first column is left, all others right; nothing is cut: a telephone leaves columns out.
    """
    heads = "".join(
        f'<th scope="col"{_minor(each)} title="{_safe(helps.get(each, ""))}">{_safe(each)}</th>'
        for each in lines[0]
    )
    rows = "".join(f"<tr>{_cells(line.items())}</tr>" for line in lines)
    inner = f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
    return f'<div class="team-people" tabindex="0" role="region" aria-label="People">{inner}</div>'


def _cells(items: Iterable[tuple[str, str]]) -> str:
    return "".join(
        f'<td{_minor(column)} title="{_safe(each)}">{_safe(short(each, 22))}</td>'
        for column, each in items
    )


def _minor(column: str) -> str:
    return ' class="minor"' if column in _MINOR else ""


def agreement(rows: Sequence[tuple[str, Agreement]]) -> str:
    """Return a chart: a line per coefficient with its interval, over one scale."""
    lows = [each.low for _, each in rows if each.low is not None]
    low = max(-1.0, min(4, int(10 * min(lows, default=0.4)) // 2 * 2) / 10)
    ticks = [low + (1 - low) * i / 3 for i in range(4)]
    lines = "".join(_line(who, each, low, ticks) for who, each in rows)
    marks = "".join(f'<em style="left:{_place(t, low)}%">{t:.2g}</em>' for t in ticks)
    axis = f'<span></span><span class="track">{marks}</span><span class="n"></span>'
    return f'{lines}<div class="team-line team-axis" aria-hidden="true">{axis}</div>'


def _line(who: str, each: Agreement, low: float, ticks: Sequence[float]) -> str:
    name = f'<span class="who" title="{_safe(who)}">{_safe(short(who, 40))}</span>'
    if each.value is None or each.low is None or each.high is None:
        words = (
            f"from 50 shared images ({count(each.images)} now)"
            if each.images < 50
            else "one category only"
        )
        return f'<div class="team-line">{name}<span class="few">{words}</span></div>'
    ends = f"{score(each.low)}–{score(each.high)}"
    said = f"{score(each.value)} (95 %: {ends}) of {count(each.images)} images"
    start, end = _place(each.low, low), _place(each.high, low)
    grid = "".join(f'<u style="left:{_place(t, low)}%"></u>' for t in ticks)
    track = (
        f'<span class="track" role="img" aria-label="{said}" title="{said}">{grid}'
        f'<i style="left:{start}%;width:{round(end - start, 1)}%"></i>'
        f'<b style="left:{_place(each.value, low)}%"></b></span>'
    )
    number = f'<span class="n"><b>{score(each.value)}</b> of {count(each.images)}</span>'
    return f'<div class="team-line">{name}{track}{number}</div>'


def _place(value: float, low: float) -> float:
    return round(100 * min(max((value - low) / (1 - low), 0.0), 1.0), 1)


def answer(
    when: str, who: str, image: str, identity: str, what: str, action: Action, word: str
) -> str:
    """Return a line of the audit trail; `image` is the address of its thumbnail."""
    icon, colour, _ = VERDICTS[action]
    tone = "muted" if colour == "gray" else f"{colour}_text"
    verdict = f'<i aria-hidden="true">{icon}</i>{_safe(short(word, 12))}'
    return (
        f'<div><time title="{moment(when)}">{brief(when)}</time>'
        f'<span class="by" title="{_safe(who)}">{_safe(who)}</span>'
        f'<img src="{image}" alt="" loading="lazy" title="{_safe(identity)}">'
        f'<span title="{_safe(what)}">{_safe(what)}</span>'
        f'<span class="v" style="color:{_both(tone)}">{verdict}</span></div>'
    )


def brief(when: str) -> str:
    """Write the time of what was today, else the day."""
    return hour(when) if local(when).date() == datetime.now().date() else day(when)


def trail(lines: Sequence[str], height: int) -> str:
    """Return the lines of the audit trail as a list that scrolls."""
    return (
        '<div class="team-trail" tabindex="0" role="region" aria-label="Last answers" '
        f'style="max-height:{height}px">{"".join(lines)}</div>'
    )


def _safe(text: str) -> str:
    return escape(one_line(text))
