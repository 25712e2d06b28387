"""`lnl score`: probabilities of one's own model as a run."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from lnl_core.cli.command import Command, add_dataset, opened
from lnl_core.cli.screen import DONE, say


def _score_arguments(one: argparse.ArgumentParser) -> None:
    add_dataset(one)
    one.add_argument("file", type=Path, help=".npy, .npz, .csv or .parquet")
    one.add_argument("--title", default="own", help="what to call the model")


def score(options: Any) -> int:
    """Take a file of probabilities as a finished run."""
    from lnl_core.services.runs.own import score_with

    info = opened(options)
    result = score_with(info, options.file, options.title)
    job = result.job
    told = f"Run {job.id}, {job.method}: expects another class on {job.other_class or 0:,}. "
    say(
        options,
        {
            "id": result.job.id,
            "method": result.job.method,
            "other_class": result.job.other_class,
            "agreement": round(result.agreement, 4),
            "doubt": result.doubt,
        },
        told + (result.doubt or "It is in the ranking: lnl open"),
    )
    return DONE


SCORE = Command(
    "score",
    "Take the probabilities of your own model as a finished run.",
    score,
    _score_arguments,
    (
        'lnl score birds probs.npy --title "my ViT"        (n, k), in the order of the data set',
        "lnl score birds probs.csv                       columns id, and one per class",
        "",
        "Rows sum to 1. NPZ holds the array as pred_probs, perhaps with ids and class_names. Use",
        "probabilities out of fold: a model that learned a wrong label does not doubt it.",
    ),
)
