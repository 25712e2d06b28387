"""Which column of a list is what: by the names that people use, by what is in it, else asked."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from lnl_core.data import tables
from lnl_core.data.images import SUFFIXES
from lnl_core.data.reading import addresses, one_hot, pixel_lists, rivals, splits
from lnl_core.data.reading.column_names import (
    COLUMNS,
    IDS,
    OFF,
    ON,
    Columns,
    comments,
    plain_names,
)
from lnl_core.data.reading.peeking import Peek
from lnl_core.data.tables import visible
from lnl_core.readings import Answers, Choice, Question
from lnl_core.types import LnlError

_SPLITS = 20

_OFFERED = 40
"""Columns that a question offers; any other can be named, too."""


def decide(file: Path, root: Path, answers: Answers, more: Sequence[Path] = ()) -> Columns:
    """Say which columns of a list are the image, the label, the id, the split.

    Args:
        file: the list.
        root: the folder that its paths start from.
        answers: columns that a person named, `header` and `one_hot`.
        more: lists of the same header: what is decided holds of their rows, too.

    Raises:
        LnlError: it is no table, or has no such column.
    """
    has_header = answers.header != "none"
    names = tables.names(file, COLUMNS, has_header=has_header)
    if not names:
        raise LnlError(f"{file.name} is empty. It needs a header and one row per image.")
    return _Decision((file, *more), root, answers, names, has_header).made()


class _Decision:
    """The columns of one list, or of several with one header, being decided."""

    def __init__(
        self,
        files: Sequence[Path],
        root: Path,
        answers: Answers,
        names: list[str],
        has_header: bool,
    ) -> None:
        self._file, self._root, self._answers = files[0], root, answers
        self._names, self._has_header = names, has_header
        self._plain = plain_names(names)
        self._peek = Peek(files, root, answers, names, has_header)
        self._accepted: dict[str, tuple[str, ...]] = {}
        self._used: dict[str, str] = {}
        self._one_hot: dict[str, str] = {}
        self._off: tuple[str, ...] = OFF
        self._flags: dict[str, str] = {}
        self._bools: dict[str, str] = {}
        self._questions: list[Question] = []
        self._notes = comments(self._file, has_header)

    def made(self) -> Columns:
        if self._has_header and self._is_headless():
            self._ask_header()
            return self._outcome()
        self._image()
        self._label()
        self._id()
        self._split()
        for key in ("true_label", "lnl_verdict"):
            if key in self._plain:
                self._take(key, self._plain[key])
        if rivals.of_boxes(self._plain):
            self._notes.append(
                "The rows are of boxes: an image has the label of each of its boxes."
            )
        if "true_label" in self._used and "lnl_verdict" not in self._used:
            self._notes.append("Column “true_label” is the known truth: no method learns it.")
        return self._outcome()

    def _outcome(self) -> Columns:
        return Columns(
            self._accepted,
            self._used,
            self._has_header,
            self._one_hot,
            self._flags,
            self._bools,
            self._unused(),
            self._questions,
            self._notes,
            self._off,
        )

    def _unused(self) -> tuple[str, ...]:
        """Return the columns that nothing is read from; those of our own lists are known."""
        if "lnl_verdict" in self._used:
            return ()
        read = {name.lower() for each in self._accepted.values() for name in each}
        left = [name for name in self._names if name.strip() and name.lower() not in read]
        return tuple(name for name in left if not self._is_nothing(name))

    def _is_nothing(self, name: str) -> bool:
        """Tell whether a column without a name is blank, or the index that pandas writes."""
        if self._has_header and not self._peek.is_nameless(name):
            return False
        return self._peek.is_blank(name) or (self._has_header and self._peek.counts_rows(name))

    def _take(self, key: str, name: str) -> None:
        self._accepted[key] = (name.lower(),)
        self._used[key] = name

    # the header -----------------------------------------------------------------------------

    def _is_headless(self) -> bool:
        """Tell whether the first row names an image file, and more, rather than columns."""
        if any(word in self._plain for word in (*COLUMNS["image"], *COLUMNS["label"], *IDS)):
            return False
        if any(_ends_like_image(name) or os.path.isfile(self._root / name) for name in self._names):
            return True
        ends = (name.rpartition(" ") for name in self._names)  # image label, a blank between them
        spaced = any(_ends_like_image(first) and last for first, _, last in ends)
        return spaced or self._peek.names_image_first()

    def _ask_header(self) -> None:
        self._questions.append(
            Question(
                "header",
                f"{self._file.name} has no header: its first row, {self._peek.shown()}, names an "
                "image.",
                (Choice("none", "the first row is an image"),),
                stops=True,
            )
        )

    # images ---------------------------------------------------------------------------------

    def _image(self) -> None:
        name = self._peek.said("image")
        if name is None:
            known = [self._plain[word] for word in COLUMNS["image"] if word in self._plain]
            name = self._one_of_images(known) if known else None
            if name is None and known:
                return
        if name is None:
            values = self._peek.values()
            likely = [column for column in values if _are_images(values[column])]
            if len(likely) > 1:
                name = self._one_of_images(likely)
                if name is None:
                    return
                likely = [name]
            if len(likely) != 1:
                self._refuse_pixels(values)
                likely = [
                    self._plain[word]
                    for word in (*IDS, *self._plain)
                    if word in self._plain
                    and word not in COLUMNS["label"]
                    and self._peek.names_files(self._plain[word], of_several=word in IDS)
                ][:1]
            if likely:
                name = likely[0]
                if self._has_header:
                    self._notes.append(f"Column “{visible(name)[:40]}” names the images.")
        if name is not None:
            self._take("image", name)
            return
        self._questions.append(
            Question(
                "image_column",
                f"{self._file.name} has no column “image”. Its columns: {self._peek.shown()}. "
                "Which one names the images?",
                tuple(
                    self._peek.choice(each, self._peek.example(each))
                    for each in self._peek.free()[:_OFFERED]
                ),
                stops=True,
            )
        )

    def _refuse_pixels(self, values: Mapping[str, Sequence[str]]) -> None:
        """Refuse a list of pixels, unless a column beside them and the label names files."""
        labels = {self._plain[word] for word in COLUMNS["label"] if word in self._plain}
        beside = [name for name in pixel_lists.beside(self._names) if name not in labels]
        if not any(map(self._peek.names_files, beside)):
            pixel_lists.refuse(self._file, self._names, values)

    def _one_of_images(self, known: list[str]) -> str | None:
        """Return the column of images among several that may be; None where it is asked."""
        if len(known) == 1:
            return known[0]
        found = {name: files for name in known if (files := self._peek.files_of(name))}
        if len(found) < 2:
            return next(iter(found), known[0])
        first, *others = found
        apart = {each: row for each in others if (row := self._peek.apart(first, each))}
        if not apart:
            return first
        where, example, _ = next(iter(apart.values()))
        shown = ", ".join(f"“{visible(each)[:40]}”" for each in (first, *apart))
        choices = {first: example, **{each: row[2] for each, row in apart.items()}}
        self._questions.append(
            Question(
                "image_column",
                f"Several columns of {where.name} name images, and other ones: {shown}. "
                "Which image has the label?",
                tuple(self._peek.choice(n, visible(cell)[:40]) for n, cell in choices.items()),
                stops=True,
            )
        )
        return None

    # labels ---------------------------------------------------------------------------------

    def _label(self) -> None:
        name = self._peek.said("label")
        if name is None and self._answers.one_hot == "yes":
            self._read_one_hot()
            return
        free = set(self._plain) - rivals.of_boxes(self._plain)
        taken = self._used.get("image", "")
        if self._plain.get("x", taken) != taken:
            free.discard("y")  # they are where a point lies
        candidates = [self._plain[word] for word in COLUMNS["label"] if word in free]
        candidates = [each for each in candidates if each != taken]
        if name is None and not self._has_header:
            candidates = self._first_that_repeats(taken)
        if name is not None:
            self._take("label", name)
        elif candidates:
            self._take("label", candidates[0])
            if "lnl_verdict" not in self._plain:
                used = [*candidates, taken]
                if self._has_header and set(self._names) > set(used):
                    candidates += rivals.columns(self._peek.counts, candidates[0], used)
                if len(candidates) > 1:
                    self._compare(candidates)
                self._notes += [
                    f"Column “{visible(each)[:40]}” is called like a model's output, and not read."
                    for each in rivals.outputs(self._names, used)
                ]
        else:
            self._ask_label(taken)

    def _first_that_repeats(self, taken: str) -> list[str]:
        """Return the columns of a list without a header that may be classes, else its first one.

        One that counts rows (`1 001.Bird/a.jpg`) or says splits is passed over where a later one
        may be classes.
        """
        free = [each for each in self._names if each != taken and not self._peek.is_blank(each)]
        likely = [each for each in free if self._peek.may_be_classes(each)]
        if likely[1:] and int(likely[0]) < int(taken or 0) and self._peek.numbers_rows(likely[0]):
            likely = likely[1:]  # each list numbers its own rows
        if not likely:
            return free[:1]
        if self._peek.counts_rows(free[0]):
            self._notes.append(f"Labels are column {likely[0]}: column {free[0]} counts rows.")
        elif self._peek.says_splits(free[0]):
            self._notes.append(f"Labels are column {likely[0]}: column {free[0]} says splits.")
        elif int(free[0]) < int(taken or 0) and self._peek.numbers_rows(free[0]):
            self._notes.append(f"Labels are column {likely[0]}: column {free[0]} numbers rows.")
        elif free[0] not in likely:
            return free[:1]
        return likely

    def _compare(self, candidates: list[str]) -> None:
        """Ask which of several columns has the labels, unless they say the same."""
        counts = self._peek.counts
        differ = self._peek.differing(candidates[0], candidates[1:])
        if not differ:
            blank = counts[candidates[0]][""]
            worded = next(
                (
                    n
                    for n in candidates
                    if not rivals.all_numbers(counts[n]) and counts[n][""] <= blank
                ),
                candidates[0],
            )
            self._take("label", worded)  # names say more than numbers
            rest = [f"“{visible(n)[:40]}”" for n in candidates if n != worded]
            say = "say" if len(rest) > 1 else "says"
            self._notes.append(f"Labels are column “{worded}”; {', '.join(rest)} {say} the same.")
            return
        kinds = {each: self._peek.told(each) for each in (candidates[0], *differ)}
        where = next(iter(differ.values())).name
        self._questions.append(
            rivals.question(where, kinds, self._peek.choice, self._answers.label_column)
        )

    def _read_one_hot(self) -> None:
        hot, question, notes = one_hot.classes(self._file.name, self._peek, self._answers)
        self._off = one_hot.likely(self._peek.counts).off
        cells = [cell for name in hot for cell in self._peek.counts[name]]
        if len(hot) < 2 or not any(cell.lower() in ON for cell in cells):
            raise LnlError(
                f"{self._file.name} has no two columns of 0 and 1. Leave --one-hot out, or name "
                "the column of labels with --label-column."
            )
        self._questions += [question] if question is not None else []
        self._notes += notes
        self._one_hot = {name: name for name in hot}
        self._used["label"] = f"{len(hot)} columns of 0 and 1"
        self._accepted |= {f"={name}": (name.lower(),) for name in hot}

    def _ask_label(self, taken: str) -> None:
        counts = self._peek.counts
        hot = one_hot.meant_by(counts)
        known = {taken, *hot}
        few = [
            each
            for each in self._names
            if each not in known and 1 < len(counts[each]) <= max(2, counts[each].total() // 2)
        ]
        if hot:
            self._questions.append(one_hot.question(self._file.name, hot))
            few = [each for each in few if self._peek.may_be_classes(each)]
            if not few:
                return
        words = ""
        if any(each.lower() in IDS for each in few):
            words = " “id” has the same values again and again, as a class has."
        self._questions.append(
            Question(
                "label_column",
                f"{self._file.name} has no column “label”. Its columns: {self._peek.shown()}. "
                f"Which one has the labels?{words}",
                tuple(
                    self._peek.choice(each, self._peek.told(each))
                    for each in (few or self._peek.free(taken))[:_OFFERED]
                ),
                stops=True,
            )
        )

    # ids and splits ---------------------------------------------------------------------------

    def _id(self) -> None:
        name = self._peek.said("id")
        if name is not None:
            if name:
                self._take("id", name)
            return
        used = set(self._used.values())
        name = next(
            (
                self._plain[word]
                for word in COLUMNS["id"]
                if word in self._plain and self._plain[word] not in used
            ),
            None,
        )
        if name is None:
            return
        values = [value for value in self._peek.values()[name] if value]
        if len(values) > 3 and 2 * len(set(values)) <= len(values):
            self._questions.append(
                Question(
                    "id_column",
                    f"Column “{visible(name)}” of {self._file.name} is no id: it has "
                    f"{len(set(values)):,} values in {len(values):,} rows. The path is the id.",
                    (Choice("none", "the path is the id"), Choice(name, "it is the id")),
                    default="none",
                )
            )
            return
        self._take("id", name)

    def _split(self) -> None:
        name = self._peek.said("split")
        if name is not None:
            if name and splits.flag(name, self._peek.counts[name]):
                self._take_flags([name])
            elif name:
                self._take_split(name)
            return
        used = set(self._used.values())
        for word in COLUMNS["split"]:
            name = self._plain.get(word)
            if name is None or name in used:
                continue
            if 1 <= len(self._peek.counts[name]) <= _SPLITS:
                self._take_split(name)
                rest = [w for w in COLUMNS["split"] if w in self._plain and self._plain[w] != name]
                self._notes += [
                    f"Column “{self._plain[w]}” is not read: “{name}” has the splits." for w in rest
                ]
                return
        free = [each for each in self._names if each and each not in used]
        if not free:
            return
        said = [n for n in free if self._peek.says_splits(n, several=self._has_header)]
        if said:
            self._take_split(said[0])
            return
        self._take_flags([n for n in free if splits.flag(n, self._peek.counts[n])])

    def _take_split(self, name: str) -> None:
        """Read a column of splits; one of true and false alone is asked about."""
        self._take("split", name)
        where = f"Column “{visible(name)[:40]}” of {self._file.name}"
        self._bools, question = splits.of_bools(self._peek.counts[name], where, self._answers)
        self._questions += [question] if question is not None else []

    def _take_flags(self, names: Sequence[str]) -> None:
        """Read splits off columns that say yes or no to one."""
        for name in names:
            split = splits.flag(name, self._peek.counts[name])
            self._flags[split] = f"?{name}"
            self._accepted[f"?{name}"] = (name.lower(),)
        if not names:
            return
        self._used["split"] = ", ".join(names)
        if len(names) == 1:
            (split,) = self._flags
            self._notes.append(
                f"Column “{visible(names[0])[:40]}” says which images are {split}; the others are "
                f"read as {splits.other(split)}."
            )


def _ends_like_image(value: str) -> bool:
    return os.path.splitext(addresses.path(value.strip()))[1].lower() in SUFFIXES


def _are_images(values: Sequence[str]) -> bool:
    filled = [value for value in values if value]
    return bool(filled) and sum(map(_ends_like_image, filled)) > 0.8 * len(filled)
