"""Team: who did what, where people contradict each other, and how far they agree."""

from pages import _ui
from pages._team import page

row = _ui.title_row("Team")
info = _ui.need_dataset()
page.draw(info, row)
