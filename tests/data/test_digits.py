import hashlib
import json

import numpy as np

from lnl_core.data import digits
from lnl_core.store import datasets

GIVEN = "efea6bef04e839e0"
"""Digest of the demo's given labels: everybody's demo has the same mistakes."""


def test_the_same_mistakes_everywhere():
    found = digits.digits()
    digest = hashlib.blake2b(found.given_labels.astype("<i4").tobytes(), digest_size=8)
    assert digest.hexdigest() == GIVEN
    wrong = found.given_labels != found.true_labels
    assert wrong.sum() == round(0.15 * 1797) == 270
    assert found.images.shape == (1797, 8, 8, 1)
    assert (found.images.min(), found.images.max()) == (0, 255)
    assert np.bincount(found.true_labels).min() > 150


def test_mistakes_are_those_that_people_make():
    found = digits.digits()
    table = np.zeros((10, 10), int)
    np.add.at(table, (found.true_labels, found.given_labels), 1)
    np.fill_diagonal(table, 0)
    assert np.sort(table.ravel())[-20:].sum() > 0.6 * 270  # of ninety pairs, few hold most
    assert (table.sum(axis=1) > 0).all()


def test_it_is_written_like_an_import(tmp_path, workspace):
    digits.write(tmp_path / "demo")
    meta = json.loads((tmp_path / "demo" / "meta.json").read_text())
    assert (meta["n"], meta["kind"], meta["class_names"]) == (1797, "demo", list("0123456789"))
    info = datasets.register(workspace, "demo", tmp_path / "demo")
    data = datasets.load(info)
    assert (data.ids[0], data.ids[1796], data.paths) == ("digit-0000", "digit-1796", None)
    np.testing.assert_array_equal(data.images, digits.digits().images)
    np.testing.assert_array_equal(data.true_labels, digits.digits().true_labels)
    digits.write(tmp_path / "again")
    assert json.loads((tmp_path / "again" / "meta.json").read_text())["version"] == info.version


def test_five_of_eighteen_are_wrong():
    tiles = digits.sample()
    found = digits.digits()
    assert (len(tiles), sum(tile.wrong for tile in tiles)) == (18, 5)
    assert len({tile.row for tile in tiles}) == 18
    for tile in tiles:
        assert tile.wrong == (int(tile.given) != found.true_labels[tile.row])
    assert len({int(found.true_labels[tile.row]) for tile in tiles}) == 10
    assert [tile.row for tile in digits.sample()] == [tile.row for tile in tiles]
