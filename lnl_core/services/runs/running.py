"""Starting runs, what they will cost, how they stand."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from lnl_core.jobs import bases, engines, executors, inputs, knobs, needs, queue, splits
from lnl_core.learning.feature_keys import cache_key
from lnl_core.methods import AT, METHODS, card, default_runs, leaves, title_of
from lnl_core.said import many
from lnl_core.services.in_force import signals
from lnl_core.services.team import roles
from lnl_core.services.team.roles import Act
from lnl_core.store import audits, datasets
from lnl_core.types import SMALL_SIDE, DatasetInfo, Job, JobState, Leaves, LnlError, Workspace


def start_runs(
    info: DatasetInfo,
    methods: Sequence[str],
    preset: str = "quick",
    *,
    overrides: Mapping[str, Mapping[str, Any]] | None = None,
    representation: str | None = None,
    seed: int = 0,
    device: str = "auto",
    executor: str = "local",
    options: Mapping[str, str] | None = None,
    base: int | None = None,
    train_on: Sequence[str] = (),
    judge: Sequence[str] = (),
    tell_checks: bool = False,
    first: bool = False,
    by: str | None = None,
) -> list[Job]:
    """Queue one job per method and see that a worker runs them.

    A recipe `sr->influence` queues the first method and then the second one on its run. A method
    that stands alone before it in the list is not run twice; `12->influence` builds on run 12.
    `jump@pretrained` runs a method on those features, whatever `representation` says. `ce->probe`
    has a method on features learn from those of the network before it.

    Args:
        info: the data set.
        methods: method keys or recipes, run in this order.
        preset: `quick`, `standard` or `paper`.
        overrides: method -> knob -> value.
        representation: features to use where a method works on features; chosen when None.
        seed: of everything random.
        device: `auto`, `cpu` or `cuda`.
        executor: `local`, `slurm` or `ray`; the latter two come with their extras.
        options: what to ask of Slurm or Ray, e.g. `{"partition": "gpu", "gpus": "1"}`.
        base: number of the run that these build on, for post-training or purified labels.
        train_on: splits that they train on; all of the set when there is none.
        judge: splits whose labels they judge; scores of all others are blank.
        tell_checks: tell them the answers to random checks too, which judge such runs no more;
            held out otherwise.
        first: only where no run of the set is done or on its way.
        by: who asks, on a page; None for who works on the machine itself.

    Raises:
        NotAllowed: that person may not start runs.
        NotFirst: with `first`, somebody else was faster; then nothing is queued.
        LnlError: an unknown method, preset, knob or executor; then nothing is queued.
    """
    roles.require_of(info.workspace, by, Act.RUN)
    if not methods:
        raise LnlError("No method is chosen. Tick at least one.")
    chains = [_chain(recipe) for recipe in methods]
    queue.check_numbers(device, seed)
    splits.chosen(info, train_on, judge)
    chosen = overrides or {}
    knobs.check_names(chosen, [run for chain in chains for run in chain])
    _check_chains(info, chains, preset, chosen, representation, executor, base, device)
    asked = engines.check(info.workspace, executor, options)
    hold = not tell_checks and bool(audits.draws(info))

    def submit(run: str, under: int | None, learns: bool) -> Job:
        key, features = _on(run, representation)
        return queue.submit(
            info,
            key,
            preset,
            overrides=chosen.get(key, {}),
            representation=f"{bases.OF_RUN}{under}" if learns else features,
            seed=seed,
            device=device,
            executor=executor,
            options=asked,
            base=None if learns else under,
            train_on=train_on,
            judge=judge,
            hold=hold,
            first=first and not submitted,
        )

    submitted: list[Job] = []
    alone: dict[str, int] = {}
    for chain in chains:
        under = base
        for place, key in enumerate(chain):
            if key.isdigit():
                under = int(key)
            elif place == 0 and key in alone:
                under = alone[key]
            else:
                learns = place > 0 and _feeds(
                    queue.job(info.workspace, under or 0).method, _on(key)[0]
                )
                submitted.append(submit(key, under, learns))
                under = submitted[-1].id
                if place == 0:
                    alone[key] = under
    datasets.touch(info)
    executors.reconcile(info.workspace)
    return submitted


def told_words(
    info: DatasetInfo, *, tell_checks: bool = False, train_on: Sequence[str] = ()
) -> str:
    """Say which answers a run that starts now is told; nothing where there are none."""
    chosen = {"train_on": train_on}
    _, known, _ = inputs.told_labels(info, chosen)
    answers, checks = int(known.sum()), int(inputs.checks_answered(info, known).sum())
    if not answers:
        return ""
    if not checks:
        return f"Runs are told {many(answers, 'answer')}."
    if tell_checks:
        return (
            f"Runs are told {many(answers, 'answer')}, {many(checks, 'random check')} among "
            f"them: these judge "
            "such runs no more."
        )
    _, told, _ = inputs.told_labels(info, chosen | {splits.HOLD: ["audit"]})
    return (
        f"Runs are told {many(int(told.sum()), 'answer')}; "
        f"{many(checks, 'random check is', 'random checks are')} held out, to go on judging."
    )


def _check_chains(
    info: DatasetInfo,
    chains: Sequence[Sequence[str]],
    preset: str,
    overrides: Mapping[str, Mapping[str, Any]],
    representation: str | None,
    executor: str,
    base: int | None,
    device: str,
) -> None:
    """Check every run of all chains before any of them is queued.

    Raises:
        LnlError: names the first that cannot be queued, and why.
    """
    for chain in chains:
        if chain[0].isdigit():
            bases.check(queue.job(info.workspace, int(chain[0])), info, _on(chain[1])[0])
    here = executor == "local"
    if here:
        needs.check_device(device)
    runs = [run for chain in chains for run in chain if not run.isdigit()]
    for run in runs:
        key, features = _on(run, representation)
        queue.check(info, key, preset, overrides.get(key, {}), executor, features)
        _check_features(info, key, features)
        if AT in run or all(not _uses_features(*_on(each, representation)) for each in runs):
            _check_use(key, features)
        if here and _uses_features(key, features):
            needs.check_representation(features)
    if base is not None:
        for first in {chain[0] for chain in chains if not chain[0].isdigit()}:
            bases.check(queue.job(info.workspace, base), info, _on(first)[0])


def _on(run: str, representation: str | None = None) -> tuple[str, str | None]:
    """Return the method of `jump@pretrained` and what it runs on; `representation` where unsaid."""
    key, at, features = run.partition(AT)
    return key, features if at else representation


def _chain(recipe: str) -> list[str]:
    """Read `sr`, `sr->influence` or `12->influence`.

    Raises:
        LnlError: an unknown method, or one that cannot build on the one before.
    """
    keys = [key.strip() for key in recipe.split(bases.ARROW)]
    for place, key in enumerate(keys):
        number = key.isdigit() and place == 0 and len(keys) > 1
        if not number:
            card(_on(key)[0])
    for run in keys[1:]:
        if bases.post_trains(_on(run)[0]) and AT in run:
            raise LnlError(
                f"In “{recipe}” {_on(run)[0]} takes the network before it, and sees what that one "
                f"saw. Leave out “{AT}{run.partition(AT)[2]}”."
            )
    for first, second in itertools.pairwise([_on(key)[0] for key in keys]):
        if not first.isdigit() and not (bases.fits(first, second) or _feeds(first, second)):
            raise LnlError(bases.refusal(first, second))
    return keys


def _feeds(first: str, second: str) -> bool:
    """Say whether in a recipe the second method learns from the features of the first."""
    learns = "features" in METHODS[second].needs and not bases.purifies(first)
    return learns and leaves(first, Leaves.FEATURES)


def _uses_features(method: str, representation: str | None) -> bool:
    return "features" in METHODS[method].needs or knobs.on_features(method, representation)


def _check_features(info: DatasetInfo, method: str, representation: str | None) -> None:
    """Raise LnlError where a method cannot learn from the run that a representation names."""
    number = bases.run_of(representation)
    if number is not None:
        usable = _uses_features(method, representation)
        bases.check_features(queue.job(info.workspace, number), info, method, usable)


def _check_use(method: str, representation: str | None) -> None:
    """Raise LnlError where a method would leave features alone that were asked for by name."""
    if representation in (None, "", "auto", knobs.PIXELS):
        return
    if _uses_features(method, representation):
        return
    can = getattr(METHODS[method].config, "frozen_on", ())
    other = "".join(f" or {method}{AT}{each}" for each in can)
    raise LnlError(
        f"{method} does not learn from “{representation}”. Ask for {method}{other}, or for a "
        "method on features, such as probe."
    )


def default_recipe(info: DatasetInfo) -> list[str]:
    """Return the runs of the default recipe for images such as these, as `start_runs` takes them.

    What gives a queue soonest comes first; see `methods.default_runs`.
    """
    return default_runs(info.height, info.width, info.channels)


def kept_networks(info: DatasetInfo) -> list[Job]:
    """Return the finished runs of a set whose network can be post-trained, newest first."""
    return [
        job
        for job in queue.jobs(info)
        if job.state is JobState.DONE
        and (info.directory / "runs" / str(job.id) / bases.NETWORK).is_file()
    ]


def feature_runs(info: DatasetInfo) -> dict[str, str]:
    """Return the finished runs of a set whose features others can learn from, newest first.

    Returns:
        representation, as `start_runs` takes it -> words for it.
    """
    choices = {}
    for job in queue.jobs(info):
        if job.state is JobState.DONE and job.representation == knobs.PIXELS:
            run = signals(info, job.id)
            if run is not None and run.features is not None and run.features.ndim == 2:
                words = f"those of {title_of(job.method)}, run {job.id}"
                choices[f"{bases.OF_RUN}{job.id}"] = words
    return choices


def split_names(info: DatasetInfo) -> tuple[str, ...]:
    """Return the splits of a set, in their order; none where it has none."""
    known = datasets.splits(info)
    return () if known is None else known[0]


WORKER_BYTES = 6.2e8
"""Bytes of a worker that has loaded torch; what a run takes comes on top."""


def estimate(
    info: DatasetInfo, method: str, preset: str, overrides: Mapping[str, Any] | None = None
) -> tuple[float, float]:
    """Return (seconds, bytes) of its own that a run will take, roughly: what its card says.

    It is never what an earlier run took, so that estimates may be added up. `jump@pretrained` asks
    for a head on those features.
    """
    method, features = _on(method)
    config = knobs.config(info, method, preset, overrides or {}, features)
    size = max(info.height, info.width)
    return METHODS[method].estimate(info.n, size, config, info.class_count) or (0.0, 0.0)


def usable_executors() -> tuple[str, ...]:
    """Return where runs can run from here: `local` first, `slurm` and `ray` where they are."""
    return engines.usable()


def reconcile(ws: Workspace) -> None:
    """See that work that waits has a worker, also after one was killed; cheap, called often."""
    executors.reconcile(ws)


def features_seconds(
    info: DatasetInfo, methods: Sequence[str], representation: str | None = None
) -> float:
    """Return the seconds for features that the methods need and that are not there yet, roughly.

    They are computed once per set, so the first run pays them and the others do not.
    """
    asked = [_on(run) for run in methods]
    if not any("features" in METHODS[key].needs or features for key, features in asked):
        return 0.0
    if bases.run_of(representation) is not None:
        return 0.0
    small = max(info.height, info.width) <= SMALL_SIDE
    wanted = representation or ("raw" if small else "pretrained")
    there = info.directory / "features" / cache_key(info.version, wanted)
    if (there / "meta.json").is_file():  # not those of an earlier recipe, or of fewer images
        return 0.0
    return features_cost(info.n, wanted == "raw")


def features_cost(n: int, raw: bool) -> float:
    """Return the seconds for features of n images, raw pixels or those of a ready-made network."""
    return 1.0 if raw else 5.0 + 0.01 * n
