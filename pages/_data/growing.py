"""Dialogs of a set that is there: its originals have moved."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from lnl_core.services.datasets import incoming, moving
from lnl_core.services.datasets.moving import Relinked
from lnl_core.types import DatasetInfo
from pages import _ui, _words
from pages._ui import plain

_ROW = 30


def has_originals(info: DatasetInfo) -> bool:
    """Tell whether the set's originals lie in a folder of the user's."""
    return info.root is not None and Path(info.root).is_absolute()


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
    typed = st.text_input("Folder on this computer", value=info.root or "", key="relink_root")
    anyway = st.checkbox("Point there even where some are missing or changed", key="relink_anyway")
    if st.button("Compare and point there", type="primary", key="relink_go"):
        root = incoming.allowed_path(typed)
        bar = st.progress(0.0, text="Comparing…")

        def report(done: int, total: int) -> None:
            if done % 64 == 0 or done == total:
                words = f"{_words.count(done)} of {_words.count(total)} compared"
                bar.progress(done / max(total, 1), text=words)

        found = moving.relink(info, root, anyway=anyway, report=report)
        if found.done:
            st.toast("The originals are read from there now.", icon=":material/check:")
            st.rerun()
        _said(found)


def _said(found: Relinked) -> None:
    """Say what was found, and name what is missing or changed."""
    import pandas as pd

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
