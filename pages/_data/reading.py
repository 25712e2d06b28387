"""What an import understood, shown before its button: facts, questions as controls, images."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lnl_core.readings import Answers, ClassRead, LeftOut, Question, Reading
from lnl_core.services import wording
from lnl_core.services.datasets import apart
from lnl_core.services.datasets.incoming import Look
from lnl_core.types import LnlError
from pages import _ui, _words
from pages._ui import plain

_CLASSES = 12
"""Classes that are shown with images; the others are counted."""

_LEFT, _NOTES = 4, 4
_UNPACKED = 300 * 2**20
"""Of larger zips, a sample of the images is unpacked to be looked at."""


def answers_key(kind: str, source: Path) -> str:
    """Return where this browser's answers about a source are kept."""
    return f"answers_{kind}_{source}"


def answers_of(kind: str, source: Path) -> Answers:
    """Return what was answered so far."""
    return Answers.from_json(st.session_state.get(answers_key(kind, source), {}))


def forget() -> None:
    """Look again at the next source, even if it is the last one: its files may have changed."""
    st.session_state.pop("reading", None)


def draw(kind: str, source: Path, root: Path | None, size: int | None) -> Reading | None:
    """Show the reading of a source with its questions; None where nothing can be imported."""
    answers = answers_of(kind, source)
    with st.skeleton(height=90):
        told = st.empty()
        try:
            reading = _read(source, root, size, answers, lambda seconds: _wait(told, seconds))
        except LnlError as error:
            here = wording.asked(answers.to_json())
            st.error(plain(wording.on_page(str(error), here)), icon=":material/error:")
            _answered(kind, source, answers, ())
            return None
    told.empty()
    _headline(reading)
    keys = [question.key for question in reading.questions]
    for question in reading.questions:
        with st.container(border=question.is_open, gap="xsmall", key=f"question_{question.key}"):
            _ask(kind, source, question)
    _answered(kind, source, answers, keys)
    _classes(reading)
    _left_out(reading)
    return reading


def _wait(place: DeltaGenerator, seconds: float) -> None:
    """Say that somebody looks; each call also ends the looking where the person has gone on."""
    place.caption(f"Looking at the files, {_words.about(seconds)}" if seconds > 1 else " ")


def _read(
    source: Path,
    root: Path | None,
    size: int | None,
    answers: Answers,
    waiting: Callable[[float], None],
) -> Reading:
    """Read a source, once as long as nothing that matters has changed."""
    key = (str(source), str(root), size, answers, source.stat().st_mtime_ns)
    kept = st.session_state.get("reading")
    if kept is None or kept[0] != key:
        reading = apart.read(
            Look(
                source, root=root, size=size, answers=answers, pictures=True, unpack_up_to=_UNPACKED
            ),
            waiting=waiting,
        )
        kept = st.session_state["reading"] = (key, reading)
    found: Reading = kept[1]
    return found


# Facts ----------------------------------------------------------------------------------------


def _headline(reading: Reading) -> None:
    words = [f"Recognised: {_ui.KINDS.get(reading.kind, reading.kind)}"]
    if reading.n is not None:
        about = "" if reading.exact else "about "
        words.append(about + _words.plural(reading.n, "image"))
    if reading.classes:
        words.append(_words.plural(len(reading.classes), "class", "classes"))
    if reading.width and reading.height:
        words.append(f"kept at {reading.width} × {reading.height} px")
    line = ", ".join(words) + "."
    if reading.open_questions:
        asked = _words.plural(len(reading.open_questions), "question")
        st.warning(f"{line} **Answer {asked} first.**", icon=":material/help:")
    else:
        st.success(line, icon=":material/check:")
    facts = []
    if reading.files:
        facts.append(f"Read: {', '.join(map(_short, reading.files[:4]))}")
    if reading.columns:
        pairs = (f"{key} = {_short(name)}" for key, name in reading.columns.items() if name != key)
        facts += [", ".join(pairs)]
    if reading.splits:
        parts = (f"{_short(name)} {_words.count(n)}" for name, n in reading.splits.items())
        facts.append(f"Splits: {', '.join(parts)}")
    if any(facts):
        st.caption(" · ".join(filter(None, facts)))


def _short(text: str) -> str:
    return plain(_ui.short(text, 40))


def _left_out(reading: Reading) -> None:
    here = wording.asked(question.key for question in reading.questions)
    for left in reading.left_out[:_LEFT]:
        st.caption(f":material/block: {_left(left, here)}")
    notes = [note for note in reading.notes if not _is_asked(note, reading)]
    for note in notes[:_NOTES]:
        st.warning(plain(wording.on_page(note, here)), icon=":material/warning:")
    if len(notes) > _NOTES:
        st.caption(f"And {_words.plural(len(notes) - _NOTES, 'note')} more, in the import report.")


def _left(left: LeftOut, here: Mapping[str, str]) -> str:
    first = f", first {_short(left.first)}" if left.first else ""
    remedy = wording.on_page(left.remedy, here)
    return f"Left out: {left.counted}{first}. {plain(left.reason)} {plain(remedy)}"


def _is_asked(note: str, reading: Reading) -> bool:
    """Tell whether a note says what a question or the line of splits says on the same page."""
    if reading.splits and note.startswith("Read together"):
        return True
    return any(note.startswith(question.text) for question in reading.questions)


def _classes(reading: Reading) -> None:
    if not reading.classes:
        return
    shown = reading.classes[:_CLASSES]
    with st.grid(2, min_column_width=220, gap="xsmall", key="reading_classes"):
        for each in shown:
            _class(each)
    if len(reading.classes) > len(shown):
        names = ", ".join(_short(each.name) for each in reading.classes[len(shown) : 40])
        more = len(reading.classes) - len(shown)
        st.caption(f"And {_words.count(more)} more: {names}{' …' if more > 28 else ''}")


def _class(each: ClassRead) -> None:
    pictures: list[Any] = [e.picture for e in each.examples if e.picture is not None]
    with st.container(horizontal=True, gap="xsmall", wrap=False, vertical_alignment="center"):
        name = plain(_ui.short_name(each.name))
        none = " :gray[no class]" if each.no_class else ""
        number = f"  \n:gray[:small[{_words.count(each.count)}]]" if each.count else ""
        st.markdown(f"**{name}**{none}{number}", width=110)
        for picture in pictures[:4]:
            st.image(picture, width=36)


# Questions ------------------------------------------------------------------------------------


def _ask(kind: str, source: Path, question: Question) -> None:
    """Draw one question; an answer is applied in the run that it starts."""
    key = f"answer_{question.key}_{kind}_{source}"
    icon = ":material/help: " if question.is_open else ""
    values = [choice.value for choice in question.choices]
    said = {choice.value: choice.words for choice in question.choices}
    words = {value: plain(each) for value, each in said.items()}
    kept = st.session_state.get(answers_key(kind, source), {}).get(question.key)
    options: dict[str, Any] = {
        "key": key,
        "on_change": _keep,
        "args": (kind, source, question.key, key),
    }
    label = f"{icon}{plain(question.text)}"
    if question.several:
        st.pills(
            label,
            values,
            selection_mode="multi",
            default=[value for value in kept or () if value in values],
            format_func=lambda value: plain(_ui.short(value)),
            **options,
        )
    elif len(values) == 1:
        st.markdown(label)
        st.checkbox(words[values[0]].capitalize(), value=kept == values[0], **options)
        st.session_state[f"{key}_value"] = values[0]
    elif len(values) <= 4 and (
        not question.is_open or question.key not in ("image_column", "label_column")
    ):
        at = (
            values.index(kept or question.default) if (kept or question.default) in values else None
        )
        st.radio(label, values, index=at, format_func=words.__getitem__, **options)
    else:
        at = values.index(kept) if kept in values else None
        st.selectbox(
            label,
            values,
            index=at,
            format_func=lambda value: f"{_ui.short(value, 40)}: {said[value]}",
            placeholder="Choose a column" if "column" in question.key else "Choose",
            **options,
        )
    if question.details:
        st.caption("  \n".join(plain(detail) for detail in question.details[:6]))


def _keep(kind: str, source: Path, key: str, widget: str) -> None:
    """Remember an answer, as a callback, where it outlives its control."""
    said: Any = st.session_state[widget]
    if said is True:
        said = st.session_state[f"{widget}_value"]
    store = dict(st.session_state.get(answers_key(kind, source), {}))
    if said:
        store[key] = list(said) if isinstance(said, list | tuple) else str(said)
    else:
        store.pop(key, None)
    st.session_state[answers_key(kind, source)] = store


def _answered(kind: str, source: Path, answers: Answers, asked: Any) -> None:
    """List the answers whose question is no longer asked, each with a way back."""
    for key, value in answers.to_json().items():
        if key in asked:
            continue
        shown = ", ".join(value) if isinstance(value, list | tuple) else str(value)
        st.button(
            f"{wording.about(key).capitalize()}: {plain(_ui.short(shown, 40))}",
            icon=":material/undo:",
            type="tertiary",
            key=f"back_{key}_{kind}_{source}",
            on_click=_take_back,
            args=(kind, source, key),
        )


def _take_back(kind: str, source: Path, key: str) -> None:
    store = dict(st.session_state.get(answers_key(kind, source), {}))
    store.pop(key, None)
    st.session_state[answers_key(kind, source)] = store
