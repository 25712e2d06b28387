"""Texts that speak to people: licences, notes. They may name images and still are no list."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

from lnl_core.data import folders
from lnl_core.data.reading import column_names
from lnl_core.data.reading.tree import is_read_me, like_image, like_read_me
from lnl_core.data.tables import visible
from lnl_core.readings import Answers, Choice, Question
from lnl_core.said import many

_LOOKED_AT = 10_000
"""Characters of a text that are looked through for names of images."""

UNUSED = "It is called like a note to people."


def speaks_to_people(file: Path) -> bool:
    """Tell whether a file is a licence or the like; one called nearly so names no image.

    By a name with its ending anywhere, or by one without it in most lines.
    """
    if is_read_me(file.name) or not like_read_me(file.name):
        return is_read_me(file.name)
    try:
        with file.open(encoding="utf-8", errors="replace") as stream:
            lines = [re.split(r"[\s,;|\"']+", line) for line in stream.read(_LOOKED_AT).split("\n")]
    except OSError:
        return False
    if any(like_image(word) for words in lines for word in words):
        return False
    lines = [words for words in lines if any(words)]
    there = (Path(each.path) for each in folders.walk(file.parent.resolve()) if not each.is_folder)
    stems = {each.stem for each in there if like_image(each.name)}
    named = sum(any(word.rpartition("/")[2] in stems for word in words[:2]) for words in lines)
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
