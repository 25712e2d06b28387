"""A mistake of the program's own is called one and kept; damaged data stays damage."""

import json
import os

import numpy as np
import pytest

from lnl_core.cli import main
from lnl_core.data import damage, importers
from lnl_core.records import Damaged, Unexpected
from lnl_core.services.datasets import apart
from lnl_core.store import files, unexpected
from tests.data.making import encoded, picture


@pytest.fixture
def log(tmp_path, monkeypatch):
    monkeypatch.setenv("LNL_HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    return tmp_path / "home" / "app.log"


@pytest.fixture
def source(tmp_path):
    for name in ("cat", "dog"):
        (tmp_path / "s" / name).mkdir(parents=True)
        (tmp_path / "s" / name / "0.jpg").write_bytes(encoded(picture()))
    return tmp_path / "s"


MISTAKES = (
    lambda: None.gone,
    lambda: len(3),
    lambda: {}["gone"],
    lambda: [][3],
    lambda: gone,  # noqa: F821
)


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_our_lines_is_ours_and_in_a_library_is_the_data(monkeypatch, mistake):
    with pytest.raises(unexpected.KINDS) as raised:
        mistake()
    assert not unexpected.is_ours(raised.value)  # this file lies outside the house
    monkeypatch.setattr(unexpected, "HOUSE", unexpected.Path(__file__).resolve().parent)
    assert unexpected.is_ours(raised.value)


def test_an_import_that_stumbles_over_our_own_mistake_says_so(log, source, monkeypatch):
    monkeypatch.setattr(importers, "_look", None)  # as a slip in a name would leave it
    with pytest.raises(
        Unexpected, match=r"s could not be read, unexpectedly: TypeError at"
    ) as said:
        importers.read(source)
    assert "damaged" not in str(said.value)
    assert str(log) in str(said.value)
    assert "Traceback" in log.read_text("utf-8")
    assert "TypeError" in log.read_text("utf-8")


def test_what_a_decoder_raises_is_damage_and_is_not_kept(log):
    with pytest.raises(Exception, match=r"x\.npy is damaged") as said, damage.named("x.npy"):
        np.lib.format.read_array(3)  # a TypeError or its like, of numpy's own lines
    assert not isinstance(said.value, Unexpected)
    assert not log.exists()


@pytest.mark.parametrize("text", ["[]", "null", "{}", "{", "3"])
def test_json_of_another_shape_is_damage_where_it_is_asked(tmp_path, log, text):
    (tmp_path / "meta.json").write_text(text)
    with pytest.raises(Damaged, match=r"meta\.json is damaged"):
        files.read_json(tmp_path / "meta.json")["n"]
    assert not log.exists()


def test_a_mistake_while_a_file_is_read_is_kept(tmp_path, log, monkeypatch):
    monkeypatch.setattr(unexpected, "HOUSE", unexpected.Path(__file__).resolve().parent)
    with pytest.raises(Unexpected, match="report it"), files.readable(tmp_path / "x.npy"):
        len(3)
    assert "len()" in log.read_text("utf-8")


def test_the_page_hears_of_a_mistake_in_the_process_that_looks(log, source, monkeypatch):
    monkeypatch.setattr(apart.incoming, "read", None)
    asked = apart.Look(source).to_json()
    said = json.loads(apart.answer(json.dumps(asked), 2**40))
    assert "report it" in said["error"]
    assert "memory" not in said["error"]


def test_a_command_that_stops_unexpectedly_shows_no_traceback(log, monkeypatch, capsys):
    monkeypatch.setattr("lnl_core.services.runs.control.cancel", None)
    assert main(["cancel", "3", "--json"]) == 1
    out = capsys.readouterr()
    assert json.loads(out.out)["error"]["code"] == "unexpected"
    assert "Traceback" not in out.err
    assert "Traceback" in log.read_text("utf-8")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device that is full")
def test_a_full_disk_keeps_no_log_and_prints_no_traceback(log, capfd):
    log.symlink_to("/dev/full")
    assert unexpected.write_down("a page stopped", TypeError("a slip")) is None
    assert capfd.readouterr() == ("", "")


def test_a_name_that_is_no_utf8_is_kept_as_its_bytes(log):
    name = os.fsdecode(b"b\xff.png")
    assert unexpected.write_down(f"{name} stopped", TypeError(name)) == log
    assert r"b\udcff.png stopped" in log.read_text("utf-8")
