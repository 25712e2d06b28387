"""What explains given labels: planted flips found again, right labels not called wrong, by hand."""

import numpy as np
import pytest

from lnl_core.review import noise


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
    wrong, joint = noise.share_wrong(rows, noise.fit(rows))
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
    wrong, _ = noise.share_wrong(rows, noise.fit(rows))
    assert wrong < 0.02


def test_a_handful_of_wrong_labels_among_300_is_seen_where_methods_see_well():
    flips = 0.9 * np.eye(5) + 0.02
    logs, given, truth = planted(300, 5, sharpness=3, flips=flips, seed=2)
    rows = rows_of(logs, given)
    wrong, _ = noise.share_wrong(rows, noise.fit(rows))
    assert wrong == pytest.approx((truth != given).mean(), rel=0.5)


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
