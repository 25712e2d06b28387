"""Labels that look like measurements, counts or names of single images rather than classes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

from lnl_core.data.reading.spellings import number, quoted
from lnl_core.data.reading.tree import like_image
from lnl_core.readings import Answers, Choice, Question

_COMMA = re.compile(r"[+-]?\d+,\d+")
_GROUPS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+")
_SCORED = re.compile(r"[^\W\d].*?[\s:=(\[|](0?\.\d+|1\.0+|\d+(\.\d+)?\s?%)[)\]]?")
_OBJECT = re.compile(r"\{\s*[\"'].*:.*\}", re.DOTALL)
_PRINTED = re.compile(  # np.str_('cat'), b'cat', tensor(3), <Animal.CAT: 1>
    r"(?:np|numpy|torch)\.\w+\(.*\)|(?:tensor|array)\(.*\)|b(['\"]).*\1|<\w+\.\w+: .*>", re.DOTALL
)
_ENOUGH = 10
"""Images and labels below which nothing can be told."""

_MANY = 20


def decimal_commas(counts: Mapping[str, int]) -> dict[str, str]:
    """Return labels that are numbers with a decimal comma -> the same with a point.

    All of them have to be such numbers; 1,000 and 12,500 alone are thousands.
    """
    labels = [label.strip() for label in counts]
    if not labels or not all(map(_COMMA.fullmatch, labels)) or all(map(_GROUPS.fullmatch, labels)):
        return {}
    return {label: label.strip().replace(",", ".") for label in counts}


def surely_numbers(counts: Mapping[str, int], commas: Mapping[str, str]) -> bool:
    """Tell whether what `decimal_commas` returned are whole numbers, or plainly measured."""
    values = [Decimal(text) for text in commas.values()]
    if all(value == value.to_integral_value() for value in values):
        return True
    images = sum(counts.values())
    return images >= _ENOUGH and _numbers(values, images)[1]


def asked(counts: Mapping[str, int], answers: Answers) -> Question | None:
    """Ask whether labels are classes that do not look like it; it stops where that is plain.

    Args:
        counts: class -> images.
        answers: what a person said already.
    """
    used = {name: count for name, count in counts.items() if count}
    images = sum(used.values())
    scored = sum(used[name] for name in used if _SCORED.fullmatch(name.strip()))
    objects = sum(used[name] for name in used if _OBJECT.fullmatch(name.strip()))
    if 2 * max(scored, objects) > images:
        first = ", ".join(map(quoted, list(used)[:3]))
        what = "end in a number, as a confidence" if scored else "are written as JSON objects"
        return _question(f"Labels {what}: {first} … Is each such text a class?", True, answers)
    if printed := [name for name in used if _PRINTED.fullmatch(name.strip())]:
        first = ", ".join(map(quoted, printed[:3]))
        return _question(
            f"Labels are written as Python prints its objects: {first} … Is each such text a "
            "class? If not, write the bare names into the source.",
            True,
            answers,
        )
    if rows := _rows_of_bits(list(used)):
        return _question(*rows, answers)
    if images < _ENOUGH:
        return None
    values = {name: value for name in used if (value := number(name)) is not None}
    if sum(used[name] for name in values) > 0.9 * images:
        text, stops = _numbers(list(values.values()), images)
    else:
        text, stops = _words(used, images)
    return _question(text, stops, answers) if text else None


def _rows_of_bits(labels: list[str]) -> tuple[str, bool] | None:
    """Return (what 100, 010, 110 look like, whether some have several 1); None for other labels.

    At most as many have a single 1 as there are digits, and one of them has its 1 at the front.
    """
    width = len(labels[0]) if labels else 0
    if width < 3 or len(labels) < 3 or any(len(each) != width for each in labels):
        return None
    if any(set(each) - {"0", "1"} for each in labels) or "1" + "0" * (width - 1) not in labels:
        return None
    single = sum(each.count("1") == 1 for each in labels)
    if 2 * single < len(labels):
        return None
    several = single < len(labels)
    first = ", ".join(map(quoted, labels[:3]))
    return (
        f"Labels look like rows of 0 and 1, a digit for each class: {first} … Is each such row a "
        "class? If not, give the list a column of 0 and 1 per class (--one-hot).",
        several,
    )


def _question(text: str, stops: bool, answers: Answers) -> Question:
    return Question(
        "measured",
        text,
        (Choice("classes", "each of them is a class"),),
        default="" if stops else "classes",
        answer=answers.measured,
        stops=stops,
    )


def _numbers(values: list[Decimal], images: int) -> tuple[str, bool]:
    """Return (what numbers look like, whether that is plain); "" where they may be classes.

    Args:
        values: every one once, in the order of the rows.
        images: that have them.
    """
    distinct, low, high = len(values), min(values), max(values)
    seen = f"{distinct:,} different numbers on {images:,} images, from {low:f} to {high:f}"
    if any(value != value.to_integral_value() for value in values):
        plain = distinct > _MANY or 2 * distinct > images
        return (
            f"Labels look measured, as for a regression: {seen}, with decimals. Is each a class? "
            "If not, choose another column, or write classes into this one.",
            plain,
        )
    counted = low in (0, 1) and high - low + 1 == distinct
    if counted and distinct == images > _MANY and values == sorted(values):
        return (
            f"Labels count the images: {seen}, another one on each, in order. Is each a class? If "
            "not, choose another column.",
            True,
        )
    if counted or distinct <= _MANY // 2:
        return "", False
    plain = 3 * distinct > images
    if not plain and distinct <= _MANY:
        return "", False
    return (
        f"Labels look like counts, ages or numbers of images: {seen}, and not all between. Is "
        "each a class? If not, choose another column, or write classes into this one.",
        plain,
    )


def _words(used: Mapping[str, int], images: int) -> tuple[str, bool]:
    """Return (what words look like that hardly come twice, whether they are long or of files)."""
    if len(used) < _ENOUGH or 2 * len(used) <= images:
        return "", False
    first = ", ".join(map(quoted, list(used)[:3]))
    return (
        f"Nearly every image has a label of its own: {len(used):,} different ones on {images:,} "
        f"images, {first} … They may be captions or names of images. Is each a class? If not, "
        "choose another column.",
        2 * sum(map(_is_text, used)) > len(used),
    )


def _is_text(label: str) -> bool:
    """Tell whether a label reads like a caption or is called like an image."""
    return len(label) > 60 or len(label.split()) > 4 or like_image(label)
