"""Labels that say that nobody labelled the image: "Not sure", "Skip", "unknown", "?".

A name is only ever a reason to ask: "Other" is a class of its own in many sets.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from lnl_core.data.reading.spellings import number
from lnl_core.types import LnlError

_WORDS = frozenset(
    """
    not sure|unsure|uncertain|unclear|unknown|unk|undefined|undecided|unlabeled|unlabelled
    |unclassified|unassigned|other|others|misc|miscellaneous|skip|skipped|none|null|nan|na|n a
    |blank|empty|no label|no class|not labeled|not labelled|missing|todo|to do|tbd|ignore|ignored
    |discard|reject|rejected|cannot tell|can t tell|cant tell|don t know|dont know|idk
    |not available|not applicable|no answer|no annotation|unannotated|not annotated|pending|void
    |to be labeled|to be labelled|to label|to review|needs review|uncategorized|uncategorised
    |unassignable|undetermined|indeterminate|inconclusive|not determined|none of the above|unset
    |mask|masks|ground truth|new folder|recycle bin|thumbnails
    |pool|unlabeled pool|unlabelled pool|unlabeled data|unlabelled data|unlabeled images
    |unlabelled images|no labels|without label|without labels|nolabel|nolabels
    |invalid|error|no tag|untagged|unbekannt|leer|unklar|keine|keine angabe|kein label|ohne label
    |inconnu|inconnue|sans étiquette|non étiqueté|autre|vide|desconocido|desconocida|sin etiqueta
    |ninguno|ninguna|otro|sconosciuto|desconhecido|outro|неизвестно|нет|без метки|прочее|不明
    |nieznany|nieznane|okänd|okänt|bilinmiyor|bilinmeyen|ukendt|ukjent|onbekend|tuntematon|neznámý
    |neznámé|ismeretlen|άγνωστο|невідомо|غير معروف|לא ידוע|अज्ञात|không rõ|tidak diketahui|ไม่ทราบ
    |sonstige|sonstiges|unsicher|weiß nicht|autres|otros|altro|altri|outros|overig|övrigt|annet|inne
    |jiné|egyéb|другое|diğer|je ne sais pas|no sé|non so|não sei|不确定|わからない|기타|모름
    |未知|未标注|未标记|未標註|なし|未分類|未分类|其他|その他|알수없음|미분류
    """.replace("\n", "")
    .replace("    ", "")
    .split("|")
)

_CROSSES = frozenset({"x", "xx", "xxx", "×"})
_SENTINELS = frozenset({99, 255, 999, 9999, 65535})
"""Numbers that stand for none in many lists."""

ASKED = "May say that nobody labelled the image: "
KEPT = "Kept as a class, though nobody may have labelled"
"""How the question at an import begins, and how the note of a stored set about the same."""


def looks_like_none(name: str) -> bool:
    """Say whether a label's name sounds as if nobody had labelled the image."""
    plain = " ".join(re.findall(r"[^\W_]+", name.casefold()))
    return (
        plain in _WORDS or not plain or re.sub(r"(?<=[^\W\d]{4})\s?\d{1,3}$", "", plain) in _WORDS
    )


def likely(class_names: Iterable[str]) -> tuple[str, ...]:
    """Return the names that sound so, in their order, and numbers that stand apart from others.

    That is one below 0, one such as 999 far above the others, a 0 and an x among words.
    """
    names = tuple(class_names)
    values = {name: number(name) for name in names}
    below = {name for name, value in values.items() if value is not None and value < 0}
    others = [value for name, value in values.items() if name not in below]
    counted = all(value is not None for value in others) and len(others) > 2
    worded = all(value is None for value in others) and len(others) > 1
    odd = below if len(below) == 1 and (counted or worded) else set[str]()
    numbers = {name: value for name, value in values.items() if value is not None}
    largest = max(numbers, key=lambda name: numbers[name], default="")
    rest = [value for name, value in numbers.items() if name != largest]
    if rest and numbers[largest] in _SENTINELS and 2 * max(rest) < numbers[largest]:
        odd |= {largest}
    if len(numbers) == 1 and len(names) > 2 and not numbers[largest]:
        odd |= {largest}
    crosses = {name for name in names if name.strip().casefold() in _CROSSES}
    if len(names) - len(crosses) > 1 and all(
        len(name) > 2 for name in names if name not in crosses
    ):
        odd |= crosses
    return tuple(name for name in names if name in odd or looks_like_none(name))


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
            f"{KEPT} these images: {named}. If it is no class, say so on the Data page, Classes "
            "and guide, or import with --not-a-class."
        )
    return said
