"""Which methods there are: the files of this room, then those that other packages offer."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from lnl_core.types import PRESETS, Group, Method

ENTRY_POINTS = "lnl_review.methods"
"""Group of entry points under which a package offers a `Method`."""


def built_in(package: str, path: Iterable[str]) -> dict[str, Method]:
    """Return the methods of this room, by key; a file with a leading underscore is none."""
    names = [m.name for m in pkgutil.iter_modules(path) if not m.name.startswith("_")]
    methods = [importlib.import_module(f"{package}.{name}").METHOD for name in names]
    return {method.key: method for method in methods}


def with_plugins(known: Mapping[str, Method]) -> tuple[dict[str, Method], list[str]]:
    """Add what other packages offer, in the order of the cards.

    Args:
        known: the built-in methods, by key.

    Returns:
        methods: key -> method, published ones first, by place and key.
        problems: a sentence for each method that is left out, and why.
    """
    methods, problems = dict(known), []
    offered = entry_points(group=ENTRY_POINTS)
    for entry in sorted(offered, key=lambda entry: (_package(entry), entry.name)):
        try:
            method = _load(entry)
            if method.key in known:
                raise ValueError(f"the key {method.key!r} is that of a built-in method")
            if method.key in methods:
                raise ValueError(f"another package has a method of the key {method.key!r}")
        except (Exception, SystemExit) as error:  # whatever its code does, the desk opens
            what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            problems.append(
                f"The method “{entry.name}” of the package {_package(entry)} is left out "
                f"({what}). Update or uninstall that package."
            )
        else:
            methods[method.key] = method
    return dict(sorted(methods.items(), key=_order)), problems


def _order(one: tuple[str, Method]) -> tuple[int, int, str]:
    key, method = one
    return list(Group).index(method.group), method.place, key


def _package(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist is not None else entry.value.partition(":")[0]


def _load(entry: EntryPoint) -> Method:
    """Import what an entry point names and try its card.

    Raises:
        ValueError: it is no method, or one that no page could show.
    """
    method = entry.load()
    if not isinstance(method, Method):
        raise ValueError(f"{entry.value} is no lnl_core.types.Method")
    kind: Any = method.config
    if not hasattr(kind, "__dataclass_fields__"):
        raise ValueError("its config is no dataclass")
    kind()
    for preset in PRESETS:
        knobs = kind.preset(preset, 60, 3, 32)
        if not isinstance(knobs, kind):
            raise ValueError(f"its preset {preset} is no {kind.__name__}")
        method.estimate(60, 32, knobs, 3)
    return method
