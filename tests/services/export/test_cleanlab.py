"""What cleanlab is given, read by cleanlab itself."""

import re

import numpy as np
import pandas as pd
import pytest

from lnl_core.data.layouts import cleanlab
from lnl_core.review import consensus
from lnl_core.services.export import exporting, single_run
from lnl_core.store import arrays, datasets, decisions
from lnl_core.types import Action, Decision, LnlError
from tests.services.compare.test_untrained import score, with_splits
from tests.services.conftest import opinions


def test_cleanlab_takes_its_files(workspace, scored, tmp_path):
    filters = pytest.importorskip("cleanlab.filter")
    from cleanlab import multiannotator, rank
    from cleanlab.classification import CleanLearning
    from sklearn.linear_model import LogisticRegression

    made = [
        Decision(3, Action.RELABEL, "ann", label=0),
        Decision(3, Action.KEEP, "bob"),
        Decision(25, Action.NONE, "ann"),
        Decision(47, Action.RELABEL, "ann", label=2),
        Decision(5, Action.KEEP, "ann"),
    ]
    decisions.append(scored, made)
    out = tmp_path / "cleanlab"
    assert exporting.write_export(scored, "cleanlab", out).rows == 60
    labels, probs = np.load(out / "labels.npy"), np.load(out / "pred_probs.npy")
    np.testing.assert_allclose(probs.sum(axis=1), 1, atol=1e-5)
    found = filters.find_label_issues(
        labels, probs, filter_by="low_normalized_margin", return_indices_ranked_by="self_confidence"
    )
    assert set(found) <= set(range(60))
    quality = rank.get_label_quality_scores(labels, probs, method="self_confidence")
    assert set(np.argsort(quality)[:3]) == {3, 25, 47}
    own = arrays.load_signals(scored.directory / "runs" / "2").pred_probs  # knn's, unseen labels
    np.testing.assert_allclose(probs, own, atol=1e-6)
    ours, theirs = (filters.find_label_issues(labels, each, n_jobs=1) for each in (probs, own))
    np.testing.assert_array_equal(ours, theirs)  # what cleanlab finds on the run's own
    assert "pred_probs: run 2, Nearest neighbours, out of fold" in (out / "README.txt").read_text()
    issues = pd.read_csv(out / "label_issues.csv")
    assert list(issues.columns) == [
        "is_label_issue",
        "label_quality",
        "given_label",
        "predicted_label",
    ]
    assert issues["is_label_issue"].dtype == bool
    assert set(np.flatnonzero(issues["is_label_issue"])) >= {25, 47}
    assert issues["predicted_label"][47] == 2
    images = datasets.load(scored).images.reshape(60, -1) / 255
    learner = CleanLearning(LogisticRegression(max_iter=200))
    learner.fit(images, labels, label_issues=issues)
    kept = learner.get_label_issues()
    assert kept["is_label_issue"].tolist() == issues["is_label_issue"].tolist()
    people = pd.read_csv(out / "multiannotator.csv")
    assert people.loc[3].tolist() == [1, 0, 1]
    consensus = multiannotator.get_label_quality_multiannotator(
        people, probs.astype(np.float64), verbose=False
    )
    assert len(consensus["label_quality"]) == 60
    assert "get_label_quality_multiannotator(people" in (out / "README.txt").read_text()
    assert (out / "ids.txt").read_text().splitlines()[47] == "item-00047"


def ranked_by(info, *keys):
    """Rank a set by runs with these names, numbered from 1."""
    data = datasets.load(info)
    found = [opinions(data, key, seed) for seed, key in enumerate(keys, 1)]
    runs = {key: number for number, key in enumerate(keys, 1)}
    for signals in found:
        arrays.save_signals(info.directory / "runs" / str(runs[signals.method]), signals)
    ranking = consensus.rank(found, np.asarray(data.given_labels), info.class_count)
    arrays.save_ranking(info.directory / "ranking", ranking, runs)


@pytest.mark.parametrize(
    ("keys", "chosen", "words"),
    [
        (("sr", "knn", "confident", "probe"), 4, "out of fold: no model has seen"),
        (("sr", "confident", "knn@pretrained"), 3, "out of fold: no model has seen"),
        (("sr", "own-my-vit"), 2, "as you brought them"),
        (("probe", "probe@run:1"), 1, "out of fold: no model has seen"),
        (("sr", "knn@run:1"), 1, "not out of fold"),
        (("jump", "sr"), 2, "not out of fold.*--methods probe"),
    ],
)
def test_cleanlab_gets_one_run(workspace, tiny, keys, chosen, words):
    ranked_by(tiny, *keys)
    single = single_run.choose(tiny)
    assert single.words.startswith(f"run {chosen}, ")
    assert re.search(words, single.words)
    assert "was told" not in single.words
    told = np.zeros(60, bool)
    told[:7] = True
    arrays.write_array(tiny.directory / "runs" / str(chosen) / "trusted.npy", told)
    assert "was told the right label of 7 images" in single_run.choose(tiny).words


@pytest.mark.parametrize(
    ("chosen", "said", "unsaid"),
    [
        (
            {"train_on": ["train"], "judge": ["val"]},
            [
                "learned from 45 images of a split that it was not",
                "judged 15 images that it did not",
            ],
            "knows nothing",
        ),
        ({"train_on": ["train"]}, ["judged 15 images that it did not"], "was not asked"),
        ({"judge": ["val"]}, ["learned from 45 images of a split"], "did not learn from"),
        ({"train_on": ["train"], "judge": ["train"]}, ["knows nothing of 15 images"], "judged"),
        ({}, [], "It "),
    ],
)
def test_rows_of_images_that_a_run_did_not_learn_from_or_judge_are_told_apart(
    tiny, chosen, said, unsaid, tmp_path
):
    info = with_splits(tiny)
    score(info, "knn", **chosen)
    words = single_run.choose(info).words
    assert [each for each in said if each not in words] == []
    assert unsaid not in words
    exporting.write_export(info, "cleanlab", tmp_path / "out")
    readme = (tmp_path / "out" / "README.txt").read_text()
    assert words in " ".join(readme.split())
    assert "get_label_quality_multiannotator(" not in readme  # cleanlab refuses `given` alone


def test_cleanlab_gets_probabilities_of_classes_alone():
    probs = np.array([[0.5, 0.25, 0.25], [0.0, 1.0, 0.0]])
    found = cleanlab._probabilities(probs, (1,))
    np.testing.assert_allclose(found, [[2 / 3, 0, 1 / 3], [0.5, 0, 0.5]], atol=1e-6)


def test_cleanlab_needs_probabilities(workspace, tiny, tmp_path):
    with pytest.raises(LnlError, match="nothing is scored"):
        exporting.write_export(tiny, "cleanlab", tmp_path / "x")
    assert not (tmp_path / "x").exists()
