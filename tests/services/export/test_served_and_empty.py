"""Folders that another program opens: class folders without images, and what is served."""

import json

import pytest

from lnl_core.cli import main
from lnl_core.services.datasets import catalog, growing, settings
from lnl_core.services.export import exporting
from lnl_core.store import datasets, decisions
from lnl_core.types import Action, Decision, LnlError
from tests.data.asking import put
from tests.data.making import encoded, picture


@pytest.fixture
def pets(workspace, tmp_path):
    """Cats, dogs, a lone emu and an odd one; no split."""
    names = [*(f"{name}/{i}.png" for name in ("cat", "dog") for i in range(3)), "emu/0.png"]
    put(tmp_path / "pets", [*names, "odd/0.png"])
    catalog.import_dataset(workspace, tmp_path / "pets", "pets")
    return datasets.dataset(workspace, "pets")


def test_a_class_without_images_has_no_folder(pets, tmp_path):
    pets = settings.set_no_classes(pets, ["odd"])
    row = list(datasets.load(pets).paths).index("emu/0.png")
    decisions.append(pets, [Decision(row, Action.RELABEL, "ann", label=0)])
    made = exporting.write_export(pets, "folder", tmp_path / "out")
    assert made.notes == ("“emu” has no image, and no folder.",)
    assert not made.problems
    assert {each.parent.name for each in (tmp_path / "out").rglob("*.png")} == {"cat", "dog"}
    assert sorted(each.name for each in (tmp_path / "out").iterdir() if each.is_dir()) == [
        "cat",
        "dog",
    ]


def test_a_class_that_a_split_lacks_keeps_its_number_and_is_said(
    workspace, tmp_path, capsys, monkeypatch
):
    put(tmp_path / "sp", [f"train/{name}/{i}.png" for name in ("cat", "dog") for i in range(3)])
    put(tmp_path / "sp", ["test/dog/8.png", "test/dog/9.png"])
    catalog.import_dataset(workspace, tmp_path / "sp", "sp")
    monkeypatch.setenv("LNL_HOME", str(workspace.home))
    monkeypatch.setenv("LNL_DATABASE_URL", workspace.url)
    out = tmp_path / "out"
    assert main(["export", "sp", "--format", "folder", "--out", str(out), "--json"]) == 0
    said = capsys.readouterr()
    (note,) = json.loads(said.out)["notes"]
    assert note.startswith("1 class folder of a split is empty, first “cat” in “test”")
    assert note in said.err
    for split in ("train", "test"):  # torchvision numbers the folders that it finds
        assert sorted(each.name for each in (out / split).iterdir()) == ["cat", "dog"]


def test_label_studio_serves_no_home(workspace, pets, tmp_path, monkeypatch):
    (tmp_path / "more" / "dog").mkdir(parents=True)
    for i in (8, 9):
        (tmp_path / "more" / "dog" / f"{i}.png").write_bytes(encoded(picture(seed=90 + i), "PNG"))
    growing.add_images(pets, tmp_path / "more")
    info = datasets.dataset(workspace, "pets")
    plan = exporting.plan_export(info, "label-studio", tmp_path / "ls")
    made = exporting.write_export(info, "label-studio", tmp_path / "ls")
    assert plan.notes == made.notes  # said before it is written
    assert made.notes[0].startswith(f"Label Studio is to serve {tmp_path}, the folder around")
    assert made.notes[0] in (tmp_path / "ls" / "README.txt").read_text("utf-8")
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    with pytest.raises(LnlError, match=r"would have to serve .*Choose copy or link"):
        exporting.write_export(info, "label-studio", tmp_path / "no")
    with pytest.raises(LnlError, match=r"would have to serve .*Choose copy or link"):
        exporting.plan_export(info, "label-studio", tmp_path / "no")
    assert exporting.plan_export(info, "label-studio", tmp_path / "no", images="link").notes == ()
    assert not (tmp_path / "no").exists()
    made = exporting.write_export(info, "label-studio", tmp_path / "copied", images="copy")
    assert (made.rows, made.notes) == (10, ())
