"""Runs that were told what people answered are not compared by what they were told."""

import numpy as np
import pytest

from lnl_core.review import comparison
from lnl_core.services.compare import comparing, losses
from lnl_core.services.review import evidence
from lnl_core.store import arrays

TOLD = np.arange(0, 60, 3)
"""Rows; 3 is one of the planted errors."""


@pytest.fixture
def told(scored):
    """`scored`, whose run sr knows a third of the answers and doubts nothing there."""
    mask = np.zeros(60, bool)
    mask[TOLD] = True
    folder = scored.directory / "runs" / "1"
    arrays.write_array(folder / "trusted.npy", mask)
    signals = arrays.load_signals(folder)
    arrays.write_array(folder / "suspicion.npy", np.where(mask, 0, signals.suspicion))
    return scored


def test_agreement_and_overlap_speak_of_untold_images(told):
    rest = np.setdiff1d(np.arange(60), TOLD)
    keys = ["1", "2"]
    ours = [np.asarray(comparing.run_signals(told, key).suspicion)[rest] for key in keys]
    correlation = comparing.compare(told, keys).correlation
    np.testing.assert_allclose(correlation, comparison.rank_correlation(ours))
    np.testing.assert_allclose(comparing.overlap(told, keys, 5), comparison.top_overlap(ours, 5))


def test_a_histogram_counts_untold_images(told):
    one = losses.losses(told, "1", "suspicion")
    assert np.flatnonzero(~one.counted).tolist() == TOLD.tolist()
    assert losses.losses(told, "2", "suspicion").counted.all()
    lowest = float(one.x.min())
    assert losses.above(one, lowest).queued == 40
    assert not set(losses.rows_above(one, lowest)) & set(TOLD.tolist())
    assert not losses.losses(told, "1", "loss").counted[3]


def test_evidence_says_who_was_told(told):
    sr, knn = evidence.evidence(told, 3)["methods"]
    assert (sr["told"], sr["suspicion"], sr["wrong"]) == (True, None, False)
    assert (knn["told"], knn["wrong"]) == (False, True)
    assert knn["suspicion"] > 0.5
    assert evidence.evidence(told, 3)["told"]
    assert not evidence.evidence(told, 4)["told"]
