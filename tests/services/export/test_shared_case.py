"""The awkward cases of decisions, as `make_cases.py` beside the repository writes them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lnl_core.services.datasets import catalog
from lnl_core.services.export import exporting, reimporting
from lnl_core.store import datasets, decisions
from lnl_core.types import Action, Decision

REPO = Path(__file__).resolve().parents[3]
MAKER = Path(os.environ.get("LNL_SHARED", REPO.parent / "shared")) / "cases/make_cases.py"


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    if not MAKER.is_file():
        pytest.skip("development data is not beside the repository (cases)")
    out = tmp_path_factory.mktemp("cases")
    subprocess.run([sys.executable, str(MAKER), str(out)], check=True, capture_output=True)
    return out


def test_decisions_of_before_do_not_land_on_other_images_of_after(workspace, cases, tmp_path):
    catalog.import_dataset(workspace, cases / "before.npz", "before")
    catalog.import_dataset(workspace, cases / "after.npz", "after")
    before, after = (datasets.dataset(workspace, name) for name in ("before", "after"))
    old = reimporting.import_decisions(after, cases / "decisions_of_before.csv", "ann")
    assert (old.stored, old.held) == (0, 3)
    assert {each.file for each in old.held_back} == {"decisions_of_before.csv"}
    first = reimporting.import_decisions(before, cases / "decisions_of_before.csv", "ann")
    assert (first.stored, first.held) == (3, 0)
    exporting.write_export(before, "decisions", tmp_path / "new.csv")
    new = reimporting.import_decisions(after, tmp_path / "new.csv", "ann")
    assert (new.stored, new.by_content) == (3, 3)
    assert sorted(decisions.in_force(after)) == [6, 7, 8]


def test_a_contradicting_given_label_is_held_back(workspace, cases):
    catalog.import_dataset(workspace, cases / "before.npz", "before")
    before = datasets.dataset(workspace, "before")
    decisions.append(before, [Decision(9, Action.KEEP, "ann")])
    told = reimporting.import_decisions(before, cases / "decisions_contradicting.csv", "ann")
    assert (told.stored, told.held) == (0, 1)
    assert "no_such_class" in told.held_back[0].words()
    assert sorted(decisions.in_force(before)) == [9]
