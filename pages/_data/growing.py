"""Dialogs of a set that is there: images are added, its originals have moved."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from lnl_core.services import wording
from lnl_core.services.datasets import growing, incoming, moving
from lnl_core.services.datasets.growing import Added
from lnl_core.services.datasets.moving import Relinked
from lnl_core.types import DatasetInfo, LnlError
from pages import _ui, _words
from pages._data import reading
from pages._ui import plain

_ROW = 30
_NEW = "Labels that this set does not have become classes"


def has_originals(info: DatasetInfo) -> bool:
    """Tell whether the set's originals lie in a folder of the user's."""
    return info.root is not None and Path(info.root).is_absolute()


def more(info: DatasetInfo) -> None:
    """Offer to add images to the set."""
    st.markdown(
        "**More images**  \n:gray[:small[Ids, answers, random checks and runs stay. What is there "
        "already is left out; runs say nothing of the new images until the next one.]]"
    )
    if st.button("Add images…", icon=":material/add_photo_alternate:", key="add_images"):
        title = f"Add images to {_ui.short(info.name, 30)}"
        _ui.dialog(title, icon=":material/add_photo_alternate:")(_add)(info)


def _add(info: DatasetInfo) -> None:
    st.caption("A folder per class, a list, NPZ arrays or a zip, as at the import.")
    typed = st.text_input("Folder or file on this computer", value=info.root or "", key="add_path")
    source = _source(typed)
    if source is None:
        return
    kind = f"add_{info.id}"
    kept = reading.answers_key(kind, source)
    if kept not in st.session_state:  # more of the set is read as the set was
        st.session_state[kept] = growing.as_before(info).to_json()
    seen = reading.draw(kind, source, None, None)
    new_classes = st.checkbox(_NEW, key="add_new")
    ready = seen is not None and not seen.open_questions
    if not st.button("Add", type="primary", disabled=not ready, key="add_go"):
        return
    bar = st.progress(0.0, text="Reading…")

    def report(done: int, total: int, skipped: int) -> None:
        words = f"{_words.count(done)} of {_words.count(total)} read"
        bar.progress(min(1.0, done / max(total, 1)), text=words)

    said = reading.answers_of(kind, source)
    try:
        told = growing.add_images(
            info, source, new_classes=new_classes, answers=said, report=report
        )
    except LnlError as error:
        words = str(error).replace("give --new-classes", f"tick “{_NEW}”")
        asked = wording.asked(each.key for each in seen.questions) if seen is not None else {}
        st.error(plain(wording.on_page(words, asked)), icon=":material/error:")
        return
    finally:
        bar.empty()
    reading.forget()
    _told(told)


def _source(typed: str) -> Path | None:
    """Return what was typed as a path that may be read; says what is wrong with it otherwise."""
    if not typed.strip():
        return None
    try:
        return incoming.allowed_path(typed)
    except LnlError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return None


def _told(told: Added) -> None:
    """Say what came in, what was there already, and under which other ids."""
    words = f"{_words.plural(told.added, 'image')} added, {_words.count(told.n)} now"
    if told.known_count:
        words += f"; {_words.count(told.known_count)} were there already"
    if told.skipped:
        words += f"; {_words.count(told.skipped)} skipped, see Import report"
    st.success(f"{words}.", icon=":material/check:")
    if told.new_classes:
        st.caption(f"New classes: {plain(', '.join(told.new_classes))}")
    for note in told.notes:
        st.caption(f":material/warning: {plain(wording.on_page(note, {}))}")
    _pairs(told.known, "in the source", "is this image here", "Images that were there already")
    _pairs(told.copies, "id here", "the same picture here", "Copies that were added")
    _pairs(told.renamed, "id in the source", "id here", "Ids that were another image's")


def _pairs(pairs: tuple[tuple[str, str], ...], here: str, there: str, alt: str) -> None:
    if not pairs:
        return
    import pandas as pd

    table = pd.DataFrame(pairs, columns=[here, there])
    height = _ROW * (min(len(table), 5) + 1) + 7
    st.markdown(f"**{alt}**")
    st.dataframe(table, hide_index=True, row_height=_ROW, height=height, alt=alt)


def originals(info: DatasetInfo) -> None:
    """Say where the originals are, and offer to point elsewhere."""
    st.markdown(
        f"**Originals**  \n:gray[:small[Read from {plain(info.root or '')}. Have they moved? They "
        "are compared before anything changes.]]"
    )
    if st.button("Point to another folder…", icon=":material/drive_file_move:", key="relink"):
        _ui.dialog("Where are the originals now?", icon=":material/drive_file_move:")(_relink)(info)


def _relink(info: DatasetInfo) -> None:
    st.caption("The folder that the paths of this set start from, at its new place.")
    known, start = moving.folders(info), info.root or ""
    if len(known) > 1:
        start = st.selectbox(
            "Originals that were below", known, format_func=plain, key="relink_from"
        )
    typed = st.text_input("Folder on this computer", value=start, key=f"relink_root_{start}")
    anyway = st.checkbox("Point there even where some are missing or changed", key="relink_anyway")
    if st.button("Compare and point there", type="primary", key="relink_go"):
        root = incoming.allowed_path(typed)
        bar = st.progress(0.0, text="Comparing…")

        def report(done: int, total: int) -> None:
            if done % 64 == 0 or done == total:
                words = f"{_words.count(done)} of {_words.count(total)} compared"
                bar.progress(done / max(total, 1), text=words)

        found = moving.relink(info, root, start=start, anyway=anyway, report=report)
        if found.done and not found.away:
            st.toast("The originals are read from there now.", icon=":material/check:")
            st.rerun()
        _said(found)


def _said(found: Relinked) -> None:
    """Say what was found, and name what is missing or changed."""
    import pandas as pd

    if found.away:
        shown = ", ".join(plain(each) for each in found.away[:3])
        st.warning(
            f"Images that were added from elsewhere are not there: {shown}. Choose their folder "
            "above, and where it is now.",
            icon=":material/warning:",
        )
    if found.done:
        return
    st.warning(
        f"{_words.count(found.missing)} missing, {_words.count(found.changed)} changed of "
        f"{_words.plural(found.total, 'original')} below {plain(str(found.root))}. Nothing was "
        "changed.",
        icon=":material/warning:",
    )
    table = pd.DataFrame(
        {"file": [each.path for each in found.astray], "why": [each.why for each in found.astray]}
    )
    height = _ROW * (min(len(table), 6) + 1) + 7
    st.dataframe(
        table, hide_index=True, row_height=_ROW, height=height, alt="Originals that do not fit"
    )
