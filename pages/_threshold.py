"""The spread of one run's losses with a threshold, and the way into the queue above it."""

from __future__ import annotations

import numpy as np
import streamlit as st

from lnl_core.figures import losses
from lnl_core.services.compare import losses as loss_views
from lnl_core.services.explore.selections import keep_selection
from lnl_core.types import DatasetInfo
from lnl_core.views import Losses
from pages import _figures, _ui, _words

_STEPS = 121
_WARNING = (
    "What the two groups expect is a guess from the shape alone; hard images that are labelled "
    "right lie in the upper group too."
)


def spread(
    info: DatasetInfo, values: Losses, split: str, *, key: str = "losses", small: bool = False
) -> None:
    """Draw the histogram, its threshold, what that would queue, and the button that does.

    Args:
        info: the data set.
        values: of `loss_views.losses`.
        split: what the bars are split by, of `figures.losses.SPLITS`.
        key: of the widgets; a page has one.
        small: for a narrow column: a lower figure, fewer words.
    """
    low, high = float(values.x.min()), float(values.x.max())
    steps = [round(float(x), 4) for x in np.linspace(low, max(high, low + 1e-3), _STEPS)]
    words = _words_of(values, steps)
    name = f"{key}_threshold_{info.id}_{values.candidate.key}_{values.quantity}"
    suggested = _start(values)
    start = min(steps, key=lambda x: abs(x - suggested))
    now = st.session_state.get(name)  # the figure stands above the slider, and is drawn first
    _draw(info, values, split, float(now if now in steps else start), key, small=small)
    chosen = st.select_slider(
        f"Threshold on the {values.quantity}",
        steps,
        value=start,
        format_func=lambda x: words.get(x, f"{values.value(x):.6g}"),
        key=name,
        label_visibility="collapsed" if small else "visible",
    )
    _queue(info, values, float(chosen), key, small=small)
    if values.verdict.max() == 0 and split == "verdict":
        st.caption("Nobody has answered yet: review some images, and they show here.")


def _draw(
    info: DatasetInfo, values: Losses, split: str, threshold: float, key: str, *, small: bool
) -> None:
    """Draw the histogram with its threshold."""
    figure = losses.histogram(
        values,
        _figures.tone(),
        split=split,
        threshold=threshold,
        height=214 if small else 340,
        small=small,
    )
    _figures.draw(
        figure,
        f"losses {values.candidate.name}",
        info,
        alt=f"Spread of the {values.quantity} of each image",
        key=f"{key}_figure",
        height="content" if small else "stretch",
        part="column" if small else "half",
    )


def _words_of(values: Losses, steps: list[float]) -> dict[float, str]:
    """Return what each step of the slider says; no two say the same, or one could not be chosen."""
    for digits in range(2, 9):
        words = {x: f"{values.value(x):.{digits}g}" for x in steps}
        if len(set(words.values())) == len(words):
            break
    return words


def _start(values: Losses) -> float:
    """Return where the upper group takes over, else the highest tenth."""
    if values.mixture is not None and values.mixture.separate:
        grid = np.linspace(*values.mixture.mean, 256)
        return float(grid[np.argmax(values.mixture.posterior(grid) >= 0.5)])
    counted = values.counted if values.counted.any() else slice(None)
    return float(np.percentile(values.x[counted], 90))


def _queue(info: DatasetInfo, values: Losses, threshold: float, key: str, *, small: bool) -> None:
    """Say what the threshold would queue, and offer it."""
    said = loss_views.above(values, threshold)
    parts = []
    if said.consensus is not None:
        parts.append(("Consensus expects", _words.percent(said.consensus), "wrong"))
    if said.mixture is not None:
        parts.append(("Two groups expect", _words.percent(said.mixture), "wrong"))
    if said.true is not None and said.true_interval is not None:
        low, high = (_words.percent(each) for each in said.true_interval)
        parts.append(("Really wrong", _words.percent(said.true), f"{low} to {high}"))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        for label, value, more in parts[:1] if small else parts:
            st.markdown(
                f":small[:gray[{label}]]  \n**{value}** :small[:gray[{more}]]", width="stretch"
            )
        if st.button(
            f"Review these {_words.count(said.queued)}",
            icon=":material/rate_review:",
            key=f"{key}_review",
            disabled=not said.queued,
            help="Opens the queue with the images at or above the threshold; its address can be "
            "shared.",
        ):
            name = keep_selection(info, loss_views.rows_above(values, threshold))
            _ui.go("review", dataset=info.name, selection=name)
    if said.mixture is not None and not small:
        st.caption(_WARNING)
