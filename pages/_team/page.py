"""The Team page's two columns: people and contradictions; agreement and audit trail."""

from __future__ import annotations

from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lnl_core.services.explore import filters
from lnl_core.services.team import roles, settling
from lnl_core.services.team.roles import Act, Role
from lnl_core.services.team.team import Person, Team, team
from lnl_core.types import DatasetInfo
from pages import _ui
from pages._team import agreeing, contradictions, dividing, trail
from pages._words import count, duration, moment, percent, plain, plural


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
                [each.name for each in found.people],
                [name for name in filters.splits(info) if name],
            )
    if st.session_state.pop("team_roles", False):
        _roles_dialog(info)
    if not found.people:
        _nobody(info)
        return
    left, right = st.columns([592, 364], gap="medium")
    with left:
        _people(found)
        contradictions.draw(info)
        _unsure(info)
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


def _people(found: Team) -> None:
    several = len(found.people) > 1
    st.dataframe(
        [_line(each, several) for each in found.people],
        hide_index=True,
        height=min(38 + 35 * len(found.people), 248),
        column_config={
            "Right": st.column_config.TextColumn(
                help="Chance that an answer is right, estimated from all answers to shared images "
                "(Dawid and Skene). From 50 shared images on."
            )
        },
    )
    answered = f"{plural(found.reviewed, 'image')} answered, {count(found.found)} found wrong."
    alone = "Only you so far. Others join by opening this page under their own name."
    st.caption(answered if several else f"{answered} {alone}")


def _line(each: Person, several: bool) -> dict[str, Any]:
    line = {
        "Reviewer": each.name,
        "Role": str(each.role),
        "Answers": count(each.answers),
        "Median": "" if each.seconds is None else duration(each.seconds),
        "Unsure": percent(each.unsure / max(each.answers, 1)),
    }
    if several:
        line["Right"] = "" if each.accuracy is None else f"{each.accuracy:.2f}"
        line["Shared"] = count(each.shared)
    return line | {"Last seen": moment(each.last_seen)}


def _unsure(info: DatasetInfo) -> None:
    """Say who is unsure of how much, and open those images for somebody else."""
    waiting = settling.unsure(info)
    if not waiting:
        return
    st.subheader("Unsure", anchor=False)
    for who, rows in sorted(waiting.items(), key=lambda each: -len(each[1])):
        words = f"{plain(who)}: {plural(len(rows), 'image')} for somebody else to look at"
        with st.container(gap="xsmall"):
            st.caption(words)
            _ui.thumbs(info, rows[:12])


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
