"""Explore without a browser: every state, what the map is sent, loops, links to the queue."""

import json
from dataclasses import replace

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from lnl_core.jobs import queue
from lnl_core.jobs.tasks import embedding
from lnl_core.review import transition
from lnl_core.services.datasets import settings
from lnl_core.services.explore import embedding as exploring
from lnl_core.services.explore import filters, selections
from lnl_core.services.review import saved
from lnl_core.store import arrays, datasets, decisions
from lnl_core.types import Action, Decision, JobState, LnlError, Signals
from pages import _routes, _urls
from pages._explore import addressed, routes
from pages._words import sentence
from tests.conftest import write_dataset

SETTINGS = exploring.Settings("raw")
EVERYTHING = [[0, 0], [1, 0], [1, 1], [0, 1]]


@pytest.fixture
def mapped(ranked):
    """A scored set whose map is a row of points, image 0 at the left."""
    positions = np.stack([np.arange(60), np.arange(60) % 7], axis=1)
    path = embedding.place(ranked, exploring.key_of(ranked, SETTINGS))
    arrays.write_array(path, positions.astype(np.float32))
    facts = SETTINGS.as_dict() | {"n": 60, "fitted": 60, "seconds": 1.0}
    arrays.write_json(path.with_suffix(".json"), facts)
    signals = Signals("knn", np.linspace(0, 1, 60))
    arrays.save_signals(ranked.directory / "runs" / "1", signals)
    return ranked


def said(text):
    """Text as it is read: without escapes and invisible joiners."""
    return text.replace("\\", "").replace("\u2060", "")


def sent(app, name="lnl_explore_map"):
    """What a component on the page got."""
    found = [
        json.loads(element.proto.json)
        for element in app.get("bidi_component")
        if element.proto.component_name == name
    ]
    return found[0] if found else None


def draw(app, info, points, number=1):
    app.session_state[f"explore-map-{info.id}"] = {"loop": {"id": number, "points": points}}
    return app.run()


def queue_sent(app):
    (found,) = [
        json.loads(element.proto.json)
        for element in app.get("bidi_component")
        if element.proto.component_name == "lnl_review_queue"
    ]
    return found


def test_without_a_map_one_button_starts_it(desk, workspace, ranked, no_worker, texts):
    app = desk("explore")
    assert not app.exception
    assert "No map yet. Laying out 60 images takes about" in texts(app)
    app = app.button(key="explore_start").click().run()
    assert not app.exception
    (job,) = queue.jobs(ranked, tasks=True)
    assert dict(job.config) == SETTINGS.as_dict()
    app.run()
    assert any("Laying out 60 images" in element.proto.text for element in app.get("progress"))
    queue.claim(workspace, lane=queue.TASKS)
    queue.finish(workspace, job.id, JobState.FAILED, error="No *room* left.")
    app.run()
    assert "No \\*room\\* left" in texts(app)
    assert app.button(key="explore_start").label == "Try again"


def test_without_a_run_the_map_waits_for_none(desk, tiny, texts):
    app = desk("explore")
    assert not app.exception
    assert "Comes with the first run." in texts(app)
    assert app.button(key="explore_score")
    assert app.segmented_control(key="explore_colour").options == ["Given", "Verdict"]


def test_while_a_run_is_underway_nobody_is_asked_to_start_one(desk, tiny, no_worker, texts):
    queue.submit(tiny, "knn")
    app = desk("explore")
    assert not app.exception
    assert "Scoring now. Comes with the first finished run." in texts(app)
    assert not [button for button in app.button if button.key == "explore_score"]


def test_one_class_and_very_few_images_are_told(desk, workspace, texts, tmp_path):
    folder = tmp_path / "few"
    write_dataset(folder, np.zeros((3, 8, 8, 1), np.uint8), np.zeros(3, np.int32), ("only",))
    datasets.register(workspace, "few", folder)
    app = desk("explore")
    assert not app.exception
    assert "A map needs at least 5 images. This set has 3 images." in texts(app)
    assert "With one class, no image can be given as another." in texts(app)


def test_the_map_gets_addresses_and_no_points(desk, mapped):
    app = desk("explore")
    assert not app.exception
    data = sent(app)
    assert data["points"].startswith(f"/lnl/map/{mapped.id}/")
    assert len(json.dumps(data)) < 4000
    assert [entry["name"] for entry in data["legend"]] == ["above 0.5", "0.25–0.5", "below"]
    assert {each["name"] for each in data["names"]} == set(mapped.class_names)
    before = data["codes"]
    app = app.segmented_control(key="explore_colour").set_value("verdict").run()
    assert sent(app)["codes"] != before
    assert sent(app)["mode"] == "verdict"


def test_a_loop_is_answered_in_words_and_goes_to_the_queue(desk, mapped, texts):
    app = draw(desk("explore"), mapped, EVERYTHING)
    assert not app.exception
    assert "60 selected, 3 suspected, mostly bar → belt" in said(texts(app))
    assert app.button(key="explore_secondary").label == "All 60"
    app = app.button(key="explore_primary").click().run()
    assert not app.exception
    name = app.query_params["selection"]
    name = name[0] if isinstance(name, list) else name
    assert selections.selection_rows(mapped, name).tolist() == [3, 25, 47]
    shared = desk("review", dataset=mapped.name, selection=name)
    assert {item["row"] for item in queue_sent(shared)["items"]} == {3, 25, 47}
    left = shared.button(key="review_leave_selection").click().run()
    assert len(queue_sent(left)["items"]) > 3


def test_an_empty_loop_and_a_broken_one_are_told(desk, mapped, texts):
    app = draw(desk("explore"), mapped, [[0, 0], [0.001, 0], [0, 0.001]])
    assert "No image inside. Draw a wider loop." in said(texts(app))
    for number, points in enumerate(([[1, 2]], [["x", 1]] * 4, [[0.5] * 2] * 9999), start=2):
        app = draw(app, mapped, points, number)
        assert not app.exception
        assert "selected" not in texts(app)
    app = draw(app, mapped, EVERYTHING, 9)
    app = app.button(key="explore_clear").click().run()
    assert "selected" not in texts(app)
    assert sent(app)["loop"] is None


def test_a_click_shows_neighbours_with_a_sentence_each(desk, workspace, mapped):
    app = desk("explore")
    app.session_state[f"explore-map-{mapped.id}"] = {"chosen": {"id": 1, "row": 3}}
    app.run()
    assert not app.exception
    near = sent(app, "lnl_explore_neighbours")
    assert near["chosen"]["row"] == 3
    assert [group["is"] for group in near["groups"]] == ["given", "suggested"]
    first = near["groups"][0]["images"][0]["row"]
    decisions.append(mapped, [Decision(first, Action.KEEP, "Ada")])
    near = sent(app.run(), "lnl_explore_neighbours")
    sentences = [image["sentence"] for group in near["groups"] for image in group["images"]]
    assert "Labelled belt, and Ada says that is right." in sentences
    assert all(words.startswith("Labelled ") for words in sentences)
    assert sent(app)["chosen"] == 3
    for wrong in ("x", -1, 60, None):
        app.session_state[f"explore-map-{mapped.id}"] = {"chosen": {"id": 2, "row": wrong}}
        app.run()
        assert not app.exception


def test_a_largest_confusion_opens_its_queue(desk, mapped, workspace):
    given = np.asarray(datasets.load(mapped).given_labels)
    ranking, runs = arrays.load_ranking(mapped.directory / "ranking")
    joint = np.array([[12.0, 8, 0], [0, 20, 0], [0, 0, 20]])
    p_wrong = np.where((given == 0) & (np.arange(60) < 12), 0.9, 0.02)
    changed = replace(
        ranking, p_wrong=p_wrong, transition_matrix=transition.transition_matrix(joint)
    )
    arrays.save_ranking(mapped.directory / "ranking", changed, runs)
    app = desk("explore")
    assert not app.exception
    button = app.button(key="explore_pair_0_1")
    assert "8 (95" in button.label
    app = button.click().run()
    assert not app.exception
    assert app.selectbox(key="review_given").value == 0
    assert app.selectbox(key="review_suggested").value == 1


def test_two_classes_given_as_each_other_share_one_guide(desk, mapped):
    given = np.asarray(datasets.load(mapped).given_labels)
    ranking, runs = arrays.load_ranking(mapped.directory / "ranking")
    joint = np.array([[12.0, 8, 0], [7, 13, 0], [0, 0, 20]])
    p_wrong = np.where((given < 2) & (np.arange(60) % 20 < 12), 0.9, 0.02)
    changed = replace(
        ranking, p_wrong=p_wrong, transition_matrix=transition.transition_matrix(joint)
    )
    arrays.save_ranking(mapped.directory / "ranking", changed, runs)
    app = desk("explore")
    assert not app.error  # a part that stops says so there
    for key in ("explore_pair_0_1", "explore_pair_1_0"):
        assert app.button(key=key)
    guides = [form for form in app.get("form") if "guide" in form.proto.form.form_id]
    assert len(guides) == 1


def test_a_matrix_of_grey_cells_is_a_sentence_until_somebody_finds_an_error(desk, mapped, texts):
    app = desk("explore")
    cells = f"explore-cells-{mapped.id}"
    assert cells not in [str(each.proto.id).split("-", 2)[2] for each in app.get("plotly_chart")]
    assert "No class pair expects 5 wrong labels or more, and nobody has found one" in texts(app)
    given = np.asarray(datasets.load(mapped).given_labels)
    row = int(np.flatnonzero(given == 0)[0])
    decisions.append(mapped, [Decision(row, Action.RELABEL, "reviewer A", label=2, cid="one")])
    app = app.run()
    (drawn,) = [
        each for each in app.get("plotly_chart") if str(each.proto.id).split("-", 2)[2] == cells
    ]
    words = json.loads(drawn.proto.spec)["data"][1]["text"]
    assert [word for row in words for word in row if word] == ["1"]
    assert "nobody has found one" not in texts(app)


def test_names_that_attack_stay_text(desk, hostile, texts):
    app = desk("explore", dataset=hostile.name)
    assert not app.exception
    assert "<b>" not in texts(app)


@pytest.mark.parametrize(
    ("image", "words"),
    [
        ({"verdict": None}, "Labelled cat, no answer yet, p wrong 0.25."),
        ({"verdict": "relabel", "to": "dog"}, "Labelled cat, but Ada says dog."),
        ({"verdict": "none"}, "Labelled cat, but Ada says none fits."),
        ({"verdict": None, "waiting": True}, "Labelled cat, waits for a second reviewer."),
        ({"verdict": None, "split": True}, "Labelled cat, reviewers differ."),
    ],
)
def test_a_neighbour_says_label_and_verdict(image, words):
    usual = {"label": "cat", "by": "Ada", "to": None, "waiting": False, "split": False}
    assert sentence(usual | {"p_wrong": 0.25} | image) == words


def test_links_with_what_is_not_there_are_told_and_dropped(desk, mapped):
    app = desk("review", dataset=mapped.name, selection="0" * 12, given="9", suggested="<b>")
    assert not app.exception
    (said,) = [each.value for each in app.caption if "address" in each.value]
    assert all(word in said for word in ("selection", "“9”", "class"))
    assert app.selectbox(key="review_given").value is None
    assert not queue_sent(app)["filtered"]


# Addresses --------------------------------------------------------------------------------------


@pytest.fixture
def client(workspace, monkeypatch):
    monkeypatch.setenv("LNL_HOME", str(workspace.home))
    monkeypatch.delenv("LNL_DATABASE_URL", raising=False)
    app = Starlette(routes=routes.ROUTES, middleware=_routes.MIDDLEWARE)
    with TestClient(app, base_url="http://localhost") as opened:
        yield opened


def test_positions_and_colours_are_bytes_by_row(client, workspace, mapped):
    key = exploring.key_of(mapped, SETTINGS)
    answer = client.get(_urls.points_url(mapped.id, key))
    points = np.frombuffer(answer.content, "<u2").reshape(60, 2)
    assert points[0, 0] == points[:, 0].min()
    assert (np.diff(points[:, 0].astype(int)) > 0).all()
    assert "immutable" in answer.headers["cache-control"]
    version = exploring.colour_version(mapped, "suspicion", None)
    url = _urls.colours_url(mapped.id, version, "suspicion", None)
    codes = np.frombuffer(client.get(url).content, np.uint8)
    assert set(np.flatnonzero(codes & 15 == 2)) == {3, 25, 47}
    old = client.get(url.replace(version, "0" * 12))
    assert (old.content, old.headers["cache-control"]) == (codes.tobytes(), "no-store")
    facts = client.get(_urls.point_url(mapped.id).replace("{row}", "3")).json()
    assert (facts["given"], facts["p_wrong"]) == ("belt", 0.9)


@pytest.mark.parametrize(
    "address",
    [
        "/lnl/map/{id}/" + "0" * 16 + "/points",
        "/lnl/map/99/{key}/points",
        "/lnl/map/{id}/..%2f..%2fmeta/points",
        "/lnl/map/{id}/colours/size/all/" + "0" * 12,
        "/lnl/map/{id}/colours/suspicion/gone/" + "0" * 12,
        "/lnl/map/{id}/colours/suspicion/all/x",
        "/lnl/map/{id}/point/60",
        "/lnl/map/99999999999999999999/point/1",
        "/elsewhere/lnl/map/{id}/point/1",
    ],
)
def test_any_other_address_is_not_found(client, mapped, address):
    url = address.format(id=mapped.id, key=exploring.key_of(mapped, SETTINGS))
    assert client.get(url, follow_redirects=False).status_code == 404


def test_other_sites_are_refused(client, mapped):
    url = _urls.point_url(mapped.id).replace("{row}", "3")
    for headers in ({"sec-fetch-site": "cross-site"}, {"origin": "http://evil.example"}):
        assert client.get(url, headers=headers).status_code == 403


def test_filters_narrow_what_is_drawn_and_what_a_loop_selects(desk, mapped, client, texts):
    app = draw(desk("explore"), mapped, EVERYTHING)
    whole = sent(app)
    given = np.asarray(datasets.load(mapped).given_labels)
    app.multiselect(key=f"explore_given_{mapped.id}").set_value([1]).run()
    assert not app.exception
    found = sent(app)
    assert found["subtitle"] == f"{(given == 1).sum()} of 60 images, filtered"
    assert found["codes"] != whole["codes"]
    codes = np.frombuffer(client.get(found["codes"]).content, np.uint8)
    assert np.array_equal(codes < 64, given == 1)
    assert f"{(given == 1).sum()} selected" in said(texts(app))
    app.button_group(key=f"explore_levels_{mapped.id}").set_value([2]).run()
    suspected = np.asarray(arrays.load_ranking(mapped.directory / "ranking")[0].p_wrong) >= 0.5
    codes = np.frombuffer(client.get(sent(app)["codes"]).content, np.uint8)
    assert np.array_equal(codes < 64, (given == 1) & suspected)
    app.button(key="explore_all").click().run()
    assert sent(app)["codes"] == whole["codes"]
    assert sent(app)["subtitle"] == whole["subtitle"]


def test_a_filter_of_verdicts_follows_the_answers(workspace, mapped):
    narrow = filters.Narrow(verdicts=(1,))
    assert filters.from_text(narrow.as_text(), None) == narrow
    before = filters.colouring(mapped, "given", None, narrow)
    assert (before.codes >= 64).all()
    decisions.append(mapped, [Decision(row=7, action=Action.KEEP, reviewer="ann")])
    after = filters.colouring(mapped, "given", None, narrow)
    assert np.flatnonzero(after.codes < 64).tolist() == [7]
    assert after.version != before.version
    assert sum(number for *_, number in after.legend) == 1


@pytest.mark.parametrize(
    "text", ["g", "x1", "g1..2", "g1-s2", "_t1", "_t", "_x61", "g" + "1." * 3000 + "1"]
)
def test_a_filter_that_nobody_wrote_is_refused(text):
    with pytest.raises(LnlError, match="cannot be read"):
        filters.from_text(text, None)


def test_a_pair_says_what_people_disagree_on_and_asks_for_its_guide(desk, ranked, texts):
    given = np.asarray(datasets.load(ranked).given_labels)
    for row in map(int, np.flatnonzero(given == 0)[:3]):
        for who, action, label in (("ann", Action.KEEP, None), ("bob", Action.RELABEL, 1)):
            decisions.append(ranked, [Decision(row, action, who, label, suggested_label=1)])
    app = desk("explore", dataset=ranked.name)
    assert not app.exception
    assert "3 are answered differently by two people" in texts(app)
    assert "People disagree on where bar ends and belt begins" in texts(app)
    fields = {each.label: each for each in app.text_area}
    assert list(fields) == [
        "What belongs to bar, and what does not",
        "What belongs to belt, and what does not",
    ]
    settings.set_guides(ranked, {"base": "stays"})
    fields["What belongs to bar, and what does not"].set_value("long and thin")
    next(each for each in app.button if each.label == "Save the guide").click().run()
    assert settings.guides(ranked) == {"bar": "long and thin", "base": "stays"}


def test_every_filter_of_the_map_is_in_the_address_and_read_from_it(desk, mapped, client):
    decisions.append(mapped, [Decision(row, Action.KEEP, "ann") for row in (3, 4, 25)])
    app = desk("explore")
    app.multiselect(key=f"explore_given_{mapped.id}").set_value([1, 2]).run()
    app.button_group(key=f"explore_verdicts_{mapped.id}").set_value([1]).run()
    app.selectbox(key=f"explore_who_{mapped.id}").select("ann").run()
    assert not app.exception
    assert app.query_params["given"] == ["1", "2"]
    assert app.query_params["verdict"] in ("keep", ["keep"])
    assert app.query_params["by"] in ("ann", ["ann"])
    asked = dict(app.query_params)
    link = desk("explore", **asked)
    assert link.multiselect(key=f"explore_given_{mapped.id}").value == [1, 2]
    assert sent(link)["subtitle"] == sent(app)["subtitle"]
    codes = np.frombuffer(client.get(sent(link)["codes"]).content, np.uint8)
    given = np.asarray(datasets.load(mapped).given_labels)
    assert np.flatnonzero(codes < 64).tolist() == [row for row in (3, 4, 25) if given[row]]
    link.button(key="explore_all").click().run()
    assert not {"given", "verdict", "by"} & set(link.query_params)
    assert link.selectbox(key=f"explore_who_{mapped.id}").value is None


def test_the_map_draws_what_a_method_calls_wrong_and_what_a_path_holds(desk, mapped, client):
    method = next(iter(arrays.load_ranking(mapped.directory / "ranking")[1]))
    app = desk("explore", by_method=method, path="0003")
    assert not app.exception
    signals = arrays.load_signals(
        mapped.directory
        / "runs"
        / str(arrays.load_ranking(mapped.directory / "ranking")[1][method])
    )
    wrong = np.asarray(signals.suspicion) > 0.5
    ids = np.array(["0003" in str(each) for each in datasets.load(mapped).ids])
    codes = np.frombuffer(client.get(sent(app)["codes"]).content, np.uint8)
    assert np.array_equal(codes < 64, wrong & ids)
    assert ids.any()


def test_every_value_of_a_filter_has_a_word_in_the_address(mapped):
    for name, shown in (("levels", filters.LEVEL_NAMES), ("verdicts", filters.VERDICT_NAMES)):
        words = addressed.words(mapped, name)
        assert len(words) == len(set(words)) == len(shown)


def test_a_link_keeps_whose_suspicion_is_filtered(desk, mapped, texts):
    method = next(iter(arrays.load_ranking(mapped.directory / "ranking")[1]))
    app = desk("explore", p="high", of=method)
    assert app.selectbox(key=f"explore_method_{mapped.id}").value == method
    assert app.query_params["of"] in (method, [method])
    app = desk("explore", colour="given", p="nonsense", given="99", by="nobody")
    assert not app.exception
    assert app.query_params["colour"] in ("given", ["given"])
    assert not {"p", "given", "by"} & set(app.query_params)
    assert all(word in texts(app) for word in ("“nonsense”", "“99”", "“nobody”"))


def test_the_map_takes_a_range_of_chances_and_says_how_many_it_draws(desk, client, mapped, texts):
    p = np.asarray(arrays.load_ranking(mapped.directory / "ranking")[0].p_wrong)
    middle = round(float(np.median(p)), 4)
    app = desk("explore", p=["high", f"{middle}-"])
    assert not app.exception
    assert set(app.query_params["p"]) == {"high", f"{middle}-"}
    assert f"**{((p >= 0.5) & (p >= middle)).sum()}** of {mapped.n} image" in texts(app)
    app.pills(key=f"explore_levels_{mapped.id}").set_value([]).run()
    codes = np.frombuffer(client.get(sent(app)["codes"]).content, np.uint8)
    assert np.array_equal(codes < 64, p >= middle)
    app.button(key="explore_all").click().run()
    assert "p" not in app.query_params


def test_a_filter_of_a_link_is_told_to_fields_that_are_opened_later(desk, mapped):
    """The browser draws a popover's fields when it opens: it knows what the last run told it."""
    app = desk("explore", given="1", p="0.2-0.7", path="00")
    app.run()
    for field in (
        app.multiselect(key=f"explore_given_{mapped.id}"),
        app.number_input(key=f"explore_low_{mapped.id}"),
        app.text_input(key=f"explore_path_{mapped.id}"),
    ):
        assert field.proto.set_value


def test_what_review_saved_the_map_opens(desk, mapped):
    saved.save(mapped, "belts", {"given": ["1"], "p": ["high"]})
    saved.save(mapped, "again", {"given": ["1"], "again": ["1"]})
    saved.save(mapped, "skipped", {"verdict": ["skip"]})
    app = desk("explore", verdict="keep")
    there = app.selectbox(key=f"explore_saved_{mapped.id}")
    assert there.options == ["belts"]
    there.select("belts").run()
    assert app.multiselect(key=f"explore_given_{mapped.id}").value == [1]
    assert "verdict" not in app.query_params
    assert app.selectbox(key=f"explore_saved_{mapped.id}").value == "belts"
    app.multiselect(key=f"explore_given_{mapped.id}").set_value([0, 1]).run()
    assert app.selectbox(key=f"explore_saved_{mapped.id}").value is None
    app.text_input(key=f"explore_saved_name_{mapped.id}").set_value("two").run()
    app.button(key="explore_filter_save").click().run()
    assert [each.query["given"] for each in saved.saved(mapped) if each.name == "two"] == [
        ["0", "1"]
    ]


def test_a_loop_among_one_suggestion_is_not_reviewed_in_commit_first(desk, mapped):
    app = desk("explore", suggested=["0", "1", "2"])
    app = draw(app, mapped, EVERYTHING)
    app.button(key="explore_primary").click().run()
    assert queue_sent(app)["mode"] == "assisted"
    assert app.query_params["chosen_by"] in ("suggestion", ["suggestion"])
