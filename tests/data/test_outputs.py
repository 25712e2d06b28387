"""Where an output goes: nothing that is there is lost unasked, and a stream is written to."""

import errno
import os
import threading

import pytest

from lnl_core.data import outputs
from lnl_core.types import LnlError


def free(path):
    return ""


def put(out, data=b"new", endings=outputs.TABLES, guard=free, force=False):
    where = outputs.place(out, endings, guard, force=force)
    outputs.write(where, lambda stream: stream.write(data))
    return where


def test_a_new_file_appears_whole_with_the_rights_of_new_files(tmp_path):
    old = os.umask(0o027)
    try:
        put(tmp_path / "x.csv")
    finally:
        os.umask(old)
    assert (tmp_path / "x.csv").read_bytes() == b"new"
    assert (tmp_path / "x.csv").stat().st_mode & 0o777 == 0o640
    assert os.listdir(tmp_path) == ["x.csv"]


def test_a_file_that_is_there_stays_unless_forced(tmp_path):
    file = tmp_path / "x.csv"
    file.write_bytes(b"old")
    file.chmod(0o604)
    with pytest.raises(LnlError, match=r"x\.csv is there already.*--force"):
        put(file)
    assert file.read_bytes() == b"old"
    put(file, force=True)
    assert file.read_bytes() == b"new"
    assert file.stat().st_mode & 0o777 == 0o604


def test_a_file_that_appears_meanwhile_stays_too(tmp_path):
    file = tmp_path / "x.csv"
    where = outputs.place(file, outputs.TABLES, free)
    file.write_bytes(b"someone else's")
    with pytest.raises(LnlError, match="is there already"):
        outputs.write(where, lambda stream: stream.write(b"new"))
    assert file.read_bytes() == b"someone else's"
    assert os.listdir(tmp_path) == ["x.csv"]


def test_half_a_file_is_never_seen(tmp_path):
    file = tmp_path / "x.csv"
    file.write_bytes(b"old")

    def breaks(stream):
        stream.write(b"half")
        raise LnlError("no more")

    where = outputs.place(file, outputs.TABLES, free, force=True)
    with pytest.raises(LnlError, match="no more"):
        outputs.write(where, breaks)
    assert file.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["x.csv"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("gone/x.csv", "There is no folder .*gone"),
        ("x.xlsx", r"does not end in \.csv or \.parquet"),
        ("x", r"does not end in \.csv"),
        (".csv", r"does not end in \.csv"),
        ("in", "is a folder"),
        ("x\0.csv", "cannot be written"),
    ],
)
@pytest.mark.parametrize("force", [False, True])
def test_what_is_refused_forced_or_not(tmp_path, name, words, force):
    (tmp_path / "in").mkdir()
    with pytest.raises(LnlError, match=words):
        put(f"{tmp_path}/{name}", force=force)
    assert os.listdir(tmp_path) == ["in"]


def test_endings_in_any_case(tmp_path):
    assert not put(tmp_path / "x.CSV").parquet
    assert put(tmp_path / "x.Parquet").parquet


def test_a_link_is_followed_and_stays(tmp_path):
    (tmp_path / "far").mkdir()
    (tmp_path / "x.csv").symlink_to(tmp_path / "far" / "real.csv")
    put(tmp_path / "x.csv")  # it led nowhere: its end is made
    assert (tmp_path / "x.csv").is_symlink()
    assert (tmp_path / "far" / "real.csv").read_bytes() == b"new"
    with pytest.raises(LnlError, match="is there already"):
        put(tmp_path / "x.csv")
    put(tmp_path / "x.csv", b"newer", force=True)
    assert (tmp_path / "x.csv").is_symlink()
    assert (tmp_path / "far" / "real.csv").read_bytes() == b"newer"


def test_a_table_is_of_the_kind_of_the_file_that_a_link_leads_to(tmp_path):
    for link, file in (("x.csv", "y.parquet"), ("z.parquet", "z.csv")):
        (tmp_path / link).symlink_to(tmp_path / file)
        where = outputs.place(tmp_path / link, outputs.TABLES, free)
        assert where.parquet == file.endswith(".parquet")


def test_a_place_that_can_be_read_only_asks_for_no_space(tmp_path):
    where = outputs.place(tmp_path / "x.csv", outputs.TABLES, free)

    def refuses(stream):
        raise OSError(errno.EROFS, "Read-only file system")

    with pytest.raises(LnlError, match=r"Read-only file system\. Choose another place"):
        outputs.write(where, refuses)


def test_links_in_a_circle_are_refused_in_words(tmp_path):
    (tmp_path / "x.csv").symlink_to(tmp_path / "y.csv")
    (tmp_path / "y.csv").symlink_to(tmp_path / "x.csv")
    with pytest.raises(LnlError, match=r"x\.csv.* it is a link that leads to itself"):
        put(tmp_path / "x.csv", force=True)


def test_what_must_not_be_written_is_asked_about_the_end_of_a_link(tmp_path):
    (tmp_path / "own.csv").write_bytes(b"old")
    (tmp_path / "x.csv").symlink_to(tmp_path / "own.csv")

    def guard(path):
        return "the crown" if path.name == "own.csv" else ""

    with pytest.raises(LnlError, match="is the crown, which no output touches"):
        put(tmp_path / "x.csv", guard=guard, force=True)
    assert (tmp_path / "own.csv").read_bytes() == b"old"


def test_an_image_at_the_end_of_a_link_is_never_replaced(tmp_path):
    (tmp_path / "cat.png").write_bytes(b"picture")
    (tmp_path / "x.csv").symlink_to(tmp_path / "cat.png")
    with pytest.raises(LnlError, match="is an image"):
        put(tmp_path / "x.csv", force=True)
    assert (tmp_path / "cat.png").read_bytes() == b"picture"


def test_a_pipe_is_written_to_and_stays_a_pipe(tmp_path):
    pipe = tmp_path / "pipe"  # its name needs no ending
    os.mkfifo(pipe)
    got = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()
    assert put(pipe).stream
    reader.join(timeout=10)
    assert got == [b"new"]
    assert pipe.is_fifo()


def test_an_open_pipe_is_reached_by_its_number(tmp_path):
    """What a shell makes of `--out >(gzip)`: a link to something that has no path."""
    reading, writing = os.pipe()
    try:
        assert put(f"/dev/fd/{writing}").stream
        assert os.read(reading, 9) == b"new"
    finally:
        os.close(reading)
        os.close(writing)


def test_standard_output(tmp_path, monkeypatch, capfdbinary):
    monkeypatch.chdir(tmp_path)
    put("-")
    assert capfdbinary.readouterr().out == b"new"
    assert os.listdir(tmp_path) == []
