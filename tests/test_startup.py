"""What the command line loads before it answers: modules, counted, not seconds."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lnl_core.jobs import queue
from lnl_core.store import datasets, decisions
from lnl_core.types import Action, Decision

REPO = Path(__file__).resolve().parents[1]

SLOW = {"numpy", "pandas", "pyarrow", "scipy", "PIL", "alembic", "psutil", "plotly", "streamlit"}
"""What a status has no use for, each of them some ten to some hundred milliseconds."""

CALL = """
import sys
bare = set(sys.modules)
from lnl_core.cli import main
try:
    main({arguments})
except SystemExit:
    pass
print(*sorted(set(sys.modules) - bare), file=sys.stderr)
"""


def loaded(*arguments, **environment):
    """Return (what a command printed, the modules that are not Python's own)."""
    done = subprocess.run(
        [sys.executable, "-c", CALL.format(arguments=list(arguments))],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    names = set(done.stderr.split())
    ours = {name for name in names if name.partition(".")[0] not in sys.stdlib_module_names}
    return done.stdout, ours


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["export", "--help"]])
def test_help_loads_the_words_and_nothing_else(arguments):
    text, names = loaded(*arguments)
    assert text.startswith("usage: lnl")
    rooms = {".".join(name.split(".")[:2]) for name in names}
    nouns = (".records", ".readings", ".said")
    assert rooms == {f"lnl_core{n}" for n in ("", ".cli", *nouns, ".services")}
    services = {name for name in names if name.startswith("lnl_core.services.")}
    assert services == {"lnl_core.services.export", "lnl_core.services.export.formats"}


def test_status_loads_the_database_and_neither_arrays_nor_methods(workspace, tiny):
    info = datasets.dataset(workspace, "tiny")
    decisions.append(info, [Decision(3, Action.KEEP, "ann")])
    queue.submit(info, "knn")
    for arguments in (["status"], ["status", "tiny", "--json"]):
        where = {"LNL_HOME": str(workspace.home), "LNL_DATABASE_URL": workspace.url}
        text, names = loaded(*arguments, **where)
        assert "knn" in text
        assert not SLOW & names
        assert "sqlalchemy.dialects.postgresql" not in names or not workspace.on_sqlite
        ours = {name for name in names if name.startswith("lnl_core.")}
        rooms = {".".join(name.split(".")[:2]) for name in ours}
        nouns = ("records", "readings", "said")
        assert rooms == {f"lnl_core.{n}" for n in ("cli", *nouns, "store", "jobs", "services")}
        assert not {"lnl_core.jobs.queue", "lnl_core.store.arrays"} & ours


def test_a_new_workspace_may_load_what_makes_its_tables(tmp_path):
    """The guard of `status` looks where it should: here, and only here, the schema is made."""
    url = f"sqlite:///{tmp_path / 'review.db'}"
    _, names = loaded("status", LNL_HOME=str(tmp_path), LNL_DATABASE_URL=url)
    assert "alembic" in names


FIRST_PAGE = """
import sys
from streamlit.testing.v1 import AppTest
before = set(sys.modules)
page = AppTest.from_file("pages/_main.py", default_timeout=60).run()
assert not page.exception, page.exception
print([one.value for one in (*page.title, *page.header)])
print(*sorted(set(sys.modules) - before), file=sys.stderr)
"""


def test_the_first_page_loads_no_tables(workspace, tiny):
    where = {"LNL_HOME": str(workspace.home), "LNL_DATABASE_URL": workspace.url}
    done = subprocess.run(
        [sys.executable, "-c", FIRST_PAGE],
        env=os.environ | where,
        cwd=REPO,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "tiny" in done.stdout
    names = set(done.stderr.split())
    assert "lnl_core.services.datasets.catalog" in names
    assert not (SLOW - {"numpy", "pyarrow", "PIL", "psutil", "plotly", "streamlit"}) & names
