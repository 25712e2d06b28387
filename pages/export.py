"""Export: what leaves the desk, previewed; and decisions made elsewhere coming in."""

import streamlit as st

from pages import _export, _ui

row = _ui.title_row("Export")
info = _ui.need_dataset()
with row:
    asked = st.button("Import decisions", icon=":material/upload_file:", key="import_decisions")
left, right = st.columns([278, 676], gap="small")
with left:
    format_key = _export.formats()
with right:
    _export.draw(info, format_key)
if asked:
    _export.import_dialog(info)
