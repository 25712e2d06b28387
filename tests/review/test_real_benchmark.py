"""The benchmark of skewed, small and odd sets: its cuts, its scores, and one small run of it."""

import numpy as np
import pytest
from PIL import Image

from benchmarks import _drawn, _odd, _real_sets, real
from lnl_core.store import arrays
from lnl_core.types import LabeledDataset
from tests.conftest import shared


def case(given, truth, names=("a", "b", "c")):
    n = len(given)
    images = np.zeros((n, 8, 8, 3), np.uint8)
    ids = [str(row) for row in range(n)]
    dataset = LabeledDataset("set", names, np.asarray(given), ids, images, true_labels=truth)
    return _real_sets.known("case", dataset, np.zeros((n, 4), np.float32))


def test_a_cut_falls_from_800_by_the_ratio():
    labels = np.repeat(np.arange(5), 900)
    rows = _real_sets.long_tail(labels, 16, 0)
    assert sorted(np.bincount(labels[rows]).tolist()) == [50, 100, 200, 400, 800]
    assert len(np.unique(rows)) == len(rows)
    assert not np.array_equal(rows, _real_sets.long_tail(labels, 16, 1))


def test_scores_by_hand():
    one = case([0, 0, 1, 2], np.array([0, 1, 1, 0]))
    p = np.array([0.1, 0.9, 0.2, 0.6])
    found = real.scores(one, p, np.array([1, 1, 0, 1]), p)
    assert (found["ap"], found["fix"], found["wrong"]) == (1, 0.5, 0.5)
    assert (found["mean_p"], found["above"]) == (0.45, 2)
    clean = real.scores(case([0, 1], np.array([0, 1])), np.array([0.2, 0.7]), None, [0.2, 0.7])
    assert "ap" not in clean
    assert clean["above"] == 1


def test_what_suggestions_can_reach_by_hand():
    """Of three wrong labels two are suggested first, one third; other methods know another one."""
    one = case([0, 0, 0, 1], np.array([1, 2, 2, 1]))
    top = np.array([[1, 2, 0], [2, 1, 0], [1, 2, 0], [0, 2, 1]])
    found = real.scores(one, np.zeros(4), top)
    assert (found["fix"], found["fix3"]) == (0.6667, 1.0)
    assert "fix3" not in real.scores(one, np.zeros(4), top[:, 0])
    firsts = [np.array([1, 1, 1, 2]), np.array([2, 2, 1, 2])]
    assert real.reach(one, firsts) == {"n": 4, "fix": 0.6667}
    assert real.reach(one, [*firsts, np.array([0, 0, 2, 0])])["fix"] == 1.0


def test_what_is_not_judged_is_not_scored():
    one = case([0, 0, 1, 2], np.array([0, 1, 1, 0]))
    part = _real_sets.Case(
        "part",
        one.dataset,
        one.features,
        np.array([0, 3]),
        np.array([0, 0]),
        np.array([False, True]),
    )
    assert real.scores(part, np.array([0.5, 0.9, 0.9, 0.1]), None)["ap"] == 0.5


def test_what_chance_drew_speaks_for_the_rest():
    """Ten images: two doubted, both wrong; four drawn by chance, one wrong and one vague."""
    seen = [("wrong", "suspected")] * 2
    seen += [("wrong", "random"), ("right", "random"), ("right", "random"), ("ambiguous", "random")]
    checked = [{"verdict": verdict, "drawn": drawn} for verdict, drawn in seen]
    found = _drawn.drawn(checked, 10)
    assert (found.clear, found.unjudged) == (5, 4)
    assert found.share == pytest.approx((3 + 4 * 0.75 / 3) / (5 + 4 * 0.75))
    assert found.unclear == pytest.approx((4 + 4 * 0.5) / 10)
    low, high = found.limits
    assert 3 / 8 < low < found.share < high < 6 / 8
    everything = _drawn.drawn(checked, 6)
    assert everything.share == everything.limits[0] == everything.limits[1] == 0.6


def test_where_a_part_was_judged_p_is_that_of_the_whole_but_what_is_vague():
    one = case([0, 0, 1, 2], np.array([0, 1, 1, 0]))
    how = _drawn.Drawn(1, 2, 1, 1, 0, 0, 1)
    judged, truth, wrong = np.array([0, 1]), np.array([0, 1]), np.array([False, True])
    part = _real_sets.Case(
        "part", one.dataset, one.features, judged, truth, wrong, drawn=how, vague=(3,)
    )
    p = np.array([0.1, 0.9, 0.2, 0.6])
    found = real.scores(part, p, None, p)
    assert (found["mean_p"], found["wrong"], found["wrong_all"]) == (0.4, 0.5, 0.3333)


def test_rare_right_labels_at_the_head_are_counted():
    """Class c has one image of eight; the average is 8 / 3."""
    one = case([0, 0, 0, 0, 1, 1, 1, 2], np.array([0, 0, 0, 1, 1, 1, 1, 2]))
    first = real.scores(one, np.array([0, 0, 0, 0.5, 0, 0, 0, 0.9]), None)
    assert first["rare25"] == 1 / 8
    wrong = case([0, 0, 0, 0, 1, 1, 1, 2], np.array([0, 0, 0, 1, 1, 1, 1, 0]))
    assert "rare25" not in real.scores(wrong, np.zeros(8), None)


def test_seeds_are_told_as_mean_and_half_of_what_they_differ_by():
    runs = [{"probe": {"ap": ap, "n": 9, "classes": {"a": seed}}} for seed, ap in enumerate((1, 2))]
    row = real.over_seeds(runs)["probe"]
    assert (row["ap"], row["seeds"], row["classes"]) == (1.5, 2, {"a": 0})
    assert row["spread"] == {"ap": 0.5}
    assert "spread" not in real.over_seeds(runs[:1])["probe"]


def test_a_thousand_classes_keep_the_wrong_labels_of_people():
    rng = np.random.default_rng(0)
    truth = np.repeat(np.arange(2), 600)
    given = truth.copy()
    given[::10] = 1 - given[::10]
    dataset = case(given, truth, names=("a", "b")).dataset
    features = rng.normal(size=(1200, 8)).astype(np.float32)
    rows, own, labels = _odd.thousand_classes(dataset, features)
    assert np.bincount(own).tolist() == [5] * 200
    assert len(np.unique(rows)) == 1000
    assert np.array_equal(own // 100, truth[rows])
    assert np.array_equal(labels // 100, given[rows])
    right = given[rows] == truth[rows]
    assert np.array_equal(labels[right], own[right])


def test_odd_pictures_go_through_the_importers(tmp_path):
    """Twelve bits and a wide strip as the desk stores them, in the order of the list."""

    def write(folder):
        dark = Image.fromarray(np.full((4, 32), 4095, np.uint16))
        images = [dark, Image.new("L", (32, 4), 200)]
        return _odd.listed(folder, images, ["a", "b"], ["a", "a"])

    dataset = _odd.imported("wide", tmp_path, write)
    assert dataset.images.shape[3] == 1
    assert list(dataset.ids) == ["0.png", "1.png"]
    assert dataset.true_labels.tolist() == [0, 0]
    assert dataset.images[1].max() == 200
    assert _odd.imported("wide", tmp_path, lambda _: 1 / 0).ids[0] == "0.png"  # kept


def test_the_head_of_a_skewed_queue_is_not_rare_right_labels(tmp_path):
    """The benchmark itself, on what comes with the repository: 600 photographs and 351 digits.

    A script of logistic regression and cleanlab puts rare classes first because they are rare; a
    ranking that did the same would come as far in `rare25`.
    """
    out = tmp_path / "real.json"
    arguments = ["--sets", "shipped", "--methods", "probe", "--seeds", "0"]
    real.main([*arguments, "--work", str(tmp_path), "--out", str(out)])
    found = arrays.read_json(out)
    for name, most in (("shipped-clothing", 0.4), ("shipped-digits", 0.16)):
        plain, ours = found[name]["cleanlab, same features"], found[name]["probe"]
        assert ours["rare25"] <= most < plain["rare25"] - 0.1
        assert ours["ap"] > plain["ap"] + 0.03
    assert found["shipped-digits"]["probe"]["first25"] >= 0.8


@pytest.mark.long
def test_the_small_sets_run(tmp_path):
    shared("cifar10n_dev.npz")
    out = tmp_path / "real.json"
    arguments = ["--sets", "small", "--methods", "probe", "--seeds", "0"]
    real.main([*arguments, "--work", str(tmp_path), "--out", str(out)])
    assert len(arrays.read_json(out)) == 8


def test_tables_are_means_over_sets_with_what_seeds_differ_by(capsys, tmp_path):
    """Sets that were not measured have no row."""
    both = {
        f"true-{column}-10": {
            title: {"ap": ap + place / 10, "fix": 0.5, "spread": {"ap": 0.02 * place}}
            for title, ap in (
                ("random order", 0.1),
                ("cleanlab, same features", 0.2),
                ("the same, by class shares", 0.3),
                ("probe", 0.4),
                ("consensus of probe, knn", 0.5),
            )
        }
        for place, column in enumerate(_real_sets.COLUMNS)
    }
    arrays.write_json(tmp_path / "real.json", both)
    real.main(["--tables", "--out", str(tmp_path / "real.json")])
    rows = [line for line in capsys.readouterr().out.splitlines() if "cuts by true" in line]
    assert [[cell.strip() for cell in row.split("|")[1:-1]] for row in rows] == [
        [
            "cuts by true label, 10 : 1: probe, knn",
            ".200 ± .020",
            ".300 ± .020",
            ".400 ± .020",
            ".500 ± .020",
            ".600 ± .020",
            ".500",
        ]
    ]
