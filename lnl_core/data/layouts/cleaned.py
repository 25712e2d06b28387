"""A data set as the reviewers left it: one label per image, and why it has that one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from lnl_core.types import Action, BoolArray, Decision, IntArray, LabeledDataset, Ranking

VERDICTS = (
    "unreviewed",
    "kept",
    "relabelled",
    "multiple",
    "none",
    "waiting",
    "contradicted",
    "unlabelled",
    "auto",
)
"""What was decided about an image. `waiting` and `contradicted` keep their given label, where it is
a class; `unlabelled` is an image whose given label is none, and of which nobody has said what it
is; `auto` one whose suggestion was accepted unseen, by a plan."""

NO_ONE_CLASS = ("multiple", "none")

_LABELS = (Action.RELABEL, Action.AUTO)
_OF = {Action.KEEP: "kept", Action.RELABEL: "relabelled"}


@dataclass(frozen=True, slots=True, eq=False)
class Cleaned:
    """A data set with the decisions in force applied.

    Attributes:
        data: the set; `paths` are relative to `root`.
        root: folder of the originals, resolved; None where they are not files.
        labels: (n,) int32 corrected labels; -1 where no one class is right.
        verdicts: (n,) int8, index into `VERDICTS`.
        decisions: row -> decisions in force, one per reviewer.
        ranking: the joint opinion of the methods, None before the first run.
        safe: protect cells of CSV that a spreadsheet would run as formulas.
        no_classes: labels that say that nobody labelled the image.
        told: (n,) True where a run behind the ranking was told the answer; None for nowhere.
        runs_told: row -> which runs these are, in words.
        content: (n,) digests of the images (`data.content`), or None.
        seen: how many rows the ranking scores, the first ones; None: all.
        links: the import followed links that lead out of `root`.
    """

    data: LabeledDataset
    root: Path | None
    labels: IntArray
    verdicts: IntArray
    decisions: Mapping[int, Sequence[Decision]]
    ranking: Ranking | None
    safe: bool = True
    no_classes: tuple[int, ...] = ()
    content: Sequence[str] | None = None
    seen: int | None = None
    told: BoolArray | None = None
    links: bool = False
    runs_told: Mapping[int, str] = field(default_factory=dict)

    def rows(self) -> IntArray:
        """Return the rows that have one right class: those that a training set can hold."""
        return np.flatnonzero(self.labels >= 0)

    def has_class(self, row: int) -> bool:
        """Say whether an image came with a class and a run has seen it: else none suspects it."""
        seen = self.seen is None or row < self.seen
        return seen and int(self.data.given_labels[row]) not in self.no_classes

    def is_scored(self, row: int) -> bool:
        """Say whether runs judged an image's label, and none was told by people what is right."""
        told = self.told is not None and bool(self.told[row])
        return self.ranking is not None and self.has_class(row) and not told

    def told_by(self, row: int) -> str:
        """Return the runs that were told what people answered of an image; blank without any."""
        return self.runs_told.get(row, "")

    def split(self, row: int) -> str:
        """Return the split that an image came with, blank where it came with none."""
        return "" if self.data.splits is None else self.data.splits[row]

    @property
    def left_out(self) -> int:
        """Number of images without one right class."""
        return int((self.labels < 0).sum())

    def verdict(self, row: int) -> str:
        """Return the word for what was decided about an image."""
        return VERDICTS[int(self.verdicts[row])]

    def label_name(self, row: int) -> str:
        """Return the corrected class's name, blank where there is no one class."""
        label = int(self.labels[row])
        return self.data.class_names[label] if label >= 0 else ""

    def given_name(self, row: int) -> str:
        """Return the name of the class that the image came with."""
        return self.data.class_names[int(self.data.given_labels[row])]


def apply(
    data: LabeledDataset,
    decisions: Mapping[int, Sequence[Decision]],
    judged: Iterator[tuple[int, Decision | None, bool, bool]],
    *,
    root: Path | None,
    ranking: Ranking | None,
    safe: bool = True,
    no_classes: tuple[int, ...] = (),
    content: Sequence[str] | None = None,
    seen: int | None = None,
    told: BoolArray | None = None,
    links: bool = False,
) -> Cleaned:
    """Apply verdicts to the given labels; a label that is no class counts for none.

    Args:
        data: the set.
        decisions: row -> decisions in force.
        judged: (row, the decision that counts, contradicted, waiting) per reviewed row.
        root: folder of the originals.
        ranking: in force, or None.
        safe: see `Cleaned`.
        no_classes: see `Cleaned`.
        content: see `Cleaned`.
        seen: see `Cleaned`.
        told: see `Cleaned`.
        links: see `Cleaned`.
    """
    labels = np.array(data.given_labels, np.int32)
    verdicts = np.zeros(len(data), np.int8)
    without = np.isin(labels, no_classes)
    verdicts[without] = VERDICTS.index("unlabelled")
    for row, decision, contradicted, waiting in judged:
        word = "unlabelled" if without[row] else "unreviewed"
        if contradicted:
            word = "contradicted"
        elif waiting:
            word = "waiting"
        elif decision is not None:
            word = _OF.get(decision.action, str(decision.action))
            if word == "kept" and without[row]:
                word = "unlabelled"  # from before its label was no class
            if decision.action in _LABELS and decision.label is not None:
                labels[row] = decision.label
            elif word in NO_ONE_CLASS:
                labels[row] = -1
        verdicts[row] = VERDICTS.index(word)
    labels[np.isin(labels, no_classes)] = -1
    return Cleaned(
        data,
        root,
        labels,
        verdicts,
        decisions,
        ranking,
        safe,
        no_classes,
        content,
        seen,
        told,
        links,
    )
