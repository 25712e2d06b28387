"""Contradictions, one card each: the image, what people said, and one key that settles it."""

from __future__ import annotations

import streamlit as st

from lnl_core.services.team import roles, settling
from lnl_core.services.team.roles import Act
from lnl_core.services.team.settling import Contradiction
from lnl_core.types import Action, DatasetInfo, Decision
from pages import _ui, _urls
from pages._words import duration, plain, plural, short

SHOWN = 3
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

LETTERS = "ABDEFG"
"""Keys of the answers; Streamlit keeps C for itself."""


def draw(info: DatasetInfo) -> None:
    """Draw the first contradictions; the first one is settled by keys."""
    found = settling.contradictions(info)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.subheader("To settle", anchor=False, width="content")
        if found:
            st.caption(
                f"{plural(len(found), 'disagreement')}, the surest first; the suggestion stays "
                "hidden until you choose",
                width="stretch",
            )
    if done := st.session_state.get("team_settled"):
        st.button(
            "Take the last one back",
            icon=":material/undo:",
            shortcut="Z",
            on_click=_take_back,
            args=(info, done),
            disabled=done[0] != info.id,
        )
    if not found:
        st.caption("Nothing to settle.")
        return
    entitled = roles.may(info.workspace, _ui.reviewer(), Act.SETTLE)
    if not entitled:
        st.caption("An adjudicator or owner settles these.")
    for place, each in enumerate(found[:SHOWN]):
        _card(info, each, first=place == 0, entitled=entitled)
    if len(found) > SHOWN:
        st.caption(f"1–{SHOWN} of {len(found)}")


def said(info: DatasetInfo, decision: Decision) -> str:
    """Return an answer as Markdown: icon and word in the verdict's colour, then the class."""
    icon, colour, word = VERDICTS[decision.action]
    labels = {
        Action.KEEP: (decision.given_label,),
        Action.RELABEL: (decision.label,),
    }.get(decision.action, decision.labels)
    names = ", ".join(plain(short(info.class_names[k])) for k in labels if k is not None)
    mark = f":{colour}[:material/{icon}: {word}]"
    return f"{mark} **{names}**" if names else mark


def _card(info: DatasetInfo, each: Contradiction, *, first: bool, entitled: bool) -> None:
    with (
        st.container(border=True, key=f"conflict_{each.row}"),
        st.container(horizontal=True, gap="medium"),
    ):
        st.html(
            f'<img src="{_urls.thumb_url(info, each.row)}" alt="" style="width:118px;'
            'height:118px;object-fit:cover;border-radius:4px">',
            width=118,
        )
        with st.container(gap="small", width="stretch"):
            label = plain(short(info.class_names[each.given]))
            st.markdown(f"Labelled **{label}** :gray[:small[{plain(short(each.id, 40))}]]")
            with st.container(horizontal=True, gap="medium"):
                for answer in each.answers:
                    seconds = "" if answer.seconds is None else f", {duration(answer.seconds)}"
                    st.markdown(
                        f":gray[:small[{plain(short(answer.reviewer))}{seconds}]]  \n"
                        f"{said(info, answer)}",
                        width=180,
                    )
            _buttons(info, each, first=first, entitled=entitled)


def _buttons(info: DatasetInfo, each: Contradiction, *, first: bool, entitled: bool) -> None:
    with st.container(horizontal=True, gap="small"):
        for letter, answer in zip(LETTERS, each.answers, strict=False):
            st.button(
                f"Take {plain(short(answer.reviewer, 16))}",
                key=f"take_{each.row}_{letter}",
                shortcut=letter if first else None,
                disabled=not entitled,
                on_click=_settle,
                args=(info, each.row, answer.action, answer.label, answer.labels),
            )
        if st.button("Other…", key=f"other_{each.row}", disabled=not entitled):
            _other(info, each)


@_ui.dialog("What is it?", icon=":material/rule:")
def _other(info: DatasetInfo, each: Contradiction) -> None:
    real = [k for k in range(info.class_count) if k not in info.no_classes]
    label = st.selectbox(
        "Class",
        real,
        index=None,
        format_func=lambda k: short(info.class_names[k], 40),
        placeholder="Search a class",
    )
    with st.container(horizontal=True):
        if st.button("Settle", type="primary", disabled=label is None):
            _settle(info, each.row, Action.RELABEL, label, ())
            st.rerun()
        if st.button("None fits", icon=":material/block:"):
            _settle(info, each.row, Action.NONE, None, ())
            st.rerun()


def _settle(
    info: DatasetInfo, row: int, action: Action, label: int | None, labels: tuple[int, ...]
) -> None:
    who = _ui.reviewer()
    if _ui.act(settling.settle, info, who, row, action, label, labels):
        st.session_state["team_settled"] = (info.id, row)


def _take_back(info: DatasetInfo, done: tuple[int, int]) -> None:
    st.session_state.pop("team_settled", None)
    _ui.act(settling.take_back, info, _ui.reviewer(), done[1])
