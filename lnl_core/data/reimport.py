"""Decisions made elsewhere, read from CSV or Parquet: columns id, action and, where due, label."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from lnl_core.data import tables
from lnl_core.data.matching import BY_ID, Held, spelled
from lnl_core.data.table_text import unprotect as unprotect
from lnl_core.data.tables import BadRow, Cells
from lnl_core.said import many
from lnl_core.store.decisions import AUTO_FIX, COPIES, SETTLED
from lnl_core.types import Action, IntArray, LnlError

COLUMNS = {
    "id": ("id",),
    "action": ("action", "verdict"),
    "label": ("label", "corrected_label"),
    "reviewer": ("reviewer",),
    "decided_at": ("decided_at",),
    "cid": ("cid",),
    "seconds": ("seconds",),
    "suggested_label": ("suggested_label",),
    "p_wrong": ("p_wrong_shown", "p_wrong"),
    "given_label": ("given_label",),
    "content": ("content",),
    "mode": ("mode",),
    "route": ("route",),
}
MAX_PROBLEMS = 1000
MAX_CID = 80
MAX_SECONDS = 86_400

_ACTIONS = tuple(str(action) for action in Action if action is not Action.AUTO)
_BATCH = 4096


@dataclass(frozen=True, slots=True)
class Entry:
    """One decision of a file; a blank `reviewer` or `decided_at` is for the caller to fill.

    `number` is the file's row as a spreadsheet counts it, `id` as it is written there, `by` what
    its image was found by (`data.matching`). An export of this program also has `cid`,
    the id of the press, and what was spent and shown: `seconds`, `suggested_label`, `p_wrong`;
    whether it `settled` a contradiction, and whether it was made on another one of the `copies`.
    `looked` is False where another tool's file does not say that anybody looked at the image.
    """

    row: int
    action: Action
    label: int | None = None
    labels: tuple[int, ...] = ()
    reviewer: str = ""
    decided_at: str = ""
    number: int = 0
    cid: str = ""
    seconds: float | None = None
    suggested_label: int | None = None
    p_wrong: float | None = None
    id: str = ""
    by: str = BY_ID
    looked: bool = True
    settled: bool = False
    copies: bool = False


Place = Callable[[int, Cells, int], tuple[int, str]]
"""(number of the row, cells, image of that id or -1) -> image, and by what it was found."""

Meant = Callable[[Cells, int], Cells]
"""(cells, image) -> cells with an action; may raise `Held` where the row says nothing."""


def read_decisions(
    file: Path | IO[bytes],
    *,
    class_names: Sequence[str],
    positions: Callable[[Sequence[str]], IntArray],
    name: str | None = None,
    place: Place | None = None,
) -> tuple[list[Entry], list[str]]:
    """Read decisions; what cannot be used is named row by row and left out.

    Args:
        file: CSV (path or binary stream) or Parquet (path), columns in any order and case.
        class_names: (k,).
        positions: ids -> (len,) row numbers, -1 where unknown; called in batches.
        name: what messages call the file.
        place: finds each row's image and may hold it back; the id alone counts when None.

    Returns:
        (entries in the file's order, problems as sentences, the first `MAX_PROBLEMS` of them).

    Raises:
        LnlError: not a table, not UTF-8, or without the columns id and action.
    """
    shown = name or (file.name if isinstance(file, Path) else "The file")
    rows = tables.rows(file, shown, COLUMNS, ("id", "action"), strip=False)
    return read_rows(rows, class_names=class_names, positions=positions, place=place)


def read_rows(
    rows: Iterable[tuple[int, Cells | BadRow]],
    *,
    class_names: Sequence[str],
    positions: Callable[[Sequence[str]], IntArray],
    place: Place | None = None,
    meant: Meant | None = None,
) -> tuple[list[Entry], list[str]]:
    """Turn rows with the cells of `COLUMNS` into decisions, as `read_decisions` does.

    Args:
        rows: (number, cells), in the file's order.
        class_names: (k,).
        positions: as `read_decisions` takes it, like `place`.
        place: the same.
        meant: fills in the action of a row once its image is known.
    """
    read = _Read(positions, {label: at for at, label in enumerate(class_names)}, place, meant)
    for number, cells in rows:
        if isinstance(cells, BadRow):
            read.settle()  # what stands before it is told first
            read.complain(number, f"{cells.reason} {cells.remedy}".rstrip())
        else:
            read.add(number, cells)
    return read.end()


class _Read:
    """Entries and problems of a file, in its order; ids are looked up in batches."""

    def __init__(
        self,
        positions: Callable[[Sequence[str]], IntArray],
        index: dict[str, int],
        place: Place | None,
        meant: Meant | None = None,
    ):
        self._positions, self._index, self._place, self._meant = positions, index, place, meant
        self._entries: list[Entry] = []
        self._problems: list[str] = []
        self._left_out = self._unseen = 0
        self._batch: list[tuple[int, Cells]] = []

    def add(self, number: int, cells: Cells) -> None:
        if cells.get("reviewer") == AUTO_FIX:
            self._unseen += 1
            return
        self._batch.append((number, cells))
        if len(self._batch) == _BATCH:
            self.settle()

    def complain(self, number: int, words: str) -> None:
        if len(self._problems) < MAX_PROBLEMS:
            self._problems.append(f"Row {number}: {words}")
        else:
            self._left_out += 1

    def settle(self) -> None:
        """Turn the rows that wait into entries and problems."""
        rows = self._rows([cells["id"] for _, cells in self._batch])
        for (number, cells), row in zip(self._batch, rows, strict=True):
            try:
                by = BY_ID
                if self._place is not None:
                    row, by = self._place(number, cells, row)
                if self._meant is not None:
                    cells = self._meant(cells, row)
                entry = _entry(cells, row, self._index)
                self._entries.append(replace(entry, number=number, id=cells["id"], by=by))
            except Held:
                continue
            except LnlError as error:
                self.complain(number, str(error))
        self._batch.clear()

    def _rows(self, ids: Sequence[str]) -> list[int]:
        rows = [-1] * len(ids)
        for written in (unprotect, str, str.strip):  # as exported, as written, as meant
            missing = [at for at, row in enumerate(rows) if row < 0]
            if missing:
                places = self._positions([written(ids[at]) for at in missing])
                for at, place in zip(missing, places, strict=True):
                    rows[at] = int(place)
        return rows

    def end(self) -> tuple[list[Entry], list[str]]:
        self.settle()
        if self._unseen:
            self._problems.append(
                f"{many(self._unseen, 'row is', 'rows are')} of plans, which decide unseen: no "
                f"person "
                "answered. Left out; lnl accept makes a plan here."
            )
        if self._left_out:
            self._problems.append(f"And {many(self._left_out, 'more row')} that cannot be used.")
        return self._entries, self._problems


def _entry(cells: Cells, row: int, index: dict[str, int]) -> Entry:
    """Turn cells into an entry.

    Raises:
        LnlError: what is wrong with this row, and what helps.
    """
    if row < 0:
        raise LnlError(f"“{_cut(cells['id'])}” is no id of this data set. Correct the id.")
    word = cells["action"].strip().lower()
    if word not in _ACTIONS:
        known = ", ".join(_ACTIONS)
        raise LnlError(f"“{_cut(word)}” is no action of a person. Use one of {known}.")
    action = Action(word)
    text = cells.get("label", "")
    label: int | None = None
    labels: tuple[int, ...] = ()
    if action is Action.RELABEL:
        label = _class(cells, index)
    elif action is Action.MULTIPLE:
        labels = _classes(cells, index)
    elif text.strip():
        raise LnlError(f"{action} takes no label. Empty the cell, or write relabel.")
    reviewer = unprotect(cells.get("reviewer", "")).strip()
    if len(reviewer) > 60 or not reviewer.isprintable():
        raise LnlError("The reviewer's name is unprintable or longer than 60 characters.")
    if reviewer.casefold() == AUTO_FIX:
        raise LnlError(f"“{reviewer}” signs what no person decided. Write who did.")
    cid = unprotect(cells.get("cid", "")).strip()
    return Entry(
        row,
        action,
        label,
        labels,
        reviewer,
        _time(cells.get("decided_at", "")),
        cid=cid if len(cid) <= MAX_CID and cid.isprintable() else "",
        seconds=_fact(cells, "seconds", MAX_SECONDS),
        suggested_label=index.get(unprotect(cells.get("suggested_label", ""))),
        p_wrong=_fact(cells, "p_wrong", 1),
        looked=cells.get("looked") != "no",
        settled=bool(cid) and cells.get("route") == SETTLED,
        copies=bool(cid) and cells.get("mode") == COPIES,
    )


def _fact(cells: Cells, column: str, most: float) -> float | None:
    """Read a number that only describes; one that makes no sense is as good as none.

    Spreadsheets write commas in the place of points in many countries.
    """
    try:
        value = float(cells.get(column, "").replace(",", "."))
    except ValueError:
        return None
    return value if 0 <= value <= most else None


def _class(cells: Cells, index: dict[str, int]) -> int:
    """Find a class by name."""
    text = cells.get("label", "")
    if not text.strip():
        raise LnlError("relabel needs a label. Fill in the column “label”.")
    label = spelled(cells, "label", index.get)
    if label is None:
        raise LnlError(_no_class(text.strip()))
    return label


def _classes(cells: Cells, index: dict[str, int]) -> tuple[int, ...]:
    """Find several: as a list in JSON, or with | between them."""
    text = cells.get("label", "")

    def find(plain: str) -> tuple[int, ...] | None:
        labels = _several(plain, index)
        return None if -1 in labels else labels

    labels = spelled(cells, "label", find)
    if labels is None:
        unknown = next((each for each in _names(text) if each.strip() not in index), text)
        raise LnlError(_no_class(unknown))
    if len(set(labels)) != len(labels) or len(labels) < 2:
        raise LnlError("multiple needs two or more different classes, as cat|dog.")
    return labels


def _no_class(name: str) -> str:
    return (
        f"“{_cut(name)}” is no class of this data set. Correct the label, or add --new-class NAME "
        "to make it one."
    )


def _several(text: str, index: dict[str, int]) -> tuple[int, ...]:
    """Return the classes of a cell, -1 for what is none."""
    return tuple(index.get(each, index.get(each.strip(), -1)) for each in _names(text))


def _names(text: str) -> list[str]:
    if text.lstrip().startswith("["):
        with suppress(ValueError):
            parsed = json.loads(text)
            if isinstance(parsed, list) and all(isinstance(name, str) for name in parsed):
                return parsed
    return [part for part in text.split("|") if part.strip()]


def _time(text: str) -> str:
    """Return ISO 8601 in UTC to the millisecond; a time without zone is UTC."""
    text = text.strip()
    if not text:
        return ""
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        moment = moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise LnlError(
            f"“{_cut(text)}” is no time. Write it as 2025-11-20T13:58:00Z, or leave it blank."
        ) from None
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _cut(text: str) -> str:
    shown = tables.visible(text)
    return shown if len(shown) <= 60 else f"{shown[:59]}…"
