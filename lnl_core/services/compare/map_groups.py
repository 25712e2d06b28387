"""Which images of right and of wrong labels are compared in where a network looks.

By the known truth, by what was judged before the import, or by what people answered, the first of
these of which there is enough; images whose answer the run was told are left out of all. Where too
little is known, the order of another run stands in. A run's own score never chooses: what it is
compared on comes from the same network.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from lnl_core.methods import AT, METHODS, title_of
from lnl_core.review import metrics
from lnl_core.services.compare.truth import judged_right
from lnl_core.services.in_force import loaded, scored, signals, standing, unjudged
from lnl_core.services.review.activation_maps import activation_numbers
from lnl_core.types import BoolArray, DatasetInfo, FloatArray, IntArray
from lnl_core.views import LOWER, Observation

FEWEST = 10
"""Images of right, and of wrong labels, from which the two are compared."""


def observation(info: DatasetInfo, run: int) -> Observation | None:
    """Compare activation statistics of images whose labels are right and wrong (HNML spec 4.5).

    Returns:
        None for a run without these statistics, or while there are no two groups.
    """
    numbers = activation_numbers(info, run)
    two = groups(info, run) if numbers else None
    if two is None:
        return None
    both = two.right | two.wrong
    return Observation(
        two.names,
        {name: (values[two.right], values[two.wrong]) for name, values in numbers.items()},
        {
            name: metrics.auroc(two.wrong[both], -values[both] if name in LOWER else values[both])
            for name, values in numbers.items()
        },
        two.words,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """Two groups of images.

    Attributes:
        names: of the group whose labels are held right, and of the other.
        right: (n,) the first group.
        wrong: (n,) the second.
        words: by what they were chosen and how many they are, a sentence.
    """

    names: tuple[str, str]
    right: BoolArray
    wrong: BoolArray
    words: str

    @property
    def enough(self) -> bool:
        """Whether there are `FEWEST` of each."""
        return min(int(self.right.sum()), int(self.wrong.sum())) >= FEWEST


def groups(info: DatasetInfo, run: int) -> Groups | None:
    """Return the best groups that there are enough of; None where there are none."""
    known = list(_known(info, run))
    best = next((each for each in known if each.enough), None)
    if best is not None:
        return best
    return _by_another(info, run, known[-1].words)


def too_few(info: DatasetInfo, run: int) -> str:
    """Say what is known so far, and how much it takes."""
    return f"{list(_known(info, run))[-1].words} {FEWEST} of each are needed."


def _known(info: DatasetInfo, run: int) -> Iterator[Groups]:
    """Yield the groups that do not rest on any score, the better first."""
    data, free = loaded(info), ~unjudged(info, run)
    given = np.asarray(data.given_labels)
    if data.true_labels is not None:
        right = np.asarray(data.true_labels) == given
        yield _counted(
            ("label right", "label wrong"), right & free, ~right & free, "the known truth"
        )
    judged = judged_right(info)
    if judged is not None:
        names = ("judged right", "judged wrong")
        source = "what was judged before the import"
        yield _counted(names, judged[0] & free, judged[1] & free, source)
    now = standing(info)
    yield _counted(
        ("label kept", "found wrong"),
        now.kept & free,
        now.found_wrong & free,
        "people's answers that the run was not told",
    )


def _counted(names: tuple[str, str], right: BoolArray, wrong: BoolArray, source: str) -> Groups:
    words = f"By {source}: {right.sum():,} right labels, {wrong.sum():,} wrong."
    return Groups(names, right, wrong, words)


def _by_another(info: DatasetInfo, run: int, known: str) -> Groups | None:
    """Return the ends of the order of another method's run, None where there is none."""
    ranked = scored(info)
    others = {} if ranked is None else ranked.run_ids
    order = [key for key in METHODS if key in others] + list(others)
    own = next((key for key, number in others.items() if number == run), "")
    for key in order:
        opened = signals(info, others[key])
        if opened is None or key.partition(AT)[0] == own.partition(AT)[0]:
            continue
        free = np.flatnonzero(~unjudged(info, run) & ~unjudged(info, others[key]))
        if len(free) < 10 * FEWEST:
            continue
        right, wrong = _ends(info.n, free, np.asarray(opened.suspicion)[free])
        title = title_of(key)
        names = (f"least suspected half by {title}", f"most suspected tenth by {title}")
        words = (
            f"Too little is known ({known[0].lower()}{known[1:].rstrip('.')}; {FEWEST} of each "
            f"are needed), so the order of {title} stands in: {right.sum():,} and {wrong.sum():,} "
            "images."
        )
        return Groups(names, right, wrong, words)
    return None


def _ends(n: int, rows: IntArray, suspicion: FloatArray) -> tuple[BoolArray, BoolArray]:
    """Return (n,) the least suspected half and the most suspected tenth of some rows."""
    order = rows[np.argsort(-suspicion, kind="stable")]
    first, last = np.zeros(n, bool), np.zeros(n, bool)
    last[order[: len(order) // 10]] = True
    first[order[len(order) // 2 :]] = True
    return first, last
