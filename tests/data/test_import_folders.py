import json
import tracemalloc

import numpy as np
import pytest
from PIL import Image

from lnl_core.data import importers
from lnl_core.store import datasets
from lnl_core.types import LnlError
from tests.data.making import encoded, picture


def put(path, seed=0, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encoded(picture(seed=seed, **options), "PNG"))


def test_folder_per_class_becomes_a_set_that_registers(photos, do_import, workspace):
    got = do_import(photos)
    assert got.names == ["cat", "dog"]
    assert got.given == ["cat"] * 3 + ["dog"] * 3
    assert got.ids == got.paths == [f"{c}/{i}.jpg" for c in ("cat", "dog") for i in range(3)]
    assert got.images.shape == (6, 20, 20, 3)
    for row, path in enumerate(got.paths):
        np.testing.assert_array_equal(got.images[row], np.asarray(Image.open(photos / path)))
    assert (got.meta["kind"], got.meta["root"]) == ("folder", str(photos.resolve()))
    assert got.meta["format"] == "JPEG, RGB"
    info = datasets.register(workspace, "photos", got.folder)
    data = datasets.load(info)
    assert list(data.ids) == got.ids
    assert data.images.shape == (6, 20, 20, 3)
    assert info.version == got.report.version


def test_same_files_same_version_other_label_other_version(photos, tmp_path):
    def version(out):
        return importers.import_source(photos, "x", tmp_path / out).version

    first = version("a")
    assert version("b") == first
    (photos / "cat" / "0.jpg").rename(photos / "dog" / "9.jpg")
    assert version("c") != first


def test_numbers_as_class_names_are_ordered_as_numbers(tmp_path, do_import):
    for name in ("10", "9", "0"):
        put(tmp_path / "s" / name / "a.png")
    assert do_import(tmp_path / "s").names == ["0", "9", "10"]


@pytest.mark.parametrize("inner", ["data", "data/images"])
def test_a_lone_outer_folder_is_passed_through(tmp_path, do_import, inner):
    put(tmp_path / "s" / inner / "cat" / "a.png")
    put(tmp_path / "s" / inner / "dog" / "b.png")
    got = do_import(tmp_path / "s")
    assert got.names == ["cat", "dog"]
    assert got.ids == ["cat/a.png", "dog/b.png"]


def test_splits_are_read_together(tmp_path, do_import):
    for place in ("train/cat/1", "train/dog/1", "val/cat/1", "test/eel/2"):
        put(tmp_path / "s" / f"{place}.png")
    got = do_import(tmp_path / "s")
    assert got.names == ["cat", "dog", "eel"]
    assert got.ids == ["test/eel/2.png", "train/cat/1.png", "train/dog/1.png", "val/cat/1.png"]
    assert "train" in got.report.notes[0]


def test_odd_class_names_stay_as_they_are(tmp_path, do_import):
    names = ["=1+1", "<b>bold", 'say "hi"', "two\nlines", "ärger 猫", "a,b;c", "-"]
    for name in names:
        put(tmp_path / "s" / name / "a.png")
    put(tmp_path / "s" / "bell\x07" / "a.png")
    assert set(do_import(tmp_path / "s").names) == {*names, "bell␇"}


def test_ten_thousand_classes(tmp_path, do_import):
    data = encoded(picture(8, 8), "PNG")
    for k in range(10_000):
        folder = tmp_path / "s" / f"class {k}"
        folder.mkdir(parents=True)
        if k % 10 == 0:
            (folder / "a.png").write_bytes(data)
    got = do_import(tmp_path / "s")
    assert len(got.names) == 10_000
    assert got.report.n == 1000
    assert "8,995 more" in got.report.notes[0]


def test_one_image_is_a_set(tmp_path, do_import):
    put(tmp_path / "s" / "only" / "a.png")
    got = do_import(tmp_path / "s")
    assert got.report.n == 1
    assert "Only one class" in got.report.notes[-1]


def test_choosing_a_class_folder_says_what_to_choose(photos, tmp_path):
    with pytest.raises(LnlError, match="Choose the folder above the class folders"):
        importers.import_source(photos / "cat", "x", tmp_path / "out")
    with pytest.raises(LnlError, match="cannot be opened"):
        importers.import_source(tmp_path / "nowhere", "x", tmp_path / "out")
    (tmp_path / "bad" / "cat").mkdir(parents=True)
    (tmp_path / "bad" / "cat" / "a.jpg").write_bytes(b"no image")
    with pytest.raises(LnlError, match=r"^No image could be read\. Choose the folder above"):
        importers.import_source(tmp_path / "bad", "x", tmp_path / "out")
    (tmp_path / "a.docx").write_bytes(b"x")
    with pytest.raises(LnlError, match="none of the known forms"):
        importers.import_source(tmp_path / "a.docx", "x", tmp_path / "out")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.docx", "bad", "photos"]


def test_working_resolution(tmp_path, do_import):
    for i, side in enumerate((40, 50, 60)):
        put(tmp_path / "small" / "a" / f"{i}.png", width=side, height=side // 2)
    put(tmp_path / "large" / "a" / "0.png", width=300, height=200)
    put(tmp_path / "flat" / "a" / "0.png", width=40, height=20, mode="L")

    def shape(name, **options):
        found = importers.read(tmp_path / name, **options)
        out = tmp_path / f"{name} {options}"
        importers.import_source(tmp_path / name, "x", out, **options)
        shape = np.load(out / "images.npy", mmap_mode="r").shape
        assert (found.height, found.width) == shape[1:3]
        return shape[1:]

    assert shape("small") == (50, 50, 3)
    assert shape("large") == (128, 128, 3)
    assert shape("large", size=64) == (64, 64, 3)
    assert shape("flat") == (20, 40, 1)
    with pytest.raises(LnlError, match="out of range"):
        shape("flat", size=5)


def test_colour_after_the_sample_widens_the_file(tmp_path, do_import, monkeypatch):
    monkeypatch.setattr("lnl_core.data.files.SAMPLE", 4)
    for i in range(20):
        put(tmp_path / "s" / "a" / f"{i:02}.png", seed=i, mode="L" if i != 13 else "RGB")
    got = do_import(tmp_path / "s")
    assert got.images.shape == (20, 20, 20, 3)
    assert got.meta["channels"] == 3
    for i in range(20):
        expected = Image.open(tmp_path / "s" / "a" / f"{i:02}.png").convert("RGB")
        np.testing.assert_array_equal(got.images[i], np.asarray(expected))


def test_class_map_merges_and_renames(photos, do_import):
    assert do_import(photos, class_map={"cat": "pet", "dog": "pet"}).names == ["pet"]


def test_progress_is_told_and_may_stop_the_import(photos, tmp_path):
    told = []
    importers.import_source(photos, "x", tmp_path / "a", report=lambda *at: told.append(at))
    assert told[-1] == (6, 6, 0)

    def stop(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        importers.import_source(photos, "x", tmp_path / "b", report=stop)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "photos"]


def test_too_small_a_disk_is_noticed_before_reading(photos, tmp_path, monkeypatch):
    from lnl_core.data import writing

    class Usage:
        free = 1000

    monkeypatch.setattr(writing.shutil, "disk_usage", lambda _: Usage)
    with pytest.raises(LnlError, match="smaller working resolution"):
        importers.import_source(photos, "x", tmp_path / "a")


@pytest.mark.long
def test_memory_does_not_grow_with_the_set(tmp_path):
    data = encoded(picture(32, 32), "JPEG")
    (tmp_path / "1.jpg").write_bytes(data)

    def peak(n):
        table = tmp_path / f"{n}.csv"
        with table.open("w") as stream:
            stream.write("image,label,id\n")
            stream.writelines(
                f"1.jpg,class {i % 7},a rather long id of number {i}\n" for i in range(n)
            )
        tracemalloc.start()
        report = importers.import_source(table, "x", tmp_path / f"out{n}", size=32)
        _, high = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert report.n == n
        return high

    peak(200)  # what is imported lazily counts once
    small, large = peak(500), peak(2500)
    pixels = 2000 * 32 * 32 * 3
    assert large - small < pixels / 8


def test_real_folder_of_jpegs(do_import, sample_folder):
    folder = sample_folder / "images"
    got = do_import(folder)
    assert got.images.shape == (300, 32, 32, 3)
    assert np.bincount(got.labels).tolist() == [30] * 10
    assert got.skipped == []
    assert json.loads((got.folder / "meta.json").read_text())["n"] == 300
    with_list = importers.read(folder.parent)
    assert (with_list.kind, with_list.n, len(with_list.class_names)) == ("manifest", 300, 10)


def test_files_that_do_not_end_like_images_are_told_before(photos):
    assert importers.read(photos).notes == ()
    for number in range(6):
        (photos / "cat" / f"notes {number}.txt").write_text("no image")
    assert importers.read(photos).notes[0].startswith("About 6 of 12 files do not end like")
