"""What the map of Explore draws: a popover that narrows it by class, suspicion and verdict."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from lnl_core.services.datasets.copied import KINDS
from lnl_core.services.explore.filters import LEVEL_NAMES, VERDICT_NAMES, Narrow
from lnl_core.services.in_force import scored
from lnl_core.types import DatasetInfo
from pages._review import splits
from pages._review.copies import kinds
from pages._words import plain, short


def choose(info: DatasetInfo, method: str | None) -> Narrow:
    """Draw the button with the filters and return those in force.

    Args:
        info: the data set.
        method: whose suspicion colours the map; the suspicion that is filtered is the same.
    """
    keys = [
        f"explore_{name}_{info.id}"
        for name in ("given", "suggested", "levels", "verdicts", "copies", "splits")
    ]
    count = sum(bool(st.session_state.get(key)) for key in keys)
    names = {label: plain(short(name, 30)) for label, name in enumerate(info.class_names)}
    ranked = scored(info)
    with st.popover(
        f"Filters: {count}" if count else "Filters", icon=":material/filter_list:", width="content"
    ):
        chosen: list[tuple[int, ...]] = []
        for title, key, options in (
            ("Given class", keys[0], names),
            ("Suggested class", keys[1], names),
        ):
            some = st.multiselect(
                title,
                list(options),
                format_func=lambda label: names.get(label, "–"),
                key=key,
                placeholder="any",
                disabled=title != "Given class" and ranked is None,
            )
            chosen.append(_known(some, names))
        for title, key, words in (
            ("Suspicion", keys[2], LEVEL_NAMES),
            ("Verdict", keys[3], VERDICT_NAMES),
        ):
            picked = st.pills(
                title,
                list(range(len(words))),
                selection_mode="multi",
                format_func=lambda place, words=words: words[place],
                key=key,
                disabled=title == "Suspicion" and ranked is None,
                help="Of the method that colours the map." if title == "Suspicion" else None,
            )
            chosen.append(_known(picked, range(len(words))))
        chosen.append(_copies(info, keys[4]))
        chosen.append(_splits(info, keys[5]))
        st.button("Draw all", key="explore_all", on_click=_clear, args=(keys,), disabled=not count)
    given, suggested, levels, verdicts, copies, divided = chosen
    return Narrow(given, suggested, levels, verdicts, copies, divided, method)


def _copies(info: DatasetInfo, key: str) -> tuple[int, ...]:
    """Draw the filter for pictures that are stored more than once, where there are any."""
    there = kinds(info)
    if not there:
        return ()
    places = {list(KINDS).index(kind): words for kind, words in there.items()}
    picked = st.pills(
        "Pictures",
        list(places),
        selection_mode="multi",
        format_func=lambda place: places.get(place, "–"),
        key=key,
    )
    return _known(picked, places)


def _splits(info: DatasetInfo, key: str) -> tuple[int, ...]:
    """Draw the filter for the splits that images came in, where there are any."""
    there = splits.names(info)
    if not there:
        return ()
    picked = st.pills(
        "Split",
        list(range(len(there))),
        selection_mode="multi",
        format_func=lambda place: plain(short(there[place], 30)),
        key=key,
    )
    return _known(picked, range(len(there)))


def _known(values: Iterable[int], allowed: Iterable[int]) -> tuple[int, ...]:
    known = set(allowed)
    return tuple(sorted(each for each in values if each in known))


def _clear(keys: list[str]) -> None:
    for key in keys:
        st.session_state[key] = []
