"""A Ray cluster that is already there, through its job API: the same worker command.

The API runs whatever it is sent, so it belongs on loopback or behind a login; its address is the
user's `RAY_ADDRESS` (http://host:8265). The entry command runs on the head node unless CPUs or GPUs
are asked for.
"""

from __future__ import annotations

import os
import shlex
import uuid
from collections.abc import Mapping
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from lnl_core.jobs.engines import command
from lnl_core.jobs.engines.command import Seen
from lnl_core.types import Job, LnlError, Workspace

TITLE = "Ray"
OPTIONS = ("gpus", "cpus", "mem", "python")

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def missing() -> str:
    """Say why Ray cannot be used from here, nothing where it can."""
    if not os.environ.get("RAY_ADDRESS", "").startswith(("http://", "https://")):
        return (
            "Set RAY_ADDRESS to the job API of a Ray cluster that is running, "
            "e.g. http://127.0.0.1:8265."
        )
    if find_spec("ray") is None:
        return "Ray needs its client: pip install 'lnl-review[ray]'."
    return ""


def check(ws: Workspace, options: Mapping[str, str]) -> None:
    """Refuse SQLite with a cluster elsewhere.

    Raises:
        LnlError: that, or an option that is no number.
    """
    for name in ("gpus", "cpus", "mem"):
        if not options.get(name, "1").isdigit():
            raise LnlError(f"--ray {name}= takes a whole number, got {options[name]!r}.")
    host = urlsplit(os.environ["RAY_ADDRESS"]).hostname or ""
    if ws.on_sqlite and host not in (*_LOOPBACK, os.uname().nodename):
        raise LnlError(command.no_sqlite(host))


@lru_cache(maxsize=4)
def _client(address: str) -> Any:
    from ray.job_submission import JobSubmissionClient

    return JobSubmissionClient(address)


def _ray() -> Any:
    reason = missing()
    if reason:
        raise LnlError(reason)
    return _client(os.environ["RAY_ADDRESS"])


def submit(ws: Workspace, job: Job, folder: Path) -> str:
    """Start the worker of one job; return Ray's submission id. `mem` is in bytes."""
    asked = {
        "entrypoint_num_cpus": job.engine_options.get("cpus"),
        "entrypoint_num_gpus": job.engine_options.get("gpus"),
        "entrypoint_memory": job.engine_options.get("mem"),
    }
    name: str = _ray().submit_job(
        entrypoint=shlex.join(command.command(job)),
        submission_id=f"lnl-{job.id}-{uuid.uuid4().hex[:8]}",
        runtime_env={"env_vars": command.environment(ws)},
        metadata={"run": str(job.id), "method": job.method, "dataset": job.dataset},
        **{key: int(value) for key, value in asked.items() if value},
    )
    return name


def look(name: str) -> tuple[Seen, str]:
    """Ask the job API how a job stands."""
    try:
        info = _ray().get_job_info(name)
    except RuntimeError as error:
        if "404" in str(error) or "does not exist" in str(error):
            return Seen.ENDED, f"Ray {name}: unknown"
        raise
    status = str(info.status.value if hasattr(info.status, "value") else info.status)
    words = f"Ray: {status.lower()}"
    if status in ("PENDING", "RUNNING"):
        return Seen.THERE, words
    return (Seen.CANCELLED if status == "STOPPED" else Seen.ENDED), words


def stop(name: str) -> None:
    """Ask Ray to end a job: a signal first, three seconds later the rest is killed."""
    try:
        _ray().stop_job(name)
    except RuntimeError as error:
        if "404" not in str(error) and "does not exist" not in str(error):
            raise


def log(folder: Path, name: str) -> str:
    """Return the end of what the worker's command printed outside the run's own log."""
    return str(_ray().get_job_logs(name))[-4096:]
