"""What a run starts from: labels as people have corrected them, a device, features."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from lnl_core.jobs.context import Report
from lnl_core.store import arrays, datasets, decisions
from lnl_core.store.datasets import DatasetInfo
from lnl_core.store.db import Workspace
from lnl_core.types import Action, BoolArray, FloatArray, IntArray, LabeledDataset


def corrected_labels(ws: Workspace, info: DatasetInfo) -> tuple[IntArray, BoolArray, BoolArray]:
    """Return the labels as corrected by the decisions that reviewers agree on.

    Returns:
        labels: (n,) int32; given ones, and where people relabelled, theirs.
        trusted: (n,) bool; kept or relabelled.
        kept: (n,) bool; the given label was confirmed.
    """
    labels = np.array(datasets.load(info).given_labels, dtype=np.int32)
    trusted, kept = np.zeros(info.n, dtype=bool), np.zeros(info.n, dtype=bool)
    for row, several in decisions.in_force(ws, info).items():
        verdict = decisions.verdict(several)
        if verdict.decision is None or not verdict.agreed:
            continue
        if verdict.decision.action is Action.KEEP:
            trusted[row] = kept[row] = True
        elif verdict.decision.action is Action.RELABEL and verdict.decision.label is not None:
            labels[row], trusted[row] = verdict.decision.label, True
    return labels, trusted, kept


def training_set(ws: Workspace, info: DatasetInfo, folder: Path) -> LabeledDataset:
    """Return the data set with corrected labels, the trusted mask, and without the truth.

    The labels of a run's first start are kept in its folder: a resumed run ends as an undisturbed
    one would, whatever was decided meanwhile.
    """
    labels_file, trusted_file = folder / "labels.npy", folder / "trusted.npy"
    if trusted_file.is_file():
        labels: IntArray = arrays.read_array(labels_file, mmap=False)
        trusted: BoolArray = arrays.read_array(trusted_file, mmap=False)
    else:
        labels, trusted, _ = corrected_labels(ws, info)
        arrays.write_array(labels_file, labels)
        arrays.write_array(trusted_file, trusted)
    return replace(datasets.load(info), given_labels=labels, trusted=trusted, true_labels=None)


def resolve_device(wanted: str) -> str:
    """Return `cuda` or `cpu`; `auto` takes a GPU where torch sees one.

    Raises:
        LnlError: a GPU was asked for and there is none.
    """
    from lnl_core.learning import hardware

    found = hardware.pick_device(wanted).type
    return "cpu" if found == "mps" else found  # Apple's is not tested, so nobody gets it unasked


def features(
    info: DatasetInfo, data: LabeledDataset, representation: str, device: str, report: Report
) -> FloatArray:
    """Compute a representation once per data set, (n, d); later runs find it in the cache."""
    from lnl_core.learning import features as learned

    if representation in ("auto", "pixels"):
        representation = learned.default_representation(info.height, info.width)
    found: FloatArray = learned.cached(
        info.directory, data, representation, device, report, version=info.version
    )
    return found
