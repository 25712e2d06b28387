from dataclasses import replace

import numpy as np
import pytest

from lnl_core.figures import panel
from lnl_core.jobs import queue
from lnl_core.services.compare import five_views
from lnl_core.store import arrays, datasets
from lnl_core.types import LnlError, Signals
from tests import five


@pytest.fixture
def seen(tiny):
    """`tiny`, scored by five methods, with what they said."""
    return tiny, five.score(tiny)


def view(info, row, key):
    names = list(five.RUNS)
    return five_views.views(info, row).methods[names.index(key)]


def test_each_method_has_a_picture_of_its_own_and_a_sentence(seen):
    info, _ = seen
    shown = five_views.views(info, 0)
    assert [each.picture.kind for each in shown.methods] == [
        "sharpened",
        "code",
        "rounds",
        "stages",
        "masks",
    ]
    assert all(each.picture.words.endswith(".") for each in shown.methods)
    assert all(each.state == "ready" and each.wrong for each in shown.methods)
    assert shown.only is None


def test_what_one_method_alone_has_found_says_so(seen):
    info, _ = seen
    shown = five_views.views(info, 1)
    assert shown.only is not None
    assert shown.only.key == str(five.RUNS["sr"])
    assert [each.wrong for each in shown.methods] == [True, False, False, False, False]


def test_the_sharpened_answer_is_the_run_s_own(seen):
    info, made = seen
    given = np.asarray(datasets.load(info).given_labels)
    facts = view(info, 3, "sr").picture.facts
    label, own, plain = facts["classes"][0]
    assert label == given[3]
    assert own == pytest.approx(made["sr"].pred_probs[3, given[3]], abs=1e-6)
    assert plain is None, "there is no run of plain training"
    assert facts["p_max"] == pytest.approx(0.97)


def test_bits_read_otherwise_are_those_in_which_the_two_codes_differ(seen):
    info, made = seen
    given = np.asarray(datasets.load(info).given_labels)
    book = made["jump"].extras["codebook"]
    facts = view(info, 3, "jump").picture.facts
    assert facts["bits"] == (book[given[3]] > 0).tolist()
    assert facts["read"] == (book[(given[3] + 1) % 3] > 0).tolist()


def test_removal_stages_and_masks(seen):
    info, made = seen
    given = np.asarray(datasets.load(info).given_labels)
    removed = made["influence"].extras["round_removed"]
    facts = view(info, 3, "influence").picture.facts
    assert facts["round_removed"] == removed[3] == 2
    assert facts["removed"] == [(removed == 1).sum(), (removed == 2).sum()]
    stages = view(info, 3, "dmlp").picture.facts
    labels = [label for _, label, _ in stages["stages"]]
    assert labels == [given[3], given[3], (given[3] + 1) % 3]
    assert [vote > 0 for *_, vote in stages["votes"]] == [True, False, False]
    (_, mine, _), (other, theirs, _) = view(info, 3, "hnml").picture.facts["masks"]
    assert np.sum(mine) == 8
    assert np.sum(theirs) == 7, "0.3 of the maximum is below the part that counts"
    assert other == (given[3] + 1) % 3


def test_the_course_of_purified_labels_begins_at_the_given_one(seen):
    info, made = seen
    curve = view(info, 3, "dmlp").curve
    given = np.asarray(datasets.load(info).given_labels)
    assert curve["given"][0] == 1.0
    assert len(curve["given"]) == 5
    assert curve["given"][-1] == pytest.approx(made["dmlp"].pred_probs[3, given[3]], abs=2e-3)
    assert view(info, 3, "dmlp").step == "round"
    assert view(info, 3, "sr").step == "epoch"


def test_a_run_of_an_older_release_says_in_a_line_what_is_not_there(seen):
    info, _ = seen
    folder = info.directory / "runs" / str(five.RUNS["jump"])
    meta = arrays.read_json(folder / "signals.json")
    arrays.write_json(folder / "signals.json", meta | {"extras": []})
    one = view(info, 3, "jump")
    assert one.picture is None
    assert "a new run" in one.missing
    assert one.state == "ready"


def test_a_method_that_was_told_the_answer_has_no_opinion(seen):
    info, _ = seen
    told = np.zeros(info.n, bool)
    told[1] = True
    arrays.write_array(info.directory / "runs" / str(five.RUNS["sr"]) / "trusted.npy", told)
    shown = five_views.views(info, 1)
    assert shown.methods[0].state == "told"
    assert shown.methods[0].picture is None
    assert shown.only is None
    there = five_views.lists(info)
    assert not any(1 in rows for rows in there.rows.values())
    assert there.left_words == (
        "1 image is in none of these lists: one of the methods was told the answer, or has not "
        "judged the label."
    )


def test_no_method_is_alone_where_the_others_were_told_the_answer(seen):
    info, made = seen
    given = np.asarray(datasets.load(info).given_labels)
    wrong = {name: made[name].pred_probs.argmax(axis=1) != given for name in made}
    rows = np.flatnonzero(wrong["sr"] & wrong["dmlp"])
    told = np.zeros(info.n, bool)
    told[rows] = True
    for name in made:
        if name != "sr":
            folder = info.directory / "runs" / str(five.RUNS[name])
            arrays.write_array(folder / "trusted.npy", told)
    there = five_views.lists(info)
    assert len(rows) > 1
    assert there.left_out == len(rows)
    assert not set(rows) & set(there.rows["SR"])


def test_lists_hold_what_their_names_say(seen):
    info, made = seen
    there = five_views.lists(info)
    assert there.left_words == ""
    given = np.asarray(datasets.load(info).given_labels)
    votes = sum(
        (signals.pred_probs.argmax(axis=1) != given).astype(int) for signals in made.values()
    )
    assert set(there.rows[five_views.ALL]) == set(np.flatnonzero(votes == 5))
    assert there.rows["SR"].tolist() == [1]
    assert len(there.rows["HNML"]) == 0
    wrong = np.asarray(datasets.load(info).true_labels) != given
    found = there.rows[five_views.ALL]
    assert there.right[five_views.ALL] == pytest.approx(wrong[found].mean())


def test_a_row_that_is_not_there_is_refused(seen):
    info, _ = seen
    with pytest.raises(LnlError, match="no such image"):
        five_views.views(info, info.n)


def test_nothing_scored_says_what_to_do(tiny):
    with pytest.raises(LnlError, match="Start a run first"):
        five_views.views(tiny, 0)


def test_where_one_published_method_has_run_baselines_disagree_with_it(scored):
    runs = scored.directory / "runs"
    given = np.asarray(datasets.load(scored).given_labels)
    probs = np.eye(3)[given]
    probs[7] = np.eye(3)[(given[7] + 1) % 3]
    arrays.save_signals(runs / "2", Signals("knn", 1 - probs.max(1), probs))
    there = five_views.lists(scored)
    assert there.asked == 2
    alone = {name: rows.tolist() for name, rows in there.rows.items()}
    assert alone["kNN"] == [7]
    assert sorted(alone["SR"]) == [3, 25, 47]


def test_a_method_without_a_run_says_what_it_would_show_and_is_started_in_one_press(
    tiny, no_worker
):
    five.score(tiny)
    ranking, runs = arrays.load_ranking(tiny.directory / "ranking")
    kept = {"sr": runs["sr"]}
    arrays.save_ranking(tiny.directory / "ranking", replace(ranking, methods=("sr",)), kept)
    shown = {each.short: each for each in five_views.views(tiny, 0).methods}
    waiting = [each for each in shown.values() if each.state == "absent"]
    assert len(waiting) == 4
    for each in waiting:
        assert each.missing.startswith("Not run yet. ")
        assert "Its picture: " in each.missing
    there = five_views.absent(tiny)
    assert len(there.runs) == len(there.titles) == 4
    assert there.seconds > 0
    jobs = five_views.start_absent(tiny)
    assert {job.preset for job in jobs} == {"quick"}
    assert {job.method for job in jobs} == {"jump", "influence", "dmlp", "hnml"}
    assert five_views.absent(tiny).runs == ()
    queue.claim(tiny.workspace, jobs[0].id)
    said = [each.missing for each in five_views.views(tiny, 0).methods if each.state == "absent"]
    assert sum(words.startswith("Its run waits in the queue.") for words in said) == 3
    assert sum(words.startswith("Its run goes on, 0") for words in said) == 1
    with pytest.raises(LnlError, match="No method is chosen"):
        five_views.start_absent(tiny)


def test_the_sentence_counts_baselines_beside_the_methods_and_contradicts_nothing(seen):
    """It said "0 of 5 methods expect another class; so do 1 of 3 baselines"."""
    info, _ = seen
    views = five_views.views(info, 0)

    def said(**change):
        html = panel.panel(replace(views, **change), lambda row, size: "")
        return html.split("<p>")[1].split("</p>")[0]

    other = views.names[views.methods[0].label]
    calm = tuple(replace(each, wrong=False) for each in views.methods)
    one = (replace(views.methods[0], wrong=True),)
    assert said(methods=calm, baselines=(1, 3)) == (
        "0 of 5 methods and 1 of 3 baselines expect another class."
    )
    assert said(baselines=(1, 1)).startswith(
        "5 of 5 methods and 1 of 1 baseline expect another class: "
    )
    assert (
        said(methods=one, baselines=(0, 0)) == f"1 of 1 method expects another class: {other} (1)."
    )
    assert said(methods=one, baselines=(0, 2)) == (
        f"1 of 1 method and 0 of 2 baselines expect another class: {other} (1 method)."
    )
    assert "Baselines that agree with it: 1 of 3." in said(methods=one + calm[1:], baselines=(1, 3))
