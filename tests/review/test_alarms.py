"""Alarms about people: they ring for what was planted, and hardly ever for nothing."""

import numpy as np
import pytest

from lnl_core.review.alarms import BIAS, DRIFT, RISK, SPEED, alarming, suspicions
from lnl_core.review.measured import Look


def looks(rng, count, misses, mode="commit", who="ann"):
    return [
        Look(who, "gold", called=bool(rng.random() >= misses), wrong=True, mode=mode)
        for _ in range(count)
    ]


def exactly(count, missed, mode="commit"):
    return [Look("ann", "gold", i >= missed, wrong=True, mode=mode) for i in range(count)]


def kinds(found):
    return [each.kind for each in alarming(found)]


def test_who_follows_advice_is_told_so_with_the_numbers():
    rng = np.random.default_rng(0)
    some = exactly(60, 3) + exactly(60, 18, "assisted")
    order = rng.permutation(120)
    (found,) = alarming(suspicions("ann", [some[i] for i in order], []))
    assert (found.kind, found.seen, found.before) == (BIAS, (18, 60), (3, 60))
    assert found.words == (
        "passes over 18 of 60 wrong labels with the suggestion on the screen, 3 of 60 without"
    )


def test_who_gets_worse_and_who_gets_hasty_are_told_so():
    rng = np.random.default_rng(1)
    worse = exactly(80, 3) + exactly(50, 18)
    assert kinds(suspicions("ann", worse, [])) == [DRIFT]
    hasty = [*rng.lognormal(0.7, 0.4, 300), *rng.lognormal(-0.6, 0.4, 50)]
    assert kinds(suspicions("ann", [], hasty)) == [SPEED]


def test_getting_better_slower_or_freer_is_no_alarm():
    rng = np.random.default_rng(2)
    better = looks(rng, 80, 0.35) + looks(rng, 50, 0.03)
    freer = looks(rng, 60, 0.4) + looks(rng, 60, 0.02, "assisted")
    slower = [*rng.lognormal(-0.6, 0.4, 300), *rng.lognormal(0.7, 0.4, 50)]
    assert kinds(suspicions("ann", better, slower)) == []
    assert BIAS not in kinds(suspicions("ann", freer, []))


def test_too_few_looks_say_nothing():
    rng = np.random.default_rng(3)
    assert suspicions("ann", looks(rng, 9, 0.0) + looks(rng, 9, 1.0, "assisted"), [1.0] * 99) == []


@pytest.mark.parametrize("people", [1, 8])
def test_a_team_in_which_nothing_is_wrong_hardly_ever_has_an_alarm(people):
    rng = np.random.default_rng(people)
    rang, runs = 0, 400
    for _ in range(runs):
        every = []
        for one in range(people):
            some = looks(rng, 40, 0.07) + looks(rng, 40, 0.07, "assisted")
            order = rng.permutation(80)
            times = rng.lognormal(0.7, 0.5, 220)
            every += suspicions(f"p{one}", [some[i] for i in order], times)
        rang += bool(alarming(every))
    assert rang <= RISK * runs + 3 * np.sqrt(RISK * runs)


def test_many_people_need_more_evidence_than_one():
    rng = np.random.default_rng(4)
    one = suspicions("ann", looks(rng, 40, 0.02) + looks(rng, 40, 0.22, "assisted"), [])
    (bias,) = (each for each in one if each.kind == BIAS)
    assert alarming([bias], risk=1.01 * bias.chance) == [bias]
    calm = [
        each
        for i in range(7)
        for each in suspicions(f"p{i}", looks(rng, 40, 0.1) + looks(rng, 40, 0.1, "assisted"), [])
    ]
    assert alarming([bias, *calm], risk=1.01 * bias.chance) == []
