"""What explains given labels: planted flips found again, right labels not called wrong, by hand."""

import numpy as np
import pytest

from lnl_core.review import consensus, noise
from lnl_core.types import Signals


def planted(n, k, *, sharpness, flips=None, sizes=None, seed=0):
    """Calibrated log-probabilities of the truth, labels drawn through flips, and the truth."""
    rng = np.random.default_rng(seed)
    share = np.full(k, 1 / k) if sizes is None else np.asarray(sizes) / np.sum(sizes)
    truth = rng.choice(k, n, p=share)
    logs = rng.normal(size=(n, k)) * sharpness
    logs[np.arange(n), truth] += sharpness**2  # by Bayes' rule calibrated as it is
    logs += np.log(share)
    logs -= np.log(np.exp(logs).sum(axis=1, keepdims=True))
    if flips is None:
        return logs, truth, truth
    given = np.array([rng.choice(k, p=flips[label]) for label in truth])
    return logs, given, truth


def rows_of(logs, given):
    order = np.argsort(given, kind="stable")
    return noise.rows_of(logs[order], given[order], given)


EVEN = np.full((4, 4), 0.05) + 0.8 * np.eye(4)
PAIRS = 0.8 * np.eye(4) + 0.2 * np.eye(4)[[1, 0, 3, 2]]


@pytest.mark.parametrize("flips", [EVEN, PAIRS], ids=["even", "pairs"])
def test_planted_flips_are_found(flips):
    logs, given, truth = planted(6_000, 4, sharpness=2.5, flips=flips)
    found = noise.fit(rows_of(logs, given))
    np.testing.assert_allclose(found.flips, flips, atol=0.03)
    assert found.sharpness == pytest.approx(1, abs=0.1)
    p = 1 - noise.posterior(found, logs, given)[np.arange(len(given)), given]
    assert p.mean() == pytest.approx((truth != given).mean(), abs=0.02)
    high = p > 0.8  # and each is as likely as it says
    assert (truth != given)[high].mean() == pytest.approx(p[high].mean(), abs=0.04)


def test_flips_are_found_behind_methods_that_learned_the_flipped_labels():
    logs, given, truth = planted(6_000, 4, sharpness=3, flips=EVEN)
    learned = noise.fit(rows_of(logs, given), flips=np.eye(4))  # as well as lines can
    assert learned.sharpness < 0.8
    rows = rows_of(learned.evidence(logs), given)
    counted = noise.share_wrong(rows, noise.fit(rows))
    wrong, joint = counted.share, counted.joint
    assert 0.9 < wrong / (truth != given).mean() < 1.6
    assert joint.sum(axis=1) == pytest.approx(np.bincount(given), rel=1e-6)
    assert 1 - np.trace(joint) / joint.sum() == pytest.approx(wrong, rel=1e-6)


@pytest.mark.parametrize("n", [60, 300, 3_000])
@pytest.mark.parametrize("sharpness", [1.0, 2.0])
def test_weak_features_are_no_wrong_labels(n, sharpness):
    """Methods that are often mistaken, as they say themselves, and labels that are all right."""
    logs, given, _ = planted(n, 5, sharpness=sharpness, seed=n)
    assert (logs.argmax(axis=1) != given).mean() > 0.15
    rows = rows_of(logs, given)
    wrong = noise.share_wrong(rows, noise.fit(rows)).share
    assert wrong < 0.02


def test_a_handful_of_wrong_labels_among_300_is_seen_where_methods_see_well():
    flips = 0.9 * np.eye(5) + 0.02
    logs, given, truth = planted(300, 5, sharpness=3, flips=flips, seed=2)
    rows = rows_of(logs, given)
    wrong = noise.share_wrong(rows, noise.fit(rows)).share
    assert wrong == pytest.approx((truth != given).mean(), rel=0.5)


def test_odds_and_what_is_behind_labels_are_the_flips_taken_apart():
    flips = np.array([[0.9, 0.1, 0.0], [0.2, 0.7, 0.1], [0.0, 0.1, 0.9]])
    odds, others = noise.odds(flips)
    assert odds == pytest.approx(np.log([0.2 / 0.9, 0.2 / 0.7, 0.1 / 0.9]))
    assert others[1, 0] == pytest.approx(np.log(2))  # all of it, of two classes
    assert others[[0, 2], 1] == pytest.approx(np.log([1.0, 1.0]))  # half of it: even
    assert others[2, 0] < -20
    assert np.diag(others).tolist() == [0, 0, 0]


@pytest.mark.parametrize("sizes", [(2_000, 2_000, 2_000, 12), (2_000, 2_000, 2_000, 600)])
def test_what_is_wrong_in_a_class_is_believed_as_far_as_it_was_seen(sizes):
    """A quarter of the last class is wrong, and methods see clearly; 12 images tell little."""
    given = np.repeat(np.arange(4), sizes)
    truth = given.copy()
    last = np.flatnonzero(given == 3)
    truth[last[::4]] = 0
    rng = np.random.default_rng(1)
    logits = rng.normal(size=(len(given), 4)) * 2.5
    logits[np.arange(len(given)), truth] += 2.5**2
    rows = rows_of(logits, given)
    freely = noise.fit(rows)
    steadily = noise.fit(rows, start=freely, steady=True)
    seen, steadied = (noise.odds(each.flips)[0] for each in (freely, steadily))
    others = steadied[:3].mean()
    assert seen[3] - seen[:3].mean() > 2
    kept = (steadied[3] - others) / (seen[3] - seen[:3].mean())
    assert (kept < 0.75) if sizes[3] == 12 else (kept > 0.85)
    assert steadied[3] > others


@pytest.mark.parametrize(("sharpness", "low", "high"), [(0.3, 0, 0.25), (3.0, 0.9, 1)])
def test_sureness_tells_methods_that_know_classes_from_those_that_do_not(sharpness, low, high):
    logs, given, _ = planted(2_000, 5, sharpness=sharpness)
    rows = rows_of(logs, given)
    assert low <= noise.sureness(rows, noise.fit(rows)) <= high


def test_rows_drawn_unevenly_stand_for_the_set():
    given = np.repeat([0, 1], [90, 10])
    drawn = np.r_[0:10, 90:100]
    rows = noise.rows_of(np.zeros((20, 2)), given[drawn], given)
    assert rows.stands_for.sum() == pytest.approx(20)
    assert rows.stands_for[0] == pytest.approx(9 * rows.stands_for[-1])


def test_posterior_by_hand():
    found = noise.Noise(1.0, np.zeros(2), np.array([[0.9, 0.1], [0.2, 0.8]]))
    # seen .3 as class 0, given as 0: .3 * .9 against .7 * .2
    truly = noise.posterior(found, np.log([[0.3, 0.7]]), np.array([0]))
    np.testing.assert_allclose(truly, [[0.27 / 0.41, 0.14 / 0.41]])


@pytest.mark.parametrize(("k", "wrong"), [(2, 0.1), (2, 0.25), (3, 0.3)])
def test_wrong_labels_that_a_sure_model_contradicts_are_no_doubt_of_few_classes(k, wrong):
    """A fit from one start took them for doubt: 3 expected of 423 wrong among 2,000."""
    rng = np.random.default_rng(4)
    true = rng.integers(0, k, 4000)
    given = np.where(rng.random(4000) < wrong, (true + rng.integers(1, k, 4000)) % k, true)
    logs = rng.normal(size=(4000, k)) * 3.5
    logs[np.arange(4000), true] += 12
    probs = np.exp(logs - logs.max(axis=1, keepdims=True))
    probs /= probs.sum(axis=1, keepdims=True)
    ranking = consensus.rank([Signals("own", 1 - probs[np.arange(4000), given], probs)], given, k)
    expected = ranking.p_wrong.sum() / (true != given).sum()
    assert 0.5 < expected < 1.2  # of two classes little tells the two apart
    right = (ranking.p_wrong > 0.5) == (true != given)
    assert right.mean() > 1 - wrong * 2 / 3


def test_predictions_without_doubt_are_believed_up_to_what_is_usual():
    rng = np.random.default_rng(0)
    true = rng.integers(0, 5, 600)
    for wrong in (0.06, 0.3):
        given = np.where(rng.random(600) < wrong, (true + rng.integers(1, 5, 600)) % 5, true)
        suspicion = (given != true).astype(float)
        ranking = consensus.rank([Signals("own", suspicion, np.eye(5)[true])], given, 5)
        expected = min(suspicion.mean(), noise.UNKNOWN_RATE)
        assert ranking.p_wrong.mean() == pytest.approx(expected, rel=0.2)


def test_doubt_that_would_have_shown_wrong_labels_is_believed():
    """Of ten classes. Of two, each named for certain, nothing shows how many are wrong."""
    logs, given, _ = planted(400, 10, sharpness=2)
    assert noise.untold(rows_of(logs, given)) < 0.01
    said = given % 2
    certain = np.log(0.9998 * np.eye(2)[said] + 1e-4)
    assert noise.untold(rows_of(certain, said)) == 0  # none is contradicted
    given = np.where(np.arange(400) % 25 == 0, 1 - said, said)
    assert noise.untold(rows_of(certain, given)) == pytest.approx(0.04, rel=0.05)
