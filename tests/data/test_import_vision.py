"""Sets as torchvision downloads them, and pickles that must not run."""

import gzip
import io
import os
import pickle
import struct

import numpy as np
import pytest

from lnl_core.data import importers, pickles
from lnl_core.types import LnlError

NAMES = [f"class {i}" for i in range(10)]


def cifar(root, per_batch=4, seed=0):
    """A small set in CIFAR-10's own form."""
    folder = root / "cifar-10-batches-py"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    files = [f"data_batch_{i}" for i in range(1, 6)] + ["test_batch"]
    images, labels = [], []
    for file in files:
        data = rng.integers(0, 255, (per_batch, 3072), dtype=np.uint8)
        given = rng.integers(0, 10, per_batch).tolist()
        batch = {"batch_label": file, "labels": given, "data": data, "filenames": ["x"] * per_batch}
        (folder / file).write_bytes(pickle.dumps(batch, protocol=2))
        images.append(data)
        labels += given
    meta = {"label_names": NAMES, "num_vis": 3072, "num_cases_per_batch": per_batch}
    (folder / "batches.meta").write_bytes(pickle.dumps(meta, protocol=2))
    return np.concatenate(images), labels


def idx(array):
    head = bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape)
    return head + array.astype(np.uint8).tobytes()


def mnist(folder, count=7, packed=True):
    folder.mkdir(parents=True)
    rng = np.random.default_rng(1)
    for prefix in ("train", "t10k"):
        images = rng.integers(0, 255, (count, 28, 28), dtype=np.uint8)
        for name, array in (
            (f"{prefix}-images-idx3-ubyte", images),
            (f"{prefix}-labels-idx1-ubyte", np.arange(count) % 10),
        ):
            if packed:
                (folder / f"{name}.gz").write_bytes(gzip.compress(idx(array)))
            else:
                (folder / name).write_bytes(idx(array))
    return images


@pytest.mark.parametrize("inside", [True, False])
def test_cifar_batches_as_torchvision_reads_them(tmp_path, do_import, inside):
    vision = pytest.importorskip("torchvision.datasets")
    _, labels = cifar(tmp_path / "data")
    source = tmp_path / "data" / ("cifar-10-batches-py" if inside else "")
    assert importers.read(source).kind == "torchvision"
    done = do_import(source)
    assert done.names == NAMES
    assert done.labels.tolist() == labels
    assert done.ids[0] == "train-00000"
    assert done.ids[-1] == "test-00003"
    unchecked = type(
        "Cifar",
        (vision.CIFAR10,),
        {
            "train_list": [[name, None] for name, _ in vision.CIFAR10.train_list],
            "test_list": [[name, None] for name, _ in vision.CIFAR10.test_list],
            "meta": vision.CIFAR10.meta | {"md5": None},
        },
    )
    theirs = unchecked(tmp_path / "data")
    np.testing.assert_array_equal(done.images[:20], theirs.data)
    assert done.labels[:20].tolist() == theirs.targets
    assert done.names == theirs.classes


@pytest.mark.parametrize("packed", [True, False])
def test_idx_files_as_torchvision_reads_them(tmp_path, do_import, packed):
    reading = pytest.importorskip("torchvision.datasets.mnist")
    folder = tmp_path / "FashionMNIST" / "raw"
    mnist(folder, packed=packed)
    done = do_import(tmp_path / "FashionMNIST")
    assert (done.report.kind, done.report.n, done.names[9]) == ("torchvision", 14, "Ankle boot")
    if not packed:
        theirs = reading.read_image_file(str(folder / "t10k-images-idx3-ubyte"))
        np.testing.assert_array_equal(done.images[7:, :, :, 0], theirs.numpy())
    assert done.labels.tolist() == [0, 1, 2, 3, 4, 5, 6] * 2


def test_two_sets_under_one_root_ask_for_one(tmp_path):
    cifar(tmp_path / "data")
    mnist(tmp_path / "data" / "MNIST" / "raw")
    with pytest.raises(LnlError, match="Several sets"):
        importers.read(tmp_path / "data")


def test_damage_is_told(tmp_path, do_import):
    cifar(tmp_path / "data")
    batch = tmp_path / "data" / "cifar-10-batches-py" / "data_batch_2"
    whole = batch.read_bytes()
    batch.write_bytes(whole[:-20])
    with pytest.raises(LnlError, match=r"data_batch_2 .*damaged"):
        do_import(tmp_path / "data")
    batch.write_bytes(pickle.dumps({"labels": [0], "data": np.zeros((2, 5), np.uint8)}))
    with pytest.raises(LnlError, match="does not hold"):
        do_import(tmp_path / "data")
    folder = tmp_path / "MNIST" / "raw"
    mnist(folder, packed=False)
    with (folder / "train-images-idx3-ubyte").open("r+b") as stream:
        stream.truncate(1000)
    with pytest.raises(LnlError, match="cut off"):
        do_import(tmp_path / "MNIST")


class Evil:
    def __reduce__(self):
        return os.system, ("touch owned",)


class Call:
    def __init__(self, *what):
        self.what = what

    def __reduce__(self):
        return self.what


@pytest.mark.parametrize(
    "value",
    [
        Evil(),
        {"data": Evil()},
        Call(eval, ("open('owned', 'w')",)),
        Call(getattr, ("", "join")),
        Call(np.load, ("owned",)),
        np.array([Evil()], dtype=object),
        np.zeros(3, "M8[s]"),
        np.zeros(2, [("a", "i4")]),
        Call(bytes, (10**12,)),
    ],
    ids=("system", "inside", "eval", "getattr", "load", "objects", "dates", "record", "memory"),
)
@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
def test_a_pickle_runs_nothing(tmp_path, monkeypatch, value, protocol):
    monkeypatch.chdir(tmp_path)
    data = pickle.dumps({"labels": [1], "data": value}, protocol=protocol)
    with pytest.raises(LnlError, match="batch"):
        pickles.read(io.BytesIO(data), "batch")
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4])
def test_plain_data_comes_through(protocol):
    value = {
        "a": np.arange(12, dtype=np.uint8).reshape(3, 4),
        "f": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        "big": np.array([1, 2], ">i4"),
        "empty": np.zeros((0, 3), np.int64),
        "yes": np.array([True, False]),
        "list": [1, "two", b"3", None],
        "inner": {"x": [np.array([1, 2])]},
    }
    found = pickles.read(io.BytesIO(pickle.dumps(value, protocol=protocol)), "batch")
    for key in ("a", "f", "big", "empty", "yes"):
        np.testing.assert_array_equal(found[key], value[key])
    assert found["list"] == value["list"]
    assert found["inner"]["x"][0].tolist() == [1, 2]


def test_arrays_of_python_two_come_through():
    data = (
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
        b"(K\x01K\x02K\x03\x86cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNN"
        b"J\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89U\x06ab\xffdeftb."
    )
    assert pickle.loads(data, encoding="latin1").tolist() == [[97, 98, 255], [100, 101, 102]]
    found = pickles.read(io.BytesIO(data), "batch")
    assert found.tolist() == [[97, 98, 255], [100, 101, 102]]
    lying = data.replace(b"K\x02K\x03\x86", b"K\x02K\x04\x86")
    with pytest.raises(LnlError, match="cut off"):
        pickles.read(io.BytesIO(lying), "batch")


@pytest.mark.parametrize("zipped", [True, False])
def test_arrays_saved_by_torch(tmp_path, zipped):
    torch = pytest.importorskip("torch")
    value = {"clean_label": np.arange(5), "worse_label": np.arange(5)[::-1].copy()}
    torch.save(value, tmp_path / "a.pt", _use_new_zipfile_serialization=zipped)
    with (tmp_path / "a.pt").open("rb") as stream:
        found = pickles.read_torch(stream, "a.pt")
    assert {key: array.tolist() for key, array in found.items()} == {
        "clean_label": [0, 1, 2, 3, 4],
        "worse_label": [4, 3, 2, 1, 0],
    }
    torch.save({"x": torch.zeros(2)}, tmp_path / "b.pt", _use_new_zipfile_serialization=zipped)
    with (tmp_path / "b.pt").open("rb") as stream, pytest.raises(LnlError, match=r"b\.pt"):
        pickles.read_torch(stream, "b.pt")


def test_a_missing_batch_is_named(tmp_path):
    cifar(tmp_path)
    (tmp_path / "cifar-10-batches-py" / "data_batch_3").unlink()
    for folder in (tmp_path, tmp_path / "cifar-10-batches-py"):
        with pytest.raises(LnlError, match=r"cifar-10-batches-py has no data_batch_3\."):
            importers.read(folder)
