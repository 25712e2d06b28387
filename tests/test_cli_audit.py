"""`lnl audit`: errors left, and what a certificate needs."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from lnl_core.cli import main, review
from lnl_core.services.in_force import standing
from lnl_core.services.review import goals
from lnl_core.store import audits, datasets, decisions
from lnl_core.types import Action, Decision


@pytest.fixture
def audit(workspace, tiny, capsys, monkeypatch):
    monkeypatch.setenv("LNL_HOME", str(workspace.home))

    def call(*arguments, code=0):
        assert main(["audit", "tiny", *arguments]) == code
        told = capsys.readouterr()
        return told.out + told.err

    return call


def answer(workspace, count):
    """Draw rows and answer them as the truth says."""
    info = datasets.dataset(workspace, "tiny")
    data = datasets.load(info)
    given, truth = np.asarray(data.given_labels), np.asarray(data.true_labels)

    def ask():
        now = standing(info)
        return now.last_id, now.answered

    for each in audits.draw(info, "ann", count, ask):
        right = given[each.row] == truth[each.row]
        action = Action.KEEP if right else Action.RELABEL
        label = None if right else int(truth[each.row])
        decisions.append(info, [Decision(each.row, action, "ann", label=label, route="audit")])


def test_without_audits_it_says_where_they_come_from(audit):
    told = audit()
    assert "No random check of “tiny” counts yet" in told
    assert "lnl open" in told
    found = json.loads(audit("--json"))
    assert (found["audits"], found["errors_left"], found["audits_needed"]) == (0, None, None)


def test_a_few_are_too_few(workspace, audit):
    answer(workspace, 7)
    assert "Numbers are made anew every 10 answers" in audit()  # as on the desk, for one count
    answer(workspace, 3)
    told = audit()
    assert "10 random checks; " in told
    assert "10 more random checks" in told
    assert json.loads(audit("--json"))["interval"] is None


def test_it_says_what_is_left_and_what_a_certificate_needs(workspace, audit):
    answer(workspace, 40)
    found = json.loads(audit("--json", "--target", "0.1"))
    assert found["audits"] == 40
    assert found["interval"][0] <= found["errors_left"] <= found["interval"][1] <= found["images"]
    assert found["errors_found"] == found["audits_wrong"]
    assert found["target_errors"] == 6
    assert found["noise_rate_interval"][0] <= 3 / 60 <= found["noise_rate_interval"][1]
    assert found["certified"] or 0 < found["audits_needed"] <= 20
    told = audit()
    assert "Errors left: " in told
    assert f"about {found['errors_left']}, at most {found['at_most']} (95 % sure) of 60" in told
    answer(workspace, 20)
    told = audit()
    assert "Errors left: 0 (95 % sure) of 60 images." in told
    assert "Certified: at most 0 errors left (95 %)." in told
    assert "Wrong before review: 5.0\u202f% (95 %: " in told


@pytest.mark.parametrize("target", ["0", "1", "-1"])
def test_a_target_is_a_share(audit, target, capsys):
    with pytest.raises(SystemExit, match=r"^2$"):
        audit(f"--target={target}")
    assert "share between 0 and 1" in capsys.readouterr().err


def test_it_speaks_of_the_goal_that_is_set(workspace, audit):
    answer(workspace, 40)
    info = datasets.dataset(workspace, "tiny")
    goals.set_goal(info, goals.REVIEWS, 12, "ann")
    assert "Goal: review until 12 images more have an answer: about 12 more reviews." in audit()
    told = json.loads(audit("--json"))["goal"]
    assert (told["kind"], told["takes"]) == ("reviews", "about 12 more reviews")
    assert "Goal:" not in audit("--target", "0.02")


def test_a_certificate_takes_no_target_of_its_own(audit, tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        audit("--target", "0.3", "--certificate", str(tmp_path / "c.json"))
    assert ended.value.code == 2
    assert "Set it first: lnl goal tiny --left" in capsys.readouterr().err


def test_a_certificate_is_checked_against_its_own_goal(audit, tmp_path, capsys):
    with pytest.raises(SystemExit, match=r"^2$"):
        audit("--verify", str(tmp_path / "c.json"), "--target", "0.001")
    assert "--verify takes no --target" in capsys.readouterr().err


@pytest.mark.parametrize("place", ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
def test_what_goes_to_standard_output_is_there_alone(workspace, audit, tmp_path, capsys, place):
    goals.set_goal(datasets.dataset(workspace, "tiny"), goals.LEFT, 10, "ann")
    answer(workspace, 20)
    audit("--certificate", str(tmp_path / "c.json"))
    for said in ((), ("--json",)):
        assert main(["audit", "tiny", "--certificate", place, *said]) == 0
        told = capsys.readouterr()
        assert json.loads(told.out).keys() == json.loads((tmp_path / "c.json").read_text()).keys()
        assert "at_most" in told.err or "At most" in told.err
    assert main(["export", "tiny", "--format", "decisions", "--out", place]) == 0
    assert "rows in" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("estimate", "needed", "says"),
    [
        (2, None, "no more than that is left, but it is not proven"),
        (2, 40, "About 40 more random checks"),
        (21, None, "More than that is left by this estimate"),
    ],
)
def test_what_is_above_the_target_is_said_of_what_is(estimate, needed, says):
    left = SimpleNamespace(may_stop=False, sure="95 %", estimate=estimate, goal=20, limit=33)
    words = review._target(SimpleNamespace(left=left, needed=needed, drawable=True), "20 of 436")
    assert words.startswith("At most 33 errors left (95 %). Target: 20 of 436. ")
    assert says in words
    assert ("More than" in words) == (estimate > 20)


def test_drawn_images_that_were_put_off_are_said_here_and_by_status(workspace, audit, capsys):
    answer(workspace, 20)
    info = datasets.dataset(workspace, "tiny")

    def ask():
        now = standing(info)
        return now.last_id, now.answered

    def status():
        assert main(["status", "tiny"]) == 0
        told = capsys.readouterr().out
        assert main(["status", "tiny", "--json"]) == 0
        return told, json.loads(capsys.readouterr().out)["datasets"][0]["waits"]

    told, count = status()
    assert "drawn" not in told
    assert count == 0
    for each in audits.draw(info, "ann", 10, ask):
        decisions.append(info, [Decision(each.row, Action.SKIP, "ann", route="audit")])
    told, count = status()
    assert "10 drawn images wait, skipped or unsure (Review, key L)" in told
    assert count == 10
    assert "10 drawn images wait, skipped or unsure: each counts as wrong" in audit()
    assert json.loads(audit("--json"))["waits"] == 10
    goals.set_goal(info, "reviews", 30, "ann")
    assert status()[1] == 0, "they keep no goal of images away"


def test_where_every_image_has_an_answer_no_random_checks_are_asked_for():
    left = SimpleNamespace(may_stop=False, sure="95 %", estimate=2, goal=20, limit=33)
    words = review._target(SimpleNamespace(left=left, needed=None, drawable=False), "20 of 436")
    assert "random" not in words
    assert "what people disagree on, or are unsure of, is missing" in words
