"""Where a network looks: some images with the activation maps that are there already."""

from __future__ import annotations

import io
from html import escape
from typing import Any

import numpy as np

from lnl_core.figures.palette import TONES
from lnl_core.services.compare.report._album import Album, as_uri
from lnl_core.services.in_force import loaded, scored, standing
from lnl_core.services.review import activation_maps
from lnl_core.types import DatasetInfo

LOOKED_AT, SHOWN = 200, 6
"""Head of the queue in which images with maps are looked for, and how many of them are shown."""

_STRENGTH = 200
"""How much a map's maximum covers of the picture below it, of 255."""


def looks(info: DatasetInfo, album: Album) -> str:
    """Return images with the maps of both classes, their source named.

    Of a network that is no good the reason stands here, as Review has it, and no map. Empty where
    no run has left a network; nothing is computed that Review has not.
    """
    offered = activation_maps.sources(info)
    if not offered:
        return ""
    source = offered[0]
    if not source["good"]:
        words = "Its activation maps are left out: they would show places that mean nothing."
        return f"<p>{escape(source['title'])}. {escape(source['grade'])} {words}</p>"
    shown = _shown(info)
    if not shown:
        return f"<p>{escape(source['title'])}: no map has been made yet. Review makes them.</p>"
    figures = "".join(_figure(info, row, found, album) for row, found in shown)
    return (
        f"<p>Source: {escape(shown[0][1]['title'])}. {escape(shown[0][1]['grade'])} The stronger "
        "the colour, the more a place speaks for the class: brown for the given one, blue for the "
        f'suggested one.</p><div class="looks">{figures}</div>'
    )


def _shown(info: DatasetInfo) -> list[tuple[int, dict[str, Any]]]:
    """Return the first open images of the queue whose maps are there, all of one source."""
    ranked, seen = scored(info), standing(info)
    assert ranked is not None
    titles = {each["key"]: each["title"] for each in activation_maps.sources(info)}
    found: list[tuple[int, dict[str, Any]]] = []
    for row in map(int, ranked.ranking.order[:LOOKED_AT]):
        if len(found) == SHOWN:
            break
        if seen.settled[row]:
            continue
        one = activation_maps.where_it_looks(info, row, ask=False)
        if one["state"] == "ready":
            found.append((row, one | {"title": titles[one["source"]]}))
    return found


def _figure(info: DatasetInfo, row: int, found: dict[str, Any], album: Album) -> str:
    names = [escape(info.class_names[found[which]]) for which in ("given", "other")]
    both = "".join(
        f'<div class="over"><img src="{album.uri(row)}" alt="">'
        f'<img src="{_overlay(one, colour)}" alt="where it sees {name}"></div>'
        for one, colour, name in zip(found["maps"], ("brown", "blue"), names, strict=True)
    )
    return (
        f'<figure class="look"><div class="three"><div><img src="{album.uri(row)}" '
        f'alt="labelled {names[0]}"></div>{both}</div><figcaption>{names[0]} → <b>{names[1]}</b>'
        f"<div>{escape(found['words'])}</div><small>{escape(str(loaded(info).ids[row]))}</small>"
        "</figcaption></figure>"
    )


def _overlay(one: dict[str, Any], colour: str) -> str:
    """Return a map as a picture of one colour that is the less transparent the higher it is."""
    from PIL import Image

    tone = TONES["light"][colour]
    values = np.clip(np.array(one["values"], np.float64).reshape(one["u"], one["v"]), 0, 1)
    pixels = np.empty((*values.shape, 4), np.uint8)
    pixels[..., :3] = [int(tone[at : at + 2], 16) for at in (1, 3, 5)]
    pixels[..., 3] = np.round(_STRENGTH * values)
    stream = io.BytesIO()
    Image.fromarray(pixels, "RGBA").save(stream, "PNG")
    return as_uri(stream.getvalue(), "image/png")
