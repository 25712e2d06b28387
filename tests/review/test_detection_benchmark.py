"""The detection benchmark on a handful of images: every row, and the second call goes on."""

import pytest

from benchmarks import detection
from lnl_core.store import arrays


@pytest.mark.slow
def test_rows_scores_and_resuming(small_npz, tmp_path, capsys):
    out = tmp_path / "out.json"
    call = ["--labels", "labels", "--methods", "probe,knn", "--data", str(small_npz)]
    call += ["--out", str(out), "--work", str(tmp_path / "work")]
    detection.main(call)
    found = arrays.read_json(out)["results"]["labels"]["0"]
    assert found["n"] == 90
    assert found["noise"] == pytest.approx(0.1)
    assert {"probe", "knn", "consensus", detection.CLEANLAB} <= set(found["rows"])
    assert found["rows"]["consensus"]["ap"] > 0.9
    assert found["rows"]["consensus"]["fix"] > 0.9
    assert "truth" not in str(found["rows"]["probe"]["config"])
    assert out.with_suffix(".html").stat().st_size > 1000
    fitted = sorted((tmp_path / "work").rglob("suspicion.npy"))
    before = [path.stat().st_mtime_ns for path in fitted]
    capsys.readouterr()
    detection.main(call)
    assert [path.stat().st_mtime_ns for path in fitted] == before
    assert "probe ..." not in capsys.readouterr().out


def test_a_file_without_the_label_set_is_named(small_npz):
    from benchmarks import _data
    from lnl_core.types import LnlError

    with pytest.raises(LnlError, match="holds no aggre_label"):
        _data.noisy_images(small_npz, "aggre")
    with pytest.raises(LnlError, match="is not there"):
        _data.noisy_images(small_npz.with_name("none.npz"), "labels")


@pytest.mark.slow
def test_seeds_are_averaged_and_networks_are_tested_on_held_out_digits(tmp_path, capsys):
    out = tmp_path / "out.json"
    call = ["--labels", "digits-pair-20", "--methods", "ce@pretrained,ce", "--seeds", "0", "1"]
    call += ["--out", str(out), "--work", str(tmp_path / "work")]
    detection.main(call)
    seeds = arrays.read_json(out)["results"]["digits-pair-20"]
    assert set(seeds) == {"0", "1"}
    first, second = (seeds[seed]["rows"] for seed in "01")
    assert first["ce"]["test"] > 0.9
    assert "test" not in first["ce@raw"]  # a head keeps no network of pixels
    mean = detection.mean_rows(seeds)["ce"]
    assert mean["ap"] == pytest.approx((first["ce"]["ap"] + second["ce"]["ap"]) / 2)
    assert "mean of 2 seeds" in capsys.readouterr().out


@pytest.mark.slow
def test_a_head_on_a_networks_own_features_counts_as_from_scratch(tmp_path):
    out = tmp_path / "out.json"
    call = ["--labels", "digits-pair-20", "--methods", "probe,ce,probe@ce,jump@pretrained"]
    call += ["--out", str(out), "--work", str(tmp_path / "work")]
    detection.main(call)
    rows = arrays.read_json(out)["results"]["digits-pair-20"]["0"]["rows"]
    assert rows["probe@ce"]["ap"] > rows["probe"]["ap"] + 0.02  # the network saw the classes
    scratch = rows["ce"]["cpu_seconds"] + rows["probe@ce"]["cpu_seconds"]
    assert rows["consensus, from scratch only"]["cpu_seconds"] == pytest.approx(scratch, abs=0.2)
