"""The review page's parts: its controls, and the fragment between browser and store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from lnl_core.services.in_force import loaded, scored
from lnl_core.services.review import blind
from lnl_core.services.review.desk import review_state
from lnl_core.services.review.evidence import prepare
from lnl_core.services.review.filtering import WAITS, Filters
from lnl_core.services.review.holding import elsewhere
from lnl_core.services.review.new_classes import retired
from lnl_core.services.review.progress import ready
from lnl_core.services.runs import renewing
from lnl_core.services.workspace import dataset_by_id
from lnl_core.types import DatasetInfo
from pages import _goal, _ui, _urls
from pages._components.page_grid import page_grid
from pages._components.review_queue import review_queue
from pages._review import accepting, answers, filters, misread, narrowing, scoring, sending, unseen
from pages._review.sending import Choice
from pages._ui import plain

ORDERS = {
    "suspicious": "Most suspicious first",
    "pair": "One class pair at a time",
    "diverse": "A varied selection",
    "random": "In random order",
}
VIEWS = {"single": "Single", "page": "Page"}
MODES = {"commit": "Commit first", "assisted": "Assisted", blind.BLIND: "Blind"}
WINDOW = 36
"""Items sent ahead; at one answer each 50 ms they last longer than a round trip.

Not more: they are nobody else's meanwhile, and the first ones are those that are worth most.
"""


# Controls -------------------------------------------------------------------------------------


def controls(info: DatasetInfo) -> Choice:
    """Draw the title row and return what is chosen."""
    asked = st.query_params.get("mode")
    if asked == blind.BLIND:  # a page that is loaded anew hides labels, too
        st.session_state.setdefault("review_mode", blind.BLIND)
    elif asked is not None and asked not in MODES:
        misread.note("mode", asked)
    check = accepting.prepare()
    kept = st.session_state.pop("review_view_next", None) or st.session_state.get("review_view")
    if kept not in VIEWS:
        kept = st.session_state.get("review_view_kept", "single")
    st.session_state["review_view"] = st.session_state["review_view_kept"] = kept
    if st.session_state.pop("review_sent", False) | _other_set(info):
        filters.forget_widgets()
    if st.session_state.pop("review_clear", False):
        filters.forget()
    if st.session_state.pop("review_waits", False):
        st.query_params[narrowing.VERDICT[1]] = WAITS
        answers.ask_anew(_key("single", info, _ui.reviewer()))
    if check is not None:
        st.query_params["selection"] = check
    filters.from_address(info)
    hidden = narrowing.hides_labels()
    if hidden or st.session_state.get("review_to_label"):
        st.session_state["review_view"] = "single"  # a page asks which are not of a class
    row = _ui.title_row("Review")
    with row:
        orders = [each for each in ORDERS if not (hidden and each == "pair")]
        if st.session_state.get("review_order") not in (None, *orders):
            st.session_state["review_order"] = orders[0]
        order = st.selectbox(
            "Order",
            orders,
            format_func=ORDERS.__getitem__,
            key="review_order",
            label_visibility="collapsed",
            width=190,
            persist_state="session",
        )
        chosen_filters, matches = filters.choose(info)
        chosen = st.segmented_control(
            "View",
            list(VIEWS),
            format_func=VIEWS.__getitem__,
            required=True,
            key="review_view",
            label_visibility="collapsed",
            width="content",
            disabled=hidden,
        )
        mode = st.selectbox(
            "Mode",
            list(MODES),
            format_func=MODES.__getitem__,
            key="review_mode",
            label_visibility="collapsed",
            width=134,
            persist_state="session",
        )
        accepting.button(info, chosen_filters)
    if mode == blind.BLIND:
        st.query_params["mode"] = mode
    else:
        st.query_params.pop("mode", None)
    answers.note_unknown(info)
    picked = Choice(
        order or "suspicious", chosen or "single", mode or "commit", chosen_filters, matches
    )
    misread.draw(
        (info.id, picked.filters, picked.mode),
        "The rest of it is in force." if picked.filtered else "The whole queue is shown.",
    )
    return picked


def _other_set(info: DatasetInfo) -> bool:
    """Tell whether the page showed another set before: its classes are not this one's."""
    before = st.session_state.get("review_set")
    st.session_state["review_set"] = info.id
    return before is not None and before != info.id


# The desk -------------------------------------------------------------------------------------


def desk(info: DatasetInfo, choice: Choice) -> None:
    """Draw the queue or the page; where nothing is scored yet, say so."""
    if scored(info) is None:
        filters.tell(info, choice.filters, choice.matches)
        scoring.draw(info)
        return
    if renewing.is_outdated(info):
        _offer_anew(info)
    accepting.watch(info)
    if st.session_state.pop("review_goal", False):
        _goal.dialog(info)
    _fragment(info, choice)
    scoring.watch(info)


def _offer_anew(info: DatasetInfo) -> None:
    """Say that an earlier version made the ranking, and make it anew on one press."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="outdated"):
        underway, why = renewing.is_underway(info), renewing.failure(info)
        st.caption(
            f"It could not be made anew: {plain(why)}" if why else renewing.WORDS, width="stretch"
        )
        if st.button("Rank anew", key="rank_anew", disabled=underway, help="A few seconds"):
            renewing.renew(info)
            st.rerun()
        if underway:
            st.fragment(_await_anew, run_every=1)(info)


def _await_anew(info: DatasetInfo) -> None:
    if not renewing.is_underway(info):
        st.rerun()


@st.fragment
@_ui.guarded
def _fragment(info: DatasetInfo, choice: Choice) -> None:
    """Store what the browser sends, acknowledge it, and say what comes next.

    A fragment runs with the set of the last run of the whole page: it may have got images or
    classes since, or another name.
    """
    info = dataset_by_id(info.workspace, info.id)
    who = _ui.reviewer()
    keys = {view: _key(view, info, who) for view in VIEWS}
    acked = [cid for key in keys.values() for cid in answers.store(info, who, key)]
    if acked:  # an answer may have added a class
        info = dataset_by_id(info.workspace, info.id)
    else:
        ready(info)  # whoever opens the page is told the last numbers; who answers, soon
    filters.tell(info, choice.filters, choice.matches)
    shared = {
        # the moment of the import too: another workspace on this port has a set 1 as well
        "journal": f"lnl:{info.id}:{info.created_at}:{who}",
        "reviewer": who,
        "classes": list(info.class_names),
        "imported": info.imported_classes,
        "acked": acked,
        "meanwhile": [
            each
            for key in keys.values()
            for each in answers.meanwhile(key)
            if not (choice.is_blind and "given" in each)
        ],
        "filtered": choice.filtered,
        "no_classes": list(info.no_classes),
        "retired": list(retired(info)),
        "urls": {
            "image": _urls.image_url(info.id, info.version, "full"),
            "original": _urls.image_url(info.id, info.version, "original"),
            "thumb": _urls.image_url(info.id, info.version, "thumb"),
            "evidence": _urls.evidence_url(info.id),
            "advised": _urls.advised_url(info.id),
            "maps": _urls.maps_url(info.id),
        },
    }
    if choice.view == "page":
        follow = answers.follow_up(info, keys["page"])
        if follow:
            only = Filters(rows=tuple(follow))
            focus = answers.focus_of(info)
            state = review_state(info, who, filters=only, focus=focus, tab=_ui.tab())
            if state.items:
                data = shared | sending.single(info, choice, state, follow, focus=focus)
                _ahead(info, data)
                _go(info, review_queue(keys["single"], data))
                return
        data = shared | sending.page(info, choice, who)
        _go(info, page_grid(keys["page"], data))
        if data["held"] and not data["pages"]:
            _wait_for_others(info, who)
        return
    again = answers.answered_under(keys["single"], choice.filters)
    again = again if choice.filters.answered else set()
    left = answers.left_as_it_was(info, keys["single"], sending.view_of(info, choice))
    focus = answers.focus_of(info)
    state = review_state(
        info,
        who,
        order=choice.order,
        filters=choice.filters,
        focus=focus,
        passed=again | left,
        limit=WINDOW,
        tab=_ui.tab(),
    )
    data = shared | sending.single(info, choice, state, [], again, focus, left)
    if not choice.is_blind:
        _ahead(info, data)
    _go(info, review_queue(keys["single"], data))
    if data["held"] and not data["items"]:
        _wait_for_others(info, who)


def _key(view: str, info: DatasetInfo, who: str) -> str:
    """Return the key of a component; what its browser sends lies under it."""
    return f"review-{view}-{info.id}-{who}"


def _ahead(info: DatasetInfo, data: Mapping[str, Any]) -> None:
    """Have the evidence on what comes next ready on the server: it is sent when it is asked for."""
    prepare(info, [item["row"] for item in data["items"]])


def _wait_for_others(info: DatasetInfo, who: str) -> None:
    """Look every few seconds whether other reviewers have let go of an image."""
    st.fragment(_look_for_free, run_every=4)(info, who, len(elsewhere(info, who)))


def _look_for_free(info: DatasetInfo, who: str, held: int) -> None:
    if len(elsewhere(info, who)) != held:
        _ui.rerun_page()


def _go(info: DatasetInfo, where: str | None) -> None:
    """Do what the person asked the component for."""
    if where == "export":
        _ui.go("export", dataset=info.name)
    if where == "certificate":
        _ui.go("export", dataset=info.name, certificate="1")
    if where == "team":
        _ui.go("team", dataset=info.name)
    if where == "goal":
        st.session_state["review_goal"] = True
        st.rerun()
    if where == "label":
        st.query_params["to_label"] = "1"
    elif where in ("clear", "waits"):
        st.session_state["review_clear"] = True
        st.session_state["review_waits"] = where == "waits"
        answers.follow_no_more(_key("page", info, _ui.reviewer()))
    elif where in VIEWS:
        st.session_state["review_view_next"] = where
        answers.follow_no_more(_key("page", info, _ui.reviewer()))
    elif where == "back":
        answers.point_at_none()  # the browser is there already: nothing to draw
        return
    elif where is not None and where.startswith("five:") and where[5:].isdecimal():
        row = int(where[5:])
        if row < info.n:
            unseen.allow(info, row)  # who is offered the link has the evidence on the screen
            _ui.go("compare", view="five", dataset=info.name, id=str(loaded(info).ids[row]))
    elif where is not None and where.startswith("row:") and where[4:].isdecimal():
        row = int(where[4:])
        if row < info.n:
            answers.point_at(info, row)
            st.rerun(scope="fragment")  # the whole page could mount the component anew
        return
    elif where is not None and where.startswith("here:") and where[5:].isdecimal():
        answers.come_back(info, _ui.reviewer(), int(where[5:]))
        st.rerun(scope="fragment")
    else:
        return
    st.rerun()
