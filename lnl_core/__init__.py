"""LNL Review: find, see and fix the wrong labels of an image set.

    import lnl_core as lnl

    lnl.find_label_errors(labels, pred_probs)   # a mask, from probabilities that you have
    lnl.rank_probs(labels, [first, second])     # several models' probabilities, pooled
    lnl.rank("photos/")                         # methods run here, a row per image
    lnl.methods()                               # which there are
    lnl.Workspace()                             # what the app shows, shared with it

Importing this loads neither Streamlit nor torch; each name is loaded when it is asked for.
"""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

__all__ = [
    "LnlError",
    "Workspace",
    "__version__",
    "find_label_errors",
    "methods",
    "rank",
    "rank_probs",
]

if TYPE_CHECKING:
    from lnl_core import methods
    from lnl_core.library.probabilities import find_label_errors, rank_probs
    from lnl_core.library.ranking import rank
    from lnl_core.library.workspace import Workspace
    from lnl_core.records import LnlError
else:
    _PLACES = {
        "LnlError": "lnl_core.records",
        "Workspace": "lnl_core.library.workspace",
        "find_label_errors": "lnl_core.library.probabilities",
        "rank": "lnl_core.library.ranking",
        "rank_probs": "lnl_core.library.probabilities",
    }

    def __getattr__(name: str) -> Any:
        from importlib import import_module

        if name == "methods":
            return import_module("lnl_core.methods")  # a package that can be called
        if name not in _PLACES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(_PLACES[name]), name)

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
