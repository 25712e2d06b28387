"""Trained networks that outlive their run: kept beside its signals, opened again by later runs.

A kept network is the plain `models.Network` (body, neck, linear head with one logit per class)
with the weights that gave the run's signals, their EMA where the run had one. It serves methods
that post-train it, and maps of where a network looks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lnl_core.learning import checkpoints, hardware, models, process_group
from lnl_core.learning.images import ImageSource
from lnl_core.store.checkpoint import load_checkpoint
from lnl_core.types import Array, Context, LabeledDataset, LnlError

NAME = "network"
HEAD_NAME = "map_head"
KIND = "image"

Report = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Loaded:
    """A kept network, ready to look at the images of a data set.

    Attributes:
        model: in evaluation mode on `device`; `maps`, `features`, `head`.
        source: the images at the resolution that the network was trained at, `normalise` with the
            mean and deviation of its training.
        device: where both are.
        state: what was kept beside the weights: `kind`, `backbone`, `k`, `channels`, `size`,
            `resolution`.
    """

    model: models.Network
    source: ImageSource
    device: torch.device
    state: dict[str, Any]

    @torch.no_grad()
    def predictions(self, rows: Array | None = None) -> Iterator[tuple[Array, Tensor, Tensor]]:
        """Go over images in evaluation mode without augmentation.

        Args:
            rows: (m,) row numbers; all in order where None.

        Yields:
            rows (b,), features (b, d) float32 and logits (b, k) float32, on the device.
        """
        self.model.eval()
        rows = np.arange(self.source.n) if rows is None else np.asarray(rows, np.int64)
        group = process_group.current()
        # 512 images of 48 pixels, fewer of larger ones: a stop is answered between batches
        batch = min(512, max(16, 512 * 48**2 // (self.source.height * self.source.width)))
        for start in range(0, len(rows), batch):
            part = rows[start : start + batch]
            mine = torch.from_numpy(part[group.shard(len(part))])
            images = self.source.normalise(self.source.batch(mine))
            with hardware.autocast(self.device):
                features = self.model.features(images)
                features = group.all_gather(features.float(), len(part)).to(features.dtype)
                logits = self.model.head(features)
            yield part, features.float(), logits.float()

    def probabilities(
        self, rows: Array, k: int, read_out: Callable[[Tensor], Tensor] | None = None
    ) -> Array | None:
        """Return (m, k) float32 probabilities of rows; None where its outputs are no classes.

        They are the softmax of the logits where `read_out` does not say otherwise.
        """
        read = read_out or partial(torch.softmax, dim=1)
        out = np.zeros((len(rows), k), np.float32)
        at = 0
        for part, _, logits in self.predictions(rows):
            if logits.shape[1] != k:
                return None
            out[at : at + len(part)] = read(logits).cpu().numpy()
            at += len(part)
        return out

    def pack(self) -> tuple[dict[str, Array], dict[str, Any]]:
        """Return the network as arrays and state, as `open_network` takes them."""
        return _pack(self.model, self.source), self.state

    def features(self, report: Report | None = None) -> Array:
        """Return the input of the last layer for all images, (n, d) float32."""
        features = np.empty((self.source.n, self.model.feature_size), np.float32)
        for rows, part, _ in self.predictions():
            features[rows] = part.cpu().numpy()
            if report is not None:
                report((int(rows[-1]) + 1) / self.source.n)
        return features


def keep_network(context: Context, session: Any, model: nn.Module | None = None) -> None:
    """Keep a run's network as `network.safetensors`; a head on frozen features keeps none.

    Args:
        context: of the run.
        session: `training.Session` at the end of its training.
        model: the network to keep; `session.averaged` where None.
    """
    packed = pack_network(session, model)
    if packed is not None:
        context.keep(NAME, *packed)


def pack_network(
    session: Any, model: nn.Module | None = None
) -> tuple[dict[str, Array], dict[str, Any]] | None:
    """Return a session's network as arrays and state, None for a head on frozen features."""
    network = session.averaged if model is None else model
    if not isinstance(network, models.Network) or not isinstance(session.source, ImageSource):
        return None
    source, size = session.source, max(session.source.height, session.source.width)
    backbone = session.knobs.backbone
    state = {
        "kind": KIND,
        "backbone": models.auto_name(size) if backbone == "auto" else backbone,
        "k": network.head.out_features,
        "channels": source.channels,
        "size": size,
        "resolution": session.knobs.resolution,
    }
    return _pack(network, source), state


def _pack(network: models.Network, source: ImageSource) -> dict[str, Array]:
    arrays = checkpoints.pack_module(network, "model")
    return arrays | {"mean": source.mean.cpu().numpy(), "std": source.std.cpu().numpy()}


def load_network(
    folder: Path, dataset: LabeledDataset, device: str, report: Report | None = None
) -> Loaded:
    """Open the network that a run kept.

    Args:
        folder: of the run.
        dataset: whose images it will look at, (n, h, w, c).
        device: `auto`, `cpu` or `cuda`.
        report: told the share of the images that are on the device.

    Raises:
        LnlError: the run kept none, or one for other classes or images.
    """
    checkpoint = load_checkpoint(folder / f"{NAME}.safetensors")
    if checkpoint is None:
        raise LnlError(
            f"Run {folder.name} kept no network. Choose a run that trained one on "
            "images, or run it again: runs of earlier versions kept none."
        )
    return open_network(*checkpoint, dataset, device, report, f"run {folder.name}")


def open_network(
    arrays: Mapping[str, Any],
    state: Mapping[str, Any],
    dataset: LabeledDataset,
    device: str,
    report: Report | None = None,
    name: str = "this run",
) -> Loaded:
    """Open a network from what `pack_network` made of it; the rest as in `load_network`."""
    k, channels = len(dataset.class_names), dataset.images.shape[3]
    if (state["k"], state["channels"]) != (k, channels):
        raise LnlError(
            f"The network of {name} is for {state['k']} classes and "
            f"{state['channels']} colour channels, this set has {k} and {channels}. Choose a run "
            "of this set."
        )
    place = hardware.pick_device(device)
    source = ImageSource(dataset, place, resolution=state["resolution"], report=report)
    source.mean = torch.from_numpy(arrays["mean"].copy()).to(place)
    source.std = torch.from_numpy(arrays["std"].copy()).to(place)
    with torch.random.fork_rng(devices=[]):
        model = _build(state).to(place)
    checkpoints.unpack_module(model, "model", arrays)
    return Loaded(model.eval(), source, place, dict(state))


def _build(state: Mapping[str, Any]) -> models.Network:
    """Return a fresh network of the kept one's make."""
    return models.build(state["backbone"], state["k"], state["channels"], state["size"])


def keep_head(context: Context, head: nn.Module) -> None:
    """Keep a head on frozen maps as `map_head.safetensors`, for maps of any classes later."""
    if not isinstance(head, models.Network):
        raise TypeError("a head on maps is a models.Network")
    convolution = next(layer for layer in head.modules() if isinstance(layer, nn.Conv2d))
    state = {
        "kind": "maps",
        "k": head.head.out_features,
        "channels": convolution.in_channels,
        "width": head.feature_size,
    }
    context.keep(HEAD_NAME, checkpoints.pack_module(head, "model"), state)


def load_head(folder: Path) -> models.Network | None:
    """Open the head on frozen maps that a run kept, in evaluation mode; None where it kept none."""
    checkpoint = load_checkpoint(folder / f"{HEAD_NAME}.safetensors")
    if checkpoint is None:
        return None
    arrays, state = checkpoint
    with torch.random.fork_rng(devices=[]):
        head = models.map_head(state["k"], state["channels"], state["width"])
    checkpoints.unpack_module(head, "model", arrays)
    return head.eval()
