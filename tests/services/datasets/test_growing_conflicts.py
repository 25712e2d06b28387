"""Images that come a second time with an addition, the same or as copies, with another label."""

import functools

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import text

from lnl_core.services import in_force
from lnl_core.services.datasets import catalog, growing
from lnl_core.services.review import new_classes
from lnl_core.services.runs import status
from lnl_core.store import datasets, db
from lnl_core.types import Busy, LnlError
from tests.data.test_copies import photos
from tests.services.datasets.test_growing import again, file_of, pictures, run


@pytest.mark.parametrize("new", [0, 1])
def test_such_an_image_stands_first_in_the_queue(workspace, tmp_path, new):
    """Also where the addition brings nothing else; told twice it is noted once."""
    catalog.import_dataset(
        workspace, file_of(tmp_path, "thirty", pictures(30), np.arange(30) % 3), "thirty"
    )
    thirty = datasets.dataset(workspace, "thirty")
    run(thirty, np.tile([0.1, 0.8, 0.1], (30, 1)).astype(np.float32))  # row 4 is right, they say
    assert in_force.scored(thirty).ranking.order[0] != 4
    images = np.concatenate([pictures(30)[[3, 4]], pictures(new, seed=8)])
    source = file_of(tmp_path, "more", images, np.array([0, 2, 1][: 2 + new]))
    for _ in range(2):
        growing.add_images(again(thirty), source)
        assert datasets.listed(again(thirty)).tolist() == [[4, 1], [4, 2]]
    ranked = in_force.scored(again(thirty))
    assert ranked.ranking.order[0] == 4
    assert ranked.ranking.p_wrong[4] >= 0.5
    assert ranked.ranking.suggested_labels[4] == 2


def test_copies_that_came_with_an_addition_are_said(workspace, tmp_path):
    for at, pixels in enumerate(photos(4)):
        (place := tmp_path / "photos" / "ab"[at % 2]).mkdir(exist_ok=True, parents=True)
        Image.fromarray(pixels).save(place / f"{at}.png")
    (other := tmp_path / "more" / "b").mkdir(parents=True)
    Image.fromarray(photos(4)[0]).save(other / "0.jpg", quality=85)
    (new := tmp_path / "new" / "b").mkdir(parents=True)
    Image.fromarray(photos(1, seed=9)[0]).save(new / "9.png")
    catalog.import_dataset(workspace, tmp_path / "photos", "photos")
    info = datasets.dataset(workspace, "photos")
    assert not [note for note in growing.add_images(info, new.parent).notes if "once" in note]
    told = growing.add_images(again(info), other.parent)
    assert told.added == 1
    assert any("1 picture comes more than once" in note for note in told.notes)
    assert any("with different labels" in note for note in told.notes)
    (one,) = status.status([again(info)])["datasets"]
    assert one["copies"]["different_labels"] == 1
    assert "of" not in one["copies"]


@pytest.fixture
def thirty(workspace, tmp_path):
    source = file_of(tmp_path, "thirty", pictures(30), np.arange(30) % 3)
    catalog.import_dataset(workspace, source, "thirty")
    return datasets.dataset(workspace, "thirty")


def labels_alone(tmp_path, rows, labels, **arrays):
    """Return a source of images that are there; the labels of rows 0 and 2 are the set's."""
    images, given = pictures(30)[[*rows, 0, 2]], np.array([*labels, 0, 2])
    return file_of(tmp_path, f"labels-{rows}", images, given, **arrays)


def meanwhile(monkeypatch, act):
    """Do something between what the next change of a set has looked at and its turn to write."""
    change = datasets.change_meta

    def later(*asked):
        monkeypatch.setattr(datasets, "change_meta", change)
        act()
        change(*asked)

    monkeypatch.setattr(datasets, "change_meta", later)


def test_labels_alone_wait_for_their_turn_to_write(thirty, tmp_path, monkeypatch):
    soon = functools.partial(datasets.change_meta, patience=0.05)
    monkeypatch.setattr(datasets, "change_meta", soon)
    source = labels_alone(tmp_path, [4], [2])
    with db.transaction(thirty.workspace) as other:
        other.execute(text("UPDATE reviewers SET created_at = created_at"))
        with pytest.raises(Busy):
            growing.add_images(thirty, source)
    assert datasets.listed(again(thirty)) is None


def test_labels_that_come_while_others_are_added_are_kept(thirty, tmp_path, monkeypatch):
    first, second = labels_alone(tmp_path, [4], [2]), labels_alone(tmp_path, [6], [1])
    meanwhile(monkeypatch, lambda: growing.add_images(thirty, first))
    growing.add_images(thirty, second)
    assert datasets.listed(again(thirty)).tolist() == [[4, 1], [4, 2], [6, 0], [6, 1]]
    images = np.concatenate([pictures(30)[[7]], pictures(1, seed=8)])
    more = file_of(tmp_path, "more", images, np.array([0, 0]))
    third = labels_alone(tmp_path, [8], [1])
    meanwhile(monkeypatch, lambda: growing.add_images(again(thirty), third))
    growing.add_images(again(thirty), more)
    assert {row for row, _ in datasets.listed(again(thirty)).tolist()} == {4, 6, 7, 8}


def test_labels_alone_are_not_written_into_a_set_that_has_grown(thirty, tmp_path, monkeypatch):
    more = file_of(tmp_path, "more", pictures(1, seed=8), np.array([0]))
    meanwhile(monkeypatch, lambda: growing.add_images(thirty, more))
    with pytest.raises(LnlError, match="was changed meanwhile"):
        growing.add_images(thirty, labels_alone(tmp_path, [4], [2]))
    assert datasets.listed(again(thirty)) is None


def test_labels_alone_that_name_a_new_class_make_it_one(thirty, tmp_path):
    run(thirty)
    source = labels_alone(tmp_path, [4], [3], class_names=np.array(["cat", "dog", "emu", "owl"]))
    told = growing.add_images(thirty, source, new_classes=True)
    info = again(thirty)
    assert (told.new_classes, info.class_names[3:]) == (("owl",), ("owl",))
    assert datasets.listed(info).tolist() == [[4, 1], [4, 3]]
    assert new_classes.retired(info) == ()  # one of its images may be one
    ranked = in_force.scored(info).ranking
    assert (ranked.order[0], ranked.suggested_labels[4]) == (4, 3)
    assert new_classes.drop_unused(info, ["owl"]) == []
    run(info)
    assert in_force.scored(again(info)).ranking.suggested_labels[4] == 3
