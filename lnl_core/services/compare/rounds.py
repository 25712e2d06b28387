"""The feedback round: runs of the ranking again, told what people said, judged by the rest.

Runs are told the corrected labels and which of them are sure. The answers to images that chance had
drawn are held out, so that those judge the runs of before and of after on the same footing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lnl_core.jobs import executors, inputs, queue, splits
from lnl_core.review import comparison
from lnl_core.review.comparison import Sample
from lnl_core.said import percent
from lnl_core.services.in_force import (
    labelled_count,
    loaded,
    scored,
    signals,
    standing,
    told_of,
)
from lnl_core.services.review.draws import RIGHT, WRONG, about_given, draws
from lnl_core.services.review.expecting import expected
from lnl_core.services.runs.again import make_again, repeatable
from lnl_core.services.team import roles
from lnl_core.services.team.roles import Act
from lnl_core.store import arrays, decisions
from lnl_core.store.db import now
from lnl_core.types import (
    ACTIVE_STATES,
    DatasetInfo,
    FloatArray,
    IntArray,
    Job,
    JobState,
    LnlError,
    NotFound,
    Signals,
    TopProbs,
)

NEEDED, WRONG_NEEDED = 50, 5
"""Random checks, and wrong labels among them, from which a round can be judged."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What a round brought where as many images were reviewed as there were wrong labels.

    Attributes:
        noise: share of wrong labels.
        order: change of the average precision on images that chance had drawn.
        accuracy: change of the accuracy of a classifier trained on the corrected labels.
    """

    noise: float
    order: float
    accuracy: float


MEASURED = (
    Measured(0.10, -0.034, 0.024),
    Measured(0.19, -0.013, 0.042),
    Measured(0.44, 0.025, 0.165),
)
"""`benchmarks/results/feedback.json`: labels of photographs by people, probe, knn, 3 seeds."""


def expect(info: DatasetInfo) -> str:
    """Say what a round brings, by what was measured at the share of wrong labels nearest to here.

    Where nothing is scored yet, by all that was measured.
    """
    ahead = expected(info)
    if ahead is None:
        said = ", ".join(f"{_signed(each.order)} at {percent(each.noise)}" for each in MEASURED)
        return f"Measured changes of the order (average precision): {said} wrong labels. {_LASTS}"
    noise = ahead.total / max(1, labelled_count(info))
    near = min(MEASURED, key=lambda each: abs(each.noise - noise))
    order = "the order gained nothing"
    if abs(near.order) > 0.01:
        order = f"the order {'gained' if near.order > 0 else 'lost'} a little"
    return (
        f"About {percent(noise)} of the labels here are expected to be wrong. Where "
        f"{percent(near.noise)} were and as many images were reviewed, {order} "
        f"({_signed(near.order)} average precision), and a classifier trained on the corrected "
        f"labels gained {_signed(near.accuracy)} accuracy. {_LASTS}"
    )


_LASTS = "What lasts is a network trained on corrected labels: Retrain twice, above."


def _signed(value: float) -> str:
    return f"{value:+.3f}".replace("-", "\N{MINUS SIGN}")


@dataclass(frozen=True, slots=True)
class Plan:
    """What a round would do; `refusal` says why it cannot be, and what to do.

    Attributes:
        runs: name in the ranking -> run that would be made again.
        told: images whose answer the runs get; `changed` of their labels are not the given ones.
            Of the run that gets the fewest, where they train on different splits.
        changed: see `told`.
        alike: whether all runs get as many.
        held: images drawn at random that judge, for people agree on their class, which of “none
            fits” there is none; `wrong` of their labels are wrong.
        wrong: see `held`.
        refusal: blank where it can start.
    """

    runs: dict[str, int]
    told: int
    changed: int
    held: int
    wrong: int
    refusal: str
    alike: bool = True


def plan(info: DatasetInfo) -> Plan:
    """Say what a round would take and what would judge it."""
    ranked = scored(info)
    runs = {} if ranked is None else repeatable(info, ranked.run_ids)
    _, trusted, _ = inputs.corrected_labels(info)
    drawn = np.zeros(info.n, bool)
    drawn[[each.row for each in draws(info)]] = True
    said = about_given(standing(info))
    held = int((drawn & trusted).sum())
    wrong = int((drawn & trusted & (said == WRONG)).sum())
    each_told = [_told(info, number) for number in runs.values()]
    told, changed = min(each_told, default=(0, 0))
    refusal = ""
    if not runs:
        refusal = "No run stands behind the ranking yet. Start some on Runs."
    elif held < NEEDED or wrong < WRONG_NEEDED:
        refusal = (
            f"A round is judged by images drawn at random that have one class by their answers: "
            f"{held:,} so far, {wrong:,} of them wrongly labelled; {NEEDED} and {WRONG_NEEDED} are "
            f"needed. Review mixes them in."
        )
    elif not any(changes for _, changes in each_told):
        refusal = (
            "No label is corrected yet beside those that judge, among the images that the runs "
            "train on. Review some of the queue."
        )
    return Plan(runs, told, changed, held, wrong, refusal, len(set(each_told)) < 2)


def _told(info: DatasetInfo, run: int) -> tuple[int, int]:
    """Return how many answers a run is told that is made again, and how many change a label."""
    train_on = queue.job(info.workspace, run).splits.get("train_on", ())
    chosen = {"train_on": train_on, splits.HOLD: ["audit"]}
    labels, trusted, _ = inputs.told_labels(info, chosen)
    changed = trusted & (labels != np.asarray(loaded(info).given_labels))
    return int(trusted.sum()), int(changed.sum())


def start(info: DatasetInfo, chosen: list[str], by: str | None = None) -> list[Job]:
    """Queue the chosen runs again, told what people said but for what judges them.

    Args:
        info: the data set.
        chosen: names in the ranking.
        by: who asks, on a page; None for who works on the machine itself.

    Raises:
        NotAllowed: that person may not start runs.
        LnlError: the round cannot be judged, or names no run.
    """
    roles.require_of(info.workspace, by, Act.RUN)
    asked = plan(info)
    if asked.refusal:
        raise LnlError(asked.refusal)
    before = {name: asked.runs[name] for name in chosen if name in asked.runs}
    if not before:
        raise LnlError("No run is chosen. Tick at least one.")
    jobs = make_again(info, [queue.job(info.workspace, number) for number in before.values()])
    made = dict(zip(before, jobs, strict=True))
    note = {
        "before": before,
        "after": {name: job.id for name, job in made.items()},
        "by": by,
        "at": now(),
        "last_decision": decisions.last_id(info),
    }
    arrays.write_json(_path(info), note)
    executors.reconcile(info.workspace)
    return list(made.values())


def _path(info: DatasetInfo) -> Path:
    return info.directory / "retrain" / "round.json"


# What it brought -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Change:
    """What a round did to one run; values with their 95 % intervals, after less before.

    Attributes:
        name: in the ranking.
        state: of the new run.
        precision: average precision before and after, on the images that were held out.
        gained: difference of the two, and its interval; None until the new run is done.
        accuracy: share of held-out images whose most probable class is the right one, likewise.
        more_right: difference of the two, and its interval; None without probabilities.
    """

    name: str
    state: JobState
    precision: tuple[float, float] | None = None
    gained: tuple[float, float, float] | None = None
    accuracy: tuple[float, float] | None = None
    more_right: tuple[float, float, float] | None = None


@dataclass(frozen=True, slots=True)
class Round:
    """The newest round: `images` that judge it, `wrong` of them, and each run's change."""

    at: str
    images: int
    wrong: int
    changes: tuple[Change, ...]

    @property
    def active(self) -> bool:
        """Whether a run of it is still to end."""
        return any(each.state in ACTIVE_STATES for each in self.changes)


def latest(info: DatasetInfo) -> Round | None:
    """Return the newest round with what is known of it; None without any."""
    if not _path(info).is_file():
        return None
    note: dict[str, Any] = arrays.read_json(_path(info))
    changes, sample = [], None
    for name, after in note["after"].items():
        try:
            job = queue.job(info.workspace, int(after))
        except NotFound:
            continue
        one = Change(name, job.state)
        if job.state is JobState.DONE:
            here = _sample(info, int(note["before"][name]), job.id)
            sample = here if here is not None else sample
            one = _change(info, one, int(note["before"][name]), job.id, here)
        changes.append(one)
    images = 0 if sample is None else len(sample.rows)
    wrong = 0 if sample is None else int(sample.wrong.sum())
    return Round(note["at"], images, wrong, tuple(changes))


def _sample(info: DatasetInfo, before: int, after: int) -> Sample | None:
    """Return what was held out of the new run and not told to the old one, as people see it."""
    path = info.directory / "runs" / str(after) / splits.HELD
    if not path.is_file():
        return None
    held = np.zeros(info.n, bool)
    kept = np.asarray(arrays.read_array(path))[: info.n]
    held[: len(kept)] = kept
    said = about_given(standing(info))
    labels, trusted, _ = inputs.corrected_labels(info)
    held &= trusted & ((said == RIGHT) | (said == WRONG)) & ~told_of(info, [str(before)])
    rows = np.flatnonzero(held)
    ones = np.ones(len(rows))
    wrong = said[rows] == WRONG
    return Sample(rows, wrong, labels[rows].astype(np.int64), ones, ones.astype(bool), held)


def _change(
    info: DatasetInfo, one: Change, before: int, after: int, sample: Sample | None
) -> Change:
    runs = (signals(info, before), signals(info, after))
    old, new = runs
    if sample is None or old is None or new is None or not sample.wrong.any():
        return one
    counts = comparison.resamples(sample)
    first, second = (comparison.detect(run.suspicion, sample, counts) for run in (old, new))
    if first is None or second is None:
        return one
    accuracy = more = None
    if old.pred_probs is not None and new.pred_probs is not None:
        right = [_top(run, sample.rows) == sample.true_labels for run in (old, new)]
        accuracy = (float(right[0].mean()), float(right[1].mean()))
        more = comparison.paired_difference(*right)
    gained = comparison.difference(second, first)
    return Change(one.name, one.state, (first.ap, second.ap), gained, accuracy, more)


def _top(run: Signals, rows: IntArray) -> IntArray:
    probs = run.pred_probs
    dense: FloatArray
    dense = probs.dense(rows) if isinstance(probs, TopProbs) else np.asarray(probs)[rows]
    best: IntArray = dense.argmax(axis=1)
    return best
