"""What leaves a workspace replaces neither what it was made from nor the workspace."""

import io
import json
import shutil
import zipfile
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from lnl_core.cli import main
from lnl_core.readings import Answers
from lnl_core.services import places
from lnl_core.services.datasets import catalog, growing, moving
from lnl_core.services.export import exporting
from lnl_core.store import datasets
from lnl_core.store.db import dispose
from lnl_core.types import LnlError
from tests.data.making import encoded, picture


@pytest.fixture
def listed(workspace, tmp_path):
    """A set from a list beside its images, as people keep them."""
    home = tmp_path / "project"
    home.mkdir()
    rows = ["image,label"]
    for at in range(6):
        (home / f"{at}.png").write_bytes(encoded(picture(seed=at)))
        rows.append(f"{at}.png,{'cat' if at % 2 else 'dog'}")
    (home / "list.csv").write_text("\n".join(rows))
    (home / "notes.csv").write_text("who,what\nann,all\n")
    catalog.import_dataset(workspace, home / "list.csv", "listed")
    return datasets.dataset(workspace, "listed")


@pytest.mark.parametrize("name", ["list.csv", "notes.csv", "to_list.csv", "hard.csv"])
def test_originals_stay_even_when_forced(listed, tmp_path, name):
    home = tmp_path / "project"
    (tmp_path / "to_list.csv").symlink_to(home / "list.csv")
    (tmp_path / "hard.csv").hardlink_to(home / "list.csv")
    file = next(each for each in (home / name, tmp_path / name) if each.exists())
    before = file.read_bytes()
    with pytest.raises(LnlError, match="“listed”"):
        exporting.write_export(listed, "manifest", file, force=True)
    assert file.read_bytes() == before


def test_the_link_to_a_folder_is_followed_also_where_that_is_not_there_yet(listed, tmp_path):
    (tmp_path / "far").mkdir()
    for name, made in (("new", tmp_path / "far" / "new"), ("empty", tmp_path / "far" / "empty")):
        (tmp_path / name).symlink_to(made)
    (tmp_path / "far" / "empty").mkdir()
    for name in ("new", "empty"):
        said = exporting.write_export(listed, "folder", tmp_path / name)
        assert said.rows == 6
        assert (tmp_path / name).is_symlink()
        assert len([each for each in (tmp_path / "far" / name).rglob("*.png")]) == 6
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(LnlError, match="is a link that leads to itself"):
        exporting.write_export(listed, "folder", tmp_path / "loop")


def test_an_earlier_output_beside_the_originals_can_be_replaced(listed, tmp_path):
    for format in ("corrections", "decisions", "manifest", "audit-trail"):
        for ending in (".csv", ".parquet"):
            out = tmp_path / "project" / f"{format}{ending}"
            exporting.write_export(listed, format, out)
            with pytest.raises(LnlError, match="is there already"):
                exporting.write_export(listed, format, out)
            exporting.write_export(listed, format, out, force=True)


def test_originals_of_another_set_stay_too(workspace, listed, tiny, tmp_path):
    with pytest.raises(LnlError, match="“listed”"):
        exporting.write_export(tiny, "manifest", tmp_path / "project" / "notes.csv", force=True)


def test_no_folder_is_made_where_another_set_would_read_it(workspace, tiny, tmp_path):
    for name in ("cat", "dog"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        (tmp_path / "photos" / name / "0.png").write_bytes(encoded(picture(seed=len(name))))
    catalog.import_dataset(workspace, tmp_path / "photos", "photos")
    for inside in ("clean", "cat/clean"):
        with pytest.raises(LnlError, match="originals of “photos”"):
            exporting.write_export(tiny, "folder", tmp_path / "photos" / inside)
        assert not (tmp_path / "photos" / inside).exists()
    assert exporting.write_export(tiny, "folder", tmp_path / "clean").rows == tiny.n


def test_images_that_a_list_names_are_originals_of_their_set_too(workspace, listed, tiny, tmp_path):
    """Of one that has moved as well, and of images that a list added from elsewhere."""
    (away := tmp_path / "away" / "photos").mkdir(parents=True)
    (away / "7.png").write_bytes(encoded(picture(seed=7)))
    (away / "8.png").write_bytes(encoded(picture(seed=8)))
    (tmp_path / "more.csv").write_text("image,label\n7.png,cat\n8.png,dog\n")
    growing.add_images(listed, tmp_path / "more.csv", root=away)
    for place in ("project", "away/photos"):
        with pytest.raises(LnlError, match="originals of “listed”"):
            exporting.write_export(tiny, "folder", tmp_path / place / "clean")
        assert not (tmp_path / place / "clean").exists()
    shutil.move(tmp_path / "project", tmp_path / "moved")
    moving.relink(datasets.dataset(workspace, "listed"), tmp_path / "moved")
    for info in (tiny, datasets.dataset(workspace, "listed")):
        with pytest.raises(LnlError, match="lies among the originals"):
            exporting.write_export(info, "folder", tmp_path / "moved" / "clean")
    assert exporting.write_export(tiny, "folder", tmp_path / "away" / "clean").rows == tiny.n


def test_files_and_folders_that_a_set_came_from_later_stay_too(
    workspace, listed, tmp_path, monkeypatch
):
    """The list of an addition, its folder, a file of class names and a zip, wherever one stands."""
    (away := tmp_path / "away").mkdir()
    (away / "cat").mkdir()
    (away / "cat" / "9.png").write_bytes(encoded(picture(seed=9)))
    (away / "notes.csv").write_text("who,what\nann,all\n")
    growing.add_images(listed, away)
    (away / "8.png").write_bytes(encoded(picture(seed=8)))
    (lists := tmp_path / "lists").mkdir()
    (lists / "more.csv").write_text("image,label\n8.png,cat\n")
    (lists / "names.csv").write_text("0,zero\n1,one\n")
    (lists / "numbers.csv").write_text("image,label\n0.png,0\n1.png,1\n")
    with zipfile.ZipFile(lists / "photos.zip", "w") as packed:
        for at in range(2):
            packed.writestr(f"c{at}/{at}.png", encoded(picture(seed=20 + at)))
    monkeypatch.chdir(lists)
    growing.add_images(datasets.dataset(workspace, "listed"), Path("more.csv"), root=away)
    names = Answers(classes_file="names.csv")
    catalog.import_dataset(
        workspace, Path("numbers.csv"), "num", root=tmp_path / "project", answers=names
    )
    catalog.import_dataset(workspace, Path("photos.zip"), "zipped")
    monkeypatch.chdir(tmp_path)
    info = datasets.dataset(workspace, "listed")
    for file in (away / "notes.csv", *(lists / f"{each}.csv" for each in ("more", "names"))):
        before = file.read_bytes()
        with pytest.raises(LnlError, match="which no output touches"):
            exporting.write_export(info, "manifest", file, force=True)
        assert file.read_bytes() == before
    with pytest.raises(LnlError, match="“zipped” was imported from"):
        exporting.write_export(info, "folder", lists / "photos.zip", force=True)
    with pytest.raises(LnlError, match="lies among the originals"):
        exporting.write_export(info, "folder", away / "clean")
    assert not (away / "clean").exists()


@pytest.mark.parametrize("noted", [True, False])
def test_a_list_that_this_program_wrote_stays_once_a_set_came_from_it(
    workspace, listed, tmp_path, noted
):
    """Where the folder was imported, and not the list itself; of older sets nothing is noted."""
    (folder := tmp_path / "again").mkdir()
    shutil.copytree(tmp_path / "project", folder, dirs_exist_ok=True)
    for old in folder.glob("*.csv"):
        old.unlink()
    exporting.write_export(listed, "manifest", folder / "list.csv")
    catalog.import_dataset(workspace, folder, "again", answers=Answers(labels_in="list"))
    info = datasets.dataset(workspace, "again")
    assert datasets.read_meta(info)["lists"] == [str(folder / "list.csv")]
    if not noted:
        values = json.loads((info.directory / "meta.json").read_text())
        del values["lists"]
        (info.directory / "meta.json").write_text(json.dumps(values))
    before = (folder / "list.csv").read_bytes()
    with pytest.raises(LnlError, match="“again” was imported from"):
        exporting.write_export(info, "manifest", folder / "list.csv", force=True)
    assert (folder / "list.csv").read_bytes() == before
    if noted:  # what it wrote beside the originals is none of them
        for _ in range(2):
            exporting.write_export(info, "manifest", folder / "out.csv", force=True)


def test_the_workspace_is_not_written_into(workspace, tiny, tmp_path):
    for name in ("datasets/x.csv", "review.db.csv", "imports/x.csv"):
        (workspace.home / name).parent.mkdir(exist_ok=True)
        with pytest.raises(LnlError, match="a file of the workspace"):
            exporting.write_export(tiny, "manifest", workspace.home / name)
        assert not (workspace.home / name).exists()
    with pytest.raises(LnlError, match="a file of the workspace"):
        exporting.write_export(tiny, "folder", workspace.home / "datasets" / "new")
    with pytest.raises(LnlError, match="workspace"):
        exporting.write_export(tiny, "folder", tiny.directory)
    (workspace.home / "exports").mkdir()
    exporting.write_export(tiny, "manifest", workspace.home / "exports" / "x.csv")


def test_a_database_elsewhere_is_not_written_to(workspace, tiny, tmp_path):
    from dataclasses import replace

    (tmp_path / "answers.csv").write_bytes(b"SQLite format 3\0")
    elsewhere = replace(workspace, url=f"sqlite:///{tmp_path / 'answers.csv'}")
    assert "database" in places.guarded(elsewhere, tmp_path / "answers.csv")
    assert places.guarded(elsewhere, tmp_path / "x.csv") == ""


def test_a_folder_needs_the_folder_above_and_no_name_of_a_file(tiny, tmp_path):
    with pytest.raises(LnlError, match="There is no folder"):
        exporting.write_export(tiny, "folder", tmp_path / "gone" / "clean")
    with pytest.raises(LnlError, match="named like a file"):
        exporting.write_export(tiny, "folder", tmp_path / "clean.csv")
    assert list(tmp_path.glob("clean*")) == []
    exporting.write_export(tiny, "folder", tmp_path / "clean.v2")
    with pytest.raises(LnlError, match="not empty"):
        exporting.write_export(tiny, "folder", tmp_path / "clean.v2", force=True)


def test_a_zip_of_a_folder(tiny, tmp_path):
    out = tmp_path / "clean.zip"
    assert exporting.write_export(tiny, "folder", out).rows == 60
    with zipfile.ZipFile(out) as archive:
        assert archive.testzip() is None
        assert "folder/metadata.csv" in archive.namelist()
    with pytest.raises(LnlError, match="is there already"):
        exporting.write_export(tiny, "folder", out)


@pytest.fixture
def lnl(workspace, scored, monkeypatch, capfdbinary):
    monkeypatch.setenv("LNL_HOME", str(workspace.home))

    def call(*arguments, code=0):
        assert main([str(one) for one in arguments]) == code
        return capfdbinary.readouterr()

    yield call
    dispose(workspace)


@pytest.mark.parametrize(
    "command", [("rank", "tiny"), ("export", "tiny", "--format", "manifest"), ("report", "tiny")]
)
def test_every_command_that_writes(lnl, tmp_path, command):
    ending = "html" if command[0] == "report" else "csv"
    out = tmp_path / f"x.{ending}"
    lnl(*command, "--out", out)
    first = out.read_bytes()
    out.write_bytes(b"mine")
    assert b"--force" in lnl(*command, "--out", out, code=1).err
    assert out.read_bytes() == b"mine"
    lnl(*command, "--out", out, "--force")
    assert len(out.read_bytes()) > len(first) / 2
    for other in (tmp_path / "gone" / f"x.{ending}", tmp_path / "x.png"):
        lnl(*command, "--out", other, code=1)
        assert not other.exists()
    there = lnl(*command, "--out", "-")
    assert there.out[:20] == first[:20]
    assert there.err.strip()  # what is said goes beside the data
    assert there.err not in there.out


def test_a_summary_as_json_stays_beside_the_data(lnl):
    said = lnl("rank", "tiny", "--out", "-", "--json")
    assert said.out.startswith(b"id,given_label")
    assert said.err.startswith(b'{"rows": 60')


def test_a_folder_to_standard_output_is_a_zip(lnl):
    with zipfile.ZipFile(io.BytesIO(lnl("export", "tiny", "--format", "folder", "--out", "-").out)):
        pass


def test_parquet_is_parquet(lnl, tmp_path):
    lnl("rank", "tiny", "--out", tmp_path / "x.parquet")
    table = pq.read_table(tmp_path / "x.parquet")
    assert str(table.schema.field("p_wrong").type) == "double"
    assert table.num_rows == 60
    for format in ("corrections", "decisions", "audit-trail"):
        lnl("export", "tiny", "--format", format, "--out", tmp_path / f"{format}.pq")
        pq.read_table(tmp_path / f"{format}.pq")
