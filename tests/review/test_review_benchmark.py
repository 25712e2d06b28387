"""The simulated review: its plan, its promise, its counts."""

from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks import review


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
    made.expected = lambda rows: review.Project.expected(made, rows)
    return made


def test_a_plan_stops_sooner_and_keeps_the_promise(project):
    found = review.measure(project, goal=60, seeds=3)
    assert found["planned"]["reviews"] < 0.8 * found["mixed"]["reviews"]
    assert found["order"] < found["planned"]["reviews"]
    assert found["planned"]["false"] == found["mixed"]["false"] == 0
    assert found["planned"]["left"] <= 60
    left = project.wrong.sum() - project.wrong[project.order[: found["order"]]].sum()
    assert left == 60
