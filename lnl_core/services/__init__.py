"""One function per thing that a person does; pages and the command line call only these.

Nothing here imports torch: training happens in the worker's process. `_public` lists the functions
of all pages; it is loaded when one of them is asked for here, so that a command which needs one
room (`from lnl_core.services.runs.status import status`) does not load the others.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lnl_core.services._public import *  # noqa: F403
else:

    def __getattr__(name: str) -> Any:
        from importlib import import_module

        public = import_module("lnl_core.services._public")
        if name not in public.__all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(public, name)
