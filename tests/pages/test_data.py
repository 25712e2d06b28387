import csv
import json
import os
import re
import shutil
from html import escape
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from lnl_core.data import digits
from lnl_core.jobs import outcome, queue
from lnl_core.services.datasets import catalog, incoming, settings
from lnl_core.services.datasets.catalog import DIGITS, PHOTOGRAPHS
from lnl_core.services.review import advising, goals
from lnl_core.services.runs import recipes
from lnl_core.store import arrays, datasets
from lnl_core.store.processes import process_started
from pages import _ui
from pages._words import short
from tests.pages.conftest import EVIL_NAME
from tests.services.review.test_auditing import Reviewer, make


def test_one_card_per_set_last_used_first_and_the_demo_one_press_away(
    desk, workspace, ranked, hostile
):
    datasets.touch(ranked)
    app = desk()
    assert not app.exception
    html = "".join(each.proto.body for each in app.get("html"))
    assert app.header[0].value == PHOTOGRAPHS  # beside its badge: the first of all by itself
    cards = re.findall(r"<h2 [^>]*>(.*?)</h2>", html)
    assert cards == ["tiny", escape(short(EVIL_NAME, 26)), DIGITS]
    assert f'title="{escape(EVIL_NAME)}"' in html
    assert "<img src=x>" not in html
    primary = [button.label for button in app.button if button.proto.type == "primary"]
    assert primary == ["Start review"]


def test_a_set_without_runs_offers_to_score_it(desk, tiny, texts):
    app = desk()
    assert not app.exception
    assert "Not scored yet." in texts(app)
    assert app.button(key=f"score_{tiny.id}").proto.type == "primary"


def test_the_report_says_what_was_skipped(desk, tiny, texts):
    rows = [
        {"row": 4, "where": "a.jpg", "reason": "cannot be read *x*", "remedy": "re-export"},
        {"row": 5, "where": "b.jpg", "reason": "cannot be read *x*", "remedy": "re-export"},
        {"row": None, "where": "c", "reason": "larger than 90 megapixels", "remedy": "shrink"},
    ]
    pq.write_table(pa.Table.from_pylist(rows), tiny.directory / "skipped.parquet")
    app = desk()
    assert not app.exception
    table = app.table[0].value
    assert list(table["count"]) == [2, 1]
    assert table["why"][0].startswith("**cannot be read \\*x\\***")
    app.session_state["data_tab"] = "Import report"
    app.run()
    assert not app.exception
    assert len(app.dataframe[0].value) == 3


def test_repaired_files_come_in_with_a_second_import_under_a_free_name(
    desk, workspace, tmp_path, texts
):
    for number in range(4):
        Image.new("RGB", (12, 12), (60 * number, 0, 0)).save(
            folder_of(tmp_path / "birds" / "ab"[number % 2]) / f"{number}.png"
        )
    (tmp_path / "birds" / "a" / "broken.png").write_bytes(b"")
    catalog.import_dataset(workspace, tmp_path / "birds", "birds 2")
    app = desk()
    app.session_state["data_tab"] = "Import report"
    app.run()
    assert "answers follow by what the" in texts(app)
    assert list(app.dataframe[0].value.columns) == ["where", "reason", "remedy"]
    app.button(key="again_tab").click().run()
    assert not app.exception
    assert app.text_input(key="path_folder").value == str(tmp_path / "birds")
    assert app.text_input(key="name_folder_birds").value == "birds 3"
    shutil.rmtree(tmp_path / "birds")
    app = desk()
    assert not app.exception
    assert all(button.label != "Import again" for button in app.button)


def folder_of(path):
    path.mkdir(parents=True, exist_ok=True)
    return path


def test_the_noise_lab_makes_a_copy_with_known_truth(desk, workspace, tiny):
    app = desk(dataset="tiny")
    app.session_state["data_tab"] = "Noise lab"
    app.run()
    app.text_input(key=f"noise_name_{tiny.id}").set_value("tiny, noisy")
    app.slider(key="noise_rate").set_value(30)
    button = next(b for b in app.button if b.label == "Make the copy")
    button.click().run()
    assert not app.exception
    made = datasets.load(datasets.dataset(workspace, "tiny, noisy"))
    changed = np.asarray(made.given_labels) != np.asarray(made.true_labels)
    assert changed.sum() == 18
    assert app.session_state["dataset"] == "tiny, noisy"


def test_a_copy_without_a_name_is_called_what_it_is(desk, workspace, tiny):
    app = desk(dataset="tiny")
    app.session_state["data_tab"] = "Noise lab"
    app.run()
    app.slider(key="noise_rate").set_value(40)
    next(b for b in app.button if b.label == "Make the copy").click().run()
    assert {each.name for each in datasets.datasets(workspace)} == {"tiny", "tiny, 40 % noise"}


def test_a_copy_under_a_taken_name_is_refused_where_it_is_seen(desk, workspace, tiny):
    app = desk(dataset="tiny")
    app.session_state["data_tab"] = "Noise lab"
    app.run()
    app.text_input(key=f"noise_name_{tiny.id}").set_value("tiny")
    next(b for b in app.button if b.label == "Make the copy").click().run()
    assert not app.exception
    assert "“tiny” already" in app.toast[0].value
    assert [info.name for info in datasets.datasets(workspace)] == ["tiny"]


def test_the_goal_is_stored_and_changed_in_words(desk, workspace, tiny, texts):
    app = desk(dataset="tiny")
    app.session_state["data_tab"] = "Settings"
    app.run()
    app.number_input(key=f"goal_{tiny.id}").set_value(20)
    next(b for b in app.button if b.label == "Save the goal").click().run()
    assert not app.exception
    assert settings.goal(tiny) == 20
    app.radio(key=f"goal_kind_{tiny.id}").set_value("seconds").run()
    app.number_input(key=f"goal_seconds_{tiny.id}").set_value(90)
    next(b for b in app.button if b.label == "Save the goal").click().run()
    assert goals.goal_set(tiny).value == 5400
    assert "until 1 h 30 min are spent, set by" in texts(app)
    app.radio(key=f"goal_kind_{tiny.id}").set_value("recall").run()
    assert next(b for b in app.button if b.label == "Save the goal").disabled  # nothing is scored


def test_the_goal_that_fits_the_set_is_said_with_what_it_takes(desk, workspace, tmp_path, texts):
    """Of 150 images some 22 are wrong: a sample of 60 wrong ones is not to be had."""
    info = make(workspace, tmp_path, 150)
    app = desk(dataset=info.name)
    app.session_state["data_tab"] = "Settings"
    app.run()
    best = advising.advised(info)
    assert f"Fits this set: **{goals.words('left', best.value)}**" in texts(app)
    assert f"About {best.outlook.reviews} of 150 images" in texts(app)
    app.radio(key=f"goal_kind_{info.id}").set_value("recall").run()
    assert "It cannot pay off here: its sample needs 60 wrong labels" in texts(app)
    app.radio(key=f"goal_kind_{info.id}").set_value("reviews").run()
    assert app.number_input(key=f"goal_reviews_{info.id}").max == 150
    app.radio(key=f"goal_kind_{info.id}").set_value("seconds").run()
    assert app.number_input(key=f"goal_seconds_{info.id}").value == 10  # 150 images at 4 s
    assert "About 150 images, at 4 s an answer" in texts(app)


def test_every_tab_stands_for_hostile_names(desk, hostile, texts):
    app = desk(dataset=hostile.name)
    for name in ("Overview", "Import report", "Noise lab", "Classes and guide", "Settings"):
        app.session_state["data_tab"] = name
        app.run()
        assert not app.exception
        assert "<b>bold" not in texts(app)
        assert "![x]" not in texts(app)


def test_a_hostile_class_stays_text_in_the_chart(desk, hostile):
    app = desk(dataset=hostile.name)
    figure = json.loads(app.get("plotly_chart")[0].proto.spec)
    names = figure["layout"]["yaxis"]["ticktext"]
    assert names[1] == "&lt;b&gt;bold&lt;/b&gt;…$x^2$"


def test_exactly_four_of_the_shown_photographs_are_wrong():
    tiles = json.loads((_ui.ASSETS / "demo_clothing.json").read_text())
    with (_ui.ASSETS / "clothing" / "list.csv").open(newline="") as file:
        listed = {row["image"]: row for row in csv.DictReader(file)}
    rows = [listed[tile["file"]] for tile in tiles]
    assert [tile["label"] for tile in tiles] == [row["label"] for row in rows]
    assert sorted(row["verdict"] for row in rows) == ["right"] * 8 + ["wrong"] * 4


def test_the_shown_digits_carry_their_labels():
    tiles = json.loads((_ui.ASSETS / "demo_digits.json").read_text())
    rows = [tile["row"] for tile in tiles]
    assert [tile["label"] for tile in tiles] == digits.digits().given_labels[rows].tolist()
    assert all((Path(_ui.ASSETS) / "demo" / tile["file"]).is_file() for tile in tiles)


def test_removing_a_set_leaves_the_others(desk, workspace, tiny, hostile):
    catalog.remove_dataset(tiny)
    app = desk(dataset="tiny")
    assert not app.exception
    assert app.selectbox(key="dataset_select").value == hostile.name


def test_one_press_registers_the_demo_and_starts_its_scoring(desk, workspace, no_worker, texts):
    app = desk()
    app.button(key="demo").click().run()
    assert not app.exception
    info = datasets.dataset(workspace, PHOTOGRAPHS)
    assert info.n == 600
    started = [outcome.key(job, info) for job in queue.jobs(info)][::-1]
    assert started == ["probe", "jump@pretrained", "finetune"]
    assert app.session_state["dataset"] == PHOTOGRAPHS
    assert [each.value for each in app.title] == ["Review"]  # where the queue opens by itself
    assert any("First queue in about" in each.proto.text for each in app.get("progress"))
    assert "Probe: starting. 2 more methods after it." in texts(app)


def test_the_empty_pages_lead_to_the_demo(desk, workspace, no_worker):
    app = desk("export")
    next(b for b in app.button if b.label == "Open the demo").click().run()
    assert not app.exception
    assert [info.name for info in datasets.datasets(workspace)] == [PHOTOGRAPHS]


def test_the_digits_are_one_press_away_too(desk, workspace, no_worker):
    app = desk()
    app.button(key="digits").click().run()
    assert not app.exception
    (info,) = datasets.datasets(workspace)
    assert (info.name, info.n, info.has_truth) == (DIGITS, 1797, True)
    assert queue.jobs(info)


def waiting_import(workspace, **values):
    """An import that this very process reads."""
    own = {"pid": os.getpid(), "pid_started": process_started(os.getpid())}
    file = workspace.home / "imports" / "abc.json"
    file.parent.mkdir(exist_ok=True)
    told = {"name": "birds", "shown": "birds", "state": "reading", "started": 0, "started_at": ""}
    arrays.write_json(file, told | own | values)


def test_without_data_the_first_page_says_what_goes_on(desk, workspace, texts):
    waiting_import(workspace, done=120, total=300, skipped=2, score=True)
    app = desk("data")
    app.session_state["opening"] = "birds"
    app.run()
    assert not app.exception
    assert "Opening birds" in texts(app)
    (bar,) = app.get("progress")
    assert "120 of 300 read, 2 skipped" in bar.proto.text
    assert [b.label for b in app.button if b.proto.type == "primary"] == []
    app.button(key="stay").click().run()
    assert any(b.label == "Open the demo" for b in app.button)


ONCE = """
import streamlit as st
from pages._data import arriving
first = not st.session_state.get("been")
st.session_state["been"] = True
arriving._imports(first)
"""


@pytest.mark.parametrize("mine", [True, False])
def test_an_import_that_ends_moves_only_the_browser_that_started_it(workspace, monkeypatch, mine):
    monkeypatch.setenv("LNL_HOME", str(workspace.home))
    monkeypatch.delenv("LNL_DATABASE_URL", raising=False)
    waiting_import(workspace, name="other", state="done", imported=9)
    app = AppTest.from_string(ONCE, default_timeout=60)
    app.session_state["dataset"] = "tiny"
    app.session_state["imports_started"] = {"abc" if mine else "another"}
    app.run()
    assert not app.exception
    assert app.session_state["dataset"] == ("other" if mine else "tiny")


def test_the_way_leads_to_review_when_the_set_is_in(desk, workspace, tiny, no_worker, texts):
    waiting_import(workspace, name="tiny", state="done", imported=60, score=True)
    recipes.start_scoring(tiny)
    app = desk("data")
    app.session_state["opening"] = "tiny"
    app.run()
    assert not app.exception
    assert [each.value for each in app.title] == ["Review"]
    assert any("First queue" in each.proto.text for each in app.get("progress"))
    assert incoming.imports(workspace) == []  # nothing in its report to read


def test_why_a_set_that_came_in_was_not_scored_is_said(desk, workspace, tiny, texts):
    waiting_import(
        workspace, name="tiny", state="done", imported=60, score=True, message="No worker *came*."
    )
    app = desk("data")
    assert "It could not be scored: No worker \\*came\\*" in texts(app)
    assert any(b.label == "Score it" for b in app.button)


def test_a_set_that_is_being_scored_leads_to_where_its_queue_opens(desk, tiny, no_worker, texts):
    recipes.start_scoring(tiny)
    app = desk()
    app.button(key=f"wait_{tiny.id}").click().run()
    assert not app.exception
    assert "Scoring 60 images" in texts(app)


def test_the_import_report_lists_copies_and_leads_to_their_queue(desk, ranked):
    first = np.arange(ranked.n, dtype=np.int32)
    first[[5, 30]] = 5  # a bar and a belt
    np.save(ranked.directory / datasets.COPIES, first)
    app = desk(dataset="tiny", data_tab="Import report")
    app.session_state["data_tab"] = "Import report"
    app.run()
    assert not app.exception
    assert "1 picture stored more than once" in [each.value for each in app.caption]
    (table,) = [each.value for each in app.dataframe if "times" in each.value]
    assert table["labels"].tolist() == ["bar 1, belt 1"]
    assert table["images"].tolist() == ["item-00005, item-00030"]
    assert "splits" not in table
    app.button(key="copies_labels").click().run()
    assert not app.exception


def test_a_set_whose_goal_is_reached_leads_to_export_and_back_to_review(desk, workspace, tmp_path):
    few = make(workspace, tmp_path, 20, name="few")

    def acts():
        page = desk()
        assert not page.exception
        known = {f"review_{few.id}", f"export_{few.id}", f"runs_{few.id}"}
        return [button.label for button in page.button if button.key in known]

    ann = Reviewer(workspace, few)
    ann.review(10)
    assert acts() == ["Continue review", "Runs"]
    ann.review(10)
    assert acts() == ["Export", "Review"]


def test_the_goal_dialog_says_as_of_when_and_that_all_is_hardly_more(
    desk, workspace, tmp_path, texts
):
    few = make(workspace, tmp_path, 60, name="few")
    ann = Reviewer(workspace, few)
    ann.review(4)
    app = desk("review", dataset="few")
    app.session_state["review_goal"] = True
    said = texts(app.run())
    assert not app.exception
    assert "nearly all of the 60 images left" in said
    assert "59 in all were expected when the review began" in said
    assert "As of 0 images reviewed, 4 now" in said
    assert "takes hardly longer than the usual goal" in said
    assert "60 images, about" in said
