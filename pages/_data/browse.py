"""Folders to walk through in the import dialog; the path above it is where they lead."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from lnl_core.services.datasets import browsing
from pages import _ui, _words
from pages._ui import plain


def is_open(kind: str) -> bool:
    """Tell whether the folders are shown."""
    return bool(st.session_state.get(f"browsing_{kind}"))


def toggle(kind: str) -> None:
    """Show the folders, or put them away; as a callback."""
    st.session_state[f"browsing_{kind}"] = not is_open(kind)


def draw(kind: str, text: str, endings: Sequence[str]) -> None:
    """Draw what lies where the typed path leads; a press goes there.

    Args:
        kind: of the dialog; its path is kept under `path_KIND`.
        text: the path as it stands.
        endings: of files that can be chosen.
    """
    seen = browsing.look(text, endings)
    with st.container(border=True, gap="xsmall", key=f"browse_{kind}"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.button(
                "Up",
                icon=":material/arrow_upward:",
                disabled=seen.above is None,
                key=f"up_{kind}",
                on_click=_go,
                args=(kind, seen.above),
            )
            where = "Folders that may be read" if seen.folder is None else str(seen.folder)
            st.caption(plain(_words.short_path(where, 70)), width="stretch")
        with st.container(height=170, border=False, gap=None, key=f"names_{kind}"):
            for place, path in enumerate((*seen.folders, *seen.files)):
                folder = place < len(seen.folders)
                name = str(path) if seen.folder is None else path.name
                st.button(
                    plain(_ui.short(name, 60)),
                    icon=":material/folder:" if folder else ":material/draft:",
                    type="tertiary",
                    key=f"at_{kind}_{place}_{path}",
                    on_click=_go,
                    args=(kind, path),
                )
            if not (seen.folders or seen.files):
                st.caption("No folder in here.")
            if seen.more:
                more = _words.plural(seen.more, "name")
                st.caption(f"And {more} more: type how one begins behind the path.")


def _go(kind: str, path: Path | None) -> None:
    if path is None:
        return
    st.session_state[f"path_{kind}"] = str(path)
    if path.is_file():
        st.session_state[f"browsing_{kind}"] = False  # chosen: what is in it takes the room
