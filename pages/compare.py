"""Compare: which run finds wrong labels, where they agree, what they cost, what fixing buys."""

from pages import _ui
from pages._compare import page

row = _ui.title_row("Compare")
info = _ui.need_dataset()
page.draw(info, row)
