"""Labels found wrong: one number, wherever it is shown."""

import json
import re
import uuid

import numpy as np
import pytest

from lnl_core.cli import main
from lnl_core.services import in_force
from lnl_core.services.compare import comparing, report, truth
from lnl_core.services.datasets import catalog, settings
from lnl_core.services.review import auditing, certifying, recording
from lnl_core.services.review.progress import progress
from lnl_core.services.team import settling, team
from lnl_core.store import datasets, decisions, found
from lnl_core.types import Action, Decision
from tests.services.review.plans import accepted, birds  # noqa: F401 - a fixture


def press(info, row, who, action, label=None, **more):
    entry = {"cid": uuid.uuid4().hex, "row": int(row), "action": action, **more}
    entry |= {} if label is None else {"label": int(label)}
    done = recording.record(info, who, [entry])
    assert not done.problems


@pytest.fixture
def answered(birds):  # noqa: F811 - the fixture
    """A set with every kind of answer, and how many labels of it are found wrong."""
    plan = accepted(birds)
    given = np.asarray(datasets.load(birds).given_labels)
    taken = set(plan.rows)
    free = iter([row for row in range(100, 1200) if row not in taken])
    row = {
        name: next(free)
        for name in ["agreed", "several", "unlike", "split", "settled", "unsure", "undone"]
    }
    row |= {
        name: next(free)
        for name in ["kept", "changed", "waits", "skipped", "same", "drawn", "back"]
    }
    first = np.arange(birds.n, dtype=np.int32)
    rest = list(free)
    same = [r for r in rest if given[r] == 0][:2]
    other = next(r for r in rest if given[r] == 1)
    first[[*same, other]] = min(*same, other)
    np.save(birds.directory / datasets.COPIES, first)

    def wrong(name, who="ann", by=1):
        press(birds, row[name], who, "relabel", (given[row[name]] + by) % 3)

    expected = len(plan.checks)  # each a suggestion, so another class than the given one
    wrong("agreed")
    wrong("agreed", "bob")
    press(birds, row["several"], "ann", "multiple", labels=[0, 1])
    wrong("unlike")
    wrong("unlike", "bob", 2)  # they agree that it is wrong, not on what is right
    expected += 3
    wrong("split")
    press(birds, row["split"], "bob", "keep")
    wrong("settled")
    press(birds, row["settled"], "bob", "keep")
    settling.settle(birds, "cat", row["settled"], Action.NONE)
    wrong("back")
    press(birds, row["back"], "bob", "keep")
    settling.settle(birds, "cat", row["back"], Action.KEEP)
    expected += 1  # the one that was settled as wrong
    press(birds, row["unsure"], "bob", "unsure")
    wrong("unsure")
    expected += 1  # what one is unsure of, another has found
    wrong("undone")
    press(birds, row["undone"], "ann", "reopen")
    press(birds, row["kept"], "ann", "keep")
    wrong("changed")
    press(birds, row["changed"], "ann", "keep")
    press(birds, row["waits"], "ann", "unsure")
    press(birds, row["skipped"], "ann", "skip")
    said = Decision(row["same"], Action.RELABEL, "ann", label=int(given[row["same"]]))
    decisions.append(birds, [said])  # a keep, whoever sends it so
    press(birds, same[0], "ann", "relabel", 1, together=True)  # right for the third copy
    expected += 2
    assert in_force.standing(birds).auto_open.any()
    unseen = int(np.flatnonzero(in_force.standing(birds).auto_open)[0])
    press(birds, unseen, "bob", "keep")  # the plan was wrong: the given label is right
    settings.set_goal(birds, birds.n - 1)
    return birds, expected


def test_it_is_one_number_everywhere(answered, capsys, monkeypatch):
    info, expected = answered
    monkeypatch.setenv("LNL_HOME", str(info.workspace.home))

    def said(*arguments):
        assert main([*arguments, "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    (card,) = [each for each in catalog.overview(info.workspace) if each.info == info]
    page = report.html(info)
    shown = {
        "masks": in_force.standing(info).found,
        "database": found.number_found_wrong(info),
        "card": card.wrong,
        "panel": progress(info, "ann").as_dict()["wrong"],
        "team": team.team(info).found,
        "compare": comparing.compare(info).found,
        "errors left": auditing.errors_left(info).found,
        "report, facts": int(re.search(r"Reviewed</dt><dd>[\d,]+, ([\d,]+) found", page)[1]),
        "report, decisions": int(re.search(r"<p>([\d,]+) labels? found wrong\.", page)[1]),
        "status": said("status", info.name)["datasets"][0]["found_wrong"],
        "audit": said("audit", info.name)["errors_found"],
    }
    assert shown == dict.fromkeys(shown, expected)


def test_a_certificate_states_it_and_checks_it(at_once, answered, tmp_path):
    info, expected = answered
    _draw(info, 60)
    body = certifying.certificate(info)
    assert body["found"] == in_force.standing(info).found >= expected
    assert body["known_wrong"] < body["found"]  # labels that the plan has put right are right now
    file = tmp_path / "c.json"
    file.write_bytes(certifying.as_bytes(body))
    assert all(check.holds for check in certifying.verify(info, file))
    wrong = {key: value for key, value in body.items() if key != "checksum"} | {"found": 1}
    wrong["checksum"] = certifying._checksum(wrong)
    file.write_bytes(certifying.as_bytes(wrong))
    assert [check.what for check in certifying.verify(info, file) if not check.holds] == ["counts"]


def _draw(info, count):
    """Draw rows and answer them as the truth says."""
    from lnl_core.store import audits

    data = datasets.load(info)
    given, true = np.asarray(data.given_labels), np.asarray(data.true_labels)

    def ask():
        now = in_force.standing(info)
        return now.last_id, now.answered

    for each in audits.draw(info, "ann", count, ask):
        right = given[each.row] == true[each.row]
        press(info, each.row, "ann", *(["keep"] if right else ["relabel", true[each.row]]))


def test_compare_judges_by_the_labels_that_are_found_wrong(answered):
    info, expected = answered
    labels = truth.answered(info).labels
    assert sum(label != truth.KEPT for label in labels.values()) == expected
    assert {row for row, label in labels.items() if label != truth.KEPT} == set(
        np.flatnonzero(in_force.standing(info).found_wrong).tolist()
    )
