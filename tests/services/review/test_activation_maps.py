"""Where a network looks: made ahead for the head of the queue, on request for the rest."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lnl_core.jobs import queue, worker
from lnl_core.jobs.tasks import maps
from lnl_core.said import percent
from lnl_core.services.compare import map_groups
from lnl_core.services.review import activation_maps, map_grades, new_classes
from lnl_core.store import arrays, audits, datasets, decisions
from lnl_core.store.arrays import load_ranking
from lnl_core.types import Action, Decision, JobState, LnlError, Signals
from lnl_core.views import STATISTICS


@pytest.fixture
def drawn(request, workspace, tiny, no_worker, once):
    """A run of CE on the tiny set; no worker starts by itself."""

    def run():
        job = queue.submit(tiny, "ce", overrides={"epochs": 2})
        worker.run_job(workspace, queue.claim(workspace))
        assert queue.job(workspace, job.id).state is JobState.DONE
        name_classes(workspace, tiny, job, off=0)
        return tiny, job

    info, job = once(("maps", "parted" in request.fixturenames), run)
    map_grades._by_labels.cache_clear()
    return workspace, info, job


def name_classes(ws, info, job, *, off):
    """Make the run's network sure of the class that is `off` places behind the given one."""
    folder = queue.run_dir(ws, job)
    opened = arrays.load_signals(folder)
    given = np.asarray(datasets.load(info).given_labels)
    probs = np.full((info.n, info.class_count), 0.1)
    probs[np.arange(info.n), (given + off) % info.class_count] = 0.8
    arrays.save_signals(folder, replace(opened, pred_probs=probs / probs.sum(1, keepdims=True)))
    map_grades._by_labels.cache_clear()  # a run writes its signals once


def work_on_tasks(ws):
    while (job := queue.claim(ws, lane=queue.TASKS)) is not None:
        worker.run_job(ws, job)


def test_the_head_of_the_queue_is_there_at_once(drawn):
    _, info, job = drawn
    ranking, _ = load_ranking(info.directory / "ranking")
    row = int(ranking.order[0])
    found = activation_maps.where_it_looks(info, row)
    assert found["state"] == "ready"
    assert found["source"] == f"{job.id}:cam"
    assert found["other"] == int(ranking.suggested_labels[row]) != found["given"]
    given, other = (np.asarray(one["values"]) for one in found["maps"])
    assert len(given) == found["maps"][0]["u"] * found["maps"][0]["v"]
    top = max(given.max(), other.max())
    assert top == pytest.approx(1, abs=1e-3) or top <= 0  # one common scale, or nothing is seen
    assert found["words"].endswith(".")


@pytest.fixture
def parted(tiny):
    """The tiny set as if it had come in the splits train and val."""
    path = tiny.arrays / "table.parquet"
    names = pa.array(["val" if row % 5 == 0 else "train" for row in range(tiny.n)])
    pq.write_table(pq.read_table(path).append_column("split", names), path)


def test_a_set_with_splits_has_maps(parted, drawn):
    ws, info, job = drawn
    row = int(load_ranking(info.directory / "ranking")[0].order[0])
    assert activation_maps.where_it_looks(info, row)["state"] == "ready"
    source = f"{job.id}:GradCAM"
    activation_maps.where_it_looks(info, row, source=source)
    work_on_tasks(ws)
    assert activation_maps.where_it_looks(info, row, source=source)["state"] == "ready"


def test_another_class_is_asked_of_the_worker_once(drawn):
    ws, info, _ = drawn
    ranking, _ = load_ranking(info.directory / "ranking")
    row = int(ranking.order[0])
    first = activation_maps.where_it_looks(info, row)
    third = next(k for k in range(info.class_count) if k not in (first["given"], first["other"]))
    assert activation_maps.where_it_looks(info, row, third)["state"] == "making"
    assert activation_maps.where_it_looks(info, row, third)["state"] == "making"
    assert len(queue.jobs(info, tasks=True)) == 1
    work_on_tasks(ws)
    found = activation_maps.where_it_looks(info, row, third)
    assert (found["state"], found["other"]) == ("ready", third)
    assert found["maps"][0]["values"] != found["maps"][1]["values"]


def test_maps_whose_making_was_stopped_are_asked_for_again(drawn):
    ws, info, job = drawn
    source = f"{job.id}:GradCAM"
    assert activation_maps.where_it_looks(info, 0, source=source)["state"] == "making"
    (asked,) = queue.jobs(info, tasks=True)
    queue.cancel(ws, asked.id)
    work_on_tasks(ws)
    assert activation_maps.where_it_looks(info, 0, source=source)["state"] == "making"
    work_on_tasks(ws)
    assert activation_maps.where_it_looks(info, 0, source=source)["state"] == "ready"


def test_a_class_that_no_network_has_learned_has_no_map(drawn):
    """The last class that the run knows would be shown under the new one's name."""
    _, info, job = drawn
    info, new = new_classes.add_class(info, "newer")
    for source in ("", f"{job.id}:cam", f"{job.id}:GradCAM"):
        found = activation_maps.where_it_looks(info, 0, new, source=source)
        assert (found["state"], found["sources"]) == ("failed", [])
        assert found["words"].startswith("No network has learned “newer” yet.")
    assert queue.jobs(info, tasks=True) == []
    assert activation_maps.where_it_looks(info, 0, 2)["sources"], "it knows the others"
    with pytest.raises(LnlError, match="not here any more"):
        activation_maps.where_it_looks(info, 0, 2, source="99:cam")


@pytest.mark.parametrize("technique", ["cam", "GradCAM"])
def test_maps_are_drawn_of_learned_classes_alone(drawn, technique):
    ws, info, job = drawn
    info, new = new_classes.add_class(info, "newer")
    given = int(datasets.load(info).given_labels[9])
    other = (given + 1) % 3
    told = {"run": job.id, "technique": technique}
    pairs = [[given, new], [given, other]]
    task = queue.submit_task(info, "maps", told | {"rows": [9, 9], "labels": pairs})
    alone = queue.submit_task(info, "maps", told | {"rows": [9], "labels": pairs[:1]})
    work_on_tasks(ws)
    assert queue.job(ws, task.id).state is JobState.DONE
    assert maps.place(info, job.id, technique, 9, given, other).is_file()
    assert not maps.place(info, job.id, technique, 9, given, new).exists()
    refused = queue.job(ws, alone.id)
    assert refused.state is JobState.FAILED
    assert "has not learned this class" in refused.error


@pytest.mark.parametrize("technique", ["GradCAM", "EigenCAM"])
def test_techniques_of_the_package(drawn, technique):
    ws, info, job = drawn
    source = f"{job.id}:{technique}"
    assert source in [one["key"] for one in activation_maps.sources(info)]
    assert activation_maps.where_it_looks(info, 0, source=source)["state"] == "making"
    work_on_tasks(ws)
    found = activation_maps.where_it_looks(info, 0, source=source)
    assert found["state"] == "ready"
    assert not found["common"]
    assert 0 <= min(found["maps"][0]["values"]) <= max(found["maps"][0]["values"]) <= 1


def test_a_failure_is_told_and_tried_again_later(drawn, monkeypatch):
    ws, info, job = drawn
    source, network = f"{job.id}:LayerCAM", queue.run_dir(ws, job) / "network.safetensors"
    activation_maps.where_it_looks(info, 0, source=source)
    network.rename(network.with_suffix(".away"))
    work_on_tasks(ws)
    network.with_suffix(".away").rename(network)
    failed = activation_maps.where_it_looks(info, 0, source=source)
    assert failed["state"] == "failed"
    assert "kept no network" in failed["words"]
    monkeypatch.setattr(activation_maps, "REST_SECONDS", -1.0)
    assert activation_maps.where_it_looks(info, 0, source=source)["state"] == "making"
    work_on_tasks(ws)
    assert activation_maps.where_it_looks(info, 0, source=source)["state"] == "ready"


def test_maps_of_a_network_that_is_no_good_are_held_back_and_can_be_seen(drawn):
    ws, info, job = drawn
    row = int(load_ranking(info.directory / "ranking")[0].order[0])
    seen = activation_maps.where_it_looks(info, row)
    assert seen["state"] == "ready"
    assert f"names the class of {percent(1)} of the labels least in doubt" in seen["grade"]
    name_classes(ws, info, job, off=1)
    held = activation_maps.where_it_looks(info, row)
    assert (held["state"], "maps" in held) == ("hidden", False)
    assert f"names the class of {percent(0)} of the labels least in doubt" in held["words"]
    assert not any(one["good"] for one in held["sources"])
    assert activation_maps.where_it_looks(info, row, anyway=True)["maps"] == seen["maps"]


def test_images_checked_at_random_grade_a_network_before_labels_do(drawn):
    ws, info, job = drawn
    name_classes(ws, info, job, off=1)
    data = datasets.load(info)
    said = arrays.load_signals(queue.run_dir(ws, job)).pred_probs.argmax(1)
    drawn_rows = [
        each.row for each in audits.draw(info, "ann", 30, lambda: (0, np.zeros(info.n, bool)))
    ]
    answers = [
        Decision(row, Action.RELABEL, "ann", label=int(said[row]), route="audit")
        for row in drawn_rows[: map_grades.FEWEST - 1]
    ]
    decisions.append(info, answers)
    assert not map_grades.grade(info, job.id).good  # too few
    last = drawn_rows[map_grades.FEWEST - 1]
    decisions.append(info, [Decision(last, Action.KEEP, "ann", route="audit")])
    found = map_grades.grade(info, job.id)
    assert (found.right, found.of, found.good) == (map_grades.FEWEST - 1, map_grades.FEWEST, True)
    assert int(data.given_labels[last]) != int(said[last])


def test_without_a_network_there_are_no_maps(workspace, tiny):
    rng = np.random.default_rng(0)
    n, k = tiny.n, tiny.class_count
    job = queue.submit(tiny, "knn")
    folder = queue.run_dir(workspace, job)
    arrays.save_signals(folder, Signals("knn", rng.random(n), np.full((n, k), 1 / k)))
    queue.finish(workspace, queue.claim(workspace).id, JobState.DONE)
    from lnl_core.jobs import outcome

    outcome.rank(tiny)
    assert activation_maps.where_it_looks(tiny, 0) == {"state": "none", "sources": []}
    with pytest.raises(LnlError, match="no such image"):
        activation_maps.where_it_looks(tiny, n)


def test_numbers_are_those_of_the_suggested_class(drawn):
    ws, info, job = drawn
    signals = arrays.load_signals(queue.run_dir(ws, job))
    ranking, _ = load_ranking(info.directory / "ranking")
    row, n = int(ranking.order[0]), info.n
    energy = np.linspace(0.1, 0.9, n)
    extras = {
        "suggested_label": np.asarray(ranking.suggested_labels),
        "energy_given": 1 - energy,
        "energy_suggested": energy,
        "mask_iou": np.full(n, 0.25),
        "peak_given": 2 - energy,
    }
    arrays.save_signals(
        queue.run_dir(ws, job), Signals("ce", signals.suspicion, signals.pred_probs, extras=extras)
    )
    numbers = {one["words"]: one for one in activation_maps.where_it_looks(info, row)["numbers"]}
    share = numbers[STATISTICS["energy_share"]]
    assert share["value"] == pytest.approx(energy[row], abs=1e-3)
    assert share["above"] == percent(row / n)
    assert numbers[STATISTICS["mask_iou"]]["above"] == percent(0)
    peak = numbers[STATISTICS["peak_given"]]
    assert peak["value"] == pytest.approx(2 - energy[row], abs=1e-3)
    assert peak["above"] == percent((n - 1 - row) / n)


def test_a_run_of_hnml_keeps_every_statistic_of_its_maps(drawn, monkeypatch):
    ws, info, _ = drawn
    job = queue.submit(info, "hnml", overrides={"epochs": 2})
    worker.run_job(ws, queue.claim(ws))
    assert queue.job(ws, job.id).state is JobState.DONE
    signals = arrays.load_signals(queue.run_dir(ws, job))
    numbers = activation_maps.activation_numbers(info, job.id)
    assert list(numbers) == list(STATISTICS)
    given, other = (
        signals.extras[f"cam_{which}"].astype(float) for which in ("given", "suggested")
    )
    np.testing.assert_allclose(numbers["peak_given"], given.max((1, 2)), rtol=2e-3, atol=1e-3)
    gap = np.maximum(other, 0).mean((1, 2)) - np.maximum(given, 0).mean((1, 2))
    np.testing.assert_allclose(numbers["energy_gap"], gap, rtol=2e-2, atol=1e-3)
    probs, rows = np.asarray(signals.pred_probs, float), np.arange(info.n)
    labels = datasets.load(info).given_labels
    np.testing.assert_allclose(numbers["doubt_given"], 1 - probs[rows, labels], atol=2e-3)
    squeezed = numbers["logit_margin"] / (1 + np.abs(numbers["logit_margin"]))
    np.testing.assert_allclose((1 + squeezed) / 2, signals.suspicion, atol=1e-6)
    monkeypatch.setattr(map_groups, "FEWEST", 6)
    said = map_groups.observation(info, job.id)
    assert list(said.groups) == list(STATISTICS)


def test_activations_of_kept_and_corrected_labels_are_told_apart(drawn):
    ws, info, job = drawn
    signals = arrays.load_signals(queue.run_dir(ws, job))
    n = info.n
    share = np.full(n, 0.2)
    share[:12] = 0.8
    extras = {
        "suggested_label": np.zeros(n, np.int32),
        "energy_given": 1 - share,
        "energy_suggested": share,
        "peak_given": 1 - share,
    }
    arrays.save_signals(
        queue.run_dir(ws, job), Signals("ce", signals.suspicion, signals.pred_probs, extras=extras)
    )
    assert map_groups.observation(info, job.id) is None  # its own score chooses no groups
    assert "0 right labels, 0 wrong. 10 of each" in map_groups.too_few(info, job.id)
    given = datasets.load(info).given_labels
    answers = [
        Decision(row, Action.RELABEL, "ann", label=int((given[row] + 1) % info.class_count))
        if row < 12
        else Decision(row, Action.KEEP, "ann")
        for row in range(24)
    ]
    decisions.append(info, answers)
    found = map_groups.observation(info, job.id)
    assert found.names == ("label kept", "found wrong")
    assert "12 right labels, 12 wrong" in found.words
    assert [len(values) for values in found.groups["energy_share"]] == [12, 12]
    assert found.auroc["energy_share"] == found.auroc["peak_given"] == 1  # lower is worse there
