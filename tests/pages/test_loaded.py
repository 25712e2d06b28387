"""What a page loads before it is drawn: modules, counted, not seconds."""

import importlib
import os
import subprocess
import sys

import pytest

from pages import _ahead, _ui
from tests.pages.conftest import REPO

OPENED = """
import sys
import app
from streamlit.testing.v1 import AppTest
page = AppTest.from_file("pages/_main.py", default_timeout=60)
page.switch_page("review.py")
page.query_params["dataset"] = "tiny"
page.run()
assert not page.exception, page.exception
print(*[one.proto.component_name for one in page.get("bidi_component")])
print(*sys.modules, file=sys.stderr)
"""


def test_the_desk_opens_without_what_takes_longer_to_load_than_it_takes_to_draw(workspace, ranked):
    done = subprocess.run(
        [sys.executable, "-c", OPENED],
        env=os.environ
        | {"LNL_HOME": str(workspace.home), "LNL_DATABASE_URL": workspace.url}
        | {"LNL_REVIEWER": "ann"},
        cwd=REPO,
        capture_output=True,
        text=True,
    )
    assert "lnl_review_queue" in done.stdout, done.stderr
    loaded = set(done.stderr.split())
    assert "lnl_core.services.review.progress" in loaded
    assert not {"pandas", "scipy.special", "scipy.stats", "torch"} & loaded


def test_every_page_says_what_to_load_ahead():
    assert set(_ahead.MODULES) == {"" if page == "data" else page for page in _ui.page_keys()}


@pytest.mark.parametrize("page", _ahead.MODULES)
def test_what_is_loaded_ahead_is_there(page):
    _ahead._load((*_ahead.FRAME, *_ahead.MODULES[page]))
    assert set(_ahead.MODULES[page]) <= set(sys.modules)


HALF = """
import importlib, sys, threading
from pages import _charts
other = threading.Thread(target=importlib.import_module, args=["pandas"])
other.start()
while "pandas" not in sys.modules:
    pass
_charts.class_balance([])
print(hasattr(sys.modules["pandas"], "Series"))
"""


def test_a_figure_is_drawn_once_pandas_is_whole():
    """Plotly takes `pandas.Series` from what `_ahead`'s thread, or another page, is still loading:
    whoever draws waits for it, and loads it for nobody else."""
    done = subprocess.run(
        [sys.executable, "-c", HALF], cwd=REPO, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "True"
    assert importlib.import_module("pages._explore.matrix").pandas.Series
