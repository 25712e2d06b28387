import re
import shlex

import numpy as np
import pytest

from lnl_core.services import in_force
from lnl_core.services.datasets import catalog, growing, settings
from lnl_core.services.review import certifying
from lnl_core.services.review.auditing import errors_left
from lnl_core.store import arrays, datasets, decisions
from lnl_core.types import Action, Decision, Signals
from tests.data.asking import put
from tests.data.making import encoded, picture
from tests.services.review.plans import accepted, birds
from tests.services.review.test_auditing import Reviewer, make

__all__ = ["birds"]


@pytest.fixture
def reviewed(workspace, ranked):
    """Two relabels, one none, one multiple, one keep, and one that waits for a second reviewer."""
    made = [
        Decision(3, Action.RELABEL, "Ada", label=0),
        Decision(25, Action.RELABEL, "Ada", label=1),
        Decision(47, Action.NONE, "Ada"),
        Decision(1, Action.MULTIPLE, "Ada", labels=(0, 2)),
        Decision(2, Action.KEEP, "Ada"),
        Decision(4, Action.UNSURE, "Ada"),
    ]
    decisions.append(ranked, made)
    return ranked


def save_run(info):
    """Store the files of the run behind the ranking."""
    probs = np.full((info.n, info.class_count), 1 / info.class_count)
    signals = Signals("knn", np.linspace(0, 1, info.n), probs)
    arrays.save_signals(info.directory / "runs" / "1", signals)


def test_without_corrections_it_leads_to_review(desk, ranked, texts):
    app = desk("export", dataset="tiny")
    assert not app.exception
    assert "No corrections yet." in texts(app)
    primary = [button.label for button in app.button if button.proto.type == "primary"]
    assert primary == ["Review"]


def numbers(app):
    """The figures above the table, as they are written."""
    (figures,) = [each.proto.body for each in app.get("html") if "<dl" in each.proto.body]
    return re.findall(r"line-height:1.75\">(.*?)</dd>", figures)


def test_counts_and_preview_agree_with_the_decisions(desk, reviewed, texts):
    app = desk("export", dataset="tiny")
    assert not app.exception
    assert numbers(app) == ["4", "2", "1", "1"]
    assert "1 decision waits for a second reviewer and is left out." in texts(app)
    assert "contradict" not in texts(app)
    table = app.dataframe[0].value
    assert list(table["id"]) == ["item-00001", "item-00003", "item-00025", "item-00047"]
    assert all(url.startswith(f"/lnl/img/{reviewed.id}/") for url in table["image"])


def test_contradictions_are_told_apart_from_what_waits(desk, reviewed, workspace, texts):
    decisions.append(reviewed, [Decision(3, Action.KEEP, "bo")])
    app = desk("export", dataset="tiny")
    said = texts(app)
    assert "1 decision waits for a second reviewer" in said
    assert "Settle on Team" in [each.label for each in app.button]
    assert "1 image on which reviewers contradict each other is left out." in said


def test_the_columns_named_are_those_of_the_file(desk, reviewed, texts):
    save_run(reviewed)
    app = desk("export", dataset="tiny")
    assert "`suspicion_knn`" in texts(app)
    app.checkbox(key="scores").uncheck().run()
    assert "`suspicion_knn`" not in texts(app)
    assert "`run_ids`" in texts(app)


def test_all_decisions_lists_every_answer(desk, reviewed):
    app = desk("export", dataset="tiny")
    app.radio(key="format").set_value("decisions").run()
    assert not app.exception
    assert numbers(app)[0] == "6"
    assert len(app.dataframe[0].value) == 6


def test_the_command_says_what_is_ticked(desk, workspace, hostile):
    decisions.append(hostile, [Decision(3, Action.RELABEL, "Ada", label=0)])
    app = desk("export", dataset=hostile.name)
    assert not app.exception
    words = shlex.split(app.code[0].value)
    assert words[:3] == ["lnl", "export", hostile.name]
    assert words[3:] == ["--format", "corrections", "--out", "corrections.csv"]
    app.checkbox(key="only_agreed").uncheck()
    app.checkbox(key="safe").uncheck()
    app.checkbox(key="scores").uncheck().run()
    assert shlex.split(app.code[0].value)[7:] == ["--all", "--no-scores", "--raw"]


def test_a_download_is_offered_only_for_rows(desk, reviewed, hostile):
    for name, offered in (("tiny", True), (hostile.name, False)):
        app = desk("export", dataset=name)
        button = app.get("download_button")[0]
        assert button.proto.disabled is not offered


@pytest.mark.parametrize("key", ["manifest", "audit-trail"])
def test_every_table_has_figures_preview_and_columns(desk, reviewed, key, texts):
    app = desk("export", dataset="tiny")
    app.radio(key="format").set_value(key).run()
    assert not app.exception
    figures = {"manifest": ["58", "2", "1", "2"], "audit-trail": ["6", "1", "4", "0"]}
    assert numbers(app) == figures[key]
    assert "`given_label`" in texts(app)
    column = {"manifest": "verdict", "audit-trail": "standing"}[key]
    assert len(app.dataframe[0].value[column]) == {"manifest": 12, "audit-trail": 6}[key]


@pytest.mark.parametrize("key", ["corrections", "manifest", "decisions", "audit-trail"])
def test_what_a_plan_accepted_is_shown_and_counted(desk, birds, key):
    """The page had stopped at the first such row."""
    accepted(birds, least=0.5)
    auto = int((in_force.standing(birds).auto >= 0).sum())
    app = desk("export", dataset="birds")
    app.radio(key="format").set_value(key).run()
    assert not app.exception
    assert len(app.dataframe) == 1
    assert f"{auto:,}" in numbers(app)
    if key == "corrections":
        assert int(numbers(app)[0].replace(",", "")) == sum(
            int(each.replace(",", "")) for each in numbers(app)[1:]
        )


@pytest.mark.parametrize("key", ["folder", "cleanlab", "fiftyone", "label-studio"])
def test_a_folder_is_told_before_and_written(desk, reviewed, workspace, key, texts):
    save_run(reviewed)
    app = desk("export", dataset="tiny")
    app.radio(key="format").set_value(key).run()
    assert not app.exception
    out = workspace.home / "exports" / f"tiny-{key}"
    assert app.text_input[0].value == str(out)
    assert "free there" in texts(app)
    words = shlex.split(app.code[1].value)  # the first one is a tree
    assert words == ["lnl", "export", "tiny", "--format", key, "--out", str(out)]
    assert not out.exists()
    app.button(key="write_folder").click().run()
    assert not app.exception
    assert "written:" in texts(app)
    assert app.code[0].value == str(out)
    assert len(list(out.iterdir())) > 1
    assert ("pred_probs: run 1" in texts(app)) == (key == "cleanlab")


def test_what_label_studio_would_serve_is_told_before(
    desk, workspace, tmp_path, monkeypatch, texts
):
    put(tmp_path / "pets", [f"{name}/{i}.png" for name in ("cat", "dog") for i in range(3)])
    (tmp_path / "more" / "dog").mkdir(parents=True)
    (tmp_path / "more" / "dog" / "8.png").write_bytes(encoded(picture(seed=98), "PNG"))
    catalog.import_dataset(workspace, tmp_path / "pets", "pets")
    assert growing.add_images(datasets.dataset(workspace, "pets"), tmp_path / "more").added
    app = desk("export", dataset="pets")
    app.radio(key="format").set_value("label-studio").run()
    assert "Label Studio is to serve" in texts(app)
    assert [each for each in app.button if each.label == "Write the folder"]
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    app.run()
    assert not app.exception
    assert "would have to serve" in texts(app)
    assert not [each for each in app.button if each.label == "Write the folder"]


def test_a_folder_that_may_not_be_used_is_refused(desk, reviewed, tmp_path, monkeypatch, texts):
    monkeypatch.setenv("LNL_DATA_ROOTS", str(tmp_path / "data"))
    app = desk("export", dataset="tiny")
    app.radio(key="format").set_value("folder").run()
    app.text_input[0].set_value(str(tmp_path / "elsewhere")).run()
    assert "outside the folders that may be written" in "\n".join(e.value for e in app.error)
    assert not app.exception
    app.text_input[0].set_value("relative").run()
    assert "whole path" in "\n".join(e.value for e in app.error)


def test_once_the_goal_holds_the_certificate_can_be_taken(desk, workspace, tmp_path, texts):
    info = make(workspace, tmp_path, 200, name="certified")
    settings.set_goal(info, 8)
    assert "left in 200 labels" not in texts(desk("export", dataset="certified"))
    ann = Reviewer(workspace, info)
    while not errors_left(info, fresh=True).may_stop:
        ann.press(*ann.window(order="random")[:10])
    app = desk("export", dataset="certified")
    assert not app.exception
    limit = errors_left(info).limit
    assert f"At most {limit} error" in texts(app)
    app.button(key="certificate_read").click().run()
    assert not app.exception
    read, body = texts(app).replace("\\", "").replace("\u2060", ""), certifying.certificate(info)
    for words in (
        f"{limit} wrong label",
        f"from seed {body['seed']}",
        "Ville's inequality",
        "answers to the drawn images are right",
        body["issued_at"][:10],
    ):
        assert words in read
    taken = {each.proto.id.split("-")[-1] for each in app.get("download_button")}
    assert {"certificate_file", "certificate_file_read"} <= taken  # also where it is read
    assert app.code[-1].value == "lnl audit certified --verify certified-certificate.json"
    app.radio(key="format").set_value("cleanlab").run()
    assert f"At most {limit} error" in texts(app)  # whatever the format


def test_who_found_nothing_wrong_can_take_the_certificate_too(desk, workspace, tmp_path, texts):
    info = make(workspace, tmp_path, 200, name="clean")
    settings.set_goal(info, 8)
    ann = Reviewer(workspace, info)
    while not errors_left(info, fresh=True).may_stop:
        ann.press(*ann.window(order="random")[:10], action="keep")
    app = desk("export", dataset="clean")
    assert "No corrections yet" in texts(app)
    assert f"At most {errors_left(info).limit} error" in texts(app)


@pytest.mark.parametrize("format", ["folder", "cleanlab", "fiftyone"])
def test_what_a_folder_holds_names_the_splits(desk, workspace, tmp_path, format):
    file = tmp_path / "split.npz"
    images = np.random.default_rng(0).integers(0, 255, (12, 8, 8), dtype=np.uint8)
    splits = np.array(["train", "val", ""] * 4)
    np.savez(file, images=images, labels=np.arange(12) % 2, splits=splits)
    catalog.import_dataset(workspace, file, "split")
    app = desk("export", dataset="split")
    app.session_state["format"] = format
    app.run()
    assert not app.exception
    tree = next(each.value for each in app.code if "splits" in each.value)
    assert "splits train, val, unsplit" in tree
    assert ("train/0/" in tree) == (format == "folder")


def test_originals_that_are_gone_are_told_before_a_folder_or_zip(desk, workspace, tmp_path, texts):
    (folder := tmp_path / "photos").mkdir()
    for at in range(6):
        (place := folder / "ab"[at % 2]).mkdir(exist_ok=True)
        (place / f"{at}.png").write_bytes(encoded(picture(seed=at)))
    catalog.import_dataset(workspace, folder, "photos")

    def words(key):
        app = desk("export", dataset="photos")
        app.radio(key="format").set_value(key).run()
        assert not app.exception
        return texts(app)

    assert "not where" not in words("folder")
    (folder / "a" / "2.png").unlink()
    for key in ("folder", "fiftyone"):
        said = words(key)
        assert "1 original is not where it was and will be left out" in said
        assert "lnl relink photos ROOT" in said
