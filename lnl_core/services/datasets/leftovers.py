"""What imports, uploads and removals that were killed left in a workspace, swept at the next start.

Everything half made is marked by the process that makes it; only what a dead one left goes.
"""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

from lnl_core.services.datasets import incoming
from lnl_core.store import owned
from lnl_core.types import LnlError, Workspace


def sweep(ws: Workspace) -> list[Path]:
    """Remove what dead processes left; return what went. Nothing where the workspace is in use."""
    gone: list[Path] = []
    with suppress(LnlError):  # a database that is busy or damaged: the next start looks again
        gone += owned.sweep(ws)
    gone += owned.sweep_folders(ws.home / "incoming")
    busy = {file.parent for file in incoming.uploads_being_read(ws)}
    for folder in (ws.home / "imports").glob(f"{incoming.UPLOAD}*"):
        if folder not in busy and owned.abandoned(folder):
            shutil.rmtree(folder, ignore_errors=True)
            gone.append(folder)
    return gone
