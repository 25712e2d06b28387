"""Contradictions, one card each: the image, what people said, and one key that settles it."""

from __future__ import annotations

from contextlib import nullcontext

import streamlit as st

from lnl_core.services.review.new_classes import retired
from lnl_core.services.team import roles, settling
from lnl_core.services.team.roles import Act
from lnl_core.services.team.settling import Contradiction
from lnl_core.types import Action, DatasetInfo, Decision
from pages import _ui, _urls
from pages._team.paint import VERDICTS
from pages._words import count, duration, plain, plural, short, short_name, short_path

SHOWN = 3
ROOMY_SHOWN = 6
"""Contradictions on a page; on a large screen two stand side by side."""

LETTERS = "ABDEFG"
"""Keys of the answers; Streamlit keeps C for itself."""

NAMED = 3
"""People of one opinion that are named; the tooltip of its key has all."""


def draw(info: DatasetInfo) -> None:
    """Draw some contradictions; the first of them is settled by keys."""
    found = settling.contradictions(info)
    _heading(info, len(found))
    if not found:
        st.caption("Nothing to settle.")
        return
    entitled = roles.may(info.workspace, _ui.reviewer(), Act.SETTLE)
    if not entitled:
        st.caption("An adjudicator or owner settles these.")
    shown = ROOMY_SHOWN if _ui.roomy() else SHOWN
    last = (len(found) - 1) // shown * shown
    start = min(st.session_state.get(f"team_at_{info.id}", 0) // shown * shown, last)
    side_by_side = st.grid(2, gap="small") if _ui.roomy() else nullcontext()
    with side_by_side:
        for place, each in enumerate(found[start : start + shown]):
            _card(info, each, first=place == 0, entitled=entitled)
    if len(found) > shown:
        _turn(info, start, last, len(found), shown)


def _heading(info: DatasetInfo, n: int) -> None:
    done = st.session_state.get("team_settled")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.header("To settle", anchor=False, width="content")
        words = f"{plural(n, 'disagreement')}, the surest first; the suggestion stays hidden"
        st.caption(words if n else "", width="stretch")
        if done and done[::2] == (info.id, _ui.reviewer()):
            st.button(
                "Take the last one back",
                icon=":material/undo:",
                type="tertiary",
                shortcut="Z",
                on_click=_take_back,
                args=(info, done),
            )


def _turn(info: DatasetInfo, start: int, last: int, n: int, shown: int) -> None:
    """Draw where among all these are, and the way to the next."""
    with st.container(
        horizontal=True,
        horizontal_alignment="right",
        vertical_alignment="center",
        gap="small",
    ):
        st.caption(f"{start + 1}–{min(start + shown, n)} of {count(n)}", width="content")
        for label, icon, key, to, off in (
            ("Previous", "chevron_left", "Left", start - shown, start == 0),
            ("Next", "chevron_right", "Right", start + shown, start == last),
        ):
            st.button(
                label,
                icon=f":material/{icon}:",
                key=f"team_{label}",
                shortcut=key,
                disabled=off,
                on_click=_go_to,
                args=(info, to),
            )


def _go_to(info: DatasetInfo, start: int) -> None:
    st.session_state[f"team_at_{info.id}"] = max(0, start)


def said(info: DatasetInfo, decision: Decision) -> str:
    """Return an answer as Markdown: icon and word in the verdict's colour, then the class."""
    icon, colour, word = VERDICTS[decision.action]
    labels = {
        Action.KEEP: (decision.given_label,),
        Action.RELABEL: (decision.label,),
    }.get(decision.action, decision.labels)
    names = ", ".join(plain(short_name(info.class_names[k])) for k in labels if k is not None)
    mark = f":{colour}[:material/{icon}: {word}]"
    return f"{mark} **{names}**" if names else mark


def _card(info: DatasetInfo, each: Contradiction, *, first: bool, entitled: bool) -> None:
    side = 190 if _ui.roomy() else 72 if _ui.narrow() else 118
    with (
        st.container(border=True, key=f"conflict{'_first' if first else ''}_{each.row}"),
        st.container(horizontal=True, gap="medium"),
    ):
        st.html(
            f'<img src="{_urls.thumb_url(info, each.row)}" alt="" style="width:{side}px;'
            f'height:{side}px;object-fit:cover;border-radius:4px">',
            width=side,
        )
        with st.container(gap="xsmall", width="stretch"):
            label = plain(short_name(info.class_names[each.given]))
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.markdown(f"Labelled **{label}**", width="stretch")
                cut = short_path(each.id, 32)
                whole = None if cut == each.id else plain(each.id)
                st.caption(plain(cut), width="content", help=whole)
            _answers(info, each, first=first, entitled=entitled)


def _answers(info: DatasetInfo, each: Contradiction, *, first: bool, entitled: bool) -> None:
    """Draw who says what, and below it a key for each opinion."""
    sides = list(zip(LETTERS, settling.sides(each), strict=False))
    with st.container(horizontal=True, gap="small" if _ui.narrow() else "medium"):
        for _, side in sides:
            st.markdown(f":gray[:small[{_who(side)}]]  \n{said(info, side[0])}", width=168)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        for letter, side in sides:
            one = side[0]
            st.button(
                _takes(info, one),
                key=f"take_{each.row}_{letter}",
                shortcut=letter if first else None,
                disabled=not entitled,
                help=", ".join(plain(short(each.reviewer, 60)) for each in side),
                on_click=_settle,
                args=(info, each.row, one.action, one.label, one.labels),
            )
        if st.button("Other…", key=f"other_{each.row}", disabled=not entitled):
            _other(info, each)
        if st.button(
            "Look",
            key=f"look_{each.row}",
            icon=":material/rate_review:",
            type="tertiary",
            help="Opens the image in Review, with its evidence.",
        ):
            _ui.go("review", dataset=info.name, id=each.id)


def _takes(info: DatasetInfo, one: Decision) -> str:
    """Return what a key that takes an answer is called."""
    label = one.given_label if one.action is Action.KEEP else one.label
    if label is None:
        return "None fits" if one.action is Action.NONE else "Take several"
    return f"Take {plain(short_name(info.class_names[label], 14))}"


def _who(side: tuple[Decision, ...]) -> str:
    """Say who is of one opinion: one by name and time, several by name."""
    one = side[0]
    if len(side) == 1:
        seconds = "" if one.seconds is None else f", {duration(one.seconds)}"
        return f"{plain(short(one.reviewer, 16))}{seconds}"
    names = ", ".join(plain(short(each.reviewer, 12)) for each in side[:NAMED])
    return names + (f" and {len(side) - NAMED} more" if len(side) > NAMED else "")


@_ui.dialog("What is it?", icon=":material/rule:")
def _other(info: DatasetInfo, each: Contradiction) -> None:
    gone = {*info.no_classes, *retired(info)}
    real = [k for k in range(info.class_count) if k not in gone]
    label = st.selectbox(
        "Class",
        real,
        index=None,
        format_func=lambda k: short_name(info.class_names[k], 40),
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
        st.session_state["team_settled"] = (info.id, row, who)


def _take_back(info: DatasetInfo, done: tuple[int, int, str]) -> None:
    st.session_state.pop("team_settled", None)
    _ui.act(settling.take_back, info, _ui.reviewer(), done[1])
