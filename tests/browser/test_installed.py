"""`lnl demo --open` from an empty folder: the app, its theme, its worker, and nobody else asked."""

from urllib.parse import urlsplit

import pytest

from lnl_core.jobs import queue
from lnl_core.jobs.engines import local
from lnl_core.services.datasets.catalog import PHOTOGRAPHS
from lnl_core.store import db
from tests.packaging.desk import Terminal

pytestmark = pytest.mark.browser


@pytest.fixture
def terminal(tmp_path):
    opened = Terminal(tmp_path)
    yield opened
    opened.close()


@pytest.mark.usefixtures("alone")
def test_the_demo_opens_runs_and_is_reviewed(terminal, page):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("websocket", lambda socket: asked.append(socket.url))
    terminal.env["STREAMLIT_BROWSER_GATHER_USAGE_STATS"] = "true"  # as the person's shell may say
    terminal.start("demo", "--open")
    address = terminal.opened()
    page.goto(address)
    page.get_by_text(PHOTOGRAPHS).first.wait_for()
    assert page.title() == "Data · LNL Review"
    look = "getComputedStyle(document.querySelector('.stApp'))"
    assert page.evaluate("getComputedStyle(document.documentElement).fontSize") == "15px"
    assert page.evaluate(f"{look}.color") == "rgb(21, 24, 28)"  # the theme's
    logo = page.get_by_test_id("stSidebarLogo")
    assert logo.evaluate("one => one.complete && one.naturalWidth > 0")

    done = terminal.run("run", PHOTOGRAPHS, "--methods", "knn")
    assert done.returncode == 0, done.stderr
    server = f"{urlsplit(address).scheme}://{urlsplit(address).netloc}"
    page.goto(f"{server}/review?{urlsplit(address).query}")
    page.wait_for_selector(".stage > img")
    assert page.locator(".stage > img").evaluate("one => one.decode().then(() => one.naturalWidth)")
    ours = (server, server.replace("http", "ws"), "data:", "blob:")
    assert [url for url in asked if not url.startswith(ours)] == []
    assert list(terminal.cwd.iterdir()) == []


@pytest.fixture
def no_worker(terminal):
    """Hold both workers' locks, so that what the tour starts stays in the queue."""
    ws = db.open_workspace(terminal.ws)
    held = [local.lock(ws, lane) for lane in (local.LOCAL, queue.TASKS)]
    yield
    for each in held:
        each.close()
    db.dispose(ws)


def test_the_tour_begins_at_its_first_caption(terminal, no_worker, page):
    terminal.start("demo", "--tour")
    address = terminal.opened()
    assert address.endswith("&tour=1")
    page.goto(address)
    page.get_by_text("1 of 7").wait_for()
    waiting = terminal.run("status", PHOTOGRAPHS, "--json")
    assert waiting.returncode == 0
    for key in ("sr", "jump", "influence", "dmlp", "hnml"):
        assert f'"{key}"' in waiting.stdout
