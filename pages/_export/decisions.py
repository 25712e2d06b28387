"""Decisions made elsewhere come in: a file of this program or of another tool, looked at first."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import pandas as pd
import streamlit as st

from lnl_core.readings import SOURCES, How, as_tags
from lnl_core.services import wording
from lnl_core.services.export import reimporting
from lnl_core.services.export.reimporting import DecisionImport
from lnl_core.types import DatasetInfo, LnlError
from pages import _ui, _words
from pages._ui import plain

_ROW = 32
_KINDS = ["csv", "tsv", "txt", "json"]


def dialog(info: DatasetInfo) -> None:
    """Take a file of decisions, say what it would store, and row by row what could not be."""
    _ui.dialog("Import decisions", icon=":material/upload_file:", width="large")(_draw)(info)


def _draw(info: DatasetInfo) -> None:
    st.caption(
        "A CSV of this program, or what FiftyOne and Label Studio write as JSON, or any CSV of "
        "images and corrected labels. Which one it is, is found out."
    )
    upload = st.file_uploader("File", type=_KINDS, key="decisions_file")
    reviewer = st.text_input(
        "Reviewer where the file names none", value=_ui.reviewer(), key="decisions_reviewer"
    )
    replace = st.checkbox(
        "Let the file win over later answers",
        key="decisions_replace",
        help="A row that differs from the same reviewer's answer, and is not later than it, is "
        "held back unless you tick this.",
    )
    by_id = st.checkbox(
        "The ids are right, whatever the images' content",
        key="decisions_by_id",
        help="A decision goes to the image with the content that the file says; rows that "
        "contradict the set are held back. Tick this where the set was imported anew at another "
        "size, or where row numbers are known to be the same.",
    )
    given = _how()
    place = st.container()
    if upload is None or not reviewer.strip():
        place.button("Import", type="primary", disabled=True, key="decisions_go")
        return

    def bring(how: How, dry_run: bool) -> DecisionImport:
        return reimporting.import_decisions(
            info,
            BytesIO(upload.getvalue()),
            reviewer.strip(),
            replace_newer=replace,
            by_id=by_id,
            file_name=upload.name,
            how=how,
            dry_run=dry_run,
            by=_ui.reviewer(),
        )

    with place:
        try:
            how = given()
            looked = bring(how, dry_run=True)
        except LnlError as error:
            st.error(plain(wording.on_page(str(error), _HERE)), icon=":material/error:")
            st.button("Import", type="primary", disabled=True, key="decisions_go")
            return
        if st.button("Import", type="primary", key="decisions_go", disabled=not looked.stored):
            _imported(bring(how, dry_run=False))
            return
        _imported(looked, would=True)
        st.caption(f"They go to **{plain(_ui.short(info.name, 40))}**; the latest answer counts.")


_HERE = {
    "--by-id": "“The ids are right”",
    "--from": "“Written by”",
    "--label-column": "“Column of corrected labels”",
    "--image-column": "“Column that names the image”",
    "--reviewer-column": "“Column that says who”",
    "--time-column": "“Column that says when”",
    "--tag": "“Tags of FiftyOne”",
    "--unchanged": "“Labels left as they were are confirmed”",
}
"""Option of `lnl decide` -> what stands for it on this page."""


def _how() -> Callable[[], How]:
    """Draw what a person can say about the file; return what makes a value of it."""
    with st.expander("A file of another tool"):
        source = st.selectbox(
            "Written by", ["", *SOURCES], format_func=lambda key: SOURCES.get(key, "found out")
        )
        left, right = st.columns(2)
        label = left.text_input("Column of corrected labels", key="decisions_label")
        image = right.text_input("Column that names the image", key="decisions_image")
        who = left.text_input("Column that says who", key="decisions_who")
        when = right.text_input("Column that says when", key="decisions_when")
        tags = st.text_input(
            "Tags of FiftyOne",
            key="decisions_tags",
            placeholder="verified=keep, mistake=unsure",
            help="What a tag stands for: keep, unsure, none or skip. Others are not read.",
        )
        looked = st.checkbox(
            "Labels left as they were are confirmed",
            key="decisions_unchanged",
            help="Where the file does not say that anybody looked, a label that is the given one "
            "is no decision unless you tick this.",
        )

    def made() -> How:
        return How(
            source=source,
            image_column=image.strip(),
            label_column=label.strip(),
            reviewer_column=who.strip(),
            time_column=when.strip(),
            unchanged="keep" if looked else "skip",
            tags=as_tags(each.strip() for each in tags.split(",") if each.strip()),
        )

    return made


def _imported(result: DecisionImport, *, would: bool = False) -> None:
    """Say what became, or would become, of a file: counts, then every row that needs a look."""
    for note in result.notes:
        st.info(plain(wording.on_page(note, _HERE)), icon=":material/info:")
    words = f"{_words.plural(result.stored, 'decision')} {'would be ' if would else ''}stored"
    if result.unchanged:
        words += f", {_words.count(result.unchanged)} known already"
    if result.held:
        words += f", {_words.count(result.held)} held back"
    if not result.problems and not result.conflicts and not result.held_back:
        said = st.info if would else st.success
        said(f"{words}.", icon=":material/search:" if would else ":material/check:")
        return
    st.warning(f"{words}.", icon=":material/warning:")
    if result.held_back:
        held = pd.DataFrame(
            {
                "row": [each.number for each in result.held_back],
                "id in the file": [each.id for each in result.held_back],
                "why": [each.why for each in result.held_back],
                "what helps": [wording.on_page(each.remedy, _HERE) for each in result.held_back],
            }
        )
        rows = _words.plural(len(held), "row")
        st.markdown(f"**{rows} of {plain(result.held_back[0].file)} not stored**")
        _table(held, "Rows that contradict the set")
    if result.conflicts:
        table = pd.DataFrame(
            {
                "row": [each.number for each in result.conflicts],
                "image": [each.id for each in result.conflicts],
                "in force": [each.in_force for each in result.conflicts],
                "the file says": [each.file for each in result.conflicts],
                "what was done": [each.remedy for each in result.conflicts],
            }
        )
        st.markdown(f"**{_words.plural(len(table), 'row')} in conflict**")
        _table(table, "Rows that say something else than what is in force")
    if result.problems:
        rows = _words.plural(len(result.problems), "row")
        st.markdown(f"**{rows} could not be used**")
        _table(
            pd.DataFrame({"problem": [wording.on_page(p, _HERE) for p in result.problems]}),
            "What could not be used, by row",
        )


def _table(table: pd.DataFrame, alt: str) -> None:
    height = _ROW * (min(len(table), 8) + 1) + 7
    st.dataframe(table, hide_index=True, row_height=_ROW, height=height, alt=alt)
