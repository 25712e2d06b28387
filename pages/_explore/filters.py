"""What the map of Explore draws: a popover that narrows it, in the parts that Review has too."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import streamlit as st

from lnl_core.services import methods
from lnl_core.services.datasets.copied import KINDS
from lnl_core.services.explore.filters import LEVEL_NAMES, VERDICT_NAMES, Narrow, mask
from lnl_core.services.in_force import scored
from lnl_core.services.review.filtering import chance_ends, chance_text
from lnl_core.services.review.new_classes import never_given, retired
from lnl_core.services.review.saved import Saved
from lnl_core.services.workspace import reviewers
from lnl_core.types import DatasetInfo
from pages._explore import addressed
from pages._review import chance, kept, splits
from pages._review.copies import kinds
from pages._review.narrowing import LONGEST
from pages._words import count as number
from pages._words import plain, short, short_name


def choose(info: DatasetInfo, method: str | None, colour: str | None) -> Narrow:
    """Draw the button with the filters and return those in force.

    Args:
        info: the data set.
        method: whose suspicion colours the map; the suspicion that is filtered is the same.
        colour: of the map, for the address; None where it is the usual one.
    """
    addressed.adopt(info)
    keys = [addressed.key(info, name) for name in (*addressed.LISTS, *addressed.ONES)]
    ends = (addressed.key(info, "low"), addressed.key(info, "high"))
    count = sum(bool(st.session_state.get(key)) for key in keys)
    count += any(st.session_state.get(key) is not None for key in ends)
    names = {label: plain(short_name(name, 30)) for label, name in enumerate(info.class_names)}
    ranked = scored(info)
    with (
        st.popover(
            f"Filters: {count}" if count else "Filters",
            icon=":material/filter_list:",
            width="content",
        ),
        st.container(gap="xsmall", key="explore_filters"),
    ):
        with st.container(horizontal=True, vertical_alignment="center"):
            matches = st.empty()
            st.button(
                "Draw all",
                key="explore_all",
                on_click=addressed.forget,
                args=(info,),
                disabled=not count,
            )
        chosen: list[tuple[int, ...]] = []
        gone = never_given(info), (*info.no_classes, *retired(info))
        for column, title, key, out in zip(
            st.columns(2), ("Given class", "Suggested class"), keys[:2], gone, strict=True
        ):
            there = set(st.session_state.get(key) or ())
            some = column.multiselect(
                title,
                [label for label in names if label in there or label not in out],
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
        low, high = chance.choose(ends, disabled=ranked is None, keep=False)
        chosen.append(_copies(info, keys[4]))
        chosen.append(_splits(info, keys[5]))
        caller, who, path = _ones(info, keys[6:])
        addressed.publish(info, colour, method)
        kept.draw(info, "explore", lambda: addressed.forget(info), lambda one: _fits(info, one))
    given, suggested, levels, verdicts, copies, divided = chosen
    narrow = Narrow(
        given,
        suggested,
        levels,
        verdicts,
        copies,
        divided,
        caller,
        who,
        path,
        chance=chance_text(low, high),
        method=method,
    )
    matches.markdown(_matches(info, narrow))
    return narrow


def _matches(info: DatasetInfo, narrow: Narrow) -> str:
    """Say how many images the map draws."""
    shown = mask(info, narrow)
    if shown is None:
        return f"**{number(info.n)}** images are drawn. A choice applies at once."
    found = int(shown.sum())
    images = "image matches" if found == 1 else "images match"
    return f"**{number(found)}** of {number(info.n)} {images}."


def _ones(info: DatasetInfo, keys: list[str]) -> tuple[str, str, str]:
    """Draw the filters that have one value: who calls a label wrong, who answered, the path."""
    ranked = scored(info)
    callers = {} if ranked is None else {key: methods.title(key) for key in ranked.run_ids}
    people = {name: name for name in reviewers(info.workspace)}
    columns = st.columns(3)
    one, other = (
        column.selectbox(
            title,
            list(there),
            index=None,
            format_func=_named(there),
            placeholder="any",
            key=key,
        )
        for column, title, key, there in zip(
            columns[:2],
            ("Called wrong by", "Reviewer"),
            keys[:2],
            (callers, people),
            strict=True,
        )
    )
    path = columns[2].text_input(
        "Text in the path", key=keys[2], max_chars=LONGEST, placeholder="any"
    )
    return one or "", other or "", (path or "").strip()


def _named(there: dict[str, str]) -> Callable[[str], str]:
    return lambda each: short(there.get(each, each), 40)


def _fits(info: DatasetInfo, one: Saved) -> bool:
    """Tell whether the map has all parts of a filter: it has no queues, and no answers left out."""
    if {"again", "to_label", "selection"} & set(one.query):
        return False
    return all(
        value in addressed.words(info, name) or (part == "p" and chance_ends(value))
        for name, part in addressed.LISTS.items()
        for value in one.query.get(part, ())
    )


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
