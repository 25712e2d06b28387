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
            f"The runs train on the labels of {'' if asked.alike else 'at least '}"
            f"{plural(asked.told, 'answered image')}, "
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
    st.caption(rounds.expect(info))


_HELD, _PAIR = "On what was held out", "Before → after"
_NARROW = {
    "Method": st.column_config.TextColumn(width=130),
    _PAIR: st.column_config.TextColumn(width=165),
}
"""Columns of a telephone, in pixels."""


@_ui.guarded
def _wait(info: DatasetInfo) -> None:
    last = rounds.latest(info)
    if last is None or not last.active:
        _ui.rerun_page()


def result(info: DatasetInfo) -> None:
    """Draw what the newest round brought, where there was one."""
    last = rounds.latest(info)
    if last is None:
        return
    with st.container(border=True, key="retrain_round"):
        _result(last)


def _result(last: rounds.Round) -> None:
    st.markdown("**Scored again: before and after**")
    lines = [line for each in last.changes for line in _lines(each)]
    narrow = _ui.narrow()
    st.dataframe(
        [_folded(line) for line in lines] if narrow else lines,
        hide_index=True,
        row_height=64 if narrow else 32,
        column_config=_NARROW if narrow else None,
        key="round_result",
        alt="Each method's order and classes before and after, with the difference's interval",
    )
    st.caption(
        f"{_words.moment(last.at)}; on {plural(last.images, 'image')} held out, "
        f"{count(last.wrong)} wrong. Differences with their 95{_words.NARROW}% intervals: one that "
        "holds 0 tells nothing apart."
    )


def _lines(each: Change) -> list[dict[str, str]]:
    """Return the rows of one run: its order, and what it calls the images."""
    name = methods.title(each.name)
    if each.precision is None:
        return [{"Method": name, _HELD: str(each.state)}]
    lines = [("average precision", each.precision, each.gained)]
    if each.accuracy is not None:
        lines.append(("right class", each.accuracy, each.more_right))
    return [
        {
            "Method": name,
            _HELD: what,
            _PAIR: _pair(values),
            "Change": _difference(difference),
        }
        for what, values, difference in lines
    ]


def _folded(line: dict[str, str]) -> dict[str, str]:
    """Return a row in two columns, which a telephone has room for; their words take more lines."""
    what = f"{line['Method']}: {line[_HELD]}"
    numbers = [line[each] for each in (_PAIR, "Change") if each in line]
    return {"Method": what} | ({_PAIR: ", ".join(numbers)} if numbers else {})


def _pair(values: tuple[float, float]) -> str:
    return f"{values[0]:.3f} → {values[1]:.3f}"


def _difference(values: tuple[float, float, float] | None) -> str:
    if values is None:
        return ""
    gain, low, high = (f"{each:+.3f}".replace("-", "\N{MINUS SIGN}") for each in values)
    return f"{gain} ({low} to {high})"
