"""Parquet with the images in it, as the Hugging Face hub stores a set."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lnl_core.data import importers
from lnl_core.readings import Answers, Unanswered
from lnl_core.types import LnlError
from tests.data.making import encoded, picture


def shard(file, labels, names=("cat", "dog"), column="label", paths=True, more=None):
    """Write a shard as `datasets` does: struct{bytes, path}, features in the schema's metadata."""
    file.parent.mkdir(parents=True, exist_ok=True)
    cells = [
        {
            "bytes": encoded(picture(16, 16, seed=i), "PNG"),
            "path": f"{file.stem}-{i}.png" if paths else None,
        }
        for i in range(len(labels))
    ]
    columns = {
        "image": pa.array(cells, pa.struct([("bytes", pa.binary()), ("path", pa.string())])),
        column: pa.array(labels),
    } | {name: pa.array(values) for name, values in (more or {}).items()}
    features = {"image": {"_type": "Image"}}
    for name in (column, *(more or {})):
        features[name] = {"names": list(names), "_type": "ClassLabel"}
    metadata = {"huggingface": json.dumps({"info": {"features": features}})} if names else None
    table = pa.table(columns)
    pq.write_table(table.replace_schema_metadata(metadata), file)
    return file


@pytest.mark.parametrize("place", ["", "data/"])
def test_shards_of_a_set_with_names_and_splits(tmp_path, do_import, place):
    shard(tmp_path / "s" / f"{place}train-00000-of-00002.parquet", [0, 1, 0])
    shard(tmp_path / "s" / f"{place}train-00001-of-00002.parquet", [1, 1])
    shard(tmp_path / "s" / f"{place}test-00000-of-00001.parquet", [0, -1])
    found = importers.read(tmp_path / "s", pictures=True)
    assert (found.kind, found.class_names) == ("hub", ("cat", "dog"))
    assert dict(found.splits) == {"train": 5, "test": 1}
    assert all(each.examples[0].picture for each in found.classes)
    got = do_import(tmp_path / "s")
    assert got.given == ["cat", "cat", "dog", "cat", "dog", "dog"]
    assert got.ids[0] == "test-00000-of-00001-0.png"
    assert got.skipped[0]["reason"] == "The label is blank."
    want = np.asarray(picture(16, 16, seed=0))
    np.testing.assert_array_equal(got.images[0], want)


def test_one_file_of_text_labels_without_features(tmp_path, do_import):
    labels = ["cat", "dog", "nan", "cat"]
    file = shard(tmp_path / "set.parquet", labels, names=(), paths=False)
    got = do_import(file)
    assert (got.given, got.ids) == (["cat", "dog", "cat"], ["0000000", "0000001", "0000003"])


def test_bytes_that_are_no_image_are_skipped(tmp_path, do_import):
    cells = [encoded(picture(seed=0), "PNG"), encoded(picture(seed=1), "PNG"), b"no image"]
    pq.write_table(pa.table({"image": cells, "label": ["a", "b", "a"]}), tmp_path / "s.parquet")
    got = do_import(tmp_path / "s.parquet")
    assert (got.given, len(got.skipped)) == (["a", "b"], 1)


def test_of_several_columns_of_classes_one_is_asked_for(tmp_path, do_import):
    file = tmp_path / "s.parquet"
    shard(file, [0, 1, 0], column="fine_label", more={"coarse_label": [1, 1, 0]})
    with pytest.raises(Unanswered, match="--label-column"):
        importers.import_source(file, "x", tmp_path / "no")
    got = do_import(file, answers=Answers(label_column="coarse_label"))
    assert got.given == ["dog", "dog", "cat"]


def test_several_labels_of_an_image(tmp_path, do_import):
    file = shard(tmp_path / "s.parquet", [[0], [0, 1], [1]])
    assert [each.key for each in importers.read(file).open_questions] == ["several"]
    assert do_import(file, answers=Answers(several="first")).given == ["cat", "cat", "dog"]


def test_columns_that_are_not_read_are_named(tmp_path):
    file = shard(tmp_path / "s.parquet", [0, 1, 0])
    assert not any("not read" in note for note in importers.read(file).notes)
    table = pq.read_table(file)
    metadata = table.schema.metadata
    for name in ("caption", "width"):
        table = table.append_column(name, pa.array(["1", "2", "3"]))
    pq.write_table(table.replace_schema_metadata(metadata), file)
    found = importers.read(file)
    assert "Columns “caption”, “width” are not read." in found.notes
    assert found.class_names == ("cat", "dog")


def test_each_shard_says_what_its_own_numbers_mean(tmp_path, do_import):
    shard(tmp_path / "s" / "a-00000-of-00002.parquet", [0, 1], names=("cat", "dog"))
    shard(tmp_path / "s" / "a-00001-of-00002.parquet", [0, 1, 2], names=("dog", "cat", "emu"))
    found = importers.read(tmp_path / "s")
    assert {each.name: each.count for each in found.classes} == {"cat": 2, "dog": 2, "emu": 1}
    assert do_import(tmp_path / "s").given == ["cat", "dog", "dog", "cat", "emu"]


def test_a_list_without_bytes_has_the_names_too(tmp_path, do_import):
    for at in range(3):
        picture(seed=at).save(tmp_path / f"{at}.png")
    table = pa.table({"file_name": ["0.png", "1.png", "2.png"], "label": [1, 0, 1]})
    features = {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    pq.write_table(table.replace_schema_metadata(metadata), tmp_path / "metadata.parquet")
    got = do_import(tmp_path / "metadata.parquet", root=tmp_path)
    assert got.given == ["dog", "cat", "dog"]


def with_columns(file, **columns):
    """Add plain columns to a shard."""
    table = pq.read_table(file)
    for name, values in columns.items():
        table = table.append_column(name, pa.array(values))
    pq.write_table(table, file)
    return file


def test_columns_of_ids_and_splits_are_read(tmp_path, do_import):
    file = with_columns(
        shard(tmp_path / "s.parquet", [0, 1, 0, 1]),
        id=[31, 32, 33, 34],
        split=["train", "train", "test", None],
        caption=["a", "b", "c", "d"],
    )
    found = importers.read(file)
    assert dict(found.splits) == {"train": 2, "test": 1}
    assert (found.columns["id"], found.columns["split"]) == ("id", "split")
    assert "Column “caption” is not read." in found.notes
    got = do_import(file)
    assert got.ids == ["31", "32", "33", "34"]
    assert got.splits == ["train", "train", "test", ""]


def test_a_column_of_classes_called_id_is_asked_about_and_no_id(tmp_path, do_import):
    file = with_columns(shard(tmp_path / "s.parquet", [0, 1, 0, 1, 0, 1]), id=[7, 8, 7, 8, 7, 8])
    (question,) = [each for each in importers.read(file).questions if each.key == "id_column"]
    assert "2 values in 6 rows" in question.text
    assert do_import(file).ids[0] == "s-0.png"
    told = importers.read(file, answers=Answers(id_column="none"))
    assert not told.questions
    assert "Column “id” is not read." in told.notes


def test_rows_that_repeat_an_id_are_said(tmp_path, do_import):
    file = with_columns(shard(tmp_path / "s.parquet", [0, 1, 0, 1]), id=["a", "b", "b", "c"])
    assert any("1 row repeats an id" in each for each in importers.read(file).notes)
    assert do_import(file).ids == ["a", "b", "s-2.png", "c"]


def test_a_column_that_contradicts_the_files_names_is_asked_about(tmp_path, do_import):
    file = shard(tmp_path / "s" / "train-00000-of-00001.parquet", [0, 1, 0, 1])
    with_columns(file, split=["train", "train", "validation", "train"])
    (question,) = importers.read(tmp_path / "s").questions
    assert question.key == "split_column"
    assert do_import(tmp_path / "s").splits == ["train", "train", "validation", "train"]
    files = importers.read(tmp_path / "s", answers=Answers(split_column="none"))
    assert dict(files.splits) == {"train": 4}


def test_a_column_of_many_words_is_no_split(tmp_path):
    file = shard(tmp_path / "s.parquet", [0, 1] * 10)
    with_columns(file, subset=[f"scene {at}" for at in range(20)])
    found = importers.read(file)
    assert not found.splits
    assert any("“subset” is not read: it has too many words" in each for each in found.notes)


def test_a_column_that_is_asked_for_and_not_there_is_named(tmp_path):
    file = with_columns(shard(tmp_path / "s.parquet", [0, 1]), key=["x", "y"])
    with pytest.raises(LnlError, match="no column “kye” beside images and labels"):
        importers.read(file, answers=Answers(id_column="kye"))
    assert importers.read(file, answers=Answers(id_column="key")).columns["id"] == "key"


IDS = {
    "two widths": (pa.array([1, 2], pa.int32()), pa.array([3, 4], pa.int64())),
    "two texts": (pa.array(["a", "b"]), pa.array(["c", "d"], pa.large_string())),
    "none in one": (pa.array([1, 2]), pa.array([None, None], pa.null())),
    "coded": (pa.array(["a", "b"]).dictionary_encode(), pa.array(["c", "d"]).dictionary_encode()),
    "of a type of its own": (
        pa.array([bytes([at] * 16) for at in (1, 2)], pa.uuid()),
        pa.array([bytes([at] * 16) for at in (3, 4)], pa.uuid()),
    ),
}


@pytest.mark.parametrize("of_shards", IDS.values(), ids=IDS)
def test_ids_may_be_of_another_type_in_every_shard(tmp_path, do_import, of_shards):
    for at, ids in enumerate(of_shards):
        with_columns(shard(tmp_path / "s" / f"train-{at}.parquet", [0, 1]), id=ids)
    want = [str(each) for ids in of_shards for each in ids.to_pylist() if each is not None]
    found = importers.read(tmp_path / "s")
    assert (found.columns["id"], found.questions) == ("id", ())
    assert do_import(tmp_path / "s").ids[: len(want)] == want


def test_an_id_that_two_shards_write_in_two_types_repeats(tmp_path, do_import):
    for at, ids in enumerate(([1, 2], ["2", "3"])):
        with_columns(shard(tmp_path / "s" / f"train-{at}.parquet", [0, 1]), id=ids)
    assert any("1 row repeats an id" in each for each in importers.read(tmp_path / "s").notes)
    assert do_import(tmp_path / "s").ids == ["1", "2", "train-1-0.png", "3"]


@pytest.mark.parametrize("name", ["split", "set", "fold"])
@pytest.mark.parametrize("cells", [[["train"], ["test"]], [{"a": 1}, {"a": 2}]])
def test_a_nested_column_is_no_split(tmp_path, do_import, name, cells):
    file = with_columns(shard(tmp_path / "s.parquet", [0, 1]), **{name: cells})
    said = f"Column “{name}” is not read: it holds no plain splits."
    assert [each for each in importers.read(file).notes if f"“{name}”" in each] == [said]
    assert do_import(file).splits == ["", ""]


def test_splits_may_be_coded(tmp_path, do_import):
    cells = pa.array(["train", "test", None]).dictionary_encode()
    file = with_columns(shard(tmp_path / "s.parquet", [0, 1, 0]), split=cells)
    assert dict(importers.read(file).splits) == {"train": 1, "test": 1}
    assert do_import(file).splits == ["train", "test", ""]
