"""Annotation files as COCO writes them, as rows of image, label and split.

A JSON object with `images` (`id`, `file_name`), `categories` (`id`, `name`) and `annotations`
(`image_id`, `category_id`). An image is labelled by the categories of its annotations, each once:
one of them is its class, several stand in one cell as in any other list, none leaves it blank.
Documented at https://cocodataset.org/#format-data.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from lnl_core.data.annotation_files import is_about, modified
from lnl_core.data.reading.split_names import is_split, split_in
from lnl_core.types import LnlError

_PARTS = ("images", "categories", "annotations")
_FIRST = (*_PARTS, "info", "licenses")


def is_coco(file: Path) -> bool:
    """Tell whether a file is one, by its first letters and then by its parts."""
    try:
        return is_about(file, _FIRST) and bool(rows_of(file))
    except LnlError:
        return False


def rows_of(file: Path) -> tuple[dict[str, Any], ...]:
    """Return a row for every image, in the order of the file: `file_name`, `label`, `split`.

    The split is the first folder of a name such as `train/1.jpg`; there is none where no name has
    one.

    Raises:
        LnlError: it is too large, no JSON, or lacks a part.
    """
    return _rows(file, modified(file))


@lru_cache(maxsize=2)
def _rows(file: Path, _modified: int) -> tuple[dict[str, Any], ...]:
    try:
        whole = json.loads(file.read_text("utf-8-sig"))
        images, categories, annotations = (whole[part] for part in _PARTS)
        names = {each["id"]: str(each.get("name", each["id"])) for each in categories}
        labels: dict[Any, dict[str, None]] = {each["id"]: {} for each in images}
        for each in annotations:
            if each["image_id"] in labels:
                label = names.get(each["category_id"], str(each["category_id"]))
                labels[each["image_id"]][label] = None
        rows: list[dict[str, Any]] = [
            {"file_name": str(each["file_name"]), "label": _cell(labels[each["id"]])}
            for each in images
        ]
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise LnlError(
            f"{file.name} is no annotation file in COCO's form. It needs images, categories and "
            "annotations."
        ) from error
    splits = [_split(row["file_name"]) for row in rows]
    if any(splits):
        return tuple(row | {"split": split} for row, split in zip(rows, splits, strict=True))
    return tuple(rows)


def _cell(labels: dict[str, None]) -> str | list[str]:
    return next(iter(labels), "") if len(labels) < 2 else list(labels)


def _split(name: str) -> str:
    """Return the folder of a path that is called like one split; "" where none is.

    `train_val2019` is called like two: the list then says which.
    """
    folders = name.replace("\\", "/").split("/")[:-1]
    return next((each for each in folders if is_split(each) and split_in(each)), "")
