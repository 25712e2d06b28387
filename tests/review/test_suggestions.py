"""Which class it is instead: evidence, the prior of flips, and what is said of rare classes."""

import numpy as np

from lnl_core.review import consensus, metrics, noise, pool, transition, trust
from tests.review.opinions import check, opinion, planted

ARRAYS = ("suspicion", "p_wrong", "suggested_labels", "top_labels", "top_probs", "order")


def test_a_rare_class_that_no_method_names_is_not_the_sure_suggestion():
    """Evidence alone makes such a class nearly certain, from six images."""
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], [300, 280, 6])
    found = []
    for _ in range(2):
        probs = np.full((len(labels), 3), 0.004)
        probs[np.arange(len(labels)), labels] = 1
        rare = labels == 2  # never seen well: it is called one of the others
        probs[rare] = [0.7, 0.25, 0.05]
        probs[~rare, 2] = 0.003
        found.append(probs * rng.uniform(0.8, 1.2, probs.shape))
    voices = [
        opinion(key, each / each.sum(axis=1, keepdims=True), labels)
        for key, each in zip("ab", found, strict=True)
    ]
    ranking = consensus.rank(voices, labels, 3)
    common = np.flatnonzero(labels == 0)
    soft = [pool.soften(each.pred_probs, labels) for each in voices]
    named = pool.linear(soft, np.array([0.5, 0.5]), slice(None))[common]
    said = (named[:, 2] / (named[:, 1] + named[:, 2])).mean()
    first = ranking.top_labels[common, 0] == 2
    shown = np.where(first, *ranking.top_probs[common, :2].T).mean()
    assert abs(shown - said) < 0.1
    assert (np.diff(ranking.top_probs[:, :2], axis=1) <= 1e-6).all()
    assert (ranking.suggested_labels == ranking.top_labels[:, 0]).all()


def test_the_pool_is_the_product_of_opinions_the_odds_of_a_class_and_half_of_what_is_behind():
    labels, _, _, made = planted(400, 4)
    voices = [opinion("a", made(1.5, 0), labels), opinion("b", made(1.5, 1), labels)]
    ranking = consensus.rank(voices, labels, 4)
    soft = [pool.soften(each.pred_probs, labels) for each in voices]
    order = np.argsort(labels, kind="stable")  # rows are fitted class by class
    logs = pool.logarithmic(soft, np.array([0.5, 0.5]), slice(None))
    free = trust.shares(trust.calibration_weights(soft, labels))
    told = noise.rows_of(pool.logarithmic(soft, free, order), labels[order], labels)
    flips = noise.fit(told, start=noise.fit(told), steady=True)
    found = noise.fit(
        noise.rows_of(logs[order], labels[order], labels), start=flips, flips=flips.flips
    )
    odds, others = noise.odds(found.flips)
    joint = np.exp(found.sharpness * logs + found.offsets) * np.exp(others[:, labels].T / 2)
    own = joint[np.arange(400), labels].copy()
    joint[np.arange(400), labels] = 0
    against = np.log(joint.sum(axis=1) / own) + odds[labels]
    np.testing.assert_array_equal(ranking.order, np.argsort(-against, kind="stable"))
    joint /= joint.sum(axis=1, keepdims=True)
    plain = pool.linear(soft, np.array([0.5, 0.5]), slice(None)).astype(float)
    plain[np.arange(400), labels] = 0
    plain /= plain.sum(axis=1, keepdims=True)
    counts = consensus.SEEN / (consensus.SEEN + np.bincount(labels, minlength=4))
    joint = (1 - counts) * joint + (counts * joint).sum(axis=1, keepdims=True) * plain
    order = np.argsort(-joint, axis=1)[:, :3]
    np.testing.assert_array_equal(ranking.top_labels, order)
    np.testing.assert_allclose(
        ranking.top_probs, np.take_along_axis(joint, order, axis=1), atol=1e-5
    )


def test_many_classes_are_held_against_each_other_by_counts():
    rng = np.random.default_rng(3)
    k = pool.LEVELLED_CLASSES + 1
    first, second = (rng.dirichlet(np.ones(k), 2 * k) for _ in range(2))
    labels = np.arange(2 * k) % k
    ranking = consensus.rank([opinion("a", first, labels), opinion("b", second, labels)], labels, k)
    one, two = (
        pool.linear([pool.level(p, labels, k)], np.ones(1), slice(None)) for p in (first, second)
    )
    joint = transition.confident_joint(lambda rows: (one + two)[rows] / 2, labels, k)
    odds, others = transition.odds_of_wrong(joint)
    # two methods that have nothing in common count as 4/3 opinions, 2/3 each
    joint = (one * two) ** (2 / 3) * np.exp(consensus.PRIOR * others[labels])
    own = joint[np.arange(2 * k), labels].copy()
    joint[np.arange(2 * k), labels] = 0
    against = np.log(joint.sum(axis=1) / own / (k - 1)) + odds[labels]
    np.testing.assert_array_equal(ranking.order, np.argsort(-against, kind="stable"))
    np.testing.assert_array_equal(ranking.suggested_labels, joint.argmax(axis=1))


def test_section_11_test_14_suggestions():
    """Never the given label; the transition prior helps where labels are confused in pairs."""
    labels, truth, wrong, made = planted(4_000, 6, rate=0.3, pair=True)
    methods = [opinion(f"method {i}", made(0.8, i), labels) for i in range(2)]
    ranking = consensus.rank(methods, labels, 6)
    assert (ranking.top_labels != labels[:, None]).all()
    product = methods[0].pred_probs * methods[1].pred_probs
    product[np.arange(len(labels)), labels] = 0
    without = metrics.suggestion_accuracy(wrong, product.argmax(axis=1), truth)
    assert metrics.suggestion_accuracy(wrong, ranking.suggested_labels, truth) > without + 0.02


def test_a_class_nobody_was_given_is_not_suggested_for_want_of_anything_better():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 90)  # class 3 exists by name only
    probs = np.full((90, 4), 1e-6)
    probs[np.arange(90), labels] = 1 - 3e-6
    ranking = consensus.rank([opinion("sure", probs, labels)], labels, 4)
    check(ranking, labels, 4)
    assert not (ranking.suggested_labels == 3).any()
