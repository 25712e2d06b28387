"""What a file of another tool says about one image."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from lnl_core.types import IntArray, LnlError, meant

CORRECTED = (
    *("corrected_label", "corrected", "correct_label", "new_label", "label_new", "fixed_label"),
    *("clean_label", "cleaned_label", "human_label", "reviewed_label", "relabel"),
    *("cleanlab_corrected_label", "ground_truth_corrected", "corrected_ground_truth"),
)
"""Columns and fields that hold a label which somebody has put in place of another."""


@dataclass(frozen=True, slots=True)
class Said:
    """One statement.

    Attributes:
        number: of the row as a spreadsheet counts it; of the sample or task, from 1.
        image: how the file calls the image: a path, an address or an id.
        labels: one class, or several; none where `action` says it all.
        action: what was said in so many words; "" where the label says it.
        given: the given label as the file has it, "" where it is silent.
        reviewer: who said it, "" where the file is silent.
        decided_at: when, ISO 8601, "" where the file is silent.
        content: digests, as exports of this program have them.
        looked: a person looked at this very image, so that a label left as it was is confirmed.
        problem: why it cannot be used, with what helps; "" where it can.
    """

    number: int
    image: str
    labels: tuple[str, ...] = ()
    action: str = ""
    given: str = ""
    reviewer: str = ""
    decided_at: str = ""
    content: str = ""
    looked: bool = False
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """The set that the decisions come to: `ids` (n,), `class_names` (k,), `given_labels` (n,)."""

    ids: Sequence[str]
    class_names: Sequence[str]
    given_labels: IntArray

    def given(self, row: int) -> str:
        """Return the name of the given label of a row."""
        return self.class_names[int(self.given_labels[row])]


@dataclass(frozen=True, slots=True)
class Heard:
    """A whole file: where it is from, what it says, and what should be known of it."""

    source: str
    said: Iterable[Said]
    notes: tuple[str, ...] = ()


def unseen(verdict: str, label_by: str = "") -> bool:
    """Tell whether an export of this program says of a label that no person has seen it.

    Args:
        verdict: `auto` where a plan accepted suggestions.
        label_by: whose the label is: of people, or a run's that nobody reviewed.
    """
    return verdict == "auto" or label_by.endswith("not reviewed")


def unseen_words(count: int) -> str:
    """Say that such labels are no decisions."""
    if not count:
        return ""
    subject = (
        "label that no person has seen is" if count == 1 else "labels that no person has seen are"
    )
    return f"{count:,} {subject} left out: accepted by a plan, or a run's own."


def corrected_among(names: Iterable[str], asked: str, file: str) -> str | None:
    """Return the name that holds corrected labels; None where there is none.

    Args:
        names: of the columns or fields.
        asked: what a person said, "" where nobody did.
        file: what messages call the file.

    Raises:
        LnlError: there is no such name, or more than one that may be meant.
    """
    there = list(names)
    lower = {name.strip().lower(): name for name in reversed(there)}
    if asked:
        if asked.strip().lower() in lower:
            return lower[asked.strip().lower()]
        raise LnlError(f"{file} has no “{asked[:40]}”.{meant(asked, there)} It has {shown(there)}.")
    found = [lower[word] for word in CORRECTED if word in lower]
    if len(found) > 1:
        raise LnlError(
            f"{file} has several that may hold corrected labels: {shown(found)}. Say which: "
            f"--label-column {found[0]}."
        )
    return found[0] if found else None


def shown(names: Iterable[str]) -> str:
    """Return names as a sentence lists them, the first twelve."""
    few = list(names)
    said = ", ".join(f"“{name[:40]}”" for name in few[:12])
    return f"{said} and {len(few) - 12} more" if len(few) > 12 else said or "nothing"


def text(value: Any) -> str:
    """Return a value of JSON as text; nothing for what is no word and no number."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    return str(int(value)) if float(value).is_integer() else str(value)
