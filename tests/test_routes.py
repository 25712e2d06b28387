"""Pictures and evidence over HTTP: exact addresses only, and only to our own page."""

import asyncio
import gc
import io
import json
import sys
import tomllib
from pathlib import Path

import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect
from streamlit import config
from streamlit.web.server.starlette import starlette_websocket
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value

from lnl_core.services.team import roles
from lnl_core.store import advised, arrays, datasets, decisions, faults
from lnl_core.types import Signals
from pages import _login, _routes, _urls
from pages._components import _assets
from tests import rankings

HERE = "http://localhost"
REPO = Path(__file__).resolve().parents[1]


@pytest.fixture
def client(workspace, monkeypatch):
    monkeypatch.setenv("LNL_HOME", str(workspace.home))
    monkeypatch.delenv("LNL_DATABASE_URL", raising=False)
    app = Starlette(routes=_routes.ROUTES, middleware=_routes.MIDDLEWARE)
    with TestClient(app, base_url=HERE) as opened:
        yield opened


@pytest.fixture
def scored(tiny):
    data = datasets.load(tiny)
    given, k = data.given_labels, len(data.class_names)
    probs = 0.1 + 0.7 * (data.true_labels[:, None] == range(k))
    signals = Signals("sr", 1 - probs[range(len(data)), given], probs)
    arrays.save_signals(tiny.directory / "runs" / "1", signals)
    ranking = rankings.rank([signals], given, k)
    arrays.save_ranking(tiny.directory / "ranking", ranking, {"sr": 1})
    return tiny


def test_a_picture_comes_whole_and_may_be_kept_for_good(client, tiny):
    for size in ("full", "thumb"):
        answer = client.get(f"/lnl/img/{tiny.id}/{tiny.version}/7/{size}")
        assert answer.status_code == 200
        assert Image.open(io.BytesIO(answer.content)).size == (8, 8)
        assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "access-control-allow-origin" not in answer.headers


def test_a_components_script_comes_whole_and_may_be_kept_for_good(client):
    address = _assets.address("review")
    answer = client.get(address)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert "\nexport default " in answer.text
    for other in (address.replace("review", "map"), address.replace("review", "desk")):
        assert client.get(other).status_code == 404
    assert client.get(address.replace("/lnl", "/x/lnl")).status_code == 404


def test_the_address_of_the_data_page_leads_to_it(client):
    answer = client.get("/data?dataset=a%20b", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (307, "/?dataset=a%20b")
    assert client.get("/data", follow_redirects=False).headers["location"] == "/"


def test_a_picture_of_a_damaged_working_copy_is_not_found(client, tiny):
    with (tiny.directory / "images.npy").open("rb+") as file:
        file.truncate(300)
    for size in ("full", "thumb"):
        assert client.get(f"/lnl/img/{tiny.id}/{tiny.version}/7/{size}").status_code == 404


@pytest.mark.parametrize(
    "address",
    [
        "/lnl/img/{id}/{version}/60/full",  # one row too far
        "/lnl/img/{id}/{version}/-1/full",
        "/lnl/img/{id}/{version}/7/huge",
        "/lnl/img/{id}/{version}/7/full/",
        "/lnl/img/{id}/{version}/7",
        "/lnl/img/{id}/{version}0/7/full",
        "/lnl/img/{id}/0000/7/full",
        "/lnl/img/99/{version}/7/full",
        "/lnl/img/99999999999999999999/{version}/7/full",
        "/lnl/img/{id}/{version}/99999999999999999999/full",
        "/lnl/img/{id}/..%2f..%2freview.db/7/full",
        "/lnl/img/{id}/{version}/7/..%2f..%2freview.db",
        "/elsewhere/lnl/img/{id}/{version}/7/full",
        "/lnl/evidence/{id}/60",
        "/lnl/evidence/99/7",
        "/lnl/evidence/99999999999999999999/7",
        "/elsewhere/lnl/evidence/{id}/7",
    ],
)
def test_any_other_address_is_not_found(client, scored, address):
    url = address.format(id=scored.id, version=scored.version)
    answer = client.get(url, follow_redirects=False)
    assert answer.status_code in (404, 307)
    if answer.status_code == 307:  # a slash too many; never another place
        assert answer.headers["location"] == f"{HERE}{url.rstrip('/')}"


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
def test_nothing_can_be_written(client, scored, method):
    for address in (
        f"/lnl/img/{scored.id}/{scored.version}/7/full",
        f"/lnl/evidence/{scored.id}/7",
    ):
        assert getattr(client, method)(address).status_code == 405


def test_evidence_is_never_kept_and_only_for_our_page(client, scored):
    address = f"/lnl/evidence/{scored.id}/3"
    answer = client.get(address, headers={"sec-fetch-site": "same-origin"})
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    found = answer.json()
    assert found["row"] == 3
    assert found["top"][0]["label"] == 0  # row 3 was flipped from class 0
    for site in ("cross-site", "same-site", "none"):
        assert client.get(address, headers={"sec-fetch-site": site}).status_code == 403
    assert client.get(address, headers={"origin": "http://evil.example"}).status_code == 403
    assert client.get(address, headers={"origin": HERE}).status_code == 200


def test_evidence_of_a_set_that_nobody_scored_is_not_found(client, tiny):
    assert client.get(f"/lnl/evidence/{tiny.id}/3").status_code == 404


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1.nip.io", ""])
def test_foreign_hosts_are_refused(client, tiny, host):
    address = f"/lnl/img/{tiny.id}/{tiny.version}/7/thumb"
    assert client.get(address, headers={"host": host}).status_code == 400


FOREIGN = (
    "http://evil.example",
    "http://localhost:3000",
    "https://localhost:3000",
    "null",
    "",
    "http://[",
)


@pytest.mark.parametrize("origin", FOREIGN)
def test_what_another_page_sends_ends_at_the_gate(client, tiny, origin):
    """Also a page of another port of this machine, and what is no origin at all."""
    address = f"/lnl/img/{tiny.id}/{tiny.version}/7/thumb"
    answer = client.get(address, headers={"origin": origin})
    assert answer.status_code == 403
    assert "proxy_set_header Host" in answer.text
    assert answer.headers["content-security-policy"] == "frame-ancestors 'none'"


@pytest.mark.parametrize("origin", [HERE, "http://LOCALHOST", "http://localhost:80"])
def test_our_own_pages_pass_the_gate_and_stand_in_no_frame(client, tiny, origin):
    address = f"/lnl/img/{tiny.id}/{tiny.version}/7/thumb"
    for headers in ({}, {"origin": origin}):
        answer = client.get(address, headers=headers)
        assert answer.status_code == 200
        assert answer.headers["content-security-policy"] == "frame-ancestors 'none'"
        assert answer.headers["x-frame-options"] == "DENY"


@pytest.fixture
def talk(workspace, monkeypatch):
    """A server that takes every WebSocket that reaches it."""
    monkeypatch.setenv("LNL_HOME", str(workspace.home))

    async def echo(socket):
        await socket.accept()
        await socket.send_text("here")
        await socket.close()

    app = Starlette(routes=[WebSocketRoute("/_stcore/stream", echo)], middleware=_routes.MIDDLEWARE)
    with TestClient(app, base_url=HERE) as opened:
        yield opened


@pytest.mark.parametrize("origin", [None, *FOREIGN])
def test_a_websocket_of_another_page_or_of_none_is_refused(talk, origin):
    headers = {} if origin is None else {"origin": origin}
    with (
        pytest.raises(WebSocketDisconnect) as refused,
        talk.websocket_connect("ws://localhost/_stcore/stream", headers=headers),
    ):
        pass
    assert refused.value.code == 1008


def test_our_own_websocket_is_taken(talk):
    with talk.websocket_connect(
        "ws://localhost/_stcore/stream", headers={"origin": HERE}
    ) as socket:
        assert socket.receive_text() == "here"


def test_measurements_of_the_server_need_the_login_too(talk, monkeypatch):
    assert talk.get("/_stcore/metrics").status_code == 404  # nothing serves it here: it got through
    secrets = Secrets(auth={"cookie_secret": "for this test only"})
    for module in ("streamlit.runtime.secrets", "streamlit.web.server.server_util"):
        monkeypatch.setattr(f"{module}.secrets_singleton", secrets)
    for address in ("/_stcore/metrics", "/_stcore/metrics/", "/desk/_stcore/metrics"):
        assert talk.get(address).status_code == 403
    assert talk.get("/_stcore/health").status_code == 404


@pytest.mark.parametrize("address", ["127.0.0.1", "localhost", "::1", "127.8.0.1", "unix:/run/lnl"])
def test_a_server_for_this_machine_alone_needs_nothing(monkeypatch, address):
    monkeypatch.delenv("LNL_ALLOWED_HOSTS", raising=False)
    assert _login.check_address(address) is None


def test_a_server_for_others_needs_names_and_a_login(monkeypatch):
    monkeypatch.delenv("LNL_ALLOWED_HOSTS", raising=False)
    for address in (None, "", "0.0.0.0", "::", "10.0.0.5", "lab.example"):
        why = _login.check_address(address)
        assert "LNL_ALLOWED_HOSTS" in why
        assert "[auth]" in why
    monkeypatch.setenv("LNL_ALLOWED_HOSTS", "lab.example")
    assert "LNL_ALLOWED_HOSTS" not in _login.check_address("0.0.0.0")
    secrets = Secrets(auth={"cookie_secret": "for this test only"})
    monkeypatch.setattr("streamlit.runtime.secrets.secrets_singleton", secrets)
    assert _login.check_address("0.0.0.0") is None
    monkeypatch.setenv("LNL_ALLOWED_HOSTS", " , ")
    assert "[auth]" not in _login.check_address("0.0.0.0")


@pytest.mark.parametrize("host", ["localhost:8501", "127.0.0.1:8501", "[::1]:8501", "LOCALHOST"])
def test_this_machine_is_answered(client, tiny, host):
    address = f"/lnl/img/{tiny.id}/{tiny.version}/7/thumb"
    assert client.get(address, headers={"host": host}).status_code == 200


@pytest.mark.parametrize("host", ["localhost:8501", "127.0.0.1:8501", "[::1]:8501", "LOCALHOST"])
def test_streamlits_own_check_answers_this_machine_too(monkeypatch, host):
    """It knows an IPv6 address without brackets, and has the list of our own config file."""
    written = tomllib.loads((REPO / ".streamlit" / "config.toml").read_text("utf-8"))
    monkeypatch.setattr(config, "get_option", lambda key: written["server"]["allowedHosts"])
    assert starlette_websocket.is_host_allowed(host)
    assert not starlette_websocket.is_host_allowed("lab.example")


def test_more_hosts_can_be_named(monkeypatch):
    monkeypatch.setenv("LNL_ALLOWED_HOSTS", "lab.example, *.lab.example,")
    assert _routes.allowed_hosts()[-2:] == ["lab.example", "*.lab.example"]


def test_addresses_follow_the_base_path(client, tiny, monkeypatch):
    plain = config.get_option
    monkeypatch.setattr(
        config, "get_option", lambda key: "/desk/" if key == "server.baseUrlPath" else plain(key)
    )
    monkeypatch.setattr("streamlit.get_option", config.get_option)
    url = _urls.image_url(tiny.id, tiny.version, "thumb")
    assert url == f"/desk/lnl/img/{tiny.id}/{tiny.version}/{{row}}/thumb"
    assert client.get(url.format(row=7)).status_code == 200
    assert client.get(url.format(row=7).removeprefix("/desk")).status_code == 404


class Secrets(dict):
    """What `secrets.toml` with a login holds."""

    def load_if_toml_exists(self):
        return True


def test_with_a_login_configured_pictures_need_it(client, tiny, monkeypatch):
    secrets = Secrets(auth={"cookie_secret": "for this test only"})
    for module in ("streamlit.runtime.secrets", "streamlit.web.server.server_util"):
        monkeypatch.setattr(f"{module}.secrets_singleton", secrets)
    address = f"/lnl/img/{tiny.id}/{tiny.version}/7/thumb"
    assert client.get(address).status_code == 403

    def answer(secret, origin, logged_in=True):
        said = json.dumps({"origin": origin, "is_logged_in": logged_in, "name": "Ada"})
        cookie = create_signed_value(secret, "_streamlit_user", said)
        client.cookies.set("_streamlit_user", cookie.decode())
        return client.get(address).status_code

    assert answer("for this test only", HERE) == 200
    assert answer("for this test only", "https://localhost") == 200  # behind a proxy with TLS
    assert answer("for this test only", "http://evil.example") == 403
    assert answer("for this test only", HERE, logged_in=False) == 403
    assert answer("another secret", HERE) == 403


def test_whom_evidence_is_shown_to_is_who_is_logged_in_whatever_the_page_says(
    client, scored, workspace, monkeypatch
):
    secrets = Secrets(auth={"cookie_secret": "for this test only"})
    for module in ("streamlit.runtime.secrets", "streamlit.web.server.server_util"):
        monkeypatch.setattr(f"{module}.secrets_singleton", secrets)
    decisions.add_reviewer(workspace, "ann")
    assert roles.signed_in(workspace, "https://id#7", "Mallory", "", ()) == "Mallory"
    address = f"/lnl/advised/{scored.id}/3"

    def shown(subject):
        said = {"origin": HERE, "is_logged_in": True, "iss": "https://id", "sub": subject}
        cookie = create_signed_value("for this test only", "_streamlit_user", json.dumps(said))
        client.cookies.set("_streamlit_user", cookie.decode())
        return client.post(address, content="ann").status_code

    assert client.post(address, content="ann").status_code == 403
    assert shown("7") == 204
    assert advised.among(scored, "ann", range(scored.n)) == set()
    assert advised.among(scored, "Mallory", range(scored.n)) == {3}
    assert shown("8") == 404  # of whom no page knows
    assert advised.among(scored, "ann", range(scored.n)) == set()


def test_a_thread_that_draws_a_page_lets_an_answer_through(workspace, monkeypatch):
    """Five threads' turns at Python's own 5 ms are a quarter of what a key may take."""
    monkeypatch.setenv("LNL_HOME", str(workspace.home))
    before = sys.getswitchinterval()
    try:
        with TestClient(Starlette(lifespan=_routes.lifespan)):
            assert sys.getswitchinterval() <= 0.001 < before
    finally:
        sys.setswitchinterval(before)
        gc.unfreeze()
        gc.enable()


def test_a_server_that_runs_collects_garbage_again(workspace, monkeypatch):
    """`app.py` loads without it; a server that never collected would grow."""
    monkeypatch.setenv("LNL_HOME", str(workspace.home))
    gc.disable()
    try:
        with TestClient(Starlette(lifespan=_routes.lifespan)):
            assert gc.isenabled()
            assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()
        gc.enable()


def test_a_server_that_stays_up_copies_the_database(tiny, workspace, monkeypatch):
    """Not at its start alone: once it has a set, and whenever the last copy is a day old."""
    monkeypatch.setenv("LNL_HOME", str(workspace.home))
    monkeypatch.setattr(_routes, "COPY_SECONDS", 0.0)

    async def copied():
        looking = asyncio.create_task(_routes._copy_daily())
        while not faults.backups(workspace):
            await asyncio.sleep(0.01)
        looking.cancel()

    asyncio.run(asyncio.wait_for(copied(), 60))
    assert len(faults.backups(workspace)) == 1


def test_whom_evidence_is_shown_to_is_noted_for_our_own_page_alone(client, scored, workspace):
    decisions.add_reviewer(workspace, "Ännchen")
    address = f"/lnl/advised/{scored.id}"
    foreign = {"sec-fetch-site": "cross-site"}
    assert client.post(f"{address}/3", content="Ännchen", headers=foreign).status_code == 403
    assert client.post(f"{address}/3", content="x" * 300).status_code == 400
    assert client.post(f"{address}/{scored.n}", content="Ännchen").status_code == 404
    assert client.get(f"{address}/3").status_code == 405
    assert advised.among(scored, "Ännchen", range(scored.n)) == set()
    assert client.post(f"{address}/3", content="Ännchen").status_code == 204
    assert advised.among(scored, "Ännchen", range(scored.n)) == {3}
