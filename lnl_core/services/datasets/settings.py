"""What a person sets for a data set: its goal, each class's guide; and what was skipped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from lnl_core.data import copies as finding
from lnl_core.data import no_class
from lnl_core.data.images import is_beside as is_beside
from lnl_core.jobs import inputs, outcome, queue
from lnl_core.readings import Answers
from lnl_core.said import many
from lnl_core.services.datasets import copied
from lnl_core.services.workspace import dataset_by_id
from lnl_core.store import datasets, decisions, goals
from lnl_core.store.table import read_table
from lnl_core.types import DatasetInfo, JobState, LnlError

GUIDE_LENGTH = 600


@dataclass(frozen=True, slots=True)
class Skipped:
    """Why files were left out: how many, the reason, the remedy, where the first one is."""

    count: int
    reason: str
    remedy: str
    where: str


def skipped_rows(info: DatasetInfo) -> list[dict[str, Any]]:
    """Return every skipped file of an import: `row`, `where`, `reason`, `remedy`.

    What only lies beside images comes last.
    """
    file = info.arrays / "skipped.parquet"
    if not file.is_file():
        return []
    rows: list[dict[str, Any]] = read_table(file).to_pylist()
    return sorted(rows, key=lambda row: is_beside(str(row["reason"])))


def skipped(info: DatasetInfo) -> list[Skipped]:
    """Return the reasons for which an import left files out, most frequent first.

    What only lies beside images comes last.
    """
    groups: dict[tuple[str, str], list[str]] = {}
    for row in skipped_rows(info):
        key = (str(row["reason"]), str(row["remedy"]))
        groups.setdefault(key, []).append(str(row["where"]))
    reasons = [Skipped(len(at), reason, remedy, at[0]) for (reason, remedy), at in groups.items()]
    return sorted(reasons, key=lambda each: (is_beside(each.reason), -each.count))


def notes(info: DatasetInfo) -> list[str]:
    """Return what was worth saying when images came in, and of the set now, a sentence each.

    Where images came at several times, each sentence says of which.
    """
    said, when = [], "At the import"
    for note in datasets.read_meta(info).get("notes", []):
        if finding.ABOUT.match(note) or _COUNTED.match(note):
            continue
        if came := _CAME.match(note):
            when = f"On {came[1]}"
            said.append(re.sub("^1 images were", "1 image was", note))
        else:
            said.append(f"{when}: {note}" if info.additions else note)
    said += _counted(info)
    return said if datasets.copies(info) is None else [*said, *copied.notes(info)]


def unsaid(info: DatasetInfo, already: Sequence[str]) -> list[str]:
    """Return the notes of a set that was just imported which its reading has not said already."""
    asked = any(note.startswith(no_class.ASKED) for note in already)
    return [
        note
        for note in notes(info)
        if note not in already and not (asked and note.startswith(no_class.KEPT))
    ]


_COUNTED = re.compile(
    r"(About )?[\d,]+ images? (is|are) in no split\.$"
    rf"|No class, so to be labelled: |{no_class.KEPT}"
    rf"|{no_class.ASKED}"  # once it is stored: as which it counts
)
"""How the notes of an import begin that are counted anew."""

_CAME = re.compile(r"[\d,]+ images? (?:was|were) added on (\d{4}-\d\d-\d\d) from ")
"""The same of the note that begins those of an addition; earlier programs wrote "1 images were"."""


@lru_cache(maxsize=32)
def _counted(info: DatasetInfo) -> tuple[str, ...]:
    """Return what is said of splits and of labels that are no class, as the set is now."""
    split, labels = datasets.splits(info), datasets.load(info).given_labels
    without = 0 if split is None else int((split[1] < 0).sum())
    counts = np.bincount(labels, minlength=info.class_count).tolist()
    none = no_class.notes(dict(zip(info.class_names, counts, strict=True)), no_classes(info))
    return (*[f"{many(without, 'image is', 'images are')} in no split."] * bool(without), *none)


def guides(info: DatasetInfo) -> dict[str, str]:
    """Return class name -> the words that tell reviewers what belongs to the class."""
    stored: dict[str, str] = datasets.read_meta(info).get("guides", {})
    return stored


def set_guides(info: DatasetInfo, texts: Mapping[str, str]) -> None:
    """Store the classes' guiding words; blank ones are dropped.

    Raises:
        LnlError: a class that the set does not have, or a text of more than 600 characters.
    """
    for class_name, text in texts.items():
        if class_name not in info.class_names:
            raise LnlError(f"“{info.name}” has no class “{class_name}”.")
        if len(text) > GUIDE_LENGTH:
            raise LnlError(
                f"The guide of “{class_name}” has {len(text)} characters; {GUIDE_LENGTH} are the "
                "most. Shorten it."
            )
    kept = {class_name: text.strip() for class_name, text in texts.items() if text.strip()}
    datasets.update_meta(info, guides=kept)


def no_classes(info: DatasetInfo) -> tuple[str, ...]:
    """Return the labels that say that nobody labelled the image."""
    return tuple(info.class_names[label] for label in info.no_classes)


def answers(info: DatasetInfo) -> Answers:
    """Return what a person said when the set was imported, and which labels are no classes now."""
    said = Answers.from_json(datasets.read_meta(info).get("answers", {}))
    return replace(said, no_classes=no_classes(info))


def likely_no_classes(class_names: Iterable[str]) -> tuple[str, ...]:
    """Return the labels whose names sound as if nobody had labelled the image: worth a question."""
    return no_class.likely(class_names)


@dataclass(frozen=True, slots=True)
class Voided:
    """How many answers count as taken back, and how many count again."""

    gone: int
    back: int


def voided(info: DatasetInfo, names: Iterable[str]) -> Voided:
    """Return what becomes of answers in force when these labels are those that are no class.

    Raises:
        LnlError: a label that the set does not have, or no class would be left.
    """
    none = no_class.checked(names, info.class_names)
    then = tuple(info.class_names.index(name) for name in none)
    back = decisions.voided(replace(info, no_classes=then), info.no_classes)
    return Voided(decisions.voided(info, then), back)


def void(info: DatasetInfo) -> int:
    """Return how many answers count as taken back because their label is no class."""
    return decisions.voided(replace(info, no_classes=()), info.no_classes) if info.no_classes else 0


def set_no_classes(info: DatasetInfo, names: Iterable[str]) -> DatasetInfo:
    """Store which labels are no classes, and rank anew by the runs that still count.

    A run that took such a label for a class counts for the other images; it is stale, as is one
    that never saw what is a class now, which no longer counts. `stale_runs` names them.

    Raises:
        LnlError: a label that the set does not have, or no labelled image would be left.
    """
    none = no_class.checked(names, info.class_names)
    given = np.asarray(datasets.load(info).given_labels)
    if np.isin(given, [info.class_names.index(name) for name in none]).all():
        raise LnlError("No image would have a class: nothing is left to learn from.")
    if tuple(none) == no_classes(info):
        return info
    datasets.update_meta(info, no_classes=none)
    changed = dataset_by_id(info.workspace, info.id)
    outcome.rank(changed)
    return changed


def stale_runs(info: DatasetInfo) -> list[int]:
    """Return the runs that should be started again: other labels were no classes when they began.

    Of each method and representation the newest finished run counts; newest first.
    """
    newest: dict[str, int] = {}
    for job in queue.jobs(info):
        if job.state is JobState.DONE:
            key = outcome.key(job, info)
            newest[key] = max(job.id, newest.get(key, 0))
    runs = info.directory / "runs"
    stale = [number for number in newest.values() if inputs.is_stale(info, runs / str(number))]
    return sorted(stale, reverse=True)


def behind(info: DatasetInfo) -> dict[int, int]:
    """Return finished runs that have not seen all images: run -> how many were added since."""
    if not info.additions:
        return {}
    runs = info.directory / "runs"
    done = [job.id for job in queue.jobs(info) if job.state is JobState.DONE]
    unseen = {number: info.n - inputs.rows_seen(info, runs / str(number)) for number in done}
    return {number: count for number, count in unseen.items() if count > 0}


def goal(info: DatasetInfo) -> int | None:
    """Return how many wrong labels a person lets be left; None stands for one in a hundred."""
    chosen = goals.goals(info)
    if chosen:
        value = chosen[-1].value if chosen[-1].kind == goals.LEFT else None
        return None if value is None else int(value)
    stored: int | None = datasets.read_meta(info).get("errors_goal")
    return stored


def set_goal(info: DatasetInfo, errors: int | None, reviewer: str | None = None) -> None:
    """Store how many wrong labels may be left; None stands for one in a hundred images.

    The number of reviews that this takes is planned anew. Goals of other kinds: `review.goals`.

    Raises:
        LnlError: less than none, or as many as there are images.
    """
    if errors is not None and not 0 <= errors < info.n:
        raise LnlError(f"The goal must lie between 0 and {info.n - 1} wrong labels left.")
    goals.add(info, goals.LEFT, errors, reviewer)
    datasets.update_meta(info, goal_at_start=None, planned_reviews=None)
