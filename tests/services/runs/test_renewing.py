"""A ranking that an earlier version made is made anew, once, by the same runs."""

import json

import pytest

from lnl_core.cli import main
from lnl_core.jobs import queue, worker
from lnl_core.services.in_force import scored
from lnl_core.services.runs import renewing
from lnl_core.store import arrays
from lnl_core.types import JobState


@pytest.fixture
def old(workspace, tiny, once):
    """`tiny`, ranked by a run, as a version without a rule left it: all chances one."""
    return once("renewing", lambda: ranked(workspace, tiny))


def ranked(workspace, tiny):
    job = queue.submit(tiny, "knn", "quick", representation="raw")
    worker.run_job(workspace, queue.claim(workspace, job.id))
    assert queue.job(workspace, job.id).state is JobState.DONE
    folder = tiny.directory / "ranking"
    place = folder / arrays.ranking_version(folder)
    meta = json.loads((place / "ranking.json").read_text())
    assert meta.pop("rule") == arrays.RULE
    (place / "ranking.json").write_text(json.dumps(meta))
    made = arrays.read_array(place / "p_wrong.npy")
    arrays.write_array(place / "p_wrong.npy", made * 0 + 1)
    return tiny, made


def test_a_ranking_of_today_is_not_outdated(workspace, tiny):
    job = queue.submit(tiny, "knn", "quick", representation="raw")
    worker.run_job(workspace, queue.claim(workspace, job.id))
    assert scored(tiny) is not None
    assert not renewing.is_outdated(tiny)


def test_a_set_without_a_ranking_is_not_either(tiny):
    assert not renewing.is_outdated(tiny)


def test_one_task_makes_it_anew_from_the_same_runs(workspace, old, no_worker):
    info, made = old
    assert renewing.is_outdated(info)
    renewing.renew(info)
    renewing.renew(info)  # pressed twice
    (task,) = queue.jobs(info, tasks=True)
    assert renewing.is_underway(info)
    worker.run_job(workspace, queue.claim(workspace, lane=queue.TASKS))
    assert queue.job(workspace, task.id).state is JobState.DONE
    assert scored(info).ranking.p_wrong.tolist() == made.tolist()
    assert not renewing.is_underway(info)
    assert not renewing.is_outdated(info)


def test_why_it_failed_is_said_and_the_old_one_stays(workspace, old, no_worker):
    info, _ = old
    renewing.renew(info)
    (info.directory / "runs" / "1" / "suspicion.npy").write_bytes(b"cut")
    worker.run_job(workspace, queue.claim(workspace, lane=queue.TASKS))
    assert "suspicion.npy" in renewing.failure(info)
    assert renewing.is_outdated(info)
    assert scored(info).ranking.p_wrong.min() == 1


def test_the_command_says_so_and_makes_it_anew_when_asked(old, tmp_path, capsys):
    info, made = old
    rank = ["--home", str(info.workspace.home), "rank", info.name]
    assert main([*rank, "--out", str(tmp_path / "old.csv")]) == 0
    assert "--again" in capsys.readouterr().err
    assert scored(info).ranking.p_wrong.min() == 1
    assert main([*rank, "--again", "--out", str(tmp_path / "new.csv")]) == 0
    assert capsys.readouterr().err == ""
    assert scored(info).ranking.p_wrong.tolist() == made.tolist()
    assert (tmp_path / "old.csv").read_text() != (tmp_path / "new.csv").read_text()
