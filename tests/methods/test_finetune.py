"""Fine-tuning: ImageNet's first stages stay, the rest learns, and what training said counts."""

import dataclasses

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from lnl_core.jobs.context import LocalContext
from lnl_core.learning import models, networks, pretrained, supervised, training
from lnl_core.methods.finetune import METHOD, Config, log_shares
from lnl_core.review import metrics
from lnl_core.types import LabeledDataset


def shapes(n, size=32, channels=3, rate=0.15):
    """Discs, bars and checks in random colours and places; (dataset, truth)."""
    rng = np.random.default_rng(0)
    truth = np.arange(n) % 3
    images = rng.integers(0, 90, (n, size, size, channels), dtype=np.uint8)
    y, x = np.mgrid[:size, :size]
    for row, kind in enumerate(truth):
        cy, cx = rng.uniform(0.35, 0.65, 2) * size
        disc = (y - cy) ** 2 + (x - cx) ** 2 < (size / 4) ** 2
        bars = (y + int(cy)) // 4 % 2 == 0
        checks = ((y + int(cy)) // 4 + (x + int(cx)) // 4) % 2 == 0
        images[row][(disc, bars, checks)[kind]] = rng.integers(150, 255, channels)
    given = np.where(rng.random(n) < rate, (truth + 1) % 3, truth)
    names = ("disc", "bars", "checks")
    return LabeledDataset("shapes", names, given, [str(i) for i in range(n)], images), truth


@pytest.mark.parametrize("channels", [1, 3])
def test_it_finds_injected_errors_and_knows_the_right_class(channels):
    dataset, truth = shapes(n=96, channels=channels)
    config = dataclasses.replace(Config.preset("quick", 96, 3, 32), epochs=3)
    signals = METHOD.fit(dataset, config, LocalContext())
    wrong = truth != dataset.given_labels
    assert metrics.auroc(wrong, signals.suspicion) > 0.97
    assert (signals.pred_probs.argmax(1) == truth)[wrong].mean() > 0.9
    assert signals.features.shape == (96, 1280)


def test_the_first_stages_keep_their_weights_and_the_others_learn():
    dataset, _ = shapes(n=32)
    recipe = training.TrainingKnobs(backbone="lite0-96", epochs=1, batch_size=16, lr=0.01)
    before = {name: w.clone() for name, w in models.build("lite0-96", 3, 3, 32).named_parameters()}
    with training.Session(dataset, recipe, LocalContext()) as session:
        for epoch in session.epochs():
            for batch in session.batches(epoch):
                session.step(F.cross_entropy(session.forward(batch.images), batch.labels))
        after = dict(session.model.named_parameters())
    moved = {name for name, weight in after.items() if not torch.equal(weight, before[name])}
    assert {name for name in after if name.startswith("body.frozen")}.isdisjoint(moved)
    assert {name for name in after if "body.tuned" in name and name.endswith("weight")} <= moved
    assert "head.weight" in moved


def test_at_first_all_classes_are_alike_and_the_maps_are_imagenets():
    torch.manual_seed(0)
    network = models.build("lite0-96", 5, 3, 96).eval()
    images = torch.randn(70, 3, 96, 96)  # more than go through the first stages at once
    whole = pretrained.network("tf_efficientnet_lite0", "cpu")
    with torch.no_grad():
        assert not network(images).any()
        expected = whole.forward_features(images * 0.5)
        found = network.maps(images)
        torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-3)
        small = network.maps(images[:2, :, :32, :32])
        large = network.maps(images[:2].repeat(1, 1, 2, 2))
    assert small.shape == large.shape == (2, 1280, 3, 3)


def test_what_training_said_is_averaged_with_the_view_of_plain_images():
    dataset, _ = shapes(n=48)
    said = []

    def loss(logits, labels, epoch):
        said.append(F.softmax(logits.detach(), 1).sum(0).numpy())
        return supervised.Loss(F.cross_entropy(logits, labels), {})

    recipe = training.TrainingKnobs(backbone="resnet8", epochs=2, batch_size=16, lr=0.05)
    outcome = supervised.train(
        dataset,
        recipe,
        LocalContext(),
        loss=loss,
        probs=lambda logits: F.softmax(logits, 1),
        record_from=0.5,
        online=True,
    )
    plain = outcome.recorder.curves()["probs"][1].astype(np.float64)  # of the second epoch
    expected = (np.sum(said, axis=0) + plain.sum(0)) / 3
    np.testing.assert_allclose(outcome.recorder.mean_probs().sum(0), expected, rtol=1e-3)
    np.testing.assert_array_equal(outcome.recorder.count.numpy(), 3)


def test_the_kept_network_answers_again_and_its_maps_add_up_to_its_logits(tmp_path):
    dataset, _ = shapes(n=48)
    context = LocalContext(folder=tmp_path)
    config = dataclasses.replace(Config(), epochs=2)
    METHOD.fit(dataset, config, context)
    loaded = networks.load_network(tmp_path, dataset, "cpu")
    with torch.no_grad():
        images = loaded.source.normalise(loaded.source.batch(torch.arange(4)))
        maps, logits = loaded.model.maps(images), loaded.model(images)
        weight, bias = loaded.model.head.weight, loaded.model.head.bias
        summed = torch.einsum("kc,bchw->bk", weight, maps) / 9 + bias
    torch.testing.assert_close(summed, logits, atol=1e-4, rtol=1e-3)
    assert loaded.model.exact_cam


def test_pictures_that_say_nothing_are_judged_alike_however_rare_their_class():
    given = np.array([0] * 30 + [1] * 9 + [2])
    blank = np.full((40, 32, 32, 3), 90, np.uint8)
    dataset = LabeledDataset(
        "blank", ("a", "b", "c", "never given"), given, list(map(str, given)), blank
    )
    config = dataclasses.replace(Config(), epochs=2, batch_size=20, lr=0.05)
    even = METHOD.fit(dataset, config, LocalContext()).pred_probs
    plain = METHOD.fit(dataset, dataclasses.replace(config, even=0), LocalContext()).pred_probs
    np.testing.assert_allclose(even[:, :3], 1 / 4, atol=0.05)  # as at the start
    assert plain[0, 0] > 0.4, "without the shares in the loss it learns them instead"


def test_right_labels_of_a_rare_class_are_doubted_less_and_the_wrong_ones_still_found():
    dataset, truth = shapes(n=150, rate=0)
    rows = np.concatenate([np.flatnonzero(truth == c)[:n] for c, n in enumerate((50, 40, 6))])
    given, truth = dataset.given_labels[rows].copy(), truth[rows]
    given[:4] = 1
    skewed = dataclasses.replace(
        dataset,
        given_labels=given,
        ids=[str(row) for row in rows],
        images=dataset.images[rows],
    )
    config = dataclasses.replace(Config(), epochs=3)
    right_and_rare = truth == 2

    def doubt(even):
        knobs = dataclasses.replace(config, even=even)
        return METHOD.fit(skewed, knobs, LocalContext()).suspicion

    even, plain = doubt(1.0), doubt(0.0)
    assert even[right_and_rare].mean() < plain[right_and_rare].mean() - 0.1
    assert metrics.auroc(truth != given, even) > 0.95


def test_a_class_that_was_never_given_has_a_share():
    np.testing.assert_allclose(
        np.exp(log_shares(np.array([0, 0, 0, 2]), 3)), np.array([3, 0.5, 1]) / 4.5
    )


@pytest.mark.parametrize(
    "knobs", [{"backbone": "resnet8"}, {"flip": "up"}, {"epochs": 0}, {"even": 2}, {"even": -0.1}]
)
def test_wrong_knobs_are_refused_by_name(knobs):
    with pytest.raises(ValueError, match=next(iter(knobs))):
        Config(**knobs)


def test_small_sets_take_enough_steps():
    for n, epochs in ((2, 8), (300, 5), (2000, 3), (50_000, 3)):
        assert Config.preset("quick", n, 10, 32).epochs == epochs
