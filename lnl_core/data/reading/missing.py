"""Words for a missing label that programs leave in lists: nan, NA, None, null, #REF!, ?, -."""

from __future__ import annotations

import re
from collections.abc import Mapping

from lnl_core.data.reading.spellings import quoted
from lnl_core.readings import Answers, Choice, Question

_WRITTEN = r"""
    nan na n/a none null nil nat nonetype np.nan numpy.nan math.nan pd.na pd.nat \n
    1.#qnan 1.#ind 1.#snan #n/a #na #ref! #value! #null! #name? #div/0! #num! #error!
    ? ?? ??? - -- --- – — ― ... …
"""
_ALSO = "blank empty missing unk unknown unset leer vide"
_PROGRAMS = frozenset(_WRITTEN.split())
_IN_BRACKETS = _PROGRAMS | frozenset(_ALSO.split())
"""Such a word is a class's name as well as not, and none in brackets: (blank), <missing>."""

_BRACKETS = {"(": ")", "<": ">", "[": "]", "{": "}", "'": "'", '"': '"'}
_SHORT = frozenset({"na", "nd", "ka"})
"""Letters of n.a., n. d. and k.A., which are words for missing with dots alone."""
_LONGEST = 32
_MUCH = 0.25
"""A word on a larger share of the rows may well be a class: it is asked, not assumed."""


def is_missing(label: str) -> bool:
    """Tell whether a label is a word for missing, in whatever brackets, signs and dots."""
    word = label.strip().casefold()
    if len(word) > _LONGEST:
        return False
    if len(word) > 1 and _BRACKETS.get(word[0]) == word[-1]:
        inner = word[1:-1].strip()
        return not inner or inner in _IN_BRACKETS or is_missing(inner)
    signless = re.sub(r"\((ind|snan)\)$", "", word).lstrip("+-")
    dotted = "." in word and re.sub(r"[.\s]", "", word) in _SHORT
    return word in _PROGRAMS or signless in ("nan", "1.#qnan", "1.#ind", "1.#snan") or dotted


def asked(counts: Mapping[str, int], answers: Answers) -> tuple[tuple[str, ...], Question | None]:
    """Return the words for missing among the labels, and the question about them.

    A word that a person called no class is not among them.
    """
    words = tuple(word for word in counts if is_missing(word) and word not in answers.no_classes)
    if not words:
        return (), None
    rows = sum(counts[word] for word in words)
    if not rows:
        return words, None
    total = sum(counts.values())
    one = rows == 1
    named = ", ".join(f"{quoted(word)} ({counts[word]:,})" for word in words[:8])
    much = max(counts[word] for word in words) > _MUCH * total
    return words, Question(
        "missing",
        f"{'This label is a word' if len(words) == 1 else 'These labels are words'} for a missing "
        f"label: {named}. Is the label of {'this row' if one else f'these {rows:,} rows'} missing?",
        (
            Choice("skip", f"missing: leave the {'row' if one else 'rows'} out"),
            Choice("no-class", "missing: bring the images in, to be labelled"),
            Choice("class", "no, each is a class"),
        ),
        default="" if much else "skip",
        answer=answers.missing,
        stops=much,
        details=tuple(f"{quoted(word)}: {counts[word]:,}" for word in words),
    )
