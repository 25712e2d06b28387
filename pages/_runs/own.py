"""A small place on Runs: bring the probabilities of a model of one's own."""

from __future__ import annotations

import streamlit as st

from lnl_core.services.runs.own import score_with
from lnl_core.types import DatasetInfo
from pages import _ui, _words
from pages._ui import plain

KINDS = ("npy", "npz", "csv", "parquet")


def draw(info: DatasetInfo) -> None:
    """Draw the button and, behind it, the form."""
    with (
        st.popover(
            "Bring probabilities of your own model", icon=":material/upload_file:", type="tertiary"
        ),
        _ui.guard(),
    ):
        _form(info)


def _form(info: DatasetInfo) -> None:
    st.caption(
        f"One row for each of the {_words.count(info.n)} images, one column for each of the "
        f"{_words.count(info.class_count)} classes; rows sum to 1. NPY in the order of the data "
        "set, NPZ with pred_probs, or CSV with the column id and one per class. Take them out of "
        "fold: a model that learned a wrong label does not doubt it."
    )
    upload = st.file_uploader("File", type=list(KINDS), key=f"own_file_{info.id}")
    title = st.text_input("Name of the model", value="own", max_chars=40, key="own_title")
    ready = upload is not None and bool(title.strip())
    if not st.button("Add to the ranking", type="primary", disabled=not ready, key="own_go"):
        return
    assert upload is not None
    with st.spinner("Checking and ranking"):
        scored = score_with(info, upload, title, called=upload.name)
    if scored.doubt:
        st.warning(plain(scored.doubt), icon=":material/warning:")
    st.success(
        f"Run {scored.job.id} is in the ranking, and expects another class on "
        f"{_words.plural(scored.job.other_class or 0, 'image')}. It agrees with "
        f"{_words.percent(scored.agreement)} of the given labels.",
        icon=":material/check:",
    )
