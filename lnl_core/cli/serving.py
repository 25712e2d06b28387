"""`lnl open`: start the app for this workspace, or find the one that runs; show it in a browser."""

from __future__ import annotations

import argparse
import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from lnl_core.cli.command import Command
from lnl_core.cli.screen import DONE, FAILED, say
from lnl_core.records import LnlError

if TYPE_CHECKING:
    from lnl_core.records import Workspace
    from lnl_core.services.serving import Server

FIRST_PORT, PORTS = 8501, 100
"""Without --port, the first free one of so many from here on."""

_PATIENCE = 120.0
"""Seconds that a busy machine may take until the app answers; usually two."""

_FAREWELL = 10.0
"""Seconds that the app may take to end."""


def serving_arguments(one: argparse.ArgumentParser) -> None:
    """Add what `lnl open`, and the commands that end with it, can be told."""
    one.add_argument(
        "--port", type=_port, help=f"port to listen on (default: the first free from {FIRST_PORT})"
    )
    one.add_argument(
        "--host",
        help="address to listen on (default: 127.0.0.1, for this computer alone); any other lets "
        "other computers in, and needs LNL_ALLOWED_HOSTS and a login ([auth])",
    )
    one.add_argument("--no-browser", action="store_true", help="print the address, open no browser")


def _port(text: str) -> int:
    """Read a port as argparse asks: what raises is bad usage."""
    if not (text.isdecimal() and 1 <= int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"a port is a number from 1 to 65535, got {text}")
    return int(text)


def open_desk(options: Any, query: str = "") -> int:
    """Show the app: the server that runs for this workspace, or a new one that this command ends.

    Args:
        options: `port`, `host`, `no_browser` and `json` of the command line.
        query: what the browser's address ends with, such as `?tour=1`.

    Raises:
        LnlError: the port is taken, the host is not this computer's, the workspace is open
            elsewhere than asked for, or the app does not answer.
    """
    from lnl_core.services import serving
    from lnl_core.services.workspace import open_workspace

    ws = open_workspace()
    known = serving.running(ws)
    if known is not None:
        _refuse_to_move(known, options.host, options.port)
        _show(options, known, query, "is open already")
        return DONE
    host = options.host or "127.0.0.1"
    port = _free_port(host, options.port)
    process = subprocess.Popen(
        command(serving.app_file(), host, port),
        cwd=ws.home,  # the caller's folder may hold the .streamlit/ of another app
        env=os.environ | {"LNL_HOME": str(ws.home)},
        stdin=subprocess.DEVNULL,
        stdout=2,  # standard output is this command's own, for programs to read
    )
    code = DONE  # after Ctrl-C too, whatever an app that had only just begun makes of it
    with _ending(process):
        server = _answering(ws, process)
        if server is None:
            return FAILED
        _say_who_gets_in(host, port)
        _show(options, server, query, "is open")
        if process.wait() not in (0, -signal.SIGINT, -signal.SIGTERM):
            code = FAILED
    return code


OPEN = Command(
    "open",
    "Open the desk in the browser; a second time, the server that runs.",
    open_desk,
    serving_arguments,
    (
        "lnl open",
        "lnl open --no-browser --port 9000                on a server: says how to reach it",
    ),
)


def command(app: Path, host: str, port: int) -> list[str]:
    """Return what runs the app; what must hold everywhere is said here, above any config file.

    `-P` keeps the current folder off the path, where another `streamlit` or `pages` may lie.
    """
    options = {
        "server.address": host,
        "server.port": str(port),
        "server.headless": "true",  # the browser is opened here, once the app answers
        "server.showEmailPrompt": "false",
        "browser.gatherUsageStats": "false",
        "logger.hideWelcomeMessage": "true",
    }
    said = [word for name, value in options.items() for word in (f"--{name}", value)]
    return [sys.executable, "-P", "-m", "streamlit", "run", str(app), *said]


# Ports ----------------------------------------------------------------------------------------


def _refuse_to_move(known: Server, host: str | None, port: int | None) -> None:
    """Check that the server that runs is where it is asked for; it cannot move.

    Raises:
        LnlError: another host or port is asked for.
    """
    from lnl_core.services import serving

    same_host = host in (None, known.host) or (
        serving.is_loopback(host or "") and serving.is_loopback(known.host)
    )
    if not same_host or port not in (None, urlsplit(known.url).port):
        raise LnlError(
            f"This workspace is open already at {known.url}. Leave --host and --port out, or end "
            f"that server first: Ctrl-C in its terminal, or kill {known.pid}."
        )


def _free_port(host: str, wanted: int | None) -> int:
    """Return the port that is asked for, else the first free one.

    Raises:
        LnlError: it is taken, none is free, or the host is not this computer's.
    """
    import socket

    for port in [wanted] if wanted else range(FIRST_PORT, FIRST_PORT + PORTS):
        try:
            _bind(host, port)
        except socket.gaierror as error:
            raise LnlError(f"--host {host} is no address of this computer.") from error
        except PermissionError as error:
            raise LnlError(f"Port {port} is the system's. Take one from 1024 on.") from error
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL:
                raise LnlError(f"--host {host} is no address of this computer.") from error
            continue
        return port
    if wanted:
        raise LnlError(f"Port {wanted} is taken. Without --port, lnl open takes a free one.")
    raise LnlError(f"No port from {FIRST_PORT} to {port} is free. Name another with --port.")


def _bind(host: str, port: int) -> None:
    """Take a port for a moment, as the server will."""
    import socket

    family, kind, number, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, number) as probe:
        if os.name == "posix":  # a port that was just given back is free; Windows means more by it
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(place)


# The process ----------------------------------------------------------------------------------


@contextmanager
def _ending(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Let the app end with this command, however that ends; Ctrl-C is the usual way."""
    before = signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    try:
        yield
    except KeyboardInterrupt:  # the terminal has told the app too
        pass
    finally:
        process.terminate()
        try:
            process.wait(_FAREWELL)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        signal.signal(signal.SIGTERM, before)


def _answering(ws: Workspace, process: subprocess.Popen[bytes]) -> Server | None:
    """Wait until the app answers; None where it ended, which it has explained itself.

    Raises:
        LnlError: it runs and does not answer.
    """
    from lnl_core.services import serving

    give_up = time.monotonic() + _PATIENCE
    while time.monotonic() < give_up:
        if process.poll() is not None:
            return None
        server = serving.running(ws)
        if server is not None:
            return server
        time.sleep(0.1)
    raise LnlError(f"The app did not answer within {_PATIENCE:.0f} seconds. Try again.")


# What the person is told ----------------------------------------------------------------------


def _show(options: Any, server: Server, query: str, state: str) -> None:
    """Say where the app is, and open the browser there or say how to reach it."""
    import webbrowser

    url = f"{server.url}/{query}" if query else server.url
    lines = [f"The desk {state} at {url}"]
    if state == "is open":
        lines.append("Ctrl-C here ends it; runs go on.")
    if not has_screen() or os.environ.get("SSH_CONNECTION"):
        lines += ["From your own computer, forward the port and open that address there:"]
        lines += [f"  {tunnel(server.url)}"]
    say(options, {"url": url, "pid": server.pid}, "\n".join(lines))
    sys.stdout.flush()  # the server goes on, and so does this command
    if has_screen() and not options.no_browser and not webbrowser.open(url):
        print("No browser was found: open the address yourself.", file=sys.stderr)


def has_screen() -> bool:
    """Tell whether the person would see a browser that is opened on this machine."""
    if sys.platform in ("win32", "darwin"):
        return not os.environ.get("SSH_CONNECTION")
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))


def tunnel(url: str) -> str:
    """Return the command for one's own computer that leads to a server on this machine."""
    import getpass
    import socket

    place = urlsplit(url).netloc
    port = place.rpartition(":")[2]
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container may know the number of its user only
        user = "USER"
    seen = os.environ.get("SSH_CONNECTION", "").split()  # client, its port, server, its port
    way = f"-p {seen[3]} " if len(seen) == 4 and seen[3] != "22" else ""
    return f"ssh {way}-L {port}:{place} {user}@{socket.gethostname()}"


def _say_who_gets_in(host: str, port: int) -> None:
    """Warn where the server listens to more than this computer."""
    from lnl_core.services import serving

    if serving.is_loopback(host):
        return
    names = os.environ.get("LNL_ALLOWED_HOSTS", "").strip(" ,")
    print(
        f"--host {host}: other computers reach port {port} too, under {names} "
        "(LNL_ALLOWED_HOSTS); nothing is encrypted.",
        file=sys.stderr,
    )
