"""How far people agree: a line per pair, and one for all."""

from __future__ import annotations

import streamlit as st

from lnl_core.services.team.team import Agreement, Team
from pages._words import count, plain, short

SHOWN = 8
"""Pairs that are drawn; those that share most."""


def draw(found: Team) -> None:
    """Draw the agreement of pairs (Cohen) and of all (Fleiss, Krippendorff), with intervals."""
    with st.container(border=True, gap="small", key="agreement"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown("**Agreement**", width="stretch")
            st.caption("kappa, 95 %", width="content")
        if len(found.people) < 2:
            st.caption("Only you so far: it takes two to agree.")
            return
        for a, b, each in found.pairs[:SHOWN]:
            _line(f"{plain(short(a, 16))} and {plain(short(b, 16))}", each)
        if len(found.pairs) > SHOWN:
            st.caption(f"{SHOWN} of {count(len(found.pairs))} pairs, those that share most")
        if len(found.people) > 2:
            _line("all, Fleiss", found.fleiss)
        _line("all, Krippendorff's alpha", found.alpha)


def _line(who: str, each: Agreement) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(who, width="stretch")
        if each.value is None:
            words = (
                f"from 50 shared images ({count(each.images)} now)"
                if each.images < 50
                else "one category only"
            )
            st.caption(words, width="content")
        else:
            interval = f"(95 %: {each.low:.2f}–{each.high:.2f}) of {count(each.images)}"
            st.markdown(f"**{each.value:.2f}** :gray[{interval}]", width="content")
