"""Labels found wrong are one number, of one name, on every page that shows them."""

import numpy as np
import pytest

from lnl_core.services.in_force import standing
from lnl_core.store import arrays, decisions
from lnl_core.types import Action, Decision, Signals


@pytest.fixture
def answered(ranked):
    """`ranked`, with two labels found wrong, one contradicted, one kept and one taken back."""
    n = ranked.n
    arrays.save_signals(
        ranked.directory / "runs" / "1",
        Signals("knn", np.linspace(0, 1, n), np.tile([0.5, 0.3, 0.2], (n, 1))),
    )
    said = [
        Decision(3, Action.RELABEL, "ann", label=0),
        Decision(25, Action.NONE, "ann"),
        Decision(25, Action.UNSURE, "bob"),
        Decision(47, Action.NONE, "ann"),
        Decision(47, Action.KEEP, "bob"),
        Decision(5, Action.KEEP, "ann"),
        Decision(6, Action.NONE, "ann"),
    ]
    decisions.append(ranked, said)
    decisions.append(ranked, [Decision(6, Action.REOPEN, "ann")])
    assert standing(ranked).found == 2
    return ranked


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("data", 'Found wrong</dt><dd style="margin:0;font-weight:600">2</dd>'),
        ("compare", "4 images reviewed, 2 found wrong."),
        ("export", "of 4 reviewed, 2 found wrong"),
        ("team", "4 images reviewed, 2 found wrong."),
    ],
)
def test_a_page_says_the_number(desk, answered, texts, page, words):
    assert words in texts(desk(page, dataset=answered.name))


@pytest.mark.parametrize("format_key", ["manifest", "decisions", "audit-trail", "folder"])
def test_every_format_stands_beside_it(desk, answered, texts, format_key):
    page = desk("export", dataset=answered.name)
    page.radio(key="format").set_value(format_key).run()
    assert "2 found wrong" in texts(page)
