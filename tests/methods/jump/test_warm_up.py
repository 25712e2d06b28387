"""The warm-up ends by what held-out labels say, and scores count from the selection on."""

import dataclasses

import numpy as np
import pytest
import torch

from lnl_core.jobs.context import LocalContext
from lnl_core.methods import jump
from lnl_core.methods.jump import codes, training, warm_up
from lnl_core.types import Cancelled
from tests.methods.jump.test_jump import small, stripes


def rule(**knobs):
    given = {"start": "rule", "epochs": 12, "warm_up": 10, "score_epochs": 12, "batch_size": 16}
    return small(**(given | knobs))


def test_the_rule_ends_the_warm_up_of_what_can_be_learned_and_of_nothing_else():
    data = stripes(n=600, wrong=60)
    signals = jump.fit(data, rule(batch_size=32), LocalContext())
    started = int(signals.extras["selection_from"][0])
    assert 1 <= started < 10
    assert len(signals.curves["held_out_agreement"]) == started
    last = signals.curves["held_out_agreement"][-1]
    assert last > 2 / 3

    drawn = np.random.default_rng(0).integers(0, 3, 600)
    nothing = dataclasses.replace(data, given_labels=drawn)
    signals = jump.fit(nothing, rule(epochs=6, warm_up=5), LocalContext())
    assert signals.extras["selection_from"] == 5


def test_held_out_rows_teach_nothing_until_the_selection_counts():
    data, config = stripes(n=300), rule(epochs=3, warm_up=2)
    seen = {}
    with training.open_session(data, config, LocalContext(), 32) as session:
        warming = warm_up.WarmUp(session, 2, by_rule=True)
        table = codes.JumpTable(session.tensors["table"])
        words = torch.from_numpy(codes.codebook(3, 32)).float()
        rows = torch.arange(300)
        for epoch in session.epochs():
            if epoch == 2:
                table.cells.fill_(True)
            seen[epoch] = warming.lasts(epoch)
            training.train_epoch(session, table, words, config, epoch, 0, None, warming)
        held = ~warming.learns(rows)
        assert int(held.sum()) == 30
        assert seen == {0: True, 1: True, 2: False}
        np.testing.assert_allclose(session.history["chosen"], [0.9, 0.9, 1.0], atol=0.01)


def test_few_images_and_a_count_hold_nothing_out():
    for data, config in ((stripes(n=60), rule()), (stripes(n=300), small())):
        with training.open_session(data, config, LocalContext(), 32) as session:
            warming = warm_up.WarmUp(session, 3, by_rule=config.start == "rule")
            assert warming.learns(torch.arange(len(data))).all()
            warming.end(1)
            assert warming.lasts(2)
            warming.end(2)
            assert warming.started == 3
            assert not warming.lasts(3)


def test_no_score_is_older_than_the_selection():
    data = stripes(wrong=6)
    whole, late = (
        jump.fit(data, small(epochs=5, warm_up=3, score_epochs=n), LocalContext()) for n in (5, 2)
    )
    np.testing.assert_array_equal(whole.suspicion, late.suspicion)
    np.testing.assert_array_equal(whole.pred_probs, late.pred_probs)
    single = jump.fit(data, small(epochs=5, warm_up=3, score_epochs=1), LocalContext())
    assert not np.array_equal(single.suspicion, late.suspicion)


def test_a_run_by_rule_that_was_stopped_ends_as_an_undisturbed_one():
    data, config = stripes(n=300, wrong=30), rule(epochs=8, warm_up=6)
    whole = jump.fit(data, config, LocalContext(seed=3))
    for epoch in (2, 7):
        context = LocalContext(seed=3)

        def stop(stage, fraction, metrics, epoch=epoch):
            if metrics.get("epoch") == epoch:
                raise Cancelled

        context._on_report = stop
        with pytest.raises(Cancelled):
            jump.fit(data, config, context)
        context._on_report = None
        again = jump.fit(data, config, context)
        np.testing.assert_array_equal(again.suspicion, whole.suspicion)
        for name in whole.extras:
            np.testing.assert_array_equal(again.extras[name], whole.extras[name], err_msg=name)
        for name in whole.curves:
            np.testing.assert_array_equal(again.curves[name], whole.curves[name], err_msg=name)
