"""The tour for lab meetings: what it needs is registered and started here, whoever asks for it."""

from __future__ import annotations

from lnl_core.methods import METHODS, signal_key, yardstick
from lnl_core.services.datasets.catalog import PHOTOGRAPHS, add_demo
from lnl_core.services.explore import embedding
from lnl_core.services.runs.recipes import settled
from lnl_core.services.runs.running import default_recipe, start_runs
from lnl_core.types import DatasetInfo, Workspace, usual_representation


def tour_runs(info: DatasetInfo) -> list[str]:
    """Return what the tour runs: the default recipe, the published methods, plain training.

    On features of a network that knows ImageNet a published method takes seconds, not minutes.
    """
    usual = usual_representation(info.height, info.width)
    published = [key for key, method in METHODS.items() if not method.baseline]
    heads = [signal_key(key, "pretrained", usual) for key in published]
    return list(dict.fromkeys([*default_recipe(info), *heads, yardstick().key]))


def start_tour(ws: Workspace) -> DatasetInfo:
    """Register the photographs, start the runs that are not done yet, and their map."""
    info = add_demo(ws, PHOTOGRAPHS)
    there = settled(info)
    missing = [name for name in tour_runs(info) if name not in there]
    if missing:
        start_runs(info, missing)
    maps = embedding.Settings(embedding.sources(info)[0].key)
    if embedding.layout(info, embedding.key_of(info, maps)) is None:
        embedding.start_layout(info, maps)
    return info
