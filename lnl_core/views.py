"""What services work out and figures draw: values that know neither the store nor Plotly.

Shapes: `n` images, `k` classes, `m` runs compared, `s` classes shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lnl_core.review.comparison import Detection, Mixture
from lnl_core.review.differences import ClassPair as ClassPair
from lnl_core.review.differences import Pair as Pair
from lnl_core.review.differences import Shares as Shares
from lnl_core.review.reliability import Reliability as Reliability
from lnl_core.said import NARROW as NARROW
from lnl_core.said import chance as chance
from lnl_core.said import chances as chances
from lnl_core.said import command as command
from lnl_core.said import parts as parts
from lnl_core.said import percent as percent
from lnl_core.said import score as score
from lnl_core.types import Array, BoolArray, FloatArray, IntArray

# Runs side by side ----------------------------------------------------------------------------

CONSENSUS = "consensus"
"""Key and name of what all methods say together."""

BEFORE = "before"
"""Key and name of the same as it stood before people gave their first answer."""

TOGETHER = (CONSENSUS, BEFORE)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A run that can be compared, or the consensus.

    Attributes:
        key: `consensus`, `before` or the number of the run as text.
        name: the name under which the run enters the ranking, e.g. `jump@pretrained`.
        title: on screen; an older run says its number.
        short: for axes.
        newest: True for the run that counts in the consensus.
        baseline: True for the usual baselines; False for the consensus and the published methods.
        reconstruction: True where the source could not be read in full.
        preset: of the run.
        cost: `seconds`, `cpu_seconds`, `peak_memory_bytes`, `images`.
    """

    key: str
    name: str
    title: str
    short: str
    newest: bool
    baseline: bool = False
    reconstruction: bool = False
    preset: str = ""
    cost: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Truth:
    """What can be taken for the truth: `known` labels, those `judged`, or random `audit` answers.

    `reason` says why it cannot be used, empty where it can; `words` names it on screen; `caution`
    says what figures on it do not, empty where they speak for the whole set.
    """

    kind: str
    words: str
    reason: str = ""
    caution: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """What the Compare page and the report draw.

    Attributes:
        candidates: the consensus first, then runs in the order of the methods.
        detections: key -> how well it finds wrong labels; empty without a truth.
        right_fix: key -> share of wrong labels whose suggestion is right; nan where unknown.
        correlation: (m, m) rank correlation of suspicion.
        truth: what was used, None where there is nothing.
        why_none: why there are no curves, a sentence; empty where there are.
        left_out: images that one of the chosen runs was told the answer of, or has not judged: they
            judge nothing.
        compared: images with a class that every chosen run has a score of its own for.
        goal: images that the queue proposes.
        reviewed: (images with an answer, labels found wrong), of those images alone that the
            curves are about: the mark in the effort plot.
        found: labels found wrong, of all images.
    """

    candidates: tuple[Candidate, ...]
    detections: Mapping[str, Detection]
    right_fix: Mapping[str, float]
    correlation: FloatArray
    truth: Truth | None
    why_none: str
    left_out: int
    compared: int
    goal: int
    reviewed: tuple[int, int]
    found: int

    def best(self) -> Candidate | None:
        """Return the single method with the highest average precision."""
        single = [c for c in self.candidates if c.key in self.detections and c.key not in TOGETHER]
        return max(single, key=lambda c: self.detections[c.key].ap, default=None)

    def ordered(self) -> list[Candidate]:
        """Return the candidates, best average precision first; those without in their order."""
        return sorted(
            self.candidates,
            key=lambda c: -self.detections[c.key].ap if c.key in self.detections else 0.0,
        )


# One run ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Losses:
    """One run's values per image, on the scale that they are drawn on.

    Attributes:
        candidate: whose they are.
        quantity: `loss` or `suspicion`.
        axis: what the horizontal axis says, with the unit.
        x: (n,) log10 of the loss, or the logit of the suspicion, cut at the ends.
        agrees: (n,) True where the method's most probable class is the given label.
        verdict: (n,) 0 none, 1 given label right, 2 wrong.
        mixture: two fitted groups, None where nothing can be fitted.
        wrong: (n,) True where the label is known to be wrong, None without a known truth.
        p_wrong: (n,) the consensus' calibrated chance, NaN where it has none.
        counted: (n,) False where there is nothing to count: the image came without a class, or the
            run was told what people answered. It is neither drawn, fitted nor queued.
    """

    candidate: Candidate
    quantity: str
    axis: str
    x: FloatArray
    agrees: BoolArray
    verdict: IntArray
    mixture: Mixture | None
    wrong: BoolArray | None
    p_wrong: FloatArray
    counted: BoolArray

    def value(self, x: float) -> float:
        """Return the loss or suspicion at a place of the axis."""
        return 10**x if self.quantity == "loss" else 1 / (1 + float(np.exp(-x)))


@dataclass(frozen=True, slots=True, eq=False)
class LossCourse:
    """How one run's losses were spread after each step of its training.

    Attributes:
        candidate: whose they are.
        step: `epoch` or `round`.
        steps: (t,) numbers of the steps shown, from 1.
        edges: (b + 1,) of the bins, log10 of the loss in nats.
        counts: (t, 2, b) images whose label the run agrees with in the end, and the others.
        images: of either, in all.
        of: images looked at, of so many: a large set is sampled evenly.
    """

    candidate: Candidate
    step: str
    steps: IntArray
    edges: FloatArray
    counts: IntArray
    images: tuple[int, int]
    of: tuple[int, int]


STATISTICS = {
    "doubt_given": "1 − p of the given label",
    "logit_margin": "logit of the other class over that of the given one",
    "energy_gap": "more evidence for the other class than for the given one",
    "overlap_gap": "how much stronger the other class's map is",
    "energy_share": "share of the evidence for the other class",
    "peak_given": "peak of the given class's map",
    "support": "given class's map where the other one looks",
    "divergence": "how far the two maps are spread apart",
    "mask_iou": "overlap of the two maps",
    "entropy_given": "how scattered the given class's map is",
    "foreground_fraction": "part of the image that counts",
}
"""What a run with maps says about each image in numbers (HNML spec 4.4), and in words."""

LOWER = ("peak_given", "support", "mask_iou")
"""Statistics that are lower where the label is wrong."""


@dataclass(frozen=True, slots=True)
class Observation:
    """How two groups of images differ in where the network looks.

    Attributes:
        names: of the group whose labels are held right, and of the other.
        groups: statistic (a key of `STATISTICS`) -> values of both groups.
        auroc: statistic -> chance that an image of the second group has the larger value, or the
            smaller one of those in `LOWER`.
        words: by what the groups were chosen and how many images they are, a sentence.
    """

    names: tuple[str, str]
    groups: dict[str, tuple[FloatArray, FloatArray]]
    auroc: dict[str, float]
    words: str


# One image, as every published method sees it -----------------------------------------------------


@dataclass(frozen=True, slots=True)
class Picture:
    """A method's picture of its own idea, for one image.

    Attributes:
        kind: `sharpened`, `code`, `rounds`, `stages` or `masks`: how it is drawn.
        facts: what is drawn; see the function of that name in `services.compare.own_pictures`.
        words: what it shows, a sentence.
    """

    kind: str
    facts: Mapping[str, Any]
    words: str


@dataclass(frozen=True, slots=True)
class MethodView:
    """What one method says of one image.

    Attributes:
        key: number of its run as text; empty without a run.
        title: on screen; a reconstruction says so.
        short: where there is little room.
        state: `ready`; `absent` without a run; `told` where its run learned from people's answer;
            `unseen` where its run did not judge the image.
        label: the class it expects; None where it names none.
        wrong: whether that is another class than the given one.
        suspicion: in [0, 1].
        place: among the images that the run has a score for, 1 = its most suspicious one; None
            where the label is no class.
        of: how many these are.
        picture: None where the run kept nothing that shows it.
        missing: why there is no picture, a line; empty where there is. Without a run how the method
            stands, its idea, and what it would show.
        curve: `given` and `other` by `step` (epoch or round); empty where the run kept none.
        step: what the steps of the curve are.
        trained: whether its run trained on the image; of others there is neither picture nor curve.
    """

    key: str
    title: str
    short: str
    state: str
    label: int | None = None
    wrong: bool = False
    suspicion: float | None = None
    place: int | None = None
    of: int = 0
    picture: Picture | None = None
    missing: str = ""
    curve: Mapping[str, list[float]] = field(default_factory=dict)
    step: str = "epoch"
    trained: bool = True


@dataclass(frozen=True, slots=True)
class ImageViews:
    """One image as every published method sees it.

    Attributes:
        row: of the data set.
        identity: its id.
        given: the label it came with.
        true: the known true label, None where it is not known.
        suggested: of the consensus, -1 without one.
        p_wrong: of the consensus, None where a run was told the answer or none has judged it.
        methods: in the order of the methods.
        names: class names.
        baselines: (how many baselines expect another class, how many have an opinion).
    """

    row: int
    identity: str
    given: int
    true: int | None
    suggested: int
    p_wrong: float | None
    methods: tuple[MethodView, ...]
    names: tuple[str, ...]
    baselines: tuple[int, int]

    @property
    def asked(self) -> tuple[MethodView, ...]:
        """The methods that have an opinion of their own."""
        return tuple(each for each in self.methods if each.state == "ready")

    @property
    def only(self) -> MethodView | None:
        """The one method of several that expects another class, None where it is not alone."""
        found = [each for each in self.asked if each.wrong]
        return found[0] if len(found) == 1 and len(self.asked) > 1 else None


# The whole set ---------------------------------------------------------------------------------

SUSPECTED, DOUBTFUL = 0.5, 0.25
"""A point is suspected from the first value of p_wrong on, doubtful from the second."""


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """A map that is there.

    Attributes:
        key: its name.
        facts: settings, `n`, `fitted` (rows that UMAP itself laid out), `seconds`.
        points: (n, 2) uint16; 0..65535 spans the map, y points down as on a screen.
        order: (n,) int32 rows by y.
        x_by_y: (n,) uint16 x in that order.
        y_sorted: (n,) uint16 y in that order.
    """

    key: str
    facts: dict[str, Any]
    points: Array
    order: IntArray
    x_by_y: Array
    y_sorted: Array


FEWEST_ERRORS = 5
"""A cell with fewer expected errors is grey."""


@dataclass(frozen=True, slots=True, eq=False)
class Matrix:
    """What the images given as one class are, with 95 % intervals.

    Attributes:
        labels: (s,) classes shown.
        count: (s, s) expected images; [i, j] given as labels[i] and truly labels[j].
        share: (s, s) P(true | given): count by the size of the given class.
        low: (s, s) lower ends of the shares' 95 % intervals.
        high: (s, s) upper ends.
        size: (s,) images given as each class.
        reviewed: (s,) those of them that people have settled.
        found: (s, s) those of them that people say are truly labels[j].
        audits: random audits that set the number of errors; 0 where the methods alone do.
    """

    labels: IntArray
    count: FloatArray
    share: FloatArray
    low: FloatArray
    high: FloatArray
    size: IntArray
    reviewed: IntArray
    found: IntArray
    audits: int = 0

    @property
    def says(self) -> BoolArray:
        """(s, s) True beside the diagonal where enough errors are expected, or one is found."""
        enough = (np.asarray(self.count) >= FEWEST_ERRORS) | (np.asarray(self.found) > 0)
        says: BoolArray = enough & ~np.eye(len(self.labels), dtype=bool)
        return says

    @property
    def images(self) -> IntArray:
        """(s, s) `count` as it is said: whole images, a row of all classes sums to its size."""
        rest = np.maximum(self.size - self.count.sum(axis=1), 0)  # classes that are not shown
        rows = np.column_stack([np.maximum(self.count, 0), rest])
        whole: IntArray = np.array([parts(row, 1)[:-1] for row in rows.tolist()], np.int64)
        return whole.reshape(self.count.shape)
