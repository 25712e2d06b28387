"""The fast way to measure a run against a known truth says what the plain way says."""

import shutil
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from lnl_core.review import comparison
from lnl_core.services.compare import _detecting, comparing, losses
from lnl_core.store import arrays


def known(n, seed, rate=0.1):
    rng = np.random.default_rng(seed)
    given = np.zeros(n, np.int64)
    truth = (rng.random(n) < rate).astype(np.int64)
    return rng, truth, comparison.known(given, truth, rng.random(n) < 0.9)


def scores(rng, truth):
    plain = np.clip(rng.beta(2, 5, len(truth)) + 0.2 * truth, 0, 1).astype(np.float32)
    return {
        "distinct": plain,
        "many ties": np.round(plain, 1),
        "zeros and minus zeros": np.where(plain < 0.5, np.float32(-0.0), plain),
        "one value": np.full(len(truth), 0.5, np.float32),
        "64 bits": plain.astype(np.float64) + 1e-12 * np.arange(len(truth)),
    }


@pytest.mark.parametrize("kind", scores(np.random.default_rng(0), np.zeros(5, np.int64)))
def test_one_sort_says_what_four_did(kind):
    rng, truth, sample = known(4000, 3)
    score = scores(rng, truth)[kind]
    counts = comparison.resamples(sample)
    slow, fast = comparison.detect(score, sample, counts), _detecting.detect(score, sample, counts)
    assert fast.ap == pytest.approx(slow.ap, rel=1e-9)
    assert fast.to_most == slow.to_most
    for name in ("depth", "found", "precision", "resampled", "at_total", "first_fifth", "total"):
        assert getattr(fast, name) == pytest.approx(getattr(slow, name), rel=1e-9, nan_ok=True)


def test_a_sample_goes_the_plain_way():
    _, _, sample = known(300, 5)
    part = np.arange(0, len(sample.rows), 3)
    some = comparison.Sample(
        sample.rows[part], sample.wrong[part], sample.true_labels[part], 3.0 * np.ones(len(part)),
        np.ones(len(part), bool), sample.population,
    )  # fmt: skip
    counts = comparison.resamples(some)
    score = np.linspace(0, 1, 300, dtype=np.float32)
    slow, fast = comparison.detect(score, some, counts), _detecting.detect(score, some, counts)
    assert fast.ap == slow.ap
    assert fast.size == slow.size


def test_what_is_kept_reads_back_and_a_new_run_is_measured_anew(workspace, scored):
    first = comparing.compare(scored)
    folder = scored.directory / "comparison"
    files = {path: path.stat().st_mtime_ns for path in folder.glob("*.json")}
    assert files
    comparing._compare.cache_clear()
    again = comparing.compare(scored)
    assert {path: path.stat().st_mtime_ns for path in folder.glob("*.json")} == files
    for key, found in first.detections.items():
        assert np.array_equal(again.detections[key].precision, found.precision, equal_nan=True)
        assert again.detections[key].interval == found.interval
    assert again.right_fix == first.right_fix

    run = scored.directory / "runs" / "1"
    signals = arrays.load_signals(run)
    arrays.write_array(run / "suspicion.npy", 1 - np.asarray(signals.suspicion))
    arrays.write_json(run / "signals.json", arrays.read_json(run / "signals.json"))
    comparing._compare.cache_clear()
    assert comparing.compare(scored).detections["1"].ap < first.detections["1"].ap


def test_the_largest_losses_come_first_and_groups_are_kept(workspace, scored):
    found = losses.losses(scored, "1")
    assert losses.most(found).tolist() == np.argsort(-found.x, kind="stable").tolist()
    assert losses.most(found, 3).tolist() == np.argsort(-found.x, kind="stable")[:3].tolist()
    losses._losses.cache_clear()
    assert losses.losses(scored, "1").mixture == found.mixture


def test_two_at_once_compute_once_and_a_disk_that_refuses_is_no_error(scored):
    made, gate = [], threading.Barrier(4)

    def make():
        made.append(1)
        return {"value": 7}

    def ask(_):
        gate.wait()
        return _detecting.kept(scored, ("together",), make)

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(ask, range(4))) == [{"value": 7}] * 4
    assert len(made) == 1
    shutil.rmtree(scored.directory / "comparison")
    (scored.directory / "comparison").write_text("a file in the way")
    assert _detecting.kept(scored, ("refused",), make) == {"value": 7}
