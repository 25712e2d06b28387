"""A set whose suggestions are nearly all right, and what one does with a plan for it."""

import uuid

import numpy as np
import pytest

from lnl_core.services import in_force
from lnl_core.services.review import accepting, proposing, recording
from lnl_core.store import arrays, audits, datasets
from lnl_core.types import Signals
from tests import rankings
from tests.conftest import write_dataset

N, K = 1200, 3


@pytest.fixture
def birds(workspace, tmp_path):
    """Images of which a third is wrong; the method is sure, and right in 98 of 100 suggestions."""
    rng = np.random.default_rng(3)
    truth = np.arange(N) % K
    wrong = rng.random(N) < 0.35
    given = np.where(wrong, (truth + 1) % K, truth)
    folder = tmp_path / "birds"
    folder.mkdir()
    images = rng.integers(0, 255, (N, 4, 4, 1), dtype=np.uint8)
    write_dataset(folder, images, given, ["auk", "bee", "cod"], truth=truth)
    info = datasets.register(workspace, "birds", folder)
    believed = np.where(rng.random(N) < 0.02, given, truth)
    probs = np.full((N, K), 0.005)
    probs[np.arange(N), believed] = 0.99
    probs /= probs.sum(axis=1, keepdims=True)
    signals = Signals("sr", 1 - probs[np.arange(N), given], probs)
    arrays.save_signals(info.directory / "runs" / "1", signals)
    arrays.save_ranking(info.directory / "ranking", rankings.rank([signals], given, K), {"sr": 1})
    return info


def answer(info, *rows, who="ann", label=None, action=None):
    data = datasets.load(info)
    given = np.asarray(data.given_labels)

    def entry(row):
        true = int(np.asarray(data.true_labels)[row]) if label is None else label
        said = {"action": "keep"} if true == given[row] else {"action": "relabel", "label": true}
        return {
            "cid": uuid.uuid4().hex,
            "row": int(row),
            **({"action": action} if action else said),
        }

    done = recording.record(info, who, [entry(row) for row in rows])
    assert not done.problems


def begun(info, who="ann", **more):
    chosen = proposing.pool(info, least=more.pop("least", 0.5), filters=more.pop("filters", None))
    return accepting.begin(info, who, chosen, proposing.propose(info, chosen, **more), "all", 5)


def looked_at(info, plan, wrong=0):
    labels = dict(zip(plan.rows, plan.labels, strict=True))
    for place, row in enumerate(plan.checks):
        if place < wrong:
            answer(info, row, action="keep")
        else:
            answer(info, row, label=labels[row])


def accepted(info, **more):
    plan = begun(info, **more)
    looked_at(info, plan)
    accepting.accept(info, plan.number, "ann")
    return accepting.plan(info, plan.number)


def autos(info):
    return np.flatnonzero(in_force.standing(info).auto >= 0)


def review_at_random(info, count, seed=None):
    def ask():
        now = in_force.standing(info)
        return now.last_id, now.answered

    answer(info, *(each.row for each in audits.draw(info, "ann", count, ask, seed=seed)))
