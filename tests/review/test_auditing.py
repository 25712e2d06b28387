"""Limits of what is left, against enumeration and simulation."""

import copy

import numpy as np
import pytest
from scipy.stats import binom, hypergeom

from lnl_core.review import auditing, comparison
from lnl_core.review.evidence import Audit, Evidence, possible_totals


def audit(unreviewed, found, wrong, route="audit"):
    wrong = np.asarray(wrong, bool)
    return Audit(np.asarray(unreviewed), np.asarray(found), wrong, (route,) * len(wrong))


def test_the_exact_limit_covers_every_population():
    """Review_science test 1: every R = 0..80 (U = 80, n = 20), and the limit at none seen."""
    limit = np.array([auditing.exact_upper(80, 20, x) for x in range(21)])
    two = [  # the lower limit of wrong labels is the upper one of right labels
        (80 - auditing.exact_upper(80, 20, 20 - x, 0.025), auditing.exact_upper(80, 20, x, 0.025))
        for x in range(21)
    ]
    for errors in range(81):
        chance = hypergeom.pmf(np.arange(21), 80, errors, 20)
        assert chance[limit >= errors].sum() >= 0.95
        inside = np.array([low <= errors <= high for low, high in two])
        assert chance[inside].sum() >= 0.95
    assert limit[0] < 80 - 20
    assert limit[20] == 80


def test_the_live_likelihood_without_a_queue_is_the_hypergeometric_one():
    """Review_science test 2: equal up to a constant, to 1e-8."""
    rng = np.random.default_rng(0)
    labels = rng.permutation(np.arange(90) < 13)[:25]
    found = np.r_[0, np.cumsum(labels)[:-1]]
    last = Evidence.of(audit(90 - np.arange(25), found, labels), np.arange(91)).likelihood
    exact = hypergeom.logpmf(labels.sum(), 90, np.arange(91), 25)
    possible = np.isfinite(exact)
    np.testing.assert_array_equal(np.isfinite(last), possible)
    gap = last[possible] - exact[possible]
    np.testing.assert_allclose(gap, gap[0], atol=1e-8)


def project(rng, size=100, errors=9):
    """A review whose queue works against its audits: its looks, and what is truly left at its end.

    The scores do not see the errors, and after an audit that found one the queue shows more of
    what is fine, so that what remains grows worse than the audits say.
    """
    wrong = np.zeros(size, bool)
    wrong[rng.choice(size, errors, replace=False)] = True
    open_ = np.ones(size, bool)
    found, draws, looks = 0, [], []
    said = Evidence(np.arange(size + 1))
    while open_.any():
        rows = np.flatnonzero(open_)
        row = rng.choice(rows)
        draws.append(bool(wrong[row]))
        said.draw(len(rows), found, bool(wrong[row]))
        open_[row] = False
        found += wrong[row]
        unread, n, x = int(open_.sum()), len(draws), sum(draws)
        limits = auditing.live_limits(said, found, found + unread)
        naive = auditing.exact_upper(unread + n, n, x) - x
        looks.append((limits, found, errors - found, naive))
        rank = np.where(open_, wrong + rng.random(size), np.inf)
        for other in np.argsort(rank)[: min(unread, 1 + 2 * bool(wrong[row]))]:
            open_[other] = False
            found += wrong[other]
    limits = auditing.live_limits(said, found, found)
    return looks, limits.limit - found


@pytest.mark.slow
def test_the_live_bound_holds_at_every_look_and_a_naive_one_does_not():
    """Review_science tests 3 and 4: an adaptive queue, 400 runs, looked at after every audit."""
    rng = np.random.default_rng(1)
    live = two = naive = 0
    for _ in range(400):
        looks, end = project(rng)
        assert end == 0  # everything reviewed: nothing is left
        live += any(limits.limit - found < left for limits, found, left, _ in looks)
        two += any(
            not limits.low <= found + left <= limits.high for limits, found, left, _ in looks
        )
        naive += any(exact < left for *_, left, exact in looks)
    bound = 400 * (0.05 + 3 * np.sqrt(0.05 * 0.95 / 400))
    assert live <= bound
    assert two <= bound
    assert naive > bound  # the harness can tell a limit that does not hold


def test_a_coarse_grid_stays_on_the_safe_side():
    rng = np.random.default_rng(2)
    size, n = 30_000, 300
    wrong = rng.random(n) < 0.3
    found = np.r_[0, np.cumsum(wrong)[:-1]]
    drawn = audit(size - np.arange(n), found, wrong)
    every, some = np.arange(size + 1), possible_totals(size)
    assert len(some) < 8200
    (fine, coarse) = (
        auditing.live_limits(
            Evidence.of(drawn, totals), int(wrong.sum()), size - n + int(wrong.sum())
        )
        for totals in (every, some)
    )
    assert fine.limit - 20 <= coarse.limit <= fine.limit + 60
    assert coarse.limit >= fine.limit - 1
    assert abs(coarse.mean - fine.mean) < 10
    assert coarse.low <= fine.low + 1
    assert coarse.high >= fine.high - 1


def test_before_any_draw_nothing_is_excluded():
    limits = auditing.live_limits(Evidence(np.arange(101)), 3, 98)
    assert (limits.low, limits.high, limits.limit) == (3, 98, 98)


def test_more_clean_audits_come_closer_to_a_certificate():
    totals = possible_totals(8000)
    needed = []
    for n in (50, 150):
        drawn = audit(8000 - np.arange(n), np.zeros(n), np.zeros(n))
        now = Evidence.of(drawn, totals)
        needed.append(auditing.audits_needed(now, 0, 8000 - n, 80, 0.0))
    assert needed[0] - needed[1] == pytest.approx(100, abs=2)
    done = audit(8000 - np.arange(50 + needed[0]), *np.zeros((2, 50 + needed[0])))
    limit = auditing.live_limits(Evidence.of(done, totals), 0, 8000 - len(done)).limit
    assert 78 <= limit <= 80
    assert auditing.audits_needed(now, 0, 7850, 80, 90.0) is None


@pytest.mark.parametrize(
    ("size", "found", "unreviewed", "needed"),
    [(8000, 700, 6000, 274), (50_000, 4000, 40_000, 301), (8000, 3200, 3500, 159)],
)
def test_where_the_queue_worked_first_no_weight_lies_on_what_it_ruled_out(
    size, found, unreviewed, needed
):
    """Review science 5.3: clean audits to the goal of 1 %; mass below `found` takes 554."""
    said = Evidence(possible_totals(size))
    count = 0
    while auditing.live_limits(said, found, found + unreviewed - count).limit - found > size // 100:
        said.draw(unreviewed - count, found, False)
        count += 1
    assert count == pytest.approx(needed, abs=1)
    fresh = Evidence(possible_totals(size))
    planned = auditing.audits_needed(fresh, found, unreviewed, size // 100, 0.0)
    assert planned == pytest.approx(needed, abs=2)


def test_the_bets_against_the_truth_are_a_martingale_at_every_draw():
    """What a draw is expected to win against the true total is 1, whatever came before it."""
    rng = np.random.default_rng(4)
    said, true, found, unreviewed = Evidence(np.arange(121)), 18, 0, 120
    while found < true:
        rho = (true - found) / unreviewed
        wins = []
        for wrong in (True, False):
            tried = copy.deepcopy(said)
            tried.draw(unreviewed, found, wrong)
            wins.append(np.exp([tried.above[true] - said.above[true],
                                tried.around[true] - said.around[true]]))  # fmt: skip
        expected = rho * np.nan_to_num(wins[0]) + (1 - rho) * np.nan_to_num(wins[1])
        np.testing.assert_allclose(expected, 1, rtol=1e-9)
        wrong = bool(rng.random() < rho)
        said.draw(unreviewed, found, wrong)
        found, unreviewed = found + wrong, unreviewed - 1
        if found < true and rng.random() < 0.5:  # the queue finds one of the others
            found, unreviewed = found + 1, unreviewed - 1


def test_an_early_stroke_of_luck_does_not_certify_for_good():
    """Thirty clean draws where a sixth is wrong, then draws as they are: the limit rises again."""
    said = Evidence(possible_totals(8000))
    found, unreviewed = 0, 8000
    for n in range(140):
        wrong = n >= 35 and n % 6 == 0
        said.draw(unreviewed, found, wrong)
        found, unreviewed = found + wrong + (7 if n % 2 else 8), unreviewed - 9
    limits = auditing.live_limits(said, found, found + unreviewed)
    assert limits.mean - found > 100
    assert limits.low <= limits.mean <= limits.limit


def test_a_plan_leaves_the_queue_when_chance_certifies_sooner():
    rng = np.random.default_rng(5)
    said = Evidence(possible_totals(4000))
    p = np.sort(np.r_[rng.uniform(0.5, 1, 300), rng.uniform(0, 0.01, 3700)])[::-1]
    first = auditing.plan(said, 0, p, 40)
    assert 200 <= first.queue <= 400  # past what pays, not past what does not
    assert auditing.plan(said, 225, p[300:], 40).queue < 60
    later = auditing.plan(said, 225, p[300:], 40)
    assert later.total < first.total
    assert auditing.plan(said, 0, p, 4000).total == 0  # anything goes
    hopeless = auditing.plan(said, 0, np.full(4000, 0.5), 0)
    assert hopeless.total == 4000


def test_the_rate_covers_the_truth_and_scores_narrow_it():
    """Section 6.3: with 300 audits PPI++ covers about 95 % and is narrower than the binomial."""
    rng = np.random.default_rng(3)
    size, hits, widths = 4000, 0, []
    wrong = rng.random(size) < 0.15
    score = np.clip(0.12 + 0.6 * wrong + 0.1 * rng.normal(size=size), 0, 1)
    for _ in range(400):
        rows = rng.choice(size, 300, replace=False)
        drawn = audit(np.full(300, size), np.zeros(300), wrong[rows])
        rate = auditing.noise_rate(drawn, size, score[rows], None, float(score.sum()))
        plain = auditing.noise_rate(drawn, size)
        assert (rate.method, plain.method) == ("ppi++", "clopper-pearson")
        hits += rate.low <= wrong.mean() <= rate.high
        widths.append((rate.high - rate.low) / (plain.high - plain.low))
    assert binom.cdf(hits, 400, 0.95) > 0.001
    assert np.mean(widths) < 0.8


def test_the_rate_counts_what_the_queue_found_before_each_draw():
    """Half of the set was reviewed with 30 errors found; draws from the rest find one in ten."""
    drawn = audit(np.full(100, 500), np.full(100, 30), np.arange(100) < 10)
    rate = auditing.noise_rate(drawn, 1000)
    assert rate.share == pytest.approx((30 + 50) / 1000)
    assert rate.low < 0.06
    assert rate.high > 0.1


def test_few_audits_or_few_errors_take_the_exact_interval():
    score = np.linspace(0, 1, 300)
    for n, errors in ((199, 50), (300, 9)):
        drawn = audit(np.full(n, 4000), np.zeros(n), np.arange(n) < errors)
        assert auditing.noise_rate(drawn, 4000, score[:n], None, 2.0).method == "clopper-pearson"
    with pytest.raises(ValueError, match="at least one"):
        auditing.noise_rate(audit([], [], []), 10)


@pytest.mark.parametrize("route", ["queue", "import", "gold"])
def test_nothing_is_computed_from_rows_that_chance_did_not_draw(route):
    """Review_science test 13: merging routes raises; a certificate from `queue` rows raises."""
    with pytest.raises(ValueError, match=f"routes {route}"):
        audit([10, 9], [0, 0], [True, False], route)
    with pytest.raises(ValueError, match="drawn at random"):
        Audit(np.array([10, 9]), np.zeros(2), np.zeros(2, bool), ("audit", route))


@pytest.mark.parametrize(
    ("since", "answered", "places"),
    [(0, 0, [4, 9, 14]), (3, 99, [1, 6, 11, 16]), (9, 0, [0, 5, 10, 15]), (0, 100, [19]),
     (18, 100, [1]), (50, 400, [0])],
)  # fmt: skip
def test_every_fifth_image_is_drawn_then_every_twentieth(since, answered, places):
    found = auditing.audit_slots(since, answered, 20)
    assert found[: len(places)] == places
    assert set(np.diff(found)) <= {5 if answered < 100 else 20}


@pytest.mark.slow
def test_compare_is_unbiased_on_sixty_audits_and_its_interval_mostly_holds():
    """What Compare makes of every fifth image at random: 200 reviews of one set.

    The errors' total has no bias beyond chance; the bootstrap interval of the average precision
    holds in about nine of ten reviews.
    """
    n, rng = 600, np.random.default_rng(5)
    wrong = rng.random(n) < 0.15
    score = np.clip(0.3 * rng.random(n) + 0.4 * (wrong & (rng.random(n) < 0.7)), 0, 1)
    truth = np.where(wrong, 1, 0)
    given, everything = np.zeros(n, int), np.ones(n, bool)
    whole = comparison.known(given, truth, everything)
    ap = comparison.detect(score, whole, comparison.resamples(whole)).ap
    queue, covered, totals = np.argsort(-score, kind="stable"), 0, []
    for _ in range(200):
        open_, order = np.ones(n, bool), []
        for place in range(300):
            drawn = place % 5 == 0
            row = int(rng.choice(np.flatnonzero(open_)) if drawn else queue[open_[queue]][0])
            order.append((row, drawn))
            open_[row] = False
        weights, draws = comparison.audit_weights(order, n)
        assert draws == 60
        rows = np.array([row for row, _ in order])
        weight = np.array([weights[row] for row, _ in order])
        drawn = np.array([drawn for _, drawn in order])
        sample = comparison.Sample(rows, wrong[rows], truth[rows], weight, drawn, everything)
        found = comparison.detect(score, sample, comparison.resamples(sample))
        low, high = found.interval
        covered += low <= ap <= high
        totals.append(found.total / wrong.sum())
    assert abs(np.mean(totals) - 1) < 3 * np.std(totals) / np.sqrt(200)
    assert covered >= 0.85 * 200
