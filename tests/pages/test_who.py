"""Who reviews in a browser: nobody is silently somebody who has been here before."""

import threading

import pytest

from lnl_core.store import datasets, decisions, leases, people
from tests import five
from tests.pages.test_review import key, press, score, sent

PAGES = (None, "runs", "review", "explore", "compare", "export", "team")


def test_the_first_browser_of_a_workspace_is_not_asked_and_keeps_its_name(desk, workspace, tiny):
    score(tiny)
    first = desk("review", new=True)
    assert first.session_state["reviewer"] == "reviewer A"
    assert first.session_state["reviewer_chosen"] == "reviewer A"  # which the browser keeps now
    assert sent(first)["items"]
    assert decisions.reviewers(workspace) == ["reviewer A"]


@pytest.mark.parametrize("page", PAGES)
def test_every_other_browser_is_asked_on_every_page(desk, workspace, tiny, texts, page):
    score(tiny)
    desk("review", new=True)
    second = desk(page, new=True)
    assert "Who are you?" in texts(second)
    assert "opened in another browser first; nobody has answered there." in texts(second)
    assert [each.value for each in second.title] == ["Who are you?"]
    assert second.session_state["reviewer"] is None
    assert not second.dataframe
    assert len({each.reviewer for each in leases.held(tiny)}) == 1  # nothing is held for nobody


def test_once_a_name_is_said_the_page_follows_and_the_first_goes_on_as_before(
    desk, workspace, tiny, texts
):
    score(tiny)
    first = desk("review", new=True)
    row = sent(first)["items"][0]["row"]
    first.session_state[key(tiny)] = {"log": [press(row, cid="a")]}
    first.run()
    second = desk("review", new=True)
    second.text_input(key="asked_name").input("Bob").run()
    assert second.session_state["reviewer"] == "Bob"
    assert sent(second)["items"][0]["row"] != row
    first.run()
    assert "Who are you?" not in texts(first)
    assert [item["row"] for item in sent(first)["recent"]] == [row]
    third = desk("review", new=True)
    assert "Bob reviews here." in texts(third)
    third = third.button(key="asked_unnamed").click().run()  # the same person, another browser
    assert third.session_state["reviewer"] == "reviewer A"
    assert [item["row"] for item in sent(third)["recent"]] == [row]


def test_who_never_answered_is_not_offered_as_who_began(desk, workspace, tiny):
    desk(new=True)
    second = desk(new=True)
    assert [each.key for each in second.button if each.key == "asked_unnamed"] == []


def test_one_known_person_is_nobody_elses_name(desk, workspace, tiny, texts):
    """Ada has her name from another browser; a new one is not hers without a word."""
    decisions.add_reviewer(workspace, "Ada")
    app = desk("review", new=True)
    assert app.session_state["reviewer"] is None
    assert "Ada reviews here." in texts(app)


def test_a_name_that_is_known_takes_a_second_press(desk, workspace, tiny, texts):
    for name in ("Ada", "Grace"):
        decisions.add_reviewer(workspace, name)
    app = desk("export", new=True)
    app.text_input(key="asked_name").input("ada ").run()
    assert app.session_state["reviewer"] is None
    assert "**Ada** has been here before. Are you the same person?" in texts(app)
    other = app.button(key="asked_other").click().run()
    assert "Are you the same person?" not in texts(other)
    app.text_input(key="asked_name").input("Ada").run()
    app = app.button(key="asked_same").click().run()
    assert app.session_state["reviewer"] == "Ada"
    assert decisions.reviewers(workspace) == ["Ada", "Grace"]


def test_whoever_is_known_may_become_another_only_by_a_second_press(desk, workspace, tiny, texts):
    decisions.add_reviewer(workspace, "Ada")
    app = desk(new=False)
    decisions.add_reviewer(workspace, "Grace")
    app.text_input(key="who_name").input("Grace").run()
    assert app.session_state["reviewer"] == "Ada"
    app = app.button(key="who_same").click().run()
    assert app.session_state["reviewer"] == "Grace"


def become(app, name):
    """Press *This is not me* and say another name."""
    app.text_input(key="who_name").input(name).run()
    assert app.session_state["reviewer"] == name
    return app


def test_what_one_marked_on_a_page_is_not_asked_of_the_next_person(desk, tiny):
    score(tiny)
    app = desk("review")
    app.session_state["review_view_next"] = "page"
    app.run()
    rows = [item["row"] for item in sent(app)["pages"][0]["items"]]
    mine = {"log": [], "marked": {"time": 1, "rows": rows[:2]}}
    app.session_state[key(tiny, "page")] = mine
    app.run()
    assert sent(app)["marked"] == rows[:2]
    become(app, "Grace")
    assert "pages" in sent(app), "the marks are another person's"
    become(app, "Ada")
    app.text_input(key="who_name").input("reviewer A").run()
    app.button(key="who_same").click().run()
    assert sent(app)["marked"] == rows[:2], "whoever marked them is asked again"


def test_what_one_has_asked_for_and_seen_is_not_the_next_persons(desk, tiny, texts):
    five.score(tiny)
    first = str(datasets.load(tiny).ids[0])
    app = desk("compare", dataset=tiny.name, view="five", id=first)
    app.button(key="five_show").click().run()
    assert "You have not answered this image yet" not in texts(app)
    become(app, "Grace")
    assert "You have not answered this image yet" in texts(app)
    app.switch_page("review.py").run()
    app.session_state[key(tiny).replace("reviewer A", "Grace")] = {"log": [press(0)]}
    app.run()
    (answer,) = decisions.in_force(tiny)[0]
    assert (answer.reviewer, answer.revealed) == ("Grace", False)


def test_the_question_names_who_is_here(desk, workspace, tiny, texts):
    for name in ("Ada", "Grace", "*Lin*", "Mo", "Noor"):
        decisions.add_reviewer(workspace, name)
    assert "Ada, Grace, \\*Lin\\* and 2 more review here." in texts(desk(new=True))


def test_of_eight_browsers_at_one_moment_one_is_the_first(workspace):
    gate, got = threading.Barrier(8), []

    def open_one():
        gate.wait()
        got.append(people.claim_first(workspace, "reviewer A"))

    many = [threading.Thread(target=open_one) for _ in range(8)]
    for each in many:
        each.start()
    for each in many:
        each.join()
    assert sorted(got) == [False] * 7 + [True]
