"""A ranking as a table: the columns that `lnl rank` writes, most suspicious first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from lnl_core.data import chances
from lnl_core.types import IntArray, Ranking, Signals

if TYPE_CHECKING:
    from pandas import DataFrame


def of_ranking(
    ranking: Ranking,
    signals: Sequence[Signals],
    labels: IntArray,
    class_names: Sequence[str],
    ids: Sequence[str],
) -> DataFrame:
    """Return a ranking as a table.

    Args:
        ranking: of n images.
        signals: that it was made of, for a column each.
        labels: (n,) given labels.
        class_names: (k,).
        ids: (n,).

    Returns:
        n rows, most suspicious first; the index is the row of the image. Columns `id`,
        `given_label`, `suggested_label`, `suspicion` and `p_wrong` (1 = wrong), `label_quality`
        (1 = right) and, of several methods, `suspicion_KEY` for each. `attrs` holds `noise_rate`,
        the estimated share of wrong labels, and `weights`, method -> weight.
    """
    import pandas as pd

    names = np.array([*class_names, ""], dtype=object)  # -1: there is no other class
    columns = {
        "id": np.asarray(ids, dtype=object),
        "given_label": names[labels],
        "suggested_label": names[ranking.suggested_labels],
        "suspicion": chances.within(ranking.suspicion),
        "p_wrong": chances.within(ranking.p_wrong),
        "label_quality": 1 - chances.within(ranking.suspicion),
    }
    if len(signals) > 1:
        columns |= {f"suspicion_{each.method}": chances.within(each.suspicion) for each in signals}
    table = pd.DataFrame(columns).iloc[ranking.order]
    table.attrs["noise_rate"] = float(ranking.noise_rate)
    table.attrs["weights"] = dict(ranking.weights)
    return table
