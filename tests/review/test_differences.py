"""Pairs and classes against statsmodels, scikit-learn, and counting by hand."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import average_precision_score
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from lnl_core.review import comparison, differences


def made(n=400, seed=0, quality=(2.0, 1.9, 0.3)):
    """A sample with known truth, and scores of falling quality."""
    rng = np.random.default_rng(seed)
    given = rng.integers(0, 4, n)
    wrong = rng.random(n) < 0.15
    true = np.where(wrong, (given + 1) % 4, given)
    scores = {f"m{i}": wrong * q + rng.normal(size=n) for i, q in enumerate(quality)}
    return given, comparison.known(given, true, np.ones(n, bool)), scores


def detections(sample, scores):
    counts = comparison.resamples(sample)
    return {key: comparison.detect(score, sample, counts) for key, score in scores.items()}


@pytest.mark.parametrize("m", [1, 2, 7, 45])
def test_holm_is_statsmodels_holm(m):
    p = np.random.default_rng(m).random(m) ** 3
    np.testing.assert_allclose(differences.holm(p), multipletests(p, method="holm")[1])


def test_holm_of_nothing_is_nothing():
    assert len(differences.holm(np.array([]))) == 0


def test_pairs_are_average_precisions_apart_and_the_same_bootstrap():
    given, sample, scores = made()
    found = differences.pairs(detections(sample, scores))
    assert len(found) == 3
    ap = {key: average_precision_score(sample.wrong, score) for key, score in scores.items()}
    rng = np.random.default_rng(1)
    for each in found:
        assert each.gap == pytest.approx(ap[each.one] - ap[each.other], abs=1e-9)
        assert each.gap >= 0
        drawn = []
        for _ in range(400):  # a bootstrap of another kind: rows drawn with replacement
            rows = rng.integers(0, len(given), len(given))
            one, other = (
                average_precision_score(sample.wrong[rows], scores[key][rows])
                for key in (each.one, each.other)
            )
            drawn.append(one - other)
        low, high = np.percentile(drawn, [2.5, 97.5])
        assert each.low == pytest.approx(low, abs=0.035)
        assert each.high == pytest.approx(high, abs=0.035)


def test_a_large_difference_is_clear_and_a_small_one_is_not():
    _, sample, scores = made()
    found = {frozenset((p.one, p.other)): p for p in differences.pairs(detections(sample, scores))}
    assert found[frozenset(("m0", "m2"))].clear
    assert not found[frozenset(("m0", "m1"))].clear
    assert all(each.corrected >= each.p for each in found.values())


def test_of_methods_that_are_alike_hardly_any_pair_is_called_clear():
    """What the correction is for: 20 sets of 6 equally good methods, 15 pairs each."""
    false = 0
    for seed in range(20):
        _, sample, scores = made(n=300, seed=seed, quality=(1.0,) * 6)
        false += any(each.clear for each in differences.pairs(detections(sample, scores)))
    assert false <= 4  # 1 expected at the level of 5 %; more than 4 has a chance of 0.3 %


def test_the_same_score_twice_does_not_differ():
    _, sample, scores = made()
    (pair,) = differences.pairs(detections(sample, {"a": scores["m0"], "b": scores["m0"]}))
    assert (pair.gap, pair.p, pair.clear) == (0, 1, False)


def test_recall_and_precision_by_class_are_counted():
    given, sample, scores = made()
    top = np.zeros(len(given), bool)
    top[np.argsort(-scores["m0"])[:60]] = True
    shares = differences.by_class(top, given, sample, 5)
    for label in range(4):
        of = given == label
        hits, errors = (top & sample.wrong & of).sum(), (sample.wrong & of).sum()
        seen = (top & of).sum()
        assert shares.recall[label] == pytest.approx(hits / errors)
        assert shares.precision[label] == pytest.approx(hits / seen)
        assert (shares.wrong[label], shares.reviewed[label]) == (errors, seen)
        np.testing.assert_allclose(
            shares.recall_interval[label], proportion_confint(hits, errors, method="beta")
        )
        np.testing.assert_allclose(
            shares.precision_interval[label], proportion_confint(hits, seen, method="beta")
        )
    assert np.isnan(shares.recall[4]), "a class without a wrong label"
    assert np.isnan(shares.recall_interval[4]).all()


def test_weights_speak_for_more_images_and_leave_the_interval_honest():
    given, sample, scores = made()
    top = scores["m0"] > 1
    whole = differences.by_class(top, given, sample, 4)
    heavy = comparison.Sample(
        sample.rows,
        sample.wrong,
        sample.true_labels,
        np.full(len(given), 10.0),
        sample.drawn,
        sample.population,
    )
    weighted = differences.by_class(top, given, heavy, 4)
    np.testing.assert_allclose(weighted.recall, whole.recall)
    np.testing.assert_allclose(weighted.wrong, 10 * whole.wrong)
    np.testing.assert_allclose(weighted.recall_interval, whole.recall_interval)


def test_ends_of_the_scale():
    given, sample, _ = made()
    none = differences.by_class(np.zeros(len(given), bool), given, sample, 4)
    assert (none.recall == 0).all()
    assert (none.recall_interval[:, 0] == 0).all()
    assert np.isnan(none.precision).all()
    every = differences.by_class(np.ones(len(given), bool), given, sample, 4)
    assert (every.recall == 1).all()
    assert (every.recall_interval[:, 1] == 1).all()


def test_recall_of_two_methods_in_one_class_by_hand():
    given = np.r_[np.zeros(20, int), np.ones(10, int)]
    wrong = np.ones(30, bool)
    sample = comparison.known(given, np.where(wrong, 1 - given, given), wrong)
    one, other = np.zeros(30, bool), np.zeros(30, bool)
    one[:10] = True  # of class 0: 6 that it alone finds, 4 that both do
    other[[6, 7, 8, 9, 10, 20]] = True  # and 1 that the other alone finds
    found = differences.class_pairs({"a": one, "b": other}, given, sample, 3)
    assert [each.label for each in found] == [0, 1]
    first, second = found
    assert (first.one, first.other, first.wrong) == ("a", "b", 20)
    assert first.gap == pytest.approx(5 / 20)
    assert first.p == pytest.approx(binomtest(1, 7).pvalue)
    assert (first.low, first.high) == pytest.approx((-0.0226, 0.4771), abs=1e-4)
    assert first.corrected == pytest.approx(2 * first.p)
    assert (second.one, second.other) == ("b", "a")
    assert second.gap == pytest.approx(0.1)
    assert second.p == 1.0
    assert second.low < 0.1 < second.high


@pytest.mark.parametrize(("more", "fewer"), [(0, 0), (5, 0), (7, 3), (4, 4), (30, 2)])
def test_p_of_a_pair_is_the_exact_binomial_one(more, fewer):
    exact = binomtest(min(more, fewer), more + fewer).pvalue if more + fewer else 1.0
    assert differences._mcnemar(more, fewer) == pytest.approx(exact)


def test_without_a_difference_hardly_any_class_is_called_clear():
    rng = np.random.default_rng(3)
    false = 0
    for _ in range(60):
        given = rng.integers(0, 5, 600)
        true = np.where(rng.random(600) < 0.3, (given + 1) % 5, given)
        sample = comparison.known(given, true, np.ones(600, bool))
        tops = {f"m{i}": rng.random(600) < 0.5 for i in range(4)}
        false += any(each.clear for each in differences.class_pairs(tops, given, sample, 5))
    assert false <= 6  # of 60, at most 3 expected


def test_a_weighted_sample_counts_for_what_it_carries():
    given, sample, scores = made(n=800)
    tops = {key: score > np.quantile(score, 0.85) for key, score in scores.items()}
    plain = differences.class_pairs(tops, given, sample, 4)
    twice = replace(sample, weight=2 * np.asarray(sample.weight, float))
    for one, other in zip(plain, differences.class_pairs(tops, given, twice, 4), strict=True):
        assert one.p == pytest.approx(other.p), "twice the weight is no more evidence"
        assert other.wrong == pytest.approx(2 * one.wrong)
