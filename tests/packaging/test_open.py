"""`lnl open` from anywhere: our app and no other, for this computer alone, without a question."""

import json
import os
import signal
import socket

import psutil
import pytest

from tests.packaging.desk import Terminal, foreign_folder

pytestmark = pytest.mark.skipif(os.name != "posix", reason="drives a pseudo-terminal")


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """`lnl open` in a folder of another project, and in an environment that invites the world."""
    terminal = Terminal(tmp_path_factory.mktemp("desk"))
    foreign_folder(terminal.cwd)
    other = foreign_folder(tmp_path_factory.mktemp("other"))
    (other / "streamlit.py").unlink()  # first on the path, this one would be Streamlit
    terminal.env |= {"PYTHONPATH": str(other), "STREAMLIT_SERVER_ADDRESS": "0.0.0.0"}
    terminal.env |= {"STREAMLIT_BROWSER_GATHER_USAGE_STATS": "true"}
    terminal.start("open")
    terminal.address = terminal.opened()
    yield terminal
    terminal.close()


def record(terminal):
    return json.loads((terminal.ws / "server.json").read_text())


def test_it_asks_nothing_and_leaves_nothing_in_the_home(desk):
    assert "mail" not in desk.said
    assert "statistics" not in desk.said
    assert "The desk is open at" in desk.said
    assert list(desk.home.iterdir()) == []


def test_it_listens_for_this_computer_only(desk):
    links = psutil.Process(record(desk)["pid"]).net_connections(kind="tcp")
    heard = {link.laddr.ip for link in links if link.status == psutil.CONN_LISTEN}
    assert heard == {"127.0.0.1"}
    assert desk.address == record(desk)["url"]


def test_it_runs_the_app_of_this_installation(desk):
    line = psutil.Process(record(desk)["pid"]).cmdline()
    script = line[line.index("run") + 1]
    installed = "LNL_COMMAND" in os.environ
    assert script.endswith("lnl_core/_app/app.py") is installed
    assert not script.startswith(str(desk.cwd))


def test_a_second_time_it_opens_the_server_that_runs(desk):
    again = desk.run("open", "--json")
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout) == {"url": desk.address, "pid": record(desk)["pid"]}
    assert desk.opened() == desk.address


def test_a_server_that_runs_cannot_be_moved(desk):
    port = desk.address.rpartition(":")[2]
    for elsewhere in (["--port", "1"], ["--host", "0.0.0.0"]):
        refused = desk.run("open", *elsewhere)
        assert refused.returncode == 1
        assert f"open already at {desk.address}" in refused.stderr
    assert desk.run("open", "--host", "localhost", "--port", port, "--no-browser").returncode == 0


def test_without_a_screen_it_says_how_to_get_there(desk):
    env = desk.env | {"SSH_CONNECTION": "10.0.0.2 50000 10.0.0.1 2222"}
    seen, desk.env = desk.env, {k: v for k, v in env.items() if k not in ("DISPLAY", "BROWSER")}
    told = desk.run("open").stdout
    desk.env = seen
    place = desk.address.removeprefix("http://")
    port = place.rpartition(":")[2]
    assert f"ssh -p 2222 -L {port}:{place} ann@{socket.gethostname()}" in told


@pytest.fixture
def terminal(tmp_path):
    opened = Terminal(tmp_path)
    yield opened
    opened.close()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.mark.parametrize(("end", "base"), [("Ctrl-C", ""), ("terminate", "/desk")])
def test_the_app_ends_with_the_command(terminal, end, base):
    port = free_port()
    terminal.env["STREAMLIT_SERVER_BASE_URL_PATH"] = base
    terminal.start("open", "--no-browser", "--port", str(port)).wait_for("Ctrl-C here ends it")
    server = psutil.Process(record(terminal)["pid"])
    assert record(terminal)["url"] == f"http://127.0.0.1:{port}{base}"
    if end == "Ctrl-C":
        terminal.press(b"\x03")
    else:
        terminal.process.send_signal(signal.SIGTERM)
    assert terminal.process.wait(60) == 0
    assert not server.is_running()
    assert not (terminal.ws / "server.json").exists()


def test_a_port_that_is_taken_is_named(terminal):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = terminal.run("open", "--port", str(port))
    assert refused.returncode == 1
    assert f"Port {port} is taken." in refused.stderr


def test_addresses_that_are_not_this_computers_are_named(terminal):
    for host in ("192.0.2.1", "no such host"):
        refused = terminal.run("open", "--host", host, "--port", str(free_port()))
        assert refused.returncode == 1
        assert f"--host {host} is no address of this computer." in refused.stderr
    assert terminal.run("open", "--port", "70000").returncode == 2


def test_a_desk_that_others_reach_needs_names_and_a_login(terminal):
    port = str(free_port())
    refused = terminal.run("open", "--no-browser", "--host", "0.0.0.0", "--port", port)
    assert refused.returncode == 1
    assert "Set LNL_ALLOWED_HOSTS" in refused.stderr
    assert "[auth]" in refused.stderr
    assert "Traceback" not in refused.stderr

    secrets = terminal.ws / ".streamlit" / "secrets.toml"
    secrets.parent.mkdir()
    secrets.write_text('[auth]\ncookie_secret = "for this test only"\n')
    terminal.env["LNL_ALLOWED_HOSTS"] = "lab.example"
    terminal.start("open", "--host", "0.0.0.0", "--port", port).opened()
    terminal.wait_for("LNL_ALLOWED_HOSTS")
    told = " ".join(terminal.said.split())
    assert f"--host 0.0.0.0: other computers reach port {port} too, under lab.example" in told
    assert record(terminal)["host"] == "0.0.0.0"
