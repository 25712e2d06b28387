"""A list of images as CSV, Parquet, JSON lines or COCO's annotations: image, label, id, split.

Hugging Face's imagefolder is one of them: `metadata.csv` or `metadata.jsonl` with `file_name`, in
the folder of the images or one in every split's folder.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from lnl_core.data.files import LINK, WHOLE, FileSource, Item
from lnl_core.data.list_rows import (
    BLANK,
    MAX_CLASSES,
    Counted,
    Listing,
    ListRows,
    path_of,
    problem_of,
)
from lnl_core.data.reading import (
    column_names,
    folder_columns,
    labels,
    masks,
    naming,
    per_list,
    rivals,
    several,
)
from lnl_core.data.reading.outline import UNLABELLED, Outline, unlabelled
from lnl_core.data.reading.texts_beside import TEXTS
from lnl_core.data.tables import BadRow, Cells, visible
from lnl_core.data.writing import Skipped
from lnl_core.readings import Answers, Choice, Question
from lnl_core.said import many
from lnl_core.types import LnlError

SUFFIXES = (".csv", ".tsv", *TEXTS, ".parquet", ".pq", ".jsonl", ".json")

_TWICE = ("The id is used twice; the first one was kept.", "Give every row an id of its own.")
_LISTED_TWICE = (
    "The image is listed twice; the first row was kept.",
    "Take one row out, or give each an id.",
)
_LEAK = (
    "The image is listed in another split, too; the first row was kept.",
    "Take it out of one of them: what a method has learned is no test of it.",
)
_First = tuple[str, str]
"""Split and path of the first row of an id."""

_SHOWN = 12

_FOUND_UP_TO = 20_000
"""Rows whose files are looked for while reading; of a longer list, a sample."""


def scan(
    lists: Path | Sequence[Listing],
    root: Path | None = None,
    class_map: Mapping[str, str] | None = None,
    answers: Answers | None = None,
) -> FileSource:
    """Read lists once, without opening any image.

    Args:
        lists: `.parquet`, `.jsonl`, or CSV in UTF-8 (UTF-16 with its mark), separated by , ; tab
            or |. Several lists are read together.
        root: folder that the paths start from; the folder of the first list when None.
        class_map: label as written -> class name, for labels to rename or merge.
        answers: what a person said already.

    Raises:
        LnlError: no table, a wrong encoding, or no such folder.
    """
    listings = [Listing(lists)] if isinstance(lists, Path) else list(lists)
    first = listings[0]
    own = first.file.parent.parent if first.inside else first.file.parent
    home = (root or own).expanduser().resolve()
    if not home.is_dir():
        raise LnlError(f"{home} is not a folder. Say where the images of {first.file.name} lie.")
    said = answers or Answers()
    of_folders = [each.folders.column for each in listings if each.folders is not None]
    if of_folders:
        said = replace(said, image_column=",".join(dict.fromkeys(of_folders)))
    decided = per_list.decide([each.file for each in listings], home, said)
    if of_folders:  # an id of a folder is none of its images
        decided = {file: each.without("id") for file, each in decided.items()}
    elif not said.images_in:
        decided = {
            file: folder_columns.with_folder(file, each, home) for file, each in decided.items()
        }
    outline = Outline(
        files=[column_names.inside(home, each.file) for each in listings],
        lists=[each.file for each in listings],
        columns=decided[first.file].used,
        questions=per_list.questions(decided),
        notes=per_list.notes(decided),
    )
    for each in decided.values():
        asked = any(question.is_open for question in each.questions)  # then it is not decided
        more = [] if asked else column_names.not_taken(each.unused, each.notes)
        more = [*each.notes, *more]
        outline.notes += [note for note in more if note not in outline.notes]
    if not all(each.complete for each in decided.values()):
        return FileSource("manifest", home, 0, [], lambda: iter(()), [], outline=outline)
    return _Listed(listings, home, decided, class_map or {}, said).source(outline)


class _Listed:
    """One or several lists, gone through twice: to count, and for the images."""

    def __init__(
        self,
        listings: Sequence[Listing],
        home: Path,
        decided: Mapping[Path, column_names.Columns],
        renamed: Mapping[str, str],
        answers: Answers,
    ) -> None:
        self._listings, self._home, self._renamed = listings, home, renamed
        self._decided = decided
        self._rows, self._answers = ListRows(listings, home, decided, answers), answers
        self._several = len(listings) > 1
        self._naming = naming.Naming()
        self._unsure: set[str] = set()
        self._of_boxes = any(
            rivals.of_boxes(column_names.plain_names(each.unused)) for each in decided.values()
        )

    def source(self, outline: Outline) -> FileSource:
        """Count, ask, and return what can be read."""
        counted = self._with_ids(outline)
        lists = dict.fromkeys(each.file.parent for each in self._listings)
        self._naming = naming.named(counted.written, [self._home, *lists], self._answers)
        outline.questions += self._naming.questions
        outline.notes += self._naming.notes
        outline.files += self._naming.files
        if per_list.may_mix(self._decided, counted.written, self._naming.of):
            per_list.ask_words_or_numbers(
                outline.questions, self._decided, self._rows.rows(), self._naming.of, self._answers
            )
        written = Counter({self._naming.of(label): 0 for label in counted.written})
        for label, count in counted.written.items():
            written[self._naming.of(label)] += count
        for label in counted.true:
            written.setdefault(self._naming.of(label), 0)
        self._labels = labels.understood(
            written, self._answers, class_map=self._renamed, from_cells=True
        )
        names = self._naming.sorted(self._labels.class_names)
        if len(names) > MAX_CLASSES:
            raise LnlError(
                f"The column for labels in {self._listings[0].file.name} has more than "
                f"{MAX_CLASSES:,} different values. Check that it is the right column."
            )
        if not names:
            raise LnlError(
                f"{self._listings[0].file.name} has no row with both image and label. Fill them in."
            )
        self._label_of = {name: label for label, name in enumerate(names)}
        links = self._answers.links == "follow"
        self._finder = self._rows.finder(counted.sample.kept, links=links)
        few = counted.usable <= _FOUND_UP_TO or not self._finder.all_there
        joined = few and self._rows.join(self._finder)
        if self._finder.reads_otherwise or joined:
            counted.hashes = array(
                "q", (hash(self._rows.id(cells, self._finder)) for cells in self._rows.usable())
            )
        repeated = counted.repeated()
        self._also = self._contradictions(repeated) if repeated else {}
        self._fill(outline, counted, written)
        if repeated:
            self._count_once(repeated, outline)
        kept = [
            place[0]
            for cell in counted.sample.kept
            if not isinstance(place := self._finder.find(cell), BadRow)
        ]
        return FileSource(
            "manifest",
            self._home,
            counted.total,
            names,
            lambda: self._items(repeated),
            kept,
            counted.with_truth > 0,
            outline=outline,
        )

    def _with_ids(self, outline: Outline) -> Counted:
        """Count the rows; ids that count anew in every list or split are none, unless said."""
        counted = self._rows.count()
        name = next((each.used["id"] for each in self._decided.values() if "id" in each.used), None)
        if name is None or self._answers.id_column or not (repeated := counted.repeated()):
            return counted
        again = self._rows.ids_again(repeated)
        if not again:
            return counted
        outline.questions.append(
            Question(
                "id_column",
                f"Column “{visible(name)[:40]}” is no id: {again:,} of its values name another "
                "image in another list or split. The path is the id.",
                (Choice("none", "the path is the id"), Choice(name, "it is the id")),
                default="none",
            )
        )
        decided = {file: each.without("id") for file, each in self._decided.items()}
        outline.columns = decided[self._listings[0].file].used
        self._rows = ListRows(self._listings, self._home, decided, self._answers)
        return self._rows.count()

    # labels ---------------------------------------------------------------------------------

    def _classes(self, label: str) -> tuple[int, ...] | BadRow:
        meaning = self._labels.meanings[self._naming.of(visible(label))]
        if isinstance(meaning, BadRow):
            return meaning
        return tuple(self._label_of[name] for name in meaning)

    def _truth(self, label: str | None) -> int | None:
        """Return the true class; None where there is none, or more than one."""
        meaning = self._classes(label) if label else ()
        return meaning[0] if isinstance(meaning, tuple) and len(meaning) == 1 else None

    def _contradictions(self, repeated: set[int]) -> dict[str, tuple[int, ...]]:
        """Return id -> classes, for images that are listed again with another label.

        What has no file, or one of several, is no image: rows of one name may mean two. Those of
        which two rows say different truths are kept in `_unsure`.
        """
        given: dict[str, tuple[str, list[int]]] = {}
        truths: dict[str, set[int]] = {}
        for cells in self._rows.usable():
            identity, path = self._rows.id(cells, self._finder), path_of(cells["image"], self._home)
            found = self._classes(cells["label"])
            if hash(identity) not in repeated or isinstance(found, BadRow):
                continue
            if self._file(cells["image"]) is None:
                continue
            image, classes = given.setdefault(identity, (path, []))
            if image == path:
                classes += [label for label in found if label not in classes]
                truth = self._truth(cells.get("true_label"))
                truths.setdefault(identity, set()).update(() if truth is None else (truth,))
        self._unsure = {each for each, said in truths.items() if len(said) > 1}
        return {each: tuple(classes) for each, (_, classes) in given.items() if len(classes) > 1}

    def _count_once(self, repeated: set[int], outline: Outline) -> None:
        """Take rows that name an id again out of the counts."""
        seen: dict[str, _First] = {}
        names = list(self._label_of)
        for cells in self._rows.usable():
            identity, classes = self._rows.id(cells, self._finder), self._classes(cells["label"])
            if hash(identity) not in repeated or isinstance(classes, BadRow):
                continue
            if self._file(cells["image"]) is None:
                continue
            if self._is_left_out(identity) and identity not in seen:
                outline.counts[names[classes[0]]] -= 1
                outline.leave_out(1, "rows", several.BOXES, visible(cells["image"])[:200])
            elif identity in seen:
                outline.counts[names[classes[0]]] -= 1
                if (why := self._again(identity, cells, classes, seen[identity])) is not None:
                    outline.leave_out(1, "rows", why, visible(cells["image"])[:200])
            seen.setdefault(identity, self._first(cells))

    def _is_left_out(self, identity: str) -> bool:
        """Tell whether an image with boxes of several classes is to be left out."""
        return self._of_boxes and self._answers.several == "skip" and identity in self._also

    def _first(self, cells: Cells) -> _First:
        return visible(cells.get("split", "")), path_of(cells["image"], self._home)

    def _again(
        self, identity: str, cells: Cells, classes: tuple[int, ...], first: _First
    ) -> BadRow | None:
        """Return why a row that names an id again is left out; None where it adds something."""
        split, path = self._first(cells)
        if path != first[1]:
            return BadRow(*_TWICE)
        if self._is_left_out(identity):
            return several.BOXES
        adds = identity in self._also and classes[0] != self._also[identity][0]
        if adds or (self._of_boxes and split == first[0]):
            return None
        return BadRow(*(_LEAK if split != first[0] else _LISTED_TWICE))

    # the outline ----------------------------------------------------------------------------

    def _fill(self, outline: Outline, counted: Counted, written: Counter[str]) -> None:
        outline.questions += self._labels.questions
        outline.written = self._labels.written()
        outline.no_classes = self._labels.no_classes
        self._ask_unlabelled(outline, counted)
        outline.splits = dict(counted.splits)
        for label, count in written.items():
            meaning = self._labels.meanings[label]
            if isinstance(meaning, BadRow):
                outline.leave_out(count, "rows", meaning, f"“{label[:40]}”")
            elif meaning:
                outline.counts[meaning[0]] += count
        for label, paths in counted.examples.items():
            meaning = self._labels.meanings[self._naming.of(label)]
            if isinstance(meaning, tuple) and meaning:
                outline.example(meaning[0], [(path, self._file(path)) for path in paths])
        for (reason, remedy), count in counted.unusable.items():
            outline.leave_out(count, "rows", BadRow(reason, remedy))
        if self._several:
            names = [visible(each.split or self._rows.called(each)) for each in self._listings]
            more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
            outline.notes.append(f"Read together: {', '.join(names[:_SHOWN])}{more}.")
        outline.notes += per_list.splits_apart(counted.apart)
        if 0 < counted.with_truth < counted.usable:
            outline.notes.append(
                f"true_label is blank in {many(counted.usable - counted.with_truth, 'row')}: "
                f"Compare judges methods on the other {counted.with_truth:,} alone."
            )
        if self._unsure:
            first = min(self._unsure)[:60]
            images = "image is" if len(self._unsure) == 1 else "images are"
            outline.notes.append(
                f"{len(self._unsure):,} {images} listed with different true labels, first "
                f"“{first}”: their truth is not known, and none is used."
            )
        if self._also and self._of_boxes:
            outline.questions = several.with_boxes(
                outline.questions, self._also, list(self._label_of), self._answers
            )
        elif self._also:
            outline.notes.append(several.listed_twice(self._also, list(self._label_of)))
        self._finder.how.clear()
        self._lost(outline, counted)
        of_splits = self._rows.split_folders
        asked = [of_splits.question(counted.usable) if of_splits is not None else None]
        asked += [self._finder.question(outline.files_seen)]
        there = [each for each in asked if each is not None]
        outline.questions += sorted(there, key=lambda each: not each.is_open)[:1]
        of_masks = masks.question(self._rows.masks(), self._answers)
        outline.questions += [of_masks] if of_masks is not None else []
        outline.notes += self._finder.notes()
        for each in (of_splits, self._rows.path_splits):
            outline.notes += each.notes() if each is not None else []
        if counted.total <= _FOUND_UP_TO:
            places = map(self._finder.find, self._rows.images())
            outline.listed = {place[1] for place in places if not isinstance(place, BadRow)}
            outline.listed |= self._finder.torn_apart
        elif any(each.folders is not None for each in self._listings):
            outline.listed = set(self._rows.images())

    def _ask_unlabelled(self, outline: Outline, counted: Counted) -> None:
        """Ask what to do with rows whose label is blank."""
        keep = self._answers.unlabelled == "keep"
        blank = counted.written[UNLABELLED] if keep else 0
        blank += counted.unusable[BLANK.reason, BLANK.remedy]
        if blank:
            outline.questions.append(unlabelled(blank, "with a blank label", self._answers))
        if blank and keep:
            outline.no_classes = tuple(dict.fromkeys((*outline.no_classes, UNLABELLED)))

    def _file(self, cell: str) -> Path | None:
        place = self._finder.find(cell)
        return None if isinstance(place, BadRow) else place[0]

    def _lost(self, outline: Outline, counted: Counted) -> None:
        """Say which files are not there: all of a short list, a sample of a longer one."""
        cells: list[str] = counted.sample.kept
        if counted.usable <= _FOUND_UP_TO:
            cells = [each["image"] for each in self._rows.usable()]
        lost: Counter[tuple[str, str]] = Counter()
        firsts: dict[tuple[str, str], str] = {}
        for cell in cells:
            place = self._finder.find(cell)
            if isinstance(place, BadRow):
                lost[place.reason, place.remedy] += 1
                firsts.setdefault((place.reason, place.remedy), visible(cell)[:200])
        outline.files_seen, outline.files_lost = len(cells), sum(lost.values())
        scale = counted.usable / max(len(cells), 1)
        for key, count in lost.items():
            outline.leave_out(round(count * scale), "images", BadRow(*key), firsts[key])
        linked = sum(count for (reason, _), count in lost.items() if reason in (LINK, WHOLE))
        if linked:
            outline.ask_links(linked, len(cells), "links or whole paths")
        elif self._answers.links:
            outline.questions.append(
                Question(
                    "links",
                    "Links that lead out of the folder are read.",
                    (Choice("follow", "read what they point to"),),
                    answer=self._answers.links,
                )
            )

    # the images -----------------------------------------------------------------------------

    def _items(self, repeated: set[int]) -> Iterator[Item | Skipped]:
        """Yield every row as an image to read, or as one that was skipped."""
        seen: dict[str, _First] = {}
        for listing, number, cells in self._rows.rows():
            problem = cells if isinstance(cells, BadRow) else problem_of(cells)
            if problem is not None or isinstance(cells, BadRow):
                assert problem is not None
                where = "" if isinstance(cells, BadRow) else visible(cells["image"])[:200]
                place = f"row {number}"
                place += f" of {visible(self._rows.called(listing))}" if self._several else ""
                yield Skipped(where or place, problem.reason, problem.remedy, number)
                continue
            where = visible(cells["image"])[:200]
            classes = self._classes(cells["label"])
            if isinstance(classes, BadRow):
                yield Skipped(where, classes.reason, classes.remedy, number)
                continue
            identity = self._rows.id(cells, self._finder)
            suspect = hash(identity) in repeated
            split = visible(cells.get("split", ""))
            if suspect and identity in seen:
                why = self._again(identity, cells, classes, seen[identity])
                if why is not None:
                    yield Skipped(where, why.reason, why.remedy, number)
                continue
            if self._is_left_out(identity):
                seen[identity] = self._first(cells)
                yield Skipped(where, several.BOXES.reason, several.BOXES.remedy, number)
                continue
            located = self._finder.find(cells["image"])
            if isinstance(located, BadRow):
                yield Skipped(where, located.reason, located.remedy, number, lost=True)
                continue
            if suspect:
                seen[identity] = self._first(cells)
            yield Item(
                identity,
                located[0],
                located[1],
                classes[0],
                None if identity in self._unsure else self._truth(cells.get("true_label")),
                number,
                split,
                self._also.get(identity, classes if len(classes) > 1 else ()),
            )
