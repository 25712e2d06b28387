"""What an engine is asked for and what it starts: between the job table and an engine."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from lnl_core.types import Job, LnlError, Workspace

SQLITE_HOST = "LNL_SQLITE_HOST"
"""Environment variable that tells a worker on which machine the SQLite file may be opened."""


class Seen(StrEnum):
    """What an engine says about a job that it was given."""

    THERE = "there"  # it waits or runs
    AGAIN = "again"  # the engine ended it: time limit, preemption, a node that failed
    CANCELLED = "cancelled"  # somebody ended it by the engine's own tools
    ENDED = "ended"  # it ended by itself, or the engine has forgotten it


class Engine(Protocol):
    """What `slurm` and `raycluster` offer, as modules."""

    TITLE: str
    OPTIONS: tuple[str, ...]

    def missing(self) -> str:
        """Say why it cannot be used from here, nothing where it can."""

    def check(self, ws: Workspace, options: Mapping[str, str]) -> None:
        """Raise LnlError where a worker could not do its work."""

    def submit(self, ws: Workspace, job: Job, folder: Path) -> str:
        """Start the worker of one job; return the engine's name of it."""
        ...

    def look(self, name: str) -> tuple[Seen, str]:
        """Return how a job stands, and why it waits, in the engine's words."""
        ...

    def stop(self, name: str) -> None:
        """End a job; one that has ended already is no error."""

    def log(self, folder: Path, name: str) -> str:
        """Return what the command printed before and beside the run's own log."""
        ...


def command(job: Job) -> list[str]:
    """Return what an engine runs for a job; the option `python` names another interpreter."""
    python = job.engine_options.get("python", sys.executable)
    return [python, "-m", "lnl_core.worker", "--job", str(job.id)]


def environment(ws: Workspace) -> dict[str, str]:
    """Return the variables that the worker needs on whatever machine it finds itself."""
    root = Path(__file__).resolve().parents[3]
    paths = [str(root), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    variables = {
        "LNL_HOME": str(ws.home),
        "LNL_DATABASE_URL": ws.url,
        "PYTHONPATH": os.pathsep.join(paths),
    }
    if ws.on_sqlite:
        variables[SQLITE_HOST] = os.uname().nodename
    if "LNL_PROCESSES" in os.environ:
        variables["LNL_PROCESSES"] = os.environ["LNL_PROCESSES"]
    return variables


def refuse_sqlite_elsewhere(ws: Workspace) -> None:
    """Stop a worker that finds itself away from the machine that has the SQLite file.

    Raises:
        LnlError: with what to do.
    """
    at = os.environ.get(SQLITE_HOST)
    if ws.on_sqlite and at and at != os.uname().nodename:
        raise LnlError(no_sqlite(os.uname().nodename))


def no_sqlite(where: str) -> str:
    """Say why a worker on another machine needs PostgreSQL."""
    return (
        f"The worker would run on {where}, and SQLite on a shared folder loses data when two "
        "machines write. Set LNL_DATABASE_URL to a PostgreSQL database (docs/scale.md)."
    )
