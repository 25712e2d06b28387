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
    """Tell whether a folder is named like a part of a set: train, val2017, seg_test, TestImages.

    Of `lists`, train_labels and test-list are named so, too.
    """
    around = _AROUND | _OF_LISTS if lists else _AROUND
    tokens = _words(name)
    others = [token for token in tokens if token not in _SPLITS]
    return len(others) < len(tokens) and all(token in around for token in others)


def of_list(stem: str) -> str:
    """Return the split that a list is called after: `train_labels` and `labels-train` are train.

    Any other name is one by itself, as is one of words for lists alone.
    """
    if not is_split(stem, lists=True):
        return stem
    words = [word for word in re.split(r"[_.\s-]+|(?<=[a-z])(?=[A-Z])", stem) if word]
    kept = [word for word in words if word.lower() not in _OF_LISTS]
    short = "_".join(kept)
    return short if len(kept) < len(words) and is_split(short) else stem


def split_in(name: str) -> str:
    """Return the split that the name of an array or a column holds (x_train: train); "" if none."""
    found = [token for token in _words(name) if token in _SPLITS]
    return found[0] if len(found) == 1 else ""


def _words(name: str) -> list[str]:
    """Return the words of a name in small letters, also where capitals alone tell them apart."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return [word for word in re.split(r"[^a-z]+", apart.lower()) if word]


def are_apart(one: str, other: str) -> bool:
    """Tell whether two names are of different splits: test.csv and val; valid and val are one."""
    first, second = (split_in(name) for name in (one, other))
    return bool(first and second) and _SHORT.get(first, first) != _SHORT.get(second, second)
