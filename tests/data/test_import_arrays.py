import tracemalloc

import numpy as np
import pytest

from lnl_core.data import importers
from lnl_core.types import LnlError
from tests.data.asking import arrays, read

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (12, 9, 10, 3), dtype=np.uint8)
LABELS = np.arange(12) % 3


def saved(tmp_path, **arrays):
    path = tmp_path / "set.npz"
    np.savez_compressed(path, **({"images": IMAGES, "labels": LABELS} | arrays))
    return path


def test_arrays_come_in_unchanged(tmp_path, do_import):
    path = saved(
        tmp_path,
        class_names=np.array(["=cat", "dög", "two\nlines"]),
        ids=np.array([f"id {i}" for i in range(12)]),
        true_labels=np.roll(LABELS, 1).astype(np.uint8),
    )
    got = do_import(path)
    np.testing.assert_array_equal(got.images, IMAGES)
    np.testing.assert_array_equal(got.labels, LABELS)
    np.testing.assert_array_equal(got.truth, np.roll(LABELS, 1))
    assert got.names == ["=cat", "dög", "two\nlines"]
    assert got.ids[11] == "id 11"
    assert got.paths == [None] * 12
    assert (got.meta["kind"], got.meta["root"]) == ("npz", None)
    found = importers.read(path)
    assert (found.kind, found.n, found.height, found.width) == ("npz", 12, 9, 10)


def test_classes_without_names(tmp_path, do_import):
    got = do_import(saved(tmp_path, labels=LABELS * 2))
    assert got.names == ["0", "1", "2", "3", "4"]
    assert got.given[:3] == ["0", "2", "4"]


def test_text_labels_and_far_apart_numbers(tmp_path, do_import):
    words = np.array(["b", "a", "ä"])[LABELS]
    assert do_import(saved(tmp_path, labels=words)).given[:3] == ["b", "a", "ä"]


@pytest.mark.parametrize(
    ("labels", "truth", "names"),
    [
        (LABELS == 0, LABELS == 1, ["0", "1"]),
        (LABELS == 0, (LABELS == 1).astype(np.int8), ["0", "1"]),
        ((LABELS == 0).astype(np.int8), LABELS == 1, ["0", "1"]),
        ((LABELS == 0).astype(np.uint8), 300 * (LABELS == 1), ["0", "1", "300"]),
        (np.array(["ant", "bee"])[LABELS % 2], np.array(["ant", "giraffe"])[LABELS % 2], None),
        (np.array(["ant", "bee"])[LABELS % 2], np.array(["ä", "giraffe"])[LABELS % 2], None),
        (np.array([b"ant", b"bee"])[LABELS % 2], np.array(["ä", "giraffe"])[LABELS % 2], None),
        (np.array(["1", "2"])[LABELS % 2], LABELS * 10, ["0", "1", "2", "10", "20"]),
    ],
)
def test_true_labels_are_whole_beside_labels_of_another_kind(
    tmp_path, do_import, labels, truth, names
):
    got = do_import(saved(tmp_path, labels=labels, true_labels=truth))
    names = names or sorted({*labels.astype(str), *truth})
    assert not [note for note in got.report.notes if "true_labels" in note]
    said = truth.astype(np.int64) if truth.dtype.kind == "b" else truth
    assert [got.names[code] for code in got.truth] == [str(each) for each in said]
    assert set(got.names) <= set(names)


def test_far_apart_numbers_are_names(tmp_path, do_import):
    got = do_import(saved(tmp_path, labels=LABELS * 1_000_000))
    assert got.names == ["0", "1000000", "2000000"]
    np.testing.assert_array_equal(got.labels, LABELS)


@pytest.mark.parametrize("channels", [None, 1, 2, 4])
def test_gray_and_alpha(tmp_path, do_import, channels):
    shape = (12, 9, 10) if channels is None else (12, 9, 10, channels)
    images = RNG.integers(0, 256, shape, dtype=np.uint8)
    if channels in (2, 4):
        images[..., -1] = 255
    got = do_import(saved(tmp_path, images=images))
    expected = images if channels is None else images[..., : {1: 1, 2: 1, 4: 3}[channels]]
    np.testing.assert_array_equal(got.images.squeeze(), expected.squeeze())
    assert got.images.shape[3] == (3 if channels == 4 else 1)


def test_large_arrays_are_brought_to_working_size(tmp_path, do_import):
    images = np.full((2, 300, 150, 3), 77, np.uint8)
    got = do_import(saved(tmp_path, images=images, labels=LABELS[:2]))
    assert got.images.shape == (2, 128, 128, 3)
    assert (np.asarray(got.images) == 77).all()


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"images": IMAGES.astype(complex)}, "complex128, which are no pixels"),
        ({"images": IMAGES.astype("U3")}, "<U3, which are no pixels"),
        ({"images": IMAGES.astype("datetime64[s]")}, "no pixels"),
        ({"images": np.array([1, "x"], dtype=object)}, "Python objects"),
        ({"images": IMAGES.transpose(0, 3, 1, 2)}, "channels first"),
        ({"images": IMAGES[0, 0]}, "must be"),
        ({"images": IMAGES[:0]}, "empty"),
        ({"images": np.asfortranarray(IMAGES)}, "ascontiguousarray"),
        ({"labels": LABELS[:5]}, r"“images” has 12 rows, “labels” has 5"),
        ({"labels": LABELS / 3}, "whole numbers"),
        ({"labels": np.eye(12)}, "one-dimensional"),
        ({"labels": np.array(LABELS, dtype=object)}, "Python objects"),
        ({"labels": np.full(12, -1)}, "0 classes"),
        ({"class_names": np.array(["a", "a", "b"])}, "twice"),
        ({"class_names": np.array(["a", " ", "b"])}, "blank"),
        ({"class_names": np.array([], dtype=str)}, "class_names"),
        ({"ids": np.arange(3)}, "“ids” has 3"),
        ({"true_labels": LABELS[:2]}, "“true_labels” has 2"),
    ],
)
def test_refusals_say_what_helps(tmp_path, arrays, words):
    with pytest.raises(LnlError, match=words):
        importers.import_source(saved(tmp_path, **arrays), "x", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_missing_and_damaged_files(tmp_path):
    path = tmp_path / "x.npz"
    np.savez(path, pictures=IMAGES[0, 0], labels=LABELS)
    with pytest.raises(LnlError, match=r"no array “images”.*“labels”, “pictures”"):
        importers.import_source(path, "x", tmp_path / "out")
    path.write_bytes(saved(tmp_path).read_bytes()[:2000])
    with pytest.raises(LnlError, match="no readable NPZ"):
        importers.import_source(path, "x", tmp_path / "out")
    data = bytearray(saved(tmp_path).read_bytes())
    data[3000:3040] = b"\xff" * 40
    path.write_bytes(data)
    with pytest.raises(LnlError, match=r"damaged|cut off|no readable array"):
        importers.import_source(path, "x", tmp_path / "out")
    assert [p.name for p in tmp_path.iterdir() if "out" in p.name] == []


def test_bad_rows_are_left_out_and_named(tmp_path, do_import):
    labels = LABELS.copy()
    labels[[2, 5]] = [-1, 4]
    ids = np.array([f"i{i}" for i in range(12)])
    ids[[7, 9]] = ["i1", " "]
    got = do_import(saved(tmp_path, labels=labels, ids=ids, class_names=np.array(["a", "b", "c"])))
    assert got.report.n == 8
    assert [row["row"] for row in got.skipped] == [2, 5, 7, 9]
    assert "none of the 3 classes" in got.skipped[0]["reason"]
    assert got.skipped[1]["where"] == "i5: label 4"
    assert "twice" in got.skipped[2]["reason"]
    np.testing.assert_array_equal(got.images[2], IMAGES[3])


def test_truth_outside_the_classes_is_not_used(tmp_path, do_import):
    truth = LABELS.copy()
    truth[0] = 9
    names = np.array(["a", "b", "c"])
    got = do_import(saved(tmp_path, true_labels=truth, class_names=names))
    assert not got.report.has_truth
    assert "true_labels" in got.report.notes[0]


def test_arrays_stream(tmp_path):
    importers.import_source(saved(tmp_path), "x", tmp_path / "warm")
    path = saved(tmp_path, images=np.zeros((6000, 32, 32, 3), np.uint8), labels=np.arange(6000) % 2)
    tracemalloc.start()
    importers.import_source(path, "x", tmp_path / "out")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 6_000_000  # the images are 18 million bytes


def test_a_folder_with_one_file_of_arrays_is_that_file(tmp_path, agrees):
    (tmp_path / "s").mkdir()
    arrays(tmp_path / "s" / "mnist.npz", [0, 1, 0, 1])
    (tmp_path / "s" / "readme.md").write_text("hello")
    got = agrees(tmp_path / "s")
    assert got.report.kind == "npz"
    assert got.given == ["0", "1", "0", "1"]
    assert got.meta["lists"] == [str(tmp_path / "s" / "mnist.npz")]
    arrays(tmp_path / "s" / "other.npz", [0, 1, 0, 1])
    with pytest.raises(LnlError, match=r"2 NPZ files: “mnist.npz”, “other.npz”. Import one"):
        read(tmp_path / "s")
