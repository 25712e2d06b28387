"""What the report shows of images and words, and its two sets of colours."""

import json
import re
from copy import deepcopy

import numpy as np
import pytest

from lnl_core import views
from lnl_core.figures.palette import TONES
from lnl_core.jobs import queue
from lnl_core.services.compare import report
from lnl_core.services.compare.report import _album, _dark, _glossary
from lnl_core.services.datasets import settings
from lnl_core.services.explore import confusions
from lnl_core.services.review import map_grades
from lnl_core.store import arrays, datasets
from lnl_core.types import JobState, Signals
from tests import five
from tests.conftest import write_dataset


@pytest.fixture
def seen(tiny):
    """`tiny`, scored by five methods."""
    five.score(tiny)
    return tiny


def section(page, title):
    _, start, rest = page.partition(f"<section><h2>{title}</h2>")
    return rest.partition("<section><h2>")[0] if start else None


def held(page, what):
    found = re.search(rf'id="figures-{what}" type="application/json">(.*?)</script>', page, re.S)
    return json.loads(found.group(1))


def test_figures_become_dark_by_what_they_carry(workspace, scored):
    page = report.html(scored)
    for figure, changes in zip(held(page, "data"), held(page, "dark"), strict=True):
        assert figure["layout"]["paper_bgcolor"] == TONES["light"]["page"]
        for path, value in changes:
            part = figure
            for key in path[:-1]:
                part = part[key]
            part[path[-1]] = value
        assert figure["layout"]["paper_bgcolor"] == TONES["dark"]["page"]
        light = [each for each in TONES["light"]["curves"] if each not in TONES["dark"]["curves"]]
        assert not [each for each in light if each in json.dumps(figure)]


def test_changes_turn_one_figure_into_the_other():
    one = {"data": [{"x": [1, 2], "color": "a"}], "layout": {"n": 1}, "same": [0]}
    other = {"data": [{"x": [1, 2, 3], "color": "b"}], "layout": {"n": 1}, "same": [0]}
    changes = _dark.changes(one, other)
    assert sorted(path for path, _ in changes) == [["data", 0, "color"], ["data", 0, "x"]]
    turned = deepcopy(one)
    for path, value in changes:
        turned[path[0]][path[1]][path[2]] = value
    assert turned == other
    assert _dark.changes(one, one) == []


def test_dark_is_for_screens_alone(workspace, scored):
    style = re.search("<style>(.*?)</style>", report.html(scored), re.S).group(1)
    assert "@media screen and (prefers-color-scheme:dark){:root{" in style
    assert style.count("prefers-color-scheme") == 1
    assert TONES["dark"]["page"] in style


def test_images_are_shown_as_each_method_sees_them(seen):
    shown = section(report.html(seen), "Images as each method sees them")
    assert shown.count('class="columns"') == 3
    assert "Only SR expects another class" in shown
    assert "All 5 expect another class" in shown
    assert "loading=" not in shown, "paper does not wait"


def test_without_a_published_method_there_is_no_such_part(workspace, tiny):
    knn = five.score(tiny)["sr"]
    arrays.drop_ranking(tiny.directory / "ranking")
    from lnl_core.review import consensus

    signals = Signals("knn", knn.suspicion, knn.pred_probs)
    arrays.save_signals(tiny.directory / "runs" / "1", signals)
    given = np.asarray(datasets.load(tiny).given_labels)
    ranking = consensus.rank([signals], given, 3)
    arrays.save_ranking(tiny.directory / "ranking", ranking, {"knn": 1})
    page = report.html(tiny)
    assert section(page, "Images as each method sees them") is None
    assert section(page, "Where a network looks") is None


def network(ws, info, *, good=True):
    """Leave what a run with maps leaves; a network that is no `good` calls all images the same."""
    job = queue.submit(info, "hnml")
    folder = queue.run_dir(ws, job)
    given = np.asarray(datasets.load(info).given_labels)
    left, right = np.zeros((2, info.n, 4, 4), np.float16)
    left[:, :, :2], right[:, :, 2:] = 0.25, 1
    extras = {
        "suggested_label": ((given + 1) % 3).astype(np.int32),
        "cam_given": left,
        "cam_suggested": right,
    }
    probs = np.full((info.n, 3), 0.1)
    probs[np.arange(info.n), given if good else 0] = 0.8
    arrays.save_signals(folder, Signals("hnml", np.full(info.n, 0.5), probs, extras=extras))
    arrays.write_array(folder / "labels.npy", given)
    (folder / "map_head.safetensors").write_bytes(b"")
    queue.claim(ws)
    queue.finish(ws, job.id, JobState.DONE)
    map_grades._by_labels.cache_clear()


def test_maps_name_their_source_and_nothing_is_started_for_them(workspace, seen):
    network(workspace, seen)
    shown = section(report.html(seen), "Where a network looks")
    assert "Source: HNML" in shown
    assert "Its network names the class of 100\u202f%" in shown
    assert shown.count('class="look"') == 6
    assert "they look at different places" in shown
    assert queue.jobs(seen, tasks=True) == []


def test_maps_of_a_network_that_is_no_good_are_left_out(workspace, seen):
    network(workspace, seen, good=False)
    shown = section(report.html(seen), "Where a network looks")
    assert "are left out" in shown
    assert "Its network names the class of" in shown
    assert "<img" not in shown


def test_a_class_pair_says_how_many_and_shows_some(seen, monkeypatch):
    monkeypatch.setattr(views, "FEWEST_ERRORS", 1)
    settings.set_guides(seen, {"bar": "Longer than <wide>"})
    shown = section(report.html(seen), "Class pairs")
    matrix = confusions.matrix(seen)
    largest = np.where(np.eye(3, dtype=bool), 0, matrix.count).max()
    assert f"about {largest:,.0f} " in shown
    assert "Longer than &lt;wide&gt;" in shown
    assert 8 <= shown.count("<figure>") <= 6 * 8


def test_words_are_explained_where_they_are_used():
    assert _glossary.glossary("nothing of it") == '<dl class="terms"></dl>'
    found = _glossary.glossary("corrected by Holm's procedure; AP 0.5")
    assert re.findall("<dt>(.*?)</dt>", found) == ["Average precision, AP", "Holm&#x27;s procedure"]


def test_a_report_without_curves_explains_no_curve(workspace, tiny):
    (tiny.directory / "true_labels.npy").unlink()
    blind = datasets.dataset(workspace, tiny.name)
    five.score(blind)
    said = section(report.html(blind), "What the words mean")
    assert "<dt>Given label</dt>" in said
    assert "<dt>Right fix</dt>" not in said


def test_pictures_are_small_and_counted(workspace, tmp_path):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 255, (6, 200, 200, 3), dtype=np.uint8)
    folder = tmp_path / "large"
    folder.mkdir()
    info = datasets.register(
        workspace, "large", write_dataset(folder, images, [0, 1] * 3, ["a", "b"])
    )
    album = _album.Album(info)
    uri = album.uri(0)
    assert uri.startswith("data:image/jpeg;base64,")
    assert len(uri) < 45_000, "noise is the worst there is"
    assert album.uri(0) == uri
    assert album.count == 2
    assert album.size == 2 * len(uri)
    assert "2 pictures" in album.words()


def test_a_figure_that_came_meanwhile_stands_beside_no_other():
    light = [("cost", "light cost"), ("course-sr", "light sr"), ("course-sr", "light sr, again")]
    dark = [("map", "dark map"), ("course-sr", "dark sr"), ("course-sr", "dark sr, again")]
    assert report.beside(light, dark) == [("cost", "light cost"), *dark[1:]]
