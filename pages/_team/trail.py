"""The audit trail on the screen: the last answers of all or of one, and all of them as CSV."""

from __future__ import annotations

import io

import streamlit as st

from lnl_core.services.export import exporting
from lnl_core.services.in_force import loaded
from lnl_core.services.team.team import AUTO_FIX, SETTLED, kept, trail
from lnl_core.types import Action, DatasetInfo, Decision
from pages import _ui, _urls
from pages._team import paint
from pages._words import plural, short

SHOWN = 100
HEIGHT = 510
ROOMY_HEIGHT = 920
"""Pixels, the second on a large screen; the rest scrolls."""


def draw(info: DatasetInfo, names: list[str]) -> None:
    """Draw the trail with its filter and its download."""
    with st.container(border=True, gap="small", key="trail"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown("**Audit trail**", width="stretch")
            who = st.selectbox(
                "Reviewer",
                names,
                index=None,
                format_func=lambda name: short(name, 24),
                placeholder="Everybody",
                label_visibility="collapsed",
                width=132,
                key="trail_of",
            )
            st.download_button(
                "CSV",
                lambda: _csv(info, who),
                file_name=f"audit-trail-{info.id}.csv",
                mime="text/csv",
                icon=":material/download:",
                key="trail_csv",
                on_click="ignore",
                help="Every answer of whom is chosen, with all that was stored of it.",
            )
        ids = loaded(info).ids
        lines = [_line(info, each, str(ids[each.row])) for each in trail(info, who, SHOWN)]
        st.html(paint.trail(lines, ROOMY_HEIGHT if _ui.roomy() else HEIGHT))
        total = kept(info, who)
        last = f"the last {SHOWN} of " if total > SHOWN else ""
        st.caption(
            f"{last}{plural(total, 'entry', 'entries')}, skips and what was taken back among them; "
            "none ever overwritten"
        )


def _csv(info: DatasetInfo, who: str | None) -> bytes:
    out = io.BytesIO()
    exporting.write_trail(info, out, who)
    return out.getvalue()


def _word(each: Decision) -> str:
    """Say what a decision is: its verdict, that it settled a contradiction, or the plan's name."""
    if each.reviewer == AUTO_FIX:
        return each.mode
    return "settled" if each.route == SETTLED else paint.VERDICTS[each.action][2]


def _line(info: DatasetInfo, each: Decision, identity: str) -> str:
    names = info.class_names
    given = "" if each.given_label is None else names[each.given_label]
    what = given
    if each.action in (Action.RELABEL, Action.AUTO) and each.label is not None:
        what = f"{given} → {names[each.label]}"
    elif each.labels:
        what = ", ".join(names[k] for k in each.labels)
    return paint.answer(
        each.decided_at,
        each.reviewer,
        _urls.thumb_url(info, each.row),
        identity,
        what,
        each.action,
        _word(each),
    )
