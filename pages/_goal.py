"""The goal of a review, chosen in words: on Review, and among a set's settings."""

from __future__ import annotations

import math
from dataclasses import dataclass

import streamlit as st

from lnl_core.services.in_force import scored, standing
from lnl_core.services.moment import moment
from lnl_core.services.review import advising, goals, planning
from lnl_core.services.review.auditing import errors_left
from lnl_core.services.review.goals import LEFT, RECALL, REVIEWS, SECONDS
from lnl_core.types import DatasetInfo
from pages import _ui, _words

KINDS = {
    LEFT: "At most so many wrong labels are left",
    RECALL: "So large a share of the wrong labels is found",
    REVIEWS: "So many images more have an answer",
    SECONDS: "So much time is spent",
}
_PRICE = {
    LEFT: "95 % sure, from images drawn at random. Empty: one in a hundred images.",
    RECALL: (
        "95 % sure. Random images come first, until enough wrong ones are among them; then the "
        "queue goes as deep as these say."
    ),
    REVIEWS: "Whatever is guaranteed then; the panel says beforehand what that is expected to be.",
    SECONDS: "Of answering, by all; of a break one minute counts. Whatever is guaranteed then.",
}

HOUR = 3600.0
"""Seconds that a goal of time begins with, where not everything is answered sooner."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the person chose: kind and value of a goal."""

    kind: str
    value: float | None


def draw(info: DatasetInfo) -> bool:
    """Draw the goal with what it takes, and store another one; True when one was stored."""
    here = goals.stand(info)
    by = here.goal.reviewer if here.goal else None
    who = f", set by {_ui.plain(by)}" if by else ""
    st.markdown(f"**Goal**  \n:gray[:small[Review {here.words}{who}. {_expected(info, here)}]]")
    _advice(info)
    kind = st.radio(
        "Review until",
        list(KINDS),
        format_func=KINDS.__getitem__,
        index=list(KINDS).index(here.kind),
        key=f"goal_kind_{info.id}",
    )
    asked = Asked(kind, _value(info, kind, here))
    st.caption(_PRICE[kind])
    _outlook(info, asked)
    none = kind == RECALL and scored(info) is None
    if none:
        st.caption("Nothing is scored yet: a share needs an order. Start a run first.")
    if st.button("Save the goal", key=f"goal_save_{info.id}", disabled=none):
        who_sets = _ui.reviewer()
        done = "The goal is saved."
        return _ui.act(goals.set_goal, info, asked.kind, asked.value, who_sets, done=done)
    return False


def _value(info: DatasetInfo, kind: str, here: goals.Stand) -> float | None:
    own = here.goal.value if here.goal is not None and here.kind == kind else None
    key = f"goal_{info.id}" if kind == LEFT else f"goal_{kind}_{info.id}"
    if kind == LEFT:
        usual = f"{errors_left(info).goal}"
        mine = None if own is None else int(own)
        left: int | None = st.number_input(
            "Wrong labels", 0, info.n - 1, value=mine, placeholder=usual, key=key, width=200
        )
        return left
    if kind == RECALL:
        percent: int = st.number_input(
            "Per cent", 50, 99, round(100 * (own or 0.9)), key=key, width=200
        )
        return percent / 100
    open_ = advising.outlook(info, REVIEWS, None).open
    if kind == REVIEWS:
        most = max(1, open_)
        asked = min(int(own or min(500, most)), most)
        if st.session_state.get(key, 1) > most:  # others answered while this was open
            st.session_state[key] = most
        return float(st.number_input("Images", 1, most, asked, key=key, width=200))
    usual_time = min(HOUR, open_ * advising.pace(info, _ui.reviewer()).seconds)
    minutes = max(1, math.ceil((own or usual_time) / 60))
    return 60.0 * st.number_input("Minutes", 1, 6000, minutes, key=key, width=200)


def _advice(info: DatasetInfo) -> None:
    """Say which goal fits the set, and what it is expected to take."""
    best = advising.advised(info)
    if best is None:
        return
    if best.outlook.takes_nearly_all:
        pace = advising.pace(info, _ui.reviewer())
        time = _words.duration(best.outlook.open * pace.seconds)
        images = _words.plural(best.outlook.open, "image")
        st.markdown(
            "In this set **looking at every image** takes hardly longer than the usual goal, and "
            f"leaves nothing to guess: {images}, about {time} ({pace.whose})."
        )
        return
    words = goals.words(best.kind, best.value)
    st.markdown(f"Fits this set: **{words}**. {best.outlook.words}")


def _outlook(info: DatasetInfo, asked: Asked) -> None:
    """Say what the goal that is chosen would take, and when it cannot pay off."""
    there = advising.outlook(info, asked.kind, asked.value, _ui.reviewer())
    if asked.kind == SECONDS:
        pace = advising.pace(info, _ui.reviewer())
        images = _words.plural(there.reviews or 0, "image")
        st.caption(f"About {images}, at {_words.duration(pace.seconds)} an answer ({pace.whose}).")
    elif asked.kind == REVIEWS:
        st.caption(f"Without an answer now: {_words.plural(there.open, 'image')}.")
    elif there.words:
        mark = "" if there.pays else ":material/info: "
        st.caption(f"{mark}{there.words}")


def _expected(info: DatasetInfo, here: goals.Stand) -> str:
    """Say how far it is and what it was and is expected to take, without a promise."""
    if here.holds:
        return f"Reached: {here.reached}."
    begun, then, now = planning.planned(info), moment(info), standing(info)
    words = f"To the goal: {here.takes}"
    if begun is not None:
        whole = "" if here.more is None else f", {_words.count(then.reviewed + here.more)} in all"
        words += f"{whole}; {_words.count(begun)} in all were expected when the review began"
    if then.reviewed != now.reviewed:
        words += f". As of {_words.plural(then.reviewed, 'image')} reviewed, {now.reviewed:,} now"
    return f"{words}. The goal stays until somebody sets another."


def dialog(info: DatasetInfo) -> None:
    """Open the choice of the goal over the page."""
    _ui.dialog("Change the goal", icon=":material/flag:")(_in_dialog)(info)


def _in_dialog(info: DatasetInfo) -> None:
    if draw(info):
        _ui.close_dialog()
        st.rerun()
