"""Which data sets there are, and how to open one without reading it into memory."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from lnl_core.records import DatasetInfo, LnlError, NotFound, Workspace, meant
from lnl_core.store import folders, owned, schema
from lnl_core.store.db import now, reading, refuse_read_only, transaction
from lnl_core.store.faults import PATIENCE
from lnl_core.store.files import read_json, readable, write_json
from lnl_core.store.table import ArrowStrings, Paths, column_of_splits, splits_of, table_of

if TYPE_CHECKING:  # a list of data sets needs no array
    from lnl_core.types import IntArray, LabeledDataset

TRUE_LABELS = "true_labels.npy"
"""(n,) the right class of every image: known only where errors were made on purpose."""

JUDGED_LABELS = "judged_labels.npy"
"""(n,) the right class of the images that somebody judged before the import, -1 for the rest."""


META, META_COPY = "meta.json", "meta.copy.json"
"""In a set's folder: what it is (classes, size, guides, goal), and the same again for `doctor`."""

FORMER_NAMES = "former_names"
"""In `meta.json`: the names that the set had earlier, the last one last."""

COPIES_FOUND = "copies"
"""In `meta.json`: how many copies there are, as `data.copies.summary` counts, `of` how many."""

COPIES = "copies.npy"
"""In a set's folder: (n,) int32, the first row of the group of copies that each image is in."""

OUTLINE = "outline-1.npy"
"""Beside the working copies: (n,), what copies are found by, as `data.outlines` makes it."""

CONTENT, FILE_DIGESTS = "content.npy", "file_digests.npy"
"""In a set's folder: (n,) digests of the working copies' pixels, and of the original files."""

LISTED = "listed.npy"
"""In a set's folder: (m, 2) int32, row and label of images that came with several labels."""


def register(
    ws: Workspace, name: str, directory: Path, *, replace_directory: bool = False
) -> DatasetInfo:
    """Adopt a finished import: move its folder into the workspace and list it.

    Args:
        ws: the workspace.
        name: what the user calls the set; unique.
        directory: a folder written by `data.importers` or another `SetWriter`, on any disk.
        replace_directory: leave the folder where it is (tests of very large sets).

    Raises:
        LnlError: the name is blank, too long or taken.
    """
    name = check_name(name)
    meta = read_json(directory / META)
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "set"
    stamp = now()
    target: Path | None = None
    try:
        with transaction(ws) as connection:
            result = connection.execute(
                insert(schema.datasets).values(
                    name=name,
                    folder=f"pending-{os.getpid()}-{stamp}",
                    kind=meta["kind"],
                    source=str(meta.get("source") or ""),
                    n=meta["n"],
                    class_count=len(meta["class_names"]),
                    created_at=stamp,
                    used_at=stamp,
                )
            )
            primary_key = result.inserted_primary_key
            assert primary_key is not None
            free = folders.free(ws, f"{primary_key[0]}-{slug}")
            connection.execute(
                update(schema.datasets)
                .where(schema.datasets.c.id == primary_key[0])
                .values(folder=free.name)
            )
            if replace_directory:
                free.symlink_to(directory, target_is_directory=True)
            else:
                owned.claim(directory)
                write_meta(directory, meta | {"name": name, FORMER_NAMES: []})
                folders.move(directory, free)
                target = free
    except IntegrityError as error:
        raise LnlError(
            f"There is a data set named “{name}” already. Choose another name."
        ) from error
    except BaseException:
        if target is not None:  # moved, but the list does not have it
            shutil.rmtree(target, ignore_errors=True)
        raise
    if target is not None:
        owned.release(target)
    return dataset(ws, name)


def check_name(name: str) -> str:
    """Return the name without outer blanks.

    Raises:
        LnlError: blank, longer than 80 characters, or with control characters.
    """
    name = name.strip()
    if not name:
        raise LnlError("A data set needs a name. Type one.")
    if len(name) > 80:
        raise LnlError(f"The name has {len(name)} characters; 80 are the most. Shorten it.")
    if not name.isprintable():
        raise LnlError("The name has a line break or another unprintable character. Remove it.")
    return name


def _info(ws: Workspace, record: Row[Any]) -> DatasetInfo:
    with readable(ws.datasets_dir / record.folder / META):
        return _readable_info(ws, record)


def _readable_info(ws: Workspace, record: Row[Any]) -> DatasetInfo:
    directory = ws.datasets_dir / record.folder
    meta = _meta(directory, (directory / META).stat().st_mtime_ns)
    none, new = set(meta.get("no_classes", ())), set(meta.get("new_classes", ()))
    grown = meta.get("additions", ())
    info = DatasetInfo(
        workspace=ws,
        id=record.id,
        name=record.name,
        directory=directory,
        kind=record.kind,
        source=record.source,
        n=meta["n"],
        class_count=len(meta["class_names"]),
        created_at=record.created_at,
        used_at=record.used_at,
        class_names=tuple(meta["class_names"]),
        height=meta["height"],
        width=meta["width"],
        channels=meta["channels"],
        skipped=meta.get("skipped", 0),
        has_truth=False,
        root=meta.get("root"),
        version=meta["version"],
        format=meta.get("format", ""),
        no_classes=tuple(i for i, each in enumerate(meta["class_names"]) if each in none),
        new_classes=tuple(i for i, each in enumerate(meta["class_names"]) if each in new),
        imported_classes=imported_classes(meta),
        additions=tuple(int(each["first"]) for each in grown),
        grown_at=tuple(str(each["added_at"]) for each in grown),
        grown_after=tuple(tuple(each["after"]) if "after" in each else None for each in grown),
        moved=tuple((str(old), str(new), int(n)) for old, new, n in meta.get("moved", ())),
    )
    return replace(info, has_truth=(info.arrays / TRUE_LABELS).is_file())


def imported_classes(meta: Mapping[str, Any]) -> int:
    """Return how many labels a set had before any was added, by people or with images.

    Sets that grew before this was noted count what came with images as theirs.
    """
    names, new = meta["class_names"], set(meta.get("new_classes", ()))
    first = next((i for i, each in enumerate(names) if each in new), len(names))
    return int(meta.get("imported_classes", first))


@lru_cache(maxsize=256)
def _meta(directory: Path, _modified: int) -> dict[str, Any]:
    meta: dict[str, Any] = read_json(directory / META)
    return meta


@dataclass(frozen=True, slots=True)
class Broken:
    """A data set that is listed and cannot be opened: `problem` says why, in words."""

    workspace: Workspace
    id: int
    name: str
    directory: Path
    problem: str


def _all(ws: Workspace) -> Iterator[DatasetInfo | Broken]:
    table = schema.datasets
    with reading(ws) as connection:
        records = connection.execute(select(table).order_by(table.c.used_at.desc())).all()
    for record in records:
        try:
            yield _info(ws, record)
        except LnlError as error:
            directory = ws.datasets_dir / record.folder
            yield Broken(ws, record.id, record.name, directory, str(error))


def datasets(ws: Workspace) -> list[DatasetInfo]:
    """List the data sets that can be opened, last used first; see `broken` for the others."""
    return [each for each in _all(ws) if isinstance(each, DatasetInfo)]


def broken(ws: Workspace) -> list[Broken]:
    """List the data sets that cannot be opened, last used first."""
    return [each for each in _all(ws) if isinstance(each, Broken)]


def dataset(ws: Workspace, name: str) -> DatasetInfo:
    """Find a data set by name.

    Raises:
        LnlError: there is none of that name.
    """
    table = schema.datasets
    with reading(ws) as connection:
        record = connection.execute(select(table).where(table.c.name == name)).first()
    if record is None:
        known = [info.name for info in datasets(ws)]
        raise NotFound(
            f"There is no data set named “{name}”.{meant(name, known)} "
            f"Known: {', '.join(known) or 'none yet'}."
        )
    return _info(ws, record)


def dataset_by_id(ws: Workspace, dataset_id: int) -> DatasetInfo | None:
    """Find a data set by its number; None where it is gone."""
    table = schema.datasets
    with reading(ws) as connection:
        record = connection.execute(select(table).where(table.c.id == dataset_id)).first()
    return None if record is None else _info(ws, record)


def touch(info: DatasetInfo) -> None:
    """Note that a data set was used just now; lists show the last used first."""
    with transaction(info.workspace) as connection:
        connection.execute(
            update(schema.datasets).where(schema.datasets.c.id == info.id).values(used_at=now())
        )


def rename(info: DatasetInfo, new_name: str) -> DatasetInfo:
    """Call a data set something else; its folder keeps its name, so that runs go on.

    Raises:
        LnlError: a name that is blank, too long or taken.
    """
    new_name = check_name(new_name)
    try:
        with transaction(info.workspace) as connection:
            connection.execute(
                update(schema.datasets).where(schema.datasets.c.id == info.id).values(name=new_name)
            )
            meta = read_json(info.directory / META)
            if FORMER_NAMES in meta:
                names = [each for each in meta[FORMER_NAMES] if each not in (info.name, new_name)]
                changed = {"name": new_name, FORMER_NAMES: [*names, info.name]}
                write_meta(info.directory, meta | changed)
    except IntegrityError as error:
        raise LnlError(
            f"There is a data set named “{new_name}” already. Choose another name."
        ) from error
    return dataset(info.workspace, new_name)


def former_names(info: DatasetInfo) -> list[str] | None:
    """Return what a set was called before; None where it came before such names were kept."""
    names: list[str] | None = read_meta(info).get(FORMER_NAMES)
    return names


def listed(info: DatasetInfo) -> IntArray | None:
    """Return (m, 2) row and label of images that came with several labels; None for none."""
    from lnl_core.store.arrays import read_array

    file = info.arrays / LISTED
    return read_array(file) if file.is_file() else None


def remove(info: DatasetInfo) -> None:
    """Forget a data set, its runs and its decisions. The originals stay where they are."""
    forget(info.workspace, info.id, info.directory)


def forget(ws: Workspace, number: int, directory: Path) -> None:
    """Take a data set off the list, then its folder away; cut off between, the next start does."""
    refuse_read_only(ws)
    own = directory.is_dir() and not directory.is_symlink()
    if own:
        owned.claim(directory)
    try:
        with transaction(ws) as connection:
            connection.execute(delete(schema.datasets).where(schema.datasets.c.id == number))
    except BaseException:
        if own:
            owned.release(directory)
        raise
    if own or directory.is_symlink():
        folders.drop(directory)


def alone(connection: Connection, info: DatasetInfo) -> bool:
    """Let nobody else write answers, draws or leases of a set until this transaction ends.

    SQLite has one writer anyway; with this, numbers become visible in their order everywhere.

    Returns:
        False where the set is gone.
    """
    return alone_in(connection, info.id)


def alone_in(connection: Connection, number: int) -> bool:
    """Do the same by the set's number."""
    place = schema.datasets.c.id
    query = select(place).where(place == number).with_for_update(key_share=True)
    return connection.execute(query).scalar() is not None


def update_meta(info: DatasetInfo, **values: Any) -> None:
    """Change entries of a data set's `meta.json` (class guides, goal), atomically."""
    change_meta(info, lambda _: values)


def change_meta(
    info: DatasetInfo,
    change: Callable[[dict[str, Any]], dict[str, Any]],
    patience: float = PATIENCE,
) -> None:
    """Change entries of a data set's `meta.json` by what they are, atomically.

    One at a time, held apart by the database's own lock: what another process changes meanwhile
    stays. What `change` raises leaves everything as it was.

    Args:
        info: the data set.
        change: what is there -> the entries that are other then.
        patience: seconds to wait for one's turn (SQLite).
    """
    place = schema.datasets.c.id
    with transaction(info.workspace, patience) as connection:
        connection.execute(select(place).where(place == info.id).with_for_update())
        meta = read_json(info.directory / META)
        meta |= change(dict(meta))
        connection.execute(
            update(schema.datasets)
            .where(place == info.id)
            .values(n=meta["n"], class_count=len(meta["class_names"]))
        )
        write_meta(info.directory, meta)


def write_meta(directory: Path, meta: dict[str, Any]) -> None:
    """Write a set's `meta.json`, then the copy from which it can be restored."""
    write_json(directory / META, meta)
    write_json(directory / META_COPY, meta)


def read_meta(info: DatasetInfo) -> dict[str, Any]:
    """Return all of a data set's `meta.json`."""
    meta: dict[str, Any] = read_json(info.directory / META)
    return meta


def follows_links(info: DatasetInfo) -> bool:
    """Tell whether a person let the import follow links that lead out of its folder."""
    said: str | None = read_meta(info).get("answers", {}).get("links")
    return said == "follow"


def judged_labels(info: DatasetInfo) -> IntArray | None:
    """Return (n,) the right class where it came with the set, -1 elsewhere; None without any.

    It judges methods in Compare. `load` leaves it out, so that neither a method nor a reviewer
    sees it.
    """
    from lnl_core.store.arrays import read_array

    path = info.arrays / JUDGED_LABELS
    return read_array(path) if path.is_file() else None


def load(info: DatasetInfo) -> LabeledDataset:
    """Open a data set: images and labels memory-mapped, ids and paths in Arrow.

    Raises:
        Damaged: one of its files is cut off, gone, or does not fit the others.
    """
    with readable(info.directory):
        return _load(info)


def _load(info: DatasetInfo) -> LabeledDataset:
    from lnl_core.store.arrays import read_array
    from lnl_core.types import LabeledDataset

    table = table_of(info.arrays / "table.parquet", info.version)
    truth = info.arrays / TRUE_LABELS
    has_paths = "path" in table.column_names and table.column("path").null_count < len(table)
    return LabeledDataset(
        name=info.name,
        class_names=info.class_names,
        given_labels=read_array(info.arrays / "given_labels.npy"),
        ids=ArrowStrings(table.column("id")),
        images=read_array(info.arrays / "images.npy"),
        paths=Paths(table.column("path"), info.moved) if has_paths else None,
        true_labels=read_array(truth) if truth.is_file() else None,
        groups=copies(info),
        splits=column_of_splits(table),
    )


def splits(info: DatasetInfo) -> tuple[tuple[str, ...], IntArray] | None:
    """Return the names of a set's splits and the place of each image's among them, (n,).

    Images that came in no split have -1. None where none has one.
    """
    return splits_of(table_of(info.arrays / "table.parquet", info.version))


def copies(info: DatasetInfo) -> IntArray | None:
    """Return which images are copies of one picture, (n,); None where nobody has looked yet.

    Sets that version 0.1.0 imported are looked over by their next run.
    """
    from lnl_core.store.arrays import read_array

    path = info.arrays / COPIES
    groups = read_array(path) if path.is_file() else None
    return groups if groups is not None and len(groups) == info.n else None
