"""Labels as a column of 0 and 1 for every class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from lnl_core.data.reading import splits
from lnl_core.data.reading.column_names import OFF, ON
from lnl_core.data.reading.spellings import number
from lnl_core.data.tables import visible
from lnl_core.readings import Choice, Question

_ODD = 0.05
"""Share of the rows in which a column of 0 and 1 may have something else."""


def likely(values: Mapping[str, Counter[str]]) -> dict[str, list[str]]:
    """Return the columns in which nearly every cell is 0 or 1, a word for them, or blank -> others.

    One of 0 alone is among them: a class that no image of this list has. One without a word is not.

    Args:
        values: column -> its cells, how often each is there.
    """
    found: dict[str, list[str]] = {}
    for name, cells in values.items():
        plain = [cell for cell in cells if cell.lower() in (*ON, *OFF)]
        odd = sorted(cells.keys() - set(plain))
        few = sum(cells[cell] for cell in odd) <= _ODD * cells.total()
        if any(plain) and few and not splits.flag(name, plain):
            found[name] = odd
    return found


def are_counts(odd: Sequence[str]) -> bool:
    """Tell whether there are numbers beside 0 and 1: such a column is of ages or the like."""
    return any(number(cell) is not None for cell in odd)


def may_be_meant(values: Mapping[str, Collection[str]]) -> bool:
    """Tell whether it is worth asking: two columns or more have both, 0 and 1."""
    both = [
        cells
        for cells in values.values()
        if any(cell.lower() in ON for cell in cells)
        and any(cell.lower() in OFF[:3] for cell in cells)
    ]
    return len(both) > 1


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
