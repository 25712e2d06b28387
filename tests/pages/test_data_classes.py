"""The tab of classes: what belongs to each, and which labels are none."""

import numpy as np
import pytest

from lnl_core.services.datasets import settings
from lnl_core.services.review import new_classes
from lnl_core.store import arrays, datasets, decisions
from lnl_core.types import Action, Decision


def test_the_class_guide_is_kept(workspace, tiny):
    settings.set_guides(tiny, {"bar": " a long thin thing ", "belt": ""})
    assert settings.guides(tiny) == {"bar": "a long thin thing"}
    assert arrays.read_json(tiny.directory / "meta.json")["guides"] == {"bar": "a long thin thing"}


def test_a_label_is_made_no_class_and_its_images_are_offered(workspace, desk, ranked, texts):
    info = settings.set_no_classes(ranked, ["belt"])
    app = desk("data", dataset=info.name)
    assert not app.exception
    assert "20 images came without a class" in texts(app)
    wait = np.flatnonzero(np.asarray(datasets.load(info).given_labels) == 1)
    for count, said in ((19, "1 of them wait for one"), (1, "")):
        for row in wait[:count]:
            decisions.append(info, [Decision(int(row), Action.RELABEL, "ann", label=0)])
        wait = wait[count:]
        shown = texts(desk("data", dataset=info.name))
        assert ("came without a class" in shown, said in shown) == (bool(said), True)


@pytest.fixture
def classes(desk, monkeypatch):
    """The tab of classes, opened with other marks under No class than are stored."""
    shown = []

    def open_tab(info, **none):
        def edited(table, **options):
            shown.append(list(table["class"]))
            stored = dict(zip(table["class"], table["none"], strict=True))
            return table.assign(none=list((stored | none).values()))

        monkeypatch.setattr("streamlit.data_editor", edited)
        app = desk("data", dataset=info.name)
        app.session_state["data_tab"] = "Classes and guide"
        app.run()
        assert not app.exception
        return app

    open_tab.shown = shown
    return open_tab


def test_how_many_answers_a_class_that_becomes_none_takes_back_is_said(
    workspace, ranked, classes, texts
):
    given = np.asarray(datasets.load(ranked).given_labels)
    belts, bars = np.flatnonzero(given == 1), np.flatnonzero(given == 0)
    decisions.append(
        ranked,
        [
            Decision(int(belts[0]), Action.KEEP, "ann"),
            Decision(int(belts[0]), Action.KEEP, "bob"),
            Decision(int(bars[0]), Action.RELABEL, "ann", label=1),
            Decision(int(bars[1]), Action.MULTIPLE, "ann", labels=(0, 1)),
            Decision(int(bars[2]), Action.KEEP, "ann"),  # these three say nothing of belts
            Decision(int(belts[1]), Action.RELABEL, "ann", label=2),
            Decision(int(belts[2]), Action.KEEP, "ann"),
            Decision(int(belts[2]), Action.REOPEN, "ann"),
        ],
    )
    app = classes(ranked, belt=True)
    app.button(key="save_guides").click().run()
    assert "No class from now on: **belt**." in texts(app)
    assert "4 answers that kept or chose such a label count as taken back." in texts(app)
    assert datasets.dataset(workspace, "tiny").no_classes == ()
    app.button(key="void_save").click().run()
    assert not app.exception
    said = "4 answers count as taken back, for what is marked as no class"
    info = datasets.dataset(workspace, "tiny")
    assert info.no_classes == (1,)
    assert said in texts(classes(info))
    assert sum(map(len, decisions.in_force(info).values())) == 2
    assert settings.voided(info, []) == settings.Voided(gone=0, back=4)
    app = classes(info, belt=False)
    app.button(key="save_guides").click().run()
    assert said not in texts(classes(datasets.dataset(workspace, "tiny")))
    assert sum(map(len, decisions.in_force(datasets.dataset(workspace, "tiny")).values())) == 6


def test_without_such_answers_nothing_is_asked(workspace, ranked, classes):
    app = classes(ranked, belt=True)
    app.button(key="save_guides").click().run()
    assert datasets.dataset(workspace, "tiny").no_classes == (1,)


def test_a_class_that_nobodys_answer_names_any_more_is_not_in_the_table_and_keeps_its_guide(
    workspace, ranked, classes, texts
):
    info, otter = new_classes.add_class(ranked, "otter")
    info, seal = new_classes.add_class(info, "seal")
    settings.set_guides(info, {"otter": "Brown.", "bar": "Long."})
    for label in (otter, seal):
        decisions.append(info, [Decision(label, Action.RELABEL, "ann", label=label)])
    classes(info)
    assert classes.shown[-1] == ["bar", "belt", "base", "otter", "seal"]
    decisions.append(info, [Decision(otter, Action.REOPEN, "ann")])
    app = classes(info)
    assert classes.shown[-1] == ["bar", "belt", "base", "seal"]
    assert "Not listed: otter. Added in Review" in texts(app)
    app.button(key="save_guides").click().run()
    assert settings.guides(info) == {"otter": "Brown.", "bar": "Long."}


def test_names_that_sound_like_no_class_are_a_question_on_the_page(workspace, tiny, desk):
    meta = arrays.read_json(tiny.directory / "meta.json")
    arrays.write_json(tiny.directory / "meta.json", meta | {"class_names": ["bar", "Skip", "base"]})
    app = desk("data", dataset="tiny")
    app.session_state["data_tab"] = "Classes and guide"
    app.run()
    assert not app.exception
    assert any("**Skip**: does this say that nobody labelled" in each.value for each in app.info)
