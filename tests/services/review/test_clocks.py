"""A clock that was wrong, or was set, decides nothing: numbers say what came before what."""

import json

import numpy as np
import pytest
from sqlalchemy import update

from lnl_core.review.auditing import risk
from lnl_core.services import in_force
from lnl_core.services.datasets import growing, settings
from lnl_core.services.review import accepting, auditing, certifying, draws, reading
from lnl_core.services.review.risks import risks
from lnl_core.store import arrays, audits, datasets, decisions, schema
from lnl_core.store.db import transaction
from lnl_core.types import Action, Decision
from tests.services.datasets.test_growing import again, file_of, pictures, run
from tests.services.datasets.test_growing import thirty as thirty
from tests.services.datasets.test_grown_left import checked
from tests.services.review.plans import accepted, review_at_random
from tests.services.review.plans import birds as birds
from tests.services.review.test_certifying import changed, fails, written
from tests.services.review.test_certifying import reviewed as reviewed
from tests.services.review.test_tampering import dated

EARLY, LATE = "2001-01-01T00:00:00.000Z", "2099-01-01T00:00:00.000Z"


def more(tmp_path, info, count=10, seed=8):
    given = np.arange(count) % 3
    return file_of(
        tmp_path,
        f"more-{seed}",
        pictures(count, seed=seed, side=info.height, channels=info.channels),
        given,
        class_names=np.array(info.class_names),
    )


@pytest.mark.parametrize("time", [EARLY, LATE])
def test_draws_from_before_images_came_never_speak_of_them(thirty, tmp_path, time, monkeypatch):
    checked(thirty, 25)
    monkeypatch.setattr(growing, "now", lambda: time)
    growing.add_images(thirty, more(tmp_path, thirty))
    info = again(thirty)
    assert draws.since_grown(info) == ()
    assert auditing.errors_left(info).unseen == 10
    checked(info, 2)
    assert [each.number for each in draws.since_grown(info)] == [25, 26]
    growing.add_images(info, more(tmp_path, info, seed=9))
    info = again(info)
    assert list(draws.replay_before(info).rows) == [each.row for each in audits.draws(info)[25:]]


def test_a_label_that_becomes_no_class_takes_no_draw_since_images_came(thirty, tmp_path):
    checked(thirty, 12)
    growing.add_images(thirty, more(tmp_path, thirty))
    grown = again(thirty)
    checked(grown, 8)
    growing.add_images(grown, more(tmp_path, grown, seed=9))
    grown = again(grown)
    checked(grown, 6)
    info = settings.set_no_classes(grown, [grown.class_names[2]])
    given = np.asarray(datasets.load(info).given_labels)
    left = [each for each in audits.draws(info) if given[each.row] != 2]
    assert sum(each.number < 12 for each in left) < 12, "the seed draws none of that label"
    since = [each.number for each in draws.since_grown(info)]
    assert since == [each.number for each in left if each.number >= 20]
    before = list(draws.replay_before(info).rows)
    assert before == [each.row for each in left if 12 <= each.number < 20]


def test_additions_by_earlier_programs_go_by_their_time(thirty, tmp_path):
    checked(thirty, 25)
    growing.add_images(thirty, more(tmp_path, thirty))

    def as_before(meta):
        return {
            "additions": [{k: each[k] for k in each if k != "after"} for each in meta["additions"]]
        }

    datasets.change_meta(again(thirty), as_before)
    info = again(thirty)
    assert info.grown_after == (None,)
    assert draws.since_grown(info) == ()
    checked(info, 2)
    assert [each.number for each in draws.since_grown(info)] == [25, 26]


def test_nobody_draws_from_the_set_as_it_was(thirty, tmp_path):
    growing.add_images(thirty, more(tmp_path, thirty))
    none = (0, np.zeros(thirty.n, bool))
    assert audits.draw(thirty, "ann", 1, lambda: none) == []
    assert len(audits.draw(again(thirty), "ann", 1, lambda: (0, np.zeros(40, bool)))) == 1


@pytest.mark.parametrize("time", [EARLY, LATE])
def test_a_plan_and_images_change_the_set_in_the_order_of_the_answers(
    birds, tmp_path, time, monkeypatch
):
    review_at_random(birds, 60)
    monkeypatch.setattr(growing, "now", lambda: time)
    growing.add_images(birds, more(tmp_path, birds))
    info = again(birds)
    before = in_force.standing(info)
    assert risks(info, before).now == risk(1)
    plan = accepted(info, least=0.0)
    assert risks(info, in_force.standing(info)).now == risk(2)
    assert risks(info, before).now == risk(1)  # as it was then
    accepting.undo(info, plan.number, "ann")
    assert risks(info, in_force.standing(info)).now == risk(1)  # goes on where it was


def test_what_somebody_left_behind_in_another_year_goes_to_others(thirty):
    drawn = audits.draw(thirty, "ann", 3, lambda: (0, np.zeros(30, bool)), seed=5)
    now = in_force.standing(thirty)
    assert draws._waiting(drawn, now, "bob", None) == []
    dated(thirty, schema.audit_draws.c.number >= 0, LATE)
    rows = [each.row for each in drawn]
    assert draws._waiting(audits.draws(thirty), now, "bob", None) == rows


def test_a_ranking_made_after_the_clock_was_set_back_is_in_force(thirty, monkeypatch):
    for _ in range(4):
        run(thirty)
    folder = thirty.directory / "ranking"
    last = arrays.ranking_version(folder)
    monkeypatch.setattr(arrays.time, "time_ns", lambda: 10**18)
    run(thirty)
    assert int(arrays.ranking_version(folder)) > int(last)
    assert in_force.scored(thirty) is not None
    assert np.array(arrays.load_ranking(folder)[0].p_wrong).shape == (30,)


def test_a_ranking_that_was_told_answers_never_narrows_the_share_of_wrong_labels(
    thirty, monkeypatch
):
    run(thirty)
    checked(thirty, 15, wrong=(1,))
    with_scores = auditing.noise_rate(thirty)
    monkeypatch.setattr(arrays.time, "time_ns", lambda: 1)  # a clock set back to long ago
    run(thirty)
    assert arrays.ranking_knows(
        thirty.directory / "ranking", arrays.ranking_version(thirty.directory / "ranking")
    ) == decisions.last_id(thirty)
    by_draws = auditing.noise_rate(thirty)
    assert by_draws.low <= with_scores.low
    monkeypatch.setattr(auditing, "scored", lambda info: None)
    assert auditing.noise_rate(thirty) == by_draws


def answered_on(info, time):
    with transaction(info.workspace) as connection:
        connection.execute(update(schema.decisions).values(decided_at=time))


def statement(info, path):
    (told,) = [each for each in certifying.verify(info, path) if each.what == "statement"]
    return told


def test_answers_dated_after_the_certificate_are_said_and_do_not_make_it_false(reviewed, tmp_path):
    answered_on(reviewed, LATE)
    path = written(reviewed, tmp_path)
    assert fails(reviewed, path) == []
    assert f"dated up to {LATE}, after that: a clock was wrong" in statement(reviewed, path).words
    body = json.loads(path.read_text("utf-8"))
    assert "answers dated up to 2099-01-01 00:00 UTC" in dict(reading.lines(body))["Issued"]
    changed(path, lambda body: body.pop("rests_on_until"))
    assert fails(reviewed, path) == ["statement"]
    changed(path, lambda body: body.update(rests_on_until=EARLY))
    assert fails(reviewed, path) == ["statement"]


def test_a_certificate_from_before_its_answers_is_found_out(reviewed, tmp_path):
    path = written(reviewed, tmp_path)
    assert "rests_on_until" not in json.loads(path.read_text("utf-8"))
    changed(path, lambda body: body.update(issued_at=EARLY))
    assert "statement" in fails(reviewed, path)


def test_a_certificate_of_a_clock_that_was_ahead_is_not_called_forged(reviewed, tmp_path):
    path = changed(written(reviewed, tmp_path), lambda body: body.update(issued_at=LATE))
    assert not statement(reviewed, path).holds
    assert "still to come: a clock was wrong then, or is now" in statement(reviewed, path).words


def test_draws_after_the_clock_was_set_back_do_not_make_a_certificate_false(reviewed, tmp_path):
    path = written(reviewed, tmp_path)
    now = in_force.standing(reviewed)
    (new,) = audits.draw(reviewed, "ann", 1, lambda: (now.last_id, now.answered | now.no_class))
    dated(reviewed, schema.audit_draws.c.number == new.number, EARLY)
    assert fails(reviewed, path) == []
    (told,) = [each for each in certifying.verify(reviewed, path) if each.what == "draws"]
    assert f"a clock was set back before draw {new.number}" in told.words
    decisions.append(reviewed, [Decision(new.row, Action.KEEP, "ann", decided_at=EARLY)])
    assert fails(reviewed, path) == []
