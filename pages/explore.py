"""Explore: a map of the images, which class is given as which, and neighbours."""

from pages import _ui
from pages._explore import page

info = _ui.need_dataset("Explore")
choice = page.controls(info)
page.body(info, choice)
