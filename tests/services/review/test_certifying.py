"""Certificates: issued when the goal holds, checked against the set, draw by draw."""

import json
import re
import shlex

import pytest

from lnl_core.cli import main
from lnl_core.review.auditing import risk
from lnl_core.services.datasets import settings
from lnl_core.services.review import auditing, certifying, goals, reading, sharing
from lnl_core.store import arrays, audits, datasets, decisions
from lnl_core.types import Action, LnlError
from tests.services.review.test_auditing import Reviewer, make


@pytest.fixture
def reviewed(workspace, tmp_path, once):
    """Two hundred images, reviewed in random order until the goal of eight holds."""

    def by_ann():
        info = make(workspace, tmp_path, 200)
        settings.set_goal(info, 8)
        ann = Reviewer(workspace, info)
        while not auditing.errors_left(info, fresh=True).may_stop:
            ann.press(*ann.window(order="random")[:10])
        return info

    return once("certifying", by_ann)


def written(info, tmp_path):
    path = tmp_path / "certificate.json"
    certifying.write(info, path, force=True)
    return path


def changed(path, change, *, signed=True):
    """Change a certificate's content; `signed` as somebody would who knows how it is made."""
    body = json.loads(path.read_text("utf-8"))
    change(body)
    if signed:
        body["checksum"] = certifying._checksum(body)
    path.write_text(json.dumps(body), "utf-8")
    return path


def fails(info, path):
    return [check.what for check in certifying.verify(info, path) if not check.holds]


def test_it_states_what_the_screen_states_and_holds(reviewed, tmp_path):
    left = auditing.errors_left(reviewed, fresh=True)
    body = certifying.certificate(reviewed)
    assert (body["at_most_left"], body["found"], body["goal"]) == (left.limit, left.found, 8)
    assert len(body["draws"]) == left.audits + sum(d["said"] == "open" for d in body["draws"])
    assert body["seed"] == audits.draws(reviewed)[0].seed
    checks = certifying.verify(reviewed, written(reviewed, tmp_path))
    assert [check.what for check in checks] == [
        "file",
        "set",
        "draws",
        "counts",
        "answers",
        "limit",
        "statement",
        "goal",
    ]
    assert all(check.holds for check in checks)


def test_before_the_goal_holds_there_is_none(workspace, tmp_path):
    info = make(workspace, tmp_path, 200)
    with pytest.raises(LnlError, match=r"Nothing to certify yet.*too few random checks"):
        certifying.certificate(info)
    for goal, said in (
        (1, "at most 1 wrong label is left"),
        (8, "at most 8 wrong labels are left"),
    ):
        settings.set_goal(info, goal)
        with pytest.raises(LnlError, match=said):
            certifying.certificate(info)


def test_a_smaller_number_is_found_out(reviewed, tmp_path):
    path = changed(written(reviewed, tmp_path), lambda body: body.update(at_most_left=0))
    assert fails(reviewed, path) == ["limit", "statement"]


def test_another_checksum_is_found_out(reviewed, tmp_path):
    path = written(reviewed, tmp_path)
    changed(path, lambda body: body.update(checksum="0" * 64), signed=False)
    assert fails(reviewed, path) == ["file"]


@pytest.mark.parametrize("number", [0, 3])
def test_a_draw_that_was_left_out_is_found_out(reviewed, tmp_path, number):
    path = changed(written(reviewed, tmp_path), lambda body: body["draws"].pop(number))
    assert "draws" in fails(reviewed, path)


@pytest.mark.parametrize("name", ["labels", "found", "kept", "unreviewed"])
def test_other_counts_are_found_out(reviewed, tmp_path, name):
    def recount(body):
        place = body["draws"][-1] if name == "unreviewed" else body
        place[name] += 1 if name != "labels" else -1
        body["at_most_left"] = 200

    assert "counts" in fails(reviewed, changed(written(reviewed, tmp_path), recount))


def test_a_chosen_image_in_place_of_a_drawn_one_is_found_out(reviewed, tmp_path):
    def swap(body):
        body["draws"][3]["id"] = body["draws"][7]["id"]

    assert "draws" in fails(reviewed, changed(written(reviewed, tmp_path), swap))


def test_a_draw_that_the_seed_does_not_choose_is_found_out(reviewed, tmp_path, monkeypatch):
    path = written(reviewed, tmp_path)
    real = audits.chosen
    monkeypatch.setattr(audits, "chosen", lambda seed, k, n: (real(seed, k, n) + (k == 5)) % n)
    assert fails(reviewed, path) == ["draws"]


def test_the_log_is_let_go_where_the_draws_end_before_it(reviewed, monkeypatch):
    read, log = [], decisions.log
    monkeypatch.setattr(decisions, "log", lambda info: read.append(log(info)) or read[-1])
    (seed,) = {each.seed for each in audits.draws(reviewed)}
    assert certifying._chosen_rows(reviewed, seed, 0, 5)
    assert [each.gi_frame for each in read] == [None]  # its connection is back in the pool


def test_an_answer_that_changed_since_is_named(reviewed, tmp_path):
    path = written(reviewed, tmp_path)
    ann = Reviewer(reviewed.workspace, reviewed)
    row = next(
        each.row for each in audits.draws(reviewed) if ann.truth[each.row] == ann.given[each.row]
    )
    ann.press(row, action=Action.NONE)
    [failed] = [check for check in certifying.verify(reviewed, path) if not check.holds]
    assert failed.what == "answers"
    assert datasets.load(reviewed).ids[row] in failed.words


def test_more_answers_later_leave_it_true(reviewed, tmp_path):
    path = written(reviewed, tmp_path)
    ann = Reviewer(reviewed.workspace, reviewed)
    drawn = {each.row for each in audits.draws(reviewed)}
    ann.press(*[row for row in ann.window() if row not in drawn][:3])
    checks = {check.what: check for check in certifying.verify(reviewed, path)}
    assert all(check.holds for check in checks.values())
    assert "since" in checks["answers"].words


def test_another_set_is_said_to_be_another(reviewed, workspace, tmp_path):
    other = make(workspace, tmp_path, 201, name="other")
    assert fails(other, written(reviewed, tmp_path)) == ["set"]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "lnl-review certificate 2"}'])
def test_what_is_no_certificate_is_refused(reviewed, tmp_path, text):
    path = tmp_path / "no.json"
    path.write_text(text, "utf-8")
    with pytest.raises(LnlError, match=r"certificate"):
        certifying.verify(reviewed, path)
    with pytest.raises(LnlError, match="cannot be read"):
        certifying.verify(reviewed, tmp_path / "missing.json")


def test_the_command_issues_checks_and_refuses(reviewed, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("LNL_HOME", str(reviewed.workspace.home))
    path = tmp_path / "certificate.json"
    assert main(["audit", "birds", "--certificate", str(path)]) == 0
    assert main(["audit", "birds", "--verify", str(path)]) == 0
    assert "The certificate holds." in capsys.readouterr().out
    assert main(["audit", "birds", "--certificate", str(path)]) == 1  # never replaced unasked
    changed(path, lambda body: body.update(at_most_left=0))
    assert main(["audit", "birds", "--verify", str(path), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["holds"] is False


# The kinds of goals ---------------------------------------------------------------------------


@pytest.fixture
def until(workspace, tmp_path, once):
    """`until(kind, value)` is two hundred images, reviewed until that goal is reached."""

    def reviewed(kind, value):
        return once(("certifying", kind, value), lambda: by_ann(kind, value))

    def by_ann(kind, value):
        info = make(workspace, tmp_path, 200, kind)
        ann = Reviewer(workspace, info)
        ann.press(*ann.window(order="random")[:20])
        goals.set_goal(info, kind, value, "ann")
        while not goals.stand(info).holds:
            order = "random" if kind != "recall" else "suspicious"
            ann.press(*ann.window(order=order)[:10], ms=6000)
        return info

    return reviewed


@pytest.mark.parametrize(
    ("kind", "value"), [("left", 12), ("recall", 0.9), ("reviews", 60), ("seconds", 240)]
)
def test_each_kind_of_goal_is_certified_with_its_words_and_checked(until, tmp_path, kind, value):
    info = until(kind, value)
    path = written(info, tmp_path)
    body = json.loads(path.read_text("utf-8"))
    said = body["stopping"]
    assert (said["kind"], said["value"], said["set_by"]) == (kind, value, "ann")
    assert said["goal"] == goals.words(kind, value)
    checks = {check.what: check for check in certifying.verify(info, path)}
    assert all(check.holds for check in checks.values()), checks
    assert said["goal"] in checks["goal"].words
    for change in ({"value": 13}, {"set_by": "bob"}, {"set_at": "2026"}, {"goal": "for ever"}):
        forged = changed(written(info, tmp_path), lambda body, c=change: body["stopping"].update(c))
        assert "goal" in fails(info, forged), change
    forged = changed(written(info, tmp_path), lambda body: body["stopping"].update(number=7))
    assert "goal" in fails(info, forged)


def test_an_earlier_word_for_the_images_that_were_asked_for_is_said_to_be_one(until, tmp_path):
    """`all is answered` was said of any goal of images, also where most had no answer."""
    info = until("reviews", 60)

    def earlier(body):
        assert body["stopping"]["said"].startswith("the 60 images are answered: ")
        body["stopping"]["said"] = "all is answered:" + body["stopping"]["said"].split(":")[1]

    path = changed(written(info, tmp_path), earlier)
    checks = {check.what: check for check in certifying.verify(info, path)}
    assert all(check.holds for check in checks.values()), checks
    assert checks["statement"].words.endswith(
        "; “all is answered” is an earlier program's word for “the 60 images are answered”"
    )


def test_a_goal_that_was_not_reached_is_found_out(until, tmp_path):
    """Somebody sets a smaller goal later, or states one of the past as reached."""
    info = until("reviews", 60)
    path = written(info, tmp_path)
    goals.set_goal(info, "reviews", 10, "bob")
    second = goals.as_record(goals.stand(info))
    said = {key: second[key] for key in ("goal", "kind", "value", "set_by", "set_at")}
    forged = changed(path, lambda body: body["stopping"].update(said, number=2))
    assert "goal" in fails(info, forged)
    goals.set_goal(info, "left", 1, "bob")
    made = goals.goal_set(info)

    def one_left(body):
        body["goal"] = 1
        body["stopping"] |= {"number": 3, "kind": "left", "value": 1, "set_by": "bob"}
        body["stopping"] |= {"goal": goals.words("left", 1), "set_at": made.set_at}

    assert "goal" in fails(info, changed(path, one_left))


def test_the_sample_and_the_order_of_a_share_are_gone_through_again(workspace, tmp_path):
    info = make(workspace, tmp_path, 600)
    ann = Reviewer(workspace, info)
    goals.set_goal(info, "recall", 0.6, "ann")
    while not goals.stand(info).holds:
        ann.press(*ann.window()[:20])
    body = certifying.certificate(info)
    assert body["stopping"]["depth"] < 600
    assert body["stopping"]["confidence"] == 0.975
    assert len(body["stopping"]["sampled_errors"]) == body["stopping"]["sample"] == 60
    assert body["goal"] is None
    assert "QBCB" in body["method"]
    assert fails(info, written(info, tmp_path)) == []
    for name, value in (("depth", 5), ("to_pass", 3), ("order", "0" * 64), ("confidence", 0.99)):
        forged = changed(
            written(info, tmp_path), lambda body, n=name, v=value: body["stopping"].update({n: v})
        )
        assert "goal" in fails(info, forged), name

    def swap(body):
        body["stopping"]["sampled_errors"].reverse()

    assert "goal" in fails(info, changed(written(info, tmp_path), swap))
    path = written(info, tmp_path)
    file = info.directory / "goals" / "1.npy"
    arrays.write_array(file, arrays.read_array(file)[::-1].copy())
    sharing._told.cache_clear()
    assert "goal" in fails(info, path)


def test_a_certificate_takes_no_more_of_the_risk_than_its_state_of_the_set_has(reviewed, tmp_path):
    path = written(reviewed, tmp_path)
    assert certifying.certificate(reviewed)["risk"] == risk(0)
    forged = changed(path, lambda body: body.update(risk=0.5))
    assert fails(reviewed, forged) == ["limit"]


def test_images_that_were_asked_for_are_certified_once_the_last_one_is_answered(
    workspace, tmp_path
):
    birds = make(workspace, tmp_path, 600)
    ann = Reviewer(birds.workspace, birds)
    for _ in range(6):
        ann.press(*ann.window(order="random")[:10])
    goals.set_goal(birds, "reviews", 13, "ann")
    ann.press(*ann.window(order="random")[:12])
    with pytest.raises(LnlError, match="Nothing to certify yet"):
        certifying.certificate(birds)
    ann.press(ann.window(order="random")[0])
    body = certifying.certificate(birds)
    assert body["last_decision"] == decisions.last_id(birds)
    path = birds.directory / "certificate.json"
    path.write_bytes(certifying.as_bytes(body))
    assert all(each.holds for each in certifying.verify(birds, path))
    ann.press(*ann.window(order="random")[:3])  # since: what is stated stays so
    assert all(each.holds for each in certifying.verify(birds, path))


def test_people_can_read_it_and_the_command_that_it_names_holds(reviewed, tmp_path, monkeypatch):
    body = certifying.certificate(reviewed)
    said = dict(reading.lines(body))
    counts = [
        int(n) for n in re.findall(r"(\d+) (?:right|wrong|unsure|open)", said["Random draws"])
    ]
    assert sum(counts) == len(body["draws"])
    assert said["Guaranteed"].startswith(f"at most {body['at_most_left']} wrong label")
    assert said["Where people err"] == "It supposes that nobody errs."
    assert all(each in said["Assumes"] for each in body["assumptions"])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LNL_HOME", str(reviewed.workspace.home))
    certifying.write(reviewed, tmp_path / reading.file_name(reviewed))
    program, *arguments = shlex.split(reading.check_with(reviewed))
    assert (program, main(arguments)) == ("lnl", 0)


def test_it_says_what_people_pass_over_where_gold_tells(reviewed):
    body = certifying.certificate(reviewed)
    gold = {"wrong": 30, "caught": 27, "right": 20, "alarms": 1}
    body["people"] |= {"at_most_left": 21, "gold": gold}
    said = dict(reading.lines(body))["Where people err"]
    assert "At most 21 left" in said
    assert "27 of 30 wrong gold labels" in said
