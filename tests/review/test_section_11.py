"""Tests of review science 11 that stand nowhere else; docs/review-science.md lists all of them."""

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import norm, rankdata
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier

from benchmarks import _effort
from lnl_core.review import auditing
from lnl_core.review.metrics import calibration_error
from lnl_core.review.recalibration import CLIP, recalibrated
from lnl_core.types import Signals


def hidden_errors(rng, n=4000, rate=0.06):
    """Scores that see most errors, and give 15 of 100 no more than the right ones."""
    wrong = rng.random(n) < rate
    seen = wrong & (rng.random(n) >= 0.15)
    return wrong, 1 / (1 + np.exp(-(-3.5 + rng.normal(size=n) + 4 * seen)))


def test_section_11_test_5_an_importance_sample_undercovers_where_scores_are_blind():
    """Why there is none: the queue has looked at what scores suspect, and Wald's limit is too low.

    An even sample of as many images, with the exact limit, covers.
    """
    rng = np.random.default_rng(0)
    weighted = even = 0
    for _ in range(400):
        wrong, p = hidden_errors(rng)
        left = np.argsort(-p)[300:]
        wrong, p = wrong[left], p[left]
        chance = np.sqrt(p) / np.sqrt(p).sum()
        drawn = rng.choice(len(p), 200, p=chance)
        z = wrong[drawn] / chance[drawn]
        weighted += z.mean() + 1.645 * z.std(ddof=1) / np.sqrt(200) >= wrong.sum()
        x = int(wrong[rng.choice(len(p), 200, replace=False)].sum())
        even += auditing.exact_upper(len(p), 200, x) >= wrong.sum()
    assert weighted / 400 < 0.92
    assert even / 400 >= 0.95 - 3 * np.sqrt(0.05 * 0.95 / 400)


def world(rng, slope, offset, n=6000):
    given, suggested = rng.integers(0, 5, (2, n))
    x = rng.normal(-2, 1.5, n)
    wrong = rng.random(n) < 1 / (1 + np.exp(-(offset + slope * x)))
    return x, 1 / (1 + np.exp(-x)), given, suggested, wrong


def plain(x, rows, wrong):
    """Return what an ordinary logistic regression of the answers says of every row."""
    fitted = LogisticRegression(C=np.inf).fit(x[rows, None], wrong[rows])
    return fitted.predict_proba(x[:, None])[:, 1]


def test_section_11_test_8_without_answers_p_stays_and_many_are_believed():
    x, p, given, suggested, wrong = world(np.random.default_rng(1), 1.4, -0.5)
    none = np.zeros(0, np.int64)
    np.testing.assert_array_equal(
        recalibrated(p, given, suggested, none, none > 0), np.clip(p, CLIP, 1 - CLIP)
    )
    rows = np.arange(len(p))
    after = recalibrated(p, np.zeros_like(given), np.ones_like(given), rows, wrong)
    np.testing.assert_allclose(after, plain(x, rows, wrong), atol=0.02)


def test_section_11_test_9_answers_of_the_queue_alone_mislead_it_less_than_an_ordinary_fit():
    ours, theirs = [], []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        n = 4000
        wrong = rng.random(n) < 0.1
        score = rng.normal(size=n) + 2.2 * (wrong & (rng.random(n) >= 0.15))
        p = expit(-3.0 + 2.5 * norm.ppf((rankdata(score) - 0.5) / n))
        given, suggested = rng.integers(0, 5, (2, n))
        rows, rest = np.argsort(-p)[:150], np.argsort(-p)[150:]
        after = recalibrated(p, given, suggested, rows, wrong[rows])
        ours.append(after[rest].sum() / wrong[rest].sum())
        other = plain(np.log(p / (1 - p)), rows, wrong)
        theirs.append(other[rest].sum() / wrong[rest].sum())
    assert 0.3 < np.median(ours) < 3
    assert np.abs(np.log(ours)).mean() < np.abs(np.log(theirs)).mean()


def test_section_11_test_10_a_noise_rate_that_is_twice_the_true_one_is_put_right():
    before, errors = [], []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        _, p, given, suggested, wrong = world(rng, 1.0, -1.1)
        assert p.mean() / wrong.mean() == pytest.approx(2, abs=0.5)
        chance = rng.choice(len(p), 160, replace=False)
        rows = np.union1d(np.argsort(-p)[:240], chance)
        rest = np.setdiff1d(np.arange(len(p)), rows)
        after = recalibrated(p, given, suggested, rows, wrong[rows], np.isin(rows, chance))
        before.append(calibration_error(wrong[rest], p[rest]))
        errors.append(calibration_error(wrong[rest], after[rest]))
    assert np.mean(errors) < 0.03, errors
    assert (np.array(errors) < before).all(), (before, errors)


def test_section_11_test_15_effort_is_below_that_of_the_ensemble_score():
    """Digits with a tenth of the labels changed to a like class; three cheap methods."""
    from sklearn.datasets import load_digits

    images, truth = load_digits(return_X_y=True)
    rng = np.random.default_rng(0)
    like = np.array([6, 7, 3, 8, 9, 6, 5, 1, 3, 4])
    given = np.where(rng.random(len(truth)) < 0.1, like[truth], truth)
    methods = (LinearDiscriminantAnalysis(), GaussianNB(var_smoothing=0.1), KNeighborsClassifier(9))
    heard = []
    for key, method in zip(("probe", "sr", "knn"), methods, strict=True):
        probs = cross_val_predict(method, images, given, cv=5, method="predict_proba")
        probs = np.clip(probs, 1e-4, None)
        probs /= probs.sum(axis=1, keepdims=True)
        heard.append(Signals(key, 1 - probs[np.arange(len(given)), given], probs))
    wrong = given != truth
    ways, _ = _effort.orders(heard, given, 10)
    said = _effort.answers(_effort.PERFECT, wrong, wrong, seed=0)
    auc = {way: _effort.curve(order, said, wrong)["auc"] for way, order in ways.items()}
    assert auc["ours"] >= auc["cleanlab ensemble"] + 0.01, auc
