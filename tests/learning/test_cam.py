"""Class activation maps: exact, and as grad-cam says (HNML spec H4 to H6)."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from lnl_core.learning import cam, models

B, D, K = 6, 8, 5


@pytest.fixture
def maps():
    return torch.relu(torch.randn(B, D, 4, 6, generator=torch.Generator().manual_seed(0)))


@pytest.fixture
def weights():
    return torch.randn(K, D, generator=torch.Generator().manual_seed(1))


def of_every_class(maps, weights, *, centre=True):
    labels = torch.arange(len(weights)).expand(len(maps), -1)
    return cam.of_classes(maps, weights, labels, centre=centre)


def test_all_classes_and_chosen_classes_are_the_same_maps(maps, weights):
    every = of_every_class(maps, weights)
    labels = torch.tensor([[0, 4], [1, 1], [2, 0], [3, 2], [4, 3], [0, 1]])
    chosen = cam.of_classes(maps, weights, labels)
    torch.testing.assert_close(chosen, every[torch.arange(B)[:, None], labels])
    by_hand = sum((weights[2, d] - weights[:, d].mean()) * maps[3, d] for d in range(D))
    torch.testing.assert_close(every[3, 2], by_hand)


def test_h4_the_mask_ignores_what_no_prediction_sees(maps, weights):
    def mask(maps, weights, centre=True):
        return cam.foreground(of_every_class(maps, weights, centre=centre))

    here, shift = (
        mask(maps, weights),
        2 * torch.randn(D, generator=torch.Generator().manual_seed(2)),
    )
    assert here.any()
    assert not here.all()
    assert torch.equal(here, mask(maps, 3.7 * weights))
    assert torch.equal(here, mask(9.1 * maps, weights))
    assert torch.equal(here, mask(maps, weights + shift))
    assert not torch.equal(mask(maps, weights, False), mask(maps, weights + shift, False))
    assert torch.equal(here.flip(3), mask(maps.flip(3), weights))
    order = torch.tensor([3, 1, 5, 0, 2, 4])
    assert torch.equal(here[order], mask(maps[order], weights))


@pytest.mark.parametrize("name", ["resnet8", "cnn3", "resnet18"])
def test_h5_mean_of_the_plain_map_and_bias_is_the_logit(name):
    torch.manual_seed(0)
    network = models.build(name, K, 3, 16).eval()
    images = torch.randn(3, 3, 16, 16)
    with torch.no_grad():
        plain = of_every_class(network.maps(images), network.head.weight, centre=False)
        logits = plain.mean((2, 3)) + network.head.bias
        torch.testing.assert_close(logits, network(images), rtol=1e-5, atol=1e-5)


def torchvision_network():
    from torchvision import models as zoo

    network = zoo.resnet18(weights=None, num_classes=K)
    body = nn.Sequential(*list(network.children())[:-2])
    return network, body, network.fc.weight, "layer4", "layer4.1.conv2"


def own_network():
    network = models.build("resnet8", K, 3, 32)
    return network, network.body, network.head.weight, "body.5", "body.4"


@pytest.mark.parametrize("make", [own_network, torchvision_network])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_h6_the_package_agrees_with_the_plain_map(make):
    from pytorch_grad_cam.utils.image import scale_cam_image

    torch.manual_seed(0)
    network, body, weights, layer, wrong = make()
    network.eval()
    images, labels = torch.randn(3, 3, 64, 64), torch.tensor([0, 3, 1])
    found = cam.packaged("GradCAM", network, images, labels, layer)
    with torch.no_grad():
        plain = cam.of_classes(body(images), weights, labels[:, None], centre=False)[:, 0]
    once = scale_cam_image(np.maximum(plain.numpy(), 0), (64, 64))
    np.testing.assert_allclose(found, scale_cam_image(once), atol=1e-6)
    elsewhere = cam.packaged("GradCAM", network, images, labels, wrong)
    assert np.abs(elsewhere - found).max() > 0.1


class Two(nn.Module):
    """Logits and something else, as networks with two heads give them."""

    def __init__(self):
        super().__init__()
        self.inner = models.build("cnn3", K, 3, 16)

    def forward(self, images):
        return self.inner(images), images


@pytest.mark.parametrize("name", cam.PACKAGED)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_package_leaves_the_network_as_it_was(name):
    torch.manual_seed(0)
    network = Two().train()
    for weight in network.parameters():
        weight.requires_grad_(False)
    before = copy.deepcopy(network.state_dict())
    images = torch.rand(2, 3, 16, 16)
    with torch.no_grad():
        found = cam.packaged(name, network, images, torch.tensor([0, 1]), "inner.body")
    assert found.shape == (2, 16, 16)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    assert 0 <= found.min() <= found.max() <= 1
    assert network.training
    assert not network.inner.body._forward_hooks
    for key, value in network.state_dict().items():
        assert torch.equal(value, before[key]), key


def test_the_package_refuses_fewer_classes_than_images():
    network = models.build("cnn3", K, 3, 16)
    with pytest.raises(ValueError, match="2 images need as many labels"):
        cam.packaged("GradCAM", network, torch.rand(2, 3, 16, 16), torch.tensor([0]), "body")
    with pytest.raises(ValueError, match="GradCAM"):
        cam.packaged("ScoreCAM", network, torch.rand(1, 3, 16, 16), torch.tensor([0]), "body")


def test_numbers_beside_the_maps_by_hand():
    given = torch.tensor([[[1.0, 0.0], [-2.0, 0.0]]])
    suggested = torch.tensor([[[4.0, 1.0], [0.0, 3.0]]])
    found = {name: float(value) for name, value in cam.statistics(given, suggested).items()}
    assert found["energy_given"] == 0.25
    assert found["energy_suggested"] == 2
    assert found["energy_gap"] == 1.75
    assert found["energy_share"] == pytest.approx(2 / 2.25)
    assert found["overlap_gap"] == 3  # over the places of 4 and 3: (3 + 3) / 2
    assert found["mask_iou"] == 0.5
    assert found["foreground_fraction"] == 0.5
    assert found["peak_given"] == 1
    assert found["support"] == 0.5
    p, q = np.array([1, 0, 0, 0]), np.array([0.5, 0.125, 0, 0.375])
    m = (p + q) / 2

    def entropy(x):
        return -sum(v * np.log(v) for v in x if v)

    assert found["divergence"] == pytest.approx(entropy(m) - entropy(q) / 2, abs=1e-6)
    assert found["entropy_given"] == pytest.approx(0, abs=1e-6)
    empty = cam.statistics(-suggested, -suggested)
    assert all(torch.isfinite(value).all() for value in empty.values())
    assert float(empty["energy_share"]) == 0.5
    assert float(empty["mask_iou"]) == 0
