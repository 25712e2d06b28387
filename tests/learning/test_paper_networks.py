"""Networks of the `paper` presets answer as the published ones do, and learn as they do.

Each is compared, in float64, output by output and gradient by gradient, with what the authors'
functions returned, or with a plain network written here from the published description, under the
same weights.
"""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torchvision import models as zoo

from lnl_core.learning import models
from lnl_core.methods.dividemix import pair
from lnl_core.methods.jump import codes
from tests.conftest import golden

EXACT = {"rtol": 0, "atol": 1e-10}


def random_start(network, seed=0):
    """Weights, offsets and running statistics that are all their own."""
    torch.manual_seed(seed)
    for each in network.modules():
        if isinstance(each, nn.BatchNorm1d | nn.BatchNorm2d):
            for tensor in (each.weight, each.running_var):
                nn.init.uniform_(tensor, 0.5, 1.5)
            for tensor in (each.bias, each.running_mean):
                nn.init.normal_(tensor, 0, 0.3)
    return network.double()


def with_weights_of(plain, ours):
    """The plain network under our weights: both list theirs from the images to the logits."""
    own, theirs = list(ours.state_dict().values()), plain.state_dict()
    assert [tuple(t.shape) for t in own] == [tuple(t.shape) for t in theirs.values()]
    plain.load_state_dict(dict(zip(theirs, own, strict=True)))
    return plain.double()


def answers(network, images):
    """Outputs in training and evaluation, and the gradients of images and weights."""
    images = images.clone().requires_grad_()
    out = network.train()(images)
    upstream = torch.sin(torch.arange(out.numel(), dtype=out.dtype)).view_as(out)
    weights = list(network.parameters())
    gradients = torch.autograd.grad((out * upstream).sum(), [images, *weights])
    with torch.no_grad():
        tested = network.eval()(images)
    return [out.detach(), tested, *gradients]


def compare(ours, plain, images, tolerance=1e-10):
    for mine, theirs in zip(answers(ours, images), answers(plain, images), strict=True):
        scale = theirs.abs().max().clamp_min(1)
        torch.testing.assert_close(mine / scale, theirs / scale, rtol=0, atol=tolerance)


def pictures(b, channels, side, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(b, channels, side, side, generator=generator, dtype=torch.float64)


# -- the pre-activation block and network ----------------------------------------------------------

NAMES = {"bn1": "norm1", "bn2": "norm2", "shortcut.0": "shortcut"}


@pytest.mark.parametrize(("kind", "stride"), [("same", 1), ("wider", 2)])
def test_a_pre_activation_block_is_the_authors(kind, stride):
    held = golden("jump_block.npz")
    values = {n[len(kind) + 1 :]: v for n, v in held.items() if n.startswith(f"{kind}.")}
    inputs, outputs = values["input"].shape[1], values["output"].shape[1]
    block = models.PreActivation(inputs, outputs, stride).double().train()
    ours = dict(block.named_parameters())
    names = [n for n in values if n.endswith((".weight", ".bias")) and not n.startswith("grad.")]
    for name in names:
        part, _, kind_of = name.rpartition(".")
        ours[f"{NAMES.get(part, part)}.{kind_of}"].data.copy_(torch.from_numpy(values[name]))
    assert len(names) == len(ours)
    images = torch.from_numpy(values["input"]).requires_grad_()
    out = block(images)
    out.backward(torch.from_numpy(values["upstream"]))
    np.testing.assert_allclose(out.detach(), values["output"], **EXACT)
    np.testing.assert_allclose(images.grad, values["grad.input"], **EXACT)
    for name in names:
        part, _, kind_of = name.rpartition(".")
        found = ours[f"{NAMES.get(part, part)}.{kind_of}"].grad
        np.testing.assert_allclose(found, values[f"grad.{name}"], **EXACT, err_msg=name)


class PlainBlock(nn.Module):
    """Normalise, activate; two convolutions, and what was activated beside them."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.a = nn.BatchNorm2d(inputs)
        self.first = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.b = nn.BatchNorm2d(outputs)
        self.second = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        if stride > 1:
            self.beside = nn.Conv2d(inputs, outputs, 1, stride, bias=False)

    def forward(self, x):
        x = self.a(x).relu()
        beside = self.beside(x) if hasattr(self, "beside") else x
        return beside + self.second(self.b(self.first(x)).relu())


class PlainPreAct18(nn.Module):
    """Eight blocks behind a convolution that is normalised and activated itself."""

    def __init__(self, k, channels):
        super().__init__()
        blocks, inputs = [], 64
        for width in (64, 128, 256, 512):
            blocks.append(PlainBlock(inputs, width, 1 if width == 64 else 2))
            blocks.append(PlainBlock(width, width, 1))
            inputs = width
        self.stem = nn.Sequential(nn.Conv2d(channels, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64))
        self.blocks = nn.Sequential(*blocks)
        self.classify = nn.Linear(512, k)

    def forward(self, x):
        maps = self.blocks(self.stem(x).relu())
        return self.classify(F.avg_pool2d(maps, maps.shape[-1]).flatten(1))


def test_the_pre_activation_network_is_the_published_one():
    ours = random_start(models.build("preact18", 10, 3, 32))
    plain = with_weights_of(PlainPreAct18(10, 3), ours)
    compare(ours, plain, pictures(3, 3, 32))


def test_both_heads_of_a_coded_network_are_the_published_ones():
    """Linear, ReLU, dropout; the same again; linear, tanh: off the features that classify."""
    ours = random_start(codes.build("preact18", 10, 3, 32, 32)).double()
    plain = with_weights_of(PlainPreAct18(10, 3), ours.network)
    a, b, c = (ours.code[i] for i in (0, 3, 6))
    images = pictures(2, 3, 32)
    seen = {}
    plain.classify.register_forward_pre_hook(lambda _, inputs: seen.update(features=inputs[0]))
    with torch.no_grad():
        logits = plain.eval()(images).float()
        deep = seen["features"].float()
        for part in (ours.network.head, ours.code):
            part.float()  # the heads run in float32
        hidden = F.relu(F.linear(deep, a.weight, a.bias))
        hidden = F.relu(F.linear(hidden, b.weight, b.bias))
        said = torch.tanh(F.linear(hidden, c.weight, c.bias))
        out = ours.eval()(images)
    torch.testing.assert_close(out[:, :10], logits, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(out[:, 10:], said, rtol=1e-5, atol=1e-5)
    assert [layer.p for layer in ours.code if isinstance(layer, nn.Dropout)] == [0.5, 0.5]


def test_the_two_networks_of_dividemix_are_the_published_one_twice():
    ours = random_start(pair.build("preact18", 10, 3, 32))
    plain = [with_weights_of(PlainPreAct18(10, 3), each) for each in ours.networks]
    images = pictures(2, 3, 32)
    with torch.no_grad():
        expected = torch.cat([each.eval()(images) for each in plain], dim=1)
        torch.testing.assert_close(ours.eval()(images), expected, rtol=0, atol=1e-9)
        for who in (0, 1):
            ours.alone = who
            torch.testing.assert_close(ours(images), expected.chunk(2, 1)[who], rtol=0, atol=1e-9)
    assert not torch.allclose(*expected.chunk(2, 1)), "they start apart"


# -- the small convolutional networks --------------------------------------------------------------


class PlainConvolutions(nn.Module):
    """Convolutions in stages that each end in a pooling, one hidden layer, one linear layer."""

    def __init__(self, stages, hidden, k, channels, side):
        super().__init__()
        layers, inputs = [], channels
        for widths in stages:
            for width in widths:
                layers += [nn.Conv2d(inputs, width, 3, padding=1, bias=False)]
                layers += [nn.BatchNorm2d(width), nn.ReLU()]
                inputs = width
            layers.append(nn.MaxPool2d(2))
            side //= 2
        self.layers = nn.Sequential(*layers)
        self.hidden = nn.Linear(inputs * side * side, hidden)
        self.norm = nn.BatchNorm1d(hidden)
        self.last = nn.Linear(hidden, k)

    def forward(self, x):
        return self.last(self.norm(self.hidden(self.layers(x).flatten(1))).relu())


@pytest.mark.parametrize(
    ("name", "stages", "hidden", "channels", "side"),
    [
        ("cnn8", [(64, 64), (128, 128), (196, 196)], 256, 3, 32),
        ("mnist", [(32,), (64,)], 128, 1, 28),
    ],
)
def test_the_small_networks_are_the_published_ones(name, stages, hidden, channels, side):
    ours = random_start(models.build(name, 10, channels, side))
    plain = with_weights_of(PlainConvolutions(stages, hidden, 10, channels, side), ours)
    compare(ours, plain, pictures(4, channels, side))


# -- residual networks -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["resnet18", "resnet34", "resnet50"])
@pytest.mark.parametrize("side", [32, 66], ids=["small stem", "large stem"])
def test_residual_networks_are_torchvisions(name, side):
    """Up to 64 pixels a 3x3 convolution and no pooling take the place of the stem."""
    ours = random_start(models.build(name, 7, 3, side))
    plain = getattr(zoo, name)(weights=None, num_classes=7)
    if side <= 64:
        plain.conv1 = nn.Conv2d(3, 64, 3, 1, 1, bias=False)
        plain.maxpool = nn.Identity()
    compare(ours, with_weights_of(plain, ours), pictures(2, 3, side), 1e-9)


class PlainResidual(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.a = nn.BatchNorm2d(outputs)
        self.second = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.b = nn.BatchNorm2d(outputs)
        self.changes = stride > 1 or inputs != outputs
        if self.changes:
            self.beside = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
            self.c = nn.BatchNorm2d(outputs)

    def forward(self, x):
        beside = self.c(self.beside(x)) if self.changes else x
        return (self.b(self.second(self.a(self.first(x)).relu())) + beside).relu()


@pytest.mark.parametrize(("name", "width"), [("resnet8", 32), ("resnet8-wide", 64)])
@pytest.mark.parametrize(("side", "strides"), [(8, (1, 1)), (32, (2, 1)), (64, (2, 2))])
def test_the_short_residual_networks_are_as_documented(name, width, side, strides):
    """Of no paper: `paper` runs of the reconstructions on small images train one."""
    stem, first = strides
    ours = random_start(models.build(name, 5, 3, side))
    plain = nn.Sequential(
        nn.Conv2d(3, width, 3, stem, 1, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(),
        PlainResidual(width, width, first),
        PlainResidual(width, 2 * width, 2),
        PlainResidual(2 * width, 4 * width, 2),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(4 * width, 5),
    )
    compare(ours, with_weights_of(plain, ours), pictures(3, 3, side))


def test_the_network_of_tiny_images_is_as_documented():
    ours = random_start(models.build("cnn3", 5, 1, 8))
    plain = nn.Sequential(
        *(nn.Conv2d(1, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU()),
        *(nn.Conv2d(16, 32, 3, padding=1, bias=False), nn.BatchNorm2d(32), nn.ReLU()),
        nn.MaxPool2d(2),
        *(nn.Conv2d(32, 32, 3, padding=1, bias=False), nn.BatchNorm2d(32), nn.ReLU()),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 5)),
    )
    compare(ours, with_weights_of(plain, ours), pictures(4, 1, 8))
