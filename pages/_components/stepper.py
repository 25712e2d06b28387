"""Controls below a figure that steps through frames: Plotly's own are reached by no key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from lnl_core.figures.loss_course import STEPPER, STEPPER_STYLE
from lnl_core.figures.palette import Tone

_STEPPER = st.components.v2.component(
    "lnl_stepper",
    html='<div class="stepper"></div>',
    css=STEPPER_STYLE + ".stepper{font:14px/1.4 var(--st-font)}",
    js=STEPPER
    + r"""
export default function ({ data, parentElement }) {
  const host = parentElement.querySelector(".stepper");
  for (const [name, colour] of Object.entries(data.colours)) {
    host.style.setProperty(`--${name}`, colour);
  }
  const figure = `.st-key-${CSS.escape(data.figure)} .js-plotly-plot`;
  return stepper(host, () => document.querySelector(figure), data.told);
}
""",
)


def stepper(figure: str, told: Mapping[str, Any], tone: Tone, drawn: str) -> None:
    """Draw the controls of a figure.

    Args:
        figure: the key of its element, a plain name of ours.
        told: of `loss_course.controls`.
        tone: the colours.
        drawn: what the figure is drawn for: when it changes both begin anew, at the last step.
    """
    colours = {name: tone[name] for name in ("text", "edge", "page", "accent")}
    data = {"figure": figure, "told": dict(told), "colours": colours, "drawn": drawn}
    _STEPPER(key=f"{figure}_steps", data=data)
