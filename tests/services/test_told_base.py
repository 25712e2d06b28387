"""A run that builds on one that was told people's answers knows them, too."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
from sqlalchemy import update

from lnl_core.jobs import queue
from lnl_core.services import in_force
from lnl_core.services.explore import confusions
from lnl_core.services.export import exporting
from lnl_core.services.runs import control
from lnl_core.store import arrays, decisions, schema
from lnl_core.store.db import transaction
from lnl_core.types import Action, Decision, JobState

TOLD = (3, 5)


@pytest.fixture
def based(scored):
    """`scored`, whose second run builds on the first, which was told two answers."""
    mask = np.zeros(scored.n, bool)
    mask[list(TOLD)] = True
    arrays.write_array(scored.directory / "runs" / "1" / "trusted.npy", mask)
    decisions.append(scored, [Decision(row, Action.KEEP, "ann") for row in TOLD])
    return scored


def build_on(info, aside, **columns):
    shutil.copytree(info.directory / "runs", aside / "runs")
    assert [queue.submit(info, "knn").id for _ in range(2)] == [1, 2]  # each in an empty folder
    shutil.copytree(aside / "runs", info.directory / "runs", dirs_exist_ok=True)
    with transaction(info.workspace) as con:
        con.execute(update(schema.jobs).where(schema.jobs.c.id == 2).values(**columns))


@pytest.mark.parametrize("columns", [{"base": 1}, {"representation": "run:1"}])
def test_a_run_that_builds_on_a_told_run_knows_the_answers(based, tmp_path, columns):
    build_on(based, tmp_path, **columns)
    assert np.flatnonzero(in_force.told_of(based, ["2"])).tolist() == list(TOLD)
    assert in_force.told_words(based, [2]) == dict.fromkeys(TOLD, "2")


def test_it_knows_them_when_the_run_below_is_gone(based, tmp_path):
    build_on(based, tmp_path, base=1)
    with transaction(based.workspace) as con:
        con.execute(update(schema.jobs).values(state=str(JobState.DONE)))
    control.remove(based.workspace, 1)
    assert not (based.directory / "runs" / "1").exists()
    assert np.flatnonzero(in_force.told_of(based, ["2"])).tolist() == list(TOLD)


def test_a_run_of_its_own_knows_nothing(based):
    assert not in_force.told_of(based, ["2"]).any()


def test_answers_name_the_runs_that_know_them(based):
    for rows in (exporting.decision_rows(based), exporting.trail_rows(based)):
        assert "told" in rows.columns
        assert {row["id"]: row["told"] for row in rows} == {
            in_force.loaded(based).ids[row]: "1" for row in TOLD
        }


def test_an_open_image_that_a_run_was_told_of_counts_in_the_matrix_as_others_do(based):
    given = np.asarray(in_force.loaded(based).given_labels)
    same = np.flatnonzero(given == given[TOLD[0]])
    seen = [row for row in same.tolist() if row not in TOLD][::2]
    decisions.append(based, [Decision(row, Action.KEEP, "ann") for row in seen])
    decisions.append(based, [Decision(row, Action.REOPEN, "ann") for row in TOLD])
    folder = based.directory / "ranking"
    ranking, runs = arrays.load_ranking(folder)
    found = []
    for p in (0.0, 1.0):  # what the run says of an image that it was told of is no chance
        chances = np.array(ranking.p_wrong)
        chances[list(TOLD)] = p
        arrays.save_ranking(folder, replace(ranking, p_wrong=chances), runs, based.n)
        assert in_force.scored(based).ranking.p_wrong[TOLD[0]] == p
        matrix = confusions.matrix(based)
        found.append(float(matrix.count.sum() - np.trace(matrix.count)))
    assert found[0] > 0
    assert found[0] == pytest.approx(found[1])
