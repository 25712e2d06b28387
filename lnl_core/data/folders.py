"""One folder per class: the folder's name is the label, whatever lies deeper belongs to it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lnl_core.data.files import (
    FileSource,
    Item,
    Sample,
    hidden,
    inside_path,
    may_follow,
    storable,
)
from lnl_core.data.images import BESIDE, NO_KIND
from lnl_core.data.reading import deeper, labels, masks, naming, places
from lnl_core.data.reading.outline import CANDIDATES, UNLABELLED, Outline
from lnl_core.data.reading.outline import unlabelled as ask_unlabelled
from lnl_core.data.reading.places import Places, is_split, like_image
from lnl_core.data.reading.texts_beside import annotates_classes, is_folder_of_texts
from lnl_core.data.reading.tree import Node
from lnl_core.data.tables import BadRow, natural, visible
from lnl_core.data.writing import Skipped
from lnl_core.readings import Answers, Choice, LeftOut, Question
from lnl_core.types import LnlError

NO_IMAGE = "No image could be read. Choose the folder above the class folders."
_NOT_TEXT = BadRow("The file name is not UTF-8.", "Rename it.")
_NOT_OPENED = BadRow("The folder cannot be opened.", "Give yourself permission.")
_LINKED = "A link that leads out of the folder."
_COPY = "Copy what it points to in, or import with --follow-links."


def entries(folder: Path) -> list[os.DirEntry[str]]:
    """List a folder by name, without hidden files.

    Raises:
        LnlError: it cannot be opened.
    """
    try:
        with os.scandir(folder) as listing:
            kept = [entry for entry in listing if not hidden(entry.name)]
    except OSError as error:
        raise LnlError(
            f"{visible(str(folder))} cannot be opened: {error.strerror}. Check the path."
        ) from error
    return sorted(kept, key=lambda entry: entry.name)


def no_image(files: Sequence[Path], left: LeftOut | None = None) -> str:
    """Say why no image could be read of a folder's files; `left` is what most were left out for."""
    tree = Node()
    for file in files:
        tree.add((file.name,))
    if packed := places.packed_words(tree):
        return packed
    if left is None or left.reason == NO_KIND or left.reason.startswith(BESIDE):
        return NO_IMAGE
    first = f", first “{left.first[:60]}”" if left.first else ""
    if left.reason == places.LOOSE.reason:
        return (
            f"No image is in a class folder: {left.counted} lie beside each other{first}. Choose "
            "the folder above the class folders, or write a list with image and label into it."
        )
    return f"No image could be read of {left.counted}{first}. {left.reason} {left.remedy}"


@dataclass(frozen=True, slots=True)
class Walked:
    """One file below a root, or a folder where `is_folder`; `problem` says why it is not read.

    `links_to` is the path of another image of the set that the file is a link to.
    """

    path: str
    file: Path
    problem: BadRow | None = None
    is_folder: bool = False
    links_to: str = ""


def walk(top: Path, links: bool = False) -> Iterator[Walked]:
    """Yield every file and folder below a root, by name, folders after files.

    Args:
        top: the root, resolved.
        links: follow links that lead out, where they may be; each folder is gone through once.
    """
    yield from _walk(top, top, links, {os.path.realpath(top)})


def _walk(top: Path, folder: Path, links: bool, been: set[str]) -> Iterator[Walked]:
    try:
        inside = entries(folder)
    except LnlError:
        if folder == top:
            raise
        where = inside_path(top, str(folder)) or ""
        yield Walked(where, folder, _NOT_OPENED)
        return
    inner = []
    for entry in inside:
        path, file = inside_path(top, entry.path) or entry.name, Path(entry.path)
        is_folder = _is_folder(entry)
        problem: BadRow | None = None if storable(path) else _NOT_TEXT
        if problem is None and entry.is_symlink():
            problem = _link(top, file, is_folder, links, been)
        if is_folder and problem is None:
            inner.append(Walked(path, file, is_folder=True))
        else:
            inside_set = problem is None and entry.is_symlink()
            target = inside_path(top, os.path.realpath(file)) if inside_set else None
            yield Walked(path, file, problem, links_to=target or "")
    for each in inner:
        yield each
        yield from _walk(top, each.file, links, been)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Tell whether an entry is a folder; a link that leads round in a circle is none."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def _link(top: Path, file: Path, is_folder: bool, links: bool, been: set[str]) -> BadRow | None:
    if not os.path.exists(file):
        return BadRow("There is no such file: the link leads nowhere.", "Mend it, or take it out.")
    real = os.path.realpath(file)
    leads_out = inside_path(top, real) is None
    if leads_out and not (links and may_follow(real)):
        return BadRow(_LINKED, _COPY)
    if not is_folder:
        return None
    if not leads_out or real in been:
        return BadRow("A link to another folder of the set.", "Nothing: it is read there.")
    been.add(real)
    return None


def scan(
    root: Path,
    class_map: Mapping[str, str] | None = None,
    answers: Answers | None = None,
) -> FileSource:
    """Look over a folder of class folders without opening any image.

    A lone folder around the class folders is passed through; folders named like splits (train,
    val, test) are read together, the class folders inside them.

    Raises:
        LnlError: no class folder is there.
    """
    said = answers or Answers()
    top = innermost(root.resolve())
    return _Folders(top, class_map or {}, said, _between(root.resolve(), top)).source()


def _between(root: Path, top: Path) -> list[Path]:
    """Return the folders from the innermost one up to the one that was named."""
    above = [each for each in top.parents if each == root or root in each.parents]
    return [top, *above]


class _Folders:
    """A tree of folders, gone through twice: to count, and for the images."""

    def __init__(
        self, top: Path, renamed: Mapping[str, str], answers: Answers, around: Sequence[Path]
    ) -> None:
        self._top, self._renamed, self._answers = top, renamed, answers
        self._around = around
        self._links = answers.links == "follow"
        self._keep = answers.unlabelled == "keep"
        self._places = Places()
        self._texts: frozenset[str] = frozenset()
        self._labels = labels.Labels({})
        self._label_of: dict[str, int] = {}

    def source(self) -> FileSource:
        """Count, ask, and return what can be read."""
        tree = survey(self._top, self._links)
        if places.only_arrow(tree):
            raise LnlError(places.packed_words(tree))
        there = self._without_texts(tree)
        self._places = places.decide(there, self._answers)
        written = Counter[str]()
        for name, files in self._places.classes(there):
            if storable(name):
                written[visible(name)] += files
        called = naming.named(written, self._around, self._answers)
        renamed = {**called.names, **self._renamed}
        self._labels = labels.understood(written, self._answers, class_map=renamed)
        names = called.sorted(self._labels.class_names)
        outline = Outline(
            files=[*self._places.splits, *called.files],
            questions=[*self._places.questions, *called.questions, *self._labels.questions],
            notes=[
                *self._places.notes,
                *called.notes,
                *_not_read(self._around),
                *places.packed_beside(tree),
                *deeper.notes(there, self._places),
            ],
            written=self._labels.written(),
        )
        sample, total, unlabelled = self._fill(outline)
        if unlabelled:
            lie = "lies" if unlabelled == 1 else "lie"
            where = f"{lie} outside the class folders, so without a label"
            outline.questions.append(ask_unlabelled(unlabelled, where, self._answers))
        if unlabelled and self._keep:
            names = [*names, UNLABELLED] if UNLABELLED not in names else names
            outline.no_classes = (UNLABELLED,)
        self._label_of = {name: label for label, name in enumerate(names)}
        if not sample and not any(each.is_open for each in outline.questions):
            most = max(outline.left.values(), key=lambda each: each.count, default=None)
            raise LnlError(places.packed_words(tree) or no_image((), most))
        places.refuse_boxes(tree, names)
        kept = [self._top / path for path in sample]
        return FileSource("folder", self._top, total, names, self._items, kept, outline=outline)

    def _without_texts(self, tree: Node) -> Node:
        """Return the folders that may be classes: those of lists beside them are none."""
        if any(map(is_split, tree.inner)):
            return tree  # what lies beside the splits is no class anyway, and named
        texts = frozenset(n for n in tree.inner if is_folder_of_texts(str(self._top / n)))
        self._texts = texts if len(texts) < len(tree.inner) else frozenset()
        inner = {name: node for name, node in tree.inner.items() if name not in self._texts}
        return replace(tree, inner=inner)

    def _read(self) -> Iterator[tuple[Walked, tuple[str, str] | BadRow]]:
        """Yield every file that concerns anyone, with (split, class as written) or why not."""
        for each in walk(self._top, self._links):
            if each.is_folder:
                continue
            parts = tuple(each.path.split("/"))
            if parts[0] in self._texts:
                continue
            found = self._places.of(parts)
            if isinstance(found, BadRow) and each.problem is None and not like_image(parts[-1]):
                continue  # other files are no one's business
            if self._answers.masks == "skip" and masks.is_mask(each.file):
                each = replace(each, problem=each.problem or masks.LEFT_OUT)
            yield each, found

    def _fill(self, outline: Outline) -> tuple[list[str], int, int]:
        """Return (a sample of the paths, number of rows to come, images without a label)."""
        sample, splits, of_masks = Sample(), Counter[str](), list[str]()
        total = linked = unlabelled = 0
        twice: list[bool] = []
        for each, found in self._read():
            total += 1
            if masks.is_mask(each.file):
                of_masks.append(each.path)
            if each.problem is not None:
                linked += each.problem.reason == _LINKED
                outline.leave_out(1, "files", each.problem, visible(each.path))
                continue
            if isinstance(found, BadRow):
                unlabelled += 1
                if not self._keep:
                    outline.leave_out(1, "images", found, visible(each.path))
                else:
                    outline.counts[UNLABELLED] += 1
                    sample.add(each.path)
                    if split := self._split(each):
                        splits[split] += 1
                continue
            split, name = found[0], self._class(found[1])
            if isinstance(name, BadRow):
                outline.leave_out(1, "images", name, visible(each.path))
                continue
            sample.add(each.path)
            outline.counts[name] += 1
            if each.links_to:
                twice.append(self._places.of(tuple(each.links_to.split("/"))) != found)
            if split:
                splits[visible(split)] += 1
            if len(outline.examples.get(name, ())) < CANDIDATES and like_image(each.path):
                outline.example(name, [(visible(each.path), each.file)])
        outline.splits = dict(splits)
        outline.notes += _links_inside(twice)
        question = masks.question(of_masks, self._answers)
        outline.questions += [question] if question is not None else []
        if linked:
            outline.ask_links(linked, total)
        elif self._links:
            outline.questions.append(
                Question(
                    "links",
                    "Links that lead out of the folder are read.",
                    (Choice("follow", "read what they point to"),),
                    answer="follow",
                )
            )
        return sample.kept, total, unlabelled

    def _split(self, each: Walked) -> str:
        """Return the split of an image without a class."""
        return visible(self._places.split_of(tuple(each.path.split("/"))))

    def _class(self, written: str) -> str | BadRow:
        meaning = self._labels.meanings[visible(written)]
        return meaning if isinstance(meaning, BadRow) else meaning[0]

    def _items(self) -> Iterator[Item | Skipped]:
        for each, found in self._read():
            shown = visible(each.path)
            split = "" if isinstance(found, BadRow) else visible(found[0])
            name = found if isinstance(found, BadRow) else self._class(found[1])
            if each.problem is not None:
                yield Skipped(shown, each.problem.reason, each.problem.remedy)
            elif isinstance(name, str):
                also = self._also(found)
                label = self._label_of[name]
                yield Item(shown, each.file, each.path, label, split=split, also=also)
            elif self._keep and isinstance(found, BadRow):
                label = self._label_of[UNLABELLED]
                yield Item(shown, each.file, each.path, label, split=self._split(each))
            else:
                yield Skipped(shown, name.reason, name.remedy)

    def _also(self, found: tuple[str, str] | BadRow) -> tuple[int, ...]:
        """Return the classes of a folder that is called by several; () for one."""
        if isinstance(found, BadRow):
            return ()
        meaning = self._labels.meanings[visible(found[1])]
        if isinstance(meaning, BadRow) or len(meaning) < 2:
            return ()
        return tuple(self._label_of[name] for name in meaning)


def _links_inside(elsewhere: Sequence[bool]) -> list[str]:
    """Say that links lead to images of the set; True for each whose class or split is another."""
    if not elsewhere:
        return []
    one, other = len(elsewhere) == 1, sum(elsewhere)
    said = f"{len(elsewhere):,} {'file is a link' if one else 'files are links'} to other images of"
    said += " the set, and read as images of their own: copies"
    return [f"{said}, {other:,} of them in another class or split." if other else f"{said}."]


def survey(top: Path, links: bool = False) -> Node:
    """Count the files of every folder, links that are not read included."""
    tree = Node()
    for each in walk(top, links):
        parts = tuple(each.path.split("/"))
        if each.is_folder:
            tree.folder(parts)
        elif each.problem is None or not each.file.is_dir():
            tree.add(parts)
    return tree


def innermost(root: Path) -> Path:
    """Pass through folders that hold one folder of folders and no image; texts may be beside."""
    for _ in range(8):
        inside = entries(root)
        inner = [e for e in inside if e.is_dir(follow_symlinks=False)]
        inner = [e for e in inner if not is_folder_of_texts(e.path)]
        of_boxes = annotations_beside(inner)
        inner = [e for e in inner if e.path not in of_boxes]
        if len(inner) != 1 or any(like_image(e.name) for e in inside):
            return root
        below = entries(root / inner[0].name)
        if not any(e.is_dir() for e in below):
            return root
        if any(like_image(e.name) for e in below) or is_split(inner[0].name):
            return root
        root = root / inner[0].name
    return root


def annotations_beside(inner: Sequence[os.DirEntry[str]]) -> list[str]:
    """Return the paths of folders of annotations, where the only other one has the classes."""
    if len(inner) != 2:
        return []
    (one, other) = (each.path for each in inner)
    return [a for a, b in ((one, other), (other, one)) if annotates_classes(a, b)][:1]


def _not_read(around: Sequence[Path]) -> list[str]:
    """Say which folders of annotations are not read, from the innermost folder up."""
    found: list[str] = []
    for each in around:
        inner = [e for e in entries(each) if e.is_dir(follow_symlinks=False)]
        found += map(os.path.basename, annotations_beside(inner))
    return [
        f"“{visible(name)[:40]}” is not read: it holds annotations, no image." for name in found
    ]


def classes_of(paths: Sequence[tuple[str, ...]]) -> list[str]:
    """Guess the classes from the paths of a zip's images, as `scan` would find them."""
    while min(map(len, paths)) > 2 and len({parts[0] for parts in paths}) == 1:
        paths = [parts[1:] for parts in paths]
    at = 1 if all(is_split(parts[0]) for parts in paths) and min(map(len, paths)) > 2 else 0
    return natural({visible(parts[at]) for parts in paths if len(parts) > at + 1})
