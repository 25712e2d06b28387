"""What a page needs of Python's modules, loaded while its browser still loads its own part.

A browser takes most of a second from a page's first byte to its first message, and the server has
nothing to do meanwhile. Before that byte nothing is loaded ahead: it would only come later.
"""

from __future__ import annotations

import importlib
import threading
from functools import lru_cache

FRAME = ("pages._frame", "pages._rescue", "pages._tour", "pages._who")
TABLES = ("scipy.special", "pyarrow.parquet", "pandas")
FIGURES = (*TABLES, "plotly.graph_objects")
PICTURES = ("lnl_core.data.images", "lnl_core.data.files")

MODULES: dict[str, tuple[str, ...]] = {
    "": ("pages._data.sets", "plotly.graph_objects"),
    "runs": ("pages._runs.methods", *TABLES),
    "review": ("pages._review.desk", "pyarrow.parquet", *PICTURES),
    "explore": ("pages._explore.page", *FIGURES),
    "compare": ("pages._compare.page", *FIGURES),
    "export": ("pages._export.page", *TABLES),
    "team": ("pages._team.page", *TABLES),
}
"""Page -> the modules that it loads beside the frame's, its own first."""


@lru_cache(maxsize=len(MODULES))
def load(page: str) -> None:
    """Load a page's modules in a thread of their own, once per process."""
    names = (*FRAME, *MODULES[page])
    threading.Thread(target=_load, args=(names,), name=f"ahead-{page}", daemon=True).start()


def _load(names: tuple[str, ...]) -> None:
    for name in names:
        importlib.import_module(name)
