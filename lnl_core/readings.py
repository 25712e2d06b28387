"""The nouns of what comes in: what was understood, what is asked, and how it is answered."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from lnl_core.records import Action, LnlError


@dataclass(frozen=True, slots=True)
class Answers:
    """What a person said about a source; what is blank was not said.

    Every field is the key of one kind of question, and has an option on the command line
    (`OPTIONS`). It is kept as JSON while an import waits for its process.

    Attributes:
        spellings: `merge` or `keep` class names that differ in case, blanks or Unicode form alone.
        numbers: `merge` or `keep` class names that are one number (1, 1.0, 01).
        alike: `merge` or `keep` classes in singular and plural, numbered, or one slip apart.
        measured: `classes`: labels that look measured, or like names of single images, are meant.
        missing: words for missing in a list: `skip` the row, a `class`, or `none`: no class.
        several: several labels in a cell: keep the `first` and note all, a `class`, or `skip`.
        count_from: `0` or `1`: what the first class's number is.
        lists: names of the lists to read, or `all`.
        labels_in: `folders` or `list`: where the labels are when both are there.
        split_spellings: `merge` or `keep` splits that differ in case, blanks or Unicode form alone.
        split_true: which split is meant by true in a column of true and false; `names`: neither.
        parts: folders named like splits are `splits` or `classes`.
        level: `top`, `inner` or `third`: which level of folders is the class.
        unlabelled: `skip` images without a label, or `keep` them to be labelled.
        masks: `skip` files called like masks of an image beside them, or `keep` them.
        mostly_skipped: `accept` that more than half is left out.
        contrast: `set`: stretch pixels to the range of the set; `whole`: few far values included;
            `file`: as the format says.
        image_column: name of a list's column, or its number from 1.
        label_column: the same.
        id_column: the same, or `none`.
        split_column: the same, or `none`.
        images_in: folder whose files are meant where several have the names of a list; `none`.
        header: `none` where a list's first row is an image.
        one_hot: `yes` where every class has a column of 0 and 1.
        class_columns: of columns of 0, 1 and more those that are classes; `all`, `none`. Where one
            of 0 and 1 alone is named, none but those named is a class.
        classes_file: a file of class names, or `none`.
        links: `follow` links that lead out of the folder.
        no_classes: labels that say that nobody labelled the image.
    """

    spellings: str = ""
    numbers: str = ""
    alike: str = ""
    measured: str = ""
    missing: str = ""
    several: str = ""
    count_from: str = ""
    lists: tuple[str, ...] = ()
    labels_in: str = ""
    split_spellings: str = ""
    split_true: str = ""
    parts: str = ""
    level: str = ""
    unlabelled: str = ""
    masks: str = ""
    mostly_skipped: str = ""
    contrast: str = ""
    image_column: str = ""
    label_column: str = ""
    id_column: str = ""
    split_column: str = ""
    images_in: str = ""
    header: str = ""
    one_hot: str = ""
    class_columns: tuple[str, ...] = ()
    classes_file: str = ""
    links: str = ""
    no_classes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return what was said, as JSON keeps it."""
        return {key: value for key, value in asdict(self).items() if value}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Answers:
        """Return what `to_json` made; keys that are unknown here are left out."""
        known: dict[str, Any] = {each.name: each.default for each in fields(cls)}
        kept: dict[str, Any] = {}
        for key, value in values.items():
            if key in known:
                values_of = (value,) if isinstance(value, str) else tuple(value)
                kept[key] = values_of if isinstance(known[key], tuple) else str(value)
        return cls(**kept)


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer: its value, and what it means in a few words."""

    value: str
    words: str


@dataclass(frozen=True, slots=True)
class Question:
    """Something that only a person can settle.

    Attributes:
        key: the field of `Answers` that takes the answer.
        text: what was seen and what is asked, in sentences.
        choices: the answers there are; none where any text is one (the name of a column).
        default: what is done unless something else is said; "" where there is none.
        answer: what a person said, "" where nobody did.
        stops: True where a wrong reading would change labels: nothing is stored unanswered.
        details: what the question is about, a line each.
        several: True where more than one choice can be taken.
    """

    key: str
    text: str
    choices: tuple[Choice, ...] = ()
    default: str = ""
    answer: str = ""
    stops: bool = False
    details: tuple[str, ...] = ()
    several: bool = False

    @property
    def is_open(self) -> bool:
        """Tell whether the import cannot go on before it is answered."""
        return self.stops and (not self.answer or self.is_refused)

    @property
    def is_refused(self) -> bool:
        """Tell whether the answer is one that this question does not offer.

        What a person writes, such as the name of a column, is checked where it is used.
        """
        one = _BY_KEY.get(self.key)
        offered = {each.value for each in self.choices}
        return bool(one and one.choices and self.answer and self.answer not in offered)

    @property
    def taken(self) -> str:
        """Return what is done now: what was said where that is possible, else the default."""
        return self.default if self.is_refused else self.answer or self.default


@dataclass(frozen=True, slots=True)
class Example:
    """One image of a class: where it lies, and a small PNG of it where pictures were asked for."""

    where: str
    picture: bytes | None = None


@dataclass(frozen=True, slots=True)
class ClassRead:
    """One class: its images, how it is written where that differs, and a few of them.

    `no_class` says that the label is none: a person said so.
    """

    name: str
    count: int
    written: tuple[str, ...] = ()
    examples: tuple[Example, ...] = ()
    no_class: bool = False


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What will not come in: how many, what (plural), why, what helps, where the first is."""

    count: int
    what: str
    reason: str
    remedy: str = ""
    first: str = ""

    @property
    def counted(self) -> str:
        """`1 image`, `8,000 rows`."""
        return f"{self.count:,} {self.what.removesuffix('s') if self.count == 1 else self.what}"


@dataclass(frozen=True, slots=True)
class Reading:
    """What an import understood of a source; nothing is stored yet.

    Attributes:
        kind: `folder`, `manifest`, `hub`, `npz`, `torchvision` or `zip`.
        source: what was looked at.
        n: images expected, None where only reading would tell (a zip that was not unpacked).
        height: working resolution that would be chosen; None likewise.
        width: the same.
        files: lists, arrays or folders that are read, relative to the source.
        columns: what is needed -> the column that has it, for lists.
        splits: split -> images in it, in the order found; empty where there is none.
        classes: the classes, in the order of their numbers; None where only reading would tell.
        questions: what is asked, those that stop first.
        left_out: what will not come in, most first.
        notes: sentences about the set as a whole.
        exact: False where only some of the files were opened: the numbers are estimates.
    """

    kind: str
    source: str
    n: int | None
    height: int | None
    width: int | None
    files: tuple[str, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    splits: Mapping[str, int] = field(default_factory=dict)
    classes: tuple[ClassRead, ...] | None = None
    questions: tuple[Question, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()
    exact: bool = True

    @property
    def class_names(self) -> tuple[str, ...] | None:
        """Return the classes' names; None where only reading would tell."""
        return None if self.classes is None else tuple(each.name for each in self.classes)

    @property
    def open_questions(self) -> tuple[Question, ...]:
        """Return what has to be answered before anything can be stored."""
        return tuple(each for each in self.questions if each.is_open)

    def to_json(self) -> dict[str, Any]:
        """Return everything but the pictures, as JSON keeps it."""
        values = asdict(self)
        for each in values["classes"] or ():
            each["examples"] = [example["where"] for example in each["examples"]]
        for each, question in zip(values["questions"], self.questions, strict=True):
            each["is_open"] = question.is_open
        return values


@dataclass(frozen=True, slots=True)
class Option:
    """How a question is answered on the command line.

    Attributes:
        key: the field of `Answers`.
        flag: the option.
        choices: what it takes; any text where empty.
        help: one line of `--help`.
        metavar: what stands for the value in the help.
        sets: the value that the option sets by itself, where it takes none.
        many: True where it may be given several times.
    """

    key: str
    flag: str
    help: str
    choices: tuple[str, ...] = ()
    metavar: str = ""
    sets: str = ""
    many: bool = False


OPTIONS = (
    Option("spellings", "--spellings", "class names that differ in case, blanks, signs, Unicode "
           "form, what stands in front or a copy's ending alone", ("merge", "keep")),
    Option("numbers", "--numbers", "classes that are one number: 1, 1.0, 01, one; or whole ones "
           "written with decimals", ("merge", "keep")),
    Option("alike", "--alike", "classes in singular and plural, or one letter apart where one is "
           "rare (default: classes of their own)", ("merge", "keep")),
    Option("measured", "--measured", "labels that look like measurements, counts or names of "
           "images: each is a class", ("classes",)),
    Option("missing", "--missing-words", "nan, NA, None, ? ... in a list: skip the rows (default), "
           "classes of their own, or no class, to be labelled", ("skip", "class", "no-class")),
    Option("several", "--several-labels", "a cell with several labels: keep the first and put the "
           "image first in the queue, a class of its own, or skip the row",
           ("first", "class", "skip")),
    Option("count_from", "--count-from", "number of the first class", ("0", "1")),
    Option("lists", "--list", "of several lists in a folder, the one to read; may be given several "
           "times; “all” reads every one", metavar="FILE", many=True),
    Option("labels_in", "--labels-in", "where class folders and a list are both there",
           ("folders", "list")),
    Option("split_spellings", "--split-spellings", "splits that differ in case, blanks or Unicode "
           "form alone: one split each (default), or kept apart", ("merge", "keep")),
    Option("split_true", "--split-true", "of splits that are only true and false, the one that is "
           "true; “names”: they are called so (default)", ("train", "val", "test", "names")),
    Option("parts", "--parts", "folders called train, val ... are splits or classes",
           ("splits", "classes")),
    Option("level", "--class-level", "of folders in folders, the level that is the class",
           ("top", "inner", "third")),
    Option("unlabelled", "--unlabelled", "images without a label: skip them (default), or keep "
           "them to be labelled", ("skip", "keep")),
    Option("masks", "--masks", "in class folders, files called like masks of an image beside them: "
           "skip them, or keep them as images", ("skip", "keep")),
    Option("mostly_skipped", "--accept-skipped", "import although more than half is left out",
           sets="accept"),
    Option("contrast", "--contrast", "deep or dark pixels: stretched to the range of the set "
           "(default), single far pixels included, or as the file's format says",
           ("set", "whole", "file")),
    Option("image_column", "--image-column", "column of a list that names the images, by name or "
           "number from 1", metavar="COLUMN"),
    Option("label_column", "--label-column", "column of the labels", metavar="COLUMN"),
    Option("id_column", "--id-column", "column of the ids; “none”: the path is the id",
           metavar="COLUMN"),
    Option("split_column", "--split-column", "column of the splits; “none”: there is none",
           metavar="COLUMN"),
    Option("images_in", "--images-in", "folder whose files are meant where several folders have "
           "the names of a list; “none”: their rows are left out", metavar="FOLDER"),
    Option("header", "--no-header", "the list's first row is an image", sets="none"),
    Option("one_hot", "--one-hot", "every class has a column of 0 and 1", sets="yes"),
    Option("class_columns", "--class-column", "with --one-hot, a column of 0, 1 and something else "
           "that is a class; of columns of 0 and 1 alone those that are; may be given several "
           "times; “all”, or “none” of them",
           metavar="COLUMN", many=True),
    Option("classes_file", "--classes", "file with the class names, for labels or folders that are "
           "numbers or codes; “none”: those are the names", metavar="FILE"),
    Option("links", "--follow-links", "read links that lead out of the folder", sets="follow"),
    Option("no_classes", "--not-a-class", "label that says that nobody labelled the image, such as "
           "“Not sure”: kept as given, never learned, never suggested, reviewed apart; may be "
           "given several times", metavar="NAME", many=True),
)  # fmt: skip
"""Every question's option, in the order of `lnl import --help`."""

_BY_KEY = {each.key: each for each in OPTIONS}
_NAMED = 12
"""Answers that the way of the command line lists; the question shows as many."""


def option(key: str) -> Option:
    """Return the option that answers questions of a key."""
    return _BY_KEY[key]


def advice(question: Question) -> str:
    """Say in a sentence which option answers a question: “Give --spellings merge or keep.”"""
    one = _BY_KEY[question.key]
    if one.sets:
        return f"Give {one.flag}."
    values = [shlex.quote(choice.value) for choice in question.choices[:_NAMED]] or [one.metavar]
    values += ["another one"] if len(question.choices) > _NAMED else []
    words = " or ".join([", ".join(values[:-1]), values[-1]] if len(values) > 1 else values)
    joint = "=" if any(value.startswith("-") for value in values) else " "
    return f"Give {one.flag}{joint}{words}."


def said(values: Any) -> dict[str, Any]:
    """Return what options said, key -> answer, from the attributes of a parsed command line."""
    answers = {each.key: getattr(values, each.key, None) for each in OPTIONS}
    return {key: tuple(v) if isinstance(v, list) else str(v) for key, v in answers.items() if v}


class Unanswered(LnlError):
    """An import that stopped at a question; `questions` are those that are open."""

    code = "question"

    def __init__(self, questions: Sequence[Question]) -> None:
        super().__init__(
            "Nothing was stored, because labels could be read wrongly. "
            + " ".join(f"{each.text} {advice(each)}" for each in questions)
        )
        self.questions = tuple(questions)


SOURCES = {
    "lnl": "LNL Review",
    "table": "a table",
    "fiftyone": "FiftyOne",
    "label-studio": "Label Studio",
    "cleanlab": "cleanlab",
}
"""What can be read -> its name."""

_UNCHANGED = ("skip", "keep")
_TAG_ACTIONS = (Action.KEEP, Action.UNSURE, Action.NONE, Action.SKIP)


@dataclass(frozen=True, slots=True)
class How:
    """How a file of decisions from another tool is read; what is blank is found out.

    Attributes:
        source: a key of `SOURCES`.
        image_column: the column or field that names the image.
        label_column: the column or field of corrected labels, or Label Studio's `from_name`.
        reviewer_column: the column that says who decided.
        time_column: the column that says when.
        unchanged: `skip` or `keep`: what a label that is the given one says where the file does not
            say that anybody looked.
        tags: FiftyOne's tag -> action that it stands for.
    """

    source: str = ""
    image_column: str = ""
    label_column: str = ""
    reviewer_column: str = ""
    time_column: str = ""
    unchanged: str = "skip"
    tags: Mapping[str, Action] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.source and self.source not in SOURCES:
            raise LnlError(f"“{self.source}” is none of {', '.join(SOURCES)}.")
        if self.unchanged not in _UNCHANGED:
            raise LnlError(f"“{self.unchanged}” is none of {', '.join(_UNCHANGED)}.")


def as_tags(pairs: Iterable[str]) -> dict[str, Action]:
    """Return tag -> action from texts like `verified=keep`.

    Raises:
        LnlError: it is not so, or the action needs a label.
    """
    tags: dict[str, Action] = {}
    for pair in pairs:
        tag, _, word = pair.rpartition("=")
        if not tag or word not in _TAG_ACTIONS:
            raise LnlError(
                f"“{pair[:60]}” is no TAG=ACTION. A tag can say {', '.join(_TAG_ACTIONS)}: "
                "--tag verified=keep."
            )
        tags[tag] = Action(word)
    return tags
