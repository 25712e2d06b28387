"""The review page between browser and store, without a browser: what it is sent, what it keeps."""

import json

import pyarrow.parquet as pq
import pytest

from lnl_core.jobs import queue
from lnl_core.services.review import auditing, recording
from lnl_core.services.runs.running import default_recipe
from lnl_core.store import arrays, audits, datasets, decisions
from lnl_core.store.table import table_of
from lnl_core.types import JobState
from tests.pages.reviewing import key, press, score, sent


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
    assert data["progress"]["since"] == 3
    assert data["progress"]["reviewed"] == 0  # as of the last moment
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
        [press([3])],
        [press({"a": 3})],
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


@pytest.mark.parametrize(("where", "verdict"), [("waits", "waits"), ("clear", None)])
def test_other_images_asked_for_amid_the_marked_ones_come_at_once(desk, tiny, where, verdict):
    score(tiny)
    recording.record(tiny, "reviewer A", [press(30, "unsure", "u")])
    app = desk("review")
    app.session_state["review_view_next"] = "page"
    app.run()
    rows = [item["row"] for item in sent(app)["pages"][0]["items"]]
    app.session_state[key(tiny, "page")] = {"log": [], "marked": {"time": 1, "rows": rows[:2]}}
    app.run()
    assert sent(app)["marked"] == rows[:2]
    app.session_state[key(tiny)] = {"log": [], "go": where}
    app.run()
    assert "marked" not in sent(app), "the marked ones stand in the way"
    assert app.query_params.get("verdict") == verdict


def test_what_was_skipped_again_comes_each_time_it_is_asked_for(desk, tiny):
    score(tiny)
    skipped = set(range(3, 23))  # more than are sent at a time
    recording.record(tiny, "reviewer A", [press(row, "skip", f"b{row}") for row in skipped])
    app = desk("review")
    log, views = [], []
    for time in range(2):
        app.session_state["review_clear"] = app.session_state["review_waits"] = True  # L
        app.run()
        views.append(sent(app)["view"])  # another view: the browser forgets what was answered
        came = set()
        while rows := {each["row"] for each in sent(app)["items"]}:
            assert not came & rows
            came |= rows
            log = [*log, *(press(row, "skip", f"s{time}-{row}") for row in rows)]
            app.session_state[key(tiny)] = {"log": log}
            app.run()
        assert came == skipped
    assert len(set(views)) == 2


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
    assert auditing.errors_left(tiny, fresh=True).audits == 1


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
