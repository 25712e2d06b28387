"""Exports that are a folder: what they will hold and take, then write it or download a zip."""

from __future__ import annotations

import io
import time
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

import streamlit as st

from lnl_core.services.export import exporting, folders
from lnl_core.services.export.exporting import ExportPlan
from lnl_core.services.export.formats import FORMATS
from lnl_core.services.in_force import standing
from lnl_core.types import DatasetInfo, LnlError
from lnl_core.views import command
from pages import _charts, _ui, _words
from pages._ui import plain

ZIP_BYTES = 200 * 2**20
"""A zip lies in this process's memory while the browser fetches it."""

_IMAGES = {
    "copy": ("copied", "The files are copied; originals stay as they are."),
    "link": (
        "hard-linked",
        "No disk space, same disk only. Both names are one file: edit neither.",
    ),
    "none": ("left where they are", "The layout refers to the originals where they lie."),
}
_TREES = {
    "folder": "{name}/\n  {a}/…   images by corrected label\n  {b}/…\n"
    "  metadata.csv   file_name, label, id, given_label, lnl_verdict …",
    "cleanlab": "{name}/\n  labels.npy   (n) given labels\n"
    "  pred_probs.npy   (n, k) of one run, out of fold if there is one\n"
    "  label_issues.csv   is_label_issue, label_quality, given_label …\n"
    "  multiannotator.csv   a column per reviewer\n  classes.txt, ids.txt, README.txt",
    "fiftyone": "{name}/\n  data/…   images\n"
    "  labels.json   classes; label, given_label, verdict, p_wrong of each image",
    "label-studio": "{name}/\n  tasks.json   images, predictions, annotations\n"
    "  label_config.xml   the labelling interface\n  README.txt   three steps to import",
}
_EVERY = 0.2


def _tree(info: DatasetInfo, format_key: str, name: str) -> str:
    """Return the folders and files of a format, those of the set's splits included."""
    first, second = (_ui.short(each) for each in (*info.class_names, "…")[:2])
    splits = folders.split_folders(info)
    if not splits:
        return _TREES[format_key].format(name=name, a=first, b=second)
    shown = [_ui.short(each) for each in splits[:3]]
    first = f"{shown[0]}/{first}"
    tree = _TREES[format_key].format(name=name, a=first, b=f"{shown[-1]}/{second}")
    several = ", ".join(shown) + (" …" if len(splits) > len(shown) else "")
    said = {"folder": "a folder for each", "cleanlab": "in splits.txt"}.get(
        format_key, "in `split` of each image"
    )
    return f"{tree}\n  splits {several}   {said}"


def figures(facts: Sequence[tuple[str, int, str]]) -> None:
    """Draw figures side by side: label, number, what it counts.

    As one element: what a page costs in the browser goes by how many it has.
    """
    muted = _charts.colours()["muted"]
    parts = "".join(
        f'<div><dt style="font-weight:400">{escape(label)}</dt>'
        f'<dd style="margin:0;font-size:1.5rem;line-height:1.75">{_words.count(value)}</dd>'
        f'<dd style="margin:0;color:{muted}">{escape(caption)}</dd></div>'
        for label, value, caption in facts
    )
    style = "gap:4px 24px;margin:0;padding:0;font-size:.875rem"
    st.html(f'<dl class="lnl-figures" style="{style}">{parts}</dl>', width="content")


def unsettled(words: Mapping[str, int]) -> str:
    """Say how many images keep their given label because reviewers have not settled them."""
    count = words["waiting"] + words["contradicted"]
    if not count:
        return ""
    return (
        f"{_words.plural(count, 'image')} not settled by the reviewers: "
        f"{'it keeps its' if count == 1 else 'they keep their'} given label."
    )


def _missing(info: DatasetInfo, plan: ExportPlan) -> str:
    """Say how many originals will be left out, and how to have them in."""
    about = "About " if plan.sampled else ""
    are = "is not where it was and" if plan.missing == 1 else "are not where they were and"
    return (
        f"{about}{_words.plural(plan.missing, 'original')} {are} will be left out. Put back what "
        "is missing, or say where it is now: Data, Settings, *Point to another folder*, or "
        f"`{command('relink', info.name, 'ROOT')}`."
    )


def draw(info: DatasetInfo, format_key: str) -> None:
    """Draw figures, options, where it goes, and the two ways to get it."""
    ws = _ui.workspace()
    known = FORMATS[format_key]
    head = st.container(key="export_head")
    agreed, images = _options(format_key)
    words = exporting.verdict_counts(info, only_agreed=agreed)
    complete = format_key in ("cleanlab", "label-studio")
    left_out = 0 if complete else words["multiple"] + words["none"]
    with head, st.container(horizontal=True, vertical_alignment="top", gap="medium"):
        figures(
            [
                (
                    "Tasks" if format_key == "label-studio" else "Images",
                    info.n - left_out,
                    f"in it; {_words.count(standing(info).found)} found wrong",
                ),
                ("Relabelled", words["relabelled"], "corrected label"),
                ("Confirmed", words["kept"], "label was right"),
                (
                    "No one class",
                    words["multiple"] + words["none"],
                    "in it too" if complete else "left out",
                ),
            ]
        )
    if not complete and (notice := unsettled(words)):
        st.warning(notice, icon=":material/warning:")
    text = _place(info, format_key)
    try:
        out = exporting.allowed_target(ws, text)
        plan = exporting.plan_export(info, format_key, out, images=images, only_agreed=agreed)
    except LnlError as error:
        st.error(_words.told(error), icon=":material/error:")
        return
    if plan.missing:
        st.warning(_missing(info, plan), icon=":material/warning:")
    for note in plan.notes:
        st.warning(plain(note), icon=":material/warning:")
    enough = plan.size <= plan.free
    _says(plan, known.images, enough)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        pressed = st.button(
            "Write the folder",
            icon=":material/create_new_folder:",
            type="primary",
            disabled=not enough,
            key="write_folder",
        )
        if plan.size <= ZIP_BYTES and images != "link":
            _zip_button(info, format_key, agreed, images)
    if pressed:
        _write(info, format_key, out, agreed, images, plan.notes)
    st.header("What it holds", anchor=False)
    st.code(_tree(info, format_key, out.name), language=None, wrap_lines=True)
    st.header("The same from a terminal", anchor=False)
    st.code(_command(info, format_key, out, agreed, images), language=None, wrap_lines=True)


def _options(format_key: str) -> tuple[bool, str]:
    known = FORMATS[format_key]
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        agreed = st.checkbox(
            "Only agreed decisions",
            value=True,
            key="only_agreed",
            help="Where reviewers contradict each other, the given label stays. Otherwise the "
            "latest decision counts.",
        )
        images = ""
        if known.images:
            images = st.segmented_control(
                "Images",
                known.images,
                format_func=lambda each: f"Images {_IMAGES[each][0]}",
                default=known.images[0],
                required=True,
                label_visibility="collapsed",
                key=f"images_{format_key}",
            )
    if images:
        st.caption(_IMAGES[images][1])
    return agreed, images


def _place(info: DatasetInfo, format_key: str) -> str:
    proposed = str(exporting.export_folder(info, format_key))
    return str(
        st.text_input(
            "New folder, on the computer that runs LNL Review",
            value=proposed,
            key=f"out_{info.id}_{format_key}_{proposed}",
        )
    )


def _says(plan: ExportPlan, images: Sequence[str], enough: bool) -> None:
    """Tell the disk space before anything is written."""
    free = f"{_words.file_size(plan.free)} free there"
    if not enough:
        st.error(
            f"It needs about {_words.file_size(plan.size)}; {free}. Free some, choose another "
            "disk, or hard links.",
            icon=":material/error:",
        )
        return
    if not plan.size:
        st.caption(f"Takes next to no disk space; {free}.")
        return
    files = f" in {_words.plural(plan.files, 'image file')}" if plan.files else ""
    words = f"Takes about {_words.file_size(plan.size)}{files}; {free}."
    if images and not plan.originals:
        words += " This set came as arrays: its working copies are written as PNG."
    st.caption(words)


def _zip_button(info: DatasetInfo, format_key: str, agreed: bool, images: str) -> None:
    def make() -> bytes:
        out = io.BytesIO()
        exporting.write_export(info, format_key, out, only_agreed=agreed, images=images)
        return out.getvalue()

    st.download_button(
        "Download zip",
        data=make,
        file_name=f"{format_key}.zip",
        mime="application/zip",
        icon=":material/download:",
        key="download_zip",
        on_click="ignore",
    )


def _write(
    info: DatasetInfo, format_key: str, out: Path, agreed: bool, images: str, said: Sequence[str]
) -> None:
    """Write the folder; `said` are notes that stand above already."""
    bar = st.progress(0.0, text="Writing…")
    began, told = time.monotonic(), 0.0

    def report(done: int, total: int) -> None:
        nonlocal told
        if time.monotonic() - told < _EVERY:
            return
        told = time.monotonic()
        left = (told - began) / max(done, 1) * (total - done)
        words = f"{_words.count(done)} of {_words.count(total)} written"
        if done and told - began > 1:
            words += f", {_words.about(left)} left"
        bar.progress(min(done / max(total, 1), 1.0), text=words)

    try:
        result = exporting.write_export(
            info,
            format_key,
            out,
            only_agreed=agreed,
            images=images,
            report=report,
        )
    except LnlError as error:
        bar.empty()
        st.error(_words.told(error), icon=":material/error:")
        return
    bar.empty()
    unit = "task" if format_key == "label-studio" else "image"
    st.success(f"{_words.plural(result.rows, unit)} written:", icon=":material/check:")
    st.code(str(out), language=None, wrap_lines=True)
    if result.source:
        st.caption(f"pred_probs: {plain(result.source)}.")
    for problem in result.problems:
        st.warning(plain(problem), icon=":material/warning:")
    for note in result.notes:
        if note not in said:
            st.caption(plain(note))


def _command(info: DatasetInfo, format_key: str, out: Path, agreed: bool, images: str) -> str:
    parts = ["export", info.name, "--format", format_key]
    parts += ["--out", str(out)]
    if images and images != FORMATS[format_key].images[0]:
        parts += ["--images", images]
    if not agreed:
        parts.append("--all")
    return command(*parts)
