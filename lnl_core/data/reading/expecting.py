"""How many images will come in, told by the very rows that the import goes over.

Nothing is decoded: headers of files are read. So a reading and the import that follows it say the
same, but for files whose headers are whole and whose pixels are not.
"""

from __future__ import annotations

from collections import Counter

from lnl_core.data.tables import BadRow
from lnl_core.data.writing import Skipped, Source

UP_TO = 20_000
"""Files that are opened for a reading; of more, a sample, and the numbers are estimates."""

_CALLED = {"folder": "files", "manifest": "rows", "torchvision": "images"}


def settle(source: Source) -> None:
    """Make the numbers of an outline those of the import: per class, per split, left out."""
    rows, outline = source.expected(), source.outline
    if rows is None:
        outline.exact = False
        return
    labels, splits, lost = Counter[int](), Counter[str](), 0
    outline.left.clear()
    called = _CALLED.get(source.kind, "rows")
    for each in rows:
        if isinstance(each, Skipped):
            lost += each.lost
            what = "images" if each.lost else called
            outline.leave_out(1, what, BadRow(each.reason, each.remedy), each.where)
            continue
        labels[each.label] += 1
        if each.split:
            splits[each.split] += 1
    outline.counts = Counter({name: labels[at] for at, name in enumerate(source.class_names)})
    outline.splits = dict(splits)
    outline.files_seen, outline.files_lost = lost + sum(labels.values()), lost
