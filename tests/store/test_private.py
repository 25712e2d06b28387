"""Who may read a workspace's files."""

import os
import stat

import pytest

from lnl_core.store import db

pytestmark = pytest.mark.skipif(os.name != "posix", reason="only POSIX has these modes")


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_workspace_is_its_owners_alone(tmp_path):
    ws = db.open_workspace(tmp_path / "deep" / "home")
    assert mode(ws.home) == 0o700
    assert mode(ws.home / "datasets") == 0o700
    assert mode(ws.home / "review.db") == 0o600
    db.dispose(ws)


def test_what_lay_open_is_tightened_and_nothing_else_is_touched(tmp_path):
    home = tmp_path / "shared"
    home.mkdir()
    (home / "mine.txt").write_text("not the program's")
    for path in (home, home / "mine.txt"):
        path.chmod(0o755)
    db.dispose(db.open_workspace(home))
    (home / "datasets").chmod(0o775)
    (home / "review.db").chmod(0o644)
    db.dispose(db.open_workspace(home))
    assert mode(home / "datasets") == 0o700
    assert mode(home / "review.db") == 0o600
    assert (mode(home), mode(home / "mine.txt")) == (0o755, 0o755)


def test_a_link_is_left_to_whom_it_leads(tmp_path):
    """A workspace may keep its sets on another disk; that folder's mode is its owner's matter."""
    there = tmp_path / "disk"
    there.mkdir()
    there.chmod(0o755)
    home = tmp_path / "home"
    home.mkdir()
    (home / "datasets").symlink_to(there)
    db.dispose(db.open_workspace(home))
    assert mode(there) == 0o755
