"""Knobs: how a Config declares them, and those that every method with a network shares.

Nothing here imports torch, so that the Runs page can draw a form from a Config.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, ClassVar, Self

BACKBONES = (
    "auto",
    "resnet8",
    "resnet8-wide",
    "resnet18",
    "resnet34",
    "resnet50",
    "preact18",
    "cnn8",
    "cnn3",
    "mnist",
    "mlp",
    "head",
    "lite0-96",
    "lite0-160",
    "lite0-224",
)
"""Every network that `learning.models` builds, and `auto`, which chooses by the images' size."""

OPEN_BACKBONES = tuple(
    each for each in BACKBONES if each not in ("cnn8", "cnn3", "mnist", "mlp", "head")
)
"""Those that every method which trains on pixels offers: all end in an average of maps."""

FLIPS = ("auto", "yes", "no")
BORDERS = ("auto", "reflect", "edge", "zero")
SCHEDULES = ("one_cycle", "cosine", "one_drop", "constant")


GROUPS = {
    "": "This method",
    "training": "Training",
    "views": "Views of an image",
    "scoring": "Scoring",
    "advanced": "Advanced",
}
"""What a knob belongs to -> its title; blank is the idea of the method itself."""


SHARE = (0.0, 1.0)
BELOW_ONE = (0.0, 0.999999)
ABOVE_NOUGHT = (1e-12, math.inf)
ONE_OR_MORE = (1, math.inf)


def knob(
    default: Any,
    text: str,
    choices: tuple[str, ...] = (),
    group: str = "",
    within: tuple[float, float] | None = None,
) -> Any:
    """Return a dataclass field with what the Runs page says beside it.

    Args:
        default: the paper's value where it is known.
        text: one line of help.
        choices: all that a text may be; none for numbers and switches.
        group: one of `GROUPS`.
        within: the least and the most that a number may be; none below 0 where nothing is said.
    """
    metadata: dict[str, Any] = {"help": text, "group": group, "within": within}
    if choices:
        metadata["choices"] = choices
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True)
class TrainingKnobs:
    """How a network is trained. A method's Config inherits these and restates what it changes."""

    renamed: ClassVar[dict[str, str]] = {
        "average_weights": "ema_decay",
        "blank": "feature_dropout",
    }
    """Knobs that runs of earlier versions stored under another name -> today's name."""

    in_epochs: ClassVar[tuple[str, ...]] = ()
    """Knobs that say after how many epochs something begins or ends."""

    backbone: str = knob("auto", "Network to train.", BACKBONES, group="training")
    epochs: int = knob(30, "Passes over the images.", group="training")
    batch_size: int = knob(128, "Images per step.", group="training")
    lr: float = knob(0.05, "Highest learning rate.", group="training", within=ABOVE_NOUGHT)
    momentum: float = knob(0.9, "Momentum of SGD.", group="advanced", within=BELOW_ONE)
    nesterov: bool = knob(False, "Nesterov's form of momentum.", group="advanced")
    weight_decay: float = knob(5e-4, "Weight decay: L2 penalty of SGD.", group="training")
    schedule: str = knob(
        "one_cycle",
        "Learning-rate schedule: one_cycle (per step), cosine (per epoch, to 0), one_drop (to a "
        "tenth at half of the epochs) or constant.",
        SCHEDULES,
        group="training",
    )
    clip: float = knob(5.0, "Largest norm of the gradient; 0 is none.", group="advanced")
    shift: int = knob(
        -1,
        "Largest random shift in pixels; -1 is an eighth of the shorter side.",
        group="views",
        within=(-1, math.inf),
    )
    flip: str = knob(
        "auto", "Mirror images; auto does so for colour photographs.", FLIPS, group="views"
    )
    border: str = knob(
        "auto",
        "What a shift brings in; auto reflects in colour, repeats in grey.",
        BORDERS,
        group="views",
    )
    cutout: float = knob(
        0.0, "Side of a blanked square, as a share of the image's.", group="views", within=SHARE
    )
    rotate: float = knob(
        0.0, "Largest random turn in degrees, either way.", group="views", within=(0, 180)
    )
    jitter: float = knob(
        0.0, "Largest relative change of brightness and contrast.", group="views", within=SHARE
    )
    resolution: int = knob(
        0, "Train at most at this longer side in pixels; 0 is as stored.", group="training"
    )
    ema_decay: float = knob(
        0.0,
        "Decay per step of the exponential moving average (EMA) of the weights; 0 is none.",
        group="advanced",
        within=BELOW_ONE,
    )
    feature_dropout: float = knob(
        0.2,
        "Share of features dropped in a training view, for a head on frozen features.",
        group="views",
        within=BELOW_ONE,
    )

    def idle(self, on_features: bool) -> frozenset[str]:
        """Return the shared knobs that change nothing in such a run.

        Args:
            on_features: the method trains a head on frozen features, not a network on images.
        """
        return frozenset(ON_IMAGES if on_features else ("feature_dropout",))

    def over(self, epochs: int) -> Self:
        """Return the same for a run of another length: what is given in epochs keeps its share."""
        longer = epochs / self.epochs
        counted = {name: getattr(self, name) for name in self.in_epochs}
        shares = {name: max(1, round(n * longer)) for name, n in counted.items() if n}
        return replace(self, epochs=epochs, **shares)

    def __post_init__(self) -> None:
        check_choices(self)
        if self.epochs < 1 or self.batch_size < 2:
            raise ValueError(
                "epochs must be at least 1 and batch_size at least 2, got "
                f"{self.epochs} and {self.batch_size}"
            )


ON_IMAGES = ("backbone", "shift", "flip", "border", "cutout", "rotate", "jitter", "resolution")
"""Knobs that a head on frozen features has no use for: it sees no image, and is its own network."""


def restate(name: str, default: Any, choices: tuple[str, ...] = (), text: str = "") -> Any:
    """Return a shared knob with another default, and other choices or help where they are given.

    Raises:
        ValueError: `TrainingKnobs` has no such knob.
    """
    shared = {each.name: each.metadata for each in fields(TrainingKnobs)}
    if name not in shared:
        raise ValueError(f"TrainingKnobs has no knob {name!r}")
    known = shared[name]
    choices = choices or known.get("choices", ())
    return knob(default, text or known["help"], choices, known["group"], known["within"])


def check_choices(config: Any) -> None:
    """Refuse a Config with a text that its knob does not offer.

    Raises:
        ValueError: names the knob, what it may be and what it got.
    """
    for each in fields(config):
        value, choices = getattr(config, each.name), each.metadata.get("choices")
        if choices and value not in choices:
            raise ValueError(f"{each.name} must be one of {', '.join(choices)}, got {value!r}")


def check_numbers(config: Any) -> None:
    """Refuse a Config with a number that is none, or outside of what its knob may be.

    Raises:
        ValueError: names the knob, what it may be and what it got.
    """
    for each in fields(config):
        value = getattr(config, each.name)
        if isinstance(value, bool) or not isinstance(value, int | float) or value == each.default:
            continue
        if "within" not in each.metadata:  # a field of somebody else's, not made by `knob`
            continue
        low, high = each.metadata["within"] or (0, math.inf)
        if math.isfinite(value) and low <= value <= high:
            continue
        least = "above 0" if 0 < low < 1e-6 else f"at least {low:g}"
        most = "" if math.isinf(high) else " and below 1" if high == BELOW_ONE[1] else ""
        most = most or ("" if math.isinf(high) else f" and at most {high:g}")
        raise ValueError(f"{each.name} must be {least}{most}, got {value:g}")


def current_names(config: type, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return knobs under the names that a Config class has today.

    Args:
        config: of the method.
        values: name -> value as a run stored them, perhaps by an earlier version.
    """
    renamed: Mapping[str, str] = getattr(config, "renamed", {})
    return {renamed.get(name, name): value for name, value in values.items()}
