"""Images that came without a class: a queue of their own, and no part of what is counted."""

import io

import numpy as np
import pytest

from lnl_core.review import labelled
from lnl_core.services import in_force
from lnl_core.services.compare import truth
from lnl_core.services.datasets import settings
from lnl_core.services.explore import confusions, embedding
from lnl_core.services.export import exporting, reimporting, scores
from lnl_core.services.review import auditing, desk, filtering, recording
from lnl_core.services.review.evidence import evidence
from lnl_core.services.review.filtering import Filters
from lnl_core.services.review.progress import progress
from lnl_core.services.team import settling, team
from lnl_core.store import arrays, audits, datasets, db, decisions, plans
from lnl_core.store.found import number_found_wrong
from lnl_core.types import Action, Decision, LnlError
from tests.services.conftest import opinions
from tests.services.review.test_desk import press, rows

NONE = 1
"""`belt` is no class in these tests."""


@pytest.fixture
def vague(scored):
    """`scored`, where `belt` is no class and the ranking says so."""
    datasets.update_meta(scored, no_classes=["belt"])
    info = datasets.dataset(scored.workspace, scored.name)
    data = datasets.load(info)
    found = [opinions(data, "sr", 1), opinions(data, "knn", 2)]
    given = np.asarray(data.given_labels)
    ranking = labelled.rank(found, given, 3, None, info.no_classes)
    arrays.save_ranking(info.directory / "ranking", ranking, {"sr": 1, "knn": 2})
    return info


def without(info):
    return set(np.flatnonzero(np.asarray(datasets.load(info).given_labels) == NONE).tolist())


@pytest.mark.parametrize("order", ["suspicious", "pair", "diverse", "random"])
def test_no_queue_holds_them_and_their_own_holds_nothing_else(vague, order):
    everything = desk.review_state(vague, "ann", order=order, limit=60)
    assert set(rows(everything)) == set(range(60)) - without(vague)
    apart = desk.review_state(vague, "ann", order=order, filters=Filters(to_label=True), limit=60)
    assert set(rows(apart)) == without(vague)
    assert all(item["no_class"] for item in apart.items)
    assert not any(item.get("no_class") for item in everything.items)


def test_pages_hold_none_of_them(vague):
    seen, passed = set(), []
    while (page := desk.page_state(vague, "ann", passed=passed)).label is not None:
        assert page.label != NONE
        seen |= set(rows(page))
        passed += rows(page)
    assert seen == set(range(60)) - without(vague)


def test_who_asks_for_their_label_or_for_one_of_them_gets_them(vague):
    row = min(without(vague))
    assert set(rows(desk.review_state(vague, "ann", filters=Filters(given=NONE)))) == without(vague)
    assert rows(desk.review_state(vague, "ann", filters=Filters(rows=(row, 0)))) in (
        [row, 0],
        [0, row],
    )
    assert rows(desk.review_state(vague, "ann", focus=[row]))[0] == row


def test_labelling_counts_apart_and_finds_no_error(vague):
    one, two, *_ = sorted(without(vague))
    assert desk.to_label(vague) == desk.ToLabel(20, 0)
    told = recording.record(vague, "ann", [press(one, "relabel", label=0), press(two, "none")])
    assert told.problems == []
    assert desk.to_label(vague) == desk.ToLabel(20, 2)
    now = progress(vague, "ann")
    assert (now.reviewed, now.wrong, now.total, now.left) == (0, 0, 40, 40)
    assert decisions.reviewed(vague) == 0
    left = rows(desk.review_state(vague, "ann", filters=Filters(to_label=True), limit=60))
    assert set(left) == without(vague) - {one, two}


@pytest.mark.parametrize(
    "entry", [{"action": "keep"}, {"action": "relabel", "label": NONE},
              {"action": "multiple", "labels": [0, NONE]}]
)  # fmt: skip
def test_it_is_neither_kept_nor_chosen(vague, entry):
    row = min(without(vague))
    told = recording.record(vague, "ann", [press(row, **entry)])
    assert "“belt” is no class" in told.problems[0]
    assert decisions.in_force(vague) == {}
    with pytest.raises(LnlError, match="no class"):
        decisions.append(
            vague,
            [Decision(row, Action(entry["action"]), "ann", label=entry.get("label"),
                      labels=tuple(entry.get("labels", ())), given_label=NONE)],
        )  # fmt: skip


def test_a_keep_from_before_leaves_the_image_to_be_labelled(scored):
    row = min(without(scored))
    recording.record(scored, "ann", [press(row, "keep")])
    info = settings.set_no_classes(scored, ["belt"])
    assert desk.to_label(info).left == 20
    assert row in in_force.standing(info).no_class.nonzero()[0]
    assert not in_force.standing(info).settled[row]


def test_a_keep_from_before_contradicts_nobody_and_every_export_has_the_correction(scored):
    row = min(without(scored))
    id_ = datasets.load(scored).ids[row]
    recording.record(scored, "ann", [press(row, "keep")])
    info = settings.set_no_classes(scored, ["belt"])
    recording.record(info, "bob", [press(row, "relabel", label=0)])
    recording.record(info, "ann", [press(row, "keep")])  # as what came late from a browser
    assert in_force.standing(info).settled[row]
    assert settling.contradictions(info) == []
    assert embedding.VERDICTS[embedding.verdicts(info)[row]] == "relabel"
    kept = filtering.said(info, in_force.standing(info), "keep", None)
    assert not kept[row]
    assert decisions.counts(info) == {"relabel": 1}
    corrections, _, left_out = exporting.correction_rows(info)
    assert [(each["id"], each["corrected_label"]) for each in corrections] == [(id_, "bar")]
    assert not left_out
    cleaned = exporting.cleaned(info)
    assert (cleaned.verdict(row), cleaned.labels[row]) == ("relabelled", 0)
    whole = settings.set_no_classes(info, [])  # a class again: now they do contradict
    assert [each.id for each in settling.contradictions(whole)] == [id_]


def test_random_checks_and_what_they_say_leave_them_out(vague):
    state = desk.review_state(vague, "ann", order="random", limit=60)
    drawn = {each.row for each in audits.draws(vague)}
    assert drawn
    assert not drawn & without(vague)
    assert all(each.eligible <= 40 for each in audits.draws(vague))
    truth_ = np.asarray(datasets.load(vague).true_labels)
    given = np.asarray(datasets.load(vague).given_labels)
    while state.items:
        told = [
            press(row, "keep") if truth_[row] == given[row] or truth_[row] == NONE
            else press(row, "relabel", label=int(truth_[row]))
            for row in rows(state)[:5]
        ]  # fmt: skip
        assert recording.record(vague, "ann", told).problems == []
        state = desk.review_state(vague, "ann", order="random", limit=60)
    for row in without(vague):  # labelling them changes nothing
        recording.record(vague, "ann", [press(row, "relabel", label=0)])
    left = auditing.errors_left(vague, fresh=True)
    assert left.total == 40
    assert (left.found, left.estimate, left.high) == (1, 0, 0)
    assert auditing.noise_rate(vague).share == pytest.approx(1 / 40)


def test_draws_from_before_count_only_what_has_a_class(at_once, scored):
    desk.review_state(scored, "ann", order="random", limit=60)
    recording.record(scored, "ann", [press(each.row) for each in audits.draws(scored)])
    info = settings.set_no_classes(scored, ["belt"])
    counted = auditing.errors_left(info, fresh=True)
    gone = sum(each.row in without(info) for each in audits.draws(info))
    assert gone
    assert counted.audits == len(audits.draws(info)) - gone
    assert counted.total == 40
    rate = auditing.noise_rate(info)
    assert 0 <= rate.low <= rate.share <= rate.high <= 1


def test_evidence_calls_no_such_label_wrong_and_draws_no_curve_of_it(vague):
    row = min(without(vague))
    found = evidence(vague, row)
    assert sorted(each["label"] for each in found["top"]) == [0, 2]
    assert not any(each["wrong"] for each in found["methods"])
    assert (found["curves"], found["loss"]) == ([], None)
    assert found["exemplars_given"] == []


def test_compare_judges_by_the_others_alone(vague):
    told = np.zeros(60, bool)
    sample = truth.sample_of(vague, truth.KNOWN, told)
    assert not set(sample.rows.tolist()) & without(vague)
    recording.record(vague, "ann", [press(min(without(vague)), "relabel", label=0)])
    assert truth.answered(vague).order == ()


def test_the_matrix_and_the_map_name_no_such_class(vague):
    assert NONE not in confusions.matrix(vague).labels
    assert NONE not in embedding.frequent_classes(vague, in_force.scored(vague))


def test_exports_leave_them_out_until_somebody_has_said_what_they_are(vague, tmp_path):
    one = min(without(vague))
    recording.record(vague, "ann", [press(one, "relabel", label=2)])
    table, count, left_out = exporting.manifest_rows(vague)
    listed = {row["id"]: row for row in table}
    ids = datasets.load(vague).ids
    assert (count, left_out) == (41, 19)
    assert {ids[row] for row in without(vague) - {one}}.isdisjoint(listed)
    assert listed[ids[one]]["label"] == "base"
    assert (listed[ids[one]]["given_label"], listed[ids[one]]["p_wrong"]) == ("belt", "")
    assert exporting.verdict_counts(vague)["unlabelled"] == 19
    exporting.write_export(vague, "cleanlab", tmp_path / "out")
    other = sorted(without(vague))[1]
    line = (tmp_path / "out" / "label_issues.csv").read_text().splitlines()[1 + other].split(",")
    assert line[:2] == ["True", "0.000000"]
    assert line[3] != str(NONE)
    probs = np.load(tmp_path / "out" / "pred_probs.npy")
    assert probs[other, NONE] == 0
    np.testing.assert_allclose(probs.sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("method", ["consensus", "knn"])
def test_scores_are_blank_where_they_do_not_apply(vague, method):
    table = list(scores.rank_rows(vague, method))
    for row, cells in enumerate(table):
        assert (cells["suspicion"] == "") == (row in without(vague))
        assert cells["suggested_label"] != "belt"
        assert cells["suggested_label"]


def test_a_file_of_decisions_that_keeps_them_is_stored_but_for_those_rows(vague):
    ids = datasets.load(vague).ids
    row = min(without(vague))
    text = f"id,action,label\n{ids[row]},keep,\n{ids[0]},keep,\n{ids[3]},relabel,belt\n"
    told = reimporting.import_decisions(vague, io.BytesIO(text.encode()), "ann")
    assert told.stored == 1
    assert [each[:5] for each in told.problems] == ["Row 2", "Row 4"]


def test_changing_them_ranks_anew_and_names_the_stale_runs(scored, monkeypatch):
    with pytest.raises(LnlError, match="no label “hat”"):
        settings.set_no_classes(scored, ["hat"])
    info = settings.set_no_classes(scored, ["belt"])
    assert settings.no_classes(info) == ("belt",)
    assert settings.set_no_classes(info, ["belt"]) is info
    assert settings.no_classes(settings.set_no_classes(info, [])) == ()


NAMING = {
    "keep": {"action": "keep"},
    "relabel": {"action": "relabel", "label": NONE},
    "multiple": {"action": "multiple", "labels": [0, NONE]},
}


@pytest.mark.parametrize("said", NAMING)
def test_an_answer_with_what_is_no_class_today_counts_nowhere(scored, said):
    """As if it had been taken back: in counts, queue, agreement and every export."""
    given = np.asarray(datasets.load(scored).given_labels)
    row, other = np.flatnonzero(given == (NONE if said == "keep" else 0))[:2].tolist()
    recording.record(scored, "ann", [press(row, **NAMING[said])])
    recording.record(scored, "ann", [press(other, "relabel", label=2)])
    assert in_force.standing(scored).settled[row]
    info = settings.set_no_classes(scored, ["belt"])
    assert (exporting.correction_counts(info), decisions.counts(info)) == (
        {"relabel": 1},
        {"relabel": 1},
    )
    rows_, held, _ = exporting.correction_rows(info)
    assert (held, [each["corrected_label"] for each in rows_]) == (1, ["base"])
    cleaned = exporting.cleaned(info)
    assert cleaned.verdict(row) == ("unlabelled" if said == "keep" else "unreviewed")
    assert cleaned.labels[row] == (-1 if said == "keep" else 0)
    now = in_force.standing(info)
    assert not now.settled[row]
    assert now.touched["ann"].tolist() == [other]
    assert not in_force.standing_at(info, decisions.last_id(info)).found_wrong[row]
    assert (now.found, now.found) == (number_found_wrong(info), int(said != "keep"))
    assert decisions.reviewed(info) == now.reviewed
    assert [each.row for each in team.independent(info)] == [other]
    assert list(decisions.in_force(info)) == [each[0] for each in decisions.states(info)] == [other]
    here = Filters(to_label=said == "keep")
    assert row in rows(desk.review_state(info, "ann", filters=here, limit=60))
    assert len(list(exporting.decision_rows(info))) == 2, "every answer ever given is there"
    whole = settings.set_no_classes(info, [])
    assert in_force.standing(whole).settled[row], "a class again: it counts again"
    assert decisions.counts(whole)[said] == 1 + (said == "relabel")


def test_a_change_by_a_plan_to_what_is_no_class_today_counts_nowhere(scored):
    with db.transaction(scored.workspace) as connection:
        plans._sign(connection)
        connection.exec_driver_sql(
            "insert into decisions (dataset_id, row, reviewer, action, label, given_label, cid,"
            f" decided_at, mode) values ({scored.id}, 0, '{decisions.AUTO_FIX}', 'auto', {NONE}, 0,"
            " 'x', '2026-01-01T00:00:00.000Z', 'plan 1')"
        )
    assert in_force.standing(scored).auto[0] == NONE
    info = settings.set_no_classes(scored, ["belt"])
    assert in_force.standing(info).auto[0] == -1
    assert exporting.correction_rows(info)[1] == 0
    assert exporting.cleaned(info).labels[0] == 0
