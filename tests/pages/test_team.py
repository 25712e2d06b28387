"""The Team page: empty, alone, and with contradictions that one key settles."""

import re
import uuid
from datetime import UTC, datetime
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from lnl_core.services.datasets import catalog
from lnl_core.services.review import looks, measuring, new_classes
from lnl_core.services.review.recording import record
from lnl_core.services.team import parts, roles, settling
from lnl_core.services.team.roles import Role
from lnl_core.store import datasets, decisions
from lnl_core.store import looks as stored_looks
from lnl_core.types import Action, Decision
from pages._team import paint
from tests.pages.reviewing import score, sent


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
    assert "bob: 1 image" in said


def drawn(app):
    """What the page draws itself: the chart of agreement, the audit trail."""
    return "".join(each.proto.body for each in app.get("html"))


def test_few_shared_images_have_no_number_and_many_have_an_interval(desk, disputed, texts):
    app = desk("team")
    assert "takes 50 images with answers of two people, and 1 image has them" in texts(app)
    assert "team-line" not in drawn(app).replace(".team-line", "")  # no scale without a value
    assert [each for each in app.button if "in numbers" in each.label] == []
    for row in range(52):
        say(disputed, "ann", row)
        say(disputed, "bob", row, "none" if row == 7 else "keep")
    (bar,) = re.findall(r'"img" aria-label="(.*?)"', drawn(desk("team")).split("all, alpha")[0])
    assert re.fullmatch(r"0\.9\d \(95 %: 0\.\d\d–>0\.99\) of 52 images", bar)


def test_second_answers_are_asked_for_without_the_label_or_what_was_said(desk, disputed):
    say(disputed, "ann", 5, "none")
    say(disputed, "bob", 7, "none")
    team = desk("team")
    button(team, "Give 2 a second answer").click().run()
    app = desk("review", **{name: team.query_params[name] for name in team.query_params})
    app.session_state["review_view_next"] = "page"
    data = sent(app.run())
    assert {each["row"] for each in data["items"]} == {5, 7}
    for each in data["items"]:
        assert (each["given"], each["path"], each["blind"]) == (-1, "", True)
        assert set(each["said"]) == {"by"}
        assert not {"id", "guide", "exemplars"} & set(each)
    assert data["classes_shown"] == {}
    log = [{"cid": "a", "row": 5, "action": "none", "ms": 900, "mode": "blind"}]
    app.session_state[f"review-single-{disputed.id}-cleo"] = {"log": log}
    data = sent(app.run())
    assert [each["row"] for each in data["items"]] == [7]
    assert [each["given"] for each in data["recent"]] == [-1]
    assert data["meanwhile"] == []


def test_people_of_one_opinion_are_one_side_and_the_larger_comes_first(desk, disputed, texts):
    say(disputed, "dan", 3, "relabel", label=0)
    app = desk("team")
    assert "bob, dan" in texts(app)
    labels = [each.label for each in app.button if each.label.startswith("Take ")]
    assert labels == ["Take bar", "Take belt"]
    button(app, "Take bar").click().run()
    assert settling.contradictions(disputed) == []


def test_names_that_begin_alike_are_told_apart_in_the_chart(desk, tiny):
    score(tiny)
    for row in range(50):
        for name in ("reviewer A", "reviewer B"):
            say(tiny, name, row, "none" if row == 7 else "keep")
    assert 'title="A and B"' in drawn(desk("team"))
    say(tiny, "reviewer", 3)
    assert 'title="reviewer A and reviewer B"' in drawn(desk("team"))


def test_answers_of_one_category_have_no_kappa_and_say_so(desk, tiny, texts):
    score(tiny)
    for row in range(60):
        for name in ("ann", "bob"):
            say(tiny, name, row, "none")
    assert "All answers to the 60 shared images are of one category" in texts(desk("team"))


def test_the_trail_has_every_answer_of_whom_is_chosen(desk, disputed):
    app = desk("team")
    everybody = drawn(app)
    assert everybody.count("<time ") == 3
    assert "3 entries, skips and what was taken back among them; none ever overwritten" in [
        each.value for each in app.caption
    ]
    app.selectbox(key="trail_of").select("bob").run()
    assert drawn(app).count("<time ") == 2
    assert 'title="ann"' not in drawn(app).split('<div class="team-trail"')[-1]


def test_the_pages_of_disagreements_are_turned(desk, disputed, texts):
    for row in (10, 11, 12):
        say(disputed, "ann", row)
        say(disputed, "bob", row, "none")
    app = desk("team")
    assert "1–3 of 4" in texts(app)
    button(app, "Next").click().run()
    assert "4–4 of 4" in texts(app)
    assert len([each for each in app.button if each.label == "Other…"]) == 1


def test_one_press_settles_and_one_takes_back(desk, disputed):
    app = desk("team")
    button(app, "Take bar").click().run()
    assert settling.contradictions(disputed) == []
    button(app, "Take the last one back").click().run()
    assert len(settling.contradictions(disputed)) == 1


def test_a_class_that_is_offered_no_more_settles_nothing(desk, disputed):
    grown, _ = new_classes.add_class(disputed, "owl")
    assert new_classes.retired(grown) == (grown.class_count - 1,)
    app = desk("team")
    button(app, "Other…").click().run()
    (classes,) = [each.options for each in app.selectbox if each.label == "Class"]
    assert classes == list(disputed.class_names)


def test_each_set_begins_with_its_surest_disagreement(desk, disputed, hostile, texts):
    score(hostile)
    for info in (disputed, hostile):
        for row in (10, 11, 12, 13):
            say(info, "ann", row)
            say(info, "bob", row, "none")
    app = desk("team", dataset=hostile.name)
    button(app, "Next").click().run()
    assert "4–4 of 4" in texts(app)
    app.selectbox(key="dataset_select").select(disputed.name).run()
    assert "1–3 of 5" in texts(app)


def test_nobody_takes_back_what_another_settled_in_this_browser(desk, disputed, texts):
    app = desk("team")
    button(app, "Take bar").click().run()
    assert "Take the last one back" in [each.label for each in app.button]
    app.text_input(key="who_name").input("Grace").run()
    assert app.session_state["reviewer"] == "Grace"
    assert "Take the last one back" not in [each.label for each in app.button]


def test_who_may_not_settle_gets_no_key(desk, disputed, workspace, texts):
    roles.name_role(workspace, "ann", "bob", Role.REVIEWER)  # so ann is owner, and cleo is not
    app = desk("team")
    assert "An adjudicator or owner settles these" in texts(app)
    assert button(app, "Take bar").disabled


def ask_for_parts():
    from pages import _ui
    from pages._team import dividing

    dividing.ask(_ui.edge.dataset(_ui.workspace(), "tiny"), ["ann", "bob"], [])


def test_parts_are_given_to_several_at_once_and_said(desk, disputed):
    app = AppTest.from_function(ask_for_parts, default_timeout=60).run()
    assert "one queue for all" in drawn(app)
    app.multiselect(key="parts_who").select("ann").select("bob").run()
    app.segmented_control(key="parts_kind").select("given classes").run()
    assert button(app, "Store").disabled
    app.multiselect(key="parts_classes").select(2).run()
    button(app, "Store").click().run()
    assert not app.exception
    given = (parts.Kind.CLASSES, [2])
    assert parts.parts(disputed) == {"ann": given, "bob": given}
    assert drawn(app.run()).count(">base<") == 2


def test_a_class_that_no_image_came_with_is_nobodys_part(desk, disputed):
    grown, _ = new_classes.add_class(disputed, "owl")
    for _ in range(2):  # offered no more, and named by an answer
        app = AppTest.from_function(ask_for_parts, default_timeout=60).run()
        app.segmented_control(key="parts_kind").select("given classes").run()
        assert app.multiselect(key="parts_classes").options == list(disputed.class_names)
        say(grown, "ann", 5, "relabel", new_class="owl")


def test_names_are_text(desk, hostile, monkeypatch):
    score(hostile)
    say(hostile, "*ann* :red[x]", 3)
    say(hostile, "bob", 3, "relabel", label=0)
    say(hostile, "<img src=x onerror=alert(1)>", 4)
    app = desk("team", dataset=hostile.name)
    assert not app.exception
    in_markdown = [each.value for each in (*app.markdown, *app.caption)]
    assert not [each for each in in_markdown if "*ann* :red[x]" in each]
    assert "<img src=x" not in drawn(app)
    assert "&lt;img src=x" in drawn(app)


def test_the_owner_chooses_how_many_hidden_looks_there_are_and_others_see_themselves(
    desk, disputed, monkeypatch
):
    made = [
        Decision(row, Action.KEEP, who, given_label=0, mode="commit", route="repeat")
        for who in ("ann", "bob")
        for row in (3, 9)
    ]
    stored_looks.append(disputed, made)
    app = desk("team")
    (slider,) = app.select_slider
    assert slider.value == 0.03
    slider.set_value(0.0).run()
    assert datasets.read_meta(disputed)["hidden_looks"] == 0.0
    assert {"ann", "bob"} == set(measured(app)["Reviewer"])
    decisions.add_reviewer(disputed.workspace, "cleo")
    roles.name_role(disputed.workspace, "cleo", "cleo", Role.OWNER)
    monkeypatch.setenv("LNL_REVIEWER", "ann")
    app = desk("team")
    assert not app.select_slider
    assert list(measured(app)["Reviewer"]) == ["ann"]


def test_each_set_shows_its_own_share_of_hidden_looks(desk, disputed):
    other = catalog.add_noise(disputed, "other", "symmetric", 0.2, by="ann")
    looks.set_share(other, None, 0.1)
    app = desk("team", dataset="tiny")
    app.select_slider[0].set_value(0.0).run()
    say(other, "ann", 3)
    app.query_params["dataset"] = "other"
    app.session_state["dataset"] = "other"
    app.run()
    assert app.select_slider[0].value == 0.1
    assert datasets.read_meta(other)["hidden_looks"] == 0.1


def test_an_answer_of_another_year_is_no_answer_of_today():
    now = datetime.now(UTC)
    assert ":" in paint.brief(now.isoformat())
    assert ":" not in paint.brief(now.replace(year=now.year - 4).isoformat())


def measured(app):
    """The table of what hidden looks say."""
    return next(each.value for each in app.dataframe if "Notices" in each.value.columns)


def test_an_owner_sees_how_much_gold_there_is_and_is_led_to_what_can_become_it(
    desk, tiny, monkeypatch, texts
):
    monkeypatch.setenv("LNL_REVIEWER", "cleo")
    score(tiny)
    say(tiny, "ann", 3, "none")
    app = desk("team")
    said = texts(app)
    assert "Gold (two agree, or it was settled): 0 wrong labels and" in said
    assert "from 20 looks at wrong ones on; so far there are 0." in said
    button(app, "Give 1 a second answer").click().run()
    assert not app.exception
    assert "selection" in app.query_params


def test_the_guide_names_what_is_measured_as_the_page_does():
    from pages._team import checks

    guide = (Path(__file__).parents[2] / "docs" / "guide" / "team.md").read_text("utf-8")
    columns = set(measuring.row({}))
    assert checks._HELP.keys() == columns
    assert [name for name in columns if f"*{name}*" not in guide] == []


def test_answers_that_copies_were_given_are_said_beside_the_sum(desk, tiny, texts):
    say(tiny, "ann", 3, "none")
    assert "answer to a copy" not in texts(desk("team"))
    copy = Decision(4, Action.NONE, "ann", mode=decisions.COPIES)
    decisions.append(tiny, [copy])
    said = texts(desk("team"))
    assert "2 images reviewed" in said
    assert "1 of them have the answer to a copy" in said
