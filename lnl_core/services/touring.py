"""The tour for lab meetings: what it needs is registered and started here, whoever asks for it."""

from __future__ import annotations

from lnl_core.jobs import queue
from lnl_core.methods import METHODS, recommended
from lnl_core.services.datasets.catalog import add_demo
from lnl_core.services.explore import embedding
from lnl_core.services.runs.running import start_runs
from lnl_core.types import ACTIVE_STATES, DatasetInfo, JobState, Workspace


def tour_methods() -> list[str]:
    """Return what the tour runs on the demo set: the default recipe, then all published methods."""
    published = [key for key, method in METHODS.items() if not method.baseline]
    return list(dict.fromkeys([*recommended(), *published]))


def start_tour(ws: Workspace) -> DatasetInfo:
    """Register the demo set, start the methods that are not done yet, and its map; return it."""
    info = add_demo(ws)
    settled = {
        job.method
        for job in queue.jobs(info)
        if job.state is JobState.DONE or job.state in ACTIVE_STATES
    }
    missing = [key for key in tour_methods() if key not in settled]
    if missing:
        start_runs(info, missing)
    maps = embedding.Settings(embedding.sources(info)[0].key)
    if embedding.layout(info, embedding.key_of(info, maps)) is None:
        embedding.start_layout(info, maps)
    return info
