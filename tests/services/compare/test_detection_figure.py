"""Curves of detection: words beside them stay inside the plot."""

import numpy as np
import pytest

from lnl_core.figures import detection


@pytest.mark.parametrize(("seen", "side"), [(50, "left"), (205, "center"), (350, "right")])
def test_words_on_what_people_found_stay_beside_the_legend(seen, side):
    """A dot in the middle had them to its right, where the legend begins and a telephone ends."""
    depth = np.arange(386)
    placed = detection._beside(depth, np.minimum(depth, 77), seen, 21, 385)
    assert placed["xanchor"] == side
    assert placed["yanchor"] == "top"
    assert placed["yshift"] <= (-6 if side == "center" else -3), "it would lie on the dot"
