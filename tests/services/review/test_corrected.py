"""The limit where people err, beside the plain one: estimate, command, certificate."""

import dataclasses
import json

import numpy as np
import pytest

from lnl_core.cli import main
from lnl_core.services.datasets import growing
from lnl_core.services.in_force import standing
from lnl_core.services.review import auditing, certifying, goals, reading, recording
from lnl_core.services.review.auditing import IF
from lnl_core.services.review.corrected import ENOUGH, NO_ERRORS, corrected, too_few
from lnl_core.store import datasets
from lnl_core.store import looks as stored
from lnl_core.types import Action, Decision
from tests.services.datasets.test_growing import file_of, pictures
from tests.services.review.plans import accepted, birds
from tests.services.review.plans import review_at_random as at_random
from tests.services.review.test_auditing import Reviewer, make

__all__ = ["birds"]


@pytest.fixture
def done(workspace, tmp_path, once):
    """Everything has ann's answer, and nothing seems to be left."""

    def all_answered():
        info = make(workspace, tmp_path, 200)
        ann = Reviewer(workspace, info)
        while rows := ann.window(limit=40, order="random"):
            ann.press(*rows)
        return info

    return once("corrected", all_answered)


def add_gold(info, wrong, caught, right=30, alarms=0):
    """Cyd agrees with ann; bob has looked at so many of these, as gold."""
    ann = Reviewer(info.workspace, info)
    bad = np.flatnonzero(ann.truth != ann.given)[:wrong]
    good = np.flatnonzero(ann.truth == ann.given)[:right]
    Reviewer(info.workspace, info, "cyd").press(*bad, *good)
    made = [
        Decision(
            int(row),
            Action.NONE if called else Action.KEEP,
            "bob",
            given_label=int(ann.given[row]),
            mode="commit",
            route="gold",
        )
        for rows, hits in ((bad, caught), (good, alarms))
        for row, called in zip(rows, np.arange(len(rows)) < hits, strict=True)
    ]
    stored.append(info, made)


def test_before_there_is_gold_it_says_that_nobody_is_supposed_to_err(done):
    left = auditing.errors_left(done, fresh=True)
    assert (left.limit, left.may_stop) == (0, True)
    found = corrected(done, left)
    assert (found.limit, found.needed) == (None, ENOUGH)
    assert found.words == f"{NO_ERRORS}: 20 more looks at gold images with a wrong label are needed"
    assert found.short == NO_ERRORS
    add_gold(done, ENOUGH - 1, ENOUGH - 1)
    found = corrected(done, left)
    assert (found.limit, found.needed) == (None, 1)
    assert found.words == f"{NO_ERRORS}: 1 more look at gold images with a wrong label are needed"


@pytest.mark.parametrize(
    ("found", "limit", "people", "said"),
    [(0, 12, 1, True), (12, 8, 1, False), (4, 5, 4, True), (4, 6, 4, False), (3, None, 2, False)],
)
def test_gold_is_not_asked_of_a_set_that_does_not_hold_it(done, found, limit, people, said):
    left = dataclasses.replace(auditing.errors_left(done, fresh=True), found=found, limit=limit)
    words = too_few(left, people)
    assert bool(words) == said
    if said:
        assert f"At most {found + limit} labels are wrong" in words
        gold = dataclasses.replace(corrected(done, left), limit=None, too_few=words)
        assert "are needed" not in gold.words
        assert "Second answers" in gold.words


def test_of_a_team_nothing_is_promised_without_what_it_supposes(done, capsys, monkeypatch):
    """Where nobody tells what people pass over, 95 % sure holds only if nobody does."""
    monkeypatch.setenv("LNL_HOME", str(done.workspace.home))
    alone = auditing.errors_left(done, fresh=True)
    assert alone.may_stop
    assert corrected(done, alone).short == NO_ERRORS
    assert IF not in f"{alone.words} {goals.stand(done).reached} {alone.as_dict()['supposes']}"
    Reviewer(done.workspace, done, "cyd").press(0)
    left = auditing.errors_left(done, fresh=True)
    assert left.words.endswith(f"(95 % sure {IF})")
    assert goals.stand(done, now=standing(done)).reached.endswith(IF)
    assert left.as_dict()["supposes"] == IF
    assert corrected(done, left, standing(done)).short == ""  # it is said already
    body = certifying.certificate(done)
    assert dict(reading.lines(body))["Guaranteed"].endswith(f"sure to 95 % {IF}")
    assert body["stopping"]["said"].endswith(IF)
    assert body["people"]["reviewers"] == 2
    assert main(["audit", done.name]) == 0
    assert f"(95 % {IF})" in capsys.readouterr().out


def test_who_misses_labels_leaves_some_and_who_misses_more_leaves_more(done):
    left = auditing.errors_left(done, fresh=True)
    add_gold(done, 22, 22)
    sharp = corrected(done, left).limit
    assert 0 < sharp < 40  # twenty-two of twenty-two prove no perfect eye


def test_more_misses_a_larger_limit(done):
    left = auditing.errors_left(done, fresh=True)
    add_gold(done, 22, 15)
    dull = corrected(done, left)
    assert dull.limit > 15
    assert 8 <= dull.passed_over < dull.limit
    assert "they noticed 15 of 22 wrong gold labels" in dull.words
    assert dull.short == f"At most {dull.limit} with what people pass over"


def test_the_command_says_both_limits(done, capsys, monkeypatch):
    monkeypatch.setenv("LNL_HOME", str(done.workspace.home))
    assert main(["audit", done.name]) == 0
    assert f"{NO_ERRORS}: 20 more looks" in capsys.readouterr().out
    add_gold(done, 22, 20)
    assert main(["audit", done.name, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["at_most"] == 0
    assert said["people"]["at_most_left"] > 0
    assert said["people"]["gold"] == {"wrong": 22, "caught": 20, "right": 30, "alarms": 0}


def test_a_certificate_holds_both_and_a_nicer_one_does_not_verify(done, tmp_path):
    add_gold(done, 22, 20)
    path = tmp_path / "certificate.json"
    body = certifying.write(done, path)
    assert body["people"]["at_most_left"] > body["at_most_left"]
    assert "notice a wrong label as often" in body["people"]["assumption"]
    checks = {each.what: each.holds for each in certifying.verify(done, path)}
    assert checks["people"]
    assert all(checks.values())
    body["people"]["at_most_left"] = 1
    body["checksum"] = certifying._checksum(body)
    path.write_bytes(certifying.as_bytes(body))
    checks = {each.what: each.holds for each in certifying.verify(done, path)}
    assert [what for what, holds in checks.items() if not holds] == ["people", "statement"]


def test_a_certificate_without_gold_verifies_without_that_line(done, tmp_path):
    path = tmp_path / "certificate.json"
    certifying.write(done, path)
    assert "people" not in {each.what for each in certifying.verify(done, path)}


def test_after_a_set_grew_every_image_added_may_be_wrong_answered_or_not(at_once, done, tmp_path):
    """Ten come after the draws; cyd calls four of them right, and one wrong."""
    add_gold(done, 22, 15)
    before = corrected(done, auditing.errors_left(done, fresh=True))
    names = np.array(["auk", "bee", "cod"])
    images = pictures(10, seed=8, side=4, channels=1)
    growing.add_images(
        done, file_of(tmp_path, "more", images, np.zeros(10, int), class_names=names)
    )
    grown = datasets.dataset(done.workspace, done.name)
    left = auditing.errors_left(grown, fresh=True)
    assert left.unseen == 10
    first = corrected(grown, left)
    assert before.limit + 10 <= first.limit <= 200 + 10  # half of the risk: no smaller
    for row, action in zip(range(200, 205), (*("keep",) * 4, "none"), strict=True):
        entry = {"cid": f"c{row}", "row": row, "action": action, "ms": 900}
        assert not recording.record(grown, "cyd", [entry]).problems
    left = auditing.errors_left(grown, fresh=True)
    after = corrected(grown, left)
    assert after.limit == first.limit - 1  # who calls one right may have passed it over
    assert after.limit >= left.limit


def test_after_a_plan_it_rests_on_what_the_plain_limit_rests_on(birds, tmp_path):
    at_random(birds, 300, seed=1)
    dan = Reviewer(birds.workspace, birds, "dan")
    dan.press(*np.flatnonzero(dan.truth != dan.given)[:22])
    add_gold(birds, 22, 20)
    accepted(birds)
    left = auditing.errors_left(birds, fresh=True)
    assert left.before
    found = corrected(birds, left)
    assert left.limit <= found.limit < birds.n
    assert found.limit >= left.auto
    at_random(birds, 400)
    left = auditing.errors_left(birds, fresh=True)
    assert not left.before
    later = corrected(birds, left)
    assert left.limit <= later.limit < found.limit
    datasets.update_meta(birds, errors_goal=birds.n - 1)
    path = tmp_path / "certificate.json"
    certifying.write(birds, path)
    assert "people" in {each.what for each in certifying.verify(birds, path) if each.holds}
