"""Lists whose files share a name: each path is looked at once, however many rows there are."""

import sys

import pytest

from lnl_core.data.reading.finding import Finder
from lnl_core.data.tables import BadRow
from lnl_core.readings import Answers
from tests.data.asking import put, read


def calls(work):
    """Count the functions that are called meanwhile."""
    count = 0

    def see(frame, event, arg):
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(see)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def scans(root, n):
    for row in range(n):
        (root / "scans" / f"{row:03}").mkdir(parents=True)
        (root / "scans" / f"{row:03}" / "image.png").touch()
    return root


@pytest.mark.parametrize("written", ["image.png", "p_{:03}/image.png", "{:03}/image", "IMAGE.PNG"])
def test_the_work_grows_with_the_rows(tmp_path, written):
    done = []
    for n in (20, 120):
        root, rows = scans(tmp_path / str(n), n), [written.format(row) for row in range(n)]

        def look(root=root, rows=rows):
            finder = Finder(root, rows)
            for row in rows:
                finder.find(row)
            assert finder.question(len(rows)) is None or "{" not in written

        done.append(calls(look))
    assert done[1] < 9 * done[0]  # six times the rows; each with each would be 36 times


def test_what_is_kept_of_many_says_the_same_of_each_row(tmp_path):
    root = scans(tmp_path, 20)
    finder = Finder(root, ["x/image.png"] * 20, images_in="scans/007")
    for _ in range(3):
        assert finder.find("image.png")[1] == "scans/007/image.png"
        assert finder.find("013/IMAGE.png")[1] == "scans/013/image.png"
        assert isinstance(finder.find("x/image.png"), BadRow)
    assert sum(finder.how.values()) == 6
    assert not finder.torn_apart
    torn = Finder(root, ["image.png"] * 20)
    for _ in range(2):
        assert torn.find("image.png").reason.startswith("20 files are called so: “scans/000/…”")
    assert len(torn.torn_apart) == 20


def test_paths_of_another_computer_whose_endings_have_other_capitals_are_found(tmp_path):
    put(tmp_path, [f"pics/{at}.png" for at in range(6)])
    sample = [rf"D:\Fotos\2024\pics\{at}.PNG" for at in range(6)]
    finder = Finder(tmp_path, sample)
    assert [finder.find(each)[1] for each in sample] == [f"pics/{at}.png" for at in range(6)]
    assert any("Paths start with “D:/Fotos/2024”" in note for note in finder.notes())


def test_of_files_that_differ_in_capitals_the_one_written_so_is_meant_whatever_its_ending(tmp_path):
    put(tmp_path / "s", ["images/a0.png", "images/A0.png"])
    finder = Finder(tmp_path / "s", ["images/a0.PNG"])
    assert finder.find("images/a0.PNG")[1] == "images/a0.png"
    assert finder.find("images/A0.PNG")[1] == "images/A0.png"
    put(tmp_path / "two", ["one/a0.png", "other/A0.png"])  # apart: nobody knows which is meant
    apart = Finder(tmp_path / "two", ["a0.PNG"]).find("a0.PNG")
    assert isinstance(apart, BadRow)


def test_rows_whose_image_is_not_settled_contradict_no_one(tmp_path, agrees):
    source = put(tmp_path / "s", [f"P{at}/{n}.png" for at in range(3) for n in range(3)])
    put(source, ["P0/x.png", "P0/y.png"])
    rows = [f"{n}.png,{'abc'[(at + n) % 3]},{at}" for at in range(3) for n in range(3)]
    rows += ["x.png,a,0", "y.png,b,0", "y.png,c,0"]  # one image, so this is a contradiction
    (source / "list.csv").write_text("\n".join(["image,label,patient", *rows]) + "\n")
    said = Answers(images_in="none", mostly_skipped="accept")
    notes = [note for note in read(source / "list.csv").notes if "certainly wrong" in note]
    assert len(notes) == 1
    assert notes[0].startswith("1 image is listed with different labels, first “y.png”")
    assert agrees(source / "list.csv", said).paths == ["P0/x.png", "P0/y.png"]
