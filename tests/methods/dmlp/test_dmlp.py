"""DMLP on real digits (spec 6.3): both correctors together do what neither does alone."""

import dataclasses

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.metrics import roc_auc_score

from lnl_core.jobs.context import LocalContext
from lnl_core.methods import dmlp
from lnl_core.methods.dmlp import closed_form, loops, rounds
from lnl_core.types import LabeledDataset

SPEC = dmlp.Config(
    space="labels",
    rounds=5,
    period=20,
    head_batch=128,
    ridge=1.5e-3,
    prior="uniform",
    early_stop=False,
    retrain=False,
)
FAST = dataclasses.replace(SPEC, space="weights")
KINDS = {"pair": (0.4, "next"), "symmetric 40": (0.4, "any"), "symmetric 80": (0.8, "any")}


def drawn(kind, seed=0, confirmed=100, shuffled=False):
    """Real digits with wrong labels, random ReLU features and confirmed rows, ten a class.

    Returns:
        dataset of 1,497 images, truth, features (n, 256); features and truth of the other 300.
    """
    found = load_digits()
    rate, how = KINDS[kind]
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(found.target))
    rows, held = order[300:], order[:300]
    truth, n = found.target[rows], len(rows)
    weights, bias = rng.normal(0, 0.6, (64, 256)), rng.normal(0, 0.3, 256)
    features, test = (
        np.maximum(found.data[part] / 16 @ weights + bias, 0).astype(np.float32)
        for part in (rows, held)
    )
    step = np.ones(n, int) if how == "next" else rng.integers(1, 10, n)
    wrong = rng.random(n) < rate
    given = np.where(wrong, (truth + step) % 10, truth)
    order = rng.permutation(n)
    trusted = np.zeros(n, bool)
    if confirmed:
        for label in range(10):
            trusted[order[truth[order] == label][: confirmed // 10]] = True
    given[trusted] = truth[trusted]
    if shuffled:
        given[trusted] = rng.permutation(given[trusted])
    images = (found.images[rows] * 15).astype(np.uint8)[..., None]
    names, ids = tuple("0123456789"), [str(i) for i in range(n)]
    dataset = LabeledDataset("digits", names, given, ids, images, trusted=trusted)
    return dataset, truth, features, test, found.target[held]


def digits(kind, seed=0, **how):
    return drawn(kind, seed, **how)[:3]


def outcome(config, kind, seed=0, **how):
    """Return the signals, the label accuracy and the AUROC on the rows nobody confirmed."""
    dataset, truth, features = digits(kind, seed, **how)
    signals = dmlp.fit(dataset, config, LocalContext(seed=seed, features=features))
    rest = ~dataset.trusted
    right = (signals.extras["purified_labels"] == truth)[rest].mean()
    wrong = (dataset.given_labels != truth)[rest]
    return signals, right, roc_auc_score(wrong, signals.suspicion[rest]), dataset, truth


@pytest.mark.parametrize(("kind", "least"), list(zip(KINDS, (0.92, 0.94, 0.87), strict=True)))
def test_63_fast_form(kind, least):
    """Mean of the spec's three seeds; spec 0.945, 0.966 and 0.904."""
    runs = [outcome(FAST, kind, seed) for seed in range(3)]
    assert np.mean([right for _, right, *_ in runs]) >= least
    assert min(auroc for _, _, auroc, *_ in runs) >= 0.97
    assert runs[0][0].extras["rounds"][0] == 5


@pytest.mark.parametrize("kind", KINDS)
def test_63_shuffled_validation_labels_do_harm(kind):
    """The control: what helps is what the validation rows say, not that there are some.

    The fast form takes 15 steps where the authors' loop takes 100, so at 40 % symmetric wrong
    validation rows harm it less: 0.82 (0.77..0.86 over four seeds) where the loop has 0.62.
    """
    _, right, *_ = outcome(FAST, kind, shuffled=True)
    assert right <= (0.86 if kind == "symmetric 40" else 0.78)


def test_63_ten_confirmed_images_a_class_tell_what_the_probe_is_worth():
    signals, right, _, dataset, truth = outcome(dataclasses.replace(FAST, early_stop=True), "pair")
    rest = ~dataset.trusted
    probe = (signals.extras["baseline_labels"] == truth)[rest].mean()
    assert right >= probe + 0.02
    assert 0.7 <= signals.extras["baseline_accuracy"][0] <= 1
    assert signals.extras["held_out_accuracy"][0] >= signals.extras["baseline_accuracy"][0] - 0.1
    assert signals.extras["bootstrap"][0] == 0
    np.testing.assert_array_equal(
        signals.extras["validation_rows"], np.flatnonzero(dataset.trusted)
    )
    assert 1 <= signals.extras["rounds"][0] <= 5
    assert len(signals.curves["held_out_accuracy"]) >= signals.extras["rounds"][0]


def test_without_confirmed_images_rows_that_all_agree_on_stand_in():
    signals, right, auroc, dataset, truth = outcome(FAST, "symmetric 40", confirmed=0)
    rows = signals.extras["validation_rows"]
    assert signals.extras["bootstrap"][0] == 1
    assert not signals.extras["validation_confirmed"].any()
    assert (truth[rows] == dataset.given_labels[rows]).mean() >= 0.97
    counts = np.bincount(dataset.given_labels[rows], minlength=10)
    assert counts.min() == counts.max() == 20
    assert right >= 0.93
    assert auroc >= 0.97


def test_a_class_without_confirmed_images_alone_gets_stand_ins():
    dataset, _, features = digits("symmetric 40")
    trusted = dataset.trusted & (dataset.given_labels != 3)
    dataset = dataclasses.replace(dataset, trusted=trusted)
    signals = dmlp.fit(dataset, FAST, LocalContext(features=features))
    rows, confirmed = (
        signals.extras["validation_rows"],
        signals.extras["validation_confirmed"].astype(bool),
    )
    np.testing.assert_array_equal(rows[confirmed], np.flatnonzero(trusted))
    assert set(dataset.given_labels[rows[~confirmed]]) == {3}
    assert signals.extras["bootstrap"][0] == 1


@pytest.mark.parametrize("config", [FAST, dataclasses.replace(SPEC, period=5, rounds=2)])
def test_copies_of_a_wrong_label_do_not_explain_each_other(config):
    dataset, truth, features = digits("symmetric 40", confirmed=0)
    wrong = np.flatnonzero(dataset.given_labels != truth)[:40]
    rows = np.append(np.arange(len(truth)), np.repeat(wrong[:20], 7))
    groups = rows.copy()
    labels = np.append(dataset.given_labels, np.repeat(dataset.given_labels[wrong[:20]], 7))
    labels[-1] = truth[wrong[19]]  # and one copy says otherwise
    copied = LabeledDataset(
        "copied",
        dataset.class_names,
        labels,
        [str(i) for i in range(len(rows))],
        dataset.images[rows],
        groups=groups,
    )
    signals = dmlp.fit(copied, config, LocalContext(seed=0, features=features[rows]))
    probs = np.asarray(signals.pred_probs)
    np.testing.assert_allclose(probs, probs[groups], atol=1e-6)
    np.testing.assert_allclose(
        signals.suspicion, 1 - probs[np.arange(len(rows)), labels], atol=1e-5
    )
    eight, single = signals.suspicion[wrong[:20]], signals.suspicion[wrong[20:]]
    assert np.median(eight) > 0.9 * np.median(single)
    judges = signals.extras["validation_rows"]
    assert len(np.unique(groups[judges])) == len(judges)


def test_signals_are_what_they_say():
    signals, _, _, dataset, _ = outcome(FAST, "pair")
    given, trusted, n = dataset.given_labels, dataset.trusted, len(dataset)
    probs = signals.pred_probs
    np.testing.assert_allclose(signals.suspicion, 1 - probs[np.arange(n), given], atol=1e-5)
    np.testing.assert_array_equal(signals.extras["purified_labels"], probs.argmax(1))
    assert signals.suspicion[trusted].max() < 2e-3
    np.testing.assert_array_equal(signals.extras["purified_labels"][trusted], given[trusted])
    assert len(signals.curves["label_change"]) == 5
    rows, votes = signals.extras["evidence_rows"], signals.extras["evidence_votes"]
    assert trusted[rows].all()
    changed = (signals.extras["purified_labels"] != given) & ~trusted
    assert (votes[changed].sum(1) < 0).mean() > (votes[~changed & ~trusted].sum(1) < 0).mean()


def over_seeds(config, kind, seeds=4, **how):
    return float(np.mean([outcome(config, kind, seed, **how)[1] for seed in range(seeds)]))


@pytest.mark.slow
def test_63_the_authors_loop_and_its_parts():
    """IPC + EAC against EAC alone (labels never corrected); 100 epochs, mean of four seeds.

    Measured: pair 0.933, symmetric 0.960 and 0.863 (spec 0.941, 0.961, 0.883); EAC alone 0.820,
    0.969, 0.554 (0.798, 0.963, 0.600); shuffled validation 0.616, 0.615, 0.174 (0.623, 0.730,
    0.208).
    """
    whole = {kind: over_seeds(SPEC, kind) for kind in KINDS}
    alone = {
        kind: over_seeds(dataclasses.replace(SPEC, label_lr=0.0), kind)
        for kind in ("pair", "symmetric 80")
    }
    assert whole["pair"] >= 0.91
    assert whole["pair"] >= alone["pair"] + 0.02
    assert whole["symmetric 40"] >= 0.94
    assert whole["symmetric 80"] >= 0.86
    assert whole["symmetric 80"] >= alone["symmetric 80"] + 0.15
    signals, right, auroc, dataset, truth = outcome(SPEC, "pair")
    probe = (signals.extras["baseline_labels"] == truth)[~dataset.trusted].mean()
    assert right >= probe + 0.02
    assert auroc >= 0.98


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_63_the_authors_loop_with_shuffled_validation_labels(kind):
    assert over_seeds(SPEC, kind, seeds=2, shuffled=True) <= 0.78


def label_matrix(kind, seed=0, **knobs):
    """The authors' loop alone, 100 epochs.

    Returns:
        accuracy of argmax Y, AUROC of suspicion from Y, accuracy of the refitted W* on 300 others.
    """
    dataset, truth, features, test, test_truth = drawn(kind, seed)
    given, trusted = dataset.given_labels.astype(np.int64), dataset.trusted
    rows = closed_form.Rows(np.concatenate([features, test]))  # the others come last
    judges = np.flatnonzero(trusted)
    problem = rounds.make_problem(rows, given, trusted, judges, np.full(10, 0.1), 1.5e-3, seed)
    loop = loops.LabelSpace(problem, loops.Knobs(period=20, head_batch=128, **knobs))
    for number in range(5):
        loop.round(number, lambda part, numbers: None)
    which, labels = problem.which, loop.labels.clamp_min(0)
    wrong = given[which] != truth[which]
    share = labels / labels.sum(1, keepdim=True).clamp_min(1e-6)
    suspicion = 1 - share.gather(1, problem.given[:, None])[:, 0]
    others = rows[np.arange(len(given), rows.n)].double()
    on_test = (others @ loop.weights()).argmax(1).numpy() == test_truth
    right = loop.labels.argmax(1).numpy() == truth[which]
    return right.mean(), roc_auc_score(wrong, suspicion), on_test.mean()


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "on_test"), list(zip(KINDS, (0.91, 0.92, 0.84), strict=True)))
def test_63_the_label_matrix_itself_and_its_refitted_fit(kind, on_test):
    """Seed 0; spec: AUROC of Y 0.986, 0.997 and 0.987, W* on other images 0.937, 0.958, 0.905."""
    _, auroc, right = label_matrix(kind)
    assert auroc >= 0.97
    assert right >= on_test


@pytest.mark.long
def test_63_wrong_builds_fail(monkeypatch):
    """Seed 0. Spec, label accuracy on pair: no write 0.593, ascent 0.210, head on the given 0.797;
    at 80 % symmetric 0.196, 0.075 and 0.575.
    """
    for kind, unwritten, uphill in (("pair", 0.65, 0.3), ("symmetric 80", 0.25, 0.15)):
        assert label_matrix(kind, keep=1.0)[0] <= unwritten  # IPC alone flips next to nothing
        assert label_matrix(kind, lr=-0.01)[0] <= uphill
    sweep = loops.LabelSpace._sweep
    monkeypatch.setattr(
        loops.LabelSpace,
        "_sweep",
        lambda self, order, targets, tick: sweep(self, order, self.problem.given, tick),
    )
    assert label_matrix("pair")[0] <= 0.88
    assert label_matrix("symmetric 80")[0] <= 0.7


@pytest.mark.parametrize(
    "knobs",
    [{"space": "x"}, {"prior": "x"}, {"keep": 1.0}, {"ridge": 0.0}, {"rounds": 0}, {"sweeps": 0}],
)
def test_wrong_knobs_are_refused_by_name(knobs):
    with pytest.raises(ValueError, match=next(iter(knobs))):
        dmlp.Config(**knobs)


def test_presets():
    quick = dmlp.Config.preset("quick", 8000, 10, 32)
    paper = dmlp.Config.preset("paper", 50_000, 10, 32)
    assert (quick.space, quick.retrain) == ("weights", False)
    assert (paper.space, paper.rounds * paper.period, paper.label_lr) == ("labels", 100, 0.01)
    assert paper.retrain
    assert dmlp.Config.preset("paper", 1_000_000, 1000, 64).space == "weights"


class Killed(Exception):
    pass


@pytest.mark.parametrize(
    ("space", "refit"), [("labels", True), ("weights", True), ("weights", False)]
)
def test_killed_anywhere_with_retraining_it_ends_as_if_undisturbed(space, refit, tmp_path):
    config = dmlp.Config(
        space=space,
        refit=refit,
        rounds=2,
        period=2,
        sweeps=2,
        head_batch=64,
        epochs=2,
        batch_size=64,
        backbone="mlp",
    )
    dataset, _, features = digits("pair")
    few = np.arange(240)
    dataset = dataclasses.replace(
        dataset,
        given_labels=dataset.given_labels[few],
        trusted=dataset.trusted[few],
        images=dataset.images[few],
        ids=dataset.ids[:240],
    )
    features = features[few]

    class Fragile(LocalContext):
        def save(self, arrays, state):
            super().save(arrays, state)
            raise Killed

    plain = LocalContext(seed=3, features=features)
    whole = dmlp.fit(dataset, config, plain)
    assert "network" in plain.kept
    kills, path = 0, tmp_path / "checkpoint.safetensors"
    while True:
        kind = Fragile if kills < 20 else LocalContext
        context = kind(seed=3, features=features, checkpoint=path)
        try:
            resumed = dmlp.fit(dataset, config, context)
            break
        except Killed:
            kills += 1
    assert (4 if refit else 3) <= kills < 20
    np.testing.assert_array_equal(whole.suspicion, resumed.suspicion)
    np.testing.assert_array_equal(whole.pred_probs, resumed.pred_probs)
    assert whole.extras.keys() == resumed.extras.keys()
    assert whole.curves.keys() == resumed.curves.keys()
    for name, value in whole.extras.items():
        np.testing.assert_array_equal(value, resumed.extras[name], err_msg=name)
    for name, value in whole.curves.items():
        np.testing.assert_array_equal(value, resumed.curves[name], err_msg=name)
    for name, value in plain.kept["network"][0].items():
        np.testing.assert_array_equal(value, context.kept["network"][0][name], err_msg=name)


@pytest.mark.parametrize("refit", [True, False])
def test_the_course_of_a_label_ends_where_the_run_does(refit):
    config = dataclasses.replace(FAST, early_stop=True, refit=refit)
    dataset, _, features = digits("pair")
    signals = dmlp.fit(dataset, config, LocalContext(features=features))
    given, other = signals.extras["course_given"], signals.extras["course_other"]
    n, kept = len(dataset), int(signals.extras["rounds"][0])
    assert given.shape == other.shape == (kept, n)
    np.testing.assert_allclose(given[-1], 1 - signals.suspicion, atol=1e-3)
    best_other = np.array(signals.pred_probs)
    best_other[np.arange(n), dataset.given_labels] = -1
    np.testing.assert_allclose(other[-1], best_other.max(axis=1), atol=2e-3)
    moved = (signals.extras["purified_labels"] != dataset.given_labels) & ~dataset.trusted
    assert (given[0, moved] > given[-1, moved]).mean() > 0.8, "labels move round by round"
    np.testing.assert_allclose(given[:, dataset.trusted], 1, atol=2e-3)


def test_a_course_is_kept_only_where_it_is_cheap():
    assert rounds.keeps_course(200_000, 1280, 100, 5)
    assert not rounds.keeps_course(1_000_000, 512, 1000, 5)


@pytest.mark.parametrize("case", ["all confirmed", "one image a class", "copies of one picture"])
def test_with_nothing_to_move_or_to_judge_by_every_label_stands(case):
    """A set that was reviewed to its end is scored again like any other."""
    n = 30
    given = np.arange(n) if case == "one image a class" else np.arange(n) % 3
    names = tuple(map(str, range(int(given.max()) + 1)))
    images = np.random.default_rng(0).integers(0, 255, (n, 4, 4, 1), dtype=np.uint8)
    dataset = LabeledDataset(
        "done",
        names,
        given,
        [str(i) for i in range(n)],
        images,
        trusted=np.ones(n, bool) if case == "all confirmed" else None,
        groups=np.zeros(n, np.int64) if case == "copies of one picture" else None,
    )
    features = images.reshape(n, -1).astype(np.float32)
    signals = dmlp.fit(dataset, dmlp.Config(retrain=False), LocalContext(features=features))
    np.testing.assert_array_equal(signals.extras["purified_labels"], given)
    assert signals.suspicion.max() == 0
    np.testing.assert_array_equal(np.asarray(signals.pred_probs).argmax(axis=1), given)
