"""Rows of a file that say something else than what is in force, and the words for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lnl_core.data import export as files
from lnl_core.data.reimport import Entry
from lnl_core.store import meaning
from lnl_core.types import Action, DatasetInfo, Decision


@dataclass(frozen=True, slots=True)
class Conflict:
    """A row of a file that says something else than what is in force.

    Attributes:
        number: the file's row, as a spreadsheet counts it.
        id: the image.
        reviewer: whose answer it is about.
        in_force: what counts now, in words.
        file: what the file says, in words.
        remedy: what was done, and what a person can do.
        stored: True where the row was stored all the same (people contradict each other).
    """

    number: int
    id: str
    reviewer: str
    in_force: str
    file: str
    remedy: str
    stored: bool

    def words(self) -> str:
        """Return the conflict as one sentence."""
        return (
            f"Row {self.number}, {self.id}: in force is {self.in_force}; "
            f"the file says {self.file}. {self.remedy}"
        )


def answer(what: Entry | Decision) -> tuple[Action, int | None, frozenset[int]]:
    """Return what two answers have in common that say the same."""
    return what.action, what.label, frozenset(what.labels)


def held(
    info: DatasetInfo, id_: str, entry: Entry, before: Decision, known_already: bool
) -> Conflict:
    """Report a row that the same reviewer's answer in force outweighs; it is not stored."""
    when = _when(before.decided_at) or "an earlier row of the file"
    stands = f"{_said(info, before)} by {entry.reviewer}, {when}"
    if before.action is Action.REOPEN:
        stands = f"nothing: {entry.reviewer} took the answer back, {when}"
    elif meaning.is_void(before, info.no_classes):
        stands = f"nothing: {stands}, names what is no class any more"
    if known_already:
        why = "Not stored: answered anew since it was."
    elif entry.decided_at:
        why = f"Not stored: it is older, {_when(entry.decided_at)}."
    else:
        why = "Not stored: no decided_at says which is later."
    return Conflict(
        number=entry.number,
        id=id_,
        reviewer=entry.reviewer,
        in_force=stands,
        file=_said(info, entry),
        remedy=f"{why} Let the file win, or correct the row.",
        stored=False,
    )


def contradiction(
    info: DatasetInfo, id_: str, entry: Entry, of_others: Mapping[str, Decision]
) -> Conflict | None:
    """Report a row that another reviewer's answer in force contradicts; it is stored.

    Args:
        info: the data set.
        id_: the image.
        entry: the row.
        of_others: reviewer -> answer in force on the image.
    """
    nothing = (Action.UNSURE, Action.SKIP, Action.REOPEN)
    if entry.action in nothing:
        return None
    others = of_others.items()
    against = next(
        (
            decision
            for who, decision in others
            if who != entry.reviewer
            and decision.action not in nothing
            and answer(decision) != answer(entry)
        ),
        None,
    )
    if against is None:
        return None
    return Conflict(
        number=entry.number,
        id=id_,
        reviewer=entry.reviewer,
        in_force=f"{_said(info, against)} by {against.reviewer}",
        file=f"{_said(info, entry)} by {entry.reviewer}",
        remedy="Stored beside it; a third look settles it.",
        stored=True,
    )


def _when(moment: str | None) -> str:
    """Return an ISO time in UTC as people read it: `2026-01-02 09:30:00 UTC`."""
    return f"{moment[:10]} {moment[11:19]} UTC" if moment else ""


def _said(info: DatasetInfo, what: Entry | Decision) -> str:
    """Return an answer in words: `relabel to cat`."""
    names = info.class_names
    if what.label is not None:
        return f"{what.action} to {names[what.label]}"
    if what.labels:
        return f"{what.action}: {files.joined(what.labels, names)}"
    return str(what.action)
