"""The simulated reviews of `benchmarks/coverage.py` and `benchmarks/fallible.py`."""

import numpy as np
import pytest

from benchmarks import coverage, fallible
from lnl_core.review.evidence import Evidence


def test_totals_above_the_true_one_change_nothing_that_is_said_against_it() -> None:
    rng = np.random.default_rng(0)
    short, whole = Evidence(np.arange(31)), Evidence(np.arange(301))
    unreviewed, found = 300, 0
    for _ in range(60):
        wrong = bool(rng.random() < (30 - found) / unreviewed)
        for said in (short, whole):
            said.draw(unreviewed, found, wrong)
        unreviewed, found = unreviewed - 1 - 3, found + int(wrong)
    assert short.above[30] == pytest.approx(whole.above[30])
    assert short.peak_above[30] == pytest.approx(whole.peak_above[30])


@pytest.mark.parametrize(("n", "wrong"), [(60, 1), (90, 15), (80, 32)])
def test_the_fast_bet_wins_what_the_evidence_says(n: int, wrong: int) -> None:
    rng = np.random.default_rng(n)
    bet, said = coverage.Bet(wrong), Evidence(np.arange(wrong + 1))
    open_, found = n, 0
    while open_:
        for hit in (True, False):
            if (wrong - found if hit else open_ - wrong + found) > 0:
                told = said.forecast(open_, found, 1, hit, wrong)
                assert bet.forecast(open_, found, hit) == pytest.approx(told, abs=1e-8)
        drawn = bool(rng.random() * open_ < wrong - found)
        for each in (bet, said):
            each.draw(open_, found, drawn)
        assert bet.now == pytest.approx(said.above[-1], abs=1e-8)
        assert bet.peak == pytest.approx(said.peak_above[-1], abs=1e-8)
        open_, found = open_ - 1, found + int(drawn)
        if open_ > 2 and rng.random() < 0.7:  # the queue takes one; else draws follow each other
            taken = bool(rng.random() * open_ < wrong - found)
            open_, found = open_ - 1, found + int(taken)


@pytest.mark.parametrize("queue", ["static", "hostile"])
def test_a_limit_is_hardly_ever_false(queue: str) -> None:
    row = coverage.ever_wrong(120, 0.17, queue, reviews=60, seed=0)
    assert row["low"] <= 0.05
    assert row["draws"] > 23  # every fifth image


@pytest.mark.parametrize("queue", ["pages", "late", "changed", "share"])
def test_nor_where_draws_wait_for_their_page_are_put_off_or_the_set_changes(queue: str) -> None:
    row = coverage.ever_wrong(300, 0.4, queue, reviews=60, seed=0)
    assert row["low"] <= 0.05
    assert row["draws"] > 5


def test_the_whole_risk_for_every_state_of_a_set_would_be_found_out() -> None:
    ours = coverage.ever_wrong(300, 0.17, "changed", reviews=300, seed=0)
    before = coverage.ever_wrong(300, 0.17, "changed", reviews=300, seed=0, old=True)
    assert ours["false"] < 0.05 * 300 < before["false"]


def test_bets_with_a_wrong_chance_would_be_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = coverage.Bet.draw
    monkeypatch.setattr(
        coverage.Bet, "draw", lambda bet, open_, found, hit: draw(bet, open_, found, False)
    )
    assert coverage.ever_wrong(300, 0.4, "static", reviews=30, seed=0)["low"] > 0.05


def test_a_reviewer_who_misses_makes_the_plain_limit_false_but_not_the_corrected_one() -> None:
    each = [fallible.review(300, 0.17, seed, 0.93, 0.02) for seed in range(12)]
    assert sum(plain for plain, *_ in each) >= 10
    assert sum(corrected for _, corrected, *_ in each) == 0
