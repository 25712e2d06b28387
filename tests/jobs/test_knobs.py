"""What a knob may be, what follows from another one, and what changes nothing."""

from dataclasses import dataclass, replace

import pytest

from lnl_core.jobs import knobs
from lnl_core.learning.knobs import knob
from lnl_core.methods import METHODS
from lnl_core.types import PRESETS, LnlError


def config(method, preset="quick", representation=None, k=10, **wanted):
    return knobs.config_for(method, preset, wanted, 8000, k, 32, representation)


@pytest.mark.parametrize(
    ("method", "name", "value", "words"),
    [
        ("knn", "smoothing", -60, "smoothing must be at least 0, got -60"),
        ("knn", "neighbours", 0, "neighbours must be at least 1 and at most 100000, got 0"),
        ("knn", "directions", 0, "directions must be at least 1"),
        ("probe", "folds", 1, "folds must be at least 2"),
        ("confident", "folds", 1_000_000, "folds must be at least 2 and at most 1000"),
        ("knn", "neighbours", 1e9, "neighbours must be at least 1 and at most 100000"),
        ("hnml", "filter_below", 2, "filter_below must be at least 0 and at most 1"),
        ("sr", "growth", 1e9, "growth must be above 0 and at most 10"),
        ("probe", "shrinkage", 5, "shrinkage must be at least 0 and at most 1, got 5"),
        ("ce", "lr", -1, "lr must be above 0, got -1"),
        ("ce", "lr", "inf", "lr must be above 0, got inf"),
        ("ce", "momentum", 1, "momentum must be at least 0 and below 1"),
        ("ce", "ema_decay", 2, "ema_decay must be at least 0 and below 1"),
        ("ce", "record_from", 5, "record_from must be at least 0 and at most 1"),
        ("ce", "shift", -2, "shift must be at least -1"),
        ("dmlp", "label_lr", "nan", "label_lr must be above 0, got nan"),
        ("jump", "operations", -1, "operations must be at least 0"),
        ("jump", "magnitude", 11, "magnitude must be at least 1 and at most 10"),
    ],
)
def test_a_number_outside_of_what_its_knob_may_be_is_refused(method, name, value, words):
    with pytest.raises(LnlError, match=f"{method}: {words}"):
        config(method, **{name: value})


@pytest.mark.parametrize("method", sorted(METHODS))
@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("k", [2, 10, 100])
def test_what_presets_hold_may_be_asked_for(method, preset, k):
    config(method, preset, k=k)
    if hasattr(METHODS[method].config, "on_features"):
        config(method, preset, "pretrained", k=k)


@dataclass(frozen=True)
class Foreign:
    """As a method of another package may declare its knobs."""

    depth: int = -1
    cap: float = float("inf")
    margin: float = knob(-2.0, "Below which it counts.")

    @classmethod
    def preset(cls, name, n, k, size):
        return cls()


def test_a_default_of_another_packages_method_is_never_refused(monkeypatch):
    monkeypatch.setitem(METHODS, "mine", replace(METHODS["knn"], key="mine", config=Foreign))
    assert config("mine") == Foreign()
    assert config("mine", depth=-7).depth == -7, "nothing is said of what it may be"
    with pytest.raises(LnlError, match="mine: margin must be at least 0, got -3"):
        config("mine", margin=-3)


@pytest.mark.parametrize(("preset", "usual"), [("quick", 15), ("standard", 40)])
def test_sparse_regularization_grows_as_far_over_a_run_of_any_length(preset, usual):
    for epochs in (6, usual, 60):
        asked = config("sr", preset, epochs=epochs)
        assert asked.growth**epochs == pytest.approx(4, rel=0.01)
    assert config("sr", preset, epochs=60, growth=1.1).growth == 1.1, "what is asked for stays"
    assert config("sr", "paper", epochs=60).growth == config("sr", "paper").growth


def test_jump_teaching_warms_up_for_the_same_share_of_a_run_of_any_length():
    for epochs in (3, 12, 60):
        asked = config("jump", epochs=epochs)
        assert asked.warm_up == round(2 / 3 * epochs)
        assert asked.score_epochs == max(1, round(epochs * 14 / 24))
    short, usual = config("dividemix", epochs=6), config("dividemix")
    assert short.warm_up / 6 == pytest.approx(usual.warm_up / usual.epochs, abs=0.1)


def test_a_run_that_would_be_over_before_it_selects_is_refused():
    with pytest.raises(LnlError, match="warm_up must end before the last of the 20 epochs, got 30"):
        config("jump", "paper", epochs=20)
    with pytest.raises(LnlError, match="paper keeps its own, so set warm_up as well"):
        config("jump", "paper", epochs=20)
    assert config("jump", "paper", epochs=20, warm_up=3).warm_up == 3
    assert config("jump", warm_up=24).start == "rule", "the rule may begin before"
    with pytest.raises(LnlError, match=r"warm_up must end by the last of the 24 epochs, got 25$"):
        config("jump", warm_up=25)


@pytest.mark.parametrize("key", ["jump", "hnml", "dividemix"])
def test_where_nothing_was_published_a_short_run_warms_up_for_its_share(key):
    usual = config(key, "paper", "pretrained")
    short = config(key, "paper", "pretrained", epochs=usual.epochs // 2)
    assert short.warm_up < usual.warm_up
    tuned = config(key, "paper", backbone="lite0-96", epochs=9)
    assert tuned.warm_up / 9 == pytest.approx(
        config(key, "paper", backbone="lite0-96").warm_up / 3, abs=0.1
    )


@pytest.mark.parametrize(
    ("method", "wanted"),
    [
        ("sr", {"setting": "imbalance"}),
        ("jump", {"setting": "heavy"}),
        ("sr", {"gamma": 1}),
        ("sr", {"q": 0.5, "base": "fl"}),
        ("jump", {"lr_end": 0.1}),
    ],
)
def test_a_knob_that_changes_nothing_here_is_refused(method, wanted):
    with pytest.raises(LnlError, match=f"{next(iter(wanted))} changes nothing in this run"):
        config(method, **wanted)
    if "setting" in wanted:
        assert config(method, "paper", k=100, **wanted).setting == wanted["setting"]
