"""Names of classes that people would take for the same."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

LONGEST = 200

_BETWEEN = re.compile(r"(?<=[^\W\d_])[\s_-]+(?=\w)|(?<=\d)[\s_-]+(?=[^\W\d_])")
"""What parts words; between two numbers it may be a sign or a range."""


def folded(name: str) -> str:
    """Return a name without what tells no classes apart: case, blanks, hyphens between words."""
    plain = " ".join(unicodedata.normalize("NFKC", name).casefold().split())
    return _BETWEEN.sub("", plain)


def near(name: str, known: Iterable[str]) -> str | None:
    """Return the class that is spelled like `name` but for case, blanks, hyphens; else None."""
    wanted = folded(name)
    return next((each for each in known if each != name and folded(each) == wanted), None)
