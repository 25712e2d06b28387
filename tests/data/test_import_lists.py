import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lnl_core.data import importers
from lnl_core.readings import Answers, Unanswered
from lnl_core.types import LnlError
from tests.data.making import encoded, picture


@pytest.fixture
def shelf(tmp_path):
    """A folder with four images, and one image outside it."""
    root = tmp_path / "shelf"
    (root / "deep").mkdir(parents=True)
    for name in ("a.png", "b.png", "c é.png", "deep/d.png"):
        (root / name).write_bytes(encoded(picture(seed=len(name)), "PNG"))
    (tmp_path / "outside.png").write_bytes(encoded(picture(), "PNG"))
    (root / "link.png").symlink_to(tmp_path / "outside.png")
    return root


ROWS = "image,label\na.png,cat\nb.png,dog\nc é.png,cat\ndeep/d.png,dög\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_lists_as_spreadsheets_write_them(shelf, do_import, encoding, delimiter, end):
    text = ROWS.replace(",", delimiter).replace("\n", end)
    (shelf / "list.csv").write_bytes(text.encode(encoding))
    got = do_import(shelf / "list.csv")
    assert got.given == ["cat", "dog", "cat", "dög"]
    assert got.paths == got.ids == ["a.png", "b.png", "c é.png", "deep/d.png"]
    assert got.meta["kind"] == "manifest"


def test_excels_separator_line_and_other_columns(shelf, do_import):
    (shelf / "l.csv").write_text(
        'sep=;\nNote;LABEL ;Image;ID\n"x;y";cat;a.png;1\n;"d;o""g";b.png;2\n'
    )
    got = do_import(shelf / "l.csv")
    assert (got.given, got.ids) == (["cat", 'd;o"g'], ["1", "2"])


def test_other_encodings_are_refused_with_line_and_byte(shelf, tmp_path):
    (shelf / "l.csv").write_bytes("image,label\na.png,cat\nb.png,dög\n".encode("latin-1"))
    with pytest.raises(LnlError, match=r"not UTF-8: line 3, byte 29 is 0xF6.*CSV UTF-8"):
        importers.import_source(shelf / "l.csv", "x", tmp_path / "out")
    (shelf / "l.csv").write_bytes("image,label\n".encode("utf-16-le"))
    with pytest.raises(LnlError, match="UTF-16 without its mark"):
        importers.import_source(shelf / "l.csv", "x", tmp_path / "out")
    (shelf / "l.csv").write_bytes(b"PK\x03\x04 an Excel file")
    with pytest.raises(LnlError, match="spreadsheet"):
        importers.import_source(shelf / "l.csv", "x", tmp_path / "out")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("seen,note\na.txt,cat\n", r"no column “image”.*“seen”, “note”"),
        ("image,label\n", "no row with both"),
        ("image,label\n,\n a.png, \n", "no row with both"),
        ("image,label\ngone.png,cat\n", "There is no such file"),
        ("image,label\n" + "x" * 2**20, "longer than a million"),
    ],
)
def test_lists_that_cannot_be_used(shelf, tmp_path, text, words):
    (shelf / "l.csv").write_text(text)
    with pytest.raises(LnlError, match=words):
        importers.import_source(shelf / "l.csv", "x", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_each_bad_row_is_named(shelf, tmp_path, do_import):
    rows = [
        ("a.png,cat", None),
        (",cat", "No image is named"),
        ("b.png,", "label is blank"),
        ("b.png", "label is blank"),
        ("gone.png,cat", "no such file"),
        ("./a.png,cat", "listed twice"),
        ("C:\\photos\\a.png,cat", "listed twice"),
        ("../outside.png,cat", "leads out of the image folder"),
        ("deep/../../outside.png,cat", "leads out of the image folder"),
        (f"{tmp_path}/outside.png,cat", "leads out of the image folder"),
        ("/etc/passwd,cat", "leads out of the image folder"),
        ("D:\\photos\\gone.png,cat", "leads out of the image folder"),
        ("link.png,cat", "link that leads out"),
        ("https://example.org/a.png,cat", "web address"),
        ("deep,cat", "Not a file"),
        ("a\0b.png,cat", "no text that a file can have"),
        ("b.png,cat,extra", "More cells"),
        ('b.png,"cat"s', "quotes"),
        ("", ""),
        ("deep/../b.png,cat", None),
        (f"{shelf}/c é.png,dog", None),
        ("deep\\d.png,=SUM(A1)", None),
        ('"a.png","never closed', "never closed"),
    ]
    (shelf / "l.csv").write_text("image,label\n" + "\n".join(row for row, _ in rows))
    with pytest.raises(Unanswered, match="of the images cannot be read"):
        do_import(shelf / "l.csv")
    got = do_import(shelf / "l.csv", answers=Answers(mostly_skipped="accept"))
    assert got.given == ["cat", "cat", "dog", "=SUM(A1)"]
    assert got.paths == ["a.png", "b.png", "c é.png", "deep/d.png"]
    told = {row["row"]: row["reason"] for row in got.skipped}
    expected = {number: why for number, (_, why) in enumerate(rows, start=2) if why}
    assert told.keys() == expected.keys()
    for number, why in expected.items():
        assert why in told[number], f"row {number}: {told[number]!r}"


def test_root_truth_ids_and_odd_labels(shelf, tmp_path, do_import):
    (tmp_path / "l.csv").write_text(
        "image,label,id,true_label\n"
        'a.png,"two\nlines",x,cat\n'
        "b.png,<script>,y,<script>\n"
        "c é.png,<script>,x,cat\n"
        "deep/d.png,cat,z,eel\n"
    )
    got = do_import(tmp_path / "l.csv", root=shelf)
    assert got.names == ["<script>", "cat", "eel", "two\nlines"]
    assert got.given == ["two\nlines", "<script>", "cat"]
    assert got.ids == ["x", "y", "z"]
    assert [got.names[label] for label in got.truth] == ["cat", "<script>", "eel"]
    assert [(row["row"], row["where"]) for row in got.skipped] == [(4, "c é.png")]
    with pytest.raises(LnlError, match="is not a folder"):
        importers.import_source(tmp_path / "l.csv", "x", tmp_path / "o", root=tmp_path / "no")


def test_some_true_labels_are_judged_ones_and_no_truth_of_the_set(shelf, do_import):
    (shelf / "l.csv").write_text("image,label,true_label\na.png,1,1\nb.png,0,\nc é.png,0,1\n")
    got = do_import(shelf / "l.csv")
    assert not got.report.has_truth
    assert not (got.folder / "true_labels.npy").exists()
    assert np.load(got.folder / "judged_labels.npy").tolist() == [1, -1, 1]
    assert any("true_label is blank in 1 row:" in note for note in got.report.notes)


def test_a_row_that_was_skipped_leaves_the_truth_of_the_others_whole(shelf, do_import):
    (shelf / "l.csv").write_text("image,label,true_label\na.png,1,1\nmissing.png,0,\n")
    got = do_import(shelf / "l.csv")
    assert got.report.has_truth
    assert got.truth.tolist() == [1]
    assert not (got.folder / "judged_labels.npy").exists()


def test_parquet_with_numbers_and_gaps(shelf, do_import, tmp_path):
    table = pa.table(
        {
            "file_name": ["a.png", "b.png", None, "deep/d.png"],
            "label": pa.array([10, None, 2, 2.0], pa.float64()),
        }
    )
    pq.write_table(table, shelf / "metadata.parquet")
    got = do_import(shelf)
    assert (got.names, got.given) == (["2", "10"], ["10", "2"])
    assert [row["row"] for row in got.skipped] == [3, 4]
    (shelf / "metadata.parquet").write_bytes(b"PAR1 but nothing else")
    with pytest.raises(LnlError, match="no readable Parquet"):
        importers.import_source(shelf / "metadata.parquet", "x", tmp_path / "o")
    nested = pa.table({"image": [{"name": "a.png"}], "label": ["a"]})
    pq.write_table(nested, shelf / "metadata.parquet")
    with pytest.raises(LnlError, match="store images as files"):
        importers.import_source(shelf / "metadata.parquet", "x", tmp_path / "o")


def test_a_list_in_a_folder_is_found(shelf):
    (shelf / "readme.txt").write_text("nothing here")
    (shelf / "metadata.csv").write_text("file_name,label\na.png,cat\nb.png,dog\n")
    found = importers.read(shelf)
    assert (found.kind, found.n, found.class_names) == ("manifest", 2, ("cat", "dog"))
    assert (found.height, found.width) == (20, 20)


def test_ten_thousand_labels(shelf, do_import):
    rows = "".join(f"a.png,class {i},id {i}\n" for i in range(10_000))
    (shelf / "l.csv").write_text("image,label,id\n" + rows)
    got = do_import(shelf / "l.csv", size=8)
    assert len(got.names) == 10_000
    assert np.array_equal(np.sort(got.labels), np.arange(10_000))


def test_two_columns_of_one_name_are_no_answer(shelf, tmp_path):
    (shelf / "l.csv").write_text("image,label,Label\na.png,cat,dog\nb.png,dog,cat\n")
    with pytest.raises(LnlError, match=r"several columns called “label”\. Give each a name"):
        importers.import_source(shelf / "l.csv", "x", tmp_path / "out")


def test_other_columns_may_share_a_name(shelf, do_import):
    (shelf / "l.csv").write_text("image,label,note,note\na.png,cat,x,y\nb.png,dog,,\n")
    assert do_import(shelf / "l.csv").given == ["cat", "dog"]


@pytest.mark.parametrize(
    "text",
    [
        'a.png,cat,"odd\nb.png,dog,\nc é.png,cat,odd"\ndeep/d.png,dog,\n',
        'a.png,"cat,\nb.png,dog,\nc é.png,cat",\ndeep/d.png,dog,\n',
        'a.png,cat,"odd\nb.png,dog,odd"\nc é.png,cat,\ndeep/d.png,dog,\n',
    ],
)
def test_rows_between_two_stray_quotes_are_not_lost_in_silence(shelf, do_import, text):
    (shelf / "l.csv").write_text("image,label,note\n" + text)
    got = do_import(shelf / "l.csv")
    assert "a.png" not in got.ids
    lost = text[: text.rindex('"')].count("\n") + 1
    assert got.report.skipped == lost
    rows = "row later" if lost == 2 else "rows later"
    assert {item["reason"] for item in got.skipped} == {
        f"A quote is opened in row 2 and closed {lost - 1} {rows}."
    }


def test_a_note_of_several_lines_is_a_note(shelf, do_import):
    text = 'image,label,note\na.png,cat,"seen\nin May, at dawn, by\nthe sea"\nb.png,dog,"x\ny"\n'
    (shelf / "l.csv").write_text(text)
    assert do_import(shelf / "l.csv").given == ["cat", "dog"]


@pytest.mark.parametrize("options", [{}, {"answers": Answers(header="none")}])
def test_rows_with_another_separator_than_the_first_one_say_so(shelf, do_import, options):
    first = "" if options else "image,label\n"
    (shelf / "l.csv").write_text(f"{first}a.png,cat\nb.png;dog\nc é.png\tdog\ndeep/d.png,cat\n")
    got = do_import(shelf / "l.csv", **options)
    assert got.paths == ["a.png", "deep/d.png"]
    assert [row["reason"] for row in got.skipped] == [
        "Its cells are separated by “;”, those of the first row by “,”.",
        "Its cells are separated by a tab, those of the first row by “,”.",
    ]
