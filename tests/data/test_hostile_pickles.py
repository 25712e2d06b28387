"""Pickles made to take all memory or never to end; what is harmless reads as `pickle` reads it."""

import collections
import contextlib
import gzip
import io
import pickle
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lnl_core.data import importers, pickles, vision
from lnl_core.types import LnlError

MEGABYTE = 2**20


def nested(levels, width, opened, closed):
    """A pickle of containers in containers, each holding the one before `width` times."""
    data = [b"\x80\x02", opened, b"q\x00"]
    for level in range(levels):
        data += [b"(", b"h" + bytes([level]), (b"h" + bytes([level])) * (width - 1), closed]
        data += [b"q" + bytes([level + 1])]
    return b"".join([*data, b"."])


def as_key(value):
    """The pickle of `{value: None}`."""
    return value[:2] + b"}" + value[2:-1] + b"Ns."


def many_copies(times, size):
    """One text, turned into bytes `times` times."""
    text = b"X" + struct.pack("<I", size) + b"a" * size + b"q\x00"
    call = b"c_codecs\nencode\n" + b"h\x00\x85R"
    return b"\x80\x02" + text + b"0](" + call * times + b"e."


HOSTILE = {
    "memo index": b"\x80\x02Nr\xff\xff\xff\x7f.",
    "memo index in text": b"Np2000000000\n.",
    "length": b"\x80\x04\x8e" + b"\xff" * 7 + b"\x00a.",
    "frame": b"\x80\x04\x95" + b"\xff" * 7 + b"\x00N.",
    "number": b"\x80\x02\x8b\xff\xff\xff\x7fa.",
    "digits": b"I" + b"9" * 9000 + b"\n.",
    "lists of lists": nested(9, 1000, b"]", b"l"),
    "a key of tuples of tuples": as_key(nested(60, 60, b")", b"t")),
    "one text many times": many_copies(5000, 100_000),
    "array of no bytes": pickle.dumps(np.zeros(0, np.uint8), 2).replace(
        b"K\x00\x85", b"J\xff\xff\xff\x7f\x85"
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_small_hostile_pickle_takes_little_and_ends(name):
    data = HOSTILE[name]
    tracemalloc.start()
    with contextlib.suppress(LnlError):  # the one refusal that a reader may make
        pickles.read(io.BytesIO(data), "batch")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 64 * len(data) + MEGABYTE


def test_labels_that_unfold_to_gigabytes_are_no_labels(tmp_path):
    shared = [0] * 1000
    for _ in range(4):
        shared = [shared] * 1000
    (tmp_path / "data_batch_1").write_bytes(pickle.dumps({"labels": shared, "data": b""}, 2))
    names = pickle.dumps({"label_names": ["a", "b"]}, 2)
    (tmp_path / "batches.meta").write_bytes(names)
    for file in ("data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch"):
        (tmp_path / file).write_bytes(pickle.dumps({"labels": [0], "data": b""}, 2))
    assert (tmp_path / "data_batch_1").stat().st_size < 20_000
    with pytest.raises(LnlError, match="has no list “labels”"):
        importers.read(tmp_path)


def test_a_pickle_of_millions_of_numbers_is_refused():
    data = b"\x80\x02](" + b"K\x01" * (pickles.MAX_STEPS + 1) + b"e."
    with pytest.raises(LnlError, match="more than 2,000,000 values that are no arrays"):
        pickles.read(io.BytesIO(data), "batch")
    with pytest.raises(LnlError, match="more than 2,000,000 values that are no arrays"):
        pickles.read_torch(io.BytesIO(data), "batch")


def test_an_idx_file_that_says_it_is_huge_is_refused(tmp_path):
    for name, head in (
        ("train-images-idx3-ubyte.gz", struct.pack(">4B3I", 0, 0, 8, 3, 2**31, 28, 28)),
        ("train-labels-idx1-ubyte.gz", struct.pack(">4BI", 0, 0, 8, 1, 2**31)),
    ):
        (tmp_path / name).write_bytes(gzip.compress(head + bytes(100_000)))
    with pytest.raises(LnlError, match="zip bomb"):
        vision.scan(tmp_path)


def test_a_pickle_in_a_zip_does_not_swell():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "a/data.pkl", b"\x80\x02X" + struct.pack("<I", 2**25) + bytes(2**25) + b"."
        )
    assert len(stream.getvalue()) < 100_000
    stream.seek(0)
    with pytest.raises(LnlError, match="zip bomb"):
        pickles.read_torch(stream, "a.pt")


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=4)
    ),
    max_leaves=20,
)


@settings(max_examples=60, deadline=None)
@given(PLAIN, st.integers(0, 5))
def test_plain_data_reads_as_pickle_reads_it(value, protocol):
    twice = [value, collections.OrderedDict(), value]
    data = pickle.dumps(twice, protocol)
    assert pickles.read(io.BytesIO(data), "plain") == twice


@pytest.mark.parametrize("protocol", range(5))
@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_shared_and_apart_read_as_numpy_reads_them(protocol, order):
    one = np.asarray(np.arange(6).reshape(2, 3), order=order)
    value = {"a": one, "b": [one, np.array([True, False])], "c": (one.astype(">f4"), "x")}
    found = pickles.read(io.BytesIO(pickle.dumps(value, protocol)), "arrays")
    np.testing.assert_array_equal(found["a"], one)
    assert found["b"][0] is found["a"]
    assert found["b"][1].tolist() == [True, False]
    np.testing.assert_array_equal(found["c"][0], value["c"][0])


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_changed_pickle_is_read_or_refused(data):
    value = {"labels": list(range(40)), "names": ["a", "b"], "data": np.arange(12)}
    raw = bytearray(pickle.dumps(value, data.draw(st.integers(0, 4))))
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(LnlError):  # the one refusal that a reader may make
        pickles.read(io.BytesIO(bytes(raw)), "changed")
