"""`lnl team`: what hidden looks say of people, and how many there are to be."""

import json

import pytest

from lnl_core.cli import main
from lnl_core.services.review import looks
from lnl_core.store import datasets
from lnl_core.store import looks as stored
from lnl_core.types import Action, Decision
from tests.services.review.test_auditing import Reviewer, make


@pytest.fixture
def birds(workspace, tmp_path, monkeypatch):
    info = make(workspace, tmp_path, 200)
    monkeypatch.setenv("LNL_HOME", str(workspace.home))
    return info


def said(capsys, *more):
    assert main(["team", "birds", *more]) == 0
    return capsys.readouterr().out


def test_before_anybody_was_measured_it_says_why(birds, capsys):
    off = "Nobody is measured: hidden looks are switched off."
    assert off in said(capsys)
    out = json.loads(said(capsys, "--json", "--checks", "0.05"))
    assert (out["checks"], out["people"], out["alarms"]) == (0.05, {}, [])
    assert looks.share(birds) == 0.05
    assert "Nobody has been measured yet: it begins with" in said(capsys)
    assert off in said(capsys, "--checks", "0")
    assert main(["team", "birds", "--checks", "0.5"]) == 1
    assert looks.share(birds) == 0


def test_it_says_each_route_with_its_interval_and_rings(birds, capsys):
    ann = Reviewer(birds.workspace, birds)
    wrong = [int(row) for row in (ann.truth != ann.given).nonzero()[0]][:24]
    for who in ("ann", "cyd"):
        Reviewer(birds.workspace, birds, who).press(*wrong)
    given = datasets.load(birds).given_labels
    assisted = wrong[12:]
    made = [
        Decision(
            row,
            Action.KEEP if row in assisted[:11] else Action.NONE,
            "bob",
            given_label=int(given[row]),
            mode="assisted" if row in assisted else "commit",
            route="gold",
        )
        for row in wrong
    ]
    stored.append(birds, made)
    words = said(capsys)
    assert "bob: gold images: notices 13 of 24 (95 %: 33 to 74\u202f%)" in words
    assert "Alarm: bob passes over 11 of 12 wrong labels with the suggestion on" in words
    out = json.loads(said(capsys, "--json"))
    assert out["people"]["bob"]["gold"]["sensitivity"]["count"] == 13
    assert "bias" in {each["kind"] for each in out["alarms"]}


def test_who_has_answered_is_named_though_nothing_is_measured_of_them(birds, capsys):
    """One look of bob's is judged; ann has only answered, and is not left out."""
    ann = Reviewer(birds.workspace, birds)
    ann.press(*range(7))
    wrong = [int(row) for row in (ann.truth != ann.given).nonzero()[0]][:3]
    for who in ("cyd", "dan"):
        Reviewer(birds.workspace, birds, who).press(*wrong)
    stored.append(birds, [Decision(wrong[0], Action.NONE, "bob", given_label=0, route="gold")])
    words = said(capsys)
    assert "ann: 7 answers, not measured yet" in words
    assert "bob: gold images: notices 1 of 1" in words
    assert "was settled): 3 wrong labels and 0 right labels. " in words
    out = json.loads(said(capsys, "--json"))
    assert out["answers"] == {"ann": 7, "cyd": 3, "dan": 3}
    assert list(out["people"]) == ["bob"]
    assert out["gold"] == {"wrong": 3, "right": 0, "looks_needed": 19}
