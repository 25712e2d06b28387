"""New images whose ids are all taken: the set is not searched anew for each of them."""

import numpy as np

from lnl_core.services import in_force
from lnl_core.services.datasets import catalog, growing
from lnl_core.store import datasets
from lnl_core.store.table import ArrowStrings
from tests.services.datasets.test_growing import file_of, pictures

N = 200


def made(workspace, tmp_path, ids):
    source = file_of(tmp_path, "first", pictures(len(ids)), np.arange(len(ids)) % 3, ids=ids)
    catalog.import_dataset(workspace, source, "first")
    return datasets.dataset(workspace, "first")


def test_the_ids_of_the_set_are_searched_once(workspace, tmp_path, monkeypatch):
    ids = np.array([f"cat/{row}" for row in range(N)])
    info = made(workspace, tmp_path, ids)
    searched, positions = [], ArrowStrings.positions

    def counted(self, values):
        searched.append(len(values))
        return positions(self, values)

    monkeypatch.setattr(ArrowStrings, "positions", counted)
    source = file_of(tmp_path, "more", pictures(N, seed=8), np.arange(N) % 3, ids=ids)
    told = growing.add_images(info, source)
    assert told.renamed == tuple((id_, f"more/{id_}") for id_ in ids)
    assert len(searched) < 10


def test_names_that_are_taken_as_well_are_passed_over(workspace, tmp_path):
    info = made(workspace, tmp_path, np.array(["a", "b", "more/a", "more-2/a"]))
    ids = np.array(["a", "b", "more/b"])
    source = file_of(tmp_path, "more", pictures(3, seed=8), np.arange(3) % 3, ids=ids)
    told = growing.add_images(info, source)
    given = ["more-3/a", "more/b", "more/more/b"]
    assert told.renamed == tuple(zip(ids, given, strict=True))
    assert list(in_force.loaded(datasets.dataset(workspace, "first")).ids)[4:] == given
