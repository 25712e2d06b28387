"""What a file of another tool says about one image, and how such a file is to be read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lnl_core.types import Action, IntArray, LnlError, meant

SOURCES = {
    "lnl": "LNL Review",
    "table": "a table",
    "fiftyone": "FiftyOne",
    "label-studio": "Label Studio",
    "cleanlab": "cleanlab",
}
"""What can be read -> its name."""

CORRECTED = (
    *("corrected_label", "corrected", "correct_label", "new_label", "label_new", "fixed_label"),
    *("clean_label", "cleaned_label", "human_label", "reviewed_label", "relabel"),
    *("cleanlab_corrected_label", "ground_truth_corrected", "corrected_ground_truth"),
)
"""Columns and fields that hold a label which somebody has put in place of another."""

UNCHANGED = ("skip", "keep")
TAG_ACTIONS = (Action.KEEP, Action.UNSURE, Action.NONE, Action.SKIP)


@dataclass(frozen=True, slots=True)
class How:
    """How a file is read; what is blank is found out.

    Attributes:
        source: a key of `SOURCES`.
        image_column: the column or field that names the image.
        label_column: the column or field of corrected labels, or Label Studio's `from_name`.
        reviewer_column: the column that says who decided.
        time_column: the column that says when.
        unchanged: `skip` or `keep`: what a label that is the given one says where the file does not
            say that anybody looked.
        tags: FiftyOne's tag -> action that it stands for.
    """

    source: str = ""
    image_column: str = ""
    label_column: str = ""
    reviewer_column: str = ""
    time_column: str = ""
    unchanged: str = "skip"
    tags: Mapping[str, Action] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.source and self.source not in SOURCES:
            raise LnlError(f"“{self.source}” is none of {', '.join(SOURCES)}.")
        if self.unchanged not in UNCHANGED:
            raise LnlError(f"“{self.unchanged}” is none of {', '.join(UNCHANGED)}.")


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


def as_tags(pairs: Iterable[str]) -> dict[str, Action]:
    """Return tag -> action from texts like `verified=keep`.

    Raises:
        LnlError: it is not so, or the action needs a label.
    """
    tags: dict[str, Action] = {}
    for pair in pairs:
        tag, _, word = pair.rpartition("=")
        if not tag or word not in TAG_ACTIONS:
            raise LnlError(
                f"“{pair[:60]}” is no TAG=ACTION. A tag can say {', '.join(TAG_ACTIONS)}: "
                "--tag verified=keep."
            )
        tags[tag] = Action(word)
    return tags


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
