import json

import numpy as np
import pytest

from lnl_core.review import copies
from lnl_core.services.review import evidence, pictures, recording
from lnl_core.store import arrays, datasets, decisions
from lnl_core.types import Action, Decision, LnlError


def test_evidence_of_a_planted_error(workspace, scored):
    found = evidence.evidence(scored, 3)
    json.dumps(found)  # the route sends it as it is
    assert found["top"][0]["label"] == 0
    assert all(choice["label"] != 1 for choice in found["top"])
    assert abs(sum(choice["prob"] for choice in found["top"]) - 1) < 1e-3
    assert [(m["key"], m["wrong"], m["label"]) for m in found["methods"]] == [
        ("sr", True, 0),
        ("knn", True, 0),
    ]
    assert [curve["key"] for curve in found["curves"]] == ["sr", "knn"]
    for curve in found["curves"]:
        assert len(curve["given"]) == len(curve["suggested"]) == 4
        assert curve["suggested"][-1] > curve["given"][-1]
    assert len(found["loss"]["values"]) == 4


def test_neighbours_by_features_with_their_verdicts(workspace, scored):
    truth = np.asarray(datasets.load(scored).true_labels)
    first = evidence.evidence(scored, 3)["neighbours"]
    rows = [n["row"] for n in first]
    assert len(rows) == len(set(rows)) == 10
    assert 3 not in rows
    assert np.mean(truth[rows] == truth[3]) > 0.8
    decisions.append(scored, [Decision(rows[0], Action.RELABEL, "ann", label=2)])
    again = evidence.evidence(scored, 3)["neighbours"][0]
    assert again == {"row": rows[0], "label": 2, "verdict": "relabel"}
    found = evidence.evidence(scored, 3)
    shown = {*rows, *found["exemplars_given"], *found["exemplars_suggested"]}
    assert set(found["said"]) == shown
    said, given = found["said"][rows[0]], datasets.load(scored).given_labels[rows[0]]
    assert said["label"] == scored.class_names[given]
    assert (said["verdict"], said["by"], said["to"]) == ("relabel", "ann", scored.class_names[2])


def test_what_was_worked_out_ahead_is_what_comes_unasked(workspace, scored):
    evidence._lasting.cache_clear()
    fresh = evidence.evidence(scored, 3)
    evidence._lasting.cache_clear()
    evidence.prepare(scored, [3, 4]).result()
    before = evidence._lasting.cache_info()
    assert evidence.evidence(scored, 3) == fresh
    assert evidence._lasting.cache_info().misses == before.misses == 2


def test_what_is_kept_goes_with_the_ranking_and_with_the_features(workspace, scored):
    first = evidence.evidence(scored, 3)
    arrays.write_array(
        scored.directory / "features" / "newer" / "features.npy",
        np.random.default_rng(7).normal(size=(60, 5)).astype(np.float16),
    )
    other = evidence.evidence(scored, 3)
    assert [n["row"] for n in other["neighbours"]] != [n["row"] for n in first["neighbours"]]
    ranking, runs = arrays.load_ranking(scored.directory / "ranking")
    arrays.save_ranking(scored.directory / "ranking", ranking, {"sr": runs["sr"]})
    assert [m["key"] for m in evidence.evidence(scored, 3)["methods"]] == ["sr"]


def test_class_exemplars_are_of_their_class(workspace, scored):
    given = np.asarray(datasets.load(scored).given_labels)
    found = evidence.evidence(scored, 3)
    assert {int(given[row]) for row in found["exemplars_given"]} == {1}
    assert {int(given[row]) for row in found["exemplars_suggested"]} == {0}
    assert 3 not in found["exemplars_given"]


def test_what_does_not_exist_is_said(workspace, tiny):
    with pytest.raises(LnlError, match="no such image"):
        evidence.evidence(tiny, 60)
    with pytest.raises(LnlError, match="scored yet"):
        evidence.evidence(tiny, 0)


def test_images_are_found_by_number_and_version(workspace, tiny):
    data, kind = pictures.image_bytes(tiny, tiny.version, 5, "thumb")
    assert (data[:4], kind) == (b"\x89PNG", "image/png")
    for wrong in (
        ("other", 5, "thumb"),
        (tiny.version, 60, "thumb"),
        (tiny.version, -1, "thumb"),
        (tiny.version, 5, "../../etc"),
    ):
        with pytest.raises(LnlError):
            pictures.image_bytes(tiny, *wrong)


def test_the_same_picture_is_shown_with_the_labels_that_it_carries(workspace, scored):
    assert "copies" not in evidence.evidence(scored, 3)
    groups = np.arange(60, dtype=np.int32)
    given = np.asarray(datasets.load(scored).given_labels)
    same = int(np.flatnonzero(given == given[3])[-1])
    groups[[3, 8, same]] = 3  # 8 is labelled otherwise
    arrays.write_array(scored.directory / datasets.COPIES, groups)
    found = evidence.evidence(scored, 3)
    assert [one["row"] for one in found["copies"]] == [8, same]
    assert [one["label"] == given[3] for one in found["copies"]] == [False, True]
    assert found["copies_total"] == 2
    assert {8, same} <= set(found["said"])
    assert "copies" not in evidence.evidence(scored, 10)


@pytest.fixture
def twins(scored):
    """Rows 3 and 8 show one picture and are labelled otherwise: the ranking speaks against both."""
    groups = np.arange(60, dtype=np.int32)
    groups[8] = 3
    arrays.write_array(scored.directory / datasets.COPIES, groups)
    given = np.asarray(datasets.load(scored).given_labels)
    ranking, runs = arrays.load_ranking(scored.directory / "ranking")
    ranking = copies.put_first(ranking, groups, given)
    arrays.save_ranking(scored.directory / "ranking", ranking, runs)
    return scored


def test_an_answer_to_a_copy_ends_the_case_against_the_label_that_it_bears_out(workspace, twins):
    given = np.asarray(datasets.load(twins).given_labels)
    row, twin = 8, 3
    before = evidence.evidence(twins, row)
    assert (before["p_wrong"], before["top"][0]["label"]) == (
        pytest.approx(0.5, abs=0.5),
        given[twin],
    )
    decisions.append(twins, [Decision(twin, Action.RELABEL, "ann", label=int(given[row]))])
    found = evidence.evidence(twins, row)
    assert found["p_wrong"] < 0.01
    assert found["top"][0]["prob"] < 0.99
    assert [each["label"] for each in found["copies_labels"]] == [given[row]]
    assert found["copies_corrected"] == 1
    recording.record(twins, "ann", [{"cid": "a", "row": row, "action": "keep"}])
    kept = list(decisions.history(twins))[-1]
    assert (kept.p_wrong, kept.suggested_label) == (found["p_wrong"], found["top"][0]["label"])


def test_a_copy_that_people_have_relabelled_speaks_against_the_label_it_had(workspace, twins):
    given = np.asarray(datasets.load(twins).given_labels)
    shown = int(3 - given[3] - given[8])  # neither of both
    decisions.append(twins, [Decision(3, Action.RELABEL, "ann", label=shown)])
    found = evidence.evidence(twins, 8)
    assert found["p_wrong"] > 0.99
    assert (found["top"][0]["label"], found["top"][0]["prob"]) == (shown, 0.99)
    assert sum(each["prob"] for each in found["top"]) <= 1.001
    recording.record(twins, "ann", [{"cid": "a", "row": 8, "action": "relabel", "label": shown}])
    assert list(decisions.history(twins))[-1].suggested_label == shown


def test_copies_that_people_contradict_each_other_on_say_nothing(workspace, twins):
    before = evidence.evidence(twins, 8)
    given = int(datasets.load(twins).given_labels[3])
    answers = [
        Decision(3, Action.KEEP, "ann"),
        Decision(3, Action.RELABEL, "bob", label=(given + 1) % 3),
    ]
    decisions.append(twins, answers)
    found = evidence.evidence(twins, 8)
    assert (found["p_wrong"], found["top"]) == (before["p_wrong"], before["top"])


@pytest.mark.parametrize("other", ["another class", "no class fits", "several do"])
def test_one_copy_on_which_people_differ_or_name_no_class_leaves_all_open(workspace, scored, other):
    groups = np.arange(60, dtype=np.int32)
    groups[[8, 9]] = 3
    arrays.write_array(scored.directory / datasets.COPIES, groups)
    given = np.asarray(datasets.load(scored).given_labels)
    before = evidence.evidence(scored, 9)
    against = {
        "another class": [
            Decision(8, Action.KEEP, "ann"),
            Decision(8, Action.RELABEL, "bob", label=int(given[8] + 1) % 3),
        ],
        "no class fits": [Decision(8, Action.NONE, "bob")],
        "several do": [Decision(8, Action.MULTIPLE, "bob", labels=(0, 1))],
    }[other]
    said = Decision(3, Action.RELABEL, "cleo", label=int(given[8] + 1) % 3)
    decisions.append(scored, [said, *against])
    found = evidence.evidence(scored, 9)
    assert (found["p_wrong"], found["top"]) == (before["p_wrong"], before["top"])
    decisions.append(
        scored, [Decision(8, Action.RELABEL, "owner", label=said.label, route="settled")]
    )
    settled = 0.001 if given[9] == said.label else 0.999
    assert evidence.evidence(scored, 9)["p_wrong"] == settled
