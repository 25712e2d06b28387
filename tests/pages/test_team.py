"""The Team page: empty, alone, and with contradictions that one key settles."""

import uuid

import pytest

from lnl_core.services.review.recording import record
from lnl_core.services.team import roles, settling
from lnl_core.services.team.roles import Role
from tests.pages.test_review import score


def say(info, who, row, action="keep", **more):
    cid = uuid.uuid4().hex
    record(info, who, [{"cid": cid, "row": row, "action": action, "ms": 1500, **more}])


@pytest.fixture
def disputed(tiny, monkeypatch):
    monkeypatch.setenv("LNL_REVIEWER", "cleo")
    score(tiny)
    say(tiny, "ann", 3)
    say(tiny, "bob", 3, "relabel", label=0)
    say(tiny, "bob", 9, "unsure")
    return tiny


def button(app, label):
    return next(each for each in app.button if each.label == label)


def test_without_answers_the_page_leads_to_review(desk, tiny, texts):
    score(tiny)
    assert "Nobody has answered anything" in texts(desk("team"))


def test_one_person_has_nothing_to_settle(desk, tiny, texts):
    score(tiny)
    say(tiny, "ann", 3)
    said = texts(desk("team"))
    assert "Only you so far" in said
    assert "Nothing to settle" in said


def test_a_contradiction_shows_both_answers_and_no_suggestion(desk, disputed, texts):
    said = texts(desk("team"))
    assert "1 disagreement" in said
    assert ":green[:material/check: keep] **belt**" in said
    assert ":blue[:material/swap\\_horiz: relabel]" in said.replace("swap_horiz", "swap\\_horiz")
    assert "uggest" not in said.replace("the suggestion stays hidden", "")
    assert "from 50 shared images (1 now)" in said
    assert "bob: 1 image" in said


def test_one_press_settles_and_one_takes_back(desk, disputed):
    app = desk("team")
    button(app, "Take bob").click().run()
    assert settling.contradictions(disputed) == []
    button(app, "Take the last one back").click().run()
    assert len(settling.contradictions(disputed)) == 1


def test_who_may_not_settle_gets_no_key(desk, disputed, workspace, texts):
    roles.name_role(workspace, "ann", "bob", Role.REVIEWER)  # so ann is owner, and cleo is not
    app = desk("team")
    assert "An adjudicator or owner settles these" in texts(app)
    assert button(app, "Take bob").disabled


def test_names_are_text(desk, hostile, texts, monkeypatch):
    score(hostile)
    say(hostile, "*ann* :red[x]", 3)
    say(hostile, "bob", 3, "relabel", label=0)
    app = desk("team", dataset=hostile.name)
    assert not app.exception
    assert "*ann* :red[x]" not in texts(app)
