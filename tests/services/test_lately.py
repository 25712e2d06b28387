"""What may be a little old: nobody waits for the next value, and it comes."""

import threading

import pytest

from lnl_core.services.lately import Lately


def test_the_first_value_is_made_at_once_and_kept():
    made, lately = [], Lately()
    for _ in range(2):
        assert lately.get("a", 1, lambda: made.append(1) or "one") == "one"
    assert made == [1]
    assert lately.get("b", 1, lambda: "other") == "other"


def test_nobody_waits_for_the_next_value_and_it_is_made_once():
    lately, go, made = Lately(), threading.Event(), []

    def slow():
        made.append(threading.current_thread())
        go.wait(60)
        return "two"

    lately.get("a", 1, lambda: "one")
    for _ in range(3):
        assert lately.get("a", 2, slow) == "one"  # would hang if it waited
    go.set()
    lately.wait()
    assert lately.get("a", 2, slow) == "two"
    assert len(made) == 1
    assert made[0] is not threading.current_thread()


def test_what_went_wrong_is_raised_by_the_next_call_and_tried_again():
    lately = Lately()

    def fail():
        raise ValueError("no")

    lately.get("a", 1, lambda: "one")
    assert lately.get("a", 2, fail) == "one"
    with pytest.raises(ValueError, match="no"):
        lately.wait()
    with pytest.raises(ValueError, match="no"):
        lately.get("a", 2, fail)
    with pytest.raises(ValueError, match="no"):  # which the call before had made
        lately.wait()
    with pytest.raises(ValueError, match="no"):
        lately.get("a", 2, lambda: "two")
    lately.wait()
    assert lately.get("a", 2, fail) == "two"


def test_only_the_last_keys_are_kept():
    lately = Lately(size=2)
    for key in "abc":
        lately.get(key, 1, lambda k=key: k)
    assert lately.get("a", 1, lambda: "anew") == "anew"
    assert lately.get("c", 1, lambda: "anew") == "c"
