"""Certificates whose every field is changed in turn, signed anew; sets that grew since."""

import copy
import dataclasses
import json

import numpy as np
import pytest

from lnl_core.review.hidden import GOLD
from lnl_core.services.datasets import growing, settings
from lnl_core.services.in_force import standing
from lnl_core.services.review import (
    auditing,
    certificate_form,
    certifying,
    corrected,
    desk,
    new_classes,
    recording,
)
from lnl_core.store import audits, datasets, looks, schema
from lnl_core.store.db import transaction
from lnl_core.types import Action, Decision
from tests.services.datasets.test_growing import file_of, pictures
from tests.services.review.test_auditing import Reviewer, make
from tests.services.review.test_certifying import changed, fails, reviewed, until, written

__all__ = ["reviewed", "until"]


def places(body, path=()):
    """Yield the path of every value; of the draws, those of the first and the fourth."""
    for key, value in body.items() if isinstance(body, dict) else enumerate(body):
        if path == ("draws",) and key not in (0, 3):
            continue
        if isinstance(value, dict | list):
            yield from places(value, (*path, key))
        else:
            yield (*path, key)


def others(value):
    """Return values that somebody might put in the place of one."""
    if value is None:
        return [3]
    if isinstance(value, int):
        return [value + 1, max(0, value - 1)] if value else [1]
    if isinstance(value, float):
        return [value / 2 if value else 0.01]
    return ["2001-01-01", "2999-01-01"] if value[:2] == "20" else [value + "x"]


def undetected(info, path):
    """Change every value in turn; return those that pass."""
    body, passed = json.loads(path.read_text("utf-8")), []
    for where in places(body):
        inner = body
        for key in where:
            inner = inner[key]
        for value in others(inner):
            forged = copy.deepcopy(body)
            at = forged
            for key in where[:-1]:
                at = at[key]
            at[where[-1]] = value
            if where != ("checksum",):
                forged["checksum"] = certifying._checksum(forged)
            path.write_text(json.dumps(forged), "utf-8")
            try:
                found = fails(info, path)
            except certifying.LnlError:
                continue
            if not found:
                passed.append((where, value))
    return passed


@pytest.mark.parametrize(
    ("kind", "value"), [("left", 12), ("recall", 0.9), ("reviews", 60), ("seconds", 240)]
)
def test_every_field_that_was_changed_is_found_out(until, tmp_path, kind, value):
    info = until(kind, value)
    passed = undetected(info, written(info, tmp_path))
    assert passed == []


def without(body, where):
    """Return a copy that does not hold one value, signed anew."""
    forged = copy.deepcopy(body)
    at = forged
    for key in where[:-1]:
        at = at[key]
    del at[where[-1]]
    if where != ("checksum",):
        forged["checksum"] = certifying._checksum(forged)
    return forged


def test_every_field_that_was_taken_out_is_found_out(with_gold, tmp_path):
    """Also what gold says of people, the risk and the goal, whose absence had passed."""
    path = written(with_gold, tmp_path)
    body, passed = json.loads(path.read_text("utf-8")), []
    whole = [(key,) for key in body] + [("stopping", key) for key in body["stopping"]]
    for where in {*places(body), *whole, *(("people", key) for key in body["people"])}:
        path.write_text(json.dumps(without(body, where)), "utf-8")
        try:
            found = fails(with_gold, path)
        except certifying.LnlError:
            continue
        if not found:
            passed.append(where)
    assert passed == []


@pytest.mark.parametrize("earlier", certificate_form.EARLIER)
def test_one_of_an_earlier_program_has_to_be_issued_anew(reviewed, tmp_path, earlier):
    path = written(reviewed, tmp_path)
    changed(path, lambda body: body.update(format=earlier))
    with pytest.raises(certifying.LnlError, match="earlier program"):
        certifying.verify(reviewed, path)


MORE = {
    "of all": lambda body: body.update(guarantee="no label is wrong"),
    "of the goal": lambda body: body["stopping"].update(audited_by="somebody"),
    "of people": lambda body: body["people"].update(note="all experts"),
    "of gold": lambda body: body["people"]["gold"].update(seen=400),
    "of a draw": lambda body: body["draws"][0].update(by="somebody"),
    "a draw twice": lambda body: body["draws"].append(body["draws"][-1]),
    "another kind of number": lambda body: body.update(at_most_left=float(body["at_most_left"])),
    "a number as text": lambda body: body.update(at_most_left=str(body["at_most_left"])),
    "yes for one": lambda body: body["draws"][0].update(found=bool(body["draws"][0]["found"])),
    "a last decision as text": lambda b: b.update(last_decision=str(b["last_decision"])),
}


@pytest.mark.parametrize("more", MORE)
def test_what_nobody_checks_is_not_stated(reviewed, tmp_path, more):
    path = changed(written(reviewed, tmp_path), MORE[more])
    with pytest.raises(certifying.LnlError, match="not as it was issued"):
        certifying.verify(reviewed, path)


def test_a_goal_that_nobody_set_has_no_author_and_is_one_in_a_hundred(workspace, tmp_path, once):
    def by_ann():
        info = make(workspace, tmp_path, 200)
        ann = Reviewer(workspace, info)
        while not auditing.errors_left(info, fresh=True).may_stop:
            ann.press(*ann.window(order="random")[:10])
        return info

    info = once("tampering", by_ann)
    body = json.loads(written(info, tmp_path).read_text("utf-8"))
    assert (body["stopping"]["number"], body["goal"]) == (None, 2)
    assert fails(info, tmp_path / "certificate.json") == []
    for said in ({"set_by": "ann"}, {"set_at": "2020-01-01T00:00:00.000Z"}, {"value": 5.0}):
        path = changed(
            written(info, tmp_path), lambda body, said=said: body["stopping"].update(said)
        )
        assert "goal" in fails(info, path), said

    def more(body):
        body.update(goal=100)
        body["stopping"].update(goal="until at most 100 wrong labels are left")

    assert "goal" in fails(info, changed(written(info, tmp_path), more))


def set_check(info, path):
    (told,) = [each for each in certifying.verify(info, path) if each.what == "set"]
    return told


def test_a_name_that_the_set_never_had_is_found_out(reviewed, tmp_path):
    path = changed(written(reviewed, tmp_path), lambda body: body.update(dataset="cats"))
    told = set_check(reviewed, path)
    assert not told.holds
    assert "“cats”, as this set was never called" in told.words


def test_a_name_that_it_had_is_said(reviewed, tmp_path):
    path, old = written(reviewed, tmp_path), reviewed.name
    for name in ("gulls", "terns", "gulls"):
        reviewed = datasets.rename(reviewed, name)
    told = set_check(reviewed, path)
    assert told.holds
    assert f"issued for it as “{old}”" in told.words
    assert datasets.former_names(reviewed) == [old, "terns"]  # not the one that it has again


def test_of_a_set_from_before_names_were_kept_another_name_is_said(reviewed, tmp_path):
    meta = datasets.read_meta(reviewed)
    del meta[datasets.FORMER_NAMES]
    datasets.write_meta(reviewed.directory, meta)
    path = changed(written(reviewed, tmp_path), lambda body: body.update(dataset="cats"))
    assert "issued for it as “cats”" in set_check(reviewed, path).words


def test_draws_from_before_it_that_it_does_not_hold_are_found_out(reviewed, tmp_path):
    path = changed(written(reviewed, tmp_path), lambda body: body["draws"].pop())
    told = [each for each in certifying.verify(reviewed, path) if not each.holds]
    assert "draws" in [each.what for each in told]


def test_draws_that_are_left_out_are_found_out_where_a_label_became_no_class(workspace, tmp_path):
    info = make(workspace, tmp_path, 100)
    settings.set_goal(info, 20)
    ann = Reviewer(workspace, info)
    ann.truth = np.where(ann.truth == 2, ann.given, ann.truth)  # no image is a cod
    ann.press(*ann.window(order="random")[:10])
    datasets.update_meta(info, no_classes=["cod"])
    ann.info = info = datasets.dataset(workspace, info.name)
    while not auditing.errors_left(info, fresh=True).may_stop:
        ann.press(*ann.window(order="random")[:10])
    path = written(info, tmp_path)
    assert len(json.loads(path.read_text("utf-8"))["draws"]) < len(audits.draws(info))
    assert fails(info, path) == []
    for place in (3, -1):
        changed(written(info, tmp_path), lambda body, at=place: body["draws"].pop(at))
        assert "draws" in fails(info, path), place


def test_a_date_after_later_draws_is_found_out(reviewed, tmp_path):
    """A certificate holds all draws that there were when it was issued."""
    path = written(reviewed, tmp_path)

    def answered():
        now = standing(reviewed)
        return now.last_id, now.answered | now.no_class

    (new,) = audits.draw(reviewed, "ann", 1, answered)
    assert fails(reviewed, path) == []
    dated(reviewed, schema.audit_draws.c.number >= 0, "2026-01-01T00:00:00.000Z")
    dated(reviewed, schema.audit_draws.c.number == new.number, "2026-01-02T00:00:00.000Z")
    assert "draws" in fails(reviewed, path)


def dated(info, which, time):
    """Give draws another time, as a clock does that was set meanwhile."""
    with transaction(info.workspace) as connection:
        connection.execute(schema.audit_draws.update().where(which).values(drawn_at=time))
    audits._draws.cache_clear()


@pytest.fixture
def with_gold(reviewed, once):
    """The same, and a hidden look by a third person at each wrong label on which two agree."""
    return once("gold", lambda: looked_at(reviewed))


def looked_at(reviewed):
    ann, ben, cyd = (Reviewer(reviewed.workspace, reviewed, name) for name in ("ann", "ben", "cyd"))
    known = np.flatnonzero((ann.truth != ann.given) & standing(reviewed).answered)
    ben.press(*known)
    assert len(known) > 20
    for place, row in enumerate(known):
        said = {"action": Action.KEEP} if place % 5 == 0 else {"action": Action.RELABEL}
        label = None if place % 5 == 0 else int(cyd.truth[row])
        given = int(cyd.given[row])
        look = Decision(
            int(row), reviewer="cyd", route=GOLD, label=label, given_label=given, **said
        )
        looks.append(reviewed, [look])
    return reviewed


def test_gold_is_counted_again_look_by_look(with_gold, tmp_path):
    path = written(with_gold, tmp_path)
    people = json.loads(path.read_text("utf-8"))["people"]
    assert people["gold"]["wrong"] > people["gold"]["caught"] > 0
    assert people["last_look"] == looks.last_id(with_gold) > 0
    assert fails(with_gold, path) == []
    fewer = people["gold"] | {"wrong": people["gold"]["wrong"] - 1}
    changed(path, lambda body: body["people"].update(gold=fewer))
    assert "statement" in fails(with_gold, path)


def test_looks_from_before_it_that_it_leaves_out_are_said(with_gold, tmp_path):
    path = written(with_gold, tmp_path)
    until = corrected.Until(0, standing(with_gold).last_id)
    left = auditing.errors_left(with_gold, now=certifying.as_of(with_gold))
    then = certifying.as_of(with_gold)
    none = corrected.corrected(with_gold, left, then, until).as_dict()
    changed(path, lambda body: body["people"].update(none, last_look=0))
    (told,) = [each for each in certifying.verify(with_gold, path) if each.what == "statement"]
    assert f"{looks.last_id(with_gold)} hidden looks from before it are not in it" in told.words


def test_gold_that_came_later_leaves_it_true(with_gold, tmp_path):
    path = written(with_gold, tmp_path)
    last = looks.every(with_gold)[-1]
    looks.append(with_gold, [dataclasses.replace(last, action=Action.KEEP, label=None, cid="x")])
    assert fails(with_gold, path) == []


def test_a_class_that_was_added_since_is_said(reviewed, tmp_path):
    path = written(reviewed, tmp_path)
    grown, _ = new_classes.add_class(reviewed, "gull")
    checks = certifying.verify(grown, path)
    assert all(each.holds for each in checks), checks
    (told,) = [each for each in checks if each.what == "set"]
    assert "since then new: the class “gull”" in told.words


def test_images_that_were_added_since_are_said_with_how_many(reviewed, tmp_path):
    path = written(reviewed, tmp_path)
    more = pictures(6, seed=8, side=4, channels=1)
    source = file_of(
        tmp_path, "more", more, np.zeros(6, int), class_names=np.array(reviewed.class_names)
    )
    growing.add_images(reviewed, source)
    grown = datasets.dataset(reviewed.workspace, reviewed.name)
    grown, _ = new_classes.add_class(grown, "gull")
    (told,) = [each for each in certifying.verify(grown, path) if not each.holds]
    assert told.what == "set"
    assert "has grown since: it says nothing of the 6 images added to its 200" in told.words


def test_the_seed_is_followed_through_a_set_that_grew(workspace, tmp_path):
    """Draws moved to other rows were called drawn at random where a set had ever grown."""
    info = make(workspace, tmp_path, 60)
    ann = Reviewer(workspace, info)
    ann.press(*ann.window(order="random")[:10])
    early = len(audits.draws(info))
    more = pictures(30, seed=8, side=4, channels=1)
    names = np.array(info.class_names)
    growing.add_images(info, file_of(tmp_path, "more", more, np.zeros(30, int), class_names=names))
    grown = datasets.dataset(workspace, info.name)
    for at in range(2):
        state = desk.review_state(grown, "cleo", order="random")
        keys = [
            {"cid": f"{at}-{i}", "row": item["row"], "action": "keep"}
            for i, item in enumerate(state.items[:10])
        ]
        assert not recording.record(grown, "cleo", keys).problems
    drawn = audits.draws(grown)
    assert early < len(drawn)
    told = certifying._chosen_rows(grown, drawn[0].seed, 0, len(drawn))
    assert told == {each.number: (each.row, each.eligible) for each in drawn}
