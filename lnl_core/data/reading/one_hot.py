"""Labels as a column of 0 and 1 for every class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lnl_core.data.reading import splits
from lnl_core.data.reading.column_names import OFF, ON
from lnl_core.data.tables import visible
from lnl_core.readings import Choice, Question


def columns(values: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the columns of 0 and 1, where there are two or more and rows have a 1.

    Args:
        values: column -> its cells in the first rows.
    """
    hot = [
        name
        for name, cells in values.items()
        if not splits.flag(name, cells)
        and {cell.lower() for cell in cells} <= {*ON, *OFF}
        and any(cell.lower() in ON for cell in cells)
        and any(cell.lower() in OFF[:3] for cell in cells)
    ]
    return hot if len(hot) > 1 else []


def question(file: str, hot: Sequence[str]) -> Question:
    """Ask whether each such column of a file is a class."""
    shown = ", ".join(f"“{visible(each)[:24]}”" for each in hot[:6])
    return Question(
        "one_hot",
        f"{file} has no column “label”, but {len(hot)} columns of 0 and 1: {shown}. Is each of "
        "them a class?",
        (Choice("yes", "a column per class"),),
        stops=True,
    )
