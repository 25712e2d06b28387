"""Columns beside the one called label that may have the given labels: `original_label` ..."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from decimal import Decimal

from lnl_core.data.reading.column_names import COLUMNS, plain_names
from lnl_core.data.reading.spellings import number, plain
from lnl_core.data.tables import visible
from lnl_core.readings import Choice, Question

_LABELS = frozenset(
    ("label", "labels", "class", "classes", "category", "target", "gt", "annotation", "diagnosis",
     "y")
)  # fmt: skip
_OUTPUTS = frozenset(
    ("pred", "preds", "predicted", "prediction", "predictions", "output", "guess", "yhat")
)
_SURE = frozenset(
    ("clean", "cleaned", "true", "truth", "gold", "golden", "corrected", "correct", "verified",
     "fixed")
)  # fmt: skip
_ABOUT_LABELS = frozenset(
    ("source", "confidence", "conf", "score", "scores", "prob", "probs", "probability", "quality",
     "date", "time", "by", "count", "num", "number", "weight", "weights", "type", "method",
     "status", "id", "ids", "index", "note", "notes", "comment", "annotator", "reviewer",
     "version", "url", "path", "file", "split", "set", "fold", "is", "has", "n", "true",
     "agreement", "entropy", "loss", "uncertainty")
)  # fmt: skip
_BOXES = frozenset(
    ("xmin", "ymin", "xmax", "ymax", "bbox", "bboxes", "bbox_x", "x_min", "box", "bounding_box")
)
_CORNERS = (
    ("x1", "y1", "x2", "y2"),
    ("roi_x1", "roi_y1", "roi_x2", "roi_y2"),
    ("left", "top", "right", "bottom"),
    ("x", "y", "w", "h"),
)

_WORDS = frozenset(("true", "false", "yes", "no", "t", "f", "y", "n", "0", "1"))
_SHARED = 0.8

Counts = Mapping[str, int]
"""Value -> how often it is there."""


def outputs(names: Sequence[str], used: Collection[str]) -> list[str]:
    """Return columns that are called like what a model said of labels."""
    free = [name for name in names if name and name not in used]
    return [name for name in free if _tokens(name) & _OUTPUTS and not _says_how_sure(name)]


def question(
    file: str, kinds: Mapping[str, str], choice: Callable[[str, str], Choice], answer: str
) -> Question:
    """Return what is asked about columns that look like labels and differ.

    Where all but the first are called like labels that somebody has made sure of, the first has
    those to be checked: that is said, and can be said otherwise.

    Args:
        file: name of the list.
        kinds: column -> what is in it; the first is the one called like labels.
        choice: makes an answer of a column and words.
        answer: what a person said.
    """
    first, *others = kinds
    shown = ", ".join(f"“{visible(name)[:40]}”" for name in kinds)
    text = f"Several columns of {file} look like labels and differ: {shown}."
    asks = _is_sure(first) or not all(map(_is_sure, others))
    if not asks:
        kinds = {name: f"“{visible(name)[:40]}” has the labels to be checked" for name in kinds}
    return Question(
        "label_column",
        f"{text} Which one is it?" if asks else text,
        tuple(choice(name, words) for name, words in kinds.items()),
        default=first,
        answer=answer,
        stops=asks,
    )


def _is_sure(name: str) -> bool:
    return bool(_tokens(name) & _SURE)


def of_boxes(names: Collection[str]) -> set[str]:
    """Return columns, in small letters, of where boxes lie, as lists for detection have them."""
    known = set(names)
    return set(_BOXES & known).union(*(four for four in _CORNERS if known.issuperset(four)))


def columns(values: Mapping[str, Counts], label: str, used: Collection[str]) -> list[str]:
    """Return columns that may have the labels as well: by their name, or by the same classes.

    Args:
        values: column -> its values, and how often each is there.
        label: the column that is called like labels.
        used: columns that are something else.
    """
    known = set(filter(None, values[label]))
    others = {*COLUMNS["true_label"], *COLUMNS["id"], *COLUMNS["split"], *COLUMNS["lnl_verdict"]}
    plain = {name: word for word, name in plain_names(list(values)).items()}
    others |= of_boxes(plain.values())
    asked = {*outputs(list(values), used), label, *used}
    return [
        name
        for name, cells in values.items()
        if name
        and name not in asked
        and plain.get(name) not in others
        and (is_called_so(name, cells, known) or _has_the_classes(cells, known))
    ]


def _tokens(name: str) -> set[str]:
    return set(re.findall(r"[^\W\d_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()))


def _says_how_sure(name: str) -> bool:
    return bool(_tokens(name) & _ABOUT_LABELS)


def is_called_so(name: str, cells: Counts, known: Collection[str] = ()) -> bool:
    """Tell whether a column is called like labels, and its cells come again as classes do.

    Cells that are filled in a few rows alone need not where they are classes that are `known`.
    """
    if not _tokens(name) & _LABELS or _says_how_sure(name):
        return False
    filled = _filled(cells)
    again = len(filled) <= max(2, sum(filled.values()) // 2)
    return bool(filled) and (again or all(cell in known for cell in filled))


def _filled(cells: Counts) -> dict[str, int]:
    return {cell: count for cell, count in cells.items() if cell}


def _has_the_classes(cells: Counts, known: set[str]) -> bool:
    """Tell whether nearly all cells are classes of the other column, which are no yes and no."""
    filled = _filled(cells)
    count = sum(filled.values())
    plain = all(name.lower() in _WORDS or number(name) is not None for name in known)
    if plain or len(known) < 2 or 2 * count < sum(cells.values()):
        return False
    return sum(filled.get(name, 0) for name in known) >= _SHARED * count and len(filled) > 1


def all_numbers(values: Iterable[str]) -> bool:
    """Tell whether all cells that are filled are numbers."""
    return all(number(value) is not None for value in values if value)


def same_groups(one: Sequence[str], other: Sequence[str]) -> bool:
    """Tell whether two columns split the rows alike, by the same names or by names apart."""
    pairs = set(zip(one, other, strict=True))
    alike = len(pairs) == len(set(one)) == len(set(other))
    return alike and are_apart(dict(pairs), one)


def are_apart(pairs: Mapping[str, str], values: Iterable[str]) -> bool:
    """Tell whether what a column says is nowhere the first one's name of another class.

    Numbers that count the same from another start (1, 2, 3 for 0, 1, 2) are apart.

    Args:
        pairs: value of the first column -> what the other one says in its place.
        values: all values of the first column, also those that the other one says nothing of.
    """
    known = {_key(value) for value in values if value}
    keys = {_key(own): _key(other) for own, other in pairs.items()}
    if all(own == other or other not in known for own, other in keys.items()):
        return True
    if keys.keys() != known or not all_numbers([*keys, *keys.values()]):
        return False
    return len({Decimal(other) - Decimal(own) for own, other in keys.items()}) == 1


def _key(value: str) -> str:
    """Return what a name and the same one spelled otherwise have in common."""
    found = number(value)
    return plain(value) if found is None else str(found)
