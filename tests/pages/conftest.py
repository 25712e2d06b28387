"""The app as `streamlit.testing` runs it: the frame, in this process, on a workspace of its own."""

import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from lnl_core.store import arrays, datasets

REPO = Path(__file__).resolve().parents[2]

EVIL_NAME = "**evil** <img src=x> :material/delete:"
EVIL_CLASSES = (
    "![x](http://evil.example/a.png)",
    "<b>bold</b> :tada: :red[x] $x^2$",
    "=1+1, [a](javascript:alert(1)) www.evil.example",
)


@pytest.fixture
def desk(workspace, monkeypatch):
    """Open a page of the app; query parameters by name."""
    monkeypatch.setenv("LNL_HOME", str(workspace.home))
    for name in ("LNL_DATABASE_URL", "LNL_REVIEWER", "LNL_DATA_ROOTS"):
        monkeypatch.delenv(name, raising=False)

    def open_page(page=None, **query):
        app = AppTest.from_file(str(REPO / "pages" / "_main.py"), default_timeout=60)
        for name, value in query.items():
            app.query_params[name] = value
        app.run()
        return app.switch_page(f"{page}.py").run() if page else app

    return open_page


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
    """Return everything that a page says in Markdown, as one string."""

    def read(app):
        kinds = ("title", "header", "subheader", "markdown", "caption", "error", "warning")
        parts = [element.value for kind in kinds for element in getattr(app, kind)]
        return "\n".join(str(part) for part in [*parts, *(s.value for s in app.success)])

    return read
