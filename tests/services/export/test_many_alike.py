"""Sets in which much is called alike or looks alike: the work grows with the rows of the file."""

from collections.abc import Sequence

import numpy as np
import pytest

from lnl_core.data.content import Contents, Finder
from lnl_core.data.elsewhere.placing import ByPath
from lnl_core.data.matching import BY_CONTENT, Held, Matcher


class Counted(Sequence):
    """Values that count how often one is read."""

    def __init__(self, values):
        self.values, self.reads = values, 0

    def __len__(self):
        return len(self.values)

    def __getitem__(self, index):
        self.reads += 1
        return self.values[index]


@pytest.mark.parametrize("ids", ["{}/image.jpg", "{}/data/image.jpg", "a/{}/b/image.jpg"])
def test_paths_that_share_a_file_name_are_read_once(ids):
    names = [ids.format(row) for row in range(300)]
    counted = Counted(names)
    by_path = ByPath(counted, None)
    for row, name in enumerate(names):
        assert by_path.find(f"/mnt/{name}") == ([row], True)
        rows, whole = by_path.find(f"/mnt/else{row}/image.jpg")
        assert (len(rows), whole) == (300, False)
    assert counted.reads <= 2 * len(names)


def test_the_longest_end_wins_and_whole_paths_before_longer_ones():
    by_path = ByPath(["x.jpg", "a/x.jpg", "c/b/a/x.jpg", "d/a/x.jpg"], None)
    assert by_path.find("/m/a/x.jpg") == ([1], True)
    assert by_path.find("/m/d/a/x.jpg") == ([3], True)
    assert by_path.find("b/a/x.jpg") == ([2], True)
    assert by_path.find("/m/b/a/x.jpg") == ([1], True)
    assert by_path.find("/m/q/x.jpg") == ([0], True)
    assert by_path.find("a/x.png") == ([1, 2, 3], True)  # it may go on before that
    assert by_path.find("d/a/x") == ([3], True)


def test_an_id_that_is_called_otherwise_does_not_make_a_path_sure():
    by_path = ByPath(["17", "18"], ["train/x.jpg", "train/y.jpg"])
    assert by_path.find("other/x.jpg") == ([0], False)
    assert by_path.find("other/18") == ([1], True)


class Digests(np.ndarray):
    """Digests that count how many are read one by one, or in an index."""

    reads = 0

    def __getitem__(self, index):
        found = super().__getitem__(index)
        Digests.reads += np.size(found)
        return found


@pytest.fixture
def alike():
    """300 images of one picture, ids that are no row numbers; half given as “a”, half as “b”."""
    Digests.reads = 0
    pixels = np.frombuffer(bytes(range(1, 17)) * 300, "V16").view(Digests)
    ids, labels = [f"id{row}" for row in range(300)], Counted([row % 2 for row in range(300)])
    return Matcher("file.csv", ids, ("a", "b"), labels, Finder(Contents(pixels, None)))


WORD = bytes(range(1, 17)).hex()


def test_each_copy_is_found_by_its_id_without_a_look_at_the_others(alike):
    for row in range(300):
        cells = {"id": f"id{row}", "content": WORD, "given_label": "ab"[row % 2]}
        assert alike.place(row + 2, cells, row) == (row, BY_CONTENT)
    assert Digests.reads <= 2 * 300
    assert alike.given_labels.reads <= 2 * 300


@pytest.mark.parametrize("given", ["a", "", "no class"])
def test_copies_that_are_not_named_are_looked_up_once(alike, given):
    for row in range(300):
        cells = {"id": f"other{row}", "content": WORD, "given_label": given}
        with pytest.raises(Held):
            alike.place(row + 2, cells, -1)
    assert Digests.reads <= 6 * 300
    assert alike.given_labels.reads <= 2 * 300
    assert len(alike.held) == 300


def test_a_copy_that_is_given_otherwise_is_held_back(alike):
    for row in range(300):
        cells = {"id": f"id{row}", "content": WORD, "given_label": "ba"[row % 2]}
        with pytest.raises(Held, match=f"Image id{row} is given as"):
            alike.place(row + 2, cells, row)
    assert alike.given_labels.reads <= 5 * 300


@pytest.mark.parametrize("zeros", [0, 1, 15])
def test_a_row_has_what_the_search_finds(zeros):
    digests = [bytes([row % 3 + 1]) + bytes(range(1, 16)) for row in range(30)]
    digests = [each[: 16 - zeros] + bytes(zeros) for each in digests]
    files = [bytes([row % 5]) * 32 for row in range(30)]  # zero: no file
    finder = Finder(
        Contents(np.frombuffer(b"".join(digests), "V16"), np.frombuffer(b"".join(files), "V32"))
    )
    words = [f"{a.hex()} {b.hex()}" for a, b in zip(digests, files, strict=True)]
    words += [digests[0].hex(), files[1].hex(), files[0].hex(), "none", "", "00" * 16, "0g" * 16]
    for word in words:
        assert finder.rows(word) == [row for row in range(30) if finder.has(row, word)]
    assert len(finder.rows(words[1])) == 14  # ten of its pixels, four more of its file
