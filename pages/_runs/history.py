"""The table of every run of a data set, newest first."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from lnl_core.services import methods
from lnl_core.services.datasets import settings
from lnl_core.services.runs import control
from lnl_core.types import DatasetInfo, Job, JobState, usual_representation
from pages import _jobs, _ui, _words
from pages._runs import live

_ROW, _ROOMY_ROW = 30, 42
"""Pixels of a line, the second on a large screen."""
_FIRST = 12
_FEATURES = "Time for features that this run computed first; all runs of the set share them."
_MEMORY = "The run's own peak, on top of what the worker holds."


def draw(info: DatasetInfo) -> None:
    """Draw the history with log and config one press away."""
    jobs = [job for job in control.runs(info) if job.state is not JobState.QUEUED]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.header("History", anchor=False, width="stretch")
        st.caption(_words.plural(len(jobs), "run"), width="content")
    if not jobs:
        st.caption("No run yet.")
        return
    stale = settings.stale_runs(info)
    if stale:
        st.caption(f":material/history: {_words.stale(stale)}")
    behind = settings.behind(info)
    if behind:
        st.caption(f":material/add_photo_alternate: {_words.behind(behind)}")
    words = list(_jobs.BADGES)
    key = f"history_{info.id}_{len(jobs)}"
    line = _ROOMY_ROW if _ui.roomy() else _ROW
    st.dataframe(
        _table(info, jobs),
        key=key,
        hide_index=True,
        row_height=line,
        height=line * (min(len(jobs), _FIRST) + 1) + 7,
        column_config={
            "method": st.column_config.TextColumn("Method", width=208),
            "preset": st.column_config.TextColumn("Preset", width=72),
            "where": st.column_config.TextColumn("Ran on", width=90),
            "representation": st.column_config.TextColumn("Representation", width=104),
            "state": st.column_config.MultiselectColumn(
                "State", options=words, color=[_jobs.BADGES[w][0] for w in words], width=98
            ),
            "started": st.column_config.TextColumn("Started", width=102),
            "took": st.column_config.TextColumn("Took", width=86, alignment="right"),
            "features": st.column_config.TextColumn(
                "Features", width=72, alignment="right", help=_FEATURES
            ),
            "memory": st.column_config.TextColumn("GB", width=48, alignment="right", help=_MEMORY),
            "other_class": st.column_config.TextColumn(
                "Other class",
                width=86,
                alignment="right",
                help="Images on which the method expects another class. Most of them are hard, "
                "not wrong: p wrong says how sure all methods together are.",
            ),
            "more": st.column_config.ButtonColumn(
                "More", width=90, type="tertiary", key=f"{key}_more"
            ),
        },
        alt="Runs of this data set, newest first",
    )
    pressed = st.session_state.get(f"{key}_more")
    if pressed:
        job = jobs[int(pressed["row"])]
        live.log(job) if pressed["label"] == "Log" else live.config(job)


def _table(info: DatasetInfo, jobs: list[Job]) -> pd.DataFrame:
    """Return a row per run; where each ran is a column once one ran elsewhere."""
    table = pd.DataFrame([_row(info, job) for job in jobs])
    return table if any(job.executor != "local" for job in jobs) else table.drop(columns="where")


def _row(info: DatasetInfo, job: Job) -> dict[str, object]:
    seconds = _jobs.took(job)
    features = job.cost.get("features_seconds")
    memory = job.cost.get("peak_memory_bytes")
    usual = usual_representation(info.height, info.width)
    return {
        "method": methods.title(job.method)
        + (f" on run {job.base}" if job.base else "")
        + _jobs.splits(job),
        "preset": job.preset,
        "where": _jobs.executor_word(job.executor),
        "representation": usual if job.representation == "auto" else job.representation,
        "state": [_jobs.state_word(job)],
        "started": _words.moment(job.started_at),
        "took": "" if seconds is None else _words.duration(seconds),
        "features": _words.duration(features) if features else "",
        "memory": f"{memory / 1e9:.2f}" if memory else "",
        "other_class": "" if job.other_class is None else _words.count(job.other_class),
        "more": ["Log", "Config"],
    }
