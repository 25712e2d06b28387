"""The recipe on Runs: one thing with a name, what it is good for, what it costs, one button."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import streamlit as st

from lnl_core.services import methods
from lnl_core.services.runs import control, recipes
from lnl_core.services.runs.recipes import Recipe, Step
from lnl_core.types import ACTIVE_STATES, DatasetInfo, Job, JobState
from pages import _charts, _jobs, _ui, _words
from pages._runs.methods import basis
from pages._ui import plain


def draw(info: DatasetInfo, device: str) -> None:
    """Draw the default recipe for the images of a set, and look again while it runs."""
    st.fragment(_card, run_every=2 if control.underway(info) else None)(info, device)


@_ui.guarded
def _card(info: DatasetInfo, device: str) -> None:
    known, missing = recipes.recipe(info), recipes.missing(info)
    with st.container(border=True, gap="small", key="recipe_card"):
        st.header(known.title, anchor=False)
        st.caption(f"Recommended for this set. {known.words}")
        jobs = control.runs(info)
        if len(missing) == len(known.steps):
            st.html(_steps(known.steps))
        else:
            with st.container(gap="xsmall", key="recipe_steps"):
                for step in known.steps:
                    _step(step, jobs, step.run in missing)
        if missing:
            _start(info, known, missing, device)


def _steps(steps: Sequence[Step]) -> str:
    """Return runs that have not begun as one element: a page costs by how many it has."""
    muted = _charts.colours()["muted"]
    lines = "".join(
        '<div style="display:flex;justify-content:space-between;gap:16px"><span>'
        f"<b>{escape(methods.title(step.run))}</b> "
        f'<span style="font-size:.875rem;color:{muted}">{escape(_good_for(step))}</span></span>'
        f'<span style="font-size:.875rem">{escape(_words.short_clock(step.seconds))}</span></div>'
        for step in steps
    )
    return f'<div style="display:grid;gap:8px">{lines}</div>'


def _good_for(step: Step) -> str:
    card = methods.method(methods.method_of(step.run))
    return (card.good_for or card.summary).rstrip(".")


def _step(step: Step, jobs: list[Job], missing: bool) -> None:
    """Draw one run of the recipe: what it brings, what it takes, how it stands."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", wrap=False):
        line = plain(_good_for(step))
        title = f"**{plain(methods.title(step.run))}**"
        st.markdown(f"{title} :gray[:small[{line}]]", width="stretch")
        if not missing:
            st.markdown(_jobs.badge(_standing(step, jobs)), width="content")
        else:
            st.markdown(f":small[{_words.short_clock(step.seconds)}]", width="content")


def _standing(step: Step, jobs: list[Job]) -> str:
    """Return how the newest run of a step stands, as a badge says it; done counts first."""
    key, _, features = step.run.partition("@")
    own = [
        job
        for job in jobs  # newest first
        if job.method == key and (not features or job.representation == features)
    ]
    active = next((job for job in own if job.state in ACTIVE_STATES), None)
    if active is not None:
        return _jobs.state_word(active)
    done = any(job.state is JobState.DONE for job in own)
    return "done" if done or not own else _jobs.state_word(own[0])


def _start(info: DatasetInfo, known: Recipe, missing: list[str], device: str) -> None:
    """Draw the button and what a press costs: all of the recipe, or what is missing of it."""
    steps = [step for step in known.steps if step.run in missing]
    fresh = len(steps) == len(known.steps)
    label = "Start the recipe" if fresh else f"Start {_words.plural(len(steps), 'more run')}"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        pressed = st.button(label, icon=":material/play_arrow:", type="primary", key="recipe")
        seconds = recipes.START_SECONDS + sum(step.seconds for step in steps)
        seconds += known.features_seconds
        words = f"**about {_words.about(seconds)}**, {_words.gigabytes(known.held)} at most"
        if fresh:
            words += f", first queue after **{_words.about(known.first_seconds)}**"
        small = f":gray[:small[{basis(known.features_seconds)}]]"
        st.markdown(f"{words}  \n{small}", width="stretch")
    if pressed and _ui.act(recipes.start_rest, info, device, _ui.reviewer()):
        st.rerun()
