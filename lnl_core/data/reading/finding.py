"""Where the files of a list lie, when the list was written elsewhere or writes names otherwise.

Tried in turn: the path as it is; what a web address or an escaped path calls a file; below a common
folder that the paths of another computer start with; the same name in the other Unicode form,
deeper down, or without its ending, where exactly one file has it.
"""

from __future__ import annotations

import os
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lnl_core.data.files import NO_FILE, locate
from lnl_core.data.reading import addresses, indexing, other_forms
from lnl_core.data.reading.indexing import Index, composed, number
from lnl_core.data.reading.path_parts import (
    folder_of,
    inside,
    last_folders,
    lies_in,
    shared_start,
    spelled_so,
    where_shown,
)
from lnl_core.data.tables import BadRow, visible
from lnl_core.readings import Choice, Question
from lnl_core.said import many

_BY_NAME, _BY_STEM, _BY_CASE, _MOVED = "by name", "by stem", "by case", "moved"
_BY_NUMBER, _BY_FOLDER = "by number", "by folder"
_BY_ADDRESS, _UNESCAPED = "by address", "unescaped"
ONE_NAME = (
    "Say which folder has the images with --images-in, or write its path from the root into the "
    "list."
)
_MANY = 8
"""Files of a name, above which what was found of them is kept for the next row."""

_TORN = 10_000
"""Names in several folders that are counted at most."""

_FEW = 0.1
"""Share of the paths that another folder may have, too, where one has nearly all of them; one of
three or more it may always have."""


def components(cell: str) -> tuple[str, ...]:
    """Return the parts of a path of any system; an absolute one's first is its drive or "/"."""
    text = cell.replace("\\", "/") if "\\" in cell else cell
    head: tuple[str, ...] = ("/",) if text.startswith("/") else ()
    return head + tuple(part for part in text.split("/") if part not in ("", "."))


@dataclass(frozen=True, slots=True)
class Among:
    """Files of a name of which it is not settled which one a row means.

    Attributes:
        places: where they lie.
        around: the folder that is taken for granted, where they are told apart.
        why: why it is none of them, where that is settled.
    """

    places: Sequence[str]
    around: str = ""
    why: BadRow | None = None


class Finder:
    """Finds what a list names below `root`; `sample` are some of its paths.

    Where a person said `images_in`, a name without a folder is looked for in there alone, and of
    files of one path the one in there is meant. `unsettled` are paths that were looked for already.
    `torn_apart` are files of names that are not settled so.

    Raises:
        LnlError: `images_in` is no folder there.
    """

    def __init__(
        self,
        root: Path,
        sample: Sequence[str],
        *,
        links: bool = False,
        images_in: str = "",
        unsettled: Mapping[str, Among] | None = None,
    ) -> None:
        self._root, self._links, self._images_in = root, links, inside(root, images_in)
        self._torn: dict[str, set[str]] = {}
        self._once: dict[str, str] = {}
        self._settles = False
        self.torn_apart: set[str] = set()
        self._index: Index | None = None
        self._by_end: dict[tuple[str, str, int], dict[tuple[str, ...], list[str]]] = {}
        self._known: dict[tuple[str, ...], tuple[str, str | BadRow | None]] = {}
        self.how: Counter[str] = Counter()
        self._unsettled = unsettled or {}
        sample = [cell for cell in sample if cell not in self._unsettled]
        lost = [cell for cell in sample if isinstance(locate(root, cell, links), BadRow)]
        self.all_there = not lost
        self._deeper = 2 * len(lost) > len(sample)
        web = [cell for cell in lost if addresses.is_web(cell)]
        self._web = self._depth(web) if 2 * len(web) > len(sample) else 0
        told = [self._told(cell) for cell in lost]
        self._tells, lost = told != lost, told
        self.prefixes = self._common([cell for cell in lost if not os.path.exists(cell)])
        self._base: str | None = None
        if self._deeper:
            self._base = self._common_folder([self._rest(components(cell)) for cell in lost])

    def find(self, cell: str) -> tuple[Path, str] | BadRow:
        """Return (file, path relative to the root), or why there is none."""
        if cell in self._unsettled:
            return self._among(cell, self._unsettled[cell])
        direct = locate(self._root, cell, self._links)
        parts = components(cell)
        if not isinstance(direct, BadRow):
            elsewhere = self._only_in(parts) and not lies_in(direct[1], self._images_in)
            return self._by_name(parts) or NO_FILE if elsewhere else direct
        if direct.reason.startswith(("A link", "A whole")):
            return direct
        if (told := self._told(cell)) != cell:
            found = self.find(told)
            as_web = addresses.is_web(cell)
            if isinstance(found, BadRow):
                return direct if as_web and found == NO_FILE else found
            self.how[_BY_ADDRESS if as_web else _UNESCAPED] += 1
            return found
        if addresses.is_web(cell):
            return direct
        rest = self._rest(parts)
        if rest != parts:
            moved = locate(self._root, "/".join(rest), self._links)
            if not isinstance(moved, BadRow):
                self.how[_MOVED] += 1
                return moved
        elif direct != NO_FILE:
            return direct
        return self._by_name(rest) or NO_FILE

    def called(self, cell: str) -> Iterator[list[str]]:
        """Yield the files that end like a path, by whole name, in other capitals, by stem."""
        for _, places in self._places(components(self._told(cell))):
            if places:
                yield places

    def at_home(self, cell: str) -> str:
        """Return a path without the folders of another computer; any other as it is."""
        cell = self._told(cell) if self._tells else cell
        parts = components(cell) if self.prefixes else ()
        rest = self._rest(parts)
        return cell if rest == parts else "/".join(rest)

    @property
    def reads_otherwise(self) -> bool:
        """Tell whether paths are read as others than they are, so that two may be one."""
        return bool(self.prefixes) or self._tells

    def _told(self, cell: str) -> str:
        """Return the path that a web address or an escaped path calls a file by; others as is."""
        told = addresses.path(cell)
        if addresses.is_web(cell):
            told = addresses.end(cell, self._web) if self._web else cell
        plain = addresses.unescaped(told)
        return told if plain == told or self._is_called(told) else plain

    def _is_called(self, path: str) -> bool:
        """Tell whether a file's path ends so, sign for sign."""
        self._index = self._index or indexing.of(self._root)
        parts = tuple(map(composed, components(path)))
        there = self._index.names.get(parts[-1], []) if parts else []
        return bool(self._ending(_BY_NAME, parts[-1], there, parts[:-1])) if there else False

    def _depth(self, web: Sequence[str]) -> int:
        """Return by how many of its last parts a web address names a file; 0: by none."""
        return addresses.depth(
            web, lambda path: self._is_called(path) or self._is_called(addresses.unescaped(path))
        )

    def _rest(self, parts: tuple[str, ...]) -> tuple[str, ...]:
        """Take off the folders of another computer."""
        for prefix in self.prefixes:
            if parts[: len(prefix)] == prefix:
                return parts[len(prefix) :]
        return parts

    def _by_name(self, parts: tuple[str, ...]) -> tuple[Path, str] | BadRow | None:
        """Find the one file of a name: in the folder that is named, or deeper where most are."""
        how, found = self._known.get(parts) or self._meant(parts)
        if isinstance(found, str):
            self.how[how] += 1
            return locate(self._root, found, self._links)
        return found

    def _only_in(self, parts: tuple[str, ...]) -> bool:
        """Tell whether a name is looked for in the folder alone that a person said."""
        return len(parts) == 1 and self._images_in not in ("", "none")

    def _meant(self, parts: tuple[str, ...]) -> tuple[str, str | BadRow | None]:
        """Return (how, path) of the one file of a name; what took many paths is kept."""
        meant: tuple[str, str | BadRow | None] = ("", None)
        looked_at, name = 0, "/".join(parts)
        for how, places in self._places(parts):
            looked_at += len(places)
            if self._only_in(parts):
                here = places
                if places and not any(lies_in(p, self._images_in) for p in places):
                    meant = (how, self._elsewhere(name, places)) if meant[1] is None else meant
                    continue
            else:
                here, how = self._around(parts, places, how)
            if here:
                meant = how, self._one_of(name, here)
                break
        if looked_at > _MANY:
            self._known[parts] = meant
        return meant

    def _around(self, parts: tuple[str, ...], places: list[str], how: str) -> tuple[list[str], str]:
        """Return the files of a name in the folder that its path says, else where most are."""
        own = "/".join(map(composed, parts[:-1]))
        here = [p for p in places if composed(folder_of(p)).casefold() == own.casefold()]
        if not here and self._deeper:
            here = [p for p in places if self._base is None or folder_of(p) == self._base]
            how = _BY_FOLDER if len(here) < len(places) else how
        return here, how

    def _among(self, cell: str, files: Among) -> tuple[Path, str] | BadRow:
        """Return the file that is meant of some, or why none is."""
        if files.why is not None:
            return files.why
        found = self._one_of(cell, list(files.places), files.around)
        return found if isinstance(found, BadRow) else locate(self._root, found, self._links)

    def _elsewhere(self, name: str, places: list[str]) -> BadRow:
        """Return why a name that other folders have is left out."""
        if len(places) > 1:
            self._note_torn(name, places)
            self.torn_apart.update(places)
        return not_in(self._images_in, places)

    def _one_of(self, name: str, here: list[str], around: str = "") -> str | BadRow:
        """Return the file that is meant of those of one name, or why none is."""
        last = name.rpartition("/")[2]
        spelled = spelled_so(last, here)
        if len(spelled) == 1:
            if name == last and len(self._once) < _TORN:
                self._once[name] = spelled[0]
            return spelled[0]
        self._note_torn(name, [path.removeprefix(f"{around}/") for path in here])
        meant = spelled_so(last, [p for p in here if lies_in(p, self._images_in)])
        if len(meant) != 1:
            self.torn_apart.update(here)
            return _several(here)
        self._settles = True
        return meant[0]

    def _note_torn(self, name: str, paths: Sequence[str]) -> None:
        """Note the folders, or those above them, in which files of one name lie apart."""
        folders = {tuple(path.split("/")[:-1]) for path in paths}
        if len(folders) == len(paths) and len(self._torn) < _TORN:
            depth = len(shared_start(list(folders))) + 1
            self._torn[name] = {"/".join(each[:depth]) or "." for each in folders}

    def question(self, usable: int) -> Question | None:
        """Ask which folder is meant where several have files of the names that were looked for.

        Args:
            usable: rows with image and label; where most are concerned, nothing goes on unasked.
        """
        folders = Counter(folder for each in self._torn.values() for folder in sorted(each))
        if not folders:
            return None
        said = self._images_in
        useless = said not in ("", "none") and not self._settles
        alone = self._alone(folders)
        first = next(iter(self._torn))
        stops = useless or bool(alone) or 2 * len(self._torn) > usable
        shown = ", ".join(f"“{visible(name)[:40]}”" for name in list(folders)[:6])
        named = many(len(self._torn), "name of the list has", "names of the list have")
        return Question(
            "images_in",
            (f"“{visible(said)[:60]}” has not just one file of any of them. " if useless else "")
            + f"{named} files in several folders, first “{visible(first)[:60]}”: {shown}."
            + alone
            + " Which folder has the images? Names that it lacks are left out.",
            (
                *(Choice(name, f"{visible(name)[:60]}") for name in [*folders][:12]),
                Choice("none", "none of them: names that several have are left out"),
            ),
            default="" if stops else "none",
            answer="" if useless else said,
            stops=stops,
        )

    def _alone(self, torn: Counter[str]) -> str:
        """Say where names are that only one folder has, where that may be another image.

        A folder most of whose names are in another one, too, is no other part of the set: `19.png`
        in `test` is not the image 19 of `train`.

        Args:
            torn: folder -> names of the list that it shares with another one.
        """
        once = Counter(
            folder for path in self._once.values() for folder in torn if lies_in(path, folder)
        )
        if not any(torn[folder] > count for folder, count in once.most_common()[1:]):
            return ""
        shown = ", ".join(
            f"{count:,} in “{visible(folder)[:40]}”" for folder, count in once.most_common()[:6]
        )
        return f" Other names are in one of them alone: {shown}."

    def _places(self, parts: tuple[str, ...]) -> Iterator[tuple[str, list[str]]]:
        """Yield (how, paths) of the files that end like a path, by whole name and by stem."""
        wanted = tuple(map(composed, parts))
        if not wanted:
            return
        name, low = wanted[-1], wanted[-1].casefold()
        stem = other_forms.without_ending(name)
        self._index = self._index or indexing.of(self._root)
        for how, places, key in (
            (_BY_NAME, self._index.names, name),
            (_BY_CASE, self._index.cases, low),
            (_BY_STEM, self._index.stems, stem),
            (_BY_NUMBER, self._index.numbers, number(stem)),
        ):
            yield how, self._ending(how, key, places.get(key, []), wanted[:-1])

    def _ending(self, how: str, key: str, paths: list[str], folders: tuple[str, ...]) -> list[str]:
        """Return the paths whose folders end so, capitals aside; of many each is read once."""
        wanted, depth = tuple(part.casefold() for part in folders), len(folders)
        if not folders:
            return paths
        if len(paths) <= _MANY:
            return [path for path in paths if last_folders(path, depth) == wanted]
        if (how, key, depth) not in self._by_end:
            by_end = defaultdict[tuple[str, ...], list[str]](list)
            for path in paths:
                by_end[last_folders(path, depth)].append(path)
            self._by_end[how, key, depth] = dict(by_end)
        return self._by_end[how, key, depth].get(wanted, [])

    def _common_folder(self, sample: Sequence[tuple[str, ...]]) -> str | None:
        """Return the folder in which nearly all of the paths are found by name, if there is one.

        None where another folder has more than a few of them as well: images and masks.
        """
        folders, found = Counter[str](), 0
        for parts, times in Counter(sample).items():
            places = next((there for _, there in self._places(parts) if there), [])
            inside = set(map(folder_of, places))
            folders.update(dict.fromkeys(inside, times))
            found += times if inside else 0
        (best, count), (_, next_best) = [*folders.most_common(2), ("", 0), ("", 0)][:2]
        few = max(_FEW * found, 1 if found > 2 else 0)
        return best if count > 0.9 * found and next_best <= few else None

    def _common(self, lost: Sequence[str]) -> dict[tuple[str, ...], int]:
        """Return the folders that lost paths start with elsewhere -> how many of them it finds.

        Paths of one drive or root are taken together; of the folders that they share, as few are
        taken away as find the most files.
        """
        groups = defaultdict[str, list[tuple[str, ...]]](list)
        for cell in lost:
            parts = components(cell)
            if len(parts) > 1 and ".." not in parts and "://" not in cell:
                groups[parts[0]].append(parts)
        prefixes: dict[tuple[str, ...], int] = {}
        for group in groups.values():
            shared = shared_start([parts[:-1] for parts in group])
            for is_there in (self._there, self._there_in_other_capitals):
                found = [
                    sum(is_there("/".join(parts[cut:])) for parts in group)
                    for cut in range(1, len(shared) + 1)
                ]
                if found and 2 * max(found) >= len(group):
                    cut = found.index(max(found)) + 1
                    prefixes[tuple(shared[:cut])] = max(found)
                    break
        return prefixes

    def _there_in_other_capitals(self, path: str) -> bool:
        self._index = self._index or indexing.of(self._root)
        wanted = composed(path).casefold()
        places = self._index.cases.get(wanted.rpartition("/")[2], [])
        return any(composed(each).casefold() == wanted for each in places)

    def _there(self, path: str) -> bool:
        return any(
            os.path.isfile(self._root / unicodedata.normalize(form, path))
            for form in ("NFC", "NFD")
        )

    def notes(self) -> list[str]:
        """Say what was found otherwise than by its path, so far."""
        said = []
        for prefix in self.prefixes:
            shown = "/".join(prefix).replace("//", "/")
            said.append(f"Paths start with “{visible(shown)[:80]}” there: read as this folder.")
        for key, words in (
            (_BY_ADDRESS, "as a web address, and read as the file of that name here"),
            (_UNESCAPED, "for a web server (%20 for a blank, ?d=), and read as the file they mean"),
            (_BY_STEM, "without the ending or with another, found by the one image of the name"),
            (_BY_CASE, "in other capitals, found by the one file of the name"),
            (_BY_NUMBER, "as a number, found by the one image that has it as its name"),
            (
                _BY_NAME,
                "in another Unicode form or folder, found by the one file that has the name",
            ),
            (
                _BY_FOLDER,
                f"without the folder, and read in “{visible(self._base or '')[:60]}”, which has "
                "nearly all of the names: other folders have files of these names, too",
            ),
        ):
            if self.how[key]:
                paths = "path is" if self.how[key] == 1 else "paths are"
                said.append(f"{self.how[key]:,} {paths} written {words}.")
        return said


def not_in(folder: str, places: Sequence[str]) -> BadRow:
    """Return why a name is left out that other folders have, and not the one that is meant."""
    said = visible(folder)[:60]
    return BadRow(f"The file is not in “{said}”: there is {where_shown(places)}.", ONE_NAME)


def _several(paths: Sequence[str]) -> BadRow:
    """Return why a name is left out that several files have."""
    endings = sorted({os.path.splitext(path)[1] for path in paths})
    if len({os.path.splitext(path)[0] for path in paths}) == 1 < len(endings):
        shown = ", ".join(visible(each)[:12] for each in endings)
        return BadRow(
            f"Images in one folder have this name, with the endings {shown}.",
            "Write the ending into the list, too.",
        )
    return BadRow(f"{len(paths)} files are called so: {where_shown(paths)}.", ONE_NAME)
