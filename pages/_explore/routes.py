"""What the map of Explore fetches: positions, colours, and the facts of the point under the hand.

Positions and colours are bytes without names; like evidence, all of it is for our own page only.
"""

from __future__ import annotations

import re
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from lnl_core.services.explore import embedding, filters, nearby
from lnl_core.services.workspace import dataset_by_id
from lnl_core.types import DatasetInfo, LnlError
from pages import _ui, _urls
from pages._login import may_see
from pages._routes import COMMON, FOREVER, LARGEST, NEVER, from_our_page, missing

_NAME = re.compile(r"[0-9a-f]{8,32}")


def _info(where: dict[str, Any]) -> DatasetInfo:
    if where["dataset"] > LARGEST or f"/{where['base']}".rstrip("/") != _urls.base_path():
        raise LnlError("There is no such address.")
    return dataset_by_id(_ui.workspace(), where["dataset"])


async def _answer(request: Request, make: Any) -> Response:
    """Refuse other pages, find the set, and turn what people cannot ask for into not found."""
    where: dict[str, Any] = request.path_params
    if not from_our_page(request) or not await run_in_threadpool(may_see, request):
        return PlainTextResponse("Only the Explore page may ask.", 403, headers=COMMON | NEVER)
    try:
        info = await run_in_threadpool(_info, where)
        response: Response = await run_in_threadpool(make, info, where)
    except LnlError:
        return missing()
    return response


def _points_of(info: DatasetInfo, where: dict[str, Any]) -> Response:
    map_ = embedding.layout(info, where["key"])
    if map_ is None:
        return missing()
    return _binary(map_.points.tobytes())


def _colours_of(info: DatasetInfo, where: dict[str, Any]) -> Response:
    if not _NAME.fullmatch(where["version"]):
        return missing()
    method = None if where["method"] == "all" else where["method"]
    only = filters.from_text(where.get("only", ""), method)
    colouring = filters.colouring(info, where["colour"], method, only)
    fresh = colouring.version == where["version"]  # an older address gets today's colours, unkept
    return _binary(colouring.codes.tobytes(), keep=fresh)


def _point_of(info: DatasetInfo, where: dict[str, Any]) -> Response:
    facts = nearby.point(info, where["row"])
    return JSONResponse(facts, headers=COMMON | NEVER)


def _binary(data: bytes, *, keep: bool = True) -> Response:
    headers = COMMON | (FOREVER if keep else NEVER)
    return Response(data, media_type="application/octet-stream", headers=headers)


async def _points(request: Request) -> Response:
    return await _answer(request, _points_of)


async def _colours(request: Request) -> Response:
    return await _answer(request, _colours_of)


async def _point(request: Request) -> Response:
    return await _answer(request, _point_of)


_BASE = "/{base:path}lnl/map/{dataset:int}"
ROUTES = [
    Route(f"{_BASE}/colours/{{colour}}/{{method}}/{{version}}", _colours, methods=["GET"]),
    Route(f"{_BASE}/colours/{{colour}}/{{method}}/{{version}}/{{only}}", _colours, methods=["GET"]),
    Route(f"{_BASE}/point/{{row:int}}", _point, methods=["GET"]),
    Route(f"{_BASE}/{{key}}/points", _points, methods=["GET"]),
]
