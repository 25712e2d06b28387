"""Several labels in one cell: cat|dog, "cat, dog", cat;dog, ['cat', 'dog'], {"cat": 0.9}."""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from lnl_core.data.reading.spellings import quoted
from lnl_core.data.table_text import visible
from lnl_core.data.tables import BadRow
from lnl_core.parsing import parsed
from lnl_core.readings import Answers, Choice, Question

BOXES = BadRow(
    "The image has boxes of several classes.", "Import with --several-labels first to review it."
)

_SURE = (r"\|", "｜")
_LIKELY = (";", ",", "；", "，", "、")
_RARE = (
    *("/", r"\+", "&", " ", r"\n", r"\t", r"\\", "::", "->", "→", "•", "·", "_", "-"),
    r"(?:^|\s+)(?:and|or|vs\.?|und|oder|et|ou|y|e|o)\s+",
)
"""Separators as patterns; by how sure each of them is one."""

_IN_NAMES = (" ", "_", "-")
_SEPARATORS = (*_SURE, *_LIKELY, *_RARE)
_LONGEST = 4096
_BRACKETS = {"[": "]", "(": ")", "{": "}"}


def listed(label: str) -> tuple[str, ...] | None:
    """Return the labels of a cell in list syntax; None where it has none.

    JSON, Python and NumPy write lists: ["cat"], ['cat', 'dog'], ['cat' 'dog'], {cat, dog}. Of
    labels with numbers, {"cat": 0.1, "dog": 0.9}, the greatest is first and zeros are none.
    """
    text = label.strip()
    if len(text) < 3 or len(text) > _LONGEST or _BRACKETS.get(text[0]) != text[-1]:
        return None
    inner = text[1:-1].strip()
    if text[0] == "(" and "," not in inner and "'" not in inner and '"' not in inner:
        return None  # (cat) is a name in brackets
    numpys = re.search(r"['\"]\s+['\"]", inner)  # Python would join the two
    for parse in () if numpys else (json.loads, ast.literal_eval):
        try:
            values = parsed(parse, text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        if isinstance(values, dict):
            return _weighted(values)
        if isinstance(values, list | tuple) and all(
            isinstance(value, str | int | float) for value in values
        ):
            return _distinct(str(value) for value in values)
    if text[0] in "[({" and "|" in inner:
        return _distinct(inner.split("|"))
    words = re.findall(r"'([^']*)'|\"([^\"]*)\"|([^\s,'\"]+)", inner)
    return _distinct("".join(groups) for groups in words) or None


def _weighted(values: Mapping[object, object]) -> tuple[str, ...] | None:
    """Return the labels of label -> number, the greatest first; None where they are no numbers."""
    weights = {key: value for key, value in values.items() if isinstance(value, int | float)}
    if not weights or len(weights) < len(values):
        return None
    most = sorted(weights, key=lambda key: -weights[key])
    return _distinct(str(key) for key in most if weights[key] > 0) or None


def _distinct(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word.strip() for word in words if word.strip()))


def found(counts: Mapping[str, int]) -> dict[str, tuple[str, ...]]:
    """Return the labels that are several -> each of them.

    List syntax says so by itself. A bar does where one of its parts is a label elsewhere too, alone
    or in another company; a semicolon or comma where all are; other separators where all are labels
    alone; where names have it as well (“ski mask”), in half of the labels with it. One label twice
    (cat|cat) is several too, of which each is the same.
    """
    several: dict[str, tuple[str, ...]] = {}
    splits: dict[str, dict[str, tuple[str, ...]]] = {sep: {} for sep in _SEPARATORS}
    for label in counts:
        if (parts := listed(label)) is not None:
            several[label] = parts
            continue
        for sep in splits:
            parts = _distinct(re.split(sep, label))
            if len(parts) > 1:
                splits[sep][label] = parts
    alone = {label.strip() for label in counts if label not in several}
    several |= _repeated(counts, alone)
    for sep, labels in splits.items():
        company = Counter(part for parts in labels.values() for part in parts)
        whole = sum(all(part in alone for part in parts) for parts in labels.values())
        if sep in _IN_NAMES and 2 * whole < len(labels):
            continue  # “ski mask” is one of many names of two words
        for label, parts in labels.items():
            if label in several:
                continue
            if sep in _SURE:
                known = any(part in alone or company[part] > 1 for part in parts)
            elif sep in _LIKELY:
                known = all(part in alone or company[part] > 1 for part in parts)
            else:
                known = all(part in alone for part in parts)
            if known:
                several[label] = parts
    return several


def _repeated(counts: Iterable[str], alone: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Return the labels that say one label several times: cat|cat, where cat is one elsewhere."""
    repeated: dict[str, tuple[str, ...]] = {}
    for label in counts:
        for sep in _SEPARATORS:
            words = [word.strip() for word in re.split(sep, label) if word.strip()]
            if len(words) > 1 and len(set(words)) == 1 and words[0] in alone:
                repeated[label] = (words[0],)
    return repeated


def asked(
    counts: Mapping[str, int], answers: Answers
) -> tuple[dict[str, tuple[str, ...]], Question | None]:
    """Return the labels that are several, and the question about them."""
    several = found(counts)
    if not several:
        return {}, None
    rows = sum(counts[label] for label in several)
    named = ", ".join(map(quoted, list(several)[:4])) + (", …" if len(several) > 4 else "")
    return several, Question(
        "several",
        f"Several labels are in a cell in {rows:,} {'row' if rows == 1 else 'rows'}: {named}. The "
        "given label is one class.",
        (
            Choice(
                "first", "the first is given; all are noted, and Review asks these images first"
            ),
            Choice("skip", "leave these images out"),
            Choice("class", "each text is a class of its own"),
        ),
        answer=answers.several,
        stops=True,
        details=tuple(
            f"{quoted(label)} ({counts[label]:,}) → {', '.join(map(quoted, parts))}"
            for label, parts in list(several.items())[:12]
        ),
    )


def with_boxes(
    questions: Sequence[Question],
    also: Mapping[str, tuple[int, ...]],
    names: Sequence[str],
    answers: Answers,
) -> list[Question]:
    """Ask about images whose boxes are of several classes, in one question with such cells.

    Args:
        questions: what is asked already.
        also: image -> its classes, the first one's number first.
        names: of the classes.
        answers: what a person said already.
    """
    first, classes = next(iter(also.items()))
    words = " and ".join(quoted(names[label]) for label in classes[:3])
    images = "image has" if len(also) == 1 else "images have"
    said = (
        f"{len(also):,} {images} boxes of several classes, first “{visible(first)[:60]}”: {words}."
    )
    if any(each.key == "several" for each in questions):
        return [
            replace(each, text=f"{each.text} {said}", choices=tuple(map(_and_boxes, each.choices)))
            if each.key == "several"
            else each
            for each in questions
        ]
    alone = Question(
        "several",
        f"{said} The given label is one class.",
        (
            Choice(
                "first", "the first is given; all are noted, and Review asks these images first"
            ),
            Choice("skip", "leave these images out"),
            Choice("class", "the first is given as well: boxes make no class together"),
        ),
        answer=answers.several,
        stops=True,
    )
    return [*questions, alone]


def _and_boxes(choice: Choice) -> Choice:
    if choice.value != "class":
        return choice
    return replace(choice, words=f"{choice.words}; of several boxes the first is given")


def listed_twice(also: Mapping[str, tuple[int, ...]], names: Sequence[str]) -> str:
    """Say which images are listed with several labels."""
    first, classes = next(iter(also.items()))
    words = " and ".join(f"“{names[label][:24]}”" for label in classes[:3])
    images = "image is" if len(also) == 1 else "images are"
    return (
        f"{len(also):,} {images} listed with different labels, first “{visible(first)[:60]}” as "
        f"{words}: one of them is certainly wrong. The first is given, and Review begins there."
    )
