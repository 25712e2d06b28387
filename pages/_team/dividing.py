"""Dividing a set among people: a dialog with a line per person."""

from __future__ import annotations

from typing import Any

import streamlit as st

from lnl_core.services.team import parts
from lnl_core.services.team.parts import Kind
from lnl_core.types import DatasetInfo
from pages import _ui
from pages._words import plain, short

WHOLE = "the whole set"


def words(info: DatasetInfo, part: parts.Part | None) -> str:
    """Say a part in words, as text."""
    if part is None:
        return WHOLE
    kind, value = part
    if kind is Kind.CLASSES:
        return ", ".join(short(info.class_names[k]) for k in value if k < info.class_count)
    return f"split {value}" if kind is Kind.SPLIT else f"share {value[0] + 1} of {value[1]}"


@_ui.dialog("Whose part is what", icon=":material/safety_divider:")
def ask(info: DatasetInfo, names: list[str], splits: list[str]) -> None:
    """Ask whose part is what; each choice is stored at once."""
    now, me = parts.parts(info), _ui.reviewer()
    if st.button("Equal shares for all", icon=":material/pie_chart:"):
        _ui.act(parts.share_out, info, me, names)
        st.rerun(scope="fragment")
    who = st.selectbox("Who", names, format_func=lambda name: short(name, 40))
    st.caption(f"Now: {plain(words(info, now.get(who)))}")
    choices: dict[str, Any] = {WHOLE: None, "given classes": Kind.CLASSES}
    if splits:
        choices["a split"] = Kind.SPLIT
    kind = choices[st.selectbox("Part", list(choices)) or WHOLE]
    value: Any = None
    if kind is Kind.CLASSES:
        value = st.multiselect(
            "Classes",
            range(info.class_count),
            format_func=lambda k: short(info.class_names[k], 40),
        )
    elif kind is Kind.SPLIT:
        value = st.selectbox("Split", splits)
    part = None if kind is None else (kind, value)
    if st.button("Store", type="primary") and _ui.act(parts.give, info, me, who, part):
        st.rerun(scope="fragment")
