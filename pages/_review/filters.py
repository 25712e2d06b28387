"""The filters of the queue: all in one popover, all in the address, some under a name."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lnl_core.services.explore import selections
from lnl_core.services.review.desk import to_label
from lnl_core.services.review.filtering import Filters, matching, unnarrowed
from lnl_core.services.review.new_classes import never_given, retired
from lnl_core.services.review.saved import Saved
from lnl_core.types import DatasetInfo
from pages import _ui
from pages._review import addressed, chance, copies, kept, misread, named, narrowing, splits
from pages._words import count, plural, short_name

_ADDRESS = {"review_given": "given", "review_suggested": "suggested"}
"""Filters that a link can carry: the widget's key -> its name in the address."""

_FLAGS = {"review_again": "again", "review_to_label": "to_label"}
"""Boxes that a link can tick."""

_OPEN, _SAID = "review_filters_open", "review_filters_said"
"""Whether the popover is open, and what its button said then."""

_FILTER_KEYS = (
    "review_given",
    "review_suggested",
    "review_again",
    "review_to_label",
    copies.KEY,
    splits.KEY,
    *narrowing.KEYS,
)


def forget_widgets() -> None:
    """Take the filters away from the widgets: they are of another set."""
    for key in _FILTER_KEYS:
        st.session_state.pop(key, None)


def forget() -> None:
    """Take all filters away, from the widgets and from the address."""
    forget_widgets()
    for name in (
        *_ADDRESS.values(),
        *_FLAGS.values(),
        "selection",
        narrowing.CHOSEN_BY,
        copies.NAME,
        splits.NAME,
        *narrowing.NAMES,
    ):
        st.query_params.pop(name, None)


def _fits(one: Saved) -> bool:
    """Tell whether the queue has all parts of a filter, and none tells what the mode hides."""
    verdict, chances = (one.query.get(part, [""])[0] for part in ("verdict", chance.NAME))
    there = verdict in ("", *narrowing.VERDICTS)
    there &= not chances or chance.ends_of(chances) is not None
    hides = narrowing.hides_labels() and {"given", "path", "selection"} & set(one.query)
    return one.one_each and there and not hides


def from_address(info: DatasetInfo) -> None:
    """Set the filters that a link carries; none that tells the suggestion before the answer."""
    narrowing.guard_suggestion(info)
    narrowing.guard_label()
    _classes_from_address(info)
    narrowing.from_address(info)
    copies.from_address(info)
    splits.from_address(info)


def _publish() -> None:
    """Write what is in force into the address: a filter stays while another page is open."""
    for key in _ADDRESS:
        _to_address(key)
    for key in _FLAGS:
        _flag_to_address(key)
    for key, name in (
        *narrowing.PARTS,
        (copies.KEY, copies.NAME),
        (splits.KEY, splits.NAME),
    ):
        addressed.publish(key, name)
    chance.publish(narrowing.CHANCE)


def _classes_from_address(info: DatasetInfo) -> None:
    """Set the class filters that a link carries; the address is the truth where it says one."""
    for key, name in _ADDRESS.items():
        asked = st.query_params.get(name)
        if asked is None:
            continue
        if asked.isdecimal() and int(asked) < info.class_count:
            st.session_state[key] = int(asked)
        else:
            del st.query_params[name]
            misread.note("class", asked)
    if not info.no_classes:
        if st.query_params.pop("to_label", None) is not None:
            misread.note("images to be labelled", "to_label")
        st.session_state.pop("review_to_label", None)
    elif "to_label" in st.query_params:
        st.session_state["review_to_label"] = True
    if "again" in st.query_params:
        st.session_state["review_again"] = True


def _to_address(key: str) -> None:
    """Keep the address in step with a class filter, so that it can be shared as it stands."""
    label = st.session_state.get(key)
    if label is None:
        st.query_params.pop(_ADDRESS[key], None)
    else:
        st.query_params[_ADDRESS[key]] = str(label)


def _flag_to_address(key: str) -> None:
    """Keep the address in step with a box that is ticked or not."""
    if st.session_state.get(key):
        st.query_params[_FLAGS[key]] = "1"
    else:
        st.query_params.pop(_FLAGS[key], None)


def _selection(info: DatasetInfo) -> tuple[str | None, int]:
    """Return the selection that the address names (`?selection=`), and its images."""
    name = st.query_params.get("selection")
    if name is None:
        return None, 0
    rows = selections.selection_rows(info, name)
    if not len(rows):
        del st.query_params["selection"]
        misread.note("selection", name)
        return None, 0
    return name, len(rows)


def _forget_selection() -> None:
    for name in ("selection", narrowing.CHOSEN_BY):
        st.query_params.pop(name, None)


def _offered(info: DatasetInfo, key: str, not_these: Iterable[int]) -> list[int]:
    """Return the classes that a filter offers; one that a link chose is among them."""
    out = set(not_these) - {st.session_state.get(key)}
    return [label for label in range(info.class_count) if label not in out]


def _button(info: DatasetInfo, images: int) -> tuple[str, str | None]:
    """Return label and tooltip of the button: as they were while its popover is open.

    With other words it would be another popover for Streamlit, and that one is shut.
    """
    if not st.session_state.get(_OPEN) or _SAID not in st.session_state:
        active = named.in_force(info, images)
        st.session_state[_SAID] = named.label(active), named.whole(active)
    said: tuple[str, str | None] = st.session_state[_SAID]
    return said


def choose(info: DatasetInfo) -> tuple[Filters, DeltaGenerator]:
    """Draw the button with the filters; return those in force, and the place for `tell`."""
    selection, images = _selection(info)
    button, tooltip = _button(info, images)
    given_to = _offered(info, "review_given", never_given(info))
    likely = _offered(info, "review_suggested", (*info.no_classes, *retired(info)))
    with (
        st.popover(
            button,
            icon=":material/filter_list:",
            width="content",
            help=tooltip,
            key=_OPEN,
            on_change="rerun",  # the counts are those of the moment at which they are looked at
        ),
        st.container(gap="xsmall", key="review_filters"),
    ):
        matches = st.empty()
        given, suggested = (
            column.selectbox(
                title,
                choices,
                index=None,
                format_func=lambda label: short_name(info.class_names[label], 40),
                placeholder="Any",
                key=key,
                persist_state="session",
                on_change=_to_address,
                args=(key,),
                disabled=why is not None,
                help=why,
            )
            for column, (title, key, choices, why) in zip(
                st.columns(2),
                (
                    (
                        "Given class",
                        "review_given",
                        given_to,
                        narrowing.WHY_NO_LABEL if narrowing.hides_labels() else None,
                    ),
                    (
                        "Suggested class",
                        "review_suggested",
                        likely,
                        None if narrowing.advises() else narrowing.WHY_NOT,
                    ),
                ),
                strict=True,
            )
        )
        narrowed = narrowing.choose(info)
        copied, split = _stored(info)
        with st.container(horizontal=True, gap="medium"):
            again, labelling = _boxes(info)
        if selection is not None:
            st.button(
                f"Leave the selection of {plural(images, 'image')}",
                icon=":material/close:",
                on_click=_forget_selection,
                key="review_leave_selection",
            )
        _publish()
        kept.draw(info, "review", forget, _fits)
    chosen = Filters(
        given=given,
        suggested=suggested,
        method=narrowed.method,
        chance=narrowed.chance,
        verdict=narrowed.verdict,
        who=narrowed.who,
        path=narrowed.path,
        include_reviewed=again,
        selection=selection,
        to_label=labelling,
        copies=copied,
        split=split,
        second=selection is not None and narrowing.asks_second(),
    )
    return chosen, matches


def _stored(info: DatasetInfo) -> tuple[str | None, str | None]:
    """Draw the filters for copies and splits, where there are any, and return what is chosen."""
    both = copies.kinds(info) and splits.names(info)
    left, right = st.columns(2) if both else (st.container(), st.container())
    with left:
        copied = copies.choose(info)
    with right:
        split = splits.choose(info)
    return copied, split


def _boxes(info: DatasetInfo) -> tuple[bool, bool]:
    """Draw the boxes; return whether answered images are wanted, and those without a class."""
    again = st.checkbox(
        "Also images with an answer",
        key="review_again",
        persist_state="session",
        on_change=_flag_to_address,
        args=("review_again",),
    )
    labelling = bool(info.no_classes) and st.checkbox(
        f"To be labelled ({count(to_label(info).left)})",
        key="review_to_label",
        persist_state="session",
        on_change=_flag_to_address,
        args=("review_to_label",),
        help="Images whose label says that nobody labelled them. No other queue holds them.",
    )
    return again, labelling


def tell(info: DatasetInfo, chosen: Filters, place: DeltaGenerator) -> None:
    """Say how many images match: by whoever draws the queue, for every answer changes it."""
    place.markdown(_matches(info, chosen))


def _matches(info: DatasetInfo, chosen: Filters) -> str:
    """Say how many images the queue holds as it is narrowed, beside what it holds unnarrowed."""
    who = _ui.reviewer()
    found = matching(info, who, chosen)
    images = "image" if found == 1 else "images"
    if chosen == Filters():
        return f"**{count(found)}** open {images}. A choice applies at once."
    whole = ""
    if not chosen.answered:
        whole = f" of {count(matching(info, who, unnarrowed(info, chosen)))} open"
    return f"**{count(found)}**{whole} {images} {'matches' if found == 1 else 'match'}."
