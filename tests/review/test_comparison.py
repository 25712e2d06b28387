import numpy as np
import pytest

from lnl_core.review import comparison
from lnl_core.review.metrics import average_precision


def everything(wrong):
    n = len(wrong)
    given = np.zeros(n, int)
    return comparison.known(given, np.asarray(wrong).astype(int), np.ones(n, bool))


def test_rank_correlation_sees_order_only_and_a_flat_score_agrees_with_nobody():
    x = np.random.default_rng(0).normal(size=300)
    found = comparison.rank_correlation([x, np.exp(x), -x, np.ones(300)])
    assert found[0, 1] == pytest.approx(1)
    assert found[0, 2] == pytest.approx(-1)
    assert np.isnan(found[0, 3])
    tied = comparison.rank_correlation([np.array([1, 1, 2, 3.0]), np.array([1, 2, 3, 4.0])])
    assert tied[0, 1] == pytest.approx(0.9486833)  # ranks 1.5, 1.5, 3, 4


def test_overlap_is_the_share_of_the_union():
    a = np.array([9, 8, 7, 1, 1, 1.0])
    b = np.array([9, 8, 1, 7, 1, 1.0])
    assert comparison.top_overlap([a, b], 3)[0, 1] == pytest.approx(2 / 4)
    assert comparison.top_overlap([a, b], 99)[0, 1] == 1
    assert comparison.top_overlap([a, b], 0)[0, 1] == 1


def test_detection_on_the_whole_set_is_the_usual_one():
    rng = np.random.default_rng(1)
    wrong = rng.random(500) < 0.2
    score = rng.normal(size=500) + wrong
    sample = everything(wrong)
    found = comparison.detect(score, sample, comparison.resamples(sample))
    assert found.ap == pytest.approx(average_precision(wrong, score))
    assert found.found[-1] == wrong.sum() == found.total
    best = np.argsort(-score)
    assert found.at_total == pytest.approx(wrong[best[: wrong.sum()]].mean())
    assert found.first_fifth == pytest.approx(wrong[best[:100]].sum() / wrong.sum())
    reached = wrong[best[: found.to_most]].sum()
    assert reached >= 0.8 * wrong.sum() > wrong[best[: found.to_most - 1]].sum()
    low, high = found.interval
    assert low < found.ap < high < low + 0.3


def test_a_score_that_says_nothing_gets_what_chance_gives():
    wrong = np.arange(400) < 80  # in the order of the rows, which must not count
    sample = everything(wrong)
    found = comparison.detect(np.zeros(400), sample, comparison.resamples(sample))
    assert found.at_total == pytest.approx(0.2, abs=0.12)
    assert found.ap == pytest.approx(0.2, abs=0.05)


def test_no_wrong_label_no_curve():
    sample = everything(np.zeros(30, bool))
    assert comparison.detect(np.arange(30.0), sample, comparison.resamples(sample)) is None


def test_weights_sum_to_the_population_and_queue_answers_before_every_draw_stand_for_themselves():
    order = [(5, False), (6, False), (1, True), (2, True)]
    weights, draws = comparison.audit_weights(order, 100)
    assert draws == 2
    assert sum(weights.values()) == pytest.approx(100)
    assert weights[5] == weights[6] == 1
    assert weights[1] == (98 + 1) / 2
    assert weights[2] == 97 / 2


def test_answers_after_the_last_draw_say_nothing():
    weights, _ = comparison.audit_weights([(1, True), (5, False)], 50)
    assert weights == {1: 50.0, 5: 0.0}
    assert comparison.audit_weights([(5, False)], 50) == ({}, 0)


def test_weighted_totals_are_unbiased_though_the_queue_takes_the_wrong_ones_first():
    """Answers of the queue, counted like audits, would say 54 % wrong where 20 % are."""
    rng = np.random.default_rng(2)
    n = 300
    wrong = np.arange(n) < 60
    totals, naive = [], []
    for _ in range(300):
        left, order = list(range(n)), []
        for step in range(80):
            if step % 2:
                row, drawn = int(rng.choice(left)), True
            else:
                row, drawn = left[0], False  # the queue: wrong ones first
            left.remove(row)
            order.append((row, drawn))
        weights, _ = comparison.audit_weights(order, n)
        totals.append(sum(w for row, w in weights.items() if wrong[row]))
        naive.append(n * np.mean([wrong[row] for row, _ in order]))
    assert np.mean(totals) == pytest.approx(60, abs=2.5)
    assert np.mean(naive) > 150


def test_a_weighted_sample_estimates_the_curve_of_the_whole():
    rng = np.random.default_rng(3)
    n = 4000
    wrong = rng.random(n) < 0.15
    score = rng.normal(size=n) + 2 * wrong
    whole = everything(wrong)
    exact = comparison.detect(score, whole, comparison.resamples(whole))
    rows = rng.choice(n, 1200, replace=False)
    part = comparison.Sample(
        rows=rows,
        wrong=wrong[rows],
        true_labels=np.full(1200, -1),
        weight=np.full(1200, n / 1200),
        drawn=np.ones(1200, bool),
        population=np.ones(n, bool),
    )
    found = comparison.detect(score, part, comparison.resamples(part))
    assert found.total == pytest.approx(wrong.sum(), rel=0.15)
    assert found.ap == pytest.approx(exact.ap, abs=0.06)
    assert found.interval[0] < exact.ap < found.interval[1]
    assert found.to_most == pytest.approx(exact.to_most, rel=0.3)


def test_differences_are_paired():
    rng = np.random.default_rng(4)
    wrong = rng.random(400) < 0.3
    score = rng.normal(size=400) + wrong
    sample = everything(wrong)
    counts = comparison.resamples(sample)
    one = comparison.detect(score, sample, counts)
    same = comparison.detect(2 * score + 1, sample, counts)
    gap, low, high = comparison.difference(one, same)
    assert gap == pytest.approx(0)
    assert high - low < 1e-9  # unpaired, it would be as wide as the interval of either
    assert one.interval[1] - one.interval[0] > 0.05


def test_a_part_of_a_large_sample_gives_the_spread_of_the_whole(monkeypatch):
    rng = np.random.default_rng(9)
    wrong = rng.random(6000) < 0.2
    score = rng.normal(size=6000) + wrong
    sample = everything(wrong)
    whole = comparison.detect(score, sample, comparison.resamples(sample))
    monkeypatch.setattr(comparison, "RESAMPLED", 1500)
    part = comparison.detect(score, sample, comparison.resamples(sample))
    assert part.ap == whole.ap
    assert np.std(part.resampled) == pytest.approx(np.std(whole.resampled), rel=0.25)


def test_suggestions_count_by_weight_and_only_where_the_right_class_is_known():
    sample = comparison.Sample(
        rows=np.array([0, 1, 2, 3]),
        wrong=np.array([True, True, True, False]),
        true_labels=np.array([1, 2, -1, 0]),
        weight=np.array([3.0, 1.0, 50.0, 50.0]),
        drawn=np.ones(4, bool),
        population=np.ones(4, bool),
    )
    assert comparison.suggestions_right(np.array([1, 1, 1, 0]), sample) == pytest.approx(0.75)


def test_a_mixture_finds_a_small_upper_group():
    rng = np.random.default_rng(5)
    values = np.r_[rng.normal(-2, 0.7, 1900), rng.normal(1, 0.3, 100)]
    found = comparison.fit_mixture(values)
    assert found.separate
    assert found.mean == pytest.approx((-2, 1), abs=0.15)
    assert found.weight[1] == pytest.approx(0.05, abs=0.015)
    assert comparison.fit_mixture(values) == found


def test_a_pile_at_the_end_of_the_scale_is_no_group_of_its_own():
    rng = np.random.default_rng(8)
    right = np.maximum(rng.normal(-4, 1.5, 1800), -4)  # more than half of them lie at the end
    values = np.r_[right, rng.normal(0.5, 0.5, 200)]
    found = comparison.fit_mixture(values)
    upper = found.posterior(values) > 0.5
    assert upper[1800:].mean() > 0.9
    assert upper[:1800].mean() < 0.15  # with a width of its own the pile would leave a third here


def test_one_group_is_not_called_two():
    found = comparison.fit_mixture(np.random.default_rng(6).normal(size=2000))
    assert not found.separate
    assert comparison.fit_mixture(np.ones(100)) is None
    assert comparison.fit_mixture(np.arange(5.0)) is None


def test_the_chance_of_the_upper_group_never_falls():
    wide = comparison.Mixture((0.8, 0.2), (0.0, 1.0), (2.0, 0.2), True)
    chance = wide.posterior(np.linspace(-6, 6, 400))
    assert (np.diff(chance) >= 0).all()
    assert chance[0] < 0.05 < 0.5 < chance[-1]


def test_intervals_of_shares():
    low, high = comparison.binomial_interval(8, 10)
    assert (low, high) == pytest.approx((0.4439, 0.9748), abs=1e-4)
    assert comparison.binomial_interval(0, 20)[0] == 0
    assert comparison.binomial_interval(20, 20)[1] == 1
    assert comparison.binomial_interval(0, 0) == (0, 1)


def test_a_gain_on_the_same_images_is_paired():
    before = np.zeros(200, bool)
    before[:150] = True
    after = before.copy()
    after[150:160] = True
    gain, low, high = comparison.paired_difference(before, after)
    assert gain == pytest.approx(0.05)
    assert 0 < low < 0.05 < high < 0.1
    assert comparison.paired_difference(before, before)[1] < 0
