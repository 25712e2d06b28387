import json
import uuid
from dataclasses import asdict, replace

import numpy as np
import pytest

from lnl_core.services import in_force
from lnl_core.services.review import blind, desk, evidence, recording
from lnl_core.services.review.filtering import BANDS, Filters, excluded
from lnl_core.services.review.progress import progress
from lnl_core.store import arrays, datasets, decisions
from lnl_core.types import Action, Decision

FLIPPED = (3, 25, 47)  # the planted errors of `tiny`


def press(row, action="keep", **more):
    return {"cid": uuid.uuid4().hex, "row": row, "action": action, "ms": 1500, **more}


def rows(state):
    return [item["row"] for item in state.items]


def test_planted_errors_come_first(workspace, scored):
    state = desk.review_state(scored, "ann")
    assert set(rows(state)[:3]) == set(FLIPPED)
    assert len(rows(state)) == 50
    assert state.ready


def test_before_the_first_run_the_queue_is_not_ready(workspace, tiny):
    state = desk.review_state(tiny, "ann")
    assert not state.ready
    assert state.items == []
    assert desk.page_state(tiny, "ann").label is None


def test_items_tell_nothing_of_what_the_models_think(workspace, scored):
    """Review_science test 16: commit-first may send these before the answer."""
    state = desk.review_state(scored, "ann")
    text = json.dumps(state.items).lower()
    for secret in ("suggest", "p_wrong", "suspicion", "score", "prob", "method"):
        assert secret not in text


def test_what_was_judged_before_the_import_reaches_no_reviewer_and_no_method(workspace, scored):
    judged = np.full(60, -1, np.int32)
    judged[3] = 0
    arrays.write_array(scored.directory / datasets.JUDGED_LABELS, judged)
    (scored.directory / datasets.TRUE_LABELS).unlink()
    info = datasets.dataset(workspace, "tiny")
    state = desk.review_state(info, "ann")
    (item,) = [item for item in state.items if item["row"] == 3]
    (other,) = [item for item in state.items if item["row"] == 25]
    assert item.keys() == other.keys() == _SENT
    assert datasets.load(info).true_labels is None
    told = evidence.evidence(info, 3)
    assert told.keys() == evidence.evidence(info, 25).keys()
    assert "judged" not in json.dumps([told, asdict(state)], default=str)


_SENT = {"row", "id", "given", "path", "w", "h", "position", "exemplars", "confirmed", "guide"} | {
    "look"  # whatever it is shown for: the token says nothing
}


def test_an_answer_leaves_the_queue_and_undo_brings_it_back(at_once, workspace, scored):
    recording.record(scored, "ann", [press(3, "relabel", label=0)])
    state = desk.review_state(scored, "ann")
    assert 3 not in rows(state)
    assert [(a["row"], a["action"], a["label"]) for a in state.recent] == [(3, "relabel", 0)]
    assert (state.progress.reviewed, state.progress.wrong) == (1, 1)
    recording.record(scored, "ann", [press(3, "reopen")])
    state = desk.review_state(scored, "ann")
    assert 3 in rows(state)
    assert state.recent == []
    assert (state.progress.reviewed, state.progress.wrong) == (0, 0)


def test_unsure_goes_to_the_second_reviewer_only(workspace, scored):
    recording.record(scored, "ann", [press(25, "unsure"), press(47, "keep")])
    assert 25 not in rows(desk.review_state(scored, "ann"))
    second = rows(desk.review_state(scored, "bob"))
    assert 25 in second
    assert 47 not in second


def test_filters(workspace, scored):
    given = np.asarray(datasets.load(scored).given_labels)
    state = desk.review_state(scored, "ann", filters=Filters(given=2))
    assert {given[row] for row in rows(state)} == {2}
    state = desk.review_state(scored, "ann", filters=Filters(given=1, suggested=0, method="sr"))
    assert rows(state) == [3]
    state = desk.review_state(scored, "ann", filters=Filters(rows=(9, 25, 999)))
    assert rows(state) == [25, 9]
    recording.record(scored, "ann", [press(25)])
    everything = Filters(rows=(9, 25), include_reviewed=True)
    assert 25 in rows(desk.review_state(scored, "ann", filters=everything))


@pytest.mark.parametrize("order", ["suspicious", "pair", "diverse", "random"])
def test_every_order_shows_every_open_row_once(workspace, scored, order):
    found = rows(desk.review_state(scored, "ann", order=order, limit=60))
    assert sorted(found) == list(range(60))


def test_focus_comes_first_even_when_answered(workspace, scored):
    recording.record(scored, "ann", [press(11)])
    assert rows(desk.review_state(scored, "ann", focus=[11, 40]))[:2] == [11, 40]


def test_what_was_shown_is_recorded(workspace, scored):
    entry = press(3, "relabel", label=0, revealed=True, mode="assisted", position=7)
    recording.record(scored, "ann", [entry, entry])
    (stored,) = decisions.history(scored)
    assert (stored.given_label, stored.suggested_label, stored.run_ids) == (1, 0, (1, 2))
    assert (stored.revealed, stored.mode, stored.position) == (True, "assisted", 7)
    assert stored.p_wrong > 0.3
    assert stored.seconds == 1.5


def test_bad_entries_are_reported_and_do_not_block_good_ones(workspace, scored):
    bad = [press(99), press(1, "explode"), press(1, "relabel"), {"row": 1}, press("x")]
    good = press(5)
    answer = recording.record(scored, "ann", [*bad, good])
    assert len(answer.problems) == len(bad)
    assert good["cid"] in answer.acked
    assert [d.row for d in decisions.history(scored)] == [5]


@pytest.mark.parametrize("at", ["nonsense", "1999-01-01T00:00:00Z", "2999-01-01T00:00:00Z", None])
def test_a_browser_with_a_wrong_clock(workspace, scored, at):
    recording.record(scored, "ann", [press(5, at=at)])
    (stored,) = decisions.history(scored)
    assert stored.decided_at[:4] not in ("1999", "2999")


def test_page_holds_one_class_and_follows_decisions(workspace, scored):
    page = desk.page_state(scored, "ann")
    given = np.asarray(datasets.load(scored).given_labels)
    shown = [item["row"] for item in page.items]
    assert {int(given[row]) for row in shown} == {page.label}
    assert len(shown) == 12
    recording.record(scored, "ann", [press(row) for row in shown])
    assert not set(shown) & {item["row"] for item in desk.page_state(scored, "ann").items}


def test_the_last_page_is_empty_not_an_error(workspace, scored):
    everything = [Decision(row, Action.KEEP, "ann") for row in range(60)]
    decisions.append(scored, everything)
    page = desk.page_state(scored, "ann")
    assert page.ready
    assert page.label is None
    assert desk.review_state(scored, "ann").items == []


def test_exemplars_prefer_what_people_confirmed(workspace, scored):
    given = np.asarray(datasets.load(scored).given_labels)
    row = int(np.flatnonzero(given == 2)[-1])
    recording.record(scored, "ann", [press(row)])
    page = desk.page_state(scored, "bob", filters=Filters(given=2))
    assert (page.exemplars[0], page.confirmed) == (row, 1)
    assert set(FLIPPED).isdisjoint(page.exemplars[:5])


def test_an_exemplar_is_sure_and_no_copy_of_another(workspace, scored):
    given = np.asarray(datasets.load(scored).given_labels)
    of_class = [int(row) for row in np.flatnonzero(given == 2) if row not in FLIPPED]
    ranking, runs = arrays.load_ranking(scored.directory / "ranking")
    p_wrong = np.array(ranking.p_wrong)
    p_wrong[of_class] = 0.1
    p_wrong[of_class[0]] = 0.3  # kept by a person, and doubted all the same
    arrays.save_ranking(scored.directory / "ranking", replace(ranking, p_wrong=p_wrong), runs)
    first = np.arange(scored.n)
    first[of_class[2]] = of_class[1]
    first[of_class[4]] = of_class[3]
    arrays.write_array(scored.arrays / datasets.COPIES, first.astype(np.int32))
    for row in of_class[:3]:
        recording.record(scored, "ann", [press(row)])
    page = desk.page_state(scored, "bob", filters=Filters(given=2))
    assert of_class[0] not in page.exemplars
    assert len({*of_class[1:3]} & {*page.exemplars}) == 1
    assert len({*of_class[3:5]} & {*page.exemplars}) == 1
    assert page.exemplars[0] in of_class[1:3]
    assert page.confirmed == 1
    assert len(page.exemplars) == len(of_class) - 3


def test_speed_is_a_median_that_forgets_pauses(at_once, workspace, scored):
    recording.record(
        scored, "ann", [press(r, ms=ms) for r, ms in enumerate([900, 2000, 3000, 4000])]
    )
    assert progress(scored, "ann").seconds_per_image is None
    recording.record(scored, "ann", [press(10, ms=5000), press(11, ms=10_000_000)])
    assert progress(scored, "ann").seconds_per_image == 3.0


def narrowed(info, **filters):
    out = excluded(info, in_force.scored(info), "ann", Filters(**filters), in_force.standing(info))
    return set(np.flatnonzero(~out).tolist())


def test_the_queue_is_narrowed_to_a_chance(workspace, scored):
    whole = {name: narrowed(scored, chance=limits) for name, limits in BANDS.items()}
    p = in_force.scored(scored).ranking.p_wrong
    assert whole["high"] == set(np.flatnonzero(np.asarray(p) >= 0.5).tolist()) != set()
    assert sum(map(len, whole.values())) == 60 == len(set().union(*whole.values()))


def test_the_queue_is_narrowed_to_answers_and_to_who_gave_them(workspace, scored):
    recording.record(scored, "Kim", [press(3, "none"), press(25, "keep")])
    recording.record(scored, "ann", [press(47, "none")])
    assert narrowed(scored, verdict="none") == {3, 47}
    assert narrowed(scored, who="Kim") == {3, 25}
    assert narrowed(scored, verdict="none", who="Kim") == {3}
    recording.record(scored, "Kim", [press(3, "reopen")])
    assert narrowed(scored, verdict="none", who="Kim") == set()


def test_the_queue_is_narrowed_to_a_text_in_the_path(workspace, scored):
    data = datasets.load(scored)
    place = data.paths[7] if data.paths is not None and data.paths[7] else data.ids[7]
    assert narrowed(scored, path=str(place).upper()) == {7}
    assert narrowed(scored, path="no such place") == set()


def test_an_answered_image_under_a_filter_says_its_answer(workspace, scored):
    recording.record(scored, "ann", [press(25, "relabel", label=0, cid="own")])
    recording.record(scored, "bob", [press(47, "none")])

    def said(**filters):
        state = desk.review_state(scored, "ann", filters=Filters(**filters))
        return {item["row"]: item["said"] for item in state.items if "said" in item}

    own = {"action": "relabel", "label": 0, "labels": [], "cid": "own"}
    assert said(verdict="relabel") == {25: own}
    assert said(who="bob") == {47: {"action": "none", "label": None, "labels": [], "by": "bob"}}
    assert said(include_reviewed=True) == {25: own, 47: {"by": "bob"}}  # it may lead the next one
    (first, *_) = desk.review_state(scored, "ann", focus=[25]).items
    assert first["said"] == own
    page = desk.page_state(scored, "ann", filters=Filters(rows=(25,), include_reviewed=True))
    assert [item["said"] for item in page.items] == [own]


def test_a_skip_does_not_hide_what_somebody_answered(workspace, scored):
    recording.record(scored, "bob", [press(47, "none"), press(25, "skip")])
    recording.record(scored, "ann", [press(47, "skip"), press(25, "skip", cid="own")])
    recording.record(scored, "cyd", [press(47, "skip")])
    state = desk.review_state(scored, "ann", filters=Filters(include_reviewed=True))
    said = {item["row"]: item["said"] for item in state.items if "said" in item}
    own = {"action": "skip", "label": None, "labels": [], "cid": "own"}
    assert said == {47: {"by": "bob"}, 25: own}


def test_no_item_of_the_queue_says_an_answer_or_a_repeat_would_be_told(workspace, scored):
    recording.record(scored, "ann", [press(row) for row in range(55)])
    recording.record(scored, "bob", [press(row, "none") for row in range(20)])
    assert not [item for item in desk.review_state(scored, "ann").items if "said" in item]
    everything = Filters(include_reviewed=True)
    assert [each for each in desk.review_state(scored, "ann", filters=everything).items]


def test_blind_an_answered_image_says_that_it_is_and_not_what(workspace, scored):
    recording.record(scored, "ann", [press(25, "keep")])
    recording.record(scored, "bob", [press(47, "keep")])
    state = desk.review_state(scored, "ann", filters=Filters(include_reviewed=True))
    said = {item["row"]: blind.item(item).get("said") for item in state.items}
    assert (said[25], said[47]) == ({}, {"by": "bob"})


def test_the_last_answers_say_where_the_advice_was_on_screen(scored):
    recording.record(scored, "ann", [press(3, "keep", revealed=True), press(4, "keep")])
    seen = {each["row"]: "revealed" in each for each in desk.review_state(scored, "ann").recent}
    assert seen == {3: True, 4: False}
