"""Pictures that a set holds more than once: counted, listed, a filter of the queue."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lnl_core import cli
from lnl_core.data.importers import import_source
from lnl_core.services.datasets import copied, growing, settings
from lnl_core.services.explore import filters
from lnl_core.services.review import desk, groups
from lnl_core.services.review.filtering import Filters
from lnl_core.services.workspace import dataset_by_id
from lnl_core.store import arrays, datasets, decisions
from lnl_core.store.table import table_of
from lnl_core.types import Action, Decision

FIRST = np.arange(60, dtype=np.int32)
FIRST[[5, 7, 30]] = 5  # bar, bar, base: train, train, test
FIRST[12] = 11  # both bar, train and test
FIRST[[41, 42]] = 41  # both base, both train


@pytest.fixture
def repeated(scored):
    """`tiny` with three pictures that come more than once, in two splits."""
    np.save(scored.directory / datasets.COPIES, FIRST)
    table = pq.read_table(scored.directory / "table.parquet")
    split = np.array(["train"] * 60, object)
    split[[12, 30]] = "test"
    split[50:] = None
    pq.write_table(
        table.append_column("split", pa.array(split, pa.string())),
        scored.directory / "table.parquet",
    )
    table_of.cache_clear()
    return scored


def test_copies_are_counted(repeated):
    counts = {"pictures": 3, "images": 7, "different_labels": 1, "across_splits": 2}
    assert copied.counted(repeated) == counts
    assert datasets.read_meta(repeated)[datasets.COPIES_FOUND] == counts | {"of": 60}


def test_what_was_counted_of_fewer_images_is_counted_again(repeated):
    datasets.update_meta(repeated, **{datasets.COPIES_FOUND: {"of": 59}})
    assert copied.counted(repeated)["pictures"] == 3


def test_the_contradicting_come_first_in_the_list_then_the_most_frequent(repeated):
    first, second, third = copied.listed(repeated)
    assert first.rows == (5, 7, 30)
    assert first.ids == ("item-00005", "item-00007", "item-00030")
    assert first.labels == {"bar": 2, "belt": 1}
    assert first.splits == {"train": 2, "test": 1}
    assert first.contradicts
    assert first.leaks
    assert (second.rows, second.contradicts, second.leaks) == ((11, 12), False, True)
    assert (third.rows, third.leaks) == ((41, 42), False)
    assert [each.rows[0] for each in copied.listed(repeated, "splits")] == [5, 11]
    assert [each.rows[0] for each in copied.listed(repeated, "labels")] == [5]
    assert [each.rows[0] for each in copied.listed(repeated, limit=1)] == [5]


def test_a_set_without_splits_has_no_leaks(scored):
    np.save(scored.directory / datasets.COPIES, FIRST)
    assert copied.counted(scored)["across_splits"] == 0
    assert copied.listed(scored, "splits") == []
    assert copied.listed(scored)[0].splits == {}


@pytest.mark.parametrize(
    ("kind", "rows"),
    [("all", {5, 7, 30, 11, 12, 41, 42}), ("labels", {5, 7, 30}), ("splits", {5, 7, 30, 11, 12})],
)
def test_the_queue_is_narrowed_to_copies(repeated, kind, rows):
    state = desk.review_state(repeated, "ann", filters=Filters(copies=kind))
    assert {item["row"] for item in state.items} == rows


def said(capsys, *arguments):
    code = cli.main(arguments)
    out = capsys.readouterr().out
    assert code == 0, out
    return out


def test_the_command_line_lists_them(repeated, capsys, monkeypatch):
    monkeypatch.setenv("LNL_HOME", str(repeated.workspace.home))
    told = said(capsys, "copies", "tiny")
    assert "3 pictures come more than once, 7 images in all; 1 of them with different" in told
    assert "2 pictures are in more than one split" in told
    assert "bar 2, belt 1; train 2, test 1: item-00005, item-00007, item-00030" in told
    (only,) = json.loads(said(capsys, "copies", "tiny", "--only", "labels", "--json"))["listed"]
    assert only["rows"] == [5, 7, 30]
    status = said(capsys, "status", "tiny")
    assert "copies: 1 with different labels and 2 in more than one split" in status


def test_an_import_counts_leaks(tmp_path):
    from PIL import Image

    rng = np.random.default_rng(0)
    for split, n in (("train", 8), ("val", 4)):
        for label in ("cat", "dog"):
            (tmp_path / "in" / split / label).mkdir(parents=True)
            for i in range(n):
                pixels = np.kron(rng.integers(0, 255, (4, 4, 3)), np.ones((8, 8, 1)))
                Image.fromarray(pixels.astype(np.uint8)).save(
                    tmp_path / "in" / split / label / f"{split}{i}.png"
                )
    leak = (tmp_path / "in/train/cat/train0.png").read_bytes()
    (tmp_path / "in/val/cat/again.png").write_bytes(leak)
    result = import_source(tmp_path / "in", "leaky", tmp_path / "set")
    meta = arrays.read_json(tmp_path / "set" / "meta.json")
    assert meta["copies"]["across_splits"] == 1
    assert any("1 picture is in more than one split" in note for note in result.notes)


def test_the_map_is_narrowed_to_copies(repeated):
    narrow = filters.from_text("c1.2", None)
    assert narrow.as_text() == "c1.2"
    shown = filters.mask(repeated, narrow)
    assert np.flatnonzero(shown).tolist() == [5, 7, 11, 12, 30]
    assert filters.mask(repeated, filters.from_text("c9", None)).sum() == 0


def test_that_they_come_first_is_said_while_an_image_of_theirs_waits(repeated):
    assert "they come first in the queue" in copied.notes(repeated)[0]
    rows = copied.rows_of(repeated, "labels").tolist()
    decisions.append(repeated, [Decision(row, Action.KEEP, "ann") for row in rows[:-1]])
    assert "they come first in the queue" in copied.notes(repeated)[0]
    decisions.append(repeated, [Decision(rows[-1], Action.KEEP, "ann")])
    assert copied.notes(repeated)[0].endswith("all of them are answered.")


def test_status_keeps_what_was_counted_before_images_were_added(repeated, capsys, monkeypatch):
    monkeypatch.setenv("LNL_HOME", str(repeated.workspace.home))
    datasets.update_meta(repeated, **{datasets.COPIES_FOUND: copied.counted(repeated) | {"of": 59}})
    assert "1 with different labels and 2 in more than one split, among the first 59" in said(
        capsys, "status", "tiny"
    )


def test_copies_that_an_earlier_version_found_are_looked_for_anew_when_asked(repeated, capsys):
    decisions.append(repeated, [Decision(5, Action.KEEP, "ann")])
    (older,) = [each for each in settings.notes(repeated) if "An earlier version" in each]
    assert older.endswith("lnl copies tiny --again looks anew, and answers stay.")
    assert cli.main(["--home", str(repeated.workspace.home), "copies", "tiny", "--again"]) == 0
    assert "No picture comes twice." in capsys.readouterr().out
    assert copied.counted(repeated) == {}
    assert desk.review_state(repeated, "bob").items
    assert [d.action for (d, *_) in decisions.in_force(repeated).values()] == [Action.KEEP]
    assert not [each for each in settings.notes(repeated) if "An earlier version" in each]


def test_a_dry_run_of_an_addition_leaves_it_said_that_an_earlier_version_looked(repeated, tmp_path):
    np.savez(
        tmp_path / "more.npz",
        images=np.random.default_rng(1).integers(0, 255, (3, 8, 8), np.uint8),
        labels=np.arange(3),
        class_names=np.array(repeated.class_names),
    )
    growing.foresee(repeated, tmp_path / "more.npz")
    assert (repeated.arrays / datasets.OUTLINE).is_file()
    assert copied.of_an_earlier_version(repeated)
    copied.counted(repeated)
    assert copied.of_an_earlier_version(repeated)
    growing.add_images(repeated, tmp_path / "more.npz")
    grown = dataset_by_id(repeated.workspace, repeated.id)
    assert not copied.of_an_earlier_version(grown)
    copied.counted(grown)
    assert not copied.of_an_earlier_version(grown)


def test_copies_that_are_found_only_now_are_not_of_an_earlier_version(scored):
    assert not copied.of_an_earlier_version(scored)
    groups.look_over(scored).join()
    assert datasets.copies(scored) is not None
    assert not copied.of_an_earlier_version(scored)
    copied.counted(scored)
    assert not copied.of_an_earlier_version(scored)
