"""The rows of one or several lists: their cells made plain, counted once."""

from __future__ import annotations

import os
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from lnl_core.data import tables
from lnl_core.data.files import Sample, inside_path, storable
from lnl_core.data.reading import folder_columns, masks, splits
from lnl_core.data.reading.column_names import REQUIRED, Columns
from lnl_core.data.reading.finding import Finder
from lnl_core.data.reading.folder_cells import FolderCells
from lnl_core.data.reading.outline import CANDIDATES, UNLABELLED
from lnl_core.data.reading.path_splits import PathSplits
from lnl_core.data.reading.split_folders import SplitFolders
from lnl_core.data.reading.split_names import are_apart, is_split
from lnl_core.data.reimport import unprotect
from lnl_core.data.tables import BadRow, Cells, visible
from lnl_core.readings import Answers
from lnl_core.said import many
from lnl_core.types import LnlError

MAX_CLASSES = 100_000
_HEADER = BadRow(
    "The row says the names of the columns again.", "Take it out: lists were put together."
)
_ODD = BadRow("A class has neither 0 nor 1 in its column.", "Write 0 or 1 into this row.")
_NO_FOLDER = BadRow(
    "No folder of this name holds images.", "Correct the name, or take the row out."
)
_MISTYPED = 0.1
"""Share of the ids of a list or split that may be another's by mistake."""
BLANK = BadRow("The label is blank.", "Write its class into this row.")


@dataclass(frozen=True, slots=True)
class Listing:
    """One list to read.

    Attributes:
        file: where it lies.
        split: that it stands for.
        inside: the folder that its paths miss.
        name: what messages call it, where that is not the folder and its file's name.
        folders: the column that names folders, where its rows are of these and no images.
    """

    file: Path
    split: str = ""
    inside: str = ""
    name: str = ""
    folders: FolderCells | None = None


@dataclass(slots=True)
class Counted:
    """What a first pass over a list finds.

    Attributes:
        total: rows, those that cannot be used included.
        usable: rows with image and label.
        written: label as written -> usable rows.
        sample: some of the paths.
        with_truth: usable rows with a true label.
        hashes: of every usable row's id.
        splits: split -> usable rows.
        apart: (list, its split in the column) -> usable rows, where the list is called otherwise.
        examples: label as written -> a few of its paths.
    """

    total: int = 0
    usable: int = 0
    with_truth: int = 0
    written: Counter[str] = field(default_factory=Counter)
    true: Counter[str] = field(default_factory=Counter)
    sample: Sample = field(default_factory=Sample)
    hashes: array[int] = field(default_factory=lambda: array("q"))
    splits: Counter[str] = field(default_factory=Counter)
    apart: Counter[tuple[str, str]] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)
    unusable: Counter[tuple[str, str]] = field(default_factory=Counter)

    def repeated(self) -> set[int]:
        """Return hashes that two rows or more have; a few of different ids may be in it."""
        values, counts = np.unique(np.frombuffer(self.hashes, np.int64), return_counts=True)
        return set(values[counts > 1].tolist())


class ListRows:
    """The rows of lists that are read together."""

    def __init__(
        self,
        listings: Sequence[Listing],
        home: Path,
        decided: Mapping[Path, Columns],
        answers: Answers,
    ) -> None:
        self._listings, self._home = listings, home
        self._columns, self._answers = decided, answers
        self._same: dict[str, str] = {}
        self.split_folders: SplitFolders | None = None
        self.path_splits: PathSplits | None = None
        said = any(each.split or "split" in decided[each.file].used for each in listings)
        called = any(is_split(each.file.stem, lists=True) for each in listings)
        if said or (called and answers.images_in in ("", "none")):
            self.split_folders = self._with_folders(said)
        if not said and answers.split_column != "none" and answers.parts != "classes":
            self.path_splits = PathSplits()

    def _with_folders(self, said: bool) -> SplitFolders:
        """Return the folders of the splits that rows are in; by their list's name if none says."""
        folders = SplitFolders(self._home, self._answers.images_in, sure=said)
        folders.decide(
            lambda: (
                (cells.get("split") or listing.file.stem, cells["image"])
                for listing, _, cells in self.rows()
                if not isinstance(cells, BadRow) and cells["image"]
            )
        )
        return folders

    def finder(self, sample: Sequence[str], *, links: bool) -> Finder:
        """Return what finds the files of the rows, once these were counted.

        Args:
            sample: some of their paths.
            links: follow those that lead out.
        """
        images_in, of_splits = self._answers.images_in, self.split_folders
        if of_splits is None:
            return Finder(self._home, sample, links=links, images_in=images_in)
        images_in = "" if of_splits.takes_answer else images_in
        unsettled = of_splits.unsettled
        return Finder(self._home, sample, links=links, images_in=images_in, unsettled=unsettled)

    def rows(self) -> Iterator[tuple[Listing, int, Cells | BadRow]]:
        """Yield (list, number of the row, its cells) of every row or image of its folder."""
        for each in self._listings:
            been: set[tuple[str, ...]] = set()
            name, columns = self.called(each), self._columns[each.file]
            required = [key for key in REQUIRED if key in columns.accepted]
            for number, cells in tables.rows(
                each.file,
                name,
                columns.accepted,
                required,
                has_header=columns.has_header,
            ):
                if isinstance(cells, BadRow):
                    yield each, number, cells
                elif columns.repeats_header(cells):
                    yield each, number, _HEADER
                elif columns.is_odd(cells):
                    yield each, number, _ODD
                elif each.folders is not None and cells["image"]:
                    for image in self._in_folder(each, each.folders, cells, been):
                        yield each, number, image
                else:
                    yield each, number, self._plain(cells, each)

    def _in_folder(
        self, each: Listing, named: FolderCells, cells: Cells, been: set[tuple[str, ...]]
    ) -> Iterator[Cells | BadRow]:
        """Yield the cells of every image in the folder that a row names; none where it comes again.

        Args:
            each: the list.
            named: its column of folders.
            cells: of the row.
            been: the rows that came before.
        """
        row = tuple(cells.values())
        if row in been:
            return
        been.add(row)
        plain = self._plain(cells, each)
        images = named.folders.images(cells["image"], plain.get("split") or each.file.stem)
        if not images:
            yield _NO_FOLDER
        skips = self._answers.masks == "skip"
        for image in images:
            is_mask = skips and masks.is_mask(self._home / image)
            yield masks.LEFT_OUT if is_mask else self._plain(cells | {"image": image}, each)

    def masks(self) -> list[str]:
        """Return the images in folders that rows name which are called like masks."""
        if all(each.folders is None for each in self._listings):
            return []
        return [image for image in self.images() if masks.is_mask(self._home / image)]

    def images(self) -> Iterator[str]:
        """Yield what every row names as its image, with a label or without."""
        for _, _, cells in self.rows():
            if not isinstance(cells, BadRow) and cells["image"]:
                yield cells["image"]

    def usable(self) -> Iterator[Cells]:
        """Yield the cells of the rows that name an image and a label."""
        for _, _, cells in self.rows():
            if not isinstance(cells, BadRow) and problem_of(cells) is None:
                yield cells

    def join(self, finder: Finder) -> bool:
        """Read paths that are written otherwise and lead to one file as the first of them.

        Returns:
            True where there is one.
        """
        first: dict[str, str] = {}
        for cells in self.usable():
            cell = cells["image"]
            place = BadRow("", "") if cells.get("id") else finder.find(cell)
            if isinstance(place, BadRow):
                continue
            kept = first.setdefault(place[1], cell)
            if path_of(kept, self._home) != path_of(cell, self._home):
                self._same[cell] = kept
        return bool(self._same)

    def id(self, cells: Cells, finder: Finder) -> str:
        """Return the id of a row, whatever computer its path is of."""
        return id_of(cells | {"image": finder.at_home(cells["image"])}, self._home)

    def ids_again(self, hashes: set[int]) -> int:
        """Return how many ids name other images in another list or split: they count anew there.

        0 where no list or split has more than a few of them: those are mistyped.

        Args:
            hashes: of the ids that two rows or more have.
        """
        seen: dict[str, dict[tuple[Path, str], str]] = {}
        again: set[str] = set()
        sizes, often = Counter[tuple[Path, str]](), Counter[tuple[Path, str]]()
        for listing, _, cells in self.rows():
            if isinstance(cells, BadRow) or problem_of(cells) is not None or not cells.get("id"):
                continue
            identity, path = id_of(cells, self._home), path_of(cells["image"], self._home)
            own = (listing.file, cells.get("split", ""))
            sizes[own] += 1
            if hash(identity) in hashes:
                places = seen.setdefault(identity, {})
                if any(at != own and path != other for at, other in places.items()):
                    again.add(identity)
                places.setdefault(own, path)
        for identity in again:
            often.update(seen[identity].keys())
        many = any(count > max(1, _MISTYPED * sizes[own]) for own, count in often.items())
        return len(again) if many else 0

    def called(self, each: Listing) -> str:
        """Return how messages call a list."""
        return each.name or (f"{each.inside}/{each.file.name}" if each.inside else each.file.name)

    def _plain(self, cells: Cells, each: Listing) -> Cells:
        """Take off what an export here protected; put the list's folder before its paths."""
        if cells.get("lnl_verdict") and each.file.suffix.lower() not in (".parquet", ".pq"):
            cells = {column: unprotect(cell) for column, cell in cells.items()}
        columns = self._columns[each.file]
        if columns.one_hot:
            cells = cells | {"label": columns.label_of(cells)}
        if cells.get("folder"):
            cells = cells | {"image": folder_columns.joined(cells["folder"], cells["image"])}
        if (below := self._from_list(cells["image"], each.file)) is not None:
            cells = cells | {"image": below}
        elif each.inside and cells["image"] and not os.path.isabs(cells["image"]):
            cells = cells | {"image": f"{each.inside}/{cells['image']}"}
        if cells["image"] in self._same:
            cells = cells | {"image": self._same[cells["image"]]}
        if columns.flags and not cells.get("split"):
            cells = cells | {"split": splits.of_flags(columns.flags, cells)}
        if columns.bools and cells.get("split"):
            named = columns.bools.get(cells["split"].lower(), cells["split"])
            cells = cells | {"split": named}
        if not cells["label"].strip() and self._answers.unlabelled == "keep":
            cells = cells | {"label": UNLABELLED}
        if each.split and not cells.get("split"):
            cells = cells | {"split": each.split}
        if self.path_splits is not None and (split := self.path_splits.of(cells["image"])):
            cells = cells | {"split": split}
        if self.split_folders is not None and cells["image"]:
            image = self.split_folders.of(cells.get("split") or each.file.stem, cells["image"])
            cells = cells if image == cells["image"] else cells | {"image": image}
        return cells

    def _from_list(self, cell: str, file: Path) -> str | None:
        """Return the path from home of what leads up from the list's folder; None of any other."""
        if not cell.startswith(("../", "..\\")):
            return None
        path = os.path.normpath(file.parent.resolve() / cell.replace("\\", "/"))
        return inside_path(self._home, path) if os.path.isfile(path) else None

    def count(self) -> Counted:
        """Go over the rows once, without opening any image.

        Raises:
            LnlError: no usable row, or too many classes.
        """
        seen = Counted()
        for listing, _, cells in self.rows():
            seen.total += 1
            if isinstance(cells, BadRow) or (problem := problem_of(cells)) is not None:
                bad = cells if isinstance(cells, BadRow) else problem
                assert bad is not None
                seen.unusable[bad.reason, bad.remedy] += 1
                continue
            seen.usable += 1
            seen.sample.add(cells["image"])
            if self.path_splits is not None:
                self.path_splits.add(cells["image"])
            seen.hashes.append(hash(id_of(cells, self._home)))
            label = visible(cells["label"])
            seen.written[label] += 1
            if seen.written[label] <= CANDIDATES:
                seen.examples.setdefault(label, []).append(cells["image"])
            if cells.get("true_label"):
                seen.with_truth += 1
                seen.true[visible(cells["true_label"])] += 1
            if cells.get("split"):
                seen.splits[visible(cells["split"])] += 1
                if listing.split and are_apart(listing.split, cells["split"]):
                    seen.apart[self.called(listing), visible(cells["split"])] += 1
            if len(seen.written) > 2 * MAX_CLASSES:
                break
        if not seen.usable:
            name = self._listings[0].file.name
            raise LnlError(f"{name} has no row with both image and label. {_why(seen.unusable)}")
        if self.path_splits is not None:
            seen.splits = self.path_splits.settle()
        return seen


def _why(unusable: Counter[tuple[str, str]]) -> str:
    """Return why most rows cannot be used, and the remedy."""
    if not unusable:
        return "Fill them in."
    ((reason, remedy), count) = unusable.most_common(1)[0]
    return f"{many(count, 'row')}: {reason} {remedy}"


def id_of(cells: Cells, root: Path) -> str:
    """Return the row's id: its own, else its path, the same however it is written."""
    if cells.get("id"):
        return visible(cells["id"])
    return visible(path_of(cells["image"], root))


def path_of(cell: str, root: Path) -> str:
    """Return a path relative to the root, the same however it is written."""
    return os.path.relpath(os.path.normpath(root / cell), root).replace(os.sep, "/")


def problem_of(cells: Cells) -> BadRow | None:
    """Return why a row cannot be used; None where it can."""
    if not cells["image"]:
        return BadRow("No image is named.", "Write the name of its file into this row.")
    if not cells["label"]:
        return BLANK
    if "\0" in cells["image"] or not storable(cells["image"]):
        return BadRow("The path is no text that a file can have.", "Correct the path.")
    return None
