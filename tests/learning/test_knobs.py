import dataclasses

import numpy as np
import pytest

from lnl_core.jobs import knobs as job_knobs
from lnl_core.jobs import queue
from lnl_core.jobs.context import LocalContext
from lnl_core.learning.knobs import TrainingKnobs, current_names, knob, restate
from lnl_core.methods import METHODS
from lnl_core.types import LabeledDataset, LnlError

SHARED = {each.name: each for each in dataclasses.fields(TrainingKnobs)}

WITH_NETWORK = [key for key in METHODS if issubclass(METHODS[key].config, TrainingKnobs)]


@pytest.mark.parametrize("key", METHODS)
def test_a_shared_knob_has_one_name_one_meaning_and_known_choices(key):
    kind = METHODS[key].config
    own = {each.name: each for each in dataclasses.fields(kind)}
    if key not in WITH_NETWORK:
        assert own.keys().isdisjoint({"backbone", "batch_size"}), f"{key} trains: inherit the knobs"
        return
    assert list(own)[: len(SHARED)] == list(SHARED)
    for name, shared in SHARED.items():
        if "choices" in shared.metadata:
            assert set(own[name].metadata["choices"]) <= set(shared.metadata["choices"]), name
            assert own[name].default in own[name].metadata["choices"], name


@pytest.mark.parametrize("key", WITH_NETWORK)
@pytest.mark.parametrize(
    ("name", "value"), [("schedule", "linear"), ("backbone", "resnet9"), ("epochs", 0)]
)
def test_every_config_refuses_what_no_training_can_do(key, name, value):
    with pytest.raises(ValueError, match=name):
        METHODS[key].config(**{name: value})


def test_only_a_shared_knob_can_be_restated():
    with pytest.raises(ValueError, match="learning_rate"):
        restate("learning_rate", 0.1)


def test_restating_changes_the_default_and_keeps_help_and_choices():
    @dataclasses.dataclass(frozen=True, slots=True)
    class Config(TrainingKnobs):
        schedule: str = restate("schedule", "cosine")
        lr: float = restate("lr", 0.1, text="Rate of the head.")
        own: str = knob("a", "Of this method alone.", ("a", "b"))

    fields = {each.name: each for each in dataclasses.fields(Config)}
    assert (Config().schedule, Config().lr) == ("cosine", 0.1)
    assert fields["schedule"].metadata == SHARED["schedule"].metadata
    assert fields["lr"].metadata["help"] == "Rate of the head."
    with pytest.raises(ValueError, match="own must be one of a, b"):
        Config(own="c")


def test_knobs_of_earlier_versions_are_read_under_todays_names():
    kind = METHODS["hnml"].config
    told = current_names(kind, {"teacher_decay": 0.9, "alpha": 0.5})
    assert kind(**told) == kind(ema_decay=0.9, alpha=0.5)
    assert current_names(METHODS["ce"].config, {"average_weights": 0.5, "blank": 0.1}) == {
        "ema_decay": 0.5,
        "feature_dropout": 0.1,
    }
    assert current_names(METHODS["knn"].config, {"neighbours": 3}) == {"neighbours": 3}


def test_a_job_of_an_earlier_version_gets_its_config(workspace, tiny):
    job = queue.submit(tiny, "ce")
    old = {**job.config, "average_weights": job.config["ema_decay"]}
    del old["ema_decay"]
    assert job_knobs.stored(dataclasses.replace(job, config=old)) == job_knobs.stored(job)
    with pytest.raises(TypeError, match="no_such_knob"):
        job_knobs.stored(dataclasses.replace(job, config={**job.config, "no_such_knob": 1}))


@pytest.mark.parametrize(
    ("key", "representation", "name", "value"),
    [
        ("ce", None, "feature_dropout", 0.5),  # a network on images
        ("ce", "pretrained", "cutout", 0.5),  # a head on features
        ("dmlp", None, "batch_size", 16),  # quick retrains no network
        ("confident", None, "epochs", 2),  # it learns on features
        ("influence", "pretrained", "lr", 0.1),
        ("hnml", "pretrained", "backbone", "resnet18"),
        ("hnml", None, "filter_below", 0.2),  # its filter is off
        ("dividemix", None, "feature_dropout", 0.1),
    ],
)
def test_a_knob_that_changes_nothing_is_refused(tiny, key, representation, name, value):
    with pytest.raises(LnlError, match=f"{name} changes nothing"):
        job_knobs.config(tiny, key, "quick", {name: value}, representation)


@pytest.mark.parametrize("name", ["backbone", "cutout", "shift", "rotate", "resolution", "jitter"])
def test_hnml_on_frozen_maps_refuses_what_only_images_have(name):
    value = {"backbone": "resnet18", "cutout": 0.5, "jitter": 0.5}.get(name, 8)
    with pytest.raises(LnlError, match=f"{name} changes nothing"):
        job_knobs.config_for("hnml", "quick", {name: value}, 400, 3, 32)
    asked = {name: value, "source": "pixels"}
    assert getattr(job_knobs.config_for("hnml", "quick", asked, 400, 3, 32), name) == value
    mirrored = job_knobs.config_for("hnml", "quick", {"flip": "yes"}, 400, 3, 32)
    assert (mirrored.source, mirrored.flip) == ("maps", "yes")


def test_what_hnml_calls_idle_on_maps_changes_nothing():
    rng = np.random.default_rng(0)
    data = LabeledDataset(
        "x", ("a", "b"), np.arange(24) % 2, [str(i) for i in range(24)],
        rng.integers(0, 255, (24, 32, 32, 3), dtype=np.uint8),
    )  # fmt: skip
    maps = rng.normal(size=(24, 6, 2, 2)).astype(np.float32)
    kind = METHODS["hnml"].config
    usual = dataclasses.replace(kind.on_features("quick", 24, 2), epochs=2, warm_up=1)
    changed = dataclasses.replace(
        usual, backbone="resnet18", cutout=0.5, shift=4, rotate=90.0, jitter=0.5, resolution=8,
        border="zero", feature_dropout=0.7,
    )  # fmt: skip
    differ = {name for name in usual.__dataclass_fields__
              if getattr(usual, name) != getattr(changed, name)}  # fmt: skip
    assert differ == usual.idle(False)
    first, second = (
        METHODS["hnml"].fit(data, config, LocalContext(maps=maps, representation="pretrained"))
        for config in (usual, changed)
    )
    np.testing.assert_array_equal(first.suspicion, second.suspicion)


def test_a_knob_counts_once_what_uses_it_is_chosen(tiny):
    asked = {"retrain": True, "batch_size": 16}
    assert job_knobs.config(tiny, "dmlp", "quick", asked).batch_size == 16
    asked = {"learn_on": "pixels", "epochs": 2}
    assert job_knobs.config(tiny, "confident", "quick", asked).epochs == 2


class Watched:
    """Hands on a Config and notes which knobs were read."""

    def __init__(self, config):
        self.__dict__.update(config=config, read=set())

    def __getattr__(self, name):
        self.read.add(name)
        return getattr(self.config, name)


@pytest.mark.parametrize("key", [k for k in ("ce", "sr", "dmlp") if k in METHODS])
def test_what_is_called_idle_is_not_read(key):
    """The other way round would be a knob that is refused although it matters."""
    rng = np.random.default_rng(0)
    labels = np.arange(24) % 2
    images = rng.integers(0, 255, (24, 8, 8, 1), dtype=np.uint8)
    data = LabeledDataset("x", ("a", "b"), labels, [str(i) for i in range(24)], images)
    features = rng.normal(size=(24, 6)).astype(np.float32)
    kind = METHODS[key].config
    config = kind.preset("quick", 24, 2, 8)
    idle = config.idle(on_features=False)
    watched = Watched(config)
    METHODS[key].fit(data, watched, LocalContext(features=features))
    assert idle
    assert not idle & watched.read, "it reads a knob that it calls idle"
