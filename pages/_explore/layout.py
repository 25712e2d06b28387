"""What a map is made of, and the states before there is one."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from lnl_core.services.explore import embedding
from lnl_core.services.explore.embedding import FEWEST, Settings, Source
from lnl_core.services.runs import control
from lnl_core.types import DatasetInfo, Job, JobState
from lnl_core.views import Layout
from pages import _charts, _ui, _words
from pages._words import count, plain, short


def choose(info: DatasetInfo, sources: Sequence[Source]) -> Settings:
    """Draw the button with the settings and return those in force."""
    chosen = _in_force(info, sources)
    if info.n < FEWEST:
        return chosen
    keys = [each.key for each in sources]
    titles = {each.key: each.title for each in sources}
    with st.popover("Layout", icon=":material/tune:", width="content"):
        _charts.format_select()
        with st.form(f"explore_layout_{info.id}", border=False):
            source = st.selectbox(
                "Features",
                keys,
                index=keys.index(chosen.source) if chosen.source in keys else 0,
                format_func=lambda key: short(titles.get(key, key), 44),
                help="What “alike” means: label-free features of the images, or what a run "
                "learned.",
            )
            near = st.slider(
                "Neighbours",
                2,
                100,
                min(chosen.neighbours, 100),
                help="Few show small groups, many the whole.",
            )
            tight = st.slider(
                "Least distance",
                0.0,
                1.0,
                chosen.min_dist,
                0.05,
                help="How tightly groups pack; it changes the look, not who is near whom.",
            )
            seed = st.number_input("Seed", 0, 2**31 - 1, chosen.seed, 1)
            go = st.form_submit_button("Lay out", type="primary", icon=":material/scatter_plot:")
        if go:
            wanted = Settings(source or keys[0], int(near), round(float(tight), 2), int(seed))
            st.session_state[f"explore_settings_{info.id}"] = wanted
            _start(info, wanted)
            return wanted
    return chosen


def _in_force(info: DatasetInfo, sources: Sequence[Source]) -> Settings:
    """Return the settings chosen in this session, else those of the newest map, else the usual."""
    kept = st.session_state.get(f"explore_settings_{info.id}")
    if isinstance(kept, Settings):
        return kept
    for facts in embedding.layouts(info):
        return Settings(facts["source"], facts["neighbours"], facts["min_dist"], facts["seed"])
    return embedding.outdated(info) or Settings(sources[0].key)


def _start(info: DatasetInfo, settings: Settings) -> None:
    if embedding.layout(info, embedding.key_of(info, settings)) is None:
        _ui.act(embedding.start_layout, info, settings, _ui.reviewer())


def subtitle(info: DatasetInfo, map_: Layout, source: Source | None) -> str:
    """Say what the map shows, as text."""
    of = source.title if source else f"features of {map_.facts['source'].replace(':', ' ')}"
    words = f"UMAP of {short(of, 44)}, {_words.plural(info.n, 'image')}"
    fitted = int(map_.facts["fitted"])
    if fitted < info.n:
        words += f"; laid out from {count(fitted)}, the others beside their nearest"
    return words


def stale(info: DatasetInfo, settings: Settings, sources: Sequence[Source]) -> None:
    """Say that the map is of a run that a newer one has replaced, and offer a new map."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="stale"):
        st.caption(
            f"This map is of {plain(settings.source.replace(':', ' '))}, which is gone or has "
            "been run again since.",
            width="stretch",
        )
        newest = sources[-1]
        if st.button("Lay out the newest", key="explore_newest"):
            wanted = Settings(newest.key, settings.neighbours, settings.min_dist, settings.seed)
            st.session_state[f"explore_settings_{info.id}"] = wanted
            _start(info, wanted)
            st.rerun()


# Before there is a map ------------------------------------------------------------------------


def missing(info: DatasetInfo, settings: Settings, source: Source | None) -> None:
    """Draw the state without a map: too few images, not started, computing, failed."""
    st.markdown("**Map**")
    if info.n < FEWEST:
        st.markdown(
            f"A map needs at least {FEWEST} images. This set has {_words.plural(info.n, 'image')}."
        )
        return
    job = embedding.layout_job(info, settings)
    if job is not None and embedding.is_active(job):
        _computing(info, job)
        return
    if job is None and control.underway(info) and not embedding.layouts(info):
        st.fragment(_first_run, run_every=1)(info, settings)
        return
    if job is not None and job.state is JobState.FAILED:
        st.error(
            f"The map could not be laid out. {plain(job.error or '')}", icon=":material/error:"
        )
    with st.container(horizontal_alignment="center", gap="small", key="no_map"):
        st.space("large")
        seconds = embedding.layout_seconds(info, source or Source(settings.source, "", True))
        more = "" if source is None or source.ready else ", the features first"
        first = "No map yet."
        if embedding.outdated(info) is not None:
            first = (
                "The map that was here is not shown: its features were made by an earlier recipe."
            )
        st.markdown(
            f"{first} Laying out {_words.plural(info.n, 'image')} takes about "
            f"{_words.about(seconds)}{more}.",
            width="content",
        )
        again = job is not None and job.state in (JobState.FAILED, JobState.CANCELLED)
        label = "Try again" if again else "Lay out the map"
        if st.button(label, type="primary", icon=":material/scatter_plot:", key="explore_start"):
            _start(info, settings)
            st.rerun()
        st.space("large")


def _first_run(info: DatasetInfo, settings: Settings) -> None:
    """Say when the map comes, and draw the page again once it is on its way."""
    st.caption("The map is laid out as soon as the first run is done.")
    if embedding.layout_job(info, settings) is not None or not control.underway(info):
        _ui.rerun_page()


def _computing(info: DatasetInfo, job: Job) -> None:
    st.fragment(_progress, run_every=1)(info, job.id)
    with st.container(key="map_skeleton"):  # as high as the map will be
        st.skeleton(height=430)


@_ui.guarded
def _progress(info: DatasetInfo, number: int) -> None:
    """Say how far the map is, and draw the page again once it is there."""
    job = control.run(_ui.workspace(), number)
    if not embedding.is_active(job):
        _ui.rerun_page()
        return
    left = "" if not job.eta_seconds else f", {_words.about(job.eta_seconds)} left"
    words = f"Laying out {_words.plural(info.n, 'image')}{left}"
    if job.stage == "features":
        words = f"Reading {_words.plural(info.n, 'image')} for the map{left}"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.progress(min(max(job.fraction, 0.0), 1.0), text=words)
        if st.button("Cancel", key="explore_cancel"):
            _ui.act(control.cancel, _ui.workspace(), number, _ui.reviewer())
