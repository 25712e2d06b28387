"""The default recipe names runs that exist, by kind of images."""

import pytest

from lnl_core.methods import METHODS, default_runs
from lnl_core.types import SMALL_SIDE


@pytest.mark.parametrize("size", [(8, 8), (16, 16), (17, 9), (96, 128), (500, 20)])
@pytest.mark.parametrize("channels", [1, 3])
def test_every_run_exists_and_suits_the_images(size, channels):
    runs = default_runs(*size, channels)
    assert 2 <= len(set(runs)) == len(runs)
    for run in runs:
        key, _, features = run.partition("@")
        assert key in METHODS
        assert features in ("", "pretrained")
        if max(size) <= SMALL_SIDE:
            assert not features, "a network sees nothing more in such an image"
        if features:
            assert hasattr(METHODS[key].config, "on_features")


def test_what_gives_a_queue_at_once_comes_first():
    assert default_runs(128, 128, 3) == ["probe", "jump@pretrained", "finetune"]
    assert default_runs(128, 128, 1) == ["probe", "jump@pretrained", "ce"]
    assert set(default_runs(16, 16, 3)) == {"jump", "sr", "ce"}
    assert "features" in METHODS[default_runs(64, 64, 1)[0]].needs
