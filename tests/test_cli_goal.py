"""`lnl goal`: said, set, refused."""

import json
import re

import pytest

from lnl_core.cli import main
from lnl_core.store import goals
from tests.services.review.test_auditing import Reviewer, make


@pytest.fixture
def birds(workspace, tmp_path, monkeypatch):
    monkeypatch.setenv("LNL_HOME", str(workspace.home))
    return make(workspace, tmp_path, 200)


def test_each_kind_is_set_by_somebody_and_said_in_words(birds, capsys):
    for option, words in (
        (("--left", "8"), "until at most 8 wrong labels are left"),
        (("--share", "0.8"), "until 80 % of the wrong labels are found"),
        (("--reviews", "40"), "until 40 images more have an answer"),
        (("--hours", "1.5"), "until 1 h 30 min are spent"),
        (("--usual",), "until at most 2 wrong labels are left"),
    ):
        assert main(["goal", "birds", *option, "--reviewer", "ann"]) == 0
        said = capsys.readouterr().out
        assert f"Review {words}, set by ann on" in said
        assert re.search(
            r"\nTo the goal: (about [\d,]+ more reviews|(nearly )?all of the [\d,]+ images left)\."
            r"\n",
            said,
        )
    assert [each.kind for each in goals.goals(birds)] == [
        "left",
        "recall",
        "reviews",
        "seconds",
        "left",
    ]


def test_how_far_it_is(birds, capsys):
    main(["goal", "birds", "--reviews", "20", "--reviewer", "ann"])
    Reviewer(birds.workspace, birds).review(20)
    capsys.readouterr()
    assert main(["goal", "birds"]) == 0
    assert "20 of 20 answered.\nReached: the 20 images are answered" in capsys.readouterr().out
    assert main(["goal", "birds", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["kind"], told["value"], told["set_by"], told["reached"]) == (
        "reviews",
        20,
        "ann",
        True,
    )


def test_nobody_sets_a_goal_unnamed(birds, capsys):
    with pytest.raises(SystemExit):
        main(["goal", "birds", "--left", "8"])
    assert "--reviewer" in capsys.readouterr().err
    assert main(["goal", "birds", "--share", "1.5", "--reviewer", "ann"]) == 1
    with pytest.raises(SystemExit):
        main(["goal", "birds", "--reviewer", "ann"])
    assert "say which (--left" in capsys.readouterr().err
    assert goals.goals(birds) == ()


def test_the_goal_that_fits_is_said_with_what_it_takes(birds, capsys):
    assert main(["goal", "birds"]) == 0
    assert "Fits this set: until at most" in capsys.readouterr().out
    main(["goal", "birds", "--json"])
    fits = json.loads(capsys.readouterr().out)["fits"]
    assert fits["kind"] == "left"
    assert 0 < fits["reviews"] < 200
