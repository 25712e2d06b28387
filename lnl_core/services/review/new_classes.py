"""Classes that people add while they review: kept with the set, there as long as an answer is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from lnl_core.data.class_names import LONGEST, near
from lnl_core.services.workspace import dataset_by_id
from lnl_core.store import datasets, decisions, looks
from lnl_core.types import DatasetInfo, LnlError


def add_class(info: DatasetInfo, class_name: str) -> tuple[DatasetInfo, int]:
    """Make a class of a name, or find it where somebody has done so; return the set and its number.

    Several reviewers may ask at the same moment: the name gets one number, for good. A class that
    nobody's answer in force names is offered no more (`retired`), and comes back under its number.

    Raises:
        LnlError: blank, too long, unprintable, a label that is no class, or spelled like a class.
    """
    if class_name in info.class_names and class_name not in no_class_names(info):
        return info, info.class_names.index(class_name)
    name = _checked(class_name)

    def change(meta: dict[str, Any]) -> dict[str, Any]:
        names: list[str] = meta["class_names"]
        if not _is_new(name, names, meta.get("no_classes", ())):
            return {}
        return {
            "class_names": [*names, name],
            "new_classes": [*meta.get("new_classes", ()), name],
        }

    if name not in info.class_names or name in no_class_names(info):
        datasets.change_meta(info, change)
        info = dataset_by_id(info.workspace, info.id)
    return info, info.class_names.index(name)


def with_class(info: DatasetInfo, class_name: str) -> DatasetInfo:
    """Return a set as `add_class` would leave it; nothing is stored.

    Raises:
        LnlError: as `add_class`.
    """
    name = _checked(class_name)
    if not _is_new(name, info.class_names, no_class_names(info)):
        return info
    names = (*info.class_names, name)
    return replace(info, class_names=names, class_count=len(names))


def _checked(class_name: str) -> str:
    name = " ".join(class_name.split())
    if not name or len(name) > LONGEST or not name.isprintable():
        raise LnlError(f"A class needs a name of 1 to {LONGEST} printable characters.")
    return name


def _is_new(name: str, names: Sequence[str], no_classes: Sequence[str]) -> bool:
    """Tell whether a name is none of the set's yet.

    Raises:
        LnlError: it is no class, or spelled like one.
    """
    if name in no_classes:
        raise LnlError(f"“{name}” is no class. Use unsure, or none.")
    if name in names:
        return False
    twin = near(name, names)
    if twin is not None:
        raise LnlError(f"There is a class “{twin}”. Did you mean it? “{name}” was not added.")
    return True


def drop_unused(info: DatasetInfo, class_names: Iterable[str]) -> list[str]:
    """Take back classes that were added just now and that no answer ever named; return which.

    One behind which another class stands keeps its number, and is offered to nobody (`retired`). So
    does one that stored answers name though none of them is in force: they are exported, too.
    Nobody can answer with one meanwhile: the set is held until it is gone.
    """
    wanted = set(class_names)
    dropped: list[str] = []

    def change(meta: dict[str, Any]) -> dict[str, Any]:
        names, new = list(meta["class_names"]), list(meta.get("new_classes", ()))
        used = looks.classes_named(info) | _labels(dataset_by_id(info.workspace, info.id))
        while names[-1] in wanted and names[-1] in new and len(names) - 1 not in used:
            dropped.append(names.pop())
            new.remove(dropped[-1])
        return {"class_names": names, "new_classes": new}

    if wanted:
        datasets.change_meta(info, change)
    return dropped


def no_class_names(info: DatasetInfo) -> tuple[str, ...]:
    """Return the names of the labels that are no classes."""
    return tuple(info.class_names[label] for label in info.no_classes)


def retired(info: DatasetInfo) -> tuple[int, ...]:
    """Return added classes that no image came with and no answer in force names: not offered."""
    if not info.new_classes:
        return ()
    named = {label for _, _, _, label in decisions.states(info) if label is not None}
    left = [label for label in info.new_classes if label not in named]
    if left:  # rare: only then the lists of several classes are read
        several = decisions.in_force(info).values()
        named |= {label for each in several for one in each for label in one.labels}
        named |= _labels(info)
    return tuple(label for label in left if label not in named)


def never_given(info: DatasetInfo) -> tuple[int, ...]:
    """Return added classes that no image came with, `retired` or not: a filter finds nothing."""
    if not info.new_classes:
        return ()
    came = _labels(info)
    return tuple(label for label in info.new_classes if label not in came)


def _labels(info: DatasetInfo) -> set[int]:
    """Return the labels that images came with."""
    found, several = np.unique(datasets.load(info).given_labels), datasets.listed(info)
    return {*found.tolist(), *([] if several is None else several[:, 1].tolist())}
