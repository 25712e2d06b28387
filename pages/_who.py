"""Who reviews in this browser: the login, or a name that is chosen once and kept.

With `[auth]` the login alone says who it is: nothing that a browser sends besides changes that.
Without it nobody is checked, but nobody becomes another by accident either: a browser keeps its
name, and *This is not me* is the one way to another.
"""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import unquote, urlsplit

import streamlit as st

from lnl_core.services.review.holding import give_back
from lnl_core.services.team import roles
from lnl_core.services.workspace import add_reviewer, reviewers
from lnl_core.types import LnlError, Workspace
from pages import _ui
from pages._ui import plain

COOKIE = "lnl_reviewer_"
"""What the browser keeps the name under; the port follows, for cookies know none."""

UNNAMED = "reviewer A"
"""Who answers first, before anybody has said a name."""

ANSWERED = "reviewer_answered"
"""Under whose name a tab answered last."""


def settle(ws: Workspace) -> None:
    """Settle who reviews, before any page asks; and say it in the sidebar."""
    login: Any = st.user.to_dict()
    if login.get("is_logged_in"):
        who = _signed_in(ws, login)
        st.caption(f"Reviewer: {plain(who)}")
        st.button("Sign out", type="tertiary", on_click=st.logout)
        return
    who = _named(reviewers(ws))
    st.session_state["reviewer"] = who
    st.caption("Reviewer")
    with st.container(gap="xxsmall", key="who"):
        st.markdown(f":material/person: {plain(_ui.short(who))}")
        with st.popover("This is not me", type="tertiary"):
            st.caption("This browser keeps the name. Answers that were given stay whose they are.")
            _form("who")


def _signed_in(ws: Workspace, login: dict[str, Any]) -> str:
    """Return the reviewer of a login, looked up once per session."""
    subject = f"{login.get('iss') or ''}#{login.get('sub') or login.get('email') or ''}"
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


def _named(names: list[str]) -> str:
    """Return the name: of this session, kept by the browser, set for the machine, or the first."""
    chosen = st.session_state.get("reviewer_chosen") or _kept()
    if chosen:
        st.session_state["reviewer_chosen"] = chosen
        return str(chosen)
    machine = os.environ.get("LNL_REVIEWER", "").strip()[:60]
    if machine:
        return machine
    began, several = st.session_state.get("reviewer_began"), len(names) > 1
    if began and not (several and began in names):
        return str(began)
    if began and _is_own(str(began)):  # who was here before a second one came is kept now
        st.session_state["reviewer_chosen"] = began
        return str(began)
    st.session_state["reviewer_open"] = several
    if several:
        st.session_state.pop("reviewer_began", None)
        return UNNAMED
    st.session_state["reviewer_began"] = names[0] if names else UNNAMED
    return str(st.session_state["reviewer_began"])


def _is_own(name: str) -> bool:
    """Tell whether a name that nobody chose here is this browser's: unnamed, or answered under.

    Another one is that of the only person there was, who sits at another browser.
    """
    return name == UNNAMED or st.session_state.get(ANSWERED) == name


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
    """Ask who it is, in place of the page, where several people review and none is known here."""
    if not st.session_state.get("reviewer_open") or st.session_state.get("reviewer_chosen"):
        return
    if st.session_state.get("signed_in"):
        return
    with st.container(border=True, gap="small", key="who_asked"):
        st.markdown("**Who are you?** Several people review here; your answers go under your name.")
        _form("asked")
        if UNNAMED in reviewers(_ui.workspace()):
            st.button(
                f"I am “{UNNAMED}”, who began here",
                key="asked_unnamed",
                on_click=_is,
                args=(UNNAMED,),
            )
    st.stop()


def _form(key: str) -> None:
    st.text_input(
        "Your name",
        max_chars=60,
        key=f"{key}_name",
        autocomplete="name",
        on_change=_take,
        args=(f"{key}_name",),
        placeholder="Type it and press Enter",
    )


def _take(key: str) -> None:
    name = str(st.session_state.get(key) or "").strip()
    if not name:
        return
    try:
        who = add_reviewer(_ui.workspace(), name)
    except LnlError as error:
        st.toast(plain(error), icon=":material/error:")
        return
    _is(who)
    st.session_state[key] = ""


def _is(who: str) -> None:
    give_back(_ui.workspace(), _ui.tab())  # what the person before had on the screen
    st.session_state["reviewer_chosen"] = who
