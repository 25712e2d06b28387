"""What may be a little old: one makes the next value, and the others do not wait."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from lnl_core.services.lately import Lately, idle


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


def test_nobody_waits_where_the_last_value_will_do_and_a_thread_makes_the_next():
    lately, begun, go, made = Lately(), threading.Event(), threading.Event(), []

    def slow():
        made.append(threading.current_thread())
        begun.set()
        assert go.wait(60)
        return "two"

    lately.get("a", 1, lambda: "one")
    assert lately.get("a", 2, slow, lambda known: known == "one") == "one"
    assert begun.wait(60)
    for _ in range(3):  # would hang if it waited, or if it made another one
        assert lately.get("a", 2, slow, lambda known: True) == "one"
    assert lately.get("a", 2, slow) == "one"
    go.set()
    assert lately_settled(lately) == "two"
    assert len(made) == 1
    assert made[0] is not threading.current_thread()


def test_an_old_value_that_will_not_do_is_made_by_who_asks():
    lately = Lately()
    lately.get("a", 1, lambda: "one")
    assert lately.get("a", 2, lambda: "two", lambda known: known != "one") == "two"


def test_what_a_thread_cannot_make_is_logged_and_raised_for_the_next_who_asks(caplog):
    lately = Lately()

    def fail():
        raise ValueError("no numbers")

    lately.get("a", 1, lambda: "one")
    assert lately.get("a", 2, fail, lambda known: True) == "one"
    lately_settled(lately)
    assert "no numbers" in caplog.text
    with pytest.raises(ValueError, match="no numbers"):
        lately.get("a", 2, fail, lambda known: True)
    assert lately.get("a", 2, lambda: "two", lambda known: True) == "two"
    assert lately.get("a", 3, lambda: "three", lambda known: True) == "two"  # behind once more
    assert lately_settled(lately) == "three"


def lately_settled(lately):
    """Wait until the thread has made what it was asked for; return what it left."""
    idle()
    return lately._made["a"][1]
