"""What would make a run of DMLP better: it is judged by images that people confirmed."""

from __future__ import annotations

import numpy as np

from lnl_core.types import Signals


def hints(signals: Signals) -> list[str]:
    """Return what would make a finished run better, in words.

    One hint where some class was validated on unconfirmed images, on whose label three simple
    classifiers agree. Else one where a ridge regression on the confirmed images alone does as well:
    then the given labels added nothing. (Unconfirmed images are easy, so both are right on all of
    them.)
    """
    extras, sentences = signals.extras, []
    if "bootstrap" in extras and extras["bootstrap"][0]:
        confirmed = np.asarray(extras["validation_confirmed"], bool)
        own = int(confirmed.sum())
        sentences.append(
            f"Validated on {len(confirmed) - own:,} images that nobody confirmed (bootstrap)"
            + (f", and on {own:,} that you confirmed" if own else "")
            + ". Ten confirmed images of each class make it better: review some in random order, "
            "then run it again."
        )
    elif "baseline_accuracy" in extras and "held_out_accuracy" in extras:
        simple, own_share = (
            float(extras[name][0]) for name in ("baseline_accuracy", "held_out_accuracy")
        )
        if simple >= own_share:  # never where one of them is nan
            sentences.append(
                f"A ridge regression on the confirmed images alone is right on {simple:.0%} of "
                f"those held out, this run on {own_share:.0%}: the given labels added nothing here."
            )
    return sentences
