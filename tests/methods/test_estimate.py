import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from lnl_core.methods import METHODS, _estimate, _out_of_fold, _standardised, knn


def peak(work):
    """Bytes that numpy held at most while `work` ran, beside what it was given."""
    work()  # what it imports stays out
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def rows_of(n, d):
    return np.random.default_rng(0).normal(size=(n, d)).astype(np.float32)


@pytest.mark.parametrize(("n", "d"), [(150, 1600), (1000, 1600), (1600, 400), (4000, 400)])
def test_main_directions_take_the_memory_that_was_promised(n, d):
    """Both forms, wide and tall: what grows as n d, as n^2 and as d^2."""
    rows = rows_of(n, d)
    _, promised = _estimate.axes_cost(n, d, 64)
    measured = peak(lambda: knn._directions(rows, 64)) - n * 64 * 4
    assert 0.6 * measured < promised < 1.7 * measured


@pytest.mark.parametrize(("n", "d", "folds"), [(2000, 300, 5), (2000, 600, 5), (2000, 600, 20)])
def test_closed_form_heads_take_the_memory_that_was_promised(n, d, folds):
    rows, labels = rows_of(n, d), np.arange(n) % 4
    fold, inputs = np.arange(n) % folds, _standardised.Inputs(rows)
    _, promised = _estimate.heads_cost(n, d, folds)
    measured = peak(lambda: _out_of_fold.Moments(inputs, labels, fold, 4).gaussian_heads(0.4))
    measured -= rows.nbytes  # the standardised chunk
    assert 0.6 * measured < promised < 1.7 * measured


@pytest.mark.parametrize("key", ["knn", "probe", "confident"])
def test_few_images_are_promised_cheap_and_many_are_not(key):
    """No matrix of features by features for 300 images; a decomposition of one for 8,000."""
    method = METHODS[key]
    config = method.config.preset("quick", 300, 10, 32)
    seconds, held = method.cost(300, 32, config)
    assert seconds < 2.5
    assert held < 4e8
    assert method.cost(8000, 32, config)[0] > 2 * seconds
    assert method.cost(8000, 32, config)[1] > held + 3e8
    assert method.cost(10**6, 32, config)[1] < 8e9  # above, they read features from the disk


def test_the_head_of_influence_pays_for_its_hessian():
    """On 300 rows the work is the k w x k w Hessian; without it, the blocks; a network is dearer.

    Measured on 300 and 3,000 photographs: 4.0 and 14.8 CPU seconds (benchmarks/cheap.py).
    """
    method = METHODS["influence"]
    head = method.config.on_features("quick", 300, 10)
    few, many = (method.cost(n, 32, head)[0] for n in (300, 3000))
    assert 2 < few < 8
    assert 7 < many < 30
    wider = method.config.on_features("standard", 300, 10)  # 5,130 weights: no whole Hessian
    assert method.cost(300, 32, wider)[0] < few
    network = method.config.preset("quick", 3000, 10, 32)
    assert method.cost(3000, 32, network)[0] > 1.5 * many


def test_the_head_of_influence_pays_for_each_class():
    """600 photographs: 2 CPU seconds with 10 classes, 3 to 6 with 40 and 100, 36 with 200."""
    method = METHODS["influence"]
    head = method.config.on_features("standard", 600, 10)
    ten, forty, many = (method.estimate(600, 128, head, k)[0] for k in (10, 40, 200))
    assert ten < 3
    assert 2 * ten < forty < 8
    assert 10 < many < 60


@pytest.mark.parametrize("key", list(METHODS))
def test_a_method_that_does_not_ask_for_the_classes_costs_the_same_with_each_number(key):
    method = METHODS[key]
    config = method.config.preset("quick", 3000, 10, 64)
    few, many = (method.estimate(3000, 64, config, k) for k in (10, 300))
    assert (few == many) == (key != "influence")


def test_influence_on_features_is_told_by_its_knobs_not_by_a_network():
    method = METHODS["influence"]
    head = method.config.on_features("quick", 300, 10)
    assert method.cost(300, 224, head) == method.cost(300, 32, head)


@pytest.mark.parametrize(
    ("key", "preset", "n", "size", "measured"),
    [
        ("sr", "quick", 300, 32, 169),
        ("sr", "quick", 3000, 32, 262),
        ("ce", "quick", 300, 32, 181),
        ("jump", "quick", 300, 32, 104),
        ("jump", "quick", 3000, 32, 180),
        ("ce", "standard", 300, 128, 770),
        ("finetune", "quick", 300, 128, 486),
        ("finetune", "quick", 3000, 32, 526),
        ("finetune", "standard", 300, 128, 699),
        ("hnml", "quick", 300, 32, 136),
        ("hnml", "quick", 3000, 32, 226),
        ("dmlp", "quick", 300, 32, 1094),
        ("dmlp", "quick", 3000, 32, 1241),
    ],
)
def test_runs_promise_the_memory_that_they_took(key, preset, n, size, measured):
    """Megabytes above what the process held before, one thread, batches of the preset."""
    method = METHODS[key]
    config = method.config.preset(preset, n, 10, size)
    assert method.cost(n, size, config)[1] / 1e6 == pytest.approx(measured, rel=0.3)


@pytest.mark.parametrize(("key", "n", "measured"), [("ce", 12_000, 470), ("jump", 3000, 260)])
def test_heads_on_features_promise_the_memory_that_they_took(key, n, measured):
    config = METHODS[key].config.on_features("quick", n, 10)
    assert METHODS[key].cost(n, 224, config)[1] / 1e6 == pytest.approx(measured, rel=0.3)


def test_a_head_on_features_makes_no_views_of_images():
    """A view of a photograph takes longer than its head: the default recipe had seemed too long."""
    head = METHODS["jump"].config.on_features("quick", 12_000, 10)
    assert METHODS["jump"].cost(12_000, 256, head) == METHODS["jump"].cost(12_000, 64, head)
    pixels = METHODS["jump"].config.preset("quick", 12_000, 10, 32)
    more_views = replace(pixels, warm_up=1)
    assert METHODS["jump"].cost(12_000, 32, more_views) > METHODS["jump"].cost(12_000, 32, pixels)


def test_memory_follows_the_batch_the_pixels_and_the_sample():
    base = _estimate.training_bytes("resnet8", 300, 32, 64)
    step = _estimate.training_bytes("resnet8", 300, 32, 128) - base
    assert step == _estimate.step_bytes("resnet8", 32, 64)
    assert _estimate.step_bytes("resnet8", 64, 64) == 4 * step
    image = 3 * 32 * 32
    few, many = (
        _estimate.training_bytes("resnet8", n, 32, 64)
        - _estimate.training_bytes("resnet8", n - 100, 32, 64)
        for n in (_estimate.SAMPLED, 10 * _estimate.SAMPLED)
    )
    assert many == pytest.approx(100 * image)  # above the sample an image is its bytes
    assert few == pytest.approx(14 * many)
