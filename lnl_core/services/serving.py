"""Which server shows a workspace: it leaves its address there, and a second one need not start."""

from __future__ import annotations

import http.client
import ipaddress
import json
import os
import ssl
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from lnl_core.store import arrays
from lnl_core.store.processes import process_started
from lnl_core.types import LnlError, Workspace

ROUTE = "lnl/server"
"""Where a server says who it is, below its address."""

_PATIENCE = 10.0
"""Seconds until a server that is busy counts as one that does not answer."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server of one workspace.

    Attributes:
        url: its address, as a browser on this machine takes it, without a slash at the end.
        host: what it listens on; "0.0.0.0" is every address of this machine.
        pid: its process.
        started: when that process started, by a clock that nobody sets; tells two with one number
            apart.
    """

    url: str
    host: str
    pid: int
    started: float


def is_loopback(host: str) -> bool:
    """Tell whether only this machine reaches a server that listens on `host`."""
    if host.casefold() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def address(host: str, port: int, base: str = "", *, tls: bool = False) -> str:
    """Return where a browser on this machine finds a server, whatever it listens on."""
    name = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host.strip("[]"), host)
    name = f"[{name.strip('[]')}]" if ":" in name else name
    path = f"/{base.strip('/')}".rstrip("/")
    return f"http{'s' if tls else ''}://{name}:{port}{path}"


def identity() -> dict[str, float | None]:
    """Return what tells this process from any other, before and after it."""
    return {"pid": os.getpid(), "started": process_started(os.getpid())}


def announce(ws: Workspace, url: str, host: str) -> None:
    """Write down that this process shows the workspace; of two servers the latest counts.

    Raises:
        LnlError: the workspace cannot be written.
    """
    arrays.write_json(_record(ws), {"url": url, "host": host} | identity())


def withdraw(ws: Workspace) -> None:
    """Take back what `announce` wrote, unless another server has announced itself since."""
    server = _announced(ws)
    if server is not None and identity() == {"pid": server.pid, "started": server.started}:
        _record(ws).unlink(missing_ok=True)


def running(ws: Workspace) -> Server | None:
    """Return the server that shows the workspace now; None where none answers as itself.

    What a dead server left does not mislead: whoever listens there now must name the same process
    and the same start.
    """
    server = _announced(ws)
    if server is None:
        return None
    with suppress(OSError, http.client.HTTPException, ValueError):
        said = _ask(f"{server.url}/{ROUTE}")
        if said == {"pid": server.pid, "started": server.started}:
            return server
    return None


def _record(ws: Workspace) -> Path:
    return ws.home / "server.json"


def _announced(ws: Workspace) -> Server | None:
    try:
        return Server(**arrays.read_json(_record(ws)))
    except (OSError, ValueError, TypeError):  # none, half a file, or another version's
        return None


def _ask(url: str) -> object:
    """Get JSON from this machine: past any proxy, and by a name that every server answers to."""
    parts = urlsplit(url)
    if parts.hostname is None:
        raise ValueError(f"{url} names no machine")
    link = http.client.HTTPConnection(parts.hostname, parts.port, timeout=_PATIENCE)
    if parts.scheme == "https":  # its certificate is made out to another name than this machine's
        unverified = ssl._create_unverified_context()
        link = http.client.HTTPSConnection(
            parts.hostname, parts.port, timeout=_PATIENCE, context=unverified
        )
    try:
        link.request("GET", parts.path, headers={"Host": "localhost"})
        answer = link.getresponse()
        return json.loads(answer.read(1000)) if answer.status == 200 else None
    finally:
        link.close()


# Where the app lies ---------------------------------------------------------------------------


def app_file() -> Path:
    """Return the app's script: inside an installed package, or at the top of the clone around it.

    Raises:
        LnlError: neither is there. An `app.py` that happens to lie about is never taken for it.
    """
    package = Path(__file__).resolve().parents[1]
    installed, clone = package / "_app" / "app.py", package.parent
    if installed.is_file():
        return installed
    if (clone / "app.py").is_file() and (clone / "hatch_build.py").is_file():
        return clone / "app.py"
    raise LnlError(
        "The app is missing beside the library: this installation is incomplete. "
        "Install lnl-review again."
    )
