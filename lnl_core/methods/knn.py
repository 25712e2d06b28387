"""k nearest neighbours: images that look alike on label-free features should share a label.

Each label is compared with the labels of the nearest other images (leave one out, cosine
similarity), nearer ones counting more. Features are rotated onto their main directions and each
direction is divided by the square root of its spread, halfway to whitening: plain cosine lets a
few broad directions decide. Copies of one picture have one vote together, for the label that they
are given most often, and none on each other.

References: Cover and Hart, "Nearest neighbor pattern classification", 1967;
Bahri, Jiang, Gupta, "Deep k-NN for noisy labels", ICML 2020 (agreement of neighbours as a score).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from lnl_core.learning.knobs import ABOVE_NOUGHT, ONE_OR_MORE, knob
from lnl_core.learning.principal_axes import principal_axes
from lnl_core.methods import _estimate
from lnl_core.types import (
    DENSE_CLASSES,
    KEPT_CLASSES,
    Array,
    Context,
    FloatArray,
    Group,
    IntArray,
    LabeledDataset,
    Leaves,
    Method,
    Signals,
    TopProbs,
)

SHOWN = 10
"""Neighbours kept per image for the review page."""

SAMPLE = 50_000
"""Most rows from which the main directions are taken."""

CELLS = 2_000_000
"""Similarities held at a time."""


@dataclass(frozen=True, slots=True)
class Config:
    """Every knob."""

    neighbours: int = knob(
        50,
        "Neighbours that vote; fewer where classes are small.",
        group="scoring",
        within=(1, 100_000),
    )
    temperature: float = knob(
        0.1, "How fast a vote fades with distance, in cosine similarity.", within=ABOVE_NOUGHT
    )
    smoothing: float = knob(
        1.0, "Votes that the class frequencies cast beside them.", group="scoring"
    )
    directions: int = knob(
        256, "Main directions of the features that are kept.", within=ONE_OR_MORE
    )
    reference: int = knob(
        100_000,
        "Most images that are searched; above it, a random part of the set.",
        group="advanced",
        within=ONE_OR_MORE,
    )

    @classmethod
    def preset(cls, name: str, n: int, k: int, size: int) -> Self:
        """Return the knobs of `quick`, `standard` or `paper`."""
        return cls(reference=400_000) if name == "paper" else cls()


def fit(dataset: LabeledDataset, config: Config, context: Context) -> Signals:
    """Score each label by the vote of the image's neighbours.

    Returns:
        Signals with suspicion = 1 - p_given, pred_probs, and extras `neighbours` (n, 10) int32,
        the rows of the nearest images, nearest first, and `similarities` (n, 10) float16; a set
        of fewer than 11 images has fewer columns.
    """
    import torch

    began, cpu = time.monotonic(), time.process_time()
    labels = np.asarray(dataset.given_labels, dtype=np.int64)
    n, k = len(labels), len(dataset.class_names)
    pictures, picture = _pictures(dataset)
    if len(pictures) < 2:
        alone = np.eye(k, dtype=np.float32)[labels]
        return Signals(METHOD.key, np.zeros(n, dtype=np.float32), _store(alone, k))
    device = torch.device(context.device)
    generator = np.random.default_rng(context.seed)
    context.report("neighbours", 0.0)
    points = torch.from_numpy(_directions(context.features(), config.directions)).to(device)
    drawn = np.arange(len(pictures))
    if len(pictures) > config.reference:
        drawn = np.sort(generator.choice(len(pictures), config.reference, replace=False))
    pool, m = pictures[drawn], len(drawn)
    place = np.full(len(pictures), -1, dtype=np.int64)
    place[drawn] = np.arange(m)
    place = place[picture]  # (n,)
    voices = _most_given(labels, picture)[pool]
    reference = points if m == n else points[torch.from_numpy(pool).to(device)]
    sizes = np.unique(voices, return_counts=True)[1]
    voters = _voters(config.neighbours, m, sizes)
    fetched = min(max(voters, SHOWN), m - 1)
    shown = min(SHOWN, fetched)
    prior = np.bincount(labels, minlength=k) / n

    p_given = np.empty(n, dtype=np.float32)
    near = np.empty((n, shown), dtype=np.int32)
    closeness = np.empty((n, shown), dtype=np.float16)
    dense = k <= DENSE_CLASSES
    kept = min(KEPT_CLASSES, k)
    probs = np.empty((n, k) if dense else (0, k), dtype=np.float32)
    top_classes = np.empty((0 if dense else n, kept), dtype=np.int32)
    top_probs = np.empty((0 if dense else n, kept), dtype=np.float32)
    step = int(np.clip(CELLS // max(m, k), 16, 4096))
    told = began
    for start in range(0, n, step):
        part = slice(start, min(start + step, n))
        similarity = points[part] @ reference.T  # (b, m)
        own = place[part]
        inside = np.flatnonzero(own >= 0)
        similarity[torch.from_numpy(inside), torch.from_numpy(own[inside])] = -2.0
        best, where = similarity.topk(fetched, dim=1)
        value, nearest = best.cpu().numpy(), where.cpu().numpy()
        near[part], closeness[part] = pool[nearest[:, :shown]], value[:, :shown]
        vote = _vote(value[:, :voters], voices[nearest[:, :voters]], prior, config)
        p_given[part] = np.take_along_axis(vote, labels[part][:, None], axis=1)[:, 0]
        if dense:
            probs[part] = vote
        else:
            best_classes = np.argsort(-vote, axis=1, kind="stable")[:, :kept]
            top_classes[part] = best_classes
            top_probs[part] = np.take_along_axis(vote, best_classes, axis=1)
        now = time.monotonic()
        if now - told > 0.5 or part.stop == n:
            speed = part.stop / max(now - began, 1e-6)
            context.report("neighbours", part.stop / n, {"images_per_second": speed})
            told = now
    return Signals(
        method=METHOD.key,
        suspicion=np.clip(1 - p_given, 0, 1),
        pred_probs=probs if dense else TopProbs(top_classes, top_probs, k),
        extras={"neighbours": near, "similarities": closeness},
        cost={
            "seconds": time.monotonic() - began,
            "cpu_seconds": time.process_time() - cpu,
            "images": float(n),
        },
    )


def _pictures(dataset: LabeledDataset) -> tuple[Array, Array]:
    """Return the first row of each picture, (m,), and which of these pictures each row shows."""
    if dataset.groups is None:
        return np.arange(len(dataset)), np.arange(len(dataset))
    firsts, picture = np.unique(dataset.groups, return_inverse=True)
    return firsts.astype(np.int64), picture.reshape(-1)


def _most_given(labels: Array, picture: Array) -> Array:
    """Return the label that each row's picture is given most often, the lowest of several, (n,)."""
    k = int(labels.max()) + 1
    pairs, count = np.unique(picture * k + labels, return_counts=True)
    shown = pairs // k
    best = np.lexsort((pairs, -count, shown))
    first = np.unique(shown[best], return_index=True)[1]
    result: Array = (pairs[best[first]] % k)[picture]
    return result


def _voters(wanted: int, images: int, sizes: IntArray) -> int:
    """Return how many neighbours vote where images are few; at least 5.

    At most a third of the images, and one and a half times the smallest class or half of one of
    average size: by more, rare classes are outvoted.

    Args:
        wanted: by the knob.
        images: that are searched.
        sizes: (k,) images of each class that there is.
    """
    few = min(int(max(1.5 * sizes.min(), sizes.mean() / 2)), images // 3)
    return max(1, min(wanted, max(5, few), images - 1))


def _vote(similarity: FloatArray, labels: Array, prior: FloatArray, config: Config) -> Array:
    """Return (b, k) probabilities from the neighbours' labels.

    Args:
        similarity: (b, v) cosine, falling along the row.
        labels: (b, v) labels of the neighbours.
        prior: (k,) class frequencies; they cast `config.smoothing` votes.
        config: knobs.
    """
    b, v = similarity.shape
    weight = np.exp((similarity - similarity[:, :1]) / max(config.temperature, 1e-6))
    weight *= v / weight.sum(axis=1, keepdims=True)
    k = len(prior)
    cells = (np.arange(b)[:, None] * k + labels).ravel()
    votes: Array = np.bincount(cells, weights=weight.ravel(), minlength=b * k).reshape(b, k)
    votes = votes + config.smoothing * prior
    result: Array = (votes / votes.sum(axis=1, keepdims=True)).astype(np.float32)
    return result


def _directions(features: FloatArray, count: int, chunk: int = 8192) -> Array:
    """Return (n, min(d, count)) float32 unit rows on half-whitened main directions."""
    n = len(features)
    rows = np.unique(np.linspace(0, n - 1, min(n, SAMPLE)).astype(np.int64))
    sample = np.asarray(features[rows], dtype=np.float32)
    mean = sample.mean(axis=0)
    std = sample.std(axis=0)
    scale = 1 / np.maximum(std, 0.1 * np.sqrt(np.mean(std**2)) if std.any() else 1.0)
    sample = (sample - mean) * scale
    spread, axes = principal_axes(sample, count)
    kept = spread > 1e-3 * max(float(spread.max(initial=0.0)), 1e-12)
    axes = axes[:, kept] / np.maximum(spread[kept], 1e-12).astype(np.float32) ** 0.25
    out = np.empty((n, axes.shape[1]), dtype=np.float32)
    for start in range(0, n, chunk):
        x = np.asarray(features[start : start + chunk], dtype=np.float32)
        out[start : start + chunk] = ((x - mean) * scale) @ axes
    out /= np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-12)
    return out


def _store(probs: Array, k: int) -> Any:
    if k <= DENSE_CLASSES:
        return probs
    top = np.argsort(-probs, axis=1, kind="stable")[:, :KEPT_CLASSES]
    return TopProbs(top.astype(np.int32), np.take_along_axis(probs, top, axis=1), k)


def _cost(n: int, size: int, config: Config) -> tuple[float, float]:
    """Return seconds and bytes on two cores, without computing the features."""
    d = _estimate.usual_features(size)
    seconds, held = _estimate.axes_cost(min(n, SAMPLE), d, config.directions)
    turned = n * d * config.directions * _estimate.PRODUCT
    search = n * min(n, config.reference) * 1.2e-8
    points = n * min(d, config.directions) * 8.0
    held += 2e7 + _estimate.features_held(n, d) + points
    return 0.2 + seconds + turned + search, held


METHOD = Method(
    key="knn",
    title="Nearest neighbours",
    summary="the nearest images carry other labels",
    reference="Bahri et al., Deep k-NN for noisy labels, ICML 2020",
    config=Config,
    fit=fit,
    short="kNN",
    good_for="why: the nearest images; classes of even size",
    explanation=(
        "Images that look alike should share a label. It doubts a label that the nearest other "
        "images do not carry."
    ),
    group=Group.BASELINE,
    out_of_fold=True,
    place=5,
    recommended=True,
    leaves=(Leaves.NEIGHBOURS,),
    advice="Run it again on other features, for example those of a run on pixels.",
    needs=("features",),
    cost=_cost,
)
