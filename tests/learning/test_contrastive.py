"""Features learned from images alone: right losses, no labels, same end after a stop, useful."""

import copy
import dataclasses

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.linear_model import RidgeClassifier
from torch.nn import functional as F
from torchvision.transforms import functional as tv

from lnl_core.learning import contrastive, features, hardware
from lnl_core.learning.images import ImageSource
from lnl_core.types import Cancelled, LabeledDataset, LnlError


def digits(n=1797, labels=None):
    found = load_digits()
    images = (found.images[:n] * 15).astype(np.uint8)[..., None]
    given = found.target[:n] if labels is None else labels
    names, ids = tuple("0123456789"), [str(i) for i in range(n)]
    return LabeledDataset("digits", names, given, ids, images), found.target[:n]


def photos(n, side, seed=0):
    images = np.random.default_rng(seed).integers(0, 256, (n, side, side, 3)).astype(np.uint8)
    ids = [str(i) for i in range(n)]
    return LabeledDataset("photos", ("cat", "dog"), np.arange(n) % 2, ids, images)


def test_simclr_loss_is_the_formula_of_the_paper():
    g = torch.Generator().manual_seed(0)
    first, second = (F.normalize(torch.randn(6, 4, generator=g), dim=1) for _ in range(2))
    both, t, total = torch.cat([first, second]).double().numpy(), 0.3, 0.0
    for i in range(12):
        j = (i + 6) % 12
        others = sum(np.exp(both[i] @ both[m] / t) for m in range(12) if m != i)
        total -= np.log(np.exp(both[i] @ both[j] / t) / others)
    assert contrastive.simclr_loss(first, second, t).item() == pytest.approx(total / 12, rel=1e-5)
    assert contrastive.simclr_loss(first, first, t) < contrastive.simclr_loss(first, second, t)


def test_moco_loss_is_the_formula_of_the_paper():
    g = torch.Generator().manual_seed(0)
    q, k, queue = (F.normalize(torch.randn(n, 4, generator=g), dim=1) for n in (5, 5, 9))
    own = torch.exp((q * k).sum(1) / 0.2)
    expected = -torch.log(own / (own + torch.exp(q @ queue.T / 0.2).sum(1))).mean()
    assert contrastive.moco_loss(q, k, queue, 0.2).item() == pytest.approx(expected.item())


def test_what_is_compared_is_two_layers_behind_the_features_of_length_one():
    torch.manual_seed(0)
    learner = contrastive.Learner(contrastive.Recipe("simclr", "resnet8", 1), 3, 16).eval()
    images = torch.randn(5, 3, 16, 16)
    with torch.no_grad():
        deep = learner.network.features(images)
        hidden = F.relu(F.linear(deep, learner.project[0].weight, learner.project[0].bias))
        out = F.linear(hidden, learner.project[2].weight, learner.project[2].bias)
        expected = out / out.norm(dim=1, keepdim=True)
        np.testing.assert_allclose(learner(images), expected, atol=1e-5)
    assert learner.project[0].out_features == deep.shape[1], "as wide as the features"
    assert learner.project[2].out_features == 128


def test_a_step_of_moco_moves_keys_slowly_and_the_queue_by_a_batch(monkeypatch):
    """The encoder of the keys follows at 1 - m, without gradient; the oldest keys leave."""
    monkeypatch.setattr(hardware, "precision", lambda _: torch.float32)
    recipe = contrastive.Recipe("moco", "resnet8", 1, queue=16, momentum=0.9)
    device = torch.device("cpu")
    run = contrastive._Training(recipe, ImageSource(photos(8, 16), device), device)
    g = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weight in run.learner.parameters():
            weight.add_(torch.randn(weight.shape, generator=g) * 0.05)
    first, second = (torch.randn(6, 3, 16, 16, generator=g) for _ in range(2))
    queue = run.queue.clone()
    slow, fast = copy.deepcopy(run.keys), copy.deepcopy(run.learner)
    with torch.no_grad():
        for old, new in zip(slow.parameters(), fast.parameters(), strict=True):
            old.copy_(0.9 * old + 0.1 * new)
        # each half of a batch, last image first, has batch statistics of its own
        halves = [slow.train()(half) for half in (second[[5, 4, 3]], second[[2, 1, 0]])]
        keys = torch.cat(halves)[[5, 4, 3, 2, 1, 0]]
    loss = run._moco(first, second)
    expected = contrastive.moco_loss(fast.train()(first), keys, queue, recipe.temperature)
    assert loss.item() == pytest.approx(expected.item(), rel=1e-4)
    np.testing.assert_allclose(run.queue, torch.cat([keys, queue[:10]]), atol=1e-5)
    for mine, own in zip(run.keys.parameters(), slow.parameters(), strict=True):
        np.testing.assert_allclose(mine, own, atol=1e-6)
    loss.backward()
    assert all(weight.grad is None for weight in run.keys.parameters())
    assert all(weight.grad is not None for weight in run.learner.parameters())


def test_views_stay_images_and_colours_turn_around_gray():
    recipe = contrastive.Recipe("simclr", "resnet8", 1)
    photo = photos(64, 20)
    images = torch.from_numpy(photo.images)
    seen = contrastive.view(images, recipe, torch.Generator().manual_seed(0))
    again = contrastive.view(images, recipe, torch.Generator().manual_seed(0))
    assert torch.equal(seen, again)
    assert seen.shape == (64, 3, 20, 20)
    assert 0 <= seen.min() <= seen.max() <= 1
    level = torch.full((8, 20, 20, 3), 120, dtype=torch.uint8)
    flat = contrastive.view(level, recipe, torch.Generator().manual_seed(1))
    assert (flat.amax((1, 2, 3)) - flat.amin((1, 2, 3))).max() < 1e-3, "gray must stay gray"
    draw = torch.full((12, 64), 0.5)
    draw[4 + 5] = 0.9  # no change of colours
    draw[5 + 5] = 0.9
    values = images.permute(0, 3, 1, 2).float() / 255
    np.testing.assert_allclose(contrastive._colours(values, draw[5:], 3), values, atol=1e-5)
    bar = torch.zeros(64, 20, 20, 1, dtype=torch.uint8)
    bar[:, :, :6] = 200
    for flip, left in ((False, 1.0), (True, 0.5)):
        how = dataclasses.replace(recipe, smallest=0.9, flip=flip)
        moved = contrastive.view(bar, how, torch.Generator().manual_seed(0))[:, 0]
        share = (moved[:, :, :5].mean((1, 2)) > moved[:, :, -5:].mean((1, 2))).float().mean()
        assert share == pytest.approx(left, abs=0.2 if flip else 0)


@pytest.mark.parametrize("flip", [False, True])
def test_the_part_of_a_view_is_pillows_resized_box(flip):
    """A part of the area drawn evenly, of 3:4 to 4:3, anywhere in the image, mirrored or not."""
    b, side = 8, 24
    recipe = contrastive.Recipe("simclr", "resnet8", 1, flip=flip)
    images = torch.from_numpy(photos(b, side).images[..., :1].copy())
    draw = torch.rand(12, b, generator=torch.Generator().manual_seed(3))
    draw[4 + 5] = 0.9  # no change of colours
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch, "rand", lambda *_, **__: draw)
        seen = contrastive.view(images, recipe, torch.Generator())
    u = draw.double().numpy()
    for row in range(b):
        area = 0.25 + 0.75 * u[0, row]
        ratio = (4 / 3) ** (2 * u[1, row] - 1)  # width to height
        wide, high = (min(side * np.sqrt(area * r), side) for r in (ratio, 1 / ratio))
        left, top = (side - wide) * u[3, row], (side - high) * u[4, row]
        plain = Image.fromarray(images[row, :, :, 0].numpy().astype(np.float32) / 255)
        box = (left, top, left + wide, top + high)
        expected = np.asarray(plain.resize((side, side), Image.Resampling.BILINEAR, box=box))
        if flip and u[2, row] < 0.5:
            expected = expected[:, ::-1]
        np.testing.assert_allclose(seen[row, 0], expected, atol=2e-5)


def test_the_colours_of_a_view_are_torchvisions():
    """Brightness, contrast, saturation and gray; the hue turns about the gray axis (ours)."""
    b = 12
    values = torch.rand(b, 3, 9, 9, generator=torch.Generator().manual_seed(4)) * 0.3 + 0.3
    draw = torch.rand(7, b, generator=torch.Generator().manual_seed(5))
    draw[3], draw[4] = 0.5, 0.1  # no turn of the hue; colours of all images change
    draw[5] = torch.linspace(0, 1, b)
    seen = contrastive._colours(values, draw, 3)
    for row in range(b):
        level = [0.4 * float(2 * draw[each, row] - 1) + 1 for each in range(3)]
        image = tv.adjust_contrast(tv.adjust_brightness(values[row], level[0]), level[1])
        if draw[5, row] < 0.2:
            expected = tv.rgb_to_grayscale(image, 3)
        else:
            expected = tv.adjust_saturation(image, level[2])
        np.testing.assert_allclose(seen[row], expected, atol=2e-4)


def test_digits_are_never_mirrored_and_names_carry_epochs():
    dataset, _ = digits()
    recipe = contrastive.recipe_for("simclr", dataset, "cpu")
    assert not recipe.flip
    assert contrastive.recipe_for("moco:7", dataset, "cpu").epochs == 7
    assert contrastive.recipe_for("simclr", photos(8, 32), "cpu").flip
    for name in ("simclr:", "simclr:9", "moco"):
        assert contrastive.is_contrastive(name)
    assert not contrastive.is_contrastive("resnet18")
    with pytest.raises(LnlError, match="simclr:200"):
        contrastive.recipe_for("simclr:many", dataset, "cpu")


@pytest.mark.parametrize("kind", ["simclr:2", "moco:2"])
def test_labels_are_not_looked_at_and_the_cache_holds(kind, tmp_path):
    first, truth = digits(120)
    second, _ = digits(120, labels=(truth + 1) % 10)
    found = features.cached(tmp_path / "a", first, kind)
    np.testing.assert_array_equal(found, features.cached(tmp_path / "b", second, kind))
    np.testing.assert_array_equal(found, features.compute(first, kind))
    assert found.shape == (120, 128)
    assert np.isfinite(found).all()
    left = sorted(path.name for path in (tmp_path / "a").glob("features/*/*"))
    assert left == ["features.npy", "lock", "meta.json"]
    told = []
    features.cached(tmp_path / "a", first, kind, "cpu", lambda *report: told.append(report))
    assert told == [], "a second call must find what the first one made"


@pytest.mark.parametrize("kind", ["simclr", "moco"])
def test_a_training_that_was_stopped_ends_as_an_undisturbed_one(kind, tmp_path, monkeypatch):
    dataset, _ = digits(160)
    monkeypatch.setattr(contrastive, "_TICK", 0.0)
    whole = features.compute(dataset, f"{kind}:3")
    told = []

    def stop(stage, fraction, metrics):
        told.append((stage, fraction))
        if len(told) in (4, 9):  # in the first epoch and later
            raise Cancelled

    for _ in range(2):
        with pytest.raises(Cancelled):
            features.cached(tmp_path, dataset, f"{kind}:3", "cpu", stop)
    found = features.cached(tmp_path, dataset, f"{kind}:3", "cpu", stop)
    np.testing.assert_array_equal(found, whole)
    assert {stage for stage, _ in told} == {"features"}
    assert told[-1][1] == pytest.approx(1.0)
    assert max(fraction for _, fraction in told[:9]) <= 0.9


@pytest.mark.slow
def test_large_images_are_trained_smaller():
    found = features.compute(photos(6, 100), "moco:1")
    assert found.shape == (6, 512)
    assert np.isfinite(found.astype(np.float32)).all()
    assert np.unique(found, axis=0).shape[0] == 6


def probe_accuracy(found, truth):
    """Accuracy of a linear fit of one half on the other."""
    x = found.astype(np.float64)
    x = (x - x.mean(0)) / (x.std(0) + 1e-3)
    rows = np.random.default_rng(0).permutation(len(truth))
    fit, test = np.array_split(rows, 2)
    few = fit[:100]
    return RidgeClassifier(alpha=10).fit(x[few], truth[few]).score(x[test], truth[test])


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param("simclr", marks=pytest.mark.slow),
        pytest.param("moco", marks=pytest.mark.long),
    ],
)
def test_the_representation_beats_random_weights(kind):
    """Ten labels per class tell apart what they do not on the same network untrained."""
    dataset, truth = digits()
    recipe = dataclasses.replace(contrastive.recipe_for(kind, dataset, "cpu"), epochs=30)
    said = {}
    for name, how in (("random", dataclasses.replace(recipe, lr=0.0)), ("trained", recipe)):
        how = how if how.lr else dataclasses.replace(how, epochs=3)  # statistics alone settle
        network, source = contrastive.train(dataset, how)
        with torch.no_grad():
            images = source.normalise(source.batch(torch.arange(len(truth))))
            said[name] = probe_accuracy(network.features(images).float().numpy(), truth)
    print(kind, said)
    assert said["trained"] >= 0.93
    assert said["trained"] >= said["random"] + 0.05
