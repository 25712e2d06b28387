"""The same number on every page, in the report, on the command line and in the exports."""

import csv
import json
import re

import numpy as np
import pytest

from lnl_core.cli import main
from lnl_core.services.compare import report
from lnl_core.services.compare.truth import AUDIT, truths
from lnl_core.services.datasets import catalog, settings
from lnl_core.services.explore import confusions
from lnl_core.services.in_force import loaded, standing
from lnl_core.services.moment import moment
from lnl_core.services.review import auditing, planning
from lnl_core.services.review import desk as desks
from lnl_core.services.review.evidence import evidence
from lnl_core.services.workspace import dataset
from lnl_core.store import decisions
from lnl_core.types import Action, Decision
from lnl_core.views import chance
from tests.services.review.test_auditing import Reviewer, make


@pytest.fixture
def birds(workspace, tmp_path, once):
    """A set of three labels, of which one is no class, with queue and random checks answered."""
    return once("one number", lambda: answered(workspace, tmp_path))


def answered(workspace, tmp_path):
    info = settings.set_no_classes(make(workspace, tmp_path, 400), ["cod"])
    ann = Reviewer(workspace, info)
    ann.truth = np.where(ann.truth == 2, ann.given, ann.truth)  # nobody can say what is no class
    ann.review(20)
    while auditing.errors_left(info).audits < 60:
        ann.press(*ann.window(order="random")[:10])
    ann.press(*ann.window()[:1], action="skip")
    ann.press(*ann.window()[1:3], action="unsure")
    (info.directory / "true_labels.npy").unlink()  # as a set has it whose truth nobody knows
    return dataset(workspace, info.name)


@pytest.fixture
def told(birds, capsys, monkeypatch):
    """Return what a command says, as JSON or as text."""
    monkeypatch.setenv("LNL_HOME", str(birds.workspace.home))

    def say(*arguments, words=False):
        assert main([*arguments, *([] if words else ["--json"])]) == 0
        out = capsys.readouterr().out
        return out if words else json.loads(out)

    return say


def number(pattern, text):
    found = re.search(pattern, text)
    assert found, (pattern, text[:4000])
    numbers = [int(each.replace(",", "")) for each in found.groups()]
    return numbers[0] if len(numbers) == 1 else tuple(numbers)


def test_counts_are_the_same_everywhere(birds, told, desk, texts):
    progress = desks.progress(birds, "ann").as_dict()
    answers = decisions.history(birds)
    answered = len({each.row for each in answers if each.action is not Action.SKIP})
    data, page = texts(desk(dataset=birds.name)), report.html(birds)
    compare, team, export = (
        texts(desk(each, dataset=birds.name)) for each in ("compare", "team", "export")
    )
    status = told("status", birds.name)["datasets"][0]
    assert {
        "data": number(r">Reviewed</dt><dd[^>]*>(\d+)<", data),
        "compare": number(r"(\d+) images reviewed", compare),
        "team": number(r"(\d+) images reviewed", team),
        "export": number(r"of (\d+) reviewed", export),
        "report": number(r"<dt>Reviewed</dt><dd>(\d+),", page),
        "status": status["reviewed"],
        "words": number(r"(\d+) reviewed", told("status", birds.name, words=True)),
        "review": progress["reviewed"] + progress["since"],
    } == dict.fromkeys(
        ("data", "compare", "team", "export", "report", "status", "words", "review"), answered
    )
    assert {
        "data": number(r"(\d+) classes", data),
        "report": number(r"<dt>Classes</dt><dd>(\d+)<", page),
        "status": status["classes"],
        "words": number(r"(\d+) classes", told("status", birds.name, words=True)),
    } == dict.fromkeys(("data", "report", "status", "words"), 2)
    assert {
        "data": number(r"(\d+) images, 2 classes", data),
        "report": number(r"<dt>Images</dt><dd>(\d+)<", page),
        "status": status["n"],
    } == dict.fromkeys(("data", "report", "status"), 400)


def test_how_far_it_is_to_the_goal_is_the_same_on_the_card_and_at_the_desk(birds, desk, texts):
    assert planning.planned(birds) != catalog.overview(birds.workspace)[0].takes  # it has moved
    progress = desks.progress(birds, "ann").as_dict()
    share = (progress["reviewed"] + progress["since"]) / progress["expected"]
    assert 0.1 < share < 1
    assert number(r'aria-valuenow="(\d+)"', texts(desk(dataset=birds.name))) == round(100 * share)


def test_errors_left_are_the_same_everywhere(birds, told, desk, texts):
    audit, words = told("audit", birds.name), told("audit", birds.name, words=True)
    expected = (audit["errors_left"], audit["at_most"])
    assert expected[0] <= expected[1] < audit["interval"][1]  # which nobody is shown beside it
    left = desks.progress(birds, "ann").as_dict()["errors_left"]
    said = r"about (\d+), at most (\d+) \(95 % sure\)"
    shown = {
        "data": number(f"Errors left: {said}", texts(desk(dataset=birds.name))),
        "report": number(f"<dt>Errors left</dt><dd>{said}", report.html(birds)),
        "audit": number(f"Errors left: {said}", words),
        "review": (left["estimate"], left["limit"]),
    }
    assert shown == dict.fromkeys(shown, expected)


def test_what_was_wrong_before_is_what_was_found_and_what_is_left(birds, told):
    audit = told("audit", birds.name)
    labels = audit["images"]
    found, left = audit["errors_found"], audit["errors_left"]
    assert audit["noise_rate"] * labels == pytest.approx(found + left)
    ends = [(found + each) / labels for each in audit["interval"]]
    assert audit["noise_rate_interval"] == pytest.approx(ends)
    matrix = confusions.matrix(birds)
    assert matrix.audits >= confusions.AUDITS_NEEDED
    wrong = matrix.count.sum() - np.trace(matrix.count)
    assert wrong == pytest.approx(auditing.noise_rate(birds).share * labels, rel=0.1)


def test_wrong_labels_by_class_are_what_was_found_and_what_is_left(birds, told):
    audit, classes = told("audit", birds.name), catalog.class_counts(birds)
    whole = audit["errors_found"] + audit["errors_left"]
    assert sum(each["said"] for each in classes) == whole
    given = np.asarray(loaded(birds).given_labels)
    now = moment(birds)
    assert now.reviewed < standing(birds).reviewed  # two unsure answers are not counted yet
    for label, each in enumerate(classes):
        found = int((now.found_wrong & (given == label)).sum())
        assert found <= each["wrong"] <= each["count"]


def test_errors_left_say_as_of_when_where_newer_counts_stand_beside_them(birds, desk, texts):
    then, now = moment(birds).reviewed, standing(birds).reviewed
    assert then < now
    said = rf"at most \d+ \(95 % sure\), as of {then:,} reviewed"
    data = texts(desk(dataset=birds.name))
    assert re.search(rf"Errors left: about \d+, {said}", data)
    assert re.search(said, report.html(birds))
    while moment(birds).reviewed < standing(birds).reviewed:
        row = int(np.flatnonzero(~standing(birds).answered & ~standing(birds).no_class)[0])
        decisions.append(birds, [Decision(row, Action.KEEP, "ann")])
    assert "as of" not in texts(desk(dataset=birds.name))
    assert not re.search(r"sure\), as of", report.html(birds))


def test_random_checks_are_counted_as_of_one_answer(birds, told, desk, texts):
    for row in np.flatnonzero(~standing(birds).answered & ~standing(birds).no_class)[:3]:
        decisions.append(birds, [Decision(int(row), Action.KEEP, "ann", route="audit")])
    audit = told("audit", birds.name)
    settled = audit["audits"] - audit["audits_unsure"]
    said = next(each for each in truths(birds) if each.kind == AUDIT).words
    assert number(r"(\d+) settled random check", said) == settled
    assert confusions.matrix(birds).audits == settled


def test_parts_that_stand_together_add_up(birds):
    matrix = confusions.matrix(birds)
    rest = matrix.size - matrix.count.sum(axis=1)  # of classes that are not shown
    assert (np.abs(matrix.images - matrix.count) < 1).all()
    whole = matrix.images.sum(axis=1)
    assert (np.abs(whole - (matrix.size - rest)) < 1).all()
    assert (whole[np.abs(rest) < 1e-6] == matrix.size[np.abs(rest) < 1e-6]).all()


def test_p_wrong_is_one_number_and_the_suggestions_share_is_of_that_case(birds, told, tmp_path):
    scores = tmp_path / "scores.csv"
    told("rank", birds.name, "--out", str(scores))
    with scores.open(encoding="utf-8-sig") as stream:
        rows = list(csv.DictReader(stream))
    page = report.html(birds)
    seen = 0
    for row, said in enumerate(rows):
        found = evidence(birds, row)
        assert sum(float(each["said"]) for each in found["top"] if each["said"][0] not in "<>") <= 1
        for each in found["top"]:
            assert abs(each["prob"] - float(each["said"].lstrip("<>"))) <= 0.0101
        if not said["p_wrong"]:
            continue
        assert abs(found["p_wrong"] - float(said["p_wrong"])) <= 0.5e-6 + 1e-9
        card = re.search(rf"p wrong ([^<]+)</span><small>{re.escape(said['id'])}</small>", page)
        if card:
            seen += 1
            assert card[1].replace("&lt;", "<").replace("&gt;", ">") == chance(found["p_wrong"])
    assert seen > 20


def test_no_probability_is_written_as_certain(birds, told, tmp_path):
    page = re.sub(r"<script.*?</script>", "", report.html(birds), flags=re.S)
    assert not re.search(r"p wrong (1\.00|0\.00|1|0)\b(?!\.)", page)
    told("rank", birds.name, "--out", str(tmp_path / "scores.csv"))
    for line in (tmp_path / "scores.csv").read_text("utf-8-sig").splitlines()[1:]:
        cells = line.split(",")
        assert not {"0.000000", "1.000000"} & {cells[i] for i in (3, 4, 5)}
