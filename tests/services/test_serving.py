"""Which server shows a workspace, and where the app lies."""

import http.server
import json
import os
import threading
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from lnl_core.services import serving
from lnl_core.types import LnlError


@contextmanager
def answering(said, path="/lnl/server"):
    """A stranger on a port of this machine, who says something at our route."""

    class Stranger(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path == path else 404)
            self.end_headers()
            self.wfile.write(json.dumps(said).encode())

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stranger) as listener:
        thread = threading.Thread(target=listener.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.server_port}"
        finally:
            listener.shutdown()
            thread.join()


def test_a_server_is_found_again_where_it_answers_as_itself(workspace, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")  # of no use to reach this machine
    assert serving.running(workspace) is None
    with answering(serving.identity()) as url:
        serving.announce(workspace, url, "127.0.0.1")
        found = serving.running(workspace)
        assert (found.url, found.host, found.pid) == (url, "127.0.0.1", os.getpid())
    assert serving.running(workspace) is None  # it is gone; what it wrote stays


@pytest.mark.skipif(not Path("/proc/stat").is_file(), reason="elsewhere the clock counts")
def test_it_is_the_same_server_when_the_clock_of_the_machine_has_been_set(workspace, monkeypatch):
    with answering(serving.identity()) as url:
        booted = psutil.boot_time()
        for moved in (1, -3600):
            for owner in (psutil, psutil._psplatform):
                monkeypatch.setattr(owner, "boot_time", lambda moved=moved: booted + moved)
            serving.announce(workspace, url, "127.0.0.1")
            assert serving.running(workspace).url == url


@pytest.mark.parametrize(
    "said",
    [
        {"pid": 1, "started": 1.0},
        {"pid": os.getpid(), "started": 1.0},  # the number came up again
        ["ok"],
        "ok",
    ],
)
def test_whoever_listens_on_the_port_of_a_dead_server_is_not_taken_for_it(workspace, said):
    with answering(said) as url:
        serving.announce(workspace, url, "127.0.0.1")
        assert serving.running(workspace) is None


def test_a_server_below_a_path_is_asked_there(workspace):
    with answering(serving.identity(), path="/desk/lnl/server") as url:
        serving.announce(workspace, f"{url}/desk", "127.0.0.1")
        assert serving.running(workspace).url == f"{url}/desk"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"url": "http://127.0.0.1:8501"}', '{"no": 1}'])
def test_a_record_that_says_nothing_is_no_server(workspace, text):
    (workspace.home / "server.json").write_text(text)
    assert serving.running(workspace) is None


def test_a_server_takes_back_its_own_record_only(workspace):
    serving.announce(workspace, "http://127.0.0.1:8501", "127.0.0.1")
    serving.withdraw(workspace)
    record = workspace.home / "server.json"
    assert not record.exists()
    later = {"url": "http://127.0.0.1:8502", "host": "127.0.0.1", "pid": 1, "started": 2.0}
    record.write_text(json.dumps(later))
    serving.withdraw(workspace)
    assert json.loads(record.read_text()) == later


@pytest.mark.parametrize(
    ("host", "base", "expected"),
    [
        ("127.0.0.1", "", "http://127.0.0.1:8501"),
        ("0.0.0.0", "", "http://127.0.0.1:8501"),
        ("::", "", "http://[::1]:8501"),
        ("::1", "/desk/", "http://[::1]:8501/desk"),
        ("lab.example", "desk", "http://lab.example:8501/desk"),
    ],
)
def test_the_address_is_one_that_a_browser_here_can_open(host, base, expected):
    assert serving.address(host, 8501, base) == expected


def test_only_addresses_of_this_machine_alone_are_loopback():
    inside = ["127.0.0.1", "127.1.2.3", "::1", "[::1]", "localhost", "LOCALHOST"]
    outside = ["0.0.0.0", "::", "192.168.1.5", "lab.example", "127.0.0.1.nip.io", ""]
    assert [host for host in inside + outside if serving.is_loopback(host)] == inside


def test_the_app_is_the_packages_or_the_clones_and_never_one_found_by_chance(tmp_path, monkeypatch):
    module = tmp_path / "site" / "lnl_core" / "services" / "serving.py"
    monkeypatch.setattr(serving, "__file__", str(module))
    chance = tmp_path / "site" / "app.py"
    chance.parent.mkdir(parents=True)
    chance.touch()
    monkeypatch.chdir(chance.parent)
    with pytest.raises(LnlError, match="Install lnl-review again"):
        serving.app_file()
    (chance.parent / "hatch_build.py").touch()  # which stands in the clone only
    assert serving.app_file() == chance
    installed = module.parents[1] / "_app" / "app.py"
    installed.parent.mkdir(parents=True)
    installed.touch()
    assert serving.app_file() == installed
