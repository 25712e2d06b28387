"""Who may ask this server anything: checked before Streamlit sees a request.

A page elsewhere in somebody's browser can send requests to this machine too. They carry its
`Origin`, and they end here: Streamlit would ask an outside address for its own to judge them.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pages import _login

PORTS = {"http": 80, "https": 443}
GUARDED = ("/_stcore/metrics",)
"""What Streamlit serves to everybody and a login must cover."""

HEADERS = {"Content-Security-Policy": "frame-ancestors 'none'", "X-Frame-Options": "DENY"}
"""On every answer: no page elsewhere shows the desk in a frame and lends it clicks."""


def is_own(origin: str, host: str) -> bool:
    """Tell whether an `Origin` is the very server that the `Host` names, port included."""
    try:
        found = urlsplit(origin)
        named = urlsplit(f"{found.scheme}://{host}")
        usual = PORTS.get(found.scheme)
        same_port = (found.port or usual) == (named.port or usual)
    except ValueError:
        return False
    return usual is not None and same_port and found.hostname == named.hostname is not None


def refusal(kind: str, headers: Mapping[str, str]) -> str | None:
    """Return why a request is refused, None where it may go on.

    Args:
        kind: "http" or "websocket".
        headers: by lower-case name. Browsers send `Origin` with every WebSocket and with every
            request that a page elsewhere makes, programs on this machine with neither.
    """
    origin, host = headers.get("origin"), headers.get("host", "")
    if origin is None:
        return "A WebSocket needs an Origin." if kind == "websocket" else None
    if is_own(origin, host):
        return None
    return (
        "Only this server's own pages may ask. Behind a proxy, pass the Host header on unchanged "
        "(nginx: proxy_set_header Host $http_host)."
    )


class Gate:
    """ASGI middleware: refuses what other pages send, and puts `HEADERS` on every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        why = refusal(scope["type"], HTTPConnection(scope).headers)
        if why is None and await self._needs_login(scope):
            why = "Sign in first."
        if why is None:
            await self.app(scope, receive, _marked(send))
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": "not from this server"})
        else:
            await PlainTextResponse(why, 403)(scope, receive, _marked(send))

    async def _needs_login(self, scope: Scope) -> bool:
        if scope["type"] != "http" or not scope["path"].rstrip("/").endswith(GUARDED):
            return False
        return not await run_in_threadpool(_login.may_see, Request(scope))


def _marked(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
        await send(message)

    return sending
