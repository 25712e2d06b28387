"""What the folders of a set are: splits, classes, superclasses above them, or something beside."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from lnl_core.data.images import SUFFIXES
from lnl_core.data.reading.spellings import plain
from lnl_core.data.reading.split_names import is_split as is_split
from lnl_core.data.tables import BadRow, visible
from lnl_core.readings import Answers, Choice, Question
from lnl_core.types import LnlError

_DEEP = 3
_ARCHIVES = frozenset({".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar"})
_NOTES = frozenset({".txt", ".xml", ".json", ".yaml", ".yml"})
_OF_BOXES = frozenset({"images", "image", "img", "imgs", "jpegimages", "labels", "annotations"})

BESIDE_SPLITS = BadRow(
    "Lies beside the splits.", "Move it into a split's class, or import with --parts classes."
)
NO_CLASS = BadRow(
    "Lies in a split, outside its class folders.",
    "Move it into the folder of its class, or import with --unlabelled keep.",
)
LOOSE = BadRow("Lies outside the class folders.", "Move it into the folder of its class.")


def like_image(name: str) -> bool:
    """Tell whether a file is called as images are."""
    return os.path.splitext(name)[1].lower() in SUFFIXES


@dataclass(slots=True)
class Node:
    """A folder: its own files, those that are called like images, and the folders in it.

    `archives` are files to unpack, `notes` those in which labels of boxes are written.
    What lies deeper than three folders is counted where the third one is.
    """

    files: int = 0
    images: int = 0
    archives: int = 0
    notes: int = 0
    inner: dict[str, Node] = field(default_factory=dict)

    def add(self, parts: tuple[str, ...]) -> None:
        """Count a file at the end of its folders' names."""
        node = self.folder(parts[:-1])
        node.files += 1
        ending = os.path.splitext(parts[-1])[1].lower()
        node.images += like_image(parts[-1])
        node.archives += ending in _ARCHIVES
        node.notes += ending in _NOTES

    def folder(self, parts: tuple[str, ...]) -> Node:
        """Return the node of a folder; it is made where it is new."""
        node = self
        for part in parts[:_DEEP]:
            node = node.inner.setdefault(part, Node())
        return node

    @property
    def below(self) -> int:
        """Images in it and in its folders."""
        return self.images + sum(node.below for node in self.inner.values())

    @property
    def all_files(self) -> int:
        """Files in it and in its folders, whatever they are called."""
        return self.files + sum(node.all_files for node in self.inner.values())

    def with_images(self) -> dict[str, Node]:
        """Return the folders in it that hold images."""
        return {name: node for name, node in self.inner.items() if node.below}


@dataclass(frozen=True, slots=True)
class Places:
    """Which folder is what.

    Attributes:
        splits: names of the folders that are splits; empty where there is none.
        inner: True where the class is the second of two levels.
        below: names of the splits that lie inside the classes; empty where none does.
        apart: names of folders called like splits whose images have no class.
        questions: what is asked.
        notes: what should be known.
    """

    splits: tuple[str, ...] = ()
    inner: bool = False
    below: frozenset[str] = frozenset()
    apart: frozenset[str] = frozenset()
    questions: tuple[Question, ...] = ()
    notes: tuple[str, ...] = ()

    def of(self, parts: tuple[str, ...]) -> tuple[str, str] | BadRow:
        """Return (split, class as written) of a file, or why it has no class.

        Args:
            parts: of its path below the root, its name last.
        """
        folders, split = parts[:-1], ""
        if self.splits:
            if not folders or folders[0] not in self.splits:
                return BESIDE_SPLITS
            split, folders = folders[0], folders[1:]
            if not folders:
                return NO_CLASS
        if not folders or folders[0] in self.apart:
            return LOOSE
        if len(folders) > 1 and folders[1] in self.below:
            return folders[1], folders[0]
        return split, folders[1] if self.inner and len(folders) > 1 else folders[0]

    def classes(self, root: Node) -> Iterator[tuple[str, int]]:
        """Yield (class as written, files in it) of every class folder, empty ones too."""
        tops = [root.inner[name] for name in self.splits] if self.splits else [root]
        for top in tops:
            for name, node in top.inner.items():
                if name in self.apart:
                    continue
                if not self.inner:
                    yield name, node.all_files
                    continue
                for below, inner in node.inner.items():
                    yield below, inner.all_files
                if node.files or not node.inner:
                    yield name, node.files


def archives_words(root: Node) -> str:
    """Say that a set without images holds archives; "" where it holds none."""
    count = sum(node.archives for node in _all(root))
    if not count:
        return ""
    said = "1 archive" if count == 1 else f"{count:,} archives"
    return f"No image could be read: it holds {said}. Unpack what is packed, then import."


def refuse_boxes(root: Node, class_names: Sequence[str]) -> None:
    """Refuse a set for detection, whose folders are called images and labels and are no classes.

    Raises:
        LnlError: it is one.
    """
    named = {name.lower() for name in class_names}
    if named and named <= _OF_BOXES and sum(node.notes for node in _all(root)):
        raise LnlError(
            f"{', '.join(class_names)} are no classes: this looks like a set for detection (COCO, "
            "YOLO, VOC), whose labels are of boxes. Write a list with image and label, a row an "
            "image, or cut the boxes out into a folder for each class."
        )


def _all(node: Node) -> Iterator[Node]:
    yield node
    for each in node.inner.values():
        yield from _all(each)


def decide(root: Node, answers: Answers) -> Places:
    """Say which folders are splits, and which level is the class."""
    splits, questions, notes = _splits(root, answers)
    flat = _flat(root) if not splits else []
    questions += [_ask_flat(flat, root, answers)] if flat else []
    if flat and answers.parts == "splits":
        apart = frozenset(flat)
        notes.append(f"Without a class: {', '.join(flat)}.")
        return Places((), False, frozenset(), apart, tuple(questions), tuple(notes))
    tops = [root.inner[name] for name in splits] if splits else [root]
    if splits:
        left = [n for n in root.inner if n not in splits]
        notes.append(f"Read together: {', '.join(splits)}.")
        if left:
            shown = ", ".join(f"“{visible(name)[:40]}”" for name in left[:5])
            notes.append(f"Beside the splits, and not read: {shown}.")
    below = frozenset() if splits or answers.parts == "classes" else _below(root)
    if below:
        notes.append(f"Splits lie inside the classes: {', '.join(sorted(below))}.")
        return Places((), False, below, questions=tuple(questions), notes=tuple(notes))
    level = _level(tops, answers)
    if level is not None:
        questions.append(level)
    inner = level is not None and level.answer == "inner"
    return Places(splits, inner, questions=tuple(questions), notes=tuple(notes))


def _flat(root: Node) -> list[str]:
    """Return folders called like splits that hold images themselves, beside folders that do not."""
    there = root.with_images()
    flat = [
        name for name in there if is_split(name) and 2 * there[name].images >= there[name].below
    ]
    others = [name for name in there if not is_split(name)]
    return flat if len(others) > 1 else []


def _ask_flat(flat: list[str], root: Node, answers: Answers) -> Question:
    named = ", ".join(f"“{name}”" for name in flat)
    count = sum(root.inner[name].below for name in flat)
    others = ", ".join(visible(n)[:24] for n in root.with_images() if n not in flat)
    return Question(
        "parts",
        f"{named} is called like a split and lies beside {others[:80]}: is it a class, or are its "
        f"{count:,} images without a label?",
        (
            Choice("classes", "every folder is a class"),
            Choice("splits", "they are without a label"),
        ),
        answer=answers.parts,
        stops=True,
    )


def _below(root: Node) -> frozenset[str]:
    """Return the names of splits inside the classes: cat/train, cat/val, dog/train ...

    Every folder inside a class has to be one, and has to hold the images itself.
    """
    classes = root.with_images()
    inside = [
        (name, each) for node in classes.values() for name, each in node.with_images().items()
    ]
    split = all(is_split(name) and 2 * each.images >= each.below for name, each in inside)
    names = frozenset(name for name, _ in inside)
    return names if split and len(classes) > 1 else frozenset()


def _splits(root: Node, answers: Answers) -> tuple[tuple[str, ...], list[Question], list[str]]:
    """Return (folders that are splits, questions, notes)."""
    named = [name for name in root.inner if is_split(name)]
    with_classes = [n for n in named if 2 * root.inner[n].images < root.inner[n].below]
    if not named or answers.parts == "classes":
        return (), [], []
    if not with_classes:
        if all(name in named for name in root.with_images()):
            return (), [_ask_whether_classes(named, answers)], []
        return (), [], []
    classes = {plain(name) for n in with_classes for name in root.inner[n].with_images()}
    others = [n for n in root.inner if n not in named and root.inner[n].below]
    parts = [
        name
        for name in others
        if not root.inner[name].images
        and 2 * sum(plain(each) in classes for each in root.inner[name].with_images())
        > len(root.inner[name].with_images())
    ]
    flat = [name for name in others if name not in parts]
    splits = tuple(n for n in root.inner if n in with_classes or n in parts)
    if not flat:
        return splits, [], []
    shown, beside = ", ".join(splits[:4]), ", ".join(visible(name)[:40] for name in flat[:4])
    question = Question(
        "parts",
        f"“{shown}” look like splits, but “{beside}” beside them has images too. What are they?",
        (
            Choice("splits", f"splits; {beside} is left out"),
            Choice("classes", "every folder is a class"),
        ),
        default="splits",
        answer=answers.parts,
        stops=True,
    )
    return splits, [question], []


def _ask_whether_classes(named: list[str], answers: Answers) -> Question:
    """Ask of a set whose folders are all called like splits, without a class in any of them."""
    shown = ", ".join(f"“{visible(name)[:24]}”" for name in named[:4])
    return Question(
        "parts",
        f"{shown} are called like splits and hold images without a folder for each class. Are they "
        "the classes? If not, put a folder for each class into them, or a list with image and "
        "label beside them.",
        (Choice("classes", "yes, every folder is a class"),),
        answer=answers.parts,
        stops=True,
    )


def _level(tops: list[Node], answers: Answers) -> Question | None:
    """Ask which of two levels is the class, where class folders hold nothing but folders."""
    outer = {name: node for top in tops for name, node in top.with_images().items()}
    nested = {name: node for name, node in outer.items() if not node.images}
    inner = Counter(name for node in nested.values() for name in node.with_images())
    branching = any(len(node.with_images()) > 1 for node in nested.values())
    if not nested or not branching or len(inner) < 2:
        return None
    above = ", ".join(visible(name)[:24] for name in list(nested)[:3])
    below = ", ".join(visible(name)[:24] for name in list(inner)[:4])
    again = max(inner.values()) > 1
    return Question(
        "level",
        f"Folders lie in folders: {above} … hold {below} …"
        f"{' again and again' if again else ''}. Which are the classes?",
        (
            Choice("top", f"the upper ones: {len(outer):,} classes, {above} …"),
            Choice("inner", f"the lower ones: {len(inner):,} classes, {below} …"),
        ),
        answer=answers.level,
        stops=True,
    )
