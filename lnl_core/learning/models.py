"""Backbones: small residual networks for small images, the SR paper's own, torchvision's above.

`lite0-SIDE` alone does not start from random weights: ImageNet's, of which the last stages train.

Every network keeps `maps` -> `pool` -> `head` apart, so features and class activation maps come
from the same weights that predict. With `exact_cam` the head is linear on the average of the maps,
and the map of class c is exactly `head.weight[c] . maps`.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lnl_core.learning import fine_tuning
from lnl_core.learning.knobs import BACKBONES

NAMES = BACKBONES[1:]


class Network(nn.Module):
    """A classifier in three named parts.

    Args:
        body: (b, c, h, w) -> maps (b, m, h', w').
        neck: maps -> features (b, d).
        d: width of the features.
        k: number of classes.
        exact_cam: True where `neck` is a global average and d = m.
    """

    def __init__(self, body: nn.Module, neck: nn.Module, d: int, k: int, exact_cam: bool) -> None:
        super().__init__()
        self.body, self.neck, self.head = body, neck, nn.Linear(d, k)
        self.feature_size, self.exact_cam = d, exact_cam

    def maps(self, images: Tensor) -> Tensor:
        """Return the last maps, (b, m, h', w')."""
        maps: Tensor = self.body(images)
        return maps

    def features(self, images: Tensor) -> Tensor:
        """Return the input of the last layer, (b, d)."""
        features: Tensor = self.neck(self.body(images))
        return features

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits, (b, k)."""
        logits: Tensor = self.head(self.neck(self.body(images)))
        return logits


class _Average(nn.Module):
    def forward(self, maps: Tensor) -> Tensor:
        return maps.mean(dim=(2, 3))


def _conv(inputs: int, outputs: int, stride: int = 1, *, size: int = 3) -> list[nn.Module]:
    convolution = nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False)
    return [convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]


class _Residual(nn.Module):
    """Two 3x3 convolutions beside a shortcut (1x1 where the shape changes)."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Sequential(*_conv(inputs, outputs, stride))
        self.second = nn.Sequential(
            nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs)
        )
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, maps: Tensor) -> Tensor:
        return F.relu(self.second(self.first(maps)) + self.shortcut(maps), inplace=True)


class PreActivation(nn.Module):
    """Two 3x3 convolutions, each after batch norm and ReLU, beside a shortcut.

    The shortcut carries the activated maps, also where it is the identity, as in the networks that
    papers on wrong labels train; He et al. hand on the maps as they came in there.
    """

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.shortcut: nn.Module | None = None
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Conv2d(inputs, outputs, 1, stride, bias=False)

    def forward(self, maps: Tensor) -> Tensor:
        """Return the maps, (b, outputs, h / stride, w / stride)."""
        activated = F.relu(self.norm1(maps))
        shortcut = activated if self.shortcut is None else self.shortcut(activated)
        residual = self.conv2(F.relu(self.norm2(self.conv1(activated))))
        return torch.add(residual, shortcut)


def auto_name(size: int) -> str:
    """Choose a backbone for images of `size` pixels (the longer side)."""
    return "resnet8" if size <= 64 else "resnet18"


def build(name: str, k: int, channels: int, size: int) -> Network:
    """Build a network with fresh weights, drawn from torch's global generator.

    Convolutions start Kaiming-uniform (fan in, ReLU), linear layers Xavier-uniform, as in the SR
    authors' code.

    Args:
        name: `auto` or one of `NAMES`.
        k: number of classes.
        channels: 1 or 3; for `head` the width d of the frozen features it takes, (b, d).
        size: longer side of the images in pixels.

    Raises:
        ValueError: unknown name.
    """
    name = auto_name(size) if name == "auto" else name
    if name in ("resnet8", "resnet8-wide"):
        network = _resnet8(k, channels, size, 32 if name == "resnet8" else 64)
    elif name == "preact18":
        return preact18(k, channels).to(memory_format=torch.channels_last)
    elif name == "cnn8":
        network = _cnn8(k, channels)
    elif name == "cnn3":
        network = _cnn3(k, channels)
    elif name == "mlp":
        network = _mlp(k, channels, size)
    elif name == "head":
        network = _head(k, channels)
    elif name in fine_tuning.SIDES:
        return _fine_tuned(k, fine_tuning.SIDES[name])
    elif name == "mnist":
        network = _mnist(k, channels, size)
    elif name in NAMES:
        network = _torchvision(name, k, channels, size)
    else:
        raise ValueError(f"backbone must be auto or one of {', '.join(NAMES)}, got {name!r}")
    return _initialised(network).to(memory_format=torch.channels_last)


def _initialised(network: Network) -> Network:
    """Draw the initial weights."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_uniform_(layer.weight, mode="fan_in", nonlinearity="relu")
        elif isinstance(layer, nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
    return network


def _resnet8(k: int, channels: int, size: int, width: int) -> Network:
    """Stem and three residual blocks of width, 2 and 4 times it.

    The stem halves images above 16 pixels, the first block those above 48.
    """
    body = nn.Sequential(
        *_conv(channels, width, 2 if size > 16 else 1),
        _Residual(width, width, 2 if size > 48 else 1),
        _Residual(width, 2 * width, 2),
        _Residual(2 * width, 4 * width, 2),
    )
    return Network(body, _Average(), 4 * width, k, exact_cam=True)


def _cnn8(k: int, channels: int) -> Network:
    """The SR authors' CIFAR-10 network: six convolutions, two linear layers (SR spec 2.6).

    The pooled maps are averaged to 4x4 before the hidden layer, so any image size goes in; at
    32 pixels that average is the identity.
    """
    body: list[nn.Module] = []
    inputs = channels
    for width in (64, 128, 196):
        body += [*_conv(inputs, width), *_conv(width, width), nn.MaxPool2d(2, ceil_mode=True)]
        inputs = width
    neck = nn.Sequential(
        nn.AdaptiveAvgPool2d(4),
        nn.Flatten(),
        nn.Linear(196 * 16, 256),
        nn.BatchNorm1d(256),
        nn.ReLU(inplace=True),
    )
    return Network(nn.Sequential(*body), neck, 256, k, exact_cam=False)


def _cnn3(k: int, channels: int) -> Network:
    """Three convolutions of width 16, 32 and 32 and one pooling, for images up to 16 pixels."""
    body = [*_conv(channels, 16), *_conv(16, 32), nn.MaxPool2d(2, ceil_mode=True), *_conv(32, 32)]
    return Network(nn.Sequential(*body), _Average(), 32, k, exact_cam=True)


def map_head(k: int, channels: int, width: int = 128) -> Network:
    """A 1x1 convolution, average and linear layer on frozen maps (b, channels, u, v)."""
    body = nn.Sequential(*_conv(channels, width, size=1))
    return _initialised(Network(body, _Average(), width, k, exact_cam=True))


def _fine_tuned(k: int, side: int) -> Network:
    """EfficientNet-lite0 from ImageNet weights under a head of zeros: all classes alike."""
    from lnl_core.learning import pretrained

    body = pretrained.FineTuned(side)
    network = Network(body, _Average(), body.width, k, exact_cam=True)
    nn.init.zeros_(network.head.weight)
    nn.init.zeros_(network.head.bias)
    return network.to(memory_format=torch.channels_last)


def _mnist(k: int, channels: int, size: int) -> Network:
    """The SR authors' MNIST network: two convolutions, two linear layers (SR spec 2.6)."""
    body = nn.Sequential(
        *_conv(channels, 32),
        nn.MaxPool2d(2, ceil_mode=True),
        *_conv(32, 64),
        nn.MaxPool2d(2, ceil_mode=True),
    )
    side = min(7, -(-size // 4))
    neck = nn.Sequential(
        nn.AdaptiveAvgPool2d(side),
        nn.Flatten(),
        nn.Linear(64 * side * side, 128),
        nn.BatchNorm1d(128),
        nn.ReLU(inplace=True),
    )
    return Network(body, neck, 128, k, exact_cam=False)


def _mlp(k: int, channels: int, size: int) -> Network:
    """Two hidden layers of 256 on the pixels, for square images up to about 16 (SR spec 6.3)."""
    inputs = channels * size * size
    neck: list[nn.Module] = [nn.Flatten()]
    for width in (inputs, 256):
        neck += [nn.Linear(width, 256), nn.BatchNorm1d(256), nn.ReLU(inplace=True)]
    return Network(nn.AdaptiveAvgPool2d(size), nn.Sequential(*neck), 256, k, exact_cam=False)


def _head(k: int, d: int) -> Network:
    """One hidden layer on frozen features: the network under a run that trains no pixels."""
    width = 512
    neck = nn.Sequential(nn.Linear(d, width), nn.BatchNorm1d(width), nn.ReLU(inplace=True))
    return Network(nn.Identity(), neck, width, k, exact_cam=False)


def _torchvision(name: str, k: int, channels: int, size: int) -> Network:
    """A torchvision ResNet; up to 64 pixels with a 3x3 stem and no first pooling."""
    from torchvision import models as zoo

    whole = getattr(zoo, name)(weights=None)
    stem: list[nn.Module]
    if size <= 64:
        stem = _conv(channels, 64)
    else:
        stem = [*_conv(channels, 64, 2, size=7), nn.MaxPool2d(3, 2, 1)]
    body = nn.Sequential(*stem, whole.layer1, whole.layer2, whole.layer3, whole.layer4)
    return Network(body, _Average(), int(whole.fc.in_features), k, exact_cam=True)


def preact18(k: int, channels: int) -> Network:
    """Build the pre-activation ResNet-18 for 32-pixel images (He et al., ECCV 2016).

    As in the authors' CIFAR configuration: the stem is normalised and activated, the last maps are
    not, shortcuts carry what was activated, initial weights are PyTorch's. 11,171,274 parameters
    with 10 classes and 3 channels.
    """
    stem = nn.Conv2d(channels, 64, 3, 1, 1, bias=False)
    body: list[nn.Module] = [stem, nn.BatchNorm2d(64), nn.ReLU(inplace=True)]
    inputs = 64
    for width, stride in ((64, 1), (128, 2), (256, 2), (512, 2)):
        body += [PreActivation(inputs, width, stride), PreActivation(width, width, 1)]
        inputs = width
    average = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return Network(nn.Sequential(*body), average, 512, k, exact_cam=True)
