"""The review page narrowed: filters, their names and addresses, and what Blind hides."""

import json

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from lnl_core.services.datasets import settings
from lnl_core.services.explore import selections
from lnl_core.services.review import looks, new_classes, saved
from lnl_core.store import arrays, audits, datasets, decisions
from lnl_core.types import Action, Decision
from tests.pages.reviewing import key, press, score, sent


def test_a_filter_for_the_suggestion_is_not_offered_before_the_answer(desk, tiny):
    score(tiny)
    app = desk("review")
    assert app.selectbox(key="review_suggested").disabled
    assert "before your answer" in app.selectbox(key="review_suggested").help
    app.selectbox(key="review_mode").select("assisted").run()
    assert not app.selectbox(key="review_suggested").disabled
    app.selectbox(key="review_suggested").select(1).run()
    assert app.query_params["suggested"] == "1"
    app.selectbox(key="review_mode").select("commit").run()
    assert app.selectbox(key="review_suggested").value is None
    assert "suggested" not in app.query_params
    assert [toast for toast in app.toast if "would tell the suggestion" in toast.value]
    assert not sent(app)["filtered"]


def test_images_that_are_sent_to_review_are_all_there_whatever_was_chosen_before(
    desk, tiny, monkeypatch
):
    score(tiny)
    unsure = [2, 5, 45, 50]  # of two classes
    decisions.add_reviewer(tiny.workspace, "ann")
    decisions.append(tiny, [Decision(row, Action.UNSURE, "reviewer B") for row in unsure])
    monkeypatch.setenv("LNL_REVIEWER", "ann")
    app = desk("review")
    app.selectbox(key="review_given").select(1).run()
    app.switch_page("team.py").run()
    app.button(key="unsure_reviewer B").click().run()
    assert {each["row"] for each in sent(app)["items"]} == {*unsure}
    assert app.selectbox(key="review_given").value is None


def test_filters_offer_no_class_that_is_offered_no_more_unless_a_link_names_it(desk, tiny):
    score(tiny)
    grown, owl = new_classes.add_class(tiny, "owl")
    app = desk("review")
    app.selectbox(key="review_mode").select("assisted").run()
    for key_ in ("review_given", "review_suggested"):
        assert app.selectbox(key=key_).options == list(tiny.class_names)
    link = desk("review", dataset="tiny", given=str(owl))
    assert link.selectbox(key="review_given").value == owl
    assert not link.exception
    explore = desk("explore")
    for name in ("given", "suggested"):
        field = explore.multiselect(key=f"explore_{name}_{grown.id}")
        assert field.options == list(tiny.class_names)


def test_a_link_that_tells_the_suggestion_opens_in_the_mode_that_shows_it(desk, tiny):
    score(tiny)
    app = desk("review", dataset="tiny", given="2", suggested="1")
    assert sent(app)["mode"] == "assisted"
    assert app.selectbox(key="review_suggested").value == 1
    app.session_state["review_view_next"] = "page"
    app.run()
    assert sent(app)["advised"]


def test_the_mode_blind_sends_no_label_and_no_advice(desk, workspace, tiny):
    score(tiny)
    said = (Decision(3, Action.KEEP, "reviewer A"), Decision(25, Action.NONE, "reviewer A"))
    decisions.append(tiny, said)
    app = desk("review", dataset="tiny", given="2", path="00")
    app.session_state["review_view_next"] = "page"
    app.run()
    app.selectbox(key="review_mode").select("blind").run()
    assert not app.exception
    data = sent(app)
    assert (data["mode"], data["filtered"]) == ("blind", False)
    assert len(data["items"]) >= 10
    for shown in [*data["items"], *data["recent"]]:
        assert (shown["given"], shown["path"], shown["blind"]) == (-1, "", True)
        assert not {"id", "copies", "group", "guide", "exemplars"} & set(shown)
    assert data["classes_shown"] == {}
    kept = datasets.load(tiny).given_labels[3]
    assert [(each["action"], each["label"]) for each in data["recent"]] == [
        ("none", None),
        ("relabel", kept),  # the class that was named, no verdict
    ]
    text = json.dumps(data)
    assert not [word for word in ("suggest", "p_wrong", "item-", '"top"') if word in text]
    assert not {"given", "path"} & set(app.query_params)
    assert app.selectbox(key="review_given").disabled


def test_a_blind_answer_is_judged_where_the_label_is_known(at_once, desk, workspace, tiny):
    score(tiny)
    app = desk("review")
    app.selectbox(key="review_mode").select("blind").run()
    given = datasets.load(tiny).given_labels
    log = [
        press(3, "relabel", "a", label=int(given[3]), mode="blind"),
        press(25, "relabel", "b", label=(int(given[25]) + 1) % 3, mode="blind"),
    ]
    app.session_state[key(tiny)] = {"log": log}
    app.run()
    assert not app.exception
    stored = [(d.row, str(d.action), d.mode, d.revealed) for d in decisions.history(tiny)]
    assert stored == [(3, "keep", "blind", False), (25, "relabel", "blind", False)]
    assert sent(app)["progress"]["wrong"] == 1
    assert sent(app)["meanwhile"] == []


def test_every_filter_is_in_the_address_and_read_from_it(desk, workspace, tiny):
    score(tiny)
    answered = ((3, Action.NONE), (25, Action.KEEP))
    decisions.append(tiny, [Decision(row, action, "reviewer A") for row, action in answered])
    app = desk("review", dataset="tiny", verdict="none", by="reviewer A", path="000")
    assert [item["row"] for item in sent(app)["items"]] == [3]
    for name in ("verdict", "who"):
        app.selectbox(key=f"review_{name}").select(None).run()
    assert not {"verdict", "by"} & set(app.query_params)
    app.selectbox(key="review_method").select("sr").run()
    assert app.query_params["by_method"] == "sr"
    assert [item["row"] for item in sent(app)["items"]] == [47]  # the others have their answer
    app.number_input(key="review_p_low").set_value(0.5).run()
    assert app.query_params["p"] == "high"
    app.number_input(key="review_p_high").set_value(0.9).run()
    assert app.query_params["p"] == "0.5-0.9"
    app.number_input(key="review_p_low").set_value(None).run()
    assert app.query_params["p"] == "-0.9"


def test_a_range_of_chances_has_free_ends_and_the_filters_say_how_many_match(desk, tiny, texts):
    score(tiny)
    p = np.asarray(arrays.load_ranking(tiny.directory / "ranking")[0].p_wrong)
    low, high = (round(float(each), 4) for each in np.quantile(p, [0.3, 0.8]))
    inside = {f"{low}-{high}": (p >= low) & (p < high), f"{low}-": p >= low, f"-{high}": p < high}
    for text, rows in inside.items():
        app = desk("review", dataset="tiny", p=text)
        assert f"**{rows.sum()}** of 60 open images match" in texts(app)
        assert {item["row"] for item in sent(app)["items"]} <= set(np.flatnonzero(rows))
    assert "**60** open images." in texts(desk("review", dataset="tiny"))
    app = desk("review", dataset="tiny", p="0-1")
    assert "**60** of 60 open images match" in texts(app)


def test_images_without_a_class_are_counted_beside_their_own_kind(desk, tiny, texts):
    info = settings.set_no_classes(score(tiny), ["belt"])
    belts = np.flatnonzero(np.asarray(datasets.load(info).given_labels) == 1)
    first = int(np.flatnonzero(np.asarray(datasets.load(info).given_labels) == 0)[0])
    mixed = selections.keep_selection(info, np.array([*belts[:3], first]))
    for asked, said in (
        ({"to_label": "1"}, "**20** of 20"),
        ({"given": "1"}, "**20** of 20"),
        ({"given": "0"}, "**20** of 40"),
        ({"selection": mixed}, "**4** of 4"),
    ):
        assert f"{said} open images match" in texts(desk("review", dataset="tiny", **asked))


def test_what_an_address_asks_for_in_vain_is_said_with_what_is_shown(desk, tiny, texts):
    score(tiny)
    odd = {"p": "abc", "given": "99", "by_method": "gone", "id": "nowhere"}
    app = desk("review", dataset="tiny", **odd)
    assert not app.exception
    assert not sent(app)["filtered"]
    assert not set(odd) & set(app.query_params)
    (line,) = [each.value for each in app.caption if "address" in each.value]
    assert all(value in line for value in odd.values())
    assert line.endswith("The whole queue is shown.")
    app.run()
    assert "address was not understood" in texts(app), "one run of the script is no time to read"
    app.selectbox(key="review_method").select("sr").run()
    assert "address was not understood" not in texts(app)
    app = desk("review", dataset="tiny", verdict="maybe", by="nobody", row="60", given="1")
    assert all(word in texts(app) for word in ("“maybe”", "“nobody”", "“60”", "in force"))
    assert "abc" not in texts(desk("review", dataset="tiny", p="0.2-0.4"))
    many = {"split": "x", "copies": "y", "mode": "z", "to_label": "1", "selection": "gone"}
    app = desk("review", dataset="tiny", **many)
    assert "and 1 more left out" in texts(app)


def test_filters_stay_in_the_address_and_are_opened_under_a_name(desk, tiny):
    score(tiny)
    app = desk("review", dataset="tiny")
    assert app.button(key="review_filter_save").disabled, "nothing is filtered"
    app.selectbox(key="review_method").select("sr").run()
    app.checkbox(key="review_again").check().run()
    assert app.query_params["again"] in ("1", ["1"])
    rows = [item["row"] for item in sent(app)["items"]]
    name = f"review_saved_name_{tiny.id}"
    app.text_input(key=name).set_value(" sure ones ")
    app.button(key="review_filter_save").click().run()
    assert [each.name for each in saved.saved(tiny)] == ["sure ones"]
    assert app.selectbox(key=f"review_saved_{tiny.id}").value == "sure ones"
    assert app.button(key="review_filter_save").disabled, "it is kept already"

    other = desk("review", dataset="tiny", path="000")
    other.selectbox(key=f"review_saved_{tiny.id}").select("sure ones").run()
    assert not other.exception
    assert [item["row"] for item in sent(other)["items"]] == rows
    assert other.query_params["by_method"] in ("sr", ["sr"])
    assert "path" not in other.query_params
    other.text_input(key=name).set_value("SURE ONES")
    other.button(key="review_filter_rename").click().run()
    assert [each.name for each in saved.saved(tiny)] == ["SURE ONES"]
    other.button(key="review_filter_delete").click().run()
    assert saved.saved(tiny) == []
    assert other.query_params["by_method"] in ("sr", ["sr"]), "what is filtered stays"


def test_a_name_that_is_taken_is_refused_in_words(desk, tiny, texts):
    score(tiny)
    saved.save(tiny, "mine", {"p": ["low"]})
    app = desk("review", dataset="tiny", by_method="sr")
    app.text_input(key=f"review_saved_name_{tiny.id}").set_value("Mine")
    app.button(key="review_filter_save").click().run()
    assert "There is a filter “mine” already" in texts(app)
    assert not app.exception


def test_a_filter_comes_back_into_the_address_with_the_page(desk, tiny):
    score(tiny)
    app = desk("review", dataset="tiny")
    app.selectbox(key="review_given").select(1).run()
    app.switch_page("explore.py").run()
    app.switch_page("review.py").run()
    assert app.selectbox(key="review_given").value == 1
    assert app.query_params["given"] in ("1", ["1"])


@pytest.mark.parametrize(
    "query",
    [{"suggested": ["1"]}, {"selection": ["chosen"], "chosen_by": ["suggestion"]}],
    ids=["class", "selection"],
)
def test_a_saved_filter_never_tells_the_suggestion_in_commit_first(desk, tiny, query):
    score(tiny)
    if "selection" in query:
        query = query | {"selection": [selections.keep_selection(tiny, np.array([3, 25]))]}
    saved.save(tiny, "pair", query)
    app = desk("review", dataset="tiny")
    assert sent(app)["mode"] == "commit"
    app.selectbox(key=f"review_saved_{tiny.id}").select("pair").run()
    assert sent(app)["mode"] == "assisted"
    assert sent(app)["filtered"]
    assert [toast for toast in app.toast if "the mode is Assisted" in toast.value]
    app.selectbox(key="review_mode").select("commit").run()
    assert sent(app)["mode"] == "commit"
    assert not {"suggested", "selection", "chosen_by"} & set(app.query_params)
    assert not sent(app)["filtered"]


def test_a_filter_of_several_values_is_left_to_explore(desk, tiny):
    score(tiny)
    saved.save(tiny, "both", {"given": ["0", "1"]})
    saved.save(tiny, "nobody's", {"verdict": ["open"]})
    app = desk("review", dataset="tiny")
    there = app.selectbox(key=f"review_saved_{tiny.id}")
    assert there.options == []
    assert "2 filters are not for here" in there.help


def test_a_saved_filter_of_the_label_is_not_offered_where_the_label_is_hidden(desk, tiny):
    score(tiny)
    saved.save(tiny, "bars", {"given": ["0"]})
    saved.save(tiny, "sure", {"p": ["high"]})
    app = desk("review", dataset="tiny")
    assert app.selectbox(key=f"review_saved_{tiny.id}").options == ["bars", "sure"]
    app.selectbox(key="review_mode").select("blind").run()
    assert app.selectbox(key=f"review_saved_{tiny.id}").options == ["sure"]


def test_blind_stays_blind_when_the_page_is_loaded_anew(desk, workspace, tiny):
    score(tiny)
    app = desk("review", dataset="tiny")
    app.selectbox(key="review_mode").select("blind").run()
    assert app.query_params["mode"] == "blind"
    again = desk("review", dataset="tiny", mode="blind")
    assert not again.exception
    assert sent(again)["mode"] == "blind"
    assert {item["given"] for item in sent(again)["items"]} == {-1}
    again.selectbox(key="review_mode").select("commit").run()
    assert "mode" not in again.query_params
    assert sent(again)["mode"] == "commit"


def _point(mode, home):
    import streamlit as st

    from lnl_core.store import datasets
    from lnl_core.store.db import open_workspace
    from pages._review import answers

    st.session_state["review_mode"] = mode
    answers.point_at(datasets.dataset(open_workspace(home), "tiny"), 40)


def test_blind_names_an_image_in_the_address_by_its_number(desk, workspace, tiny):
    score(tiny)
    for mode, wanted in (("blind", {"row": "40"}), ("commit", {"id": "item-00040"})):
        app = AppTest.from_function(_point, args=(mode, str(workspace.home))).run()
        assert not app.exception
        assert dict(app.query_params) == wanted
    app = desk("review", dataset="tiny", mode="blind", row="40")
    assert sent(app)["items"][0]["row"] == 40
    log = [press(40, "relabel", "a", label=0, mode="blind")]
    app.session_state[key(tiny)] = {"log": log}
    app.run()
    app.run()
    assert "row" not in app.query_params


def test_an_image_that_was_answered_in_this_window_is_opened_again(desk, workspace, tiny):
    score(tiny)
    app = desk("review", dataset="tiny")
    log = [press(3, "skip", "a"), press(25, "keep", "b")]
    app.session_state[key(tiny)] = {"log": log}
    app.run()
    app.query_params["id"] = "item-00025"
    app.run()
    assert sent(app)["items"][0]["row"] == 25
    app.run()
    assert app.query_params["id"] in ("item-00025", ["item-00025"])
    app.session_state[key(tiny)] = {"log": [*log, press(25, "none", "c")]}
    app.run()
    app.run()
    assert "id" not in app.query_params
    assert 25 not in {item["row"] for item in sent(app)["items"]}


def test_a_link_to_an_answered_image_is_let_go_with_the_next_answer(desk, workspace, tiny):
    score(tiny)
    decisions.append(tiny, [Decision(7, Action.KEEP, "reviewer A")])
    app = desk("review", dataset="tiny", id="item-00007")
    assert sent(app)["items"][0]["row"] == 7
    app.session_state[key(tiny)] = {"log": [press(25)]}
    app.run()
    app.run()
    assert "id" not in app.query_params  # else no random image would be mixed in any more
    assert len(audits.draws(tiny)) > 0


def test_skipped_images_are_found_in_the_window_that_skipped_them(desk, workspace, tiny):
    score(tiny)
    app = desk("review", dataset="tiny")
    log = [press(3, "skip", "a"), press(25, "skip", "b"), press(47, "keep", "c")]
    app.session_state[key(tiny)] = {"log": log}
    app.run()
    for _ in range(2):
        app.selectbox(key="review_verdict").set_value("skip").run()
        assert {item["row"] for item in sent(app)["items"]} == {3, 25}
        app.selectbox(key="review_verdict").set_value(None).run()
    app.selectbox(key="review_verdict").set_value("skip").run()
    app.session_state[key(tiny)] = {"log": [*log, press(3, "skip", "d")]}
    app.run()
    assert {item["row"] for item in sent(app)["items"]} == {25}  # not again at once


def test_a_selection_is_not_kept_in_the_mode_that_hides_the_label(desk, workspace, tiny):
    score(tiny)
    name = selections.keep_selection(tiny, np.flatnonzero(datasets.load(tiny).given_labels == 2))
    app = desk("review", dataset="tiny", selection=name, mode="blind")
    assert not app.exception
    assert "selection" not in app.query_params
    assert not sent(app)["filtered"]


def test_a_number_that_no_image_has_is_said(desk, workspace, tiny):
    score(tiny)
    app = desk("review", dataset="tiny", row="99999")
    assert not app.exception
    assert [each for each in app.caption if "image “99999” left out" in each.value]
    assert "row" not in app.query_params


def test_hidden_looks_are_said_of_a_queue_that_may_hold_them(desk, tiny):
    score(tiny)
    app = desk("review", dataset="tiny")
    assert sent(app)["looks"]
    assert not sent(desk("review", dataset="tiny", path="00"))["looks"]
    looks.set_share(tiny, None, 0)
    assert not sent(desk("review", dataset="tiny"))["looks"]


def test_the_button_names_the_one_filter_in_its_tooltip(desk, ranked):
    app = desk("review", dataset=ranked.name, given="0")
    button = next(one.proto.popover for one in app.get("popover"))
    assert button.label == "Filters (1)"  # the first class is one, too
    assert button.help == f"In force: {ranked.class_names[0]}"


def test_the_button_counts_several_filters_and_names_them_in_its_tooltip(desk, ranked):
    app = desk("review", dataset=ranked.name, given="0", p="0.2-", path="a*b")
    button = next(one.proto.popover for one in app.get("popover"))
    assert button.label == "Filters (3)"
    help = button.help.replace("\u2060", "")  # keeps Streamlit from reading an arrow or a link
    assert help == rf"In force: {ranked.class_names[0]}, p from 0\.2, “a\*b”"
