import dataclasses

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from lnl_core.jobs import bases, queue
from lnl_core.services.compare import comparing, differences
from lnl_core.services.runs.running import start_runs
from lnl_core.store import arrays, datasets
from lnl_core.types import JobState
from tests.services.conftest import opinions


def wrong_of(info):
    data = datasets.load(info)
    return np.asarray(data.true_labels) != np.asarray(data.given_labels)


def test_every_method_gets_as_many_reviews_as_there_are_wrong_labels(scored):
    compared = comparing.compare(scored)
    found = differences.by_class(scored, compared)
    wrong = wrong_of(scored)
    assert found.reviews == wrong.sum() == 3
    assert set(found.shares) == set(compared.detections)
    given = np.asarray(datasets.load(scored).given_labels)
    for key, shares in found.shares.items():
        score = comparing.suspicion(scored, next(c for c in compared.candidates if c.key == key))
        top = np.argsort(-np.asarray(score), kind="stable")[:3]
        assert shares.reviewed.sum() == 3
        for label in range(3):
            hits = wrong[top[given[top] == label]].sum()
            assert shares.recall[label] == pytest.approx(
                hits / (wrong & (given == label)).sum(), nan_ok=True
            )


def test_what_was_compared_is_said(scored):
    found = differences.pairs(comparing.compare(scored))
    assert len(found) == 3
    said = differences.words(found)
    assert "of 3 pairs" in said
    assert "Holm" in said
    assert differences.words([]) == ""


def test_without_a_truth_there_is_nothing(scored):
    (scored.directory / "true_labels.npy").unlink()
    bare = dataclasses.replace(scored, has_truth=False)
    compared = comparing.compare(bare)
    assert differences.by_class(bare, compared).shares == {}
    assert differences.pairs(compared) == []
    assert differences.seeds(bare, None) == []


def done(info, jobs, seed=0):
    """Finish the one run of `jobs` with an opinion of that seed; return its number."""
    (job,) = jobs
    signals = opinions(datasets.load(info), job.method, seed)
    arrays.save_signals(info.directory / "runs" / str(job.id), signals)
    claimed = queue.claim(info.workspace)
    assert claimed is not None
    queue.finish(info.workspace, claimed.id, JobState.DONE)
    return job.id


def test_runs_that_differ_in_nothing_but_the_seed_stand_together(scored, no_worker):
    data = datasets.load(scored)
    expected = {}
    for seed in (0, 1, 2):
        done(scored, start_runs(scored, ["ce"], "quick", seed=seed), 10 + seed)
        signals = opinions(data, "ce", 10 + seed)
        expected[seed] = average_precision_score(wrong_of(scored), signals.suspicion)
    (several,) = differences.seeds(scored, None)
    assert several.values == pytest.approx(expected)
    assert several.mean == pytest.approx(np.mean(list(expected.values())))


def test_seeds_of_other_networks_are_no_seeds_of_this_one(scored, no_worker):
    base = done(scored, start_runs(scored, ["ce"], "quick", seed=9))
    (scored.directory / "runs" / str(base) / bases.NETWORK).touch()
    done(scored, start_runs(scored, ["influence"], "quick", seed=0))
    done(scored, start_runs(scored, ["influence"], "quick", seed=1, base=base))
    assert differences.seeds(scored, None) == []


def test_recall_in_a_class_is_compared_as_it_is_shown(scored):
    compared = comparing.compare(scored)
    shares = differences.by_class(scored, compared).shares
    found = differences.class_pairs(scored, compared)
    assert {each.label for each in found} == {0, 1, 2}
    assert len(found) == 9
    for each in found:
        gap = shares[each.one].recall[each.label] - shares[each.other].recall[each.label]
        assert each.gap == pytest.approx(gap)
    assert "of 9 differences are clear" in differences.class_pair_words(found)
    assert differences.reference(compared) == compared.best().key, "plain training has not run"
