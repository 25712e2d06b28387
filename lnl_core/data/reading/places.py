"""What the folders of a set are: splits, classes, superclasses above them, or something beside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from lnl_core.data.reading import other_forms
from lnl_core.data.reading.spellings import plain
from lnl_core.data.reading.split_names import is_split as is_split
from lnl_core.data.reading.tree import OF_NOTES, Inside, Node, splits_inside
from lnl_core.data.reading.tree import like_image as like_image
from lnl_core.data.tables import BadRow, visible
from lnl_core.readings import Answers, Choice, Question
from lnl_core.said import many
from lnl_core.types import LnlError

_LEVELS = ("top", "inner", "third")
_OF_BOXES = frozenset({"images", "image", "img", "imgs", "jpegimages", "labels"}) | OF_NOTES
_OF_FILES = frozenset({"images", "image", "img", "imgs", "jpegimages", "jpeg", "jpg", "png"})
_OF_FILES |= {"files", "data", "all", "pictures", "photos", "unlabelled", "unlabeled", "unknown"}
_OF_MASKS = frozenset({"masks", "mask", "ground_truth", "groundtruth", "gt", "trimaps"})
_OF_MASKS |= {"segmentation", "segmentations", "segmentationclass", "segmentationobject"}

_FEW_NOTES = 12
"""Files of labels beside images; more are of one image each."""

BESIDE_SPLITS = BadRow(
    "Lies beside the splits.", "Move it into a split's class, or import with --parts classes."
)
NO_CLASS = BadRow(
    "Lies in a split, outside its class folders.",
    "Move it into the folder of its class, or import with --unlabelled keep.",
)
LOOSE = BadRow("Lies outside the class folders.", "Move it into the folder of its class.")


@dataclass(frozen=True, slots=True)
class Places:
    """Which folder is what.

    Attributes:
        splits: names of the folders that are splits; empty where there is none.
        level: of folders in folders, the one that is the class, counted from 0.
        below: the splits that lie inside other folders.
        apart: names of folders called like splits whose images have no class.
        bare: splits whose only folder is called like images, and is no class.
        questions: what is asked.
        notes: what should be known.
    """

    splits: tuple[str, ...] = ()
    level: int = 0
    below: Inside = field(default_factory=Inside)
    apart: frozenset[str] = frozenset()
    bare: frozenset[str] = frozenset()
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
            if not folders or split in self.bare:
                return NO_CLASS
        if not folders or folders[0] in self.apart:
            return LOOSE
        below, folders = self.below.of(folders)
        return split or below, folders[min(self.level, len(folders) - 1)]

    def split_of(self, parts: tuple[str, ...]) -> str:
        """Return the split that a file without a class lies in; "" where that is none."""
        folders = parts[:-1]
        if folders and (folders[0] in self.splits or folders[0] in self.apart):
            return folders[0]
        return "" if self.splits else self.below.of(folders)[0]

    def classes(self, root: Node) -> Iterator[tuple[str, int]]:
        """Yield (class as written, files in it) of every class folder, empty ones too."""
        if self.below.names:
            root = self.below.without(root)
        tops = [root.inner[n] for n in self.splits if n not in self.bare] if self.splits else [root]
        for top in tops:
            for name, node in top.inner.items():
                if name not in self.apart:
                    yield from _ends(name, node, self.level)


def _ends(name: str, node: Node, level: int) -> Iterator[tuple[str, int]]:
    """Yield (folder, images that belong to it) of the folders so many levels below one.

    Files count where none is called like an image: names do not decide what is one.
    """
    if not level:
        yield name, node.below or node.all_files
        return
    for inner, below in node.inner.items():
        yield from _ends(inner, below, level - 1)
    if node.files or not node.inner:
        yield name, node.images or node.files


def only_arrow(root: Node) -> bool:
    """Tell whether there is nothing but Arrow and its notes below: other files may be images."""
    inner = [node for each in root.inner.values() for node in each.all()]
    bare = all(node.files == node.arrow + node.notes for node in inner)
    return bare and not root.below and any(node.arrow for node in root.all())


def packed_words(root: Node) -> str:
    """Say that a set without images holds some packed, as arrays or in a form that is not read."""
    archives = sum(node.archives for node in root.all())
    arrays = sum(node.arrays for node in root.all())
    arrow = sum(node.arrow for node in root.all())
    pictures = sum(node.pictures for node in root.all())
    if pictures:
        said = f"{many(pictures, 'image')} in a form that is not read"
        remedy = other_forms.AS_IMAGES
    elif archives:
        said = "1 archive" if archives == 1 else f"{archives:,} archives"
        remedy = "Unpack what is packed, then import."
    elif arrow:
        said = "1 file of Arrow" if arrow == 1 else f"{arrow:,} files of Arrow"
        remedy = other_forms.AS_PARQUET
    elif arrays:
        said = "1 file of arrays" if arrays == 1 else f"{arrays:,} files of arrays"
        remedy = other_forms.AS_NPZ
    else:
        return ""
    return f"No image could be read: it holds {said}. {remedy}"


def packed_beside(root: Node) -> list[str]:
    """Say which archives lie beside images that are read: what is packed in them is not."""
    nodes = [node for node in root.all() if node.archives]
    if not nodes or not root.below:
        return []
    count = sum(node.archives for node in nodes)
    more = f" and {many(count - 1, 'archive')} more are" if count > 1 else " is"
    name = visible(nodes[0].archive)[:60]
    return [f"“{name}”{more} not read: unpack what is packed, then import."]


def refuse_boxes(root: Node, class_names: Sequence[str]) -> None:
    """Refuse a set whose folders are called images and labels and are no classes.

    With a file of notes for most images it is one for detection; a few are labels in a form that is
    not read.

    Raises:
        LnlError: it is one.
    """
    flat = {name for name, node in root.inner.items() if node.images and not node.with_images()}
    bare = {name for name, node in root.inner.items() if not node.below}
    named = {name.lower() for name in class_names if name not in bare or not flat}
    if named & _OF_MASKS and named - _OF_MASKS and named <= _OF_MASKS | _OF_BOXES:
        raise LnlError(
            f"{', '.join(class_names)} are no classes: this looks like a set for segmentation, "
            "whose labels are masks. Write a list with image and label, a row an image."
        )
    notes = [node for node in root.all() if node.notes]
    bare_notes = sum(node.bare_notes for node in root.all()) if root.below else 0
    if not named or not named <= _OF_BOXES or not (notes or bare_notes):
        return
    count = sum(node.notes for node in notes)
    if notes and count + bare_notes <= _FEW_NOTES and 2 * count <= root.below:
        raise LnlError(
            f"{', '.join(class_names)}: no classes, and {visible(notes[0].note)[:60]} is no form "
            "that is read. Write its labels as a list with image and label, a row an image, as CSV "
            "or JSON lines."
        )
    raise LnlError(
        f"{', '.join(class_names)} are no classes: this looks like a set for detection (COCO, "
        "YOLO, VOC), whose labels are of boxes. Write a list with image and label, a row an "
        "image, or cut the boxes out into a folder for each class."
    )


def decide(root: Node, answers: Answers) -> Places:
    """Say which folders are splits, and which level is the class."""
    splits, questions, notes = _splits(root, answers)
    flat = _flat(root) if not splits else []
    questions += [_ask_flat(flat, root, answers)] if flat else []
    if flat and answers.parts == "splits":
        apart = frozenset(flat)
        notes.append(f"Without a class: {', '.join(flat)}.")
        return Places(apart=apart, questions=tuple(questions), notes=tuple(notes))
    bare = _bare(root, splits)
    tops = [root.inner[name] for name in splits if name not in bare] if splits else [root]
    if splits:
        left = [n for n in root.inner if n not in splits]
        notes.append(f"Read together: {', '.join(splits)}.")
        if left:
            shown = ", ".join(f"“{visible(name)[:40]}”" for name in left[:5])
            what = "kept without a class" if answers.unlabelled == "keep" else "not read"
            notes.append(f"Beside the splits, and {what}: {shown}.")
    below = Inside() if splits or answers.parts == "classes" else splits_inside(root)
    named = [name for name in splits if name not in bare]
    doubled = bool(named) and all([*root.inner[name].with_images()] == [name] for name in named)
    doubled = doubled and not answers.level  # seg_train/seg_train/, as a zip was unpacked
    if doubled:
        tops = [root.inner[name].inner[name] for name in named]
    level = _level([below.without(root)] if below.names else tops, answers)
    if below.names and not below.whole and level is None:
        level = _level(tops, answers)  # some are called like splits, others are not
        below = below if level is None or level.answer in ("", "top") else Inside()
    if below.names:
        questions += [] if flat else [_ask_inside(below, answers)]
    if level is not None:
        questions.append(level)
    at = _LEVELS.index(level.answer) if level is not None and level.answer in _LEVELS else 0
    at += doubled
    return Places(splits, at, below, bare=bare, questions=tuple(questions), notes=tuple(notes))


def _bare(root: Node, splits: Sequence[str]) -> frozenset[str]:
    """Return splits with one folder of images, called so or like a split, where others have more.

    Their images have no class: `val/images/` beside `train/cat/` and `train/dog/`. Folders of
    images in it may be classes: `val/images/cat/`.
    """
    inside = {name: root.inner[name].with_images() for name in splits}
    alone = {name: next(iter(inner)) for name, inner in inside.items() if len(inner) == 1}
    real = {plain(each) for name, inner in inside.items() if name not in alone for each in inner}
    return frozenset(
        name
        for name, only in alone.items()
        if real
        and plain(only) not in real
        and is_of_files(only)
        and not inside[name][only].with_images()
    )


def is_of_files(name: str) -> bool:
    """Tell whether a folder is called like files or a split, and so like no class."""
    return name.lower() in _OF_FILES or is_split(name)


def holds_masks(name: str) -> bool:
    """Tell whether a folder is called as those of masks are."""
    return name.lower() in _OF_MASKS


def _ask_inside(below: Inside, answers: Answers) -> Question:
    return Question(
        "parts",
        f"Splits lie inside the classes: {', '.join(sorted(below.names))}.",
        (Choice("splits", "they are splits"), Choice("classes", "they are none")),
        default="splits",
        answer=answers.parts,
    )


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
        f"{named} is called like a split and lies beside {others[:80]}: is it a class, or "
        f"{'is its' if count == 1 else 'are its'} {many(count, 'image')} without a label?",
        (
            Choice("classes", "every folder is a class"),
            Choice("splits", "they are without a label"),
        ),
        answer=answers.parts,
        stops=True,
    )


def _splits(root: Node, answers: Answers) -> tuple[tuple[str, ...], list[Question], list[str]]:
    """Return (folders that are splits, questions, notes)."""
    named = [name for name in root.inner if is_split(name)]
    with_classes = [n for n in named if 2 * root.inner[n].images < root.inner[n].below]
    if not named or answers.parts == "classes":
        return (), [], []
    if not with_classes:
        others = [name for name in root.with_images() if name not in named]
        flat = [n for n in others if 2 * root.inner[n].images >= root.inner[n].below]
        if not others or (len(named) > 1 and len(others) == len(flat) == 1):
            return (), [_ask_whether_classes(named, others, answers)], []
        return (), [], []
    classes = {plain(name) for n in with_classes for name in root.inner[n].with_images()}
    others = [n for n in root.inner if n not in named and root.inner[n].below]
    parts = [
        name
        for name in others
        if not root.inner[name].images
        and name.lower() not in _OF_MASKS
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


def _ask_whether_classes(named: list[str], others: list[str], answers: Answers) -> Question:
    """Ask of a set whose folders, but for one, are called like splits, without a class in any."""
    shown = ", ".join(f"“{visible(name)[:24]}”" for name in named[:4])
    too = f", as “{visible(others[0])[:24]}” beside them does" if others else ""
    return Question(
        "parts",
        f"{shown} are called like splits and hold images without a folder for each class{too}. Are "
        "they the classes? If not, put a folder for each class into them, or a list with image and "
        "label beside them.",
        (Choice("classes", "yes, every folder is a class"),),
        answer=answers.parts,
        stops=True,
    )


def _level(tops: list[Node], answers: Answers) -> Question | None:
    """Ask which level is the class, where class folders hold nothing but folders."""
    outer = {name: node for top in tops for name, node in top.with_images().items()}
    nested = {name: node for name, node in outer.items() if not node.images}
    inner, branching = _names(list(nested.values()))
    deeper = [n for node in nested.values() for n in node.with_images().values() if not n.images]
    third, forking = _names(deeper)
    forking = forking and (branching or max(third.values()) > 1)
    if not branching and not forking:
        return None
    choices = [("top", "upper", list(outer))]
    named = [("inner", "lower" if not forking else "second", inner)] if branching else []
    named += [("third", "third", third)] if forking else []
    for value, words, shown in named:  # what lies higher up is a class of its own folder's name
        classes = _classes(outer, _LEVELS.index(value))
        choices.append((value, words, [*shown, *(name for name in classes if name not in shown)]))
    below = inner if branching else third
    again = max(below.values()) > 1
    return Question(
        "level",
        f"Folders lie in folders: {_few(nested, 3)} … hold {_few(below, 4)} …"
        f"{' again and again' if again else ''}. Which are the classes?",
        tuple(
            Choice(
                value,
                f"the {words} ones: {many(len(names), 'class', 'classes')}, {_few(names, 4)} …",
            )
            for value, words, names in choices
        ),
        answer=answers.level,
        stops=True,
    )


def _classes(outer: Mapping[str, Node], level: int) -> list[str]:
    """Return the folders that are classes where those so many levels below the outer ones are."""
    ends = [end for name, node in outer.items() for end in _image_ends(name, node, level)]
    return list(dict.fromkeys(ends))


def _image_ends(name: str, node: Node, level: int) -> Iterator[str]:
    if not level:
        yield name
        return
    for inner, below in node.with_images().items():
        yield from _image_ends(inner, below, level - 1)
    if node.images:
        yield name


def _names(nodes: list[Node]) -> tuple[Counter[str], bool]:
    """Return (name -> how many of the folders hold it, whether they may be classes)."""
    names = Counter(name for node in nodes for name in node.with_images())
    return names, len(names) > 1


def _few(names: Iterable[str], count: int) -> str:
    return ", ".join(visible(name)[:24] for name in islice(names, count))
