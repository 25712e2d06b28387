"""FiftyOne's `labels.json` of an image classification set, as rows of image, label, id and split.

Documented as FiftyOneImageClassificationDataset: `classes` is the list of names, and null or absent
where labels are names themselves; `labels` maps a file's name without its ending in `data/`, or an
absolute path, to a class, to an object with `label` and `attributes`, or to several of them. Our
own exports keep id and split as attributes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from lnl_core.data.annotation_files import is_about, modified
from lnl_core.types import LnlError


def is_one(file: Path) -> bool:
    """Tell whether a file is one, by its first letters and then by its parts."""
    try:
        return is_about(file, ("classes", "labels")) and bool(rows_of(file))
    except LnlError:
        return False


def looks_like_one(file: Path) -> bool:
    """Tell whether a file is one, or begins as one and not as COCO's."""
    starts = is_about(file, ("classes", "labels"))
    return is_one(file) or (starts and not is_about(file, ("images", "annotations", "info")))


def rows_of(file: Path) -> tuple[dict[str, Any], ...]:
    """Return a row for every image, in the order of the file: `file_name`, `label`, `id`, `split`.

    Raises:
        LnlError: it is too large, no JSON, or lacks a part.
    """
    return _rows(file, modified(file))


@lru_cache(maxsize=2)
def _rows(file: Path, _modified: int) -> tuple[dict[str, Any], ...]:
    try:
        whole = json.loads(file.read_text("utf-8-sig"))
        names, labels = whole.get("classes"), whole["labels"]
        if not isinstance(names, list | None):
            raise TypeError("classes are no list")
        below = "data/" if (file.parent / "data").is_dir() else ""
        if names is None and not below and not all(map(os.path.isabs, labels)):
            raise LookupError("no classes, and no folder of theirs")
        rows = [_row(str(key), value, names or ()) for key, value in labels.items()]
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise LnlError(
            f"{file.name} is no list of labels in FiftyOne's form. It needs classes, or a folder "
            "data beside it, and labels by the names of the files."
        ) from error
    filled = [key for key in ("id", "split") if any(row[key] for row in rows)]
    return tuple(
        {
            "file_name": row["key"] if os.path.isabs(row["key"]) else f"{below}{row['key']}",
            "label": row["label"],
            **{key: row[key] for key in filled},
        }
        for row in rows
    )


def _row(key: str, value: Any, names: Sequence[Any]) -> dict[str, Any]:
    several = value if isinstance(value, list) else [value]
    labels = [each for each in (_label(one, names) for one in several) if each]
    facts = value.get("attributes") if isinstance(value, dict) else None
    facts = facts if isinstance(facts, dict) else {}
    return {
        "key": key,
        "label": labels if len(labels) > 1 else next(iter(labels), ""),
        "id": str(facts.get("lnl_id") or ""),
        "split": str(facts.get("split") or ""),
    }


def _label(value: Any, names: Sequence[Any]) -> str:
    """Return the name of a class that is given by its number, its name, or in an object.

    Without names a number is one itself.
    """
    if isinstance(value, dict):
        value = value.get("label")
    if isinstance(value, int) and not isinstance(value, bool):
        if not names:
            return str(value)
        return str(names[value]) if 0 <= value < len(names) else f"class {value}"
    return "" if value is None else str(value)
