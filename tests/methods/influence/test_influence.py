"""Influential Rank on real digits that a network memorised (spec 6.3, 6.4)."""

import dataclasses
import functools
import tempfile
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from sklearn.datasets import load_digits
from sklearn.metrics import average_precision_score, roc_auc_score
from torch import nn

from lnl_core.jobs.context import LocalContext
from lnl_core.learning import networks
from lnl_core.methods import ce
from lnl_core.methods.influence import METHOD, Config, removal
from lnl_core.methods.influence import scores as influence
from lnl_core.methods.influence.softmax_head import Design, Problem, fit
from lnl_core.review import copies
from lnl_core.types import BaseRun, LabeledDataset, LnlError


@functools.cache
def by_heart(seed):
    """Spec 6.3: an MLP that memorised 40 % wrong labels; penultimate features and labels."""
    found, rng = load_digits(), np.random.default_rng(seed)
    order = rng.permutation(1797)
    pixels = torch.from_numpy((found.images.reshape(-1, 64) / 16).astype(np.float32))
    train, test = order[:1347], order[1347:]
    truth = found.target[train]
    given, bad = truth.copy(), rng.permutation(1347)[:539]
    given[bad] = (given[bad] + rng.integers(1, 10, 539)) % 10
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layers = [nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 64), nn.ReLU(), nn.Linear(64, 10)]
        net = nn.Sequential(*layers)
        descent = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-4)
        x, y = pixels[train], torch.from_numpy(given)
        for epoch in range(150):
            descent.param_groups[0]["lr"] = 0.05 * (1 + np.cos(np.pi * epoch / 150)) / 2
            for rows in torch.randperm(1347).split(64):
                descent.zero_grad()
                nn.functional.cross_entropy(net(x[rows]), y[rows]).backward()
                descent.step()
    with torch.no_grad():
        deep = net[:4]
        start = float((net(pixels[test]).argmax(1).numpy() == found.target[test]).mean())
        return {
            "features": deep(x).numpy(),
            "test": deep(pixels[test]).numpy(),
            "images": (found.images[train] * 15).astype(np.uint8)[..., None],
            "test_images": (found.images[test] * 15).astype(np.uint8)[..., None],
            "given": given,
            "truth": truth,
            "test_truth": found.target[test],
            "start": start,
            "memorised": float((net(x).argmax(1) == y).float().mean()),
            "head": (net[4].weight.detach().numpy(), net[4].bias.detach().numpy()),
        }


def dataset(given, images=None, **more):
    n = len(given)
    images = np.zeros((n, 2, 2, 1), np.uint8) if images is None else images
    names = tuple("0123456789")
    return LabeledDataset("digits", names, given, [str(i) for i in range(n)], images, **more)


def scored(seed, solve="block"):
    found = by_heart(seed)
    design = Design(found["features"], raw=True)  # the spec's own units
    problem = Problem(design, torch.from_numpy(found["given"]), 10, 1e-2)
    weights = fit(problem).weights
    return problem, weights, influence.score(problem, weights, solve)


def signed_sum(problem, weights):
    """By how much leaving each row out lowers the loss of all the other rows together."""
    everything = torch.arange(problem.design.n)
    x = problem.design.rows(everything)
    residual = torch.softmax(x @ weights.T, 1)
    residual[everything, problem.labels] -= 1
    factor = torch.linalg.cholesky(influence.hessian(problem, weights))
    moved = influence.removals(problem, weights, everything, factor)  # (n, k, d)
    own = -torch.einsum("nk,nd,nkd->n", residual, x, moved)
    return influence.validation(problem, weights, everything) - own


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_6_3_detection_on_a_network_that_knows_the_labels_by_heart(seed):
    found = by_heart(seed)
    assert found["memorised"] > 0.9
    wrong = found["given"] != found["truth"]
    problem, weights, exact = scored(seed, "exact")
    block = influence.score(problem, weights, "block")
    assert spearmanr(exact.influence, block.influence)[0] >= 0.99
    ours, loss = roc_auc_score(wrong, exact.influence), roc_auc_score(wrong, exact.loss)
    assert ours >= 0.93
    assert ours >= loss + 0.02
    assert roc_auc_score(wrong, block.influence) >= loss + 0.02
    assert roc_auc_score(wrong, exact.gradient) < ours - 0.01
    # never rank by the signed effect on the other training rows: wrong ones support each other
    assert roc_auc_score(wrong, signed_sum(problem, weights)) < 0.4
    raw = problem.design.from_features(*found["head"])
    layer = influence.score(problem, raw, "block")
    assert roc_auc_score(wrong, layer.influence) > roc_auc_score(wrong, layer.loss) + 0.02
    # with confirmed rows the raw layer's two criteria together are better than either
    trusted = torch.from_numpy(np.flatnonzero(~wrong)[:100])
    val = influence.validation(problem, raw, trusted)
    both = influence.rank_within(layer.influence, problem.labels)
    both = both + influence.rank_within(val, problem.labels)
    rest = np.setdiff1d(np.arange(len(wrong)), trusted.numpy())
    assert roc_auc_score(wrong[rest], both[rest]) > roc_auc_score(
        wrong[rest], layer.influence[rest]
    )


def post_trained(seed, **knobs):
    """Post-train the head on the memorised features; (signals, test accuracy)."""
    found = by_heart(seed)
    config = Config(cap=0.4, **knobs)
    context = LocalContext(features=found["features"], representation="pretrained")
    signals = METHOD.fit(dataset(found["given"]), config, context)
    kept = torch.from_numpy(np.flatnonzero(signals.extras["round_removed"] == 0))
    design = Design(found["features"])
    weights = fit(Problem(design, torch.from_numpy(found["given"]), 10, config.lam, kept)).weights
    weight, bias = design.to_features(weights)
    said = (found["test"] @ weight.T + bias).argmax(1)
    return signals, float((said == found["test_truth"]).mean())


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_6_4_head_only_post_training_against_its_controls(seed):
    """Most of the gain is the refit itself; removal by influence adds to it, at random it does not.

    Removal by loss does as well once rounds iterate: the spec's honest reading (b).
    """
    found = by_heart(seed)
    wrong = found["given"] != found["truth"]
    ours, accuracy = post_trained(seed)
    random, by_chance = post_trained(seed, criterion="random")
    loss, by_loss = post_trained(seed, criterion="loss")
    assert accuracy >= found["start"] + 0.1
    assert accuracy >= by_chance + 0.08
    assert abs(accuracy - by_loss) < 0.05
    removed = ours.extras["round_removed"]
    assert abs((removed > 0).mean() - 0.4) < 0.02
    assert wrong[removed > 0].mean() >= 0.85
    assert wrong[(removed > 0) & (removed <= 4)].mean() >= 0.97
    assert wrong[random.extras["round_removed"] > 0].mean() < 0.5
    assert roc_auc_score(wrong, ours.suspicion) >= 0.97
    others = ours.pred_probs.copy()
    others[np.arange(len(wrong)), found["given"]] = -1
    assert (others.argmax(1) == found["truth"])[wrong].mean() >= 0.84  # spec 5
    assert len(loss.extras["cuts"]) == 8


def refined(seed, **knobs):
    """Train an MLP by heart on pixels, then take rows out and train it on; (signals, test)."""
    found = by_heart(seed)
    config = Config(
        refine="network", backbone="mlp", cap=0.4, lam=1e-2, batch_size=64, ema_decay=0.0,
        epochs=150, lr=0.05, nesterov=False, weight_decay=1e-4, **knobs,
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        data = dataset(found["given"], found["images"])
        signals = METHOD.fit(data, config, LocalContext(seed=seed, folder=Path(folder)))
        others = dataset(found["test_truth"], found["test_images"])
        network = networks.load_network(Path(folder), others, "cpu")
        logits = torch.cat([logits for _, _, logits in network.predictions()])
    return signals, float((logits.argmax(1).numpy() == found["test_truth"]).mean())


@pytest.mark.long
def test_6_4_whole_network_post_training_against_random_removal():
    """Seed 0, ten epochs a round: 0.936 against 0.824 at random, of removed rows 0.91 are wrong.

    Spec 0.849 and 0.604, 0.92: the network here has batch norm, and views are shifted.
    """
    seed = 0
    found = by_heart(seed)
    wrong = found["given"] != found["truth"]
    ours, accuracy = refined(seed)
    chance, by_chance = refined(seed, criterion="random")
    assert accuracy >= by_chance + 0.08
    removed = ours.extras["round_removed"]
    assert abs((removed > 0).mean() - 0.4) < 0.02
    assert wrong[removed > 0].mean() >= 0.85
    assert wrong[(removed > 0) & (removed <= 4)].mean() >= 0.95
    assert abs(wrong[chance.extras["round_removed"] > 0].mean() - 0.4) < 0.05


@pytest.mark.slow
def test_without_a_cap_removal_ends_about_where_the_wrong_labels_do():
    found = by_heart(0)
    context = LocalContext(features=found["features"], representation="pretrained")
    config = dataclasses.replace(Config(), rounds=14)
    signals = METHOD.fit(dataset(found["given"]), config, context)
    assert 0.3 <= (signals.extras["round_removed"] > 0).mean() <= 0.45


def digits(n=500, rate=0.3, seed=0):
    found, rng = load_digits(), np.random.default_rng(seed)
    rows = rng.permutation(1797)[:n]
    truth, images = found.target[rows], (found.images[rows] * 15).astype(np.uint8)[..., None]
    wrong = rng.random(n) < rate
    given = np.where(wrong, (truth + rng.integers(1, 10, n)) % 10, truth)
    return dataset(given, images), truth


def on_pixels(data, representation="pretrained", **more):
    features = data.images.reshape(len(data), -1).astype(np.float32)
    return LocalContext(features=features, representation=representation, **more)


def test_it_finds_injected_errors_on_frozen_features_and_says_in_which_round():
    data, truth = digits()
    wrong = truth != data.given_labels
    signals = METHOD.fit(data, Config.on_features("quick", 500, 10), on_pixels(data))
    assert average_precision_score(wrong, signals.suspicion) > 0.9
    rounds, removed = len(signals.extras["cuts"]), signals.extras["round_removed"]
    assert removed.max() == rounds
    assert wrong[removed == 1].mean() > 0.9
    assert signals.curves["p_given"].shape == (rounds + 1, 500)
    np.testing.assert_array_equal(
        signals.curves["kept"], 500 - np.cumsum([0, *signals.curves["removed"]])
    )
    said = signals.curves["p_given"].astype(float)[:, removed == 1]
    assert said[1].mean() < said[0].mean()  # forgotten once it is taken out
    np.testing.assert_allclose(signals.suspicion, 1 - signals.extras["left_out"], atol=1e-6)


def test_images_that_are_all_alike_to_a_network_have_nothing_to_tell():
    """Black images, or a base that has collapsed: no axis is left, only the classes' sizes."""
    data, _ = digits()
    same = LocalContext(features=np.ones((len(data), 6), np.float32), representation="pretrained")
    signals = METHOD.fit(data, Config.on_features("quick", 500, 10), same)
    assert np.isfinite(signals.suspicion).all()
    np.testing.assert_allclose(np.asarray(signals.pred_probs).sum(axis=1), 1, atol=1e-3)


def test_suspicion_in_rounds_is_the_order_of_removal():
    data, _ = digits()
    config = dataclasses.replace(Config.on_features("quick", 500, 10), score="rounds")
    signals = METHOD.fit(data, config, on_pixels(data))
    removed = signals.extras["round_removed"]
    least = [signals.suspicion[removed == t].min() for t in range(1, removed.max() + 1)]
    most = [signals.suspicion[removed == t].max() for t in range(1, removed.max() + 1)]
    after = [*most[1:], signals.suspicion[removed == 0].max()]
    assert (np.array(least) > np.array(after)).all()
    assert (signals.suspicion.min(), signals.suspicion.max()) == (0, 1)


def test_confirmed_rows_stay_and_judge():
    data, truth = digits()
    wrong = truth != data.given_labels
    odd = np.flatnonzero(wrong)[::2]
    given = data.given_labels.copy()
    given[odd] = truth[odd]
    trusted = np.zeros(500, bool)
    trusted[odd] = True
    data = dataclasses.replace(data, given_labels=given, trusted=trusted)
    signals = METHOD.fit(data, Config.on_features("quick", 500, 10), on_pixels(data))
    assert (signals.extras["round_removed"][odd] == 0).all()
    accuracy = signals.curves["trusted_accuracy"]
    assert signals.extras["best_round"][0] == accuracy.argmax()
    assert signals.extras["validation"].shape == (500,)


def test_small_classes_keep_ten_rows():
    data, _ = digits()
    given = data.given_labels.copy()
    given[np.flatnonzero(given == 3)[12:]] = 4
    data = dataclasses.replace(data, given_labels=given)
    for within in (True, False):
        config = Config(cap=0.4, within_class=within, criterion="loss")
        signals = METHOD.fit(data, config, on_pixels(data))
        kept = np.bincount(given[signals.extras["round_removed"] == 0], minlength=10)
        assert kept.min() >= 10


def trained_base(data, folder, epochs=6):
    config = dataclasses.replace(
        ce.Config.preset("quick", len(data), 10, 8), epochs=epochs, backbone="resnet8"
    )
    ce.METHOD.fit(data, config, LocalContext(folder=folder))
    return BaseRun(12, "ce", folder)


@pytest.mark.parametrize("refine", ["head", pytest.param("network", marks=pytest.mark.slow)])
def test_it_post_trains_the_network_of_another_run(tmp_path, refine):
    """The kept network is the refined one: it says what the signals say."""
    data, truth = digits()
    base = trained_base(data, tmp_path / "base")
    config = dataclasses.replace(
        Config.preset("quick", 500, 10, 8), refine=refine, refine_epochs=1, rounds=2
    )
    signals = METHOD.fit(data, config, LocalContext(base=base, folder=tmp_path / "own"))
    assert roc_auc_score(truth != data.given_labels, signals.suspicion) > 0.95
    own = networks.load_network(tmp_path / "own", data, "cpu")
    logits = torch.cat([logits for _, _, logits in own.predictions()])
    np.testing.assert_allclose(torch.softmax(logits, 1), signals.pred_probs, atol=0.05)
    before = networks.load_network(tmp_path / "base", data, "cpu").model.state_dict()
    moved = [k for k, v in own.model.state_dict().items() if not torch.equal(v, before[k])]
    assert set(moved) >= {"head.weight", "head.bias"}
    assert (len(moved) > 2) == (refine == "network")


def test_a_base_without_a_network_is_refused(tmp_path):
    data, _ = digits(60)
    with pytest.raises(LnlError, match="kept no network"):
        METHOD.fit(data, Config(), LocalContext(base=BaseRun(12, "knn", tmp_path)))


class Killed(Exception):
    pass


@pytest.mark.slow
def test_killed_while_the_network_is_refined_it_ends_as_if_undisturbed(tmp_path):
    data, _ = digits(200)
    base = trained_base(data, tmp_path / "base", epochs=2)
    trusted = np.arange(200) % 5 == 0
    data = dataclasses.replace(data, trusted=trusted)
    config = dataclasses.replace(
        Config.preset("paper", 200, 10, 8),
        refine_epochs=2,
        rounds=2,
        batch_size=32,
        within_class=False,  # so that rows of one round differ by the rank they went at
    )
    path = tmp_path / "checkpoint.safetensors"

    class Fragile(LocalContext):
        def save(self, arrays, state):
            super().save(arrays, state)
            raise Killed

    whole = METHOD.fit(data, config, LocalContext(base=base, seed=3))
    died = 0
    for _ in range(20):
        try:
            METHOD.fit(data, config, Fragile(base=base, seed=3, checkpoint=path))
        except Killed:
            died += 1
            continue
        break
    resumed = METHOD.fit(data, config, LocalContext(base=base, seed=3, checkpoint=path))
    assert died >= 4
    np.testing.assert_array_equal(resumed.suspicion, whole.suspicion)
    np.testing.assert_array_equal(resumed.pred_probs, whole.pred_probs)
    for name, curve in whole.curves.items():
        np.testing.assert_array_equal(resumed.curves[name], curve, err_msg=name)
    for name, extra in whole.extras.items():
        np.testing.assert_array_equal(resumed.extras[name], extra, err_msg=name)


def test_it_says_that_it_is_a_reconstruction():
    assert METHOD.reconstruction
    assert "Reconstruction" in __import__(METHOD.fit.__module__, fromlist=["x"]).__doc__


@pytest.mark.parametrize(
    "knobs",
    [{"criterion": "luck"}, {"refine": "all"}, {"lam": 0.0}, {"rounds": 0}, {"share": 0.0}],
)
def test_wrong_knobs_are_refused_by_name(knobs):
    with pytest.raises(ValueError, match=next(iter(knobs))):
        Config(**knobs)


def test_rounds_stop_at_the_share_that_the_first_head_doubts():
    given = np.arange(100) % 2
    rounds = removal.Rounds(given, 2, None, 8, torch.device("cpu"))
    rounds.weights = torch.zeros(2, 3)
    rounds.plan(0.05, 0.0, 8)
    scores = influence.Scores(*[torch.zeros(100, dtype=torch.float64)] * 9)
    for t in range(5):
        rounds.notes = {"agreement": [0.8], "given_back": [0.0] * t}
        assert rounds.over(scores, 2, True) == (t == 4), t
        rounds.remove(torch.arange(100.0), False)
    assert int((~rounds.kept).sum()) == 25


def test_a_checkpoint_of_the_rounds_brings_everything_back():
    rng = np.random.default_rng(0)
    labels, trusted = np.arange(120) % 3, np.arange(120) % 4 == 0
    design = Design(np.eye(3)[labels] + rng.normal(0, 0.7, (120, 3)))
    here, there = (removal.Rounds(labels, 3, trusted, 8, torch.device("cpu")) for _ in range(2))
    for number in range(4):
        scores = here.fit_and_score(design, lam=0.01, solve="block")
        if number == 0:
            here.plan(0.05, 0.4, 8)
        here.over(scores, 2, False)
        here.remove(scores.influence, False)
    here.best = 2  # as if a later round had been worse
    arrays = {name: np.asarray(value) for name, value in here.arrays().items()}
    there.restore(arrays, here.state())
    assert there.state() == here.state()
    assert there.arrays().keys() == arrays.keys()
    for name, value in there.arrays().items():
        np.testing.assert_array_equal(value, arrays[name], err_msg=name)


def test_copies_count_once_and_go_together():
    groups = np.append(np.arange(60), [0, 0, 0, 1, 2])
    labels = np.append(np.arange(60) % 2, [0, 0, 1, 1, 0])  # of 0, one copy says otherwise
    trusted = np.arange(65) == 64
    stands, leads = copies.standing_for(groups, labels, np.zeros(65, bool))
    np.testing.assert_array_equal(stands, groups)
    np.testing.assert_array_equal(leads[60:], [0, 0, 62, 1, 2])
    stands, _ = copies.standing_for(groups, labels, np.arange(65) == 62)
    assert (stands[[0, 60, 61, 62]] == 62).all()  # what a person confirmed counts
    rounds = removal.Rounds(labels, 2, trusted, 8, torch.device("cpu"), groups)
    rounds.plan(0.05, 0.4, 8)
    assert rounds.quota == 3  # of 61 pictures with a label each
    design = Design(np.eye(2)[labels])
    assert rounds.problem(design, 0.01).rows.tolist() == list(range(60))
    ranking = torch.arange(65, 0, -1).double()
    rounds.remove(ranking, within_class=False)
    gone = torch.nonzero(~rounds.kept).squeeze(1).tolist()
    assert gone == [0, 1, 3, 60, 61, 63]  # 2 is a copy of what was confirmed
    assert rounds.problem(design, 0.01).rows.tolist() == [2, *range(4, 60)]
