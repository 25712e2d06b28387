"""The default recipe: its runs, what they are good for, what they cost, and how they start.

One function, `methods.default_runs`, picks the runs by the kind of images; here they become one
thing that a person can start without knowing a method by name.
"""

from __future__ import annotations

from dataclasses import dataclass

from lnl_core.jobs import knobs, outcome, queue
from lnl_core.methods import AT, METHODS, default_runs
from lnl_core.readings import Reading
from lnl_core.services.runs import running
from lnl_core.types import (
    ACTIVE_STATES,
    SMALL_SIDE,
    DatasetInfo,
    Job,
    JobState,
    Pictures,
    kind_of_pictures,
)

ALL_AT_ONCE = 900.0
"""Seconds: a recipe that takes longer waits, after its first two runs, until somebody asks."""

START_SECONDS = 6.0
"""Until a worker has loaded what it needs, before its first run begins."""

_TITLES = {
    Pictures.PHOTOGRAPHS: "Recipe for colour photographs",
    Pictures.GREY: "Recipe for grey images",
    Pictures.TINY: "Recipe for tiny images",
}

_WORDS = {
    Pictures.PHOTOGRAPHS: (
        "Photographs of things. Where classes are about as large as each other, no other mixture "
        "measured here finds more wrong labels, all methods together included."
    ),
    Pictures.GREY: (
        "Scans, X-rays, drawings: less like the photographs that ready-made networks know, so one "
        "network learns your images from scratch."
    ),
    Pictures.TINY: (
        f"Images of up to {SMALL_SIDE} pixels: three networks learn them from scratch, which "
        "takes seconds at this size."
    ),
}


@dataclass(frozen=True, slots=True)
class Sized:
    """All of a data set that costs depend on, known before it is imported.

    Attributes:
        n: images.
        class_count: classes.
        height: of the working images, in pixels; `width` likewise.
        channels: 1 or 3.
    """

    n: int
    class_count: int
    height: int
    width: int
    channels: int


@dataclass(frozen=True, slots=True)
class Step:
    """One run of a recipe: as `start_runs` takes it, and what it costs of its own."""

    run: str
    seconds: float
    held: float


@dataclass(frozen=True, slots=True)
class Recipe:
    """Runs that are started together, and what they cost.

    All figures are estimates for one basis: this kind of machine's processor, no graphics card.

    Attributes:
        title: its name on screen.
        words: which images it is good for, in plain words.
        steps: its runs, what gives a queue soonest first.
        features_seconds: for features that its runs share, where they are not there yet.
    """

    title: str
    words: str
    steps: tuple[Step, ...]
    features_seconds: float

    @property
    def runs(self) -> list[str]:
        """The runs as `start_runs` takes them."""
        return [step.run for step in self.steps]

    @property
    def seconds(self) -> float:
        """From the press to the last result."""
        return START_SECONDS + self.features_seconds + sum(step.seconds for step in self.steps)

    @property
    def first_seconds(self) -> float:
        """From the press to the first queue."""
        return START_SECONDS + self.features_seconds + self.steps[0].seconds

    @property
    def held(self) -> float:
        """Bytes of memory at most, the worker's own included."""
        return running.WORKER_BYTES + max(step.held for step in self.steps)

    @property
    def at_once(self) -> list[str]:
        """The runs that one press starts: all of them, or the first two of a long recipe."""
        own = sum(step.seconds for step in self.steps)
        return self.runs if own <= ALL_AT_ONCE else self.runs[:2]


def recipe(info: DatasetInfo) -> Recipe:
    """Return the default recipe for a data set."""
    shared = running.features_seconds(info, running.default_recipe(info))
    sized = Sized(info.n, info.class_count, info.height, info.width, info.channels)
    return _recipe(sized, shared)


def recipe_before(reading: Reading) -> Recipe | None:
    """Return the default recipe for what would be imported; None where its size is not known."""
    if reading.n is None or reading.height is None or reading.width is None:
        return None
    channels = 3 if _in_colour(reading) else 1
    count = len(reading.classes or ())
    sized = Sized(reading.n, count, reading.height, reading.width, channels)
    runs = default_runs(sized.height, sized.width, channels)
    small = max(sized.height, sized.width) <= SMALL_SIDE
    needed = any("features" in METHODS[run.partition(AT)[0]].needs or AT in run for run in runs)
    return _recipe(sized, running.features_cost(sized.n, small) if needed else 0.0)


def _recipe(sized: Sized, shared: float) -> Recipe:
    kind = kind_of_pictures(sized.height, sized.width, sized.channels)
    runs = default_runs(sized.height, sized.width, sized.channels)
    steps = tuple(Step(run, *_cost(sized, run)) for run in runs)
    return Recipe(_TITLES[kind], _WORDS[kind], steps, shared)


def _cost(sized: Sized, run: str) -> tuple[float, float]:
    """Return (seconds, bytes) of one run of its own."""
    key, _, features = run.partition(AT)
    cost = METHODS[key].cost
    size = max(sized.height, sized.width)
    config = knobs.config_for(key, "quick", {}, sized.n, sized.class_count, size, features or None)
    return (0.0, 0.0) if cost is None else cost(sized.n, size, config)


def _in_colour(reading: Reading) -> bool:
    """Say whether any example is in colour, by its PNG's header; yes where there is none."""
    pictures = [
        example.picture
        for each in reading.classes or ()
        for example in each.examples
        if example.picture is not None
    ]
    return not pictures or any(picture[25] not in (0, 4) for picture in pictures)


def settled(info: DatasetInfo) -> set[str]:
    """Return what is done or on its way, under each name that a recipe may call it by."""
    names: set[str] = set()
    for job in queue.jobs(info):
        if job.state is JobState.DONE or job.state in ACTIVE_STATES:
            names |= {outcome.key(job, info), f"{job.method}{AT}{job.representation}"}
    return names


def missing(info: DatasetInfo) -> list[str]:
    """Return the runs of the default recipe that are neither done nor on their way."""
    names = settled(info)
    return [run for run in running.default_recipe(info) if run not in names]


def start_scoring(info: DatasetInfo, by: str | None = None) -> list[Job]:
    """Start the default recipe on a set that nothing has been run on; what gives a queue first.

    Of a long recipe the first two runs start; Runs offers the rest. Where a run is done or on its
    way already, nothing is started, also where two windows ask at one moment.

    Args:
        info: the data set.
        by: who asks, on a page; None for who works on the machine itself.

    Raises:
        NotAllowed: that person may not start runs.
    """
    if any(job.state in ACTIVE_STATES or job.state is JobState.DONE for job in queue.jobs(info)):
        return []
    try:
        return running.start_runs(info, recipe(info).at_once, first=True, by=by)
    except queue.NotFirst:
        return []


def start_rest(info: DatasetInfo, device: str = "auto", by: str | None = None) -> list[Job]:
    """Start what of the default recipe is neither done nor on its way; the quickest first.

    Args:
        info: the data set.
        device: `auto`, `cpu` or `cuda`.
        by: who asks, on a page.

    Raises:
        NotAllowed: that person may not start runs.
        LnlError: nothing is missing.
    """
    return running.start_runs(info, missing(info), device=device, by=by)
