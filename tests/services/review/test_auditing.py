"""Random audits from the draw to what they say: of errors left, and in Compare."""

import json
import uuid
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy.stats import chi2

from lnl_core.services.compare import comparing
from lnl_core.services.compare import truth as _truth
from lnl_core.services.explore import confusions
from lnl_core.services.in_force import standing
from lnl_core.services.review import auditing, desk, draws, planning, recording
from lnl_core.services.review.filtering import WAITS, Filters
from lnl_core.services.team import parts
from lnl_core.store import arrays, audits, datasets, decisions
from lnl_core.types import Signals
from tests import rankings
from tests.conftest import write_dataset

RATE = 0.15


@pytest.fixture
def birds(workspace, tmp_path):
    """Six hundred images, 15 % wrong, and one method that sees most of the errors."""
    return make(workspace, tmp_path, 600)


def make(workspace, tmp_path, n, name="birds"):
    rng = np.random.default_rng(5)
    truth = np.arange(n) % 3
    wrong = rng.random(n) < RATE
    given = np.where(wrong, (truth + 1) % 3, truth)
    folder = tmp_path / name
    folder.mkdir()
    images = rng.integers(0, 255, (n, 4, 4, 1), dtype=np.uint8)
    write_dataset(folder, images, given, ["auk", "bee", "cod"], truth=truth)
    info = datasets.register(workspace, name, folder)
    datasets.update_meta(info, hidden_looks=0)  # the numbers are of queue and draws alone
    seen = wrong & (rng.random(n) < 0.7)  # the rest of the errors no score sees
    probs = rng.dirichlet(np.ones(3), n) * 0.6
    probs[np.arange(n), np.where(seen, truth, given)] += 0.4
    signals = Signals("sr", 1 - probs[np.arange(n), given], probs)
    arrays.save_signals(info.directory / "runs" / "1", signals)
    arrays.save_ranking(info.directory / "ranking", rankings.rank([signals], given, 3), {"sr": 1})
    return info


class Reviewer:
    """A person who is always right: presses keys on what the queue shows."""

    def __init__(self, workspace, info, name="ann"):
        self.workspace, self.info, self.name = workspace, info, name
        data = datasets.load(info)
        self.truth, self.given = np.asarray(data.true_labels), np.asarray(data.given_labels)

    def window(self, **more):
        state = desk.review_state(self.info, self.name, **more)
        return [item["row"] for item in state.items]

    def press(self, *rows, action=None, **more):
        entries = []
        for row in rows:
            right = self.truth[row] == self.given[row]
            entry = {"action": "keep"} if right else {"action": "relabel", "label": self.truth[row]}
            entry = {"action": action} if action else entry
            entries.append({"cid": uuid.uuid4().hex, "row": int(row), "ms": 900, **entry, **more})
        done = recording.record(self.info, self.name, entries)
        assert not done.problems

    def review(self, items):
        """Answer so many images of the queue, a few at a time, as a browser sends them."""
        while items > 0:
            rows = self.window()[: min(items, 7)]
            if not rows:
                return
            self.press(*rows)
            items -= len(rows)


def drawn(workspace, info):
    return [each.row for each in audits.draws(info)]


def routes(workspace, info):
    return [d.route for d in decisions.history(info)]


def test_every_fifth_item_is_drawn_and_stays_until_it_has_its_answer(workspace, birds):
    ann = Reviewer(workspace, birds)
    first = ann.window()
    rows = drawn(workspace, birds)
    assert [first[place] for place in (4, 9, 14)] == rows
    assert len(set(first)) == len(first)  # not a second time in the queue's places
    assert ann.window() == first  # nothing is drawn again
    ann.press(*first[:3])
    assert ann.window()[:12] == first[3:15]
    ann.press(*first[3:5])
    assert ann.window()[4] == first[9]
    assert routes(workspace, birds) == ["queue"] * 4 + ["audit"]
    assert ann.window(order="diverse")[4] == first[9]


def test_in_random_order_every_item_is_drawn(workspace, birds):
    ann = Reviewer(workspace, birds)
    mixed = ann.window()
    window = ann.window(order="random")
    assert window[:3] == [mixed[place] for place in (4, 9, 14)]
    assert window[:6] == drawn(workspace, birds)
    ann.press(*window[:6])
    assert routes(workspace, birds) == ["audit"] * 6
    assert ann.window()[4] not in drawn(workspace, birds)[:6]


def test_nothing_that_is_sent_tells_a_drawn_row_from_the_queues(workspace, birds):
    ann = Reviewer(workspace, birds)
    state = desk.review_state(birds, "ann")
    assert len({tuple(item) for item in state.items}) == 1
    assert [item["position"] for item in state.items] == list(range(50))
    ann.press(*(item["row"] for item in state.items[:6]))
    state = desk.review_state(birds, "ann")
    assert len({tuple(item) for item in state.recent}) == 1
    text = json.dumps([state.items, state.recent])
    assert not [word for word in ("audit", "route", "draw", "random") if word in text]


def test_the_server_knows_the_route_and_does_not_ask_the_browser(workspace, birds):
    ann = Reviewer(workspace, birds)
    window = ann.window()
    ann.press(window[4], route="queue")
    ann.press(window[5], route="audit")
    assert routes(workspace, birds) == ["audit", "queue"]


def test_a_narrowed_queue_gets_none_but_a_drawn_row_in_it_counts(at_once, workspace, birds):
    ann = Reviewer(workspace, birds)
    row = int(ann.given[7])
    assert ann.window(filters=Filters(given=row))
    assert ann.window(focus=[7])[0] == 7
    desk.page_state(birds, "ann")
    assert drawn(workspace, birds) == []
    row = ann.window()[4]
    ann.press(ann.window(filters=Filters(rows=(row,)))[0])
    assert routes(workspace, birds) == ["audit"]
    assert auditing.errors_left(birds).audits == 1


def test_undo_brings_a_drawn_row_back_without_a_new_draw(workspace, birds):
    ann = Reviewer(workspace, birds)
    window = ann.window()
    ann.press(*window[:5])
    ann.window()
    before = drawn(workspace, birds)
    ann.press(window[4], action="reopen")
    assert ann.window()[0] == window[4]  # four answers since the last one: it is due
    assert drawn(workspace, birds) == before


def test_what_a_reviewer_leaves_behind_goes_to_another_one(workspace, birds, monkeypatch):
    ann, bob = Reviewer(workspace, birds), Reviewer(workspace, birds, "bob")
    first, second, third = (ann.window()[place] for place in (4, 9, 14))
    assert {first, second, third}.isdisjoint(bob.window()[place] for place in (4, 9, 14))
    ann.press(second, action="skip")
    ann.press(third, action="unsure")
    shown = [bob.window()[place] for place in (4, 9, 14)]
    assert shown[:2] != [second, third]  # bob's own ones come first
    assert second not in ann.window()
    bob.press(*shown)
    assert {second, third} <= {bob.window()[place] for place in (4, 9, 14)}
    assert first not in [bob.window()[place] for place in (4, 9, 14)]
    monkeypatch.setattr(draws, "LEFT_BEHIND", -draws.LEFT_BEHIND)
    assert first in bob.window()[:15]


def test_the_end_of_the_queue_still_shows_what_was_drawn(workspace, tmp_path):
    info = make(workspace, tmp_path, 40)
    ann = Reviewer(workspace, info)
    seen = []
    while rows := ann.window()[:3]:
        ann.press(*rows)
        seen += rows
    assert sorted(seen) == list(range(40))
    left = auditing.errors_left(datasets.dataset(workspace, "birds"), fresh=True)
    if left.estimate is not None:
        assert (left.low, left.estimate, left.high, left.limit) == (0, 0, 0, 0)


def test_eight_reviewers_at_once_get_different_rows(workspace, birds):
    people = [Reviewer(workspace, birds, f"r{i}") for i in range(8)]

    def one(person):
        got = []
        for _ in range(4):
            window = person.window()
            got += window[:5]
            person.press(*window[:5])
        return got

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, people))
    found = audits.draws(birds)
    assert len({each.row for each in found}) == len(found)
    assert [each.number for each in found] == list(range(len(found)))
    stored = list(decisions.history(birds))
    rows = {each.row for each in found}
    assert all((d.route == "audit") == (d.row in rows) for d in stored)
    past = draws.replay(birds)
    assert (past.unreviewed > 400).all()
    assert (past.unreviewed <= 600 - np.arange(len(found))).all()


def test_draws_are_uniform_under_a_queue_that_follows_the_answers(workspace, tmp_path):
    """Review_science test 13: chi-square over where each draw fell among its eligible rows.

    Ranks are by suspicion: under a draw that leaned to the queue's head or tail they would pile up.
    """
    info = make(workspace, tmp_path, 400)
    ann = Reviewer(workspace, info)
    p = np.asarray(arrays.load_ranking(info.directory / "ranking")[0].suspicion)
    place, seen, before = [], set(), set()
    while len(place) < 60:
        window = ann.window()[:5]
        for each in audits.draws(info)[len(place) :]:
            open_ = np.array([row for row in range(400) if row not in seen | before])
            assert each.eligible == len(open_)
            place.append((p[open_] < p[each.row]).mean())
            before.add(each.row)
        ann.press(*window)
        seen.update(window)
    counts = np.bincount((np.array(place) * 6).astype(int), minlength=6)
    statistic = ((counts - len(place) / 6) ** 2 / (len(place) / 6)).sum()
    assert statistic < chi2.ppf(0.999, 5)


def test_sixty_audits_judge_a_method_as_the_truth_does(workspace, birds, monkeypatch):
    """From the queue to Compare: the weighted average precision covers the known one.

    One draw of many; `tests/review/test_auditing.py` counts how often the interval holds.
    """
    monkeypatch.setattr(audits.secrets, "randbits", lambda _bits: 12)
    ann = Reviewer(workspace, birds)
    known = comparing.compare(birds, truth="known").detections["1"]
    ann.review(300)
    left = auditing.errors_left(birds, fresh=True)
    assert left.audits >= 60  # and more once they lead to the goal sooner than the queue
    (birds.directory / "true_labels.npy").unlink()
    found = comparing.compare(datasets.dataset(workspace, birds.name))
    assert found.truth.kind == _truth.AUDIT
    queue = 300 - left.audits
    assert found.truth.words == f"{queue} answers + {left.audits} settled random checks"
    judged = found.detections["1"]
    low, high = judged.interval
    assert low <= known.ap <= high
    assert judged.total == pytest.approx(known.total, rel=0.35)
    wrong = ann.truth != ann.given
    settled = [d.row for d in decisions.history(birds)]
    truly = int(wrong.sum() - wrong[settled].sum())
    assert left.low <= truly <= left.high
    assert left.low <= left.estimate <= left.high <= left.limit + 40


def test_weights_stand_where_the_row_was_drawn_not_where_it_was_answered(workspace, birds):
    ann = Reviewer(workspace, birds)
    window = ann.window()
    ann.press(*window[:4], *window[5:9])  # the first drawn row is answered late
    ann.press(window[4])
    order = _truth.answered(birds).order
    assert order[0] == (window[4], True)
    assert [row for row, random in order if not random] == [*window[:4], *window[5:9]]


def test_before_twenty_audits_there_is_no_figure(at_once, workspace, birds):
    ann = Reviewer(workspace, birds)
    ann.review(95)
    left = auditing.errors_left(birds)
    assert (left.audits, left.estimate, left.limit, left.may_stop) == (19, None, None, False)
    ann.review(5)
    left = auditing.errors_left(birds)
    assert left.audits == 20
    assert 0 <= left.low < left.estimate < left.high <= 500
    assert left.goal == 6


def test_a_corrected_answer_of_an_audit_is_not_overlooked(at_once, workspace, birds):
    ann = Reviewer(workspace, birds)
    ann.review(100)
    before = auditing.errors_left(birds)
    kept = [r for r in drawn(workspace, birds)[:15] if ann.truth[r] == ann.given[r]][:4]
    ann.press(*kept, action="none")
    after = auditing.errors_left(birds)
    assert after.wrong == before.wrong + 4
    assert after.high > before.high - 4


def test_unsure_is_wrong_above_and_right_below(workspace, birds):
    ann = Reviewer(workspace, birds)
    ann.review(150)
    sure = auditing.errors_left(birds, fresh=True)
    right = [r for r in drawn(workspace, birds)[:30] if ann.truth[r] == ann.given[r]][:3]
    ann.press(*right, action="unsure")
    unsure = auditing.errors_left(birds, fresh=True)
    assert (unsure.audits, unsure.unsure) == (sure.audits, 3)
    assert unsure.limit > sure.limit
    assert unsure.low <= sure.low
    wrong = [r for r in drawn(workspace, birds)[:30] if ann.truth[r] != ann.given[r]][:3]
    ann.press(*wrong, action="unsure")
    less = auditing.errors_left(birds, fresh=True)
    assert less.estimate < unsure.estimate  # nobody says any more that they are wrong
    assert less.limit > unsure.limit - 3


@pytest.mark.slow
def test_the_interval_holds_through_whole_reviews(workspace, tmp_path):
    """Review_science test 3 through the services: six projects, looked at after each batch."""
    missed = 0
    for number in range(6):
        info = make(workspace, tmp_path, 300, f"set {number}")
        ann = Reviewer(workspace, info)
        wrong = ann.truth != ann.given
        bad = False
        for _ in range(30):
            ann.review(10)
            left = auditing.errors_left(info)
            settled = list({d.row for d in decisions.history(info)})
            truly = int(wrong.sum() - wrong[settled].sum())
            if left.estimate is not None:
                bad |= left.limit < truly or not left.low <= truly <= left.high
        missed += bad
        assert truly == 0
        assert left.limit == 0
    assert missed <= 2  # 6 x 5 %, and chance


def test_the_report_says_what_a_certificate_needs(workspace, birds):
    empty = auditing.report(birds)
    assert (empty.rate, empty.needed, empty.left.estimate) == (None, None, None)
    ann = Reviewer(workspace, birds)
    ann.review(150)
    found = auditing.report(birds, target=0.001)
    assert found.needed is None  # more is expected to be left than the goal: the queue first
    assert found.rate.low <= (ann.truth != ann.given).mean() <= found.rate.high
    easy = auditing.report(birds, target=0.25)
    assert easy.needed == 0 or easy.needed < 300
    ann.review(600)
    done = auditing.report(birds)
    assert (done.needed, done.left.may_stop, done.left.estimate) == (0, True, 0)


def test_fifty_audits_set_the_size_of_the_matrix(workspace, birds):
    ann = Reviewer(workspace, birds)
    ann.review(240)
    assert not confusions.matrix(birds).audits
    ann.review(10)
    found = confusions.matrix(birds)
    assert found.audits == 50
    wrong = ann.truth != ann.given
    off = found.count.sum() - np.trace(found.count)
    assert off == pytest.approx(auditing.noise_rate(birds).share * 600, rel=0.15)
    np.testing.assert_allclose(found.count.sum(axis=1), found.size)
    assert (found.low <= found.share + 1e-9).all()
    assert (found.share <= found.high + 1e-9).all()
    cell = np.zeros((3, 3))
    np.add.at(cell, (ann.given, ann.truth), 1)
    assert abs(found.count - cell).sum() < 0.6 * wrong.sum()


def test_drawn_rows_that_wait_come_before_the_queue(workspace, birds):
    """An order changed to and fro, or a tab that was closed, leaves more than there are places."""
    ann, bob = Reviewer(workspace, birds), Reviewer(workspace, birds, "bob")
    ann.window()
    bob.window(order="random")
    waiting = drawn(workspace, birds)[3:]
    assert len(waiting) == 6
    shown = bob.window()
    assert shown[:6] == waiting
    assert len(drawn(workspace, birds)) == 9  # and no more are drawn meanwhile
    bob.press(*shown[:2])
    assert waiting[2] not in bob.window()[:3]  # the queue's turn again


def test_what_waits_for_an_answer_is_part_of_the_way_to_the_goal(workspace, birds):
    ann, bob = Reviewer(workspace, birds), Reviewer(workspace, birds, "bob")
    for _ in range(20):
        ann.press(*ann.window(order="random")[:6])
    bob.window(order="random")
    now = standing(birds)
    assert draws.open_draws(birds, now) == 6
    left = auditing.errors_left(birds, fresh=True)
    ahead = planning.forecast(birds, left.limit, now)
    assert ahead.plan.audits == 6  # for without them the limit would be there already


def test_drawn_images_that_were_put_off_are_counted_and_lead_back(at_once, workspace, birds):
    ann = Reviewer(workspace, birds)
    ann.review(30)
    window = ann.window()
    late, unsure = [row for row in window if row in drawn(workspace, birds)][:2]
    queued = window[0]
    assert queued not in drawn(workspace, birds)
    assert auditing.errors_left(birds).waits == ""
    ann.press(late, queued, action="skip")
    ann.press(unsure, action="unsure")
    left = auditing.errors_left(birds)
    assert (left.put_off, left.waits) == (2, "2 drawn images wait, skipped or unsure")
    assert left.as_dict()["waits"] == left.waits
    assert not {late, unsure, queued} & set(ann.window(limit=600)), "nothing else shows them"
    assert set(ann.window(filters=Filters(verdict=WAITS))) == {late, queued, unsure}
    ann.press(late, queued)
    assert set(ann.window(filters=Filters(verdict=WAITS))) == {unsure}
    Reviewer(workspace, birds, "bob").press(unsure)
    assert ann.window(filters=Filters(verdict=WAITS)) == []
    assert auditing.errors_left(birds).put_off == 0


def test_what_was_put_off_is_told_as_of_the_moment_or_it_would_tell_what_is_drawn(workspace, birds):
    ann = Reviewer(workspace, birds)
    ann.press(ann.window()[4], action="skip")
    assert auditing.errors_left(birds).put_off == 0
    assert auditing.errors_left(birds, fresh=True).put_off == 1
    ann.review(9)
    assert auditing.errors_left(birds).put_off == 1


def test_what_one_has_skipped_comes_back_whoevers_part_it_is_in(at_once, workspace, birds):
    ann = Reviewer(workspace, birds)
    decisions.add_reviewer(workspace, "ann")
    ann.review(12)
    late = ann.window()[2:8]
    outside = next(row for row in late if row in drawn(workspace, birds))
    other = (int(ann.given[outside]) + 1) % 3
    ann.press(outside, action="skip")
    parts.give(birds, "ann", "ann", (parts.Kind.CLASSES, [other]))
    assert ann.window(filters=Filters(verdict=WAITS)) == [outside]
