"""What leaves as decisions means the same where it comes back."""

import io

import numpy as np
import pytest

from lnl_core.services.datasets import catalog
from lnl_core.services.export import exporting, reimporting
from lnl_core.services.review import recording
from lnl_core.services.team import roles, settling
from lnl_core.services.team.roles import Role
from lnl_core.store import datasets, decisions
from lnl_core.types import Action, Decision


@pytest.fixture
def twins(workspace, tmp_path):
    """Two sets of the same images; 0 and 9 are one picture."""
    images = np.random.default_rng(5).integers(0, 255, (12, 9, 9, 3), dtype=np.uint8)
    images[9] = images[0]
    file = tmp_path / "twelve.npz"
    names, ids = ["cat", "dog", "emu"], [f"im{row}" for row in range(12)]
    np.savez(file, images=images, labels=np.arange(12) % 3, class_names=names, ids=ids)
    for name in ("here", "there"):
        catalog.import_dataset(workspace, file, name)
    return [datasets.dataset(workspace, name) for name in ("here", "there")]


def exported(info):
    out = io.BytesIO()
    exporting.write_export(info, "decisions", out)
    return out.getvalue()


def bring(info, text, reviewer="zoe", **options):
    return reimporting.import_decisions(info, io.BytesIO(text), reviewer, **options)


def contradicted(info):
    said = [Decision(0, Action.KEEP, "ann"), Decision(0, Action.RELABEL, "bob", label=1)]
    decisions.append(info, said)


def test_what_was_settled_stays_settled(twins):
    here, there = twins
    contradicted(here)
    settling.settle(here, "eve", 0, Action.RELABEL, 1)
    found = bring(there, exported(here))
    assert (found.stored, found.problems, found.held, found.conflicts) == (3, (), 0, ())
    assert settling.contradictions(there) == []
    (correction,) = exporting.correction_rows(there)[0]
    assert correction["corrected_label"] == "dog"
    again = bring(there, exported(here))
    assert (again.stored, again.unchanged, again.conflicts) == (0, 3, ())
    settling.take_back(there, "eve", 0)
    assert [each.row for each in settling.contradictions(there)] == [0]


def test_a_settler_who_had_said_the_same_before_settles_all_the_same(twins):
    here, there = twins
    contradicted(here)
    settling.settle(here, "bob", 0, Action.RELABEL, 1)
    assert bring(there, exported(here)).stored == 3
    assert settling.contradictions(there) == []


def test_settling_that_was_taken_back_settles_nothing(twins):
    here, there = twins
    contradicted(here)
    settling.settle(here, "eve", 0, Action.RELABEL, 1)
    settling.take_back(here, "eve", 0)
    found = bring(there, exported(here))
    assert len(found.conflicts) > 0
    assert [each.row for each in settling.contradictions(there)] == [0]


def test_who_may_not_settle_brings_answers_and_is_told_so(twins):
    here, there = twins
    contradicted(here)
    settling.settle(here, "eve", 0, Action.RELABEL, 1)
    roles.name_role(here.workspace, "eve", "eve", Role.OWNER)
    found = bring(there, exported(here), by="zoe")
    assert found.stored == 3
    assert any("zoe may not settle" in note for note in found.notes)
    assert [each.row for each in settling.contradictions(there)] == [0]


def test_another_tools_column_called_route_settles_nothing(twins):
    here, _ = twins
    contradicted(here)
    text = b"id,action,label,reviewer,route\nim0,relabel,emu,eve,settled\n"
    assert bring(here, text).stored == 1
    assert [each.row for each in settling.contradictions(here)] == [0]


def test_what_was_answered_with_a_copy_is_no_look_of_its_own(twins):
    here, there = twins
    press = {"cid": "a", "row": 0, "action": "relabel", "label": 1, "together": True}
    assert recording.record(here, "ann", [press]).problems == []
    assert bring(there, exported(here)).stored == 2
    assert [(d.row, d.mode) for d in decisions.history(there)] == [(0, "import"), (9, "copies")]
    assert [d.row for d in decisions.history(there, looks=True)] == [0]


def test_a_relabel_to_the_given_class_is_a_keep(twins):
    here, _ = twins
    keep = b"id,action,label\nim6,keep,\n"
    same = b"id,action,label\nim6,relabel,cat\n"
    assert bring(here, keep, "ann").stored == 1
    found = bring(here, same, "ann")
    assert (found.stored, found.unchanged, found.held, found.conflicts) == (0, 1, 0, ())
    found = bring(here, same, "bob")
    assert (found.stored, found.held, found.conflicts) == (1, 0, ())
    stored = list(decisions.history(here))[-1]
    assert (stored.action, stored.label) == (Action.KEEP, None)
    # one that a page stored as a relabel is the same answer, too
    decisions.append(here, [Decision(7, Action.RELABEL, "ann", label=1)])
    found = bring(here, b"id,action,label\nim7,keep,\n", "ann")
    assert (found.unchanged, found.held) == (1, 0)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (
            "im3,auto,,",
            "“auto” is no action of a person. Use one of keep, relabel, multiple, none,",
        ),
        ("im3,auto,dog,ann", "“auto” is no action of a person"),
        ("im3,keep,,Auto-Fix", "“Auto-Fix” signs what no person decided"),
        ("im3,keep,, AUTO-FIX ", "“AUTO-FIX” signs what no person decided"),
    ],
)
def test_a_row_of_no_person_is_refused_alone(twins, row, words):
    here, _ = twins
    found = bring(here, f"id,action,label,reviewer\n{row}\nim4,keep,,\n".encode())
    assert found.stored == 1
    (problem,) = found.problems
    assert problem.startswith(f"Row 2: {words}")
    assert problem.count("auto") == (1 if "“auto”" in words else 0)  # it is offered to nobody
    assert [d.row for d in decisions.history(here)] == [4]
