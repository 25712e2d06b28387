"""Coefficients against numbers worked out by hand or published, and against statsmodels."""

import numpy as np
import pytest

from lnl_core.review import agreement


def table(text):
    """Answers of the canonical example: a line per person, `*` where missing."""
    return np.array([[-1 if c == "*" else int(c) - 1 for c in line.split()] for line in text])


CANONICAL = table(
    [
        "* * * * * 3 4 1 2 1 1 3 3 * 3",
        "1 * 2 1 3 3 4 3 * * * * * * *",
        "* * 2 1 3 4 4 * 2 1 1 3 3 * 4",
    ]
)


def test_alpha_of_the_canonical_example():
    """Review_science test 11."""
    assert agreement.krippendorff(CANONICAL) == pytest.approx(0.691, abs=5e-4)


def test_alpha_of_the_table_in_his_paper_on_computing_it():
    """Four observers, twelve units, five categories ("Computing Krippendorff's Alpha", C): .743."""
    answers = table(
        [
            "1 2 3 3 2 1 4 1 2 * * *",
            "1 2 3 3 2 2 4 1 2 5 * 3",
            "* 3 3 3 2 3 4 2 2 5 1 *",
            "1 2 3 3 2 4 4 1 2 5 1 *",
        ]
    )
    assert agreement.krippendorff(answers) == pytest.approx(0.743, abs=5e-4)


def test_alpha_of_two_observers_without_gaps():
    """His example A (ten units, yes or no): .095, and B (twelve units, five categories): .692."""
    a = table(["1 2 1 1 1 1 1 1 2 1", "2 2 2 1 1 2 1 1 1 1"])
    b = table(["1 1 2 2 4 3 3 3 5 4 4 1", "2 1 2 2 2 3 3 3 5 4 4 4"])
    assert agreement.krippendorff(a) == pytest.approx(0.095, abs=5e-4)
    assert agreement.krippendorff(b) == pytest.approx(0.692, abs=5e-4)


def test_kappa_by_hand():
    """Fifty applications: 20 yes-yes, 5 yes-no, 10 no-yes, 15 no-no; .7 against .5 by chance."""
    first = np.array([0] * 25 + [1] * 25)
    second = np.array([0] * 20 + [1] * 5 + [0] * 10 + [1] * 15)
    assert agreement.cohen(np.stack([first, second])) == pytest.approx(0.4)


def test_fleiss_of_his_own_example():
    """Ten subjects, fourteen raters, five categories: .210."""
    counts = [
        [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
    ]  # fmt: skip
    answers = np.stack([np.repeat(np.arange(5), each) for each in counts], axis=1)
    assert agreement.fleiss(answers) == pytest.approx(0.210, abs=5e-4)


def test_the_same_as_statsmodels():
    from statsmodels.stats import inter_rater as rater

    rng = np.random.default_rng(3)
    truth = rng.integers(0, 4, 200)
    answers = np.stack([np.where(rng.random(200) < 0.8, truth, rng.integers(0, 4, 200))] * 3)
    answers[1] = np.where(rng.random(200) < 0.7, truth, rng.integers(0, 4, 200))
    answers[2, :50] = rng.integers(0, 4, 50)
    pair = np.zeros((4, 4))
    np.add.at(pair, (answers[0], answers[1]), 1)
    theirs = rater.cohens_kappa(pair, return_results=False)
    assert agreement.cohen(answers[:2]) == pytest.approx(theirs)
    theirs = rater.fleiss_kappa(rater.aggregate_raters(answers.T)[0])
    assert agreement.fleiss(answers) == pytest.approx(theirs)


def test_below_fifty_shared_images_nothing_is_said():
    answers = np.zeros((2, 60), np.int64)
    answers[1] = np.arange(60) % 2
    answers[1, 49:] = -1
    found = agreement.with_interval(answers, agreement.cohen)
    assert (found.value, found.images) == (None, 49)


def test_the_interval_holds_the_truth_as_often_as_it_says():
    """Two people who copy a fair coin with 80 %: kappa is .36. 200 sets of 100 images."""
    rng, inside = np.random.default_rng(0), 0
    for each in range(200):
        coin = rng.integers(0, 2, 100)
        flips = rng.random((2, 100)) < 0.2
        answers = np.where(flips, 1 - coin, coin)
        found = agreement.with_interval(answers, agreement.cohen, seed=each, draws=200)
        inside += found.low <= 0.36 <= found.high
    assert 0.88 <= inside / 200 <= 0.99  # review_science 7.1: .92 to .94


def test_how_good_each_one_is_without_knowing_what_is_true():
    """Review_science test 11: planted accuracies within .03."""
    rng = np.random.default_rng(1)
    planted, truth = [0.97, 0.9, 0.8, 0.7], rng.integers(0, 5, 1500)
    answers = np.stack(
        [
            np.where(rng.random(1500) < p, truth, (truth + rng.integers(1, 5, 1500)) % 5)
            for p in planted
        ]
    )
    answers[rng.random(answers.shape) < 0.3] = -1
    found = agreement.dawid_skene(answers, 5)
    np.testing.assert_allclose(found.accuracy, planted, atol=0.03)
    seen = (answers >= 0).any(axis=0)
    assert (found.truth.argmax(axis=1) == truth)[seen].mean() > 0.93


ANAESTHETISTS = """
1111111 3334334 1122122 2223121 2223222 2223322 1222111 3333433 2222223 2322223
4444444 2223343 1111111 2223212 1211111 1112111 1111111 1111111 2222221 2221322
2222222 2222221 2223222 2212222 1111111 1111111 2322222 1111111 1111111 1121121
1111111 3333233 1111111 2222222 2223232 4334343 2212232 2323233 3333432 1111111
1111111 1212111 2322222 1211111 2222222
"""
"""Dawid and Skene's own example (Applied Statistics 28, 1979): of 45 patients each three readings
by the first anaesthetist and one by each of four others, of fitness for surgery in four grades."""


def maximum_likelihood(answers, person, k, rounds=500):
    """Dawid and Skene's estimates as they write them, without any prior; from the votes."""
    people, n = max(person) + 1, answers.shape[1]
    truth = np.stack([(answers == grade).mean(axis=0) for grade in range(k)], axis=1)
    for _ in range(rounds):
        said = np.zeros((people, k, k))
        for who, one in zip(person, answers, strict=True):
            for patient in range(n):
                said[who, :, one[patient]] += truth[patient]
        said /= said.sum(axis=2, keepdims=True)
        share = truth.mean(axis=0)
        truth = np.tile(share, (n, 1))
        for who, one in zip(person, answers, strict=True):
            truth *= said[who][:, one].T
        truth /= truth.sum(axis=1, keepdims=True)
    return share, said, truth


def test_dawid_and_skene_of_their_own_example(monkeypatch):
    """The published shares of the grades and error rates, and ours where it does not shrink.

    As it shrinks a person's confusion to that of all by ten answers, and three persons of seven
    are one here, it differs where few patients have a grade: in 5 of 45.
    """
    answers = np.array([[int(c) - 1 for c in each] for each in ANAESTHETISTS.split()]).T
    share, said, _ = maximum_likelihood(answers, [0, 0, 0, 1, 2, 3, 4], 4)
    np.testing.assert_allclose(share, [0.40, 0.42, 0.11, 0.07], atol=0.005)
    first = [[0.89, 0.11, 0, 0], [0.07, 0.88, 0.05, 0], [0, 0.34, 0.66, 0], [0, 0, 0.56, 0.44]]
    np.testing.assert_allclose(said[0], first, atol=0.005)
    truth = maximum_likelihood(answers, range(7), 4)[2]
    shrunk = agreement.dawid_skene(answers, 4).truth
    assert (shrunk.argmax(axis=1) == truth.argmax(axis=1)).sum() >= 40
    monkeypatch.setattr(agreement, "STRENGTH", 1e-6)
    plain = agreement.dawid_skene(answers, 4, rounds=500).truth
    np.testing.assert_allclose(plain, truth, atol=0.01)


def test_what_all_have_to_share_is_counted_where_all_do():
    """Sixty images of two people and one of a third gave -.5 out of that one, and said sixty."""
    answers = np.zeros((3, 60), np.int64)
    answers[:2] = np.arange(60) % 2
    answers[2, 1:] = -1
    found = agreement.with_interval(answers, agreement.fleiss, everybody=True)
    assert (found.value, found.images) == (None, 1)
    assert agreement.with_interval(answers, agreement.krippendorff).images == 60
