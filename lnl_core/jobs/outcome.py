"""What a run leaves behind: signals without suspicion of confirmed rows, and a new ranking."""

from __future__ import annotations

from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from lnl_core.jobs import carried, queue, splits
from lnl_core.jobs.inputs import (
    corrected_labels,
    knows_classes,
    left_out,
    rows_seen,
    told_rows,
)
from lnl_core.jobs.knobs import PIXELS
from lnl_core.methods import signal_key, taught
from lnl_core.store import arrays, datasets, decisions, locks
from lnl_core.types import (
    BoolArray,
    Damaged,
    DatasetInfo,
    IntArray,
    Job,
    JobState,
    Signals,
    TopProbs,
    usual_representation,
)


def with_trust(signals: Signals, trusted: BoolArray | None) -> Signals:
    """Take confirmed rows out of suspicion."""
    if trusted is None or not trusted.any():
        return signals
    return replace(signals, suspicion=np.where(trusted, 0.0, signals.suspicion))


def against(signals: Signals, labels: IntArray, trained_on: IntArray) -> Signals:
    """Restate the signals of a run that trained on other labels for `labels`.

    Suspicion becomes 1 - the probability of the label. A method that gives a score only keeps it
    where both labels agree; where they differ the label is suspected fully.

    Args:
        signals: of a run that trained on purified labels.
        labels: (n,) the labels under review.
        trained_on: (n,) what the run was given.
    """
    probs, rows = signals.pred_probs, np.arange(len(labels))
    curves = {name: curve for name, curve in signals.curves.items() if name not in _ABOUT_A_LABEL}
    if "probs" in signals.curves:
        said = np.asarray(signals.curves["probs"])  # (epochs, n, k)
        curves["p_given"] = said[:, rows, labels]
        others = np.array(said)
        others[:, rows, labels] = 0
        curves["p_other"] = others.max(axis=2)
    if probs is None:
        score = np.where(labels != trained_on, 1.0, signals.suspicion)
        return replace(signals, suspicion=score, curves=curves)
    if isinstance(probs, TopProbs):
        given = np.concatenate(
            [
                probs.dense(part)[np.arange(len(part)), labels[part]]
                for part in np.array_split(rows, -(-len(rows) // 8192))
            ]
        )
    else:
        given = np.asarray(probs)[rows, labels]
    return replace(signals, suspicion=np.clip(1 - given, 0, 1), curves=curves)


_ABOUT_A_LABEL = ("p_given", "p_other", "loss")
"""Curves that are about the label that a run was given."""


def other_class(signals: Signals, labels: IntArray, aside: BoolArray | None = None) -> int:
    """Count rows whose most probable class is not the label; by suspicion without probabilities.

    Rows `aside`, (n,), are left out: what the run does not judge, and what it was told, since it
    repeats there what people said.
    """
    probs = signals.pred_probs
    if isinstance(probs, TopProbs):
        other = np.asarray(probs.classes[:, 0]) != labels
    elif probs is not None:
        other = np.asarray(probs).argmax(axis=1) != labels
    else:
        other = np.asarray(signals.suspicion) > 0.5
    return int((other if aside is None else other & ~aside).sum())


def key(job: Job, info: DatasetInfo) -> str:
    """Return the name under which a run enters the ranking."""
    usual = usual_representation(info.height, info.width)
    on_maps = job.config.get("source") == "maps"  # pretrained ones, asked for by name or not
    return signal_key(job.method, PIXELS if on_maps else job.representation, usual)


def in_turn(info: DatasetInfo) -> AbstractContextManager[None]:
    """Hold a set's ranking: who looks which runs count, and ranks by them, does so alone.

    Else the slower of two would put a ranking in force that knows less than the one before it.
    """
    return locks.held(info.directory / "ranking.lock")


def rank(info: DatasetInfo) -> None:
    """Rank in turn as `rank_in_turn` does."""
    with in_turn(info):
        rank_in_turn(info)


def rank_in_turn(info: DatasetInfo, also: dict[str, int] | None = None) -> None:
    """Rank by the newest finished run of every method and put that ranking in force.

    For who holds the set's ranking (`in_turn`). The set is read anew, for `info` may be as old as
    the run that ends: what became of its labels since counts. One that is gone has no ranking.

    A head on frozen features counts beside the same method's network on pixels (`signal_key`).

    Labels are the given ones: what p_wrong and the suggestion speak about. A row whose given label
    a person has confirmed is the last to be suspected. Images whose label is no class are not
    suspected. A run that never saw what is a class today says nothing about it and is left out;
    where no run is left there is no ranking. A class that people added is suggested once a run has
    learned it; images that were added are ranked by the runs that have seen them, and stand behind
    all others before. Copies that contradict each other come first, and before them images that
    came with several labels. Runs that were told answers give the order alone (`carried`).

    Args:
        info: the data set.
        also: signal key -> run whose signals are complete though its job is not called done yet.
    """
    from lnl_core.review import copies, labelled, listed

    current = datasets.dataset_by_id(info.workspace, info.id)
    if current is None:
        return
    info, newest = current, dict(also or {})
    for job in queue.jobs(info):
        if job.state is JobState.DONE:
            name = key(job, info)
            newest[name] = max(job.id, newest.get(name, 0))
    runs = info.directory / "runs"
    usable = {name: no for name, no in newest.items() if knows_classes(info, runs / str(no))}
    signals = [
        replace(
            labelled.padded(arrays.load_signals(runs / str(number)), info.n, info.class_count),
            method=name,
        )
        for name, number in usable.items()
    ]
    seen = [rows_seen(info, runs / str(number)) for number in usable.values()]
    judges = [_judges(info, runs / str(number)) for number in usable.values()]
    if not signals:
        if newest:
            arrays.drop_ranking(info.directory / "ranking")
        return
    data = datasets.load(info)
    given, last = np.asarray(data.given_labels), decisions.last_id(info)
    corrected, trusted, kept = corrected_labels(info)
    confirmed = kept if kept.any() else None
    unknown = set(info.new_classes).intersection(
        *(left_out(info, runs / str(number)) for number in usable.values())
    )
    none = (*info.no_classes, *sorted(unknown))
    schooled = taught(usable)
    ranking = labelled.rank(signals, given, info.class_count, confirmed, none, judges, schooled)
    _keep_before_review(info)
    judged = np.logical_or.reduce(judges)
    ranking = carried.as_sure_as_before(info, ranking, usable.values(), judged)
    if data.groups is not None:
        ranking = copies.put_first(ranking, data.groups, corrected, trusted, info.no_classes)
    several = datasets.listed(info)
    if several is not None:
        ranking = listed.put_first(ranking, several, given, trusted)
    arrays.save_ranking(info.directory / "ranking", ranking, usable, max(seen), last)


def _keep_before_review(info: DatasetInfo) -> None:
    """Keep the ranking in force where people have answered since, and no run behind it knows it.

    Answers change no ranking: what is in force when the next one is made was in force when they
    were given. Where its files or those of its runs are damaged, nobody can tell: it is not kept.
    """
    folder = info.directory / "ranking"
    with suppress(Damaged):
        stored = arrays.load_ranking(folder) if decisions.reviewed(info) else None
        if stored is None:
            return
        if not any(told_rows(info, run).any() for run in stored[1].values()):
            arrays.keep_before_review(folder)


def _judges(info: DatasetInfo, folder: Path) -> BoolArray:
    """Return (n,) True for the rows whose labels a run has judged."""
    seen = np.arange(info.n) < rows_seen(info, folder)
    judged = splits.judged_rows(folder, info.n)
    return seen if judged is None else seen & judged
