"""Decisions made on one import of a set, and brought to another."""

import io

import numpy as np
import pytest

from lnl_core.readings import Answers
from lnl_core.services.datasets import catalog
from lnl_core.services.export import exporting, reimporting
from lnl_core.store import datasets, decisions
from lnl_core.types import Action, Decision

NAMES = ("cat", "dog", "emu", "fox")


def pictures(n, seed=7):
    return np.random.default_rng(seed).integers(0, 255, (n, 9, 9, 3), dtype=np.uint8)


def made(ws, tmp_path, name, images, labels, **arrays):
    """Import arrays as a set."""
    file = tmp_path / f"{name}.npz"
    np.savez(file, images=images, labels=labels, class_names=np.array(NAMES), **arrays)
    catalog.import_dataset(ws, file, name)
    return datasets.dataset(ws, name)


def bring(info, text, **options):
    stream = io.BytesIO(text if isinstance(text, bytes) else text.encode())
    return reimporting.import_decisions(info, stream, "ann", file_name="decisions.csv", **options)


def exported(info, format="decisions"):
    out = io.BytesIO()
    exporting.write_export(info, format, out)
    return out.getvalue()


def answers(info):
    return {
        row: [(d.action, d.label) for d in several]
        for row, several in decisions.in_force(info).items()
    }


@pytest.fixture
def before(workspace, tmp_path):
    """Twenty images, their ids row numbers; three of them judged."""
    info = made(workspace, tmp_path, "before", pictures(20), np.arange(20) % 4)
    decisions.append(
        info,
        [
            Decision(5, Action.RELABEL, "ann", label=3, given_label=1),
            Decision(6, Action.KEEP, "ann", given_label=2),
            Decision(7, Action.NONE, "ann", given_label=3),
        ],
    )
    return info


JUDGED = {5: [(Action.RELABEL, 3)], 6: [(Action.KEEP, None)], 7: [(Action.NONE, None)]}


def shifted(rows):
    return {rows[row]: said for row, said in JUDGED.items()}


def test_one_more_image_in_front(workspace, tmp_path, before):
    images = np.concatenate([pictures(1, 1), pictures(20)])
    after = made(workspace, tmp_path, "after", images, np.r_[0, np.arange(20) % 4])
    found = bring(after, exported(before))
    assert (found.stored, found.by_content, found.held) == (3, 3, 0)
    assert answers(after) == shifted({5: 6, 6: 7, 7: 8})


@pytest.mark.parametrize("way", ["reversed", "part", "renamed", "shuffled names"])
def test_the_same_images_elsewhere(workspace, tmp_path, before, way):
    rows = {"reversed": np.arange(20)[::-1], "part": np.arange(4, 12)}.get(way, np.arange(20))
    ids = {}
    if way == "renamed":
        ids = {"ids": np.array([f"new-{row}" for row in rows])}
    if way == "shuffled names":  # every id is here, and is another image's
        ids = {"ids": np.array([f"{(row + 3) % 20:07d}" for row in rows])}
    after = made(workspace, tmp_path, "after", pictures(20)[rows], (np.arange(20) % 4)[rows], **ids)
    found = bring(after, exported(before))
    assert (found.stored, found.held, found.problems) == (3, 0, ())
    assert answers(after) == shifted({old: new for new, old in enumerate(rows.tolist())})


def test_what_is_not_in_the_set_is_refused_or_held(workspace, tmp_path, before):
    images = pictures(20)
    images[6] = pictures(1, 3)  # the picture under this id is another one
    after = made(workspace, tmp_path, "after", images, np.arange(20) % 4)
    found = bring(after, exported(before))
    assert (found.stored, found.held) == (2, 1)
    (held,) = found.held_back
    assert (held.file, held.number, held.id) == ("decisions.csv", 3, "0000006")
    assert "another picture" in held.why
    assert set(answers(after)) == {5, 7}
    assert "--by-id" in held.words()
    assert bring(after, exported(before), by_id=True).stored == 1
    assert answers(after) == JUDGED


def test_among_equals_the_id_decides_then_the_given_label(workspace, tmp_path):
    images = pictures(6)
    images[[1, 2, 4]] = images[0]
    labels = np.array([0, 1, 1, 0, 2, 0])
    first = made(workspace, tmp_path, "first", images, labels)
    decisions.append(first, [Decision(row, Action.NONE, "ann") for row in (1, 4)])
    same = made(workspace, tmp_path, "same", images, labels)
    assert bring(same, exported(first)).stored == 2
    assert set(answers(same)) == {1, 4}
    ids = np.array([f"other-{row}" for row in range(6)])
    other = made(workspace, tmp_path, "other", images, labels, ids=ids)
    found = bring(other, exported(first))
    assert set(answers(other)) == {4}  # the only one of these that is given as “emu”
    (held,) = found.held_back
    assert "2 images have this very content (other-1, other-2" in held.why


def test_a_label_that_has_changed_holds_the_answer_back(workspace, tmp_path, before):
    labels = np.arange(20) % 4
    labels[6] = 0
    after = made(workspace, tmp_path, "after", pictures(20), labels)
    found = bring(after, exported(before))
    (held,) = found.held_back
    assert (found.stored, held.number) == (2, 3)
    assert "“emu”" in held.why
    assert "“cat”" in held.why
    emptied = exported(before).replace(b",emu,keep", b",,keep")
    assert bring(after, emptied).stored == 1


# Files without digests --------------------------------------------------------------------------

OLD = "id,given_label,action,label\n0000005,dog,relabel,fox\n0000006,emu,keep,\n0000007,fox,none,\n"
"""As `decisions_of_before.csv` of the awkward cases."""


def test_without_digests_nothing_lands_on_another_image(workspace, tmp_path, before):
    images = np.concatenate([pictures(1, 1), pictures(20)])
    after = made(workspace, tmp_path, "after", images, np.r_[0, np.arange(20) % 4])
    found = bring(after, OLD)
    assert (found.stored, found.held) == (0, 3)
    assert [(held.number, held.id) for held in found.held_back] == [
        (2, "0000005"),
        (3, "0000006"),
        (4, "0000007"),
    ]
    assert answers(after) == {}


def test_one_contradiction_makes_every_row_number_doubtful(workspace, tmp_path):
    """Sorted by class, most labels agree by chance though every image has moved by one."""
    images = np.concatenate([pictures(1, 1), pictures(20)])
    after = made(workspace, tmp_path, "after", images, np.r_[0, np.repeat(np.arange(4), 5)])
    old = "id,given_label,action\n0000005,dog,keep\n0000006,dog,none\n0000012,emu,keep\n"
    found = bring(after, old)
    assert (found.stored, found.held) == (0, 3)
    assert "row numbers" in found.held_back[1].why
    assert "0000005" in found.held_back[1].why
    rightful = bring(after, old, by_id=True)
    assert (rightful.stored, rightful.held) == (2, 1)  # a contradiction is one all the same


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ("0000020,,keep,,\n", "beyond the end"),
        ("0000008,,keep,,2001-01-01T00:00:00Z\n", "decided before this set was imported"),
    ],
)
def test_other_signs_that_row_numbers_have_moved(before, more, why):
    text = "id,given_label,action,label,decided_at\n0000009,dog,keep,,\n" + more
    found = bring(before, text)
    assert found.stored == 0
    assert why in found.held_back[0].why
    assert 9 not in answers(before)


def test_ids_of_ones_own_are_no_row_numbers(workspace, tmp_path):
    ids = np.array([f"{100 + row}" for row in range(20)])
    info = made(workspace, tmp_path, "own", pictures(20), np.arange(20) % 4, ids=ids)
    text = "id,given_label,action,decided_at\n105,dog,keep,2001-01-01T00:00:00Z\n106,dog,keep,\n"
    found = bring(info, text)
    assert (found.stored, found.held) == (1, 1)
    assert set(answers(info)) == {5}


def test_a_given_label_that_is_no_class_is_held_back(before):
    found = bring(before, "id,given_label,action,label\n0000002,no_such_class,relabel,cat\n")
    (held,) = found.held_back
    assert (found.stored, found.held, held.number) == (0, 1, 2)
    assert "no_such_class" in held.why
    assert 2 not in answers(before)


def test_a_list_by_hand_needs_no_digest(before):
    found = bring(before, "id,action,label\n0000001,keep,\n2,keep,\n0000003,relabel,cat\n")
    assert (found.stored, found.held, len(found.problems)) == (2, 0, 1)
    assert found.by_content == 0


@pytest.mark.parametrize("format", ["decisions", "corrections", "audit-trail"])
def test_every_table_of_answers_carries_the_digest(workspace, tmp_path, before, format):
    after = made(workspace, tmp_path, "after", pictures(20)[::-1], (np.arange(20) % 4)[::-1])
    found = bring(after, exported(before, format))
    kept = {12: JUDGED[7], 14: JUDGED[5]}
    if format != "corrections":
        kept[13] = JUDGED[6]
    assert answers(after) == kept
    assert found.by_content == len(kept)


def test_a_digest_that_was_mangled_is_held_back(before):
    found = bring(before, "id,action,content\n0000001,keep,1.2E+31\n")
    assert (found.stored, found.held) == (0, 1)
    assert "no digest" in found.held_back[0].why


@pytest.mark.parametrize("raw", [False, True])
def test_answers_to_classes_that_an_apostrophe_tells_apart_come_back(workspace, tmp_path, raw):
    """Content and given label: “'tis” had been read as “tis”, and held back as another image."""
    names = ["'tis", "tis", "'1", "1", "=a", *(["b", "c"] if raw else ["'=a", "''=a"])]
    file = tmp_path / "odd.npz"
    np.savez(file, images=pictures(7), labels=np.arange(7), class_names=np.array(names))
    for name in ("here", "there"):
        catalog.import_dataset(workspace, file, name, answers=Answers(spellings="keep"))
    here, there = (datasets.dataset(workspace, name) for name in ("here", "there"))
    made = [Decision(row, Action.RELABEL, "ann", label=(row + 1) % 7) for row in range(7)]
    decisions.append(here, made)
    out = io.BytesIO()
    exporting.write_export(here, "decisions", out, safe=not raw)
    assert bring(there, out.getvalue()).held == 0
    assert answers(there) == answers(here)


def test_an_apostrophe_that_was_typed_before_a_given_label_is_none_of_it(before):
    text = "id,given_label,action\n00002,'emu,keep\n"
    told = bring(before, text.replace("00002", datasets.load(before).ids[2]))
    assert told.held == 0
    assert answers(before)[2] == [(Action.KEEP, None)]


@pytest.mark.parametrize(
    ("action", "label", "said"),
    [("relabel", "'fox", ["fox"]), ("multiple", "'fox|emu", ["fox", "emu"])],
)
def test_an_apostrophe_that_was_typed_before_a_label_is_none_of_it(before, action, label, said):
    id_ = datasets.load(before).ids[2]
    told = bring(before, f"id,label,action\n{id_},{label},{action}\n")
    assert (told.stored, told.problems) == (1, ())
    (stored,) = (each for each in decisions.history(before) if each.row == 2)
    assert [before.class_names[each] for each in (*stored.labels, stored.label) if each] == said


@pytest.fixture
def apostrophes(workspace, tmp_path):
    """A set with the classes -1 and '-1, cat and 'cat, and dog."""
    names = np.array(["-1", "'-1", "cat", "'cat", "dog"])
    file = tmp_path / "odd.npz"
    np.savez(file, images=pictures(5), labels=np.arange(5), class_names=names)
    catalog.import_dataset(workspace, file, "odd", answers=Answers(spellings="keep"))
    return datasets.dataset(workspace, "odd")


@pytest.mark.parametrize(
    ("label", "named"),
    [("'-1", None), ("''-1", 1), ("-1", 0), ("'cat", None), ("''cat", 3), ("cat", 2), ("'dog", 4)],
)
def test_a_name_that_an_apostrophe_makes_twofold_is_held_back(apostrophes, label, named):
    info, ids = apostrophes, datasets.load(apostrophes).ids
    told = bring(info, f"id,action,label\n{ids[0]},relabel,{label}\n")
    stored = [0 if each.action is Action.KEEP else each.label for each in decisions.history(info)]
    assert stored == ([] if named is None else [named])
    if named is None:
        assert "this set has both" in told.problems[0]
    many = bring(info, f"id,action,label\n{ids[2]},multiple,{label}|dog\n")
    assert many.stored == (named is not None and label != "'dog")
    given = bring(info, f"id,action,given_label\n{ids[1]},unsure,{label}\n")
    assert given.stored == (named == 1)
