"""Labels that say that nobody labelled the image: asked about, never settled in silence."""

import pytest

from lnl_core.data import importers, no_class
from lnl_core.types import LnlError
from tests.data.making import encoded, picture

LIST = "image,label\na.png,cat\nb.png,Not sure\nc.png,dog\nd.png,\ne.png,Not sure\nf.png,Other\n"


@pytest.fixture
def shelf(tmp_path):
    for seed, name in enumerate("abcdef"):
        (tmp_path / f"{name}.png").write_bytes(encoded(picture(seed=seed), "PNG"))
    (tmp_path / "list.csv").write_text(LIST)
    return tmp_path / "list.csv"


@pytest.mark.parametrize(
    "name",
    ["Not sure", "NOT_SURE", "unsure", "Other", "skip", "Unknown", "none", "N/A", "n.a.", "?",
     "-", "???", "blank", "unlabeled", "Unlabelled", "misc", "Can't tell", "(unknown)"],
)  # fmt: skip
def test_names_that_sound_like_no_label(name):
    assert no_class.looks_like_none(name)


@pytest.mark.parametrize(
    "name", ["Otter", "Skipper", "Shirt", "no", "mother", "nonet", "0", "Undershirt", "é", "日本"]
)
def test_names_of_classes(name):
    assert not no_class.looks_like_none(name)


def test_unasked_they_stay_classes_with_a_note_and_a_blank_one_is_skipped(shelf, do_import):
    got = do_import(shelf)
    assert got.given == ["cat", "Not sure", "dog", "Not sure", "Other"]
    assert "no_classes" not in got.meta
    assert [each["reason"] for each in got.skipped] == ["The label is blank."]
    note = next(each for each in got.meta["notes"] if "--not-a-class" in each)
    assert "“Not sure” (2), “Other” (1)" in note


def test_what_is_said_to_be_no_class_is_kept_as_given_and_noted(shelf, do_import):
    got = do_import(shelf, no_classes=["Not sure"])
    assert got.given == ["cat", "Not sure", "dog", "Not sure", "Other"]
    assert got.meta["no_classes"] == ["Not sure"]
    assert "No class, so to be labelled: “Not sure” (2)." in got.meta["notes"]
    assert any("“Other” (1)" in each and "Kept as a class" in each for each in got.meta["notes"])


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["not sure"], "no label “not sure”.*It has “Not sure”, “Other”, “cat”, “dog”"),
        (["cat", "dog", "Other", "Not sure"], "nothing is left to learn from"),
    ],
)
def test_what_cannot_be_is_refused(shelf, tmp_path, names, words):
    with pytest.raises(LnlError, match=words):
        importers.import_source(shelf, "x", tmp_path / "out", no_classes=names)
    assert not (tmp_path / "out").exists()


def test_a_set_with_plain_names_has_no_note(photos, do_import):
    assert do_import(photos).meta["notes"] == []
