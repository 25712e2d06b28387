"""The port that a server opens: nobody else's pages get in, and nothing goes out."""

import http.client
import subprocess
import sys

import pytest

from tests.browser.conftest import REPO, Server
from tests.watching import WATCH, away

pytestmark = pytest.mark.browser


@pytest.fixture
def watched(tmp_path):
    """A server whose every connection to anywhere is written down."""
    hook = tmp_path / "hook"
    hook.mkdir()
    (hook / "sitecustomize.py").write_text(WATCH)
    running = Server(tmp_path / "home", hook).start()
    yield running
    running.kill()


def ask(server, path, **headers):
    connection = http.client.HTTPConnection("localhost", server.port, timeout=60)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


@pytest.mark.usefixtures("alone")
def test_foreign_pages_are_refused_and_no_request_leaves_the_machine(watched, make_set, page):
    info = make_set(watched, "watched", ["cat", "dog"])
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("websocket", lambda socket: asked.append(socket.url))
    for place in ("", "runs", "review", "explore", "compare", "export", "team"):
        page.goto(f"{watched.url}/{place}?dataset={info.name}")
        page.get_by_test_id("stSidebarNav").wait_for()
        page.get_by_test_id("stStatusWidget").wait_for(state="hidden")
    own = f"http://localhost:{watched.port}"
    for origin in ("http://evil.example", "http://localhost:1", "null"):
        assert ask(watched, "/_stcore/host-config", Origin=origin) == 403
        assert ask(watched, "/_stcore/stream", Origin=origin, **UPGRADE) == 403
    assert ask(watched, "/_stcore/stream", **UPGRADE) == 403
    assert ask(watched, "/_stcore/stream", Origin=own, **UPGRADE) == 101
    assert ask(watched, "/_stcore/host-config", Origin=own) == 200
    assert [
        url for url in asked if not url.startswith((watched.url, "ws://localhost:", "blob:"))
    ] == []
    assert away(watched.home) == []


def test_the_watch_itself_sees_what_goes_away(tmp_path):
    """Or the test above could not fail."""
    (tmp_path / "sitecustomize.py").write_text(WATCH)
    code = "import socket; s = socket.socket(); s.settimeout(0.01); s.connect_ex(('192.0.2.1', 9))"
    env = {"PYTHONPATH": str(tmp_path), "LNL_HOME": str(tmp_path)}
    subprocess.run([sys.executable, "-c", code], env=env, cwd=REPO, check=True)
    assert "AWAY socket.connect" in away(tmp_path)[0]


def test_an_open_address_without_login_does_not_start(tmp_path):
    options = ("--server.address", "0.0.0.0", "--server.headless", "true")
    done = subprocess.run(
        [sys.executable, "-m", "streamlit", "run", "app.py", *options],
        cwd=REPO,
        env={"LNL_HOME": str(tmp_path), "HOME": str(tmp_path), "PYTHONPATH": str(REPO)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 1
    assert "Set LNL_ALLOWED_HOSTS" in done.stderr
    assert "Traceback" not in done.stderr
