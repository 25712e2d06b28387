"""Dialogs of a set that is there: images are added, its originals have moved."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lnl_core.readings import Answers, Reading
from lnl_core.services import wording
from lnl_core.services.datasets import growing, incoming, moving
from lnl_core.services.datasets.growing import Added
from lnl_core.services.datasets.moving import Relinked
from lnl_core.types import DatasetInfo, LnlError
from pages import _ui, _words
from pages._data import reading
from pages._ui import plain

_ROW = 30
_AT_ONCE = 1000
"""Images that are compared with the set without being asked to."""

_NEW = "Labels that this set does not have become classes"


def has_originals(info: DatasetInfo) -> bool:
    """Tell whether the set's originals lie in a folder of the user's."""
    return info.root is not None and Path(info.root).is_absolute()


def more(info: DatasetInfo) -> None:
    """Offer to add images to the set."""
    st.markdown(
        "**More images**  \n:gray[:small[Ids, answers, random checks and runs stay. What is there "
        "already is left out; runs say nothing of the new images until the next one.]]"
    )
    if st.button("Add images…", icon=":material/add_photo_alternate:", key="add_images"):
        _forget()
        title = f"Add images to {_ui.short(info.name, 30)}"
        _ui.dialog(title, width=680, icon=":material/add_photo_alternate:")(_add)(info)


def _forget() -> None:
    """Read and compare again what is chosen next: its files may have changed."""
    reading.forget()
    st.session_state.pop("foreseen", None)


def _add(info: DatasetInfo) -> None:
    st.caption("A folder per class, a list, NPZ arrays or a zip, as at the import.")
    typed = st.text_input(
        "Folder or file on this computer", value=_first(info), key="add_path", live="400ms"
    )
    source = _source(typed)
    if source is None:
        return
    kind = f"add_{info.id}"
    kept = reading.answers_key(kind, source)
    if kept not in st.session_state:  # more of the set is read as the set was
        st.session_state[kept] = growing.as_before(info).to_json()
    seen = reading.draw(kind, source, None, None)
    new_classes = st.checkbox(_NEW, key="add_new")
    ready = seen is not None and not seen.open_questions
    said = reading.answers_of(kind, source)
    compared = st.empty()
    if ready and seen is not None:
        with compared.container():
            _compare(info, source, said, seen, new_classes)
    if not st.button("Add", type="primary", disabled=not ready, key="add_go"):
        return
    bar, report = _bar()
    try:
        told = growing.add_images(
            info, source, new_classes=new_classes, answers=said, report=report
        )
    except LnlError as error:
        words = str(error).replace("give --new-classes", f"tick “{_NEW}”")
        asked = wording.asked(each.key for each in seen.questions) if seen is not None else {}
        st.error(plain(wording.on_page(words, asked)), icon=":material/error:")
        return
    finally:
        bar.empty()
    _forget()
    compared.empty()
    _told(told)


def _first(info: DatasetInfo) -> str:
    """Return what more of the set is likely read from: its list, where that is still there."""
    source = Path(info.source)
    listed = source.is_absolute() and source.is_file() and str(source.parent) == info.root
    return info.source if listed else info.root or ""


def _bar() -> tuple[DeltaGenerator, Callable[[int, int, int], None]]:
    """Draw a bar, and return it with what moves it."""
    bar = st.progress(0.0, text="Reading…")

    def report(done: int, total: int, skipped: int) -> None:
        words = f"{_words.count(done)} of {_words.count(total)} read"
        bar.progress(min(1.0, done / max(total, 1)), text=words)

    return bar, report


def _compare(
    info: DatasetInfo, source: Path, said: Answers, seen: Reading, new_classes: bool
) -> None:
    """Say what would come in: at once where little is read, else when asked; nothing is stored."""
    key = (info.id, info.version, str(source), said, source.stat().st_mtime_ns)
    kept = st.session_state.get("foreseen")
    if kept is None or kept[0] != key:
        small = seen.exact and (seen.n or 0) <= _AT_ONCE
        if not small and not st.button(
            "Compare with the set", icon=":material/difference:", key="add_compare"
        ):
            st.caption("Every image is read for that; nothing is stored.")
            return
        bar, report = _bar()
        try:
            found = growing.foresee(info, source, answers=said, new_classes=True, report=report)
        except LnlError as error:
            st.error(plain(wording.on_page(str(error), {})), icon=":material/error:")
            return
        finally:
            bar.empty()
        kept = st.session_state["foreseen"] = (key, found)
    would = kept[1].would
    if kept[1].refused:
        st.error(plain(wording.on_page(kept[1].refused, {})), icon=":material/error:")
    if would is None:
        return
    facts = [f"**{_words.plural(would.added, 'new image')}**"]
    for count, what in (
        (would.known_count, "there already"),
        (would.conflict_count, "of them with another label"),
        (would.copy_count, "encoded or sized anew"),
        (would.renamed_count, "under another id"),
        (would.skipped, "skipped"),
    ):
        facts += [f"{_words.count(count)} {what}"] if count else []
    st.markdown(f"Beside the {_words.count(info.n)} of this set: {', '.join(facts)}.")
    if would.new_classes:
        names = plain(_ui.short(", ".join(would.new_classes), 120))
        icon = ":material/add:" if new_classes else ":material/warning:"
        end = "become classes" if new_classes else f"tick “{_NEW}”, or correct the source"
        st.caption(f"{icon} No classes of this set: {names}; {end}.")
    for note in would.notes:
        st.caption(f":material/warning: {plain(wording.on_page(note, {}))}")
    _details(would)


def _details(told: Added) -> None:
    """Name images that were there, come again in other form, or get another id."""
    both = [(a, b, d, c) for a, b, c, d in told.conflicts]
    _pairs(told.known, "in the source", "is this image here", "Images that are there already")
    _table(both, ["in the source", "here", "label here", "label there"], "With another label")
    _pairs(told.copies, "new", "the same picture here", "Copies among the new")
    _pairs(told.renamed, "id in the source", "id here", "Ids that are another image's")


def _source(typed: str) -> Path | None:
    """Return what was typed as a path that may be read; says what is wrong with it otherwise."""
    if not typed.strip():
        return None
    try:
        return incoming.allowed_path(typed)
    except LnlError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return None


def _told(told: Added) -> None:
    """Say what came in, what was there already, and under which other ids."""
    words = f"{_words.plural(told.added, 'image')} added, {_words.count(told.n)} now"
    if told.known_count:
        verb = "was" if told.known_count == 1 else "were"
        words += f"; {_words.count(told.known_count)} {verb} there already"
    if told.skipped:
        words += f"; {_words.count(told.skipped)} skipped, see Import report"
    st.success(f"{words}.", icon=":material/check:")
    if told.new_classes:
        st.caption(f"New classes: {plain(', '.join(told.new_classes))}")
    for note in told.notes:
        st.caption(f":material/warning: {plain(wording.on_page(note, {}))}")
    _details(told)


def _pairs(pairs: Sequence[tuple[str, str]], here: str, there: str, alt: str) -> None:
    _table(pairs, [here, there], alt)


def _table(rows: Sequence[tuple[str, ...]], columns: list[str], alt: str) -> None:
    if not rows:
        return
    import pandas as pd

    table = pd.DataFrame(rows, columns=columns)
    height = _ROW * (min(len(table), 5) + 1) + 7
    st.markdown(f"**{alt}**")
    st.dataframe(table, hide_index=True, row_height=_ROW, height=height, alt=alt)


def originals(info: DatasetInfo) -> None:
    """Say where the originals are, and offer to point elsewhere."""
    st.markdown(
        f"**Originals**  \n:gray[:small[Read from {plain(info.root or '')}. Have they moved? They "
        "are compared before anything changes.]]"
    )
    if st.button("Point to another folder…", icon=":material/drive_file_move:", key="relink"):
        _ui.dialog("Where are the originals now?", icon=":material/drive_file_move:")(_relink)(info)


def _relink(info: DatasetInfo) -> None:
    st.caption("The folder that the paths of this set start from, at its new place.")
    known, start = moving.folders(info), info.root or ""
    if len(known) > 1:
        start = st.selectbox("Originals that were below", known, key="relink_from")
    typed = st.text_input("Folder on this computer", value=start, key=f"relink_root_{start}")
    anyway = st.checkbox("Point there even where some are missing or changed", key="relink_anyway")
    if st.button("Compare and point there", type="primary", key="relink_go"):
        root = incoming.allowed_path(typed)
        bar = st.progress(0.0, text="Comparing…")

        def report(done: int, total: int) -> None:
            if done % 64 == 0 or done == total:
                words = f"{_words.count(done)} of {_words.count(total)} compared"
                bar.progress(done / max(total, 1), text=words)

        found = moving.relink(info, root, start=start, anyway=anyway, report=report)
        if found.done and not found.away:
            st.toast("The originals are read from there now.", icon=":material/check:")
            st.rerun()
        _said(found)


def _said(found: Relinked) -> None:
    """Say what was found, and name what is missing or changed."""
    import pandas as pd

    if found.away:
        shown = ", ".join(plain(each) for each in found.away[:3])
        st.warning(
            f"Images that were added from elsewhere are not there: {shown}. Choose their folder "
            "above, and where it is now.",
            icon=":material/warning:",
        )
    if found.done:
        return
    st.warning(
        f"{_words.count(found.missing)} missing, {_words.count(found.changed)} changed of "
        f"{_words.plural(found.total, 'original')} below {plain(str(found.root))}. Nothing was "
        "changed.",
        icon=":material/warning:",
    )
    table = pd.DataFrame(
        {"file": [each.path for each in found.astray], "why": [each.why for each in found.astray]}
    )
    height = _ROW * (min(len(table), 6) + 1) + 7
    st.dataframe(
        table, hide_index=True, row_height=_ROW, height=height, alt="Originals that do not fit"
    )
