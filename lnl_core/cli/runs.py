"""`lnl run`, `status`, `cancel`, `runs rm`: work in the background, seen from a terminal."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from typing import Any

from lnl_core.cli.command import Command, add_dataset, opened
from lnl_core.cli.screen import DONE, FAILED, duration, progress, say
from lnl_core.records import ACTIVE_STATES, DatasetInfo, Job, JobState, LnlError, NotFound
from lnl_core.said import command, many

_OF_NEW_RUNS = (
    *("base", "preset", "representation", "train_on", "judge", "seed", "device"),
    *("executor", "slurm", "ray", "tell_checks", "set"),
)
"""What a run keeps from its start, so that `--resume` takes none of it."""


def _run_arguments(one: argparse.ArgumentParser) -> None:
    add_dataset(one)
    one.add_argument(
        "--methods",
        help="keys or recipes, comma-separated, e.g. probe,sr,jump@pretrained or 'sr->influence'; "
        "the default recipe for such images where nothing is said",
    )
    one.add_argument(
        "--base",
        type=int,
        metavar="RUN",
        help="run to build on: some methods post-train its network, others train on the labels "
        "that it purified",
    )
    one.add_argument(
        "--preset",
        default="quick",
        choices=["quick", "standard", "paper"],
        help="how long they take, and how much they find (default: quick)",
    )
    one.add_argument(
        "--representation",
        metavar="pretrained|simclr|raw|NETWORK|RUN",
        help="features to learn from, also those of a run, by its number; methods that otherwise "
        "train on pixels then train a head on them (default: by image size)",
    )
    for flag, words in (
        ("--train-on", "split to train on; all of the set where nothing is said"),
        ("--judge", "split whose labels are judged; scores of all others are blank"),
    ):
        one.add_argument(
            flag,
            action="append",
            default=[],
            metavar="SPLIT",
            help=f"{words}; may be given several times",
        )
    one.add_argument("--seed", type=int, default=0, help="of everything random (default: 0)")
    one.add_argument(
        "--device",
        default="auto",
        choices=["auto", "cpu", "cuda"],
        help="auto takes a GPU where there is one (default: auto)",
    )
    _add_engine(one)
    one.add_argument(
        "--trusted",
        choices=["decisions"],
        default="decisions",
        help="labels that reviewers agree on are corrected and trusted (always so)",
    )
    one.add_argument(
        "--tell-checks",
        action="store_true",
        help="tell the runs the answers to random checks too: these judge such runs no more "
        "(default: they are held out)",
    )
    one.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="METHOD.KNOB=VALUE",
        help="one knob, e.g. sr.tau=0.3; may be repeated",
    )
    one.add_argument(
        "--resume",
        action="store_true",
        help="continue what died, failed or stopped, as it was started; with --methods only these",
    )
    one.add_argument("--detach", action="store_true", help="do not watch")
    usual = {name: one.get_default(name) for name in _OF_NEW_RUNS}
    one.set_defaults(usual=usual, **dict.fromkeys(usual))  # what is None was not typed


def _add_engine(one: argparse.ArgumentParser) -> None:
    one.add_argument(
        "--executor",
        default="local",
        choices=["local", "slurm", "ray"],
        help="where runs run: this machine, a Slurm cluster, or the Ray cluster at RAY_ADDRESS "
        "(default: local)",
    )
    for executor, keys in (
        ("slurm", "partition, time, gpus, cpus, mem, account, qos, constraint, nodelist, python"),
        ("ray", "gpus, cpus, mem, python"),
    ):
        one.add_argument(
            f"--{executor}",
            action="append",
            default=[],
            metavar="KEY=VALUE",
            help=f"what to ask of {executor.title()}: {keys}; may be repeated, "
            f"or LNL_{executor.upper()}_KEY in the environment",
        )


def run(options: Any) -> int:
    """Queue runs, or take up old ones again, and watch them."""
    from lnl_core.services.methods import problems
    from lnl_core.services.runs import control
    from lnl_core.services.runs.running import default_recipe, start_runs, told_words

    for problem in problems():
        print(f"lnl: {problem}", file=sys.stderr)
    keys = [key.strip() for key in (options.methods or "").split(",") if key.strip()]
    if not keys and options.methods is not None:
        options.usage("name the methods, e.g. --methods probe,jump@pretrained")
    said = [name for name in options.usual if getattr(options, name) is not None]
    if options.resume and said:
        words = ", ".join(f"--{name.replace('_', '-')}" for name in said)
        options.usage(f"--resume continues runs as they were started: leave out {words}")
    vars(options).update((name, options.usual[name]) for name in options.usual if name not in said)
    knobs, asked = _knobs(options), _engine_options(options)
    info = opened(options)
    began = time.monotonic()
    if options.resume:
        watched = control.resume_stopped(info, keys)
    else:
        submitted = start_runs(
            info,
            keys or default_recipe(info),
            options.preset,
            overrides=knobs,
            representation=options.representation,
            seed=options.seed,
            device=options.device,
            executor=options.executor,
            options=asked,
            base=options.base,
            train_on=options.train_on,
            judge=options.judge,
            tell_checks=options.tell_checks,
        )
        asked_of = {"tell_checks": options.tell_checks, "train_on": options.train_on}
        if words := told_words(info, **asked_of):
            print(words, file=sys.stderr)
        watched = [job.id for job in submitted]
    if options.detach:
        listed = ", ".join(map(str, watched))
        say(options, {"runs": [{"id": i} for i in watched]}, f"Queued: {listed}. See: lnl status")
        return DONE
    return _watch(options, info, sorted(watched), began)


def _knobs(options: Any) -> dict[str, dict[str, str]]:
    """Read `--set METHOD.KNOB=VALUE`, as often as it was given."""
    knobs: dict[str, dict[str, str]] = {}
    for setting in options.set:
        place, equals, value = setting.partition("=")
        method, dot, knob = place.partition(".")
        if not (equals and dot):
            options.usage(f"--set takes METHOD.KNOB=VALUE, got {setting}")
        knobs.setdefault(method, {})[knob] = value
    return knobs


def _engine_options(options: Any) -> dict[str, str]:
    """Read `--slurm KEY=VALUE` or `--ray KEY=VALUE`, as often as it was given."""
    chosen: dict[str, str] = {}
    for executor in ("slurm", "ray"):
        for setting in getattr(options, executor):
            key, equals, value = setting.partition("=")
            if not (equals and key):
                options.usage(f"--{executor} takes KEY=VALUE, got {setting}")
            if options.executor != executor:
                options.usage(f"--{executor} goes with --executor {executor}")
            chosen[key] = value
    return chosen


def _watch(options: Any, info: DatasetInfo, numbers: Sequence[int], began: float) -> int:
    """Show progress until all runs have ended; stopping to watch stops no run."""
    from lnl_core.services import in_force
    from lnl_core.services.runs import control

    before = in_force.version(info)
    told: set[int] = set()
    gone: set[int] = set()
    first_queue: float | None = None
    try:
        while True:
            control.keep_going(info.workspace)
            jobs = _there(info, numbers, gone)
            for job in jobs:
                if job.state not in ACTIVE_STATES and job.id not in told:
                    told.add(job.id)
                    progress("")
                    print(line(job), file=sys.stderr)
            ranked = in_force.version(info) != before
            if ranked and first_queue is None:
                first_queue = time.monotonic() - began
                progress("")
                print(f"First queue after {duration(first_queue)}: lnl open", file=sys.stderr)
            if all(job.id in told for job in jobs):
                break
            running = [job for job in jobs if job.state is JobState.RUNNING]
            if running:
                progress(line(running[0]), running[0].fraction)
            time.sleep(0.25)
    except KeyboardInterrupt:
        progress("")
        print(
            "You stopped watching; the runs go on. See: lnl status, stop one: lnl cancel RUN",
            file=sys.stderr,
        )
        return DONE
    done = [job for job in jobs if job.state is JobState.DONE]
    say(
        options,
        {
            "runs": [
                {"id": job.id, "method": job.method, "state": str(job.state), "error": job.error}
                for job in jobs
            ],
            "first_queue_s": first_queue,
        },
        "All done: lnl open"
        if len(done) == len(jobs) and gone <= told
        else "See the reasons above."
        if done
        else f"No run is done. See the reasons above, and {command('run', info.name, '--resume')}.",
    )
    return DONE if len(done) == len(jobs) and gone <= told else FAILED


def _there(info: DatasetInfo, numbers: Sequence[int], gone: set[int]) -> list[Job]:
    """Return the runs of these numbers; one that somebody removed is said once, into `gone`."""
    from lnl_core.services.runs import control

    jobs = []
    for number in numbers:
        try:
            jobs.append(control.run(info.workspace, number))
        except NotFound:
            if number not in gone:
                gone.add(number)
                progress("")
                print(f"Run {number} was removed while it was watched.", file=sys.stderr)
    return jobs


RUN = Command(
    "run",
    "Queue runs and watch them; they go on if you stop watching (Ctrl-C).",
    run,
    _run_arguments,
    (
        "lnl run birds --methods probe,sr,jump",
        "lnl run birds --methods sr --preset standard --set sr.epochs=60 --detach",
        "lnl run birds --methods 'sr->influence'           train, then post-train that network",
        "lnl run birds --methods 'ce->probe'                train, then regress on its features",
        "lnl run birds --methods influence --base 12       post-train the network of run 12",
        "lnl run birds --resume                            continue what died or was stopped",
    ),
)


def line(job: Job) -> str:
    """Say in one line how a run stands."""
    name = f"{job.id:>4}  {job.method:<10}"
    if job.base is not None:
        name += f" on run {job.base}"
    if job.state is JobState.DONE:
        seconds = duration(job.cost.get("seconds", 0.0))
        return f"{name} done in {seconds}, expects another class on {job.other_class or 0:,}"
    if job.state is JobState.FAILED:
        return f"{name} failed: {job.error}"
    if job.state is JobState.RUNNING:
        epoch, epochs = job.metrics.get("epoch"), job.metrics.get("epochs")
        at = f" epoch {epoch:.0f} of {epochs:.0f}," if epoch and epochs else ""
        left = "" if job.eta_seconds is None else f", {duration(job.eta_seconds)} left"
        return f"{name} {job.stage},{at} {job.fraction:.0%}{left}"
    if job.state is JobState.QUEUED:
        at = f" ({job.stage or job.executor})" if job.executor != "local" else ""
        return f"{name} waiting{at}"
    return f"{name} {job.state}"


def _status_arguments(one: argparse.ArgumentParser) -> None:
    one.add_argument("name", nargs="?", help="only this data set")


def status(options: Any) -> int:
    """Show data sets and their runs."""
    from lnl_core.services.runs import status as runs  # nothing else: it starts at once
    from lnl_core.services.workspace import dataset, datasets, is_full, open_workspace

    ws = open_workspace()
    if options.name:
        standing = runs.status([dataset(ws, options.name)])
    else:
        standing = runs.status(datasets(ws), runs.broken(ws))
    if options.json:
        print(json.dumps(standing, ensure_ascii=False))
        return DONE
    for one in standing.get("damaged", ()):
        print(f"{one['name']}: {one['problem']}", file=sys.stderr)
    if is_full(ws):
        print(f"The disk of {ws.home} is full: nothing can be saved.", file=sys.stderr)
    if not standing["datasets"] and "damaged" not in standing:
        print("No data set yet: lnl demo, or lnl import SOURCE --name NAME")
    jobs = {job.id: job for job in runs.every_run(ws)}
    words = {"lost": "  (lost: its process is gone; {})", "stalled": "  (silent)"}
    for one in standing["datasets"]:
        print(
            f"{one['name']}: {many(one['n'], 'image')}, "
            f"{many(one['classes'], 'class', 'classes')}, "
            f"{one['reviewed']:,} reviewed, {one['found_wrong']:,} found wrong"
        )
        if one["waits"]:
            drawn = many(one["waits"], "drawn image waits", "drawn images wait")
            print(f"  {drawn}, skipped or unsure (Review, key L)")
        if said := _copies(one):
            print(said)
        for job in one["runs"]:
            print(
                line(jobs[job["id"]])
                + words.get(job["health"], "").format(command("run", one["name"], "--resume"))
            )
        for task in one["tasks"]:
            print(_in_background(task))
    return DONE


def _in_background(task: dict[str, Any]) -> str:
    """Say how a map or the like stands, which the worker makes by itself."""
    at = f"{task['stage']}, {task['fraction']:.0%}" if task["fraction"] else task["state"]
    return f"{task['id']:>4}  {task['task']:<10} {at} (in the background)"


def _copies(one: dict[str, Any]) -> str:
    """Say how many copies a set holds, where labels of theirs differ or they lie across splits."""
    counts = one["copies"]
    differ, across = counts.get("different_labels", 0), counts.get("across_splits", 0)
    parts = [
        f"{differ:,} with different labels" if differ else "",
        f"{across:,} in more than one split" if across else "",
    ]
    said = " and ".join(part for part in parts if part)
    if said and "of" in counts:
        said += f", among the first {counts['of']:,} images"
    return f"  copies: {said} ({command('copies', one['name'])})" if said else ""


STATUS = Command(
    "status", "Show data sets and their runs.", status, _status_arguments, ("lnl status birds",)
)


def _cancel_arguments(one: argparse.ArgumentParser) -> None:
    one.add_argument("run", type=int, help="number of the run, see lnl status")


def cancel(options: Any) -> int:
    """Stop one run; it keeps its checkpoint."""
    from lnl_core.services.runs import control
    from lnl_core.services.workspace import open_workspace

    ws = open_workspace()
    control.cancel(ws, options.run)
    end = time.monotonic() + 10
    while control.run(ws, options.run).state is JobState.CANCELLING and time.monotonic() < end:
        control.keep_going(ws)
        time.sleep(0.1)
    state = control.run(ws, options.run).state
    say(options, {"id": options.run, "state": str(state)}, f"Run {options.run} is {state}.")
    return DONE


CANCEL = Command(
    "cancel",
    "Stop one run; it keeps its checkpoint.",
    cancel,
    _cancel_arguments,
    ("lnl cancel 12",),
)


def _runs_arguments(one: argparse.ArgumentParser) -> None:
    one.add_argument("action", choices=["rm"], help="rm removes")
    one.add_argument(
        "numbers",
        nargs="+",
        metavar="[NAME] RUN",
        help="see lnl status; NAME checks whose they are",
    )


def remove(options: Any) -> int:
    """Remove runs with what they left; the ranking is made anew without them."""
    from lnl_core.services.runs import control
    from lnl_core.services.workspace import dataset, datasets, open_workspace

    ws = open_workspace()
    named = "" if options.numbers[0].isdecimal() else options.numbers[0]
    words = options.numbers[bool(named) :]
    if not named and len(words) > 1 and words[0] in [info.name for info in datasets(ws)]:
        options.usage(
            f"{words[0]} is the name of a set, and may be the number of a run. Remove runs one by "
            f"one: {'; '.join(f'lnl runs rm {word}' for word in words)} (of set {words[0]} only "
            "those after the first)"
        )
    if not words or not all(word.isdecimal() for word in words):
        options.usage("runs rm takes numbers of runs, after the name of their set if you like")
    numbers = list(dict.fromkeys(map(int, words)))
    control.check_removable(ws, numbers)
    if named:
        info = dataset(ws, named)
        others = [n for n in numbers if control.run(ws, n).dataset != info.name]
        if others:
            raise LnlError(f"Run {others[0]} is of “{control.run(ws, others[0]).dataset}”.")
    for number in numbers:
        control.remove(ws, number)
    listed = ", ".join(map(str, numbers))
    say(options, {"removed": numbers}, f"Removed: {listed}. Decisions stay.")
    return DONE


RUNS = Command(
    "runs",
    "Remove runs and what they left on the disk; decisions stay.",
    remove,
    _runs_arguments,
    ("lnl runs rm 12", "lnl runs rm birds 3 4 5"),
)
