"""What the components get."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, field
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lnl_core.services import methods
from lnl_core.services.review import blind, looks
from lnl_core.services.review.desk import ReviewState, page_states, to_label
from lnl_core.services.review.filtering import Filters
from lnl_core.services.team.waiting import waiting
from lnl_core.types import DatasetInfo, Leaves
from pages import _ui
from pages._review import accepting
from pages._review.answers import ANEW, ASKED


@dataclass(frozen=True, slots=True)
class Choice:
    """What the person chose in the title row, and where it says how many images match."""

    order: str
    view: str
    mode: str
    filters: Filters
    matches: DeltaGenerator = field(compare=False)

    @property
    def is_blind(self) -> bool:
        """Whether no label that an image came with is to be seen."""
        return self.mode == blind.BLIND or self.filters.second

    @property
    def filtered(self) -> bool:
        """Whether any filter is set."""
        return self.filters != Filters()


def single(
    info: DatasetInfo,
    choice: Choice,
    state: ReviewState,
    marked: list[int],
    hidden: Iterable[int] = (),
    focus: Iterable[int] = (),
    left: Iterable[int] = (),
) -> dict[str, Any]:
    """Return single mode's data. In commit-first mode it holds nothing that a model thinks.

    In the mode Blind it does not hold the given labels either.
    """
    gone = set(hidden)
    classes = {
        item["given"]: {key: item[key] for key in ("exemplars", "confirmed", "guide")}
        for item in reversed(state.items)
        if not (choice.is_blind or item.get("blind"))
    }
    items = [_shown(each, choice) for each in state.items if each["row"] not in gone]
    return {
        "view": view_of(info, choice, marked),
        "left": sorted(left),
        "narrow": json.dumps(astuple(choice.filters)),
        "focus": list(focus),
        "asked": st.session_state.get(ASKED),
        "mode": choice.mode,
        "items": items,
        **_labelling(info, choice),
        **_ends(info, items),
        "classes_shown": classes,
        "recent": [
            blind.answered(each) if choice.is_blind else _slim(each) for each in state.recent
        ],
        "progress": state.progress.as_dict(),
        "held": state.held,
        "looks": looks.share(info) > 0 and not choice.filtered and not marked,
        "methods": {
            method.key: {"name": methods.short_title(method.key), "baseline": method.baseline}
            for method in methods.every()
        },
        "comes_with": {
            str(what): " or ".join(methods.that_leave(what))
            for what in (Leaves.CURVES, Leaves.NEIGHBOURS, Leaves.MAPS)
        },
        "marked": marked,
    }


def view_of(info: DatasetInfo, choice: Choice, marked: Sequence[int] = ()) -> str:
    """Return what a queue in the browser is of: another one begins anew there."""
    narrow = astuple(choice.filters)
    return json.dumps([info.id, choice.order, narrow, list(marked), choice.is_blind, _anew()])


def _anew() -> int:
    return int(st.session_state.get(ANEW, 0))


def _ends(info: DatasetInfo, items: Sequence[object]) -> dict[str, Any]:
    """Return what is still open elsewhere, once nothing more comes here; else nothing."""
    if items:
        return {}
    return {"ends": asdict(waiting(info, _ui.reviewer())) | {"accepts": accepting.offers(info)}}


def _labelling(info: DatasetInfo, choice: Choice) -> dict[str, Any]:
    """Return how far the labelling of what came without a class is; nothing where all had one."""
    if not info.no_classes:
        return {}
    progress = to_label(info)
    counts = {"total": progress.total, "done": progress.done}
    return {"to_label": counts, "labelling": choice.filters.to_label}


def page(info: DatasetInfo, choice: Choice, who: str) -> dict[str, Any]:
    """Return page mode's data: this page and the next, so that turning it does not wait."""
    pages = page_states(info, who, filters=choice.filters, tab=_ui.tab(), count=2)
    return {
        "view": json.dumps([info.id, astuple(choice.filters), _anew()]),
        "pages": [
            {
                "label": page.label,
                "items": [_slim(item) for item in page.items],
                "exemplars": page.exemplars,
                "confirmed": page.confirmed,
            }
            for page in pages
            if page.label is not None
        ],
        "recent": [],
        "advised": choice.filters.suggested is not None,
        **_labelling(info, choice),
        **_ends(info, pages[0].items),
        "progress": pages[0].progress.as_dict(),
        "held": pages[0].held,
    }


def _shown(item: Mapping[str, Any], choice: Choice) -> dict[str, Any]:
    return blind.item(item) if choice.is_blind else _slim(item)


def _slim(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item without what is sent once per class."""
    return {key: item[key] for key in item if key not in ("exemplars", "confirmed", "guide")}
