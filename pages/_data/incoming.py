"""Six ways to bring data: one dialog each, a look before anything is read, progress after."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from pathlib import Path

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from lnl_core.services.datasets import catalog, incoming, settings
from lnl_core.services.datasets.incoming import Incoming
from lnl_core.services.runs import control
from lnl_core.services.workspace import datasets
from lnl_core.types import DatasetInfo, LnlError
from pages import _ui, _words
from pages._data import demo, reading
from pages._ui import plain

_AGAIN = re.compile(r" \d+$")
UPLOAD_MB = 500
"""An upload lies in this process's memory until it is on the disk."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to bring data, as the first visit lists it."""

    title: str
    caption: str
    icon: str
    label: str = ""
    example: str = ""
    hint: str = ""
    upload: str = ""
    root: bool = False
    public: str = ""


WAYS = {
    "folder": Way(
        "Folder per class",
        "photos/cat/1.jpg, photos/dog/2.jpg",
        "folder",
        label="Folder on this computer",
        example="/data/photos",
        hint="The folder above the class folders. Each folder's name is the label.",
    ),
    "list": Way(
        "CSV or Parquet list",
        "columns image, label, optional id",
        "table_view",
        label="List on this computer",
        example="/data/labels.csv",
        hint="One row per image. A column `true_label` is kept for your own reports only.",
        root=True,
    ),
    "npz": Way(
        "NPZ arrays",
        "images (n, h, w, c), labels (n)",
        "data_object",
        label="File on this computer",
        example="/data/set.npz",
        hint="`images`, `labels`; `class_names`, `ids` and `splits` where you have them.",
        upload="npz",
    ),
    "zip": Way(
        "Zip upload",
        f"any of these, zipped, up to {UPLOAD_MB} MB",
        "archive",
        hint="A zip of class folders, or of a list with its images. Larger ones: give the path "
        "in “Folder per class”.",
        upload="zip",
    ),
    "layout": Way(
        "torchvision or Hugging Face folder",
        "read where it lies",
        "hub",
        label="Folder on this computer",
        example="/data/imagefolder",
        hint="train/cat/1.jpg, a folder with metadata.csv or metadata.jsonl beside the images, or "
        "CIFAR and MNIST as torchvision downloads them.",
    ),
    "public": Way(
        "CIFAR-10 with human labels",
        "a public set to try, needs a network",
        "cloud_download",
        public="cifar10n",
    ),
}


# Which dialog is open -------------------------------------------------------------------------


def ask(kind: str) -> None:
    """Remember, as a callback, which dialog the coming run opens."""
    st.session_state["import_kind"] = kind
    reading.forget()


def asked() -> str | None:
    """Return which dialog this run opens."""
    return st.session_state.get("import_kind")


def again(info: DatasetInfo) -> None:
    """Remember, as a callback, to open the dialog that read a set, filled in, under a free name."""
    kind = _kind_again(info)
    if kind is None:
        return
    source = Path(info.source)
    st.session_state[f"path_{kind}"] = info.source
    said = settings.answers(info)
    st.session_state[reading.answers_key(kind, source)] = said.to_json()
    if WAYS[kind].root and info.root and Path(info.root).is_absolute():
        st.session_state[f"root_{kind}"] = info.root
    taken = {each.name for each in datasets(_ui.workspace())}
    stem = _AGAIN.sub("", info.name)[:70]
    free = next(name for n in itertools.count(2) if (name := f"{stem} {n}") not in taken)
    st.session_state[f"name_{kind}_{_name_of(source)}"] = free
    ask(kind)


def can_again(info: DatasetInfo) -> bool:
    """Tell whether what a set was read from is still there; an upload's copy is not."""
    return _kind_again(info) is not None


def _kind_again(info: DatasetInfo) -> str | None:
    source = Path(info.source)
    if not info.source or not source.is_absolute() or not source.exists():
        return None
    kinds = {"folder": "folder", "manifest": "list", "npz": "npz", "zip": "folder"}
    listed = info.kind == "manifest" and source.is_dir()  # Hugging Face: metadata.csv inside
    return "layout" if listed or info.kind == "torchvision" else kinds.get(info.kind)


def show_dialog() -> None:
    """Open the dialog that was asked for; call it last, so that the page is drawn behind it."""
    kind = st.session_state.pop("import_kind", None)
    if kind in WAYS:
        way = WAYS[kind]
        body = _public if way.public else _dialog
        _ui.dialog(way.title, icon=f":material/{way.icon}:")(body)(kind)


# The dialog -----------------------------------------------------------------------------------


def _dialog(kind: str) -> None:
    way = WAYS[kind]
    st.caption(way.hint)
    upload = None
    if way.upload:
        upload = st.file_uploader(
            f"A .{way.upload} file from this browser",
            type=way.upload,
            max_upload_size=UPLOAD_MB,
            key=f"upload_{kind}",
        )
    text = ""
    if way.label and upload is None:
        label = f"Or: {way.label[0].lower()}{way.label[1:]}" if way.upload else way.label
        text = st.text_input(label, placeholder=way.example, key=f"path_{kind}")
    root_text = ""
    if way.root:
        root_text = st.text_input(
            "Where its images are",
            placeholder="the list's own folder",
            key=f"root_{kind}",
            help="The folder that the paths in the list start from.",
        )
    source, root, problem = _resolve(text, root_text)
    if upload is not None:
        source, root, problem = _uploaded(kind, upload), None, ""
    suggestion = Path(upload.name).stem if upload is not None else _name_of(source)
    name_key = f"name_{kind}_{suggestion}"
    st.session_state.setdefault(name_key, suggestion)
    name = st.text_input("Name", max_chars=80, key=name_key)
    size = _resolution(kind)
    seen = None
    if problem:
        st.error(problem, icon=":material/error:")
    elif source is not None:
        seen = reading.draw(kind, source, root, size)
    ready = seen is not None and not seen.open_questions and bool(name.strip())
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("Import", type="primary", key=f"import_{kind}", disabled=not ready):
            assert source is not None
            incoming.start_import(
                _ui.workspace(),
                source,
                name,
                root=root,
                size=size,
                answers=reading.answers_of(kind, source),
                uploaded=None if upload is None else upload.name,
            )
            st.session_state.pop(f"kept_{kind}", None)
            st.rerun()


def _uploaded(kind: str, upload: UploadedFile) -> Path:
    """Keep an upload on the disk, once; another one takes its place."""
    kept: tuple[str, Path] | None = st.session_state.get(f"kept_{kind}")
    if kept is None or kept[0] != upload.file_id or not kept[1].is_file():
        if kept is not None:
            incoming.drop_upload(kept[1])
        file = incoming.keep_upload(_ui.workspace(), upload, upload.name)
        kept = st.session_state[f"kept_{kind}"] = (upload.file_id, file)
    return kept[1]


def _public(kind: str) -> None:
    """Show address, checksum and licence of every file; download only after a yes."""
    known = next(each for each in catalog.public_sets() if each.key == WAYS[kind].public)
    st.caption(f"{known.sentence} {known.cite}.")
    for each in known.downloads:
        size = f", {_words.file_size(each.bytes)}" if each.bytes else ""
        st.markdown(
            f"**{each.what.capitalize()}{size}**  \n{plain(each.licence)}  \n"
            f":gray[:small[{plain(each.check)}]]"
        )
        st.code(
            f"{each.url}\nMD5 {each.md5}" if each.md5 else each.url,
            language=None,
            wrap_lines=True,
        )
    sets = known.labels
    labels: str | None = st.selectbox(
        "Labels",
        list(sets),
        format_func=lambda key: (
            f"{sets[str(key)][0]}: {100 * sets[str(key)][1]:.1f}\u202f% differ from CIFAR-10's own"
        ),
        key="public_labels",
    )
    name = st.text_input("Name", value="CIFAR-10N", max_chars=80, key="public_name")
    agreed = st.checkbox("My use is not commercial", key="public_agreed")
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button(
            "Download", type="primary", key="public_go", disabled=not agreed or not name.strip()
        ):
            incoming.start_public(_ui.workspace(), known.key, str(labels), name)
            st.rerun()


def _name_of(source: Path | None) -> str:
    """Suggest a name: the file's or folder's own, or its parent's where that says more."""
    if source is None:
        return ""
    vague = source.stem.lower() in ("images", "data", "train", "labels", "photos", "dataset")
    return source.parent.name if vague and source.parent.name else source.stem


def _resolution(kind: str) -> int | None:
    """Ask for the working resolution; chosen from the images unless the person knows better."""
    choice = st.selectbox(
        "Working resolution",
        [0, 32, 64, 96, 128, 224],
        format_func=lambda side: f"{side} px" if side else "chosen from the images",
        key=f"size_{kind}",
        help="Methods see copies of this size; Review shows the originals.",
    )
    return int(choice) if choice else None


def _resolve(text: str, root_text: str) -> tuple[Path | None, Path | None, str]:
    """Return (source, root, what is wrong with them in words)."""
    if not text.strip():
        return None, None, ""
    try:
        source = incoming.allowed_path(text)
        root = incoming.allowed_path(root_text) if root_text.strip() else None
    except LnlError as error:
        return None, None, plain(error)
    return source, root, ""


# Progress -------------------------------------------------------------------------------------


def draw_imports() -> bool:
    """Draw imports that go on or have ended unread; True while one is being read."""
    tasks = incoming.imports(_ui.workspace())
    if not tasks:
        return False
    reading = any(task.state == "reading" for task in tasks)
    st.fragment(_imports, run_every=0.5 if reading else None)(reading)
    return reading


@_ui.guarded
def _imports(was_reading: bool) -> None:
    tasks = incoming.imports(_ui.workspace())
    ended = was_reading and not any(task.state == "reading" for task in tasks)
    if ended and not st.session_state.get("dialog_open"):  # which a new run would close
        done = next((task for task in tasks if task.state == "done"), None)
        if done is not None:
            st.session_state["dataset"] = done.name
            st.query_params["dataset"] = done.name
        st.rerun()
    for task in tasks:
        with st.container(key=f"import_{task.id}"):
            _one(task)


def _one(task: Incoming) -> None:
    name = plain(_ui.short(task.name, 40))
    if task.state == "reading":
        share = task.done / task.total if task.total else 0.0
        st.progress(min(share, 1.0), text=f"Importing **{name}**: {_reading(task)}")
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        if task.state == "failed":
            st.error(f"**{name}**: {plain(task.message)}", icon=":material/error:")
        else:
            went_in = _words.plural(task.imported, "image")
            st.success(
                f"**{name}**: {went_in} in, {_words.count(task.skipped)} skipped.",
                icon=":material/check:",
            )
            _offer_scoring(task)
        if st.button("Dismiss", icon=":material/close:", type="tertiary", key=f"dismiss_{task.id}"):
            incoming.dismiss(_ui.workspace(), task.id)
            st.rerun()


def _offer_scoring(task: Incoming) -> None:
    """Offer the next act on a set that has just come in, until something has been started."""
    ws = _ui.workspace()
    info = next((each for each in datasets(ws) if each.name == task.name), None)
    if info is None or control.runs(info, limit=1):
        return
    if st.button("Score it", icon=":material/play_arrow:", key=f"scored_{task.id}"):
        incoming.dismiss(ws, task.id)
        demo.start_scoring(info)
        st.rerun()


def _reading(task: Incoming) -> str:
    """Return `3,120 of 8,000 read, 9 skipped, 12 s left`."""
    if not task.total:
        return task.stage or "looking at the files"
    words = (
        [task.stage]
        if task.stage
        else [
            f"{_words.count(task.done)} of {_words.count(task.total)} read",
            f"{_words.count(task.skipped)} skipped",
        ]
    )
    if task.eta_seconds is not None:
        words.append(f"{_words.about(task.eta_seconds)} left")
    return ", ".join(words)
