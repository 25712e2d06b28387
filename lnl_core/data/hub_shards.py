"""Which Parquet files of a folder hold images, which of them belong together, and their columns."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lnl_core.data.files import inside_path
from lnl_core.data.hub_features import class_names
from lnl_core.data.reading.column_names import COLUMNS
from lnl_core.data.reading.split_names import is_split
from lnl_core.data.table_text import visible
from lnl_core.readings import Answers, Choice, Question
from lnl_core.said import many
from lnl_core.types import LnlError, meant

_SHARD = re.compile(r"(.+?)[-_.]\d+(-of-\d+)?$")
_ALL = "all"


@dataclass(frozen=True, slots=True)
class Shards:
    """The Parquet files that are read.

    Attributes:
        files: with images in them; none where the folder has none.
        questions: what is asked about them.
        unused: Parquet files beside them that are not read -> why.
    """

    files: Sequence[Path] = ()
    questions: Sequence[Question] = ()
    unused: Mapping[str, str] = field(default_factory=dict)


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
    unused = {
        _called(folder, file): "It holds no images." for file in there if file not in set(shards)
    }
    groups: dict[str, list[Path]] = {}
    for file in shards:
        groups.setdefault(_group(folder, file), []).append(file)
    if len(groups) < 2 or _are_one(list(groups.values())):
        return Shards(shards, (), unused if shards else {})
    wanted = set(answers.lists) or {_ALL}
    if unknown := sorted(wanted - {*groups, _ALL}):
        raise LnlError(
            f"{visible(folder.name)} has no Parquet files in “{unknown[0][:60]}”."
            f"{meant(unknown[0], list(groups))} They are in: {', '.join(map(visible, groups))}."
        )
    files = [file for name, of in groups.items() for file in of if wanted & {name, _ALL}]
    unused |= {
        _called(folder, file): "Its folder was not chosen." for file in shards if file not in files
    }
    return Shards(files, (_question(folder, groups, answers),), unused)


def _called(folder: Path, file: Path) -> str:
    return visible(inside_path(folder, str(file)) or file.name)


def _group(folder: Path, file: Path) -> str:
    """Return the folder of a shard below the set's, without those of splits; "." for its own."""
    parts = file.parent.relative_to(folder).parts
    return "/".join(part for part in parts if not is_split(part)) or "."


def _are_one(groups: Sequence[Sequence[Path]]) -> bool:
    """Tell whether files in several folders are of one set: each a split, the same classes."""
    splits = [{split_of(file) for file in files} for files in groups]
    apart = sum(map(len, splits)) == len(set().union(*splits)) and "" not in set().union(*splits)
    schemas = [schema_of(files[0]) for files in groups]
    classes = [class_names(schema) for schema in schemas]
    return apart and all(each == classes[0] for each in classes)


def _question(folder: Path, groups: Mapping[str, Sequence[Path]], answers: Answers) -> Question:
    shown = ", ".join(f"“{visible(name)[:40]}”" for name in list(groups)[:8])
    return Question(
        "lists",
        f"Parquet files with images are in {len(groups)} folders of {visible(folder.name)[:40]}: "
        f"{shown}. They may hold the same images under other labels. Which are read?",
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
    if answers.image_column:
        by_name = {name.lower(): name for name in there}
        if answers.image_column.lower() not in by_name:
            raise LnlError(
                f"{file.name} has no images in a column “{answers.image_column[:40]}”."
                f"{meant(answers.image_column, there)} They are in: {', '.join(there[:12])}."
            )
        return by_name[answers.image_column.lower()], None
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


def split_of(file: Path) -> str:
    """Return the split that a shard's name or folder says; "" where it says none."""
    found = _SHARD.fullmatch(file.stem)
    stem = found[1] if found else file.stem
    for name in (stem, file.parent.name):
        if is_split(name):
            return visible(name)
    return ""
