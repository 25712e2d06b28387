"""Filters under a name, in the popover of Review and of Explore."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from lnl_core.services.review import saved
from lnl_core.services.review.saved import LONGEST, Query, Saved
from lnl_core.types import DatasetInfo, LnlError
from pages._words import short, told


def address() -> Query:
    """Return the filter that the address holds: part -> values."""
    return saved.of_address({part: st.query_params.get_all(part) for part in saved.PARTS})


def draw(
    info: DatasetInfo,
    page: str,
    forget: Callable[[], None],
    fits: Callable[[Saved], bool] = lambda _: True,
) -> None:
    """Draw the filters of a set: open one, keep what is filtered now, rename, delete.

    Args:
        info: the data set.
        page: whose popover it is; the widgets' keys begin with it.
        forget: takes all filters of the page away, from widgets and address.
        fits: whether the page has all parts of a filter.
    """
    there = saved.saved(info)
    named = {each.name: each for each in there if fits(each)}
    now = address()
    chosen, field = f"{page}_saved_{info.id}", f"{page}_saved_name_{info.id}"
    in_force = next((name for name, each in named.items() if each.query == now), None)
    st.session_state[chosen] = in_force
    if (after := st.session_state.pop(f"{field}_next", None)) is not None:
        st.session_state[field] = after
    left, right = st.columns(2)
    left.selectbox(
        "Saved filters",
        list(named),
        index=None,
        format_func=lambda name: _listed(named.get(name), name, page),
        placeholder="Any" if named else "None yet",
        key=chosen,
        disabled=not named,
        on_change=_open,
        args=(chosen, named, forget),
        help=_elsewhere(len(there) - len(named)),
    )
    name = right.text_input("Name", key=field, max_chars=LONGEST, placeholder="To save it under")
    with st.container(horizontal=True, gap="xsmall"):
        for words, act, possible in (
            ("Save", lambda: saved.save(info, name, now), bool(now) and in_force is None),
            ("Rename", lambda: saved.rename(info, in_force or "", name), in_force is not None),
            ("Delete", lambda: saved.delete(info, in_force or ""), in_force is not None),
        ):
            key = f"{page}_filter_{words.lower()}"
            if st.button(words, key=key, disabled=not possible) and _done(act):
                st.session_state[f"{field}_next"] = ""
                st.rerun()


def _listed(one: Saved | None, name: str, page: str) -> str:
    mode = " (Assisted)" if one is not None and one.tells and page == "review" else ""
    return short(name, 40) + mode


def _elsewhere(number: int) -> str | None:
    if not number:
        return None
    few = "One filter is" if number == 1 else f"{number} filters are"
    return f"{few} not for here: several values in a part, what the mode hides, or another page's."


def _open(chosen: str, named: dict[str, Saved], forget: Callable[[], None]) -> None:
    """Put a filter into force: the address says it, and the page reads it from there."""
    one = named.get(str(st.session_state.get(chosen)))
    forget()
    if one is not None:
        for part, values in one.query.items():
            st.query_params[part] = list(values)


def _done(act: Callable[[], object]) -> bool:
    try:
        act()
    except LnlError as error:
        st.error(told(error), icon=":material/error:")
        return False
    return True
