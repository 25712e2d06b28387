"""With a login the signed-in person is the reviewer, whatever else a browser says."""

import urllib.error
import urllib.request

import pytest

from lnl_core.services.team import roles
from lnl_core.services.team.roles import Role
from lnl_core.store import db, decisions
from tests.browser.conftest import PATIENCE, Server
from tests.browser.desk import CLASSES, Desk

pytestmark = pytest.mark.browser

SECRETS = """[auth]
redirect_uri = "{server}/oauth2callback"
cookie_secret = "for this test only, and as long as a secret ought to be"
client_id = "lnl"
client_secret = "another"
server_metadata_url = "{discovery}"
"""


@pytest.fixture
def identity():
    from tests.browser.provider import provider

    with provider() as running:
        yield running


@pytest.fixture
def guarded(tmp_path, identity, monkeypatch):
    """A server with `[auth]`, in the home of a user of its own."""
    monkeypatch.setenv("HOME", str(tmp_path))
    running = Server(tmp_path / "home")
    (tmp_path / ".streamlit").mkdir()
    said = SECRETS.format(server=running.url, discovery=identity.discovery)
    (tmp_path / ".streamlit" / "secrets.toml").write_text(said)
    yield running.start()
    running.kill()


def sign_in(browser, server, identity, subject, name, address):
    """A browser of its own in which one person has signed in."""
    identity.person = {"sub": subject, "name": name, "email": address}
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto(server.url)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_text(f"Reviewer: {name}").wait_for()
    return page


def test_who_signed_in_answers_and_nobody_else_can(guarded, identity, browser, make_set):
    info = make_set(guarded, "guarded", CLASSES)
    ws = db.open_workspace(guarded.home)
    page = sign_in(browser, guarded, identity, "17", "Ada", "ada@x.org")
    # what a browser without a login would be known by
    cookie = {"name": f"lnl_reviewer_{guarded.port}", "value": "Mallory", "url": guarded.url}
    page.context.add_cookies([cookie])
    page.evaluate("localStorage.setItem('lnl:reviewer', 'Mallory')")
    desk = Desk(guarded, page, info).open()
    assert page.get_by_role("button", name="This is not me").count() == 0
    desk.press("k", "k").saved()
    assert {d.reviewer for d in desk.history()} == {"Ada"}
    assert roles.role_of(ws, "Ada") is Role.OWNER

    other = sign_in(browser, guarded, identity, "18", "Ada", "mallory@x.org")
    Desk(guarded, other, info).open().press("n").saved()
    assert decisions.reviewers(ws) == ["Ada", "Ada (mallory@x.org)"]
    assert roles.role_of(ws, "Ada (mallory@x.org)") is Role.REVIEWER
    assert len({d.row for d in desk.history()}) == 3  # what one has, the other has not


def test_without_the_login_no_route_says_anything(guarded, make_set):
    info = make_set(guarded, "guarded", CLASSES)
    for address in (
        f"img/{info.id}/{info.version}/0/full",
        f"evidence/{info.id}/0",
        f"maps/{info.id}/0",
    ):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"{guarded.url}/lnl/{address}")
        refused.value.close()
        assert refused.value.code == 403, address
