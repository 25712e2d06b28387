"""Every knob of HNML, and its presets."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import ClassVar, Self

from lnl_core.learning.knobs import ON_IMAGES, OPEN_BACKBONES, SHARE, TrainingKnobs, knob, restate

SOURCES = ("pixels", "maps")
BACKBONES = (*OPEN_BACKBONES, "cnn3")
ORDERS = ("second", "first")
DISTURBANCES = ("neighbours", "uniform")
INNER = ("all", "last-block")
MASKS = ("hard", "soft")
MASKS_OF = ("teacher", "given")
STARTS = ("rule", "count")
NETWORKS = ("teacher", "student")


@dataclass(frozen=True, slots=True)
class Config(TrainingKnobs):
    """Every knob; the paper's own values are unknown, these are ours."""

    in_epochs: ClassVar[tuple[str, ...]] = ("warm_up", "ramp", "filter_epochs")

    renamed: ClassVar[dict[str, str]] = {
        **TrainingKnobs.renamed,
        "teacher_decay": "ema_decay",
    }

    frozen_on: ClassVar[tuple[str, ...]] = ("pretrained",)
    """Representations that have feature maps; asked for another one, the run takes pixels."""

    source: str = knob(
        "pixels", "Train on pixels, or on frozen feature maps.", SOURCES, group="advanced"
    )
    alpha: float = knob(1.0, "Length of the inner step; 0 is none.")
    eta: float = knob(4.0, "Weight of the meta-test loss.")
    mu_foreground: float = knob(1.0, "Weight of the teacher's answer from the foreground alone.")
    mu_map: float = knob(1.0, "Weight of the teacher's map inside the foreground.")
    mu_consistency: float = knob(0.0, "Weight of the teacher's answer from the whole image.")
    mu_background: float = knob(0.0, "Weight of an even answer from the background alone.")
    tau: float = knob(0.4, "Part of a map's maximum that counts as foreground.")
    mask: str = knob("hard", "Edge of the mask.", MASKS)
    mask_of: str = knob("teacher", "Mask from the teacher's class or the given one.", MASKS_OF)
    consistency: float = knob(1.0, "Weight of the teacher's answer in the inner step.")
    disturbed: float = knob(0.5, "Share of labels that are disturbed.")
    disturbance: str = knob("neighbours", "Where a disturbed label comes from.", DISTURBANCES)
    neighbours: int = knob(10, "Neighbours to take a label from.")
    tasks: int = knob(1, "Sets of disturbed labels (meta-tasks) per batch.")
    order: str = knob("second", "First order is cheaper and much weaker.", ORDERS, group="advanced")
    inner: str = knob("all", "Weights that the inner step moves.", INNER)
    start: str = knob(
        "count",
        "Begin the meta phase after warm_up, or by rule once held-out labels are "
        "predicted clearly above chance as well.",
        STARTS,
    )
    warm_up: int = knob(6, "Epochs before the meta phase, at least.")
    ramp: int = knob(6, "Epochs until its weight is full.")
    filter: bool = knob(
        False, "In the second half, give no weight to labels that the teacher doubts."
    )
    filter_below: float = knob(
        0.5, "Doubted: probability below this part of the highest.", within=SHARE
    )
    filter_epochs: int = knob(8, "Epochs over which that weight falls to 0.")
    network: str = knob(
        "teacher",
        "Network whose predictions count: the teacher, or the one in training.",
        NETWORKS,
        group="scoring",
    )
    ema_decay: float = restate(
        "ema_decay", 0.99, text="Decay per step of the teacher: the EMA of the network's weights."
    )
    backbone: str = restate(
        "backbone", "auto", BACKBONES, "Network to train; cnn3 is for tiny images."
    )
    batch_size: int = restate("batch_size", 64)
    nesterov: bool = restate("nesterov", True)
    schedule: str = restate("schedule", "cosine")
    shift: int = restate("shift", 0)

    def __post_init__(self) -> None:
        TrainingKnobs.__post_init__(self)
        if min(self.tasks, self.neighbours) < 1:
            raise ValueError(
                f"tasks and neighbours must be at least 1, got {self.tasks} and {self.neighbours}"
            )
        if not (0 < self.tau <= 1 and 0 <= self.disturbed <= 1 and 0 < self.ema_decay < 1):
            raise ValueError(
                "tau must lie in (0, 1], disturbed in [0, 1] and ema_decay in (0, 1), got "
                f"{self.tau}, {self.disturbed} and {self.ema_decay}"
            )
        if min(self.alpha, self.eta, self.consistency, self.warm_up, self.ramp) < 0:
            raise ValueError(
                "alpha, eta, consistency, warm_up and ramp must be at least 0, got "
                f"{self.alpha}, {self.eta}, {self.consistency}, {self.warm_up} and {self.ramp}"
            )

    @classmethod
    def preset(cls, name: str, n: int, k: int, size: int) -> Self:
        """Return the knobs of `quick`, `standard` or `paper` for n images of `size` pixels.

        The paper's numbers are unknown: `paper` is the long run of our own reconstruction. On
        images above 16 pixels `quick` trains a head on frozen feature maps.
        """
        if name == "quick" and size > 16:
            return cls.on_features(name, n, k)
        if size <= 16:
            if name == "quick":
                return cls(backbone="cnn3")
            epochs = {"standard": 90, "paper": 120}[name]
            return cls(backbone="cnn3", epochs=epochs, start="rule", warm_up=0, filter=True)
        batch = 128 if n >= 4000 else 64
        epochs = {"standard": 40, "paper": 120}[name]
        steps = epochs * -(-n // batch)
        return cls(
            alpha=0.2,
            eta=1.5,
            start="rule",
            warm_up=epochs // 3,
            ramp=epochs // 5,
            filter=True,
            ema_decay=0.999 if steps > 10_000 else 0.99,
            backbone="resnet18" if name == "paper" or size > 64 else "resnet8-wide",
            epochs=epochs,
            batch_size=batch,
            lr=0.1,
            schedule="one_cycle",
            shift=-1,
        )

    def idle(self, on_features: bool) -> frozenset[str]:
        """Return the knobs that change nothing: on frozen maps, which are mirrored, all but `flip`.

        What the rest has no use for is idle as well: the filter's knobs without one, the number of
        neighbours where labels are disturbed evenly.
        """
        heads = on_features or self.source == "maps"
        views = {*ON_IMAGES, "feature_dropout"} - {"flip"} if heads else {"feature_dropout"}
        own = set() if self.filter else {"filter_below", "filter_epochs"}
        own |= {"neighbours"} if self.disturbance == "uniform" else set()
        return frozenset(views | own)

    def fine_tuned(self) -> Self:
        """Return these knobs for the few epochs of a network that knows ImageNet."""
        return dataclasses.replace(
            self,
            source="pixels",
            alpha=0.2,
            eta=1.5,
            start="count",
            warm_up=max(1, self.epochs // 3),
            ramp=1,
            filter=False,
        )

    @classmethod
    def on_features(cls, preset: str, n: int, k: int) -> Self:
        """Return the knobs of a head on frozen feature maps; small sets get more epochs."""
        batch = 128 if n >= 4000 else 64 if n >= 1000 else 32
        epochs = max(10, min(40, 600 * batch // max(n, 1))) if n <= 30_000 else 5
        epochs *= 1 if preset == "quick" else 2
        return cls(
            source="maps",
            alpha=0.3,
            eta=2.0,
            warm_up=epochs // 5,
            ramp=max(1, 3 * epochs // 10),
            filter=True,
            filter_epochs=max(1, 3 * epochs // 10),
            epochs=epochs,
            batch_size=batch,
            lr=0.02 if n >= 4000 else 0.005,  # 800 photographs: average precision .62, else .54
        )

    def for_several(self, representation: str, based: bool) -> bool:
        """Say whether several processes help: not for a head on frozen maps."""
        return representation == "pixels" and self.source == "pixels"
