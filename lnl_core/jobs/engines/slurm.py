"""Slurm, through submitit: `sbatch` starts the worker, `squeue` knows it, `scancel` ends it.

No accounting database is needed: `squeue` and `scontrol` answer from the controller's memory, and
what happened in the run is in the job table.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from lnl_core.jobs.engines import command
from lnl_core.jobs.engines.command import Seen
from lnl_core.types import Job, LnlError, Workspace

TITLE = "Slurm"
OPTIONS = (
    "partition",
    "time",
    "gpus",
    "cpus",
    "mem",
    "account",
    "qos",
    "constraint",
    "nodelist",
    "python",
)

DEFAULT_TIME = "1-00:00:00"
"""Asked for where no time is: a day. A run that needs longer goes on at its last checkpoint."""

NOTICE_SECONDS = 60
"""Slurm tells the worker this long before the time limit, so that it gives its run back."""

_SAME_NAME = ("partition", "time", "mem", "account", "qos", "constraint", "nodelist")
_THERE = {
    "PENDING", "RUNNING", "CONFIGURING", "COMPLETING", "SUSPENDED", "REQUEUED", "REQUEUE_HOLD",
    "REQUEUE_FED", "RESIZING", "SIGNALING", "STAGE_OUT", "SPECIAL_EXIT", "STOPPED",
}  # fmt: skip
_AGAIN = {"TIMEOUT", "PREEMPTED", "NODE_FAIL", "BOOT_FAIL", "DEADLINE", "REVOKED"}


def missing() -> str:
    """Say why Slurm cannot be used from here, nothing where it can."""
    if shutil.which("sbatch") is None:
        return "There is no sbatch on this machine. Start the run on a login node of the cluster."
    if find_spec("submitit") is None:
        return "Slurm needs submitit: pip install 'lnl-review[slurm]'."
    return ""


def check(ws: Workspace, options: Mapping[str, str]) -> None:
    """Refuse SQLite where a node other than this machine could take the run.

    Raises:
        LnlError: that, or Slurm does not answer.
    """
    for name in ("gpus", "cpus"):
        if not options.get(name, "1").isdigit():
            raise LnlError(f"--slurm {name}= takes a whole number, got {options[name]!r}.")
    if not ws.on_sqlite:
        return
    arguments = ["sinfo", "-h", "-N", "-o", "%P %N"]
    for key, flag in (("partition", "-p"), ("nodelist", "-n")):
        if key in options:
            arguments += [flag, options[key]]
    rows = [line.split() for line in _ask(arguments).splitlines()]
    usual = any(partition.endswith("*") for partition, _ in rows) and "partition" not in options
    nodes = {node for partition, node in rows if partition.endswith("*") or not usual}
    if not nodes:
        raise LnlError("Slurm has no node for that partition and nodelist. See: sinfo")
    own = os.uname().nodename.split(".")[0]
    others = sorted(node for node in nodes if node.split(".")[0] != own)
    if others:
        raise LnlError(command.no_sqlite(others[0]))


def submit(ws: Workspace, job: Job, folder: Path, cluster: str = "slurm") -> str:
    """Start the worker of one job; return Slurm's job number.

    Args:
        ws: the workspace.
        job: what to run.
        folder: where submitit keeps its script, pickle and log.
        cluster: `slurm`, or submitit's own `local` where a test has no Slurm.
    """
    import submitit
    from submitit.helpers import CommandFunction

    options = job.engine_options
    executor = submitit.AutoExecutor(folder=folder, cluster=cluster)
    common: dict[str, object] = {"name": f"lnl-{job.id}-{job.method}", "stderr_to_stdout": True}
    if "cpus" in options:
        common["cpus_per_task"] = int(options["cpus"])
    if "gpus" in options:
        common["gpus_per_node"] = int(options["gpus"])
    if cluster == "slurm":
        variables = command.environment(ws)
        common |= {f"slurm_{key}": options[key] for key in _SAME_NAME if key in options}
        common.setdefault("slurm_time", DEFAULT_TIME)
        common["slurm_signal_delay_s"] = NOTICE_SECONDS
        common["slurm_setup"] = [f"export {k}={shlex.quote(v)}" for k, v in variables.items()]
        if "cpus" in options:  # since Slurm 22.05 a step does not inherit them
            common["slurm_srun_args"] = [f"--cpus-per-task={options['cpus']}"]
    executor.update_parameters(**common)
    return str(executor.submit(CommandFunction(command.command(job))).job_id)


def look(name: str) -> tuple[Seen, str]:
    """Ask `squeue`, and `scontrol` about what has ended a moment ago."""
    answer = _ask(["squeue", "-h", "-j", name, "-o", "%T|%r"], quiet=True).strip()
    state, _, reason = answer.partition("|")
    if not answer:
        told = _ask(["scontrol", "show", "job", "-o", name], quiet=True)
        fields = dict(part.split("=", 1) for part in told.split() if "=" in part)
        state, reason = fields.get("JobState", ""), fields.get("Reason", "")
    words = f"Slurm {name}: {state.lower()}" + (f", {reason}" if reason not in ("", "None") else "")
    if state in _THERE:
        return Seen.THERE, words
    if state in _AGAIN:
        return Seen.AGAIN, words
    return (Seen.CANCELLED if state == "CANCELLED" else Seen.ENDED), words


def stop(name: str) -> None:
    """`scancel`: the worker hears of it at once, what remains is killed half a minute later."""
    _ask(["scancel", name], quiet=True)


def log(folder: Path, name: str) -> str:
    """Return the end of what the worker's command printed outside the run's own log."""
    files = sorted(folder.glob(f"{name}_*_log.out"))
    return files[-1].read_text("utf-8", "replace")[-4096:] if files else ""


def _ask(arguments: list[str], *, quiet: bool = False) -> str:
    """Run one of Slurm's commands; `quiet` takes a job that it does not know for no answer.

    Raises:
        LnlError: Slurm does not answer.
    """
    try:
        done = subprocess.run(
            arguments, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LnlError(f"{arguments[0]} does not answer ({error}).") from error
    unknown = "Invalid job id" in done.stderr
    if done.returncode != 0 and not (quiet and unknown):
        told = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise LnlError(f"{arguments[0]}: {told[-1]}")
    return done.stdout
