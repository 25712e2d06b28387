import os
import shutil
from pathlib import Path

import pytest
from PIL import Image

from lnl_core.data import files, importers
from lnl_core.readings import Answers
from lnl_core.services import in_force
from lnl_core.services.datasets import catalog, growing, moving
from lnl_core.services.export import exporting
from lnl_core.store import arrays, datasets
from lnl_core.types import LnlError
from tests.data.making import picture


@pytest.fixture
def photos(tmp_path):
    root = tmp_path / "photos"
    for name in ("cat", "dog"):
        (root / name).mkdir(parents=True)
        for at in range(3):
            picture(40, 30, seed=at + 10 * (name == "dog")).save(root / name / f"{at}.png")
    return root


@pytest.fixture
def moved(workspace, tmp_path, photos):
    """A set whose originals have gone elsewhere, and where they are now."""
    catalog.import_dataset(workspace, photos, "birds")
    place = tmp_path / "elsewhere" / "pictures"
    place.parent.mkdir()
    shutil.move(photos, place)
    return datasets.dataset(workspace, "birds"), place


def root_of(info):
    return datasets.dataset(info.workspace, info.name).root


def test_a_set_is_pointed_to_where_its_originals_are(moved):
    info, place = moved
    found = moving.relink(info, place)
    assert (found.total, found.same, found.alike, found.astray) == (6, 6, 0, ())
    assert found.done
    assert root_of(info) == str(place)


def test_what_is_missing_or_changed_is_named_and_nothing_changes(moved):
    info, place = moved
    (place / "cat/1.png").unlink()
    picture(40, 30, seed=99).save(place / "dog/2.png")
    (place / "dog/0.png").write_bytes(b"no image")
    before = root_of(info)
    found = moving.relink(info, place)
    assert (found.same, found.missing, found.changed, found.done) == (3, 1, 2, False)
    assert {each.path for each in found.astray} == {"cat/1.png", "dog/0.png", "dog/2.png"}
    assert {each.id for each in found.astray} == {each.path for each in found.astray}
    assert root_of(info) == before
    assert moving.relink(info, place, anyway=True).done
    assert root_of(info) == str(place)


def test_the_same_picture_in_another_file_is_alike(moved):
    info, place = moved
    with Image.open(place / "cat/0.png") as image:
        image.save(place / "cat/0.png", compress_level=0)
    found = moving.relink(info, place)
    assert (found.same, found.alike, found.done) == (5, 1, True)


def test_two_pictures_that_changed_places_are_changed(moved):
    info, place = moved
    os.rename(place / "cat/0.png", place / "x")
    os.rename(place / "dog/0.png", place / "cat/0.png")
    os.rename(place / "x", place / "dog/0.png")
    assert moving.relink(info, place).changed == 2


def test_a_set_of_an_older_version_is_compared_by_its_pictures(moved):
    info, place = moved
    (info.directory / "file_digests.npy").unlink()
    assert moving.relink(info, place).alike == 6
    picture(40, 30, seed=99).save(place / "dog/2.png")
    assert moving.relink(info, place).changed == 1


def test_the_wrong_folder_is_refused_with_the_first_path(moved):
    info, place = moved
    with pytest.raises(LnlError, match=r"None of the 6 originals .*cat/0\.png"):
        moving.relink(info, place / "cat", anyway=True)
    with pytest.raises(LnlError, match="no folder"):
        moving.relink(info, place / "nowhere")


def test_a_file_reached_by_a_link_out_of_the_root_is_missing(moved, tmp_path):
    info, place = moved
    outside = tmp_path / "outside.png"
    os.rename(place / "cat/0.png", outside)
    (place / "cat/0.png").symlink_to(outside)
    found = moving.relink(info, place)
    assert (found.missing, found.done) == (1, False)


def test_arrays_have_no_originals(tiny, tmp_path):
    with pytest.raises(LnlError, match="lie in the workspace"):
        moving.relink(tiny, tmp_path)
    assert "root" not in arrays.read_json(tiny.directory / "meta.json") or root_of(tiny) is None


def test_links_that_were_followed_are_followed_by_relink_and_exports(workspace, tmp_path, photos):
    for name in ("cat", "dog"):
        for at in range(3):
            link = tmp_path / "linked" / name / f"{at}.png"
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(photos / name / f"{at}.png")
    followed = Answers(links="follow")
    catalog.import_dataset(workspace, tmp_path / "linked", "linked", answers=followed)
    info = datasets.dataset(workspace, "linked")
    assert moving.relink(info, tmp_path / "linked").same == 6
    done = exporting.write_export(info, "folder", tmp_path / "out")
    assert (done.rows, done.problems) == (6, ())
    assert (tmp_path / "out/cat/0.png").read_bytes() == (photos / "cat/0.png").read_bytes()
    assert not (tmp_path / "out/cat/0.png").is_symlink()


@pytest.fixture
def grown(workspace, tmp_path, photos):
    """A set with images that were added from a folder beside its own, and that folder."""
    catalog.import_dataset(workspace, photos, "birds")
    more = tmp_path / "more"
    (more / "cat").mkdir(parents=True)
    picture(40, 30, seed=70).save(more / "cat" / "a.png")
    growing.add_images(datasets.dataset(workspace, "birds"), more)
    return datasets.dataset(workspace, "birds"), more


def last(info):
    info = datasets.dataset(info.workspace, info.name)
    where = in_force.loaded(info).paths[info.n - 1]
    return where, files.original(Path(info.root), where, False)


def both_moved(info, tmp_path, photos, more):
    """Move both folders to another disk; return where that is, and what relinking found."""
    place = tmp_path / "new" / "disk"
    place.mkdir(parents=True)
    shutil.move(photos, place / "photos")
    shutil.move(more, place / "more")
    return place, moving.relink(info, place / "photos")


def test_images_added_from_elsewhere_move_along_with_the_set(grown, tmp_path, photos):
    info, more = grown
    place, found = both_moved(info, tmp_path, photos, more)
    assert (found.total, found.same, found.done, found.away) == (7, 7, True, ())
    here = place / "more" / "cat" / "a.png"
    assert last(info) == (str(here), here)
    (more / "cat").mkdir(parents=True)  # the old folder comes again, with another image
    picture(40, 30, seed=71).save(more / "cat" / "b.png")
    growing.add_images(datasets.dataset(info.workspace, info.name), more)
    assert last(info)[0] == str(more / "cat" / "b.png")


def test_images_that_stayed_are_read_where_they_are_though_others_moved(grown, tmp_path, photos):
    info, more = grown
    stays = tmp_path / "stays" / "cat"
    stays.mkdir(parents=True)
    picture(40, 30, seed=80).save(stays / "s.png")
    growing.add_images(info, stays.parent)
    info = datasets.dataset(info.workspace, info.name)
    place, found = both_moved(info, tmp_path, photos, more)
    assert (found.total, found.same, found.done, found.away) == (7, 7, True, ())
    assert last(info)[0] == str(stays / "s.png")
    paths = in_force.loaded(datasets.dataset(info.workspace, info.name)).paths
    assert paths[6] == str(place / "more" / "cat" / "a.png")


def test_images_added_from_elsewhere_are_pointed_to_by_their_own_folder(grown, tmp_path):
    info, more = grown
    shutil.move(more, tmp_path / "archive")
    found = moving.relink(info, Path(info.root))
    assert (found.done, found.away) == (True, (str(more / "cat"),))
    with pytest.raises(LnlError, match="move with --from"):
        moving.relink(info, tmp_path / "archive")
    with pytest.raises(LnlError, match="No original starts with"):
        moving.relink(info, tmp_path / "archive", start="/nowhere")
    before = last(info)[0]
    picture(40, 30, seed=9).save(tmp_path / "archive" / "cat" / "a.png")
    (tmp_path / "way").symlink_to(tmp_path)
    for start in (str(more), os.path.relpath(more), str(tmp_path / "way" / more.name)):
        changed = moving.relink(info, tmp_path / "archive", start=start)
        assert (changed.changed, changed.done, last(info)[0]) == (1, False, before)
    picture(40, 30, seed=70).save(tmp_path / "archive" / "cat" / "a.png")
    found = moving.relink(info, tmp_path / "archive", start=str(more))
    assert (found.total, found.same, found.done) == (1, 1, True)
    assert root_of(info) == info.root
    here = tmp_path / "archive" / "cat" / "a.png"
    assert last(info) == (str(here), here)


def test_a_manifest_with_whole_paths_comes_in_again_once_that_is_allowed(
    grown, tmp_path, monkeypatch
):
    info, more = grown
    exporting.write_export(info, "manifest", tmp_path / "m.csv")
    ask = importers.read(tmp_path / "m.csv", root=Path(info.root))
    assert (ask.n, [each.key for each in ask.questions]) == (6, ["links"])
    assert "whole paths that lead out" in ask.questions[0].text
    said = Answers(links="follow")
    catalog.import_dataset(
        info.workspace, tmp_path / "m.csv", "again", root=Path(info.root), answers=said
    )
    again = datasets.dataset(info.workspace, "again")
    assert again.n == 7
    assert str(more / "cat" / "a.png") in list(in_force.loaded(again).paths)
    monkeypatch.setenv("LNL_DATA_ROOTS", info.root)
    assert importers.read(tmp_path / "m.csv", root=Path(info.root), answers=said).n == 6


def test_nobody_learns_which_files_are_there_that_may_not_be_read(tmp_path, photos, monkeypatch):
    secret = tmp_path / "secret.png"
    secret.touch()
    monkeypatch.setenv("LNL_DATA_ROOTS", str(photos))
    for links in (False, True):
        said = {files.locate(photos, str(tmp_path / n), links) for n in ("secret.png", "none.png")}
        assert len(said) == 1
