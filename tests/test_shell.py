"""The empty page that a browser gets: filled with what is known before the first message."""

import json
import re
import shutil
import subprocess

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Mount, Route
from starlette.testclient import TestClient
from streamlit import config
from streamlit.web.server.starlette.starlette_static_routes import (
    create_streamlit_static_assets_routes,
)

from pages import _shell, _ui
from pages._components import _assets

PAGE = {"Accept": "text/html,application/xhtml+xml"}


@pytest.fixture
def client():
    routes = [
        Route("/plain", lambda _: PlainTextResponse("</head></body>")),
        Route("/facts", lambda _: JSONResponse({"html": "</head>"})),
        *create_streamlit_static_assets_routes(""),
    ]
    app = Starlette(routes=routes, middleware=[Middleware(_shell.Shell)])
    with TestClient(app, base_url="http://localhost") as opened:
        yield opened


@pytest.fixture
def below(monkeypatch):
    """A function: the app where it is served below a path, as Streamlit's option has it."""

    def opened(base):
        plain = config.get_option
        monkeypatch.setattr(
            config, "get_option", lambda key: base if key == "server.baseUrlPath" else plain(key)
        )
        monkeypatch.setattr("streamlit.get_option", config.get_option)
        routes = create_streamlit_static_assets_routes(base)
        return Starlette(routes=routes, middleware=[Middleware(_shell.Shell)])

    return opened


def asks(pathname, text):
    """The address at which a page asks for its server, when a browser has it at a path."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    script = re.search(r"<script>(\(.*?BACKEND_BASE_URL.*?)</script>", text, re.DOTALL)[1]
    world = f"""
    const window = {{}}, location = {{ pathname: {json.dumps(pathname)}, origin: "", search: "" }};
    const document = {{ documentElement: {{ classList: {{ add() {{}} }} }} }};
    {script}
    console.log(window.__streamlit.BACKEND_BASE_URL);
    """
    run = subprocess.run([node, "-e", world], capture_output=True, text=True, check=True)
    return run.stdout.strip()


def ahead(text):
    return re.findall(r'fetchpriority="low" crossorigin href="\./static/js/([^"]+)"', text)


def test_each_page_names_its_own_scripts_and_no_other_pages(client):
    compare = client.get("/compare", headers=PAGE).text
    export = client.get("/export?dataset=x", headers=PAGE).text
    assert any(name.startswith("PlotlyChart.") for name in ahead(compare))
    assert not any(name.startswith("PlotlyChart.") for name in ahead(export))
    assert any(name.startswith("Radio.") for name in ahead(export))
    own = re.findall(r'href="(/lnl/js/[^"]+)"', client.get("/review", headers=PAGE).text)
    assert own == [_assets.address("review")]
    for text in (compare, export):
        assert "/lnl/js/" not in text
        assert any(name.startswith("BidiComponent.") for name in ahead(text))
        assert "BACKEND_BASE_URL" in text
        assert "margin-left:240px" in text


def test_a_script_is_named_once_and_is_there(client):
    for page in _shell.ELEMENTS:
        text = client.get(f"/{page}", headers=PAGE).text
        named = re.findall(r'(?:src|href)="\./static/js/([^"]+)"', text)
        assert len(named) == len(set(named))
        for name in named:
            assert (_shell.STATIC / name).is_file()


def test_every_kind_that_is_named_is_one_of_this_streamlit():
    for kind in {
        *_shell.EVERYWHERE,
        *(each for kinds in _shell.ELEMENTS.values() for each in kinds),
    }:
        assert list(_shell.STATIC.glob(f"{kind}.*.js")), kind


def test_every_page_of_the_app_has_its_line():
    assert set(_shell.ELEMENTS) == {"" if page == "data" else page for page in _ui.page_keys()}


def test_what_a_script_imports_is_named_with_it(tmp_path):
    (tmp_path / "Html.a.js").write_text('import{a}from"./Inner.b.js";import"./gone.js";')
    (tmp_path / "Inner.b.js").write_text('import{b}from"./Html.a.js";')
    assert set(_shell.scripts("review", tmp_path)) == {"Html.a.js", "Inner.b.js"}


def test_only_a_page_that_a_browser_opens_is_filled(client):
    assert client.get("/plain", headers=PAGE).text == "</head></body>"
    assert client.get("/facts", headers=PAGE).json() == {"html": "</head>"}
    assert "BACKEND_BASE_URL" not in client.get("/review", headers={"Accept": "*/*"}).text
    script = client.get("/static/js/" + _shell.scripts("review")[0], headers=PAGE)
    assert "immutable" in script.headers["cache-control"]


def test_the_filled_page_is_whole_and_never_taken_from_an_older_copy(client):
    plain = client.get("/review", headers={"Accept": "*/*"})
    copy = {"If-None-Match": plain.headers["etag"], "If-Modified-Since": "Fri, 01 Jan 2038"}
    again = client.get("/review", headers=PAGE | copy | {"Range": "bytes=0-9"})
    assert again.status_code == 200
    assert "etag" not in again.headers
    assert int(again.headers["content-length"]) == len(again.content)
    assert again.text.rstrip().endswith("</html>")


@pytest.mark.parametrize("path", ["/review", "/plain", "/static/js/"])
def test_the_headers_alone_are_those_of_the_page(client, path):
    if path.endswith("js/"):
        path += _shell.scripts("review")[0]
    whole, alone = client.get(path, headers=PAGE), client.head(path, headers=PAGE)
    assert alone.content == b""
    assert alone.status_code == whole.status_code == 200
    assert alone.headers == whole.headers
    assert int(alone.headers["content-length"]) == len(whole.content)


@pytest.mark.parametrize(
    ("base", "path", "pathname", "home"),
    [
        ("", "/", "/", "/"),
        ("", "/review", "/review", "/"),
        ("", "/gone/too", "/gone/too", "/"),
        ("desk", "/desk/review", "/desk/review", "/desk/"),
        ("desk/review", "/desk/review/", "/desk/review/", "/desk/review/"),
        ("/review/", "/review/review", "/review/review", "/review/"),
        ("", "/", "/team", "/team/"),  # a proxy takes “/team” off
        ("", "/", "/runs/", "/runs/"),
        ("", "/review", "/team/review", "/team/"),
        ("lnl", "/lnl/review", "/review", "/"),  # a proxy puts “/lnl” before
    ],
)
def test_a_page_asks_the_address_that_its_server_is_at(below, base, path, pathname, home):
    with TestClient(below(base), base_url="http://localhost") as opened:
        assert asks(pathname, opened.get(path, headers=PAGE).text) == home


def test_an_app_below_another_one_is_found_there(below):
    with TestClient(Starlette(routes=[Mount("/review", below(""))])) as opened:
        for path in ("/review/", "/review/runs"):
            text = opened.get(path, headers=PAGE).text
            assert asks(path, text) == "/review/"
        assert any(name.startswith("DataFrame.") for name in ahead(text))
