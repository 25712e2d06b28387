"""What a run of DMLP says would make it better."""

import numpy as np

from lnl_core.methods.dmlp.advice import hints
from lnl_core.types import Signals


def judged(confirmed, own=0.9, simple=0.8):
    extras = {
        "bootstrap": np.array([not all(confirmed)], np.uint8),
        "validation_confirmed": np.array(confirmed, np.uint8),
        "held_out_accuracy": np.array([own], np.float32),
        "baseline_accuracy": np.array([simple], np.float32),
    }
    return Signals("dmlp", np.zeros(4), None, extras=extras)


def test_unconfirmed_images_are_told_with_what_helps():
    (hint,) = hints(judged([0, 0, 0, 0]))
    assert "4 images that nobody confirmed" in hint
    assert "bootstrap" in hint
    assert "Ten confirmed images of each class" in hint
    (hint,) = hints(judged([1, 0, 1, 0]))
    assert "2 images that nobody confirmed" in hint
    assert "2 that you confirmed" in hint
    assert hints(judged([1, 1])) == []


def test_a_simple_fit_that_does_as_well_is_told():
    (hint,) = hints(judged([1, 1], own=0.85, simple=0.9))
    assert "ridge regression" in hint
    assert "90%" in hint
    assert "85%" in hint
    assert hints(judged([1, 1], own=np.nan, simple=0.9)) == []
    (hint,) = hints(judged([0, 1], own=0.85, simple=0.9))
    assert "ridge" not in hint  # unconfirmed images are easy for both
