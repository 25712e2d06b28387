"""Running sums and curves, dense and for very many classes."""

import numpy as np
import torch

from lnl_core.learning import recorder as module
from lnl_core.learning.recorder import ProbabilityRecorder
from lnl_core.types import TopProbs

CPU = torch.device("cpu")


def fill(recorder, epochs, n, k, seed=0, sharp=3.0):
    """Feed random probabilities in shuffled batches; return them, (epochs, n, k)."""
    generator = torch.Generator().manual_seed(seed)
    level = torch.randn(n, k, generator=generator) * sharp
    said = torch.stack(
        [torch.softmax(level + torch.randn(n, k, generator=generator), 1) for _ in range(epochs)]
    )
    for epoch in range(epochs):
        for rows in torch.randperm(n, generator=generator).split(7):
            probs = said[epoch, rows]
            recorder.add(rows, probs, -probs[:, 0].log())
        recorder.end_epoch(epoch)
    return said.numpy()


def test_dense_means_and_curves_are_what_was_fed():
    n, k, epochs = 23, 5, 4
    given = np.arange(n) % k
    recorder = ProbabilityRecorder(given, k, epochs, CPU)
    said = fill(recorder, epochs, n, k)
    np.testing.assert_allclose(recorder.mean_probs(), said.mean(0), atol=1e-6)
    np.testing.assert_allclose(recorder.mean_given(), said.mean(0)[np.arange(n), given], atol=1e-6)
    np.testing.assert_allclose(recorder.mean_loss(), -np.log(said[..., 0]).mean(0), rtol=1e-5)
    curves = recorder.curves()
    np.testing.assert_allclose(curves["p_given"], said[:, np.arange(n), given], atol=1e-3)
    others = said.copy()
    others[:, np.arange(n), given] = -1
    np.testing.assert_allclose(curves["p_other"], others.max(2), atol=1e-3)
    np.testing.assert_allclose(curves["probs"], said, atol=1e-3)


def test_many_classes_keep_the_best_with_their_sums():
    n, k, epochs = 40, 150, 6
    given = np.arange(n) % k
    recorder = ProbabilityRecorder(given, k, epochs, CPU)
    said = fill(recorder, epochs, n, k).mean(0)
    top = recorder.mean_probs()
    assert isinstance(top, TopProbs)
    assert top.class_count == k
    assert (np.diff(top.probs, axis=1) <= 0).all()
    assert (np.sort(top.classes, axis=1)[:, 1:] != np.sort(top.classes, axis=1)[:, :-1]).all()
    exact = said[np.arange(n), given]
    np.testing.assert_allclose(recorder.mean_given(), exact, atol=1e-6)
    at = (top.classes == given[:, None]).argmax(axis=1)
    assert (top.classes == given[:, None]).any(axis=1).all()
    np.testing.assert_allclose(top.probs[np.arange(n), at], exact, atol=1e-5)
    assert (top.classes[:, 0] == said.argmax(1)).mean() > 0.95
    np.testing.assert_allclose(top.dense(slice(None)).sum(1), 1, atol=1e-5)


def test_epochs_left_out_of_the_mean_still_show_in_the_curves():
    recorder = ProbabilityRecorder(np.array([0, 1]), 2, 2, CPU)
    rows = torch.arange(2)
    recorder.add(rows, torch.tensor([[0.9, 0.1], [0.9, 0.1]]), average=False)
    recorder.end_epoch(0)
    recorder.add(rows, torch.tensor([[0.2, 0.8], [0.2, 0.8]]))
    recorder.end_epoch(1)
    np.testing.assert_allclose(recorder.mean_given(), [0.2, 0.8], atol=1e-6)
    np.testing.assert_allclose(recorder.curves()["p_given"], [[0.9, 0.1], [0.2, 0.8]], atol=1e-3)


def test_rows_never_seen_are_even_and_gaps_are_filled():
    recorder = ProbabilityRecorder(np.array([0, 1, 1]), 2, 2, CPU)
    recorder.add(torch.tensor([0]), torch.tensor([[0.7, 0.3]]))
    recorder.end_epoch(0)
    recorder.add(torch.tensor([1]), torch.tensor([[0.4, 0.6]]))
    recorder.end_epoch(1)
    np.testing.assert_allclose(recorder.mean_probs()[2], [0.5, 0.5])
    curve = recorder.curves()["p_given"]
    assert np.isfinite(curve).all()
    np.testing.assert_allclose(curve[:, 0], [0.7, 0.7], atol=1e-3)
    np.testing.assert_allclose(curve[:, 1], [0.6, 0.6], atol=1e-3)


def test_memory_of_the_curves_is_bounded(monkeypatch):
    monkeypatch.setattr(module, "CURVE_LIMIT", 200)
    recorder = ProbabilityRecorder(np.arange(40) % 4, 4, 20, CPU)
    fill(recorder, 20, 40, 4)
    curves = recorder.curves()
    assert "probs" not in curves
    assert curves["p_given"].shape == (5, 40)


def test_pack_and_unpack_continue_exactly():
    for k in (5, 150):
        given = np.arange(30) % k
        whole, first, second = (ProbabilityRecorder(given, k, 2, CPU) for _ in range(3))
        generator = torch.Generator().manual_seed(3)
        a, b = (torch.softmax(torch.randn(30, k, generator=generator), 1) for _ in range(2))
        rows = torch.arange(30)
        for part in (whole, first):
            part.add(rows, a)
            part.end_epoch(0)
        second.unpack(first.pack())
        for part in (whole, second):
            part.add(rows, b)
            part.end_epoch(1)
        for name, value in whole.pack().items():
            np.testing.assert_array_equal(second.pack()[name], value)
