"""What the Hugging Face hub writes into a Parquet file's schema: the names of its classes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from lnl_core.data.table_text import visible


def class_names(schema: Any) -> dict[str, list[str]]:
    """Return column -> the names that its numbers stand for, by the features in the metadata."""
    try:
        known = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
    except (KeyError, TypeError, ValueError):
        return {}
    names: dict[str, list[str]] = {}
    for column, feature in known.items() if isinstance(known, dict) else ():
        inner = feature.get("feature", feature) if isinstance(feature, dict) else {}
        if isinstance(inner, dict) and inner.get("_type") == "ClassLabel":
            listed = inner.get("names")
            if isinstance(listed, list) and listed:
                names[str(column)] = [visible(str(name)) for name in listed]
    return names


def written(label: Any, names: Sequence[str] | None) -> str:
    """Return a label as text: the name that a number stands for, several joined by bars."""
    if isinstance(label, list):
        return "|".join(filter(None, (written(each, names) for each in label)))
    if label is None or (isinstance(label, float) and label != label):
        return ""
    if names is not None and isinstance(label, int) and not isinstance(label, bool):
        return names[label] if 0 <= label < len(names) else ""
    return visible(str(label).strip())
