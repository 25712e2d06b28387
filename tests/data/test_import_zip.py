import dataclasses
import io
import shutil
import stat
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lnl_core.data import archives, importers
from lnl_core.readings import Answers
from lnl_core.store import datasets
from lnl_core.types import LnlError
from tests.data.making import encoded, picture

JPEG = encoded(picture(200, 100))


def zipped(path, entries):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return path


@pytest.mark.parametrize("outer", ["", "photos/", "a/b/"])
def test_folder_per_class_in_a_zip(tmp_path, do_import, outer):
    entries = {f"{outer}{c}/{i}.jpg": JPEG for c in ("cat", "dog") for i in range(2)}
    junk = {"__MACOSX/._x": b"x", f"{outer}.DS_Store": b"x", f"{outer}cat/._0.jpg": b"x"}
    got = do_import(zipped(tmp_path / "s.zip", entries | junk))
    assert got.given == ["cat", "cat", "dog", "dog"]
    assert got.ids == got.paths == ["cat/0.jpg", "cat/1.jpg", "dog/0.jpg", "dog/1.jpg"]
    assert (got.meta["kind"], got.skipped) == ("zip", [])
    original = got.folder / got.meta["root"] / got.paths[0]
    assert original.read_bytes() == JPEG
    found = importers.read(tmp_path / "s.zip")
    assert (found.kind, found.n, found.class_names) == ("zip", 4, ("cat", "dog"))


def test_originals_of_a_zip_are_shown_after_the_zip_is_gone(tmp_path, workspace):
    from lnl_core.services.datasets import catalog
    from lnl_core.services.review import pictures

    path = zipped(tmp_path / "s.zip", {"cat/a.jpg": JPEG, "dog/b.jpg": JPEG})
    catalog.import_dataset(workspace, path, "zipped")
    path.unlink()
    info = datasets.dataset(workspace, "zipped")
    for each in (info, catalog.add_noise(info, "noisy", "pair", 0.5)):
        data, kind = pictures.image_bytes(each, each.version, 0, "full")
        assert kind == "image/jpeg"
        assert Image.open(io.BytesIO(data)).size == (200, 100)


def test_list_and_arrays_in_a_zip(tmp_path, do_import):
    text = "image,label\npix/a.jpg,cat\n../../etc/passwd,dog\n"
    got = do_import(zipped(tmp_path / "s.zip", {"in/l.csv": text, "in/pix/a.jpg": JPEG}))
    assert (got.given, len(got.skipped)) == (["cat"], 1)


def test_arrays_in_a_zip(tmp_path, do_import):
    stream = io.BytesIO()
    np.savez(stream, images=np.zeros((2, 8, 8), np.uint8), labels=np.array([0, 1]))
    got = do_import(zipped(tmp_path / "s.zip", {"data/set.npz": stream.getvalue()}))
    assert got.images.shape == (2, 8, 8, 1)
    assert got.meta["kind"] == "zip"
    assert not (got.folder / "originals").exists()


def test_nothing_lands_outside(tmp_path, do_import):
    link = zipfile.ZipInfo("cat/link.jpg")
    link.create_system = 3
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    path = tmp_path / "s.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("cat/ok.jpg", JPEG)
        archive.writestr("../evil.jpg", JPEG)
        archive.writestr("cat/../../evil2.jpg", JPEG)
        archive.writestr("..\\evil3.jpg", JPEG)
        archive.writestr("/abs.jpg", JPEG)
        archive.writestr("C:/abs2.jpg", JPEG)
        archive.writestr(link, "/etc/passwd")
        archive.writestr("cat/" + "x" * 300 + ".jpg", JPEG)
        archive.writestr("cat/ok.jpg/under_a_file.jpg", JPEG)
        archive.writestr("dog\\windows.jpg", JPEG)
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("cat/ok.jpg", JPEG)
    before = {p.name for p in tmp_path.iterdir()}
    assert "3 left out: A path that leads out of the zip." in importers.read(path).notes
    got = do_import(path)
    assert got.ids == ["cat/ok.jpg", "dog/windows.jpg"]
    reasons = [row["reason"].split()[0:3] for row in got.skipped]
    assert len(reasons) == 9
    assert {row["where"][:8]: row["reason"] for row in got.skipped}["cat/link"].startswith("A link")
    assert {p.name for p in tmp_path.iterdir()} == before | {"out"}
    inside = {p.relative_to(got.folder).as_posix() for p in got.folder.rglob("*") if p.is_file()}
    assert {p for p in inside if p.startswith("originals")} == {
        "originals/cat/ok.jpg",
        "originals/dog/windows.jpg",
    }


def test_bombs_do_not_go_off(tmp_path, monkeypatch):
    path = zipped(tmp_path / "s.zip", {"cat/a.jpg": JPEG, "cat/b.bmp": bytes(5_000_000)})
    monkeypatch.setattr(archives, "RATIO_FREE", 1_000_000)
    with pytest.raises(LnlError, match="zip bomb"):
        importers.import_source(path, "x", tmp_path / "out")
    monkeypatch.setattr(archives, "MAX_ENTRIES", 1)
    with pytest.raises(LnlError, match="2 files; 1 are the most"):
        importers.import_source(path, "x", tmp_path / "out")
    monkeypatch.undo()

    class Usage:
        free = 1000

    monkeypatch.setattr(archives.shutil, "disk_usage", lambda _: Usage)
    with pytest.raises(LnlError, match="the disk has"):
        importers.import_source(path, "x", tmp_path / "out")
    assert [p.name for p in tmp_path.iterdir()] == ["s.zip"]


def test_damaged_zips(tmp_path, do_import):
    path = zipped(tmp_path / "s.zip", {"cat/a.jpg": JPEG, "cat/b.jpg": JPEG})
    data = bytearray(path.read_bytes())
    path.write_bytes(data[:500])
    with pytest.raises(LnlError, match="no readable zip"):
        importers.import_source(path, "x", tmp_path / "out")
    at = data.index(b"cat/a.jpg") + 200
    data[at : at + 50] = b"\xff" * 50
    path.write_bytes(data)
    got = do_import(path)
    assert got.ids == ["cat/b.jpg"]
    assert got.skipped[0]["reason"] == "Damaged inside the zip."
    zipped(path, {"notes.md": "hello"})
    with pytest.raises(LnlError, match="holds no image"):
        importers.read(path)
    with pytest.raises(LnlError, match="No image could be read"):
        importers.import_source(path, "x", tmp_path / "out2")


def test_a_large_zip_asks_what_a_small_one_does(tmp_path):

    from lnl_core.services.datasets import incoming
    from lnl_core.services.datasets.incoming import Look

    for at, name in enumerate(("Cat/0.png", "cat/1.png", "cat/2.png", "dog/3.png")):
        path = tmp_path / "s" / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded(picture(20 + 2 * at, 24, seed=at), "PNG"))
    source = Path(shutil.make_archive(str(tmp_path / "photos"), "zip", tmp_path / "s"))
    small = incoming.read(Look(source, pictures=True))
    large = incoming.read(Look(source, pictures=True, unpack_up_to=10))
    assert [each.key for each in large.questions] == ["spellings"]
    assert large == dataclasses.replace(small, exact=False)
    said = Answers(spellings="merge")
    assert incoming.read(Look(source, answers=said, unpack_up_to=10)).n == 4
    (tmp_path / "s" / "list.csv").write_text(
        "image,label\nphotos/cat/1.png,a\nphotos/cat/2.png,b\n"
    )
    source = Path(shutil.make_archive(str(tmp_path / "listed"), "zip", tmp_path / "s"))
    found = incoming.read(Look(source, unpack_up_to=10))
    assert [each.key for each in found.questions] == [
        q.key for q in incoming.read(Look(source)).questions
    ]
