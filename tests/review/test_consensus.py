"""The joint ranking: by hand, under broken methods, bad values, many classes, and on real labels.

"Section 11" is that of the project's review science notes; its tests 7 and 14 are named so here.
"""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from lnl_core.review import chances, consensus, metrics, pool, trust
from lnl_core.types import Signals, TopProbs
from tests.conftest import shared
from tests.review.opinions import ARRAYS, broken, check, opinion, planted, three_methods


def test_normal_scores_by_hand():
    # Ranks 1, 2.5, 2.5, 4 of four known values; the unknown one is in the middle.
    z = trust.normal_scores(np.array([0.1, 0.5, np.nan, 0.5, 0.9]))
    expected = norm.ppf(np.array([0.125, 0.5, 0.5, 0.5, 0.875]))
    np.testing.assert_allclose(z, expected, atol=1e-12)


def test_summa_finds_the_auc_of_independent_methods():
    rng = np.random.default_rng(0)
    wrong = rng.random(40_000) < 0.5
    scores = np.stack([wrong * gap + rng.normal(size=wrong.size) for gap in (2, 1, 0.5, 0)])
    found = trust.summa(scores)
    above = np.array([metrics.auroc(wrong, row) - 0.5 for row in scores])
    np.testing.assert_allclose(found / found.max(), above / above.max(), atol=0.03)


def test_section_11_test_7_order_keeping_change_of_scale():
    """Normal scores, and so the ranking, are unchanged by exp or cube of any method."""
    labels, _, _, made = planted()
    plain = three_methods(labels, made)
    scores = [Signals(each.method, each.suspicion) for each in plain]
    bent = [
        Signals(scores[0].method, np.exp(scores[0].suspicion - 1)),
        Signals(scores[1].method, scores[1].suspicion ** 3),
        scores[2],
    ]
    for before, after in zip(scores, bent, strict=True):
        np.testing.assert_allclose(
            trust.normal_scores(before.suspicion), trust.normal_scores(after.suspicion)
        )
    first, second = consensus.rank(scores, labels, 5), consensus.rank(bent, labels, 5)
    np.testing.assert_array_equal(first.order, second.order)
    assert first.weights == pytest.approx(second.weights)


def test_section_11_test_7_noise_and_inverted_methods_weigh_nothing():
    labels, _, _, made = planted()
    good = three_methods(labels, made)
    upside_down = Signals("inverted", 1 - good[0].suspicion)
    ranking = consensus.rank([*good, broken(labels, 5), upside_down], labels, 5)
    assert ranking.weights["broken"] < 0.03
    assert ranking.weights["inverted"] < 0.03
    scores = np.stack([*(e.suspicion for e in good), upside_down.suspicion])
    assert trust.summa(scores)[3] == 0


def test_broken_methods_cost_almost_nothing():
    labels, truth, wrong, made = planted()
    good = three_methods(labels, made)
    alone = consensus.rank(good, labels, 5)
    upset = consensus.rank([*good, broken(labels, 5)], labels, 5)
    before = metrics.average_precision(wrong, alone.suspicion)
    assert metrics.average_precision(wrong, upset.suspicion) > before - 0.01
    assert upset.noise_rate == pytest.approx(alone.noise_rate, abs=0.02)
    right = metrics.suggestion_accuracy(wrong, alone.suggested_labels, truth)
    assert metrics.suggestion_accuracy(wrong, upset.suggested_labels, truth) > right - 0.02


def louder(probs, power):
    powered = np.maximum(probs, 1e-12) ** power
    return powered / powered.sum(axis=1, keepdims=True)


def memorised(labels, k, seed=4):
    """A network that learned the given labels by heart."""
    probs = np.random.default_rng(seed).dirichlet(np.full(k, 0.3), len(labels)) * 5e-4
    probs[np.arange(len(labels)), labels] += 1 - 5e-4
    return opinion("memorised", probs, labels)


def test_a_method_surer_than_the_others_bear_out_is_turned_down():
    labels, _, _, made = planted()
    good = [louder(made(2, i), 0.5) for i in range(3)]
    by_heart = memorised(labels, 5).pred_probs
    shouting = louder(made(0.3, 5), 8)
    nonsense = broken(labels, 5).pred_probs
    for bad in (by_heart, shouting, nonsense):
        votes = trust.overconfidence_weights([*good, bad], np.ones(4))
        assert votes[:3].min() > 0.95
        assert votes[3] < 0.35
    timid = louder(made(2, 3), 0.15)
    assert trust.overconfidence_weights([*good, timid], np.ones(4)).min() > 0.95
    assert trust.overconfidence_weights([good[0], nonsense], np.ones(2)).tolist() == [
        1,
        1,
    ]  # who can tell?


def test_a_network_that_memorised_the_labels_costs_little():
    labels, _, wrong, made = planted()
    good = three_methods(labels, made)
    before = metrics.average_precision(wrong, consensus.rank(good, labels, 5).suspicion)
    ranking = consensus.rank([*good, memorised(labels, 5)], labels, 5)
    assert metrics.average_precision(wrong, ranking.suspicion) > before - 0.02


def test_pooling_beats_every_single_method():
    labels, _, wrong, made = planted()
    methods = three_methods(labels, made)
    pooled = metrics.average_precision(wrong, consensus.rank(methods, labels, 5).suspicion)
    singles = [
        metrics.average_precision(wrong, consensus.rank([each], labels, 5).suspicion)
        for each in methods
    ]
    assert pooled > max(singles) + 0.05


def test_the_mean_probability_is_the_noise_rate():
    labels, _, wrong, made = planted(rate=0.15)
    ranking = consensus.rank(three_methods(labels, made), labels, 5)
    assert ranking.suspicion.mean() == pytest.approx(ranking.noise_rate, abs=1e-6)
    assert ranking.noise_rate == pytest.approx(wrong.mean(), abs=0.05)
    assert metrics.calibration_error(wrong, ranking.p_wrong) < 0.1


def test_two_rows_by_hand():
    """One method, two classes, two rows: log odds, transition prior and slope in numbers."""
    probs = np.array([[0.8, 0.2], [0.9, 0.1]])
    ranking = consensus.rank([opinion("only", probs, np.array([0, 0]))], np.array([0, 0]), 2)
    assert ranking.order.tolist() == [0, 1]
    # Two rows show no wrong labels, against ten of the class given of which as many are wrong as
    # in two that are not contradicted and ten of which one is wrong.
    assert ranking.noise_rate == pytest.approx(10 * (10 * consensus.UNKNOWN_RATE / 12) / 12)
    assert ranking.suspicion.mean() == pytest.approx(ranking.noise_rate)
    # Nothing is known to be flipped, so one is added to each cell of [[2, 0], [0, 0]].
    np.testing.assert_allclose(ranking.transition_matrix, [[3 / 4, 1 / 4], [1 / 2, 1 / 2]])
    odds = np.log(ranking.suspicion / (1 - ranking.suspicion))
    usual = chances.SLOPE + chances.STEEPER * ranking.noise_rate
    # Both labels are right, so the model makes classes as sharp as may be, eight times; odds of
    # 1 : 4 and 1 : 9 are then 8 log(9 / 4) apart, and its own slope is half of that.
    told = 4 * np.log(9 / 4)
    assert odds[0] - odds[1] == pytest.approx(2 * np.sqrt(usual * told), rel=1e-3)


@settings(max_examples=20, deadline=None)
@given(st.permutations(range(5)), st.integers(0, 1000))
def test_the_order_of_methods_does_not_matter(order, seed):
    labels, _, _, made = planted(60, 4, seed=seed)
    methods = [
        *(opinion(f"method {i}", made(1.5, i), labels) for i in range(3)),
        Signals("score", np.random.default_rng(seed).random(60)),
        broken(labels, 4),
    ]
    first = consensus.rank(methods, labels, 4)
    second = consensus.rank([methods[i] for i in order], labels, 4)
    for name in (*ARRAYS, "transition_matrix"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))
    assert first.weights == second.weights


def test_scores_alone_suggest_the_frequent_classes():
    labels = np.array([0] * 6 + [1] * 3 + [2] * 2 + [3])
    suspicion = np.linspace(0, 0.6, 12)
    ranking = consensus.rank([Signals("score", suspicion)], labels, 4)
    check(ranking, labels, 4)
    assert ranking.order.tolist() == list(range(11, -1, -1))
    assert ranking.top_labels[0].tolist() == [1, 2, 3]
    assert ranking.top_labels[11].tolist() == [0, 1, 2]
    np.testing.assert_allclose(ranking.top_probs[0], [3 / 6, 2 / 6, 1 / 6], rtol=1e-6)
    assert ranking.noise_rate == pytest.approx(2 / 12)  # two lie above one half


def test_a_rank_as_score_says_nothing_about_the_noise_rate():
    labels = np.arange(100) % 3
    ranking = consensus.rank([Signals("rank", np.linspace(0, 1, 100))], labels, 3)
    assert ranking.noise_rate == pytest.approx(consensus.UNKNOWN_RATE)


def test_a_score_only_method_moves_the_ranking():
    labels, _, wrong, made = planted()
    probs = three_methods(labels, made)[:2]
    hint = Signals("hint", np.clip(wrong * 0.6 + 0.4 * np.linspace(0, 1, len(wrong)), 0, 1))
    with_hint = consensus.rank([*probs, hint], labels, 5)
    before = metrics.average_precision(wrong, consensus.rank(probs, labels, 5).suspicion)
    assert metrics.average_precision(wrong, with_hint.suspicion) > before + 0.02


def test_trusted_rows_come_last():
    labels, _, wrong, made = planted()
    methods = three_methods(labels, made)
    trusted = np.zeros(len(labels), bool)
    trusted[np.flatnonzero(wrong)[:40]] = True
    ranking = consensus.rank(methods, labels, 5, trusted)
    check(ranking, labels, 5)
    assert set(ranking.order[-40:].tolist()) == set(np.flatnonzero(trusted).tolist())
    assert (ranking.p_wrong[trusted] == np.float32(0.001)).all()
    everything = consensus.rank(methods, labels, 5, np.ones(len(labels), bool))
    check(everything, labels, 5)
    assert everything.noise_rate == 0


def test_a_constant_score_weighs_nothing():
    labels, _, _, made = planted(300)
    flat = Signals("flat", np.full(300, 0.5), np.full((300, 5), 0.2))
    good = opinion("good", made(1.5, 0), labels)
    ranking = consensus.rank([good, flat], labels, 5)
    check(ranking, labels, 5)
    assert ranking.weights == {"good": 1, "flat": 0}
    alone = consensus.rank([good], labels, 5)
    np.testing.assert_array_equal(ranking.order, alone.order)
    everywhere = consensus.rank([flat], labels, 5)
    check(everywhere, labels, 5)


def test_values_that_are_not_finite_are_no_opinion():
    labels, _, wrong, made = planted()
    methods = three_methods(labels, made)
    hurt = consensus.rank(methods, labels, 5)
    methods[0].suspicion[::7] = np.nan
    methods[0].pred_probs[::7] = np.nan
    methods[1].pred_probs[::11, 2] = np.inf
    ranking = consensus.rank(methods, labels, 5)
    check(ranking, labels, 5)
    whole = metrics.average_precision(wrong, hurt.suspicion)
    assert metrics.average_precision(wrong, ranking.suspicion) > whole - 0.08


@pytest.mark.parametrize("n", [0, 1, 2, 3])
@pytest.mark.parametrize("k", [1, 2, 3, 4, 150])
@pytest.mark.parametrize("kind", ["probs", "top", "score", "mixed"])
def test_hardly_any_rows_or_classes(n, k, kind):
    rng = np.random.default_rng(n)
    labels = rng.integers(0, k, n)
    dense = rng.dirichlet(np.ones(k), n) if n else np.zeros((0, k))
    keep = min(10, k)
    top = np.argsort(-dense, axis=1)[:, :keep]
    sparse = TopProbs(top, np.take_along_axis(dense, top, axis=1), k)
    suspicion = rng.random(n)
    signals = {
        "probs": [Signals("a", suspicion, dense)],
        "top": [Signals("a", suspicion, sparse)],
        "score": [Signals("a", suspicion)],
        "mixed": [
            Signals("a", suspicion, sparse),
            Signals("b", suspicion[::-1].copy(), dense),
            Signals("c", suspicion),
        ],
    }[kind]
    check(consensus.rank(signals, labels, k), labels, k)


def top_of(probs, keep):
    classes = np.argsort(-probs, axis=1)[:, :keep]
    return TopProbs(classes, np.take_along_axis(probs, classes, axis=1), probs.shape[1])


def test_top_probabilities_rank_like_dense_ones():
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 120, 900)
    voices = []
    for key in "abc":
        probs = rng.dirichlet(np.full(120, 0.05), 900)
        voices.append((key, top_of(probs, 10)))
    spread = [(key, probs.dense(slice(None))) for key, probs in voices]
    suspicion = {key: rng.random(900) for key in "abc"}
    sparse = consensus.rank([Signals(k, suspicion[k], p) for k, p in voices], labels, 120)
    dense = consensus.rank([Signals(k, suspicion[k], p) for k, p in spread], labels, 120)
    np.testing.assert_allclose(sparse.suspicion, dense.suspicion, rtol=2e-3)
    np.testing.assert_allclose(sparse.transition_matrix, dense.transition_matrix, rtol=1e-5)
    assert (sparse.suggested_labels == dense.suggested_labels).mean() > 0.99
    for how in (pool.linear, pool.logarithmic):
        weights = np.array([0.5, 0.2, 0.3])
        np.testing.assert_allclose(
            how([pool.Opinion(p, 1.7) for _, p in voices], weights, slice(3, 40)),
            how([pool.Opinion(p, 1.7) for _, p in spread], weights, slice(3, 40)),
            rtol=2e-4,
            atol=1e-7,
        )


def test_an_overconfident_method_is_softened_and_a_memorising_one_not_sharpened():
    rng = np.random.default_rng(4)
    labels = rng.integers(0, 5, 4_000)
    logits = rng.normal(size=(4_000, 5)) + 1.5 * np.eye(5)[labels]
    honest = np.exp(logits * 1.5)  # at its own scale: 1.5 times the shift, by Bayes' rule
    honest /= honest.sum(axis=1, keepdims=True)
    shouting = honest**3
    shouting /= shouting.sum(axis=1, keepdims=True)
    assert pool.soften(honest, labels).temperature < 1.1
    assert 2.5 < pool.soften(shouting, labels).temperature < 3.5
    assert pool.soften(np.eye(5)[labels], labels).temperature == 1.0


def test_memory_does_not_grow_with_rows_times_classes():
    n, k = 20_000, 1_000
    rng = np.random.default_rng(0)
    labels = rng.integers(0, k, n)
    signals = []
    for key in "ab":
        classes = (rng.integers(0, k, n)[:, None] + np.arange(10) * 7) % k
        classes[: n * 9 // 10, 0] = labels[: n * 9 // 10]
        probs = np.tile(np.linspace(0.3, 0.02, 10, dtype=np.float16), (n, 1))
        signals.append(Signals(key, rng.random(n), TopProbs(classes, probs, k)))
    tracemalloc.start()
    ranking = consensus.rank(signals, labels, k)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    check(ranking, labels, k)
    assert peak < 60e6  # dense would be 160 MB for one method in float64


def test_what_cannot_be_ranked_is_refused():
    one = Signals("a", np.zeros(3))
    with pytest.raises(ValueError, match="at least one method"):
        consensus.rank([], np.zeros(3, int), 2)
    with pytest.raises(ValueError, match="each method may come once"):
        consensus.rank([one, one], np.zeros(3, int), 2)
    with pytest.raises(ValueError, match="3 scores for 4"):
        consensus.rank([one], np.zeros(4, int), 2)


@pytest.mark.parametrize(
    ("which", "least_ap", "least_right"),
    [("aggre_label", 0.48, 0.59), ("random_label1", 0.66, 0.64), ("worse_label", 0.79, 0.59)],
)
def test_real_human_errors(which, least_ap, least_right):
    """The out-of-fold probabilities of one network trained on the given labels of real people."""
    data = np.load(shared("cifar10n_dev.npz"))
    probs = np.load(shared("cifar10n_dev_oof_probs.npz"))[which].astype(np.float64)
    labels, truth = data[which].astype(int), data["clean_label"].astype(int)
    wrong = labels != truth
    ranking = consensus.rank([opinion("network", probs, labels)], labels, 10)
    check(ranking, labels, 10)
    assert metrics.average_precision(wrong, ranking.suspicion) > least_ap
    assert metrics.suggestion_accuracy(wrong, ranking.suggested_labels, truth) > least_right
    assert metrics.suggestion_accuracy(wrong, ranking.top_labels, truth) > 0.87
