"""The simulated review: its plan, its promise, its counts."""

from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks import _accepting, _effort, review
from lnl_core.types import Signals


@pytest.fixture
def project():
    """Two thousand images, a tenth wrong, scores that see four of five of them."""
    rng = np.random.default_rng(0)
    wrong = rng.random(2000) < 0.1
    seen = wrong & (rng.random(2000) < 0.8)
    p = np.clip(np.where(seen, 0.8, 0.03) + 0.1 * rng.normal(size=2000), 0.001, 0.999)
    given = rng.integers(0, 4, 2000)
    made = SimpleNamespace(
        p=p, wrong=wrong, given=given, suggested=(given + 1) % 4, order=np.argsort(-p)
    )
    made.alone = lambda goal: review.Project.alone(made, goal)
    made.expected = lambda *seen: review.Project.expected(made, *seen)
    made.foreseen = lambda goal: review.Project.foreseen(made, goal)
    return made


def test_a_plan_stops_sooner_and_keeps_the_promise(project):
    found = review.measure(project, goal=60, seeds=3)
    assert found["planned"]["reviews"] < 0.8 * found["mixed"]["reviews"]
    assert found["order"] < found["foreseen"] < found["mixed"]["reviews"]
    assert found["planned"]["false"] == found["mixed"]["false"] == 0
    assert found["planned"]["left"] <= 60
    left = project.wrong.sum() - project.wrong[project.order[: found["order"]]].sum()
    assert left == 60


def test_reviews_stop_at_the_part_of_the_risk_that_the_product_takes(project, monkeypatch):
    stops = [review.review(project, 0, 60, planned=True)]
    monkeypatch.setattr(review.auditing, "risk", lambda: 0.4)
    stops.append(review.review(project, 0, 60, planned=True))
    assert stops[1]["audits"] < stops[0]["audits"]


def test_a_perfect_order_has_the_whole_area_and_a_random_one_its_share():
    wrong = np.arange(400) < 100
    said = _effort.answers(_effort.PERFECT, wrong, wrong, seed=0)
    best = _effort.curve(np.arange(400), said, wrong)
    assert (best["auc"], best["found_1E"], best["to_80"], best["spoilt"]) == (1.0, 1.0, 80, 0)
    by_chance = _effort.curve(np.random.default_rng(0).permutation(400), said, wrong)
    assert by_chance["found_1E"] == pytest.approx(0.25, abs=0.13)
    assert best["fixed_per_minute"] == pytest.approx(60 / 2.5)  # two seconds, and one key


def test_a_reviewer_errs_as_often_as_told():
    wrong = np.arange(40_000) % 2 == 0
    helped = np.arange(40_000) % 4 == 0
    person = _effort.Person(0.9, 0.1, unsure=0.2, bias=0.3)
    said = _effort.answers(person, wrong, helped, seed=1)
    assert said.called[wrong].mean() == pytest.approx(0.8 * 0.9, abs=0.01)
    assert said.spoilt[~wrong].mean() == pytest.approx(0.8 * 0.1, abs=0.01)
    assert said.fixed[helped].mean() == pytest.approx(0.8 * 0.9, abs=0.01)
    assert said.fixed[wrong & ~helped].mean() == pytest.approx(0.8 * 0.9 * 0.7, abs=0.01)


def test_every_order_shows_every_image_once():
    rng = np.random.default_rng(0)
    truth = np.arange(300) % 3
    given = np.where(rng.random(300) < 0.2, (truth + 1) % 3, truth)
    heard = []
    for name in ("a", "b"):
        probs = rng.dirichlet(np.ones(3), 300) * 0.5
        probs[np.arange(300), truth] += 0.5
        heard.append(Signals(name, 1 - probs[np.arange(300), given], probs))
    lines = []
    told = _effort.measure(heard, given, truth, 3, tell=lines.append)
    assert len(lines) == 3 * 6
    assert told["never errs"]["ours"]["found_2E"] > 0.9
    ways, ranking = _effort.orders(heard, given, 3)
    ways["answers"] = _effort.with_answers(ranking, given, truth != given)
    assert all(sorted(order.tolist()) == list(range(300)) for order in ways.values())


def test_a_check_passes_as_often_as_its_pool_lets_it():
    right = np.arange(1000) >= 30
    said = _accepting._checked(right, 59, 0.95)
    assert said["passes"] == pytest.approx(0.97**59, abs=0.03)
    assert said["false"] == 0  # 3 % wrong is what was asked for
    worse = _accepting._checked(np.arange(1000) >= 60, 59, 0.95)
    assert worse["false"] == worse["passes"] > 0
