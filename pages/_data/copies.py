"""The pictures that a set holds more than once, on the import report."""

from __future__ import annotations

import streamlit as st

from lnl_core.services.datasets import copied
from lnl_core.services.datasets.copied import Copied
from lnl_core.services.in_force import scored
from lnl_core.types import DatasetInfo
from pages import _ui, _urls, _words
from pages._review.copies import COUNTS, kinds

_LISTED = 200


def draw(info: DatasetInfo) -> None:
    """List them with a picture each, those whose labels differ first; nothing where none is."""
    there = kinds(info)
    if not there:
        return
    total = copied.known(info)[COUNTS["all"]]
    pictures = copied.listed(info, limit=_LISTED)
    st.subheader("Copies", anchor=False)
    words = f"{_words.plural(total, 'picture')} stored more than once"
    st.caption(words if total <= _LISTED else f"{words}, the first {_LISTED} of them.")
    _table(info, pictures)
    if scored(info) is None:
        return
    with st.container(horizontal=True, gap="small"):
        for kind, said in there.items():
            if st.button(f"Review: {said[0].lower()}{said[1:]}", key=f"copies_{kind}"):
                _ui.go("review", dataset=info.name, copies=kind)


def _table(info: DatasetInfo, pictures: list[Copied]) -> None:
    import pandas as pd

    table = pd.DataFrame(
        {
            "image": _urls.thumb_url(info, each.rows[0]),
            "times": len(each.rows),
            "labels": _counts(each.labels),
            "splits": _counts(each.splits),
            "images": ", ".join(each.ids[:20]),
        }
        for each in pictures
    )
    if not any(each.splits for each in pictures):
        table = table.drop(columns="splits")
    st.dataframe(
        table,
        hide_index=True,
        height="content" if len(pictures) <= 8 else 380,
        row_height=48,
        column_config={
            "image": st.column_config.ImageColumn("", width=56),
            "times": st.column_config.NumberColumn("Times", width="small"),
            "labels": st.column_config.TextColumn("Labels"),
            "splits": st.column_config.TextColumn("Splits"),
            "images": st.column_config.TextColumn("Images", width="large"),
        },
        alt="Pictures stored more than once, with their labels",
    )


def _counts(names: dict[str, int]) -> str:
    return ", ".join(f"{_words.short(name, 30)} {times:,}" for name, times in names.items())
