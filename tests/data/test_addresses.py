"""Lists of web addresses and escaped paths, beside the images that they mean."""

import pytest

from lnl_core.data.files import NO_FILE
from lnl_core.data.reading.finding import Finder
from lnl_core.data.tables import BadRow
from lnl_core.types import LnlError
from tests.data.asking import counts, put, read


def list_of(folder, files, cell_of, header="image,label"):
    """Write pictures, and a list that names them otherwise, as cat and dog in turn."""
    put(folder, files)
    rows = [f"{cell_of(file)},{('cat', 'dog')[at % 2]}" for at, file in enumerate(files)]
    (folder / "list.csv").write_text("\n".join([header, *rows]) + "\n", "utf-8")
    return folder


FLAT = [f"images/im{at}.png" for at in range(6)]
BLANKS = [f"images/im {at}.png" for at in range(6)]


@pytest.mark.parametrize("header", ["url,label", "image,label"])
@pytest.mark.parametrize(
    ("files", "start", "end"),
    [
        (FLAT, "https://example.org/shop/1/", ""),
        (FLAT, "https://example.org/shop/1/", "?w=200&h=100"),
        (FLAT, "s3://bucket/images/", ""),
        (FLAT, "gs://bucket/sets/images/", ""),
        (BLANKS, "https://example.org/", ""),
    ],
)
def test_addresses_are_read_as_the_files_of_their_names(
    tmp_path, agrees, files, start, end, header
):
    def cell_of(file):
        return start + file.rpartition("/")[2].replace(" ", "%20") + end

    source = list_of(tmp_path / "s", files, cell_of, header)
    got = agrees(source)
    assert got.paths == files
    assert got.given == ["cat", "dog"] * 3
    assert any("6 paths are written as a web address" in note for note in read(source).notes)
    assert not any("https:" in each or "?" in each for each in got.ids)


def test_folders_of_addresses_tell_files_of_one_name_apart(tmp_path, agrees):
    files = [f"{folder}/{at}.png" for folder in ("north", "south") for at in range(3)]
    source = list_of(tmp_path / "s", files, "https://example.org/sites/{}".format)
    assert agrees(source).paths == files


def test_addresses_of_one_name_are_not_read_as_one_file(tmp_path):
    put(tmp_path / "s", ["image.png"])
    finder = Finder(tmp_path / "s", [f"https://example.org/{at}/image.png" for at in range(4)])
    assert finder.find("https://example.org/0/image.png").reason.startswith("A web address")


def test_a_file_that_was_not_downloaded_is_left_out(tmp_path, agrees):
    source = list_of(tmp_path / "s", FLAT, lambda file: f"https://example.org/{file[7:]}")
    (source / "images" / "im1.png").unlink()
    got = agrees(source)
    assert [row["reason"] for row in got.skipped] == ["A web address, not a file."]
    assert got.report.n == 5


def test_addresses_alone_say_what_to_do(tmp_path):
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "list.csv").write_text(
        "url,label\nhttps://a.org/1.png,x\nhttps://a.org/2.png,y\n"
    )
    with pytest.raises(LnlError, match=r"A web address, not a file[.] Download the images"):
        read(tmp_path / "s" / "list.csv")


@pytest.mark.parametrize(
    "start",
    ["", "/data/local-files/?d=", "http://localhost:8080/data/local-files/?d=", "/data/upload/3/"],
)
def test_escaped_paths_and_label_studios_are_read(tmp_path, agrees, start):
    files = BLANKS if "upload" not in start else [file[7:] for file in BLANKS]
    source = list_of(tmp_path / "s", files, lambda file: start + file.replace(" ", "%20"))
    got = agrees(source)
    assert got.paths == files
    assert counts(read(source)) == {"cat": 3, "dog": 3}
    assert not any("%" in each for each in got.ids)


def test_label_studios_storage_may_begin_further_up(tmp_path, agrees):
    source = list_of(tmp_path / "s", FLAT, "/data/local-files/?d=sets/birds/{}".format)
    assert agrees(source).paths == FLAT


def test_a_name_that_holds_such_signs_is_meant_as_it_is(tmp_path, agrees):
    files = ["images/a%20b.png", "images/a b.png", "images/100%.png"]
    source = list_of(tmp_path / "s", files, lambda file: file.removeprefix("images/"))
    assert agrees(source).paths == files


@pytest.mark.parametrize(
    "cell", ["..%2Foutside.png", "a%00.png", "/data/local-files/?d=../outside.png"]
)
def test_no_escaped_path_leads_out(tmp_path, cell):
    put(tmp_path, ["outside.png", "s/a.png"])
    found = Finder(tmp_path / "s", [cell]).find(cell)
    assert isinstance(found, BadRow)
    assert found == NO_FILE or "leads out" in found.reason


def test_two_endings_of_one_name_need_the_ending_in_the_list(tmp_path):
    put(tmp_path, [f"images/{at}.{end}" for at in range(3) for end in ("jpg", "png")])
    (tmp_path / "list.csv").write_text("image,label\n0,cat\n1,dog\n2,cat\n")
    with pytest.raises(LnlError, match=r"3 times, .*with the endings .jpg, .png. Write the ending"):
        read(tmp_path)


def test_paths_that_lead_up_from_the_folder_of_their_list(tmp_path, agrees):
    names = [f"images/{at}.png" for at in range(4)]
    put(tmp_path / "s", names)
    (tmp_path / "s" / "lists").mkdir()
    rows = [f"../{name},{'ab'[at % 2]}" for at, name in enumerate(names)]
    listing = tmp_path / "s" / "lists" / "l.csv"
    listing.write_text("\n".join(["image,label", *rows]) + "\n")
    assert agrees(tmp_path / "s").paths == names
    assert agrees(listing, root=tmp_path / "s").paths == names
    with pytest.raises(LnlError, match="Choose an image folder above all images with --root"):
        read(listing)
    listing.write_text("image,label\n../../out.png,a\n../images/0.png,b\n")
    put(tmp_path, ["out.png"])
    assert agrees(listing, root=tmp_path / "s").paths == ["images/0.png"]
