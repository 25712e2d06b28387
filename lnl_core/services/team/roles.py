"""Who may do what: one table, asked by the services that do it.

Until somebody is named owner everybody is: a workspace of one person, or of people who trust each
other on one computer, needs no roles. With a login the first who signs in is owner, or whom the
server's `LNL_OWNERS` names.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from lnl_core.records import LnlError, Workspace
from lnl_core.store import people


class Role(StrEnum):
    """What a person is to a workspace."""

    REVIEWER = "reviewer"
    ADJUDICATOR = "adjudicator"
    OWNER = "owner"


class Act(StrEnum):
    """What not everybody may do."""

    ANSWER = "answer"
    SETTLE = "settle contradictions"
    ACCEPT = "accept suggestions unseen"
    DIVIDE = "divide a set among people"
    RUN = "start, stop or remove runs"
    REMOVE = "remove a data set"
    NOISE = "copy a set with labels made wrong"
    CHECK = "choose the hidden looks"
    NAME_ROLES = "say who may do what"


MAY: dict[Role, frozenset[Act]] = {
    Role.REVIEWER: frozenset({Act.ANSWER}),
    Role.ADJUDICATOR: frozenset({Act.ANSWER, Act.SETTLE, Act.ACCEPT}),
    Role.OWNER: frozenset(Act),
}
"""The whole of it."""


class NotAllowed(LnlError):
    """A person may not do what was asked."""

    code = "not_allowed"


def roles(ws: Workspace) -> dict[str, Role]:
    """Return everybody's role, oldest reviewer first."""
    stored = people.roles(ws)
    unnamed = Role.REVIEWER if Role.OWNER in stored.values() else Role.OWNER
    return {who: Role(role) if role else unnamed for who, role in stored.items()}


def role_of(ws: Workspace, who: str) -> Role:
    """Return a person's role; of somebody unknown too, who has not answered yet."""
    everybody = roles(ws)
    some_owner = Role.OWNER in people.roles(ws).values()
    return everybody.get(who, Role.REVIEWER if some_owner else Role.OWNER)


def may(ws: Workspace, who: str, act: Act) -> bool:
    """Say whether a person may do something."""
    return act in MAY[role_of(ws, who)]


def require(ws: Workspace, who: str, act: Act) -> None:
    """Refuse what a person may not do.

    Raises:
        NotAllowed: with who may, and what to do.
    """
    if may(ws, who, act):
        return
    who_may = " or ".join(str(role) for role in Role if act in MAY[role])
    raise NotAllowed(f"Only an {who_may} may {act}. Ask the owner of this workspace.")


def require_of(ws: Workspace, who: str | None, act: Act) -> None:
    """Refuse what a person on a page may not do; None works on the machine and owns its files.

    Raises:
        NotAllowed: with who may, and what to do.
    """
    if who is not None:
        require(ws, who, act)


def name_role(ws: Workspace, by: str, who: str, role: Role) -> None:
    """Give a person a role; whoever gives the first one stays owner.

    Raises:
        NotAllowed: `by` is no owner.
        LnlError: nobody of that name, or nobody would be owner any more.
    """
    require(ws, by, Act.NAME_ROLES)
    stored = people.roles(ws)
    if who not in stored:
        raise LnlError(f"There is no reviewer “{who}” here.")
    owners = {name for name, each in stored.items() if each == Role.OWNER} or {by}
    if role is not Role.OWNER and owners <= {who}:
        raise LnlError("Somebody has to be owner. Name another one first.")
    if by in stored and not any(each == Role.OWNER for each in stored.values()):
        people.set_role(ws, by, Role.OWNER)
    people.set_role(ws, who, role)


def signed_in(
    ws: Workspace,
    login: str,
    called: str,
    address: str,
    owners: Collection[str],
    *,
    verified: bool = False,
) -> str:
    """Return the reviewer that a login is; the first of all becomes owner.

    Args:
        ws: the workspace.
        login: issuer, `#` and subject: what the identity provider never gives to two people.
        called: what it calls the person.
        address: to tell two people of one name apart.
        owners: addresses or logins that are owners, whoever came first; empty where nobody is.
        verified: the provider says that the address is this person's: only then it makes an owner.
    """
    who = people.of_login(ws, login, called, address)
    role = people.roles(ws).get(who)
    if role == Role.OWNER:
        return who
    if _named(login, address if verified else "", owners):
        people.set_role(ws, who, Role.OWNER)
    elif owners or not people.set_first(ws, who, Role.OWNER):
        people.set_role(ws, who, Role.REVIEWER, only_new=True)
    return who


def known(ws: Workspace, login: str) -> str | None:
    """Return the reviewer that a login is; None before it was first seen on a page."""
    return people.known(ws, login)


def _named(login: str, address: str, owners: Collection[str]) -> bool:
    """Say whether owners are named by this login, or by this address in any case."""
    named = {each.casefold() for each in owners}
    return login in owners or (bool(address) and address.casefold() in named)
