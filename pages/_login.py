"""Whether a login is configured, whether somebody is logged in, and when the server needs one."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request

from lnl_core.services import serving


def configured() -> bool:
    """Tell whether `secrets.toml` configures a login (`[auth]`)."""
    from streamlit.runtime.secrets import secrets_singleton

    return secrets_singleton.load_if_toml_exists() and "auth" in secrets_singleton


def may_see(request: Request) -> bool:
    """Tell whether the person may see pictures: always, unless `[auth]` asks for a login."""
    return not configured() or _said(request) is not None


def login(request: Request) -> str | None:
    """Return the login that a request brings, as reviewers are known by; None without one."""
    said = _said(request) if configured() else None
    return None if said is None else subject(said)


def subject(said: Mapping[str, Any]) -> str:
    """Return issuer, `#` and subject: what a provider never gives to two people."""
    return f"{said.get('iss') or ''}#{said.get('sub') or said.get('email') or ''}"


def _said(request: Request) -> dict[str, Any] | None:
    """Return what the login cookie says of somebody logged in; None without one of this server."""
    try:  # Streamlit has no public way to read its own login cookie
        from streamlit.web.server.starlette import starlette_websocket as cookies
        from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

        cookie = cookies._get_signed_cookie_with_chunks(dict(request.cookies), USER_COOKIE_NAME)
    except (ImportError, AttributeError):
        return None
    if cookie is None:
        return None
    said: dict[str, Any] = json.loads(cookie)  # signed by this server
    here = urlsplit(str(said.get("origin"))).netloc == request.headers.get("host")
    return said if here and said.get("is_logged_in") is True else None


def check_address(address: str | None) -> str | None:
    """Return why a server must not listen on an address, and what to set; None where it may.

    Args:
        address: `server.address`; None and "" are every address of this machine.
    """
    if address and (serving.is_loopback(address) or address.startswith("unix:")):
        return None
    missing = []
    if not os.environ.get("LNL_ALLOWED_HOSTS", "").strip(" ,"):
        missing.append("LNL_ALLOWED_HOSTS to the names that people type, separated by commas")
    if not configured():
        missing.append("[auth] in secrets.toml to your login provider")
    if not missing:
        return None
    return (
        f"Listening on {address or 'every address'} lets other computers in, and whoever gets in "
        f"sees every image, decides and starts runs. Set {' and '.join(missing)}, or listen on "
        "127.0.0.1 (the default) and reach it through ssh -L."
    )
