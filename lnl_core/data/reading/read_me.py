"""Texts that speak to people: licences, notes. They may name images and still are no list."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

from lnl_core.data.reading import column_names, indexing
from lnl_core.data.reading.indexing import composed
from lnl_core.data.reading.tree import is_read_me, like_image, like_read_me
from lnl_core.data.tables import visible
from lnl_core.readings import Answers, Choice, Question
from lnl_core.said import many

_LOOKED_AT = 10_000
"""Characters of a text that are looked through for names of images."""

UNUSED = "It is called like a note to people."


def speaks_to_people(file: Path) -> bool:
    """Tell whether a file is a licence or the like: it is called so, and does not list images.

    Called so exactly (`LICENSE.txt`), it lists them where several lines, and most, begin with the
    file of one; called nearly so (`license_plates.txt`) also where any line names one, or where
    most begin with the name of one without its ending.
    """
    exactly = is_read_me(file.name)
    if not (exactly or like_read_me(file.name)):
        return False
    try:
        with file.open(encoding="utf-8", errors="replace") as stream:
            lines = [re.split(r"[\s,;|\"']+", line) for line in stream.read(_LOOKED_AT).split("\n")]
    except OSError:
        return exactly
    lines = [words for words in lines if any(words)]
    named = sum(any(map(like_image, words[:2])) for words in lines)
    if exactly and (named < 2 or 2 * named < len(lines)):
        return True  # before a walk through all files
    if not exactly and any(like_image(word) for words in lines for word in words):
        return False
    there = indexing.of(file.parent.resolve())
    stems, names = there.stems, there.names

    def is_there(word: str) -> bool:
        name = composed(word.rpartition("/")[2])
        return name in names and like_image(name) if exactly else name in stems

    named = sum(any(map(is_there, words[:2])) for words in lines)
    return 2 * named < max(len(lines), 1)


def is_called_so(file: Path) -> bool:
    """Tell whether a list is called as notes to people are; `license_plates` may have a header."""
    if is_read_me(file.name):
        return True
    return like_read_me(file.name) and not column_names.recognised(file)


def ask(file: Path, classes: Collection[str], images: int, answers: Answers) -> Question:
    """Ask whether a list that is called like a note to people has the labels.

    Args:
        file: the list.
        classes: the class folders beside it.
        images: how many images these hold.
        answers: what a person said; `lists` and `labels_in` answer.
    """
    name = visible(file.name)[:40]
    text = f"{name} is called like a note to people, and its rows name images. "
    if not classes:
        return Question(
            "lists", f"{text}Does it have the labels?", (Choice(file.name, "yes"),), stops=True
        )
    folders = many(len(classes), "class folder", "class folders")
    return Question(
        "labels_in",
        f"{text}Are the given labels in it, or in the {folders}?",
        (Choice("folders", f"the {folders}, {many(images, 'image')}"), Choice("list", name)),
        answer=answers.labels_in,
        stops=True,
    )
