"""Whose decision is it? Rows of a file find their image by content, by id only where that agrees.

An id can be a row number that has moved, a file name can be another picture today: what was judged
is the picture. So a row that carries a digest (`data.content`) goes to the image with that content.
Without one the id counts, where the given label of the file is the one of the set. What contradicts
is held back, with why, and what to do about it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from lnl_core.data.content import Finder, is_word
from lnl_core.data.table_text import unprotect
from lnl_core.data.tables import Cells, visible
from lnl_core.types import IntArray, LnlError

BY_CONTENT, BY_ID = "content", "id"
_SHOWN = 3

AGAIN = "Export the decisions again where they were made: the column “content” then says which."
BY_ID_ALL_THE_SAME = "If the ids are right all the same, say so: lnl decide --by-id."


T = TypeVar("T")


def spelled(cells: Cells, column: str, find: Callable[[str], T | None]) -> T | None:
    """Read a cell with the name of a class: as exported, as written, without outer blanks.

    An apostrophe that was typed in front, as in a spreadsheet, so that a number stays text, is none
    of the name. A row of an export here is read exactly.

    Args:
        cells: the row.
        column: of the name.
        find: a spelling -> what it names, or None.

    Raises:
        LnlError: somebody wrote the row, and the set has a class with the apostrophe and one
            without.
    """
    text = cells.get(column, "")
    plain = text.strip()
    exported = bool(cells.get("content", "").strip() or cells.get("cid", "").strip())
    without = dict.fromkeys((unprotect(text), text, text.removeprefix("'")))
    meant = {each: found for each in without if (found := find(each)) is not None}
    if len(set(meant.values())) > 1 and not exported:
        names = " or ".join(f"“{visible(each)[:40]}”" for each in meant)
        raise LnlError(
            f"“{visible(text)[:40]}” may be {names}: this set has both. Write one apostrophe more "
            f"for the one with an apostrophe, none for the other."
        )
    for each in (*without, unprotect(plain), plain, plain.removeprefix("'")):
        if (found := find(each)) is not None:
            return found
    return None


@dataclass(frozen=True, slots=True)
class HeldBack:
    """A row of a file that belongs to no image of the set for sure; it was not stored.

    Attributes:
        file: name of the file.
        number: its row, as a spreadsheet counts it.
        id: as the file writes it.
        why: what contradicts what.
        remedy: what a person can do.
    """

    file: str
    number: int
    id: str
    why: str
    remedy: str

    def words(self) -> str:
        """Return it as one line."""
        return f"{self.file}, row {self.number}, {self.id}: not stored. {self.why} {self.remedy}"


class _Hold(LnlError):
    def __init__(self, why: str, remedy: str) -> None:
        super().__init__(f"{why} {remedy}")
        self.why, self.remedy = why, remedy


class Held(LnlError):
    """A row was held back; the matcher has noted it."""


class Matched(Protocol):
    """A row of a file whose image was found: `by` says by what."""

    @property
    def number(self) -> int: ...  # noqa: D102
    @property
    def id(self) -> str: ...  # noqa: D102
    @property
    def row(self) -> int: ...  # noqa: D102
    @property
    def by(self) -> str: ...  # noqa: D102
    @property
    def decided_at(self) -> str: ...  # noqa: D102


@dataclass(slots=True)
class Matcher:
    """Finds the image of each row of a file.

    Attributes:
        file: what messages call the file.
        ids: (n,).
        class_names: (k,).
        given_labels: (n,) int.
        finder: the set's rows by content.
        since: when the set was imported, ISO 8601: what was decided earlier, was decided elsewhere.
        by_id: the user's word that ids are right whatever the content.
        held: what was held back.
        doubt: why row numbers of this file cannot be trusted, "" while they can.
    """

    file: str
    ids: Sequence[str]
    class_names: Sequence[str]
    given_labels: IntArray
    finder: Finder
    since: str = ""
    by_id: bool = False
    held: list[HeldBack] = field(default_factory=list)
    doubt: str = ""
    _index: Mapping[str, int] = field(init=False)
    _fit: dict[tuple[str, int], Sequence[int]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._index = {name: label for label, name in enumerate(self.class_names)}

    def place(self, number: int, cells: Cells, row: int) -> tuple[int, str]:
        """Return the image of a row of the file, and by what it was found.

        Args:
            number: of the row, as a spreadsheet counts it.
            cells: id and, where the file has them, content, given_label.
            row: the image with that id, -1 where there is none.

        Raises:
            Held: the row contradicts the set; it is in `held` now.
            LnlError: there is no such image.
        """
        try:
            return self._placed(cells, row)
        except _Hold as error:
            self.hold(number, cells["id"], error.why, error.remedy)
            raise Held(str(error)) from error

    def hold(self, number: int, id_: str, why: str, remedy: str) -> None:
        """Note that a row was not stored."""
        self.held.append(HeldBack(self.file, number, visible(id_)[:60], why, remedy))

    def _placed(self, cells: Cells, row: int) -> tuple[int, str]:
        word = cells.get("content", "").strip()
        if word and not self.by_id:
            return self._by_content(word, cells, row), BY_CONTENT
        if row < 0:
            self._beyond(cells["id"].strip())
            raise LnlError(f"“{visible(cells['id'])[:60]}” is no id of this data set. Correct it.")
        given = self._given(cells)
        if given not in (None, row_label(self.given_labels, row)):
            here = self.class_names[row_label(self.given_labels, row)]
            if self.is_row_number(row):
                self._doubt(f"image {self.ids[row]} is given as “{here}” and not as the file says")
            raise _Hold(
                f"The file says that it is given as “{visible(cells['given_label'])[:40]}”, "
                f"here it is given as “{here}”: another image, or a label that has changed.",
                f"{AGAIN} If the answer holds all the same, empty the cell given_label.",
            )
        return row, BY_ID

    def _beyond(self, id_: str) -> None:
        """Doubt row numbers where one is larger than the set."""
        last = len(self.ids) - 1
        like = id_.isdecimal() and len(id_) == len(self.ids[last]) and self.is_row_number(last)
        if like and int(id_) > last:
            self._doubt(f"“{id_}” is beyond the end of this set")

    def _other_content(self, word: str, row: int) -> None:
        if not is_word(word):
            raise _Hold(
                "Its content is no digest as this program writes it.", "Empty the cell, or mend it."
            )
        if row < 0:
            raise LnlError("Neither its content nor its id is in this data set.")
        raise _Hold(
            f"Image {self.ids[row]} of this set is another picture than the one that was judged, "
            "or was imported at another size.",
            BY_ID_ALL_THE_SAME,
        )

    def _by_content(self, word: str, cells: Cells, row: int) -> int:
        """Choose among images with equal content: by id, else by the given label."""
        given = self._given(cells)
        same = row >= 0 and self.finder.has(row, word)
        if same and given in (None, row_label(self.given_labels, row)):
            return row
        rows = self.finder.rows(word)
        if not rows:
            self._other_content(word, row)
        fitting = self._fitting(word, rows, given)
        if row >= 0 and not same and self.is_row_number(row):
            self._doubt(f"the picture that was {self.ids[row]} is {self.ids[rows[0]]} here")
        if not fitting:
            here = self.class_names[row_label(self.given_labels, rows[0])]
            raise _Hold(
                f"It was judged as given “{visible(cells['given_label'])[:40]}”, and the same "
                f"picture is given as “{here}” here ({self.ids[rows[0]]}).",
                "If the answer holds all the same, empty the cell given_label.",
            )
        if same:
            here = self.class_names[row_label(self.given_labels, row)]
            raise _Hold(
                f"Image {self.ids[row]} is given as “{here}” here, not as the file says.",
                "If the answer holds all the same, empty the cell given_label.",
            )
        if len(fitting) > 1:
            some = ", ".join(self.ids[each] for each in fitting[:_SHOWN])
            raise _Hold(
                f"{len(fitting):,} images have this very content ({some} …), none of them this id.",
                "Write the id of the one that is meant.",
            )
        return fitting[0]

    def _fitting(self, word: str, rows: Sequence[int], given: int | None) -> Sequence[int]:
        """Return which rows of a content are given so, looked up once where there are many."""
        if given is None:
            return rows
        if (word, given) in self._fit:
            return self._fit[word, given]
        fitting = [each for each in rows if row_label(self.given_labels, each) == given]
        if len(rows) > _SHOWN:
            self._fit[word, given] = fitting
        return fitting

    def _given(self, cells: Cells) -> int | None:
        """Return the given label that the file states, -1 for no class, None where it is silent."""
        if not cells.get("given_label", "").strip():
            return None
        try:
            found = spelled(cells, "given_label", self._index.get)
        except LnlError as error:
            raise _Hold(str(error), "") from error
        return -1 if found is None else found

    def is_row_number(self, row: int) -> bool:
        """Tell whether an image's id is nothing but its place in the set."""
        id_ = self.ids[row]
        return id_.isdecimal() and int(id_) == row

    def _doubt(self, why: str) -> None:
        self.doubt = self.doubt or why

    def doubtful(self, found: Iterable[Matched]) -> set[int]:
        """Hold back rows that only a row number has matched, where those are not to be trusted.

        Args:
            found: all that were matched.

        Returns:
            Numbers of the rows that were held back.
        """
        rows = [each for each in found if each.by == BY_ID and self.is_row_number(each.row)]
        for each in rows:
            if each.decided_at and each.decided_at < self.since:
                self._doubt(f"row {each.number} was decided before this set was imported")
        if not self.doubt or self.by_id:
            return set()
        for each in rows:
            why = (
                "Its id is only a row number, and the row numbers of this file are not those of "
                f"this set: {self.doubt}."
            )
            self.hold(each.number, each.id, why, f"{AGAIN} {BY_ID_ALL_THE_SAME}")
        return {each.number for each in rows}


def row_label(given_labels: IntArray, row: int) -> int:
    """Return the given label of a row."""
    return int(given_labels[row])
