"""What an answer may say, whichever way it comes: no screen should send anything else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from lnl_core.records import Action, Busy, DatasetInfo, Decision, LnlError
from lnl_core.store.datasets import read_meta


class _Says(Protocol):
    """What an answer says, wherever it comes from."""

    @property
    def action(self) -> Action: ...
    @property
    def label(self) -> int | None: ...
    @property
    def labels(self) -> Sequence[int]: ...


def check(info: DatasetInfo, decision: Decision) -> None:
    """Refuse what no screen should send; the server trusts no browser.

    Raises:
        LnlError: a row or label that the set does not have, labels that do not go with the action,
            or a label that is no class kept or chosen.
    """
    k = info.class_count
    if decision.action is Action.AUTO:
        raise LnlError("auto is no answer of a person. Use relabel.")
    check_classes(info, decision, decision.given_label)
    if not 0 <= decision.row < info.n:
        raise LnlError(f"Row {decision.row} is not in “{info.name}” (0..{info.n - 1}).")
    if decision.action is Action.RELABEL:
        if decision.label is None or not 0 <= decision.label < k:
            raise LnlError(f"relabel needs one of the {k} classes, got {decision.label}.")
    elif decision.label is not None:
        raise LnlError(f"{decision.action} takes no label, got {decision.label}.")
    if decision.action is Action.MULTIPLE:
        good = len(set(decision.labels)) == len(decision.labels) >= 2
        if not good or not all(0 <= label < k for label in decision.labels):
            raise LnlError(f"multiple needs two or more different classes, got {decision.labels}.")
    elif decision.labels:
        raise LnlError(f"{decision.action} takes no list of labels, got {decision.labels}.")


def check_classes(info: DatasetInfo, said: _Says, given: int | None) -> None:
    """Refuse an answer that keeps or chooses a label that is no class.

    Args:
        info: the data set.
        said: the answer.
        given: label that the image came with; None where it is not known.
    """
    named = () if said.label is None else (said.label,)
    for label in (*named, *said.labels):
        if label in info.no_classes:
            raise LnlError(f"“{info.class_names[label]}” is no class. Use unsure, or none.")
    if said.action is Action.KEEP and given is not None and given in info.no_classes:
        raise LnlError(
            f"“{info.class_names[given]}” is no class, so it cannot be right. Say what the image "
            "is, or none."
        )


def classes_stay(info: DatasetInfo, said: Sequence[_Says]) -> None:
    """Check that no class that people added and that is answered with was taken back meanwhile.

    Call it where nobody else can (`datasets.alone`).

    Raises:
        Busy: one was; the answer is to be sent again.
    """
    named = {label for each in said for label in (each.label, *each.labels)}
    if named.isdisjoint(info.new_classes):
        return
    names = read_meta(info)["class_names"]
    if tuple(names[: info.class_count]) != info.class_names:
        raise Busy(f"The classes of “{info.name}” were changed meanwhile. Try again.")
