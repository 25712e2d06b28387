import tempfile

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

import lnl_core as lnl
from lnl_core.types import LnlError

RNG = np.random.default_rng(0)


def blobs(n=120, k=3, d=6, wrong=10):
    """Features of k clear classes, labels of which `wrong` are moved on, and which those are."""
    truth = np.arange(n) % k
    centres = 6 * np.eye(k, d)
    features = centres[truth] + RNG.normal(size=(n, d))
    rows = np.arange(0, n, n // wrong)[:wrong]
    labels = truth.copy()
    labels[rows] = (labels[rows] + 1) % k
    return features, labels, truth, rows


def stripes(n=60):
    """Images of 8 pixels with a bright left or right half; the first four labels are wrong."""
    truth = np.arange(n) % 2
    images = RNG.integers(0, 60, (n, 8, 8), dtype=np.uint8)
    images[truth == 0, :, :4] += 150
    images[truth == 1, :, 4:] += 150
    labels = truth.copy()
    labels[:4] = 1 - labels[:4]
    return images, labels


def probabilities(truth, k, sure=0.9):
    probs = np.full((len(truth), k), (1 - sure) / (k - 1))
    probs[np.arange(len(truth)), truth] = sure
    return probs


def test_errors_are_found_as_a_mask_and_in_order():
    _, labels, truth, rows = blobs()
    probs = probabilities(truth, 3)
    probs[rows[3]] = [0.02, 0.02, 0.96] if truth[rows[3]] == 2 else probs[rows[3]]
    mask = lnl.find_label_errors(labels, probs)
    assert mask.dtype == bool
    assert np.flatnonzero(mask).tolist() == rows.tolist()
    ranked = lnl.find_label_errors(labels, probs, ranked=True)
    assert sorted(ranked.tolist()) == rows.tolist()


def test_labels_may_be_names_where_the_columns_have_names():
    _, labels, truth, rows = blobs()
    names = ["cat", "dog", "owl"]
    told = [names[label] for label in labels]
    mask = lnl.find_label_errors(told, probabilities(truth, 3), class_names=names)
    assert np.flatnonzero(mask).tolist() == rows.tolist()
    table = lnl.rank_probs(told, [probabilities(truth, 3)], class_names=names)
    assert set(table["suggested_label"]) <= set(names)
    assert (table["given_label"] != table["suggested_label"]).all()


def test_several_models_give_a_column_each_and_ids():
    _, labels, truth, rows = blobs()
    sure, unsure = probabilities(truth, 3), probabilities(truth, 3, sure=0.6)
    ids = [f"photo {row}" for row in range(len(labels))]
    table = lnl.rank_probs(labels, {"sure": sure, "unsure": unsure}, ids=ids)
    assert len(table) == len(labels)
    assert sorted(table.index[: len(rows)]) == rows.tolist()
    assert (table["id"] == [ids[row] for row in table.index]).all()
    assert table["p_wrong"].is_monotonic_decreasing
    np.testing.assert_allclose(table["label_quality"], 1 - table["suspicion"])
    assert table.loc[rows[0], "suspicion_sure"] == pytest.approx(0.95)
    assert set(table.attrs["weights"]) == {"sure", "unsure"}
    # From two chances alone nobody tells doubt from wrong labels: as many as they contradict.
    assert table.attrs["noise_rate"] == pytest.approx(len(rows) / len(labels), rel=0.05)


@pytest.mark.parametrize(
    ("labels", "probs", "word"),
    [
        ([0, 1], [[0.5, 0.5]], "2 labels and 1 rows"),
        ([0, 2], [[0.5, 0.5], [0.5, 0.5]], "Row 1 has the label"),
        ([0, -1], [[0.5, 0.5], [0.5, 0.5]], "Row 1 has the label"),
        ([0, 1], [[0.5, 0.5], [1.5, 2.5]], "first row 1, which sums to 4"),
        ([0, 1], [[0.5, 0.5], [np.nan, 1.0]], "first row 1"),
        ([0, 1], [[1.2, -0.2], [0.5, 0.5]], "first row 0"),
        ([0, 1], [[1.0], [1.0]], "two classes or more"),
        (["a", "b"], [[0.5, 0.5], [0.5, 0.5]], "Give class_names="),
        ([0.0, 1.0], [[0.5, 0.5], [0.5, 0.5]], r"labels.astype\(int\)"),
        ([0, None], [[0.5, 0.5], [0.5, 0.5]], "Row 1 has no label"),
        ([0.0, np.nan], [[0.5, 0.5], [0.5, 0.5]], "Row 1 has no label"),
        ([[0, 1], [0]], [[0.5, 0.5], [0.5, 0.5]], "labels cannot be read as one array"),
    ],
)
def test_bad_probabilities_and_labels_are_refused_in_words(labels, probs, word):
    with pytest.raises(LnlError, match=word):
        lnl.find_label_errors(labels, np.array(probs))


def test_a_mask_holds_every_label_that_is_clearly_wrong():
    truth = np.arange(1000) % 4
    labels, rows = truth.copy(), RNG.choice(1000, 100, replace=False)
    labels[rows] = (labels[rows] + RNG.integers(1, 4, 100)) % 4
    probs = probabilities(truth, 4, sure=0.85) + RNG.uniform(0, 0.01, (1000, 4))
    mask = lnl.find_label_errors(labels, probs / probs.sum(axis=1, keepdims=True))
    assert np.flatnonzero(mask).tolist() == sorted(rows.tolist())


def test_a_model_that_says_nothing_calls_no_label_wrong():
    labels = np.arange(200) % 4
    assert not lnl.find_label_errors(labels, np.full((200, 4), 0.25)).any()


def test_named_columns_are_brought_into_the_order_of_the_classes():
    _, labels, truth, rows = blobs()
    names = ["cat", "dog", "owl"]
    table = pd.DataFrame(probabilities(truth, 3), columns=names)[["owl", "cat", "dog"]]
    mask = lnl.find_label_errors(labels, table, class_names=names)
    assert np.flatnonzero(mask).tolist() == rows.tolist()
    with pytest.raises(LnlError, match="Name the columns like the classes"):
        lnl.find_label_errors(labels, table.rename(columns={"owl": "hen"}), class_names=names)
    with pytest.raises(LnlError, match="must be a list"):
        lnl.find_label_errors(labels, table, class_names={0: "cat", 1: "dog", 2: "owl"})


def test_one_array_where_a_list_is_wanted_is_refused():
    with pytest.raises(LnlError, match=r"\[pred_probs\]"):
        lnl.rank_probs([0, 1], np.full((2, 2), 0.5))
    with pytest.raises(LnlError, match="at least one"):
        lnl.rank_probs([0, 1], [])
    with pytest.raises(LnlError, match="model_2 has the shape"):
        lnl.rank_probs([0, 1], [np.full((2, 2), 0.5), np.full((2, 3), 1 / 3)])


def test_methods_rank_features():
    features, labels, _, rows = blobs()
    told = []
    table = lnl.rank(
        features, labels, ["probe", "knn"], progress=lambda words, done: told.append(done)
    )
    assert sorted(table.index[: len(rows)]) == rows.tolist()
    assert {"suspicion_probe", "suspicion_knn"} <= set(table.columns)
    assert told == sorted(told)
    assert told[-1] == 1


@pytest.mark.parametrize("form", ["list", "table", "tensor"])
def test_features_of_any_library_are_the_same_features(form):
    features, labels, _, rows = blobs()
    given = {
        "list": features.tolist(),
        "table": pd.DataFrame(features),
        "tensor": torch.tensor(features, requires_grad=True),
    }[form]
    table = lnl.rank(given, labels, ["knn"], progress=False)
    assert sorted(table.index[: len(rows)]) == rows.tolist()


def test_methods_rank_images_and_say_what_they_suggest():
    images, labels = stripes()
    names = np.array(["left", "right"])[labels]
    table = lnl.rank(images, names, ["probe"], progress=False)
    assert sorted(table.index[:4]) == [0, 1, 2, 3]
    assert set(table["given_label"]) == {"left", "right"}


def test_the_default_recipe_runs_where_no_method_is_named():
    features, labels, _, rows = blobs()
    table = lnl.rank(features, labels, progress=False)
    assert {"suspicion_probe", "suspicion_jump"} <= set(table.columns)
    assert sorted(table.index[: len(rows)]) == rows.tolist()


def test_one_method_may_be_asked_for_on_features_and_another_on_pixels():
    images, labels = stripes()
    knobs = {"ce": {"epochs": 2, "backbone": "mlp"}}
    table = lnl.rank(images, labels, ["ce", "sr@raw"], overrides=knobs, progress=False)
    assert {"suspicion_ce", "suspicion_sr@raw"} <= set(table.columns)


@pytest.mark.parametrize("scratch", ["scratch", "100%20 a?b=c#d"])
def test_a_folder_brings_its_own_labels(tmp_path, monkeypatch, scratch):
    (tmp_path / scratch).mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / scratch))
    images, labels = stripes()
    for row, (image, label) in enumerate(zip(images, labels, strict=True)):
        file = tmp_path / "photos" / ("left", "right")[label] / f"{row:03}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(file)
    table = lnl.rank(tmp_path / "photos", methods=["probe"], progress=False)
    assert sorted(name[-7:] for name in table["id"][:4]) == [f"{row:03}.png" for row in range(4)]
    with pytest.raises(LnlError, match="brings its own labels"):
        lnl.rank(tmp_path / "photos", labels, ["probe"])
    assert {each.name for each in tmp_path.iterdir()} == {"photos", scratch}


def test_what_cannot_be_ranked_is_refused_in_words():
    features, labels, _, _ = blobs()
    images, image_labels = stripes()
    for arguments, word in (
        ((features, labels, ["magic"]), "no method “magic”"),
        ((features, labels, ["probe", "probe"]), "twice"),
        ((features, labels, []), "No method"),
        ((features, labels, ["hnml"]), "hnml needs images"),
        ((features, None, ["probe"]), "no labels"),
        ((features, ["a", None, *labels[2:]], ["probe"]), "Row 1 has no label"),
        ((features, ["a", *labels[1:].tolist()], ["probe"]), "several kinds"),
        ((features, labels + 1, ["probe"]), "No image has the label 0"),
        ((features, labels, "probe"), r"must be a list: \[.probe.\]"),
        ((features * 1e39, labels, ["probe"]), "not finite in float32"),
        ((features[:, :0], labels, ["probe"]), "no columns"),
        (([images[0], images[1][:4]], [0, 1], ["probe"]), "cannot be read as one array"),
        ((np.zeros((60, 3, 8, 8), np.uint8), image_labels, ["probe"]), "Channels come last"),
        ((features, labels[:-1], ["probe"]), "119 labels and 120 images"),
        ((images.astype(float), image_labels, ["probe"]), "must be uint8"),
        ((np.full((4, 3), np.nan), [0, 1, 0, 1], ["probe"]), "Row 0 of the features"),
    ):
        with pytest.raises(LnlError, match=word):
            lnl.rank(*arguments, progress=False)
    with pytest.raises(LnlError, match="no preset"):
        lnl.rank(features, labels, ["probe"], preset="slow", progress=False)
    with pytest.raises(LnlError, match="Row 1 has the id “a” a second time"):
        lnl.rank(features, labels, ["probe"], ids=["a"] * len(labels), progress=False)
    with pytest.raises(LnlError, match="A seed is a whole number"):
        lnl.rank(features, labels, ["probe"], seed=-1, progress=False)
    with pytest.raises(LnlError, match="knobs for “sr”, which is not run"):
        lnl.rank(features, labels, ["probe"], overrides={"sr": {"tau": 1}}, progress=False)


def test_progress_is_one_line_that_ends(capsys):
    features, labels, _, _ = blobs()
    lnl.rank(features, labels, ["probe"])
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert said.endswith("\n")
    assert "100 % Probe" in said
