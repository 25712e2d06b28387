"""Review before and while results come in: the wait for the first queue, and what changes it."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import streamlit as st

from lnl_core.services import methods
from lnl_core.services.in_force import scored
from lnl_core.services.runs import control, recipes
from lnl_core.types import DatasetInfo, Job, JobState
from pages import _jobs, _ui, _words
from pages._ui import plain

_THUMBS = 12
_KEYS = (
    ("K", "right"),
    ("W", "wrong: then which class it is"),
    ("U", "unsure"),
    ("Z", "takes the last answer back"),
)
_SOON = 3.0
"""Seconds below which the wait is not counted down any more."""


def draw(info: DatasetInfo) -> None:
    """Draw the state of a set without a ranking: the wait for it, or the press that starts it."""
    if control.underway(info):
        st.fragment(_wait, run_every=1)(info)
    else:
        _ui.score_it(info)


@_ui.guarded
def _wait(info: DatasetInfo) -> None:
    active = control.underway(info)
    if not active or scored(info) is not None:
        st.rerun()
    job = _first(active)
    with st.container(border=True, gap="small", key="scoring"):
        st.header(f"Scoring {_words.plural(info.n, 'image')}", anchor=False)
        rows = np.linspace(0, info.n - 1, min(_THUMBS, info.n)).astype(int)
        _ui.thumbs(info, [int(row) for row in rows], side=48)
        st.progress(min(max(job.fraction, 0.0), 1.0), text=_until(info, job))
        st.caption(_doing(job, len(active) - 1))
        if slow := _jobs.slow(job) or (_jobs.crowded() if _left(info, job) < 0 else ""):
            st.caption(f":material/hourglass_bottom: {slow}")
        st.caption(
            "The queue opens here by itself, with the first result. Later results put what you "
            "have not seen in a better order. All of it goes on if you close the page."
        )
        st.space("small")
        st.markdown("**Then, for each image:** does the label fit what you see?")
        with st.container(horizontal=True, gap="medium", key="keys_ahead"):
            for key, words in _KEYS:
                st.markdown(f":gray-badge[**{key}**] {words}", width="content")


def _first(active: list[Job]) -> Job:
    """Return the run that the queue will open on: the oldest of those underway."""
    running = [job for job in active if job.state is not JobState.QUEUED]
    return (running or active)[-1]


def _left(info: DatasetInfo, job: Job) -> float:
    """Return seconds until the first queue, by the run's own clock where it has one.

    Below 0 where the estimate has run out, and the run does not know better.
    """
    if job.eta_seconds is not None:
        return job.eta_seconds
    return recipes.recipe(info).first_seconds - _since(job.created_at)


def _until(info: DatasetInfo, job: Job) -> str:
    """Say how long until the first queue."""
    left = _left(info, job)
    if left < 0:
        return "**First queue later than estimated**"
    when = f"in about {_words.about(left)}" if left > _SOON else "in a moment"
    return f"**First queue {when}**"


def _since(moment: str) -> float:
    then = datetime.fromisoformat(moment.replace("Z", "+00:00"))
    return (datetime.now(UTC) - then).total_seconds()


def _doing(job: Job, others: int) -> str:
    """Say what the run does now, and what waits behind it."""
    doing = "starting" if job.state is JobState.QUEUED else _jobs.stage(job)
    words = f"{plain(methods.title(job.method))}: {doing}"
    return f"{words}. {_words.plural(others, 'more method')} after it." if others else f"{words}."


# Later results --------------------------------------------------------------------------------


def watch(info: DatasetInfo) -> None:
    """Look for results that come while somebody reviews; each is announced in one line."""
    st.fragment(_look, run_every=2 if control.underway(info) else None)(info)


@_ui.guarded
def _look(info: DatasetInfo) -> None:
    ranked = scored(info)
    if ranked is None:
        return
    key = f"ranked_{info.id}"
    before: dict[str, int] | None = st.session_state.get(key)
    if st.session_state.get("dialog_open"):
        return  # a new run of the page would close it
    st.session_state[key] = dict(ranked.run_ids)
    if before is None or before == ranked.run_ids:
        return
    fresh = [name for name, run in ranked.run_ids.items() if before.get(name) != run]
    if fresh:
        st.toast(_announced(fresh), icon=":material/swap_vert:", duration="long")
    st.rerun()


def _announced(names: list[str]) -> str:
    """Say which results are in and what that changes."""
    listed = " and ".join(plain(methods.title(methods.method_of(name))) for name in names[:2])
    if len(names) > 2:
        listed = f"{_words.count(len(names))} results"
    return f"{listed} done: new order for what you have not seen."
