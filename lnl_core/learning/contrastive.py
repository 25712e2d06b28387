"""Features learned from the images alone: SimCLR for small images, MoCo for large ones.

References: Chen, Kornblith, Norouzi, Hinton, "A Simple Framework for Contrastive Learning of
Visual Representations", ICML 2020; He, Fan, Wu, Xie, Girshick, "Momentum Contrast for Unsupervised
Visual Representation Learning", CVPR 2020. Backbone, length and views are ours: sized for the sets
and machines of this program.

Two random views of an image should be alike, views of different images should not. Labels are
never looked at. All randomness derives from the epoch, so a training that was stopped ends as an
uninterrupted one would. Several processes share each batch of views and compare all of it
(`process_group`).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lnl_core.learning import checkpoints, hardware, models, process_group
from lnl_core.learning.augment import mirror_is_safe
from lnl_core.learning.images import ImageSource
from lnl_core.learning.optimizer import Sgd
from lnl_core.learning.schedule import learning_rate
from lnl_core.learning.seeds import derive_seed, generator_for, seed_everything, seeded
from lnl_core.store.checkpoint import save_checkpoint, usable_checkpoint
from lnl_core.types import LabeledDataset, LnlError

Report = Callable[[str, float, Mapping[str, float] | None], None]

KINDS = ("simclr", "moco")
STATE = "contrastive.safetensors"
_TICK = 0.5
"""Seconds between two reports."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How the network is trained.

    Attributes:
        kind: `simclr` or `moco`.
        backbone: a name of `models.NAMES`.
        epochs, batch_size: as they say.
        lr: peak of the one-cycle rate of SGD with momentum 0.9.
        weight_decay: of SGD.
        temperature: of the softmax over similarities.
        width: of the space in which views are compared.
        resolution: longer side in pixels that images are shrunk to; 0 as stored.
        smallest: least share of the image's area that a view shows.
        queue: keys that MoCo compares with; momentum: of its key encoder.
        flip: mirror views.
    """

    kind: str
    backbone: str
    epochs: int
    batch_size: int = 256
    lr: float = 0.3
    weight_decay: float = 5e-4
    temperature: float = 0.2
    width: int = 128
    resolution: int = 0
    smallest: float = 0.25
    queue: int = 4096
    momentum: float = 0.99
    flip: bool = True


def is_contrastive(representation: str) -> bool:
    """Tell whether a representation's name is one of ours: `simclr`, `moco:200`."""
    return representation.split(":")[0] in KINDS


def recipe_for(representation: str, dataset: LabeledDataset, device: str) -> Recipe:
    """Return the recipe of `simclr` or `moco`, for this set on this device.

    Args:
        representation: the name, perhaps with a number of epochs: `simclr:200`.
        dataset: its size and image size decide; a processor gets fewer epochs than a GPU.
        device: `cpu` or `cuda`.

    Raises:
        LnlError: the number of epochs is no number above 0.
    """
    kind, _, wanted = representation.partition(":")
    if wanted and not (wanted.isdigit() and int(wanted) > 0):
        raise LnlError(
            f"{representation!r} asks for {wanted!r} epochs. Write the number after the colon, "
            f"as in {kind}:200, or leave it out."
        )
    n, size = max(len(dataset), 1), max(dataset.images.shape[1:3])
    gpu = torch.device(device).type == "cuda"
    # a processor shows about 200,000 images, a GPU ten million
    usual = min(max(round((10_000_000 if gpu else 216_000) / n), 20), 400 if gpu else 100)
    if size <= 64:
        backbone = "resnet18" if gpu and size > 16 else "resnet8-wide" if gpu else "resnet8"
        resolution = 0
    else:
        backbone, resolution = ("resnet50", 0) if gpu else ("resnet18", 96)
    batch = 256 if n >= 2048 else 64 if n >= 256 else 32
    return Recipe(
        kind=kind,
        backbone=backbone,
        epochs=int(wanted) if wanted else usual,
        batch_size=batch,
        lr=0.3 * batch / 256,  # SimCLR's linear scaling
        resolution=resolution,
        queue=max(batch, min(4096, n // (2 * batch) * batch)),
        flip=mirror_is_safe(dataset),
    )


class Learner(nn.Module):
    """A backbone and the small network that maps its features to where views are compared."""

    def __init__(self, recipe: Recipe, channels: int, size: int) -> None:
        super().__init__()
        self.network = models.build(recipe.backbone, 1, channels, size)
        d = self.network.feature_size
        self.network.head = nn.Identity()  # type: ignore[assignment]
        self.project = nn.Sequential(
            nn.Linear(d, d), nn.ReLU(inplace=True), nn.Linear(d, recipe.width)
        )

    def forward(self, images: Tensor) -> Tensor:
        """Return (b, width) of length 1."""
        return F.normalize(self.project(self.network.features(images)).float(), dim=1)


def simclr_loss(first: Tensor, second: Tensor, temperature: float) -> Tensor:
    """Return the mean over 2 b views of -log of the partner's share among the other 2 b - 1.

    Args:
        first, second: (b, w) of length 1; row i of both shows the same image.
        temperature: above 0.
    """
    b = len(first)
    both = torch.cat([first, second])
    alike = both @ both.T / temperature
    alike.fill_diagonal_(-torch.inf)  # a view is no candidate for its own partner
    partner = torch.arange(2 * b, device=both.device).roll(b)
    return F.cross_entropy(alike, partner)


def moco_loss(queries: Tensor, keys: Tensor, queue: Tensor, temperature: float) -> Tensor:
    """Return the mean of -log of the own key's share among it and the queue.

    Args:
        queries, keys: (b, w) of length 1; keys carry no gradient.
        queue: (q, w) keys of earlier batches.
        temperature: above 0.
    """
    own = (queries * keys).sum(1, keepdim=True)
    scores = torch.cat([own, queries @ queue.T], dim=1) / temperature
    return F.cross_entropy(scores, torch.zeros(len(queries), dtype=torch.int64, device=own.device))


def view(images: Tensor, recipe: Recipe, generator: torch.Generator) -> Tensor:
    """Return a random view of each image: a part of it, resized, in other colours.

    Args:
        images: (b, h, w, c) uint8.
        recipe: `smallest` and `flip` are used.
        generator: on the CPU.

    Returns:
        (b, c, h, w) float32 in [0, 1], channels last.
    """
    b, _, _, c = images.shape
    values = images.permute(0, 3, 1, 2).float() / 255
    draw = torch.rand(12, b, generator=generator)
    area = recipe.smallest + (1 - recipe.smallest) * draw[0]
    # sides as 3:4 to 4:3, even in the logarithm; the halved exponent keeps the area
    ratio = torch.exp((draw[1] * 2 - 1) * math.log(4 / 3) / 2)
    wide, high = (area.sqrt() * ratio).clamp_max(1), (area.sqrt() / ratio).clamp_max(1)
    mirror = torch.where((draw[2] < 0.5) & recipe.flip, -1.0, 1.0)
    frame = torch.zeros(b, 2, 3)
    frame[:, 0, 0], frame[:, 0, 2] = wide * mirror, (draw[3] * 2 - 1) * (1 - wide)
    frame[:, 1, 1], frame[:, 1, 2] = high, (draw[4] * 2 - 1) * (1 - high)
    draw = draw.to(values.device)
    grid = F.affine_grid(frame.to(values.device), list(values.shape), align_corners=False)
    values = F.grid_sample(values, grid, align_corners=False, padding_mode="reflection")
    values = _colours(values, draw[5:], c)
    if max(values.shape[2:]) > 64:
        small = F.avg_pool2d(values, 3, 1, 1, count_include_pad=False)
        values = torch.where((draw[11] < 0.5)[:, None, None, None], small, values)
    return values.clamp_(0, 1).contiguous(memory_format=torch.channels_last)


def _colours(values: Tensor, draw: Tensor, channels: int) -> Tensor:
    """Change brightness, contrast, saturation and hue of most images, gray a fifth of them.

    Strengths 0.4, 0.4, 0.4 and 0.1 with chance 0.8, gray with chance 0.2: SimCLR's colour
    distortion at half its strength, as for CIFAR-10.
    """
    level = (draw[:4] * 2 - 1) * (draw[4] < 0.8)
    bright, contrast = 1 + 0.4 * level[0], 1 + 0.4 * level[1]
    scale = (bright * contrast)[:, None, None, None]
    gray = values.new_tensor([0.299, 0.587, 0.114] if channels > 1 else [1.0])  # ITU-R BT.601
    middle = torch.einsum("j,bjhw->b", gray, values) / values[0, 0].numel()
    values = values * scale + (middle * bright * (1 - contrast))[:, None, None, None]
    if channels == 1:
        return values
    angle, saturation = (
        0.1 * 2 * math.pi * level[3],
        torch.where(draw[5] < 0.2, 0.0, 1 + 0.4 * level[2]),
    )
    # colours turn around the gray axis: I cos + (1 - cos) / 3 + sin (cross product) / sqrt 3
    eye, ones = torch.eye(3, device=values.device), values.new_ones(3, 3)
    cross = values.new_tensor([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / 3**0.5
    cos, sin = angle.cos()[:, None, None], angle.sin()[:, None, None]
    mix = eye * cos + ones / 3 * (1 - cos) + cross * sin
    mix = saturation[:, None, None] * mix + (1 - saturation)[:, None, None] * gray
    return torch.einsum("bij,bjhw->bihw", mix, values)


def train(
    dataset: LabeledDataset,
    recipe: Recipe,
    device: str = "cpu",
    report: Report | None = None,
    *,
    folder: Path | None = None,
    share: float = 0.9,
    seed: int = 0,
) -> tuple[models.Network, ImageSource]:
    """Train a network on the images alone.

    Args:
        dataset: n images; its labels are not read.
        recipe: how.
        device: `cpu` or `cuda`.
        report: progress, as `Context.report`, twice a second; what it raises ends the training.
        folder: where the state after each epoch is kept, and taken up again from; of several
            processes the first one's counts.
        share: of the progress that the training is.
        seed: of weights, order and views.

    Returns:
        the network in evaluation mode, whose `features` are the representation, and the images.
    """
    place = hardware.pick_device(device)
    with seeded(derive_seed(seed, 21)):
        source = ImageSource(dataset, place, resolution=recipe.resolution)
        run = _Training(recipe, source, place)
        fingerprint = {**asdict(recipe), "device": place.type, "n": source.n, "seed": seed}
        first = run.resume(folder / STATE, fingerprint) if folder is not None else 0
        first = run.agree(first)
        progress = _Progress(report, share)
        for epoch in range(first, recipe.epochs):
            seed_everything(derive_seed(seed, 22, epoch))
            run.epoch(epoch, generator_for(seed, 23, epoch), progress)
            if folder is not None:
                run.save(folder / STATE, {"made": fingerprint, "epoch": epoch + 1})
        return run.learner.network.eval(), source


class _Progress:
    """Reports about twice a second."""

    def __init__(self, report: Report | None, share: float) -> None:
        self._report, self._share = report, share
        self._began = self._last = time.monotonic()
        self._images = 0

    def __call__(self, done: float, images: int, loss: Tensor) -> None:
        self._images += images
        now = time.monotonic()
        if self._report is None or now - self._last < _TICK:
            return
        self._last = now
        speed = self._images / max(now - self._began, 1e-6)  # the clock may not have moved yet
        metrics = {"images_per_second": speed, "contrastive_loss": float(loss)}
        self._report("features", self._share * done, metrics)


class _Training:
    """Weights, momentum and, for MoCo, the key encoder and the queue."""

    def __init__(self, recipe: Recipe, source: ImageSource, device: torch.device) -> None:
        self.recipe, self.source, self.device = recipe, source, device
        self.group = process_group.current()
        size = max(source.height, source.width)
        self.learner = self.group.wrap(Learner(recipe, source.channels, size).to(device))
        self.learner.network.to(memory_format=torch.channels_last)
        weights = [w for w in self.learner.parameters() if w.requires_grad]
        self.optimizer = Sgd(
            weights, lr=recipe.lr, momentum=0.9, weight_decay=recipe.weight_decay, nesterov=True
        )
        self.keys: Learner | None = None
        self.queue = torch.zeros(0, recipe.width, device=device)
        if recipe.kind == "moco":
            self.keys = self.group.wrap(Learner(recipe, source.channels, size).to(device))
            self.keys.load_state_dict(self.learner.state_dict())
            self.keys.requires_grad_(False)
            start = torch.randn(recipe.queue, recipe.width).to(device)
            self.queue = F.normalize(start, dim=1)
        self._mean = source.mean[:, None, None].to(device)
        self._std = source.std[:, None, None].to(device)

    def epoch(self, epoch: int, generator: torch.Generator, progress: _Progress) -> None:
        """Show every image once, in two views."""
        recipe, n = self.recipe, self.source.n
        order = torch.randperm(n, generator=generator)
        self.learner.train(n > 1)
        steps = max(1, n // recipe.batch_size)
        for step, rows in enumerate(torch.tensor_split(order, steps)):
            done = (epoch + step / steps) / recipe.epochs
            rate = learning_rate("one_cycle", recipe.lr, done)
            self.optimizer.param_groups[0]["lr"] = rate
            images = self.source.batch(rows)
            first, second = (
                (view(images, recipe, generator) - self._mean) / self._std for _ in range(2)
            )
            loss = self._simclr(first, second) if self.keys is None else self._moco(first, second)
            self.optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            self.group.all_reduce_gradients(self.learner)
            # one odd batch must not throw the weights off
            nn.utils.clip_grad_norm_(self.learner.parameters(), 5.0)
            self.optimizer.step()
            progress((epoch + (step + 1) / steps) / recipe.epochs, len(rows), loss.detach())

    def _simclr(self, first: Tensor, second: Tensor) -> Tensor:
        with hardware.autocast(self.device):
            both = self.group.sharded_forward(self.learner, torch.cat([first, second]))
        half = len(first)
        return simclr_loss(both[:half].float(), both[half:].float(), self.recipe.temperature)

    def _moco(self, first: Tensor, second: Tensor) -> Tensor:
        assert self.keys is not None
        with hardware.autocast(self.device):
            queries = self.group.sharded_forward(self.learner, first).float()
        with torch.no_grad(), hardware.autocast(self.device):
            m = self.recipe.momentum
            own = self.learner.state_dict()
            for name, value in self.keys.state_dict().items():
                if value.dtype.is_floating_point:
                    value.lerp_(own[name], 1 - m)
            # halves in reverse order: shared batch statistics would reveal which key is whose
            self.keys.train(len(second) > 3)
            halves = second.flip(0).chunk(2) if len(second) > 3 else (second.flip(0),)
            halves_of_keys = [self.group.sharded_forward(self.keys, half) for half in halves]
            keys = torch.cat(halves_of_keys).float().flip(0)
        loss = moco_loss(queries, keys, self.queue, self.recipe.temperature)
        self.queue = torch.cat([keys, self.queue])[: self.recipe.queue]
        return loss

    def agree(self, first: int) -> int:
        """Take over what the first process resumed from; return its next epoch."""
        first = self.group.broadcast_number(first)
        if self.group.size > 1:
            held = [self.learner.state_dict(), self.keys.state_dict() if self.keys else {}]
            tensors = [value for state in held for value in state.values()]
            for value in [*tensors, *self.optimizer.momenta, self.queue]:
                value.copy_(self.group.broadcast(value))
        return first

    def save(self, path: Path, state: Mapping[str, Any]) -> None:
        """Keep everything that the rest of the training depends on, atomically."""
        arrays = checkpoints.pack_module(self.learner, "model")
        arrays |= checkpoints.pack_optimizer(self.optimizer)
        if self.keys is not None:
            arrays |= checkpoints.pack_module(self.keys, "keys")
            arrays["queue"] = self.queue.cpu().numpy()
        save_checkpoint(path, arrays, state)

    def resume(self, path: Path, fingerprint: Mapping[str, Any]) -> int:
        """Take up what `save` kept, where it is of the same make; return the next epoch."""
        saved = usable_checkpoint(path)
        if saved is None or saved[1]["made"] != dict(fingerprint):
            return 0
        arrays, state = saved
        checkpoints.unpack_module(self.learner, "model", arrays)
        checkpoints.unpack_optimizer(self.optimizer, arrays)
        if self.keys is not None:
            checkpoints.unpack_module(self.keys, "keys", arrays)
            self.queue = torch.from_numpy(arrays["queue"].copy()).to(self.device)
        return int(state["epoch"])
