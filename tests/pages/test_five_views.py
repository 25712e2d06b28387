"""Five views on Compare, without a browser: what is held back, what is walked through."""

import json

import numpy as np
import pytest

from lnl_core.store import arrays, datasets, decisions
from lnl_core.types import Action, Decision
from tests import five


@pytest.fixture
def seen(tiny):
    five.score(tiny)
    return tiny


def shown(app):
    """What the panel on the page got; an empty text without one."""
    return "".join(
        json.loads(element.proto.json)["html"]
        for element in app.get("bidi_component")
        if element.proto.component_name == "lnl_panel"
    )


def opened(desk, info, row, **query):
    return desk("compare", dataset=info.name, view="five", id=datasets.load(info).ids[row], **query)


def test_nothing_is_told_before_the_answer(desk, seen, texts):
    app = opened(desk, seen, 0)
    assert not app.exception
    assert shown(app) == ""
    assert "You have not answered this image yet" in texts(app)
    app.button(key="five_show").click().run()
    assert "column" in shown(app)
    assert "expects" in shown(app)


def test_an_answer_opens_its_image(desk, workspace, seen):
    decision = Decision(row=0, action=Action.KEEP, reviewer="reviewer A", cid="c1")
    decisions.append(seen, [decision])
    assert "column" in shown(opened(desk, seen, 0))
    assert shown(opened(desk, seen, 3)) == ""


def test_assisted_mode_holds_nothing_back(desk, seen):
    app = desk("review", dataset=seen.name)
    app.selectbox(key="review_mode").select("assisted").run()
    app.query_params["view"] = "five"
    app.switch_page("compare.py").run()
    assert "column" in shown(app)


def test_an_answer_after_a_look_says_so(desk, seen):
    app = opened(desk, seen, 0)
    app.button(key="five_show").click().run()
    app.switch_page("review.py").run()
    key = f"review-single-{seen.id}-reviewer A"
    entries = [
        {"cid": f"c{row}", "row": row, "action": "keep", "ms": 900, "mode": "commit"}
        for row in (0, 6)
    ]
    app.session_state[key] = {"log": entries}
    app.run()
    kept = decisions.in_force(seen)
    assert kept[0][0].revealed
    assert not kept[6][0].revealed


def test_the_buttons_walk_through_a_list_and_the_address_follows(desk, seen):
    app = desk("compare", dataset=seen.name, view="five")
    app.button(key="five_show").click().run()
    ids = [str(each) for each in datasets.load(seen).ids]
    app.selectbox(key=f"five_list_{seen.id}").select("SR").run()
    assert app.query_params["id"] in (ids[1], [ids[1]])
    assert "Only SR expects another class" in shown(app)
    app.selectbox(key=f"five_list_{seen.id}").select("all").run()
    first = app.query_params["id"]
    app.button(key="five_step_1").click().run()
    assert app.query_params["id"] != first
    app.button(key="five_step_-1").click().run()
    assert app.query_params["id"] == first


def test_images_that_no_list_can_hold_are_counted_beside_the_lists(desk, seen):
    told = np.zeros(seen.n, bool)
    told[[1, 2]] = True
    arrays.write_array(seen.directory / "runs" / str(five.RUNS["sr"]) / "trusted.npy", told)
    app = desk("compare", dataset=seen.name, view="five")
    words = "2 images are in none of these lists: one of the methods was told the answer"
    assert any(each.value.startswith(words) for each in app.caption)


def test_a_link_that_names_nothing_says_so(desk, seen):
    app = desk("compare", dataset=seen.name, view="five", id="no such image")
    assert not app.exception
    assert any("no such image" in each.value for each in app.toast)


def test_people_s_text_is_escaped(desk, hostile):
    five.score(hostile)
    app = desk("compare", dataset=hostile.name, view="five")
    app.button(key="five_show").click().run()
    html = shown(app)
    assert "<b>bold</b> :tada:" not in html
    assert "&lt;b&gt;bold&lt;/b&gt;" in html


def test_presenting_is_in_the_address_and_enlarges(desk, seen):
    app = opened(desk, seen, 0, present="1")
    app.button(key="five_show").click().run()
    assert 'class="fv large"' in shown(app)
    app.button(key="present").click().run()
    assert "present" not in app.query_params
    assert 'class="fv"' in shown(app)


def test_numbers_in_the_panel_are_the_runs(desk, seen):
    app = opened(desk, seen, 0)
    app.button(key="five_show").click().run()
    probs = five.score(seen)["sr"].pred_probs[0]
    given = int(np.asarray(datasets.load(seen).given_labels)[0])
    assert f"{probs[given]:.2f}" in shown(app)
