"""What a goal is expected to take in a set, and which goal fits it."""

import pytest

from lnl_core.services.review import advising, goals
from lnl_core.services.review.recording import record
from tests.services.review.test_auditing import Reviewer, make


def test_a_share_whose_sample_the_set_cannot_hold_is_not_advised(workspace, tmp_path):
    few = make(workspace, tmp_path, 150)  # some 22 wrong labels
    there = advising.outlook(few, "recall", 0.9)
    assert there.errors < 60 <= there.needed
    assert (there.reviews, there.pays) == (150, False)
    assert f"its sample needs {there.needed} wrong labels" in there.words
    assert f"about {there.errors} are expected" in there.words
    best = advising.advised(few)
    assert best.kind == "left"
    assert best.outlook.reviews < 150 * advising.NEARLY
    assert best.value > advising.usual(few)  # at most 1 of 150 takes nearly all of them


def test_what_is_expected_of_a_goal_is_what_it_says_once_it_is_set(workspace, tmp_path):
    birds = make(workspace, tmp_path, 1200)
    for kind, value in (("left", 40), ("recall", 0.7), ("reviews", 90), ("seconds", 400)):
        before = advising.outlook(birds, kind, value)
        goals.set_goal(birds, kind, value, "ann")
        assert before.reviews == goals.stand(birds).more, kind


def test_a_share_pays_only_where_as_much_takes_more_reviews(workspace, tmp_path):
    birds = make(workspace, tmp_path, 1200)
    share = advising.outlook(birds, "recall", 0.9)
    left, reviews = share.instead
    assert left == pytest.approx(0.1 * share.errors, abs=1)
    assert share.pays == (share.reviews <= reviews < 1200)
    assert (advising.advised(birds).kind == "recall") == share.pays


def test_time_is_reckoned_at_the_pace_of_the_set(workspace, tmp_path):
    birds = make(workspace, tmp_path, 600)
    assert advising.pace(birds).seconds == goals.PACE
    ann = Reviewer(workspace, birds)
    ann.press(*ann.window()[:6], ms=8000)
    assert advising.pace(birds).seconds == 8
    assert advising.outlook(birds, "seconds", 80).reviews == 10


def test_where_a_goal_spares_next_to_nothing_looking_at_all_is_said_and_counted(
    workspace, tmp_path
):
    few = make(workspace, tmp_path, 20)
    best = advising.advised(few).outlook
    assert best.takes_nearly_all
    assert best.words.startswith("It takes 19 of 20 images: looking at all of them")
    Reviewer(workspace, few).review(20)
    assert advising.advised(few) is None  # none is left to look at
    assert advising.outlook(few, "left", 1).words == ""
    assert not advising.outlook(
        make(workspace, tmp_path, 1200, "many"), "left", 80
    ).takes_nearly_all


def test_without_scores_nothing_is_advised(workspace, tiny):
    assert advising.advised(tiny) is None
    assert advising.outlook(tiny, "left", 2).words == ""


def test_the_pace_is_the_persons_own_and_a_break_does_not_move_it(workspace, tiny):
    said = {"ann": [2, 2, 3, 4000, 2, 2], "bob": [9, 9, 9, 9, 9, 9], "cyd": [30, 30]}
    rows = iter(range(tiny.n))
    for who, times in said.items():
        entries = [
            {"cid": f"{who}-{i}", "row": next(rows), "action": "keep", "ms": 1000 * seconds}
            for i, seconds in enumerate(times)
        ]
        assert not record(tiny, who, entries).problems
    assert advising.pace(tiny, "ann") == advising.Pace(2, "your pace here")
    assert advising.pace(tiny, "bob") == advising.Pace(9, "your pace here")
    assert advising.pace(tiny, "cyd") == advising.Pace(9, "everybody's pace here")  # two are few
    assert advising.outlook(tiny, goals.SECONDS, 36, "ann").reviews == 18
    assert advising.outlook(tiny, goals.SECONDS, 36, "bob").reviews == 4


def test_a_pace_that_nobody_has_shown_is_said_to_be_assumed(tiny):
    assert advising.pace(tiny, "ann") == advising.Pace(
        goals.PACE, "assumed until 5 answers are timed"
    )
