"""The parts of the Export page: formats, counts, preview, download."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import pandas as pd
import streamlit as st

from lnl_core.services import in_force
from lnl_core.services.export import exporting
from lnl_core.services.export.formats import FORMATS
from lnl_core.types import DatasetInfo
from lnl_core.views import chance, command
from pages import _ui, _urls, _words
from pages._export import certificate, folder

_PREVIEW, _WIDE = 12, 18
"""Rows that are shown, and those of a wide window, which is higher too."""
_ROW = 32
_ICONS = {
    "keep": "✓ keep",
    "relabel": "⇄ relabel",
    "multiple": "≡ multiple",
    "none": "⊘ none",
    "unsure": "? unsure",
    "skip": "» skip",
    "reopen": "↺ reopen",
    "auto": "↯ auto",
}
_COLOURS = {
    "keep": "green",
    "relabel": "blue",
    "multiple": "violet",
    "none": "red",
    "unsure": "orange",
    "skip": "gray",
    "reopen": "gray",
    "auto": "yellow",
}


@dataclass(frozen=True, slots=True)
class Options:
    """What the person ticked."""

    only_agreed: bool
    safe: bool
    scores: bool


def formats() -> str:
    """Draw the list of formats and return the chosen one's key."""
    known = FORMATS
    st.header("Format", anchor=False)
    key = st.radio(
        "Format",
        list(known),
        format_func=lambda each: known[each].title,
        captions=[each.sentence for each in known.values()],
        label_visibility="collapsed",
        key="format",
        persist_state="session",
    )
    chosen = key if key in known else "corrections"
    st.space("small")
    words = "Originals are never changed."
    if chosen in ("corrections", "decisions", "audit-trail"):
        words += " Every row names the runs and the reviewer it came from."
    st.caption(words)
    return chosen


def _column_chips(names: Iterable[str]) -> None:
    """Name the file's columns."""
    st.header("Columns", anchor=False)
    st.markdown(" ".join(f"`{name}`" for name in names))


def _blank(info: DatasetInfo, columns: Iterable[str]) -> None:
    """Say why scores are blank after people's answers went into the runs, and where they are."""
    images = len(in_force.told_words(info)) if "told" in columns else 0
    if not images:
        return
    words = (
        f"Scores of {_words.plural(images, 'image')} are blank where they are of today's ranking "
        "(`label_quality`, `suspicion`): its runs learned people's answers, and `told` names them."
    )
    if in_force.before_review(info) is not None:
        before = command("rank", info.name, "--method", "before")
        words += f" As they were before the review: `{before}`."
    st.caption(words)


def draw(info: DatasetInfo, format_key: str) -> None:
    """Draw counts, options, preview, download and the same as a command."""
    if FORMATS[format_key].folder:
        folder.draw(info, format_key)
        certificate.draw(info)
        return
    options = _chosen(format_key)
    table = _table_of(info, format_key, options)
    shown = list(islice(table.rows, _WIDE if _ui.wide() else _PREVIEW))
    with st.container(key="export_head"):
        _head(info, format_key, options, table)
    if table.notice:
        st.warning(table.notice, icon=":material/warning:")
        if table.disputed and st.button("Settle on Team", icon=":material/group:"):
            _ui.go("team", dataset=info.name)
    _options(format_key)
    if not shown:
        _nothing(info, format_key)
        certificate.draw(info)
        return
    first = f"first {len(shown)} of " if len(shown) < table.total else ""
    st.caption(f"{first}{_words.plural(table.total, 'row')}")
    _preview(info, shown)
    _column_chips(shown[0])
    _blank(info, shown[0])
    # Behind a press: the browser takes longer to get code ready than the whole table.
    with st.popover("The same from a terminal", icon=":material/terminal:", type="tertiary"):
        st.code(_command(info, format_key, options), language=None, wrap_lines=True)
    certificate.draw(info)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows to preview, how many there will be, the figures above them, a word of warning.

    `disputed`: people contradict each other on some, which Team can settle.
    """

    rows: Iterator[dict[str, Any]]
    total: int
    facts: list[tuple[str, int, str]]
    notice: str = ""
    disputed: bool = False


def _table_of(info: DatasetInfo, format_key: str, options: Options) -> Table:
    now = in_force.standing(info)
    reviewed = _words.plural(now.reviewed, "image")
    found = f"{_words.count(now.found)} found wrong"
    if format_key == "corrections":
        rows, total, left_out = exporting.correction_rows(
            info, only_agreed=options.only_agreed, scores=options.scores
        )
        counts = exporting.correction_counts(info, only_agreed=options.only_agreed)
        facts = [
            ("Rows", total, f"of {_words.count(now.reviewed)} reviewed, {found}"),
            ("Relabelled", counts["relabel"], "to another class"),
            ("None fits", counts["none"], "no class of this set"),
            ("Multiple", counts["multiple"], "all named"),
            *_unseen(counts["auto"]),
        ]
        words = exporting.verdict_counts(info, only_agreed=options.only_agreed)
        disputed = bool(left_out and words["contradicted"])
        return Table(rows, total, facts, _left_out(words) if left_out else "", disputed)
    if format_key == "manifest":
        rows, total, left_out = exporting.manifest_rows(info, only_agreed=options.only_agreed)
        words = exporting.verdict_counts(info, only_agreed=options.only_agreed)
        facts = [
            ("Rows", total, f"of {_words.plural(info.n, 'image')}, {found}"),
            ("Relabelled", words["relabelled"], "corrected label"),
            ("Confirmed", words["kept"], "label was right"),
            ("Left out", left_out, "no one right class"),
            *_unseen(words["auto"]),
        ]
        return Table(rows, total, facts, folder.unsettled(words))
    history = exporting.answer_counts(info)
    wrong = sum(history[each] for each in ("relabel", "none", "multiple"))
    total = sum(history.values())
    facts = [("Rows", total, f"on {reviewed}, {found}")]
    facts.append(("Say right", history["keep"], "label confirmed"))
    facts.append(("Say wrong", wrong, "relabelled, none, multiple"))
    facts += _unseen(history["auto"])
    if format_key == "decisions":
        facts.append(("Unsure", history["unsure"], "for a second reviewer"))
        return Table(exporting.decision_rows(info), total, facts)
    facts.append(("Taken back", history["reopen"], "undone"))
    return Table(exporting.trail_rows(info), total, facts)


def _unseen(auto: int) -> list[tuple[str, int, str]]:
    """Return the figure of what a plan decided; none where there is no such plan."""
    return [("Auto", auto, "accepted unseen")] if auto else []


def _left_out(words: Mapping[str, int]) -> str:
    """Say how many decisions are not in the file, and who can settle them."""
    said = []
    if waiting := words["waiting"]:
        wait, are, them = ("waits", "is", "it") if waiting == 1 else ("wait", "are", "them")
        said.append(
            f"{_words.plural(waiting, 'decision')} {wait} for a second reviewer and {are} left "
            f"out. Review shows {them} to everybody else: choose the name at the left."
        )
    if contradicted := words["contradicted"]:
        are = "is" if contradicted == 1 else "are"
        said.append(
            f"{_words.plural(contradicted, 'image')} on which reviewers contradict each other "
            f"{are} left out. Without “Only agreed decisions” the latest answer counts."
        )
    return " ".join(said)


def _chosen(format_key: str) -> Options:
    """Return the options as they are ticked, or will be: what they decide stands above them."""
    agreed, safe, scores = (
        bool(st.session_state.get(key, True)) for key in ("only_agreed", "safe", "scores")
    )
    return Options(
        agreed and format_key in ("corrections", "manifest"),
        safe,
        scores and format_key == "corrections",
    )


def _options(format_key: str) -> None:
    """Draw the options."""
    with st.container(
        horizontal=True, vertical_alignment="center", gap="medium", key="export_options"
    ):
        if format_key in ("corrections", "manifest"):
            st.checkbox(
                "Only agreed decisions",
                value=True,
                key="only_agreed",
                help="Where reviewers contradict each other, nothing is changed. Otherwise the "
                "latest decision counts.",
            )
        st.checkbox(
            "Safe for spreadsheets",
            value=True,
            key="safe",
            help="Cells that a spreadsheet would run as a formula start with an apostrophe.",
        )
        if format_key == "corrections":
            st.checkbox("Scores of every method", value=True, key="scores")


def _head(info: DatasetInfo, format_key: str, options: Options, table: Table) -> None:
    with st.container(horizontal=True, vertical_alignment="top", gap="medium"):
        with st.container(horizontal=True, gap="medium", key="export_facts"):
            folder.figures(table.facts)
        with st.container(gap="xxsmall", width="content"):
            _download(info, format_key, options, enabled=table.total > 0)
            st.caption("CSV, UTF-8", width="content")


def _download(info: DatasetInfo, format_key: str, options: Options, *, enabled: bool) -> None:
    def make() -> bytes:
        out = io.BytesIO()
        exporting.write_export(
            info,
            format_key,
            out,
            only_agreed=options.only_agreed,
            safe=options.safe,
            scores=options.scores,
        )
        return out.getvalue()

    st.download_button(
        "Download CSV",
        data=make,
        file_name=f"{format_key}.csv",
        mime="text/csv",
        type="primary" if enabled else "secondary",
        icon=":material/download:",
        key="download",
        on_click="ignore",
        disabled=not enabled,
    )


def _nothing(info: DatasetInfo, format_key: str) -> None:
    words = "No corrections yet." if format_key == "corrections" else "No decisions yet."
    with st.container(border=True, horizontal_alignment="center", gap="small", key="empty"):
        st.space("small")
        st.markdown(words, width="content")
        if st.button("Review", icon=":material/rate_review:", type="primary", key="empty_review"):
            _ui.go("review", dataset=info.name)
        st.space("small")


def _preview(info: DatasetInfo, shown: list[dict[str, Any]]) -> None:
    place = _positions(info, [str(row["id"]) for row in shown])
    score = "p_wrong" if "p_wrong" in shown[0] else "p_wrong_shown"
    table = pd.DataFrame(
        [
            {
                "image": _urls.thumb_url(info, place[str(row["id"])]),
                "id": str(row["id"]),
                "given": row.get("given_label", ""),
                "corrected": row.get("corrected_label", row.get("label", "")) or "",
                **_what(row),
                score: _chance(row.get(score)),
            }
            for row in shown
        ]
    )
    label = "corrected_label" if "corrected_label" in shown[0] else "label"
    text = st.column_config.TextColumn
    st.dataframe(
        table,
        hide_index=True,
        row_height=_ROW,
        height=_ROW * (len(table) + 1) + 7,
        column_config={
            "image": st.column_config.ImageColumn("", width=44),
            "id": text("id", width=150),
            "given": text("given_label", width=100),
            "corrected": text(label, width=120),
            "action": st.column_config.MultiselectColumn(
                "action",
                options=list(_ICONS.values()),
                color=[_COLOURS[each] for each in _ICONS],
                width=100,
            ),
            "standing": text("standing", width=90),
            "verdict": text("lnl_verdict", width=110),
            "reviewer": text("reviewer", width=90),
            score: text(score, width=70, alignment="right", help="In the file: six digits."),
        },
        alt="The first rows of the file",
    )


def _what(row: dict[str, Any]) -> dict[str, Any]:
    """Return the cells that only some of the formats have."""
    if "lnl_verdict" in row:
        return {"verdict": row["lnl_verdict"]}
    cells = {"action": [_ICONS[str(row["action"])]], "reviewer": row.get("reviewer", "")}
    return cells | ({"standing": row["standing"]} if "standing" in row else {})


def _chance(value: Any) -> str:
    return "" if value in ("", None) else chance(float(value))


def _positions(info: DatasetInfo, ids: list[str]) -> dict[str, int]:
    rows = in_force.rows_of(info, ids)
    return {id_: int(row) for id_, row in zip(ids, rows, strict=True)}


def _command(info: DatasetInfo, format_key: str, options: Options) -> str:
    """Return the command that writes the same file."""
    parts = ["export", info.name, "--format", format_key]
    parts += ["--out", f"{format_key}.csv"]
    if format_key in ("corrections", "manifest") and not options.only_agreed:
        parts.append("--all")
    if format_key == "corrections" and not options.scores:
        parts.append("--no-scores")
    if not options.safe:
        parts.append("--raw")
    return command(*parts)
