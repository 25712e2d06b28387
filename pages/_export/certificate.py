"""The certificate on the Export page: what holds, the whole of it to read, and the file."""

from __future__ import annotations

import streamlit as st

from lnl_core.services.review import certifying, goals, reading
from lnl_core.services.review.auditing import errors_left
from lnl_core.services.review.corrected import corrected
from lnl_core.types import DatasetInfo, LnlError
from pages import _ui, _words

NAME = "certificate"
"""Part of the address that opens it: Review sends whoever has reached the goal so."""


def draw(info: DatasetInfo) -> None:
    """Offer the certificate where the goal holds: what the random draws prove, as a file."""
    then = certifying.as_of(info)
    left = errors_left(info, now=then)
    here = goals.stand(info, left, then)
    asked = st.query_params.pop(NAME, None) is not None
    if not here.holds or left.limit is None or not left.since:
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        with st.container(gap="xxsmall"):
            most = f"At most {_words.plural(left.limit, 'error')}" if left.limit else "No error"
            st.markdown(f"**{most} left in {left.total:,} labels ({left.sure})**")
            by = here.goal.reviewer if here.goal else None
            who = f", set by {_ui.plain(by)}" if by else ""
            st.caption(f"Goal: review {here.words}{who}. Reached: {here.reached}.")
            st.caption(
                f"From {left.checks}. The certificate holds draws, seed, answers and assumptions. "
                f"{corrected(info, left, then).words}."
            )
        if st.button("Read it", icon=":material/description:", key="certificate_read") or asked:
            _dialog(info)
        _download(info, "Certificate", "certificate_file")


def _download(info: DatasetInfo, label: str, key: str) -> None:
    """Offer the file itself, made when somebody asks for it."""
    st.download_button(
        label,
        data=lambda: certifying.as_bytes(certifying.certificate(info)),
        file_name=reading.file_name(info),
        mime="application/json",
        icon=":material/verified:",
        on_click="ignore",
        key=key,
    )


def _dialog(info: DatasetInfo) -> None:
    _ui.dialog("Certificate", icon=":material/verified:", width="large")(_read)(info)


def _read(info: DatasetInfo) -> None:
    """Show every part of the certificate in words, and how anybody checks it."""
    try:
        body = certifying.certificate(info)
    except LnlError as error:
        st.warning(_words.told(error))
        return
    with st.container(gap="xsmall", key="certificate"):
        for place, (name, words) in enumerate(reading.lines(body)):
            said = f"**{_ui.plain(words)}**" if place == 0 else _ui.plain(words)
            st.markdown(f":gray[:small[{name}]]  \n{said}")
    st.caption("Verify it with")
    st.code(reading.check_with(info), language=None, wrap_lines=True)
    _download(info, "Download", "certificate_file_read")
