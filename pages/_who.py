"""Who reviews in this browser: the login, or a name that is chosen once and kept.

With `[auth]` the login alone says who it is: nothing that a browser sends besides changes that.
Without it nobody is checked, but nobody becomes another by accident either: the first browser of a
fresh workspace goes on without a word, every other is asked once, a name that is known already is
taken only after a second press. A browser keeps its name; *This is not me* is the one way to
another.
"""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import unquote, urlsplit

import streamlit as st

from lnl_core.services.review.holding import give_back
from lnl_core.services.team import roles
from lnl_core.services.workspace import (
    add_reviewer,
    claim_first,
    has_answered,
    is_full,
    read_only,
    reviewers,
)
from lnl_core.types import LnlError, Workspace
from pages import _login, _ui
from pages._ui import plain
from pages._words import told

COOKIE = "lnl_reviewer_"
"""What the browser keeps the name under; the port follows, for cookies know none."""

UNNAMED = "reviewer A"
"""Who answers first, before anybody has said a name."""

NAMED = 3
"""People whom the question names, those who began first."""


def settle(ws: Workspace) -> None:
    """Settle who reviews, before any page asks; and say it in the sidebar."""
    login: Any = st.user.to_dict()
    if login.get("is_logged_in"):
        st.caption(f"Reviewer: {plain(_signed_in(ws, login))}")
        st.button("Sign out", type="tertiary", on_click=st.logout)
        return
    who = _named(ws)
    st.session_state["reviewer"] = who
    named = ":gray[not said yet]" if who is None else plain(_ui.short(who))
    st.markdown(f":gray[:small[Reviewer]]\n\n:material/person: {named}")
    if who is None:
        return
    with st.container(gap="xxsmall", key="who"), st.popover("This is not me", type="tertiary"):
        st.caption("This browser keeps the name. Answers that were given stay whose they are.")
        _form("who")


def _signed_in(ws: Workspace, login: dict[str, Any]) -> str:
    """Return the reviewer of a login, looked up once per session."""
    subject = _login.subject(login)
    kept = st.session_state.get("signed_in")
    if kept is None or kept[0] != subject:
        verified = str(login.get("email_verified")).lower() == "true"
        address = str(login.get("email") or "")
        called = str(login.get("name") or login.get("email") or "signed in")
        called = _printable(called)
        who = roles.signed_in(ws, subject, called, address, owners(), verified=verified)
        kept = (subject, who)
        st.session_state["signed_in"] = kept
    st.session_state["reviewer"] = kept[1]
    return str(kept[1])


def owners() -> frozenset[str]:
    """Return the addresses, or logins, that LNL_OWNERS names."""
    named = os.environ.get("LNL_OWNERS", "").split(",")
    return frozenset(each.strip() for each in named if each.strip())


def _printable(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable()).strip()[:60] or "signed in"


def _named(ws: Workspace) -> str | None:
    """Return the name: of this session, kept by the browser, set for the machine, or the first.

    None where others have been here and nobody said who this one is.
    """
    chosen = st.session_state.get("reviewer_chosen") or _kept()
    if chosen:
        st.session_state["reviewer_chosen"] = chosen
        return str(chosen)
    machine = os.environ.get("LNL_REVIEWER", "").strip()[:60]
    if machine:
        return machine
    if read_only(ws) or is_full(ws):  # where nothing can be answered anyway
        return UNNAMED
    if reviewers(ws) or not claim_first(ws, UNNAMED):
        return None
    st.session_state["reviewer_chosen"] = UNNAMED
    return UNNAMED


def _kept() -> str | None:
    """Return the name that this browser keeps: as a cookie, or as earlier versions did."""
    port = urlsplit(f"//{st.context.headers.get('Host', '')}").port or ""
    cookie = st.context.cookies.get(f"{COOKIE}{port}")
    told = (st.session_state.get("reviewer_memory") or {}).get("name")
    for name in (unquote(cookie) if cookie else None, told):
        if isinstance(name, str) and 0 < len(name.strip()) <= 60 and name.isprintable():
            return name.strip()
    return None


def asked() -> bool:
    """Say whether the browser is to be asked for the name that it keeps."""
    return "reviewer_chosen" not in st.session_state and not st.session_state.get("signed_in")


def need() -> None:
    """Ask who it is, in place of the page, where others have been and none is known here."""
    if st.session_state.get("reviewer") is not None:
        return
    names = reviewers(_ui.workspace())
    began = UNNAMED in names and has_answered(_ui.workspace(), UNNAMED)
    st.title("Who are you?", anchor=False)
    with st.container(border=True, gap="small", width=560, key="who_asked"):
        st.markdown(
            f"{_others(names, began=began)} Your answers go under your name; this browser keeps "
            "it and does not ask again."
        )
        _form("asked")
        if began:
            st.button(
                f"I am “{UNNAMED}”, who began here",
                key="asked_unnamed",
                on_click=_is,
                args=(UNNAMED,),
            )
    st.stop()


def _others(names: list[str], *, began: bool) -> str:
    """Say in one sentence who has been here from other browsers.

    Args:
        names: of all reviewers.
        began: whether somebody answered before anybody had said a name.
    """
    said = [plain(_ui.short(name)) for name in names if name != UNNAMED][:NAMED]
    if not said and not began:
        return "These pages were opened in another browser first; nobody has answered there."
    if not said:
        return "Somebody else began here, in another browser."
    more = len([name for name in names if name != UNNAMED]) - len(said)
    if more:
        said.append(f"{more} more")
    whom = said[0] if len(said) == 1 else f"{', '.join(said[:-1])} and {said[-1]}"
    return f"{whom} {'reviews' if len(said) == 1 else 'review'} here."


def _form(key: str) -> None:
    meant = st.session_state.get(f"{key}_meant")
    st.text_input(
        "Your name",
        max_chars=60,
        key=f"{key}_name",
        autocomplete="name",
        on_change=_take,
        args=(key,),
        placeholder="Type it and press Enter",
    )
    if meant:
        st.markdown(f"**{plain(_ui.short(meant))}** has been here before. Are you the same person?")
        with st.container(horizontal=True, gap="small"):
            st.button("Yes, that is me", key=f"{key}_same", on_click=_same, args=(key, meant))
            st.button("No", key=f"{key}_other", on_click=_other, args=(key,))
        st.caption("If not, say a name that tells the two of you apart.")


def _take(key: str) -> None:
    """Take a name that is new; one that is known, in any case, needs a second press."""
    name = str(st.session_state.get(f"{key}_name") or "").strip()
    st.session_state.pop(f"{key}_meant", None)
    if not name or name == st.session_state.get("reviewer"):
        return
    known = {each.casefold(): each for each in reviewers(_ui.workspace())}
    if name.casefold() in known:
        st.session_state[f"{key}_meant"] = known[name.casefold()]
        return
    try:
        who = add_reviewer(_ui.workspace(), name)
    except LnlError as error:
        st.toast(told(error), icon=":material/error:")
        return
    _same(key, who)


def _same(key: str, who: str) -> None:
    _is(who)
    _other(key)


def _other(key: str) -> None:
    st.session_state.pop(f"{key}_meant", None)
    st.session_state[f"{key}_name"] = ""


def _is(who: str) -> None:
    give_back(_ui.workspace(), _ui.tab())  # what the person before had on the screen
    st.session_state["reviewer_chosen"] = who
