"""A head on frozen features is a run of its own beside the same method's network on pixels."""

import numpy as np
import pytest

from lnl_core.jobs import context, inputs, knobs, outcome, queue, worker
from lnl_core.methods import METHODS, signal_key, title_of
from lnl_core.review import labelled
from lnl_core.review.part import Rows
from lnl_core.services import methods
from lnl_core.store import arrays, datasets
from lnl_core.types import JobState, LnlError


def test_heads_and_pixels_both_enter_the_ranking(workspace, tiny):
    ids = {}
    for representation, epochs in ((None, 1), ("raw", 2)):
        job = queue.submit(
            tiny,
            "ce",
            overrides={"epochs": epochs},
            representation=representation,
        )
        worker.run_job(workspace, queue.claim(workspace))
        job = queue.job(workspace, job.id)
        assert job.state is JobState.DONE, job.error
        ids[representation] = job
    assert ids[None].representation == "pixels"
    assert ids["raw"].config["backbone"] == "head"
    ranking, run_ids = arrays.load_ranking(tiny.directory / "ranking")
    assert run_ids == {"ce": ids[None].id, "ce@raw": ids["raw"].id}
    assert set(ranking.weights) == {"ce", "ce@raw"}
    assert (queue.run_dir(workspace, ids[None]) / "network.safetensors").is_file()
    assert not (queue.run_dir(workspace, ids["raw"]) / "network.safetensors").exists()


def test_the_usual_features_need_no_name():
    assert signal_key("probe", "auto", "pretrained") == "probe"
    assert signal_key("probe", "pretrained", "pretrained") == "probe"
    assert signal_key("probe", "simclr", "pretrained") == "probe@simclr"
    assert signal_key("sr", "pretrained", "pretrained") == "sr@pretrained"
    assert title_of("sr@pretrained") == "Sparse Regularization, pretrained"
    assert title_of("own-ours") == "ours (own)"


def test_a_reconstruction_is_called_so_wherever_its_name_is_written_out():
    marked = {key for key in METHODS if "(reconstruction)" in title_of(key)}
    assert marked == {"hnml", "influence"} == {k for k, m in METHODS.items() if m.reconstruction}
    assert title_of("influence@pretrained") == "Influential Rank (reconstruction), pretrained"
    assert methods.title("influence@pretrained") == title_of("influence@pretrained")
    assert methods.title("hnml") == "HNML (reconstruction)"


def test_a_knob_of_the_head_is_checked_before_anything_is_queued(workspace, tiny):
    with pytest.raises(LnlError, match="feature_dropout must be a number"):
        queue.submit(
            tiny,
            "ce",
            overrides={"feature_dropout": "much"},
            representation="pretrained",
        )
    assert queue.jobs(tiny) == []


def test_a_method_that_needs_maps_takes_pixels_where_features_have_none(workspace, tiny):
    with_maps = queue.submit(tiny, "hnml", representation="pretrained")
    without = queue.submit(tiny, "hnml", representation="simclr")
    assert (with_maps.representation, with_maps.config["source"]) == ("pretrained", "maps")
    assert outcome.key(with_maps, tiny) == "hnml"  # quick takes these maps unasked as well
    assert (without.representation, without.config["source"]) == ("pixels", "pixels")


def test_large_features_stay_on_the_disk(tmp_path, monkeypatch):
    features = np.arange(12, dtype=np.float16).reshape(4, 3)
    job = context.JobContext(0, tmp_path, features=lambda report: features)
    assert job.features().dtype == np.float32
    monkeypatch.setattr(context, "COPIED_BYTES", 40)
    assert job.features() is features


@pytest.mark.parametrize(
    ("method", "overrides"),
    [
        ("probe", {}),
        ("knn", {}),
        ("confident", {}),
        ("ce", {"epochs": 2}),
        ("dividemix", {"epochs": 2, "warm_up": 1}),
        ("influence", {}),
        ("dmlp", {}),
    ],
)
def test_features_of_a_part_are_read_where_they_lie(tiny, tmp_path, monkeypatch, method, overrides):
    """One image without a class used to bring all features into the memory."""
    monkeypatch.setattr(context, "COPIED_BYTES", 0)
    data = datasets.load(tiny)
    n = len(data)
    whole = np.random.default_rng(0).standard_normal((n + 5, 12)).astype(np.float16)
    whole[5:, 0] += 3 * np.asarray(data.given_labels)
    signals = []
    for features in (whole[5:], Rows(whole, np.arange(5, n + 5))):
        config = knobs.config_for(method, "quick", overrides, n, 3, 8, "raw")
        own = context.JobContext(
            0, tmp_path / str(len(signals)), features=lambda report, it=features: it,
            representation="raw",
        )  # fmt: skip
        assert own.features() is features
        signals.append(METHODS[method].fit(data, config, own))
    np.testing.assert_array_equal(signals[0].suspicion, signals[1].suspicion)


def test_features_of_a_part_fit_whatever_size_the_set_has(tiny):
    datasets.update_meta(tiny, no_classes=["belt"])
    info = datasets.dataset(tiny.workspace, tiny.name)
    given = np.asarray(datasets.load(info).given_labels)
    part = labelled.part(given, info.class_count, info.no_classes)
    lazy = inputs.part_features(info, part, "raw", "cpu", lambda *_: None)
    assert not isinstance(lazy, np.ndarray), "they were copied"
    whole = inputs.features(info, datasets.load(info), "raw", "cpu", lambda *_: None)
    for kind in (np.float16, np.float32):
        wanted = np.asarray(whole[given != 1], kind)
        np.testing.assert_array_equal(np.asarray(lazy, kind), wanted, strict=True)
