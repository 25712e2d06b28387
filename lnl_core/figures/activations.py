"""Where a network looks, in numbers: one statistic in two groups of images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lnl_core.figures.frame import PERCENT, legend_above, new_figure, text
from lnl_core.figures.palette import Tone
from lnl_core.views import STATISTICS, Observation

if TYPE_CHECKING:
    import plotly.graph_objects as go


_MEANS = {
    "doubt_given": "Wrong labels lie further right",
    "logit_margin": "Above 0 the other class wins; no map ranks better",
    "energy_gap": "Above 0 the other class's map has more in all",
    "overlap_gap": "Above 0 the other class's map is the stronger one",
    "energy_share": "Wrong labels lie further right",
    "peak_given": "Wrong labels lie further left",
    "support": "Wrong labels lie further left",
    "divergence": "0: both maps have one shape; 0.69: nothing in common",
    "mask_iou": "1: both maps mark the same place, 0: none in common",
    "entropy_given": "Its direction differs between sets: never a score",
    "foreground_fraction": "Small: few places of the image decide",
}
"""What a statistic of `views.STATISTICS` says, for the line below a figure's title."""


def activations(
    observation: Observation, name: str, tone: Tone, method: str, height: int = 250
) -> go.Figure:
    """Draw one activation statistic's spread in both groups, each as shares of its group."""
    first, second = (np.asarray(values, np.float64) for values in observation.groups[name])
    figure = new_figure(
        f"{text(method)}: {STATISTICS[name]}",
        f"{_MEANS[name]}; AUROC {observation.auroc[name]:.2f}, by chance 0.5.",
        tone,
        height,
        t=86,
    )
    everything = np.concatenate([first, second])
    low, high = float(everything.min()), float(everything.max())
    edges = np.linspace(low, high if high - low > 1e-9 else low + 1, 31)
    for words, values, colour in zip(
        observation.names, (first, second), (tone["edge"], tone["red"]), strict=True
    ):
        share = 100 * np.histogram(values, edges)[0] / max(len(values), 1)
        figure.add_bar(
            x=(edges[:-1] + edges[1:]) / 2,
            y=share,
            width=edges[1] - edges[0],
            marker={"color": colour, "opacity": 0.72 if colour == tone["red"] else 1},
            name=f"{words} ({len(values):,})",
            hovertemplate=f"{words}: %{{y:.1f}}{PERCENT} near %{{x:.2f}}<extra></extra>",
        )
    figure.update_layout(barmode="overlay")
    figure.update_xaxes(title_text=STATISTICS[name], showgrid=False)
    figure.update_yaxes(title_text="share of the group", ticksuffix=PERCENT)
    legend_above(figure)
    return figure
