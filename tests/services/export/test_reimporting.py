import io
import re

import numpy as np
import pytest

from lnl_core.services.datasets import catalog, settings
from lnl_core.services.export import exporting, reimporting
from lnl_core.store import datasets, decisions
from lnl_core.types import Action, Decision

FIRST = (
    "id,action,label,decided_at\n"
    "item-00001,keep,,2026-01-01T10:00:00Z\n"
    "item-00002,relabel,base,2026-01-01T10:01:00Z\n"
)


def bring(info, text, reviewer="ann", **options):
    stream = io.BytesIO(text.encode())
    return reimporting.import_decisions(info, stream, reviewer, **options)


@pytest.mark.parametrize("text", [FIRST, FIRST.replace("2026-01-01T10:01:00Z", "")])
def test_the_same_file_twice_stores_nothing_twice(workspace, scored, text):
    first, second = bring(scored, text), bring(scored, text)
    assert (first.stored, first.unchanged) == (2, 0)
    assert (second.stored, second.unchanged, second.held) == (0, 2, 0)
    assert len(list(decisions.history(scored))) == 2
    assert bring(scored, text, "bob").stored == 2  # another person said it too


def test_an_older_row_is_held_and_named(workspace, scored):
    bring(scored, FIRST)
    decisions.append(scored, [Decision(2, Action.KEEP, "ann")])
    found = bring(
        scored, "id,action,label,decided_at\nitem-00002,relabel,belt,2026-01-02T00:00:00Z\n"
    )
    (conflict,) = found.conflicts
    assert (found.stored, found.held, conflict.number, conflict.id) == (0, 1, 2, "item-00002")
    assert conflict.in_force.startswith("keep by ann, 20")
    assert conflict.file == "relabel to belt"
    assert "older, 2026-01-02 00:00:00 UTC." in conflict.words()
    assert decisions.in_force(scored)[2][0].action is Action.KEEP


def test_a_later_row_counts(workspace, scored):
    bring(scored, FIRST)
    found = bring(
        scored, "id,action,label,decided_at\nitem-00002,relabel,belt,2026-01-02T00:00:00Z\n"
    )
    assert (found.stored, found.held, found.conflicts) == (1, 0, ())
    assert decisions.in_force(scored)[2][0].label == scored.class_names.index("belt")


def test_without_a_time_nobody_knows_which_is_later(workspace, scored):
    bring(scored, FIRST)
    text = "id,action,label\nitem-00002,keep,\nitem-00003,keep,\nitem-00003,none,\n"
    found = bring(scored, text)
    assert (found.stored, found.held) == (1, 2)
    assert [c.number for c in found.conflicts] == [2, 4]
    assert "no decided_at" in found.conflicts[0].remedy
    again = bring(scored, text, replace_newer=True)
    assert (again.stored, again.held) == (2, 0)
    third = bring(scored, text, replace_newer=True)
    assert (third.stored, third.unchanged) == (0, 3)
    now = decisions.in_force(scored)
    assert (now[2][0].action, now[3][0].action) == (Action.KEEP, Action.NONE)


def test_people_who_contradict_each_other_are_named_and_both_kept(workspace, scored):
    bring(scored, FIRST)
    found = bring(scored, FIRST.replace("relabel,base", "keep,"), "bob")
    (conflict,) = found.conflicts
    assert (found.stored, found.held, conflict.stored, conflict.number) == (2, 0, True, 3)
    assert conflict.in_force == "relabel to base by ann"
    assert len(decisions.in_force(scored)[2]) == 2


def test_a_whole_history_comes_back_as_it_was(workspace, scored, tmp_path):
    stamp = "2026-01-01T10:0{}:00.000Z".format
    for minute, (action, label) in enumerate(
        [(Action.KEEP, None), (Action.RELABEL, 2), (Action.REOPEN, None), (Action.KEEP, None)]
    ):
        one = Decision(9, action, "ann", label=label, decided_at=stamp(minute))
        decisions.append(scored, [one])
    out = tmp_path / "all.csv"
    exporting.write_export(scored, "decisions", out)
    before = [(d.action, d.label, d.decided_at, d.cid) for d in history(workspace, scored)]
    same = reimporting.import_decisions(scored, out, "x")
    assert (same.stored, same.unchanged, same.conflicts) == (0, 4, ())
    ids = out.read_bytes().replace(b"item-00009", b"item-00010")
    moved = reimporting.import_decisions(scored, io.BytesIO(ids), "x")
    assert (moved.stored, moved.unchanged) == (0, 4)  # by content: the image is the same
    elsewhere = io.BytesIO(re.sub(rb",[0-9a-f]{32}\r\n", b",\r\n", ids))
    assert reimporting.import_decisions(scored, elsewhere, "x").stored == 4
    copied = [
        (d.action, d.label, d.decided_at, d.cid) for d in history(workspace, scored) if d.row == 10
    ]
    assert [c[:3] for c in copied] == [b[:3] for b in before]
    # a press's id belongs to one answer: the copy got identities of its own
    assert not {c[3] for c in copied} & {b[3] for b in before}


def history(ws, info):
    return list(decisions.history(info))


def test_an_answer_taken_back_stays_back_unless_the_file_shall_win(workspace, scored):
    bring(scored, FIRST)
    decisions.append(scored, [Decision(1, Action.REOPEN, "ann")])
    found = bring(scored, FIRST)
    assert (found.stored, found.unchanged, found.held) == (0, 1, 1)
    assert "nothing: ann took the answer back" in found.conflicts[0].in_force
    assert bring(scored, FIRST, replace_newer=True).stored == 1
    assert 1 in decisions.in_force(scored)


def test_an_export_into_an_empty_set_gives_every_answer_back(workspace, scored, tmp_path):
    """Also where two answers bear the same moment, as those of one bulk press do."""
    made = [
        Decision(1, Action.KEEP, "ann", seconds=1.5, suggested_label=0, p_wrong=0.25),
        Decision(2, Action.KEEP, "ann"),
        Decision(2, Action.RELABEL, "ann", label=2, seconds=4.25),
        Decision(3, Action.KEEP, "ann"),
        Decision(3, Action.REOPEN, "ann"),
        Decision(4, Action.MULTIPLE, "ann", labels=(2, 0)),
        Decision(4, Action.NONE, "bob"),
    ]
    decisions.append(scored, made)
    assert len({d.decided_at for d in decisions.history(scored)}) == 1
    path = tmp_path / "decisions.csv"
    exporting.write_export(scored, "decisions", path)
    catalog.rename_dataset(scored, "before")
    data = datasets.load(scored)
    np.savez(tmp_path / "tiny.npz", images=data.images, labels=data.given_labels,
             ids=np.array(list(data.ids)), class_names=np.array(scored.class_names))  # fmt: skip
    catalog.import_dataset(workspace, tmp_path / "tiny.npz", "tiny")
    again = datasets.dataset(workspace, "tiny")
    found = reimporting.import_decisions(again, path, "nobody")
    assert (found.stored, found.unchanged, found.held, found.problems) == (7, 0, 0, ())
    assert [c.stored for c in found.conflicts] == [True]

    def answers(info):
        return [
            (d.row, d.reviewer, d.action, d.label, d.labels, d.decided_at, d.cid, d.seconds)
            for several in decisions.in_force(info).values()
            for d in several
        ]

    assert answers(again) == answers(scored)
    first = decisions.in_force(again)[1][0]
    assert (first.seconds, first.suggested_label, first.p_wrong) == (1.5, 0, 0.25)


def test_facts_that_make_no_sense_are_left_blank(workspace, scored):
    bring(scored, "id,action,seconds,p_wrong,suggested_label\nitem-00001,keep,-3,nan,zebra\n")
    found = decisions.in_force(scored)[1][0]
    assert found.seconds is None
    assert found.p_wrong == pytest.approx(0.0, abs=1)  # what the methods say today
    assert found.suggested_label in range(3)


def test_answers_of_a_file_go_to_copies_when_asked(workspace, scored):
    first = np.arange(60, dtype=np.int32)
    first[[4, 22, 41]] = 1  # bar, belt and base of one picture
    first[25] = 24  # a copy whose label nobody doubts
    np.save(scored.directory / datasets.COPIES, first)
    decisions.append(scored, [Decision(41, Action.KEEP, "bob")])
    text = FIRST + "item-00022,none,,2026-01-01T10:02:00Z\nitem-00024,keep,,\nitem-00025,none,,\n"
    assert bring(scored, text).on_copies == 0
    kept = text.replace("item-00022,none,,2026-01-01T10:02:00Z\n", "")
    found = bring(scored, kept, to_copies=True)  # what stands already goes to copies as well
    assert (found.stored, found.on_copies) == (0, 1)  # 22 and 41 have answers, 24 and 25 disagree
    by_row = decisions.in_force(scored)
    (copy,) = by_row[4]
    assert (copy.action, copy.mode, copy.route, copy.seconds) == (
        Action.KEEP,
        "copies",
        "import",
        None,
    )
    assert copy.decided_at == by_row[1][0].decided_at
    assert bring(scored, kept, to_copies=True).on_copies == 0


def test_an_answer_of_the_future_wins_over_none_that_is_there(workspace, scored):
    bring(scored, FIRST)
    text = "id,action,label,decided_at\nitem-00002,relabel,bar,2099-01-01T00:00:00Z\n"
    found = bring(scored, text)
    assert (found.stored, found.held) == (0, 1)
    assert found.notes[0].startswith("1 row was decided in the future")
    new = text.replace("item-00002", "item-00005")
    assert (bring(scored, new).stored, bring(scored, new).unchanged) == (1, 1)
    (stored,) = decisions.in_force(scored)[5]
    assert stored.decided_at < "2099"
    assert decisions.in_force(scored)[2][0].label == scored.class_names.index("base")


def test_a_stored_answer_of_the_future_gives_way(workspace, scored):
    future = Decision(2, Action.KEEP, "ann", decided_at="2099-01-01T00:00:00.000Z")
    decisions.append(scored, [future])
    found = bring(scored, FIRST)
    assert (found.stored, found.held) == (2, 0)
    assert decisions.in_force(scored)[2][0].label == scored.class_names.index("base")


def test_an_answer_whose_label_is_no_class_any_more_stands_against_nothing(workspace, scored):
    base, belt = (scored.class_names.index(name) for name in ("base", "belt"))
    given = datasets.load(scored).given_labels
    rows = [row for row in range(60) if given[row] not in (base, belt)][:3]
    decisions.append(
        scored,
        [Decision(r, Action.RELABEL, "ann", label=base, given_label=given[r]) for r in rows],
    )
    info = settings.set_no_classes(scored, ["base"])
    ids = [f"item-{row:05}" for row in rows]
    text = f"id,action,label\n{ids[0]},relabel,belt\n{ids[0]},keep,\n"
    found = bring(info, text)  # ann answers anew, twice in one file
    assert (found.stored, found.held) == (1, 1)
    assert found.conflicts[0].in_force == "relabel to belt by ann, an earlier row of the file"
    found = bring(info, f"id,action,label\n{ids[1]},keep,\n", "bob")
    assert (found.stored, found.conflicts) == (1, ())  # nobody contradicts bob
    old = f"id,action,label,decided_at\n{ids[2]},keep,,2020-01-01T00:00:00Z\n"
    (conflict,) = bring(info, old).conflicts
    assert conflict.in_force.startswith("nothing: relabel to base by ann, 20")
    assert conflict.in_force.endswith("names what is no class any more")
    assert bring(info, old, replace_newer=True).stored == 1
    now = decisions.in_force(info)
    assert [now[row][0].action for row in rows] == [Action.RELABEL, Action.KEEP, Action.KEEP]


def test_facts_of_a_spreadsheet_with_decimal_commas_are_read(workspace, scored):
    bring(scored, 'id,action,seconds,p_wrong_shown\nitem-00001,keep,"1,5","0,25"\n')
    found = decisions.in_force(scored)[1][0]
    assert (found.seconds, found.p_wrong) == (1.5, 0.25)
