"""The Compare page: controls, facts, and one of its views."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lnl_core.services.compare import comparing
from lnl_core.services.compare.truth import truths
from lnl_core.services.runs import control
from lnl_core.types import DatasetInfo
from lnl_core.views import CONSENSUS, TOGETHER, Candidate, Comparison, score
from pages import _charts, _ui, _words
from pages._compare import agreement, five, lab, losses, pairs, quality, retrain, without
from pages._runs import live
from pages._ui import plain

VIEWS: dict[str, tuple[str, Callable[[DatasetInfo, Comparison], None]]] = {
    "quality": ("Quality", quality.draw),
    "five": ("Five views", five.draw),
    "differences": ("Differences", pairs.draw),
    "losses": ("Losses", losses.draw),
    "agreement": ("Agreement", agreement.draw),
    "cost": ("Cost", agreement.draw_costs),
    "retraining": ("Retraining", retrain.draw),
}


def draw(info: DatasetInfo, row: DeltaGenerator) -> None:
    """Draw the whole page below its title."""
    with row:
        lab.button(info)
    active = len(control.underway(info))
    every = comparing.candidates(info)
    if active:
        words = f"{_words.plural(active, 'run')} to go, the curves follow as they end"
        opened = not every or _asked_view() == "five"
        with st.expander(words, expanded=opened, icon=":material/sync:"):
            live.draw(info)
    if not every:
        if not active:
            _ui.score_it(info)
        return
    with row:
        _ui.present_button()
        truth = _truth_select(info)
        report = st.container(width="content", key="compare_report_place")
    five_views = _asked_view() == "five"
    facts = st.container(key="compare_no_facts" if five_views else "compare_facts")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        view = _view()
        st.space("stretch")
        with st.container(
            horizontal=True,
            vertical_alignment="center",
            width="content",
            gap="small",
            key="compare_figures",
        ):
            _charts.format_select()  # beside the runs also where the views leave them no room
            keys = _runs_select(info, every)
    body = st.container(key="compare_body")
    known = ("compare", info.id, tuple(keys), truth)
    waiting = nullcontext() if view == "five" else _ui.computing((*known, "facts"), 56)
    with facts, waiting, body, _ui.computing(known, 620):
        comparison = comparing.compare(info, keys, truth)
    with report:
        _report_button(info, keys, truth, first=bool(comparison.detections))
    if view != "five":  # one image needs the height, and these say nothing of it
        with facts:
            _facts(info, comparison)
    with body:
        VIEWS[view][1](info, comparison)


# Controls -------------------------------------------------------------------------------------


def _asked_view() -> str:
    """Return the view that will be shown, before its control is drawn."""
    asked = st.session_state.get(without.view_key()) or st.query_params.get("view")
    return asked if asked in VIEWS else st.session_state.get("compare_first_view", "quality")


def _view() -> str:
    """Let a person choose a view; the address keeps it, so that it can be shared."""
    asked = st.query_params.get("view")
    first = st.session_state.get("compare_first_view", "quality")
    key = without.view_key()
    if asked in VIEWS and key not in st.session_state:  # a link from another page
        first = asked
    st.session_state["compare_first_view"] = first
    view = st.segmented_control(
        "View",
        list(VIEWS),
        default=first,  # part of what is sent each time: a value that is set is sent only once
        required=True,
        format_func=lambda key: VIEWS[key][0],
        key=key,
        label_visibility="collapsed",
        wrap=True,  # on a telephone, where nothing says that more of them stand to the right
    )
    view = view if view in VIEWS else "quality"
    if asked != view:
        st.query_params["view"] = view
    return view


def _truth_select(info: DatasetInfo) -> str | None:
    """Let a person choose what counts as true; the select names it."""
    every = truths(info)
    usable = [each for each in every if not each.reason]
    if not usable:
        return None
    words = {each.kind: f"Truth: {each.words}" for each in usable}
    chosen = st.selectbox(
        "Truth",
        list(words),
        format_func=lambda kind: words.get(kind, kind),
        key=f"compare_truth_{info.id}",
        label_visibility="collapsed",
        width=330 if _ui.presents() else 250,
        help="Random checks are weighted so that they speak for the whole set; answers from the "
        "queue, and what was judged before the import, count for their own image alone.",
    )
    return chosen if chosen in words else None


def _runs_select(info: DatasetInfo, every: list[Candidate]) -> list[str]:
    """Let a person choose runs; the newest of each ranking key and the consensus by default."""
    titles = {each.key: _title(each) for each in every}
    usual = [each.key for each in every if each.newest]
    key = f"compare_runs_{info.id}_{len(every)}"
    now = st.session_state.get(key) or usual
    counted = {each.key for each in every if each.key not in TOGETHER}
    words = f"Runs: {len(counted.intersection(now))} of {len(counted)}"
    with st.popover(words, icon=":material/checklist:"):
        chosen = st.pills(
            "Runs to compare",
            list(titles),
            selection_mode="multi",
            default=usual,
            format_func=lambda each: titles.get(each, each),
            key=key,
            width=520,
        )
        st.caption(
            "By default the newest run of each method, the consensus of these, and that from "
            "before the review where it was another one."
        )
    return list(chosen) or usual


def _title(candidate: Candidate) -> str:
    return plain(_words.short(candidate.title, 40))


def _report_button(info: DatasetInfo, keys: list[str], truth: str | None, *, first: bool) -> None:
    """Draw the report's button; `first` where nothing else comes before it."""
    from lnl_core.services.compare import report

    st.download_button(
        "Report as HTML",
        lambda: report.html(info, keys=keys, truth=truth).encode(),
        file_name=report.file_name(info),
        mime="text/html",
        icon=":material/download:",
        type="primary" if first else "secondary",
        on_click="ignore",
        key="compare_report",
        help="One file with every figure of this page; opens anywhere, without a network.",
    )


# Facts ----------------------------------------------------------------------------------------


def _facts(info: DatasetInfo, comparison: Comparison) -> None:
    """Draw the four facts above the views."""
    best, joint = comparison.best(), comparison.detections.get(CONSENSUS)
    facts: list[tuple[str, str, str]] = []
    if best is not None:
        d = comparison.detections[best.key]
        half = (d.interval[1] - d.interval[0]) / 2
        facts.append(
            ("Best single method", f"{plain(best.short)} {score(d.ap)}", f"AP, ±{half:.2f}")
        )
        if joint is not None:
            gap = f"{joint.ap - d.ap:+.2f}".replace("-", "−")
            facts.append(("Consensus of all", score(joint.ap), f"AP, {gap}"))
    shown = joint or (comparison.detections[best.key] if best else None)
    if shown is not None:
        by_chance = round(0.8 * shown.size)
        saved = max(0, by_chance - shown.to_most)
        percent = f"80{_words.NARROW}%"
        facts.append(
            (
                f"Saved until {percent} are found",
                _words.count(saved),
                f"of {_words.count(by_chance)} reviews",
            )
        )
    facts.append(retrain.fact(info))
    if not comparison.detections:
        runs = [each for each in comparison.candidates if each.key not in TOGETHER]
        facts.insert(0, ("Runs compared", _words.count(len(runs)), ""))
        facts.insert(
            1, ("Queue", _words.count(comparison.goal), f"of {_words.count(info.n)} images")
        )
    with st.container(border=True, horizontal=True, gap="large", key="facts"):
        for label, value, more in facts:
            small = f" :small[:gray[{more}]]" if more else ""
            st.markdown(f":small[:gray[{label}]]  \n**{value}**{small}", width="stretch")
