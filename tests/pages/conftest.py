"""The app as `streamlit.testing` runs it: the frame, in this process, on a workspace of its own."""

import logging
import os
import re
import shutil
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest, app_test

from lnl_core.jobs.tasks import embedding
from lnl_core.services.explore import embedding as exploring
from lnl_core.store import arrays, datasets, decisions
from lnl_core.types import LnlError, Ranking, Signals
from pages import _routes
from pages._explore import routes

REPO = Path(__file__).resolve().parents[2]

RAW_MAP = exploring.Settings("raw")
EVIL_NAME = "**evil** <img src=x> :material/delete:"
EVIL_CLASSES = (
    "![x](http://evil.example/a.png)",
    "<b>bold</b> :tada: :red[x] $x^2$",
    "=1+1, [a](javascript:alert(1)) www.evil.example",
)


def pytest_sessionfinish():
    """Streamlit leaves its folder to the end of Python, which warns of it and says so."""
    app_test.TMP_DIR.cleanup()


@pytest.fixture(scope="session", autouse=True)
def components():
    """Every new AppTest reads the metadata of all installed packages: once is enough."""
    found = manifest_scanner.scan_component_manifests()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", lambda: found)
        yield


@pytest.fixture
def desk(workspace, monkeypatch):
    """Open a page of the app; query parameters by name.

    In a browser that keeps the name of who began here, where somebody did; in a `new` one else.
    """
    monkeypatch.setenv("LNL_HOME", str(workspace.home))
    for name in ("LNL_DATABASE_URL", "LNL_REVIEWER", "LNL_DATA_ROOTS"):
        monkeypatch.delenv(name, raising=False)

    def open_page(page=None, new=False, **query):
        app = AppTest.from_file(str(REPO / "pages" / "_main.py"), default_timeout=60)
        if not new and "LNL_REVIEWER" not in os.environ:
            with suppress(LnlError):  # a damaged workspace knows nobody
                for name in decisions.reviewers(workspace)[:1]:
                    app.session_state["reviewer_chosen"] = name
        for name, value in query.items():
            app.query_params[name] = value
        app.run()
        return app.switch_page(f"{page}.py").run() if page else app

    yield open_page
    log = logging.getLogger("lnl_review")
    for handler in list(log.handlers):  # it writes to this workspace until the process ends
        log.removeHandler(handler)
        handler.close()


@pytest.fixture
def hostile(workspace, tiny, tmp_path):
    """`tiny` again, under names that are Markdown, HTML, LaTeX and a formula."""
    folder = tmp_path / "hostile"
    shutil.copytree(tiny.directory, folder)
    meta = arrays.read_json(folder / "meta.json")
    arrays.write_json(folder / "meta.json", meta | {"class_names": list(EVIL_CLASSES)})
    return datasets.register(workspace, EVIL_NAME, folder)


@pytest.fixture
def texts():
    """Return everything that a page says in Markdown and HTML, as one string."""

    def read(app):
        kinds = ("title", "header", "subheader", "markdown", "caption", "error", "warning")
        parts = [element.value for kind in kinds for element in getattr(app, kind)]
        bodies = [element.proto.body for element in app.get("html")]
        parts += [re.sub(r"<style>.*?</style>", "", body, flags=re.DOTALL) for body in bodies]
        return "\n".join(str(part) for part in [*parts, *(s.value for s in app.success)])

    return read


@pytest.fixture
def ranked(tiny):
    """`tiny` with a ranking in force that calls its three planted errors wrong."""
    n, k = tiny.n, tiny.class_count
    given = np.asarray(datasets.load(tiny).given_labels)
    p_wrong = np.full(n, 0.02)
    p_wrong[[3, 25, 47]] = [0.9, 0.95, 0.85]
    others = np.stack([(given + 1) % k, (given + 2) % k, np.full(n, -1)], axis=1)
    ranking = Ranking(
        methods=("knn",),
        weights={"knn": 1.0},
        suspicion=p_wrong,
        p_wrong=p_wrong,
        suggested_labels=others[:, 0],
        top_labels=others,
        top_probs=np.tile([0.8, 0.2, 0.0], (n, 1)),
        order=np.argsort(-p_wrong, kind="stable"),
        noise_rate=0.06,
        transition_matrix=np.eye(k),
    )
    arrays.save_ranking(tiny.directory / "ranking", ranking, {"knn": 1})
    return tiny


@pytest.fixture
def mapped(ranked):
    """A scored set whose map is a row of points, image 0 at the left."""
    positions = np.stack([np.arange(60), np.arange(60) % 7], axis=1)
    embedding.write(ranked, RAW_MAP, positions.astype(np.float32), 60)
    signals = Signals("knn", np.linspace(0, 1, 60))
    arrays.save_signals(ranked.directory / "runs" / "1", signals)
    return ranked


@pytest.fixture
def client(workspace, monkeypatch):
    monkeypatch.setenv("LNL_HOME", str(workspace.home))
    monkeypatch.delenv("LNL_DATABASE_URL", raising=False)
    app = Starlette(routes=routes.ROUTES, middleware=_routes.MIDDLEWARE)
    with TestClient(app, base_url="http://localhost") as opened:
        yield opened
