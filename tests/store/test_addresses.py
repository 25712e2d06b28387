"""Databases by their address: a server that fails, a file with parameters."""

import pytest
from sqlalchemy.exc import OperationalError

from lnl_core.cli import main
from lnl_core.records import NoRoom
from lnl_core.store import datasets, db, decisions, faults, order, rescue
from lnl_core.types import Action, Busy, Decision, NoAnswer
from tests.store.test_crash_order import write_set


class OfServer(Exception):
    """An error as PostgreSQL's driver raises it."""

    def __init__(self, text, sqlstate=None):
        super().__init__(text)
        self.sqlstate = sqlstate


SERVER = (
    (
        "could not extend file: No space left on device\nHINT:  Check free disk space.",
        "53100",
        NoRoom,
        "is full; nothing was changed. Free some space there",
    ),
    (
        "connection to server at host failed: Connection refused\n\tIs the server running on it?",
        None,
        NoAnswer,
        "does not answer: connection to server at host failed: Connection refused. Start it",
    ),
    (
        'FATAL:  database "none" does not exist',
        None,
        NoAnswer,
        "or make them on the server (createuser, createdb)",
    ),
    (
        "FATAL:  sorry, too many clients already",
        "53300",
        Busy,
        "overloaded: FATAL:  sorry, too many",
    ),
    *(
        (f'connection to server at "host", port 5432 failed: FATAL:  {words}', None, Busy, words)
        for words in (  # as psycopg gives them, without a code
            "sorry, too many clients already",
            'too many connections for role "ann"',
            "remaining connection slots are reserved for roles with the SUPERUSER attribute",
        )
    ),
)


@pytest.mark.parametrize(("text", "code", "kind", "said"), SERVER)
def test_a_server_that_is_full_away_or_crowded_is_named(tmp_path, text, code, kind, said):
    ws = db.Workspace(tmp_path, "postgresql+psycopg://ann:secret@host/lnl")
    with pytest.raises(kind) as told, faults.named(ws):
        raise OperationalError("select 1", {}, OfServer(text, code))
    assert type(told.value) is kind
    assert said in str(told.value)
    assert "secret" not in str(told.value)
    assert "HINT" not in str(told.value)


def test_a_parameter_of_the_address_is_no_part_of_the_file_name(tmp_path, monkeypatch):
    """The workspace had locked itself out at the second start, and its copies were empty."""
    monkeypatch.delenv("LNL_DATABASE_URL", raising=False)
    for home, folder in ((tmp_path / "here", tmp_path / "here"), (tmp_path, tmp_path / "other")):
        folder.mkdir()
        url = f"sqlite:///{folder / 'review.db'}?timeout=30"
        ws = db.open_workspace(home, url)
        assert faults.database_file(ws) == folder / "review.db"
        info = datasets.register(ws, "two", write_set(folder / "two", 3))
        decisions.append(info, [Decision(0, Action.KEEP, "ann", given_label=0)])
        copy = rescue.keep_copy(ws)
        db.dispose(ws)
        assert order.answers_in(copy) == 1
        again = db.open_workspace(home, url)
        assert [each.name for each in datasets.datasets(again)] == ["two"]
        db.dispose(again)
        assert not list(tmp_path.rglob("*?timeout*".replace("?", "[?]")))


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("sqlite:///file:/tmp/a.db?uri=true", "file:…?uri=true, which is not understood"),
        ("sqlite:////tmp/a.db?uri=true&mode=ro", "which is not understood"),
        ("sqlite+aiosqlite:////tmp/a.db", "names the driver “aiosqlite”"),
        ("sqlite+nothing:////tmp/a.db", "names the driver “nothing”"),
        ("sqlite://tmp/a.db", "names a computer, “tmp”; a whole path has four slashes"),
    ],
)
@pytest.mark.parametrize("words", [["status"], ["doctor"], ["doctor", "--restore"]])
def test_an_address_that_would_name_another_file_is_refused(
    tmp_path, monkeypatch, capsys, url, said, words
):
    monkeypatch.setenv("LNL_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LNL_DATABASE_URL", url)
    assert main(words) == 1
    shown = capsys.readouterr().err
    assert said in shown
    assert "Example: sqlite:////data/lnl" in shown
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "url",
    ["postgresql://ann:secret@host:port/lnl", "postgresql://ann:secret@one:5432,two:5432/lnl"],
)
def test_an_address_that_cannot_be_taken_apart_is_refused_in_words(
    tmp_path, monkeypatch, capsys, url
):
    monkeypatch.setenv("LNL_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LNL_DATABASE_URL", url)
    assert main(["doctor"]) == 1
    shown = capsys.readouterr().err
    assert "LNL_DATABASE_URL is no database URL. Example: postgresql://" in shown
    assert "secret" not in shown


@pytest.mark.parametrize("name", ["what?x", "my%20sets", "a#b", "50%", "a@b:c", "Übung 1", "a?b=c"])
def test_a_home_is_its_own_whatever_its_name_holds(tmp_path, monkeypatch, name):
    monkeypatch.delenv("LNL_DATABASE_URL", raising=False)
    home = tmp_path / name
    monkeypatch.setenv("LNL_HOME", str(home))
    ws = db.open_workspace()
    assert faults.database_file(ws) == home / "review.db"
    info = datasets.register(ws, "two", write_set(tmp_path / "two", 3))
    decisions.append(info, [Decision(0, Action.KEEP, "ann", given_label=0)])
    rescue.keep_copy(ws)
    db.dispose(ws)
    for each in home.glob("review.db*"):
        each.unlink()
    assert main(["doctor", "--restore"]) == 0
    assert main(["status"]) == 0
    assert order.answers_in(home / "review.db") == 1
    assert [each.name for each in tmp_path.iterdir() if each.name != "two"] == [name]


@pytest.mark.parametrize(
    ("name", "former"), [("what?x", "what"), ("my%20sets", "my sets/review.db")]
)
def test_a_database_that_an_earlier_version_put_elsewhere_is_said(
    tmp_path, monkeypatch, capsys, name, former
):
    monkeypatch.delenv("LNL_DATABASE_URL", raising=False)
    home, there = tmp_path / name, tmp_path / former
    there.parent.mkdir(exist_ok=True)
    monkeypatch.setenv("LNL_HOME", str(home))
    there.write_bytes(b"of another home")
    ws = db.open_workspace()  # a home without sets has nothing there
    datasets.register(ws, "two", write_set(tmp_path / "two", 3))
    db.dispose(ws)
    for each in home.glob("review.db*"):
        each.replace(there if each.name == "review.db" else f"{there}{each.name[9:]}")
    for words in (["status"], ["doctor"], ["doctor", "--restore"]):
        assert main(words) == 1
        shown = "".join(capsys.readouterr())
        assert f"took {there} for it" in shown
        assert not (home / "review.db").exists()
    kept = there.rename(tmp_path / "kept")
    there.write_bytes(b"of another home")
    assert main(["doctor"]) == 1
    assert "review.db is missing, and 1 data set is in" in capsys.readouterr().out
    kept.rename(there)
    address = shown.partition("LNL_DATABASE_URL='")[2].partition("';")[0]
    monkeypatch.setenv("LNL_DATABASE_URL", address)
    ws = db.open_workspace()
    assert [each.name for each in datasets.datasets(ws)] == ["two"]
    db.dispose(ws)


def test_a_driver_that_is_named_and_a_path_from_here_are_the_same_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for url in ("sqlite+pysqlite:///z.db?timeout=30", "sqlite:///z.db?timeout=30"):
        ws = db.open_workspace(tmp_path / "home", url)
        assert ws.url == f"sqlite:///{tmp_path / 'z.db'}?timeout=30"
        assert (ws.on_sqlite, faults.database_file(ws)) == (True, tmp_path / "z.db")
        db.dispose(ws)
