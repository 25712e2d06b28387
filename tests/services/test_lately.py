"""What may be a little old: one makes the next value, and the others do not wait."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from lnl_core.services.lately import Lately


def test_the_first_value_is_made_at_once_and_kept():
    made, lately = [], Lately()
    for _ in range(2):
        assert lately.get("a", 1, lambda: made.append(1) or "one") == "one"
    assert made == [1]
    assert lately.get("b", 1, lambda: "other") == "other"


def test_whoever_comes_first_makes_the_next_value_and_the_others_do_not_wait():
    lately, begun, go, made = Lately(), threading.Event(), threading.Event(), []

    def slow():
        made.append("two")
        begun.set()
        assert go.wait(60)
        return "two"

    lately.get("a", 1, lambda: "one")
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(lately.get, "a", 2, slow)
        assert begun.wait(60)
        try:
            assert lately.get("a", 2, slow) == "one"  # would hang if it waited
        finally:
            go.set()
        assert first.result(60) == "two"
    assert lately.get("a", 2, slow) == "two"
    assert made == ["two"]


def test_what_goes_wrong_is_raised_and_tried_again():
    lately = Lately()

    def fail():
        raise ValueError("no")

    lately.get("a", 1, lambda: "one")
    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            lately.get("a", 2, fail)
    assert lately.get("a", 2, lambda: "two") == "two"


def test_only_the_last_keys_are_kept():
    lately = Lately(size=2)
    for key in "abc":
        lately.get(key, 1, lambda k=key: k)
    assert lately.get("a", 1, lambda: "anew") == "anew"
    assert lately.get("c", 1, lambda: "anew") == "c"
