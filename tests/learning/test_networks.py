"""A kept network says what the run said, and is refused where it does not fit."""

import dataclasses

import numpy as np
import pytest
import torch

from lnl_core.jobs.context import JobContext, LocalContext
from lnl_core.learning import networks, training
from lnl_core.methods import METHODS
from lnl_core.types import LabeledDataset, LnlError


def pictures(n=40, size=8, channels=1, k=3):
    rng = np.random.default_rng(0)
    labels = np.arange(n) % k
    images = rng.integers(0, 60, (n, size, size, channels), dtype=np.uint8)
    for row, label in enumerate(labels):
        images[row, label * 2 : label * 2 + 2] += 150
    return LabeledDataset(
        "p", tuple(f"c{i}" for i in range(k)), labels, [str(i) for i in range(n)], images
    )


def recipe(**more):
    return training.TrainingKnobs(
        backbone="resnet8", epochs=2, batch_size=16, lr=0.1, ema_decay=0.9, **more
    )


def trained(dataset, folder, chosen):
    """Train a little and keep it; return logits of all images by the mean of weights."""
    with training.Session(dataset, chosen, LocalContext(folder=folder)) as session:
        for epoch in session.epochs():
            for batch in session.batches(epoch):
                logits = session.forward(batch.images)
                session.step(torch.nn.functional.cross_entropy(logits, batch.labels))
        networks.keep_network(session._context, session)
        return torch.cat([views[0] for _, views in session.predictions()]).numpy()


@pytest.mark.parametrize("resolution", [0, 6])
def test_the_kept_network_answers_as_the_mean_of_weights_did(tmp_path, resolution):
    dataset = pictures()
    said = trained(dataset, tmp_path, recipe(resolution=resolution))
    torch.manual_seed(3)
    before = torch.random.get_rng_state()
    loaded = networks.load_network(tmp_path, dataset, "cpu")
    assert torch.equal(torch.random.get_rng_state(), before)
    found = np.concatenate([logits.numpy() for _, _, logits in loaded.predictions()])
    np.testing.assert_array_equal(found, said)
    some = next(iter(loaded.predictions(np.array([7, 3]))))[2].numpy()
    np.testing.assert_allclose(some, said[[7, 3]], atol=5e-2)  # other batch, other rounding
    assert loaded.source.height == (resolution or 8)
    deep = loaded.features()
    with torch.no_grad():
        again = loaded.model.head(torch.from_numpy(deep)).numpy()
    np.testing.assert_allclose(again, said, atol=5e-2)
    assert (
        loaded.model.maps(loaded.source.normalise(loaded.source.batch(torch.arange(2)))).ndim == 4
    )


@pytest.mark.parametrize("key", ["sr", "jump", "ce"])
def test_every_training_method_keeps_its_network(tmp_path, key):
    dataset, method = pictures(), METHODS[key]
    config = method.config.preset("quick", 40, 3, 8)
    cuts = {"epochs": 2, "batch_size": 16, "warm_up": 1, "score_epochs": 1}
    known = {field.name for field in dataclasses.fields(config)}
    config = dataclasses.replace(config, **{k: v for k, v in cuts.items() if k in known})
    context = JobContext(0, tmp_path)
    signals = method.fit(dataset, config, context)
    context.forget()  # as the worker does in the end
    loaded = networks.load_network(tmp_path, dataset, "cpu")
    logits = np.concatenate([logits.numpy() for _, _, logits in loaded.predictions()])
    assert logits.shape == (40, 3)  # of jump the classifier's head alone
    np.testing.assert_allclose(loaded.features(), signals.features, rtol=2e-3, atol=1e-3)


def test_a_network_that_is_missing_or_of_another_set_is_refused(tmp_path):
    with pytest.raises(LnlError, match="kept no network"):
        networks.load_network(tmp_path, pictures(), "cpu")
    trained(pictures(), tmp_path, recipe())
    with pytest.raises(LnlError, match="3 classes and 1 colour"):
        networks.load_network(tmp_path, pictures(k=4), "cpu")
    with pytest.raises(LnlError, match="has 3 and 3"):
        networks.load_network(tmp_path, pictures(channels=3), "cpu")
