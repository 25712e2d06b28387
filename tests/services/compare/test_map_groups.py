"""Which images are compared in where a network looks: never those that its own score chose."""

from dataclasses import replace

import numpy as np
import pytest

from lnl_core.services.compare import map_groups
from lnl_core.store import arrays, decisions
from lnl_core.types import Action, Decision

ERRORS = [3, 25, 47]


@pytest.fixture
def looking(scored, monkeypatch):
    """`scored`, whose run sr = 1 kept statistics of its maps; three images of each are enough."""
    folder = scored.directory / "runs" / "1"
    energy = np.linspace(0.1, 0.9, 60)
    extras = {"energy_given": 1 - energy, "energy_suggested": energy}
    arrays.save_signals(folder, replace(arrays.load_signals(folder), extras=extras))
    monkeypatch.setattr(map_groups, "FEWEST", 3)
    return scored


def rows_of(info):
    two = map_groups.groups(info, 1)
    return np.flatnonzero(two.right).tolist(), np.flatnonzero(two.wrong).tolist(), two.words


def tell(info, rows):
    mask = np.zeros(60, bool)
    mask[rows] = True
    arrays.write_array(info.directory / "runs" / "1" / "trusted.npy", mask)


def said(info, kept, wrong):
    made = [Decision(row, Action.KEEP, "ann") for row in kept]
    decisions.append(info, made + [Decision(row, Action.NONE, "ann") for row in wrong])


def test_the_known_truth_goes_first_without_images_that_the_run_was_told(looking):
    right, wrong, words = rows_of(looking)
    assert wrong == ERRORS
    assert len(right) == 57
    assert words == "By the known truth: 57 right labels, 3 wrong."
    tell(looking, [0])
    assert rows_of(looking)[:2] == ([row for row in range(1, 60) if row not in ERRORS], ERRORS)
    observed = map_groups.observation(looking, 1)
    assert [len(each) for each in observed.groups["energy_share"]] == [56, 3]
    assert observed.words == "By the known truth: 56 right labels, 3 wrong."


def test_answers_go_next_those_that_the_run_was_not_told(looking):
    tell(looking, [3, 10])  # too few wrong labels of the known truth are left
    said(looking, [10, 11, 12, 13], [3, 20, 21, 22])
    right, wrong, words = rows_of(looking)
    assert (right, wrong) == ([11, 12, 13], [20, 21, 22])
    assert words.startswith("By people's answers that the run was not told: 3 right labels, 3 ")


def test_else_another_run_chooses_and_never_its_own_score(looking):
    tell(looking, [3])
    folder = looking.directory / "runs" / "2"
    other = np.random.default_rng(5).permutation(60) / 60
    arrays.save_signals(folder, replace(arrays.load_signals(folder), suspicion=other))
    right, wrong, words = rows_of(looking)
    order = [row for row in np.argsort(-other) if row != 3]  # of the images that it was not told
    assert wrong == sorted(order[:5])
    assert right == sorted(order[len(order) // 2 :])
    assert "(by people's answers that the run was not told: 0 right labels, 0 wrong; 3 of" in words
    own = looking.directory / "runs" / "1"
    arrays.save_signals(own, replace(arrays.load_signals(own), suspicion=1 - other))
    assert rows_of(looking)[:2] == (right, wrong)


def test_without_another_run_there_are_no_groups_and_it_is_said_what_it_takes(looking):
    tell(looking, [3])
    ranking, _ = arrays.load_ranking(looking.directory / "ranking")
    arrays.save_ranking(looking.directory / "ranking", ranking, {"sr": 1})
    assert map_groups.observation(looking, 1) is None
    said(looking, [10, 11], [20])
    words = "2 right labels, 1 wrong. 3 of each are needed."
    assert map_groups.too_few(looking, 1).endswith(words)
