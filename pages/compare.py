"""Compare: which run finds wrong labels, where they agree, what they cost, what fixing buys."""

from pages import _compare, _ui

row = _ui.title_row("Compare")
info = _ui.need_dataset()
_compare.draw(info, row)
