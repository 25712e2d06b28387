"""Methods that run here, in this process, with a table as their result."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lnl_core.jobs import knobs
from lnl_core.jobs.context import LocalContext
from lnl_core.library import inputs, table
from lnl_core.methods import AT, METHODS, card, default_runs, signal_key, taught
from lnl_core.review import consensus, copies
from lnl_core.types import (
    SMALL_SIDE,
    Array,
    FloatArray,
    IntArray,
    LabeledDataset,
    LnlError,
    Method,
    Signals,
    usual_representation,
)

if TYPE_CHECKING:
    from pandas import DataFrame

GIVEN = "given"
"""Representation of features that the caller brought."""

Progress = Callable[[str, float], None]
"""Told what goes on and which share of all of it is done."""


def rank(
    images: str | Path | Array,
    labels: Sequence[Any] | Array | None = None,
    methods: Sequence[str] | None = None,
    *,
    class_names: Sequence[str] | None = None,
    ids: Sequence[str] | None = None,
    groups: Sequence[Any] | Array | None = None,
    preset: str = "quick",
    representation: str = "auto",
    overrides: Mapping[str, Mapping[str, Any]] | None = None,
    seed: int = 0,
    device: str = "auto",
    progress: bool | Progress = True,
) -> DataFrame:
    """Run methods in this process and rank every image by how probably its label is wrong.

    Nothing is stored; `Workspace` keeps what should be reviewed.

    Args:
        images: a folder with one folder per class, a list, .npz or .zip (as `lnl import` reads
            them, without labels here); or uint8 (n, h, w) or (n, h, w, 1 or 3); or features, float
            (n, d), for methods that learn on features.
        labels: (n,) given labels, numbers in 0..k-1, or names of classes.
        methods: keys of `methods()`, or `jump@pretrained` for one on those features; the default
            recipe for such images where None (of those that can learn on features, where features
            are given).
        class_names: (k,); the labels' own names, or their numbers, where None.
        ids: (n,) names of the images; paths or row numbers where None.
        groups: (n,) the same number or text where images show the same picture; looked for in the
            images where None, among features in vain. Copies are kept together, and labels of
            theirs that contradict each other come first. `range(n)` says that there are none.
        preset: `quick`, `standard` or `paper`.
        representation: features for methods that learn on them (`pretrained`, `raw`, `simclr` ...),
            and for heads in place of networks on pixels; chosen by the images' size for `auto`.
        overrides: method -> knob -> value.
        seed: of everything random.
        device: `auto`, `cpu` or `cuda`.
        progress: a line on standard error, nothing, or a function of (words, share done).

    Returns:
        n rows, most suspicious first; the index is the image's row. Columns `id`, `given_label`,
        `suggested_label`, `suspicion` and `p_wrong` (1 = wrong), `label_quality` (1 = right) and,
        of several methods, `suspicion_KEY` for each. `attrs` holds `noise_rate`, the estimated
        share of wrong labels, and `weights`, method -> weight.

    Raises:
        LnlError: images, labels, a method, preset or knob that do not do.
    """
    seed = inputs.checked_seed(seed)
    if not isinstance(images, str | Path):
        images = inputs.as_array(images, "images")
    on_features = not isinstance(images, str | Path) and images.ndim == 2
    _check(methods, on_features)
    with tempfile.TemporaryDirectory() as scratch:
        data = _dataset(images, labels, class_names, ids, Path(scratch))
        data = replace(data, groups=_groups(data, groups, on_features))
        runs = list(methods) if methods is not None else _default(data, on_features)
        here = _Run(
            data,
            np.asarray(images) if on_features else None,
            Path(scratch),
            representation,
            seed,
            device,
            _teller(progress),
            len(runs),
        )
        knobs.check_names(overrides or {}, runs)
        signals = [here.fit(run, preset, overrides or {}) for run in runs]
        given = np.asarray(data.given_labels, np.int64)
        schooled = taught(each.method for each in signals)
        ranking = consensus.rank(signals, given, len(data.class_names), None, schooled)
        if data.groups is not None:
            ranking = copies.put_first(ranking, data.groups, given)
        ranking = replace(ranking, weights={_asked(k): w for k, w in ranking.weights.items()})
        signals = [replace(each, method=_asked(each.method)) for each in signals]
        return table.of_ranking(ranking, signals, given, data.class_names, list(data.ids))


def _asked(key: str) -> str:
    """Return a signal's name as the caller knows it: of features of their own, the method's."""
    return key.removesuffix(f"{AT}{GIVEN}")


def _groups(
    data: LabeledDataset, groups: Sequence[Any] | Array | None, on_features: bool
) -> IntArray | None:
    """Return which images are copies, as told, as the import found, or found here."""
    if groups is not None:
        return inputs.checked_groups(groups, len(data))
    if data.groups is not None or on_features:
        return data.groups
    from lnl_core.data import copies as finding

    return finding.group(data.images)


def _default(data: LabeledDataset, on_features: bool) -> list[str]:
    """Return the default recipe; of features alone, what of that for photographs learns on them."""
    if not on_features:
        return default_runs(*data.images.shape[1:])
    keys = [run.partition(AT)[0] for run in default_runs(SMALL_SIDE + 1, SMALL_SIDE + 1, 3)]
    return [key for key in keys if _learns_on_features(card(key))]


def _learns_on_features(method: Method) -> bool:
    return "features" in method.needs or knobs.on_features(method.key, GIVEN)


def _check(methods: Sequence[str] | None, on_features: bool) -> None:
    """Refuse runs that cannot be done, before any image is read.

    Raises:
        LnlError: none, one twice, an unknown method, or one that needs images.
    """
    if methods is None:
        return
    methods = inputs.checked_methods(methods)
    if len(set(methods)) < len(methods):
        raise LnlError(f"A method stands twice in {', '.join(methods)}.")
    for run in methods:
        method = card(run.partition(AT)[0])
        if on_features and (AT in run or not _learns_on_features(method)):
            raise LnlError(
                f"{run} needs images; features are all there is. Give the images, or choose of "
                f"{', '.join(key for key in METHODS if _learns_on_features(METHODS[key]))}."
            )


class _Run:
    """What the methods of one call share: the images, their features once, the progress line."""

    def __init__(
        self,
        data: LabeledDataset,
        features: FloatArray | None,
        scratch: Path,
        representation: str,
        seed: int,
        device: str,
        tell: Progress,
        count: int,
    ) -> None:
        from lnl_core.jobs.inputs import resolve_device

        self._data, self._features, self._scratch = data, features, scratch
        self._seed, self._device, self._tell, self._count = (
            seed,
            resolve_device(device),
            tell,
            count,
        )
        height, width = data.images.shape[1:3]
        self._usual = GIVEN if features is not None else usual_representation(height, width)
        self._asked = GIVEN if features is not None else representation
        self._done = 0

    def fit(self, run: str, preset: str, overrides: Mapping[str, Mapping[str, Any]]) -> Signals:
        """Do one run; its name in the ranking says which features it learned on."""
        key, at, features = run.partition(AT)
        method, asked = card(key), features if at else self._asked
        height, width = self._data.images.shape[1:3]
        if asked == "auto" and "features" in method.needs:
            asked = knobs.usual_features(method.key, preset, max(height, width))
        config = knobs.config_for(
            method.key,
            preset,
            overrides.get(key, {}),
            len(self._data),
            len(self._data.class_names),
            max(height, width),
            asked,
            channels=self._data.images.shape[3],
        )
        if self._features is not None and hasattr(config, "retrain"):
            config = replace(config, retrain=False)  # there are no images to retrain on
        heads = knobs.on_features(method.key, asked)
        seen = asked if heads or "features" in method.needs else "pixels"
        signals = method.fit(
            self._data,
            config,
            LocalContext(
                self._device,
                self._seed,
                features=lambda: self._learned(asked),
                maps=self._maps,
                representation=seen,
                on_report=lambda stage, fraction, _: self._report(method, stage, fraction),
            ),
        )
        self._done += 1
        return replace(signals, method=signal_key(method.key, seen, self._usual))

    def _report(self, method: Method, stage: str, fraction: float) -> None:
        self._tell(f"{method.title}: {stage}", (self._done + fraction) / self._count)

    def _learned(self, asked: str) -> FloatArray:
        if self._features is not None:
            return np.ascontiguousarray(self._features, np.float32)
        from lnl_core.learning import features

        wanted = self._usual if asked in ("auto", "pixels") else asked
        learned: FloatArray = features.cached(
            self._scratch, self._data, wanted, self._device, self._features_report
        )
        return np.asarray(learned, np.float32)

    def _maps(self) -> FloatArray:
        from lnl_core.learning import features

        return features.cached_maps(self._scratch, self._data, self._device, self._features_report)

    def _features_report(
        self, stage: str, fraction: float, metrics: Mapping[str, float] | None = None
    ) -> None:
        self._tell(stage, self._done / self._count)


def _dataset(
    images: str | Path | Array,
    labels: Sequence[Any] | Array | None,
    class_names: Sequence[str] | None,
    ids: Sequence[str] | None,
    scratch: Path,
) -> LabeledDataset:
    if isinstance(images, str | Path):
        if labels is not None or class_names is not None or ids is not None:
            raise LnlError(
                f"{images} brings its own labels. Leave out labels, class_names and ids, or give "
                "the images as an array."
            )
        from lnl_core.data.importers import import_source
        from lnl_core.store import addresses, datasets, db

        import_source(Path(images), "ranked", scratch / "set")
        ws = db.open_workspace(scratch / "workspace", addresses.of_path(scratch / "ranked.db"))
        info = datasets.register(ws, "ranked", scratch / "set")
        db.dispose(ws)
        return replace(datasets.load(info), true_labels=None)
    pixels = _pixels(images)
    names, given = inputs.named_labels(labels, class_names)
    if len(given) != len(pixels):
        raise LnlError(f"There are {len(given)} labels and {len(pixels)} images.")
    return LabeledDataset("ranked", names, given, inputs.checked_ids(ids, len(given)), pixels)


def _pixels(images: Array) -> Array:
    """Return (n, h, w, c) uint8; features stand for images of one black pixel.

    Raises:
        LnlError: neither images nor features.
    """
    if images.ndim == 2 and images.dtype.kind in "fiu":
        with np.errstate(over="ignore"):
            finite = np.isfinite(images.astype(np.float32)).all(axis=1)
        if not images.shape[1]:
            raise LnlError("The features have no columns. Give (n, d) with d of 1 or more.")
        if not finite.all():
            row = int(np.flatnonzero(~finite)[0])
            raise LnlError(
                f"Row {row} of the features holds a number that is not finite in float32. Scale "
                "the features, or leave the row out."
            )
        return np.zeros((len(images), 1, 1, 1), np.uint8)
    if images.ndim == 3:
        images = images[..., None]
    if images.ndim != 4 or images.shape[3] not in (1, 3) or images.dtype != np.uint8:
        first = images.ndim == 4 and images.shape[1] in (1, 3)
        hint = " Channels come last: images.transpose(0, 2, 3, 1)." if first else ""
        raise LnlError(
            "images must be uint8 (n, h, w) or (n, h, w, 1 or 3), or features, float (n, d); got "
            f"{images.dtype} {images.shape}.{hint}"
        )
    return images


def _teller(progress: bool | Progress) -> Progress:
    if callable(progress):
        return progress
    return _Line().tell if progress else lambda words, done: None


class _Line:
    """One line on standard error that the next one replaces; five a second at the most."""

    def __init__(self) -> None:
        self._shown, self._at = ("", -1), 0.0

    def tell(self, words: str, done: float) -> None:
        """Show what goes on and how much of all is done, in percent."""
        line = words, int(100 * done)
        if line == self._shown or (time.monotonic() - self._at < 0.2 and done < 1):
            return
        self._shown, self._at = line, time.monotonic()
        end = "\n" if done >= 1 else ""
        print(f"\r\033[K{line[1]:3d} % {words}", end=end, file=sys.stderr, flush=True)
