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


def test_rankings_that_repeat_each_other_share_one_voice():
    rng = np.random.default_rng(0)
    truth = rng.random(400) < 0.2
    heads = truth + 0.8 * rng.standard_normal(400)
    other = truth + 0.8 * rng.standard_normal(400)
    repeated = [heads + 0.01 * rng.standard_normal(400) for _ in range(3)]
    missing = np.full(400, np.nan)
    voices = trust.originality(np.stack([*repeated, other, -heads, missing]))
    np.testing.assert_allclose(voices[:3], 1 / 3, rtol=0.02)
    np.testing.assert_allclose(voices[3:], 1, atol=0.02)  # others, its opposite, and no opinion
    np.testing.assert_allclose(trust.originality(np.stack([heads, 3 * heads + 7])), 1)
    # a transformation of the scores that keeps their order changes nothing
    curved = np.stack([np.exp(repeated[0]), repeated[1] ** 3, repeated[2], other])
    np.testing.assert_allclose(trust.originality(curved), voices[:4], rtol=0.02)
    np.testing.assert_array_equal(trust.originality(np.zeros((3, 0))), 1)


def test_only_some_of_very_many_rows_are_compared(monkeypatch):
    rng = np.random.default_rng(1)
    scores = rng.standard_normal((3, 1000))
    scores[1] = scores[0]
    monkeypatch.setattr(trust, "_COMPARED_ROWS", 300)
    np.testing.assert_allclose(trust.originality(scores), [0.5, 0.5, 1], atol=0.02)
