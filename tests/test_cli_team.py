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
    assert "Nobody has been measured" in said(capsys)
    out = json.loads(said(capsys, "--json", "--checks", "0.05"))
    assert (out["checks"], out["people"], out["alarms"]) == (0.05, {}, [])
    assert looks.share(birds) == 0.05
    assert "off" in said(capsys, "--checks", "0")
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
    assert "bob: gold images: notices 13 of 24 (95 %: 33 to 74 %)" in words
    assert "Alarm: bob passes over 11 of 12 wrong labels with the suggestion on" in words
    out = json.loads(said(capsys, "--json"))
    assert out["people"]["bob"]["gold"]["sensitivity"]["count"] == 13
    assert "bias" in {each["kind"] for each in out["alarms"]}
