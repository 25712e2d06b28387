"""Explore without a browser: every state, what the map is sent, loops, links to the queue."""

import json
from dataclasses import replace

import numpy as np
import pytest

from lnl_core.jobs import queue
from lnl_core.learning import feature_keys
from lnl_core.review import transition
from lnl_core.services.explore import embedding as exploring
from lnl_core.services.explore import selections
from lnl_core.store import arrays, datasets, decisions
from lnl_core.types import Action, Decision, JobState
from pages import _urls
from pages._words import sentence
from tests.conftest import write_dataset

SETTINGS = exploring.Settings("raw")
EVERYTHING = [[0, 0], [1, 0], [1, 1], [0, 1]]


def said(text):
    """Text as it is read: without escapes and invisible joiners."""
    return text.replace("\\", "").replace("\u2060", "")


def sent(app, name="lnl_explore_map"):
    """What a component on the page got."""
    found = [
        json.loads(element.proto.json)[0]
        for element in app.get("bidi_component")
        if element.proto.component_name == name
    ]
    return found[0] if found else None


def draw(app, info, points, number=1):
    app.session_state[f"explore-map-{info.id}"] = {"loop": {"id": number, "points": points}}
    return app.run()


def queue_sent(app):
    (found,) = [
        json.loads(element.proto.json)[0]
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


def test_a_map_of_features_that_changed_is_not_shown_and_a_new_one_is_offered(
    desk, workspace, mapped, no_worker, texts, monkeypatch
):
    monkeypatch.setitem(feature_keys.RECIPES, "raw", 99)
    app = desk("explore")
    assert not app.exception
    assert sent(app) is None
    assert "features were made by an earlier recipe. Laying out 60 images" in texts(app)
    app.button(key="explore_start").click().run()
    (job,) = queue.jobs(mapped, tasks=True)
    assert dict(job.config) == SETTINGS.as_dict()


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
    assert "60 images, 3 of them suspected, mostly bar → belt" in said(texts(app))
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
    assert button.label == "bar → belt: about 8"  # no random check stands behind an interval
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
    assert "a click filters" not in texts(app)  # there is nothing to click
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
