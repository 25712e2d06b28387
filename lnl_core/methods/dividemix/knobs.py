"""Every knob of DivideMix, and its presets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Self

from lnl_core.learning.knobs import ONE_OR_MORE, OPEN_BACKBONES, TrainingKnobs, knob, restate

BACKBONES = (*OPEN_BACKBONES, "head")
PRIORS = ("even", "labels")


@dataclass(frozen=True, slots=True)
class Config(TrainingKnobs):
    """Every knob; the defaults are the authors' CIFAR-10 values."""

    in_epochs: ClassVar[tuple[str, ...]] = ("warm_up", "ramp", "score_epochs")

    backbone: str = restate("backbone", "preact18", BACKBONES)
    epochs: int = restate("epochs", 300)
    warm_up: int = knob(10, "First epochs, which use every label.")
    warm_up_batch: int = knob(
        2,
        "Images per step in them, as a multiple of batch_size.",
        group="advanced",
        within=ONE_OR_MORE,
    )
    batch_size: int = restate("batch_size", 64)
    lr: float = restate("lr", 0.02)
    schedule: str = restate("schedule", "one_drop")
    clip: float = restate("clip", 0.0)
    shift: int = restate("shift", 4)
    border: str = restate("border", "zero")
    clean_above: float = knob(0.5, "Probability above which a label counts as clean.")
    temperature: float = knob(0.5, "Sharpens refined and guessed labels; 1 leaves them.")
    alpha: float = knob(4.0, "Both parameters of the Beta distribution that mixes two images.")
    unlabelled: float = knob(25.0, "Weight of the unlabelled loss; 0 for few wrong labels.")
    ramp: int = knob(16, "Epochs until that weight is full.")
    confident_warm_up: bool = knob(
        False, "Punish sure answers in the warm-up, against asymmetric noise.", group="advanced"
    )
    prior: str = knob(
        "even", "Shares of classes that the mean answer is held to.", PRIORS, group="advanced"
    )
    score_epochs: int = knob(
        10, "Last epochs whose predictions of the plain images are averaged.", group="scoring"
    )

    def __post_init__(self) -> None:
        TrainingKnobs.__post_init__(self)
        if self.warm_up < 1 or self.score_epochs < 1:
            raise ValueError(
                "warm_up and score_epochs must be at least 1, got "
                f"{self.warm_up} and {self.score_epochs}"
            )
        if self.warm_up_batch < 1:
            raise ValueError(f"warm_up_batch must be at least 1, got {self.warm_up_batch}")
        if not 0 < self.clean_above < 1 or min(self.temperature, self.alpha) <= 0:
            raise ValueError(
                "clean_above must be in (0, 1), temperature and alpha above 0, got "
                f"{self.clean_above}, {self.temperature} and {self.alpha}"
            )
        if min(self.unlabelled, self.ramp) < 0:
            raise ValueError(
                f"unlabelled and ramp must be at least 0, got {self.unlabelled} and {self.ramp}"
            )

    @classmethod
    def preset(cls, name: str, n: int, k: int, size: int) -> Self:
        """Return the knobs of `quick`, `standard` or `paper` for n images of `size` pixels.

        `paper` holds the authors' numbers of CIFAR-10, of CIFAR-100 above 20 classes, and of
        Clothing1M above 64 pixels (their ResNet-50 knows ImageNet, ours starts at random).
        """
        if name == "paper":
            if size > 64:
                return cls(
                    backbone="resnet50", epochs=80, warm_up=1, batch_size=32, lr=0.002,
                    weight_decay=1e-3, unlabelled=0.0, alpha=0.5, shift=-1, border="auto",
                    confident_warm_up=True,
                )  # fmt: skip
            return cls(warm_up=10 if k <= 20 else 30)
        quick = name == "quick"
        epochs = 12 if quick else 30
        return cls(
            backbone="auto" if size > 64 and not quick else "resnet8",
            epochs=epochs,
            warm_up=epochs // 2,
            warm_up_batch=1,
            lr=0.1,
            schedule="one_cycle",
            clip=5.0,
            shift=-1,
            border="auto",
            resolution=32 if quick else 0,
            ema_decay=0.98,
            unlabelled=5.0,
            ramp=epochs // 4,
            prior="labels",
            score_epochs=epochs // 3,
        )

    def idle(self, on_features: bool) -> frozenset[str]:
        """Return the knobs that change nothing: also the ramp of an unlabelled loss that is 0."""
        own = set() if self.unlabelled else {"ramp"}
        return super(Config, self).idle(on_features) | own

    @classmethod
    def on_features(cls, preset: str, n: int, k: int) -> Self:
        """Return the knobs of two heads on frozen features (ours)."""
        epochs = 8 if preset == "quick" else 16
        return cls(
            backbone="head",
            epochs=epochs,
            warm_up=epochs // 2,
            warm_up_batch=1,
            batch_size=128,
            lr=0.02,
            schedule="one_cycle",
            clip=5.0,
            ema_decay=0.98,
            feature_dropout=0.6,
            unlabelled=5.0,
            ramp=epochs // 4,
            prior="labels",
            score_epochs=epochs // 2,
        )

    def fine_tuned(self) -> Self:
        """Return these knobs for the few epochs of networks that know ImageNet."""
        warm_up = max(1, 2 * self.epochs // 3)
        return replace(
            self,
            warm_up=warm_up,
            warm_up_batch=1,
            ramp=1,
            score_epochs=self.epochs - warm_up,
            shift=-1,
            border="auto",
        )
