"""Accepting suggestions unseen: what it would take, how its check goes, what was accepted."""

from __future__ import annotations

from typing import Any

import streamlit as st

from lnl_core.services.review import accepting, proposing
from lnl_core.services.review.accepting import Plan
from lnl_core.services.review.filtering import Filters
from lnl_core.services.review.proposing import Pool, Proposal
from lnl_core.types import DatasetInfo
from pages import _ui
from pages._words import count, percent, plain, plural

LEAST = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
"""Chances that a suggestion is right, from which on it is in the pool."""

ALLOWED = (0, 1, 2)
EVERY = 3
"""Seconds between looks at a check that is under way."""

NAME = "accept"
"""Part of the address that opens the dialog: Explore sends a class pair so."""

_NEXT = "review_check_next"


def prepare() -> str | None:
    """Return the selection whose check is to be shown next, once, in the mode for a fair look."""
    selection: str | None = st.session_state.pop(_NEXT, None)
    if selection is not None:
        st.session_state["review_mode"] = "commit"
        st.session_state["review_view_next"] = "single"
        st.session_state["review_clear"] = True
    return selection


def button(info: DatasetInfo, filters: Filters) -> None:
    """Draw the way into the dialog; a link may open it."""
    asked = st.query_params.pop(NAME, None) is not None
    pressed = st.button(
        "",
        icon=":material/bolt:",
        help="Accept suggestions unseen, after a random check",
        key="review_accept",
    )
    if pressed or asked:
        st.session_state["dialog_kept"] = NAME  # a page that draws itself anew keeps it open
    if st.session_state.get("dialog_kept") == NAME:
        _dialog(info, filters)


@_ui.dialog("Accept suggestions unseen", width="medium")
def _dialog(info: DatasetInfo, filters: Filters) -> None:
    one = accepting.under_way(info)
    if one is None:
        _new(info, filters)
    else:
        st.markdown(f"**A check is under way: {plain(one.words)}**")
        st.markdown(plain(accepting.state_words(info, one)) + ".")
        _acts(info, one)
    ended = [each for each in accepting.plans(info) if not each.open]
    if ended:
        st.markdown("**Plans so far**")
    for each in reversed(ended):
        _line(info, each)


# A new one -------------------------------------------------------------------------------------


def _new(info: DatasetInfo, filters: Filters) -> None:
    """Draw what a pool would take, and the button that draws its check."""
    st.markdown(
        "A person looks at some of these suggestions, drawn at random. If they are right, the "
        "others are accepted without anybody looking at each."
    )
    least = st.select_slider(
        "Suggestions that are right with a chance of at least",
        LEAST,
        value=proposing.LEAST,
        format_func=lambda share: f"{share:.2f}",
        key="accept_least",
        help="p wrong, times the suggestion's share if the given label is wrong.",
    )
    left, right = st.columns(2)
    with left:
        precision = st.segmented_control(
            "Right among those nobody looks at",
            proposing.PRECISIONS,
            default=0.95,
            required=True,
            format_func=lambda share: f"{100 * share:.0f}\u202f%",
            key="accept_precision",
        )
    with right:
        allowed = st.segmented_control(
            "Wrong ones allowed in the check",
            ALLOWED,
            default=0,
            required=True,
            key="accept_allowed",
        )
    chosen = proposing.pool(info, filters, least)
    asked = proposing.propose(info, chosen, precision or 0.95, allowed or 0)
    words = proposing.pool_words(info, filters, least)
    _numbers(asked)
    st.caption(
        f"{plain(words)[:1].upper()}{plain(words)[1:]}. Images with an answer, and those that the "
        "random audit has drawn, are left out."
    )
    if asked.against:
        elsewhere = _elsewhere(info, filters, precision or 0.95, allowed or 0)
        st.warning(f"{plain(asked.against)} {elsewhere}", icon=":material/info:")
    if st.button(
        "Draw the check" if asked.checks is None else f"Check {plural(asked.checks, 'image')}",
        icon=":material/casino:",
        type="secondary" if asked.against else "primary",
        disabled=asked.checks is None,
        key="accept_draw",
    ):
        _begin(info, chosen, asked, words)


def _elsewhere(info: DatasetInfo, filters: Filters, precision: float, allowed: int) -> str:
    """Say from which chance on it would pay, with the rest as it is asked for."""
    found = proposing.paying(info, filters, LEAST, precision, allowed)
    if found is None:
        return f"It would pay at no least chance from {LEAST[0]:.2f} up."
    least, asked = found
    return (
        f"It pays from a chance of {least:.2f} on: {count(asked.checks or 0)} of "
        f"{count(asked.size)} to check."
    )


def _numbers(asked: Proposal) -> None:
    """Draw the four numbers of a proposal in a row, on a telephone in two."""
    facts = {
        "Suggestions": count(asked.size),
        "Expected right": percent(asked.expected, 1) if asked.size else "–",
        "To check": "–" if asked.checks is None else count(asked.checks),
        "Chance to pass": "–" if asked.checks is None else percent(asked.passes),
    }
    with st.container(horizontal=True, gap="small", key="accept_numbers"):
        for name, value in facts.items():
            st.metric(name, value, width=140)


def _begin(info: DatasetInfo, chosen: Pool, asked: Proposal, words: str) -> None:
    if _ui.act(accepting.begin, info, _ui.reviewer(), chosen, asked, words):
        one = accepting.under_way(info)
        if one is not None:
            _show(info, one)


def _show(info: DatasetInfo, one: Plan) -> None:
    st.session_state[_NEXT] = accepting.check_selection(info, one)
    _ui.close_dialog()
    st.rerun()


# One under way ---------------------------------------------------------------------------------


def watch(info: DatasetInfo) -> None:
    """Draw how far a check is above the desk, while there is one."""
    if accepting.under_way(info) is not None:
        st.fragment(_banner, run_every=EVERY)(info)


def offers(info: DatasetInfo) -> bool:
    """Say whether the line above the desk offers to accept what a passed check allows."""
    one = accepting.under_way(info)
    return one is not None and accepting.passed(one, accepting.check(info, one))


@_ui.guarded
def _banner(info: DatasetInfo) -> None:
    one = accepting.under_way(info)
    if one is None:
        _ui.rerun_page()
        return
    line: Any = {"horizontal": True, "vertical_alignment": "center", "gap": "small"}
    with st.container(border=True, key="accept_banner", **line):
        st.markdown(
            f":material/bolt: **Check**, {plain(one.words)}: "
            f"{plain(accepting.state_words(info, one))}",
            width="stretch",
        )
        _acts(info, one, "banner")


def _acts(info: DatasetInfo, one: Plan, where: str = "dialog") -> None:
    """Draw what can be done with a plan whose check is not finished, or has just been."""
    seen = accepting.check(info, one)
    with st.container(horizontal=True, gap="small", width="content"):
        if seen.open and not accepting.failed(one, seen):
            if st.button("Look at it", icon=":material/visibility:", key=f"accept_look_{where}"):
                _show(info, one)
        elif accepting.passed(one, seen):
            words = f"Accept {plural(len(seen.rest), 'suggestion')}"
            if st.button(words, icon=":material/bolt:", type="primary", key=f"accept_do_{where}"):
                _end(info, one, accept=True)
        failed = accepting.failed(one, seen)
        if st.button("Close it" if failed else "Give up", key=f"accept_drop_{where}"):
            _end(info, one, accept=False)
    if where == "dialog" and seen.proof is not None and accepting.passed(one, seen):
        st.markdown(
            f"{count(len(one.checks) - seen.wrong)} of {plural(len(one.checks), 'check')} were "
            f"right. Of the {count(len(seen.rest))} that nobody looks at, at least "
            f"**{percent(seen.proof.precision, 1)}** are right, at most "
            f"{count(seen.proof.wrong)} wrong ({100 * one.confidence:.4g}\u202f% sure)."
        )


def _end(info: DatasetInfo, one: Plan, *, accept: bool) -> None:
    does = accepting.accept if accept else accepting.give_up
    done = "Accepted. The bolt above takes it back." if accept else "Closed. Nothing was changed."
    if _ui.act(does, info, one.number, _ui.reviewer(), done=done):
        st.session_state["review_clear"] = True
        _ui.close_dialog()
        st.rerun()


# Those that have ended -------------------------------------------------------------------------


def _line(info: DatasetInfo, one: Plan) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        words = f"{plain(one.words)}: {plain(accepting.state_words(info, one))}"
        st.markdown(f":small[{one.number}. {words}]", width="stretch")
        if one.in_force and st.button(
            "Undo", icon=":material/undo:", type="tertiary", key=f"accept_undo_{one.number}"
        ):
            who = _ui.reviewer()
            if _ui.act(accepting.undo, info, one.number, who, done="Taken back."):
                _ui.close_dialog()
                st.rerun()
