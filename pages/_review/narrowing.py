"""Filters of the queue that any set has: who called it wrong, how surely, what was answered, path.

And the one rule about them: a filter for the suggested class tells the suggestion, so it goes with
the mode that shows it.
"""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from lnl_core.services import methods
from lnl_core.services.in_force import scored
from lnl_core.services.review.blind import BLIND
from lnl_core.services.review.filtering import WAITS, chance_limits
from lnl_core.services.workspace import reviewers
from lnl_core.types import Action, DatasetInfo
from pages._review import addressed, chance, misread
from pages._words import short

METHOD, VERDICT, WHO, PATH = (
    ("review_method", "by_method"),
    ("review_verdict", "verdict"),
    ("review_who", "by"),
    ("review_path", "path"),
)
"""Widget and part of the address, each."""

CHANCE = ("review_p_low", "review_p_high")
"""Widgets of the range of chances, both in one part of the address (`chance`)."""

PARTS = (METHOD, VERDICT, WHO, PATH)
KEYS = (*CHANCE, *(key for key, _ in PARTS))
NAMES = (chance.NAME, *(name for _, name in PARTS))

VERDICTS = {
    str(Action.KEEP): "Right",
    str(Action.RELABEL): "Relabelled",
    str(Action.MULTIPLE): "Several classes",
    str(Action.NONE): "None fits",
    str(Action.UNSURE): "Unsure",
    str(Action.SKIP): "Skipped",
    WAITS: "Skipped or unsure",
    str(Action.AUTO): "Accepted unseen",
}
_OPENED = "review_selection_told"

LONGEST = 100
"""Letters of a path's part."""

CHOSEN_BY, SUGGESTION = "chosen_by", "suggestion"
"""Part of the address beside a selection that was made by the suggested class."""

SECOND = "second"
"""In the same part: others called these images wrong, and a second answer is asked for."""

WHY_NOT = "It would tell the suggestion before your answer. It is offered in the Assisted mode."


WHY_NO_LABEL = "It would tell the label, which is hidden here."


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What is chosen; None, and a blank path, for any."""

    method: str | None
    chance: tuple[float, float] | None
    verdict: str | None
    who: str | None
    path: str


def from_address(info: DatasetInfo) -> None:
    """Set the filters that a link carries; what the set does not have is noted and dropped."""
    for (key, name), there, what in (
        (METHOD, _methods(info), "method"),
        (VERDICT, VERDICTS, "answer"),
        (WHO, reviewers(info.workspace), "reviewer"),
    ):
        addressed.adopt(key, name, there, what)
    chance.adopt(CHANCE)
    asked = st.query_params.get(PATH[1])
    if asked is not None:
        st.session_state[PATH[0]] = asked[:LONGEST]
        if len(asked) > LONGEST:
            misread.note(f"more than {LONGEST} letters of the path", asked)


def _methods(info: DatasetInfo) -> list[str]:
    ranked = scored(info)
    return [] if ranked is None else list(ranked.run_ids)


def guard_suggestion(info: DatasetInfo) -> None:
    """See that no filter tells the suggestion in a mode that holds it back.

    A link that carries such a filter opens in the Assisted mode, and so its answers are recorded as
    advised; who goes back to Commit first from there loses the filter. Both are said.
    """
    mode, asked = st.session_state.get("review_mode", "commit"), st.query_params.get("suggested")
    told = asked is not None and asked.isdecimal() and int(asked) < info.class_count
    chosen = st.query_params.get(CHOSEN_BY) == SUGGESTION and "selection" in st.query_params
    known = st.session_state.get("review_suggested") is not None
    known |= chosen and st.session_state.get(_OPENED) == st.query_params.get("selection")
    if mode == "assisted" or not (told or known or chosen):
        _note_selection(chosen)
        return
    if (told or chosen) and not known:
        _note_selection(chosen)
        st.session_state["review_mode"] = "assisted"
        st.toast("These images are chosen by their suggestion, so the mode is Assisted.")
        return
    st.session_state.pop("review_suggested", None)
    st.query_params.pop("suggested", None)
    if chosen:
        st.query_params.pop("selection", None)
        st.query_params.pop(CHOSEN_BY, None)
    st.toast("The filter for the suggested class is gone: it would tell the suggestion.")


def _note_selection(chosen: bool) -> None:
    """Keep which selection by suggestion is open: who leaves the mode then leaves it too."""
    st.session_state[_OPENED] = st.query_params.get("selection") if chosen else None


def guard_label() -> None:
    """See that no filter tells the given label where it is hidden."""
    if not hides_labels():
        return
    known = [
        (key, name)
        for key, name in _tells_label()
        if st.session_state.get(key) not in (None, "") or name in st.query_params
    ]
    for key, name in known:
        st.session_state.pop(key, None)
        st.query_params.pop(name, None)
    if known:
        st.toast("Filters for class, path or a selection are gone: they would tell the label.")


def _tells_label() -> tuple[tuple[str, str], ...]:
    """Return widget and part of the address of each filter that tells the label."""
    always = (("review_given", "given"), PATH)
    return always if asks_second() else (*always, (_OPENED, "selection"))


def hides_labels() -> bool:
    """Tell whether the label that an image came with is hidden: by the mode, or what is asked."""
    return st.session_state.get("review_mode") == BLIND or asks_second()


def asks_second() -> bool:
    """Tell whether the address asks for second answers, which are given without the label."""
    return st.query_params.get(CHOSEN_BY) == SECOND and "selection" in st.query_params


def advises() -> bool:
    """Tell whether the mode shows the suggestion before the answer."""
    return st.session_state.get("review_mode") == "assisted"


def choose(info: DatasetInfo) -> Narrowed:
    """Draw the filters and return what is chosen."""
    there, people = _methods(info), reviewers(info.workspace)
    columns = st.columns(2)
    with columns[0]:
        method = _one("Called wrong by", METHOD, {key: methods.title(key) for key in there})
    with columns[1]:
        verdict = _one("Answer", VERDICT, VERDICTS)
    low, high = chance.choose(CHANCE)
    hidden = hides_labels()
    columns = st.columns(2)
    with columns[0]:
        who = _one("Reviewer", WHO, {name: name for name in people})
    path = columns[1].text_input(
        "Text in the path",
        key=PATH[0],
        max_chars=LONGEST,
        placeholder="Any",
        persist_state="session",
        on_change=_publish_path,
        disabled=hidden,
        help=WHY_NO_LABEL if hidden else None,
    )
    return Narrowed(method, chance_limits(low, high), verdict, who, (path or "").strip())


def _one(title: str, part: tuple[str, str], there: dict[str, str]) -> str | None:
    return st.selectbox(
        title,
        list(there),
        index=None,
        format_func=lambda key: short(there.get(key, key), 40),
        placeholder="Any",
        key=part[0],
        persist_state="session",
        on_change=addressed.publish,
        args=part,
    )


def _publish_path() -> None:
    if text := str(st.session_state.get(PATH[0]) or "").strip():
        st.query_params[PATH[1]] = text
    else:
        st.query_params.pop(PATH[1], None)
