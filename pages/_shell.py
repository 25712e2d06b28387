"""What stands in the page before the first message of a session comes: room, address, scripts.

Streamlit sends every browser the same empty page and fills it by messages. Left to itself it looks
for its server below the page's own address first, draws the main area over the whole window until
the sidebar comes, and fetches the script of each kind of element when the first such element
arrives. All three are known beforehand, so they are written into the empty page.
Where a part of it is not found (another version of Streamlit), the page is only later, not other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import streamlit
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pages import _ahead, _urls
from pages._components import _assets

STATIC = Path(streamlit.__file__).parent / "static" / "static" / "js"

EVERYWHERE = ("Selectbox", "Html", "BidiComponent", "Button", "ButtonGroup")
ELEMENTS = {
    "": ("PlotlyChart", "ImageList", "MenuButton"),
    "runs": ("DataFrame",),
    "review": (),
    "explore": ("PlotlyChart", "Slider"),
    "compare": ("PlotlyChart", "DataFrame", "DownloadButton", "Slider", "NumberInput"),
    "export": ("Radio", "Checkbox", "Metric", "DownloadButton"),
    "team": ("DataFrame",),
}
"""Page -> Streamlit's scripts of the kinds of elements on it, beside those on every page."""

COMPONENTS = {"review": ("review",), "explore": ("map",)}
"""Page -> its components that come with files of their own."""

_FROM = re.compile(r'(?:from|import)\s*"\./([^"]+\.js)"')
_HEAD = 6000
"""Bytes of a script that hold its imports: they stand first."""

_ADDRESS = """<script>(() => {
  const parts = location.pathname.split("/").filter(Boolean);
  const home = ["", ...parts.slice(0, Math.max(0, parts.length - DEPTH)), ""].join("/");
  window.__streamlit = { ...window.__streamlit, BACKEND_BASE_URL: location.origin + home };
  if (/[?&](?:present=1|embed=true)/.test(location.search)) return;
  document.documentElement.classList.add("lnl-aside");
})();</script>"""
"""Where the server is, in place of a question to a wrong address and a wait; and whether there will
be a sidebar. DEPTH parts of the path are the page's; what stands before them is of the server, or
of a proxy that takes it off again, and only the browser knows that."""

STYLE = """<style>
.stMainBlockContainer{max-width:initial;padding-left:2rem;padding-right:2rem}
@media (min-width:769px){
.lnl-aside [data-testid="stSkipToContent"]+div{margin-left:240px}}
[data-testid="stSidebarHeader"]+[data-testid="stSidebarUserContent"]{
  animation:lnl-later 1s step-end}
@keyframes lnl-later{from{visibility:hidden}}
.st-key-title_row{min-height:38px}
@container main (max-width:759px){.st-key-title_row{gap:8px}
.st-key-title_row:has(.st-key-explore_colour,.st-key-compare_lab)>:first-child{
  flex-basis:calc(100cqw - 300px)}
.st-key-title_row>:is(.st-key-explore_colour,[class*="st-key-explore_method_"]){order:1}
.st-key-title_row>:is([class*="st-key-explore_method_"],[class*="st-key-compare_truth_"]){
  flex:1 1 170px}
.st-key-title_row>[class*="st-key-compare_truth_"]{flex-basis:250px}
.st-key-five_row>[class*="st-key-five_list_"]{flex:1 1 205px}}
@container main (min-width:480px) and (max-width:759px){
.st-key-title_row:has(.st-key-compare_lab):not(:has([class*="st-key-compare_truth_"]))>:first-child{
  flex-basis:110px}}
@container main (max-width:479px){
.st-key-title_row:has(.st-key-compare_lab)>:first-child{flex-basis:calc(100cqw - 110px)}
.st-key-title_row>:is(.st-key-compare_lab,:has(.st-key-compare_report_place)){order:1}}
@container main (min-width:640px) and (max-width:759px){
.st-key-title_row:has(.st-key-review_order){gap:4px}}
@media (max-height:640px){
:has(>.st-key-compare_facts){order:1}
@container main (min-width:520px) and (max-width:759px){
.st-key-title_row:has(.st-key-review_order){gap:4px}
.st-key-title_row:has(.st-key-review_order)>:first-child{position:absolute;width:1px;height:1px;
  overflow:hidden;clip-path:inset(50%)}
.st-key-title_row>:is(.st-key-review_order,.st-key-review_mode){flex:1 1 130px}
.st-key-title_row>.st-key-review_mode{flex-basis:98px}
.st-key-review_order input{font-size:13px}}}
.st-key-outdated{flex-wrap:nowrap!important}
.st-key-own_card{padding:22px 24px}
.st-key-digits_card{padding:14px 24px}
.st-key-ways button{padding:11px 0;border-radius:0}
.st-key-ways button,.st-key-ways button>div,.st-key-ways button>div>span{
  justify-content:flex-start;text-align:left}
.st-key-ways button>div{width:auto;flex:1}
.st-key-ways button::after{content:"\\2192";margin-left:auto;font-size:1.1rem}
:is(.st-key-demo_card,.st-key-own_card,.st-key-set_head) h2{font-size:1.2rem}
.st-key-tour{padding:.5rem .9rem}
.st-key-tour p{font-size:.9rem;line-height:1.45}
.st-key-photographs img,.st-key-digits_strip img{border-radius:4px}
.st-key-photographs img{aspect-ratio:1;object-fit:cover}
.stApp :is(.stMain,[role="tab"]):focus-visible{outline-offset:-2px!important}
.stMainBlockContainer{container:main/inline-size}
@media (min-width:700px){[data-testid="stPopoverBody"]{max-height:calc(100vh - 4.5rem)!important}}
@container main (min-width:1240px){:is(.st-key-explore_columns,.st-key-quality_columns)
  >*>.stHorizontalBlock>.stColumn+.stColumn{flex:0 0 560px;width:560px;min-width:0}}
@container main (max-width:859px){:is(.st-key-explore_columns>*,.st-key-team_columns>*,
  .st-key-compare_body,.st-key-runs_columns>*) .stColumn:not(.st-key-explore_selected *){
  flex:1 1 100%;min-width:100%}}
@container main (min-width:760px){.st-key-facts>*+*{border-left:1px solid
  var(--st-border-color,color-mix(in srgb,currentColor 16%,transparent));padding-left:15px}}
@container main (max-width:639px){.stColumn:not(.st-key-tour *,.st-key-explore_selected *){
  flex:1 1 100%;min-width:100%}
.st-key-format [data-testid="stRadioGroup"]{display:grid;gap:8px 15px;
  grid:auto-flow dense/1fr 1fr}
.st-key-format [data-testid="stRadioGroup"]>[data-selected]{grid-column:1/-1}
.st-key-format [data-testid="stRadioGroup"]>:not([data-selected]) [data-testid="stRadioCaption"]{
  display:none}}
.st-key-map_skeleton [data-testid="stSkeleton"]{height:max(340px,100vh - 330px)!important}
.st-key-facts{gap:4px 22px!important;padding:6px 15px!important}
.st-key-facts>*{flex:1 1 135px!important;min-width:0}
@container main (min-width:640px){
[class*="st-key-explore-map-"]{min-height:max(380px,100vh - 265px)}
[class*="st-key-review-single-"],[class*="st-key-review-page-"]{min-height:max(440px,100vh - 126px)}
.st-key-precision_recall,.st-key-effort{height:clamp(300px,100vh - 740px,640px)}
.st-key-losses_figure{height:clamp(340px,100vh - 470px,700px)}
.st-key-agreement,.st-key-overlap_depth_figure{height:clamp(340px,100vh - 360px,820px)}
.st-key-before_after{height:clamp(380px,100vh - 360px,1000px)}
}
[class*="st-key-cardhead"]{min-height:31px}
.st-key-waiting [data-testid="stText"]{font-size:.87rem;margin:-6px 0 4px}
.st-key-waiting>*+*>[class*="st-key-entry_"]{padding-top:8px;border-top:1px solid
  var(--st-border-color,color-mix(in srgb,currentColor 16%,transparent))}
.st-key-dataset_select,[class*="st-key-losses_row_"],[class*="st-key-losses_threshold_"]{
  min-height:64px}
.st-key-explore_losses_figure{min-height:214px}
.st-key-compare_facts{min-height:56px}
.st-key-compare_report_place{min-width:133px}
.st-key-export_options [data-testid="stSkeleton"]{height:23px!important}
.st-key-format:has(>[data-testid="stSkeleton"]){min-height:536px}
.st-key-export_head{min-height:83px}
.st-key-recipes button{height:auto;max-width:100%}
.st-key-recipes button :is(div,span,p){white-space:normal;overflow:visible}
.lnl-figures{display:grid;grid-template-columns:repeat(4,auto);justify-content:start}
@container main (max-width:979px){.lnl-figures{grid-template-columns:repeat(2,auto)}}
.st-key-picture_format>*{display:flex;align-items:center;gap:8px}
.st-key-picture_format>*::before{content:"Save as";font-size:.875rem;white-space:nowrap;
  color:color-mix(in srgb,currentColor 70%,transparent)}
:has(>.st-key-export_facts){min-width:min(100%,300px)}
.st-key-export_head .st-key-download:has(>[data-testid="stSkeleton"]){
  min-width:126px;min-height:38px}
</style>"""
"""What has no colour: the gutters, which no theme key reaches; the sidebar's room until it comes,
and that nothing stands in it before its links, which would push it down; the heights that parts
have before they are filled. Where a rule stops matching, only that detail falls back to
Streamlit's own look. What has come is told by who stands beside it, never by `:has` on what holds
the page: then every element that comes, and every word that Plotly measures, styles it all anew."""


@lru_cache(maxsize=16)
def scripts(page: str, folder: Path = STATIC) -> tuple[str, ...]:
    """Return the files of a page's elements and of what they import, by name."""
    found: dict[str, None] = {}
    waiting = [
        file.name
        for kind in (*EVERYWHERE, *ELEMENTS.get(page, ()))
        for file in sorted(folder.glob(f"{kind}.*.js"))
    ]
    while waiting:
        name = waiting.pop()
        if name in found or not (folder / name).is_file():
            continue
        found[name] = None
        with (folder / name).open(encoding="utf-8", errors="replace") as file:
            waiting += _FROM.findall(file.read(_HEAD))
    return tuple(found)


def filled(html: str, place: str) -> str:
    """Return Streamlit's empty page with what is known beforehand written into it.

    Args:
        html: the empty page.
        place: of the page below the app's own address, `review`; blank for the first page.
    """
    depth = len(place.split("/")) if place else 0
    page = _page(place)
    known = [f"./static/js/{name}" for name in scripts(page) if name not in html]
    own = [_assets.address(name) for name in COMPONENTS.get(page, ())]
    ahead = "\n".join(
        f'<link rel="modulepreload" fetchpriority="low" crossorigin href="{each}">'
        for each in (*known, *own)
    )
    html = html.replace("<head>", f"<head>{_ADDRESS.replace('DEPTH', str(depth))}", 1)
    return html.replace("</head>", f"{ahead}</head>", 1).replace("</body>", f"{STYLE}</body>", 1)


def _page(place: str) -> str:
    return place if place in ELEMENTS else ""


class Shell:
    """ASGI middleware: answers a browser that opens a page with `filled`."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not _opens(scope):
            await self.app(scope, receive, send)
            return
        plain = _without(scope["headers"], ("accept-encoding", "if-none-match", "range"))
        if scope["method"] == "HEAD":
            send = _headers_alone(send)
        await self.app(
            {**scope, "method": "GET", "headers": _without(plain, ("if-modified-since",))},
            receive,
            _filling(send, _place(scope)),
        )


def _place(scope: Scope) -> str:
    """Return what a request's path has below the app: nothing for its first page."""
    path: str = scope["path"]
    for before in (scope.get("root_path", "").rstrip("/"), _urls.base_path()):
        if path == before or path.startswith(f"{before}/"):
            path = path[len(before) :]
    return "/".join(part for part in path.split("/") if part)


def _opens(scope: Scope) -> bool:
    """Tell whether a browser asks for a page, or for its headers alone."""
    if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
        return False
    return "text/html" in Headers(scope=scope).get("accept", "")


def _without(
    headers: Iterable[tuple[bytes, bytes]], names: Iterable[str]
) -> list[tuple[bytes, bytes]]:
    left = {name.encode("ascii") for name in names}
    return [(name, value) for name, value in headers if name.lower() not in left]


def _headers_alone(send: Send) -> Send:
    """Return a `send` that leaves out the body, as HEAD asks: its length must be that of GET."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return sending


def _filling(send: Send, place: str) -> Send:
    """Return a `send` that holds an HTML answer back until it is whole, and fills it."""
    held: list[Message] = []
    parts: list[bytes] = []

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            kind = Headers(raw=message["headers"]).get("content-type", "")
            if message["status"] == 200 and kind.startswith("text/html"):
                held.append(message)
                return
        if not held or message["type"] != "http.response.body":
            await send(message)
            return
        parts.append(message.get("body", b""))
        if message.get("more_body"):
            return
        body = filled(b"".join(parts).decode("utf-8"), place).encode("utf-8")
        headers = MutableHeaders(scope=held[0])
        headers["content-length"] = str(len(body))
        for name in ("etag", "last-modified"):  # they are of the page as Streamlit has it
            if name in headers:
                del headers[name]
        await send(held[0])
        await send({"type": "http.response.body", "body": body})
        _ahead.load(_page(place))

    return sending
