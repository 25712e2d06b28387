"""Runs of the five published methods, with what each keeps for its own picture, made by hand."""

import numpy as np

from lnl_core.store import arrays, datasets
from lnl_core.types import Signals
from tests import rankings

RUNS = {"sr": 11, "jump": 12, "influence": 13, "dmlp": 14, "hnml": 15}
BITS = 8


def score(info, others=None):
    """Score a set by the five methods: each doubts every third image, `sr` also image 1.

    The class after the given one is what they expect of a doubtful image. Returns method ->
    signals, those of `others` (key -> (run, signals)) included.
    """
    data = datasets.load(info)
    n, k = info.n, info.class_count
    given = np.asarray(data.given_labels, np.int64)
    rng = np.random.default_rng(5)
    made, runs = {}, {}
    for key, number in RUNS.items():
        doubted = np.arange(n) % 3 == 0
        if key == "sr":
            doubted[1] = True
        other = np.where(doubted, (given + 1) % k, given)
        probs = 0.2 * rng.dirichlet(np.ones(k), n)
        probs[np.arange(n), other] += 0.8
        suspicion = 1 - probs[np.arange(n), given]
        rising = np.linspace(0.5, 1, 6)[:, None]
        curves = {"p_given": (1 - suspicion) * rising, "p_other": suspicion * rising}
        if key == "dmlp":
            curves = {}
        extras = extras_of(key, given, other, probs, curves, rng)
        made[key] = Signals(key, suspicion, probs, curves=curves, extras=extras)
        runs[key] = number
    for key, (number, signals) in (others or {}).items():
        made[key], runs[key] = signals, number
    for key, signals in made.items():
        arrays.save_signals(info.directory / "runs" / str(runs[key]), signals)
    arrays.save_ranking(
        info.directory / "ranking", rankings.rank(list(made.values()), given, k), runs
    )
    return made


def extras_of(key, given, other, probs, curves, rng):
    """Return what a method keeps beside its probabilities."""
    n, k = probs.shape
    if key == "sr":
        return {"p_max": np.array([0.97], np.float32), "confidence": probs.max(axis=1)}
    if key == "jump":
        book = np.where(rng.random((k, BITS)) < 0.5, -1, 1).astype(np.int8)
        turned = book[given] != book[other]
        losses = np.where(turned, 2.0, 0.1).astype(np.float16)
        return {
            "codebook": book,
            "sub_losses": losses,
            "sub_loss_mean": losses.mean(axis=1).astype(np.float32),
            "sub_loss_variance": losses.astype(np.float32).var(axis=1, ddof=1),
            "rejected": (given != other) * 0.75,
        }
    if key == "influence":
        return {
            "round_removed": np.where(given != other, 1 + np.arange(n) % 2, 0),
            "best_round": np.array([2]),
            "left_out": probs[np.arange(n), given].astype(np.float32),
        }
    if key == "dmlp":
        share = np.linspace(1, probs[np.arange(n), given], 5)[1:]
        return {
            "purified_labels": other.astype(np.int32),
            "baseline_labels": given.astype(np.int32),
            "confidence": probs.max(axis=1).astype(np.float32),
            "evidence_rows": np.tile(np.array([0, 1, 2], np.int32), (n, 1)),
            "evidence_votes": np.tile(np.array([0.5, -0.25, -0.1], np.float32), (n, 1)),
            "course_given": share.astype(np.float16),
            "course_other": (1 - share).astype(np.float16),
        }
    maps = np.zeros((2, n, 4, 4), np.float16)
    maps[0, :, :2], maps[1, :, 2:] = 1, 1
    maps[1, :, 2, 0] = 0.3  # below the part of the maximum that counts
    return {
        "cam_given": maps[0],
        "cam_suggested": maps[1],
        "suggested_label": ((given + 1) % k).astype(np.int32),
    }
