"""Alarms about a person's pace, from stored answers."""

import numpy as np

from lnl_core.review.alarms import SPEED
from lnl_core.services.review import watching
from lnl_core.store import decisions
from lnl_core.types import Action, Decision


def singly(count, median, seed):
    times = np.random.default_rng(seed).lognormal(np.log(median), 0.3, count)
    return [
        Decision(i % 60, Action.KEEP, "ann", seconds=round(float(each), 3), mode="commit")
        for i, each in enumerate(times)
    ]


def pages(count, median, seed):
    """Pages of twelve: an image of a page has its share of the page's time."""
    times = np.random.default_rng(seed).lognormal(np.log(median), 0.3, count)
    return [
        Decision(i, Action.KEEP, "ann", seconds=round(float(each), 3), mode="page")
        for each in times
        for i in range(12)
    ]


def test_a_page_after_single_answers_is_no_haste(workspace, tiny):
    decisions.append(tiny, singly(120, 2.2, 0) + pages(1, 0.4, 1))
    assert watching.alarms(tiny) == []


def test_haste_rings_among_single_answers_and_among_pages_each_by_its_own_median(workspace, tiny):
    decisions.append(tiny, singly(120, 2.2, 0) + pages(60, 0.4, 1) + singly(50, 0.3, 2))
    (found,) = watching.alarms(tiny)
    assert (found.kind, found.seen[1], found.before[1]) == (SPEED, 50, 120)
    decisions.append(tiny, pages(50, 0.05, 3))
    words = [each.words for each in watching.alarms(tiny)]
    assert sum("of the last 50 pages in less than 0.2 s an image" in each for each in words) == 1
