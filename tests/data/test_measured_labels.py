"""Labels that are numbers with decimals, or that look like measurements rather than classes."""

import numpy as np
import pytest

from lnl_core.readings import Answers
from tests.data.asking import asked, counts, listed, read, stops


def semicolons(folder, labels):
    """Write a list whose labels may have commas."""
    listed(folder, labels)
    rows = [f"im{i}.png;{label}" for i, label in enumerate(labels)]
    (folder / "list.csv").write_text("\n".join(["image;label", *rows]) + "\n")
    return folder


@pytest.mark.parametrize(
    "written", [["1.0", "0.0", "2.0"], ["1,0", "0,0", "2,0"], ["0", "1.", "2."]]
)
def test_whole_numbers_with_decimals_are_called_by_the_number_and_that_is_said(
    tmp_path, agrees, written
):
    source = semicolons(tmp_path / "s", written * 4)
    found = read(source)
    assert counts(found) == {"0": 4, "1": 4, "2": 4}
    assert any("written with decimals" in note for note in found.notes)
    assert agrees(source).names == ["0", "1", "2"]
    kept = set(counts(read(source, numbers="keep")))
    assert kept == {each.replace(",", ".") for each in written}


def test_decimals_and_plain_numbers_together_are_asked_about(tmp_path):
    source = semicolons(tmp_path / "s", ["1", "1.0", "0", "2.0"] * 3)
    assert "--numbers merge or keep" in stops(source, "numbers", tmp_path)
    assert counts(read(source, numbers="merge")) == {"0": 3, "1": 6, "2": 3}


def test_a_decimal_comma_among_plain_numbers_may_be_two_labels(tmp_path):
    source = semicolons(tmp_path / "s", ["1,0", "0", "1", "2"] * 3)
    assert "--several-labels" in stops(source, "several", tmp_path)


def test_two_numbers_in_every_cell_may_be_two_labels(tmp_path):
    source = semicolons(tmp_path / "s", ["1,2", "2,3", "3,1", "2,1"] * 6)
    assert "--several-labels" in stops(source, "several", tmp_path)
    assert counts(read(source, several="first")) == {"1": 6, "2": 12, "3": 6}


def test_decimals_stand_for_the_lines_of_a_file_of_names(tmp_path):
    source = semicolons(tmp_path / "s", ["1,0", "0,0"] * 3)
    (source / "classes.txt").write_text("cat\ndog\n")
    assert counts(read(source)) == {"cat": 3, "dog": 3}


VALUES = np.random.default_rng(3).normal(5, 3, 24)
STOP = {
    "regression": [f"{value:.2f}" for value in VALUES],
    "comma": [f"{value:.2f}".replace(".", ",") for value in VALUES],
    "ages": [str(18 + 7 * i % 61) for i in range(24)],
    "rows": [str(i + 1) for i in range(24)],
    "captions": [f"a picture of the number {i} on a wall" for i in range(12)],
    "files": [f"mask_{i}.png" for i in range(12)],
    "exponents": [f"{value:.3e}" for value in VALUES],
}


@pytest.mark.parametrize("kind", STOP)
def test_labels_that_are_plainly_no_classes_stop_the_import(tmp_path, kind):
    source = semicolons(tmp_path / "s", STOP[kind])
    assert "--measured classes" in stops(source, "measured", tmp_path)
    said = Answers(measured="classes")
    assert not read(source, measured=said.measured).open_questions


SAID = {
    "ratings": ["0.5", "1.0", "1.5", "2.0"] * 6,
    "many ages": [str(20 + i % 40) for i in range(160)],
    "identities": [f"person {i // 2}" for i in range(21)] + ["somebody"],
}


@pytest.mark.parametrize("kind", SAID)
def test_labels_that_may_be_no_classes_are_kept_and_that_is_said(tmp_path, kind):
    source = semicolons(tmp_path / "s", SAID[kind])
    question = asked(read(source))["measured"]
    assert (question.taken, question.is_open) == ("classes", False)


PLAIN = {
    "digits": [str(i % 10) for i in range(30)],
    "hundred": [str(i) for i in range(100)] * 2,
    "gaps": [str(i) for i in (0, 3, 7, 9)] * 3,
    "few": ["0.5", "1.5", "cat"],
    "words": [f"kind {i % 10}" for i in range(20)],
}


@pytest.mark.parametrize("kind", PLAIN)
def test_classes_are_no_question(tmp_path, kind):
    assert "measured" not in asked(read(semicolons(tmp_path / "s", PLAIN[kind])))


@pytest.mark.parametrize(
    "labels", [list(range(10)), list(range(1, 21)), [7 * i % 24 for i in range(24)]]
)
def test_one_image_of_each_class_asks_nothing(tmp_path, agrees, labels):
    source = listed(tmp_path / "s", [str(label) for label in labels])
    assert "measured" not in asked(read(source))
    assert agrees(source).report.n == len(labels)
