"""Class names that are one name: they differ in case, blanks, Unicode or number form alone."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from lnl_core.readings import Answers, Choice, Question

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?")
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
_QUOTES = "\"'`´“”„‘’‚«»"
_JOINTS = re.compile(r"(?<=\w)[-_](?=\w)|\s+")
_COPY = re.compile(r"(\s+\(\d+\)|\s*-\s*(copy|kopie|copie|copia)(\s*\(\d+\))?)$", re.IGNORECASE)
"""What file managers put behind the name of a copied folder."""

_SHOWN = 12


def number(name: str) -> Decimal | None:
    """Return the number that a name is; None where it is none."""
    plain = unicodedata.normalize("NFKC", name).strip()
    if _THOUSANDS.fullmatch(plain):
        plain = plain.replace(",", "")
    if len(plain) > 40 or not _NUMBER.fullmatch(plain):
        return None
    try:
        return Decimal(plain).normalize()
    except InvalidOperation:
        return None


def plain(name: str) -> str:
    """Return a name without what people write differently: case, blanks, quotes, `_` and `-`."""
    folded = unicodedata.normalize("NFKC", name)
    folded = "".join(c for c in folded if unicodedata.category(c) != "Cf").strip()
    folded = folded.strip(_QUOTES).strip() or folded
    return unicodedata.normalize("NFC", _JOINTS.sub("", folded).casefold())


def merged(counts: Mapping[str, int], answers: Answers) -> tuple[dict[str, str], list[Question]]:
    """Say which names are one, and ask.

    Args:
        counts: name as written -> how often.
        answers: what a person said already.

    Returns:
        (name -> name of the class that it is merged into, questions); unanswered, none is merged.
    """
    values, words = defaultdict[str, list[str]](list), defaultdict[str, list[str]](list)
    for name in counts:
        value = number(name)
        if value is not None:
            values[str(value)].append(name)
        else:
            words[plain(_COPY.sub("", name)) or name].append(name)
    renamed: dict[str, str] = {}
    questions = []
    for key, groups, best in (
        ("spellings", words, _best_word),
        ("numbers", values, _best_number),
    ):
        same = [group for group in groups.values() if len(group) > 1]
        if not same:
            continue
        answer = getattr(answers, key)
        best_of = {group[0]: best(group, counts) for group in same}
        if answer == "merge":
            renamed |= {name: best_of[group[0]] for group in same for name in group}
        questions.append(_question(key, same, best_of, counts, answer))
    return renamed, questions


def _best_word(group: list[str], counts: Mapping[str, int]) -> str:
    """Choose the form that most images have, none of a copy, blanks and Unicode form aside."""
    tidy: Counter[str] = Counter()
    for name in group:
        tidy[unicodedata.normalize("NFC", " ".join(name.split()))] += counts[name]
    return max(tidy, key=lambda name: (not _COPY.search(name), tidy[name], name))


def _best_number(group: list[str], counts: Mapping[str, int]) -> str:
    value = number(group[0])
    assert value is not None
    whole = value == value.to_integral_value()
    return str(int(value)) if whole else format(value, "f")


def _question(
    key: str,
    same: list[list[str]],
    best_of: Mapping[str, str],
    counts: Mapping[str, int],
    answer: str,
) -> Question:
    what = "in how a number is written"
    if key != "numbers":
        what = "in case, blanks, quotes, accents' form or a copy's ending"
    details = tuple(
        f"{', '.join(f'{quoted(name)} ({counts[name]:,})' for name in group)} → "
        f"{quoted(best_of[group[0]])}"
        for group in same[:_SHOWN]
    )
    more = f" and {len(same) - 3:,} more" if len(same) > 3 else ""
    named = "; ".join(", ".join(map(quoted, group[:4])) for group in same[:3])
    return Question(
        key,
        f"These classes differ only {what}: {named}{more}. Is each group one class?",
        (Choice("merge", "one class"), Choice("keep", "classes of their own")),
        answer=answer,
        stops=True,
        details=details,
    )


def quoted(name: str) -> str:
    """Return a name in quotes, outer blanks made visible, shortened."""
    start, end = len(name) - len(name.lstrip()), len(name) - len(name.rstrip())
    if name.strip():
        name = "·" * start + name.strip() + "·" * end
    return f"“{name[:40]}”"
