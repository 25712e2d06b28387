"""The one palette: figures, pages, components and theme take their colours from here.

`TONES` has a set for light and one for dark. `.streamlit/config.toml` and the components' sheet
and script cannot import it: `python -m pages._components._palette` writes its colours there.
Curves and classes are told apart by `tone["curves"]` in order, never by who they are: every two of
these lie at least 20 apart in Lab, for ordinary eyes and under deuteranopia, and have a contrast
of 3 against the page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Tone = Mapping[str, Any]

TONES: dict[str, dict[str, Any]] = {
    "light": {
        "page": "#FFFFFF",
        "ground": "#F4F5F7",  # of fields and code
        "sidebar": "#F7F8F9",
        "track": "#E9ECEF",  # behind a bar, and fields in the sidebar
        "mat": "#ECEEF0",  # behind a picture
        "text": "#15181C",
        "muted": "#59626E",
        "line": "#DDE1E6",
        "grid": "#ECEEF0",
        "edge": "#89929D",
        "grey": "#6B7480",
        "pale": "#A3ABB5",
        "bar": "#CBD0D5",
        "dot": "#B4BCC5",
        "button": "#4B45C6",
        "accent": "#4B45C6",
        "accent_ground": "#EEEDFB",
        "blue": "#0072B2",
        "blue_text": "#0068A3",
        "blue_ground": "#E3F0F8",
        "green": "#009E73",
        "green_text": "#00704F",
        "green_ground": "#E4F4EE",
        "violet": "#CC79A7",
        "violet_text": "#94406F",
        "violet_ground": "#FAEDF4",
        "red": "#D55E00",  # what is wrong
        "red_text": "#A84300",
        "red_ground": "#FCEDE2",
        "orange": "#E69F00",  # what is doubtful
        "orange_text": "#7A5500",
        "orange_ground": "#FDF3DC",
        "grey_ground": "#EEF0F2",
        "brown": "#8F6000",
        "scale": [[0, "#F4F8FB"], [0.5, "#8DBFDD"], [1, "#0072B2"]],
        "cells": {"own": "#E6E8EB", "few": "#F1F3F5", "low": "#E3F0F8", "high": "#0072B2"},
        "curves": (
            "#0072B2",
            "#C25200",
            "#009E73",
            "#882255",
            "#5B54DD",
            "#225522",
            "#C678B4",
            "#222255",
        ),
    },
    "dark": {
        "page": "#14171B",
        "ground": "#1F242A",
        "sidebar": "#0F1215",
        "track": "#2A3038",
        "mat": "#0D0F12",
        "text": "#E6E9ED",
        "muted": "#9BA5B1",
        "line": "#323941",
        "grid": "#262B32",
        "edge": "#6E7884",
        "grey": "#9BA5B1",
        "pale": "#6E7884",
        "bar": "#474D55",
        "dot": "#59636E",
        "button": "#6C64E6",
        "accent": "#A8A4FF",
        "accent_ground": "#252348",
        "blue": "#4AA3DF",
        "blue_text": "#6CB6EA",
        "blue_ground": "#142D40",
        "green": "#2FB88D",
        "green_text": "#4CC39A",
        "green_ground": "#12312A",
        "violet": "#D58CB5",
        "violet_text": "#E3A3C6",
        "violet_ground": "#3A2232",
        "red": "#E9752A",
        "red_text": "#F0935A",
        "red_ground": "#3C2415",
        "orange": "#E8B04A",
        "orange_text": "#E8B04A",
        "orange_ground": "#362A12",
        "grey_ground": "#262B32",
        "brown": "#E8B04A",
        "scale": [[0, "#1A2027"], [0.5, "#27577A"], [1, "#4AA3DF"]],
        "cells": {"own": "#323941", "few": "#1F242A", "low": "#16303F", "high": "#2A7AB4"},
        "curves": (
            "#4AA3DF",
            "#E9752A",
            "#2FB88D",
            "#AA4499",
            "#EEDD88",
            "#7A6FF0",
            "#D9534F",
            "#B2ABD2",
        ),
    },
}

_SOLID = ("solid", "longdash", "longdashdot")
_DASHED = ("dash", "dot", "dashdot")


def strokes(dashed: Sequence[bool], tone: Tone) -> list[dict[str, Any]]:
    """Hand out a line to each of several curves, in order; no two are alike among twenty-four.

    Args:
        dashed: for each curve, whether it is drawn dashed and thinner, as baselines are.
        tone: of `TONES`.

    Returns:
        `color`, `width` and `dash` of each, as Plotly takes them.
    """
    colours = tone["curves"]
    lines = []
    for i, thin in enumerate(dashed):
        turn = sum(dashed[:i]) if thin else i // len(colours)
        dash = (_DASHED if thin else _SOLID)[turn % 3]
        lines.append(
            {"color": colours[i % len(colours)], "width": 1.8 if thin else 2.4, "dash": dash}
        )
    return lines


def points(mode: str) -> dict[str, list[str]]:
    """Return what the map of Explore is drawn in, by what it is coloured by."""
    tone = TONES[mode]
    # keep, relabel, multiple, none, unsure, accepted unseen
    verdicts = ("green", "blue", "violet", "red", "orange", "accent")
    return {
        "suspicion": [tone["dot"], tone["orange"], tone["red"], tone["blue"]],  # the last: no score
        "verdict": [tone["dot"], *(tone[name] for name in verdicts)],
        "class": list(tone["curves"]),
    }


def variables(mode: str) -> dict[str, str]:
    """Return the colours that the components' sheets know beside those of the theme."""
    tone = TONES[mode]
    return {
        "--track": tone["track"],
        "--mat": tone["mat"],
        "--grid": tone["grid"],
        "--base1": tone["grey"],
        "--base2": tone["pale"],
    }


def theme(mode: str) -> dict[str, Any]:
    """Return the theme's colours under the names that Streamlit has for them."""
    tone = TONES[mode]
    colours = {
        "codeTextColor": tone["muted"],
        "primaryColor": tone["button"],
        "backgroundColor": tone["page"],
        "secondaryBackgroundColor": tone["ground"],
        "textColor": tone["text"],
        "borderColor": tone["line"],
        "linkColor": tone["accent"],
        "grayColor": tone["edge"],
        "grayTextColor": tone["muted"],
        "grayBackgroundColor": tone["grey_ground"],
        "chartCategoricalColors": list(tone["curves"]),
        "sidebar": {"backgroundColor": tone["sidebar"], "secondaryBackgroundColor": tone["track"]},
    }
    for ours, theirs in (("yellow", "orange"), *((n, n) for n in _HUES)):
        colours[f"{ours}Color"] = tone[theirs]
        colours[f"{ours}TextColor"] = tone[f"{theirs}_text"]
        colours[f"{ours}BackgroundColor"] = tone[f"{theirs}_ground"]
    return colours


_HUES = ("green", "blue", "violet", "red", "orange")


def ink_on(scale: Sequence[Sequence[Any]], share: float) -> str:
    """Return black or white, whichever is easier to read on a place of a colour scale.

    One of the two always has a contrast of 4.5 or more (WCAG 2.2, relative luminance).

    Args:
        scale: [[place from 0 to 1, #RRGGBB], ...], rising.
        share: the place, in [0, 1].
    """
    from numpy import interp

    places = [float(at) for at, _ in scale]
    channels = [[int(colour[at : at + 2], 16) for _, colour in scale] for at in (1, 3, 5)]
    parts = [float(interp(share, places, each)) / 255 for each in channels]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#000000" if (luminance + 0.05) ** 2 > 0.05 * 1.05 else "#FFFFFF"
