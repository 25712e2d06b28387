"""Who may settle, what settling does, and what a team looks like."""

import dataclasses
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from lnl_core.review.hidden import CONFIRM, CONTROL, GOLD, REPEAT, SECOND
from lnl_core.services import in_force
from lnl_core.services.compare import lab, retraining
from lnl_core.services.datasets import catalog
from lnl_core.services.explore import embedding
from lnl_core.services.in_force import loaded
from lnl_core.services.review import desk
from lnl_core.services.review.filtering import Filters
from lnl_core.services.review.recording import record
from lnl_core.services.runs import control, running
from lnl_core.services.team import parts, roles, settling, team
from lnl_core.services.team.roles import Role
from lnl_core.services.workspace import datasets
from lnl_core.store import audits, decisions, looks, people
from lnl_core.store import parts as stored_parts
from lnl_core.types import Action, Decision, LnlError


def say(info, who, row, action="keep", **more):
    cid = uuid.uuid4().hex
    record(info, who, [{"cid": cid, "row": row, "action": action, "ms": 1500, **more}])


@pytest.fixture
def disputed(workspace, scored):
    """Row 3 is labelled belt: ann says so, bob says bar."""
    say(scored, "ann", 3)
    say(scored, "bob", 3, "relabel", label=0)
    return scored


def test_a_contradiction_has_both_answers_and_no_suggestion(disputed):
    (one,) = settling.contradictions(disputed)
    assert (one.row, one.given, one.id) == (3, 1, "item-00003")
    assert [(d.reviewer, d.action, d.label) for d in one.answers] == [
        ("ann", Action.KEEP, None),
        ("bob", Action.RELABEL, 0),
    ]


def test_what_is_settled_alone_counts(disputed):
    assert in_force.standing(disputed).disputed[3]
    settling.settle(disputed, "cleo", 3, Action.RELABEL, 2)
    assert settling.contradictions(disputed) == []
    now = in_force.standing(disputed)
    assert (now.wrong[3], now.disputed[3], now.kept[3]) == (True, False, False)
    verdict = decisions.verdict(decisions.in_force(disputed, rows=[3])[3])
    assert (verdict.agreed, verdict.decision.label) == (True, 2)


def test_settling_is_taken_back_and_the_own_answer_counts_again(disputed):
    settling.settle(disputed, "ann", 3, Action.RELABEL, 0)
    assert in_force.standing(disputed).wrong[3]
    settling.take_back(disputed, "ann", 3)
    (one,) = settling.contradictions(disputed)
    assert sorted(d.reviewer for d in one.answers) == ["ann", "bob"]
    with pytest.raises(LnlError, match="have not settled"):
        settling.take_back(disputed, "bob", 3)


def test_taking_back_restores_an_answer_as_it_was_given_and_none_that_was_taken_back(disputed):
    say(disputed, "bob", 3, "relabel", label=0, revealed=True)
    settling.settle(disputed, "bob", 3, Action.NONE)
    settling.take_back(disputed, "bob", 3)
    (bobs,) = [d for d in decisions.in_force(disputed, rows=[3])[3] if d.reviewer == "bob"]
    assert (bobs.action, bobs.revealed, bobs.seconds) == (Action.RELABEL, True, 1.5)
    say(disputed, "cleo", 3, "none")
    say(disputed, "cleo", 3, "reopen")
    settling.settle(disputed, "cleo", 3, Action.NONE)
    settling.take_back(disputed, "cleo", 3)
    assert {d.reviewer for d in decisions.in_force(disputed, rows=[3])[3]} == {"ann", "bob"}


def test_the_sides_do_not_change_places_when_an_answer_is_given_again(disputed):
    (before,) = settling.contradictions(disputed)
    first = [side[0].label for side in settling.sides(before)]
    for who in ("ann", "bob"):
        settling.settle(disputed, who, 3, Action.RELABEL, 0)
        settling.take_back(disputed, who, 3)
        (after,) = settling.contradictions(disputed)
        assert [side[0].label for side in settling.sides(after)] == first


def test_only_contradictions_are_settled(disputed):
    say(disputed, "ann", 25)
    with pytest.raises(LnlError, match="settled already"):
        settling.settle(disputed, "ann", 25, Action.NONE)
    with pytest.raises(LnlError, match="settles nothing"):
        settling.settle(disputed, "ann", 3, Action.SKIP)


def test_a_reviewer_may_not_settle_once_there_is_an_owner(workspace, disputed):
    roles.name_role(workspace, "ann", "bob", Role.REVIEWER)
    assert roles.roles(workspace)["ann"] is Role.OWNER
    with pytest.raises(roles.NotAllowed, match="Only an adjudicator or owner"):
        settling.settle(disputed, "bob", 3, Action.NONE)
    with pytest.raises(roles.NotAllowed):
        roles.name_role(workspace, "bob", "bob", Role.OWNER)
    roles.name_role(workspace, "ann", "bob", Role.ADJUDICATOR)
    settling.settle(disputed, "bob", 3, Action.NONE)


def test_somebody_stays_owner(workspace, disputed):
    roles.name_role(workspace, "ann", "bob", Role.ADJUDICATOR)
    with pytest.raises(LnlError, match="Somebody has to be owner"):
        roles.name_role(workspace, "ann", "ann", Role.REVIEWER)
    roles.name_role(workspace, "ann", "bob", Role.OWNER)
    roles.name_role(workspace, "ann", "ann", Role.REVIEWER)
    assert roles.roles(workspace) == {"ann": Role.REVIEWER, "bob": Role.OWNER}


def test_everybody_is_owner_until_somebody_is(workspace, disputed):
    assert set(roles.roles(workspace).values()) == {Role.OWNER}


def test_a_login_is_one_person_whatever_it_calls_itself(workspace):
    """A name is no proof: whoever takes on the owner's name is not the owner."""

    def sign_in(subject, name, address):
        return roles.signed_in(workspace, f"https://id#{subject}", name, address, ())

    first = sign_in("1", "Ann", "ann@x.org")
    assert (first, roles.role_of(workspace, first)) == ("Ann", Role.OWNER)
    other = sign_in("2", "Ann", "ann@y.org")
    assert (other, roles.role_of(workspace, other)) == ("Ann (ann@y.org)", Role.REVIEWER)
    assert sign_in("2", "Something Else", "ann@y.org") == other
    assert sign_in("1", "Anna", "ann@x.org") == first


def test_a_first_login_in_many_windows_at_once_is_one_person(workspace):
    decisions.add_reviewer(workspace, "Ann")
    begin = threading.Barrier(6)

    def sign_in(n):
        begin.wait()
        return people.of_login(workspace, f"i#{n // 6}", "Ann", f"{n // 6}@x.org")

    for turn in range(8):
        with ThreadPoolExecutor(6) as windows:
            assert len(set(windows.map(sign_in, range(6 * turn, 6 * turn + 6)))) == 1


def test_owners_are_whom_the_server_names(workspace):
    early = roles.signed_in(workspace, "i#1", "Early", "e@x.org", {"boss@x.org"})
    claims = roles.signed_in(workspace, "i#3", "Boss", "boss@x.org", {"boss@x.org"})
    assert roles.role_of(workspace, claims) is Role.REVIEWER  # an address that nobody has checked
    boss = roles.signed_in(workspace, "i#2", "Boss", "boss@x.org", {"boss@x.org"}, verified=True)
    assert roles.role_of(workspace, early) is Role.REVIEWER
    assert roles.role_of(workspace, boss) is Role.OWNER
    assert people.roles(workspace)["Early"] == "reviewer"


def test_a_login_or_an_address_in_any_case_is_named_and_no_address_is_nobody(workspace):
    named = {"i#7", "Boss@x.org"}
    for subject, address in (("i#7", ""), ("i#8", "boss@X.org")):
        who = roles.signed_in(workspace, subject, subject, address, named, verified=True)
        assert roles.role_of(workspace, who) is Role.OWNER
    nobody = roles.signed_in(workspace, "i#9", "Nobody", "", {"", *named}, verified=True)
    assert roles.role_of(workspace, nobody) is Role.REVIEWER


def test_a_name_with_a_role_is_not_taken_by_a_first_login(workspace):
    decisions.add_reviewer(workspace, "Ann")
    people.set_role(workspace, "Ann", Role.OWNER)
    other = roles.signed_in(workspace, "i#3", "Ann", "mallory@x.org", ())
    assert other == "Ann (mallory@x.org)"
    assert roles.role_of(workspace, other) is Role.REVIEWER


def test_unsure_waits_by_person(scored):
    say(scored, "ann", 3, "unsure")
    say(scored, "bob", 5, "unsure")
    say(scored, "bob", 3)
    assert settling.unsure(scored) == {"bob": [5]}


def test_the_team_and_how_far_it_agrees(disputed):
    for row in range(4, 60):
        say(disputed, "ann", row)
        say(disputed, "bob", row, "none" if row % 10 == 0 else "keep")
    settling.settle(disputed, "ann", 3, Action.NONE)  # is no answer of hers
    found = team.team(disputed)
    assert [(p.name, p.answers, p.seconds, p.shared) for p in found.people] == [
        ("ann", 57, 1.5, 57),
        ("bob", 57, 1.5, 57),
    ]
    ((a, b, kappa),) = found.pairs
    assert ({a, b}, kappa.images) == ({"ann", "bob"}, 57)
    assert kappa.low < kappa.value < kappa.high
    assert kappa.value == pytest.approx(found.fleiss.value, abs=0.01)


def test_hidden_looks_without_the_label_are_second_answers_and_nothing_else_is(scored):
    """The queue gives an image to one person: nothing else would bring two to one."""
    for row in range(58):
        say(scored, "ann", row)
    say(scored, "bob", 59)
    given = loaded(scored).given_labels

    def look(row, route, label):
        label = int(label)
        act, chosen = (Action.KEEP, None) if label == given[row] else (Action.RELABEL, label)
        said = Decision(row, act, "bob", label=chosen, given_label=int(given[row]), route=route)
        looks.append(scored, [said])

    for row in range(55):
        shown = given[row] if row % 5 else (given[row] + 1) % 3
        look(row, (SECOND, CONFIRM, CONTROL)[row % 3], shown)
    for row, route in ((56, GOLD), (59, REPEAT)):
        look(row, route, given[row])
    found = team.team(scored)
    ((_, _, kappa),) = found.pairs
    assert (kappa.images, {p.name: p.answers for p in found.people}) == (55, {"ann": 58, "bob": 1})
    assert 0.5 < kappa.value < 0.9  # eleven of fifty-five differ
    assert [p.accuracy for p in found.people] == [None, None]


def test_of_two_nobody_can_tell_which_is_right_and_of_three_one_can(scored):
    for row in range(60):
        say(scored, "ann", row)
        say(scored, "bob", row, "none" if row % 4 == 0 else "keep")
    assert {p.accuracy for p in team.team(scored).people} == {None}
    for row in range(60):
        say(scored, "cyd", row)
    right = {p.name: p.accuracy for p in team.team(scored).people}
    assert right["bob"] < 0.85 < right["ann"]


def test_one_person_has_nobody_to_agree_with(scored):
    say(scored, "ann", 3)
    found = team.team(scored)
    assert (len(found.people), found.pairs, found.alpha.value) == (1, (), None)


def test_a_part_narrows_the_queue_but_not_what_chance_draws(workspace, scored):
    parts.give(scored, "ann", "bob", (parts.Kind.CLASSES, [2]))
    given = loaded(scored).given_labels
    state = desk.review_state(scored, "bob")
    drawn = {each.row for each in audits.draws(scored)}
    rows = {item["row"] for item in state.items}
    assert {int(given[row]) for row in rows - drawn} == {2}
    assert {int(given[row]) for row in drawn} != {2}
    assert desk.page_state(scored, "bob").label == 2
    assert len(desk.review_state(scored, "ann").items) == 50
    parts.give(scored, "ann", "bob", None)
    assert len(desk.review_state(scored, "bob").items) == 50


def test_shares_are_the_whole_set_and_nothing_twice(workspace, scored):
    parts.share_out(scored, "ann", ["ann", "bob", "cleo"])
    mine = [~parts.outside(scored, who) for who in ("ann", "bob", "cleo")]
    assert [each.sum() for each in mine] == [20, 20, 20]
    assert sum(each.astype(int) for each in mine).tolist() == [1] * 60


def test_shares_stay_where_they_are_when_the_set_grows(workspace, scored):
    parts.share_out(scored, "ann", ["ann", "bob", "cleo"])
    larger = dataclasses.replace(scored, n=71)
    for who in ("ann", "bob", "cleo"):
        mine = ~parts.outside(larger, who)
        assert (mine[:60] == ~parts.outside(scored, who)).all()
        assert 23 <= mine.sum() <= 24


def test_shares_of_an_earlier_version_stay_as_they_were_dealt_until_they_are_dealt_anew(
    workspace, scored
):
    people = ["ann", "bob"]
    stored_parts.assign(scored, {who: ("share", [i, 2]) for i, who in enumerate(people)})
    before = np.random.default_rng([scored.id, 2]).permutation(60) % 2
    for i, who in enumerate(people):
        assert (parts.outside(scored, who) == (before != i)).all()
    parts.share_out(scored, "ann", people)
    assert (parts.outside(scored, "ann") != (before != 0)).any()


def test_what_is_unsure_or_skipped_in_one_share_reaches_the_others(workspace, scored):
    parts.share_out(scored, "ann", ["ann", "bob"])
    mine = np.flatnonzero(~parts.outside(scored, "ann")).tolist()
    say(scored, "ann", mine[0], Action.UNSURE)
    say(scored, "ann", mine[1], Action.SKIP)
    say(scored, "ann", mine[2])
    items = desk.review_state(scored, "bob", limit=60, filters=Filters(path="item")).items
    there = {item["row"] for item in items}
    assert there & set(mine) == set(mine[:2])
    say(scored, "bob", mine[1])
    say(scored, "bob", mine[0], Action.SKIP)
    state = desk.review_state(scored, "bob", limit=60, filters=Filters(path="item"))
    assert not {item["row"] for item in state.items} & set(mine)


def test_what_is_in_nobody_s_part_stays_there_when_one_person_skips_it(workspace, scored):
    given = np.asarray(loaded(scored).given_labels)
    parts.give(scored, "ann", "ann", (parts.Kind.CLASSES, [0]))
    parts.give(scored, "ann", "bob", (parts.Kind.CLASSES, [1]))
    row = int((given == 2).argmax())
    say(scored, "ann", row, Action.SKIP)
    for who in ("ann", "bob"):
        items = desk.review_state(scored, who, limit=60, filters=Filters(path="item")).items
        assert row not in {item["row"] for item in items}


def test_what_waits_in_a_part_is_counted_and_one_queue_comes_back(workspace, scored):
    given = loaded(scored).given_labels
    parts.give(scored, "ann", "bob", (parts.Kind.CLASSES, [2]))
    twos = int((given == 2).sum())
    say(scored, "bob", int((given == 2).argmax()))
    assert parts.open_in(scored, ["ann", "bob"]) == {"ann": (59, 60), "bob": (twos - 1, twos)}
    parts.join(scored, "ann", ["bob"])
    assert parts.parts(scored) == {}


def test_only_an_owner_divides(workspace, disputed):
    roles.name_role(workspace, "ann", "bob", Role.ADJUDICATOR)
    with pytest.raises(roles.NotAllowed, match="Only an owner may divide"):
        parts.share_out(disputed, "bob", ["bob"])
    with pytest.raises(roles.NotAllowed, match="Only an owner may divide"):
        parts.join(disputed, "bob", ["ann"])
    with pytest.raises(LnlError, match="no split"):
        parts.give(disputed, "ann", "bob", (parts.Kind.SPLIT, "train"))
    with pytest.raises(LnlError, match="at least one class"):
        parts.give(disputed, "ann", "bob", (parts.Kind.CLASSES, [9]))


def test_of_two_first_logins_at_one_moment_one_becomes_owner(workspace):
    together = threading.Barrier(6)

    def sign_in(k):
        together.wait()
        return roles.signed_in(workspace, f"i#{k}", f"Person {k}", f"{k}@x.org", ())

    with ThreadPoolExecutor(6) as pool:
        names = list(pool.map(sign_in, range(6)))
    given = [roles.role_of(workspace, who) for who in names]
    assert sorted(given) == ["owner"] + 5 * ["reviewer"]


def test_a_role_that_was_given_is_not_taken_by_signing_in_again(workspace):
    boss, ann = (roles.signed_in(workspace, f"i#{k}", k, "", ()) for k in ("boss", "ann"))
    roles.name_role(workspace, boss, ann, Role.ADJUDICATOR)
    assert roles.signed_in(workspace, "i#ann", "ann", "", ()) == ann
    assert roles.role_of(workspace, ann) is Role.ADJUDICATOR


def test_only_an_owner_removes_a_set_or_touches_runs(workspace, scored):
    for who in ("boss", "ann"):
        decisions.add_reviewer(workspace, who)
    roles.name_role(workspace, "boss", "ann", Role.ADJUDICATOR)
    for act in (
        lambda: catalog.remove_dataset(scored, "ann"),
        lambda: running.start_runs(scored, ["knn"], by="ann"),
        lambda: control.remove(workspace, 1, "ann"),
        lambda: control.cancel(workspace, 1, "ann"),
        lambda: control.resume(workspace, 1, "ann"),
        lambda: catalog.add_noise(scored, "noisy", "pair", 0.2, by="ann"),
        lambda: lab.noise_lab(scored, "noisy", methods=["knn"], by="ann"),
        lambda: retraining.start(scored, by="ann"),
        lambda: embedding.start_layout(scored, embedding.Settings("raw"), by="ann"),
    ):
        with pytest.raises(roles.NotAllowed, match="Only an owner may"):
            act()
    catalog.remove_dataset(scored, "boss")
    assert scored.name not in [each.name for each in datasets(workspace)]
