"""Who reviews: names, what each may do, and the login that a name belongs to."""

from __future__ import annotations

from sqlalchemy import Connection, exists, select, text, update

from lnl_core.records import LnlError, Workspace
from lnl_core.store import decisions, schema
from lnl_core.store.db import now, reading, transaction

_TABLE = schema.reviewers


def roles(ws: Workspace) -> dict[str, str | None]:
    """Return name -> role as stored, oldest first; None where nobody has given one."""
    query = select(_TABLE.c.name, _TABLE.c.role).order_by(_TABLE.c.created_at)
    query = query.where(_TABLE.c.name != decisions.AUTO_FIX)
    with reading(ws) as connection:
        return {name: role for name, role in connection.execute(query)}


def set_role(ws: Workspace, who: str, role: str | None, *, only_new: bool = False) -> None:
    """Store what a reviewer is; with `only_new` where nobody has said it yet."""
    mine = _TABLE.c.name == who
    if only_new:
        mine &= _TABLE.c.role.is_(None)
    with transaction(ws) as connection:
        connection.execute(update(_TABLE).where(mine).values(role=role))


def set_first(ws: Workspace, who: str, role: str) -> bool:
    """Give a reviewer a role that nobody has yet; of several at one moment one gets it.

    Returns:
        whether it was this one.
    """
    with transaction(ws) as connection:
        _alone(connection)
        if connection.execute(select(_TABLE.c.name).where(_TABLE.c.role == role)).first():
            return False
        return bool(
            connection.execute(
                update(_TABLE).where(_TABLE.c.name == who).values(role=role)
            ).rowcount
        )


def claim_first(ws: Workspace, who: str) -> bool:
    """Add a reviewer where there is none yet; of several at one moment one gets the name.

    Returns:
        whether it was this one.
    """
    query = select(_TABLE.c.name).where(_TABLE.c.name != decisions.AUTO_FIX).limit(1)
    with transaction(ws) as connection:
        _alone(connection)
        if connection.execute(query).first():
            return False
        connection.execute(_TABLE.insert().values(name=who, created_at=now()))
        return True


def has_answered(ws: Workspace, who: str) -> bool:
    """Say whether any answer, taken back ones too, is of a reviewer."""
    query = select(exists().where(schema.decisions.c.reviewer == who))
    with reading(ws) as connection:
        return bool(connection.execute(query).scalar())


def _alone(connection: Connection) -> None:
    """Let nobody else add or change a reviewer until the transaction ends."""
    if connection.dialect.name != "sqlite":  # which has one writer anyway
        connection.execute(text("LOCK TABLE reviewers IN SHARE ROW EXCLUSIVE MODE"))


def known(ws: Workspace, login: str) -> str | None:
    """Return the reviewer that a login belongs to; None where it is new."""
    with reading(ws) as connection:
        name = connection.execute(select(_TABLE.c.name).where(_TABLE.c.login == login)).scalar()
    return None if name is None else str(name)


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
    if (mine := known(ws, login)) is not None:
        return mine
    query = select(_TABLE.c.name).where(_TABLE.c.login == login)
    short = login.rpartition("#")[2]
    for each in (called, f"{called} ({otherwise})", f"{called} ({short})"):
        mine = decisions.add_reviewer(ws, each.strip()[:60])
        free = (_TABLE.c.name == mine, _TABLE.c.login.is_(None), _TABLE.c.role.is_(None))
        with transaction(ws) as connection:
            already = connection.execute(query).scalar()  # another window may have been first
            if already is not None:
                return str(already)
            if connection.execute(update(_TABLE).where(*free).values(login=login)).rowcount:
                return mine
    raise LnlError("Your name belongs to somebody else here. Ask the server's owner.")
