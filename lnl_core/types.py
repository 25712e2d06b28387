"""The nouns that every room shares: values that check themselves and know nothing of the rest.

Shapes: `n` examples, `k` classes, `t` kept classes, `d` features.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lnl_core.records import ACTIVE_STATES as ACTIVE_STATES
from lnl_core.records import Action as Action
from lnl_core.records import Busy as Busy
from lnl_core.records import Cancelled as Cancelled
from lnl_core.records import Damaged as Damaged
from lnl_core.records import DatasetInfo as DatasetInfo
from lnl_core.records import Decision as Decision
from lnl_core.records import Job as Job
from lnl_core.records import JobState as JobState
from lnl_core.records import LnlError as LnlError
from lnl_core.records import Missing as Missing
from lnl_core.records import NoAnswer as NoAnswer
from lnl_core.records import NotFound as NotFound
from lnl_core.records import ReadOnly as ReadOnly
from lnl_core.records import Unavailable as Unavailable
from lnl_core.records import Workspace as Workspace
from lnl_core.records import meant as meant

FloatArray = NDArray[np.floating[Any]]
IntArray = NDArray[np.integer[Any]]
BoolArray = NDArray[np.bool_]
ByteArray = NDArray[np.uint8]
Array = NDArray[Any]

DENSE_CLASSES = 100
"""Up to this many classes a method stores every probability; above it, the top `KEPT_CLASSES`."""

KEPT_CLASSES = 10

REFUSED = "refused"
"""Extra of out-of-fold methods: (n,) bool, labels that their own models, taught them, refuse."""


COPIED_BYTES = 2e9
"""Features larger than this, as float32, stay on the disk; methods read them block by block."""

SMALL_SIDE = 16
"""Up to this many pixels an image is its own features: a network would see nothing more."""


def usual_representation(height: int, width: int) -> str:
    """Return the label-free features to use unasked for images of this size, in pixels."""
    return "pretrained" if max(height, width) > SMALL_SIDE else "raw"


@dataclass(frozen=True, slots=True)
class LabeledDataset:
    """Images with the labels they came with.

    Attributes:
        name: what the user calls the set.
        class_names: (k,) names; index = label.
        given_labels: (n,) int in 0..k-1, perhaps wrong.
        ids: (n,) strings, unique.
        images: (n, h, w, c) uint8 at working resolution, c = 1 or 3; often memory-mapped.
        paths: (n,) paths of the originals, relative to the import root; None for arrays.
        true_labels: (n,) int or None; known only for injected noise, never shown to a method.
        trusted: (n,) bool; True where a person confirmed the label.
        groups: (n,) int or None; copies of one picture have the same number, which is the row of
            the first of them (`data.copies`).
        splits: (n,) names such as train and val, blank where an image has none; None without any.
    """

    name: str
    class_names: tuple[str, ...]
    given_labels: IntArray
    ids: Sequence[str]
    images: ByteArray
    paths: Sequence[str] | None = None
    true_labels: IntArray | None = None
    trusted: BoolArray | None = None
    groups: IntArray | None = None
    splits: Sequence[str] | None = None

    def __post_init__(self) -> None:
        n, k = len(self.given_labels), len(self.class_names)
        if self.images.ndim != 4 or self.images.shape[3] not in (1, 3):
            raise ValueError(f"images must be (n, h, w, 1 or 3), got {self.images.shape}")
        if self.images.dtype != np.uint8:
            raise ValueError(f"images must be uint8, got {self.images.dtype}")
        for what, values in (
            ("images", self.images),
            ("ids", self.ids),
            ("paths", self.paths),
            ("true_labels", self.true_labels),
            ("trusted", self.trusted),
            ("groups", self.groups),
            ("splits", self.splits),
        ):
            if values is not None and len(values) != n:
                raise ValueError(f"{what} has {len(values)} rows, given_labels has {n}")
        if n and not 0 <= int(self.given_labels.min()) <= int(self.given_labels.max()) < k:
            raise ValueError(
                f"given_labels span {self.given_labels.min()}..{self.given_labels.max()}, "
                f"but there are {k} classes (0..{k - 1})"
            )

    def __len__(self) -> int:
        return len(self.given_labels)


@dataclass(frozen=True, slots=True)
class TopProbs:
    """The largest probabilities of each row, for sets with very many classes.

    Attributes:
        classes: (n, t) int, best first.
        probs: (n, t) float in [0, 1], falling along the row; what is missing to 1 is spread
            evenly over the other classes.
        class_count: k.
    """

    classes: IntArray
    probs: FloatArray
    class_count: int

    def __len__(self) -> int:
        return len(self.classes)

    def dense(self, rows: slice | IntArray) -> FloatArray:
        """Return (rows, k) float32 probabilities that sum to 1."""
        classes = np.asarray(self.classes[rows]).astype(np.int64)
        probs = np.asarray(self.probs[rows], dtype=np.float32)
        t, k = classes.shape[1], self.class_count
        rest = np.clip(1 - probs.sum(axis=1), 0, 1) / max(k - t, 1)
        full = np.repeat(rest[:, None].astype(np.float32), k, axis=1)
        np.put_along_axis(full, classes, probs, axis=1)
        normalised: FloatArray = full / full.sum(axis=1, keepdims=True)
        return normalised


@dataclass(frozen=True, slots=True)
class Signals:
    """What one method says about every example.

    Attributes:
        method: the method's key.
        suspicion: (n,) in [0, 1]; 1 = the given label looks surely wrong.
        pred_probs: (n, k) rows that sum to 1, `TopProbs` above `DENSE_CLASSES` classes, or None
            for a method that gives a score only.
        features: (n, d) or None.
        curves: name -> (epochs,) for the run, or (epochs, n) per example; `p_given` and `p_other`
            (most probable other class) are drawn on the review page, `probs` (epochs, n, k) where
            it is small.
        extras: method-specific arrays; the method's docstring gives names and shapes.
        cost: `seconds`, `cpu_seconds`, `peak_memory_bytes` (above what the process held as the run
            began), `images` (shown to the network).
    """

    method: str
    suspicion: FloatArray
    pred_probs: FloatArray | TopProbs | None = None
    features: FloatArray | None = None
    curves: Mapping[str, FloatArray] = field(default_factory=dict)
    extras: Mapping[str, Array] = field(default_factory=dict)
    cost: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n = len(self.suspicion)
        if n and not 0 <= float(self.suspicion.min()) <= float(self.suspicion.max()) <= 1:
            low, high = float(self.suspicion.min()), float(self.suspicion.max())
            raise ValueError(f"{self.method}: suspicion spans [{low:.3g}, {high:.3g}], not [0, 1]")
        if self.pred_probs is not None and len(self.pred_probs) != n:
            raise ValueError(
                f"{self.method}: pred_probs has {len(self.pred_probs)} rows, suspicion has {n}"
            )
        if isinstance(self.pred_probs, np.ndarray) and n:
            head = np.asarray(self.pred_probs[: min(n, 4096)], dtype=np.float64)
            worst = float(np.abs(head.sum(axis=1) - 1).max())
            if not worst < 2e-2:
                raise ValueError(f"{self.method}: rows of pred_probs miss 1 by up to {worst:.3g}")


@dataclass(frozen=True, slots=True)
class Ranking:
    """The joint ranking of several methods (review science 2 and 3).

    Attributes:
        methods: keys of the methods that entered, in order.
        weights: method -> weight; they sum to 1.
        suspicion: (n,) in (0, 1), strictly monotone in the consensus score.
        p_wrong: (n,) calibrated probability that the given label is wrong, in [.001, .999].
        suggested_labels: (n,) int, never the given label (-1 where there is only one class).
        top_labels: (n, 3) int, best other classes first; -1 pads when k < 4.
        top_probs: (n, 3) their probabilities given that the given label is wrong.
        order: (n,) row numbers, most suspicious first; ties by row number.
        noise_rate: estimated share of wrong labels, a model guess.
        transition_matrix: (k, k); entry [i, j] is the chance that true class i is given as j.
    """

    methods: tuple[str, ...]
    weights: Mapping[str, float]
    suspicion: FloatArray
    p_wrong: FloatArray
    suggested_labels: IntArray
    top_labels: IntArray
    top_probs: FloatArray
    order: IntArray
    noise_rate: float
    transition_matrix: FloatArray


@dataclass(frozen=True, slots=True)
class BaseRun:
    """A finished run that another one builds on.

    Attributes:
        id: number of the run.
        method: its method's key.
        folder: where its signals are, for `store.arrays.load_signals`.
    """

    id: int
    method: str
    folder: Path


class Context(Protocol):
    """What a method may ask of its surroundings while it fits.

    `representation` is `pixels`, or the frozen features that the run was asked to train on.
    `base` is the finished run that this one builds on, None where there is none.
    `features()` gives the label-free representation, (n, d) float32, computed once and cached;
    above 2 GB it is float16, memory-mapped.
    `maps()` gives a frozen network's last feature maps, (n, d, u, v) float16, memory-mapped.
    `keep` stores a result beside the signals, for later runs: the trained `network`.
    `report` stores progress and raises `Cancelled` once the user has pressed stop.
    `save` keeps one checkpoint, atomically; `load` returns the last one, or None.
    """

    device: str
    seed: int
    representation: str
    base: BaseRun | None

    def features(self) -> FloatArray:
        """Return the label-free representation, (n, d) float32."""
        ...

    def maps(self) -> FloatArray:
        """Return a frozen network's last feature maps, (n, d, u, v) float16, on the disk."""
        ...

    def report(
        self, stage: str, fraction: float, metrics: Mapping[str, float] | None = None
    ) -> None:
        """Store progress; raise `Cancelled` once the user has pressed stop."""
        ...

    def save(self, arrays: Mapping[str, Any], state: Mapping[str, Any]) -> None:
        """Keep one checkpoint: arrays (numpy or torch) and a JSON-able state."""
        ...

    def load(self) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """Return the last checkpoint, None where there is none."""
        ...

    def keep(self, name: str, arrays: Mapping[str, Any], state: Mapping[str, Any]) -> None:
        """Store arrays (numpy or torch) and a JSON-able state as `name`.safetensors."""
        ...


class Pictures(StrEnum):
    """Kinds of images that a first scoring tells apart."""

    PHOTOGRAPHS = "photographs"
    GREY = "grey"
    TINY = "tiny"


def kind_of_pictures(height: int, width: int, channels: int) -> Pictures:
    """Return the kind of working images of this size, in pixels, with 1 or 3 channels."""
    if max(height, width) <= SMALL_SIDE:
        return Pictures.TINY
    return Pictures.GREY if channels == 1 else Pictures.PHOTOGRAPHS


class Group(StrEnum):
    """Which of the two lists of methods one stands in."""

    PUBLISHED = "published"
    BASELINE = "baseline"


class Leaves(StrEnum):
    """What a run leaves behind for later runs and for the pages, as its method's card says."""

    NETWORK = "network"
    """A network, `network.safetensors`, that can be post-trained and asked for maps."""

    FEATURES = "features"
    """`Signals.features` of that network, (n, d), from which other methods learn."""

    PURIFIED_LABELS = "purified_labels"
    """The extra of this name, (n,) int: labels that every other method can train on."""

    CURVES = "curves"
    """The curves `p_given` and `p_other`: each image's probabilities by epoch."""

    NEIGHBOURS = "neighbours"
    """The extra of this name, (n, m) int: the nearest images of each."""

    MAPS = "maps"
    """The extras `cam_given` and `cam_suggested`, (n, u, v): activation maps of both classes."""


PRESETS = ("quick", "standard", "paper")
"""What a method's Config has ready; every Config has all three."""

_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
_TAKEN = ("own", "consensus")


@dataclass(frozen=True, slots=True)
class Method:
    """A method's card: all that is known about it, `METHOD` at the end of its own file.

    Attributes:
        key: name on the command line and in the database, e.g. `sr`: small letters, digits and
            underscores.
        title: its name on screen.
        summary: one line, what makes a label suspicious here.
        reference: paper, venue, year.
        config: frozen dataclass; every knob with the paper's value as default, and a class method
            `preset(name, n, k, size)` -> Config for `quick`, `standard`, `paper`.
        fit: (dataset, config, context) -> Signals.
        short: its name where there is little room; the title when empty.
        explanation: one or two sentences for a person at the desk: the idea, and which label it
            doubts.
        good_for: a few plain words: when a person would choose it; the summary where empty.
        group: published methods, or baselines.
        place: order in lists within the group; those that share one follow by key.
        recommended: True where a first scoring should run it.
        first_on: kinds of images on which the default recipe runs it -> frozen features that it
            learns there; empty for what it learns from by itself.
        yardstick: True for plain training, the one method that all others are judged against.
        out_of_fold: True where its probabilities of an image come from models that have not seen
            the image's label.
        builds_on: what it takes from the run below it. Who names the network post-trains it;
            all others train on that run's purified labels.
        leaves: what its runs leave behind; a head on frozen features may leave less.
        after: keys of methods whose runs it builds on well, offered together as a recipe.
        after_words: a sentence or two: what was measured of building on which runs.
        advice: what to change when a run of it cannot be trusted.
        doubts: sentences that speak against a run, from what its method alone knows.
        hints: sentences on what would make a finished run better.
        parallel: True where several processes may train one run: it forwards by `Session.forward`,
            learns by `Session.step` and draws from the session's generator. A `config` with a
            `for_several(representation, based)` says for which of its runs that is of use.
        reconstruction: True where the source could not be read in full.
        needs: what the worker prepares first: `features`, or nothing.
        cost: (n, size, config) -> (seconds, bytes) of the run's own on the two-core reference
            machine: without features, and above what a worker holds that has loaded torch. One
            whose work grows with the classes takes their number as a fourth, `k`.
        shows: what its own picture of one image is, a sentence for who has not run it yet.
        read_out: (logits (b, k), config) -> (b, k) probabilities, where softmax is not how it
            reads the network that its run keeps.

    Raises:
        ValueError: the key cannot be one.
    """

    key: str
    title: str
    summary: str
    reference: str
    config: type[Any]
    fit: Callable[[LabeledDataset, Any, Context], Signals]
    short: str = ""
    explanation: str = ""
    good_for: str = ""
    group: Group = Group.PUBLISHED
    place: int = 100
    recommended: bool = False
    first_on: Mapping[Pictures, str] = field(default_factory=dict)
    yardstick: bool = False
    out_of_fold: bool = False
    builds_on: tuple[Leaves, ...] = ()
    leaves: tuple[Leaves, ...] = ()
    after: tuple[str, ...] = ()
    after_words: str = ""
    advice: str = "Run it again with fewer epochs or a lower learning rate."
    doubts: Callable[[Signals], list[str]] | None = None
    hints: Callable[[Signals], list[str]] | None = None
    reconstruction: bool = False
    parallel: bool = False
    needs: tuple[str, ...] = ()
    cost: Callable[..., tuple[float, float]] | None = None
    shows: str = ""
    read_out: Callable[[Any, Any], Any] | None = None

    def __post_init__(self) -> None:
        if not _KEY.fullmatch(self.key) or self.key in _TAKEN:
            raise ValueError(
                f"a method's key is small letters, digits and underscores, begins with a letter "
                f"and is not {' or '.join(_TAKEN)}, got {self.key!r}"
            )

    @property
    def baseline(self) -> bool:
        """Whether it is one of the usual baselines."""
        return self.group is Group.BASELINE

    def estimate(self, n: int, size: int, config: Any, k: int) -> tuple[float, float] | None:
        """Return what `cost` says of a run, None where the method does not say.

        Args:
            n: images.
            size: their longer side in pixels.
            config: one of the method's.
            k: classes.
        """
        if self.cost is None:
            return None
        by_class = "k" in inspect.signature(self.cost).parameters
        seconds, held = self.cost(n, size, config, **({"k": k} if by_class else {}))
        return float(seconds), float(held)
