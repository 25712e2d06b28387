"""Explore: a map of the images, which class is given as which, and neighbours."""

from pages import _explore, _ui

info = _ui.need_dataset("Explore")
choice = _explore.controls(info)
_explore.body(info, choice)
