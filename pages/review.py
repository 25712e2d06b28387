"""Review: the queue, one key per image; or twelve images of one class at once."""

from pages import _ui
from pages._review import desk

info = _ui.need_dataset("Review")
choice = desk.controls(info)
desk.desk(info, choice)
