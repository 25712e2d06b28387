"""One image as every published method sees it, and images that only one of them has found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from lnl_core.jobs import queue
from lnl_core.methods import AT, METHODS, short_of, title_of
from lnl_core.said import many
from lnl_core.services.compare import _detecting, own_pictures
from lnl_core.services.compare.comparing import cache_key, run_signals
from lnl_core.services.in_force import (
    Scored,
    judged_by,
    learned_from,
    loaded,
    scored,
    signals,
    told_of,
    unjudged,
    without_class,
)
from lnl_core.services.runs import running
from lnl_core.types import (
    ACTIVE_STATES,
    BoolArray,
    DatasetInfo,
    IntArray,
    Job,
    JobState,
    LnlError,
    Method,
    Signals,
    TopProbs,
)
from lnl_core.views import Candidate, ImageViews, MethodView, percent

PRESET = "quick"
"""Of runs that are started here: the cheap one."""

ALL, SPLIT = "all", "split"
"""Names of lists: images that every method calls wrong, and those that about half of them do."""


def views(info: DatasetInfo, row: int) -> ImageViews:
    """Return one image as every published method sees it.

    Raises:
        LnlError: no such row, or nothing is scored yet.
    """
    if not 0 <= row < info.n:
        raise LnlError("There is no such image. Choose another one.")
    ranked = scored(info)
    if ranked is None:
        raise LnlError(f"Nothing of “{info.name}” is scored yet. Start a run first.")
    data = loaded(info)
    given = int(data.given_labels[row])
    runs, coming = _runs(ranked), _coming(info)
    single = [
        _view(info, row, given, method, runs.get(method.key, ""), ranked, coming)
        for method in METHODS.values()
        if not method.baseline
    ]
    true = None if data.true_labels is None else int(data.true_labels[row])
    return ImageViews(
        row=row,
        identity=data.ids[row],
        given=given,
        true=true,
        suggested=int(ranked.ranking.suggested_labels[row]),
        p_wrong=None if unjudged(info)[row] else float(ranked.ranking.p_wrong[row]),
        methods=tuple(single),
        names=info.class_names,
        baselines=_baselines(info, ranked, row, given),
    )


def _runs(ranked: Scored) -> dict[str, str]:
    """Return method -> name of its ranking: the one on pixels where a method has several."""
    names: dict[str, str] = {}
    for name in ranked.run_ids:
        method = name.partition(AT)[0]
        if name == method or method not in names:
            names[method] = name
    return names


def _coming(info: DatasetInfo) -> dict[str, Job]:
    """Return method -> its run that waits or goes on."""
    return {job.method: job for job in queue.jobs(info) if job.state in ACTIVE_STATES}


def _not_yet(method: Method, job: Job | None) -> str:
    """Say how a method without a run stands, what its idea is, and what it would show."""
    if job is None:
        words = "Not run yet."
    elif job.state is JobState.QUEUED:
        words = "Its run waits in the queue."
    else:
        words = f"Its run goes on, {percent(job.fraction)} done."
    return " ".join(part for part in (words, method.explanation, method.shows) if part)


@dataclass(frozen=True, slots=True)
class Absent:
    """Published methods without a run, and what a cheap run of each takes.

    Attributes:
        runs: as `start_runs` takes them, the quickest first: neither done nor on their way.
        titles: of the same.
        seconds: of all together, features that are not there yet included.
        held: bytes at most.
    """

    runs: tuple[str, ...]
    titles: tuple[str, ...]
    seconds: float
    held: float


def absent(info: DatasetInfo) -> Absent:
    """Return the published methods that have neither a run in the ranking nor one on its way."""
    ranked = scored(info)
    there = {*(() if ranked is None else _runs(ranked)), *_coming(info)}
    usual = {run.partition(AT)[0]: run for run in running.default_recipe(info)}
    runs = [
        usual.get(method.key, method.key)
        for method in METHODS.values()
        if not method.baseline and method.key not in there
    ]
    costs = {run: running.estimate(info, run, PRESET) for run in runs}
    runs.sort(key=lambda run: costs[run][0])
    seconds = sum(cost for cost, _ in costs.values()) + running.features_seconds(info, runs)
    held = running.WORKER_BYTES + max((size for _, size in costs.values()), default=0.0)
    return Absent(tuple(runs), tuple(title_of(run) for run in runs), seconds, held)


def start_absent(info: DatasetInfo, by: str | None = None) -> list[Job]:
    """Queue what `absent` names, the quickest first.

    Raises:
        NotAllowed: that person may not start runs.
        LnlError: nothing is absent.
    """
    return running.start_runs(info, absent(info).runs, PRESET, by=by)


_NO_PICTURE = {
    True: "This run kept no picture of its own; a new run does.",
    False: "Not trained on this image: it goes by what it learned of others, so it has no picture.",
}
"""By whether the run trained on the image."""


def _view(
    info: DatasetInfo,
    row: int,
    given: int,
    method: Method,
    name: str,
    ranked: Scored,
    coming: Mapping[str, Job],
) -> MethodView:
    title = title_of(name or method.key)
    short = short_of(name or method.key)
    number = ranked.run_ids.get(name)
    run = None if number is None else signals(info, number)
    if number is None or run is None:
        words = _not_yet(method, coming.get(method.key))
        return MethodView("", title, short, "absent", missing=words)
    if not judged_by(info, number)[row]:
        return MethodView(str(number), title, short, "unseen")
    none = told_of(info, [str(number)])
    if none[row]:
        return MethodView(str(number), title, short, "told")
    label, no_class = _expects(run, row), given in info.no_classes
    suspicion = float(run.suspicion[row])
    others = np.asarray(run.suspicion)[~(none | without_class(info))]
    trained = bool(learned_from(info, number)[row])
    picture = own_pictures.picture(info, str(number), run, row)
    curve, step = own_pictures.course(info, str(number), run, row)
    return MethodView(
        key=str(number),
        title=title,
        short=short,
        state="ready",
        label=label,
        wrong=not no_class and (label != given if label is not None else suspicion > 0.5),
        suspicion=suspicion,
        place=None if no_class else int((others > suspicion).sum()) + 1,
        of=len(others),
        picture=picture,
        missing="" if picture else _NO_PICTURE[trained],
        curve=curve,
        step=step,
        trained=trained,
    )


def _expects(run: Signals, row: int) -> int | None:
    """Return the class that a run finds most probable; None where it has no probabilities."""
    probs = run.pred_probs
    if isinstance(probs, TopProbs):
        return int(probs.classes[row, 0])
    return None if probs is None else int(np.argmax(probs[row]))


def _baselines(info: DatasetInfo, ranked: Scored, row: int, given: int) -> tuple[int, int]:
    """Return how many baselines expect another class, and how many have an opinion."""
    wrong = asked = 0
    for name, number in ranked.run_ids.items():
        method = METHODS.get(name.partition(AT)[0])
        run = signals(info, number)
        if run is None or (method is not None and not method.baseline):
            continue
        if not judged_by(info, number)[row] or told_of(info, [str(number)])[row]:
            continue
        label = _expects(run, row)
        asked += 1
        wrong += label != given if label is not None else float(run.suspicion[row]) > 0.5
    return wrong, asked


# Lists ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Lists:
    """Images to look at, each list in the order of the consensus.

    All of these methods have an opinion of their own of each.

    Attributes:
        rows: name -> row numbers: `ALL`, `SPLIT`, and for each method's short name those that it
            alone calls wrong. Of the published methods; where fewer than two of these have run, of
            all.
        right: name -> share of the rows whose label is known to be wrong; empty without a truth.
        asked: how many methods have an opinion.
        left_out: images with a class of which one of these methods has none.
    """

    rows: Mapping[str, IntArray]
    right: Mapping[str, float]
    asked: int
    left_out: int = 0

    @property
    def left_words(self) -> str:
        """How many images are in none of the lists, and why; nothing where there are none."""
        if not self.left_out:
            return ""
        return (
            f"{many(self.left_out, 'image is', 'images are')} in none of these lists: one of the "
            "methods was told the answer, or has not judged the label."
        )


def lists(info: DatasetInfo) -> Lists:
    """Return the images on which methods stand together, apart, or alone.

    Raises:
        LnlError: nothing is scored yet.
    """
    ranked = scored(info)
    if ranked is None:
        raise LnlError(f"Nothing of “{info.name}” is scored yet. Start a run first.")
    return _lists(info, ranked)


@lru_cache(maxsize=4)
def _lists(info: DatasetInfo, ranked: Scored) -> Lists:
    every = {
        name: ranked.run_ids[name]
        for name in _runs(ranked).values()
        if signals(info, ranked.run_ids[name])
    }
    published = {name: number for name, number in every.items() if _published(name)}
    asked = published if len(published) > 1 else every
    names = {short_of(name): number for name, number in asked.items()}
    wrong = [_calls_wrong(info, number) for number in names.values()]
    if not wrong:
        return Lists({}, {}, 0)
    table = np.stack(wrong)  # (m, n)
    votes, m = table.sum(axis=0), len(table)
    mute = ~np.all([_has_opinion(info, number) for number in names.values()], axis=0)
    votes[mute] = -1  # in no list: nobody is alone where others have no say
    left_out = int((mute & ~without_class(info)).sum()) if m > 1 else 0
    masks = {short: table[i] & (votes == 1) for i, short in enumerate(names)} if m > 1 else {}
    if m > 1:
        masks |= {ALL: votes == m, SPLIT: (votes >= m / 3) & (votes <= 2 * m / 3)}
    order = np.asarray(ranked.ranking.order)
    rows = {name: order[mask[order]] for name, mask in masks.items()}
    data = loaded(info)
    right: dict[str, float] = {}
    if data.true_labels is not None:
        known = np.asarray(data.true_labels) != np.asarray(data.given_labels)
        right = {name: float(known[some].mean()) for name, some in rows.items() if len(some)}
    return Lists(rows, right, m, left_out)


def _published(name: str) -> bool:
    method = METHODS.get(name.partition(AT)[0])
    return method is not None and not method.baseline


def others_expected(info: DatasetInfo, candidate: Candidate) -> int:
    """Return how many images a run expects in another class."""
    inputs = ("others", cache_key(info, candidate), *info.no_classes)
    number = int(candidate.key)
    return int(_detecting.kept(info, inputs, lambda: int(_calls_wrong(info, number).sum())))


def _calls_wrong(info: DatasetInfo, number: int) -> BoolArray:
    """Return (n,) True where a run of its own judgement expects another class."""
    run = run_signals(info, str(number))
    given, probs = np.asarray(loaded(info).given_labels), run.pred_probs
    if probs is None:
        other = np.asarray(run.suspicion) > 0.5
    elif isinstance(probs, TopProbs):
        other = np.asarray(probs.classes[:, 0]) != given
    else:
        other = np.asarray(probs).argmax(axis=1) != given
    rows: BoolArray = other & _has_opinion(info, number) & ~without_class(info)
    return rows


def _has_opinion(info: DatasetInfo, number: int) -> BoolArray:
    """Return (n,) True where a run has judged a label, and was not told the answer."""
    has: BoolArray = judged_by(info, number) & ~told_of(info, [str(number)])
    return has
