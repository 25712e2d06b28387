"""Explore: its controls, the map with what is selected on it, and an image's neighbours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from lnl_core.services import methods
from lnl_core.services.compare import losses
from lnl_core.services.explore import embedding, filters, nearby, selections
from lnl_core.services.explore.embedding import Selection, Settings, Source
from lnl_core.services.explore.filters import Narrow
from lnl_core.services.in_force import scored
from lnl_core.types import BoolArray, DatasetInfo, IntArray, LnlError
from lnl_core.views import Layout, chance
from pages import _threshold, _ui, _urls
from pages._components.explore_map import explore_map, neighbours
from pages._explore import addressed, layout, matrix
from pages._explore import filters as _explore_filters
from pages._review import misread
from pages._review.narrowing import CHOSEN_BY, SUGGESTION
from pages._words import count, plain, plural, sentence, short, short_name, told

COLOURS = {
    "suspicion": "Suspicion",
    "given": "Given",
    "suggested": "Suggested",
    "verdict": "Verdict",
}
BELOW = 140
"""Pixels under the map: the selection's line and its thumbnails."""

THUMBS = 16


@dataclass(frozen=True, slots=True)
class Choice:
    """What the title row says: colours of the map, and what it is made of."""

    colour: str
    method: str | None
    settings: Settings
    sources: tuple[Source, ...]
    narrow: Narrow

    @property
    def source(self) -> Source | None:
        """The chosen features, None where they are no longer the newest."""
        return next((each for each in self.sources if each.key == self.settings.source), None)


# Controls -------------------------------------------------------------------------------------


def controls(info: DatasetInfo) -> Choice:
    """Draw the title row and return what is chosen."""
    ranked = scored(info)
    kinds = [key for key in COLOURS if ranked is not None or key in ("given", "verdict")]
    sources = tuple(embedding.sources(info))
    if st.session_state.get("explore_colour") not in (None, *kinds):
        del st.session_state["explore_colour"]
    scorers = sorted(ranked.run_ids) if ranked is not None else []
    addressed.adopt_colour(info, kinds, scorers)
    method = None
    with _ui.title_row("Explore"):
        colour = st.segmented_control(
            "Colour by",
            kinds,
            default=kinds[0],
            format_func=COLOURS.__getitem__,
            required=True,
            key="explore_colour",
            label_visibility="collapsed",
            width="content",
            persist_state="session",
        )
        if colour == "suspicion":
            method = st.selectbox(
                "Suspicion of",
                ["", *scorers],
                format_func=lambda key: short(methods.title(key), 22) if key else "All methods",
                key=f"explore_method_{info.id}",
                label_visibility="collapsed",
                width=170,
            )
        unusual = colour if colour != kinds[0] else None
        narrow = _explore_filters.choose(info, method or None, unusual)
        settings = layout.choose(info, sources)
    instead = "The rest of it is in force." if narrow.parts else "All images are drawn."
    misread.draw((info.id, narrow), instead)
    return Choice(colour or kinds[0], method or None, settings, sources, narrow)


# The page -------------------------------------------------------------------------------------


@st.fragment
@_ui.guarded
def body(info: DatasetInfo, choice: Choice) -> None:
    """Draw map, matrix and neighbours; a loop or a click draws only this again."""
    with st.container(key="explore_columns"):
        left, right = st.columns([8, 5], gap="small")
    with left, st.container(border=True, gap="xsmall", key="explore_left"):
        map_ = embedding.layout(info, embedding.key_of(info, choice.settings))
        if map_ is None:
            layout.missing(info, choice.settings, choice.source)
            row = None
        else:
            row = _map(info, choice, map_)
    with right:
        if row is not None and scored(info) is not None:
            with st.container(border=True, gap="xsmall", key="explore_near"):
                _neighbours(info, row)
        elif scored(info) is not None:
            _losses(info, choice)
        with st.container(border=True, gap="xsmall", key="explore_matrix"):
            matrix.draw(info)


def _map(info: DatasetInfo, choice: Choice, map_: Layout) -> int | None:
    """Draw the map and what is selected on it; return the chosen row."""
    key = f"explore-map-{info.id}"
    colours = filters.colouring(info, choice.colour, choice.method, choice.narrow)
    shown = filters.mask(info, choice.narrow)
    held: Mapping[str, Any] = st.session_state.get(key) or {}
    loop = _loop(held.get("loop"), info, map_)
    selection = _inside(info, map_, loop, choice.narrow, shown)
    row = _chosen(info, held.get("chosen"))
    said = _words_of(info, selection) if selection is not None else ""
    if choice.source is None:
        layout.stale(info, choice.settings, choice.sources)
    explore_map(
        key,
        {
            "points": _urls.points_url(info.id, map_.key),
            "codes": _urls.colours_url(
                info.id,
                colours.version,
                choice.colour,
                choice.method,
                choice.narrow.as_text(),
            ),
            "point": _urls.point_url(info.id),
            "thumb": _urls.image_url(info.id, info.version, "thumb"),
            "mode": {"suggested": "class", "given": "class"}.get(choice.colour, choice.colour),
            "subtitle": layout.subtitle(info, map_, choice.source)
            if shown is None
            else f"{count(int(shown.sum()))} of {count(info.n)} images, filtered",
            "legend": [
                {"slot": slot, "name": name, "count": number}
                for slot, name, number in colours.legend
            ],
            "names": embedding.class_names(info, map_),
            "chosen": row,
            "go": st.session_state.get("explore_go"),
            "loop": None if loop is None else loop["points"],
            "cleared": st.session_state.get("explore_cleared"),
            "say": said,
            "below": BELOW,
        },
    )
    _selected(info, selection, said, loop, told=bool(choice.narrow.suggested))
    return row


def _loop(value: Any, info: DatasetInfo, map_: Layout) -> dict[str, Any] | None:
    """Return the loop that is drawn: the browser's, unless it was cleared or is of another map."""
    if not isinstance(value, dict) or not isinstance(value.get("points"), list):
        return None
    number = value.get("id")
    owner = st.session_state.setdefault("explore_loop_of", {})
    if number not in owner:  # the first run that sees a loop says which map it is on
        owner.clear()
        owner[number] = (info.id, map_.key)
    if owner[number] != (info.id, map_.key) or number == st.session_state.get("explore_cleared"):
        return None
    return value


def _inside(
    info: DatasetInfo,
    map_: Layout,
    loop: dict[str, Any] | None,
    narrow: Narrow,
    shown: BoolArray | None,
) -> Selection | None:
    if loop is None:
        return None
    ranked = scored(info)
    version = ranked.version if ranked else None
    now = None if shown is None else hash(shown.tobytes())  # answers change it, too
    key = (info.id, map_.key, loop["id"], version, narrow, now)
    known = st.session_state.get("explore_selection")
    if known is None or known[0] != key:
        try:
            rows = embedding.inside(map_, loop["points"])
        except LnlError as error:
            st.toast(told(error), icon=":material/error:")
            return None
        if shown is not None:
            rows = rows[shown[rows]]
        known = st.session_state["explore_selection"] = (key, embedding.select(info, rows))
    selection: Selection = known[1]
    return selection


def _chosen(info: DatasetInfo, value: Any) -> int | None:
    """Return the image that was clicked last, here or among the neighbours."""
    kept = st.session_state.setdefault("explore_chosen", {})
    if isinstance(value, dict) and value.get("id") != kept.get("click"):
        row = value.get("row")
        if isinstance(row, int) and 0 <= row < info.n:
            kept.update(click=value.get("id"), row=row, set=info.id)
    return kept["row"] if kept.get("set") == info.id else None


# What is selected -----------------------------------------------------------------------------


def _words_of(info: DatasetInfo, selection: Selection) -> str:
    """Say what is inside, as text: `318 images, 74 of them suspected, mostly cat → dog`."""
    if not len(selection.rows):
        return "No image inside. Draw a wider loop."
    words = plural(len(selection.rows), "image")
    if scored(info) is not None:
        words += f", {count(len(selection.suspected))} of them suspected"
    if selection.pair is not None:
        given, suggested = (short_name(info.class_names[label]) for label in selection.pair)
        words += f", mostly {given} → {suggested}"
    return words


def _selected(
    info: DatasetInfo,
    selection: Selection | None,
    said: str,
    loop: dict[str, Any] | None,
    *,
    told: bool,
) -> None:
    """Draw the line under the map, and what can be done with the selection.

    `told` is whether its images are chosen by their suggested class.
    """
    if selection is None:
        st.caption(
            "Images that look alike lie close together: a suspected one amid another class is "
            "worth a look. Draw a loop to select, click a point to see its neighbours, turn the "
            "wheel to come closer."
        )
        return
    with st.container(key="explore_selected", gap="xsmall"):
        left, right = st.columns([11, 10], vertical_alignment="center", gap="xsmall")
        left.markdown(f":small[{plain(said)}]")
        number = (loop or {}).get("id")
        with right.container(horizontal=True, horizontal_alignment="right", gap="xsmall"):
            st.button(
                "Clear", type="tertiary", key="explore_clear", on_click=_clear, args=(number,)
            )
            everything, some = len(selection.rows), len(selection.suspected)
            if everything and some != everything:
                _review(info, selection.rows, f"All {count(everything)}", not some, told)
            if some:
                _review(info, selection.suspected, f"Review these {count(some)}", True, told)
        shown = [int(row) for row in (*selection.suspected[:THUMBS], *selection.rows[:THUMBS])]
        if shown:
            _ui.thumbs(info, list(dict.fromkeys(shown))[:THUMBS], side=48)


def _clear(number: Any) -> None:
    st.session_state["explore_cleared"] = number


def _review(info: DatasetInfo, rows: IntArray, label: str, primary: bool, told: bool) -> None:
    kind: Any = "primary" if primary else "secondary"
    if st.button(label, type=kind, key=f"explore_{kind}"):
        name = selections.keep_selection(info, rows)
        more = {CHOSEN_BY: SUGGESTION} if told else {}
        _ui.go("review", dataset=info.name, selection=name, **more)


# Losses ---------------------------------------------------------------------------------------


def _losses(info: DatasetInfo, choice: Choice) -> None:
    """Draw one run's losses, with a threshold: the method chosen above, else the best known."""
    ranked = scored(info)
    assert ranked is not None
    run = ranked.run_ids.get(choice.method or "")
    if run is None:
        run = next(
            (ranked.run_ids[m.key] for m in methods.every() if m.key in ranked.run_ids),
            next(iter(ranked.run_ids.values())),
        )
    with st.container(border=True, gap="xsmall", key="explore_losses"), _ui.guard():
        with _ui.computing(("losses", info.id, run), 250):
            values = losses.losses(info, str(run))
        _threshold.spread(info, values, "agreement", key="explore_losses", small=True)


# Neighbours -----------------------------------------------------------------------------------


def _neighbours(info: DatasetInfo, row: int) -> None:
    """Draw the chosen image and the nearest of its given and of its suggested class."""
    near = nearby.neighbours(info, row)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="near_row"):
        st.markdown("**Neighbours**", width="stretch")
        if st.button("Open in Review", icon=":material/rate_review:", key="explore_open"):
            _ui.go("review", dataset=info.name, id=str(near["chosen"]["id"]))
        st.button("", icon=":material/close:", help="Close", key="explore_close", on_click=_close)
    chosen = near["chosen"]
    titles = {"given": "as given, nearest", "suggested": "as suggested, nearest"}
    if not near["alike"]:
        titles = {"given": "as given", "suggested": "as suggested"}
    picked = neighbours(
        f"explore-near-{info.id}",
        {
            "thumb": _urls.image_url(info.id, info.version, "thumb"),
            "chosen": chosen,
            "words": _chosen_words(chosen),
            "groups": [
                group
                | {
                    "title": titles[group["is"]],
                    "images": [
                        {
                            "row": image["row"],
                            "sentence": sentence(image),
                            "odd": image["verdict"] not in (None, "keep") or image["split"],
                        }
                        for image in group["images"]
                    ],
                }
                for group in near["groups"]
            ],
        },
    )
    if picked is not None and 0 <= picked < info.n and picked != row:
        st.session_state["explore_chosen"].update(row=picked, set=info.id)
        st.session_state["explore_go"] = {"id": f"{row}-{picked}", "row": picked}
        st.rerun(scope="fragment")


def _close() -> None:
    st.session_state.get("explore_chosen", {}).pop("set", None)


def _chosen_words(chosen: Mapping[str, Any]) -> str:
    verdict = _SAID.get(chosen["verdict"], "no answer yet")
    if chosen["split"]:
        verdict = "reviewers differ"
    elif chosen["waiting"]:
        verdict = "waits for a second reviewer"
    if chosen["told"]:
        return f"No score: a run was told the answer, {verdict}."
    if chosen["p_wrong"] is None:
        return f"Not scored yet, {verdict}."
    return f"p wrong {chance(chosen['p_wrong'])}, {verdict}."


_SAID = {
    "keep": "label kept",
    "relabel": "relabelled",
    "multiple": "several classes",
    "none": "none fits",
}


__all__ = ["body", "controls"]
