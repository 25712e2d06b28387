"""Suggestions accepted unseen: pool, check, decision and undo."""

import csv
import io
import json
from dataclasses import replace

import numpy as np
import pytest

from lnl_core.jobs import inputs
from lnl_core.services import in_force
from lnl_core.services.compare import truth
from lnl_core.services.explore import embedding
from lnl_core.services.export import exporting, reimporting
from lnl_core.services.review import accepting, desk, proposing, recording
from lnl_core.services.review.filtering import Filters
from lnl_core.services.team import roles, team
from lnl_core.store import arrays, audits, datasets, decisions
from lnl_core.types import Action, Decision, LnlError
from tests.services.review.plans import (
    K,
    N,
    accepted,
    answer,
    autos,
    begun,
    birds,
    looked_at,
)

__all__ = ["birds"]


def test_answers_raise_what_is_expected_of_suggestions_that_were_held_for_less(birds):
    """Methods that are averaged are less sure together than they are right: nothing ever paid."""
    folder = birds.directory / "ranking"
    ranking, runs = arrays.load_ranking(folder)
    arrays.save_ranking(
        folder, replace(ranking, top_probs=0.85 * np.asarray(ranking.top_probs)), runs
    )
    before = proposing.pool(birds)
    assert not len(before.rows)  # at least .9, and .85 x p is less
    first = np.asarray(ranking.order)[:50]
    for row in first:
        answer(birds, row)
    after = proposing.pool(birds)
    data = datasets.load(birds)
    right = (after.labels == np.asarray(data.true_labels)[after.rows]).mean()
    assert len(after.rows) > 20
    assert after.expected == pytest.approx(right, abs=0.06)
    for row in first:
        answer(birds, row, label=(int(data.true_labels[row]) + 1) % K)
    assert not len(proposing.pool(birds).rows)  # those that were said to be wrong lower it


def test_a_pool_holds_no_image_that_anybody_answered_or_chance_drew(birds):
    answer(birds, 5)
    drawn = audits.draw(birds, "ann", 30, lambda: (decisions.last_id(birds), _answered(birds)))
    chosen = proposing.pool(birds, least=0.0)
    assert 5 not in chosen.rows
    assert not set(chosen.rows.tolist()) & {each.row for each in drawn}
    given = np.asarray(datasets.load(birds).given_labels)
    assert (chosen.labels != given[chosen.rows]).all()
    some = proposing.pool(birds, Filters(given=1, suggested=0), 0.5)
    assert len(some.rows)
    assert set(given[some.rows].tolist()) == {1}
    assert set(some.labels.tolist()) == {0}


def _answered(info):
    return in_force.standing(info).answered


def test_answers_to_checks_have_a_route_of_their_own_and_decide(birds):
    plan = begun(birds)
    assert len(plan.checks) == proposing.propose(birds, proposing.pool(birds, least=0.5)).checks
    with pytest.raises(LnlError, match="wait for an answer"):
        accepting.accept(birds, plan.number, "ann")
    outside = next(row for row in range(N) if row not in plan.rows)
    answer(birds, outside)
    looked_at(birds, plan)
    routes = {d.row: d.route for d in decisions.history(birds)}
    assert {routes[row] for row in plan.checks} == {"check"}
    assert routes[outside] == "queue"
    seen = accepting.check(birds, plan)
    assert (seen.done, seen.wrong) == (len(plan.checks), 0)
    assert seen.proof.precision >= 0.95
    assert accepting.accept(birds, plan.number, "ann") == len(plan.rows) - len(plan.checks)
    expected = set(plan.rows) - set(plan.checks)
    assert set(autos(birds).tolist()) == expected
    each = [d for d in decisions.history(birds) if d.action is Action.AUTO]
    assert {d.row for d in each} == expected
    assert {(d.mode, d.route, d.reviewer) for d in each} == {("plan 1", "auto", "auto-fix")}
    answer(birds, plan.checks[0])
    assert [d.route for d in decisions.history(birds)][-1] == "queue"  # its check is over


def test_the_map_tells_what_was_accepted_unseen_until_a_person_answers(birds):
    accepted(birds)
    rows = autos(birds)
    place = embedding.VERDICTS.index(Action.AUTO)
    assert np.flatnonzero(embedding.verdicts(birds) == place).tolist() == rows.tolist()
    legend = {
        slot: (word, n) for slot, word, n in embedding.colouring(birds, "verdict", None).legend
    }
    assert legend[place] == ("accepted unseen", len(rows))
    answer(birds, int(rows[0]), action="none")
    assert embedding.verdicts(birds)[rows[0]] == embedding.VERDICTS.index(Action.NONE)


def test_one_wrong_suggestion_ends_a_check_that_allows_none_and_the_next_has_to_be_surer(birds):
    plan = begun(birds)
    looked_at(birds, plan, wrong=1)
    assert accepting.failed(plan, accepting.check(birds, plan))
    with pytest.raises(LnlError, match="did not pass"):
        accepting.accept(birds, plan.number, "ann")
    assert not len(autos(birds))
    with pytest.raises(LnlError, match="under way"):
        begun(birds)
    accepting.give_up(birds, plan.number, "ann")
    assert [e.kind for e in accepting.plan(birds, 1).events] == ["refused"]
    again = begun(birds)
    assert again.confidence == pytest.approx(0.975)
    assert len(again.checks) > len(plan.checks)
    accepting.give_up(birds, again.number, "ann")
    assert accepting.plan(birds, 2).events[0].kind == "dropped"


def test_unsure_and_disputed_checks_count_as_wrong(birds):
    plan = begun(birds, allowed=1)
    answer(birds, plan.checks[0], action="unsure")
    labels = dict(zip(plan.rows, plan.labels, strict=True))
    answer(birds, plan.checks[1], label=labels[plan.checks[1]])
    decisions.append(birds, [Decision(plan.checks[1], Action.KEEP, "bob")])
    seen = accepting.check(birds, plan)
    assert (seen.done, seen.wrong) == (2, 2)
    assert accepting.failed(plan, seen)


def test_a_person_goes_before_a_plan_whenever_they_answer(birds):
    plan = begun(birds)
    before = next(row for row in plan.rows if row not in plan.checks)
    answer(birds, before, action="keep")
    looked_at(birds, plan)
    accepting.accept(birds, plan.number, "ann")
    assert before not in autos(birds)
    after = int(autos(birds)[0])
    assert exporting.cleaned(birds).verdict(after) == "auto"
    answer(birds, after, who="bob", action="keep")
    given = int(np.asarray(datasets.load(birds).given_labels)[after])
    cleaned = exporting.cleaned(birds)
    assert cleaned.verdict(after) == "kept"
    assert cleaned.labels[after] == given
    answer(birds, after, who="bob", action="reopen")
    assert exporting.cleaned(birds).verdict(after) == "auto"  # what bob said is taken back
    answer(birds, after, who="bob", action="unsure")
    assert exporting.cleaned(birds).verdict(after) == "waiting"


def test_one_step_takes_a_plan_back_and_is_a_record_itself(birds):
    plan = accepted(birds)
    count = len(autos(birds))
    checked = in_force.standing(birds).answered.copy()
    assert accepting.undo(birds, plan.number, "bob") == count
    assert not len(autos(birds))
    assert (in_force.standing(birds).answered == checked).all()  # people's answers stay
    events = accepting.plan(birds, 1).events
    assert [(e.kind, e.reviewer) for e in events] == [("accepted", "ann"), ("undone", "bob")]
    assert sum(d.action is Action.AUTO for d in decisions.history(birds)) == count
    assert exporting.verdict_counts(birds)["auto"] == 0
    with pytest.raises(LnlError, match="nothing that could be taken back"):
        accepting.undo(birds, plan.number, "bob")


def test_what_is_taken_back_can_be_asked_for_again(birds):
    plan = accepted(birds)
    decided = set(autos(birds).tolist())
    assert not decided & set(proposing.pool(birds, least=0.5).rows.tolist())
    accepting.undo(birds, plan.number, "ann")
    assert decided <= set(proposing.pool(birds, least=0.5).rows.tolist())


def test_two_that_accept_at_once_decide_once(birds):
    plan = begun(birds)
    looked_at(birds, plan)
    accepting.accept(birds, plan.number, "ann")
    with pytest.raises(LnlError, match="has ended"):
        accepting.accept(birds, plan.number, "bob")


def test_nobody_is_made_a_reviewer_by_a_plan(birds):
    accepted(birds)
    assert decisions.reviewers(birds.workspace) == ["ann"]
    assert {person.name for person in team.team(birds).people} == {"ann"}
    assert "auto-fix" not in roles.roles(birds.workspace)
    with pytest.raises(LnlError, match="no person"):
        decisions.add_reviewer(birds.workspace, "Auto-Fix")
    row = int(autos(birds)[0])
    sent = recording.record(birds, "ann", [{"cid": "x", "row": row, "action": "auto", "label": 1}])
    assert sent.problems
    assert "auto" in sent.problems[0]
    assert row not in truth.answered(birds).labels


def test_roles_say_who_may_accept(birds):
    for who in ("ann", "bob"):
        decisions.add_reviewer(birds.workspace, who)
    roles.name_role(birds.workspace, "ann", "bob", roles.Role.REVIEWER)
    with pytest.raises(roles.NotAllowed):
        begun(birds, who="bob")


def test_the_queue_leaves_them_out_and_a_filter_shows_them(birds):
    plan = accepted(birds)
    decided = set(autos(birds).tolist())
    state = desk.review_state(birds, "ann", order="diverse", limit=400)
    shown = {item["row"] for item in state.items}
    drawn = {each.row for each in audits.draws(birds)}
    assert not (shown - drawn) & decided
    state = desk.review_state(birds, "ann", filters=Filters(verdict="auto"), limit=2000)
    assert {item["row"] for item in state.items} == decided
    assert state.progress.reviewed == len(plan.checks)


def test_exports_say_auto_and_a_decisions_file_brings_no_plan_along(birds, tmp_path):
    accepted(birds)
    row = int(autos(birds)[0])
    data = datasets.load(birds)
    table, _, _ = exporting.correction_rows(birds)
    mine = {each["id"]: each for each in table}[data.ids[row]]
    assert (mine["action"], mine["reviewer"]) == ("auto", "auto-fix")
    manifest = {each["id"]: each for each in exporting.manifest_rows(birds)[0]}
    assert manifest[data.ids[row]]["lnl_verdict"] == "auto"
    assert manifest[data.ids[row]]["label"] == mine["corrected_label"]
    out = io.BytesIO()
    exporting.write_trail(birds, out)
    trail = list(csv.DictReader(io.StringIO(out.getvalue().decode("utf-8-sig"))))
    assert {each["mode"] for each in trail if each["action"] == "auto"} == {"plan 1"}
    exporting.write_export(birds, "label-studio", tmp_path / "tasks")
    tasks = json.loads((tmp_path / "tasks" / "tasks.json").read_text())
    task = next(each for each in tasks if each["data"]["id"] == data.ids[row])
    assert task["data"]["verdict"] == "auto"
    assert not task["annotations"]
    assert task["predictions"][0]["model_version"] == "auto-fix, plan 1"
    file = tmp_path / "decisions.csv"
    file.write_text("id,action,label,reviewer\n" + f"{data.ids[row]},auto,auk,auto-fix\n")
    result = reimporting.import_decisions(birds, file, "bob")
    assert result.stored == 0
    assert "plans" in result.problems[0]


def test_runs_hear_of_no_plan(birds):
    accepted(birds)
    row = int(autos(birds)[0])
    labels, trusted, _ = inputs.corrected_labels(birds)
    assert labels[row] == np.asarray(datasets.load(birds).given_labels)[row]
    assert not trusted[row]


def test_what_does_not_pay_is_said_before_anybody_looks(birds):
    chosen = proposing.pool(birds, least=0.0)
    assert chosen.expected < 0.6  # right labels are among them
    assert proposing.propose(birds, chosen).against.startswith("Does not pay if")
    few = proposing.Pool(chosen.rows[:2], chosen.labels[:2], chosen.chances[:2])
    assert "2 suggestions are too few" in proposing.propose(birds, few, allowed=1).against
    one = proposing.Pool(chosen.rows[:1], chosen.labels[:1], chosen.chances[:1])
    assert "1 suggestion is too few" in proposing.propose(birds, one, allowed=1).against
    none = proposing.Pool(chosen.rows[:0], chosen.labels[:0], chosen.chances[:0])
    assert proposing.propose(birds, none).words() == [
        "Does not pay: no suggestion is that sure. Review the images."
    ]
    sure = proposing.Pool(chosen.rows, chosen.labels, np.full(len(chosen.rows), 0.999))
    assert proposing.propose(birds, sure).against == ""


def test_where_it_pays_is_the_first_step_at_which_nothing_speaks_against_it(birds):
    ranking = in_force.scored(birds).ranking
    sure = np.where(np.asarray(ranking.p_wrong) > 0.5, 0.999, 0.01)
    first = np.zeros_like(np.asarray(ranking.top_probs))
    first[:, 0] = 0.998
    surer = replace(ranking, p_wrong=sure, top_probs=first)
    arrays.save_ranking(birds.directory / "ranking", surer, {"sr": 1})
    steps = (0.0, 0.5, 0.7, 0.9, 0.999)
    asked = [proposing.propose(birds, proposing.pool(birds, least=each), 0.9) for each in steps]
    pays = [not each.against for each in asked]
    assert pays[0] is False  # right labels are among them
    assert any(pays)
    first = pays.index(True)
    least, found = proposing.paying(birds, None, steps, 0.9)
    assert (least, found) == (steps[first], asked[first])
    assert proposing.paying(birds, None, (0.0,), 0.9) is None
