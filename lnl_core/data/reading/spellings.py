"""Class names that are one name: they differ in case, blanks, Unicode or number form alone."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from lnl_core.data.reading import forms
from lnl_core.readings import Answers, Choice, Question

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?")
_BASED = re.compile(r"0[xX][0-9a-fA-F]{1,8}|0[bB][01]{1,32}|0[oO][0-7]{1,11}")
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
_QUOTES = "\"'`´“”„‘’‚«»"
_ENDS = ".,;:!…"
_ZEROS = re.compile(r"(?<![\d.,])0+(?=\d)")
_ALIKE = str.maketrans("асеорхуіѕјһԁқоαορνι−‐‑–", "aceopxyisjhdkoaopvi----")
"""Letters and dashes of other alphabets that look like ours, small ones."""

_YES = frozenset({"true", "t", "yes", "y", "1", "1.0"})
_NO = frozenset({"false", "f", "no", "n", "0", "0.0"})
_JOINTS = re.compile(r"(?<=\w)[-_](?=\w)|(?<=[^\W\d])\+(?=[^\W\d])|\s+")
_COPY = re.compile(r"(\s+\(\d+\)|\s*-\s*(copy|kopie|copie|copia)(\s*\(\d+\))?)$", re.IGNORECASE)
"""What file managers put behind the name of a copied folder."""

_SHOWN = 12


def number(name: str) -> Decimal | None:
    """Return the number that a name is; None where it is none."""
    plain = unicodedata.normalize("NFKC", name).strip().replace("−", "-")
    if _BASED.fullmatch(plain):
        return Decimal(int(plain, 0))
    if _THOUSANDS.fullmatch(plain):
        plain = plain.replace(",", "")
    if len(plain) > 40 or not _NUMBER.fullmatch(plain):
        return None
    try:
        return Decimal(plain).normalize() + 0  # so that -0 is 0
    except InvalidOperation:
        return None


def plain(name: str) -> str:
    """Return a name without what people and programs write differently.

    That is: case, blanks, quotes, `_` and `-`, dots at its ends, zeros before a number, & for and,
    letters of other alphabets that look alike, UTF-8 that was read as Latin-1, what a program
    escaped, and a split's folder in front.
    """
    name = forms.without_split(forms.unescaped(name))
    folded = _seen(unicodedata.normalize("NFKC", _repaired(name)))
    folded = folded.strip(_QUOTES).strip() or folded
    folded = folded.strip(_ENDS).strip() or folded
    folded = _ZEROS.sub("", folded.replace("&", " and "))
    folded = _JOINTS.sub("", folded).casefold().replace("i\u0307", "i")
    return unicodedata.normalize("NFC", folded.translate(_ALIKE))


def _bare(name: str) -> str:
    """Return a name without the accents of Latin letters: é is e, ä is ae."""
    for letter, both in (("ä", "ae"), ("ö", "oe"), ("ü", "ue")):
        name = name.replace(letter, both)
    return re.sub("(?<=[a-z])[\u0300-\u036f]+", "", unicodedata.normalize("NFD", name))


def _seen(name: str) -> str:
    """Return a name without characters that nobody sees."""
    return "".join(c for c in name if unicodedata.category(c) != "Cf").strip()


def _repaired(name: str) -> str:
    """Return a name of which the UTF-8 was read as Latin-1 as it was; any other as it is."""
    for encoding in () if name.isascii() else ("cp1252", "latin-1"):
        try:
            return name.encode(encoding).decode("utf-8")
        except UnicodeError:
            continue
    return name


def merged(counts: Mapping[str, int], answers: Answers) -> tuple[dict[str, str], list[Question]]:
    """Say which names are one, and ask.

    Args:
        counts: name as written -> how often.
        answers: what a person said already.

    Returns:
        (name -> name of the class that it is merged into, questions); unanswered, none is merged.
    """
    values, words = defaultdict[str, list[str]](list), defaultdict[str, list[str]](list)
    said = {name.strip().casefold() for name in counts}
    truths = said <= _YES | _NO and not said <= {"0", "1", "0.0", "1.0"}
    for name in counts:
        value = number(name)
        if truths:
            words[str(name.strip().casefold() in _YES)].append(name)
        elif value is not None:
            values[str(value)].append(name)
        else:
            words[_bare(plain(_COPY.sub("", name))) or name].append(name)
    _join_barer(words, values)
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
    question = _decimals(counts, answers) if not words else None
    if question is not None:
        if not any(len(group) > 1 for group in values.values()):
            questions.append(question)
        if (answers.numbers or question.default) == "merge":
            renamed = {name: _best_number([name], counts) for name in counts} | renamed
    return renamed, questions


def _join_barer(words: dict[str, list[str]], values: dict[str, list[str]]) -> None:
    """Put names that are another class with something around it, or its number, to that class."""
    for key, group in list(words.items()):
        for name in list(group):
            bare = list(forms.barer(name))
            others = (_bare(plain(each)) for each in bare)
            other = next((each for each in others if each != key and each in words), None)
            known = (forms.number_word(name), *(str(number(each)) for each in bare))
            value = next((each for each in known if each in values), None)
            if value is not None:
                values[value].append(name)
            elif other is not None and words[other]:
                words[other].append(name)
            else:
                continue
            group.remove(name)


def _decimals(counts: Mapping[str, int], answers: Answers) -> Question | None:
    """Say of whole numbers that are written with decimals (1.0, 2.0) how they are read."""
    written = [name for name in counts if re.search(r"\d[.,]0*$", name.strip())]
    values = [number(name) for name in counts]
    if not written or any(value is None or value != int(value) for value in values):
        return None
    return Question(
        "numbers",
        f"Classes are whole numbers written with decimals: {', '.join(map(quoted, written[:4]))}.",
        (
            Choice("merge", f"called {', '.join(_best_number([n], counts) for n in written[:4])}"),
            Choice("keep", "called as they are written"),
        ),
        default="merge",
        answer=answers.numbers,
    )


def _best_word(group: list[str], counts: Mapping[str, int]) -> str:
    """Choose the form that most images have, whole and none of a copy, blanks aside."""
    tidy: Counter[str] = Counter()
    for name in group:
        tidy[unicodedata.normalize("NFC", " ".join(_seen(name).split()))] += counts[name]
    barest = {_bare(plain(name)) for name in group}
    return max(
        tidy,
        key=lambda name: (
            not _COPY.search(name),
            forms.unescaped(name) == name and forms.without_split(name) == name,
            not any(_bare(plain(each)) in barest for each in forms.barer(name)),
            _is_clean(name),
            tidy[name],
            name,
        ),
    )


def _is_clean(name: str) -> bool:
    """Tell whether a name ends in no dot, and is of one alphabet and read in its own encoding."""
    ours = name.translate(_ALIKE)
    return (
        name == name.rstrip(_ENDS)
        and _repaired(name) == name
        and (ours == name or not ours.isascii())
    )


def _best_number(group: list[str], counts: Mapping[str, int]) -> str:
    value = next(v for name in group if (v := number(name)) is not None)
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
        what = (
            "in case, blanks, signs, zeros, accents, alphabet, what stands in front (a number, a "
            "folder, an article) or a copy's ending"
        )
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
