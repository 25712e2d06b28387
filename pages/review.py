"""Review: the queue, one key per image; or twelve images of one class at once."""

from pages import _desk, _ui

info = _ui.need_dataset("Review")
choice = _desk.controls(info)
_desk.desk(info, choice)
