"""A folder with a text beside each image, as tools for boxes write them."""

import os
from collections import Counter

import pytest

from lnl_core.data.reading import indexing
from lnl_core.types import LnlError
from tests.data.asking import counts, put, read

BOX = "0 0.5 0.5 0.1 0.1\n"


@pytest.fixture
def walked(monkeypatch):
    """Count how often each folder is walked through."""
    walks, walk = Counter(), os.walk
    monkeypatch.setattr(
        indexing.os, "walk", lambda top, **how: (walks.update([str(top)]), walk(top, **how))[1]
    )
    return walks


@pytest.mark.parametrize("stem", ["license_plate", "car"])
@pytest.mark.parametrize("beside", [True, False])
def test_the_folder_is_walked_through_as_often_for_many_texts_as_for_few(
    tmp_path, walked, stem, beside
):
    most = []
    for count in (20, 60):
        source = tmp_path / f"s{count}"
        walked.clear()
        put(source if beside else source / "images", [f"{stem}_{at}.png" for at in range(count)])
        texts = source if beside else source / "labels"
        texts.mkdir(exist_ok=True)
        for at in range(count):
            (texts / f"{stem}_{at}.txt").write_text(BOX)
        with pytest.raises(LnlError):
            read(source)
        most.append(sum(walked.values()))
    assert most[0] == most[1]


def test_a_list_among_texts_of_single_images_is_read(tmp_path):
    source = put(tmp_path, [f"im{at}.png" for at in range(20)])
    for at in range(20):
        (source / f"im{at}.txt").write_text(BOX)
    rows = [f"im{at}.png,{'ab'[at % 2]}" for at in range(20)]
    (source / "train.txt").write_text("\n".join(["image,label", *rows]))
    assert counts(read(source)) == {"a": 10, "b": 10}


def test_within_one_walk_a_folder_is_looked_through_once_and_anew_afterwards(tmp_path):
    put(tmp_path, ["a/007.png"])
    with indexing.one_walk():
        first = indexing.of(tmp_path)
        put(tmp_path, ["B.png"])
        with indexing.one_walk():
            assert indexing.of(tmp_path) is first
        assert indexing.of(tmp_path) is first
    again = indexing.of(tmp_path)
    assert first.names == {"007.png": ["a/007.png"]}
    assert first.numbers == {"7": ["a/007.png"]}
    assert again.cases["b.png"] == ["B.png"]


def test_all_lists_are_read_also_one_that_is_called_like_a_note(tmp_path):
    source = put(tmp_path, [f"im{at}.png" for at in range(12)])
    for name, start in (("labels", 0), ("notes", 6)):
        rows = [f"im{at}.png,{'ab'[at % 2]}" for at in range(start, start + 6)]
        (source / f"{name}.csv").write_text("\n".join(["image,label", *rows]))
    assert counts(read(source)) == {"a": 3, "b": 3}
    (left,) = [each for each in read(source).left_out if each.what == "lists"]
    assert (left.first, left.remedy) == ("notes.csv", "Choose it with --list.")
    both = read(source, lists=("all",))
    assert counts(both) == {"a": 6, "b": 6}
    assert dict(both.splits) == {"labels": 6, "notes": 6}
