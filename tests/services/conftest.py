"""A scored data set, without training: two methods with opinions written by hand."""

import numpy as np
import pytest

from lnl_core.store import arrays, datasets
from lnl_core.types import Signals
from tests import rankings


def opinions(data, key, seed):
    """Signals that know the three planted errors of `tiny`, plus a little noise."""
    rng = np.random.default_rng(seed)
    n, k = len(data), len(data.class_names)
    probs = rng.dirichlet(np.full(k, 0.3), n) * 0.2
    probs[np.arange(n), np.asarray(data.true_labels)] += 0.8
    probs /= probs.sum(axis=1, keepdims=True)
    suspicion = 1 - probs[np.arange(n), np.asarray(data.given_labels)]
    curve = np.linspace(0.5, 1, 4)[:, None] * np.ones((1, n))
    return Signals(
        key,
        suspicion,
        probs,
        curves={"p_given": (1 - suspicion) * curve, "p_other": suspicion * curve},
    )


@pytest.fixture
def scored(workspace, tiny):
    """`tiny` with a ranking in force over the runs sr = 1 and knn = 2."""
    data = datasets.load(tiny)
    found = {"sr": opinions(data, "sr", 1), "knn": opinions(data, "knn", 2)}
    runs = {"sr": 1, "knn": 2}
    for key, signals in found.items():
        arrays.save_signals(tiny.directory / "runs" / str(runs[key]), signals)
    ranking = rankings.rank(list(found.values()), np.asarray(data.given_labels), 3)
    arrays.save_ranking(tiny.directory / "ranking", ranking, runs)
    rng = np.random.default_rng(0)
    features = rng.normal(size=(60, 5)) + 4 * np.eye(5)[np.asarray(data.true_labels)]
    arrays.write_array(
        tiny.directory / "features" / "raw" / "features.npy", features.astype(np.float16)
    )
    return tiny
