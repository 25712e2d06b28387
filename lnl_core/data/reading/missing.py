"""Words for a missing label that programs leave in lists: nan, NA, None, null, ?, -."""

from __future__ import annotations

from collections.abc import Mapping

from lnl_core.data.reading.spellings import quoted
from lnl_core.readings import Answers, Choice, Question

_AS_WRITTEN = "nan na n/a n.a. none null nil nat <na> <null> <none> (null) #n/a #na [] ? ?? - -- –"
WORDS = frozenset(_AS_WRITTEN.split())
_MUCH = 0.25
"""A word on a larger share of the rows may well be a class: it is asked, not assumed."""


def is_missing(label: str) -> bool:
    """Tell whether a label is a word for missing."""
    return label.strip().casefold() in WORDS


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
    named = ", ".join(f"{quoted(word)} ({counts[word]:,})" for word in words[:8])
    much = max(counts[word] for word in words) > _MUCH * total
    return words, Question(
        "missing",
        f"These labels are words for a missing label: {named}. Is the label of these {rows:,} "
        "rows missing?",
        (
            Choice("skip", "missing: leave the rows out"),
            Choice("no-class", "missing: bring the images in, to be labelled"),
            Choice("class", "no, each is a class"),
        ),
        default="" if much else "skip",
        answer=answers.missing,
        stops=much,
        details=tuple(f"{quoted(word)}: {counts[word]:,}" for word in words),
    )
