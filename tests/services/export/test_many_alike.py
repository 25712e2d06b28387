"""Sets in which much is called alike or looks alike: the work grows with the rows of the file."""

from collections.abc import Sequence

import pytest

from lnl_core.data.elsewhere.placing import ByPath


class Counted(Sequence):
    """Strings that count how often one is read."""

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
