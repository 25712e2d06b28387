"""How well people look, by hidden looks; alarms; and how many such looks there are to be."""

from __future__ import annotations

import streamlit as st

from lnl_core.services.explore import selections
from lnl_core.services.review import looks, measuring, watching
from lnl_core.services.team import gold, roles
from lnl_core.services.team.roles import Act
from lnl_core.types import DatasetInfo
from pages import _ui
from pages._review.narrowing import CHOSEN_BY, SECOND
from pages._words import count, percent, plain

_STEPS = tuple(i / 100 for i in range(round(100 * looks.MOST) + 1))
_HELP = {
    "Notices": "Wrong labels called wrong, among gold images: two others agree on them, or "
    "they were settled. They look like any other image.",
    "Accuses": "Right labels called wrong, among gold images.",
    "Accuses blind": "Right labels called wrong where the image was shown without its label.",
    "Steady": "Own answers given again, fifty answers later or more.",
}
"""Column -> tooltip."""


def draw(info: DatasetInfo) -> None:
    """Draw what hidden looks say: of everybody for an owner, of oneself for others."""
    me = _ui.reviewer()
    entitled = roles.may(info.workspace, me, Act.CHECK)
    people, alarms = measuring.people(info), watching.alarms(info)
    shown = {who: routes for who, routes in people.items() if entitled or who == me}
    rung = [each for each in alarms if entitled or each.who == me]
    if not shown and not rung and not entitled:
        return
    st.subheader("How well people look", anchor=False)
    for each in rung:
        words = f"{plain(each.who)} {each.words} (p = {each.chance:.2g})."
        st.warning(words, icon=":material/notifications:")
    if shown:
        lines = [{"Reviewer": who} | measuring.row(routes) for who, routes in shown.items()]
        columns = {name: st.column_config.TextColumn(help=words) for name, words in _HELP.items()}
        st.dataframe(lines, hide_index=True, column_config=columns)
        st.caption(
            "How many of how many, and the 95 % interval. All is best for Notices and Steady, none "
            "for Accuses and Accuses blind. Kinds of looks are never added up."
        )
    else:
        st.caption(measuring.nobody_yet(info))
    if entitled:
        _gold(info, me)
        _choose(info, me)


def _gold(info: DatasetInfo, me: str) -> None:
    """Say how much gold there is, how much is needed, and lead to the images that can become it."""
    there = gold.gold(info)
    with st.container(
        horizontal=True, vertical_alignment="center", gap="small", key="team_gold", wrap=True
    ):
        st.caption(there.words, width="stretch")
        rows = gold.to_answer(info, me)
        if (
            (there.missing or there.needed)
            and len(rows)
            and st.button(
                f"Give {count(len(rows))} a second answer",
                icon=":material/rate_review:",
                help="Images that one other person calls wrong. Where you agree they become gold "
                "for everybody who has not seen them.",
            )
        ):
            name = selections.keep_selection(info, rows)
            _ui.go("review", dataset=info.name, selection=name, **{CHOSEN_BY: SECOND})


def _choose(info: DatasetInfo, me: str) -> None:
    now = looks.share(info)
    st.select_slider(
        "Hidden looks",
        sorted({*_STEPS, now}),
        now,
        format_func=lambda value: "off" if not value else f"{percent(value)} each",
        key=(key := f"team_checks_{info.id}"),
        on_change=_set_share,
        args=(info, me, key),
        help="Share of the answers for each of second opinions, controls, gold and repeats. One "
        "person alone gets repeats only.",
        width=360,
    )


def _set_share(info: DatasetInfo, me: str, key: str) -> None:
    _ui.act(looks.set_share, info, me, float(st.session_state[key]), done=None)
