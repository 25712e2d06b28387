"""Which labels a network has learned easily: two Gaussians on its losses (DivideMix, 3.1)."""

from __future__ import annotations

import warnings

import numpy as np

from lnl_core.types import Array, FloatArray

FEWEST = 8
"""Losses that a mixture of two can be fitted to."""


def clean_probability(losses: Array, seed: int) -> FloatArray:
    """Return how likely each label belongs with the easily learned ones, (n,) float32.

    Two Gaussians are fitted to the losses, scaled to [0, 1], by at most ten steps of EM, with the
    authors' tolerance and floor of the variance; the answer is the posterior of the one with the
    smaller mean. Losses that are all alike, or fewer than `FEWEST`, tell nothing: all count as
    clean.

    Args:
        losses: (n,) cross-entropy of each given label.
        seed: of the mixture's start.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    losses = np.asarray(losses, np.float64)
    spread = np.ptp(losses) if len(losses) else 0.0
    if len(losses) < FEWEST or spread < 1e-6:
        return np.ones(len(losses), np.float32)
    scaled = ((losses - losses.min()) / spread)[:, None]
    mixture = GaussianMixture(2, max_iter=10, tol=1e-2, reg_covar=5e-4, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # ten steps are the method
        mixture.fit(scaled)
    easy = int(mixture.means_.argmin())
    return mixture.predict_proba(scaled)[:, easy].astype(np.float32)  # type: ignore[no-any-return]
