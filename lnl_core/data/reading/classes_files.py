"""Files of class names beside a list or class folders, for labels that are numbers or codes.

Text (one name a line, or a number or code and a name), JSON and the part `names` of a YAML file.
"""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lnl_core.data.reading import texts_beside
from lnl_core.data.reading.spellings import number
from lnl_core.data.tables import visible
from lnl_core.readings import Answers
from lnl_core.types import LnlError

_STEMS = ("classes", "class_names", "classnames", "labels", "label_names", "names", "categories")
_MAPS = (
    *("class_to_idx", "idx_to_class", "class_indices", "label_map", "labelmap", "class_map"),
    *("id2label", "label2id", "class_index", "imagenet_class_index"),
    *("cat_to_name", "label_mapping", "labels_map", "idx2label", "index_to_name"),
    "label_num_to_disease_map",
)
_NAMES = (
    *(f"{stem}.txt" for stem in (*_STEMS, *_MAPS)),
    *("classes.names", "obj.names", "words.txt", "LOC_synset_mapping.txt"),
    *(f"{stem}.json" for stem in (*_STEMS, *_MAPS)),
    *(f"{stem}.{ending}" for stem in ("data", "dataset", *_STEMS) for ending in ("yaml", "yml")),
    *(f"{stem}.csv" for stem in ("classes", "class_names", "class_dict", "categories")),
)
_KEYS = ("names", "class_names", "classes", "categories", "labels", "label_names", *_MAPS)
_NAME_COLUMNS = (
    *("name", "class_name", "classname", "label_name", "category_name", "class_label", "names"),
    *("class_names", "class", "classes", "label", "labels", "category", "categories", "species"),
    "breed",
)
_NUMBER_COLUMNS = (
    *("id", "index", "idx", "class_id", "classid", "class_index", "class_idx", "label_id"),
    *("label_index", "label_idx", "category_id", "number", "value", "code", "target", "label"),
    *("class", "category", ""),
)
_TEXTS = (".txt", ".csv", ".names")
_LARGEST = 2**24
_LOOKED_AT = 2**16
_LED = re.compile(r"(\d{1,9})\s*(?:[:=,;\t]|[-–.)](?=\s)|\s)\s*(\S.*)")
_ENDED = re.compile(r"(\S.*?)(\s*[:=,;\t]\s*|\s+)(\d{1,9})")
_CODED = re.compile(r"([^\s:=,;]*\d[^\s:=,;]*)(?:\s*[:=,;\t]\s*|\s+)(\S.*)")


@dataclass(frozen=True, slots=True)
class Names:
    """What a file says of classes.

    Attributes:
        by_number: number -> name.
        counted: True where the file writes the numbers; else they are those of the lines, from 0.
        by_code: what folders or labels may be called instead (`n01440764`) -> name.
        header: the first line, where it was taken as a header and numbers are those of the lines.
    """

    by_number: Mapping[int, str]
    counted: bool = False
    by_code: Mapping[str, str] = field(default_factory=dict)
    header: str = ""


def classes_of(file: Path) -> Names:
    """Read a file of class names.

    Raises:
        LnlError: it cannot be read, or holds no name.
    """
    try:
        if file.stat().st_size > _LARGEST:
            raise LnlError(f"{file.name} is too large for a file of class names.")
        text = file.read_text("utf-8-sig")
    except (OSError, UnicodeError) as error:
        raise LnlError(f"{file.name} cannot be read as text. Save it as UTF-8.") from error
    ending = file.suffix.lower()
    if ending == ".json":
        names = _of_json(text)
    elif ending in (".yaml", ".yml"):
        names = _of_yaml(text)
    else:
        names = _of_lines(text, is_table=ending == ".csv")
    if names is None or not (names.by_number or names.by_code):
        raise LnlError(f"{file.name} names no classes, or one twice. Write one name a line.")
    return names


def classes_file(*folders: Path) -> Path | None:
    """Return the file of class names that lies in one of the folders, where there is one."""
    for folder in folders:
        for name in _NAMES:
            if (folder / name).is_file() and not _lists_images(folder / name):
                return folder / name
    return None


def are_names(file: Path, images: Callable[[], int]) -> bool:
    """Tell whether a text has class names and is no list: it is called so, and has few lines.

    Args:
        file: the text.
        images: counts the images beside it; each of a list has a line, each of two at most here.
    """
    if file.name not in _NAMES or file.suffix.lower() not in _TEXTS or _lists_images(file):
        return False
    return 2 * len(texts_beside.first_lines(file)) <= images()


def _lists_images(file: Path) -> bool:
    """Tell whether the lines of a text name images by their ending: they are no classes."""
    return file.suffix.lower() in _TEXTS and texts_beside.names_images(file)


def is_called_so(file: Path) -> bool:
    """Tell whether a file is called as those of class names are."""
    return file.name in _NAMES


def around(folders: Sequence[Path], answers: Answers) -> Path | None:
    """Return the file of class names that a person named, else the one that lies there."""
    said = answers.classes_file
    if not said:
        return classes_file(*folders)
    return next((p for p in (Path(said), *(f / said for f in folders)) if p.is_file()), None)


def needed(listing: Path, names: Path | None) -> str:
    """Say that a list read by itself needs a file of names, for its labels are codes or numbers.

    Args:
        listing: a list in another folder than the file, which finds it there by itself no more.
        names: the file of class names; None where there is none.
    """
    if names is None or names.parent == listing.parent:
        return ""
    try:
        known = classes_of(names)
        with listing.open("rb") as stream:
            text = stream.read(_LOOKED_AT).decode("utf-8", "replace")
    except (LnlError, OSError):
        return ""
    words = {*re.split(r"[\s,;|\"]+", text)}
    numbers = {str(number) for number in known.by_number} if known.counted else set()
    what = "codes" if words & set(known.by_code) else "numbers" if words & numbers else ""
    if not what:
        return ""
    return (
        f" Its labels are {what}: for their names put a copy of {names.name} beside it first, or "
        "import with --classes FILE."
    )


def whole(label: str) -> int | None:
    """Return the whole number that a label is; None where it is none."""
    value = number(label)
    return int(value) if value is not None and value == value.to_integral_value() else None


def _of_lines(text: str, *, is_table: bool) -> Names | None:
    """Read lines: a name each, a number and a name, or a code and a name.

    A header is passed over: one that calls a column as names are, and the 0 that pandas writes.
    """
    lines = [visible(line.strip()) for line in text.splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    header, columns = _columns(lines)
    if len(columns) > 1:
        return _of_columns(header, columns)
    for rows in (lines, lines[1:]):  # the first one may be a header
        led = [_LED.fullmatch(line) for line in rows]
        ended = [_ENDED.fullmatch(line) for line in rows]
        if rows and all(led):
            pairs = [(int(each[1]), _bare(each[2])) for each in led if each]
        elif rows and all(ended):
            if _are_names(ended):
                break
            pairs = [(int(each[3]), _bare(each[1])) for each in ended if each]
        else:
            continue
        if len(dict(pairs)) == len(pairs):
            return _counted(pairs)
    if columns:
        header, lines = _bare(lines[0]), columns[header]
    elif is_table and lines[:1] == ["0"] and not any(map(str.isdecimal, lines[1:])):
        header, lines = lines[0], lines[1:]
    coded = [_CODED.fullmatch(line) for line in lines]
    codes = {each[1]: _bare(each[2]) for each in coded if each}
    by_code = _apart(codes) if len(codes) == len(lines) else {}
    if len(set(lines)) < len(lines):
        return None
    return Names(dict(enumerate(lines)), by_code=by_code, header=header) if lines else None


def _are_names(ended: Iterable[re.Match[str] | None]) -> bool:
    """Tell whether lines that end with a number after a blank are names: Type 1, Type 2."""
    found = [each for each in ended if each is not None]
    names = {each[1] for each in found}
    return len(names) < len(found) and all(each[2].isspace() for each in found)


def _columns(lines: Sequence[str]) -> tuple[str, dict[str, list[str]]]:
    """Return (the column of names, column -> its cells) of lines below a header.

    There is no column where the first line is no header, or other lines have more or fewer cells.
    """
    for sign in ",;\t|":
        try:
            header, *rows = csv.reader(lines, delimiter=sign, skipinitialspace=True)
        except (csv.Error, ValueError):
            continue
        plain = [re.sub(r"[\s.\-]+", "_", cell.strip().lower()) for cell in header]
        known = [word for word in _NAME_COLUMNS if word in plain]
        if known and rows and all(len(row) == len(header) for row in rows):
            cells: dict[str, list[str]] = {}
            for name, column in zip(plain, zip(*rows, strict=True), strict=True):
                cells.setdefault(name, [cell.strip() for cell in column])
            worded = [word for word in known if not all(map(str.isdecimal, cells[word]))]
            return (worded or known)[0], cells
    return "", {}


def _of_columns(named: str, columns: Mapping[str, Sequence[str]]) -> Names | None:
    """Read a table with a header: names, and numbers or codes beside them where it has such."""
    names = columns[named]
    for word in _NUMBER_COLUMNS:
        numbers = columns.get(word, ()) if word != named else ()
        if numbers and all(map(str.isdecimal, numbers)) and len({*numbers}) == len(numbers):
            return _counted(zip(map(int, numbers), names, strict=True))
    header = ",".join(columns)
    for word, cells in columns.items():
        is_code = word != named and len({*cells}) == len(cells)
        if is_code and all(re.fullmatch(r"(?=\D*\d)(?=.*\D)\S+", cell) for cell in cells):
            by_code = _apart(dict(zip(cells, names, strict=True)))
            return Names(dict(enumerate(by_code.values())), by_code=by_code, header=header)
    found = _listed(names)
    return found and replace(found, header=header)


def _bare(name: str) -> str:
    return name.strip().strip("\"'").strip()


def _counted(pairs: Iterable[tuple[int, str]]) -> Names | None:
    """Return numbers with their names; None where two have one, or one has two."""
    named = [(value, name) for value, name in pairs if name]
    by_number = dict(named)
    twice = len(set(by_number.values())) < len(named)
    return None if twice or not by_number else Names(by_number, True)


def _apart(codes: Mapping[str, str]) -> dict[str, str]:
    """Return code -> name; where two codes have one name, it says the code as well."""
    often = Counter(codes.values())
    return {code: name if often[name] == 1 else f"{name} ({code})" for code, name in codes.items()}


def _listed(values: Sequence[str]) -> Names | None:
    names = [visible(value.strip()) for value in values]
    if not all(names) or len(set(names)) < len(names):
        return None
    return Names(dict(enumerate(names)))


def _of_json(text: str) -> Names | None:
    try:
        return _of_value(json.loads(text))
    except (ValueError, RecursionError):
        return None


def _of_value(value: Any, depth: int = 0) -> Names | None:
    """Read a list of names, or an object of numbers, names and codes."""
    if isinstance(value, list) and value:
        if all(isinstance(each, str) for each in value):
            return _listed(value)
        rows = [each for each in value if isinstance(each, dict)]
        named = [(row.get("id"), row.get("name")) for row in rows]
        pairs = [(i, n) for i, n in named if isinstance(i, int) and isinstance(n, str)]
        return _counted(pairs) if len(pairs) == len(value) else None
    if not isinstance(value, dict) or not value:
        return None
    inner = next((value[key] for key in _KEYS if isinstance(value.get(key), list | dict)), None)
    if inner is not None and depth == 0:
        return _of_value(inner, 1)
    return _of_pairs(value)


def _of_pairs(value: Mapping[str, Any]) -> Names | None:
    """Read an object: number -> name, name -> number, code -> name, number -> [code, name]."""
    if all(isinstance(each, int) and not isinstance(each, bool) for each in value.values()):
        return _counted((n, visible(name.strip())) for name, n in value.items())
    lists = [each for each in value.values() if isinstance(each, list) and len(each) == 2]
    if len(lists) == len(value) and all(isinstance(word, str) for each in lists for word in each):
        codes = _apart({code: visible(name) for code, name in lists})
        numbers = {int(k): codes[v[0]] for k, v in value.items() if k.isdecimal()}
        return Names(numbers, True, codes)
    if not all(isinstance(each, str) for each in value.values()):
        return None
    if all(key.isdecimal() for key in value):
        return _counted((int(key), visible(name.strip())) for key, name in value.items())
    if all(name.strip().isdecimal() for name in value.values()):
        return _counted((int(n), visible(name.strip())) for name, n in value.items())
    return Names({}, True, _apart({key: visible(name.strip()) for key, name in value.items()}))


def _of_yaml(text: str) -> Names | None:
    """Read the part `names` of a YAML file: [cat, dog], a line each, or numbers with names."""
    found = re.search(r"^(?:names|classes|class_names)\s*:[ \t]*(.*)$", text, re.MULTILINE)
    if found is None:
        return None
    rest = found[1].strip()
    if rest[:1] in ("[", "{"):
        closes = {"[": "]", "{": "}"}[rest[0]]
        inner = text[found.start(1) :].partition(rest[0])[2].partition(closes)[0]
        items = re.findall(r"(?:\"[^\"]*\"|'[^']*'|[^,\"'])+", re.sub(r"\s#.*", "", inner))
    else:
        lines = re.sub(r"\s#.*", "", text[found.end() :]).splitlines()
        lines = [line for line in lines if line.strip()]
        at = next((i for i, line in enumerate(lines) if line[0] not in " \t-"), len(lines))
        items = [re.sub(r"^\s*-\s", "", line) for line in lines[:at]]
    items = [item.strip() for item in items if item.strip()]
    numbered = [re.fullmatch(r"[\"']?(\d+)[\"']?\s*:\s*(.+)", item) for item in items]
    if items and all(numbered):
        return _counted((int(each[1]), visible(_bare(each[2]))) for each in numbered if each)
    return _listed([_bare(item) for item in items]) if items else None
