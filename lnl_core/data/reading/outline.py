"""What an importer collects while it looks a source over; `reading.reading_of` makes it a value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lnl_core.data.tables import BadRow
from lnl_core.readings import Answers, Choice, LeftOut, Question
from lnl_core.types import ByteArray

EXAMPLES = 4
"""Images that are shown of a class."""

CANDIDATES = 16
"""Images that are kept of a class to choose them from: some cannot be read."""


UNLABELLED = "unlabelled"
"""The class, which is none, of images that came without a label, when they are kept."""


def unlabelled(count: int, where: str, answers: Answers) -> Question:
    """Return the question what to do with images without a label.

    Args:
        count: how many there are.
        where: how they are without one.
        answers: what a person said already.
    """
    return Question(
        "unlabelled",
        f"{count:,} {'image' if count == 1 else 'images'} {where}.",
        (Choice("skip", "leave them out"), Choice("keep", "bring them in, to be labelled")),
        default="skip",
        answer=answers.unlabelled,
    )


@dataclass(slots=True)
class Outline:
    """What was understood so far.

    Attributes:
        files: lists, arrays or folders that are read.
        lists: where the files among them lie that say labels or the names of classes.
        columns: what is needed -> the column that has it.
        questions: what is asked.
        notes: sentences about the set as a whole.
        splits: split -> images.
        read_as: split as written -> the one that it is read as, where that differs.
        counts: class -> images expected.
        written: class -> how it is written, where that differs.
        no_classes: classes that are none, by an answer to another question.
        examples: class -> (where, the file or the pixels) of a few images.
        left: (what, reason, remedy) -> what will not come in.
        listed: files that lists name, where they are few; None else.
        files_seen: files looked for; `files_lost` of them cannot be read.
        exact: False where only some of the files were opened: the numbers are estimates.
    """

    files: list[str] = field(default_factory=list)
    lists: list[Path] = field(default_factory=list)
    columns: Mapping[str, str] = field(default_factory=dict)
    questions: list[Question] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    splits: dict[str, int] = field(default_factory=dict)
    read_as: dict[str, str] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    written: dict[str, tuple[str, ...]] = field(default_factory=dict)
    no_classes: tuple[str, ...] = ()
    examples: dict[str, list[tuple[str, Path | ByteArray]]] = field(default_factory=dict)
    left: dict[tuple[str, str, str], LeftOut] = field(default_factory=dict)
    listed: set[str] | None = None
    files_seen: int = 0
    files_lost: int = 0
    exact: bool = True

    def leave_out(self, count: int, what: str, why: BadRow, first: str = "") -> None:
        """Note things that will not come in; those of one reason are counted together."""
        key = (what, why.reason, why.remedy)
        known = self.left.get(key)
        self.left[key] = LeftOut(
            count + (known.count if known else 0), *key, known.first if known else first
        )

    def example(self, name: str, images: Sequence[tuple[str, Path | ByteArray | None]]) -> None:
        """Note a few images of a class, of which the first that can be read are shown."""
        kept = self.examples.setdefault(name, [])
        kept += [(where, image) for where, image in images if image is not None]
        del kept[CANDIDATES:]

    def ask_links(self, linked: int, seen: int, what: str = "links") -> None:
        """Ask whether links that lead out may be followed; it stops where most images are links."""
        self.questions.append(
            Question(
                "links",
                f"{linked:,} of {seen:,} images are {what} that lead out of the folder; they are "
                "not followed unasked.",
                (Choice("follow", "read what they point to"),),
                stops=2 * linked > seen,
            )
        )
