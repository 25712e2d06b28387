"""Images that a run judges, or has an opinion of, and has not trained on: nothing is made up."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lnl_core.figures import panel
from lnl_core.jobs import queue, worker
from lnl_core.methods import METHODS
from lnl_core.services import in_force
from lnl_core.services.compare import five_views, loss_course, losses
from lnl_core.services.review import evidence
from lnl_core.store import arrays, datasets
from lnl_core.store.table import read_table
from tests import five
from tests.jobs.test_no_class import truthful, unsure

SPLITS = np.array((["train"] * 3 + ["val"]) * 15)
VAL = np.flatnonzero(SPLITS == "val")


def with_splits(info):
    table = read_table(info.arrays / "table.parquet")
    table = table.append_column("split", pa.array(SPLITS.tolist(), pa.string()))
    pq.write_table(table, info.arrays / "table.parquet")
    datasets.update_meta(info, version="with splits")
    return datasets.dataset(info.workspace, info.name)


def score(info, key, **chosen):
    """Run a method that knows the truth and leaves what it does; return its number and signals."""
    made = []

    def fit(data, config, context):
        signals = truthful(data, info)
        probs, given = signals.pred_probs, np.asarray(data.given_labels)
        rows, other = np.arange(len(data)), probs.argmax(axis=1)
        rising = np.linspace(0.5, 1, 6)[:, None]
        p_given = probs[rows, given]
        curves = {"p_given": p_given * rising, "p_other": (1 - p_given) * rising}
        rng = np.random.default_rng(5)
        extras = five.extras_of(key, given, other, probs, curves, rng)
        made.append(replace(signals, method=key, curves=curves, extras=extras or {}))
        return made[0]

    queue.submit(info, key, **chosen)
    job = queue.claim(info.workspace)
    worker.run_job(info.workspace, job, replace(METHODS[key], fit=fit))
    assert queue.job(info.workspace, job.id).error is None
    return str(job.id), made[0]


@pytest.mark.parametrize("key", five.RUNS)
def test_an_image_that_was_judged_only_has_neither_picture_nor_curve(tiny, key):
    info = with_splits(tiny)
    score(info, key, train_on=["train"], judge=["train", "val"])
    inside, outside = five_views.views(info, 0), five_views.views(info, int(VAL[0]))
    (one,) = [each for each in inside.methods if each.state == "ready"]
    assert one.picture is not None
    assert one.trained
    (one,) = [each for each in outside.methods if each.state == "ready"]
    assert (one.picture, dict(one.curve)) == (None, {})
    assert one.place is not None, "it is judged all the same"
    drawn = panel.panel(outside, lambda row, size: "")
    assert "Not trained on this image" in drawn
    assert "scores each image once" not in drawn


def test_losses_of_what_was_not_trained_on_are_of_the_probabilities(tiny):
    info = with_splits(tiny)
    key, _ = score(info, "ce", train_on=["train"], judge=["val"])
    values = losses.losses(info, key)
    run = in_force.signals(info, int(key))
    given = np.asarray(datasets.load(info).given_labels)
    expected = -np.log(np.asarray(run.pred_probs)[VAL, given[VAL]])
    np.testing.assert_allclose(10 ** values.x[VAL], expected, rtol=1e-5)
    assert "probabilities" in values.axis
    assert loss_course.course(info, key) is None
    assert losses.trajectory(info, key, int(VAL[0])) == {}
    seen = evidence.evidence(info, int(VAL[0]))
    assert (seen["curves"], seen["loss"]) == ([], None)
    assert len(seen["methods"]) == 1


def test_losses_of_both_kinds_do_not_share_an_axis_nor_a_course(tiny):
    info = with_splits(tiny)
    key, _ = score(info, "ce", train_on=["train"])
    assert "probabilities" in losses.losses(info, key).axis
    assert loss_course.course(info, key).of[0] == len(SPLITS) - len(VAL)
    assert evidence.evidence(info, 0)["loss"] is not None
    whole, _ = score(info, "ce")
    assert "last third" in losses.losses(info, whole).axis


def test_sub_losses_are_ranked_among_what_was_trained_on(tiny):
    info = with_splits(tiny)
    key, made = score(info, "jump", train_on=["train"])
    variance = made.extras["sub_loss_variance"]
    told = losses.sub_losses(info, key, 0)
    assert told["variance_rank"] == pytest.approx((variance < variance[0]).mean())
    assert losses.sub_losses(info, key, int(VAL[0])) is None


def test_a_label_that_is_no_class_has_no_place_no_picture_and_no_code(tiny):
    info = unsure(tiny)  # the second of three classes is none
    given = np.asarray(datasets.load(info).given_labels)
    _, made = score(info, "jump")
    none, last = int(np.flatnonzero(given == 1)[0]), int(np.flatnonzero(given == 2)[0])
    shown = five_views.views(info, none)
    (one,) = [each for each in shown.methods if each.state == "ready"]
    assert (one.picture, one.place) == (None, None)
    drawn = panel.panel(shown, lambda row, size: "")
    assert "agrees with the label" not in drawn
    assert "Its label is no class" in drawn
    (one,) = [each for each in five_views.views(info, last).methods if each.state == "ready"]
    assert one.of == int((given != 1).sum())
    code = made.extras["codebook"][1]  # of the last class, the second that the run has learned
    assert one.picture.facts["bits"] == (code > 0).tolist()


def test_a_run_on_purified_labels_shows_the_code_of_the_label_that_it_learned(tiny):
    key, made = score(tiny, "jump")
    file = tiny.directory / "runs" / key / "labels.npy"
    given = np.asarray(datasets.load(tiny).given_labels)
    learned = np.array(given)
    learned[4] = (given[4] + 1) % 3
    arrays.write_array(file, learned)
    (one,) = [each for each in five_views.views(tiny, 4).methods if each.state == "ready"]
    assert one.picture.facts["bits"] == (made.extras["codebook"][learned[4]] > 0).tolist()
    assert f"{tiny.class_names[learned[4]]}, the purified label" in one.picture.words
    (one,) = [each for each in five_views.views(tiny, 5).methods if each.state == "ready"]
    assert one.picture.facts["bits"] == (made.extras["codebook"][given[5]] > 0).tolist()
    assert "purified" not in one.picture.words
