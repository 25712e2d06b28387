"""Which database an address names; what would be read in two ways is refused."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from lnl_core.records import LnlError


def with_driver(url: str) -> str:
    """Return the URL with the driver that this program uses; `postgres://` is understood.

    Raises:
        LnlError: no SQLite and no PostgreSQL, or the driver is not installed.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:  # a port that is none: ValueError
        raise LnlError(
            "LNL_DATABASE_URL is no database URL. Example: postgresql://user@host/lnl"
        ) from error
    kind = parsed.drivername.split("+")[0]
    if kind == "sqlite":
        return _of_file(url, parsed)
    if kind not in ("postgresql", "postgres"):
        raise LnlError(
            f"LNL_DATABASE_URL names “{kind}”; the databases are sqlite and postgresql. "
            "Example: postgresql://user@host/lnl"
        )
    if find_spec("psycopg") is None:
        raise LnlError("PostgreSQL needs its driver: pip install 'lnl-review[postgres]'.")
    return parsed.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def of_path(file: Path) -> str:
    """Return the address of an SQLite file, whatever its path holds: `?`, `%20`, `#`.

    Raises:
        LnlError: the address would be that of another file.
    """
    return _rendered(URL.create("sqlite", database=str(file)))


def formerly(file: Path) -> Path | None:
    """Return where an earlier version put a file whose path reads as an address of another."""
    database = make_url(f"sqlite:///{file}").database
    return None if database in (None, str(file)) else Path(str(database))


def _rendered(url: URL) -> str:
    text = url.render_as_string(hide_password=False)
    if make_url(text).database != url.database:  # SQLAlchemy before 2.1
        raise LnlError(
            f"The path {url.database} cannot be written as a database's address. Use a folder "
            "without ? and % in its name (LNL_HOME)."
        )
    return text


def _of_file(url: str, parsed: URL) -> str:
    """Return the URL of an SQLite file, absolute and with the driver's plain name.

    Raises:
        LnlError: it names no file, or names it so that the program would take another one for it.
    """
    file, driver = parsed.database or "", parsed.get_driver_name()
    what = ""
    if parsed.host or parsed.username:
        where = parsed.host or parsed.username
        what = f"names a computer, “{where}”; a whole path has four slashes before it"
    elif file in ("", ":memory:"):
        what = "names no file, so nothing would be kept"
    elif file.startswith("file:") or "uri" in parsed.query:
        what = "names its file as file:…?uri=true, which is not understood here"
    elif driver != "pysqlite":
        what = f"names the driver “{driver}”; SQLite has none of its own here"
    if what:
        raise LnlError(f"LNL_DATABASE_URL {what}. Example: sqlite:////data/lnl/review.db")
    if parsed.drivername == "sqlite" and Path(file).is_absolute():
        return url
    whole = parsed.set(drivername="sqlite", database=str(Path(file).absolute()))
    return _rendered(whole)
