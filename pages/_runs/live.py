"""The right side of Runs: the job that runs, what waits, what failed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lnl_core.services import methods
from lnl_core.services.runs import control, recipes
from lnl_core.types import ACTIVE_STATES, DatasetInfo, Job, JobState
from pages import _charts, _jobs, _ui, _words
from pages._ui import plain

_SHOWN = 5
"""Waiting and failed jobs listed beside the running one; the history has the rest."""

_REASON = 400
"""Characters of a failed run's reason; the log has all of it."""


def draw(info: DatasetInfo) -> None:
    """Draw the live side; it looks again every second while something is going on."""
    active = bool(control.underway(info))
    st.fragment(_live, run_every=1 if active else None)(info, active)


@_ui.guarded
def _live(info: DatasetInfo, was_active: bool) -> None:
    jobs = control.runs(info)
    active = [job for job in jobs if job.state in ACTIVE_STATES]
    ended = st.session_state.get("ended_jobs")
    if not st.session_state.get("dialog_open"):
        st.session_state["ended_jobs"] = len(jobs) - len(active)
    if was_active and (not active or ended not in (None, len(jobs) - len(active))):
        _ui.rerun_page()  # the history and the estimates show what came out
    underway = [job for job in active if job.state is not JobState.QUEUED][::-1]
    running = underway[0] if underway else None
    beside = underway[1:]  # Slurm and Ray run several at a time
    waiting = [job for job in active if job.state is JobState.QUEUED][::-1]
    unread, doubted = _unread(jobs), _doubted(jobs)
    if running is not None:
        with st.container(border=True, gap="xsmall", key="live"):
            _running(running)
    elif not waiting:
        _idle(info, jobs)
    for job in doubted:
        _doubt(job)
    if beside or waiting or unread:
        with st.container(border=True, gap="xsmall", key="waiting"):
            for job in beside[:_SHOWN]:
                _beside(job)
            if len(beside) > _SHOWN:
                st.caption(f"and {len(beside) - _SHOWN} more that run")
            for place, job in enumerate(waiting[:_SHOWN]):
                _waiting(job, place)
            if len(waiting) > _SHOWN:
                st.caption(f"and {len(waiting) - _SHOWN} more")
            for job in unread[: max(1, _SHOWN - len(waiting))]:
                _stopped(job)


def _unread(jobs: Sequence[Job]) -> list[Job]:
    """Return the failed or cancelled jobs that nothing newer of the same method has replaced."""
    newest: dict[str, Job] = {}
    for job in jobs:  # newest first
        newest.setdefault(job.method, job)
    hidden = st.session_state.get("hidden_jobs", ())
    stopped = (JobState.FAILED, JobState.CANCELLED)
    return [j for j in newest.values() if j.state in stopped and j.id not in hidden]


def _doubted(jobs: Sequence[Job]) -> list[Job]:
    """Return the newest finished run of each method with a doubt or a hint to tell."""
    newest: dict[str, Job] = {}
    for job in jobs:  # newest first
        if job.state is JobState.DONE:
            newest.setdefault(job.method, job)
    hidden = st.session_state.get("hidden_jobs", ())
    told = [j for j in newest.values() if j.metrics.get("doubts") or j.metrics.get("hints")]
    return [j for j in told if j.id not in hidden]


def _doubt(job: Job) -> None:
    title = plain(methods.title(job.method))
    doubts, hints = job.metrics.get("doubts", []), job.metrics.get("hints", [])
    words = plain(" ".join([*doubts, *hints]))
    said = f"**{title}, run {job.id}**  \n:small[{words}]"
    with st.container(gap="xxsmall", horizontal_alignment="right"):
        if doubts:
            st.warning(said, icon=":material/warning:")
        else:
            st.info(said, icon=":material/lightbulb:")
        if st.button("Hide this", key=f"hide_{job.id}", type="tertiary"):
            hidden = st.session_state.get("hidden_jobs", ())
            st.session_state["hidden_jobs"] = (*hidden, job.id)
            st.rerun(scope="fragment")


def _idle(info: DatasetInfo, jobs: Sequence[Job]) -> None:
    busy = control.active(_ui.workspace())  # with other sets: this one has nothing underway
    elsewhere = [job for job in busy if job.executor == "local"]
    with st.container(border=True, key="live", gap="xsmall"):
        st.header("Nothing runs on this set" if elsewhere else "Nothing runs", anchor=False)
        if elsewhere:
            st.caption(_busy(elsewhere))
        done = next((job for job in jobs if job.state is JobState.DONE), None)
        if done is None:
            if not elsewhere:
                st.caption("Start the recipe. What gives a queue soonest runs first.")
            return
        other_class = ""
        if done.other_class is not None:
            other_class = f"; expects another class on {_words.count(done.other_class)}"
        st.caption(f"Last: {plain(methods.title(done.method))}, done{other_class}.")
        ticked = {key for key, on in st.session_state.get("ticked", {}).items() if on}
        started = _jobs.started(info, str(st.session_state.get("preset", "quick")))
        nothing_new = ticked <= started and not recipes.missing(info)
        if st.button(
            "Review",
            icon=":material/rate_review:",
            type="primary" if nothing_new else "secondary",
            key="idle_review",
        ):
            _ui.go("review", dataset=info.name)


def _busy(jobs: Sequence[Job]) -> str:
    """Say what the machine does for another set, and that new runs wait for it."""
    title = plain(methods.title(jobs[0].method))
    of = plain(_ui.short(jobs[0].dataset))
    more = f" and {_words.count(len(jobs) - 1)} more" if len(jobs) > 1 else ""
    return f"This machine is at work on {of}: {title}{more}. What you start here comes after."


def _running(job: Job) -> None:
    word = _jobs.state_word(job)
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", wrap=False):
        title = plain(_ui.short(methods.title(job.method), 40))
        st.header(title, anchor=False, width="stretch", wrap=False)
        st.markdown(_jobs.badge(word), width="content")
        if st.button(
            "Cancel",
            icon=":material/cancel:",
            key=f"cancel_{job.id}",
            disabled=job.state is JobState.CANCELLING,
        ):
            _ui.act(control.cancel, _ui.workspace(), job.id, _ui.reviewer())
            st.rerun(scope="fragment")
    st.progress(min(max(job.fraction, 0.0), 1.0))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f":small[{plain(job.preset)}, {_where(job, word)}]", width="stretch")
        st.markdown(f"**{_jobs.left(job)}**" if job.eta_seconds else "", width="content")
    with st.container(horizontal=True, gap="medium", key="figures"):
        for label, value in _jobs.figures(job):
            st.markdown(f":gray[:small[{label}]]  \n**{value}**", width="content")
    if slow := _jobs.slow(job):
        st.caption(f":material/hourglass_bottom: {slow}")
    _curve(job)
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", wrap=False):
        if st.button("Log", icon=":material/article:", key=f"log_{job.id}"):
            log(job)
        if st.button("Config", icon=":material/tune:", key=f"config_{job.id}"):
            config(job)
        st.caption("goes on without this page", width="stretch", text_alignment="right")


def _where(job: Job, word: str) -> str:
    if word in ("silent", "lost"):
        return _jobs.where(job)
    return _jobs.stage(job)


def _curve(job: Job) -> None:
    """Draw the loss so far, where the method reports one."""
    curves = _curves(job)
    if not any(len(values) > 1 for values in curves.values()):
        return
    epochs = int(job.metrics.get("epochs") or 0)
    _charts.draw(
        _charts.loss_curve(curves, epochs),
        key=f"curve_{job.id}",
        alt="Loss by epoch of the run that goes on",
    )


def _curves(job: Job) -> dict[str, list[float]]:
    """Return the loss of every finished epoch: the metrics' own list, else what was seen here."""
    given: Any = job.metrics.get("history")
    if isinstance(given, list):
        return {"train": [float(loss) for _, loss in given]}
    loss, epoch = job.metrics.get("loss"), int(job.metrics.get("epoch") or 0)
    seen: dict[int, float] = st.session_state.setdefault("losses", {}).setdefault(job.id, {})
    if isinstance(loss, int | float) and epoch and np.isfinite(loss):
        seen[epoch] = float(loss)
    return {"train": [seen[each] for each in sorted(seen)]}


def _entry(job: Job) -> DeltaGenerator:
    """Return the row of a job that waits, goes on beside another or stopped; a line parts them."""
    return st.container(
        horizontal=True,
        vertical_alignment="center",
        gap="xsmall",
        wrap=False,
        key=f"entry_{job.id}",
    )


def _beside(job: Job) -> None:
    """Draw a second run that goes on at the same time in one row."""
    with _entry(job):
        st.markdown(_jobs.badge(_jobs.state_word(job)), width="content")
        title = plain(_ui.short(methods.title(job.method), 40))
        share = _words.percent(job.fraction)
        words = f"{plain(job.preset)}, {_jobs.executor_word(job.executor)}, {share}, "
        words += _jobs.where(job)
        st.markdown(f"{title}  \n:gray[:small[{words}]]", width="stretch")
        stopping = job.state is JobState.CANCELLING
        if st.button("Cancel", key=f"cancel_{job.id}", disabled=stopping):
            _ui.act(control.cancel, _ui.workspace(), job.id, _ui.reviewer())
            st.rerun(scope="fragment")


def _waiting(job: Job, place: int) -> None:
    with _entry(job):
        st.markdown(_jobs.badge("waiting"), width="content")
        title = plain(_ui.short(methods.title(job.method), 40))
        words = f"{plain(job.preset)}, " + ("next" if place == 0 else f"place {place + 1}")
        if job.executor != "local":
            words = plain(job.stage or _jobs.executor_word(job.executor))
        st.markdown(f"{title}  \n:gray[:small[{words}]]", width="stretch")
        if st.button("Remove", key=f"remove_{job.id}"):
            _ui.act(control.remove, _ui.workspace(), job.id, _ui.reviewer())
            st.rerun()


def _stopped(job: Job) -> None:
    """Draw a run that failed or was cancelled: the reason whole, because its end is the remedy."""
    word = _jobs.state_word(job)
    failed = job.state is JobState.FAILED
    with _entry(job):
        st.markdown(_jobs.badge(word), width="content")
        title = plain(_ui.short(methods.title(job.method), 40))
        words = title if failed else f"{title}  \n:gray[:small[what it did is kept]]"
        st.markdown(words, width="stretch")
        if st.button("Resume", key=f"resume_{job.id}"):
            ws = _ui.workspace()
            _ui.act(control.resume, ws, job.id, _ui.reviewer())
            st.rerun()
        pressed = st.menu_button(
            ":material/more_horiz:",
            ["Log", "Config", "Hide"],
            help="Log, config, hide",
            key=f"more_{job.id}",
            type="tertiary",
        )
    if failed:
        # As text: a command in it can be copied, where escaped Markdown hides joiners in it.
        st.text(_ui.short(job.error or "No reason was given; the log may tell.", _REASON))
    if pressed == "Log":
        log(job)
    elif pressed == "Config":
        config(job)
    elif pressed == "Hide":
        hidden = st.session_state.get("hidden_jobs", ())
        st.session_state["hidden_jobs"] = (*hidden, job.id)
        st.rerun(scope="fragment")


def log(job: Job) -> None:
    """Show the end of a run's log."""
    text = control.log_tail(_ui.workspace(), job)
    _ui.show_log(plain(f"{methods.title(job.method)}, run {job.id}"), text)


def config(job: Job) -> None:
    """Show everything that decides a run's outcome."""
    _ui.dialog("Config", width="medium", icon=":material/tune:")(_config)(job)


def _config(job: Job) -> None:
    st.markdown(f"**{plain(methods.title(job.method))}**, run {job.id}")
    facts = {
        "preset": job.preset,
        "representation": job.representation,
        "seed": job.seed,
        "device": job.device,
        "executor": job.executor,
        **job.config,
    }
    st.code(json.dumps(facts, indent=2, default=str), language=None, height=420)
