"""How many images will come in, told by the very rows that the import goes over.

Nothing is decoded: headers of files are read. So a reading and the import that follows it say the
same, but for files whose headers are whole and whose pixels are not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from lnl_core.data.reading import splits
from lnl_core.data.tables import BadRow
from lnl_core.data.writing import Expected, Skipped, Source
from lnl_core.readings import Answers

UP_TO = 20_000
"""Files that are opened for a reading; of more, a sample, and the numbers are estimates."""

_CALLED = {"folder": "files", "manifest": "rows", "torchvision": "images"}


def settle(source: Source, answers: Answers) -> None:
    """Make the numbers of an outline those of the import: per class, per split, left out."""
    rows, outline = source.expected(), source.outline
    if rows is None:
        outline.exact = False
    else:
        _count(source, rows)
    outline.read_as, question = splits.spelled_alike(outline.splits, answers)
    outline.questions += [question] if question is not None else []
    together = Counter[str]()
    for name, count in outline.splits.items():
        together[outline.read_as.get(name, name)] += count
    outline.splits = dict(together)


def _count(source: Source, rows: Iterator[Expected | Skipped]) -> None:
    outline = source.outline
    labels, of_split, lost = Counter[int](), Counter[str](), 0
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
            of_split[each.split] += 1
    outline.counts = Counter({name: labels[at] for at, name in enumerate(source.class_names)})
    outline.splits = dict(of_split)
    outline.files_seen, outline.files_lost = lost + sum(labels.values()), lost
