"""Compare, differences: which method is surely better, for which classes, and with which luck."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from lnl_core.figures import differences as drawing
from lnl_core.services.compare import differences
from lnl_core.types import DatasetInfo
from lnl_core.views import Comparison, Pair
from pages import _figures, _ui, _words
from pages._ui import plain


def draw(info: DatasetInfo, comparison: Comparison) -> None:
    """Draw pairs and classes side by side, seeds below; without a truth, why there is nothing."""
    if not comparison.detections:
        st.info(plain(comparison.why_none), icon=":material/info:")
        return
    found = differences.pairs(comparison)
    left, right = st.columns(2, gap="small")
    with left:
        _pairs(info, comparison, found)
    with right:
        _classes(info, comparison)
        _seeds(info, comparison)


def _pairs(info: DatasetInfo, comparison: Comparison, found: list[Pair]) -> None:
    if not found:
        st.caption("One method alone has nothing to differ from.")
        return
    with st.container(border=True, key="pairs_card"):
        _figures.draw(
            drawing.pairs(found, comparison.candidates, _figures.tone()),
            "pairs",
            info,
            alt="Difference of average precision of pairs of methods, with intervals",
        )
        st.caption(plain(differences.words(found)))
    titles = {each.key: each.title for each in comparison.candidates}
    with st.expander(f"All {_words.plural(len(found), 'pair')}"):
        st.dataframe(
            pd.DataFrame([_row(each, titles) for each in found]),
            hide_index=True,
            key="pairs_table",
            alt="Pairs of methods with difference, interval and corrected p",
            column_config={
                "one": st.column_config.TextColumn("Higher"),
                "other": st.column_config.TextColumn("Lower"),
                "gap": st.column_config.TextColumn("AP", alignment="right"),
                "interval": st.column_config.TextColumn("95 %"),
                "p": st.column_config.TextColumn(
                    "p, Holm", alignment="right", help="Corrected for all pairs of this table."
                ),
            },
        )


def _row(each: Pair, titles: dict[str, str]) -> dict[str, str]:
    return {
        "one": _ui.short(titles[each.one], 30),
        "other": _ui.short(titles[each.other], 30),
        "gap": f"{each.gap:+.3f}",
        "interval": f"{each.low:+.3f} to {each.high:+.3f}",
        "p": drawing.p_words(each.corrected),
    }


@st.fragment
@_ui.guarded
def _classes(info: DatasetInfo, comparison: Comparison) -> None:
    found = differences.by_class(info, comparison)
    if not found.shares:
        return
    with st.container(border=True, key="classes_card"):
        measure = st.segmented_control(
            "Measure",
            ["recall", "precision"],
            default="recall",
            required=True,
            format_func=str.capitalize,
            key="classes_measure",
            label_visibility="collapsed",
        )
        _figures.draw(
            drawing.classes(
                found.shares,
                comparison.candidates,
                info.class_names,
                found.reviews,
                _figures.tone(),
                measure or "recall",
            ),
            "classes",
            info,
            alt="Recall and precision of every method for every given class",
        )


def _seeds(info: DatasetInfo, comparison: Comparison) -> None:
    """Draw what other seeds gave, where methods have run with several."""
    several = differences.seeds(info, comparison.truth.kind if comparison.truth else None)
    if not several:
        st.caption(
            "Run a method again with another seed and the same knobs, and this place says how much "
            "of a difference is luck."
        )
        return
    table = pd.DataFrame(
        [
            {
                "method": _ui.short(each.title, 40),
                "seeds": ", ".join(map(str, each.values)),
                "ap": f"{each.mean:.3f} ±{each.spread:.3f}",
                "range": f"{min(each.values.values()):.3f}–{max(each.values.values()):.3f}",
            }
            for each in several
        ]
    )
    st.markdown("**Several seeds**")
    st.dataframe(
        table,
        hide_index=True,
        key="seeds_table",
        alt="Average precision of methods over several seeds",
        column_config={
            "method": st.column_config.TextColumn("Method"),
            "seeds": st.column_config.TextColumn("Seeds"),
            "ap": st.column_config.TextColumn(
                "AP", help="Mean and standard deviation over the seeds."
            ),
            "range": st.column_config.TextColumn("Lowest to highest"),
        },
    )
