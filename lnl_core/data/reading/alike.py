"""Class names that may be one: singular and plural, numbered, or a slip of the pen apart.

Of a slip, one name is rare. Where a name is a word of its own, or short, the pair is said and kept
apart; an import stops only where the rare name is hardly a word.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping

from lnl_core.data.reading.spellings import plain, quoted
from lnl_core.readings import Answers, Choice, Question

_SHORTEST, _LONGEST = 3, 40
"""Letters of names that are compared by letter."""

_WORD, _LONG = 5, 8
"""Shorter names are words when a letter is another: bat, cat and rat are three animals."""

_RARE = 20
"""One image to so many of the other class makes a slip of the pen likely."""

_FEW, _HARDLY = 2, 100
"""So few images, one to so many of the other class, make a slip likely in a short name, too."""

_NUMBERED = re.compile(r"(.*[^\W\d])\d")

_SHOWN = 12


def asked(counts: Mapping[str, int], answers: Answers) -> tuple[dict[str, str], Question | None]:
    """Say which names may be one, and ask.

    Args:
        counts: name as written -> how often; those that differ in writing alone are merged already.
        answers: what a person said already.

    Returns:
        (name -> name of the class that it is merged into, the question); unanswered, none is.
    """
    names = {name: plain(name) for name in counts if _is_compared(name)}
    doubles = set(_doubles(names))
    names = {name: word for name, word in names.items() if word and not _has_digit(word)}
    said = doubles | set(_plurals(names, counts))
    pairs = {(a, b) for a, b in said | set(_slips(names, counts)) if counts[a] and counts[b]}
    if not pairs:
        return {}, None
    shown = sorted(pairs, key=lambda pair: (counts[pair[0]] / counts[pair[1]], pair))
    named = "; ".join(
        f"{quoted(a)} ({counts[a]:,}), {quoted(b)} ({counts[b]:,})" for a, b in shown[:3]
    )
    more = f" and {len(shown) - 3:,} more" if len(shown) > 3 else ""
    stops = any(_is_no_word(names[a], names[b]) for a, b in pairs - said)
    question = Question(
        "alike",
        f"These classes are one word in singular and plural or with a number, or a slip of the pen "
        f"apart: {named}{more}. Is each pair one class?",
        (Choice("merge", "one class"), Choice("keep", "classes of their own")),
        default="" if stops else "keep",
        answer=answers.alike,
        stops=stops,
        details=tuple(
            f"{quoted(rare)} ({counts[rare]:,}) → {quoted(usual)} ({counts[usual]:,})"
            for rare, usual in shown[:_SHOWN]
        ),
    )
    return (_into(shown) if question.taken == "merge" else {}), question


def _into(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """Return rarer name -> the one that it is merged into, through several where they follow."""
    into: dict[str, str] = {}
    for rare, usual in pairs:
        into.setdefault(rare, usual)
    for rare in into:
        seen = {rare}
        while into[rare] in into and into[into[rare]] not in seen:
            seen.add(into[rare])
            into[rare] = into[into[rare]]
    return into


def _is_compared(name: str) -> bool:
    """Tell whether a name is of ASCII, or of letters with at most one digit behind: été_1."""
    return name.isascii() or (name[:-1].rstrip("_- ") if name[-1].isdigit() else name).isalpha()


def _has_digit(word: str) -> bool:
    return any(letter.isdigit() for letter in word)


def _plurals(names: Mapping[str, str], counts: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    """Yield (rarer, more frequent) of each singular and plural."""
    by_word = {word: name for name, word in names.items()}
    for name, word in names.items():
        for more in _plural(word):
            if more in by_word and len(word) > 2:
                one, other = name, by_word[more]
                yield (one, other) if counts[one] < counts[other] else (other, one)


def _doubles(names: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield (numbered, plain) of each name that another one is with a digit behind: cat_1, cat."""
    by_word = {word: name for name, word in names.items()}
    for name, word in names.items():
        found = _NUMBERED.fullmatch(word)
        if found is not None and len(found[1]) > 1 and found[1] in by_word:
            yield name, by_word[found[1]]


def _plural(word: str) -> Iterator[str]:
    yield word + "s"
    yield word + "es"
    if word.endswith("y"):
        yield word[:-1] + "ies"
    if word.endswith(("f", "fe")):
        yield word.removesuffix("e")[:-1] + "ves"
    if word.endswith("man"):
        yield word[:-3] + "men"


def _slips(names: Mapping[str, str], counts: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    """Yield (rare, usual) of names one letter apart, or with two neighbours exchanged."""
    by_part = defaultdict[str, list[str]](list)
    for name, word in names.items():
        if _SHORTEST <= len(word) <= _LONGEST:
            for at in range(len(word) + 1):  # without one letter, and as it is
                by_part[word[:at] + word[at + 1 :]].append(name)
    for group in by_part.values():
        usual = max(group, key=lambda name: counts[name])
        for rare in group:
            if rare == usual or _RARE * counts[rare] > counts[usual]:
                continue
            few = counts[rare] <= _FEW and _HARDLY * counts[rare] <= counts[usual]
            if _is_slip(names[rare], names[usual], few):
                yield rare, usual


def _is_slip(rare: str, usual: str, few: bool) -> bool:
    """Tell whether a letter is missing, too many, another or exchanged with its neighbour.

    In short names what makes another word counts for a few images alone.
    """
    a, b = _apart(rare, usual)
    inside = rare[0] == usual[0]
    short = min(len(rare), len(usual)) < _WORD
    if _swapped(a, b) or (short and _doubled(rare, usual)):
        return inside or not short
    one_letter = a[1:] == b[1:] or a[1:] == b or a == b[1:]
    return one_letter and (not short or (few and inside))


def _is_no_word(rare: str, usual: str) -> bool:
    """Tell whether what is rare is hardly a word of its own, as mouse beside house and shirt is.

    Neighbours are exchanged, a letter is doubled or no more, or one is missing in a long word.
    """
    if min(len(rare), len(usual)) < _WORD:
        return False
    a, b = _apart(rare, usual)
    if _swapped(a, b) or _doubled(rare, usual):
        return True
    longer, rest = (a, b) if len(a) > len(b) else (b, a)
    inside = rare[0] == usual[0]
    return len(longer) > len(rest) and longer[1:] == rest and inside and len(rare) >= _LONG


def _doubled(one: str, other: str) -> bool:
    """Tell whether the longer of two words is the shorter with a letter doubled."""
    longer, shorter = (one, other) if len(one) > len(other) else (other, one)
    return len(longer) == len(shorter) + 1 and any(
        longer[at] == longer[at - 1] and longer[:at] + longer[at + 1 :] == shorter
        for at in range(1, len(longer))
    )


def _apart(one: str, other: str) -> tuple[str, str]:
    """Return two words from the first letter on in which they differ."""
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    return one[start:], other[start:]


def _swapped(a: str, b: str) -> bool:
    return len(a) > 1 and len(b) > 1 and a[0] == b[1] and a[1] == b[0] and a[2:] == b[2:]
