"""Imports that go on or have ended: what is read, what came in, and the way to the queue."""

from __future__ import annotations

import streamlit as st

from lnl_core.services import wording
from lnl_core.services.datasets import incoming
from lnl_core.services.datasets.incoming import Incoming
from lnl_core.services.runs import control, recipes
from lnl_core.services.workspace import datasets
from lnl_core.types import DatasetInfo
from pages import _ui, _words
from pages._ui import plain

_STEPS = ("Read the images", "Score them", "Review opens")


def underway() -> bool:
    """Tell whether an import is being read."""
    return any(task.state == "reading" for task in incoming.imports(_ui.workspace()))


def awaited() -> str | None:
    """Return the name of the set whose queue somebody here waits for, None where nobody does."""
    return st.session_state.get("opening")


def started(task: str) -> None:
    """Note that an import was started by this browser, which goes to its set at the end."""
    st.session_state.setdefault("imports_started", set()).add(task)


def _mine(task: Incoming) -> bool:
    return task.id in st.session_state.get("imports_started", ())


def score(info: DatasetInfo) -> None:
    """Start the default recipe on a set and go to where its queue opens."""
    if not _ui.act(recipes.start_scoring, info, _ui.reviewer()):
        return
    st.session_state["dataset"] = info.name
    _ui.go("review", dataset=info.name)


def draw() -> None:
    """Draw imports that go on or that nobody has dismissed; go on to Review where one is due."""
    tasks = incoming.imports(_ui.workspace())
    if not tasks:
        st.session_state.pop("opening", None)
        return
    reading = any(task.state == "reading" for task in tasks)
    st.fragment(_imports, run_every=0.5 if reading else None)(reading)


@_ui.guarded
def _imports(was_reading: bool) -> None:
    tasks = incoming.imports(_ui.workspace())
    due = next((task for task in tasks if task.name == awaited()), None)
    if due is None or due.state == "failed":
        st.session_state.pop("opening", None)
    elif due.state == "done":
        _on_to_review(due)
    ended = was_reading and not any(task.state == "reading" for task in tasks)
    if ended and not st.session_state.get("dialog_open"):  # which a new run would close
        done = next((task for task in tasks if task.state == "done" and _mine(task)), None)
        if done is not None:
            st.session_state["dataset"] = done.name
            st.query_params["dataset"] = done.name
        st.rerun()
    for task in tasks:
        with st.container(key=f"import_{task.id}"):
            if task is due:
                _path(task)
            else:
                _one(task)


def _on_to_review(task: Incoming) -> None:
    """Leave for the page where the queue opens; a report with nothing to tell stays unread."""
    del st.session_state["opening"]
    if not (task.skipped or task.message):
        incoming.dismiss(_ui.workspace(), task.id)
    st.session_state["dataset"] = task.name
    _ui.go("review", dataset=task.name)


def _path(task: Incoming) -> None:
    """Draw the way that one press began, with the step that it is at."""
    with st.container(border=True, gap="small", key="opening"):
        st.header(f"Opening {plain(_ui.short(task.name, 40))}", anchor=False)
        with st.container(horizontal=True, gap="medium"):
            for number, words in enumerate(_STEPS, start=1):
                now = f"**{words}**" if number == 1 else f":gray[{words}]"
                st.markdown(f":gray-badge[{number}] {now}", width="content")
        share = task.done / task.total if task.total else 0.0
        st.progress(min(share, 1.0), text=_reading(task))
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(
                "Review opens by itself. This goes on if you close the page.", width="stretch"
            )
            if st.button("Stay here", type="tertiary", key="stay"):
                del st.session_state["opening"]
                st.rerun()


def _one(task: Incoming) -> None:
    name = plain(_ui.short(task.name, 40))
    if task.state == "reading":
        share = task.done / task.total if task.total else 0.0
        st.progress(min(share, 1.0), text=f"Importing **{name}**: {_reading(task)}")
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        if task.state == "failed":
            message = plain(wording.on_page(task.message, {}))
            st.error(f"**{name}**: {message}", icon=":material/error:")
        else:
            _came(task)
        if st.button("Dismiss", icon=":material/close:", type="tertiary", key=f"dismiss_{task.id}"):
            incoming.dismiss(_ui.workspace(), task.id)
            st.rerun()


def _came(task: Incoming) -> None:
    """Say what came in, and offer the next act until something has been started."""
    name = plain(_ui.short(task.name, 40))
    words = f"{_words.plural(task.imported, 'image')} in, {_words.count(task.skipped)} skipped."
    if task.message:
        words += f" It could not be scored: {plain(task.message)}"
        st.warning(f"**{name}**: {words}", icon=":material/warning:")
    else:
        st.success(f"**{name}**: {words}", icon=":material/check:")
    ws = _ui.workspace()
    info = next((each for each in datasets(ws) if each.name == task.name), None)
    if info is None or control.runs(info, limit=1):
        return
    if st.button("Score it", icon=":material/play_arrow:", key=f"scored_{task.id}"):
        incoming.dismiss(ws, task.id)
        score(info)


def _reading(task: Incoming) -> str:
    """Return `3,120 of 8,000 read, 9 skipped, 12 s left`."""
    if not task.total:
        return task.stage or "looking at the files"
    words = (
        [task.stage]
        if task.stage
        else [
            f"{_words.count(task.done)} of {_words.count(task.total)} read",
            f"{_words.count(task.skipped)} skipped",
        ]
    )
    if task.eta_seconds is not None:
        words.append(f"{_words.about(task.eta_seconds)} left")
    return ", ".join(words)
