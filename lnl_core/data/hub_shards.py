"""Which Parquet files of a folder hold images, which of them belong together, and their columns."""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lnl_core.data.files import inside_path
from lnl_core.data.hub_columns import as_named
from lnl_core.data.hub_features import class_names
from lnl_core.data.reading.column_names import COLUMNS
from lnl_core.data.reading.split_names import is_split
from lnl_core.data.table_text import visible
from lnl_core.readings import Answers, Choice, Question
from lnl_core.said import many
from lnl_core.types import LnlError, meant

_SHARD = re.compile(r"(.+?)[-_.]\d+(-of-\d+)?$")
_ALL = "all"
_PARTIAL = "partial-"
_BATCH = 64
_COMPARED = 2**28
"""Bytes of images up to which all are compared, to tell parts of a set from other labels of it."""

_REPEATED = 0.1
"""More of a folder's images in another are the same images again, not chance copies."""


@dataclass(frozen=True, slots=True)
class Shards:
    """The Parquet files that are read.

    Attributes:
        files: with images in them; none where the folder has none.
        questions: what is asked about them.
        notes: which files beside them are not read and why, and which folders are one set.
        top: the folder of the set; None for a lone file, which is one.
    """

    files: Sequence[Path] = ()
    questions: Sequence[Question] = ()
    notes: Sequence[str] = ()
    top: Path | None = None


def find(folder: Path, answers: Answers) -> Shards:
    """Return the Parquet files with images in a folder, or in the folders below.

    A folder for each split (`data/train/0000.parquet`) is one set. Files of several folders are
    asked about: a set may have its images under other labels in each (`fine/`, `coarse/`).

    Raises:
        LnlError: a folder that was asked for has none.
    """
    there = [
        file
        for pattern in ("*.parquet", "*/*.parquet", "*/*/*.parquet")
        for file in sorted(folder.glob(pattern))
        if file.is_file()
    ]
    shards = [file for file in there if holds_images(file)]
    notes = _not_used(folder, set(there) - set(shards), "No image is in {}.") if shards else []
    groups: dict[str, list[Path]] = {}
    for file in shards:
        groups.setdefault(_group(folder, file), []).append(file)
    if len(groups) < 2 or _are_splits(list(groups.values()), folder):
        return Shards(shards, (), notes, folder)
    if not answers.lists and _are_parts(list(groups.values())):
        return Shards(shards, (), [*notes, f"Read together: {_shown(groups)}."], folder)
    wanted = set(answers.lists) or {_ALL}
    if unknown := sorted(wanted - {*groups, _ALL}):
        raise LnlError(
            f"{visible(folder.name)} has no Parquet files in “{unknown[0][:60]}”."
            f"{meant(unknown[0], list(groups))} They are in: {', '.join(map(visible, groups))}."
        )
    files = [file for name, of in groups.items() for file in of if wanted & {name, _ALL}]
    notes += _not_used(folder, set(shards) - set(files), "The folder was not chosen.")
    return Shards(files, (_question(folder, groups, answers),), notes, folder)


def _not_used(folder: Path, files: Collection[Path], why: str) -> list[str]:
    """Say which files are not read, in a line a folder."""
    of: dict[Path, list[Path]] = {}
    for file in sorted(files):
        of.setdefault(file.parent, []).append(file)
    lines = []
    for each in of.values():
        name = visible(inside_path(folder, str(each[0])) or each[0].name)
        more = f" and {many(len(each) - 1, 'file')} more beside it" if len(each) > 1 else ""
        are, them = ("are", "them") if more else ("is", "it")
        lines.append(f"“{name[:60]}”{more} {are} not used. {why.format(them)}")
    return lines


def _group(folder: Path, file: Path) -> str:
    """Return the folder of a shard below the set's, without those of splits; "." for its own."""
    parts = file.parent.relative_to(folder).parts
    return "/".join(part for part in parts if not _split(part)) or "."


def _are_splits(groups: Sequence[Sequence[Path]], top: Path) -> bool:
    """Tell whether files in several folders are of one set: each a split, the same classes."""
    splits = [{split_of(file, top) for file in files} for files in groups]
    apart = sum(map(len, splits)) == len(set().union(*splits)) and "" not in set().union(*splits)
    classes = [class_names(schema_of(files[0])) for files in groups]
    return apart and all(each == classes[0] for each in classes)


def _are_parts(groups: Sequence[Sequence[Path]]) -> bool:
    """Tell whether folders are parts of one set: the same columns and classes, other images.

    Folders that are too large to compare every image are not known to be.
    """
    schemas = [schema_of(files[0]) for files in groups]
    classes = [class_names(schema) for schema in schemas]
    if not all(
        schemas[0].equals(schemas[at]) and each == classes[0] for at, each in enumerate(classes)
    ):
        return False
    if sum(_size(file) for files in groups for file in files) > _COMPARED:
        return False
    images = [_digests(files) for files in groups]
    return not any(
        len(one & other) > _REPEATED * min(len(one), len(other))
        for one, other in itertools.combinations(images, 2)
    )


def _size(file: Path) -> int:
    """Return the bytes of a shard's images, as its footer says."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        footer = pq.read_metadata(file)
    except (pa.ArrowException, OSError):
        return 0  # that it is damaged is said where it is read
    column = image_columns(footer.schema.to_arrow_schema())[0]
    chunks = (
        footer.row_group(group).column(at)
        for group in range(footer.num_row_groups)
        for at in range(footer.num_columns)
    )
    return sum(
        chunk.total_uncompressed_size
        for chunk in chunks
        if chunk.path_in_schema.partition(".")[0] == column
    )


def _digests(files: Sequence[Path]) -> set[bytes]:
    """Return digests of the images of some shards."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    found = set()
    for file in files:
        column = image_columns(schema_of(file))[0]
        try:
            with pq.ParquetFile(file) as table:
                for batch in table.iter_batches(_BATCH, columns=[column]):
                    for cell in batch.column(0).to_pylist():
                        data = cell.get("bytes") if isinstance(cell, dict) else cell
                        found.add(hashlib.sha256(data or b"").digest())
        except (pa.ArrowException, OSError):
            continue  # that it is damaged is said where it is read
    return found


def _shown(groups: Iterable[str]) -> str:
    return ", ".join(_named(name) for name in list(groups)[:8])


def _question(folder: Path, groups: Mapping[str, Sequence[Path]], answers: Answers) -> Question:
    return Question(
        "lists",
        f"Parquet files with images are in {len(groups)} folders of {visible(folder.name)[:40]}: "
        f"{_shown(groups)}. They may hold the same images under other labels. Which are read?",
        (
            *(
                Choice(name, f"{many(len(files), 'file')} in {_named(name)}, {_labels(files[0])}")
                for name, files in groups.items()
            ),
            Choice(_ALL, "all of them, as one set"),
        ),
        answer=", ".join(answers.lists),
        stops=True,
    )


def _named(group: str) -> str:
    return "the folder itself" if group == "." else f"“{visible(group)[:40]}”"


def _labels(file: Path) -> str:
    """Return what the labels of a shard are called, in a few words."""
    named = class_names(schema_of(file))
    first = next(iter(named.values()), [])
    if not first:
        return f"first {visible(file.name)[:40]}"
    return f"{len(first)} classes, {', '.join(name[:20] for name in first[:3])} …"


def schema_of(file: Path) -> Any:
    """Return the schema of a Parquet file; None where it is none."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if file.suffix.lower() not in (".parquet", ".pq"):
        return None
    try:
        return pq.read_schema(file)
    except (pa.ArrowException, OSError):
        return None


def holds_images(file: Path) -> bool:
    """Tell whether a Parquet file has a column of images in it; False where it is no Parquet."""
    schema = schema_of(file)
    return schema is not None and bool(image_columns(schema))


def image_columns(schema: Any) -> list[str]:
    """Return the columns that hold images: structs with bytes, else bytes called like an image."""
    import pyarrow as pa

    structs, plain = [], []
    for each in schema:
        if pa.types.is_struct(each.type):
            inner = {each.type.field(i).name: each.type.field(i).type
                     for i in range(each.type.num_fields)}  # fmt: skip
            if "bytes" in inner and _is_bytes(inner["bytes"]):
                structs.append(str(each.name))
        elif _is_bytes(each.type) and each.name.lower() in (*COLUMNS["image"], "bytes"):
            plain.append(str(each.name))
    return structs or plain


def image_column(file: Path, schema: Any, answers: Answers) -> tuple[str, Question | None]:
    """Return the column of images, and the question where several may be it.

    Raises:
        LnlError: it holds none, or none that is called as was said.
    """
    there = [] if schema is None else image_columns(schema)
    if not there:
        raise LnlError(f"{file.name} holds no images. Choose another file.")
    if said := answers.image_column:
        return as_named(file, said, there, "no images in a column {}", "They are in"), None
    named = [name for name in there if name.lower() in COLUMNS["image"]]
    likely = named if len(named) == 1 else there
    if len(likely) == 1:
        return likely[0], None
    shown = ", ".join(f"“{visible(each)[:40]}”" for each in there[:12])
    return there[0], Question(
        "image_column",
        f"Several columns of {file.name} hold images: {shown}. Which image has the label?",
        tuple(Choice(each, "images") for each in there[:40]),
        stops=True,
    )


def _is_bytes(kind: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def split_of(file: Path, top: Path | None = None) -> str:
    """Return the split that a shard's name says, or else the nearest folder; "" for none.

    Args:
        file: the shard.
        top: the folder of the set, the last one that is looked at; the file's own when None.
    """
    found = _SHARD.fullmatch(file.stem)
    stem = found[1] if found else file.stem
    depth = len(file.parent.relative_to(top or file.parent).parts)
    above = (folder.name for folder in [*file.parents][: depth + 1])
    return next(filter(None, map(_split, (stem, *above))), "")


def _split(name: str) -> str:
    """Return the split that a name is, without the hub's mark of one cut short; "" for others."""
    name = name.removeprefix(_PARTIAL)
    return visible(name) if is_split(name) else ""
