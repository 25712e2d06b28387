"""One file, one method: its card stands at the end of it, and this package finds them all.

A method of another package is found through the entry point group `lnl_review.methods`. Importing
this pulls in no torch: a method imports what trains inside its `fit`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from types import ModuleType
from typing import TYPE_CHECKING

from lnl_core.methods import _finding
from lnl_core.types import Leaves, Method, NotFound, kind_of_pictures, meant

if TYPE_CHECKING:
    from pandas import DataFrame

METHODS: dict[str, Method]
"""Key -> method: the published ones, then the baselines, each in the order of its card."""

PROBLEMS: list[str]
"""A sentence for each method of another package that could not be taken."""

METHODS, PROBLEMS = _finding.with_plugins(_finding.built_in(__name__, __path__))

OWN = "own"
"""Method key of a run that nobody here has run, alone or before a hyphen and its title."""


AT = "@"
"""Between a method's key and the frozen features that a run of it trained on."""


def card(key: str) -> Method:
    """Return the method of a key.

    Raises:
        LnlError: there is none, perhaps because its package is not installed here.
    """
    if key not in METHODS:
        raise NotFound(
            f"There is no method “{key}”.{meant(key, METHODS)} Known: {', '.join(METHODS)}."
        )
    return METHODS[key]


def recommended() -> list[str]:
    """Return the keys of what a first scoring runs, the quickest first: the default recipe.

    What learns on ready features gives a queue within seconds.
    """
    chosen = [key for key, each in METHODS.items() if each.recommended]
    return sorted(chosen, key=lambda key: "features" not in METHODS[key].needs)


def default_runs(height: int, width: int, channels: int) -> list[str]:
    """Return the runs of the default recipe for such images, `method[@features]`.

    Colour photographs: heads on pretrained features give a queue at once, and a network that knows
    ImageNet sees something else; no mixture measured does better, all methods included
    (`benchmarks/detection.py`, `benchmarks/real.py`). Neighbours are not among them: they gain .005
    of average precision where classes are even and lose .07 where one is forty times another. Grey
    images are less like ImageNet, so a network learns them from scratch. Up to `SMALL_SIDE` pixels
    an image has no other features than itself, and networks from scratch take seconds.

    Args:
        height: of the working images, in pixels.
        width: likewise.
        channels: 1 or 3.

    Returns:
        Names as `signal_key` makes them, the quickest first.
    """
    kind = kind_of_pictures(height, width, channels)
    chosen = [(key, one.first_on[kind]) for key, one in METHODS.items() if kind in one.first_on]
    chosen.sort(key=lambda run: (not METHODS[run[0]].needs, not run[1]))
    return [f"{key}{AT}{features}" if features else key for key, features in chosen]


def yardstick() -> Method:
    """Return plain training, which all others are judged against."""
    return next(each for each in METHODS.values() if each.yardstick)


def leaves(key: str, what: Leaves) -> bool:
    """Say whether runs of a method leave something behind; not of a method that is unknown here."""
    return key in METHODS and what in METHODS[key].leaves


def that_leave(what: Leaves) -> list[str]:
    """Return the short names of methods whose runs leave something behind, for a hint.

    Where any of them are recommended, these; else all of them. Neighbours are also found on the
    features that a method needs.
    """
    known = [
        each
        for each in METHODS.values()
        if what in each.leaves or (what is Leaves.NEIGHBOURS and "features" in each.needs)
    ]
    usual = [each for each in known if each.recommended]
    return [each.short or each.title for each in usual or known]


def signal_key(method: str, representation: str, usual: str) -> str:
    """Return the name under which a run enters the consensus, `method[@features]`.

    The newest run of each name counts. A head on frozen features and the same method's network on
    pixels see different things, so they have two names.

    Args:
        method: key of the method.
        representation: of the run: `pixels`, `auto` or the name of features.
        usual: the features that `auto` stands for on this data set.
    """
    takes_features = method in METHODS and "features" in METHODS[method].needs
    plain = {"pixels", "auto"} | ({usual} if takes_features else set())
    return method if representation in plain else f"{method}{AT}{representation}"


def taught(keys: Iterable[str]) -> set[str]:
    """Return those signal keys whose probabilities come from models that learned the same labels.

    What is out of fold is none of them, nor is a person's own model: nobody knows how it was made.
    """
    return {key for key in keys if key.partition(AT)[0] in METHODS and not out_of_fold(key)}


def out_of_fold(key: str) -> bool:
    """Say whether no model behind a signal key's probabilities has seen the label that it judges.

    Folds of a head are none of the network below it: features of a run were taught every label.
    """
    plain, _, representation = key.partition(AT)
    return plain in METHODS and METHODS[plain].out_of_fold and not representation.startswith("run:")


def title_of(key: str) -> str:
    """Return a method's name on screen; what is not found is called by its key.

    A reconstruction is called so before anything that may be cut off.
    """
    plain, at, representation = key.partition(AT)
    if plain in METHODS:
        title = METHODS[plain].title
        title += " (reconstruction)" if METHODS[plain].reconstruction else ""
    else:
        title = _own(plain)
        title += " (own)" if title != plain else ""
    return f"{title}, {representation.replace(':', ' ')}" if at else title


def short_of(key: str) -> str:
    """Return a method's name where there is little room; a name of one's own is not shortened."""
    plain, at, representation = key.partition(AT)
    method = METHODS.get(plain)
    short = _own(plain) if method is None else method.short or method.title
    return f"{short} {representation[:4]}." if at else short


def _own(key: str) -> str:
    """Return the title of a person's own model, the key itself where it is none."""
    return key.removeprefix(f"{OWN}-")


def _table() -> DataFrame:
    """Return what can be run, a row per method key, in the order of the Runs page.

    Returns:
        Columns `title`, `summary`, `reference`, `group` (published or baseline), `reconstruction`
        (built without the paper's full text), `features` (it learns on features, so it takes
        seconds) and `first_on` (kinds of images for which the default recipe runs it).
    """
    import pandas as pd

    cards = METHODS.values()
    return pd.DataFrame(
        {
            "title": [each.title for each in cards],
            "summary": [each.summary for each in cards],
            "reference": [each.reference for each in cards],
            "group": [str(each.group) for each in cards],
            "reconstruction": [each.reconstruction for each in cards],
            "features": ["features" in each.needs for each in cards],
            "first_on": [", ".join(sorted(map(str, each.first_on))) for each in cards],
        },
        index=pd.Index(METHODS, name="key"),
    )


class _Callable(ModuleType):
    """`lnl_core.methods` is this package, and `lnl_core.methods()` the table of what is in it."""

    def __call__(self) -> DataFrame:
        return _table()


_Callable.__call__.__doc__ = _table.__doc__
sys.modules[__name__].__class__ = _Callable
