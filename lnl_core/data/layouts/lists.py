"""Lists of every image with its label: the cleaned manifest, and the audit trail."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import IO

import numpy as np

from lnl_core.data import chances, export
from lnl_core.data.layouts.cleaned import Cleaned
from lnl_core.types import Action, Decision, IntArray

MANIFEST = (
    "image",
    "label",
    "id",
    "given_label",
    "lnl_verdict",
    "p_wrong",
    "label_quality",
    "told",
    "content",
)
"""Columns of a manifest; `lnl import` and any CSV reader take image and label from it."""

TRAIL = (
    "number",
    "standing",
    "replaced_by",
    "id",
    "row",
    "path",
    "given_label_now",
    "given_label",
    "action",
    "label",
    "reviewer",
    "decided_at",
    "seconds",
    "mode",
    "route",
    "revealed",
    "position",
    "suggested_label",
    "p_wrong_shown",
    "run_ids",
    "cid",
    "told",
    "content",
)
"""Columns of the audit trail: every field of a stored decision, and whether it still counts.

`standing` is `in force`, `superseded` by the same reviewer's later one (`replaced_by` is its
number), or `taken back` where that later one is a reopen. `given_label` is what the reviewer saw.
"""

_BATCH = 65_536
_NUMBERS = frozenset({"p_wrong", "p_wrong_shown", "label_quality", "suspicion", "seconds"})


def manifest_rows(cleaned: Cleaned, image: Callable[[int], str] | None = None) -> export.Rows:
    """Return one row per image that has one right class.

    Args:
        cleaned: the set.
        image: row -> what to write as its file; the original's path where None.
    """
    data, ranking = cleaned.data, cleaned.ranking
    paths = data.paths

    def rows() -> Iterator[dict[str, str]]:
        for row in map(int, cleaned.rows()):
            scored = cleaned.is_scored(row)
            own = "" if paths is None else paths[row] or ""
            yield {
                "image": own if image is None else image(row),
                "label": cleaned.label_name(row),
                "id": data.ids[row],
                "given_label": cleaned.given_name(row),
                "lnl_verdict": cleaned.verdict(row),
                "p_wrong": chances.cell(float(ranking.p_wrong[row])) if ranking and scored else "",
                "label_quality": chances.cell(1 - float(ranking.suspicion[row]))
                if ranking and scored
                else "",
                "told": cleaned.told_by(row),
                "content": "" if cleaned.content is None else cleaned.content[row],
                **({} if data.splits is None else {"split": data.splits[row]}),
            }

    return export.Rows((*MANIFEST, *export.split_column(data.splits)), rows())


def with_column(rows: export.Rows, name: str, cells: Sequence[str]) -> export.Rows:
    """Return the same rows with one more column, a cell per row in their order."""
    told = ({**row, name: cell} for row, cell in zip(rows, cells, strict=True))
    return export.Rows((*rows.columns, name), told)


def write_parquet(stream: IO[bytes], rows: export.Rows) -> int:
    """Write rows of text as Parquet, in batches; columns of numbers become numbers.

    Returns:
        How many rows.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    numbers = {name for name in rows.columns if _number(name)}
    schema = pa.schema(
        [(name, pa.float64() if name in numbers else pa.string()) for name in rows.columns]
    )
    count = 0
    with pq.ParquetWriter(stream, schema) as writer:
        while batch := [row for _, row in zip(range(_BATCH), rows, strict=False)]:
            columns = [
                pa.array(
                    [
                        (float(row[name]) if row[name] else None) if name in numbers else row[name]
                        for row in batch
                    ],
                    schema.field(name).type,
                )
                for name in rows.columns
            ]
            writer.write_table(pa.table(columns, schema=schema))
            count += len(batch)
    return count


def _number(column: str) -> bool:
    return column in _NUMBERS or column.startswith("suspicion_")


def trail_rows(
    decisions: Iterable[Decision],
    *,
    ids: Sequence[str],
    given_labels: IntArray,
    class_names: Sequence[str],
    paths: Sequence[str] | None = None,
    content: Sequence[str] | None = None,
    splits: Sequence[str] | None = None,
    told: Mapping[int, str] | None = None,
) -> export.Rows:
    """Return every decision ever stored, oldest first, superseded ones included.

    Args:
        decisions: the whole history, oldest first; it is held in memory.
        ids: (n,).
        given_labels: (n,) int.
        class_names: (k,).
        paths: (n,) or None.
        content: (n,) digests, or None.
        splits: (n,) names, or None for no such column.
        told: row -> runs that know its answer.
    """
    columns = (*TRAIL, *export.split_column(splits))
    history = list(decisions)
    followers: dict[int, Decision] = {}
    last: dict[tuple[int, str], Decision] = {}
    for decision in history:
        key = (decision.row, decision.reviewer)
        if key in last:
            followers[last[key].id] = decision
        last[key] = decision

    def standing(decision: Decision) -> tuple[str, str]:
        follower = followers.get(decision.id)
        if follower is None:
            return ("taken back" if decision.action is Action.REOPEN else "in force"), ""
        word = "taken back" if follower.action is Action.REOPEN else "superseded"
        return word, str(follower.id)

    def rows() -> Iterator[dict[str, str]]:
        for decision, row in zip(
            history,
            export.decision_rows(
                history,
                ids=ids,
                given_labels=given_labels,
                class_names=class_names,
                paths=paths,
                content=content,
                splits=splits,
                told=told,
            ),
            strict=True,
        ):
            word, follower = standing(decision)
            now = class_names[int(np.asarray(given_labels[decision.row]))]
            full = {
                "number": str(decision.id),
                "standing": word,
                "replaced_by": follower,
                "row": str(decision.row),
                "given_label_now": now,
            }
            yield {name: (full | row)[name] for name in columns}

    return export.Rows(columns, rows())


def write_list(
    stream: IO[bytes], cleaned: Cleaned, image: Callable[[int], str], first: str = "image"
) -> int:
    """Write the manifest of a layout as CSV; `first` is the header of its first column."""
    rows = manifest_rows(cleaned, image)
    others = rows.columns[1:]
    columns = (first, *others)
    renamed = ({first: row["image"]} | {name: row[name] for name in others} for row in rows)
    return export.write_csv(stream, export.Rows(columns, renamed), safe=cleaned.safe)
