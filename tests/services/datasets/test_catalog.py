import numpy as np
import pytest

from lnl_core.jobs import queue
from lnl_core.services.datasets import catalog, copied
from lnl_core.services.review import saved
from lnl_core.store import datasets, decisions
from lnl_core.types import Action, Decision, JobState, LnlError


def test_the_photographs_come_in_whole_and_stand_alone(workspace):
    first = catalog.add_demo(workspace, catalog.PHOTOGRAPHS)
    assert catalog.add_demo(workspace, catalog.PHOTOGRAPHS) == first
    assert (first.n, first.class_count, first.skipped, first.kind) == (600, 17, 0, "demo")
    data, judged = datasets.load(first), np.asarray(datasets.judged_labels(first))
    assert (first.has_truth, data.true_labels) == (False, None)
    known = judged >= 0
    wrong = judged[known] != data.given_labels[known]
    assert (known.sum(), wrong.sum()) == (324, 33)
    originals = first.directory / first.root
    assert all((originals / path).is_file() for path in data.paths)
    assert originals.is_relative_to(first.directory)  # another installation may replace this one


def test_the_digits_are_registered_once_and_keep_their_truth(workspace):
    first = catalog.add_demo(workspace, catalog.DIGITS)
    assert catalog.add_demo(workspace, catalog.DIGITS) == first
    assert (first.n, first.class_count, first.has_truth) == (1797, 10, True)
    data = datasets.load(first)
    wrong = np.asarray(data.given_labels) != np.asarray(data.true_labels)
    assert wrong.sum() == round(0.15 * 1797)
    assert [card.info.name for card in catalog.overview(workspace)] == [first.name]


@pytest.mark.parametrize("kind", ["symmetric", "pair", "instance"])
def test_noise_lab_makes_a_copy_with_known_truth(workspace, tiny, kind):
    before = np.asarray(datasets.load(tiny).given_labels).copy()
    info = catalog.add_noise(tiny, f"tiny {kind}", kind, 0.2, seed=3)
    data = datasets.load(info)
    assert (np.asarray(data.given_labels) != np.asarray(data.true_labels)).sum() == 12
    assert info.version != tiny.version
    np.testing.assert_array_equal(datasets.load(tiny).given_labels, before)
    catalog.remove_dataset(tiny)  # shares the image file
    assert np.asarray(datasets.load(info).images).sum() > 0


def test_noise_lab_refuses_nonsense(workspace, tiny):
    with pytest.raises(LnlError):
        catalog.add_noise(tiny, "x", "cosmic", 0.2)
    with pytest.raises(LnlError):
        catalog.add_noise(tiny, "x", "pair", 1.5)
    assert [info.name for info in datasets.datasets(workspace)] == ["tiny"]


def test_a_failed_import_leaves_nothing(workspace, tmp_path):
    (tmp_path / "photos" / "cat").mkdir(parents=True)
    (tmp_path / "photos" / "cat" / "1.jpg").write_bytes(b"not an image")
    with pytest.raises(LnlError, match="No image could be read"):
        catalog.import_dataset(workspace, tmp_path / "photos", "cats")
    assert datasets.datasets(workspace) == []
    assert list((workspace.home / "datasets").iterdir()) == []


def test_card_of_a_scored_set(workspace, scored):
    (card,) = catalog.overview(workspace)
    assert card.has_queue
    assert 0 < card.goal <= 60
    counts = catalog.class_counts(scored)
    assert [c["count"] for c in counts] == [20, 20, 20]
    assert 1 < sum(c["wrong"] for c in counts) < 12
    assert not any(c["exact"] for c in counts)


def test_of_a_class_that_is_answered_whole_the_wrong_labels_are_counted(scored):
    given = np.asarray(datasets.load(scored).given_labels)
    rows = np.flatnonzero(given == 1).tolist()
    said = [Decision(row, Action.KEEP, "ann") for row in rows[2:]]
    said += [Decision(row, Action.RELABEL, "ann", label=2) for row in rows[:2]]
    decisions.append(scored, said)
    counts = catalog.class_counts(scored)
    assert [c["exact"] for c in counts] == [False, True, False]
    assert (counts[1]["wrong"], counts[1]["said"]) == (2, 2)


def test_a_noisy_copy_starts_without_what_is_of_its_source_alone(workspace, tmp_path):
    images = np.random.default_rng(4).integers(0, 255, (40, 9, 9, 3), dtype=np.uint8)
    images[20:] = images[:20]
    labels = np.arange(40) % 20 % 3
    np.savez(tmp_path / "twice.npz", images=images, labels=labels)
    catalog.import_dataset(workspace, tmp_path / "twice.npz", "twice")
    info = datasets.dataset(workspace, "twice")
    assert copied.counted(info)["different_labels"] == 0
    datasets.update_meta(
        info, planned_reviews=30, goal_at_start=3, errors_goal=3, filters={"mine": {"given": ["1"]}}
    )
    noisy = catalog.add_noise(info, "noisy", "symmetric", 0.4)
    differing = {int(row) % 20 for row in copied.rows_of(noisy, "labels")}
    assert copied.counted(noisy)["different_labels"] == len(differing) > 5
    meta = datasets.read_meta(noisy)
    assert not {"planned_reviews", "goal_at_start", "errors_goal", "filters"} & set(meta)
    assert saved.saved(noisy) == []


def test_a_card_counts_the_runs_that_are_done(workspace, tiny):
    for state in (JobState.DONE, JobState.FAILED):
        queue.submit(tiny, "knn")
        queue.finish(workspace, queue.claim(workspace).id, state)
    queue.submit(tiny, "knn")
    (card,) = catalog.overview(workspace)
    assert (card.runs, card.active is not None) == (1, True)
