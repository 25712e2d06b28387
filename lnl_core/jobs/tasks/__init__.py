"""Small jobs that pages ask for: one file, one task; the worker for tasks runs them.

A file declares `TASK`; its `run` imports what is heavy inside. Progress, cancel and the log work
as for runs; results are files that the task writes where its readers look.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass

from lnl_core.jobs.context import JobContext
from lnl_core.types import DatasetInfo, Job


@dataclass(frozen=True, slots=True)
class Task:
    """A task as one file declares it.

    Attributes:
        key: short name, kept in the job's `method`; its parameters are the job's `config`.
        title: its name on screen.
        run: (data set, job, context) -> None; `context.report` raises `Cancelled`.
    """

    key: str
    title: str
    run: Callable[[DatasetInfo, Job, JobContext], None]


def _find() -> dict[str, Task]:
    names = [m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_")]
    modules = [importlib.import_module(f"{__name__}.{name}").TASK for name in names]
    return {task.key: task for task in modules}


TASKS: dict[str, Task] = {}
"""Key -> task; filled once all of this package can be imported."""

TASKS |= _find()
