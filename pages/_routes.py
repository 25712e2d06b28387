"""Images and evidence over HTTP: numbers and digests in, never a path.

These requests carry no Streamlit session, so each one checks by itself: the host (middleware), the
login where `[auth]` is configured, and for evidence that our own page asks.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from streamlit import config

from lnl_core.services import doctor, serving
from lnl_core.services.datasets import leftovers
from lnl_core.services.review import activation_maps, advised, evidence, holding, pictures
from lnl_core.services.team import roles
from lnl_core.services.workspace import dataset_by_id
from lnl_core.types import DatasetInfo, LnlError, Workspace
from pages import _gate, _login, _shell, _ui, _urls, _words
from pages._components import _assets

log = logging.getLogger("lnl.server")

LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1", "[::1]")
LARGEST = 2**31 - 1
"""Largest number of a data set or row; more digits than this are nobody's."""

SWITCH = 0.001
"""Seconds after which a thread lets another one go on. An answer to the browser passes through
several threads; with Python's 5 ms each of them waits so long while a page is being drawn."""

COPY_SECONDS = 3600.0
"""How often a server looks whether the database is to be copied."""

LONGEST_TAB = 64
"""Letters of a tab's name."""

LONGEST_NAME = 240
"""Bytes of a reviewer's name."""

COMMON = {"X-Content-Type-Options": "nosniff", "Cross-Origin-Resource-Policy": "same-origin"}
FOREVER = {"Cache-Control": "private, max-age=31536000, immutable"}
NEVER = {"Cache-Control": "no-store"}


def missing() -> Response:
    return PlainTextResponse("There is no such thing here.", 404, headers=COMMON | NEVER)


def _numbers(request: Request) -> tuple[int, int] | None:
    """Return data set and row, or None for an address that is not one of ours."""
    where: dict[str, Any] = request.path_params
    if f"/{where['base']}".rstrip("/") != _urls.base_path():
        return None
    dataset, row = where["dataset"], where["row"]
    return (dataset, row) if max(dataset, row) <= LARGEST else None


async def _image(request: Request) -> Response:
    """Send one picture; the digest in the address lets the browser keep it for good."""
    numbers = _numbers(request)
    if numbers is None:
        return missing()
    if not await run_in_threadpool(_login.may_see, request):
        return PlainTextResponse("Sign in first.", 403, headers=COMMON | NEVER)
    version, size = request.path_params["version"], request.path_params["size"]
    try:
        data, media_type = await run_in_threadpool(_read, *numbers, version, size)
    except (LnlError, OSError, ValueError):  # also where the working copy is damaged
        return missing()
    return Response(data, media_type=media_type, headers=COMMON | FOREVER)


def _dataset(number: int) -> DatasetInfo:
    return dataset_by_id(_ui.workspace(), number)


def _read(dataset: int, row: int, version: str, size: str) -> tuple[bytes, str]:
    return pictures.image_bytes(_dataset(dataset), version, row, size)


async def _evidence(request: Request) -> Response:
    """Send what the methods say of one image; the review page asks once the person has answered."""
    numbers = _numbers(request)
    return missing() if numbers is None else await run_in_threadpool(_said, request, *numbers)


def _said(request: Request, dataset: int, row: int) -> Response:
    if not from_our_page(request) or not _login.may_see(request):
        return PlainTextResponse("Only the review page may ask.", 403, headers=COMMON | NEVER)
    try:
        facts = evidence.evidence(_dataset(dataset), row)
    except LnlError:
        return missing()
    said = {row: _words.sentence(one) for row, one in facts["said"].items()}
    return JSONResponse(facts | {"said": said}, headers=COMMON | NEVER)


async def _advised(request: Request) -> Response:
    """Note whom the page shows the evidence on an image, without the answer.

    The body says who, where no login does.
    """
    numbers = _numbers(request)
    if numbers is None:
        return missing()
    if not from_our_page(request) or not await run_in_threadpool(_login.may_see, request):
        return PlainTextResponse("Only the review page may ask.", 403, headers=COMMON | NEVER)
    who = await _body(request, LONGEST_NAME)
    if who is None:
        return PlainTextResponse("That is no name.", 400, headers=COMMON | NEVER)
    name, (dataset, row) = who.decode("utf-8", "replace"), numbers
    login = await run_in_threadpool(_login.login, request)
    if login is not None:
        name = await run_in_threadpool(lambda: roles.known(_ui.workspace(), login) or "")
        if not name:
            return missing()
    try:
        await run_in_threadpool(lambda: advised.note(_dataset(dataset), name, row))
    except LnlError:
        return missing()
    return Response(status_code=204, headers=COMMON | NEVER)


async def _maps(request: Request) -> Response:
    """Send where a network looks, or that the worker is at it; asked again until it is there."""
    numbers = _numbers(request)
    if numbers is None:
        return missing()
    if not from_our_page(request) or not await run_in_threadpool(_login.may_see, request):
        return PlainTextResponse("Only the review page may ask.", 403, headers=COMMON | NEVER)
    label = request.query_params.get("label", "")
    other = int(label) if label.isdigit() and len(label) < 10 else None
    source, anyway = request.query_params.get("source", ""), "anyway" in request.query_params
    try:
        answer = await run_in_threadpool(
            lambda: activation_maps.where_it_looks(
                _dataset(numbers[0]), numbers[1], other, source, anyway=anyway
            )
        )
    except LnlError as error:
        return JSONResponse({"state": "failed", "words": str(error)}, headers=COMMON | NEVER)
    return JSONResponse(answer, headers=COMMON | NEVER)


def from_our_page(request: Request) -> bool:
    """Tell whether a page of this very server asks, as far as browsers say."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


def allowed_hosts() -> list[str]:
    """Return the host names that this server answers to: this machine, and LNL_ALLOWED_HOSTS."""
    more = os.environ.get("LNL_ALLOWED_HOSTS", "").split(",")
    return [*LOCAL_HOSTS, *(name.strip() for name in more if name.strip())]


@asynccontextmanager
async def lifespan(_app: object) -> AsyncIterator[dict[str, Any]]:
    """Open and announce the workspace before the first request; tell Streamlit our hosts."""
    if extra := allowed_hosts()[len(LOCAL_HOSTS) :]:
        known = list(config.get_option("server.allowedHosts") or [])
        extra = [name.strip("[]") for name in extra]  # Streamlit knows IPv6 without brackets
        config.set_option(
            "server.allowedHosts", known + [name for name in extra if name not in known]
        )
    with suppress(LnlError):  # the pages say it, with the remedy
        ws = await run_in_threadpool(_ui.workspace)
        await run_in_threadpool(_tidy, ws)
        _announce(ws)
    sys.setswitchinterval(SWITCH)
    gc.freeze()  # what is loaded by now stays: later collections need not look at it
    gc.enable()  # which `app.py` disables while it loads
    copying = asyncio.create_task(_copy_daily())
    try:
        yield {}
    finally:
        copying.cancel()
        with suppress(LnlError):
            serving.withdraw(_ui.workspace())


def _tidy(ws: Workspace) -> None:
    """Sweep what dead processes left, and copy the database where the last copy is a day old."""
    leftovers.sweep(ws)
    doctor.keep_copy(ws)


async def _copy_daily() -> None:
    """Look again and again whether the last copy is a day old: a server may stay up for weeks."""
    while True:
        await asyncio.sleep(COPY_SECONDS)
        try:
            await run_in_threadpool(_copy)
        except Exception:  # whatever it is: an hour later it is tried again
            log.exception("The database could not be copied.")


def _copy() -> None:
    with suppress(LnlError):  # the pages say it, with the remedy
        doctor.keep_copy(_ui.workspace())


def _announce(ws: Workspace) -> None:
    """Write into the workspace where a browser finds this server; the port is bound by now."""
    host = str(config.get_option("server.address") or "0.0.0.0")
    port = int(config.get_option("server.port"))
    tls = bool(config.get_option("server.sslCertFile"))
    serving.announce(ws, serving.address(host, port, _urls.base_path(), tls=tls), host)


async def _leave(request: Request) -> Response:
    """Take back what a tab holds that is being closed: it tells its secret name, and no more."""
    if f"/{request.path_params['base']}".rstrip("/") != _urls.base_path():
        return missing()
    if not from_our_page(request) or not await run_in_threadpool(_login.may_see, request):
        return PlainTextResponse("Only our own pages may ask.", 403, headers=COMMON | NEVER)
    tab = await _body(request, LONGEST_TAB)
    if tab is None:
        return PlainTextResponse("That is no tab.", 400, headers=COMMON | NEVER)
    await run_in_threadpool(_give_back, tab.decode("ascii", "replace"))
    return Response(status_code=204, headers=COMMON | NEVER)


async def _body(request: Request, most: int) -> bytes | None:
    """Return what a request brings; None where that is more than it may."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > most:
            return None
    return body


def _give_back(tab: str) -> None:
    with suppress(LnlError):  # else the images are free in a quarter of an hour
        holding.give_back(_ui.workspace(), tab)


async def _script(request: Request) -> Response:
    """Send a component's script, which is nobody's secret; its digest lets the browser keep it."""
    where = request.path_params
    if f"/{where['base']}".rstrip("/") != _urls.base_path():
        return missing()
    text = await run_in_threadpool(_assets.file, where["name"], where["digest"])
    if text is None:
        return missing()
    return Response(text, media_type="text/javascript", headers=COMMON | FOREVER)


async def _server(request: Request) -> Response:
    """Say which process this is, so that `lnl open` takes no stranger for it."""
    if f"/{request.path_params['base']}".rstrip("/") != _urls.base_path():
        return missing()
    return JSONResponse(serving.identity(), headers=COMMON | NEVER)


async def _data(request: Request) -> Response:
    """Send who types the address of the Data page to it: it is the start page."""
    query = request.url.query
    return RedirectResponse(f"/?{query}" if query else "/")


ROUTES = [
    Route("/data", _data, methods=["GET"]),
    Route(f"/{{base:path}}{serving.ROUTE}", _server, methods=["GET"]),
    Route("/{base:path}lnl/js/{name}/{digest}.js", _script, methods=["GET"]),
    Route("/{base:path}lnl/leave", _leave, methods=["POST"]),
    Route("/{base:path}lnl/img/{dataset:int}/{version}/{row:int}/{size}", _image, methods=["GET"]),
    Route("/{base:path}lnl/maps/{dataset:int}/{row:int}", _maps, methods=["GET"]),
    Route("/{base:path}lnl/evidence/{dataset:int}/{row:int}", _evidence, methods=["GET"]),
    Route("/{base:path}lnl/advised/{dataset:int}/{row:int}", _advised, methods=["POST"]),
]
MIDDLEWARE = [
    Middleware(TrustedHostMiddleware, allowed_hosts=allowed_hosts(), www_redirect=False),
    Middleware(_gate.Gate),
    Middleware(_shell.Shell),
]
