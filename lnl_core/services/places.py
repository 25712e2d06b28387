"""What no output touches: a workspace's own files, and the originals of every set in it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from lnl_core.data import export, outputs
from lnl_core.data.files import inside_path
from lnl_core.data.layouts.lists import MANIFEST, TRAIL
from lnl_core.data.outputs import Place
from lnl_core.services.datasets import moving
from lnl_core.store import datasets, private
from lnl_core.types import DatasetInfo, LnlError, Workspace

GENERATOR = "LNL Review"
"""What a report says in its head of who made it."""

_HEADS = (
    *(columns[:4] for columns in export.COLUMNS.values()),
    MANIFEST[1:5],
    MANIFEST[:5],
    TRAIL[:3],
)
_LOOK = 4096


def output(
    ws: Workspace, out: str | Path, endings: Sequence[str] = outputs.TABLES, *, force: bool = False
) -> Place:
    """Look at where an output of a workspace is to go.

    Args:
        ws: the workspace that it leaves.
        out: a file, a pipe, a device, or `-` for standard output.
        endings: that a file of this format has.
        force: a file that stands there may be replaced.

    Raises:
        LnlError: a file that is there already, a missing folder, another format's ending, one of
            the originals, or a file of the workspace.
    """
    return outputs.place(out, endings, lambda path: guarded(ws, path), force=force)


def folder(info: DatasetInfo, out: Path) -> Path:
    """Look at where a new folder of a set is to go; that it is new is seen later.

    Raises:
        LnlError: a missing folder above it, the name of a file, or a place in the workspace or
            in a folder that a set was read from.
    """
    ws = info.workspace
    asked = out.expanduser()
    if outputs.is_loop(asked):
        raise LnlError(f"{out} cannot be written: {outputs.LOOP}. Choose another folder.")
    path = asked.resolve() if asked.is_symlink() else asked.absolute()
    if path.suffix.lower() in _FILES:
        raise LnlError(f"{out} is named like a file, and a folder is written. Name a folder.")
    if path.parent == ws.home / "exports":
        path.parent.mkdir(exist_ok=True)
    if not path.parent.is_dir():
        raise LnlError(f"There is no folder {path.parent}. Make it first, or choose another one.")
    if refusal := guarded(ws, path.resolve()):
        raise LnlError(f"{out} is {refusal}, which no output touches. Choose another folder.")
    for each in datasets.datasets(ws):
        sources = _sources(each)[each.id == info.id :]  # from where the set was, it may have moved
        for source in (*sources, *_originals(each)):
            if source.is_dir() and inside_path(source.resolve(), str(path.resolve())):
                raise LnlError(
                    f"{out} lies among the originals of “{each.name}” ({source}), which are never "
                    "touched. Choose a folder beside them."
                )
    return path


_FILES = (*outputs.TABLES, ".tsv", ".json", ".jsonl", ".html", ".txt", ".xlsx", ".npy", ".npz")


def guarded(ws: Workspace, path: Path) -> str:
    """Say what of the workspace or of the originals a path is; empty where it is neither.

    A table or report that this program wrote earlier may lie among the originals; it is none.

    Args:
        ws: the workspace.
        path: where an output would be written, all links followed.
    """
    home = ws.home.resolve()
    if path == home:
        return "the workspace"
    if inside_path(home, str(path)):
        first = path.relative_to(home).parts[0]
        if first in private.OWN or first.startswith((".", "review.db")):
            return "a file of the workspace"
        if first != "exports" and path.is_file() and not _ours(path):
            return "a file of the workspace"
    if ws.on_sqlite and str(path).startswith(_database(ws)):
        return "the workspace's database"
    if not path.exists():
        return ""
    for info in datasets.datasets(ws):
        for source in (*_sources(info), *_originals(info)):
            with suppress(OSError, ValueError):
                if source.is_file() and path.samefile(source):
                    return f"the list or file that “{info.name}” was imported from"
                if inside_path(source.resolve(), str(path)) and not _ours(path):
                    return f"one of the originals of “{info.name}”"
        if _is_list(info, path):
            return f"the list or file that “{info.name}” was imported from"
    return ""


def _sources(info: DatasetInfo) -> list[Path]:
    """Return the files and folders that a set was read from, then and when images were added."""
    meta = datasets.read_meta(info)
    named = [info.source, meta.get("answers", {}).get("classes_file", "")]
    named += [each.get("source", "") for each in meta.get("additions", ())]
    return [Path(each) for each in named if each and os.path.isabs(each)]


def _is_list(info: DatasetInfo, path: Path) -> bool:
    """Tell whether a file is a list that a set or an addition to it was read from, also once moved.

    Of sets from before lists were noted, any table of ours in the folder of the list is taken as
    one.
    """
    meta = datasets.read_meta(info)
    batches = [meta | {"source": info.source}, *meta.get("additions", ())]
    for batch in batches:
        source = Path(batch.get("source", ""))
        if "lists" not in batch and meta.get("kind") == "manifest" and source.is_absolute():
            return inside_path(source.resolve(), str(path)) is not None
        for name in batch.get("lists", ()):
            below = inside_path(source, name)
            moved = [each / below for each in _originals(info)] if below else []
            for each in (Path(name), *moved):
                with suppress(OSError, ValueError):
                    if path.samefile(each):
                        return True
    return False


def _originals(info: DatasetInfo) -> list[Path]:
    """Return the folders that the originals of a set lie in now, those added from elsewhere too."""
    found = [] if info.root is None else [info.directory / info.root]
    if info.additions:
        with suppress(LnlError, OSError):  # a damaged set has what its list entry says
            found += [Path(each) for each in moving.folders(info)]
    return found


def _database(ws: Workspace) -> str:
    """Return the path of the SQLite file; its companions begin with it."""
    from sqlalchemy import make_url

    return os.path.realpath(make_url(ws.url).database or ws.home / "review.db")


def _ours(path: Path) -> bool:
    """Say whether this program wrote a table or report, by how it begins."""
    if not path.is_file():
        return False
    if path.suffix.lower() in outputs.PARQUET:
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            names = tuple(pq.read_schema(path).names)
        except (OSError, pa.ArrowException):
            return False
        return any(names[: len(head)] == head for head in _HEADS)
    with path.open("rb") as stream:
        start = stream.read(_LOOK).decode("utf-8-sig", errors="replace")
    if f'name="generator" content="{GENERATOR}"' in start:
        return True
    names = tuple(start.splitlines()[0].split(",")) if start else ()
    return any(names[: len(head)] == head for head in _HEADS)
