"""Files that lie beside images: notes, sound, the source of a drawing. They count for no image."""

import pytest

from lnl_core.data import importers
from lnl_core.data.images import is_beside
from lnl_core.readings import Answers
from lnl_core.services.datasets import catalog, settings
from lnl_core.store import datasets
from tests.data.test_import_folders import put

SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>'


@pytest.fixture
def stamps(tmp_path):
    """Six images, one of them cut off, each with three files beside it; two written alike."""
    root = tmp_path / "stamps"
    for at, name in enumerate(("Cat", "cat", "dog", "dog", "emu", "emu")):
        image = root / name / f"{at}.png"
        put(image, seed=at)
        for ending, content in ((".txt", b"a cat"), (".dat", b"x = 1"), (".svg", SVG)):
            image.with_suffix(ending).write_bytes(content)
    whole = (root / "emu" / "5.png").read_bytes()
    (root / "emu" / "5.png").write_bytes(whole[: len(whole) // 2])
    return root


def test_they_do_not_stop_an_import_and_come_last_in_its_report(stamps, workspace):
    reading = importers.read(stamps, answers=Answers(spellings="keep"))
    assert not reading.open_questions
    assert reading.n == 5  # without the one that is cut off
    catalog.import_dataset(workspace, stamps, "stamps", answers=Answers(spellings="keep"))
    info = datasets.dataset(workspace, "stamps")
    assert info.n == 5
    first, *others = settings.skipped_rows(info)
    assert first["where"] == "emu/5.png"
    assert len(others) == 18
    reasons = [(each.count, is_beside(each.reason)) for each in settings.skipped(info)]
    assert reasons == [(1, False), (6, True), (6, True), (6, True)]


def test_questions_count_images_alone(stamps):
    (asked,) = importers.read(stamps).questions
    assert "“Cat” (1), “cat” (1)" in " ".join([asked.text, *asked.details])


def test_a_level_says_as_many_classes_as_it_gives(tmp_path):
    root = tmp_path / "nested"
    for at, path in enumerate(("a/x", "a/y", "b/x", "b", "c/z")):  # b holds images of its own
        put(root / path / f"{at}.png", seed=at)
    (asked,) = importers.read(root).questions
    said = {each.value: each.words for each in asked.choices}
    for level in ("top", "inner"):
        classes = importers.read(root, answers=Answers(level=level)).classes
        assert f"{len(classes)} classes" in said[level]
