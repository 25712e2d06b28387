"""QBCB: how deep a sample of errors says that one has to go, and whether the promise is kept."""

import numpy as np
import pytest
from scipy.stats import binom, chi2

from lnl_core.review import recall


def test_the_plan_is_that_of_the_paper():
    """Review_science test 6 and table 5.3 (c)."""
    assert recall.needed(60, 0.9) == 59
    rows = {30: (26, 28, 30, None), 60: (49, 54, 59, 60), 100: (78, 87, 96, 99)}
    for r, wanted in rows.items():
        assert tuple(recall.needed(r, share) for share in (0.7, 0.8, 0.9, 0.95)) == wanted
    for r, share in ((60, 0.9), (100, 0.8), (200, 0.97)):
        j = recall.needed(r, share)
        assert binom.sf(j - 1, r, share) <= 0.05 < binom.sf(j - 2, r, share)
    least = {0.7: 9, 0.8: 14, 0.9: 29, 0.95: 59}
    for share, r in least.items():
        assert recall.needed(r, share) == r
        assert recall.needed(r - 1, share) is None


def test_the_sample_is_large_where_it_is_not_dear():
    assert recall.sample_size(0.8, 0.1, 8000) == 60
    assert recall.sample_size(0.9, 0.1, 8000) == 100
    assert recall.sample_size(0.9, 0.05, 8000) == 60  # 2,000 draws would be a quarter of it
    assert recall.needed(recall.sample_size(0.98, 0.1, 8000), 0.98) is not None
    assert recall.needed(recall.sample_size(0.9, 0.1, 8000, 0.0125), 0.9, 0.0125) is not None


def project(rng, n, errors, blind=0.3, share=0.9, r=20, follow=False):
    """One review by the desk's rules: draws among open rows, a queue between them.

    Returns the share of the errors found when the certificate is first given.
    """
    wrong = np.zeros(n, bool)
    wrong[rng.choice(n, errors, replace=False)] = True
    score = rng.normal(size=n) + 2.5 * (wrong & (rng.random(n) >= blind))
    order = np.argsort(-score)
    place = np.empty(n, int)
    place[order] = np.arange(n)
    answered, drawn = np.zeros(n, bool), np.zeros(n, bool)
    told = recall.Permutation(np.ones(n, bool), int(rng.integers(2**31)))
    j, number = recall.needed(r, share), 0
    while not answered.all():
        rows = np.flatnonzero(~answered & ~drawn)
        row = int(rng.choice(rows))
        told.draw(number, row, answered)
        drawn[row], number = True, number + 1
        answered[row] = True
        # a queue that works on between the draws, the more the better the last draw was
        many = 3 * (1 + 3 * int(wrong[row])) if follow else 2
        answered[order[~answered[order]][:many]] = True
        found = recall.first_errors(np.array(told.rows), wrong, answered, r)
        if len(found) == r:
            break
    else:
        return 1.0
    deep = recall.depth(place[found], j)
    return wrong[order[:deep]].mean() * deep / errors


@pytest.mark.parametrize("follow", [False, True])
def test_the_promise_is_kept_whatever_the_queue_does_between_the_draws(follow):
    """Twenty of thirty sampled errors; 400 reviews of 300 images each, errors half unseen."""
    rng = np.random.default_rng(1)
    share, r = 0.8, 20
    kept = [project(rng, 300, 60, share=share, r=r, follow=follow) >= share for _ in range(400)]
    assert np.mean(kept) >= 0.95 - 3 * np.sqrt(0.05 * 0.95 / 400)


def test_a_sample_that_the_queue_chose_breaks_the_promise(monkeypatch):
    """Guards the harness: without the places of answered rows the sample lies too deep or high.

    Errors that the queue finds early are missing from the draws, so what the draws hold are those
    that it does not see; counting found ones first instead is as wrong the other way.
    """
    rng = np.random.default_rng(1)

    def found_first(self, number, row, answered):
        for each in np.flatnonzero(self._left & answered).tolist():
            self._place(each)
        self._place(row)

    monkeypatch.setattr(recall.Permutation, "draw", found_first)
    kept = [project(rng, 300, 60, share=0.8, r=20, follow=True) >= 0.8 for _ in range(200)]
    assert np.mean(kept) < 0.9


def test_every_beginning_of_the_permutation_is_a_fair_sample():
    """Answered rows come as often as others, at every place."""
    seen = np.zeros((3, 12))
    for seed in range(3000):
        rng = np.random.default_rng(seed)
        told = recall.Permutation(np.ones(12, bool), seed)
        answered = np.zeros(12, bool)
        for number in range(3):
            answered[number] = True  # the queue is at 0, 1, 2
            open_ = np.flatnonzero(~answered & told._left)
            told.draw(number, int(rng.choice(open_)), answered)
            answered[told.rows] = True
        for place in range(3):
            seen[place, told.rows[place]] += 1
    for place in range(3):
        statistic = ((seen[place] - 250) ** 2 / 250).sum()
        assert statistic < chi2.isf(0.001, 11), seen[place]


def test_the_same_seed_tells_the_same_permutation():
    def told(seed):
        made = recall.Permutation(np.ones(50, bool), seed)
        for number, row in enumerate((40, 41, 42)):
            made.draw(number, row, np.arange(50) < 30)
        return made.rows

    assert told(3) == told(3)
    assert told(3) != told(4)
    assert len(set(told(3))) == len(told(3))


def test_it_is_read_until_an_answer_is_missing():
    wrong = np.array([True, False, True, True])
    known = np.array([True, True, False, True])
    rows = np.array([0, 1, 3, 2])
    assert recall.first_errors(rows, wrong, known, 9).tolist() == [0, 3]
    assert recall.first_errors(rows, wrong, known, 1).tolist() == [0]
    assert recall.first_errors(rows[::-1], wrong, known, 9).tolist() == []
    assert recall.depth(np.array([7, 2, 30]), 2) == 8
