"""The tabs of a chosen data set: overview, import report, noise lab, classes, settings."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import streamlit as st

from lnl_core.services import wording
from lnl_core.services.datasets import catalog, incoming, settings
from lnl_core.services.in_force import scored, standing
from lnl_core.services.review import desk
from lnl_core.types import DatasetInfo
from pages import _charts, _goal, _ui, _words
from pages._data import classes, copies, growing, paint
from pages._data import incoming as _import
from pages._ui import plain

_NOISE = {
    "symmetric": "any other class, each as likely",
    "pair": "always the next class",
    "instance": "the class that the image itself resembles most",
}
_AGAIN = (
    "Files that you repaired come in with Settings, Add images: what is there already is left out, "
    "ids and answers stay. Or with a second import, under a new name; answers follow by what the "
    "images show: Export, All decisions here, then Import decisions on the new set."
)
"""What to do about files that were skipped."""

_MOST_BARS = 40
_ROW = 30


def draw(info: DatasetInfo) -> None:
    """Draw heading and tabs; only the open tab's body runs."""
    kind = _ui.KINDS.get(info.kind, info.kind)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="set_head"):
        st.header(plain(_ui.short(info.name, 40)), anchor=False, width="content")
        st.caption(
            f"imported {_words.day(info.created_at)}, {plain(kind)}, "
            f"{info.width} × {info.height} px",
            width="content",
        )
    names = ["Overview", "Import report", "Noise lab", "Classes and guide", "Settings"]
    tabs = st.tabs(names, key="data_tab", on_change="rerun")
    bodies = (_overview, _report, _noise, classes.draw, _settings)
    for tab, body in zip(tabs, bodies, strict=True):
        if tab.open:
            with tab, _ui.guard():
                body(info)


def _overview(info: DatasetInfo) -> None:
    with _ui.computing(("classes", info.id), 330):
        counted = catalog.class_counts(info)
    left, right = st.columns([1.25, 1], gap="medium")
    with left:
        cut = len(counted) > _MOST_BARS
        if cut:
            counted = sorted(counted, key=lambda c: (-(c["wrong"] or 0), -c["count"]))[:_MOST_BARS]
        with st.container(horizontal=True, vertical_alignment="bottom"):
            st.subheader("Images per class", anchor=False, width="stretch")
            guessed = any(each["wrong"] is not None for each in counted)
            if guessed:
                mark = _charts.colours()["red"]
                st.markdown(
                    f':color[■]{{foreground="{mark}"}} :gray[:small[wrong: found or expected]]',
                    width="content",
                )
            _charts.format_select()
        _charts.draw(
            _charts.class_balance(counted, large=_ui.roomy()),
            key=f"balance_{info.id}",
            alt="Bars: images per class, and how many of them are wrong, found or expected",
        )
        words = "How many images each class was given"
        words += (
            ", and about how many of them are wrong: found so far, or expected among the rest."
            if guessed
            else "."
        )
        if cut:
            words += f" The {_MOST_BARS} of {_words.count(info.class_count)} classes with most."
        st.caption(words)
    with right:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            st.subheader("Import report", anchor=False, width="stretch")
            words = f"{_words.count(info.n)} in, {_words.count(info.skipped)} skipped"
            st.caption(words, width="content")
        _skipped_summary(info)
        _facts(info)


def _skipped_summary(info: DatasetInfo) -> None:
    reasons = settings.skipped(info)
    if not reasons:
        st.caption("Nothing was skipped.")
        _notes(info)
        return
    import pandas as pd  # not at the top: the first page has no table, and pandas costs 0.3 s

    table = [
        f"**{plain(each.reason)}**  \n:gray[:small[{plain(wording.on_page(each.remedy, {}))}]]"
        for each in reasons[:4]
    ]
    st.table(
        pd.DataFrame({"count": [each.count for each in reasons[:4]], "why": table}),
        border="horizontal",
        hide_index=True,
        hide_header=True,
        alt="Why files were skipped, and the remedy",
    )
    if len(reasons) > 4:
        st.caption(f"and {_words.plural(len(reasons) - 4, 'more reason')} in Import report")
    _notes(info)
    with st.container(horizontal=True, gap="small"):
        _report_button(info, "overview")
        _again_button(info, "overview")


def _notes(info: DatasetInfo) -> None:
    for note in settings.notes(info):
        st.caption(f":material/warning: {plain(wording.on_page(note, {}))}")


def _again_button(info: DatasetInfo, where: str) -> None:
    """Offer to read the source once more, where it is still there."""
    if _import.can_again(info):
        st.button(
            "Import again",
            icon=":material/replay:",
            key=f"again_{where}",
            help=_AGAIN if where == "overview" else None,
            on_click=_import.again,
            args=(info,),
        )


def _report_button(info: DatasetInfo, where: str) -> None:
    st.download_button(
        "Report as CSV",
        data=lambda: _report_csv(info),
        file_name="import_report.csv",
        mime="text/csv",
        icon=":material/download:",
        key=f"report_{where}",
        on_click="ignore",
    )


def _report_csv(info: DatasetInfo) -> bytes:
    """Return the skipped files as CSV; a cell that a spreadsheet would run gets a quote first."""
    out = io.StringIO()
    writer = csv.writer(out)
    columns = ("row", "where", "reason", "remedy")
    writer.writerow(columns)
    for row in settings.skipped_rows(info):
        cells = ["" if row.get(name) is None else str(row[name]) for name in columns]
        writer.writerow("'" + c if c[:1] in "=+-@\t\r" and c else c for c in cells)
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _facts(info: DatasetInfo) -> None:
    size = sum(f.stat().st_size for f in info.arrays.iterdir() if f.is_file())
    now = standing(info)  # as of the last answer, as the card above says them
    facts = [
        ("Format", info.format or _ui.KINDS.get(info.kind, info.kind)),
        ("Working copy", _words.file_size(size)),
        ("Reviewed", _words.count(now.reviewed)),
        ("Found wrong", _words.count(now.found)),
    ]
    waiting = desk.to_label(info)
    st.html(paint.facts(facts))
    if waiting.left:
        wait = f", {_words.count(waiting.left)} of them wait for one" if waiting.done else ""
        images = _words.plural(waiting.total, "image")
        st.markdown(f":small[{images} came without a class{wait}: counted apart.]")
    ready = waiting.left and scored(info) is not None
    words = f"Label {_words.plural(waiting.left, 'image')}"
    if ready and st.button(words, icon=":material/label:", key="to_label"):
        _ui.go("review", dataset=info.name, to_label="1")


def _report(info: DatasetInfo) -> None:
    rows = settings.skipped_rows(info)
    st.markdown(
        f"{_words.plural(info.n, 'image')} in, {_words.count(len(rows))} skipped. "
        f"Read from :gray[{plain(_source(info))}]"
    )
    for note in settings.notes(info):
        st.warning(plain(wording.on_page(note, {})), icon=":material/warning:")
    copies.draw(info)
    if not rows:
        return
    import pandas as pd

    table = pd.DataFrame(rows, columns=["row", "where", "reason", "remedy"])
    table["remedy"] = [wording.on_page(each or "", {}) for each in table["remedy"]]
    table["row"] = ["" if pd.isna(row) else f"{row:.0f}" for row in table["row"]]
    if not table["row"].any():  # files, not the rows of a list
        table = table.drop(columns="row")
    st.dataframe(
        table,
        hide_index=True,
        row_height=_ROW,
        height=_ROW * (min(len(table), 10) + 1) + 7,
        column_config={"row": st.column_config.TextColumn("row", width="small")},
        alt="Skipped files with reason and remedy",
    )
    with st.container(horizontal=True, gap="small"):
        _report_button(info, "tab")
        _again_button(info, "tab")
    st.markdown(f":gray[:small[{_AGAIN}]]")


def _source(info: DatasetInfo) -> str:
    """Return where the set came from; of an upload, its file's name."""
    path = Path(info.source)
    return path.name if path.parent.name.startswith(incoming.UPLOAD) else info.source or "here"


def _noise(info: DatasetInfo) -> None:
    st.markdown(
        "Makes a copy of this set with labels made wrong on purpose, so that the truth is known. "
        "No method ever sees the truth.",
    )
    with st.form("noise", border=False, width=640):
        kind = st.radio(
            "Wrong labels are",
            list(_NOISE),
            captions=list(_NOISE.values()),
            horizontal=True,
            key="noise_kind",
        )
        columns = st.columns([2, 1, 2])
        rate = columns[0].slider("Share of labels, %", 1, 60, 20, key="noise_rate")
        seed = columns[1].number_input("Seed", 0, 2**31 - 1, 0, key="noise_seed")
        name = columns[2].text_input(
            "Name of the copy",
            max_chars=80,
            placeholder=f"{_ui.short(info.name, 40)}, … % noise",
            key=f"noise_name_{info.id}",
        )
        pressed = st.form_submit_button("Make the copy", icon=":material/science:")
    if pressed and kind is not None:
        name = name.strip() or f"{_ui.short(info.name, 40)}, {rate} % noise"
        with st.spinner("Changing labels…"):
            made = _ui.act(
                catalog.add_noise,
                info,
                name,
                kind,
                rate / 100,
                seed=int(seed),
                by=_ui.reviewer(),
                done=f"{plain(name)} is there.",
            )
        if made:
            st.session_state["dataset"] = st.query_params["dataset"] = name.strip()
            st.rerun()


def _settings(info: DatasetInfo) -> None:
    with st.container(width=420):
        if _goal.draw(info):
            st.rerun()
    with st.form("rename", border=False, width=420):
        st.markdown("**Name**  \n:gray[:small[Runs and answers stay; links to the old name end.]]")
        name = st.text_input(
            "Name",
            value=info.name,
            max_chars=80,
            label_visibility="collapsed",
            key=f"rename_{info.id}",
        )
        pressed = st.form_submit_button("Rename")
    if pressed and name.strip() != info.name:
        made = catalog.rename_dataset(info, name)
        st.session_state["dataset"] = made.name
        st.query_params["dataset"] = made.name
        st.toast("The set is renamed.", icon=":material/check:")
        st.rerun()
    growing.more(info)
    if growing.has_originals(info):
        growing.originals(info)
    st.markdown(
        "**Remove**  \n:gray[:small[Forgets the set, its runs and every answer. The original "
        "images stay where they are.]]"
    )
    if st.button("Remove this set…", icon=":material/delete:", key="remove"):
        _ui.dialog("Remove the data set?", icon=":material/delete:")(_remove)(info)


def _remove(info: DatasetInfo) -> None:
    now = standing(info)
    reviewed = _words.plural(now.reviewed, "reviewed image")
    answers = f"the answers to {reviewed}" if now.reviewed else "its settings"
    st.markdown(
        f"**{plain(_ui.short(info.name, 60))}** goes, with its runs and {answers}. "
        "This cannot be undone. Export first what you want to keep."
    )
    sure = st.checkbox("Remove it, with every answer", key="remove_sure")
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("Remove", type="primary", disabled=not sure, key="remove_now"):
            if not _ui.act(catalog.remove_dataset, info, _ui.reviewer()):
                return
            st.session_state.pop("dataset", None)
            st.query_params.clear()
            st.rerun()
