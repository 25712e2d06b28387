"""What a run starts from: labels as people have corrected them, a device, features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from lnl_core.data import copies
from lnl_core.jobs import bases, queue, splits
from lnl_core.jobs.context import Report
from lnl_core.review import labelled
from lnl_core.review.labelled import Part
from lnl_core.store import arrays, audits, datasets, decisions
from lnl_core.types import (
    Action,
    Array,
    BaseRun,
    BoolArray,
    Damaged,
    DatasetInfo,
    FloatArray,
    IntArray,
    Job,
    LabeledDataset,
    Leaves,
    LnlError,
    usual_representation,
)

_REVIEWED = "reviewed_labels.npy"
_NO_CLASSES = "no_classes.json"
"""In a run's folder: names of the labels that were no classes when it began; missing if none."""

_CLASSES = "classes.json"
"""In a run's folder: how many labels there were as it began, and which it left out as too rare."""

FEWEST = 2
"""Images that a class needs which people added: a run learns nothing of it from fewer."""


def corrected_labels(info: DatasetInfo) -> tuple[IntArray, BoolArray, BoolArray]:
    """Return the labels as corrected by the decisions that reviewers agree on.

    Returns:
        labels: (n,) int32; given ones, and where people relabelled, theirs.
        trusted: (n,) bool; kept or relabelled.
        kept: (n,) bool; the given label was confirmed.
    """
    labels = np.array(datasets.load(info).given_labels, dtype=np.int32)
    trusted, kept = np.zeros(info.n, dtype=bool), np.zeros(info.n, dtype=bool)
    for row, several in decisions.in_force(info).items():
        verdict = decisions.verdict(several)
        if verdict.decision is None or not verdict.agreed:
            continue
        if verdict.decision.action is Action.KEEP and labels[row] not in info.no_classes:
            trusted[row] = kept[row] = True
        elif verdict.decision.action is Action.RELABEL and verdict.decision.label is not None:
            labels[row], trusted[row] = verdict.decision.label, True
    return labels, trusted, kept


def base_run(job: Job, info: DatasetInfo) -> BaseRun | None:
    """Return the run whose network or labels a job builds on, None where there is none."""
    if job.base is None or job.base == bases.run_of(job.representation):
        return None
    base = queue.job(info.workspace, job.base)
    return BaseRun(base.id, base.method, info.directory / "runs" / str(base.id))


HANDED_ON = "told.npy"
"""File of a run: (n,) True where a run below it that was removed knew the answer."""


def told_rows(info: DatasetInfo, run: int | str) -> BoolArray:
    """Return (n,) True where a run knows what people answered.

    It was told so itself, or it builds on a run that was: on its labels, network or features.
    """
    told = np.zeros(info.n, dtype=bool)
    number: int | None = int(run) if str(run).isdecimal() else None
    folders, seen = [info.directory / "runs" / str(run)], set[int]()
    while number is not None and number not in seen:
        seen.add(number)
        number = _below(info, number)
        folders += [] if number is None else [info.directory / "runs" / str(number)]
    for file in (folder / name for folder in folders for name in ("trusted.npy", HANDED_ON)):
        if file.is_file():
            its_own = arrays.read_array(file)[: info.n]
            told[: len(its_own)] |= its_own
    return told


def hand_on(info: DatasetInfo, run: int) -> None:
    """Write what a run knows into those that build on it: without it nobody could tell any more.

    Where that cannot be read, they may know every answer, and what it says goes.
    """
    unreadable: tuple[str, ...] = ()
    try:
        told = told_rows(info, run)
    except Damaged:
        told, unreadable = np.ones(info.n, dtype=bool), ("trusted.npy", HANDED_ON)
    if not told.any():
        return
    for job in queue.jobs(info):
        folder = info.directory / "runs" / str(job.id)
        if _below(info, job.id) == run and folder.is_dir():
            own = told if told.all() else told | told_rows(info, job.id)
            arrays.write_array(folder / HANDED_ON, own)
    for name in unreadable:
        (info.directory / "runs" / str(run) / name).unlink(missing_ok=True)


@lru_cache(maxsize=1024)
def _below(info: DatasetInfo, run: int) -> int | None:
    """Return the run that one builds on, or whose features it takes; neither ever changes."""
    try:
        job = queue.job(info.workspace, run)
    except LnlError:
        return None
    return job.base if job.base is not None else bases.run_of(job.representation)


def training_set(
    info: DatasetInfo,
    folder: Path,
    base: BaseRun | None = None,
    method: str = "",
    chosen: Mapping[str, Sequence[str]] | None = None,
) -> LabeledDataset:
    """Return the data set with corrected labels, the trusted mask, and without the truth.

    The labels of a run's first start are kept in its folder: a resumed run ends as an uninterrupted
    one would, whatever was decided meanwhile. A run that builds on one with purified labels trains
    on those; rows that people confirmed keep theirs. Images whose label is no class are left out
    (`training_part` says which are in), until somebody has said what they are.

    Args:
        info: the data set.
        folder: of the run.
        base: finished run that it builds on.
        method: key of the run's method; what post-trains a network takes the labels as they are.
        chosen: splits that it trains on and judges (`jobs.splits`); all of the set when None.

    Raises:
        LnlError: the base has no purified labels for this set, or no image has a class.
    """
    labels_file, trusted_file = folder / "labels.npy", folder / "trusted.npy"
    if trusted_file.is_file():
        labels: IntArray = arrays.read_array(labels_file, mmap=False)
        trusted: BoolArray = arrays.read_array(trusted_file, mmap=False)
    else:
        labels, trusted, held = told_labels(info, chosen or {})
        if splits.HOLD in (chosen or {}):
            arrays.write_array(folder / splits.HELD, held)
        splits.note(info, folder, chosen or {})
        if base is not None and not bases.post_trains(method):
            arrays.write_array(folder / _REVIEWED, labels)
            purified = _purified(base, method, info)
            own = trusted | np.isin(labels, info.no_classes) | (purified < 0)
            labels = np.where(own, labels, purified).astype(np.int32)
        note_no_classes(info, folder)
        _note_classes(info, folder, labels)
        arrays.write_array(labels_file, labels)
        arrays.write_array(trusted_file, trusted)
    part = training_part(info, folder)
    if not len(part.rows):
        raise LnlError(f"No image of “{info.name}” has a class yet. Label some in Review first.")
    whole = replace(
        datasets.load(info),
        given_labels=_filled(labels, info.n),
        trusted=_filled(trusted, info.n),
        true_labels=None,
        groups=copies.noted_of(info),
    )
    return part.dataset(whole)


def told_labels(
    info: DatasetInfo, chosen: Mapping[str, Sequence[str]]
) -> tuple[IntArray, BoolArray, BoolArray]:
    """Return what a run that starts now is told of the answers in force.

    Answers to images that chance drew are held out, where the run asks for it, and those of their
    copies: else the answer would be told all the same. Nor is it told answers to images that it
    does not train on: it never sees them, so they may judge it, and it judges the label that the
    image came with. A copy of a picture that it was told is not among them.

    Args:
        info: the data set.
        chosen: splits that it trains on, and whether it holds out (`jobs.splits`).

    Returns:
        labels: (n,) int32; the given ones wherever it is told nothing.
        trusted: (n,) bool; told, and confirmed by people.
        held: (n,) bool; answered, drawn by chance and held out.
    """
    labels, trusted, _ = corrected_labels(info)
    groups, held = copies.noted_of(info), np.zeros(info.n, bool)
    if splits.HOLD in chosen:
        held = checks_answered(info, trusted)
    untold = held.copy()
    if groups is not None:
        untold |= np.isin(groups, np.asarray(groups)[held])
    trusted &= ~untold
    if chosen.get("train_on"):
        trained = splits.rows_in(info, chosen["train_on"])
        outside = ~trained
        if groups is not None:
            outside &= ~np.isin(groups, np.asarray(groups)[trained & trusted])
        untold |= outside
        trusted &= ~untold
    labels[untold] = np.asarray(datasets.load(info).given_labels)[untold]
    return labels, trusted, held


def checks_answered(info: DatasetInfo, trusted: BoolArray) -> BoolArray:
    """Return (n,) True for images that chance drew and people have said a label of."""
    drawn = np.zeros(info.n, bool)
    drawn[[each.row for each in audits.draws(info)]] = True
    return drawn & trusted


def _filled(values: Array, n: int) -> Array:
    """Return values of a run's first start for a set that has grown since, zeros at the end."""
    return np.concatenate([values, np.zeros(n - len(values), values.dtype)])


def training_part(info: DatasetInfo, folder: Path) -> Part:
    """Return the rows and classes that a run trains on, as of its first start."""
    labels = arrays.read_array(folder / "labels.npy")
    part = labelled.part(labels, info.class_count, left_out(info, folder))
    trained = splits.trained_rows(folder)
    rows = part.rows if trained is None else part.rows[trained[part.rows]]
    return replace(part, rows=rows, n=info.n)


def rows_seen(info: DatasetInfo, folder: Path) -> int:
    """Return how many images a run has seen, the first ones: the set may have grown since."""
    labels = folder / "labels.npy"
    file = labels if labels.is_file() else folder / "suspicion.npy"
    return len(arrays.read_array(file)) if file.is_file() else info.n


def left_out(info: DatasetInfo, folder: Path) -> tuple[int, ...]:
    """Return the labels that a run knows nothing of: no classes then, too rare, or added since."""
    none = set(no_classes_of(info, folder))
    file = folder / _CLASSES
    if file.is_file():
        facts = arrays.read_json(file)
        none |= {*facts["rare"], *range(facts["count"], info.class_count)}
    elif (folder / "labels.npy").is_file():  # from before there were any
        none |= set(info.new_classes)
    return tuple(sorted(none))


def _note_classes(info: DatasetInfo, folder: Path, labels: IntArray) -> None:
    """Keep in a run's folder which of the classes that people added have too few images."""
    counts = np.bincount(labels, minlength=info.class_count)
    rare = [label for label in info.new_classes if counts[label] < FEWEST]
    arrays.write_json(folder / _CLASSES, {"count": info.class_count, "rare": rare})


def note_no_classes(info: DatasetInfo, folder: Path) -> None:
    """Keep in a run's folder which labels are no classes as it begins."""
    if info.no_classes:
        names = [info.class_names[label] for label in info.no_classes]
        arrays.write_json(folder / _NO_CLASSES, {"no_classes": names})


def no_classes_of(info: DatasetInfo, folder: Path) -> tuple[int, ...]:
    """Return the labels that were no classes when a run began."""
    file = folder / _NO_CLASSES
    names = set(arrays.read_json(file)["no_classes"]) if file.is_file() else set()
    return tuple(label for label, name in enumerate(info.class_names) if name in names)


def knows_classes(info: DatasetInfo, folder: Path) -> bool:
    """Say whether a run knows every label that is a class today."""
    return set(no_classes_of(info, folder)) <= set(info.no_classes)


def is_stale(info: DatasetInfo, folder: Path) -> bool:
    """Say whether other labels than today's were no classes when a run began."""
    return no_classes_of(info, folder) != info.no_classes


def reviewed_labels(folder: Path) -> IntArray | None:
    """Return the labels under review, (n,), where a run trained on purified ones."""
    path = folder / _REVIEWED
    return arrays.read_array(path, mmap=False) if path.is_file() else None


def labels_under_review(info: DatasetInfo, folder: Path) -> IntArray:
    """Return (n,) the labels that a run judges, zeros for what was added since it began."""
    reviewed = reviewed_labels(folder)
    labels = arrays.read_array(folder / "labels.npy") if reviewed is None else reviewed
    return _filled(np.asarray(labels), info.n)


def _purified(base: BaseRun, method: str, info: DatasetInfo) -> IntArray:
    stored = arrays.load_signals(base.folder).extras.get(Leaves.PURIFIED_LABELS)
    if stored is None:
        raise LnlError(bases.refusal(f"run {base.id} ({base.method})", method))
    purified: IntArray = np.asarray(stored, dtype=np.int32)
    if purified.shape != (info.n,) or purified.min() < -1 or purified.max() >= info.class_count:
        raise LnlError(
            f"The purified labels of run {base.id} do not fit “{info.name}”: the set has "
            f"{info.n:,} images in {info.class_count} classes. Run {base.method} again."
        )
    return purified


def resolve_device(wanted: str) -> str:
    """Return `cuda` or `cpu`; `auto` takes a GPU where torch sees one.

    Raises:
        LnlError: a GPU was asked for and there is none.
    """
    from lnl_core.learning import hardware

    kind = hardware.pick_device(wanted).type
    return "cpu" if kind == "mps" else kind  # Apple's is not tested, so nobody gets it unasked


def features(
    info: DatasetInfo, data: LabeledDataset, representation: str, device: str, report: Report
) -> FloatArray:
    """Compute a representation once per data set, (n, d); later runs find it in the cache.

    Raises:
        LnlError: the features of a run are asked for that kept none, or is gone.
    """
    from lnl_core.learning import features as learned

    number = bases.run_of(representation)
    if number is not None:
        return _features_of(info, number)

    if representation in ("auto", "pixels"):
        representation = usual_representation(info.height, info.width)
    computed: FloatArray = learned.cached(
        info.directory, data, representation, device, report, version=info.version
    )
    return computed


def part_features(
    info: DatasetInfo, part: Part, representation: str, device: str, report: Report
) -> FloatArray:
    """Return the features of the rows that a run trains on, (n', d), on the disk."""
    return part.only_rows(features(info, datasets.load(info), representation, device, report))


def part_maps(info: DatasetInfo, part: Part, device: str, report: Report) -> FloatArray:
    """Return the feature maps of the rows that a run trains on, (n', d, u, v), on the disk."""
    return part.only_rows(maps(info, datasets.load(info), device, report))


def _features_of(info: DatasetInfo, number: int) -> FloatArray:
    try:
        kept = arrays.load_signals(info.directory / "runs" / str(number)).features
    except FileNotFoundError:
        raise LnlError(f"The files of run {number} are gone. Choose another run.") from None
    if kept is None or kept.ndim != 2:
        raise LnlError(
            f"Run {number} keeps no features of its network. Choose one that trained on pixels."
        )
    if len(kept) != info.n:
        raise LnlError(
            f"Run {number} has seen {len(kept):,} of {info.n:,} images: the set has grown since. "
            "Choose a later run."
        )
    return kept


def maps(info: DatasetInfo, data: LabeledDataset, device: str, report: Report) -> FloatArray:
    """Compute a frozen network's last feature maps once per data set, (n, d, u, v) on the disk."""
    from lnl_core.learning import features as learned

    return learned.cached_maps(info.directory, data, device, report, version=info.version)
