"""Compare, retraining: what the corrections buy a network, measured on held-out images."""

from __future__ import annotations

import streamlit as st

from lnl_core.figures import retraining as accuracy
from lnl_core.services.compare import retraining
from lnl_core.services.runs import control
from lnl_core.types import ACTIVE_STATES, DatasetInfo, Job, JobState
from lnl_core.views import Comparison
from pages import _figures, _jobs, _ui, _words
from pages._compare import again
from pages._runs import live
from pages._ui import plain


def fact(info: DatasetInfo) -> tuple[str, str, str]:
    """Return the fact above the views: accuracy before and after, or what is missing."""
    label = "Accuracy after retraining"
    result = retraining.latest(info)
    if result is None:
        return label, "not measured", "see Retraining"
    gain, low, high = (100 * result["gain"][key] for key in ("value", "low", "high"))
    if result["source"] != retraining.DECISIONS:
        label += f", {retraining.SOURCES[result['source']]}"
    before, after = result["before"]["accuracy"], result["after"]["accuracy"]
    words = f"{gain:+.1f} points, {low:.1f} to {high:.1f}".replace("-", "−")
    return label, f"{before:.3f} → {after:.3f}", words


def draw(info: DatasetInfo, _found: Comparison) -> None:
    """Draw the plan, the job while it runs, and the result."""
    left, right = st.columns([42, 58], gap="small")
    with left, st.container(border=True, key="retrain_plan"):
        _plan(info)
    with left, st.container(border=True, key="retrain_again"):
        again.draw(info)
    result = retraining.latest(info)
    with right, st.container(border=True, key="retrain_result"):
        _figures.draw(
            accuracy.before_after(result, _figures.tone(), height=380),
            "before_after",
            info,
            alt="Accuracy trained on given and on corrected labels" + ("" if result else ": none"),
            height="stretch",
        )
        if result is not None:
            said = [plain(sentence) for sentence in retraining.words(result)]
            if retraining.stale(info, result):
                said.append("People have answered more since: retrain to count that in.")
            st.caption("  \n".join(said))
    with right:
        again.result(info)


def _plan(info: DatasetInfo) -> None:
    st.markdown("**What do the corrections buy?**")
    st.markdown(
        "Plain cross-entropy trains the same small network twice, with the same seed: on the "
        "labels as given, and as corrected. Both are judged on images that neither saw."
    )
    sources = {
        key: words
        for key, words in retraining.SOURCES.items()
        if info.has_truth or key != retraining.SIMULATED
    }
    own = retraining.plan(info, retraining.DECISIONS)
    first = retraining.SIMULATED if own.refusal and info.has_truth else retraining.DECISIONS
    source = st.segmented_control(
        "Corrections",
        list(sources),
        default=first,
        required=True,
        format_func=lambda each: sources.get(each, each),
        key=f"retrain_source_{info.id}",
    )
    chosen = source if source in sources else first
    plan = own if chosen == own.source else retraining.plan(info, chosen)
    st.caption(plain(plan.words))
    job = _active(info)
    if job is not None:
        st.fragment(_progress, run_every=1)(info)
        return
    if plan.refusal:
        st.warning(plain(plan.refusal), icon=":material/info:")
    if st.button(
        "Retrain twice",
        icon=":material/play_arrow:",
        key="retrain_start",
        disabled=bool(plan.refusal),
        help=f"About {_words.about(plan.seconds)}." if plan.seconds else None,
    ) and _ui.act(retraining.start, info, plan.source, _ui.reviewer()):
        st.rerun()
    _failed(info)


def _active(info: DatasetInfo) -> Job | None:
    jobs = control.tasks(info)
    return next(
        (job for job in jobs if job.method == retraining.TASK and job.state in ACTIVE_STATES), None
    )


@_ui.guarded
def _progress(info: DatasetInfo) -> None:
    job = _active(info)
    if job is None:
        _ui.rerun_page()
        return
    st.progress(min(max(job.fraction, 0.0), 1.0), text=_jobs.stage(job))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(_jobs.left(job) or _jobs.state_word(job), width="stretch")
        stopping = job.state is JobState.CANCELLING
        if st.button("Cancel", key="retrain_cancel", disabled=stopping):
            _ui.act(control.cancel, _ui.workspace(), job.id, _ui.reviewer())


def _failed(info: DatasetInfo) -> None:
    """Say why the last try stopped."""
    jobs = control.tasks(info)
    last = next((job for job in jobs if job.method == retraining.TASK), None)
    if last is None or last.state is not JobState.FAILED:
        return
    st.error(f"The last retraining stopped: {plain(last.error or '')}", icon=":material/error:")
    if st.button("Log", icon=":material/article:", key="retrain_log"):
        live.log(last)
