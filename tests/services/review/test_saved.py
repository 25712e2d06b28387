"""Filters under a name: kept with the set, found again, and what cannot be a name."""

from threading import Thread

import pytest

from lnl_core.services.review import saved
from lnl_core.store import datasets
from lnl_core.types import LnlError

DOGS = {"given": ["1"], "suggested": ["2"], "dataset": ["tiny"], "id": ["item-3"]}


def names(info):
    return [each.name for each in saved.saved(info)]


def test_a_filter_is_kept_with_the_set(workspace, tiny):
    assert saved.saved(tiny) == []
    assert saved.save(tiny, "  dogs ", DOGS) == "dogs"
    saved.save(tiny, "Cats", {"given": ["0", "1"]})
    again = datasets.dataset(workspace, tiny.name)
    assert names(again) == ["Cats", "dogs"]
    cats, dogs = saved.saved(again)
    assert dogs.query == {"given": ["1"], "suggested": ["2"]}, "image and set are no filter"
    assert (dogs.one_each, dogs.tells) == (True, True)
    assert (cats.one_each, cats.tells) == (False, False)


def test_a_filter_is_renamed_and_deleted(tiny):
    saved.save(tiny, "dogs", DOGS)
    assert saved.rename(tiny, "dogs", "Dogs") == "Dogs", "its own name in other letters"
    assert names(tiny) == ["Dogs"]
    assert saved.saved(tiny)[0].query["given"] == ["1"]
    saved.delete(tiny, "Dogs")
    assert names(tiny) == []
    for act in (lambda: saved.delete(tiny, "Dogs"), lambda: saved.rename(tiny, "Dogs", "x")):
        with pytest.raises(LnlError, match="no filter “Dogs” any more"):
            act()


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "needs a name"),
        ("  \t", "needs a name"),
        ("x" * 61, "has 61 characters; 60 are the most"),
        ("a\nb", "cannot be shown"),
        ("a\x00", "cannot be shown"),
        ("DOGS", "a filter “dogs” already"),
        (" dogs", "a filter “dogs” already"),
    ],
)
def test_a_name_that_cannot_be_used_is_refused(tiny, name, why):
    saved.save(tiny, "dogs", DOGS)
    saved.save(tiny, "other", {"p": ["high"]})
    for act in (lambda: saved.save(tiny, name, DOGS), lambda: saved.rename(tiny, "other", name)):
        with pytest.raises(LnlError, match=why):
            act()
    assert names(tiny) == ["dogs", "other"]


def test_nothing_and_too_much_are_refused(tiny, monkeypatch):
    with pytest.raises(LnlError, match="Nothing is filtered"):
        saved.save(tiny, "all", {"dataset": ["tiny"], "given": []})
    monkeypatch.setattr(saved, "MOST", 1)
    saved.save(tiny, "dogs", DOGS)
    with pytest.raises(LnlError, match="1 filters are the most"):
        saved.save(tiny, "more", DOGS)


def test_two_who_save_at_once_lose_nothing(tiny):
    several = [Thread(target=saved.save, args=(tiny, f"f{i}", DOGS)) for i in range(8)]
    for each in several:
        each.start()
    for each in several:
        each.join()
    assert names(tiny) == [f"f{i}" for i in range(8)]
