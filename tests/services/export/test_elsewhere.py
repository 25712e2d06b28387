"""Corrections that were made in other tools: FiftyOne, Label Studio, cleanlab, a table."""

import io
import json
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest

from lnl_core.readings import How, as_tags
from lnl_core.services.datasets import catalog
from lnl_core.services.export import exporting, reimporting
from lnl_core.store import datasets, db, decisions, plans
from lnl_core.types import Action, Decision, LnlError
from tests.data.making import encoded, picture

CAT, DOG, OWL = range(3)


@pytest.fixture
def photos(tmp_path):
    """Three classes of five photographs; `0.jpg` is in each of them, another picture each."""
    root = tmp_path / "photos"
    for at, name in enumerate(("cat", "dog", "owl")):
        (root / name).mkdir(parents=True)
        for i in range(4):
            (root / name / f"{i or name}.jpg").write_bytes(encoded(picture(seed=10 * at + i)))
        (root / name / "0.jpg").write_bytes(encoded(picture(seed=10 * at + 9)))
    return root


@pytest.fixture
def info(workspace, photos):
    catalog.import_dataset(workspace, photos, "photos")
    return datasets.dataset(workspace, "photos")


def bring(info, what, name="file", **options):
    """Import a document as JSON, or a text as CSV, under a reviewer's name."""
    text = what if isinstance(what, str) else json.dumps(what)
    stream = io.BytesIO(text.encode())
    return reimporting.import_decisions(info, stream, "ann", file_name=name, **options)


def answers(info):
    ids = datasets.load(info).ids
    return {
        ids[row]: sorted((d.reviewer, str(d.action), d.label) for d in several)
        for row, several in decisions.in_force(info).items()
    }


# FiftyOne ----------------------------------------------------------------------------------


def sample(path, given, **fields):
    label = {"_cls": "Classification", "label": given}
    return {"filepath": path, "tags": [], "ground_truth": label, **fields}


def one(label):
    return {"_cls": "Classification", "label": label, "confidence": None}


def test_fiftyone_samples_with_a_corrected_field(info):
    found = bring(
        info,
        {
            "samples": [
                sample("/elsewhere/photos/cat/cat.jpg", "cat", corrected=one("dog")),
                sample("C:\\data\\photos\\dog\\dog.jpg", "dog", corrected=one("dog")),
                sample("/elsewhere/photos/owl/owl.jpg", "owl", predictions=one("cat")),
            ]
        },
    )
    assert (found.source, found.stored, found.unlooked, found.held) == ("fiftyone", 1, 1, 0)
    assert answers(info) == {"cat/cat.jpg": [("ann", "relabel", DOG)]}
    assert any("--unchanged keep" in note for note in found.notes)


@pytest.mark.parametrize("when", [{"$date": 1764000000000}, {"$date": "2025-11-24T16:00:00Z"}])
def test_fiftyone_decisions_without_a_time_are_said_and_a_field_can_have_it(info, when):
    changed = sample("photos/cat/cat.jpg", "cat", corrected=one("dog"), last_modified_at=when)
    silent = bring(info, {"samples": [changed]}, dry_run=True)
    (note,) = [each for each in silent.notes if "no time" in each]
    assert "--time-column last_modified_at" in note
    how = How(time_column="last_modified_at")
    told = bring(info, {"samples": [changed]}, how=how)
    assert not any("no time" in each for each in told.notes)
    (decision,) = decisions.history(info)
    assert decision.decided_at.startswith("2025-11-24T16:00:00")


def test_a_fiftyone_decision_without_a_time_wins_over_no_answer_of_the_same_person(info):
    ids = datasets.load(info).ids
    row = list(ids).index("cat/cat.jpg")
    decisions.append(info, [Decision(row, Action.RELABEL, "ann", label=OWL)])
    changed = sample("photos/cat/cat.jpg", "cat", corrected=one("dog"))
    found = bring(info, {"samples": [changed]})
    assert found.stored == 0
    assert answers(info) == {"cat/cat.jpg": [("ann", "relabel", OWL)]}


def test_a_prediction_of_fiftyone_is_no_decision(info):
    document = {"samples": [sample("cat/cat.jpg", "cat", predictions=one("dog"))]}
    with pytest.raises(LnlError, match=r"no corrected field.*predictions are a model's guess"):
        bring(info, document)
    assert answers(info) == {}


def test_labels_of_fiftyone_that_were_changed_in_place(info):
    document = {"samples": [sample("cat/cat.jpg", "owl"), sample("dog/dog.jpg", "dog")]}
    found = bring(info, document, how=How(label_column="ground_truth"))
    assert (found.stored, found.unlooked) == (1, 1)
    assert answers(info) == {"cat/cat.jpg": [("ann", "relabel", OWL)]}


def test_tags_of_fiftyone_say_what_a_person_says_they_do(info):
    document = {
        "samples": [
            sample("cat/cat.jpg", "cat", tags=["verified"]),
            sample("dog/dog.jpg", "dog", tags=["mistake"]),
            sample("owl/owl.jpg", "owl", tags=["odd"]),
        ]
    }
    with pytest.raises(LnlError, match=r"Tags are not read: “verified” .1., “mistake”"):
        bring(info, document)
    found = bring(info, document, how=How(tags=as_tags(["verified=keep", "mistake=unsure"])))
    assert found.stored == 2
    assert any("“odd” (1)" in note for note in found.notes)
    assert answers(info) == {
        "cat/cat.jpg": [("ann", "keep", None)],
        "dog/dog.jpg": [("ann", "unsure", None)],
    }
    with pytest.raises(LnlError, match="no TAG=ACTION"):
        as_tags(["verified=relabel"])


def test_our_own_fiftyone_export_comes_back_with_what_was_changed_in_it(info, tmp_path):
    exporting.write_export(info, "fiftyone", tmp_path / "fo")
    document = json.loads((tmp_path / "fo" / "labels.json").read_text("utf-8"))
    key = next(k for k, v in document["labels"].items() if v["attributes"]["lnl_id"] == "cat/1.jpg")
    document["labels"][key]["label"] = OWL
    found = bring(info, document)
    assert (found.stored, found.unlooked, found.by_content) == (1, 14, 1)
    assert answers(info) == {"cat/1.jpg": [("ann", "relabel", OWL)]}
    again = bring(info, document)
    assert (again.stored, again.unchanged) == (0, 1)


def test_a_label_that_left_here_is_nobody_elses_answer_when_it_returns(info, tmp_path):
    decisions.append(info, [Decision(0, Action.RELABEL, "bob", label=OWL)])
    exporting.write_export(info, "fiftyone", tmp_path / "fo")
    document = json.loads((tmp_path / "fo" / "labels.json").read_text("utf-8"))
    found = bring(info, document)
    assert (found.stored, found.unchanged) == (0, 1)
    assert [len(each) for each in answers(info).values()] == [1]


# which image -------------------------------------------------------------------------------


def accepted_unseen(info):
    """Decide two images by a plan whose check, of a third, a person looked at."""
    decisions.add_reviewer(info.workspace, "own")
    rows, labels = (0, 1, 6), (DOG, OWL, CAT)
    words = {"words": "all", "precision": 0.9, "confidence": 0.95, "allowed": 0, "expected": 0.95}
    plan = plans.add(
        info, plans.Plan(0, "own", db.now(), 1, rows=rows, labels=labels, checks=(6,), **words)
    )
    facts = {"images": 2, "wrong": 0, "precision": 0.95}
    given = [int(datasets.load(info).given_labels[row]) for row in rows[:2]]
    plans.accept(info, plan.number, "own", rows[:2], facts, given, decisions.last_id(info))


@pytest.mark.parametrize("way", ["labels", "samples", "manifest", "purified"])
def test_labels_that_nobody_has_seen_are_no_answer_when_they_return(
    info, workspace, photos, tmp_path, way
):
    accepted_unseen(info)
    catalog.import_dataset(workspace, photos, "again")
    again = datasets.dataset(workspace, "again")
    if way in ("labels", "samples"):
        exporting.write_export(info, "fiftyone", tmp_path / "out")
        whole = json.loads((tmp_path / "out" / "labels.json").read_text())
        if way == "samples":  # as FiftyOne has them after its own import
            classes = whole["classes"]
            whole = {
                "samples": [
                    {
                        "filepath": f"data/{key}.jpg",
                        "ground_truth": one(classes[each["label"]]) | each["attributes"],
                        "content": each["attributes"]["content"],
                    }
                    for key, each in whole["labels"].items()
                ]
            }
        found = bring(again, whole, how=How(label_column="ground_truth" * (way == "samples")))
    else:
        rows = exporting.manifest_rows(info)[0]
        table = [
            {"id": each["id"], "label": each["label"]}
            | ({"lnl_verdict": each["lnl_verdict"]} if way == "manifest" else {})
            | ({"label_by": "run 4, not reviewed"} if way == "purified" else {})
            for each in rows
        ]
        lines = [",".join(table[0])]
        lines += [",".join(f'"{value}"' for value in row.values()) for row in table]
        found = bring(again, "\n".join(lines), how=How(label_column="label"))
    assert answers(again) == {}
    left_out = len(table) if way == "purified" else 2
    assert f"{left_out} labels that no person has seen are left out" in str(found)


def test_a_file_that_is_there_is_matched_by_its_content(info, photos, tmp_path):
    """FiftyOne renames what it exports; the picture says which image it is."""
    moved = tmp_path / "fo" / "data"
    moved.mkdir(parents=True)
    (moved / "0-2.jpg").write_bytes((photos / "dog" / "0.jpg").read_bytes())
    file = tmp_path / "fo" / "samples.json"
    file.write_text(json.dumps({"samples": [sample("data/0-2.jpg", "dog", corrected=one("cat"))]}))
    found = reimporting.import_decisions(info, file, "ann")
    assert (found.stored, found.by_content) == (1, 1)
    assert answers(info) == {"dog/0.jpg": [("ann", "relabel", CAT)]}


def test_a_file_of_the_right_name_and_another_content_is_held_back(info, tmp_path):
    other = tmp_path / "other" / "dog"
    other.mkdir(parents=True)
    (other / "dog.jpg").write_bytes(encoded(picture(seed=99)))
    found = bring(
        info, {"samples": [sample(str(other / "dog.jpg"), "dog", corrected=one("cat"))]}, "s.json"
    )
    (held,) = found.held_back
    assert (found.stored, held.file, held.number) == (0, "s.json", 1)
    assert "another picture" in held.why


def test_names_alone_are_not_enough(info):
    rows = "image,corrected_label\n0.jpg,owl\ncat.jpg,owl\nelsewhere/dog.jpg,owl\nnone.jpg,owl\n"
    found = bring(info, rows)
    assert answers(info) == {"cat/cat.jpg": [("ann", "relabel", OWL)]}
    assert [(each.number, each.id) for each in found.held_back] == [
        (2, "0.jpg"),
        (4, "elsewhere/dog.jpg"),
    ]
    assert "3 images of this set end like that path" in found.held_back[0].why
    assert "different folders" in found.held_back[1].why
    assert found.problems == ("Row 5: “none.jpg” is no id of this data set. Correct it.",)
    given = "image,given_label,corrected_label\nelsewhere/dog.jpg,dog,owl\n"
    assert bring(info, given).stored == 1


def test_a_given_label_that_contradicts_the_set_is_held_back(info):
    found = bring(info, "image,old_label,new_label\ncat/cat.jpg,owl,dog\n")
    assert (found.stored, found.held) == (0, 1)
    assert "given as “owl”, here it is given as “cat”" in found.held_back[0].why


# Label Studio ------------------------------------------------------------------------------


def task(image, *annotations, **data):
    return {"id": 1, "data": {"image": image, **data}, "annotations": list(annotations)}


def annotation(who, *choices, at="2026-01-02T10:00:00.000000Z", name="label", **more):
    result = {"from_name": name, "to_name": "image", "type": "choices"}
    results = [{**result, "value": {"choices": list(choices)}}] if choices else []
    return {"completed_by": who, "created_at": at, "result": results, **more}


def test_label_studio_keeps_who_said_what_and_when(info):
    ann, bob = {"id": 7, "email": "ann@example.org"}, 8
    found = bring(
        info,
        [
            task("/data/local-files/?d=photos%2Fcat%2Fcat.jpg", annotation(ann, "dog")),
            task(
                "/data/upload/3/1a2b3c4d-dog.jpg",
                annotation(bob, "owl", at="2026-01-03T10:00:00Z"),
                annotation(bob, "cat", at="2026-01-01T10:00:00Z"),
                annotation(ann, "dog"),
            ),
            task("s3://bucket/photos/owl/1.jpg", annotation(ann, "cat", "dog")),
            task("owl/2.jpg", annotation(ann, "cat", was_cancelled=True)),
            task("owl/3.jpg", annotation(ann)),
        ],
    )
    assert (found.source, found.stored, found.held) == ("label-studio", 4, 0)
    assert answers(info) == {
        "cat/cat.jpg": [("ann@example.org", "relabel", DOG)],
        "dog/dog.jpg": [("ann@example.org", "keep", None), ("annotator 8", "relabel", OWL)],
        "owl/1.jpg": [("ann@example.org", "multiple", None)],
    }
    assert {d.decided_at for d in decisions.history(info)} >= {"2026-01-03T10:00:00.000Z"}
    assert found.problems[0].startswith("Row 5: The annotation has no choice")
    assert "1 task has no annotation: predictions are no decisions." in found.notes
    assert [c.stored for c in found.conflicts] == [True]  # ann and annotator 8 on the same dog


def test_label_studio_with_two_controls_is_asked_which(info):
    two = annotation(1, "dog")
    two["result"] += annotation(1, "sharp", name="quality")["result"]
    with pytest.raises(LnlError, match=r"several choices.*“label”, “quality”.*--label-column"):
        bring(info, [task("cat/cat.jpg", two)])
    assert bring(info, [task("cat/cat.jpg", two)], how=How(label_column="label")).stored == 1
    assert answers(info) == {"cat/cat.jpg": [("annotator 1", "relabel", DOG)]}


@pytest.mark.parametrize("way", ["json-min", "csv"])
def test_the_short_forms_of_label_studio(info, way):
    row = {"image": "cat/cat.jpg", "id": 4, "choice": "dog", "annotator": 2, "annotation_id": 9}
    row["updated_at"] = "2026-01-02T10:00:00.5Z"
    text = ",".join(row) + "\n" + ",".join(map(str, row.values())) + "\n"
    found = bring(info, text if way == "csv" else [row])
    assert (found.source, found.stored) == ("label-studio", 1)
    assert answers(info) == {"cat/cat.jpg": [("annotator 2", "relabel", DOG)]}


def test_our_own_label_studio_tasks_come_back(info, tmp_path):
    made = [
        Decision(0, Action.RELABEL, "bob", label=OWL),
        Decision(1, Action.NONE, "bob"),
        Decision(2, Action.KEEP, "bob"),
    ]
    decisions.append(info, made)
    before = answers(info)
    exporting.write_export(info, "label-studio", tmp_path / "ls")
    file = tmp_path / "ls" / "tasks.json"
    assert reimporting.import_decisions(info, file, "ann").unchanged == 3
    assert answers(info) == before


# cleanlab ----------------------------------------------------------------------------------

ISSUES = "is_label_issue,label_quality,given_label,predicted_label"


def issues(corrected=None):
    rows = [f"False,0.9,{given},{given}" for given in np.repeat(range(3), 5)]
    rows[3] = "True,0.1,0,2"
    head = ISSUES
    if corrected is not None:
        head += ",corrected_label"
        rows = [row + ("," if at != 3 else f",{corrected}") for at, row in enumerate(rows)]
    return "\n".join([head, *rows]) + "\n"


def test_what_cleanlab_predicts_is_no_decision(info):
    for how in (None, How(label_column="predicted_label"), How(source="cleanlab")):
        with pytest.raises(LnlError, match=r"“predicted_label”.* a model's guess and no decision"):
            bring(info, issues(), how=how)
    assert answers(info) == {}


@pytest.mark.parametrize("label", ["1", "dog"])
def test_a_corrected_column_beside_cleanlabs_is_one(info, label):
    found = bring(info, issues(label))
    assert (found.source, found.stored) == ("cleanlab", 1)
    ids = datasets.load(info).ids
    assert answers(info) == {ids[3]: [("ann", "relabel", DOG)]}


def test_rows_without_names_have_to_be_the_sets_own_in_order(info):
    text = issues("dog")
    with pytest.raises(LnlError, match="names no images, and has 14 rows where the set has 15"):
        bring(info, text.rsplit("\n", 2)[0] + "\n")
    swapped = text.replace("False,0.9,2,2", "False,0.9,1,1", 1)
    with pytest.raises(LnlError, match=r"row 12 is given as “dog”, image owl/.* as “owl”"):
        bring(info, swapped)
    assert answers(info) == {}


# tables ------------------------------------------------------------------------------------


def test_a_table_under_any_names(info):
    text = "photo;now;who;at\ncat/cat.jpg;dog;bob;2026-02-01\ndog/dog.jpg;dog;bob;\nowl/1.jpg;;;\n"
    with pytest.raises(LnlError, match=r"no column of corrected labels.*“photo”, “now”"):
        bring(info, text)
    how = How(label_column="now", reviewer_column="who", time_column="at")
    dry = bring(info, text, how=how, dry_run=True)
    assert (dry.stored, dry.unlooked, answers(info)) == (1, 1, {})
    found = bring(info, text, how=replace(how, unchanged="keep"))
    assert found.stored == 2
    assert answers(info) == {
        "cat/cat.jpg": [("bob", "relabel", DOG)],
        "dog/dog.jpg": [("bob", "keep", None)],
    }
    with pytest.raises(LnlError, match="no column “wo”"):
        bring(info, text, how=replace(how, reviewer_column="wo"))


def test_two_columns_that_may_be_corrected_are_asked_about(info):
    text = "image,corrected_label,new_label\ncat/cat.jpg,dog,owl\n"
    with pytest.raises(LnlError, match=r"several.*“corrected_label”, “new_label”"):
        bring(info, text)
    assert bring(info, text, how=How(label_column="new_label")).stored == 1


def test_corrections_of_another_desk(info, workspace, photos, tmp_path):
    """The CSV of corrections names content, so it finds its images in a set of other names."""
    decisions.append(
        info, [Decision(2, Action.RELABEL, "bob", label=OWL), Decision(4, Action.NONE, "bob")]
    )
    out = tmp_path / "corrections.csv"
    exporting.write_export(info, "corrections", out)
    (photos / "cat" / "0.jpg").rename(photos / "cat" / "zero.jpg")
    (photos / "cat" / "2.jpg").rename(photos / "cat" / "two.jpg")
    catalog.import_dataset(workspace, photos, "other")
    other = datasets.dataset(workspace, "other")
    found = reimporting.import_decisions(other, out, "ann")
    assert (found.stored, found.by_content) == (2, 2)
    assert {row: said[0][1:] for row, said in answers(other).items()} == {
        "cat/two.jpg": ("relabel", OWL),
        datasets.load(info).ids[4]: ("none", None),
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"a": 1}', "JSON of no known kind"),
        ('[{"data": {"image": "x"}, "annotations": [', "no whole JSON file"),
        ("[" * 100_000, "no whole JSON file"),
        ("[]", "JSON of no known kind"),
        ("a,b\n1,2\n", "no column of corrected labels"),
    ],
)
def test_what_is_no_file_of_decisions_is_refused(info, text, words):
    with pytest.raises(LnlError, match=words):
        bring(info, text)


@pytest.mark.parametrize(
    "damage",
    [
        {"samples": [{"filepath": 3, "corrected": {"label": ["dog"]}}]},
        {"samples": [{"filepath": "cat/cat.jpg", "corrected": {"label": None}, "tags": 3}]},
        {"classes": 3, "labels": {"cat": {"label": 9}, "": 0, "dog": None}},
        [{"data": {"image": None}, "annotations": [{"result": [{"type": "choices"}]}]}],
        [{"data": {}, "annotations": 3}, 4, None],
    ],
)
def test_odd_values_are_named_and_never_stored(info, damage):
    with suppress(LnlError):
        bring(info, damage, how=How(label_column="corrected" if "samples" in damage else ""))
    assert answers(info) == {}
