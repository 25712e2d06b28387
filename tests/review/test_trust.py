"""Whom to listen to."""

import numpy as np

from lnl_core.review import trust
from lnl_core.types import TopProbs


def test_a_method_that_agrees_with_every_label_counts_no_errors():
    given = np.arange(40) % 4
    memorised = np.eye(4)[given] * 0.9 + 0.025
    doubting = memorised.copy()
    doubting[:10] = np.eye(4)[(given[:10] + 1) % 4] * 0.9 + 0.025
    half = memorised.copy()
    half[:5] = doubting[:5]
    np.testing.assert_allclose(trust.candour([memorised, doubting, half], given), [0, 1, 0.25])
    np.testing.assert_array_equal(trust.candour([memorised, memorised], given), [1, 1])
    kept = TopProbs(np.argsort(-doubting)[:, :2], -np.sort(-doubting)[:, :2], 4)
    np.testing.assert_allclose(trust.candour([memorised, kept], given), [0, 1])
