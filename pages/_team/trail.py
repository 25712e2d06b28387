"""The audit trail on the screen: the last answers of all or of one, and all of them as CSV."""

from __future__ import annotations

import io

import streamlit as st

from lnl_core.services.export import exporting
from lnl_core.services.in_force import loaded
from lnl_core.services.team.team import AUTO_FIX, SETTLED, trail
from lnl_core.types import Action, DatasetInfo, Decision
from pages import _urls
from pages._team.contradictions import VERDICTS
from pages._words import moment, short

SHOWN = 100


def draw(info: DatasetInfo, names: list[str]) -> None:
    """Draw the trail with its filter and its download."""
    with st.container(border=True, gap="small", key="trail"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown("**Audit trail**", width="stretch")
            who = st.selectbox(
                "Reviewer",
                names,
                index=None,
                format_func=lambda name: short(name, 24),
                placeholder="Everybody",
                label_visibility="collapsed",
                width=140,
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
            )
        ids = loaded(info).ids
        st.dataframe(
            [_line(info, each, ids[each.row]) for each in trail(info, who, SHOWN)],
            hide_index=True,
            height=390,
            row_height=32,
            column_config={"Image": st.column_config.ImageColumn(width=36)},
        )
        st.caption("Every answer is kept; none is ever overwritten.")


def _csv(info: DatasetInfo, who: str | None) -> bytes:
    out = io.BytesIO()
    exporting.write_trail(info, out, who)
    return out.getvalue()


def _how(each: Decision) -> str:
    """Say what is special about a decision: it settled a contradiction, or a plan made it."""
    if each.reviewer == AUTO_FIX:
        return f", {each.mode}"
    return ", settled" if each.route == SETTLED else ""


def _line(info: DatasetInfo, each: Decision, identity: str) -> dict[str, str]:
    names = info.class_names
    given = "" if each.given_label is None else names[each.given_label]
    what = given
    if each.action in (Action.RELABEL, Action.AUTO) and each.label is not None:
        what = f"{given} → {names[each.label]}"
    elif each.labels:
        what = ", ".join(names[k] for k in each.labels)
    return {
        "When": moment(each.decided_at),
        "Who": each.reviewer,
        "Image": _urls.thumb_url(info, each.row),
        "What": what,
        "Verdict": VERDICTS[each.action][2] + _how(each),
        "Id": identity,
    }
