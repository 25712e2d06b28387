"""Labels that say that nobody labelled the image: "Not sure", "Skip", "unknown", "?".

A name is only ever a reason to ask: "Other" is a class of its own in many sets.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from lnl_core.types import LnlError

_WORDS = frozenset(
    """
    not sure|unsure|uncertain|unclear|unknown|unk|undefined|undecided|unlabeled|unlabelled
    |unclassified|unassigned|other|others|misc|miscellaneous|skip|skipped|none|null|nan|na|n a
    |blank|empty|no label|no class|not labeled|not labelled|missing|todo|to do|tbd|ignore|ignored
    |discard|reject|rejected|cannot tell|can t tell|cant tell|don t know|dont know|idk
    """.replace("\n", "")
    .replace("    ", "")
    .split("|")
)


def looks_like_none(name: str) -> bool:
    """Say whether a label's name sounds as if nobody had labelled the image."""
    plain = " ".join(re.findall(r"[^\W_]+", name.casefold()))
    return plain in _WORDS or not plain


def likely(class_names: Iterable[str]) -> tuple[str, ...]:
    """Return the names that sound so, in their order."""
    return tuple(name for name in class_names if looks_like_none(name))


def checked(wanted: Iterable[str], class_names: Sequence[str]) -> list[str]:
    """Return the names that are no classes, in the order of the set's, each once.

    Raises:
        LnlError: a label that the set does not have, or no class would be left.
    """
    asked = list(dict.fromkeys(wanted))
    strange = [name for name in asked if name not in class_names]
    if strange:
        known = ", ".join(f"“{name[:24]}”" for name in class_names[:12])
        more = ", …" if len(class_names) > 12 else ""
        raise LnlError(f"There is no label “{strange[0][:60]}” in this set. It has {known}{more}.")
    if len(asked) == len(class_names):
        raise LnlError("Every label would be no class: nothing is left to learn from.")
    return [name for name in class_names if name in asked]


def notes(counts: Mapping[str, int], none: Sequence[str]) -> list[str]:
    """Return what an import's report says of them.

    Args:
        counts: label -> images with it.
        none: those that are no classes.
    """
    said = []
    if none:
        named = ", ".join(f"“{name[:24]}” ({counts.get(name, 0):,})" for name in none)
        said.append(f"No class, so to be labelled: {named}.")
    asked = [name for name in likely(counts) if name not in none and counts[name]]
    if asked:
        named = ", ".join(f"“{name[:24]}” ({counts[name]:,})" for name in asked)
        said.append(
            f"Kept as a class, though nobody may have labelled these images: {named}. If it is no "
            "class, say so on the Data page, Classes and guide, or import with --not-a-class."
        )
    return said
