"""Explore's filters: what they draw and select, the address, what Review saved."""

import numpy as np
import pytest

from lnl_core.services.datasets import settings
from lnl_core.services.explore import filters
from lnl_core.services.review import saved
from lnl_core.store import arrays, datasets, decisions
from lnl_core.types import Action, Decision, LnlError
from pages._explore import addressed
from tests.pages.test_explore import (
    EVERYTHING,
    draw,
    queue_sent,
    said,
    sent,
)


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
    assert f"{(given == 1).sum()} images" in said(texts(app))
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
