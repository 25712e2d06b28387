"""Who reviews: names, what each may do, and the login that a name belongs to."""

from __future__ import annotations

from sqlalchemy import select, update

from lnl_core.records import LnlError, Workspace
from lnl_core.store import decisions, schema
from lnl_core.store.db import reading, transaction

_TABLE = schema.reviewers


def roles(ws: Workspace) -> dict[str, str | None]:
    """Return name -> role as stored, oldest first; None where nobody has given one."""
    query = select(_TABLE.c.name, _TABLE.c.role).order_by(_TABLE.c.created_at)
    with reading(ws) as connection:
        return {name: role for name, role in connection.execute(query)}


def set_role(ws: Workspace, who: str, role: str | None) -> None:
    """Store what a reviewer is."""
    with transaction(ws) as connection:
        connection.execute(update(_TABLE).where(_TABLE.c.name == who).values(role=role))


def of_login(ws: Workspace, login: str, called: str, otherwise: str) -> str:
    """Return the reviewer that a login belongs to; a new login gets a name of its own.

    Names are not proof: neither another login's name nor one that has a role is given away, so two
    people of one name are two reviewers, and who takes on another's name stays who they are.

    Args:
        ws: the workspace.
        login: issuer and subject, as the identity provider says them.
        called: what it calls the person.
        otherwise: what to add where the name belongs to another login, an address for example.
    """
    query = select(_TABLE.c.name).where(_TABLE.c.login == login)
    with reading(ws) as connection:
        known = connection.execute(query).scalar()
    if known is not None:
        return str(known)
    short = login.rpartition("#")[2]
    for each in (called, f"{called} ({otherwise})", f"{called} ({short})"):
        mine = decisions.add_reviewer(ws, each.strip()[:60])
        free = (_TABLE.c.name == mine, _TABLE.c.login.is_(None), _TABLE.c.role.is_(None))
        with transaction(ws) as connection:
            known = connection.execute(query).scalar()  # another window may have been first
            if known is not None:
                return str(known)
            if connection.execute(update(_TABLE).where(*free).values(login=login)).rowcount:
                return mine
    raise LnlError("Your name belongs to somebody else here. Ask the server's owner.")
