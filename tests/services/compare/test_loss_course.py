"""Losses step by step: counts that add up, of the images that count, and the figure's frames."""

import numpy as np
import pytest

from lnl_core.figures import loss_course as drawing
from lnl_core.figures.palette import TONES
from lnl_core.services.compare import loss_course
from lnl_core.store import arrays, datasets
from lnl_core.types import LnlError, Signals
from lnl_core.views import BEFORE, CONSENSUS


def test_every_step_holds_every_image_once(scored):
    spread = loss_course.course(scored, "1")
    assert spread.steps.tolist() == [1, 2, 3, 4]
    assert spread.step == "epoch"
    assert spread.counts.sum(axis=(1, 2)).tolist() == [60] * 4
    assert spread.images == (57, 3)
    run = arrays.load_signals(scored.directory / "runs" / "1")
    given = np.asarray(datasets.load(scored).given_labels)
    agrees = np.asarray(run.pred_probs).argmax(axis=1) == given
    for step in (0, 3):
        loss = -np.log(np.maximum(np.asarray(run.curves["p_given"][step], np.float64), 1e-4))
        for group, mask in enumerate((agrees, ~agrees)):
            by_hand = np.histogram(np.log10(loss[mask]), spread.edges)[0]
            assert spread.counts[step, group].tolist() == by_hand.tolist()


def test_rounds_of_removal_begin_before_the_first(scored):
    place = scored.directory / "runs" / "1"
    run = arrays.load_signals(place)
    rounds = {"round_removed": np.zeros(60, np.int16)}
    arrays.save_signals(
        place, Signals(run.method, run.suspicion, run.pred_probs, curves=run.curves, extras=rounds)
    )
    spread = loss_course.course(scored, "1")
    assert (spread.step, spread.steps.tolist()) == ("round", [0, 1, 2, 3])


def test_an_image_whose_answer_was_told_counts_in_no_step(scored):
    told = np.zeros(60, bool)
    told[:10] = True
    arrays.write_array(scored.directory / "runs" / "1" / "trusted.npy", told)
    spread = loss_course.course(scored, "1")
    assert spread.of == (50, 50)
    assert spread.counts.sum(axis=(1, 2)).tolist() == [50] * 4


def test_a_large_set_is_sampled_and_says_so(scored, monkeypatch):
    monkeypatch.setattr(loss_course, "ROWS", 20)
    monkeypatch.setattr(loss_course, "STEPS", 2)
    loss_course._course.cache_clear()
    spread = loss_course.course(scored, "1")
    assert spread.of == (20, 60)
    assert spread.steps.tolist() == [1, 4]
    assert "20 of 60 images" in drawing.course(spread, TONES["light"]).layout.title.text
    loss_course._course.cache_clear()


def test_without_a_course_there_is_none(scored):
    run = arrays.read_json(scored.directory / "runs" / "2" / "signals.json")
    arrays.write_json(scored.directory / "runs" / "2" / "signals.json", run | {"curves": []})
    assert loss_course.course(scored, "2") is None
    assert loss_course.course(scored, CONSENSUS) is None
    assert loss_course.course(scored, BEFORE) is None
    with pytest.raises(LnlError, match="Run the method again"):
        loss_course.course(scored, "99")


def test_the_figure_ends_where_it_stands_and_plays_nothing_by_itself(scored):
    spread = loss_course.course(scored, "1")
    figure = drawing.course(spread, TONES["dark"])
    assert [frame.name for frame in figure.frames] == ["1", "2", "3", "4"]
    for shown, last in zip(figure.data, figure.frames[-1].data, strict=True):
        assert list(shown.y) == list(last.y)
    assert not figure.layout.sliders
    assert not figure.layout.updatemenus
    told = {"step": "epoch", "steps": [1, 2, 3, 4], "ms": drawing.STEP_MS}
    assert figure.layout.meta == drawing.controls(spread) == told
