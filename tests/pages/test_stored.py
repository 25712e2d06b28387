"""The workspace of version 0.1.0 on every page."""

import pytest

from lnl_core.store.db import dispose
from tests.old_workspace import SETS, unpacked


@pytest.mark.parametrize("page", [None, "review", "explore", "compare", "runs", "export"])
def test_every_page_opens(workspace, desk, no_worker, page):
    dispose(workspace)
    (workspace.home / "review.db").unlink()
    unpacked(workspace.home)
    app = desk(page, dataset=SETS["plain"])
    assert not app.exception
    assert not app.error
