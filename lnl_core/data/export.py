"""Tables that leave the desk: streamed as CSV, safe to open in a spreadsheet.

A cell that a spreadsheet would take for a formula gets an apostrophe in front, a number does not;
`read_decisions` takes it off again, so what is exported comes back as it was. A path gets `./`
instead: it is safe, and whoever reads the table still finds the file.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import IO

from lnl_core.data import chances
from lnl_core.data.reimport import Entry, read_decisions
from lnl_core.data.table_text import FORMULA
from lnl_core.types import Action, Decision, FloatArray, IntArray

__all__ = [
    "COLUMNS",
    "Entry",
    "Rows",
    "correction_rows",
    "decision_rows",
    "joined",
    "protect",
    "read_decisions",
    "write_csv",
]

COLUMNS: dict[str, tuple[str, ...]] = {
    "corrections": (
        "id",
        "path",
        "given_label",
        "corrected_label",
        "action",
        "reviewer",
        "decided_at",
        "suggested_label",
        "p_wrong",
        "label_quality",
        "p_wrong_shown",
        "run_ids",
        "told",
        "content",
    ),
    "decisions": (
        "id",
        "path",
        "given_label",
        "action",
        "label",
        "reviewer",
        "decided_at",
        "seconds",
        "suggested_label",
        "p_wrong_shown",
        "position",
        "mode",
        "route",
        "revealed",
        "run_ids",
        "cid",
        "told",
        "content",
    ),
    "scores": (
        "id",
        "given_label",
        "suggested_label",
        "suspicion",
        "p_wrong",
        "label_quality",
        "told",
        "content",
    ),
}
"""Format -> columns; corrections get one `suspicion_<method>` per method before `p_wrong_shown`.

`p_wrong` is of the ranking in force, `p_wrong_shown` of the one behind what the reviewer saw.

`told` names the runs of the ranking that were told what people answered of the image.
"""

PATHS = frozenset({"path", "image", "file_name"})
"""Columns that hold paths of files."""

_FORMULA = re.compile(rf"'*{FORMULA}")
_NUMBER = re.compile(r"[+-]([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


class Rows(Iterator[dict[str, str]]):
    """Rows made when asked for, with the columns known even where there is no row."""

    def __init__(self, columns: Sequence[str], rows: Iterator[dict[str, str]]) -> None:
        self.columns = tuple(columns)
        self._rows = rows

    def __next__(self) -> dict[str, str]:
        return next(self._rows)


def protect(text: str) -> str:
    """Put an apostrophe before what a spreadsheet would run; undone by `reimport.unprotect`.

    A number is none, whatever its sign: `-1` and `+1` leave as they are.
    """
    if _NUMBER.fullmatch(text):
        return text
    return f"'{text}" if _FORMULA.match(text) else text


def _safe(column: str, cell: str) -> str:
    if column in PATHS and protect(cell) != cell:
        return f"./{cell}"
    return protect(cell)


def joined(labels: Sequence[int], class_names: Sequence[str]) -> str:
    """Write several classes in one cell: `cat|dog`, or JSON where a name has a bar in it."""
    names = [class_names[label] for label in labels]
    if any("|" in name or name.startswith("[") or name != name.strip() for name in names):
        return json.dumps(names, ensure_ascii=False)
    return "|".join(names)


def _label(decision: Decision, class_names: Sequence[str]) -> str:
    if decision.action is Action.MULTIPLE:
        return joined(decision.labels, class_names)
    return "" if decision.label is None else class_names[decision.label]


def _name(label: int | None, class_names: Sequence[str]) -> str:
    return "" if label is None or label < 0 else class_names[label]


def split_column(splits: Sequence[str] | None) -> tuple[str, ...]:
    """Return the last column of every table of a set with splits; none without."""
    return () if splits is None else ("split",)


def _number(value: float | None, digits: int) -> str:
    return "" if value is None or value != value else f"{value:.{digits}f}"


def _given(decision: Decision, given_labels: IntArray) -> int:
    known = decision.given_label
    return int(given_labels[decision.row]) if known is None else known


def correction_rows(
    decisions: Iterable[Decision],
    *,
    ids: Sequence[str],
    given_labels: IntArray,
    class_names: Sequence[str],
    paths: Sequence[str] | None = None,
    p_wrong: FloatArray | None = None,
    suspicion: FloatArray | None = None,
    suggested_labels: IntArray | None = None,
    method_suspicions: Mapping[str, FloatArray] | None = None,
    told: Mapping[int, str] | None = None,
    content: Sequence[str] | None = None,
    splits: Sequence[str] | None = None,
) -> Rows:
    """Return the corrections table (docs/formats.md), one row per decision, in the order given.

    The suggestion is the one that the reviewer was shown, and the current one only where none was
    recorded; `p_wrong_shown` and `run_ids` are of what was shown. `label_quality` = 1 - suspicion
    (1 = right); `p_wrong` and `suspicion_<method>` 1 = wrong. A score that is NaN is blank: its run
    was told the answer.

    Args:
        decisions: verdicts that change something.
        ids: (n,).
        given_labels: (n,) int.
        class_names: (k,).
        paths: (n,) or None.
        p_wrong: (n,) of the ranking in force, or None.
        suspicion: (n,) likewise.
        suggested_labels: (n,) likewise, -1 = none.
        method_suspicions: method -> (n,).
        told: row -> runs that were told its answer.
        content: (n,) digests (`data.content`), or None.
        splits: (n,) names, or None for no such column.
    """
    methods = dict(method_suspicions or {})
    *before, shown, runs, knew, last = COLUMNS["corrections"]
    scores = (f"suspicion_{key}" for key in methods)
    columns = [*before, *scores, shown, runs, knew, last, *split_column(splits)]

    def rows() -> Iterator[dict[str, str]]:
        for decision in decisions:
            row, suggested = decision.row, decision.suggested_label
            wrong = None if p_wrong is None else float(p_wrong[row])
            if suggested is None and suggested_labels is not None:
                suggested = int(suggested_labels[row])
            quality = None if suspicion is None else 1 - float(suspicion[row])
            yield {
                "id": ids[row],
                "path": "" if paths is None else paths[row],
                "given_label": class_names[_given(decision, given_labels)],
                "corrected_label": _label(decision, class_names),
                "action": str(decision.action),
                "reviewer": decision.reviewer,
                "decided_at": decision.decided_at,
                "suggested_label": _name(suggested, class_names),
                "p_wrong": chances.cell(wrong),
                "label_quality": chances.cell(quality),
                **{f"suspicion_{key}": chances.cell(float(s[row])) for key, s in methods.items()},
                "p_wrong_shown": chances.cell(decision.p_wrong),
                "run_ids": " ".join(map(str, decision.run_ids)),
                "told": (told or {}).get(row, ""),
                "content": "" if content is None else content[row],
                **({} if splits is None else {"split": splits[row]}),
            }

    return Rows(columns, rows())


def decision_rows(
    decisions: Iterable[Decision],
    *,
    ids: Sequence[str],
    given_labels: IntArray,
    class_names: Sequence[str],
    paths: Sequence[str] | None = None,
    content: Sequence[str] | None = None,
    splits: Sequence[str] | None = None,
    told: Mapping[int, str] | None = None,
) -> Rows:
    """Return every answer by everybody, with what was shown; comes back by `read_decisions`.

    Arguments as in `correction_rows`.
    """

    def rows() -> Iterator[dict[str, str]]:
        for decision in decisions:
            yield {
                "id": ids[decision.row],
                "path": "" if paths is None else paths[decision.row],
                "given_label": class_names[_given(decision, given_labels)],
                "action": str(decision.action),
                "label": _label(decision, class_names),
                "reviewer": decision.reviewer,
                "decided_at": decision.decided_at,
                "seconds": _number(decision.seconds, 2),
                "suggested_label": _name(decision.suggested_label, class_names),
                "p_wrong_shown": chances.cell(decision.p_wrong),
                "position": "" if decision.position is None else str(decision.position),
                "mode": decision.mode,
                "route": decision.route,
                "revealed": "yes" if decision.revealed else "no",
                "run_ids": " ".join(map(str, decision.run_ids)),
                "cid": decision.cid,
                "told": (told or {}).get(decision.row, ""),
                "content": "" if content is None else content[decision.row],
                **({} if splits is None else {"split": splits[decision.row]}),
            }

    return Rows((*COLUMNS["decisions"], *split_column(splits)), rows())


def _quoted(cells: Iterable[str]) -> str:
    """Write a line with every cell in quotes: some spreadsheets take `;` or a tab for a comma."""
    return ",".join('"{}"'.format(cell.replace('"', '""')) for cell in cells) + "\r\n"


def write_csv(
    stream: IO[bytes],
    rows: Iterable[Mapping[str, object]],
    *,
    format: str = "corrections",
    safe: bool = True,
    bom: bool = False,
) -> int:
    """Write rows as CSV in UTF-8 with CRLF (RFC 4180); return how many.

    Args:
        stream: binary; it stays open.
        rows: dicts; the first one's keys, else `Rows.columns` or the format's, are the header.
        format: `corrections`, `decisions` or `scores`.
        safe: protect cells that a spreadsheet would run as formulas.
        bom: begin with the mark that Excel needs to recognise UTF-8.
    """
    if bom:
        stream.write(b"\xef\xbb\xbf")
    text = io.TextIOWrapper(stream, encoding="utf-8", newline="", write_through=False)
    count = 0
    try:
        columns: Sequence[str] = getattr(rows, "columns", ())
        iterator = iter(rows)
        first = next(iterator, None)
        if not columns:
            columns = COLUMNS[format] if first is None else tuple(first)
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow(columns)
        while first is not None:
            cells = ["" if first[name] is None else str(first[name]) for name in columns]
            if safe:
                cells = [_safe(name, cell) for name, cell in zip(columns, cells, strict=True)]
            if safe and any(";" in cell or "\t" in cell for cell in cells):
                text.write(_quoted(cells))
            else:
                writer.writerow(cells)
            count += 1
            first = next(iterator, None)
        text.flush()
    finally:
        text.detach()
    return count
