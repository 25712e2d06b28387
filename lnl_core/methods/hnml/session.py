"""The session under HNML: a slow teacher beside the network, on pixels or on frozen feature maps.

Frozen maps are ours: the last maps of a network that never saw the labels take the place of images,
and a small convolutional head trains on them. It ends in an average and a linear layer like every
network here, so its class activation maps stay exact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lnl_core.learning import cam, models
from lnl_core.learning.knobs import TrainingKnobs
from lnl_core.learning.recorder import ProbabilityRecorder
from lnl_core.learning.training import Session
from lnl_core.methods.hnml import bilevel
from lnl_core.types import Array, Context, FloatArray, LabeledDataset, TopProbs

EVIDENCE_BATCH = 256
"""Images of 48 pixels at a time in the last pass; fewer of larger ones."""


class MapSource:
    """Feature maps by row number, read from the disk batch by batch.

    Attributes:
        n: number of rows.
        channels, height, width: of a row's maps.
    """

    def __init__(self, maps: FloatArray, device: torch.device) -> None:
        self.n, self.channels, self.height, self.width = maps.shape
        self._maps, self.device = maps, device

    def batch(self, rows: Tensor) -> Tensor:
        """Return (b, d, u, v) float32, channels last, on the device for row numbers (b,)."""
        picked = torch.from_numpy(np.asarray(self._maps[rows.cpu().numpy()])).to(self.device)
        return picked.to(torch.float32, memory_format=torch.channels_last)

    def normalise(self, maps: Tensor) -> Tensor:
        """Return the maps as they are."""
        return maps


class MetaSession(Session):
    """A `training.Session` whose mean of weights is a teacher, and that may look at maps.

    Until the meta phase begins the teacher moves faster, so that it forgets the initial weights.

    Args:
        dataset, knobs, context: as for `Session`; `knobs.ema_decay` is the teacher's decay.
        maps: (n, d, u, v) frozen maps to train on in place of images.
        build: (k, channels, size) -> network.
    """

    def __init__(
        self,
        dataset: LabeledDataset,
        knobs: TrainingKnobs,
        context: Context,
        *,
        maps: FloatArray | None = None,
        build: Callable[[int, int, int], nn.Module] | None = None,
    ) -> None:
        if not 0 < knobs.ema_decay < 1:
            raise ValueError(f"the teacher's decay must lie in (0, 1), {knobs.ema_decay}")
        self._frozen_maps = maps
        first = torch.full((1,), -1, dtype=torch.int64)
        super().__init__(dataset, knobs, context, build=build, tensors={"started": first})

    @property
    def started(self) -> int:
        """Epoch from which on the meta phase runs, -1 before that is known."""
        return int(self.tensors["started"].item())

    @started.setter
    def started(self, epoch: int) -> None:
        self.tensors["started"].fill_(epoch)

    def _open_source(self) -> Any:
        self.on_features = False  # maps are images to everything but `view`
        if self._frozen_maps is None:
            return super()._open_source()
        return MapSource(self._frozen_maps, self.device)

    def view(self, rows: Tensor, change: Callable[[Tensor], Tensor] | None = None) -> Tensor:
        """Return a random training view of some rows; of maps, mirrored ones."""
        if self._frozen_maps is None:
            return super().view(rows, change)
        maps: Tensor = self.source.batch(rows)
        if self.augment.flip:
            mirrored = (torch.rand(len(rows), generator=self.generator) < 0.5).to(maps.device)
            maps = torch.where(mirrored[:, None, None, None], maps.flip(3), maps)
        return maps

    def _decay(self) -> float:
        wanted = self.knobs.ema_decay
        if 0 <= self.started <= self._epoch_now:
            return wanted
        step = self._epoch_now * self.steps_per_epoch + self._step
        # 1 - 1 / t averages all t weights so far alike
        return min(wanted, 1 - 1 / (step + 1))

    def extractors(self) -> tuple[bilevel.FeatureExtractor, bilevel.FeatureExtractor]:
        """Return student and teacher, each giving logits and maps; the teacher in evaluation."""
        student, teacher = self.model, self.averaged.eval()
        if not isinstance(student, models.Network) or not isinstance(teacher, models.Network):
            raise TypeError("a meta session needs models.Network")
        return bilevel.FeatureExtractor(student, self.dtype), bilevel.FeatureExtractor(
            teacher, self.dtype
        )

    @torch.no_grad()
    def predictions_and_maps(
        self, *, teacher: bool = True
    ) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Go over all rows in order: rows (b,), logits (b, k) and maps (b, d, u, v) float32."""
        network = self.extractors()[1 if teacher else 0].eval()
        area = self.source.height * self.source.width
        batch = min(EVIDENCE_BATCH, max(16, EVIDENCE_BATCH * 48**2 // area))
        for start in range(0, self.n, batch):
            rows = torch.arange(start, min(start + batch, self.n))
            b = len(rows)
            images = self.source.normalise(self.source.batch(rows[self.group.shard(b)]))
            logits, maps = (self.group.all_gather(part.float(), b) for part in network(images))
            yield rows.to(self.device), logits, maps
            self._meter.images += len(rows)
            self.tick()


class Evidence:
    """What one network says about every row at the end: predictions and two maps.

    Attributes:
        probs: (n, k) or `TopProbs`.
        margin: (n,) float64 logit of the best other class minus that of the given one.
        features: (n, d) float16, None where that is too much.
        extras: `suggested_label` (n,) int32, `cam_given`, `cam_suggested` (n, u, v) float16, and
            (n,) float32: `doubt_given` (1 - probability of the given label), `logit_margin`
            and the names of `NUMBERS`, see `cam.statistics`.
    """

    NUMBERS = (
        "energy_given",
        "energy_suggested",
        "energy_gap",
        "energy_share",
        "overlap_gap",
        "peak_given",
        "support",
        "divergence",
        "mask_iou",
        "entropy_given",
        "foreground_fraction",
    )

    def __init__(
        self, session: MetaSession, *, teacher: bool, tau: float, feature_limit: int
    ) -> None:
        n, k = session.n, session.k
        network = session.extractors()[1 if teacher else 0].network
        weights, width = network.head.weight.detach(), network.feature_size
        recorder = ProbabilityRecorder(session.labels.cpu().numpy(), k, 1, session.device)
        self.margin = np.zeros(n)
        self.features: Array | None = None
        if n * width <= feature_limit:
            self.features = np.zeros((n, width), np.float16)
        kept = ("doubt_given", "logit_margin", *self.NUMBERS)
        numbers = {name: np.zeros(n, np.float32) for name in kept}
        suggested = np.zeros(n, np.int32)
        pictures: Array | None = None
        for rows, logits, maps in session.predictions_and_maps(teacher=teacher):
            probs = torch.softmax(logits, dim=1)
            recorder.add(rows, probs)
            at = rows.cpu().numpy()
            given = session.labels[rows]
            others = logits.scatter(1, given[:, None], -torch.inf)
            best = others.argmax(dim=1) if k > 1 else given
            pair = cam.of_classes(maps, weights.float(), torch.stack([given, best], 1))
            comparison = cam.statistics(pair[:, 0], pair[:, 1], tau)
            gap = logits.gather(1, best[:, None]).double() - logits.gather(1, given[:, None])
            self.margin[at] = numbers["logit_margin"][at] = gap.squeeze(1).cpu().numpy()
            doubt = 1 - probs.gather(1, given[:, None]).squeeze(1)
            numbers["doubt_given"][at] = doubt.float().cpu().numpy()
            suggested[at] = best.cpu().numpy()
            for name in self.NUMBERS:
                numbers[name][at] = comparison[name].float().cpu().numpy()
            if self.features is not None:
                self.features[at] = maps.mean((2, 3)).half().cpu().numpy()
            if pictures is None:
                pictures = np.zeros((2, n, *maps.shape[2:]), np.float16)
            limit = torch.finfo(torch.float16).max  # beyond it float16 is inf
            pictures[:, at] = pair.clamp(-limit, limit).half().transpose(0, 1).cpu().numpy()
        assert pictures is not None
        self.probs: FloatArray | TopProbs = recorder.mean_probs()
        self.extras: dict[str, Array] = {
            "suggested_label": suggested,
            "cam_given": pictures[0],
            "cam_suggested": pictures[1],
            **numbers,
        }
