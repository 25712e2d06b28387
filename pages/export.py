"""Export: what leaves the desk, previewed; and decisions made elsewhere coming in."""

import streamlit as st

from pages import _ui
from pages._export import decisions, page

row = _ui.title_row("Export")
info = _ui.need_dataset()
with row:
    asked = st.button("Import decisions", icon=":material/upload_file:", key="import_decisions")
left, right = st.columns([278, 676], gap="small")
with left:
    format_key = page.formats()
with right:
    page.draw(info, format_key)
if asked:
    decisions.dialog(info)
