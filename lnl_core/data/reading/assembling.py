"""A reading made of what an importer collected, with the questions that concern any source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from lnl_core.data import images, no_class
from lnl_core.data.files import FileSource
from lnl_core.data.images import ImageError
from lnl_core.data.reading.outline import EXAMPLES, Outline
from lnl_core.data.writing import Plan, Source
from lnl_core.readings import (
    Answers,
    Choice,
    ClassRead,
    Example,
    Question,
    Reading,
    option,
)
from lnl_core.types import ByteArray

_PICTURED = 60
"""Classes whose images are shown; of a set with more, the first ones."""

_SIDE = 96
_OPENED_BYTES = 2**22
"""Larger files are not decoded for a reading without pictures."""


def reading_of(
    source: Source,
    plan: Plan,
    where: str,
    answers: Answers,
    *,
    kind: str | None = None,
    pictures: bool = False,
) -> Reading:
    """Return what an importer understood.

    Args:
        source: looked over.
        plan: its working resolution.
        where: what was looked at.
        answers: what a person said.
        kind: of the whole where it is another than the source's (`zip`).
        pictures: make a small PNG of each example.
    """
    outline = source.outline
    questions = [*outline.questions, *_skipped(source, answers)]
    none = {*answers.no_classes, *outline.no_classes}
    questions += _no_classes(source, answers, none)
    questions = [_refusing(each) for each in questions]
    examples = source.examples() if pictures else outline.examples
    chosen = _Chosen(plan, pictures)
    classes = tuple(
        ClassRead(
            name,
            outline.counts[name],
            outline.written.get(name, ()),
            chosen.of(examples.get(name, ()), at),
            name in none,
        )
        for at, name in enumerate(source.class_names)
    )
    notes = [*outline.notes, *chosen.notes()]
    if len(classes) == 1:
        notes.append("Only one class: there is nothing else that a label could be.")
    notes += _in_no_split(outline)
    notes += [said for each in questions if (said := assumed(each))]
    return Reading(
        kind=kind or source.kind,
        source=where,
        n=sum(outline.counts.values()) if classes else None,
        height=plan.height if classes else None,
        width=plan.width if classes else None,
        files=tuple(outline.files),
        columns=dict(outline.columns),
        splits=dict(outline.splits),
        classes=classes if classes else None,
        questions=tuple(sorted(questions, key=lambda each: (not each.is_open, not each.stops))),
        left_out=tuple(sorted(outline.left.values(), key=lambda each: -each.count)),
        notes=tuple(notes),
        exact=outline.exact,
    )


def _refusing(question: Question) -> Question:
    """Let a question say that the answer which was given to it is none of those there are."""
    if not question.is_refused:
        return question
    return replace(question, text=f"“{question.answer}” is no answer here. {question.text}")


def assumed(question: Question) -> str:
    """Say what is done with a question that nobody answered and that does not stop; else ""."""
    if question.stops or (question.answer and not question.is_refused):
        return ""
    if not question.default:
        return f"{question.text} {option(question.key).flag} says otherwise."
    words = next((c.words for c in question.choices if c.value == question.default), "")
    return f"{question.text} Assumed: {words}. {option(question.key).flag} says otherwise."


def _in_no_split(outline: Outline) -> list[str]:
    """Say how many images are in no split, where others are in one."""
    count = sum(outline.counts.values()) - sum(outline.splits.values())
    if not outline.splits or count <= 0:
        return []
    about = "" if outline.exact else "About "
    return [f"{about}{count:,} {'image is' if count == 1 else 'images are'} in no split."]


class _Chosen:
    """The images that are shown of each class: those that can be read, the others named."""

    def __init__(self, plan: Plan, pictures: bool) -> None:
        self._plan, self._pictures = plan, pictures
        self._broken: list[str] = []

    def of(
        self, images_of_class: Sequence[tuple[str, Path | ByteArray]], at: int
    ) -> tuple[Example, ...]:
        """Return the first few that can be read; `at` is the number of the class."""
        few: list[Example] = []
        for where, image in images_of_class:
            if len(few) == EXAMPLES:
                break
            try:
                few.append(Example(where, self._picture(image, at < _PICTURED)))
            except ImageError as error:
                self._broken.append(f"“{where[:60]}” ({error.reason})")
        return tuple(few)

    def _picture(self, image: Path | ByteArray, shown: bool) -> bytes | None:
        """Return a small PNG of what the import would keep, where one is wanted.

        Raises:
            ImageError: the file cannot be read; a large one is judged by its header.
        """
        plan = self._plan
        if not isinstance(image, Path):
            if not (shown and self._pictures):
                return None
            return images.encode_png(images.fit(image, (_SIDE, _SIDE), plan.channels))
        if not shown or (not self._pictures and image.stat().st_size > _OPENED_BYTES):
            images.probe(image)
            return None
        pixels = images.decode(image, _SIDE, contrast=plan.contrast)
        return images.encode_png(pixels) if self._pictures else None

    def notes(self) -> list[str]:
        """Say which of the images that were to be shown cannot be read."""
        if not self._broken:
            return []
        more = len(self._broken) - 3
        words = ", ".join(self._broken[:3]) + (f" and {more:,} more" if more > 0 else "")
        return [f"Looked at and cannot be read: {words}."]


def _skipped(source: Source, answers: Answers) -> list[Question]:
    """Ask whether to go on where more than half of the images cannot be read."""
    outline = source.outline
    seen, lost = outline.files_seen, outline.files_lost
    if isinstance(source, FileSource) and source.sample and not outline.exact and 2 * lost <= seen:
        seen, lost = len(source.sample), source.unreadable
    if 2 * lost <= seen or lost == seen:  # nothing at all is no question: importers say why
        return []
    share = round(100 * lost / seen)
    first = next((e for e in outline.left.values() if not images.is_beside(e.reason)), None)
    why = f" “{first.first}”: {first.reason}" if first is not None and first.first else ""
    return [mostly_skipped(f"{share} % of the images cannot be read.{why}", answers)]


def mostly_skipped(text: str, answers: Answers) -> Question:
    """Return the question whether to import although most is left out."""
    return Question(
        "mostly_skipped",
        f"{text} Is this the right folder?",
        (Choice("accept", "yes, import the rest"),),
        answer=answers.mostly_skipped,
        stops=True,
    )


def _no_classes(source: Source, answers: Answers, none: set[str]) -> list[Question]:
    """Ask which labels say that nobody labelled the image, where a name sounds so."""
    likely = no_class.likely(source.class_names)
    counts: Mapping[str, int] = source.outline.counts
    open_ones = [name for name in likely if name not in source.outline.no_classes]
    if not open_ones:
        return []
    named = ", ".join(f"“{name[:24]}” ({counts[name]:,})" for name in open_ones[:6])
    return [
        Question(
            "no_classes",
            f"{no_class.ASKED}{named}. Kept as a class unless you say so.",
            tuple(Choice(name, f"{counts[name]:,} images") for name in open_ones),
            answer=", ".join(name for name in open_ones if name in none),
            several=True,
        )
    ]
