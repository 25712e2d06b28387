"""One file, one method: this package finds them. A leading underscore hides a file.

Importing it pulls in no torch: a method imports what trains inside its `fit`.
"""

from __future__ import annotations

import importlib
import pkgutil

from lnl_core.types import Method

_ORDER = ("sr", "jump", "influence", "dmlp", "hnml", "probe", "ce", "confident", "knn", "aum")


def _find() -> dict[str, Method]:
    names = [m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_")]
    found = [importlib.import_module(f"{__name__}.{name}").METHOD for name in names]
    place = {key: i for i, key in enumerate(_ORDER)}
    found.sort(key=lambda method: (place.get(method.key, len(_ORDER)), method.key))
    return {method.key: method for method in found}


METHODS: dict[str, Method] = _find()
"""Key -> method: the five published ones, then the baselines, then yours by name."""

OWN = "own"
"""Method key of a run that nobody here has run, alone or before a hyphen and its title."""


def title_of(key: str) -> str:
    """Return a method's name on screen; what is not found is called by its key."""
    if key in METHODS:
        return METHODS[key].title
    return key.removeprefix(f"{OWN}-") + " (own)" if key.startswith(f"{OWN}-") else key
