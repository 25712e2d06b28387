"""DivideMix: the mixture and MixMatch by hand, who trains on whose division, real digits."""

import dataclasses

import numpy as np
import pytest
import torch
from scipy.stats import norm
from sklearn.datasets import load_digits
from sklearn.metrics import roc_auc_score

from lnl_core.data import noise
from lnl_core.jobs.context import LocalContext
from lnl_core.methods import dividemix
from lnl_core.methods.dividemix import division, pair, training
from lnl_core.types import LabeledDataset

SMALL = dividemix.Config(
    backbone="resnet8", epochs=2, warm_up=1, batch_size=16, lr=0.05, shift=1, ramp=0,
    score_epochs=1,
)  # fmt: skip


def digits(n=900, kind="pair", rate=0.2, seed=0):
    found = load_digits()
    rows = np.random.default_rng(seed).permutation(len(found.target))[:n]
    truth, images = found.target[rows], (found.images[rows] * 15).astype(np.uint8)[..., None]
    given = np.asarray(noise.inject(kind, truth, rate, seed, class_count=10, images=images))
    names = tuple(map(str, range(10)))
    return LabeledDataset("d", names, given, list(map(str, range(n))), images), truth


def test_the_mixture_gives_the_posterior_of_the_easier_half():
    rng = np.random.default_rng(0)
    losses = np.concatenate([rng.normal(0.2, 0.1, 6000), rng.normal(2.2, 0.3, 2000)])
    found = division.clean_probability(losses, 0)
    easy, hard = 0.75 * norm.pdf(losses, 0.2, 0.1), 0.25 * norm.pdf(losses, 2.2, 0.3)
    # the floor of the variance, 5e-4 of the range, makes the narrow one a little wider
    np.testing.assert_allclose(found, easy / (easy + hard), atol=0.08)
    assert (found[:6000] > 0.5).mean() > 0.995
    assert (found[6000:] < 0.5).mean() > 0.995


@pytest.mark.parametrize("losses", [[], [3.0] * 20, [0.1, 2.0, 0.1]])
def test_losses_that_tell_nothing_leave_every_label(losses):
    assert division.clean_probability(np.array(losses), 0).tolist() == [1.0] * len(losses)


def test_targets_by_hand():
    labels = torch.tensor([[1.0, 0, 0], [0, 1, 0]])
    probs = torch.tensor([[0.2, 0.2, 0.6], [0.5, 0.25, 0.25]])
    # w y + (1 - w) p: (.6, .1, .3) and (.5, .25, .25); squares, summing to one
    found = pair.refined(labels, torch.tensor([0.5, 0.0]), probs, 0.5)
    first, second = np.array([0.36, 0.01, 0.09]), np.array([0.25, 0.0625, 0.0625])
    np.testing.assert_allclose(found, [first / first.sum(), second / second.sum()], rtol=1e-5)
    np.testing.assert_allclose(pair.sharpen(probs, 1.0), probs, rtol=1e-5)


def test_mixing_keeps_the_larger_part_and_mixes_targets_alike():
    inputs, targets = torch.tensor([[0.0], [1.0], [4.0]]), torch.eye(3)
    images, labels = pair.mixed(inputs, targets, 0.75, torch.tensor([2, 0, 1]))
    np.testing.assert_allclose(images, [[1.0], [0.75], [3.25]])
    np.testing.assert_allclose(labels, [[0.75, 0, 0.25], [0.25, 0.75, 0], [0, 0.25, 0.75]])


def test_losses_by_hand():
    logits = torch.tensor([[0.0, 0.0], [np.log(3.0), 0.0]])  # (1/2, 1/2), (3/4, 1/4)
    soft = torch.tensor([[1.0, 0.0], [0.5, 0.5]])
    entropy = (np.log(2) - 0.5 * np.log(0.75) - 0.5 * np.log(0.25)) / 2
    assert pair.labelled_loss(logits, soft).item() == pytest.approx(entropy, rel=1e-5)
    squares = (0.25 + 0.25 + 0.0625 + 0.0625) / 4  # a mean over classes too
    assert pair.unlabelled_loss(logits, soft).item() == pytest.approx(squares, rel=1e-5)
    mean = np.array([0.625, 0.375])
    by_hand = (0.5 * np.log(0.5 / mean)).sum()
    even = torch.tensor([0.5, 0.5])
    assert pair.uneven(logits, even).item() == pytest.approx(by_hand, rel=1e-5)
    as_said = torch.tensor([0.625, 0.375])
    assert pair.uneven(logits, as_said).item() == pytest.approx(0, abs=1e-6)


def test_a_class_without_labels_leaves_the_gradient_finite():
    logits = torch.zeros(4, 3, requires_grad=True)
    pair.uneven(logits, torch.tensor([0.5, 0.5, 0.0])).backward()
    assert torch.isfinite(logits.grad).all()
    assert logits.grad[:, 2].min() > 0, "it should be pushed away from the empty class"


@pytest.mark.parametrize(
    ("epoch", "part"), [(9, 0), (10, 0), (14, 0.25), (18.5, 0.53125), (26, 1), (90, 1)]
)
def test_the_unlabelled_loss_rises_over_sixteen_epochs(epoch, part):
    assert pair.ramp(epoch, 10, 16) == pytest.approx(part)


def weights_after_mixing(dataset, clean):
    """Train each network once on given divisions; return the weights of both."""
    knobs = dataclasses.replace(SMALL, prior="even")
    with dividemix.open_session(dataset, knobs, LocalContext(seed=5)) as session:
        session.tensors["clean"][:] = torch.from_numpy(clean)
        for epoch in session.epochs():
            known = training.Division(dataset, session)
            training.mix_epoch(session, knobs, known, epoch + 1, 5)
            break
        networks = session.model.networks
        return [
            torch.cat([value.flatten().double() for value in net.parameters()]).detach().numpy()
            for net in networks
        ]


def test_each_network_trains_on_the_other_ones_division_and_forgets_doubtful_labels():
    dataset, _ = digits(48)
    doubted = np.arange(48) % 2 == 0
    clean = np.ones((2, 48), np.float32)
    clean[1, doubted] = 0  # the second one doubts them: the first one must not learn them
    other = dataset.given_labels.copy()
    other[doubted] = (other[doubted] + 1) % 10
    before = weights_after_mixing(dataset, clean)
    after = weights_after_mixing(dataclasses.replace(dataset, given_labels=other), clean)
    np.testing.assert_array_equal(before[0], after[0])
    assert np.abs(before[1] - after[1]).max() > 1e-4


def forwarded(config, clean):
    """Return the sizes of the batches that networks learn from in an epoch of warm-up and mixing.

    Args:
        config: knobs.
        clean: (n,) of 0 and 1, what both networks hold to be clean.
    """
    dataset, _ = digits(len(clean))
    sizes = {"warm": [], "mix": []}
    with dividemix.open_session(dataset, config, LocalContext(seed=5)) as session:
        session.tensors["clean"][:] = torch.from_numpy(clean)

        def count(_module, images):
            if torch.is_grad_enabled():
                sizes[stage].append(len(images[0]))

        for network in session.model.networks:
            network.register_forward_pre_hook(count)
        known = training.Division(dataset, session)
        for epoch in session.epochs():
            stage = "warm"
            training.warm_epoch(session, config, epoch)
            stage = "mix"
            training.mix_epoch(session, config, known, epoch, 5)
            break
    return sizes


@pytest.mark.parametrize(("times", "sizes"), [(1, [16] * 6), (2, [32, 16] * 2)])
def test_batches_of_the_warm_up_are_a_multiple(times, sizes):
    config = dataclasses.replace(SMALL, warm_up_batch=times)
    assert forwarded(config, np.ones(48, np.float32))["warm"] == sizes


@pytest.mark.parametrize(("weight", "learned"), [(25.0, 64), (0.0, 32)])
def test_without_weight_doubtful_images_are_mixed_in_but_not_learned(weight, learned):
    half = (np.arange(64) % 2).astype(np.float32)
    assert set(forwarded(dataclasses.replace(SMALL, unlabelled=weight), half)["mix"]) == {learned}


@pytest.mark.parametrize("doubtful", [0, 1, 2, 17, 33])
def test_a_head_learns_however_few_doubtful_images_a_batch_would_have(doubtful, monkeypatch):
    """Batch norm takes no statistics of one row: 17 and 33 leave one over, by batches of 16."""
    few = np.zeros(120, bool)
    few[np.random.default_rng(0).permutation(120)[:doubtful]] = True
    monkeypatch.setattr(division, "clean_probability", lambda *_: np.where(few, 0.1, 0.9))
    rng = np.random.default_rng(1)
    given = np.arange(120) % 3
    images = np.zeros((120, 1, 1, 3), np.uint8)
    easy = LabeledDataset("d", ("a", "b", "c"), given, list(map(str, range(120))), images)
    looks = (np.eye(3)[given] * 3 + rng.standard_normal((120, 3))).astype(np.float16)
    context = LocalContext(seed=1, features=looks, representation="pretrained")
    signals = dividemix.fit(easy, SMALL, context)
    np.testing.assert_array_equal(signals.extras["clean"] < 0.5, few)


@pytest.mark.parametrize(
    ("doubtful", "sizes"), [(1, {0}), (2, {2}), (17, {17}), (23, {23}), (24, {8, 16})]
)
def test_batches_of_doubtful_images_hold_each_once_a_round(doubtful, sizes):
    rows = torch.arange(100, 100 + doubtful)
    given = training._again(rows, 16, torch.Generator().manual_seed(0))
    drawn = [next(given) for _ in range(2 * len(sizes))]
    assert {len(batch) for batch in drawn} == sizes
    if doubtful >= training.FEWEST:
        assert sorted(torch.cat(drawn).tolist()) == sorted([*rows.tolist()] * 2)


def test_a_trusted_label_stays_however_hard_it_is_to_learn():
    dataset, truth = digits(240, rate=0.3)
    wrong = truth != dataset.given_labels
    trusted = wrong & (np.arange(240) % 2 == 0)
    assert trusted.sum() > 10
    known = dataclasses.replace(dataset, trusted=trusted)
    knobs = dataclasses.replace(SMALL, epochs=14, warm_up=13, lr=0.1)
    signals = dividemix.fit(known, knobs, LocalContext(seed=1))
    assert (signals.extras["clean"][trusted] == 1).all()
    assert signals.extras["clean"][wrong & ~trusted].mean() < 0.6


def test_copies_of_a_picture_are_drawn_once():
    dataset, _ = digits(40)
    groups = np.arange(40)
    groups[30:] = 3
    copied = dataclasses.replace(dataset, groups=groups)
    with dividemix.open_session(copied, SMALL, LocalContext()) as session:
        known = training.Division(copied, session)
        drawn = [known.once(torch.Generator().manual_seed(seed)).numpy() for seed in range(20)]
    for rows in drawn:
        assert sorted(groups[rows]) == list(range(30))
    assert len({int(rows[groups[rows] == 3][0]) for rows in drawn}) > 4, "always the same copy"


def test_a_run_that_never_divides_says_so():
    dataset, _ = digits(40)
    knobs = dataclasses.replace(SMALL, warm_up=2)
    signals = dividemix.fit(dataset, knobs, LocalContext())
    assert signals.extras["divided"].tolist() == [0]
    assert "warm-up" in dividemix.METHOD.doubts(signals)[0]
    divided = dividemix.fit(dataset, SMALL, LocalContext())
    assert dividemix.METHOD.doubts(divided) == []


@pytest.mark.parametrize(
    ("knobs", "says"),
    [
        ({"warm_up": 0}, "warm_up"),
        ({"clean_above": 1.0}, "clean_above"),
        ({"alpha": 0.0}, "alpha"),
        ({"ramp": -1}, "ramp"),
        ({"warm_up_batch": 0}, "warm_up_batch"),
        ({"prior": "truth"}, "prior"),
    ],
)
def test_knobs_that_cannot_be_are_refused(knobs, says):
    with pytest.raises(ValueError, match=says):
        dataclasses.replace(SMALL, **knobs)


def test_the_paper_preset_holds_the_authors_numbers():
    small = dividemix.Config.preset("paper", 50_000, 10, 32)
    assert (small.backbone, small.epochs, small.warm_up) == ("preact18", 300, 10)
    assert (small.lr, small.momentum, small.weight_decay) == (0.02, 0.9, 5e-4)
    assert (small.alpha, small.unlabelled, small.temperature) == (4.0, 25.0, 0.5)
    assert (small.clip, small.ema_decay, small.schedule) == (0.0, 0.0, "one_drop")
    assert dividemix.Config.preset("paper", 50_000, 100, 32).warm_up == 30
    large = dividemix.Config.preset("paper", 1_000_000, 14, 224)
    assert (large.lr, large.weight_decay, large.alpha) == (0.002, 1e-3, 0.5)


@pytest.mark.slow
def test_pair_flips_that_plain_training_learns_are_found():
    from lnl_core.methods import ce

    dataset, truth = digits(900, "pair", 0.3)
    wrong = truth != dataset.given_labels
    areas = []
    for method in (ce, dividemix):
        knobs = method.Config.preset("quick", 900, 10, 8)
        signals = method.fit(dataset, knobs, LocalContext(seed=2))
        areas.append(roc_auc_score(wrong, signals.suspicion))
    plain, mixed = areas
    # over three seeds .934 to .967 and .988 to .996
    assert mixed > 0.98
    assert 1 - mixed < 0.5 * (1 - plain)
