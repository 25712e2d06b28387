"""FiftyOne's folder of an image classification set comes in with its labels."""

import json
import os

import pytest

from lnl_core.types import LnlError
from tests.data.asking import asked, counts, put, read, stops

NAMES = ["cat", "dog"]


def written(folder, labels, names=NAMES):
    """Write pictures for labels by name, and `labels.json`."""
    put(folder / "data", [f"{key}.png" for key in labels if not os.path.isabs(key)])
    whole = {"classes": names, "labels": labels}
    (folder / "labels.json").write_text(json.dumps(whole), "utf-8")
    return folder


@pytest.mark.parametrize("as_label", [int, lambda n: {"label": n}, lambda n: NAMES[n]])
def test_labels_are_numbers_objects_or_names(tmp_path, agrees, as_label):
    source = written(tmp_path / "s", {f"im {at}.x": as_label(at % 2) for at in range(6)})
    got = agrees(source)
    assert got.given == ["cat", "dog"] * 3
    assert got.paths == [f"data/im {at}.x.png" for at in range(6)]


@pytest.mark.parametrize("without", [{"classes": None}, {}])
@pytest.mark.parametrize("as_label", [int, lambda n: {"label": NAMES[n]}, lambda n: NAMES[n]])
def test_classes_are_not_there_where_labels_are_names(tmp_path, agrees, without, as_label):
    source = written(tmp_path / "s", {f"sub/im{at}": as_label(at % 2) for at in range(6)})
    whole = json.loads((source / "labels.json").read_text("utf-8"))
    (source / "labels.json").write_text(json.dumps({**without, "labels": whole["labels"]}))
    got = agrees(source)
    assert got.given == (["0", "1"] if as_label is int else NAMES) * 3
    assert got.paths == [f"data/sub/im{at}.png" for at in range(6)]


def test_a_broken_one_is_not_called_a_broken_file_of_coco(tmp_path):
    source = written(tmp_path / "s", {"a": 0, "b": 1})
    (source / "labels.json").write_text('{"classes": null, "labels": ["cat", "dog"]}')
    with pytest.raises(LnlError, match="in FiftyOne's form"):
        read(source / "labels.json")


def test_names_of_classes_by_number_are_no_labels_of_files(tmp_path):
    put(tmp_path / "s", [f"{at}/{at}.png" for at in range(2)])
    (tmp_path / "s" / "labels.json").write_text('{"labels": {"0": "cat", "1": "dog"}}')
    assert not read(tmp_path / "s").columns


def test_ids_and_splits_of_our_own_exports_come_back(tmp_path, agrees):
    def label(at):
        facts = {"lnl_id": f"n{at}", "split": ["train", "val"][at % 2], "verdict": "keep"}
        return {"label": at % 2, "attributes": facts}

    got = agrees(written(tmp_path / "s", {f"im{at}": label(at) for at in range(4)}))
    assert got.ids == ["n0", "n1", "n2", "n3"]
    assert got.splits == ["train", "val"] * 2


def test_whole_paths_lead_to_images_elsewhere(tmp_path):
    put(tmp_path / "s", ["cat.png", "dog.png"])
    labels = {str(tmp_path / "s" / "cat.png"): 0, str(tmp_path / "s" / "dog.png"): 1}
    assert counts(read(written(tmp_path / "s", labels))) == {"cat": 1, "dog": 1}


def test_several_labels_are_asked_about_and_none_is_blank(tmp_path):
    source = written(tmp_path / "s", {"a": [0, 1], "b": 0, "c": 1, "d": None})
    stops(source, "several", tmp_path)
    assert "unlabelled" in asked(read(source, several="first"))


def test_an_object_of_something_else_is_none(tmp_path):
    put(tmp_path / "s", ["cat/a.png", "dog/b.png"])
    (tmp_path / "s" / "x.json").write_text('{"classes": {"0": "cat"}, "labels": [1]}')
    assert counts(read(tmp_path / "s")) == {"cat": 1, "dog": 1}
