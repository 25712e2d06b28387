"""`lnl accept`: proposal, check, decision, undo, in a terminal."""

import json

import numpy as np
import pytest

from lnl_core.cli import main
from lnl_core.services.review import accepting, proposing
from lnl_core.store import datasets
from tests.services.review.plans import (  # noqa: F401
    begun,
    birds,
    looked_at,
    review_at_random,
)


def call(capsys, info, *words, code=0):
    home = str(info.workspace.home)
    assert main(["--home", home, "accept", "birds", *words, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def test_from_proposal_to_undo(birds, capsys):  # noqa: F811
    told = call(capsys, birds, "--least", "0.5")
    assert told["checks"] == proposing.propose(birds, proposing.pool(birds, least=0.5)).checks
    assert told["plans"] == []
    drawn = call(capsys, birds, "--least", "0.5", "--draw", "--reviewer", "ann")
    assert drawn["plans"][0]["state"] == "open"
    refused = call(capsys, birds, "--plan", "1", "--reviewer", "ann", code=1)
    assert "wait for an answer" in refused["error"]["message"]
    looked_at(birds, accepting.plan(birds, 1))
    done = call(capsys, birds, "--plan", "1", "--reviewer", "ann")
    back = call(capsys, birds, "--undo", "1", "--reviewer", "ann")
    assert done["accepted"] == back["taken_back"] > 0
    kinds = [each["kind"] for each in call(capsys, birds)["plans"][0]["events"]]
    assert kinds == ["accepted", "undone"]


def test_classes_are_named_and_people_too(birds, capsys):  # noqa: F811
    told = call(capsys, birds, "--given", "bee", "--suggested", "auk", "--least", "0.5")
    given = np.asarray(datasets.load(birds).given_labels)
    assert 0 < told["pool"] < (given == 1).sum()
    assert "bee" in call(capsys, birds, "--given", "be", code=1)["error"]["message"]
    with pytest.raises(SystemExit):
        call(capsys, birds, "--draw")


def test_the_audit_says_how_many_labels_nobody_has_seen(birds, capsys):  # noqa: F811
    review_at_random(birds, 60)
    plan = begun(birds)
    looked_at(birds, plan)
    decided = call(capsys, birds, "--plan", "1", "--reviewer", "ann")["accepted"]
    home = str(birds.workspace.home)
    assert main(["--home", home, "audit", "birds", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["auto_fixed"] == decided
    assert main(["--home", home, "audit", "birds"]) == 0
    assert f"{decided:,} labels were accepted unseen" in capsys.readouterr().out
