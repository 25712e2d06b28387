"""What corrections are worth: plain training, the yardstick, on given and corrected labels.

Both networks have the same seed and knobs and see the same images; both are judged on images that
neither saw and whose label is sure. The result is a file in the data set's folder.
"""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np

from lnl_core.jobs import inputs, purified
from lnl_core.jobs.context import JobContext, LocalContext
from lnl_core.jobs.tasks import Task
from lnl_core.methods import yardstick
from lnl_core.review import comparison
from lnl_core.review.part import Rows
from lnl_core.said import command
from lnl_core.store import arrays, datasets, decisions
from lnl_core.store.db import now
from lnl_core.types import (
    Array,
    BoolArray,
    DatasetInfo,
    IntArray,
    Job,
    LabeledDataset,
    LnlError,
)

DECISIONS, SIMULATED, PURIFIED = "decisions", "simulated", "purified"
HELD_OUT = 0.2
MOST_HELD_OUT = 10_000
AUDITS_NEEDED = 50
TRUSTED_NEEDED = 100
SEED = 0


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """What trains and what judges.

    Attributes:
        kind: why the held-out labels are sure: `truth`, `audit` or `trusted`.
        train: rows that train; `test` rows that judge; no row is in both.
        test: see `train`.
        given: (n,) labels as they came.
        corrected: (n,) labels as corrected.
        sure: (n,) labels that judge, right on the test rows.
        changed: labels that differ among the rows that train.
    """

    kind: str
    train: IntArray
    test: IntArray
    given: IntArray
    corrected: IntArray
    sure: IntArray

    @property
    def changed(self) -> int:
        """Number of training rows with another label."""
        return int((self.given != self.corrected)[self.train].sum())


def result_path(info: DatasetInfo, source: str) -> Path:
    """Return where the result of a source is written."""
    return info.directory / "retrain" / f"{source}.json"


def parts(info: DatasetInfo, source: str, goal: int = 0) -> Parts:
    """Divide a set into what trains and what judges.

    Args:
        info: the data set.
        source: `decisions`, or `simulated`: a reviewer who never errs answers the first `goal`
            images of the queue; it needs a known truth. `purified`: the labels of the newest run
            of a purifier, where nobody has decided; only images judge whose answers, and whose
            copies' answers, that run was not told.
        goal: see `source`.

    Raises:
        LnlError: too little is sure, or nothing is corrected; it says what to do.
    """
    data = datasets.load(info)
    given: IntArray = np.array(data.given_labels, np.int32)
    truth: IntArray | None = (
        None if data.true_labels is None else np.array(data.true_labels, np.int32)
    )
    corrected, trusted, _ = inputs.corrected_labels(info)
    if source == SIMULATED:
        if truth is None:
            raise LnlError(
                "The truth of this set is not known, so no reviewer can be simulated. Run the "
                "noise lab: it makes a copy where it is."
            )
        corrected = _simulated(info, given, truth, goal)
    learned, told, purifier = corrected, np.zeros(info.n, bool), None
    if source == PURIFIED:
        purifier, own = purified.latest(info)
        learned = np.where(trusted | (own < 0), corrected, own).astype(np.int32)
        told = _told(info, data, purifier)
    if truth is not None:
        kind, sure = "truth", truth
        test = _random_part(truth, info.class_count)
        test = test[~told[test]]
    else:
        sure = corrected
        kind, test = _judges(info, trusted, told)
    classed = ~np.isin(given, info.no_classes) & ~np.isin(corrected, info.no_classes)
    test = test[classed[test] & ~np.isin(sure[test], info.no_classes)]
    if not len(test):
        raise LnlError(
            "No image is left to judge both networks by: it needs a class with two images or more "
            "whose label is sure. Add images to the set, or review more."
        )
    inside = classed.copy()
    inside[test] = False
    if data.groups is not None:  # nor may a copy of what judges be learned
        inside &= ~np.isin(data.groups, data.groups[test])
    divided = Parts(kind, np.flatnonzero(inside), test, given, learned, sure)
    if not divided.changed:
        raise LnlError(_unchanged(info, source, purifier))
    return divided


def _told(info: DatasetInfo, data: LabeledDataset, purifier: int) -> BoolArray:
    """Return (n,) True where a run knows the answer, of the image or of a copy of it."""
    told = inputs.told_rows(info, purifier)
    if data.groups is not None:
        told |= np.isin(data.groups, np.asarray(data.groups)[told])
    return told


def _unchanged(info: DatasetInfo, source: str, purifier: int | None) -> str:
    """Say that both networks would be the same, and what to do."""
    if source == PURIFIED:
        return (
            f"Run {purifier} changed no label among the images that train: both networks would be "
            "the same. Review more images, which teach the next run, then start one: "
            f"{command('run', info.name)} --methods dmlp"
        )
    if source == SIMULATED:
        return (
            "The labels that a simulated reviewer would look at are right among the images that "
            "train: both networks would be the same. Run more methods, for a better queue."
        )
    return (
        "No label is corrected yet among the images that train: both networks would be the "
        "same. Relabel some images in Review first."
    )


def _simulated(info: DatasetInfo, given: IntArray, truth: IntArray, goal: int) -> IntArray:
    stored = arrays.load_ranking(info.directory / "ranking")
    if stored is None:
        raise LnlError(f"Nothing of “{info.name}” is scored yet: there is no queue. Start a run.")
    seen = np.asarray(stored[0].order[:goal])
    corrected = given.copy()
    corrected[seen] = truth[seen]
    return corrected


def _random_part(labels: IntArray, k: int) -> IntArray:
    """Draw a fifth of each true class, one image at least of a class that has several."""
    rng = np.random.default_rng(SEED)
    share = min(HELD_OUT, MOST_HELD_OUT / max(len(labels), 1))
    chosen = [
        rng.permutation(rows)[: max(round(share * len(rows)), int(len(rows) > 1))]
        for rows in (np.flatnonzero(labels == label) for label in range(k))
    ]
    return np.sort(np.concatenate(chosen))


def _judges(info: DatasetInfo, trusted: BoolArray, told: BoolArray) -> tuple[str, IntArray]:
    """Choose confirmed rows to hold out: random audits, else half of all that are confirmed.

    Args:
        info: the data set.
        trusted: (n,) bool; people confirmed the label.
        told: (n,) bool; the answer had a part in the labels that train, so it cannot judge them.
    """
    audited = np.zeros(info.n, bool)
    for each in decisions.history(info):
        audited[each.row] |= each.route == "audit"
    random = np.flatnonzero(audited & trusted & ~told)
    if len(random) >= AUDITS_NEEDED:
        return "audit", random
    confirmed, untold = int(trusted.sum()), np.flatnonzero(trusted & ~told)
    if confirmed < TRUSTED_NEEDED:
        raise LnlError(
            f"Accuracy needs images whose label is sure: {confirmed:,} are confirmed by people, "
            f"{TRUSTED_NEEDED} are needed, of which half judge. Review more, or run the noise lab, "
            "where the truth is known."
        )
    if len(untold) < TRUSTED_NEEDED // 2:
        raise LnlError(
            f"The run that purified the labels was told {confirmed - len(untold):,} of the "
            f"{confirmed:,} images that people confirmed: those cannot judge it. "
            f"{TRUSTED_NEEDED // 2} others are needed, {len(untold):,} are there. Review "
            f"{TRUSTED_NEEDED // 2 - len(untold):,} more: what people say from now on, "
            "it was not told."
        )
    half = np.random.default_rng(SEED).permutation(untold)[: confirmed // 2]
    return "trusted", np.sort(half)


def run(info: DatasetInfo, job: Job, context: JobContext) -> None:
    """Train twice, judge twice, write the result."""
    began = time.monotonic()
    source = str(job.config["source"])
    folder = info.directory / "runs" / str(job.id)
    divided = _kept_parts(info, source, int(job.config.get("goal", 0)), folder)
    last = decisions.last_id(info)
    right = {}
    for place, (name, labels) in enumerate(
        (("given", divided.given), ("corrected", divided.corrected))
    ):
        done = folder / f"{name}_right.npy"
        if not done.is_file():
            arrays.write_array(done, _train(info, divided, labels, name, place, folder, context))
        right[name] = np.asarray(arrays.read_array(done, mmap=False), bool)
    context.report("saving", 1.0)
    gain, low, high = comparison.paired_difference(right["given"], right["corrected"])
    result = {
        "source": source,
        "held_out": divided.kind,
        "trained_on": len(divided.train),
        "judged_on": len(divided.test),
        "changed": divided.changed,
        "before": _accuracy(right["given"]),
        "after": _accuracy(right["corrected"]),
        "gain": {"value": gain, "low": low, "high": high},
        "noise": _noise(divided),
        "method": yardstick().key,
        "preset": "quick",
        "seed": SEED,
        "last_decision": last,
        "seconds": time.monotonic() - began,
        "created_at": now(),
    }
    arrays.write_json(result_path(info, source), result)


def _kept_parts(info: DatasetInfo, source: str, goal: int, folder: Path) -> Parts:
    """Return the parts of the first start, so that a resumed task ends as an uninterrupted one."""
    names = [field.name for field in dataclasses.fields(Parts) if field.name != "kind"]
    mark = folder / "parts.json"
    if mark.is_file():
        kept = {name: arrays.read_array(folder / f"{name}.npy", mmap=False) for name in names}
        return Parts(kind=arrays.read_json(mark)["kind"], **kept)
    made = parts(info, source, goal)
    for name in names:
        arrays.write_array(folder / f"{name}.npy", getattr(made, name))
    arrays.write_json(mark, {"kind": made.kind})
    return made


def _train(
    info: DatasetInfo,
    divided: Parts,
    labels: IntArray,
    name: str,
    place: int,
    folder: Path,
    context: JobContext,
) -> Array:
    """Train on one set of labels; return (test,) True where the held-out image is right."""
    from lnl_core.learning import networks

    data = datasets.load(info)
    words = f"{name} labels"

    def report(stage: str, fraction: float, metrics: Any) -> None:
        context.report(f"{words}: {stage}", (place + 0.97 * fraction) / 2, metrics)

    method = yardstick()
    size = max(info.height, info.width)
    config = method.config.preset("quick", len(divided.train), info.class_count, size)
    inner = LocalContext(
        context.device,
        SEED,
        checkpoint=folder / f"{name}.safetensors",
        folder=folder / name,
        on_report=report,
    )
    method.fit(_part(data, divided.train, labels), config, inner)
    test = _part(data, divided.test, divided.sure)
    network = networks.load_network(folder / name, test, context.device)
    right = np.zeros(len(divided.test), bool)
    for rows, _, logits in network.predictions():
        right[rows] = logits.argmax(dim=1).cpu().numpy() == test.given_labels[rows]
    return right


def _part(data: LabeledDataset, rows: IntArray, labels: IntArray) -> LabeledDataset:
    return LabeledDataset(
        name=data.name,
        class_names=data.class_names,
        given_labels=np.asarray(labels)[rows],
        ids=[str(row) for row in rows],
        images=cast(Array, Rows(data.images, rows)),
    )


def _accuracy(right: BoolArray) -> dict[str, float]:
    hits, n = int(right.sum()), len(right)
    low, high = comparison.binomial_interval(hits, n)
    return {"correct": hits, "n": n, "accuracy": hits / n, "low": low, "high": high}


def _noise(divided: Parts) -> dict[str, float] | None:
    """Return the share of wrong labels among those that train, where the truth is known."""
    if divided.kind != "truth":
        return None
    sure = divided.sure[divided.train]
    return {
        "before": float((divided.given[divided.train] != sure).mean()),
        "after": float((divided.corrected[divided.train] != sure).mean()),
    }


TASK = Task("retrain", "Accuracy before and after", run)
