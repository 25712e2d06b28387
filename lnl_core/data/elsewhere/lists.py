"""Tables of other tools: an image and its corrected label, under whatever names; cleanlab's too."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from lnl_core.data import tables
from lnl_core.data.elsewhere.label_studio import person
from lnl_core.data.elsewhere.saying import (
    CORRECTED,
    Heard,
    Known,
    Said,
    corrected_among,
    shown,
    unseen,
    unseen_words,
)
from lnl_core.data.reading.column_names import COLUMNS
from lnl_core.data.reimport import unprotect
from lnl_core.data.tables import BadRow, Cells
from lnl_core.readings import How
from lnl_core.types import Action, LnlError, meant

_WHO = ("reviewer", "annotator", "completed_by", "annotated_by", "labeler", "labeller", "user")
_WHEN = ("decided_at", "updated_at", "created_at", "annotated_at", "reviewed_at", "timestamp")
_GIVEN = ("given_label", "old_label", "original_label", "noisy_label", "previous_label")
_SCORES = ("label_quality", "label_score", "label_issue_score")
_GUESSES = ("predicted_label", "suggested_label", "prediction", "cleanlab_suggested_label")
_VERDICTS = {"kept": Action.KEEP, "none": Action.NONE, "unsure": Action.UNSURE}
HEADERS: Mapping[str, Sequence[str]] = {
    "image": (*COLUMNS["image"], *COLUMNS["id"]),
    "label": (*CORRECTED, "choice", "label"),
    "issue": ("is_label_issue", *_SCORES),
    "action": ("action", "verdict"),
}
"""Names that help to find the separator of a CSV."""


def names_of(file: Path | IO[bytes], shown_as: str) -> list[str]:
    """Return the names of a table's columns."""
    return tables.names(file, HEADERS, name=shown_as)


def is_ours(names: Sequence[str]) -> bool:
    """Tell whether columns are those of this program's own decisions: id and action."""
    lower = {name.lower() for name in names}
    return "id" in lower and bool(lower & {"action", "verdict"})


def is_cleanlab(names: Sequence[str]) -> bool:
    """Tell whether columns are those of cleanlab's list of issues."""
    lower = {name.lower() for name in names}
    return "is_label_issue" in lower and bool(lower & {*_SCORES, *_GUESSES})


@dataclass(frozen=True, slots=True)
class _Columns:
    image: str
    label: str
    of_cleanlab: bool
    of_label_studio: bool
    accepted: Mapping[str, tuple[str, ...]]


def heard(file: Path | IO[bytes], name: str, how: How, known: Known) -> Heard:
    """Return what the rows say.

    A row's label is a decision where it differs from the given one. Where it is the same, it says
    nothing unless the file tells that a person looked (Label Studio), or `how` does. What a model
    predicted is no decision: cleanlab's `predicted_label` is refused.

    Raises:
        LnlError: no column names images, or none has corrected labels.
    """
    found = _columns(file, name, how)
    rows = list(tables.rows(file, name, found.accepted, ()))
    order: list[str] = []
    if not found.image:
        order = _in_order(file, name, [cells for _, cells in rows], found, known)
    said = _said(rows, order, found, how, known)
    source = "cleanlab" if found.of_cleanlab else "table"
    notes = tuple(filter(None, [unseen_words(sum(map(_unseen, rows)))]))
    return Heard("label-studio" if found.of_label_studio else source, list(said), notes)


def _columns(file: Path | IO[bytes], name: str, how: How) -> _Columns:
    names = names_of(file, name)
    lower = {each.lower(): each for each in reversed(names)}

    def first(asked: str, words: Sequence[str]) -> str:
        if asked and asked.lower() not in lower:
            raise LnlError(
                f"{name} has no column “{asked[:40]}”.{meant(asked, names)} Its columns: "
                f"{shown(names)}."
            )
        return asked.lower() if asked else next((word for word in words if word in lower), "")

    of_cleanlab = how.source == "cleanlab" or (not how.source and is_cleanlab(names))
    studio = {"annotation_id", "annotator"} <= lower.keys()
    image = first(how.image_column, [*COLUMNS["id"], *COLUMNS["image"]])
    if studio and not how.image_column:
        image = first("", COLUMNS["image"])  # its id is the task's
    label = (corrected_among(names, how.label_column, name) or "").lower()
    if not label and studio and "choice" in lower:
        label = "choice"
    if label in _GUESSES or not label:
        _no_label(name, names, of_cleanlab, label)
    if not image and not of_cleanlab:
        raise LnlError(
            f"{name} has no column that names images. Its columns: {shown(names)}. Say which: "
            "--image-column COLUMN."
        )
    wanted = {
        "label": label,
        "image": image,
        "path": first("", COLUMNS["image"]),
        "reviewer": first(how.reviewer_column, _WHO),
        "decided_at": first(how.time_column, _WHEN),
        "given": first("", _GIVEN),
        "content": first("", ("content",)),
        "verdict": first("", ("lnl_verdict",)),
        "label_by": first("", ("label_by",)),
    }
    accepted = {key: (word,) for key, word in wanted.items() if word}
    return _Columns(image, label, of_cleanlab, studio, accepted)


def _no_label(name: str, names: Sequence[str], of_cleanlab: bool, asked: str) -> None:
    """Refuse a table without corrected labels.

    Raises:
        LnlError: always.
    """
    guesses = [each for each in names if each.lower() in _GUESSES]
    if of_cleanlab or asked:
        guess = guesses[0] if guesses else "is_label_issue"
        raise LnlError(
            f"“{guess}” in {name} is a model's guess and no decision: nobody has looked. Nothing "
            "was stored. Write the labels that a person confirmed into a column corrected_label, "
            "or review the set here."
        )
    lower = {each.lower() for each in names}
    if "action" in lower and "id" not in lower:
        raise LnlError(
            f"{name} says an “action” of each row and not of which image: it has no column “id”. "
            f"Its columns: {shown(names)}."
        )
    raise LnlError(
        f"{name} has no column of corrected labels ({', '.join(CORRECTED[:4])} …). Its columns: "
        f"{shown(names)}. Say which: --label-column COLUMN."
    )


def _in_order(
    file: Path | IO[bytes],
    name: str,
    rows: Sequence[Cells | BadRow],
    found: _Columns,
    known: Known,
) -> list[str]:
    """Return the id of each row of a table that names no images: by the files beside, or in order.

    Raises:
        LnlError: it is not sure which row is which image.
    """
    if isinstance(file, Path):
        beside = file.parent / "ids.txt"
        if beside.is_file():
            ids = beside.read_text("utf-8").splitlines()
            if len(ids) == len(rows):
                return ids
    say = "Say which column names them: --image-column COLUMN."
    if len(rows) != len(known.ids):
        raise LnlError(
            f"{name} names no images, and has {len(rows):,} rows where the set has "
            f"{len(known.ids):,}. {say}"
        )
    if "given" not in found.accepted:
        raise LnlError(f"{name} names no images and has no given_label to compare. {say}")
    for row, cells in enumerate(rows):
        given = "" if isinstance(cells, BadRow) else _class(cells["given"], known)
        if given != known.given(row):
            raise LnlError(
                f"{name} names no images, and its rows are not this set's in order: row "
                f"{row + 2:,} is given as “{given[:40]}”, image {known.ids[row]} as "
                f"“{known.given(row)}”. {say}"
            )
    return list(known.ids)


def _class(text: str, known: Known) -> str:
    """Return the class that cleanlab writes as its number; any other text as it is."""
    if text in known.class_names or not text.isdecimal():
        return text
    return known.class_names[int(text)] if int(text) < len(known.class_names) else text


def _unseen(row: tuple[int, Cells | BadRow]) -> bool:
    cells = row[1]
    if isinstance(cells, BadRow):
        return False
    return unseen(cells.get("verdict", ""), cells.get("label_by", ""))


def _said(
    rows: Sequence[tuple[int, Cells | BadRow]],
    order: Sequence[str],
    found: _Columns,
    how: How,
    known: Known,
) -> Iterator[Said]:
    for at, (number, cells) in enumerate(rows):
        if isinstance(cells, BadRow):
            yield Said(number, "", problem=f"{cells.reason} {cells.remedy}")
            continue
        if _unseen((number, cells)):
            continue
        labels = _labels(unprotect(cells["label"]))
        given = unprotect(cells.get("given", ""))
        if found.of_cleanlab:
            labels = tuple(_class(each, known) for each in labels)
            given = _class(given, known)
        action = _VERDICTS.get(cells.get("verdict", ""))
        if not labels and action is None:
            continue
        who = cells.get("reviewer", "")
        yield Said(
            number,
            order[at] if order else unprotect(cells["image"] or cells.get("path", "")),
            labels if action is None else (),
            "" if action is None else str(action),
            given=given,
            reviewer=person(who) if found.of_label_studio else unprotect(who),
            decided_at=cells.get("decided_at", ""),
            content=cells.get("content", ""),
            looked=found.of_label_studio or action is not None,
        )


def _labels(text: str) -> tuple[str, ...]:
    """Return the class of a cell, or the several of one that Label Studio writes."""
    if text.startswith('{"choices"'):
        try:
            value = json.loads(text)
        except ValueError:
            return (text,)
        if isinstance(value.get("choices"), list):
            return tuple(str(each) for each in value["choices"])
    return (text,) if text else ()
