"""A job in words and badges: where it stands, what it waits for, why it failed."""

from __future__ import annotations

import os
import shutil
from typing import Any

from lnl_core.services.runs import control
from lnl_core.types import ACTIVE_STATES, DatasetInfo, Job, JobState
from pages import _words
from pages._ui import plain

BADGES = {
    "waiting": ("orange", "schedule"),
    "running": ("blue", "sync"),
    "cancelling": ("orange", "hourglass_top"),
    "cancelled": ("gray", "block"),
    "failed": ("red", "error"),
    "done": ("green", "check"),
    "silent": ("orange", "hourglass_empty"),
    "lost": ("red", "link_off"),
}
"""State on screen -> colour and icon of its badge."""


def state_word(job: Job) -> str:
    """Return the state as people read it; what hangs or died is seen from outside."""
    if job.state is JobState.QUEUED:
        return "waiting"
    if job.state is JobState.RUNNING:
        return {"lost": "lost", "stalled": "silent"}.get(control.health(job), "running")
    return str(job.state)


def started(info: DatasetInfo, preset: str, *, done: bool = False) -> set[str]:
    """Return the methods that are done, or on their way, on a set with a preset; or `done` ones."""
    jobs = control.runs(info)
    counts = {JobState.DONE} if done else {*ACTIVE_STATES, JobState.DONE}
    return {job.method for job in jobs if job.preset == preset and job.state in counts}


def badge(word: str) -> str:
    """Return a state's badge as Markdown."""
    colour, icon = BADGES[word]
    return f":{colour}-badge[:material/{icon}: {word}]"


def epoch(job: Job) -> str:
    """Return `epoch 19 of 30` where the method says so, else nothing."""
    now, of = job.metrics.get("epoch"), job.metrics.get("epochs")
    if not now:
        return ""
    return f"epoch {_words.count(now)} of {_words.count(of)}" if of else f"epoch {now:.0f}"


def left(job: Job) -> str:
    """Return `1 min 40 s left` where that is known, else nothing."""
    return f"{_words.about(job.eta_seconds)} left" if job.eta_seconds else ""


_STAGES = {
    "load": "reading the images",
    "train": "training",
    "purify": "purifying labels",
    "head": "training the head",
    "neighbours": "finding neighbours",
    "placing": "placing the points",
    "reducing": "reducing the features",
    "features": "computing features",
    "maps": "drawing maps",
}
"""What a run calls its step -> words."""


def _step(job: Job) -> str:
    return plain(_STAGES.get(job.stage, job.stage))


def stage(job: Job) -> str:
    """Return `teacher, epoch 19 of 30`, as Markdown."""
    parts = [_step(job), epoch(job)]
    return ", ".join(part for part in parts if part) or "starting"


def where(job: Job) -> str:
    """Say in one line where an active job stands, as Markdown."""
    word = state_word(job)
    if word == "running":
        parts = [epoch(job) or _step(job) or "starting", left(job)]
        return ", ".join(part for part in parts if part)
    if word == "silent":
        return f"silent for {_words.about(silence(job))}"
    if word == "lost":
        return "its process is gone; it goes on from its last checkpoint"
    return word


def silence(job: Job) -> float:
    """Return the seconds since the job's last sign of life."""
    from datetime import UTC, datetime

    last = job.heartbeat_at or job.started_at or job.created_at
    then = datetime.fromisoformat(last.replace("Z", "+00:00"))
    return max(0.0, (datetime.now(UTC) - then).total_seconds())


def splits(job: Job) -> str:
    """Return `, on train, judges val` where a run does not take all of the set for both."""
    on, judges = (", ".join(job.splits.get(key, ())) for key in ("train_on", "judge"))
    held = ", audit held out" if "hold" in job.splits else ""
    return (f", on {on}" if on else "") + (f", judges {judges}" if judges else "") + held


def took(job: Job) -> float | None:
    """Return the seconds a finished job took, None for the others."""
    from datetime import datetime

    if job.cost.get("seconds"):
        return float(job.cost["seconds"])
    if not job.started_at or not job.finished_at:
        return None
    start, end = (
        datetime.fromisoformat(t.replace("Z", "+00:00")) for t in (job.started_at, job.finished_at)
    )
    return max(0.0, (end - start).total_seconds())


def slow(job: Job) -> str:
    """Return why a run gets on at less than half of the expected speed; nothing where it does."""
    share = control.speed(job)
    if share is None or not control.is_slow(job):
        return ""
    if control.is_busy(job):
        cores = float(job.metrics.get("cores", 0.0))
        return f"This machine is busy: the run gets {_words.percent(cores)} of a core."
    return f"Slower than estimated: {_words.percent(share)} of the speed."


def crowded() -> str:
    """Return that this machine has more to do than cores for it, nothing where it has not."""
    wanted = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    if wanted < 2 * cores():
        return ""
    return f"This machine is busy: {wanted:.0f} tasks want its {_words.plural(cores(), 'core')}."


def figures(job: Job) -> list[tuple[str, str]]:
    """Return the figures of a running job as (label, value); what is unknown is left out."""
    facts: list[tuple[str, str]] = []
    speed: Any = job.metrics.get("images_per_second")
    memory: Any = job.metrics.get("memory_bytes") or job.cost.get("peak_memory_bytes")
    if speed:
        facts.append(("Images/s", _words.count(speed)))
    if memory:
        facts.append(("Memory", _words.gigabytes(memory)))
    device = str(job.metrics.get("device") or job.device)
    if job.executor == "local":
        facts.append(("Device", device_word(device)))
    else:
        facts.append(("Device", "gpu" if device.startswith("cuda") else device))
    if job.executor != "local":
        facts.append((executor_word(job.executor), job.host or "elsewhere"))
    if job.started_at:
        facts.append(("Started", _words.hour(job.started_at)))
    return facts


def device_word(device: str) -> str:
    """Return `cpu, 2` or `gpu`."""
    cuda = device.startswith("cuda") or (device == "auto" and has_gpu())
    return "gpu" if cuda else f"cpu, {cores()}"


def executor_word(executor: str) -> str:
    """Return what runs a job, as people say it."""
    return {"local": "this machine", "slurm": "Slurm", "ray": "Ray"}.get(executor, executor)


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def has_gpu() -> bool:
    """Guess whether the worker will find a GPU, without torch in this process."""
    return os.path.exists("/proc/driver/nvidia/version") or shutil.which("nvidia-smi") is not None
