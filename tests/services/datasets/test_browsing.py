"""Walking through folders in the browser: what is listed, and that nothing leads out."""

import os

import pytest

from lnl_core.services.datasets import apart, browsing
from lnl_core.services.datasets.incoming import Look
from lnl_core.types import LnlError


@pytest.fixture
def disk(tmp_path, monkeypatch):
    monkeypatch.delenv("LNL_DATA_ROOTS", raising=False)
    for name in ("photos/cat", "photos/dog", "Phones", "papers", ".hidden"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "list.CSV").write_text("image,label\n")
    (tmp_path / "notes.txt").write_text("x")
    return tmp_path


def names(paths):
    return [path.name for path in paths]


def test_a_folder_lists_its_folders_and_the_files_of_a_kind(disk):
    seen = browsing.look(str(disk), (".csv",))
    assert seen.folder == disk
    assert seen.above == disk.parent
    assert names(seen.folders) == ["papers", "Phones", "photos"]
    assert names(seen.files) == ["list.CSV"]
    assert browsing.look(str(disk)).files == ()


def test_a_name_half_typed_narrows_the_list(disk):
    seen = browsing.look(f"{disk}/pho")
    assert seen.folder == disk
    assert names(seen.folders) == ["Phones", "photos"]
    assert names(browsing.look(f"{disk}/nowhere/else").folders) == []


def test_nothing_outside_the_allowed_roots_is_listed(disk, monkeypatch):
    monkeypatch.setenv("LNL_DATA_ROOTS", os.pathsep.join([f"{disk}/photos", f"{disk}/papers"]))
    for text in ("", "/", str(disk), f"{disk}/photos/..", "~"):
        seen = browsing.look(text)
        assert (seen.folder, seen.above) == (None, None)
        assert names(seen.folders) == ["photos", "papers"]
    inside = browsing.look(f"{disk}/photos")
    assert inside.above is None
    assert names(inside.folders) == ["cat", "dog"]
    assert browsing.look(f"{disk}/photos/cat").above == disk / "photos"
    (disk / "photos" / "out").symlink_to(disk / "Phones")
    assert browsing.look(f"{disk}/photos/out").folder is None


def test_a_long_list_is_cut_and_counted(disk, monkeypatch):
    monkeypatch.setattr(browsing, "MOST", 2)
    seen = browsing.look(str(disk), (".csv",))
    assert names(seen.folders) == ["papers", "Phones"]
    assert (seen.files, seen.more) == ((), 2)


def test_a_reading_ends_when_nobody_waits_for_it(disk):
    waited = []  # a child takes longer to begin than a look apart

    def leave(seconds):
        waited.append(seconds)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        apart.read(Look(disk), waiting=leave)
    assert len(waited) == 1


def test_waiting_for_a_reading_changes_nothing_about_it(disk):
    with pytest.raises(LnlError, match="No image"):
        apart.read(Look(disk / "papers"), waiting=lambda seconds: None)
