"""What a person sets for a data set: its goal, each class's guide; and what was skipped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lnl_core.store import datasets
from lnl_core.types import DatasetInfo, LnlError

GUIDE_LENGTH = 600


@dataclass(frozen=True, slots=True)
class Skipped:
    """Why files were left out: how many, the reason, the remedy, where the first one is."""

    count: int
    reason: str
    remedy: str
    where: str


def skipped_rows(info: DatasetInfo) -> list[dict[str, Any]]:
    """Return every skipped file of an import: `row`, `where`, `reason`, `remedy`."""
    file = info.directory / "skipped.parquet"
    if not file.is_file():
        return []
    rows: list[dict[str, Any]] = datasets.read_table(file).to_pylist()
    return rows


def skipped(info: DatasetInfo) -> list[Skipped]:
    """Return the reasons for which an import left files out, most frequent first."""
    groups: dict[tuple[str, str], list[str]] = {}
    for row in skipped_rows(info):
        key = (str(row["reason"]), str(row["remedy"]))
        groups.setdefault(key, []).append(str(row["where"]))
    found = [Skipped(len(at), reason, remedy, at[0]) for (reason, remedy), at in groups.items()]
    return sorted(found, key=lambda each: -each.count)


def notes(info: DatasetInfo) -> list[str]:
    """Return what an import found worth saying, a sentence each."""
    found: list[str] = datasets.read_meta(info).get("notes", [])
    return found


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


def goal(info: DatasetInfo) -> int | None:
    """Return how many images a person wants to review; None leaves it to the queue."""
    stored: int | None = datasets.read_meta(info).get("goal")
    return stored


def set_goal(info: DatasetInfo, images: int | None) -> None:
    """Store how many images to review; None leaves it to the queue.

    Raises:
        LnlError: less than one image, or more than there are.
    """
    if images is not None and not 1 <= images <= info.n:
        raise LnlError(f"The goal must lie between 1 and the set's {info.n} images.")
    datasets.update_meta(info, goal=images)
