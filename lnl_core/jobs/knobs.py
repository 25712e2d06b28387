"""A method's knobs: from a preset and what a person changed to the Config that runs."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from lnl_core.learning import fine_tuning
from lnl_core.learning.knobs import check_numbers, current_names
from lnl_core.methods import AT, card
from lnl_core.types import PRESETS as PRESETS
from lnl_core.types import DatasetInfo, Job, LnlError, NotFound, meant

PIXELS = "pixels"

ONLY_PAPER = frozenset({"setting"})
"""Knobs that choose between published numbers, which other presets do not take."""


def on_features(method: str, representation: str | None) -> bool:
    """Return whether a run trains on frozen features instead of pixels.

    A Config's `frozen_on`, where it has one, names the representations that its method can use.
    """
    kind = card(method).config
    if representation in (None, "", "auto", PIXELS) or not hasattr(kind, "on_features"):
        return False
    return representation in getattr(kind, "frozen_on", (representation,))


def config(
    info: DatasetInfo,
    method: str,
    preset: str,
    overrides: Mapping[str, Any],
    representation: str | None = None,
) -> Any:
    """Return a method's Config for this data set: the preset with `overrides` on top.

    Raises:
        LnlError: an unknown method, preset or knob, or a value that the knob refuses.
    """
    size = max(info.height, info.width)
    return config_for(
        method,
        preset,
        overrides,
        info.n,
        info.class_count,
        size,
        representation,
        channels=info.channels,
    )


def config_for(
    method: str,
    preset: str,
    overrides: Mapping[str, Any],
    n: int,
    k: int,
    size: int,
    representation: str | None = None,
    *,
    channels: int = 3,
) -> Any:
    """Return a method's Config for n images of k classes, `size` pixels at their longer side.

    A method whose Config has a class method `on_features(preset, n, k)` gives its knobs for a
    head on frozen features by it, where a representation other than pixels is asked for. One whose
    presets depend on the colour channels, or on other knobs that are asked for, has `preset_for`.
    Where a network that knows ImageNet is asked for, the preset is made short for it.

    Raises:
        LnlError: an unknown method, preset or knob, or a value that the knob refuses.
    """
    kind = card(method).config
    if preset not in PRESETS:
        raise NotFound(
            f"There is no preset “{preset}”.{meant(preset, PRESETS)} Known: {', '.join(PRESETS)}."
        )
    if on_features(method, representation):
        base = kind.on_features(preset, n, k)
    elif hasattr(kind, "preset_for"):
        base = kind.preset_for(preset, n, k, size, channels, current_names(kind, overrides))
    else:
        base = kind.preset(preset, n, k, size)
    backbone = overrides.get("backbone")
    known_images = fine_tuning.SIDES
    if backbone in known_images:
        if getattr(base, "backbone", backbone) not in known_images:
            base = fine_tuning.under(base, str(backbone), n)
        elif hasattr(base, "resolution"):  # it sees as many pixels as its name says
            base = dataclasses.replace(base, resolution=known_images[str(backbone)])
    known = {field.name: field for field in dataclasses.fields(kind)}
    values = {}
    for name, value in current_names(kind, overrides).items():
        if name not in known:
            raise NotFound(
                f"{method} has no knob “{name}”.{meant(name, known)} Known: {', '.join(known)}."
            )
        values[name] = _fit_type(method, name, value, getattr(base, name))
    heads, epochs = on_features(method, representation), values.get("epochs", 0)
    published = preset == "paper" and not heads and backbone not in known_images
    if not published and epochs > 0 and hasattr(base, "over"):
        base = base.over(epochs)
    try:
        config = dataclasses.replace(base, **values)
        check_numbers(config)
        _check_warm_up(config, published and "warm_up" not in values)
    except ValueError as error:
        raise LnlError(f"{method}: {error}") from error
    idle = sorted(idle_knobs(config, heads, preset) & values.keys())
    if _chooses_nothing(kind, preset, values, heads, (n, k, size, channels)):
        idle.append("setting")
    if idle:
        raise LnlError(
            f"{method}: {idle[0]} changes nothing in this run. Leave it out, or choose what uses "
            "it (pixels or features, the preset paper, and the knobs beside it)."
        )
    return config


def _chooses_nothing(
    kind: Any,
    preset: str,
    values: Mapping[str, Any],
    heads: bool,
    images: tuple[int, int, int, int],
) -> bool:
    """Say whether a `setting` is asked for that has no published numbers of its own for a set.

    Args:
        kind: a method's Config.
        preset: of the run; other presets than `paper` take no setting at all.
        values: knobs that are asked for.
        heads: it trains a head on frozen features.
        images: how many, their classes, size and channels.
    """
    usual = {field.name: field.default for field in dataclasses.fields(kind)}.get("setting")
    if preset != "paper" or values.get("setting", usual) == usual:
        return False
    others = {name: value for name, value in values.items() if name != "setting"}
    with_it, without = (kind.preset_for(preset, *images, each) for each in (values, others))
    return heads or bool(with_it == without)


def _check_warm_up(config: Any, published: bool) -> None:
    """Raise ValueError where the run would be over before what makes the method begins.

    Args:
        config: of the run.
        published: its warm-up is that of the paper, which nobody asked for.
    """
    if "warm_up" not in getattr(config, "in_epochs", ()):
        return
    by_rule = getattr(config, "start", "") == "rule"  # which may begin before
    if config.warm_up >= config.epochs + by_rule:
        why = ": paper keeps its own, so set warm_up as well" if published else ""
        last = (
            f"by the last of the {config.epochs} epochs"
            if by_rule
            else (f"before the last of the {config.epochs} epochs")
        )
        raise ValueError(f"warm_up must end {last}, got {config.warm_up}{why}")


def usual_features(method: str, preset: str, size: int) -> str:
    """Return what a method on features learns on where nobody says, `auto` for the set's usual.

    A Config's class method `learns_on(preset, size)`, where it has one, decides.
    """
    kind = card(method).config
    return kind.learns_on(preset, size) if hasattr(kind, "learns_on") else "auto"


def idle_knobs(config: Any, heads: bool, preset: str) -> frozenset[str]:
    """Return the knobs that change nothing in a run.

    Args:
        config: of the run.
        heads: it trains a head on frozen features.
        preset: of the run.
    """
    idle: frozenset[str] = config.idle(heads) if hasattr(config, "idle") else frozenset()
    return idle if preset == "paper" else idle | ONLY_PAPER


def check_names(overrides: Mapping[str, Any], runs: Sequence[str]) -> None:
    """Refuse knobs of methods that are not run.

    Args:
        overrides: method -> knobs.
        runs: keys, or `jump@pretrained`.

    Raises:
        LnlError: names the first such method.
    """
    keys = [run.partition(AT)[0] for run in runs]
    for method in overrides:
        if method not in keys:
            raise LnlError(
                f"There are knobs for “{method}”, which is not run. Run: {', '.join(keys)}."
            )


def stored(job: Job) -> Any:
    """Return the Config that a job was queued with, perhaps by an earlier version.

    Raises:
        TypeError: it names a knob that its method does not have.
        ValueError: a knob refuses its value.
    """
    kind = card(job.method).config
    return kind(**current_names(kind, job.config))


def repeated(info: DatasetInfo, job: Job) -> dict[str, Any]:
    """Return the knobs that a run like another one is asked for with: all but the idle ones.

    Raises:
        LnlError: it was queued by an earlier version with what cannot be asked for any more.
    """
    try:
        chosen = stored(job)
    except (TypeError, ValueError) as error:
        raise LnlError(f"Run {job.id} cannot be made again: {error}. Start {job.method}.") from None
    heads, values = on_features(job.method, job.representation), dataclasses.asdict(chosen)
    idle = idle_knobs(chosen, heads, job.preset)
    images = info.n, info.class_count, max(info.height, info.width), info.channels
    if _chooses_nothing(type(chosen), job.preset, values, heads, images):
        idle |= {"setting"}
    return {name: value for name, value in values.items() if name not in idle}


def _fit_type(method: str, name: str, value: Any, like: Any) -> Any:
    """Turn a value from a form or a command line into the type that the knob has."""
    if isinstance(like, bool):
        if isinstance(value, bool):
            return value
        if str(value).lower() in ("true", "yes", "on", "1", "false", "no", "off", "0"):
            return str(value).lower() in ("true", "yes", "on", "1")
    elif isinstance(like, int | float):
        try:
            number = float(value)
            if isinstance(like, float):
                return number
            if number.is_integer():
                return int(number)
        except (TypeError, ValueError):
            pass
    else:
        return str(value)
    kind = {bool: "yes or no", int: "a whole number", float: "a number"}[type(like)]
    raise LnlError(f"{method}: {name} must be {kind}, got “{value}”.")
