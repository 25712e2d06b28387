"""The folders of a set as a tree: what each holds, and what it is without a level of splits."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field

from lnl_core.data.images import SUFFIXES
from lnl_core.data.reading.other_forms import ARCHIVES, ARRAYS, ARROW, PICTURES, ending_of
from lnl_core.data.reading.split_names import is_split

_DEEP = 4
_NOTES = frozenset({".txt", ".xml", ".json", ".yaml", ".yml"})
OF_NOTES = frozenset({"annotation", "annotations"})
_READ_ME = frozenset({"license", "licence", "requirements", "notes"})


def like_image(name: str) -> bool:
    """Tell whether a file is called as images are."""
    return os.path.splitext(name)[1].lower() in SUFFIXES


def is_read_me(name: str) -> bool:
    """Tell whether a file is called as those are that speak to people."""
    stem = name.lower().partition(".")[0]  # license_plate_001.txt is the label of an image
    return stem in _READ_ME or stem.startswith("readme")


def like_read_me(name: str) -> bool:
    """Tell whether a text is called nearly so: `LICENSE-MIT.txt`, but `license_plate_001.txt` too.

    Whoever asks has to look into it.
    """
    stem, ending = os.path.splitext(name.lower())
    return ending == ".txt" and stem.startswith(tuple(_READ_ME))


@dataclass(slots=True)
class Node:
    """A folder: its own files, those that are called like images, and the folders in it.

    `archives` are files to unpack, `archive` the path of the first, `arrays` those that other
    programs keep arrays in, `arrow` those of Arrow, `pictures` those of images in a form that is
    not read, `notes` those in which labels of boxes are written, `note` the path of the first,
    `bare_notes` those without an ending in folders of annotations.
    What lies deeper than four folders is counted where the fourth one is.
    """

    files: int = 0
    images: int = 0
    archives: int = 0
    arrays: int = 0
    notes: int = 0
    arrow: int = 0
    pictures: int = 0
    bare_notes: int = 0
    note: str = ""
    archive: str = ""
    inner: dict[str, Node] = field(default_factory=dict)

    def add(self, parts: tuple[str, ...]) -> None:
        """Count a file at the end of its folders' names."""
        node = self.folder(parts[:-1])
        node.files += 1
        ending = ending_of(parts[-1])
        node.images += like_image(parts[-1])
        if ending in ARCHIVES:
            node.archives += 1
            node.archive = node.archive or "/".join(parts)
        node.arrays += ending in ARRAYS
        node.arrow += ending in ARROW
        node.pictures += ending in PICTURES
        node.bare_notes += not ending and not OF_NOTES.isdisjoint(map(str.lower, parts[:-1]))
        if ending in _NOTES and not is_read_me(parts[-1]):
            node.notes += 1
            node.note = node.note or "/".join(parts)

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

    def absorb(self, other: Node) -> None:
        """Count everything of another folder here, too."""
        self.files += other.files
        self.images += other.images
        self.archives += other.archives
        self.arrays += other.arrays
        self.notes += other.notes
        self.arrow += other.arrow
        self.pictures += other.pictures
        for name, node in other.inner.items():
            self.inner.setdefault(name, Node()).absorb(node)

    def all(self) -> Iterator[Node]:
        """Yield it and every folder below."""
        yield self
        for each in self.inner.values():
            yield from each.all()


@dataclass(frozen=True, slots=True)
class Inside:
    """Folders called like splits that lie below others: `CLASS/train/`, `SITE/CLASS/train/`.

    Attributes:
        names: their names; empty where there are none.
        at: how many folders lie above them.
        whole: True where every folder at that depth is one.
    """

    names: frozenset[str] = frozenset()
    at: int = 1
    whole: bool = False

    def of(self, folders: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
        """Return (split, folders without it) of the folders that a file lies in."""
        if len(folders) > self.at and folders[self.at] in self.names:
            return folders[self.at], folders[: self.at] + folders[self.at + 1 :]
        return "", folders

    def without(self, node: Node, depth: int = 0) -> Node:
        """Return a tree in which what lies in the splits lies in the folder above them."""
        bare = Node(node.files, node.images, node.archives, node.arrays, node.notes)
        bare.arrow, bare.pictures = node.arrow, node.pictures
        for name, inner in node.inner.items():
            if depth == self.at and name in self.names:
                bare.absorb(inner)
            else:
                kept = self.without(inner, depth + 1) if depth < self.at else inner
                bare.inner.setdefault(name, Node()).absorb(kept)
        return bare


def splits_inside(root: Node) -> Inside:
    """Return the folders called like splits below the outer ones, where there are such."""
    if len(root.with_images()) < 2:
        return Inside()
    levels = []
    nodes = list(root.with_images().values())
    for at in (1, 2):
        there = {name for node in nodes for name in node.with_images()}
        named = frozenset(filter(is_split, there))
        levels.append(Inside(named, at, bool(named) and len(named) == len(there)))
        nodes = [inner for node in nodes for inner in node.with_images().values()]
    whole = [each for each in levels if each.whole]
    return next(iter([*whole, *(each for each in levels if each.names)]), Inside())
