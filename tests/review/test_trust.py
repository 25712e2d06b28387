"""Whom to listen to."""

import numpy as np

from lnl_core.review import pool, trust
from lnl_core.types import TopProbs


def test_a_method_that_agrees_with_every_label_counts_no_errors():
    given = np.arange(40) % 4
    memorised = np.eye(4)[given] * 0.9 + 0.025
    doubting = memorised.copy()
    doubting[:10] = np.eye(4)[(given[:10] + 1) % 4] * 0.9 + 0.025
    half, most = memorised.copy(), memorised.copy()
    half[:5], most[:9] = doubting[:5], doubting[:9]

    def found(*probs):
        return trust.calibration_weights([pool.Opinion(each) for each in probs], given)

    np.testing.assert_allclose(found(memorised, doubting, half, most), [0, 1, 0, 0.4])
    np.testing.assert_array_equal(found(memorised, memorised), [1, 1])
    kept = TopProbs(np.argsort(-doubting)[:, :2], -np.sort(-doubting)[:, :2], 4)
    np.testing.assert_allclose(found(memorised, kept), [0, 1])


def test_doubt_that_is_not_that_of_the_labels_says_nothing_of_how_many_are_wrong():
    rng = np.random.default_rng(0)
    given = rng.integers(0, 4, 4_000)
    logits = rng.normal(size=(4_000, 4)) + 1.5 * np.eye(4)[given]
    timid, honest, shouting = (np.exp(factor * logits) for factor in (0.7, 1.5, 3))
    opinions = [
        pool.soften(each / each.sum(axis=1, keepdims=True), given)
        for each in (timid, honest, shouting)
    ]
    assert trust.calibration_weights(opinions, given).tolist() == [0, 1, 0]
    assert trust.calibration_weights(opinions[::2], given).sum() == 1  # the better of two bad ones


def original(scores):
    return trust.redundancy_weights(trust.likeness(scores))


def test_rankings_that_repeat_each_other_share_one_voice():
    rng = np.random.default_rng(0)
    truth = rng.random(400) < 0.2
    heads = truth + 0.8 * rng.standard_normal(400)
    other = truth + 0.8 * rng.standard_normal(400)
    repeated = [heads + 0.01 * rng.standard_normal(400) for _ in range(3)]
    missing = np.full(400, np.nan)
    voices = original(np.stack([*repeated, other, -heads, missing]))
    np.testing.assert_allclose(voices[:3], 1 / 3, rtol=0.02)
    np.testing.assert_allclose(voices[3:], 1, atol=0.02)  # others, its opposite, and no opinion
    np.testing.assert_allclose(original(np.stack([heads, 3 * heads + 7])), 1)
    # a transformation of the scores that keeps their order changes nothing
    curved = np.stack([np.exp(repeated[0]), repeated[1] ** 3, repeated[2], other])
    np.testing.assert_allclose(original(curved), voices[:4], rtol=0.02)
    np.testing.assert_array_equal(original(np.zeros((3, 0))), 1)


def test_only_some_of_very_many_rows_are_compared(monkeypatch):
    rng = np.random.default_rng(1)
    scores = rng.standard_normal((3, 1000))
    scores[1] = scores[0]
    monkeypatch.setattr(trust, "_COMPARED_ROWS", 300)
    np.testing.assert_allclose(original(scores), [0.5, 0.5, 1], atol=0.02)


def test_a_bias_that_methods_share_is_no_evidence():
    """Both call a rare class wrong; in what they see in the images they have nothing in common."""
    rng = np.random.default_rng(2)
    given = np.repeat([0, 1, 2], [600, 300, 100])
    biased = 30 * given + rng.standard_normal((2, 1000))
    assert trust.likeness(biased)[0, 1] > 0.05
    within = trust.within_classes(biased, given)
    assert trust.likeness(within)[0, 1] < 0.01
    for c in range(3):
        np.testing.assert_allclose(within[:, given == c].mean(axis=1), 0, atol=1e-9)
        order = np.argsort(biased[0, given == c])
        assert (np.diff(within[0, given == c][order]) > 0).all()
    biased[0, 5] = np.nan
    assert np.isnan(trust.within_classes(biased, given)[0, 5])


def test_how_many_voices_there_are():
    alone, same = np.eye(2), np.ones((2, 2))
    half = np.array([0.5, 0.5])
    assert trust.effective_number(half, alone) == 2
    assert trust.effective_number(half, same) == 1
    thrice = np.array([[1.0, 0, 0], [0, 1, 1], [0, 1, 1]])
    assert trust.effective_number(np.array([0.5, 0.25, 0.25]), thrice) == 2
