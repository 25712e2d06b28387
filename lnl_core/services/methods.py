"""Which methods there are, what they are called on screen, how they combine, and their knobs."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from lnl_core import methods as known
from lnl_core.jobs import bases, knobs
from lnl_core.jobs.tasks import TASKS
from lnl_core.learning.knobs import GROUPS
from lnl_core.types import DatasetInfo, Leaves, Method


def every() -> list[Method]:
    """Return the methods: the published ones, then the baselines, each in its card's order."""
    return list(known.METHODS.values())


def problems() -> list[str]:
    """Return a sentence for each method of another package that could not be taken."""
    return list(known.PROBLEMS)


def method(key: str) -> Method:
    """Return the method of a key.

    Raises:
        LnlError: there is none, perhaps because its package is not installed here.
    """
    return known.card(key)


def recommended() -> list[str]:
    """Return the keys of what a first scoring runs, the quickest first."""
    return known.recommended()


def yardstick() -> Method:
    """Return plain training, which all others are judged against."""
    return known.yardstick()


def title(key: str) -> str:
    """Return the name of a method or task on screen, marked where it is a reconstruction."""
    return TASKS[key].title if key in TASKS else known.title_of(key)


def short_title(key: str) -> str:
    """Return a method's name where there is little room."""
    return known.short_of(key)


def that_leave(what: Leaves) -> list[str]:
    """Return the short names of methods whose runs leave something behind, for a hint."""
    return known.that_leave(what)


def recipes() -> dict[str, str]:
    """Return methods that combine well, `first->second` -> words."""
    return bases.recipes()


def steps(recipe: str) -> list[str]:
    """Return the methods of a recipe, in order."""
    return recipe.split(bases.ARROW)


def method_of(run: str) -> str:
    """Return the key of a run such as `jump@pretrained`."""
    return run.partition(known.AT)[0]


def post_trains(key: str) -> bool:
    """Say whether a method starts from the network of another run."""
    return bases.post_trains(key)


def on_features(key: str, features: str) -> str:
    """Return a method on such features, as `running.estimate` takes it."""
    return f"{key}{known.AT}{features}"


def on_run(number: int, key: str) -> str:
    """Return a method on top of a finished run, as `running.start_runs` takes it."""
    return f"{number}{bases.ARROW}{key}"


def knob_values(
    info: DatasetInfo, key: str, preset: str, overrides: Mapping[str, Any]
) -> dict[str, Any]:
    """Return every knob of a method for a data set: the preset's values with `overrides` on top.

    Raises:
        LnlError: no such preset or knob, or a value that the knob cannot take.
    """
    return dataclasses.asdict(knobs.config(info, key, preset, overrides))


def grouped_knobs(config: type[Any], search: str = "") -> dict[str, list[dataclasses.Field[Any]]]:
    """Return a Config's knobs by what they belong to, the method's own idea first.

    Args:
        config: of the method.
        search: words that a knob's name, help or group has to hold; all of them, in any case.

    Returns:
        title of the group -> its knobs in the order of the Config; groups without any are left out.
    """
    words = search.casefold().split()
    found: dict[str, list[dataclasses.Field[Any]]] = {title: [] for title in GROUPS.values()}
    for field in dataclasses.fields(config):
        title = GROUPS[field.metadata.get("group", "")]
        text = f"{field.name.replace('_', ' ')} {field.metadata.get('help', '')} {title}"
        if all(word in text.casefold() for word in words):
            found[title].append(field)
    return {title: fields for title, fields in found.items() if fields}


def idle_knobs(
    info: DatasetInfo, key: str, preset: str, overrides: Mapping[str, Any]
) -> frozenset[str]:
    """Return the knobs that change nothing in such a run, on what it learns from unasked.

    Raises:
        LnlError: no such preset or knob, or a value that the knob cannot take.
    """
    return knobs.idle_knobs(knobs.config(info, key, preset, overrides), False, preset)
