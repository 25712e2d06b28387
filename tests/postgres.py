"""A real PostgreSQL for tests: started from its own binaries, in a folder of its own, no port."""

import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

from lnl_core.store.db import dispose, open_workspace

_numbers = itertools.count(1)


def _binaries():
    """The folder with initdb and pg_ctl, or a skip that says why."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if versions:
        return versions[-1].parent
    pytest.skip("PostgreSQL's initdb is not installed")


def _account():
    """Arguments for subprocess: PostgreSQL refuses root, so root becomes somebody else."""
    if os.getuid() != 0:
        return {}, None
    for name in ("postgres", "nobody"):
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": []}, found
    pytest.skip("PostgreSQL refuses root, and there is no other account to run it as")


@contextmanager
def server():
    """Start a server and give `url(database)`; a database made by it has today's schema."""
    pytest.importorskip("psycopg", reason="psycopg is not installed: extra [postgres]")
    binaries, (account, owner) = _binaries(), _account()
    folder = Path(tempfile.mkdtemp(prefix="lnl-pg-"))  # short: a socket's path has 107 letters

    def call(program, *arguments):
        done = subprocess.run(
            [binaries / program, *arguments],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # the server inherits it, so no pipe
            stderr=subprocess.DEVNULL,
            **account,
        )
        assert done.returncode == 0, f"{program} failed"

    if owner is not None:
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    data = folder / "data"
    settings = (
        f"-c listen_addresses='' -k {folder} -F -c full_page_writes=off -c max_connections=60"
    )
    call("initdb", "-D", data, "-U", "lnl", "-A", "trust", "-E", "UTF8", "--no-sync")
    try:
        call("pg_ctl", "-D", data, "-l", folder / "log", "-w", "-o", settings, "start")
        address = f"postgresql+psycopg://lnl@/{{}}?host={folder}"
        template = open_workspace(folder.parent / f"{folder.name}-home", address.format("postgres"))
        dispose(template)
        yield address.format
    finally:
        call("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(folder.parent / f"{folder.name}-home", ignore_errors=True)


def emptied(url):
    """Return the URL of the database that tests share, without any row left in it."""
    import psycopg

    with psycopg.connect(url("postgres").replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("TRUNCATE datasets, reviewers, decisions, jobs RESTART IDENTITY CASCADE")
    return url("postgres")


def new_database(url):
    """Make a database of its own with today's schema and return its URL."""
    import psycopg

    name = f"lnl_{next(_numbers)}"
    plain = url("template1").replace("+psycopg", "")
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE postgres")
    return url(name)
