"""What a run needs of this machine is checked before anything is queued."""

import pytest
import torch

from lnl_core.jobs import needs, queue
from lnl_core.services.runs import running
from lnl_core.types import LnlError, NotFound, Unavailable


def test_a_gpu_that_is_not_there_is_refused_before_anything_is_queued(tiny, no_worker):
    if needs.gpus():
        pytest.skip("this machine has a GPU")
    with pytest.raises(Unavailable, match="Choose the device auto or cpu"):
        running.start_runs(tiny, ["probe", "knn"], device="cuda")
    assert queue.jobs(tiny) == []


def test_where_there_is_a_gpu_this_finds_it():
    assert (needs.gpus() > 0) >= torch.cuda.is_available()


def test_an_unknown_network_is_refused_with_its_neighbours(tiny, no_worker):
    for recipe in (["probe@resnet5o"], ["knn", "probe@resnet5o"]):
        with pytest.raises(NotFound, match=r"“resnet5o”. Did you mean “resnet50"):
            running.start_runs(tiny, recipe)
    with pytest.raises(LnlError, match="Did you mean “pretrained”"):
        running.start_runs(tiny, ["probe"], representation="pretrainde")
    assert queue.jobs(tiny) == []


def test_weights_that_are_not_here_are_refused(tiny, no_worker, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    with pytest.raises(Unavailable, match="weights of resnet10t are not on this machine"):
        running.start_runs(tiny, ["probe"], representation="resnet10t")
    assert queue.jobs(tiny) == []


def test_a_seed_or_device_that_nobody_has_queues_none_of_several(tiny, no_worker):
    for strange in ({"seed": -1}, {"device": "tpu"}):
        with pytest.raises(LnlError):
            running.start_runs(tiny, ["probe", "knn"], **strange)
    assert queue.jobs(tiny) == []


@pytest.mark.parametrize(
    ("asked", "hint"),
    [
        ({"methods": ["porbe"]}, "Did you mean “probe”"),
        ({"methods": ["sr"], "overrides": {"sr": {"epoch": 3}}}, "Did you mean “epochs”"),
        ({"methods": ["sr"], "preset": "Quick"}, "Did you mean “quick”"),
    ],
)
def test_misspelt_names_are_answered_with_the_right_one(tiny, no_worker, asked, hint):
    with pytest.raises(NotFound, match=hint):
        running.start_runs(tiny, **asked)
