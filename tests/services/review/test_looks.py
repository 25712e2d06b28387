"""Hidden looks from the queue to the measure: never told, never counted, never lost."""

import functools
import json
import uuid
from dataclasses import asdict
from threading import Barrier, Thread

import numpy as np
import pytest
from sqlalchemy import text

from lnl_core.services.export import exporting
from lnl_core.services.in_force import scored, standing
from lnl_core.services.review import auditing, desk, looks, measuring, recording
from lnl_core.services.team import roles, settling
from lnl_core.services.team.roles import NotAllowed, Role
from lnl_core.store import datasets, db, decisions
from lnl_core.store import looks as stored
from lnl_core.types import Action, Busy, Decision, LnlError
from tests.services.review.test_auditing import make


@pytest.fixture
def birds(workspace, tmp_path):
    info = make(workspace, tmp_path, 600)
    datasets.update_meta(info, hidden_looks=0.03, looks_key="5a" * 16)
    return info


class Person:
    """Presses keys on what the queue shows, as the browser would send them."""

    def __init__(self, info, name, sensitivity=1.0):
        self.info, self.name, self.sensitivity = info, name, sensitivity
        data = datasets.load(info)
        self.truth, self.given = np.asarray(data.true_labels), np.asarray(data.given_labels)
        self.rng = np.random.default_rng(sum(name.encode()))

    def window(self, **more):
        return desk.review_state(self.info, self.name, tab=f"{self.name}'s", **more).items

    def answer(self, item, **more):
        row = item["row"]
        sees = self.rng.random() < self.sensitivity
        label = int(self.truth[row]) if sees or item.get("blind") else int(self.given[row])
        keeps = label == self.given[row] and not item.get("blind")
        said = {"action": "keep"} if keeps else {"action": "relabel", "label": label}
        token = {"look": item["look"]} if "look" in item else {}
        return (
            {"cid": uuid.uuid4().hex, "row": row, "ms": 900, "mode": "commit"} | said | token | more
        )

    def decide(self, rows):
        wrong = self.truth != self.given
        made = [
            Decision(
                int(row),
                Action.RELABEL if wrong[row] else Action.KEEP,
                self.name,
                label=int(self.truth[row]) if wrong[row] else None,
            )
            for row in rows
        ]
        decisions.append(self.info, made)

    def press(self, *entries):
        done = recording.record(self.info, self.name, entries)
        assert not done.problems
        assert done.acked == [each["cid"] for each in entries]
        return done

    def review(self, count):
        seen = []
        while len(seen) < count:
            items = self.window()[: min(5, count - len(seen))]
            if not items:
                break
            self.press(*[self.answer(item) for item in items])
            seen += items
        return seen


def hidden_of(info, who=None):
    return [each for each in stored.every(info) if who in (None, each.reviewer)]


def next_places(info, who):
    return looks.placed(info, who, standing(info))


def waits(person, route, steps=40):
    """Answer until a look of a route is the next image; return its item."""
    for _ in range(steps):
        items = person.window()
        there = next_places(person.info, person.name)
        place = next((place for place, each in there.items() if each.route == route), 15)
        if place == 0:
            assert items[0]["row"] == there[0].row
            return items[0]
        person.press(*[person.answer(item) for item in items[:place]])
    raise AssertionError(f"no {route} came")


@pytest.fixture
def half(birds):
    """Ann has answered two hundred images, bob is about to be measured."""
    ann = Person(birds, "ann")
    ann.decide(scored(birds).ranking.order[:200])
    return birds


@pytest.mark.parametrize("route", ["confirm", "control"])
def test_a_blind_look_holds_nothing_that_tells_the_label(half, route):
    bob = Person(half, "bob")
    item = waits(bob, route)
    data = datasets.load(half)
    assert item["given"] == -1
    assert item["blind"]
    assert item.keys() == {"row", "w", "h", "position", "look", "given", "path", "blind"}
    assert item["path"] == ""
    told = json.dumps(item)
    assert str(data.ids[item["row"]]) not in told
    bob.press(bob.answer(item))
    again = desk.review_state(half, "bob").recent[0]
    assert (again["row"], again["given"], again["blind"]) == (item["row"], -1, True)
    assert again["action"] == "relabel"  # as it was pressed, whatever it says of the label


def test_gold_and_repeats_look_like_every_other_image(half):
    ann, bob, cyd = (Person(half, name) for name in ("ann", "bob", "cyd"))
    bob.decide(scored(half).ranking.order[:100])
    gold, repeat = waits(cyd, "gold"), waits(ann, "repeat")
    plain = bob.window(filters=desk.Filters(given=0))[0]  # a narrowed queue has none
    for item in (gold, repeat):
        assert item.keys() == plain.keys()
        assert item["row"] not in item["exemplars"]
        assert len(item["look"]) == len(plain["look"])
    for item in desk.review_state(half, "cyd").items:
        assert gold["row"] not in item["exemplars"]  # as proven right, beside itself


def test_tokens_tell_nothing_and_hold_for_one_person_and_purpose(half):
    bob = Person(half, "bob")
    item = waits(bob, "control")
    assert looks.route_of(half, "bob", item["row"], item["look"]) == "control"
    assert looks.route_of(half, "cyd", item["row"], item["look"]) is None
    assert looks.route_of(half, "bob", item["row"] + 1, item["look"]) is None
    for nonsense in (None, 7, "", "x" * 20, "é", item["look"][:-1]):
        assert looks.route_of(half, "bob", item["row"], nonsense) is None
    key = looks._key(half)
    every = {looks.token(key, "bob", row) for row in range(half.n)}
    assert len(every) == half.n


def test_the_answer_of_a_hidden_look_decides_nothing(half):
    bob = Person(half, "bob")
    item = waits(bob, "control")

    exports = (
        lambda info: exporting.correction_rows(info)[0],
        exporting.decision_rows,
        exporting.trail_rows,
        lambda info: exporting.manifest_rows(info)[0],
    )

    def everything():
        now, left = standing(half), auditing.errors_left(half, fresh=True)
        return (
            decisions.counts(half),
            decisions.reviewed(half),
            now.wrong.tolist(),
            now.settled.tolist(),
            now.touched["bob"].tolist(),
            left,
            [asdict(each) for each in decisions.history(half)],
            *[[str(each) for each in rows(half)] for rows in exports],
        )

    before = everything()
    bob.press(bob.answer(item, action="none", label=None))
    for now, then in zip(everything(), before, strict=True):
        assert now == then
    (look,) = [each for each in hidden_of(half, "bob") if each.row == item["row"]]
    assert (look.route, look.mode, look.action) == ("control", "blind", Action.NONE)


def test_who_answered_first_is_never_asked_again_but_for_repeats(half):
    people = [Person(half, name) for name in ("ann", "bob", "cyd")]
    for _ in range(12):
        for each in people:
            each.review(25)
    own = {name: set(rows.tolist()) for name, rows in standing(half).touched.items()}
    every = hidden_of(half)
    assert {each.route for each in every} >= {"confirm", "control", "gold", "repeat"}
    for each in every:
        assert (each.row in own[each.reviewer]) == (each.route == "repeat"), each
    once = [(each.row, each.reviewer) for each in every]
    assert len(set(once)) == len(once)


def test_shares_are_what_was_asked_for(half):
    bob = Person(half, "bob")
    seen = bob.review(330)
    routes = [each.route for each in hidden_of(half, "bob")]
    assert len(seen) == 330
    for some in ({"second", "confirm"}, {"control"}, {"repeat"}):
        assert 6 <= sum(route in some for route in routes) <= 9  # of nine turns; repeats come later
    looks.set_share(half, "ann", 0.0)
    with pytest.raises(LnlError, match="or 0"):
        looks.set_share(half, "ann", 1e-320)
    assert next_places(half, "bob") == {}
    with pytest.raises(LnlError, match=r"0\.1 to 10 %"):
        looks.set_share(half, "ann", 0.2)
    roles.name_role(half.workspace, "ann", "ann", Role.OWNER)
    with pytest.raises(NotAllowed):
        looks.set_share(half, "bob", 0.05)


def test_a_page_that_is_loaded_anew_shows_the_same_look(half):
    bob = Person(half, "bob")
    item = waits(bob, "control")
    again = desk.review_state(half, "bob", tab="another").items[0]
    assert again == item
    looks._stored_key.cache_clear()  # another process
    assert desk.review_state(half, "bob", tab="a third").items[0] == item


def test_a_journal_that_is_sent_again_is_stored_once_and_undo_comes_back_with_its_token(half):
    bob = Person(half, "bob")
    item = waits(bob, "control")
    entry = bob.answer(item)
    bob.press(entry)
    bob.press(entry)
    assert len([each for each in hidden_of(half, "bob") if each.row == item["row"]]) == 1
    (last, *_) = desk.review_state(half, "bob").recent
    assert (last["row"], last["look"], last["cid"]) == (item["row"], item["look"], entry["cid"])
    bob.press({"cid": "back", "row": item["row"], "action": "reopen", "look": last["look"]})
    assert item["row"] not in [each.row for each in stored.in_force(half)]
    assert decisions.in_force(half, rows=[item["row"]])[item["row"]][0].reviewer == "ann"
    bob.press(bob.answer(item))
    assert item["row"] in [each.row for each in stored.in_force(half)]


def test_an_answer_that_cannot_be_stored_now_is_not_acknowledged(half, monkeypatch):
    bob = Person(half, "bob")
    item = waits(bob, "control")
    soon = functools.partial(db.transaction, patience=0.05)
    monkeypatch.setattr(stored, "transaction", soon)
    with db.transaction(half.workspace) as other:
        other.execute(text("UPDATE reviewers SET created_at = created_at"))
        with pytest.raises(Busy):  # the browser keeps it, and sends it again
            recording.record(half, "bob", [bob.answer(item)])
    bob.press(bob.answer(item))
    assert hidden_of(half, "bob")[-1].row == item["row"]


def test_an_older_page_that_knows_no_tokens_loses_nothing(half):
    bob = Person(half, "bob")
    item = waits(bob, "control")
    entry = bob.answer(item)
    del entry["look"]
    bob.press(entry)
    assert [each.row for each in hidden_of(half, "bob")].count(item["row"]) == 0
    assert "bob" in [each.reviewer for each in decisions.in_force(half)[item["row"]]]


def test_a_look_adds_no_class_and_keeps_no_label_that_was_not_shown(half):
    bob = Person(half, "bob")
    item = waits(bob, "control")
    bob.press(bob.answer(item, action="relabel", label=3, new_class="owl"))
    assert datasets.dataset(half.workspace, half.name).class_names == half.class_names
    assert hidden_of(half, "bob")[-1].action is Action.NONE
    done = recording.record(half, "bob", [{**bob.answer(item), "action": "keep", "label": None}])
    assert "no label was shown" in done.problems[0]


def test_a_look_names_an_added_class_that_is_there_by_its_name(half):
    from lnl_core.services.review import new_classes

    grown, owl = new_classes.add_class(half, "owl")
    bob = Person(grown, "bob")
    item = waits(bob, "control")
    bob.press(bob.answer(item, action="relabel", label=None, new_class="owl"))
    assert hidden_of(grown, "bob")[-1].label == owl


def test_two_windows_of_one_person_and_two_people_at_once(half):
    """Each stores its looks; what one person answered in both windows counts once."""
    bob, gate = Person(half, "bob"), Barrier(2)
    item = waits(bob, "control")
    entries = [bob.answer(item), bob.answer(item)]

    def send(entry):
        gate.wait()
        recording.record(half, "bob", [entry])

    many = [Thread(target=send, args=(entry,)) for entry in entries]
    for each in many:
        each.start()
    for each in many:
        each.join()
    assert len([each for each in stored.in_force(half) if each.row == item["row"]]) == 1
    assert len([each for each in hidden_of(half, "bob") if each.row == item["row"]]) == 2


def test_a_narrowed_queue_gets_none_and_one_person_alone_gets_repeats_alone(birds):
    ann = Person(birds, "ann")
    ann.review(260)
    assert {each.route for each in hidden_of(birds)} == {"repeat"}
    waits(ann, "repeat")
    there = {each.row for each in next_places(birds, "ann").values()}
    narrowed = desk.review_state(birds, "ann", filters=desk.Filters(given=0)).items
    assert there.isdisjoint(item["row"] for item in narrowed)
    focused = desk.review_state(birds, "ann", focus=[int(ann.given.size) - 1]).items
    assert there.isdisjoint(item["row"] for item in focused)


def test_a_second_look_that_contradicts_waits_for_somebody_entitled(half):
    bob = Person(half, "bob")
    item = waits(bob, "confirm")
    row, given = item["row"], int(bob.given[item["row"]])
    assert row not in [each.row for each in settling.contradictions(half)]
    bob.press(bob.answer(item, label=given))  # what the image came with, without having seen it
    (found,) = [each for each in settling.contradictions(half) if each.row == row]
    assert [each.reviewer for each in found.answers] == ["ann", "bob"]
    assert standing(half).wrong[row]  # until somebody has settled it
    settling.settle(half, "cyd", row, Action.KEEP)
    assert row not in [each.row for each in settling.contradictions(half)]
    assert not standing(half).wrong[row]
    last = measuring.people(half)["bob"]["confirm"].known
    assert (last.right, last.alarms) == (1, 0)


def test_what_is_measured_is_what_people_do(half):
    """Bob sees three of five wrong labels; gold says so, and no other route is added to it."""
    ann, cyd, bob = Person(half, "ann"), Person(half, "cyd"), Person(half, "bob", sensitivity=0.6)
    for who in (ann, cyd):
        who.decide(range(0, half.n, 2))
    looks.set_share(half, "ann", 0.1)
    bob.review(270)
    gold = measuring.people(half)["bob"]["gold"].known
    assert gold.wrong + gold.right >= 20
    assert gold.alarms == 0
    assert 0 < gold.caught < gold.wrong
    assert measuring.team(half)["gold"].known == gold


def test_the_set_takes_its_looks_along_when_it_is_removed(half):
    Person(half, "bob").review(80)
    assert stored.last_id(half)
    datasets.remove(half)
    assert stored.last_id(half) == 0
