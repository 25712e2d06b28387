"""Compare, differences: which method is surely better, for which classes, and with which luck."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from lnl_core.figures import differences as drawing
from lnl_core.services.compare import differences
from lnl_core.types import DatasetInfo
from lnl_core.views import ClassPair, Comparison, Pair
from pages import _figures, _ui, _words
from pages._compare import without
from pages._ui import plain

TALLER = 36
"""Pixels that a row of a figure may get beyond those it needs, where the window is tall."""


def draw(info: DatasetInfo, comparison: Comparison) -> None:
    """Draw pairs and classes side by side, seeds below; without a truth, why there is nothing."""
    if not comparison.detections:
        without.missing_card(info, comparison)
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
            grows=TALLER * min(len(found), drawing.PAIRS),
            beside=430,
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
        "one": _ui.short(titles[each.one], 40),
        "other": _ui.short(titles[each.other], 40),
        "gap": f"{each.gap:+.3f}",
        "interval": f"{each.low:+.3f} to {each.high:+.3f}",
        "p": drawing.p_words(each.corrected),
    }


MEASURES = {"recall": "Recall", "precision": "Precision", "against": "Recall against one method"}
"""What is drawn by class, in words."""


@st.fragment
@_ui.guarded
def _classes(info: DatasetInfo, comparison: Comparison) -> None:
    found = differences.by_class(info, comparison)
    if not found.shares:
        return
    several = len(found.shares) > 1
    with st.container(border=True, key="classes_card"):
        measure = st.segmented_control(
            "Measure",
            [each for each in MEASURES if several or each != "against"],
            default="recall",
            required=True,
            format_func=MEASURES.__getitem__,
            key="classes_measure",
            label_visibility="collapsed",
        )
        if measure == "against":
            _against(info, comparison)
            return
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
            grows=TALLER * len(found.shares),
            beside=450,
        )


def _against(info: DatasetInfo, comparison: Comparison) -> None:
    """Draw the recall of all methods against that of one, class by class, with what is clear."""
    found = differences.class_pairs(info, comparison)
    titles = {
        each.key: each.title for each in comparison.candidates if each.key in comparison.detections
    }
    usual = differences.reference(comparison)
    chosen = st.selectbox(
        "Against",
        list(titles),
        index=list(titles).index(usual),
        format_func=lambda key: _ui.short(titles.get(key, key), 40),
        key="classes_against",
        width=260,
    )
    _figures.draw(
        drawing.against(
            found,
            comparison.candidates,
            info.class_names,
            chosen if chosen in titles else usual,
            _figures.tone(),
        ),
        "recall against one method",
        info,
        alt="Recall of every method above that of one method, for every given class",
        key="classes_against_figure",
        grows=TALLER * (len(titles) - 1),
        beside=620,
    )
    st.caption(plain(differences.class_pair_words(found)))
    with st.expander(f"The {_words.plural(min(len(found), MOST), 'clearest difference')}"):
        st.dataframe(
            pd.DataFrame([_class_row(each, titles, info.class_names) for each in found[:MOST]]),
            hide_index=True,
            key="class_pairs_table",
            alt="Two methods in one class with difference of recall, interval and corrected p",
            column_config={
                "given": st.column_config.TextColumn("Given"),
                "one": st.column_config.TextColumn("Higher"),
                "other": st.column_config.TextColumn("Lower"),
                "gap": st.column_config.TextColumn("Recall", alignment="right"),
                "interval": st.column_config.TextColumn("95 %"),
                "p": st.column_config.TextColumn(
                    "p, Holm", alignment="right", help="Corrected for all pairs and classes."
                ),
            },
        )


MOST = 40
"""Differences of a class that the table holds, the clearest first."""


def _class_row(
    each: ClassPair, titles: dict[str, str], class_names: Sequence[str]
) -> dict[str, str]:
    return {
        "given": _words.short_name(class_names[each.label], 24),
        "one": _ui.short(titles[each.one], 40),
        "other": _ui.short(titles[each.other], 40),
        "gap": f"{each.gap:+.2f}",
        "interval": f"{each.low:+.2f} to {each.high:+.2f}",
        "p": drawing.p_words(each.corrected),
    }


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
