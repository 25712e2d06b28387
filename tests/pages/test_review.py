"""The review page between browser and store, without a browser: what it is sent, what it keeps."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest

from lnl_core.jobs import queue
from lnl_core.review import consensus
from lnl_core.services.explore import selections
from lnl_core.services.review import saved
from lnl_core.services.runs.running import default_recipe
from lnl_core.store import arrays, audits, datasets, decisions, leases
from lnl_core.store.table import table_of
from lnl_core.types import Action, Decision, JobState, Signals

KEY = "review-{view}-{id}-reviewer A"


def score(info):
    """Put a ranking in force without training."""
    data = datasets.load(info)
    given, n, k = np.asarray(data.given_labels), len(data), len(data.class_names)
    probs = np.full((n, k), 0.1)
    probs[np.arange(n), np.asarray(data.true_labels)] += 1 - 0.1 * k
    signals = Signals("sr", 1 - probs[np.arange(n), given], probs)
    arrays.save_signals(info.directory / "runs" / "1", signals)
    arrays.save_ranking(info.directory / "ranking", consensus.rank([signals], given, k), {"sr": 1})
    return info


def key(info, view="single"):
    return KEY.format(view=view, id=info.id)


def sent(app):
    """What the component on the page got."""
    (found,) = [
        json.loads(element.proto.json)
        for element in app.get("bidi_component")
        if element.proto.component_name in ("lnl_review_queue", "lnl_page_grid")
    ]
    return found


def press(row, action="keep", cid="c1", **more):
    return {"cid": cid, "row": row, "action": action, "ms": 900, "mode": "commit", **more}


def test_the_queue_holds_items_and_no_advice(desk, tiny):
    score(tiny)
    app = desk("review")
    assert not app.exception
    data = sent(app)
    assert {item["row"] for item in data["items"][:3]} == {3, 25, 47}
    assert data["classes"] == ["bar", "belt", "base"]
    assert data["urls"]["thumb"] == f"/lnl/img/{tiny.id}/{tiny.version}/{{row}}/thumb"
    text = json.dumps(data)
    assert not [word for word in ("suggest", "p_wrong", "suspicion", '"top"') if word in text]


def test_answers_are_stored_once_and_acknowledged(desk, workspace, tiny):
    score(tiny)
    app = desk("review")
    log = [press(3, "relabel", "a", label=0), press(25, "keep", "b"), press(47, "none", "c")]
    for _ in range(2):
        app.session_state[key(tiny)] = {"log": log}
        app.run()
        assert not app.exception
    data = sent(app)
    assert data["acked"] == ["a", "b", "c"]
    assert data["progress"]["reviewed"] == 3
    assert data["progress"]["wrong"] == 2
    assert [answer["row"] for answer in data["recent"]] == [47, 25, 3]
    assert not {3, 25, 47} & {item["row"] for item in data["items"]}
    stored = [(d.row, str(d.action), d.label) for d in decisions.history(tiny)]
    assert stored == [(3, "relabel", 0), (25, "keep", None), (47, "none", None)]


def test_a_journal_sent_again_in_a_new_session_is_stored_once(desk, workspace, tiny):
    score(tiny)
    for _ in range(2):
        app = desk("review")
        app.session_state[key(tiny)] = {"log": [press(3)]}
        app.run()
        assert sent(app)["acked"] == ["c1"]
    assert len(list(decisions.history(tiny))) == 1


@pytest.mark.parametrize(
    "log",
    [
        "not a list",
        [None, 7, "text", []],
        [{}],
        [press(10**30)],
        [press(-1)],
        [press("3")],
        [press(None)],
        [press(3, "explode")],
        [press(3, "relabel")],
        [press(3, "relabel", label=99)],
        [press(3, "relabel", label={"a": 1})],
        [press(3, "multiple", labels=[0])],
        [press(3, "multiple", labels="ab")],
        [press(3, "keep", ms="soon")],
        [press(3, "keep", ms=float("inf"))],
        [press(3, "keep", position=10**30)],
        [press(3, "keep", at="yesterday")],
        [{**press(3), "cid": ["x"]}],
    ],
)
def test_a_bad_answer_never_blocks_the_good_ones(desk, workspace, tiny, log):
    score(tiny)
    app = desk("review")
    good = press(25, "keep", "good")
    app.session_state[key(tiny)] = {"log": [*log, good] if isinstance(log, list) else log}
    app.run()
    assert not app.exception
    assert not app.error
    rows = [d.row for d in decisions.history(tiny)]
    if isinstance(log, list):
        assert "good" in sent(app)["acked"]
        assert 25 in rows
    assert set(rows) <= {3, 25}


def test_filters_narrow_the_queue_and_are_named(desk, tiny):
    score(tiny)
    app = desk("review")
    app.selectbox(key="review_given").select(2).run()
    data = sent(app)
    assert data["filtered"]
    assert {item["given"] for item in data["items"]} == {2}
    app.selectbox(key="review_mode").select("assisted").run()
    app.selectbox(key="review_suggested").select(0).run()
    rows = [item["row"] for item in sent(app)["items"]]
    assert 25 not in rows  # given 2, and every method says 1


def test_a_new_view_is_told_to_the_browser(desk, tiny):
    score(tiny)
    app = desk("review")
    before = sent(app)["view"]
    app.selectbox(key="review_order").select("random").run()
    assert sent(app)["view"] != before
    assert sent(app)["mode"] == "commit"
    app.selectbox(key="review_mode").select("assisted").run()
    assert sent(app)["mode"] == "assisted"


def test_a_shared_link_comes_first_until_it_is_answered(desk, tiny):
    score(tiny)
    app = desk("review", dataset="tiny", id="item-00009")
    assert sent(app)["items"][0]["row"] == 9
    app.session_state[key(tiny)] = {"log": [press(9)]}
    app.run()
    assert sent(app)["items"][0]["row"] != 9
    assert "id" not in app.query_params
    assert not desk("review", dataset="tiny", id="*nobody*").exception


def test_page_mode_sends_this_page_and_the_next(desk, tiny):
    score(tiny)
    app = desk("review")
    app.session_state["review_view_next"] = "page"
    app.run()
    pages = sent(app)["pages"]
    rows = [[item["row"] for item in page["items"]] for page in pages]
    assert len(rows[0]) == 12
    assert not set(rows[0]) & set(rows[1])
    for page in pages:
        assert {item["given"] for item in page["items"]} == {page["label"]}


def test_marked_images_follow_one_by_one(desk, tiny):
    score(tiny)
    app = desk("review")
    app.session_state["review_view_next"] = "page"
    app.run()
    rows = [item["row"] for item in sent(app)["pages"][0]["items"]]
    kept = [press(row, "keep", f"k{row}", mode="page") for row in rows[2:]]
    marked = {"time": 1, "rows": [*rows[:2], 10**9, "x", None]}
    app.session_state[key(tiny, "page")] = {"log": kept, "marked": marked}
    app.run()
    data = sent(app)
    assert {item["row"] for item in data["items"]} == set(rows[:2])
    assert data["marked"] == rows[:2]
    answers = [press(row, "none", f"n{row}", mode="page") for row in rows[:2]]
    app.session_state[key(tiny)] = {"log": answers}
    app.run()
    assert "pages" in sent(app)


def test_nothing_scored_yet_offers_the_one_next_act(desk, tiny, texts):
    app = desk("review")
    assert not app.exception
    assert "Nothing scored yet. A first queue takes about" in texts(app)
    primary = [button.label for button in app.button if button.proto.type == "primary"]
    assert primary == ["Score it"]


def test_no_data_set(desk, texts):
    assert "No data set yet. Open the demo or add your own." in texts(desk("review"))


def test_hostile_class_names_reach_the_component_as_they_are(desk, hostile, texts):
    score(hostile)
    app = desk("review", dataset=hostile.name)
    assert not app.exception
    assert sent(app)["classes"] == list(datasets.load(hostile).class_names)
    assert "<img" not in texts(app)


def test_two_reviewers_do_not_share_a_journal(desk, workspace, tiny):
    score(tiny)
    decisions.add_reviewer(workspace, "reviewer A")
    app = desk("review")
    first = sent(app)["journal"]
    app.text_input(key="who_name").input("Bob").run()
    assert sent(app)["journal"] != first
    assert app.session_state["reviewer"] == "Bob"


def test_where_several_review_a_new_browser_is_asked_who_it_is(desk, workspace, tiny, texts):
    score(tiny)
    for name in ("Ada", "Grace"):
        decisions.add_reviewer(workspace, name)
    app = desk("review")
    assert "Who are you?" in texts(app)
    assert leases.held(tiny) == []
    app.text_input(key="asked_name").input("Grace").run()
    assert {each.reviewer for each in leases.held(tiny)} == {"Grace"}


def test_one_image_in_five_is_drawn_at_random_and_looks_like_the_others(desk, workspace, tiny):
    score(tiny)
    data = sent(desk("review"))
    drawn = {each.row for each in audits.draws(tiny)}
    assert {data["items"][place]["row"] for place in (4, 9, 14)} == drawn
    assert len({tuple(sorted(item)) for item in data["items"]}) == 1
    text = json.dumps({key: data[key] for key in ("items", "recent", "classes_shown", "view")})
    assert not [word for word in ("audit", "drawn", "route") if word in text]
    left = data["progress"]["errors_left"]
    assert (left["audits"], left["enough"], left["estimate"]) == (0, 20, None)


def test_a_browser_cannot_choose_the_route(desk, workspace, tiny):
    score(tiny)
    app = desk("review")
    items = [item["row"] for item in sent(app)["items"]]
    log = [
        press(items[4], cid="a", route="queue", mode="audit"),
        press(items[5], cid="b", route="audit"),
    ]
    app.session_state[key(tiny)] = {"log": log}
    app.run()
    assert [d.route for d in decisions.history(tiny)] == ["audit", "queue"]
    assert sent(app)["progress"]["errors_left"]["audits"] == 1


def test_a_link_to_one_image_draws_nothing_and_pages_have_draws_of_their_own(desk, workspace, tiny):
    score(tiny)
    app = desk("review", id="item-00007")
    assert sent(app)["items"][0]["row"] == 7
    assert audits.draws(tiny) == ()
    app.session_state["review_view"] = "page"
    app.run()
    shown = {item["row"] for page in sent(app)["pages"] for item in page["items"]}
    drawn = [each.row for each in audits.draws(tiny)]
    assert drawn
    assert drawn[0] in shown


def test_where_the_only_run_failed_nobody_is_promised_a_queue(desk, workspace, tiny, texts):
    job = queue.submit(tiny, "knn")
    queue.claim(workspace)
    queue.finish(workspace, job.id, JobState.FAILED, error="disk full")
    for page in ("review", "data"):
        app = desk(page)
        assert not app.exception
        assert "No run has finished. Runs says why the last one stopped." in texts(app)
        assert "A first queue takes" not in texts(app)


def test_the_queue_can_be_narrowed_to_a_split(desk, ranked):
    path = ranked.directory / "table.parquet"
    table = pq.read_table(path)
    if "split" in table.column_names:
        table = table.drop_columns("split")
    names = ["train" if row % 2 else "val" for row in range(60)]
    pq.write_table(table.append_column("split", [names]), path)
    table_of.cache_clear()
    app = desk("review", dataset="tiny", split="val")
    assert not app.exception
    assert app.selectbox(key="review_split").value == "val"
    assert app.selectbox(key="review_split").options == ["val", "train"]
    app.selectbox(key="review_split").set_value("train").run()
    assert not app.exception
    assert app.query_params["split"] == "train"
    assert not desk("review", dataset="tiny", split="gone").exception


def test_a_later_result_is_announced_once(desk, ranked):
    app = desk("review", dataset="tiny")
    assert not app.exception
    assert not app.toast
    ranking, _ = arrays.load_ranking(ranked.directory / "ranking")
    arrays.save_ranking(ranked.directory / "ranking", ranking, {"knn": 1, "jump@pretrained": 7})
    app.run()
    assert not app.exception
    assert [each.value.replace("\\-\u2060", "-") for each in app.toast] == [
        "Jump-teaching done: new order for what you have not seen."
    ]
    app.run()
    assert not app.toast


def test_a_set_without_a_score_is_scored_where_the_queue_will_open(desk, tiny, no_worker, texts):
    app = desk("review", dataset="tiny")
    app.button(key="score_empty").click().run()
    assert not app.exception
    assert [job.method for job in queue.jobs(tiny)][::-1] == default_recipe(tiny)
    assert "Scoring 60 images" in texts(app)
    assert [each.value for each in app.title] == ["Review"]


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


def test_a_blind_answer_is_judged_where_the_label_is_known(desk, workspace, tiny):
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
    for key in ("verdict", "who"):
        app.selectbox(key=f"review_{key}").select(None).run()
    assert not {"verdict", "by"} & set(app.query_params)
    app.selectbox(key="review_method").select("sr").run()
    assert app.query_params["by_method"] == "sr"
    assert [item["row"] for item in sent(app)["items"]] == [47]  # the others have their answer
    app.selectbox(key="review_chance").select("high").run()
    assert app.query_params["p"] == "high"
    app = desk("review", dataset="tiny", p="very", by_method="gone", verdict="maybe", by="nobody")
    assert not app.exception
    assert not sent(app)["filtered"]


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
