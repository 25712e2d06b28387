"""The cards of the Data page: one per set, last used first, the demo one press away."""

from __future__ import annotations

import base64
import io
import json
from functools import lru_cache
from typing import Literal

import streamlit as st
from PIL import Image, ImageOps

from lnl_core.services import methods
from lnl_core.services.datasets.catalog import DEMOS, DIGITS, PHOTOGRAPHS, DatasetCard
from lnl_core.services.in_force import standing
from lnl_core.services.review import auditing
from lnl_core.types import JobState
from pages import _charts, _tour, _ui, _words
from pages._data import arriving, demo, paint
from pages._ui import plain


def draw(cards: list[DatasetCard]) -> None:
    """Draw the grid of cards; only the first one's act is the page's primary button."""
    primary_free = arriving.awaited() is None
    with st.grid(4 if _ui.wide() else 3, min_column_width=260, gap="small", key="cards"):
        for place, card in enumerate(cards):
            with st.container(border=True, height="stretch", gap="xsmall", key=_key(card)):
                _card(card, primary=primary_free and place == 0)
        for name in DEMOS:
            if all(card.info.name != name for card in cards):
                key = _DEMO_KEYS[name]
                with st.container(border=True, height="stretch", gap="xsmall", key=f"card_{key}"):
                    _demo_card(name, key)


def _key(card: DatasetCard) -> str:
    return f"card_{card.info.id}"


def _card(card: DatasetCard, *, primary: bool) -> None:
    info = card.info
    badge = _badge(card)
    _head(info.name, f"cardhead_{info.id}", badge)
    runs = _words.plural(card.runs, "run") if card.runs else "no run yet"
    images, classes = (
        _words.plural(info.n, "image"),
        _words.plural(info.real_class_count, "class", "classes"),
    )
    if card.has_queue:
        more = _facts(card)
    elif card.active:
        more = [paint.small("Being scored. Review opens with the first finished run.")]
    elif _ui.stopped(info):
        more = [paint.small("No run has finished. Runs says why the last one stopped.")]
    else:
        more = [paint.small(f"Not scored yet. {_ui.first_queue_words(info)}")]
    st.html(
        paint.said(
            "" if badge else paint.heading(info.name),
            _ui.thumb_strip(info, card.sample_rows, side=64 if _ui.roomy() else 36),
            paint.caption(f"{images}, {classes}, {runs}"),
            *more,
        )
    )
    st.space("stretch")
    _acts(card, primary=primary)


def _head(name: str, key: str, badge: str) -> None:
    """Draw a card's heading beside its badge; without one the card's words begin with it."""
    if not badge:
        return
    cut = _ui.short(name, 26)
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key=key):
        st.header(
            plain(cut),
            anchor=False,
            width="stretch",
            wrap=False,
            help=plain(name) if cut != name else None,
        )
        st.markdown(badge, width="content")


def _badge(card: DatasetCard) -> str:
    """Return what matters most about the set now, as a badge."""
    if card.active:
        if card.active.state is JobState.QUEUED:
            return ":orange-badge[:material/schedule: waiting]"
        title = plain(_ui.short(methods.title(card.active.method), 12))
        share = _words.percent(card.active.fraction)
        return f":blue-badge[:material/sync: {title} {share}]"
    if card.info.skipped:
        return f":orange-badge[:material/warning: {_words.count(card.info.skipped)} skipped]"
    if card.info.name == PHOTOGRAPHS and not card.has_queue:
        return _start_here()
    return ""


def _start_here() -> str:
    """Return the accent badge; Streamlit's own would be too dim on the dark page."""
    tone = _charts.colours()
    return (
        f':small[:color[\u2005new here? start with this\u2005]{{foreground="{tone["accent"]}" '
        f'background="{tone["accent_ground"]}"}}]'
    )


def _facts(card: DatasetCard) -> list[str]:
    left, holds = _left(card)
    done = min(card.reviewed / card.takes, 1.0)
    return [
        paint.facts(
            [
                ("Reviewed", _words.count(card.reviewed)),
                ("Found wrong", _words.count(card.wrong)),
                ("Goal, left at most", _words.count(card.goal)),
            ]
        ),
        paint.bar(1.0 if holds else done, "Reviewed of what the goal takes"),
        paint.small(left),
    ]


def _left(card: DatasetCard) -> tuple[str, bool]:
    """Say how many wrong labels are left, where random checks can, and whether one may stop."""
    left = auditing.errors_left(card.info) if card.reviewed else None
    if left is None or not left.words:
        return "", False
    return f"Errors left: {left.words_beside(standing(card.info))}", left.may_stop


def _acts(card: DatasetCard, *, primary: bool) -> None:
    info = card.info
    kind: Literal["primary", "secondary"] = "primary" if primary else "secondary"
    with st.container(horizontal=True, gap="small"):
        reached = card.has_queue and _left(card)[1]
        if reached:
            if st.button("Export", icon=":material/download:", type=kind, key=f"export_{info.id}"):
                _ui.go("export", dataset=info.name)
        elif card.has_queue:
            label = "Continue review" if card.reviewed else "Start review"
            if st.button(label, icon=":material/rate_review:", type=kind, key=f"review_{info.id}"):
                _ui.go("review", dataset=info.name)
        elif card.active:
            if st.button("Open review", type=kind, key=f"wait_{info.id}"):
                _ui.go("review", dataset=info.name)
        elif st.button("Score it", icon=":material/play_arrow:", type=kind, key=f"score_{info.id}"):
            arriving.score(info)
        there = "Review" if reached else "Runs"
        if st.button(there, type="tertiary", key=f"runs_{info.id}"):
            _ui.go(there.lower(), dataset=info.name)
        if info.name == PHOTOGRAPHS and st.button(
            "Tour", type="tertiary", key="tour_start", help=_tour.WHAT
        ):
            _tour.start()


@lru_cache(maxsize=2)
def _strip(photographs: bool) -> str:
    """Return images of a demo set in one row, as one element that asks for nothing more."""
    name, folder = ("clothing", "clothing") if photographs else ("digits", "demo")
    tiles = json.loads((_ui.ASSETS / f"demo_{name}.json").read_text())[:7]
    images = []
    for tile in tiles:
        out = io.BytesIO()
        with Image.open(_ui.ASSETS / folder / tile["file"]) as image:
            ImageOps.fit(image.convert("RGB"), (66, 66)).save(out, "JPEG", quality=85)
        data = base64.b64encode(out.getvalue()).decode()
        images.append(
            f'<img src="data:image/jpeg;base64,{data}" alt="" '
            'style="width:33px;height:33px;border-radius:4px;object-fit:cover">'
        )
    return f'<div style="display:flex;gap:8px;height:33px;overflow:hidden">{"".join(images)}</div>'


_DEMO_KEYS = {PHOTOGRAPHS: "demo", DIGITS: "digits"}

_DEMO_WORDS = {
    PHOTOGRAPHS: "600 photographs, with the mistakes of those who labelled them",
    DIGITS: "1,797 digits, 15\u202f% wrong on purpose",
}

_DISK = "On your disk already, works offline. First queue in under a minute."


def _demo_card(name: str, key: str) -> None:
    """Draw a demo set that is not opened yet."""
    first = name == PHOTOGRAPHS
    badge = _start_here() if first else ""
    _head(name, f"cardhead_{key}", badge)
    st.html(
        paint.said(
            "" if badge else paint.heading(name),
            _strip(first),
            paint.caption(_DEMO_WORDS[name]),
            paint.small(_DISK),
        )
    )
    st.space("stretch")
    with st.container(horizontal=True, gap="small"):
        if st.button("Open the demo", icon=":material/play_arrow:", key=key):
            demo.open_demo(name)
        if first and st.button("Tour", type="tertiary", key="tour_start", help=_tour.WHAT):
            _tour.start()
