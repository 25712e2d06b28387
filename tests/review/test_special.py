"""The functions that stand in for scipy's, beside scipy's."""

import numpy as np
from scipy import special as theirs

from lnl_core.review import special


def test_they_agree_with_scipy_to_the_last_digits():
    x = np.r_[1.0, 1.5, 2, 2.25, 3, 7.9, 8, 40.5, 1e3, 1e6, 1e9]
    np.testing.assert_allclose(special.log_gamma(x), theirs.gammaln(x), rtol=2e-14, atol=2e-14)
    p = np.r_[1e-12, 0.001, 0.25, 0.25, 0.5, 0.9, 1 - 1e-9]
    np.testing.assert_allclose(special.normal_quantiles(p), theirs.ndtri(p), rtol=1e-12, atol=1e-15)
    logs = np.array([-900.0, -1.0, -np.inf, 2.0])
    assert special.log_sum(logs) == theirs.logsumexp(logs)
    assert special.log_sum(np.full(3, -np.inf)) == -np.inf
