"""Dividing a set among people: a dialog with a line per person."""

from __future__ import annotations

from typing import Any

import streamlit as st

from lnl_core.services.review.new_classes import never_given
from lnl_core.services.team import parts
from lnl_core.services.team.parts import Kind
from lnl_core.types import DatasetInfo
from pages import _ui
from pages._team import paint
from pages._words import count, plain, short, short_name

WHOLE = "one queue for all"


def words(info: DatasetInfo, part: parts.Part | None) -> str:
    """Say a part in words, as text."""
    if part is None:
        return WHOLE
    kind, value = part
    if kind is Kind.CLASSES:
        return ", ".join(short_name(info.class_names[k]) for k in value if k < info.class_count)
    return f"split {value}" if kind is Kind.SPLIT else f"share {value[0] + 1} of {value[1]}"


@_ui.dialog("Whose part is what", icon=":material/safety_divider:", width="medium")
def ask(info: DatasetInfo, names: list[str], splits: list[str]) -> None:
    """Say whose part is what, and ask for changes; each is stored at once."""
    paint.style()
    st.html(paint.table(_lines(info, names), _HELP))
    st.caption(
        "An image on one screen is on no other, also without parts. Random checks come from the "
        "whole set."
    )
    who = st.multiselect(
        "Who",
        names,
        format_func=lambda name: short(name, 40),
        placeholder="Choose one or more people",
        key="parts_who",
    )
    choices: dict[str, Any] = {WHOLE: None, "given classes": Kind.CLASSES}
    if splits:
        choices["a split"] = Kind.SPLIT
    choices["equal shares, drawn once"] = Kind.SHARE
    chosen = st.segmented_control(
        "Get", list(choices), default=WHOLE, required=True, key="parts_kind"
    )
    kind = choices[chosen or WHOLE]
    value = _value(info, kind, splits)
    ready = bool(who) and (kind in (None, Kind.SHARE) or bool(value))
    if st.button("Store", type="primary", disabled=not ready) and _store(info, who, kind, value):
        st.rerun(scope="fragment")


_HELP = {"Waiting": "Images of the part that have no answer yet, or wait for a second one."}


def _lines(info: DatasetInfo, names: list[str]) -> list[dict[str, str]]:
    now, there = parts.parts(info), parts.open_in(info, names)
    return [
        {
            "Reviewer": who,
            "Part": words(info, now.get(who)),
            "Images": count(there[who][1]),
            "Waiting": count(there[who][0]),
        }
        for who in names
    ]


def _value(info: DatasetInfo, kind: Kind | None, splits: list[str]) -> Any:
    """Ask for the classes or the split of a part; None where there is nothing to ask."""
    if kind is Kind.CLASSES:
        empty = {*info.no_classes, *never_given(info)}
        return st.multiselect(
            "Classes",
            [k for k in range(info.class_count) if k not in empty],
            format_func=lambda k: short_name(info.class_names[k], 40),
            key="parts_classes",
        )
    return st.selectbox("Split", splits, key="parts_split") if kind is Kind.SPLIT else None


def _store(info: DatasetInfo, who: list[str], kind: Kind | None, value: Any) -> bool:
    me = _ui.reviewer()
    names = ", ".join(plain(short(each)) for each in who)
    done = f"Stored for {names}."
    if kind is None:
        return _ui.act(parts.join, info, me, who, done=done)
    if kind is Kind.SHARE:
        return _ui.act(parts.share_out, info, me, who, done=done)
    given = [_ui.act(parts.give, info, me, each, (kind, value)) for each in who]
    return all(given)
