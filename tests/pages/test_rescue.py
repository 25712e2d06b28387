"""A workspace whose database is damaged: the app says so on every page, and restores it."""

import os

from lnl_core.store import datasets
from lnl_core.store.db import dispose
from tests.services.test_doctor import closed


def test_a_damaged_database_is_said_and_restored_on_the_page(desk, workspace, tiny, texts):
    closed(workspace).write_bytes(b"garbage " * 999)
    app = desk("review")
    assert not app.exception
    assert app.title[0].value == "The database is damaged"
    assert "is no database" in app.error[0].value
    assert "doctor" not in app.error[0].value, "the button stands for the commands"
    app = app.button(key="restore").click().run()
    assert not app.exception
    app = app.switch_page("data.py").run()
    assert not app.exception
    assert app.title[0].value == "Data"
    assert [info.name for info in datasets.datasets(workspace)] == ["tiny"]
    dispose(workspace)


def test_a_set_that_cannot_be_opened_is_said_and_takes_no_page_down(desk, workspace, tiny):
    for name in (datasets.META, datasets.META_COPY):
        os.remove(tiny.directory / name)
    app = desk()
    assert not app.exception
    assert any("tiny" in each.value and "is missing" in each.value for each in app.error)
