"""Names of splits, of folders and of lists."""

from __future__ import annotations

import re

_SPLITS = frozenset(
    {"train", "training", "val", "valid", "validation", "test", "testing", "eval", "dev"}
)
_SHORT = {"training": "train", "valid": "val", "validation": "val", "testing": "test"}
_AROUND = frozenset({"image", "images", "img", "imgs", "data", "set", "seg", "dataset", "split"})
_OF_LISTS = frozenset(
    {"label", "labels", "list", "annotations", "metadata", "meta", "df", "gt", "instances"}
)


def is_split(name: str, *, lists: bool = False) -> bool:
    """Tell whether a folder is named like a part of a set: train, val2017, seg_test.

    Of `lists`, train_labels and test-list are named so, too.
    """
    around = _AROUND | _OF_LISTS if lists else _AROUND
    tokens = [token for token in re.split(r"[^a-z]+", name.lower()) if token]
    others = [token for token in tokens if token not in _SPLITS]
    return len(others) < len(tokens) and all(token in around for token in others)


def of_list(stem: str) -> str:
    """Return the split that a list is called after: `train_labels` and `labels-train` are train.

    Any other name is one by itself, as is one of words for lists alone.
    """
    if not is_split(stem, lists=True):
        return stem
    kept = [word for word in re.split(r"[_.\s-]+", stem) if word.lower() not in _OF_LISTS]
    short = "_".join(word for word in kept if word)
    return short if is_split(short) else stem


def split_in(name: str) -> str:
    """Return the split that the name of an array or a column holds (x_train: train); "" if none."""
    found = [token for token in re.split(r"[^a-z]+", name.lower()) if token in _SPLITS]
    return found[0] if len(found) == 1 else ""


def are_apart(one: str, other: str) -> bool:
    """Tell whether two names are of different splits: test.csv and val; valid and val are one."""
    first, second = (split_in(name) for name in (one, other))
    return bool(first and second) and _SHORT.get(first, first) != _SHORT.get(second, second)
