"""Every knob of Jump-teaching, and its presets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from lnl_core.learning.knobs import (
    BELOW_ONE,
    OPEN_BACKBONES,
    SHARE,
    TrainingKnobs,
    knob,
    restate,
)

WARM_UP = 2 / 3
"""Share of the epochs after which the warm-up of `quick` and `standard` ends at the latest: an end
that comes too early costs more than one that comes late, as measured in docs/methods/jump.md."""

BACKBONES = (*OPEN_BACKBONES, "head")
SCHEDULES = ("cosine", "one_cycle")
SETTINGS = ("usual", "heavy")
STARTS = ("count", "rule")
SCORES = ("classifier", "heads", "all")


@dataclass(frozen=True, slots=True)
class Config(TrainingKnobs):
    """Every knob; the defaults are the authors' CIFAR-10 values."""

    in_epochs: ClassVar[tuple[str, ...]] = ("warm_up", "score_epochs")

    backbone: str = restate("backbone", "preact18", BACKBONES)
    setting: str = knob(
        "usual",
        "Which published weight decay `paper` takes with small images of many classes: heavy is "
        "for half of the labels wrong or more.",
        SETTINGS,
    )
    epochs: int = restate("epochs", 200)
    warm_up: int = knob(30, "First epochs, which use every label; end them before memorisation.")
    start: str = knob(
        "count",
        "Select after warm_up, or by rule before: once two in three held-out labels are "
        "predicted, and clearly more than by chance.",
        STARTS,
    )
    bits: int = knob(0, "Code bits, a power of two; 0 is the least of 32 or more that fits.")
    allow_antipodes: bool = knob(
        False, "Accept fewer bits than classes; weakens the test.", group="advanced"
    )
    tau: float = knob(1e-3, "Variance of the sub-losses below which a label counts as clean.")
    guard: bool = knob(False, "Also ask for a low mean sub-loss before a label counts as clean.")
    jump_step: int = knob(1, "Epochs between writing a flag and using it.")
    temperature: float = knob(2.0, "Divides the logits inside the cross-entropy.")
    beta: float = knob(
        5.0, "Both parameters of the Beta distribution that mixes weak and strong view."
    )
    operations: int = knob(2, "Random changes per image in the strong view.")
    magnitude: int = knob(5, "Strength of these changes, up to 10; 1 is none.", within=(1, 10))
    strong_cutout: float = knob(
        0.15, "Side of its blanked square, as a share of the image's.", within=SHARE
    )
    dropout: float = knob(0.5, "Share of hidden units left out in the code head.", within=BELOW_ONE)
    lr: float = restate("lr", 0.2)
    lr_end: float = knob(5e-4, "Learning rate at the end of the cosine.")
    schedule: str = restate("schedule", "cosine", SCHEDULES)
    momentum: float = restate("momentum", 0.0)
    weight_decay: float = restate("weight_decay", 1e-3)
    clip: float = restate("clip", 0.0)
    border: str = restate("border", "reflect")
    score: str = knob(
        "classifier",
        "Who doubts a label: the classifier head, both heads, or both and the table of flags.",
        SCORES,
        group="scoring",
    )
    score_epochs: int = knob(
        10, "Last epochs whose predictions of the plain images are averaged.", group="scoring"
    )

    def __post_init__(self) -> None:
        TrainingKnobs.__post_init__(self)
        if self.score_epochs < 1:
            raise ValueError(f"score_epochs must be at least 1, got {self.score_epochs}")
        if not 1 <= self.jump_step <= self.warm_up:
            raise ValueError(
                "jump_step must be at least 1 and at most warm_up, got "
                f"{self.jump_step} and {self.warm_up}"
            )
        if self.temperature <= 0 or self.beta <= 0 or self.tau <= 0:
            raise ValueError(
                "temperature, beta and tau must be above 0, got "
                f"{self.temperature}, {self.beta} and {self.tau}"
            )

    @classmethod
    def preset(cls, name: str, n: int, k: int, size: int) -> Self:
        """Return the knobs of `quick`, `standard` or `paper` for n images of `size` pixels.

        `paper` holds the authors' numbers: CIFAR's up to 64 px, else Clothing1M's, WebVision's
        above 20 classes and Food-101N's above 100, each on one pass per epoch; bits grow with the
        classes where theirs would refuse. The
        others warm up until most held-out labels are predicted, for two thirds of the run at most:
        before, the network agrees with half of the labels or less, and a selection that starts
        then leaves it too little to learn from.
        """
        if name == "paper":
            return cls._paper(k, size)
        quick = name == "quick"
        epochs = {"quick": 24, "standard": 60}[name]
        batch_size = 128 if n >= 20_000 else 64
        return cls(
            backbone="auto" if size > 64 and not quick else "resnet8",
            epochs=epochs,
            warm_up=round(WARM_UP * epochs),
            start="rule",
            batch_size=batch_size,
            lr=0.1,
            schedule="one_cycle",
            momentum=0.9,
            weight_decay=5e-4,
            clip=5.0,
            resolution=32 if quick else 0,
            ema_decay=0.99,
            score_epochs=epochs * 7 // 12 if quick else 20,
        )

    @classmethod
    def _paper(cls, k: int, size: int) -> Self:
        if size <= 64:
            return cls(magnitude=5 if k <= 10 else 10, shift=4)
        large = cls(
            backbone="resnet50",
            epochs=20,
            warm_up=5,
            batch_size=64,
            lr=0.01,
            lr_end=2e-4,
            magnitude=10,
        )
        if k <= 20:
            return large
        large = replace(large, batch_size=32, lr_end=5e-4)
        if k <= 100:
            return replace(large, epochs=100, warm_up=30, lr=0.2, weight_decay=1e-4)
        return replace(large, weight_decay=5e-4)

    @classmethod
    def preset_for(
        cls, name: str, n: int, k: int, size: int, channels: int, wanted: Mapping[str, object]
    ) -> Self:
        """Return the knobs of a preset, in `paper` with the weight decay of a wanted setting."""
        knobs = cls.preset(name, n, k, size)
        if name == "paper" and wanted.get("setting") == "heavy" and size <= 64 and k > 10:
            return replace(knobs, weight_decay=5e-4)
        return knobs

    def idle(self, on_features: bool) -> frozenset[str]:
        """Return the knobs that change nothing: also the cosine's end under another schedule."""
        own = set() if self.schedule == "cosine" else {"lr_end"}
        return super(Config, self).idle(on_features) | own

    def fine_tuned(self) -> Self:
        """Return these knobs for the few epochs of a network that knows ImageNet."""
        warm_up = max(1, 2 * self.epochs // 3)
        return replace(
            self,
            start="count",
            warm_up=warm_up,
            jump_step=1,
            score_epochs=self.epochs - warm_up,
            shift=-1,
            border="auto",
        )

    @classmethod
    def on_features(cls, preset: str, n: int, k: int) -> Self:
        """Return the knobs of a head on frozen features (ours); every preset takes seconds."""
        epochs = 12 if preset == "quick" else 24
        return cls(
            backbone="head",
            epochs=epochs,
            warm_up=epochs // 3,
            batch_size=128,
            lr=0.02,
            schedule="one_cycle",
            momentum=0.9,
            weight_decay=5e-4,
            clip=5.0,
            ema_decay=0.99,
            score_epochs=epochs // 2,
        )
