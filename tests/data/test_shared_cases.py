"""The awkward inputs that lie beside the repository: what each import does."""

import os
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lnl_core.data import importers
from lnl_core.readings import Answers

SHARED = Path(os.environ.get("LNL_SHARED", Path(__file__).resolve().parents[3] / "shared"))
SCRIPT = SHARED / "cases" / "make_cases.py"

READ_AS = {
    "three_lists": ({"cat": 15, "dog": 15}, {"train": 20, "val": 6, "test": 4}),
    "stray_predictions": ({"cat": 10, "dog": 10}, {}),
    "split_and_notes": ({"cat": 12, "dog": 12}, {"train": 16, "val": 8}),
    "splits": ({"cat": 12, "dog": 12}, {"train": 16, "val": 8}),
    "missing_words": ({"cat": 2, "dog": 2}, {}),
    "signed": ({"+1": 6, "-1": 6}, {}),
    "two_labels": ({"cat": 6, "dog": 6}, {}),
    "no_ending": ({"cat": 6, "dog": 6}, {}),
    "other_columns": ({"cat": 6, "dog": 6}, {}),
    "twelve_bits": ({"left": 5, "right": 5}, {}),
}
"""Case -> (class -> images, split -> images) that are read unasked."""

NAMES = ("cat", "dog", "emu", "fox")
ASKED = {
    "spellings": ("spellings", {"spellings": "merge"}, {"cat": 18, "dog": 6}),
    "numbers": ("numbers", {"numbers": "merge"}, {"1": 6, "2": 6}),
    "multi_label": ("several", {"several": "first"}, {"cat": 8, "dog": 4}),
    "linked": ("links", {"links": "follow"}, {"cat": 6, "dog": 6}),
    "from_one.npz": ("count_from", {"count_from": "1"}, dict.fromkeys(NAMES, 10)),
}
"""Case -> (question that stops the import, an answer, class -> images after it)."""


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    if not SCRIPT.is_file():
        pytest.skip("development data is not beside the repository (cases)")
    folder = tmp_path_factory.mktemp("cases")
    subprocess.run([sys.executable, str(SCRIPT), str(folder)], check=True, capture_output=True)
    return folder


STORED = {case: said for case, (_, said, _) in ASKED.items()}
UNASKED = (*READ_AS, "before.npz", "after.npz", "copies.npz", "odd_files")


def counts(reading):
    return {each.name: each.count for each in reading.classes}


@pytest.mark.parametrize("case", READ_AS)
def test_what_is_read_unasked(cases, case):
    found = importers.read(cases / case)
    assert (counts(found), dict(found.splits)) == READ_AS[case]
    assert not found.open_questions


@pytest.mark.parametrize("case", ASKED)
def test_what_is_asked_and_read_after_the_answer(cases, case):
    key, answer, after = ASKED[case]
    assert [each.key for each in importers.read(cases / case).open_questions] == [key]
    found = importers.read(cases / case, answers=Answers(**answer))
    assert (counts(found), found.open_questions) == (after, ())


@pytest.mark.parametrize("case", [*UNASKED, *STORED])
@pytest.mark.parametrize("zipped", [False, True])
def test_an_import_stores_what_its_reading_says(cases, tmp_path, agrees, case, zipped):
    source = cases / case
    if zipped:
        if case == "linked" or case.endswith(".npz"):
            pytest.skip("a zip holds no links, and arrays are zipped already")
        source = Path(shutil.make_archive(str(tmp_path / case), "zip", source))
    agrees(source, Answers(**STORED.get(case, {})))
    agrees(source, Answers())


def test_the_page_of_awkward_inputs_is_what_imports_say(cases):
    here = Path(__file__).resolve().parents[2] / "docs"
    made = runpy.run_path(str(here / "cases.py"))["page"](cases)
    assert (here / "cases.md").read_text("utf-8") == made, "run: python docs/cases.py FOLDER"
