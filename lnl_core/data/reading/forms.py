"""How programs and people write one class name: escaped, numbered, in a folder, as a number."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from urllib.parse import unquote

from lnl_core.data.images import SUFFIXES
from lnl_core.data.reading.split_names import is_split

_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})")
_NUMBERED = re.compile(
    r"(?:n\d{8}|[a-z]{0,2}\d{1,8}(?=[\W_])|(?:class|label|category|cls|klasse|classe|clase)(?=[\W_\d]))"
    r"[\s_:.)\]#-]*(?=\S)",
    re.IGNORECASE,
)
_ARTICLE = re.compile(r"(?:an?|the)\s+(?=\S)", re.IGNORECASE)
_MARKS = re.compile(r"[?*!~/\\#]+$|^[*~#/\\]+")
_BRACKETS = {"(": ")", "[": "]", "{": "}", "<": ">"}

_WORDS = (
    ("zero", "null", "zéro", "cero"),
    ("one", "eins", "uno"),
    ("two", "zwei", "deux", "dos", "II"),
    ("three", "drei", "trois", "tres", "III"),
    ("four", "vier", "quatre", "cuatro", "IV"),
    ("five", "fünf", "cinq", "cinco"),
    ("six", "sechs", "seis", "VI"),
    ("seven", "sieben", "sept", "siete", "VII"),
    ("eight", "acht", "huit", "ocho", "VIII"),
    ("nine", "neun", "neuf", "nueve", "IX"),
    ("ten", "zehn", "dix", "diez"),
)
"""Words of the numbers from 0 on; Roman ones of one letter are letters."""

NUMBERS = {
    word: str(value)
    for value, words in enumerate(_WORDS)
    for word in words
    if word != "null"  # a word for missing first
}


def unescaped(name: str) -> str:
    """Return a name that a program escaped as it was: &amp; %20 \\u00e9."""
    if "&" in name and ";" in name:
        name = html.unescape(name)
    if re.search("%[0-9A-Fa-f]{2}", name):
        name = unquote(name, errors="ignore") or name
    if "\\" in name:
        name = _ESCAPE.sub(lambda found: chr(int(found[1] or found[2], 16)), name)
    return name


def number_word(name: str) -> str | None:
    """Return the number that a word stands for, as digits: one, eins, III."""
    plain = name.strip()
    return NUMBERS.get(plain.upper() if plain.isupper() else plain.casefold())


def barer(name: str) -> Iterator[str]:
    """Yield what may be the same class without what stands around it.

    That is a number, an article or a folder in front, an image's ending, brackets, signs such as ?.
    It is another class unless the set has the rest as a class, too.
    """
    plain = name.strip()
    folders = re.split(r"[/\\]", plain)
    if len(folders) > 1:
        yield folders[-1]
    for front in (_NUMBERED, _ARTICLE):
        found = front.match(plain)
        rest = plain[found.end() :] if found else ""
        if rest and not (front is _NUMBERED and plain[0].isdigit() and rest[0].isdigit()):
            yield rest
    stem, dot, ending = plain.rpartition(".")
    if stem and f"{dot}{ending}".lower() in SUFFIXES:
        yield stem
    if len(plain) > 2 and _BRACKETS.get(plain[0]) == plain[-1]:
        yield plain[1:-1]
    rest = _MARKS.sub("", plain)
    if rest != plain and len(rest) > 2:
        yield rest


def without_split(name: str) -> str:
    """Return a name without a split's folder in front: train/cat is cat."""
    first, cut, rest = name.strip().replace("\\", "/").partition("/")
    return rest if cut and rest and is_split(first) else name
