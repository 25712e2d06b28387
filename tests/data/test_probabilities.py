"""Somebody else's probabilities: every order comes out as the data set's, every slip is named."""

import io

import numpy as np
import pandas as pd
import pytest

from lnl_core.data.probabilities import read
from lnl_core.types import LnlError

IDS = [f"item-{i}" for i in range(6)]
NAMES = ("cat", "dog", "Ant, red")


@pytest.fixture
def probs():
    return np.random.default_rng(0).dirichlet(np.ones(3), 6)


def test_npy_in_the_order_of_the_data_set(tmp_path, probs):
    np.save(tmp_path / "p.npy", probs)
    found = read(tmp_path / "p.npy", "p.npy", IDS, NAMES)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, probs, atol=1e-6)


def test_half_precision_is_made_to_sum_to_one(tmp_path, probs):
    np.save(tmp_path / "p.npy", probs.astype(np.float16))
    found = read(tmp_path / "p.npy", "p.npy", IDS, NAMES)
    np.testing.assert_allclose(found.sum(1), 1, atol=1e-6)


def test_npz_by_names_and_ids_whatever_their_order(tmp_path, probs):
    rows, columns = [3, 0, 5, 1, 2, 4], [2, 0, 1]
    np.savez(
        tmp_path / "p.npz",
        pred_probs=probs[rows][:, columns],
        ids=np.array(IDS)[rows],
        class_names=np.array(NAMES)[columns],
    )
    np.testing.assert_allclose(read(tmp_path / "p.npz", "p.npz", IDS, NAMES), probs, atol=1e-6)


def test_npz_with_one_array_of_any_name(tmp_path, probs):
    np.savez(tmp_path / "p.npz", softmax=probs)
    np.testing.assert_allclose(read(tmp_path / "p.npz", "p.npz", IDS, NAMES), probs, atol=1e-6)


def as_csv(probs, order=(2, 0, 1), rows=(3, 0, 5, 1, 2, 4), **options):
    table = pd.DataFrame(probs, columns=list(NAMES)).iloc[:, list(order)]
    table.insert(1, "ID", IDS)
    return table.iloc[list(rows)].to_csv(index=False, **options)


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_csv_by_names_and_ids_whatever_their_order(tmp_path, probs, mark):
    (tmp_path / "p.csv").write_text(as_csv(probs, sep=mark), encoding="utf-8-sig")
    np.testing.assert_allclose(read(tmp_path / "p.csv", "p.csv", IDS, NAMES), probs, atol=1e-6)


def test_parquet_and_streams(probs):
    table = pd.DataFrame(probs, columns=list(NAMES)).assign(id=IDS)
    stream = io.BytesIO()
    table.to_parquet(stream)
    stream.seek(0)
    np.testing.assert_allclose(read(stream, "p.parquet", IDS, NAMES), probs, atol=1e-6)
    stream = io.BytesIO(as_csv(probs).encode())
    np.testing.assert_allclose(read(stream, "p.csv", IDS, NAMES), probs, atol=1e-6)


def test_ids_that_look_like_numbers_keep_their_zeros(tmp_path):
    (tmp_path / "p.csv").write_text("id,a,b\n002,0.25,0.75\n01,1,0\n")
    found = read(tmp_path / "p.csv", "p.csv", ["01", "002"], ("a", "b"))
    np.testing.assert_allclose(found, [[1, 0], [0.25, 0.75]])


def broken(change):
    probs = np.full((6, 3), 1 / 3)
    return change(probs)


def _put(probs, value):
    probs[4, 1] = value
    return probs


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda p: p.T.copy(), "3 x 6.*turned"),
        (lambda p: p[:5], "5 x 3.*6 images and 3 classes"),
        (lambda p: p[:, 0], "holds 6,"),
        (lambda p: _put(p, np.nan), "row 5 has nan for the class “dog”"),
        (lambda p: _put(p, np.inf), "row 5 has inf for the class “dog”"),
        (lambda p: _put(p, 0.9), "row 5 sums to 1.567"),
        (lambda p: _put(p, -0.2), "row 5 runs from -0.2.*softmax"),
        (lambda p: p * 100, "per cent"),
        (lambda p: p * 9 - 4, "softmax"),
        (lambda p: p.astype(str), "no numbers"),
    ],
)
def test_a_wrong_array_is_named_with_its_place_and_remedy(tmp_path, change, said):
    np.save(tmp_path / "p.npy", broken(change))
    with pytest.raises(LnlError, match=said):
        read(tmp_path / "p.npy", "p.npy", IDS, NAMES)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b\n0.5,0.5\n", "no column “id”.*“a”, “b”"),
        ("id,a\nx,1\n", "no column for the class “b”"),
        ("id,a,b,score\nx,1,0,3\n", "“score” is none of them"),
        ("id,a,b\nx,1,0\nx,1,0\n", "“x” comes twice"),
        ("id,a,b\nx,1,0\n", "nothing about 1 of 2 images; the first is “y”"),
        ("id,a,b\nx,high,0\ny,1,0\n", "column “a” holds text, first in row 2, “x”: “high”"),
        ("id,a,b\ny,1,0\nx,0.5,\n", "row 3, “x”, has nan for the class “b”"),
        ("id,a,b\ny,1,0\nx,0.5,0.1\n", "row 3, “x”, sums to 0.6"),
        ("id,a,b\nx,y,1,0\ny,x,0,1\n", "more cells than the header"),
        ("id,a,b\n", "no row below its header"),
        ("", "cannot be read"),
    ],
)
def test_a_wrong_table_is_named_with_its_place_and_remedy(tmp_path, text, said):
    (tmp_path / "p.csv").write_text(text)
    with pytest.raises(LnlError, match=said):
        read(tmp_path / "p.csv", "p.csv", ["x", "y"], ("a", "b"))


def test_what_is_no_file_of_probabilities_is_said(tmp_path):
    with pytest.raises(LnlError, match="is not there"):
        read(tmp_path / "p.npy", "p.npy", IDS, NAMES)
    (tmp_path / "p.npy").write_bytes(b"nothing")
    with pytest.raises(LnlError, match=r"numpy\.save"):
        read(tmp_path / "p.npy", "p.npy", IDS, NAMES)
    (tmp_path / "p.npz").write_bytes(b"nothing")
    with pytest.raises(LnlError, match=r"numpy\.savez"):
        read(tmp_path / "p.npz", "p.npz", IDS, NAMES)
    np.savez(tmp_path / "two.npz", x=np.ones(3), y=np.ones(3))
    with pytest.raises(LnlError, match="holds x, y"):
        read(tmp_path / "two.npz", "two.npz", IDS, NAMES)
    (tmp_path / "p.pt").write_bytes(b"nothing")
    with pytest.raises(LnlError, match="not of a kind"):
        read(tmp_path / "p.pt", "p.pt", IDS, NAMES)
    np.save(tmp_path / "o.npy", np.array([{}], object), allow_pickle=True)
    with pytest.raises(LnlError, match="without objects"):
        read(tmp_path / "o.npy", "o.npy", IDS, NAMES)


def test_ids_as_an_export_writes_them_and_odd_ones(tmp_path):
    ids = ["=1+1", "NA", " blank "]
    (tmp_path / "p.csv").write_text("id,a,b\n blank ,1,0\n'=1+1,0,1\nNA,0.5,0.5\n")
    found = read(tmp_path / "p.csv", "p.csv", ids, ("a", "b"))
    np.testing.assert_allclose(found, [[0, 1], [0.5, 0.5], [1, 0]])


def test_a_frame_indexed_by_id(tmp_path, probs):
    frame = pd.DataFrame(probs, columns=list(NAMES), index=pd.Index(IDS, name="id"))[::-1]
    frame.to_parquet(tmp_path / "p.parquet")
    found = read(tmp_path / "p.parquet", "p.parquet", IDS, NAMES)
    np.testing.assert_allclose(found, probs, atol=1e-6)


def test_ids_of_an_archive_name_its_rows(tmp_path, probs):
    rows = [3, 0, 5, 1, 2, 4]
    probs[5] /= 2
    np.savez(tmp_path / "p.npz", pred_probs=probs[rows], ids=np.array(IDS)[rows])
    with pytest.raises(LnlError, match=r"row 3, “item-5”, sums to 0\.5"):
        read(tmp_path / "p.npz", "p.npz", IDS, NAMES)
    np.savez(tmp_path / "p.npz", pred_probs=probs[:5], ids=np.array(IDS))
    with pytest.raises(LnlError, match="6 ids for 5 rows"):
        read(tmp_path / "p.npz", "p.npz", IDS, NAMES)
