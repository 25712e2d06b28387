"""The Team page's two columns: people and contradictions; agreement and audit trail."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lnl_core.services.explore import filters, selections
from lnl_core.services.team import roles, settling
from lnl_core.services.team.roles import Act, Role
from lnl_core.services.team.team import Person, Team, team
from lnl_core.types import DatasetInfo
from lnl_core.views import chance
from pages import _ui
from pages._team import agreeing, checks, contradictions, dividing, paint, trail
from pages._words import count, duration, percent, plain, plural, short


def draw(info: DatasetInfo, row: DeltaGenerator) -> None:
    """Draw the page of a data set; `row` is the title's, for its controls."""
    found = team(info)
    if roles.may(info.workspace, _ui.reviewer(), Act.NAME_ROLES) and len(found.people) > 1:
        with row:
            st.button("Roles", icon=":material/badge:", on_click=_ask_roles)
    if roles.may(info.workspace, _ui.reviewer(), Act.DIVIDE) and len(found.people) > 1:
        with row:
            divide = st.button("Parts", icon=":material/safety_divider:")
        if divide:
            dividing.ask(
                info,
                list(roles.roles(info.workspace)),
                [name for name in filters.splits(info) if name],
            )
    if st.session_state.pop("team_roles", False):
        _roles_dialog(info)
    if not found.people:
        _nobody(info)
        return
    paint.style()
    with st.container(key="team_columns"):
        left, right = st.columns([592, 364], gap="medium")
    with left:
        _people(found)
        contradictions.draw(info)
        _unsure(info)
        checks.draw(info)
    with right:
        agreeing.draw(found)
        trail.draw(info, [each.name for each in found.people])


def _nobody(info: DatasetInfo) -> None:
    with st.container(border=True, horizontal_alignment="center", gap="small", key="nobody"):
        st.space("small")
        st.markdown("Nobody has answered anything in this set yet.", width="content")
        if st.button("Review", icon=":material/arrow_forward:", type="primary"):
            _ui.go("review", dataset=info.name)
        st.space("small")


# People ---------------------------------------------------------------------------------------


_HELP = {
    "Median": "Time from the image to the answer; pauses over a minute are left out.",
    "Right": "Chance that an answer is right, estimated from all answers to shared images "
    "(Dawid and Skene). From 50 shared images on.",
    "Shared": "Images that somebody else has answered as well.",
}
"""Column -> tooltip."""


def _people(found: Team) -> None:
    several = len(found.people) > 1
    st.html(paint.table([_line(each, several) for each in found.people], _HELP))
    answered = f"{plural(found.reviewed, 'image')} reviewed, {count(found.found)} found wrong."
    if found.copied:
        answered += (
            f" {count(found.copied)} of them have the answer to a copy: it counts once above."
        )
    alone = "Only you so far. Others join by opening this page under their own name."
    st.caption(answered if several else f"{answered} {alone}")


def _line(each: Person, several: bool) -> dict[str, Any]:
    line = {
        "Reviewer": each.name,
        "Role": str(each.role),
        "Answers": count(each.answers),
        "Median": "–" if each.seconds is None else duration(each.seconds),
        "Unsure": percent(each.unsure / max(each.answers, 1)),
    }
    if several:
        line["Right"] = "–" if each.accuracy is None else chance(each.accuracy)
        line["Shared"] = count(each.shared)
    return line | {"Last seen": paint.brief(each.last_seen)}


def _unsure(info: DatasetInfo) -> None:
    """Say who is unsure of how much, and open those images for somebody else."""
    waiting = settling.unsure(info)
    if not waiting:
        return
    st.header("Unsure", anchor=False)
    for who, rows in sorted(waiting.items(), key=lambda each: -len(each[1])):
        mine = who == _ui.reviewer()
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            with st.container(gap="xsmall", width="stretch"):
                whom = "for somebody else to look at" if mine else "to look at"
                st.caption(f"{plain(short(who))}: {plural(len(rows), 'image')} {whom}")
                _ui.thumbs(info, rows[:11])
            if not mine and st.button(
                "Review",
                icon=":material/rate_review:",
                key=f"unsure_{who}",
                help=f"Opens these {len(rows)} in Review.",
            ):
                name = selections.keep_selection(info, np.array(rows, np.int64))
                _ui.go("review", dataset=info.name, selection=name)


# Roles ----------------------------------------------------------------------------------------


def _ask_roles() -> None:
    st.session_state["team_roles"] = True


@_ui.dialog("Who may do what", icon=":material/badge:")
def _roles_dialog(info: DatasetInfo) -> None:
    st.caption(
        "A reviewer answers. An adjudicator also settles contradictions. An owner also says who "
        "may do what. Until somebody is named owner, everybody is."
    )
    everybody = roles.roles(info.workspace)
    for index, (who, role) in enumerate(everybody.items()):
        st.selectbox(
            plain(who),
            list(Role),
            index=list(Role).index(role),
            key=f"role_{index}",
            on_change=_name_role,
            args=(info, who, f"role_{index}"),
        )
    if st.button("Done", type="primary"):
        st.rerun()


def _name_role(info: DatasetInfo, who: str, key: str) -> None:
    _ui.act(
        roles.name_role, info.workspace, _ui.reviewer(), who, Role(st.session_state[key]), done=None
    )
