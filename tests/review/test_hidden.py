"""Where hidden looks stand, and which image is shown there."""

from dataclasses import replace

import numpy as np
import pytest

from lnl_core.review import hidden
from lnl_core.review.hidden import APART, BLIND, SLOTS, Known, Mine

N = 400
KEY = b"a key of sixteen"


def known(**counts: object) -> Known:
    nothing = {name: np.zeros(N, bool) for name in ("ruled", "ruled_wrong", "drawn", "out")}
    people = {name: np.zeros(N, np.int64) for name in ("wrong", "right")}
    return replace(Known(**nothing, **people), **counts)


def mine(answered: int = 0) -> Mine:
    seen, rows = np.zeros(N, bool), np.arange(answered)
    seen[rows] = True
    return Mine(seen, rows, np.zeros(N, bool), np.zeros(N, bool))


def some(*rows: int, value: object = True) -> np.ndarray:
    found = np.zeros(N, bool if value is True else np.int64)
    found[list(rows)] = value
    return found


def test_every_turn_has_one_place_for_each_and_the_first_turn_none() -> None:
    every = hidden.places(KEY, "ann", 0.03, 0, 33 * 40)
    assert min(every) >= 33
    for turn in range(1, 40):
        inside = [slot for place, slot in every.items() if place // 33 == turn]
        assert sorted(inside) == sorted(SLOTS)
    inside = np.array(list(every)) % 33
    assert np.unique(inside).size > 25  # nobody can count to them
    assert every != hidden.places(KEY, "bob", 0.03, 0, 33 * 40)
    assert every != hidden.places(b"another", "ann", 0.03, 0, 33 * 40)


@pytest.mark.parametrize("first", [0, 32, 33, 40, 65, 66, 200])
def test_a_place_stays_what_it_is_as_answers_come(first: int) -> None:
    every = hidden.places(KEY, "ann", 0.03, 0, 1000)
    window = hidden.places(KEY, "ann", 0.03, first, 16)
    expected = {p - first: slot for p, slot in every.items() if first <= p < first + 16}
    assert window == expected


def test_none_where_they_are_off_and_never_more_than_a_tenth_each() -> None:
    assert hidden.places(KEY, "ann", 0.0, 0, 1000) == {}
    assert len(hidden.places(KEY, "ann", 0.9, 0, 1000)) == 4 * 99


def test_a_drawn_image_goes_before_one_of_the_queue_and_only_while_one_person_stands_alone() -> (
    None
):
    facts = known(wrong=some(5, 6, 7, 8, value=1) + some(7, value=1), drawn=some(6, 7))
    assert hidden.choose("second", KEY, "bob", facts, mine(), 40) == (6, "second")
    alone = hidden.choose("second", KEY, "bob", facts, mine(), 40, taken=[6])
    assert alone in ((5, "confirm"), (8, "confirm"))
    spoken = replace(facts, right=some(6, value=1), ruled=some(5, 8))
    assert hidden.choose("second", KEY, "bob", spoken, mine(), 40) is None


@pytest.mark.parametrize("slot", ["second", "control", "gold"])
def test_nobody_is_asked_of_what_they_have_answered(slot: str) -> None:
    everything = known(
        wrong=some(*range(10), value=1) + some(0, 1, value=1),
        right=some(*range(10, 20), value=2),
        drawn=some(*range(N)),
    )
    assert hidden.choose(slot, KEY, "ann", everything, mine(20), 40) is None
    assert hidden.choose(slot, KEY, "ann", everything, mine(0), 40) is not None


def test_gold_is_what_two_agree_on_or_was_settled_half_of_it_wrong() -> None:
    facts = known(wrong=some(1, 3, value=2), right=some(2, value=2) + some(3, value=1))
    assert hidden.choose("gold", KEY, "bob", facts, mine(), 41) == (1, "gold")
    assert hidden.choose("gold", KEY, "bob", facts, mine(), 42) == (2, "gold")
    settled = replace(facts, ruled=some(2, 3), ruled_wrong=some(2, 3))
    assert hidden.choose("gold", KEY, "bob", settled, mine(), 42, taken=[1, 2]) == (3, "gold")
    assert not settled.surely_right.any()


def test_an_image_that_a_part_does_not_have_is_no_gold_but_may_be_asked_blind() -> None:
    foreign = replace(mine(), foreign=some(1))
    facts = known(wrong=some(1, value=2))
    assert hidden.choose("gold", KEY, "bob", facts, foreign, 41) is None
    facts = known(wrong=some(1, value=1))
    assert hidden.choose("second", KEY, "bob", facts, foreign, 41) == (1, "confirm")


def test_a_repeat_is_old_enough_and_comes_once() -> None:
    facts = known(right=some(*range(N), value=1))
    assert hidden.choose("repeat", KEY, "ann", facts, mine(APART), 40) is None
    row, route = hidden.choose("repeat", KEY, "ann", facts, mine(APART + 5), 40)
    assert (row < 5, route) == (True, "repeat")
    had = replace(mine(APART + 1), repeated=some(0))
    assert hidden.choose("repeat", KEY, "ann", facts, had, 40) is None


def test_what_becomes_eligible_or_drops_out_moves_nothing_else() -> None:
    right = some(*range(100, 300), value=1)
    row, _ = hidden.choose("control", KEY, "bob", known(right=right), mine(), 40)
    for other in (x for x in range(100, 300) if x != row):
        less = right.copy()
        less[other] = 0
        assert hidden.choose("control", KEY, "bob", known(right=less), mine(), 40)[0] == row
    again = {
        hidden.choose("control", KEY, f"p{i}", known(right=right), mine(), 40)[0] for i in range(60)
    }
    assert len(again) > 40  # each person gets others


def test_what_is_asked_with_the_label_is_gold_and_repeats() -> None:
    assert set(SLOTS) - BLIND == {"gold", "repeat"}
