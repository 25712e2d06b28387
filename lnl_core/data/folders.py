"""One folder per class: the folder's name is the label, whatever lies deeper belongs to it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from lnl_core.data.files import FileSource, Item, Sample, hidden, inside_path, storable
from lnl_core.data.images import SUFFIXES
from lnl_core.data.tables import natural, visible
from lnl_core.data.writing import Skipped
from lnl_core.types import LnlError

NO_IMAGE = "No image could be read. Choose the folder above the class folders."

_SPLITS = frozenset(
    {"train", "training", "val", "valid", "validation", "test", "testing", "eval", "dev"}
)
_NOT_TEXT = ("The file name is not UTF-8.", "Rename it.")


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


def scan(root: Path, class_map: Mapping[str, str] | None = None) -> FileSource:
    """Look over a folder of class folders without opening any image.

    A lone folder around the class folders is passed through; folders named like splits (train,
    val, test) are read together, the class folders inside them.

    Raises:
        LnlError: no class folder is there.
    """
    top = _innermost(root.resolve())
    inside = entries(top)
    notes = []
    tops = [e.name for e in inside if e.is_dir(follow_symlinks=False)]
    outer = [""]
    if tops and all(name.lower() in _SPLITS for name in tops) and not _any_images(top, tops):
        outer = tops
        notes.append(f"Read together: {', '.join(tops)}.")
    elif tops and all(name.lower() in _SPLITS for name in tops):
        notes.append(
            f"{', '.join(tops)}: these are taken for the classes. If they are parts of one "
            "set, put a folder per class into each, or a metadata.csv with file_name and label."
        )
    renamed = class_map or {}
    names: dict[str, str] = {}  # folder relative to top -> class
    links = []
    for part in outer:
        for entry in entries(top / part):
            place = f"{part}/{entry.name}" if part else entry.name
            if entry.is_symlink() and entry.is_dir():
                links.append(place)
            elif entry.is_dir() and storable(entry.name):
                shown = visible(entry.name)
                names[place] = renamed.get(shown, shown)
            else:
                links.append(place)
    class_names = natural(set(names.values()))
    label_of = {name: label for label, name in enumerate(class_names)}
    if not class_names:
        raise LnlError(NO_IMAGE)

    def items() -> Iterator[Item | Skipped]:
        for place in links:
            problem = _outside(top, place)
            if problem is not None:
                yield problem
        for place, name in names.items():
            yield from _walk(top, top / place, label_of[name])

    total, sample = 0, Sample()
    for item in items():
        total += 1
        if isinstance(item, Item):
            sample.add(item.path)
    if not sample.kept:
        raise LnlError(NO_IMAGE)
    kept = [top / path for path in sample.kept]
    return FileSource("folder", top, total, class_names, items, kept, notes=notes)


def _innermost(root: Path) -> Path:
    """Pass through folders that hold one folder of folders and no image."""
    for _ in range(8):
        inside = entries(root)
        inner = [e for e in inside if e.is_dir(follow_symlinks=False)]
        if len(inner) != 1 or any(_looks_like_image(e.name) for e in inside):
            return root
        below = entries(root / inner[0].name)
        if not any(e.is_dir(follow_symlinks=False) for e in below):
            return root
        if any(_looks_like_image(e.name) for e in below) or inner[0].name.lower() in _SPLITS:
            return root
        root = root / inner[0].name
    return root


def classes_of(paths: Sequence[tuple[str, ...]]) -> list[str]:
    """Guess the classes from the paths of a zip's images, as `scan` would find them."""
    while min(map(len, paths)) > 2 and len({parts[0] for parts in paths}) == 1:
        paths = [parts[1:] for parts in paths]
    tops = {parts[0].lower() for parts in paths}
    at = 1 if tops <= _SPLITS and min(map(len, paths)) > 2 else 0
    return natural({visible(parts[at]) for parts in paths if len(parts) > at + 1})


def _looks_like_image(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in SUFFIXES


def _any_images(top: Path, folders: list[str]) -> bool:
    return any(_looks_like_image(e.name) for folder in folders for e in entries(top / folder))


def _outside(top: Path, place: str) -> Skipped | None:
    """Say why something beside the class folders is left out; other files are no one's business."""
    shown = visible(place)
    if (top / place).is_dir():
        if not storable(place):
            return Skipped(shown, *_NOT_TEXT)
        return _linked_folder(top, top / place, shown)
    if _looks_like_image(place):
        return Skipped(
            shown, "Lies outside the class folders.", "Move it into the folder of its class."
        )
    return None


def _linked_folder(top: Path, folder: Path, shown: str) -> Skipped:
    if inside_path(top, os.path.realpath(folder)) is None:
        return Skipped(shown, "A link that leads out of the folder.", "Copy what it points to in.")
    return Skipped(shown, "A link to another folder of the set.", "Nothing: it is read there.")


def _walk(top: Path, folder: Path, label: int) -> Iterator[Item | Skipped]:
    """Yield the files of a class folder, by name, folders inside it last."""
    inner = []
    try:
        inside = entries(folder)
    except LnlError:
        where = inside_path(top, str(folder)) or ""
        yield Skipped(visible(where), "The folder cannot be opened.", "Give yourself permission.")
        return
    for entry in inside:
        path = inside_path(top, entry.path) or entry.name
        if not storable(path):
            yield Skipped(visible(path), *_NOT_TEXT)
        elif entry.is_dir():
            if entry.is_symlink():
                yield _linked_folder(top, Path(entry.path), visible(path))
            else:
                inner.append(entry.name)
        elif entry.is_symlink() and inside_path(top, os.path.realpath(entry.path)) is None:
            yield Skipped(
                visible(path), "A link that leads out of the folder.", "Copy the image itself in."
            )
        else:
            yield Item(visible(path), Path(entry.path), path, label)
    for name in inner:
        yield from _walk(top, folder / name, label)
