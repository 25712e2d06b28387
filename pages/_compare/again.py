"""Compare, retraining: the feedback round, before and after on images that were held out."""

from __future__ import annotations

import streamlit as st

from lnl_core.services import methods
from lnl_core.services.compare import rounds
from lnl_core.services.compare.rounds import Change
from lnl_core.types import DatasetInfo
from pages import _ui, _words
from pages._words import count, plain, plural


def draw(info: DatasetInfo) -> None:
    """Draw what a round would take, its start, and what the newest one brought."""
    st.markdown("**Score again with what people said**")
    last = rounds.latest(info)
    if last is not None and last.active:
        st.caption("Running again; the Runs page shows how far it is.")
        st.fragment(_wait, run_every=2)(info)
        return
    asked = rounds.plan(info)
    if asked.refusal:
        st.caption(plain(asked.refusal))
    else:
        st.markdown(
            f"The runs train on the labels of {plural(asked.told, 'answered image')}, "
            f"{count(asked.changed)} of them corrected. {count(asked.held)} that chance drew are "
            f"held out and judge before and after ({count(asked.wrong)} wrong)."
        )
        chosen = st.multiselect(
            "Runs",
            list(asked.runs),
            default=list(asked.runs),
            format_func=methods.title,
            label_visibility="collapsed",
            key=f"round_runs_{info.id}",
        )
        if st.button(
            f"Run {plural(len(chosen), 'method')} again",
            icon=":material/replay:",
            key="round_start",
            disabled=not chosen,
        ) and _ui.act(rounds.start, info, chosen, by=_ui.reviewer()):
            st.rerun()
    st.caption(rounds.EXPECT)
    if last is not None:
        _result(last)


@_ui.guarded
def _wait(info: DatasetInfo) -> None:
    last = rounds.latest(info)
    if last is None or not last.active:
        _ui.rerun_page()


def _result(last: rounds.Round) -> None:
    st.dataframe(
        [_line(each) for each in last.changes],
        hide_index=True,
        row_height=32,
        key="round_result",
    )
    st.caption(
        f"{_words.moment(last.at)}; on {plural(last.images, 'image')} held out, "
        f"{count(last.wrong)} wrong. Differences with their 95{_words.NARROW}% intervals: one that "
        "holds 0 tells nothing apart."
    )


def _line(each: Change) -> dict[str, str]:
    return {
        "Method": methods.title(each.name),
        "Average precision": _pair(each.precision) or str(each.state),
        "Change": _difference(each.gained),
        "Right class": _pair(each.accuracy),
        "Change ": _difference(each.more_right),
    }


def _pair(values: tuple[float, float] | None) -> str:
    return "" if values is None else f"{values[0]:.3f} → {values[1]:.3f}"


def _difference(values: tuple[float, float, float] | None) -> str:
    if values is None:
        return ""
    gain, low, high = (f"{each:+.3f}".replace("-", "\N{MINUS SIGN}") for each in values)
    return f"{gain} ({low} to {high})"
