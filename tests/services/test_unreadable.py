"""Whatever file of a set or a run a command would refuse, the doctor names, with a way on."""

import errno
import json
import shutil

import numpy as np
import pytest
from PIL import Image

from lnl_core.jobs import bases, inputs, queue
from lnl_core.services import doctor, in_force
from lnl_core.services.datasets import catalog
from lnl_core.services.explore import selections
from lnl_core.services.runs import control
from lnl_core.store import arrays, datasets, decisions
from lnl_core.types import Action, Damaged, Decision, JobState
from tests.services.datasets.test_growing import again, run
from tests.store.test_faults import spoil

UNREAD = {datasets.OUTLINE, "copies.npy", "current.json"}
"""What is made anew without a word where it is damaged, or looked at in tests of its own."""


@pytest.fixture
def judged(workspace, tmp_path):
    """Twelve files of two classes, with one answer and one run that was told of it."""
    chance = np.random.default_rng(0)
    for number in range(12):
        file = tmp_path / "files" / "ab"[number % 2] / f"{number}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(chance.integers(0, 255, (9, 9, 3), np.uint8)).save(file)
    (tmp_path / "files" / "a" / "12.png").write_text("no image")
    catalog.import_dataset(workspace, tmp_path / "files", "twelve")
    info = datasets.dataset(workspace, "twelve")
    decisions.append(info, [Decision(4, Action.RELABEL, "ann", label=1)])
    inputs.training_set(info, info.directory / "runs" / str(run(info)))
    selections.keep_selection(info, np.arange(3))
    features = info.directory / "features" / "raw"
    arrays.write_array(features / "features.npy", np.ones((12, 4), np.float16))
    arrays.write_json(features / "meta.json", {"representation": "raw", "shape": [12, 4]})
    return info


def looked(info):
    return doctor.look(info.workspace.home, info.workspace.url)


def restored(info):
    return doctor.restore(info.workspace.home, info.workspace.url)


def files(info):
    found = [each for each in info.directory.rglob("*") if each.suffix in (".npy", ".json")]
    found += info.directory.rglob("*.parquet")
    return [each for each in found if each.name not in UNREAD]


@pytest.mark.parametrize("change", ["cut", "empty", "garbage"])
def test_every_file_of_a_set_that_is_damaged_is_named_with_what_helps(judged, change):
    assert looked(judged).findings == ()
    names = {each.name for each in files(judged)}
    assert {"content.npy", "file_digests.npy", "trusted.npy", "labels.npy"} <= names
    assert {"classes.json", "skipped.parquet", "meta.copy.json", "features.npy"} <= names
    for file in files(judged):
        whole = file.read_bytes()
        spoil(file, change)
        found = looked(judged).findings
        assert [file.name in each.problem for each in found] == [True], file
        assert "lnl doctor`" not in found[0].problem
        if found[0].restorable and "ranking" not in file.parts:
            said = " ".join(restored(judged))
            assert file.name in said
            assert looked(judged).findings == (), file
        else:
            assert "It cannot be restored" in found[0].remedy or "ranking" in file.parts
        file.write_bytes(whole)


@pytest.mark.parametrize("name", ["content.npy", "file_digests.npy"])
def test_an_export_goes_on_once_damaged_digests_are_dropped(judged, name):
    whole = [word.split() for word in in_force.contents(judged)]
    (judged.directory / name).write_text("x")
    in_force.contents.cache_clear()
    with pytest.raises(Damaged):
        in_force.contents(judged)
    restored(judged)
    kept = 2 if name == "content.npy" else 1
    assert [word.split() for word in in_force.contents(judged)] == [each[:kept] for each in whole]


def test_the_way_on_from_a_damaged_run_ends_in_a_whole_workspace(judged):
    """It is started again, then removed; what was built on it knows no less than it did."""
    spoil(judged.directory / "runs" / "1" / "trusted.npy", "cut")
    (found,) = looked(judged).findings
    assert "start this method again" in found.remedy
    assert "`lnl runs rm twelve 1`" in found.remedy
    second = judged.directory / "runs" / str(run(judged))
    (judged.directory / "runs" / "1" / bases.NETWORK).touch()
    above = queue.claim(judged.workspace, queue.submit(judged, "influence", base=1).id)
    folder = queue.run_dir(judged.workspace, above)
    shutil.copytree(second, folder, dirs_exist_ok=True)
    queue.finish(judged.workspace, above.id, JobState.DONE)
    control.remove(judged.workspace, 1)
    assert in_force.told_of(judged, [str(above.id)]).all(), "nobody can say that it was not told"
    assert looked(judged).findings == ()


def test_a_meta_that_does_not_fit_its_arrays_comes_from_the_copy_that_does(judged):
    file = judged.directory / "meta.json"
    whole = file.read_text()
    for name, value in (("n", 0), ("n", 13), ("height", 11), ("class_names", ["a"])):
        file.write_text(json.dumps(json.loads(whole) | {name: value}))
        (found,) = looked(judged).findings
        assert (found.place, found.restorable) == ("twelve", True)
        assert "does not fit" in found.problem
        assert "nothing is lost" in found.remedy
        restored(judged)
        assert looked(judged).findings == ()
        assert again(judged).n == 12
        assert len(list(decisions.history(again(judged)))) == 1


def test_what_cannot_be_read_just_now_is_named_and_never_dropped(judged, monkeypatch):
    digests, load = judged.directory / datasets.FILE_DIGESTS, np.load

    def failing(path, *args, **kwargs):
        if str(path).endswith(datasets.FILE_DIGESTS):
            raise OSError(errno.EIO, "Input/output error")
        return load(path, *args, **kwargs)

    with monkeypatch.context() as disk:
        disk.setattr(np, "load", failing)
        (found,) = looked(judged).findings
        assert "cannot be read: Input/output error" in found.problem
        assert not found.restorable
        restored(judged)
    assert digests.is_file()
    assert looked(judged).findings == ()
