"""Numbers are made as of one answer, the same for every process, and stand still in between."""

import json

import numpy as np
import pytest

from lnl_core.cli import main
from lnl_core.review.auditing import ENOUGH
from lnl_core.services import moment
from lnl_core.services.in_force import standing
from lnl_core.services.review import auditing, desk, expecting, goals, limits, planning
from lnl_core.services.review.progress import progress
from lnl_core.store import datasets, decisions
from lnl_core.store import looks as stored
from lnl_core.types import Action, Decision
from tests.services.review.test_auditing import Reviewer, make


@pytest.fixture
def birds(workspace, tmp_path):
    return make(workspace, tmp_path, 600)


def forget():
    """Forget what this process knows, as a new one knows nothing."""
    moment._kept_up.cache_clear()
    for kept in (limits.limits_of, limits._growing, expecting._expected, planning._forecast):
        kept.cache_clear()


def said(info):
    """Return every number that is said of what is left and what the goal takes."""
    left, here = auditing.errors_left(info), goals.stand(info)
    return left, here, planning.forecast(info).plan, auditing.report(info).needed


def test_a_process_that_was_there_all_the_time_says_what_a_new_one_says(birds):
    ann = Reviewer(birds.workspace, birds)
    ann.review(90)
    known = set()
    for _ in range(12):
        ann.review(7)
        ours, shown = said(birds), progress(birds, "ann")
        assert (shown.errors_left, shown.goal) == ours[:2]
        forget()
        assert said(birds) == ours
        known.add(ours[0].limit)
    assert len(known) > 4


def test_command_line_and_desk_say_the_same(birds, capsys, monkeypatch):
    monkeypatch.setenv("LNL_HOME", str(birds.workspace.home))
    ann = Reviewer(birds.workspace, birds)
    ann.review(203)
    shown = progress(birds, "ann").as_dict()
    ann.review(4)
    forget()
    main(["goal", "birds", "--json"])
    goal = json.loads(capsys.readouterr().out)
    main(["audit", "birds", "--json"])
    audit = json.loads(capsys.readouterr().out)
    left = shown["errors_left"]
    assert goal["takes"] == shown["goal"]["takes"]
    assert (audit["at_most"], audit["errors_left"]) == (left["limit"], left["estimate"])


@pytest.mark.parametrize("order", ["suspicious", "random"])
def test_no_number_on_the_desk_moves_from_one_answer_to_the_next(birds, order):
    """Neither a drawn image nor a hidden look can be told by what moves, or does not."""
    datasets.update_meta(birds, hidden_looks=0.1, looks_key="11" * 16)
    ann = Reviewer(birds.workspace, birds)
    decisions.append(birds, [Decision(row, Action.KEEP, "bob") for row in range(100, 160)])
    ann.press(*ann.window(order=order)[:40])
    before, since, moments = None, 0, []
    for _ in range(90):
        state = desk.review_state(birds, "ann", order=order)
        shown = state.progress.as_dict()
        own = shown.pop("since"), shown.pop("wrong_since")
        now = (own[0], json.dumps({**shown, "course": None}))
        if before is not None and now[1] == before:
            assert now[0] == since + 1  # whatever was answered
        else:
            moments.append(now[1])
        since, before = now[0], now[1]
        item = state.items[0]
        ann.press(item["row"], action="none", look=item["look"])
    assert len(moments) < 12
    assert len(stored.every(birds)) > 5
    assert sum(d.route == "audit" for d in decisions.history(birds, reviewer="ann")) > 10


def test_a_moment_comes_every_ten_answers_and_with_the_last_one(birds):
    ann = Reviewer(birds.workspace, birds)
    seen = set()
    rows = [*range(600)]
    for row in rows[:34]:
        ann.press(row)
        seen.add(moment.moment(birds).reviewed)
    assert seen == {0, 10, 20, 30}
    ann.press(*rows[34:593])
    assert moment.moment(birds).reviewed == 590
    ann.press(*rows[593:])
    assert moment.moment(birds) is standing(birds)


def test_what_a_file_brings_counts_at_once(birds):
    ann = Reviewer(birds.workspace, birds)
    ann.press(*range(13))
    assert moment.moment(birds).reviewed == 10
    decisions.append(birds, [Decision(40, Action.KEEP, "bob", route=decisions.IMPORT)])
    assert moment.moment(birds).reviewed == 14
    ann.press(50)
    assert moment.moment(birds).reviewed == 14


def test_a_large_set_has_fewer_moments(birds, monkeypatch):
    assert moment.step(birds) == 10
    monkeypatch.setattr(moment, "SMALL", 600)
    assert moment.step(birds) == 25


def test_an_older_copy_of_the_database_is_read_anew(birds, monkeypatch):
    Reviewer(birds.workspace, birds).press(*range(30))
    known = moment._kept_up(birds)
    assert moment.moment(birds).reviewed == 30
    known.seen += 1000  # as if later decisions had been there
    assert moment.moment(birds).reviewed == 30
    assert moment._kept_up(birds) is not known


def test_the_report_counts_checks_as_the_desk_does(birds):
    ann = Reviewer(birds.workspace, birds)
    ann.press(*ann.window(order="random")[:6])
    assert auditing.errors_left(birds).audits == 0
    report = auditing.report(birds)
    assert (report.left.audits, report.left.estimate) == (0, None)
    ann.press(*ann.window(order="random")[:6])
    shown = progress(birds, "ann").errors_left
    assert auditing.report(birds).left.audits == shown.audits == 10
    for _ in range(2):
        ann.press(*ann.window(order="random")[:6])
    assert auditing.report(birds).left.audits == ENOUGH
    assert np.isfinite(auditing.report(birds).left.limit)
