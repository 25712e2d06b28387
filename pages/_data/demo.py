"""From one press to the first queue: register, score, and open Review when it is there."""

from __future__ import annotations

import streamlit as st

from lnl_core.services.datasets import catalog
from lnl_core.services.runs import control, running
from lnl_core.types import ACTIVE_STATES, DatasetInfo, Job, JobState
from pages import _jobs, _ui, _words
from pages._ui import plain

_ALL_AT_ONCE = 900.0
"""Seconds: where every quick method together takes longer, only the first two are started."""


def open_demo(name: str = catalog.PHOTOGRAPHS) -> None:
    """Register a demo set, start scoring it, and watch it from this page."""
    with st.spinner("Opening the demo…"):
        start_scoring(catalog.add_demo(_ui.workspace(), name))


def start_scoring(info: DatasetInfo) -> None:
    """Start the quick methods, fastest queue first, and watch for the queue."""
    if not any(job.state in ACTIVE_STATES or job.state is JobState.DONE for job in _jobs_of(info)):
        keys = running.default_recipe(info)
        seconds = [running.estimate(info, key, "quick")[0] for key in keys]
        running.start_runs(info, keys if sum(seconds) <= _ALL_AT_ONCE else keys[:2])
    st.session_state["opening"] = info.name
    st.session_state["dataset"] = info.name
    st.query_params["dataset"] = info.name


def _jobs_of(info: DatasetInfo) -> list[Job]:
    return control.runs(info)


def watching() -> bool:
    """Tell whether a first queue is awaited on this page."""
    return "opening" in st.session_state


def watch() -> None:
    """Draw the progress of a first queue, and open Review when it is there."""
    st.fragment(_watch, run_every=0.5)()


@_ui.guarded
def _watch() -> None:
    name = st.session_state.get("opening")
    card = next((c for c in catalog.overview(_ui.workspace()) if c.info.name == name), None)
    if card is None:
        st.session_state.pop("opening", None)
        return
    if card.has_queue:
        del st.session_state["opening"]
        _ui.go("review", dataset=card.info.name)
    jobs = _jobs_of(card.info)[::-1]  # the order in which they were started
    first = next((job for job in jobs if job.state in ACTIVE_STATES), None)
    with st.container(border=True, key="opening"):
        if first is None:
            _nothing_came(jobs)
            return
        words = f"**{plain(_ui.short(card.info.name, 40))}**: {_doing(first, card.info)}"
        st.progress(min(max(first.fraction, 0.0), 1.0), text=words)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption("Review opens by itself. This goes on if you close the page.")
            st.space("stretch")
            if st.button("Stay here", type="tertiary", key="stay"):
                del st.session_state["opening"]
                st.rerun()


def _doing(job: Job, info: DatasetInfo) -> str:
    """Say what the first run does, in the person's words."""
    if job.state is JobState.QUEUED:
        return "starting the worker"
    words = f"looking at {_words.plural(info.n, 'image')}, {_jobs.stage(job)}"
    return ", ".join(filter(None, [words, _jobs.left(job)]))


def _nothing_came(jobs: list[Job]) -> None:
    """Every run ended and there is no queue: say why, offer what helps."""
    failed = next((job for job in jobs if job.state is JobState.FAILED), None)
    reason = plain(failed.error or "no reason given") if failed else "every run was cancelled"
    st.error(f"There is no queue: {reason}. Runs shows the log.", icon=":material/error:")
    if st.button("Runs", icon=":material/play_circle:", key="opening_runs"):
        name = st.session_state.pop("opening")
        _ui.go("runs", dataset=name)
