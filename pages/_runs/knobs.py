"""A form built from a method's Config: one control per knob, its help from the field's metadata."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import Any

import streamlit as st

from lnl_core.services import methods
from lnl_core.types import DatasetInfo, LnlError
from pages import _ui
from pages._ui import plain


def overrides(info: DatasetInfo, preset: str) -> dict[str, dict[str, Any]]:
    """Return method -> knob -> value, as changed in this session for this set and preset."""
    store: dict[tuple[int, str], dict[str, dict[str, Any]]] = st.session_state.setdefault(
        "knobs", {}
    )
    return store.setdefault((info.id, preset), {})


def open_drawer(info: DatasetInfo, key: str, preset: str) -> None:
    """Open the drawer with every knob of one method."""
    method = methods.method(key)
    drawer = _ui.dialog(
        plain(methods.title(key)), position="right", width=440, icon=":material/tune:"
    )
    drawer(_body)(info, method.key, preset)


def _body(info: DatasetInfo, key: str, preset: str) -> None:
    method = methods.method(key)
    st.caption(f"{plain(method.explanation or method.summary)}  \n{plain(method.reference)}")
    usual = methods.knob_values(info, key, preset, {})
    paper = dataclasses.asdict(method.config())
    changed = dict(overrides(info, preset).get(key, {}))
    st.caption(f"Preset: {preset}. Where the paper's value differs, it stands in brackets.")
    hints = typing.get_type_hints(method.config)
    version = st.session_state.get("knobs_version", 0)
    drafts = st.session_state.setdefault("knob_drafts", {})
    # What a search hides is drawn by nobody, and keeps its value all the same.
    draft, widget = (info.id, key, preset, version), f"knob_{info.id}_{key}_{preset}_{version}"
    start = _over(info, key, preset, usual, changed.get("epochs"))
    values: dict[str, Any]
    values, before = drafts.setdefault(draft, (start | changed, start))
    epochs = st.session_state.get(f"{widget}_epochs") or values.get("epochs")
    base = _over(info, key, preset, usual, epochs)
    values |= {name: base[name] for name, value in before.items() if values[name] == value}
    drafts[draft] = values, base
    idle = methods.idle_knobs(info, key, preset, changed)
    search = st.text_input(
        "Search the knobs",
        placeholder="rate, epochs, mirror …",
        icon=":material/search:",
        label_visibility="collapsed",
        live=True,
        key="knobs_search",
    )
    groups = methods.grouped_knobs(method.config, search)
    for place, (title, fields) in enumerate(groups.items()):
        usable = [field for field in fields if field.name not in idle]
        if not usable:
            continue
        moved = sum(values[field.name] != base[field.name] for field in usable)
        label = f"{title} ({moved} changed)" if moved else title
        shown = bool(search) or place == 0
        with st.expander(label, expanded=shown, key=f"knobs_{title}_{bool(search)}"):
            for field in usable:
                values[field.name] = _control(
                    field,
                    hints[field.name],
                    values[field.name],
                    paper[field.name],
                    key=_widget(widget, field.name, base, usual),
                )
    if not groups:
        st.caption(f"No knob is about “{plain(search)}”.")
    st.space("small")
    with st.container(horizontal=True, key="knobs_foot"):
        if st.button("Use these", type="primary", key="knobs_use"):
            _store(info, key, preset, base, values)
            st.rerun()
        if st.button("Reset", icon=":material/restart_alt:", key="knobs_reset"):
            overrides(info, preset).pop(key, None)
            st.session_state["knobs_version"] = version + 1
            st.rerun(scope="fragment")


def _over(
    info: DatasetInfo, key: str, preset: str, usual: dict[str, Any], epochs: Any
) -> dict[str, Any]:
    """Return a preset's values for a run of so many epochs, beside which it says its own."""
    if not epochs or epochs == usual.get("epochs"):
        return usual
    try:
        changed = methods.knob_values(info, key, preset, {"epochs": epochs})
    except LnlError:  # it is told when they are used
        return usual
    return changed | {"epochs": usual["epochs"]}


def _widget(prefix: str, name: str, base: Mapping[str, Any], usual: Mapping[str, Any]) -> str:
    """Return a control's key: another one where what stands in it follows the epochs."""
    follows = "" if base[name] == usual[name] else f"_{base[name]}"
    return f"{prefix}_{name}{follows}"


def _store(
    info: DatasetInfo, key: str, preset: str, base: Mapping[str, Any], values: Mapping[str, Any]
) -> None:
    """Keep what differs from the preset; the queue checks it as it would at the start."""
    different = {name: value for name, value in values.items() if value != base[name]}
    methods.knob_values(info, key, preset, different)
    if different:
        overrides(info, preset)[key] = different
    else:
        overrides(info, preset).pop(key, None)


def _choices(hint: Any, metadata: Mapping[str, Any]) -> list[Any] | None:
    if "choices" in metadata:
        return list(metadata["choices"])
    if typing.get_origin(hint) is typing.Literal:
        return list(typing.get_args(hint))
    return None


def _kind(hint: Any) -> Any:
    """Return the simple type of a hint, `int | None` counted as int."""
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        return next(each for each in typing.get_args(hint) if each is not type(None))
    return hint


def _control(field: dataclasses.Field[Any], hint: Any, value: Any, paper: Any, *, key: str) -> Any:
    """Draw the control that fits a knob's type and return its value."""
    label = field.name.replace("_", " ")
    if paper != value and not isinstance(paper, bool):
        label += f" ({paper:g})" if isinstance(paper, float) else f" ({paper})"
    help_text = plain(field.metadata.get("help", "")) or None
    choices = _choices(hint, field.metadata)
    if choices is not None:
        return st.selectbox(
            label,
            choices,
            index=choices.index(value) if value in choices else 0,
            key=key,
            help=help_text,
        )
    kind = _kind(hint)
    if kind is bool:
        return st.toggle(label, value=bool(value), key=key, help=help_text)
    if kind is int:
        typed = st.number_input(label, value=value, step=1, key=key, help=help_text)
        return None if typed is None else int(typed)
    if kind is float:
        return _number(label, value, key=key, help_text=help_text)
    return st.text_input(label, value=str(value), key=key, help=help_text)


def _number(label: str, value: float | None, *, key: str, help_text: str | None) -> float | None:
    """Ask for a float as text: rates such as 0.0005 need no step and no fixed decimals."""
    start = "" if value is None else f"{value:.10g}"
    text = st.text_input(label, value=start, key=key, help=help_text)
    if not text.strip():
        return None
    try:
        typed = float(text.replace(",", "."))
    except ValueError as error:
        raise LnlError(f"“{text}” is no number. Write it as 0.05 or 5e-2.") from error
    return value if value is not None and text == start else typed
