"""What pages share: the workspace, the chosen data set, safe words, title row, states, errors."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache, wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.navigation.page import StreamlitPage

from lnl_core.services import wording
from lnl_core.services import workspace as edge
from lnl_core.services.runs import control, recipes
from lnl_core.types import DatasetInfo, JobState, LnlError, Workspace
from pages import _urls, _words
from pages._words import plain, short, short_name, told

__all__ = [
    "ASSETS",
    "act",
    "dataset",
    "guard",
    "plain",
    "reviewer",
    "short",
    "short_name",
    "title_row",
]

PAGES = Path(__file__).parent
ASSETS = PAGES.parent / "assets"
KINDS = {
    "folder": "folder per class",
    "manifest": "list of images",
    "npz": "NPZ arrays",
    "hub": "Parquet with images",
    "zip": "zip",
    "torchvision": "torchvision files",
    "public": "public set",
    "demo": "demo set",
    "noise": "noise lab",
}
"""How a data set came in -> words."""

_TITLES = {
    "data": ("Data", ":material/database:", "Data sets: add one, see how far its review is."),
    "runs": ("Runs", ":material/play_circle:", "Start methods, watch them, compare their history."),
    "review": ("Review", ":material/rate_review:", "One key per image: right, wrong or unsure."),
    "explore": (
        "Explore",
        ":material/bubble_chart:",
        "A map of the images: find groups, send them to the queue.",
    ),
    "compare": (
        "Compare",
        ":material/compare_arrows:",
        "Which run finds wrong labels, at what cost.",
    ),
    "export": ("Export", ":material/download:", "Corrections and decisions as CSV."),
    "team": ("Team", ":material/group:", "Who did what, what to settle, how far people agree."),
}

P = ParamSpec("P")
T = TypeVar("T")


# Workspace, data set, reviewer ----------------------------------------------------------------


@lru_cache(maxsize=8)
def _workspace(home: str | None, url: str | None) -> Workspace:
    return edge.open_workspace(home, url)


def workspace() -> Workspace:
    """Return the workspace that LNL_HOME and LNL_DATABASE_URL name, opened once per process."""
    return _workspace(os.environ.get("LNL_HOME"), os.environ.get("LNL_DATABASE_URL"))


def dataset() -> DatasetInfo | None:
    """Return the data set chosen in the sidebar; None where there is none."""
    name = st.session_state.get("dataset")
    if name is None:
        return None
    try:
        return edge.dataset(workspace(), name)
    except LnlError:
        return None


def wide() -> bool:
    """Say whether the window is at least 1600 px wide, as far as the browser has told."""
    return bool((st.session_state.get("reviewer_memory") or {}).get("wide"))


def roomy() -> bool:
    """Say whether the window is one of a desk's large screens, as far as the browser has told."""
    return bool((st.session_state.get("reviewer_memory") or {}).get("roomy"))


def narrow() -> bool:
    """Say whether the window is at most 700 px wide, as far as the browser has told."""
    return bool((st.session_state.get("reviewer_memory") or {}).get("narrow"))


def presents() -> bool:
    """Say whether the page is shown to a room: larger type, no sidebar; the address says so."""
    return st.query_params.get("present") == "1"


def present_button() -> None:
    """Draw the button that goes into presenter mode, and back."""
    on = presents()
    st.button(
        "Leave presenting" if on else "Present",
        icon=":material/close_fullscreen:" if on else ":material/slideshow:",
        on_click=_present,
        args=(not on,),
        key="present",
        help=None if on else "Larger type and no sidebar, for a screen that a room looks at.",
    )


def _present(on: bool) -> None:
    if on:
        st.query_params["present"] = "1"
    else:
        st.query_params.pop("present", None)


def reviewer() -> str:
    """Return who reviews in this browser."""
    return str(st.session_state.get("reviewer") or "reviewer A")


def tab() -> str:
    """Return the secret name of this tab of a browser, under which it holds images."""
    return str(st.session_state.setdefault("tab", secrets.token_urlsafe(24)))


# Pages ----------------------------------------------------------------------------------------


def page(key: str) -> StreamlitPage:
    """Return one page of the app, as `st.navigation` and links take it."""
    title, icon, help_text = _TITLES[key]
    return st.Page(
        PAGES / f"{key}.py",
        title=title,
        icon=icon,
        url_path=key,
        default=key == "data",
        help=help_text,
    )


def pages() -> list[StreamlitPage]:
    """Return every page, in the order of the sidebar."""
    return [page(key) for key in page_keys()]


def page_keys() -> list[str]:
    """Return every page's key, in the order of the sidebar."""
    return [key for key in _TITLES if (PAGES / f"{key}.py").is_file()]


def go(key: str, **query: str) -> None:
    """Open another page; its selections go into the address.

    Images that are sent to Review are all shown: what narrowed the queue before does so no more.
    """
    if key == "review" and query.keys() - {"dataset", "id"}:
        st.session_state["review_sent"] = True
    st.switch_page(page(key), query_params=query)


# Errors ---------------------------------------------------------------------------------------


@contextmanager
def guard() -> Iterator[None]:
    """Show an error as a sentence with its remedy; a traceback goes to the log file only."""
    try:
        yield
    except LnlError as error:
        st.error(told(wording.on_page(str(error), {})), icon=":material/error:")
    except Exception as error:
        edge.write_down("a page stopped", error)
        st.error(
            "Something went wrong here. Load the page again; if it stays, please report it with "
            f"the end of the log: {plain(edge.log_file())}",
            icon=":material/error:",
        )


def guarded(function: Callable[P, T]) -> Callable[P, T | None]:
    """Wrap a dialog's or a fragment's body, which run by themselves, in `guard`."""

    @wraps(function)
    def inner(*args: P.args, **kwargs: P.kwargs) -> T | None:
        result: T | None = None
        with guard():
            result = function(*args, **kwargs)
        return result

    return inner


def act(function: Callable[..., Any], *args: Any, done: str | None = None, **kwargs: Any) -> bool:
    """Do one thing for a person; say that it is done, or why not. True when it is done."""
    try:
        function(*args, **kwargs)
    except LnlError as error:
        words = told(wording.on_page(str(error), {}))
        st.toast(words, icon=":material/error:", duration="long")
        return False
    if done:
        st.toast(done, icon=":material/check:")
    return True


def dialog(title: str, **options: Any) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Return Streamlit's dialog, and note that one is open, so that no poll closes it."""

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        shown = st.dialog(title, on_dismiss=_dialog_closed, **options)(guarded(function))

        @wraps(function)
        def inner(*args: P.args, **kwargs: P.kwargs) -> T:
            st.session_state["dialog_open"] = True
            return shown(*args, **kwargs)  # type: ignore[return-value]

        return inner

    return decorate


def _dialog_closed() -> None:
    close_dialog()


def close_dialog() -> None:
    """Note that no dialog is open, nor to be opened again by a page that draws itself anew."""
    st.session_state["dialog_open"] = False
    st.session_state.pop("dialog_kept", None)


def rerun_page() -> None:
    """Draw the whole page again, from a poll; not while a dialog is open, which it would close."""
    if not st.session_state.get("dialog_open"):
        st.rerun()


def show_log(title: str, text: str) -> None:
    """Show the end of a log file; `title` is Markdown."""
    dialog("Log", width="large", icon=":material/article:")(_log)(title, text)


def _log(title: str, text: str) -> None:
    st.markdown(f"**{title}**")
    if text:
        st.code(text, language=None, wrap_lines=True, height=420)
    else:
        st.caption("Nothing is written in it.")


# Parts of every page --------------------------------------------------------------------------


def title_row(title: str) -> DeltaGenerator:
    """Draw the title at the left and return the row, for the page's controls."""
    row = st.container(horizontal=True, vertical_alignment="center", key="title_row")
    row.title(title, anchor=False, width="stretch")
    return row


_COMPUTED: set[tuple[object, object]] = set()
"""Workspace, and what this process has computed there once."""


@contextmanager
def computing(key: object, height: int) -> Iterator[None]:
    """Show a skeleton while something is computed for the first time in this process.

    Later it is known and comes at once: a skeleton would only push away what stands there.
    """
    slot, whole = st.empty(), (workspace(), key)
    if whole in _COMPUTED:
        yield
        return
    with slot, st.skeleton(height=height):
        yield
    _COMPUTED.add(whole)


def thumbs(info: DatasetInfo, rows: Sequence[int], *, side: int = 36) -> None:
    """Draw a strip of thumbnails, by number; nothing that a person typed is in it."""
    st.html(thumb_strip(info, rows, side=side))


def thumb_strip(info: DatasetInfo, rows: Sequence[int], *, side: int = 36) -> str:
    """Return the markup of thumbnails in a line: as many as it has room for, none squeezed."""
    images = "".join(
        f'<img src="{_urls.thumb_url(info, row)}" alt="" loading="lazy" style="width:{side}px;'
        f'height:{side}px;object-fit:cover;border-radius:4px;flex:none">'
        for row in rows
    )
    line = f"display:flex;flex-wrap:wrap;gap:6px;height:{side}px;overflow:hidden"
    return f'<div style="{line}">{images}</div>'


def need_dataset(title: str = "") -> DatasetInfo:
    """Return the chosen data set, or draw the state without one and stop the page.

    Pages that draw their own title row once there is a set say here what it would be.
    """
    info = dataset()
    if info is None:
        if title:
            title_row(title)
        with st.container(border=True, horizontal_alignment="center", gap="small", key="empty"):
            st.space("small")
            st.markdown("No data set yet. Open the demo or add your own.", width="content")
            with st.container(horizontal=True, horizontal_alignment="center", gap="small"):
                if st.button("Open the demo", icon=":material/play_arrow:", type="primary"):
                    st.session_state["open_demo"] = True
                    go("data")
                if st.button("Add your own", type="tertiary", key="add_own"):
                    go("data")
            st.space("small")
        st.stop()
    return info


def score_it(info: DatasetInfo) -> None:
    """Draw the state of a set without any score, with the one act that helps; it leads on."""
    with st.container(border=True, horizontal_alignment="center", gap="small", key="unscored"):
        st.space("small")
        if stopped(info):
            st.markdown("No run has finished. Runs says why the last one stopped.", width="content")
            label, icon = "See Runs", ":material/arrow_forward:"
        else:
            st.markdown(f"Nothing scored yet. {first_queue_words(info)}", width="content")
            label, icon = "Score it", ":material/play_arrow:"
        if st.button(label, icon=icon, type="primary", key="score_empty"):
            if not stopped(info):
                if not act(recipes.start_scoring, info, reviewer()):
                    return
                go("review", dataset=info.name)
            go("runs", dataset=info.name)
        st.space("small")


def stopped(info: DatasetInfo) -> bool:
    """Tell whether the newest run of a set failed."""
    newest = next(iter(control.runs(info, limit=1)), None)
    return newest is not None and newest.state is JobState.FAILED


def first_queue_words(info: DatasetInfo) -> str:
    """Say how long the first queue takes on this machine, roughly."""
    return f"A first queue takes about {_words.about(recipes.recipe(info).first_seconds)}."
