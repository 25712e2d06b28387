"""`lnl`: everything that the pages do, in a terminal."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from lnl_core import __version__
from lnl_core.types import ACTIVE_STATES, Job, JobState, LnlError

DONE, FAILED, USAGE, PARTLY = 0, 1, 2, 3

EXAMPLES = """examples:
  lnl demo --open                                   register the demo set and open the desk
  lnl import photos/ --name birds                   one folder per class
  lnl import list.csv --root photos/ --name birds   columns image, label[, id, true_label]
  lnl run birds --methods probe,sr,jump             queue runs and watch them
  lnl rank birds --out scores.csv                   one row per image, most useful first
  lnl export birds --format corrections --out corrections.csv

exit codes: 0 done, 1 failed, 2 bad usage, 3 partly imported
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.home:
        os.environ["LNL_HOME"] = str(options.home)
    try:
        code: int = options.call(options)
    except LnlError as error:
        print(f"lnl: {error}", file=sys.stderr)
        return FAILED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lnl",
        description="Find, see and fix the wrong labels of an image set.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"lnl {__version__}")
    parser.add_argument("--home", type=Path, help="workspace folder (default: LNL_HOME)")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, call: Callable[[Any], int], help: str) -> argparse.ArgumentParser:
        one = commands.add_parser(name, help=help, description=help)
        one.set_defaults(call=call)
        one.add_argument("--json", action="store_true", help="print JSON to standard output")
        return one

    one = command("demo", _demo, "Register the demo set: 1,797 digits, 15 %% of labels wrong.")
    one.add_argument("--open", action="store_true", help="then open the desk in the browser")

    one = command("open", _open, "Open the desk in the browser.")

    one = command("import", _import, "Read a folder per class, a list, NPZ arrays or a zip.")
    one.add_argument("source", type=Path, help="folder, .csv, .parquet, .npz or .zip")
    one.add_argument("--name", required=True, help="what to call the data set")
    one.add_argument("--root", type=Path, help="folder that the paths of a list start from")
    one.add_argument("--size", type=int, help="working resolution in pixels")

    one = command("run", _run, "Queue runs and watch them; they go on if you stop watching.")
    one.add_argument("name", help="data set")
    one.add_argument("--methods", help="keys, comma-separated, e.g. sr,jump,probe,ce,knn")
    one.add_argument("--preset", default="quick", help="quick, standard or paper")
    one.add_argument("--representation", help="features for methods that use them")
    one.add_argument("--seed", type=int, default=0)
    one.add_argument("--device", default="auto", help="auto, cpu or cuda")
    one.add_argument("--executor", default="local", help="local")
    one.add_argument(
        "--trusted",
        choices=["decisions"],
        default="decisions",
        help="labels that reviewers confirmed are corrected and trusted",
    )
    one.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="METHOD.KNOB=VALUE",
        help="one knob, e.g. sr.tau=0.3; may be repeated",
    )
    one.add_argument("--resume", action="store_true", help="continue what died, failed or stopped")
    one.add_argument("--detach", action="store_true", help="do not watch")

    one = command("status", _status, "Show data sets and their runs.")
    one.add_argument("name", nargs="?", help="only this data set")

    one = command("cancel", _cancel, "Stop one run; it keeps its checkpoint.")
    one.add_argument("run", type=int, help="number of the run, see lnl status")

    one = command("rank", _rank, "Write every image's suspicion and suggested label.")
    one.add_argument("name", help="data set")
    one.add_argument("--method", default="consensus", help="consensus or a method's key")
    one.add_argument("--out", type=Path, required=True, help="CSV file")

    one = command("decide", _decide, "Import decisions made elsewhere.")
    one.add_argument("name", help="data set")
    one.add_argument("--file", type=Path, required=True, help="CSV with id, action[, label]")
    one.add_argument("--reviewer", required=True, help="who decided")

    one = command("export", _export, "Write what was decided.")
    one.add_argument("name", help="data set")
    one.add_argument("--format", required=True, help="corrections or decisions")
    one.add_argument("--out", type=Path, required=True, help="CSV file")
    one.add_argument(
        "--all", action="store_true", help="also images that reviewers do not agree on"
    )
    one.add_argument(
        "--raw", action="store_true", help="leave cells that start a formula as they are"
    )
    one.add_argument("--no-scores", action="store_true", help="without one column per method")

    one = command("remove", _remove, "Forget a data set, its runs and decisions.")
    one.add_argument("name", help="data set")
    one.add_argument("--yes", action="store_true", help="really")
    return parser


def _workspace() -> Any:
    from lnl_core.store.db import open_workspace

    return open_workspace()


def _say(options: Any, value: dict[str, Any], text: str) -> None:
    """Print JSON where asked for, else words."""
    print(json.dumps(value, ensure_ascii=False) if options.json else text)


def _demo(options: Any) -> int:
    from lnl_core import services

    info = services.add_demo(_workspace())
    _say(
        options,
        {"name": info.name, "n": info.n, "classes": info.class_count},
        f"“{info.name}”: {info.n:,} images, {info.class_count} classes, 15 % of the labels made "
        "wrong on purpose.\n"
        f"Next: lnl run {_quoted(info.name)} --methods probe,sr,jump,ce,knn\n"
        "  or: streamlit run app.py",
    )
    return _open(options) if options.open else DONE


def _quoted(name: str) -> str:
    import shlex

    return shlex.quote(name)


def _open(_options: Any) -> int:
    app = Path(__file__).resolve().parents[1] / "app.py"
    if not app.is_file():
        app = Path("app.py").resolve()
    if not app.is_file():
        raise LnlError(
            "app.py was not found beside the library. Go to the clone of LNL Review, then run: "
            "streamlit run app.py"
        )
    return subprocess.call([sys.executable, "-m", "streamlit", "run", str(app)], cwd=app.parent)


def _import(options: Any) -> int:
    from lnl_core import services
    from lnl_core.store import datasets

    ws = _workspace()
    began = time.monotonic()
    shown = 0.0

    def report(done: int, total: int, skipped: int) -> None:
        nonlocal shown
        if time.monotonic() - shown < 0.2 and done < total:
            return
        shown = time.monotonic()
        left = (shown - began) / max(done, 1) * (total - done)
        _progress(f"{done:,} of {total:,} read, {skipped:,} skipped, {left:.0f} s left")

    services.import_dataset(
        ws, options.source, options.name, root=options.root, size=options.size, report=report
    )
    _progress("")
    info = datasets.dataset(ws, options.name)
    problems = _skipped(info.directory / "skipped.parquet")
    for problem in problems[:20]:
        line = f"  {problem['where']}: {problem['reason']} → {problem['remedy']}"
        print(line, file=sys.stderr)
    if len(problems) > 20:
        print(f"  and {len(problems) - 20:,} more", file=sys.stderr)
    _say(
        options,
        {
            "name": info.name,
            "n": info.n,
            "classes": info.class_count,
            "skipped": info.skipped,
            "problems": problems,
        },
        f"{info.n:,} images in, {info.skipped:,} skipped, {info.class_count:,} classes.\n"
        f"Next: lnl run {_quoted(info.name)} --methods probe,sr,jump,ce,knn",
    )
    return PARTLY if info.skipped else DONE


def _skipped(path: Path) -> list[dict[str, Any]]:
    if not path.is_file():
        return []
    import pyarrow.parquet as pq

    rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return rows


def _progress(text: str) -> None:
    """Show one line on the terminal that the next one replaces; nothing where it is no terminal."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="" if text else "\r", file=sys.stderr, flush=True)


def _knobs(settings: Sequence[str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for setting in settings:
        place, equals, value = setting.partition("=")
        method, dot, knob = place.partition(".")
        if not (equals and dot):
            raise LnlError(f"--set takes METHOD.KNOB=VALUE, got “{setting}”.")
        found.setdefault(method, {})[knob] = value
    return found


def _run(options: Any) -> int:
    from lnl_core import services
    from lnl_core.jobs import executors, queue
    from lnl_core.store import datasets

    ws = _workspace()
    info = datasets.dataset(ws, options.name)
    if options.resume:
        queue.recover(ws)
        for job in queue.jobs(ws, info):
            if job.state in (JobState.FAILED, JobState.CANCELLED):
                queue.resume(ws, job.id)
        watched = [job.id for job in queue.jobs(ws, info) if job.state in ACTIVE_STATES]
        if not watched:
            raise LnlError(f"No run of “{info.name}” is waiting to go on.")
        executors.ensure_worker(ws)
    else:
        if not options.methods:
            raise LnlError("Name the methods: --methods probe,sr,jump")
        keys = [key.strip() for key in options.methods.split(",") if key.strip()]
        submitted = services.start_runs(
            ws,
            info.name,
            keys,
            options.preset,
            overrides=_knobs(options.set),
            representation=options.representation,
            seed=options.seed,
            device=options.device,
            executor=options.executor,
        )
        watched = [job.id for job in submitted]
    if options.detach:
        _say(options, {"runs": watched}, f"Queued: {', '.join(map(str, watched))}.")
        return DONE
    return _watch(options, ws, sorted(watched))


def _watch(options: Any, ws: Any, numbers: Sequence[int]) -> int:
    """Show progress until all runs have ended; stopping to watch stops no run."""
    from lnl_core.jobs import executors, queue

    told: set[int] = set()
    try:
        while True:
            executors.tend(ws)
            found = [queue.job(ws, number) for number in numbers]
            for job in found:
                if job.state not in ACTIVE_STATES and job.id not in told:
                    told.add(job.id)
                    _progress("")
                    print(_line(job), file=sys.stderr)
            if len(told) == len(found):
                break
            running = [job for job in found if job.state is JobState.RUNNING]
            if running:
                _progress(_line(running[0]))
            time.sleep(0.3)
    except KeyboardInterrupt:
        _progress("")
        print("The runs go on without you: lnl status", file=sys.stderr)
        return DONE
    states = {job.id: str(job.state) for job in found}
    _say(
        options,
        {"runs": [{"id": job.id, "method": job.method, "state": states[job.id]} for job in found]},
        "The queue is ready: streamlit run app.py"
        if any(job.state is JobState.DONE for job in found)
        else "No run is done.",
    )
    return DONE if all(job.state is JobState.DONE for job in found) else FAILED


def _line(job: Job) -> str:
    """Say in one line how a run stands."""
    if job.state is JobState.DONE:
        seconds = job.cost.get("seconds", 0.0)
        return f"{job.id:>4}  {job.method:<10} done in {seconds:.1f} s, {job.flagged:,} flagged"
    if job.state is JobState.FAILED:
        return f"{job.id:>4}  {job.method:<10} failed: {job.error}"
    if job.state is JobState.RUNNING:
        left = "" if job.eta_seconds is None else f", {job.eta_seconds:.0f} s left"
        return f"{job.id:>4}  {job.method:<10} {job.stage}, {job.fraction:.0%}{left}"
    return f"{job.id:>4}  {job.method:<10} {job.state}"


def _status(options: Any) -> int:
    from lnl_core import services
    from lnl_core.jobs import queue

    ws = _workspace()
    found = services.status(ws, options.name)
    if options.json:
        print(json.dumps(found, ensure_ascii=False))
        return DONE
    if not found["datasets"]:
        print("No data set yet: lnl demo, or lnl import SOURCE --name NAME")
    jobs = {job.id: job for job in queue.jobs(ws)}
    for one in found["datasets"]:
        print(
            f"{one['name']}: {one['n']:,} images, {one['classes']:,} classes, "
            f"{one['reviewed']:,} reviewed"
        )
        for run in one["runs"]:
            health = "" if run["health"] == "ok" else f" ({run['health']})"
            print(_line(jobs[run["id"]]) + health)
    return DONE


def _cancel(options: Any) -> int:
    from lnl_core.jobs import queue

    ws = _workspace()
    queue.cancel(ws, options.run)
    state = queue.job(ws, options.run).state
    _say(options, {"id": options.run, "state": str(state)}, f"Run {options.run} is {state}.")
    return DONE


def _rank(options: Any) -> int:
    from lnl_core import services

    rows = services.write_scores(_workspace(), options.name, options.out, options.method)
    _say(
        options,
        {"rows": rows, "out": str(options.out)},
        f"{rows:,} rows in {options.out}; suspicion and p_wrong: 1 = wrong, "
        "label_quality: 1 = right.",
    )
    return DONE


def _decide(options: Any) -> int:
    from lnl_core import services

    if not options.file.is_file():
        raise LnlError(f"There is no file {options.file}.")
    stored, problems = services.import_decisions(
        _workspace(), options.name, options.file, options.reviewer
    )
    for problem in problems[:50]:
        print(f"  {problem}", file=sys.stderr)
    _say(
        options,
        {"stored": stored, "problems": problems},
        f"{stored:,} decisions stored, {len(problems):,} refused.",
    )
    return PARTLY if problems else DONE


def _export(options: Any) -> int:
    from lnl_core import services

    result = services.export(
        _workspace(),
        options.name,
        options.format,
        options.out,
        only_agreed=not options.all,
        safe=not options.raw,
        scores=not options.no_scores,
    )
    left = f", {result.left_out:,} wait for a second reviewer" if result.left_out else ""
    _say(
        options,
        {"rows": result.rows, "left_out": result.left_out, "out": str(options.out)},
        f"{result.rows:,} rows in {options.out}{left}.",
    )
    return DONE


def _remove(options: Any) -> int:
    from lnl_core import services
    from lnl_core.store import datasets

    ws = _workspace()
    info = datasets.dataset(ws, options.name)
    if not options.yes:
        raise LnlError(
            f"This forgets “{info.name}” with its runs and decisions; the originals stay. "
            "Add --yes to do it."
        )
    services.remove_dataset(ws, options.name)
    _say(options, {"removed": options.name}, f"“{options.name}” is removed.")
    return DONE


if __name__ == "__main__":
    sys.exit(main())
