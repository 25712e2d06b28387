"""The edge: a workspace is opened here, and a data set's name or number becomes a `DatasetInfo`.

Command line, routes and sidebar resolve once; every other service takes the value. It reads the
database alone: no numpy, no methods.
"""

from __future__ import annotations

from pathlib import Path

from lnl_core.records import DatasetInfo, NotFound, Workspace
from lnl_core.store import datasets as stored
from lnl_core.store import db, decisions, faults, people
from lnl_core.store.unexpected import log_file as log_file
from lnl_core.store.unexpected import refusal as refusal
from lnl_core.store.unexpected import write_down as write_down


def open_workspace(home: Path | str | None = None, url: str | None = None) -> Workspace:
    """Open a workspace, creating or migrating it first.

    Args:
        home: folder; default `LNL_HOME`, else `~/.lnl-review`.
        url: database; default `LNL_DATABASE_URL`, else SQLite in the folder.

    Raises:
        LnlError: the folder cannot be written, the database cannot be reached, or it is newer
            than this program.
    """
    return db.open_workspace(home, url)


def home() -> Path:
    """Return the folder of the workspace that LNL_HOME names, without opening it."""
    return db.located().home


def read_only(ws: Workspace) -> bool:
    """Say whether a workspace can only be looked at: nothing can be saved."""
    return db.is_read_only(ws)


def is_full(ws: Workspace) -> bool:
    """Say whether the disk of a workspace has no room for an answer."""
    return faults.is_full(ws)


def datasets(ws: Workspace) -> list[DatasetInfo]:
    """List the data sets, last used first."""
    return stored.datasets(ws)


def dataset(ws: Workspace, name: str) -> DatasetInfo:
    """Find a data set by its name.

    Raises:
        LnlError: there is none of that name; it says which there are.
    """
    return stored.dataset(ws, name)


def dataset_by_id(ws: Workspace, number: int) -> DatasetInfo:
    """Find a data set by its number, as addresses hold it.

    Raises:
        NotFound: it is gone.
    """
    info = stored.dataset_by_id(ws, number)
    if info is None:
        raise NotFound("There is no such data set. Open it again from the list.")
    return info


def reviewers(ws: Workspace) -> list[str]:
    """List everybody who has reviewed, by name."""
    return decisions.reviewers(ws)


def add_reviewer(ws: Workspace, who: str) -> str:
    """Make sure a reviewer exists and return the name without outer blanks.

    Raises:
        LnlError: blank, unprintable or longer than 60 characters.
    """
    return decisions.add_reviewer(ws, who)


def claim_first(ws: Workspace, who: str) -> bool:
    """Add a reviewer where there is none yet, and say whether it was this one."""
    return people.claim_first(ws, who)


def has_answered(ws: Workspace, who: str) -> bool:
    """Say whether any answer, taken back ones too, is of a reviewer."""
    return people.has_answered(ws, who)
