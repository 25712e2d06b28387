"""A fragment of Review runs with the set as the page had it: what became of the set since."""

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from lnl_core.services.datasets import growing
from lnl_core.services.review import recording
from lnl_core.store import datasets
from tests.pages.reviewing import key, press, score, sent


def _desk():
    import streamlit as st

    from lnl_core.services.review.filtering import Filters
    from pages._review import desk, sending

    shown = sending.Choice("random", "single", "commit", Filters(), st.empty())
    desk._fragment(st.session_state["info"], shown)


@pytest.fixture
def before(desk, tiny):
    """The review's fragment, with the set as it is now."""
    desk("review", dataset="tiny")  # the frame makes the components known
    app = AppTest.from_function(_desk, default_timeout=60)
    app.session_state["info"] = score(tiny)
    return app


def test_images_that_came_meanwhile_are_there(before, tiny, tmp_path):
    images = np.random.default_rng(4).integers(0, 256, (20, 8, 8, 1), dtype=np.uint8)
    np.savez(
        tmp_path / "more.npz",
        images=images,
        labels=np.arange(20) % 3,
        class_names=np.array(tiny.class_names),
    )
    recording.record(tiny, "ann", [press(7)])
    before.run()
    growing.add_images(tiny, tmp_path / "more.npz")
    before.run()
    assert not before.exception
    assert not before.error
    assert sent(before)["urls"]["thumb"].split("/")[4] != tiny.version


def test_classes_that_came_meanwhile_are_there_under_the_new_name_of_the_set(before, tiny):
    recording.record(tiny, "ann", [press(7, "relabel", new_class="owl")])
    datasets.rename(tiny, "renamed")
    before.session_state[key(tiny)] = {"log": [press(3, "relabel", label=3)]}
    before.run()
    assert not before.error
    assert not before.toast
    assert sent(before)["acked"] == ["c1"]
    assert sent(before)["classes"] == [*tiny.class_names, "owl"]


def test_a_set_that_is_gone_is_said_and_nothing_is_acknowledged(before, tiny):
    datasets.remove(tiny)
    before.session_state[key(tiny)] = {"log": [press(3)]}
    before.run()
    assert "There is no such data set" in before.error[0].value
    assert not before.get("bidi_component")
