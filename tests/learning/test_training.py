"""The engine: seeds, resume, batches, progress, precision, checkpoints."""

import dataclasses
import random

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from lnl_core.jobs.context import LocalContext
from lnl_core.learning import hardware, images, models, training
from lnl_core.types import Cancelled, LabeledDataset, LnlError


def stripes(n=60, size=8, channels=1, k=3, seed=0):
    """Images whose class is where the bright stripe lies."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % k
    pixels = rng.integers(0, 60, (n, size, size, channels), dtype=np.uint8)
    for row, label in enumerate(labels):
        pixels[row, label * 2 : label * 2 + 2] += 150
    return LabeledDataset(
        "stripes", tuple(f"class {i}" for i in range(k)), labels, [str(i) for i in range(n)], pixels
    )


def train(dataset, recipe, context, stop_after=None):
    with training.Session(dataset, recipe, context, tensors={"seen": torch.zeros(3)}) as session:
        for epoch in session.epochs():
            for batch in session.batches(epoch):
                logits = session.forward(batch.images)
                loss = F.cross_entropy(logits, batch.labels, reduction="none")
                session.step(loss.mean())
                session.record(batch, logits.softmax(1), loss)
            session.tensors["seen"][epoch % 3] += 1
            if epoch == stop_after:
                session._end_epoch(epoch)
                raise Cancelled
        return session, session.predict_probs(), session.features()


RECIPE = training.TrainingKnobs(epochs=3, batch_size=16, ema_decay=0.9, shift=1)


def test_it_learns_and_reports():
    reports = []
    context = LocalContext(on_report=lambda *report: reports.append(report))
    session, probs, features = train(
        stripes(), training.TrainingKnobs(epochs=8, batch_size=16), context
    )
    assert (probs.argmax(1).numpy() == stripes().given_labels).mean() > 0.9
    assert features.shape == (60, 128)
    assert features.dtype == np.float16
    stage, fraction, metrics = reports[-1]
    assert stage == "train"
    assert 0.9 < fraction <= 1
    assert {"epoch", "epochs", "loss", "images_per_second"} <= metrics.keys()
    fractions = [report[1] for report in reports]
    assert fractions == sorted(fractions)
    cost = session.cost()
    assert cost["images"] >= 8 * 60
    assert min(cost["seconds"], cost["cpu_seconds"], cost["peak_memory_bytes"]) > 0


def test_training_that_diverges_stops_where_it_does_and_says_what_to_do():
    """It had trained on to its last epoch, and then failed with "suspicion spans [nan, nan]"."""
    epochs = []
    context = LocalContext(on_report=lambda *report: epochs.append(report[2].get("epoch", 0)))
    wild = training.TrainingKnobs(epochs=4, batch_size=16, lr=1e30)
    with pytest.raises(LnlError, match=r"epoch 1 of 4.*lower learning rate.*here 1e\+30"):
        train(stripes(), wild, context)
    assert max(epochs, default=1) <= 1


def test_resumed_equals_undisturbed_to_the_last_bit(tmp_path):
    whole, expected, _ = train(stripes(), RECIPE, LocalContext(seed=5))
    context = LocalContext(seed=5, checkpoint=tmp_path / "checkpoint.safetensors")
    with pytest.raises(Cancelled):
        train(stripes(), RECIPE, context, stop_after=0)
    resumed, found, _ = train(stripes(), RECIPE, context)
    assert torch.equal(found, expected)
    np.testing.assert_array_equal(resumed.recorder.mean_probs(), whole.recorder.mean_probs())
    for name, curve in whole.recorder.curves().items():
        np.testing.assert_array_equal(resumed.recorder.curves()[name], curve)
    np.testing.assert_array_equal(resumed.tensors["seen"], [1, 1, 1])
    np.testing.assert_array_equal(
        resumed.run_curves()["train_loss"], whole.run_curves()["train_loss"]
    )
    assert resumed.cost()["images"] > 3 * 60


def test_same_seed_same_result_other_seed_another():
    first, second, other = (
        train(stripes(), RECIPE, LocalContext(seed=seed))[1] for seed in (1, 1, 2)
    )
    assert torch.equal(first, second)
    assert not torch.equal(first, other)


def test_nothing_global_stays_changed():
    random.seed(3)
    torch.manual_seed(3)
    before = random.getstate(), torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    threads, flags = torch.get_num_threads(), torch.backends.cudnn.deterministic
    train(stripes(), RECIPE, LocalContext())
    with pytest.raises(Cancelled):
        train(stripes(), RECIPE, LocalContext(), stop_after=0)
    assert random.getstate() == before[0]
    assert torch.equal(torch.get_rng_state(), before[1])
    np.testing.assert_array_equal(np.random.get_state()[1], before[2])  # noqa: NPY002
    assert (torch.get_num_threads(), torch.backends.cudnn.deterministic) == (threads, flags)


@pytest.mark.parametrize(("n", "size"), [(60, 16), (33, 16), (5, 16), (1, 16), (16, 16), (20, 3)])
def test_every_image_comes_once_and_no_batch_is_tiny(n, size):
    recipe = training.TrainingKnobs(epochs=1, batch_size=size)
    with training.Session(stripes(n), recipe, LocalContext()) as session:
        for epoch in session.epochs():
            rows = [batch.rows for batch in session.batches(epoch)]
            session._losses = []
    assert sorted(torch.cat(rows).tolist()) == list(range(n))
    assert n == 1 or min(len(part) for part in rows) >= min(8, n, size) or size < 8


def test_cancel_comes_through_from_inside_an_epoch():
    def stop(stage, fraction, metrics):
        if fraction > 0.02:
            raise Cancelled

    with pytest.raises(Cancelled):
        train(stripes(), RECIPE, LocalContext(on_report=stop))


@pytest.mark.parametrize("schedule", ["cosine", "one_cycle", "one_drop", "constant"])
def test_learning_rate_starts_and_ends_as_its_name_says(schedule):
    rates = [training.learning_rate(schedule, 0.1, done / 100) for done in range(101)]
    assert max(rates) == pytest.approx(0.1)
    ends = {"constant": 0.1, "one_drop": 0.01}
    assert rates[-1] == pytest.approx(ends.get(schedule, 0.0), abs=1e-9)
    assert rates[0] == pytest.approx({"one_cycle": 0.004}.get(schedule, 0.1))
    with pytest.raises(ValueError, match="schedule must be"):
        training.learning_rate("triangle", 0.1, 0.5)


def test_one_drop_falls_at_half_of_the_epochs():
    rates = [training.learning_rate("one_drop", 0.02, epoch / 300) for epoch in (0, 149, 150, 299)]
    assert rates == pytest.approx([0.02, 0.02, 0.002, 0.002])


def test_percentile_shares_ranks_among_equals():
    np.testing.assert_allclose(
        training.percentile(np.array([3.0, 1.0, 3.0, 9.0])), [0.5, 0, 0.5, 1]
    )
    np.testing.assert_allclose(training.percentile(np.array([2.0])), [0])


@pytest.mark.parametrize("resolution", [0, 16])
def test_images_on_the_device_equal_images_read_by_batch(monkeypatch, resolution):
    dataset = stripes(40, size=32, channels=3)
    resident = images.ImageSource(dataset, torch.device("cpu"), resolution=resolution)
    monkeypatch.setattr(images, "free_bytes", lambda device: 0)
    streamed = images.ImageSource(dataset, torch.device("cpu"), resolution=resolution)
    rows = torch.tensor([7, 0, 39])
    assert torch.equal(resident.batch(rows), streamed.batch(rows))
    assert resident.batch(rows).shape[1] == (resolution or 32)
    every = resident.normalise(resident.batch(torch.arange(40)))
    assert every.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(every.mean((0, 2, 3)), torch.zeros(3), atol=1e-3, rtol=0)
    torch.testing.assert_close(every.std((0, 2, 3)), torch.ones(3), atol=1e-2, rtol=0)


def test_training_without_bfloat16_works_too(monkeypatch):
    monkeypatch.setattr(hardware, "precision", lambda device: torch.float32)
    _, probs, _ = train(stripes(), training.TrainingKnobs(epochs=6, batch_size=16), LocalContext())
    assert (probs.argmax(1).numpy() == stripes().given_labels).mean() > 0.9


def test_a_device_that_is_not_there_is_named():
    with pytest.raises(LnlError, match="tpu"):
        hardware.pick_device("tpu")
    assert hardware.pick_device("cpu").type == "cpu"


@pytest.mark.parametrize(
    ("name", "size", "channels"),
    [
        ("auto", 8, 1),
        ("auto", 32, 3),
        ("auto", 64, 3),
        ("resnet18", 72, 1),
        ("resnet8-wide", 13, 1),
        ("resnet34", 16, 3),
        ("cnn8", 32, 3),
        ("cnn8", 17, 1),
        ("mnist", 28, 1),
        ("mnist", 8, 3),
        ("mlp", 8, 1),
    ],
)
def test_backbones_give_logits_and_features(name, size, channels):
    network = models.build(name, 7, channels, size).eval()
    pictures = torch.zeros(2, channels, size, size)
    with torch.no_grad():
        features, maps = network.features(pictures), network.maps(pictures)
        assert network(pictures).shape == (2, 7)
        assert features.shape == (2, network.feature_size)
        torch.testing.assert_close(network.head(features), network(pictures))
        if network.exact_cam:
            torch.testing.assert_close(maps.mean((2, 3)), features)


def test_published_backbones_have_the_published_layers():
    paper = models.build("cnn8", 10, 3, 32)
    weights = [m for m in paper.modules() if isinstance(m, torch.nn.Conv2d | torch.nn.Linear)]
    assert [tuple(m.weight.shape) for m in weights] == [
        (64, 3, 3, 3), (64, 64, 3, 3), (128, 64, 3, 3), (128, 128, 3, 3),
        (196, 128, 3, 3), (196, 196, 3, 3), (256, 196 * 16), (10, 256),
    ]  # fmt: skip
    digits = models.build("mnist", 10, 1, 28)
    assert digits.neck[2].weight.shape == (128, 64 * 49)
    with pytest.raises(ValueError, match="backbone must be"):
        models.build("lenet", 10, 3, 32)


def test_copies_pull_at_the_weights_as_one_image_does():
    groups = np.array([0, 1, 0, 3, 0, 1])
    data = dataclasses.replace(stripes(6), groups=groups)
    with training.Session(data, RECIPE, LocalContext()) as session:
        session.model = torch.nn.Identity()
        rows = torch.tensor([4, 3, 1])
        said = torch.randn(3, 3, requires_grad=True)
        answer = session.forward(said, rows)
        torch.testing.assert_close(answer, said)  # what it says is what it said
        (grad,) = torch.autograd.grad(answer.sum(), said)
        torch.testing.assert_close(grad, torch.tensor([1 / 3, 1, 1 / 2])[:, None].expand(3, 3))
        (grad,) = torch.autograd.grad(session.forward(said).sum(), said)
        assert (grad == 1).all()
    with training.Session(stripes(6), RECIPE, LocalContext()) as session:
        session.model = torch.nn.Identity()
        assert session.forward(said, rows) is said
