"""One file, one method: this package finds them. A leading underscore hides a file.

Importing it pulls in no torch: a method imports what trains inside its `fit`.
"""

from __future__ import annotations

import importlib
import pkgutil

from lnl_core.types import Method

_PUBLISHED = ("sr", "jump", "influence", "dmlp", "hnml")
_ORDER = (*_PUBLISHED, "probe", "finetune", "ce", "confident", "knn", "aum")


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


AT = "@"
"""Between a method's key and the frozen features that a run of it trained on."""


def signal_key(method: str, representation: str, usual: str) -> str:
    """Return the name under which a run's opinion enters the consensus, `method[@features]`.

    The newest run of each name speaks: a head on frozen features sees other things than the same
    method's network on pixels, so both are heard.

    Args:
        method: key of the method.
        representation: of the run: `pixels`, `auto` or the name of features.
        usual: the features that `auto` stands for on this data set.
    """
    takes_features = method in METHODS and "features" in METHODS[method].needs
    plain = {"pixels", "auto"} | ({usual} if takes_features else set())
    return method if representation in plain else f"{method}{AT}{representation}"


def title_of(key: str) -> str:
    """Return a method's name on screen; what is not found is called by its key."""
    key, at, representation = key.partition(AT)
    if key in METHODS:
        title = METHODS[key].title
    elif key.startswith(f"{OWN}-"):
        title = key.removeprefix(f"{OWN}-") + " (own)"
    else:
        title = key
    return f"{title}, {representation.replace(':', ' ')}" if at else title
