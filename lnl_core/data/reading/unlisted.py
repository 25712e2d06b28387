"""Images of a folder that no list names: they stay out, and may be labelled by their folders."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lnl_core.data import folders
from lnl_core.data.reading.places import like_image
from lnl_core.data.reading.spellings import plain
from lnl_core.data.tables import visible
from lnl_core.readings import Answers, Choice, Question
from lnl_core.said import many

_FEW = 10
"""Of so many listed images one in class folders beside them is no matter of the whole set."""


@dataclass(slots=True)
class Unlisted:
    """What no list names.

    Attributes:
        listed: how many images lists name.
        count: how many are named by none.
        first: the path of the first of them.
        in_classes: paths of those in folders that are called like labels of the lists, and in which
            no image is listed.
    """

    listed: int = 0
    count: int = 0
    first: str = ""
    in_classes: list[str] = field(default_factory=list)

    def notes(self) -> list[str]:
        """Say how many there are."""
        if not self.count:
            return []
        they = "it does" if self.count == 1 else "they do"
        return [
            f"{many(self.count, 'image is', 'images are')} in no list that is read, first "
            f"“{visible(self.first)[:60]}”: {they} not come in."
        ]

    def questions(
        self, lists: Sequence[str], asked: Sequence[Question], answers: Answers
    ) -> list[Question]:
        """Ask whether images in class folders are to stay out, where most of them lie in such.

        Args:
            lists: what is read.
            asked: what is asked about lists: one who chose them knows what they have.
            answers: what a person said already.
        """
        found = self.in_classes
        few = 2 * len(found) < self.count or _FEW * len(found) < self.listed
        if not found or few or answers.lists or any(each.key == "labels_in" for each in asked):
            return []
        shown = ", ".join(f"“{visible(name)[:40]}”" for name in lists[:4])
        has, them = ("has", "the list") if len(lists) == 1 else ("have", "the lists")
        lie = many(len(found), "other lies", "others lie")
        choices = [Choice("list", f"{many(self.listed, 'image')} of {them}")]
        if answers.labels_in != "folders":  # said already, it would have been done
            choices.append(Choice("folders", f"{many(len(found), 'image')} of the class folders"))
        return [
            Question(
                "labels_in",
                f"{shown} {has} the labels of {many(self.listed, 'image')}, and {lie} in folders "
                f"that are called like these labels, first “{visible(found[0])[:60]}”. One import "
                "reads either: import one, and add the other to the set afterwards. Which is it?",
                tuple(choices),
                answer=answers.labels_in,
                stops=True,
            )
        ]


def find(top: Path, listed: Collection[str], labels: Collection[str]) -> Unlisted:
    """Look for the images of a folder that no list names.

    Args:
        top: the folder that paths start from.
        listed: the paths that are named.
        labels: of the lists.
    """
    known = {plain(label) for label in labels}
    around = {path.rpartition("/")[0] for path in listed}
    found = Unlisted(len(listed))
    for each in folders.walk(top):
        if each.is_folder or each.problem is not None or not like_image(each.path):
            continue
        if each.path in listed:
            continue
        found.count += 1
        found.first = found.first or each.path
        folder = each.path.rpartition("/")[0]
        if folder and folder not in around and plain(folder.rpartition("/")[2]) in known:
            found.in_classes.append(each.path)
    return found
