"""Six ways to bring data: one dialog each, a look before anything is read, one press after it."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from pathlib import Path

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from lnl_core.readings import Reading
from lnl_core.services.datasets import catalog, incoming, settings
from lnl_core.services.runs import recipes
from lnl_core.services.workspace import datasets
from lnl_core.types import DatasetInfo, LnlError
from pages import _ui, _words
from pages._components.first_field import first_field
from pages._data import arriving, browse, reading
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
    endings: tuple[str, ...] = (".zip",)
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
        endings=(".csv", ".tsv", ".parquet"),
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
        endings=(".npz",),
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
    stem = _AGAIN.sub("", info.name)
    free = _free(stem, besides=stem)
    st.session_state[f"name_{kind}_{_free(_name_of(source))}"] = free
    ask(kind)


def _free(name: str, besides: str = "") -> str:
    """Return a name that no set has: itself, or with the first number behind it that is free.

    Args:
        name: to begin with.
        besides: one more name that counts as taken.
    """
    taken = {each.name for each in datasets(_ui.workspace())} | {besides}
    names = itertools.chain([name[:70]], (f"{name[:70]} {n}" for n in itertools.count(2)))
    return next(each for each in names if each not in taken)


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
        _ui.dialog(way.title, width=680, icon=f":material/{way.icon}:")(body)(kind)


# The dialog -----------------------------------------------------------------------------------


def _dialog(kind: str) -> None:
    way = WAYS[kind]
    with st.container(gap=None):
        st.caption(way.hint)
        if way.label:
            first_field(f"path_{kind}")
    text, upload = _where(kind, way)
    root_text = ""
    if way.root:
        root_text = st.text_input(
            "Where its images are",
            placeholder="the list's own folder",
            key=f"root_{kind}",
            live="400ms",
            help="The folder that the paths in the list start from.",
        )
    source, root, problem = _resolve(text, root_text)
    if upload is not None:
        source, root, problem = _uploaded(kind, upload), None, ""
    size = int(st.session_state.get(f"size_{kind}") or 0) or None
    seen = None
    if problem:
        st.warning(problem, icon=":material/search:")
    elif source is not None:
        seen = reading.draw(kind, source, root, size)
    if seen is None:
        return
    name = _name_and_size(kind, upload.name if upload is not None else "", source)
    ready = not seen.open_questions and bool(name.strip())
    pressed = _start(kind, seen, ready)
    if pressed:
        assert source is not None
        task = incoming.start_import(
            _ui.workspace(),
            source,
            name,
            root=root,
            size=size,
            answers=reading.answers_of(kind, source),
            uploaded=None if upload is None else upload.name,
            score=pressed == "score",
        )
        arriving.started(task)
        for key in (f"kept_{kind}", f"browsing_{kind}"):
            st.session_state.pop(key, None)
        if pressed == "score":
            st.session_state["opening"] = name.strip()
        st.rerun()


def _where(kind: str, way: Way) -> tuple[str, UploadedFile | None]:
    """Ask for a path: typed, walked to, or a file dropped in its place."""
    text = ""
    if way.label:
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            text = st.text_input(
                way.label, placeholder=way.example, key=f"path_{kind}", live="300ms"
            )
            st.button(
                "Browse",
                icon=":material/folder_open:",
                key=f"browser_{kind}",
                on_click=browse.toggle,
                args=(kind,),
            )
    if way.label and browse.is_open(kind):
        browse.draw(kind, text, way.endings)
        return text, None
    if text.strip():
        return text, None
    drop = way.upload or "zip"
    upload = st.file_uploader(
        f"{'Or drop' if way.label else 'Drop'} a .{drop} file here",
        type=drop,
        max_upload_size=UPLOAD_MB,
        key=f"upload_{kind}",
    )
    return "", upload


def _name_and_size(kind: str, uploaded: str, source: Path | None) -> str:
    """Ask what to call the set and how large its working images are; return the name."""
    suggestion = _free(Path(uploaded).stem if uploaded else _name_of(source))
    name_key = f"name_{kind}_{suggestion}"
    st.session_state.setdefault(name_key, suggestion)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        name = st.text_input("Name", max_chars=80, key=name_key, live=True)
        st.selectbox(
            "Working resolution",
            [0, 32, 64, 96, 128, 224],
            format_func=lambda side: f"{side} px" if side else "chosen from the images",
            key=f"size_{kind}",
            width=220,
            help="Methods see copies of this size; Review shows the originals.",
        )
    return str(name)


def _start(kind: str, seen: Reading, ready: bool) -> str:
    """Draw the two ways to go on; return `score`, `import`, or nothing."""
    known = recipes.recipe_before(seen)
    # In sight, however much was read; below what is asked while something is.
    foot = st.container(gap="xsmall", key="import_foot" if ready else "import_foot_waits")
    if known is not None:
        first, whole = _words.about(known.first_seconds), _words.about(known.seconds)
        later = f", {whole} for all of it" if len(known.at_once) == len(known.runs) else ""
        foot.caption(
            f":material/timer: {known.title}: first queue about **{first}** after the import"
            f"{later}, {_words.gigabytes(known.held)} of memory at most. "
            "It goes on if you close the page."
        )
    with foot.container(horizontal=True, horizontal_alignment="right", gap="small"):
        if st.button("Import only", key=f"only_{kind}", disabled=not ready):
            return "import"
        if st.button(
            "Import and score",
            icon=":material/play_arrow:",
            type="primary",
            key=f"import_{kind}",
            disabled=not ready,
        ):
            return "score"
    return ""


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
            task = incoming.start_public(_ui.workspace(), known.key, str(labels), name)
            arriving.started(task)
            st.rerun()


def _name_of(source: Path | None) -> str:
    """Suggest a name: the file's or folder's own, or its parent's where that says more."""
    if source is None:
        return ""
    vague = source.stem.lower() in ("images", "data", "train", "labels", "photos", "dataset")
    return source.parent.name if vague and source.parent.name else source.stem


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
