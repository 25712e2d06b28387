"""Compare, agreement and cost: do the runs say the same, and what did each take."""

from __future__ import annotations

import numpy as np
import streamlit as st

from lnl_core.figures import agreement, costs
from lnl_core.services.compare import comparing, in_words
from lnl_core.types import DatasetInfo, FloatArray
from lnl_core.views import Comparison
from pages import _figures, _ui, _words

ALONE = "One run has nothing to agree with. Choose another one under Runs."
NONE_LEFT = "No image is left that all of these runs judge without having been told its answer."


def nothing(values: FloatArray) -> str:
    """Say why a matrix would be empty; nothing where it has a number beside its diagonal."""
    if len(values) < 2:
        return ALONE
    beside = np.array(values, np.float64)[~np.eye(len(values), dtype=bool)]
    return "" if np.isfinite(beside).any() else NONE_LEFT


def draw(info: DatasetInfo, comparison: Comparison) -> None:
    """Draw rank correlation beside the overlap of the tops, with a slider for the depth."""
    why = nothing(comparison.correlation)
    if why:
        st.info(why, icon=":material/info:")
        return
    left, right = st.columns(2, gap="small")
    with left, st.container(border=True, key="correlation_card"):
        orders(info, comparison)
        if words := in_words.not_compared(info, comparison):
            st.caption(words)
        st.caption("Methods that agree fully add nothing to each other in the consensus.")
    with right, st.container(border=True, key="top_card"):
        _depth(info, comparison)


def orders(info: DatasetInfo, comparison: Comparison, *, small: bool = False) -> None:
    """Draw rank correlation; `small` where it is one figure of many on the page."""
    _figures.draw(
        agreement.matrix(
            comparison.correlation,
            comparison.candidates,
            _figures.tone(),
            title="Agreement of the order",
            sentence="Spearman correlation, images that all judge: 1 is one order.",
        ),
        "agreement",
        info,
        alt="Rank correlation of every pair of methods",
        key="agreement_small" if small else "agreement",
        height="content" if small else "stretch",
        part="whole" if small else "half",
    )


@st.fragment
@_ui.guarded
def _depth(info: DatasetInfo, comparison: Comparison) -> None:
    most = max(2, comparison.compared)
    usual = min(max(comparison.goal, 1), most)
    key = f"overlap_depth_{info.id}"
    # The figure comes first, so that nothing is pushed away when it is there.
    if st.session_state.get(key, usual) > most:  # other runs are compared, on fewer images
        st.session_state[key] = usual
    overlap(info, comparison, st.session_state.get(key, usual), key="overlap_depth_figure")
    st.slider(
        "Images at the top, k",
        1,
        most,
        usual,
        key=key,
        help=f"The queue proposes {_words.count(usual)}.",
    )


def overlap(info: DatasetInfo, comparison: Comparison, k: int, key: str = "overlap") -> None:
    """Draw what the tops of the runs have in common."""
    keys = comparing.chosen_keys(comparison.candidates)
    common = comparing.overlap(info, keys, k)
    why = nothing(common)
    if why:
        st.caption(why)
        return
    _figures.draw(
        agreement.matrix(
            common,
            comparison.candidates,
            _figures.tone(),
            title=f"Top {_words.count(k)} in common",
            sentence="Share of the union of both methods' most suspicious.",
        ),
        "overlap",
        info,
        alt="Overlap of the most suspicious images of every pair of methods",
        key=key,
        height="content" if key == "overlap" else "stretch",
        part="column" if key == "overlap" else "half",
    )


def draw_costs(info: DatasetInfo, comparison: Comparison) -> None:
    """Draw what each run took."""
    columns = 1 if _ui.narrow() else 4
    bar = 44 if _ui.wide() else 28
    figure = costs.costs(comparison.candidates, _figures.tone(), columns=columns, bar=bar)
    if figure is None:
        st.caption("No run of these noted its cost: whatever is started on Runs does.")
        return
    with st.container(border=True, key="cost_card"):
        _figures.draw(
            figure, "cost", info, alt="Time, memory and images of every run", part="whole"
        )
