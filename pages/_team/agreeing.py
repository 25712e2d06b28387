"""How far people agree: a line per pair, and one for all, each with its interval."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from lnl_core.services.team.team import SHARED, Agreement, Team
from lnl_core.views import score
from pages._team import paint
from pages._words import count, plain, plural, short

SHOWN = 8
"""Pairs that are drawn; those that share most."""


def draw(found: Team) -> None:
    """Draw the agreement of pairs (Cohen) and of all (Fleiss, Krippendorff), with intervals."""
    with st.container(border=True, gap="small", key="team_agreement"):
        known = found.alpha.value is not None
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown("**Agreement**", width="stretch")
            if known:
                st.caption("kappa, 95 % intervals", width="content")
        called = _called([each.name for each in found.people])
        if not known:  # then no pair and no kappa of all is either
            st.caption(_not_yet(found, called))
            return
        pairs = [
            (f"{short(called[a], 12)} and {short(called[b], 12)}", each)
            for a, b, each in found.pairs
        ]
        everybody = [("all, alpha", found.alpha)]
        if len(found.people) > 2:
            everybody.insert(0, ("all, Fleiss", found.fleiss))
        st.html(paint.agreement([*pairs[:SHOWN], *everybody]))
        several = f"All {count(len(pairs))} in numbers" if len(pairs) > 1 else "In numbers"
        with st.popover(several, width="content"):
            st.dataframe(
                [_numbers(who, each) for who, each in [*pairs, *everybody]],
                hide_index=True,
                width=460,
            )
            st.caption(
                "Cohen's kappa per pair, Fleiss' kappa of the images that all have answered, "
                "Krippendorff's alpha of everything. Intervals: 1,000 draws of the images. Second "
                "answers are no random sample: hidden looks ask half of them of labels that "
                "somebody called wrong."
            )


def _not_yet(found: Team, called: Mapping[str, str]) -> str:
    """Say in words why there is no number, and where second answers come from."""
    if len(found.people) < 2:
        return "Only you so far: it takes two to agree."
    n = found.alpha.images
    if n >= SHARED:
        return f"All answers to the {count(n)} shared images are of one category: no kappa of that."
    a, b, most = found.pairs[0]
    names = f"{plain(short(called[a], 20))} and {plain(short(called[b], 20))}"
    more = f", {names} most of them ({count(most.images)})" if most.images < n else ""
    have = f"{plural(n, 'image')} have" if n > 1 else "1 image has" if n else "no image has"
    return (
        f"No number yet: it takes {count(SHARED)} images with answers of two people, and {have} "
        f"them so far{more}. The queue gives an image to one person; second answers come from "
        "hidden looks, from what somebody is unsure of, and from those that *How well people look* "
        "asks for."
    )


def _called(names: list[str]) -> dict[str, str]:
    """Return name -> name without the words that all begin with: `reviewer A` is `A`."""
    words = [name.split() for name in names]
    same = 0
    while all(len(each) > same + 1 and each[same] == words[0][same] for each in words):
        same += 1
    return {name: " ".join(each[same:]) for name, each in zip(names, words, strict=True)}


def _numbers(who: str, each: Agreement) -> dict[str, str]:
    return {
        "Who": who,
        "Agreement": "" if each.value is None else score(each.value),
        "95 %": ""
        if each.low is None or each.high is None
        else f"{score(each.low)}–{score(each.high)}",
        "Shared images": count(each.images),
    }
