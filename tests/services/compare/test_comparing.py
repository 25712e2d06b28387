import dataclasses

import numpy as np
import pytest

from lnl_core.figures.frame import strokes
from lnl_core.figures.palette import TONES
from lnl_core.jobs import queue
from lnl_core.review import consensus
from lnl_core.services.compare import comparing, in_words, losses
from lnl_core.services.compare import truth as _truth
from lnl_core.store import arrays, datasets, decisions
from lnl_core.types import Action, Decision, JobState, LnlError, Signals

WRONG = [3, 25, 47]


def answer(workspace, info, row, action=Action.KEEP, route="queue", label=None, who="ann"):
    decision = Decision(row=row, action=action, reviewer=who, route=route, label=label)
    decisions.append(info, [decision])


def without_truth(info):
    """Forget the truth, as of a set of a user's own; returns the set as it is now."""
    (info.directory / "true_labels.npy").unlink()
    return datasets.dataset(info.workspace, info.name)


def finished(workspace, info, method, suspicion, probs=None, curves=None, extras=None):
    """A run of a method with signals of our making, done."""
    job = queue.submit(info, method)
    found = Signals(method, suspicion, probs, curves=curves or {}, extras=extras or {})
    arrays.save_signals(info.directory / "runs" / str(job.id), found)
    queue.claim(workspace)
    queue.finish(workspace, job.id, JobState.DONE)
    return job.id


def test_the_consensus_comes_first_and_runs_know_their_kind(workspace, scored):
    found = comparing.candidates(scored)
    assert [each.name for each in found] == ["consensus", "sr", "knn"]
    assert [each.baseline for each in found] == [False, False, True]
    assert all(each.newest for each in found)


def test_an_older_run_can_be_chosen_but_is_not_by_default(workspace, tiny):
    rng = np.random.default_rng(0)
    probs = rng.dirichlet(np.ones(3), 60)
    runs = [finished(workspace, tiny, "knn", rng.random(60), probs) for _ in range(2)]
    newest = arrays.load_signals(tiny.directory / "runs" / str(runs[1]))
    given = np.asarray(datasets.load(tiny).given_labels)
    arrays.save_ranking(
        tiny.directory / "ranking", consensus.rank([newest], given, 3), {"knn": runs[1]}
    )
    every = comparing.candidates(tiny)
    assert [(each.key, each.newest) for each in every[1:]] == [("2", True), ("1", False)]
    assert every[2].title.endswith("run 1")
    assert [c.key for c in comparing.compare(tiny).candidates] == ["consensus", "2"]
    chosen = comparing.compare(tiny, ["1"])
    assert [c.key for c in chosen.candidates] == ["1"]
    with pytest.raises(LnlError, match="at least one"):
        comparing.compare(tiny, ["99"])


def test_with_a_known_truth_every_run_is_judged_on_all_images(workspace, scored):
    found = comparing.compare(scored)
    assert found.truth.kind == _truth.KNOWN
    assert set(found.detections) == {"consensus", "1", "2"}
    assert found.detections["1"].total == 3
    assert found.detections["1"].size == 60
    assert found.right_fix["1"] == 1.0
    assert found.correlation.shape == (3, 3)
    assert found.best().key in ("1", "2")


def test_without_truth_and_answers_there_is_no_curve_and_a_reason(workspace, scored):
    scored = without_truth(scored)
    found = comparing.compare(scored)
    assert found.detections == {}
    assert "Precision needs answers" in found.why_none
    assert "0 settled so far" in found.why_none
    assert comparing.overlap(scored, None, 3).shape == (3, 3)
    assert in_words.baseline_words(found) == ""


def test_answers_of_the_queue_make_no_curve(workspace, scored):
    right = [int(label) for label in datasets.load(scored).true_labels]
    scored = without_truth(scored)
    for row in range(55):
        action = Action.RELABEL if row in WRONG else Action.KEEP
        answer(workspace, scored, row, action, label=right[row] if row in WRONG else None)
    found = comparing.compare(scored)
    assert found.detections == {}
    assert "0 settled so far" in found.why_none
    assert found.reviewed == (55, 3)


def test_random_audits_make_one(workspace, scored, at_once, monkeypatch):
    monkeypatch.setattr(_truth, "WRONG_NEEDED", 2)
    scored = without_truth(scored)
    truth = np.repeat([0, 1, 2], 20)
    answer(workspace, scored, 3, Action.RELABEL, label=0)  # the queue, before every draw
    for row in np.random.default_rng(0).permutation([r for r in range(60) if r != 3])[:52]:
        row = int(row)
        wrong = row in WRONG
        answer(
            workspace, scored, row, Action.RELABEL if wrong else Action.KEEP, "audit",
            int(truth[row]) if wrong else None,
        )  # fmt: skip
    found = comparing.compare(scored)
    assert found.truth.kind == _truth.AUDIT
    assert found.truth.words == "1 answer + 52 settled random checks"
    assert found.detections["1"].total == pytest.approx(3, abs=0.6)
    assert found.right_fix["1"] == 1.0


def judged(info, rows):
    """The set as if only these rows had come with a true label; returns it as it is now."""
    truth = np.asarray(datasets.load(info).true_labels)
    some = np.full(info.n, -1, np.int32)
    some[rows] = truth[rows]
    arrays.write_array(info.directory / datasets.JUDGED_LABELS, some)
    return without_truth(info)


def test_what_was_judged_before_judges_the_runs_and_speaks_for_no_other_image(
    workspace, scored, monkeypatch
):
    monkeypatch.setattr(_truth, "WRONG_NEEDED", 2)
    scored = judged(scored, [0, 1, 2, 3, 25, 30, 31, 50])
    found = comparing.compare(scored)
    assert found.truth.words == "8 judged, 2 wrong"
    assert "8 images of 60" in found.truth.caution
    assert {d.size for d in found.detections.values()} == {8}
    assert found.detections["1"].total == 2
    assert found.detections["1"].ap == found.right_fix["1"] == 1.0


def test_answers_and_told_images_count_among_the_judged_ones_alone(workspace, scored, monkeypatch):
    monkeypatch.setattr(_truth, "WRONG_NEEDED", 2)
    scored = judged(scored, [0, 1, 2, 3, 25, 30, 31, 50])
    answer(workspace, scored, 3, Action.RELABEL, label=0)
    answer(workspace, scored, 47, Action.RELABEL, label=2)
    trusted = np.zeros(60, bool)
    trusted[[0, 47]] = True
    arrays.write_array(scored.directory / "runs" / "1" / "trusted.npy", trusted)
    found = comparing.compare(scored)
    assert found.reviewed == (1, 1)
    assert found.left_out == 1
    assert found.detections["2"].size == 7


def test_too_few_wrong_ones_among_the_judged_make_no_curve(workspace, scored):
    found = comparing.compare(judged(scored, [0, 1, 2, 3]))
    assert found.detections == {}
    (said, _) = _truth.truths(scored := datasets.dataset(workspace, scored.name))
    assert "4 labels were judged before the import, 1 of them wrong" in said.reason
    assert comparing.compare(scored, truth="judged").why_none == said.reason


def test_an_unsure_audit_and_a_reopened_one_do_not_count(workspace, scored, at_once):
    answer(workspace, scored, 1, Action.KEEP, "audit")
    answer(workspace, scored, 2, Action.UNSURE, "audit")
    answer(workspace, scored, 4, Action.KEEP, "audit")
    answer(workspace, scored, 4, Action.REOPEN, "audit")
    assert _truth.truths(scored)[-1].words == "1 settled random check"


def test_an_image_that_a_run_was_told_does_not_judge_it(workspace, scored):
    trusted = np.zeros(60, bool)
    trusted[[3, 4]] = True
    arrays.write_array(scored.directory / "runs" / "1" / "trusted.npy", trusted)
    found = comparing.compare(scored)
    assert found.left_out == 2
    assert found.detections["2"].total == 2  # the same images for all, so that they compare
    assert found.detections["2"].size == 58
    alone = comparing.compare(scored, ["2"])
    assert alone.detections["2"].total == 3


def test_plain_cross_entropy_that_wins_is_said(workspace, tiny):
    wrong = np.isin(np.arange(60), WRONG)
    rng = np.random.default_rng(0)
    good = finished(workspace, tiny, "ce", 0.2 + 0.7 * wrong)
    bad = finished(workspace, tiny, "sr", np.where(wrong, 0.1, 0.3 + 0.5 * rng.random(60)))
    given = np.asarray(datasets.load(tiny).given_labels)
    runs = {"ce": good, "sr": bad}
    found = [
        dataclasses.replace(arrays.load_signals(tiny.directory / "runs" / str(n)), method=key)
        for key, n in runs.items()
    ]
    arrays.save_ranking(tiny.directory / "ranking", consensus.rank(found, given, 3), runs)
    words = in_words.baseline_words(comparing.compare(tiny))
    assert "No published method beats it here." in words
    assert "Worse: Sparse Regularization −" in words
    on_features = comparing.compare(tiny)
    renamed = tuple(
        dataclasses.replace(c, name="ce@pretrained", title="Plain cross-entropy, pretrained")
        if c.name == "ce"
        else c
        for c in on_features.candidates
    )
    words = in_words.baseline_words(dataclasses.replace(on_features, candidates=renamed))
    assert words.startswith("Plain cross-entropy, pretrained reaches an average precision of")
    alone = comparing.compare(tiny, [str(bad)])
    assert "not among these runs" in in_words.baseline_words(alone)


def test_losses_say_what_a_threshold_queues(workspace, scored):
    found = losses.losses(scored, "1")
    assert found.quantity == "loss"
    assert found.agrees.sum() == 57
    assert not found.agrees[WRONG].any()
    low = losses.above(found, float(found.x.min()))
    assert (low.queued, low.true) == (60, 0.05)
    high = losses.above(found, float(np.sort(found.x)[-3]))
    assert (high.queued, high.true) == (3, 1.0)
    assert high.true_interval[0] < 1
    assert losses.above(found, 99.0).queued == 0
    assert found.value(found.x[3]) == pytest.approx(10 ** found.x[3])


def test_verdicts_split_the_losses(workspace, scored):
    answer(workspace, scored, 3, Action.RELABEL, label=0)
    answer(workspace, scored, 4)
    found = losses.losses(scored, "1")
    assert (found.verdict[3], found.verdict[4], found.verdict[5]) == (2, 1, 0)
    suspicion = losses.losses(scored, "1", "suspicion")
    assert suspicion.quantity == "suspicion"
    assert suspicion.value(0.0) == 0.5


def test_the_loss_is_the_late_one_in_nats(workspace, scored):
    signals = arrays.load_signals(scored.directory / "runs" / "1")
    given = np.asarray(datasets.load(scored).given_labels)
    loss, words = losses.given_loss(signals, given)
    assert loss == pytest.approx(
        -np.log(np.maximum(np.asarray(signals.curves["p_given"])[-1], 1e-4))
    )
    assert "last third" in words
    bare = dataclasses.replace(signals, curves={})
    loss, _ = losses.given_loss(bare, given)
    chosen = np.asarray(signals.pred_probs)[np.arange(60), given]
    assert loss == pytest.approx(-np.log(chosen), rel=1e-4)


def test_one_image_and_the_special_views(workspace, tiny):
    rng = np.random.default_rng(0)
    probs = rng.dirichlet(np.ones(3), 60).astype(np.float32)
    suspicion = rng.random(60)
    ids = {
        "jump": finished(
            workspace, tiny, "jump", suspicion, probs,
            extras={
                "sub_losses": rng.random((60, 8)).astype(np.float16),
                "sub_loss_mean": rng.random(60),
                "sub_loss_variance": np.arange(60.0),
            },
        ),
        "sr": finished(
            workspace, tiny, "sr", suspicion, probs,
            extras={"p_max": np.array([0.9]), "confidence": np.linspace(0, 1, 60)},
        ),
        "influence": finished(
            workspace, tiny, "influence", suspicion, probs,
            extras={
                "round_removed": np.where(np.isin(np.arange(60), WRONG), 1, 0),
                "best_round": np.array([1]),
            },
        ),
    }  # fmt: skip
    given = np.asarray(datasets.load(tiny).given_labels)
    found = [arrays.load_signals(tiny.directory / "runs" / str(n)) for n in ids.values()]
    arrays.save_ranking(tiny.directory / "ranking", consensus.rank(found, given, 3), ids)
    special = losses.sub_losses(tiny, str(ids["jump"]), 30)
    assert len(special["values"]) == len(special["typical"]) == 8
    assert special["variance_rank"] == pytest.approx(0.5)
    sharp = losses.sharpened(tiny, str(ids["sr"]), 0)
    assert sharp["p_max"] == pytest.approx(0.9)
    assert sharp["own"] == pytest.approx(probs[0].tolist())
    assert sharp["plain"] is None
    rounds = losses.rounds(tiny, str(ids["influence"]), 25)
    assert (rounds["removed"], rounds["true"], rounds["round_removed"]) == ([3], [1.0], 1)
    assert losses.rounds(tiny, str(ids["sr"]), 25) is None
    assert losses.trajectory(tiny, str(ids["sr"]), 25) == {}


def test_a_model_of_ones_own_and_a_run_on_features_are_told_apart_and_named_in_full():
    names = ["sr", "jump", "sr@pretrained", "own-my-vision-transformer-b", "own-vit", "ce"]
    runs = [comparing._named(name, i, newest=True) for i, name in enumerate(names, 1)]
    assert [run.short for run in runs[2:5]] == ["SR pret.", "my-vision-transformer-b", "vit"]
    for tone in TONES.values():
        lines = strokes(runs, tone)
        drawn = {(lines[run.key]["color"], lines[run.key]["dash"]) for run in runs}
        assert len(drawn) == len(runs)
        assert len({lines[run.key]["color"] for run in runs}) == len(runs)
