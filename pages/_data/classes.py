"""The tab of classes: what belongs to each, and which labels are none."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from lnl_core.services.datasets import catalog, settings
from lnl_core.services.datasets.settings import Voided
from lnl_core.services.review.new_classes import retired
from lnl_core.types import DatasetInfo
from pages import _ui, _words
from pages._ui import plain

_ROW = 30
_NO_CLASS = (
    "The label says that nobody labelled the image, as “Not sure” does. Such images are never "
    "learned from, their label is never suggested, and Review asks what they are in a queue of "
    "their own. Answers that kept or chose the label count as taken back until it is a class again."
)


def draw(info: DatasetInfo) -> None:
    """Draw the table of classes, and save what is changed in it."""
    import pandas as pd

    st.markdown("Say what belongs to a class and what does not. Review shows it beside the image.")
    _ask_about_none(info)
    gone = {info.class_names[label] for label in retired(info)}
    known = settings.guides(info)
    counts = [each for each in catalog.class_counts(info) if each["name"] not in gone]
    table = pd.DataFrame(
        {
            "class": [each["name"] for each in counts],
            "images": [each["count"] for each in counts],
            "none": [each["no_class"] for each in counts],
            "guide": [known.get(each["name"], "") for each in counts],
        }
    )
    edited = st.data_editor(
        table,
        hide_index=True,
        disabled=["class", "images"],
        key=f"guides_{info.id}",
        column_config={
            "class": st.column_config.TextColumn("Class", width="medium"),
            "images": st.column_config.NumberColumn("Images", width="small", format="localized"),
            "none": st.column_config.CheckboxColumn("No class", width="small", help=_NO_CLASS),
            "guide": st.column_config.TextColumn(
                "Guide", width="large", max_chars=settings.GUIDE_LENGTH
            ),
        },
        row_height=_ROW,
        height=min(_ROW * (len(table) + 1) + 7, 420),
        alt="Classes, which of them are none, and their guiding words; both can be edited",
    )
    _say_left_out(gone)
    if not st.button("Save", icon=":material/save:", key="save_guides"):
        return
    texts = dict(zip(edited["class"], edited["guide"].fillna(""), strict=True))
    texts |= {name: text for name, text in known.items() if name in gone}  # should it come back
    none = {*edited["class"][edited["none"].astype(bool)], *gone.intersection(_none(info))}
    changed = Voided(0, 0)
    if none != _none(info):
        changed = settings.voided(info, none)
    if changed.gone:
        _ui.dialog("Take back answers?", icon=":material/undo:")(_confirm)(info, texts, none)
        return
    _save(info, texts, none)
    if none != _none(info):
        st.rerun()


def _none(info: DatasetInfo) -> set[str]:
    return set(settings.no_classes(info))


def _confirm(info: DatasetInfo, texts: Mapping[str, str], none: set[str]) -> None:
    """Say how many answers it takes back before it is done."""
    new = [name for name in info.class_names if name in none - _none(info)]
    named = ", ".join(f"**{plain(_ui.short_name(name))}**" for name in new[:5])
    named += f" and {_words.count(len(new) - 5)} more" if len(new) > 5 else ""
    said = _changes(settings.voided(info, none))
    st.markdown(
        f"No class from now on: {named}. {said} They are kept, and count again once it is a class."
    )
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("Leave it", key="void_not"):
            _ui.close_dialog()
            st.rerun()
        args = (info, texts, none)
        if st.button("Save", type="primary", key="void_save", on_click=_save, args=args):
            _ui.close_dialog()
            st.rerun()


def _save(info: DatasetInfo, texts: Mapping[str, str], none: set[str]) -> None:
    if not _ui.act(settings.set_guides, info, texts):
        return
    if none == _none(info):
        st.toast("Saved.", icon=":material/check:")
        return
    changed = settings.voided(info, none)
    done = " ".join(filter(None, ["Saved.", _changes(changed)]))
    _ui.act(settings.set_no_classes, info, none, done=done)


def _changes(changed: Voided) -> str:
    """Say how many answers count no more, and how many again."""
    said = []
    if changed.gone:
        they = "counts" if changed.gone == 1 else "count"
        answers = f"{_words.plural(changed.gone, 'answer')} that kept or chose such a label"
        said.append(f"{answers} {they} as taken back.")
    if changed.back:
        they = "counts" if changed.back == 1 else "count"
        said.append(f"{_words.plural(changed.back, 'answer')} {they} again.")
    return " ".join(said)


def _say_left_out(gone: set[str]) -> None:
    """Name the classes that were added and that no answer names any more."""
    if gone:
        names = ", ".join(plain(_ui.short_name(name)) for name in sorted(gone)[:5])
        names += " …" if len(gone) > 5 else ""
        st.caption(
            f"Not listed: {names}. Added in Review, and no answer in force names "
            f"{'it' if len(gone) == 1 else 'them'} any more."
        )


def _ask_about_none(info: DatasetInfo) -> None:
    """Name what sounds like no class and what is to be run again; nothing is settled here."""
    none = settings.no_classes(info)
    counted = {each["name"]: each["count"] for each in catalog.class_counts(info)}
    likely = [n for n in settings.likely_no_classes(counted) if n not in none and counted[n]]
    if likely:
        names = ", ".join(f"**{plain(_ui.short_name(name))}**" for name in likely[:5])
        st.info(
            f"{names}: does this say that nobody labelled the image? Mark it under No class then.",
            icon=":material/help:",
        )
    if void := settings.void(info):
        they = "counts" if void == 1 else "count"
        st.caption(
            f"{_words.plural(void, 'answer')} {they} as taken back, for what is marked as no class "
            "was kept or chosen."
        )
    stale = settings.stale_runs(info)
    if stale:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.warning(_words.stale(stale), icon=":material/history:", width="stretch")
            if st.button("Open Runs", key="stale_runs"):
                _ui.go("runs", dataset=info.name)
