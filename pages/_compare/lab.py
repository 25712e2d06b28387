"""Compare, noise lab: a copy of the set with labels made wrong, and every method on it."""

from __future__ import annotations

import streamlit as st

from lnl_core.services import methods
from lnl_core.services.compare import lab
from lnl_core.services.runs import running
from lnl_core.types import DatasetInfo, LnlError
from pages import _ui, _words
from pages._ui import plain
from pages._words import told

KINDS = {
    "symmetric": "any other class, evenly",
    "pair": "always the next class",
    "instance": "what the image looks like",
}
"""Kind of noise -> words."""


def button(info: DatasetInfo) -> None:
    """Draw the button that opens the noise lab."""
    if st.button("Noise lab", icon=":material/science:", key="compare_lab"):
        _ui.dialog("Noise lab", width="medium", icon=":material/science:")(_lab)(info)


def _lab(info: DatasetInfo) -> None:
    st.markdown(
        f"A copy of **{plain(_ui.short(info.name))}** with labels made wrong on purpose: then the "
        "truth is known, and every curve of this page can be drawn. The set itself stays as it is."
    )
    with st.container(horizontal=True, gap="small"):
        kind = st.selectbox(
            "Wrong labels become",
            list(KINDS),
            format_func=KINDS.__getitem__,
            key="lab_kind",
            width=230,
        )
        percent = st.number_input("Share wrong, %", 1, 60, 15, key="lab_rate", width=130)
        seed = st.number_input("Seed", 0, 9999, 0, key="lab_seed", width=110)
    name = st.text_input(
        "Name of the copy",
        f"{_words.short(info.name, 40)}, {percent} % {kind}",
        key=f"lab_name_{info.id}_{kind}_{percent}",  # a name says what the copy is
    )
    names = {each.key: methods.title(each.key) for each in methods.every()}
    chosen = st.pills(
        "Methods",
        list(names),
        selection_mode="multi",
        default=list(names),
        format_func=lambda key: names.get(key, key),
        key="lab_methods",
    )
    seconds = sum(running.estimate(info, key, "quick")[0] for key in chosen)
    st.caption(
        f"{_words.plural(len(chosen), 'quick run')}, about {_words.about(max(seconds, 1))}. "
        "They go on without this page; the curves come as runs end."
    )
    if info.has_truth:
        st.caption("The known truth of this set is what the new wrong labels are made from.")
    if st.button("Make the copy and start", type="primary", key="lab_start", disabled=not chosen):
        try:
            made = lab.noise_lab(
                info,
                name.strip(),
                kind if kind in KINDS else "symmetric",
                percent / 100,
                seed=int(seed),
                methods=list(chosen),
                by=_ui.reviewer(),
            )
        except LnlError as error:
            st.error(told(error), icon=":material/error:")
            return
        st.session_state["dialog_open"] = False
        _ui.go("compare", dataset=made.name)
