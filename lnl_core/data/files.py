"""What importers of files share: where a file lies, what size fits, decoding side by side."""

from __future__ import annotations

import os
import re
import stat
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path, PureWindowsPath

import numpy as np

from lnl_core.data import content, images
from lnl_core.data.images import ImageError
from lnl_core.data.reading import pixels
from lnl_core.data.reading.expecting import UP_TO
from lnl_core.data.reading.outline import CANDIDATES, Outline
from lnl_core.data.tables import BadRow
from lnl_core.data.writing import Expected, Plan, Row, Skipped
from lnl_core.types import ByteArray

KEEP_UP_TO = 128
"""Images up to this side keep their size; larger ones are worked on at this size."""

SMALLEST = 8
SAMPLE = 256
_AT_ONCE = 1024
WORKERS = max(1, min(8, os.cpu_count() or 1))


@dataclass(frozen=True, slots=True)
class Item:
    """One image file with its labels, not yet decoded."""

    id: str
    file: Path
    path: str
    label: int
    true_label: int | None = None
    row: int | None = None
    split: str = ""
    also: tuple[int, ...] = ()


@dataclass(slots=True)
class Sample:
    """An even sample of a stream of unknown length, at most `SAMPLE` strong."""

    kept: list[str] = field(default_factory=list)
    _step: int = 1
    _seen: int = 0

    def add(self, value: str) -> None:
        """See one more value; keep every 1st, 2nd, 4th ... of all."""
        if self._seen % self._step == 0:
            self.kept.append(value)
            if len(self.kept) > SAMPLE:
                self.kept = self.kept[::2]
                self._step *= 2
        self._seen += 1


@dataclass(slots=True)
class FileSource:
    """A set whose images are files; see `writing.Source`.

    `sample` are some of its files; `unreadable` of them have no header of an image (after `plan`).
    `stretch` is what a person said about contrast: `set`, `file` or nothing. `sampled` says that
    only the sample can be opened.
    """

    kind: str
    root: Path
    total: int
    class_names: Sequence[str]
    items: Callable[[], Iterator[Item | Skipped]]
    sample: Sequence[Path]
    has_truth: bool = False
    outline: Outline = field(default_factory=Outline)
    unreadable: int = 0
    stretch: str = ""
    sampled: bool = False

    def plan(self, size: int | None) -> Plan:
        """Choose the working resolution from the headers of a sample."""
        probes = []
        for file in self.sample:
            try:
                probes.append(images.probe(file))
            except ImageError:
                continue
        self.unreadable = len(self.sample) - len(probes)
        formats = Counter(probe.format for probe in probes)
        gray = bool(probes) and all(probe.gray for probe in probes)
        words = ", ".join([name for name, _ in formats.most_common(3)])
        sizes = [(p.height, p.width) for p in probes]
        plan = working_plan(sizes, 1 if gray else 3, size, words)
        found = pixels.measured(self.sample, self.stretch)
        question = found.question(self.stretch)
        self.outline.questions += [question] if question is not None else []
        self.outline.notes += [*found.notes, *_pages(self.sample, formats)]
        return plan if self.stretch == "file" else replace(plan, contrast=found.contrast)

    def examples(self) -> dict[str, list[tuple[str, Path | ByteArray]]]:
        """Return a few images of each class."""
        return self.outline.examples

    def expected(self) -> Iterator[Expected | Skipped] | None:
        """Yield what will come of each row, by the headers; None where the set is too long."""
        return None if self.total > UP_TO or self.sampled else self._expected()

    def _expected(self) -> Iterator[Expected | Skipped]:
        with ThreadPoolExecutor(WORKERS, "look") as pool:
            items = self.items()
            self.outline.examples = {}
            while some := list(islice(items, _AT_ONCE)):
                files = [each.file if isinstance(each, Item) else None for each in some]
                for each, problem in zip(some, pool.map(_header_problem, files), strict=True):
                    if isinstance(each, Skipped):
                        yield each
                    elif problem is not None:
                        yield _unreadable(each, problem)
                    else:
                        self._example(each)
                        yield Expected(each.label, each.split)

    def _example(self, item: Item) -> None:
        """Note an image of which the header can be read."""
        name = self.class_names[item.label]
        if len(self.outline.examples.get(name, ())) < CANDIDATES:
            self.outline.example(name, [(item.path, item.file)])

    def rows(self, plan: Plan) -> Iterator[Row | Skipped]:
        """Decode with several threads; what comes out is in order."""
        waiting: deque[tuple[Item | Skipped, Future[_Decoded | ImageError] | None]] = deque()
        items = self.items()
        pool = ThreadPoolExecutor(WORKERS, "decode")
        try:
            for item in items:
                if isinstance(item, Item):
                    waiting.append((item, pool.submit(_decode, item.file, plan)))
                else:
                    waiting.append((item, None))
                if len(waiting) > 8 * WORKERS:
                    yield _arrived(*waiting.popleft())
            while waiting:
                yield _arrived(*waiting.popleft())
        finally:
            pool.shutdown(cancel_futures=True)


_OF_PAGES = ("GIF", "TIFF", "WEBP", "PNG", "AVIF", "MPO")


def _pages(sample: Sequence[Path], formats: Mapping[str, int]) -> list[str]:
    """Say how many files hold several pictures, of which the first one is read."""
    if not any(name in _OF_PAGES for name in formats):
        return []
    count = sum(images.has_pages(file) for file in sample)
    if not count:
        return []
    files = "file holds" if count == 1 else "files hold"
    return [
        f"{count:,} of {len(sample):,} {files} several pictures (pages, or the frames of an "
        "animation): the first of each is read."
    ]


def working_plan(
    sizes: Sequence[tuple[int, int]], channels: int, size: int | None, kind: str
) -> Plan:
    """Return the working resolution for images of the given (height, width).

    All of one size and at most 128 px: that size. Otherwise a square whose side is the median of
    the longer sides, between 8 and 128 px. `size` sets the longer side.
    """
    words = ", ".join(filter(None, [kind, "gray" if channels == 1 else "RGB"]))
    only = sizes[0] if len(set(sizes)) == 1 else None
    longest = [max(pair) for pair in sizes] or [KEEP_UP_TO]
    side = size or min(max(int(np.median(longest)), SMALLEST), KEEP_UP_TO)
    if only is not None and min(only) >= SMALLEST and max(only) == side:
        return Plan(*only, channels, words)
    return Plan(side, side, channels, words)


_Decoded = tuple[ByteArray, bytes]
"""An image, and the digest of its file."""


def _header_problem(file: Path | None) -> ImageError | None:
    """Return why a file is no image, by its header and its end."""
    if file is None:
        return None
    try:
        images.check(file)
    except ImageError as error:
        return error
    return None


def _unreadable(item: Item, why: ImageError) -> Skipped:
    """Return why an image is left out; what neither is called nor is one counts for none."""
    ending = os.path.splitext(item.path)[1].lower()[:12]
    if item.row is None and ending and ending not in images.SUFFIXES:
        if why.reason == images.NO_KIND:
            remedy = "Nothing to do, unless images are saved so: then save them as JPEG or PNG."
            return Skipped(item.path, f"{images.BESIDE}: {ending} files.", remedy)
        if why.reason == images.VECTOR:
            return Skipped(item.path, why.reason, why.remedy)
    return Skipped(item.path, why.reason, why.remedy, item.row, lost=True)


def _decode(file: Path, plan: Plan) -> _Decoded | ImageError:
    try:
        image = images.decode(file, (plan.height, plan.width), contrast=plan.contrast)
        return image, content.file_digest(file)
    except ImageError as error:
        return error
    except OSError as error:
        return ImageError(f"The file cannot be read ({error.strerror}).", "Check the disk.")


def _arrived(item: Item | Skipped, future: Future[_Decoded | ImageError] | None) -> Row | Skipped:
    if isinstance(item, Skipped) or future is None:
        assert isinstance(item, Skipped)
        return item
    decoded = future.result()
    if isinstance(decoded, ImageError):
        return _unreadable(item, decoded)
    image, digest = decoded
    return Row(
        item.id, image, item.label, item.path, item.true_label, digest, item.split, item.also
    )


LINK = "A link that leads out of the image folder."
WHOLE = "A whole path that leads out of the image folder."
NO_FILE = BadRow("There is no such file.", "Correct the path, or choose another image folder.")


def locate(root: Path, cell: str, links: bool = False) -> tuple[Path, str] | BadRow:
    """Find the file that a list names, inside `root` (resolved) and nowhere else.

    Args:
        root: the folder.
        cell: the path as the list has it.
        links: follow links that lead out, where `may_follow` allows it.

    Returns:
        (file, path relative to root with forward slashes), or why not.
    """
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", cell):
        return BadRow("A web address, not a file.", "Download the images, then list the files.")
    outside = BadRow(
        "The path leads out of the image folder.",
        "Choose an image folder above all images with --root.",
    )
    if os.name != "nt" and PureWindowsPath(cell).drive:
        return outside
    choices = [cell, cell.replace("\\", "/")] if "\\" in cell else [cell]
    for choice in choices:
        lexical = os.path.normpath(root / choice)
        inside = inside_path(root, lexical)
        if inside is None and os.path.isabs(choice):  # the root may be written by way of a link
            lexical = os.path.realpath(lexical)
            inside = inside_path(root, lexical)
        whole = inside is None and os.path.isabs(choice) and may_follow(lexical)
        if whole and os.path.isfile(lexical):  # what may not be read is not told from what is not
            if links:
                return Path(lexical), lexical.replace(os.sep, "/")
            return BadRow(WHOLE, "Choose a folder above it, or import with --follow-links.")
        if inside is None:
            return outside
        try:
            real = os.path.realpath(lexical, strict=True)
            status = os.stat(real)
        except (OSError, ValueError):
            continue
        if inside_path(root, real) is None and not (links and may_follow(real)):
            return BadRow(LINK, "Copy the image itself in, or import with --follow-links.")
        if not stat.S_ISREG(status.st_mode):
            return BadRow("Not a file.", "Name the image file itself.")
        return Path(lexical), inside
    return NO_FILE


def original(root: Path, path: str, links: bool) -> Path | None:
    """Return where an original lies, links resolved; None where it is gone or may not be read.

    Args:
        root: folder that the set's paths start from.
        path: relative to it; absolute where it was added from elsewhere.
        links: the import followed links that lead out.
    """
    try:
        real = os.path.realpath(root / path, strict=True)
    except (OSError, ValueError):
        return None
    inside = inside_path(Path(os.path.realpath(root)), real) is not None
    added = os.path.isabs(path) and real == os.path.normpath(path)  # no link since
    allowed = inside or ((links or added) and may_follow(real))
    return Path(real) if allowed and os.path.isfile(real) else None


def may_follow(real: str) -> bool:
    """Tell whether what a link points to may be read: `LNL_DATA_ROOTS` limits that, where set."""
    roots = [each for each in os.environ.get("LNL_DATA_ROOTS", "").split(os.pathsep) if each]
    limits = [os.path.realpath(os.path.expanduser(each)) for each in roots]
    return not limits or any(inside_path(Path(each), real) is not None for each in limits)


def inside_path(root: Path, path: str) -> str | None:
    """Return an absolute path relative to root, with forward slashes; None where outside."""
    relative = os.path.relpath(path, root)
    if relative == os.curdir or relative.split(os.sep, 1)[0] == os.pardir:
        return None
    return relative.replace(os.sep, "/")


def storable(path: str) -> bool:
    """Tell whether a file name is text; names in other encodings come as half surrogates."""
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


_LEFT = frozenset(
    {"__macosx", "thumbs.db", "desktop.ini", "$recycle.bin", "system volume information"}
    | {"lost+found", "@eadir", "#recycle", "@recycle", "#snapshot"}  # the latter of NAS
)


def hidden(name: str) -> bool:
    """Tell the files that systems leave everywhere; they are passed over in silence."""
    dotted = name[0] == "." and name not in (".", "..")
    return dotted or name.lower() in _LEFT
