"""Certificates whose every field is changed in turn, signed anew; sets that grew since."""

import copy
import json

import numpy as np
import pytest

from lnl_core.services.datasets import growing
from lnl_core.services.review import certifying, new_classes
from lnl_core.store import datasets
from tests.services.datasets.test_growing import file_of, pictures
from tests.services.review.test_certifying import changed, fails, reviewed, until, written

__all__ = ["reviewed", "until"]

TOLD = {"dataset"}
"""What may be another: a set can be renamed; the check says which name it had."""


def places(body, path=()):
    """Yield the path of every value; of the draws, those of the first and the fourth."""
    for key, value in body.items() if isinstance(body, dict) else enumerate(body):
        if path == ("draws",) and key not in (0, 3):
            continue
        if isinstance(value, dict | list):
            yield from places(value, (*path, key))
        else:
            yield (*path, key)


def others(value):
    """Return values that somebody might put in the place of one."""
    if value is None:
        return [3]
    if isinstance(value, int):
        return [value + 1, max(0, value - 1)] if value else [1]
    if isinstance(value, float):
        return [value / 2 if value else 0.01]
    return ["2001-01-01", "2999-01-01"] if value[:2] == "20" else [value + "x"]


def undetected(info, path):
    """Change every value in turn; return those that pass."""
    body, passed = json.loads(path.read_text("utf-8")), []
    for where in places(body):
        inner = body
        for key in where:
            inner = inner[key]
        for value in others(inner):
            forged = copy.deepcopy(body)
            at = forged
            for key in where[:-1]:
                at = at[key]
            at[where[-1]] = value
            if where != ("checksum",):
                forged["checksum"] = certifying._checksum(forged)
            path.write_text(json.dumps(forged), "utf-8")
            try:
                found = fails(info, path)
            except certifying.LnlError:
                continue
            if not found:
                passed.append((where, value))
    return passed


@pytest.mark.parametrize(
    ("kind", "value"), [("left", 12), ("recall", 0.9), ("reviews", 60), ("seconds", 240)]
)
def test_every_field_that_was_changed_is_found_out(until, tmp_path, kind, value):
    info = until(kind, value)
    passed = undetected(info, written(info, tmp_path))
    assert [where for where, _ in passed if where[0] not in TOLD] == []


def test_another_name_is_said(reviewed, tmp_path):
    path = changed(written(reviewed, tmp_path), lambda body: body.update(dataset="cats"))
    (told,) = [each for each in certifying.verify(reviewed, path) if each.what == "set"]
    assert "issued for it as “cats”" in told.words


def test_a_class_that_was_added_since_is_said(reviewed, tmp_path):
    path = written(reviewed, tmp_path)
    grown, _ = new_classes.add_class(reviewed, "gull")
    checks = certifying.verify(grown, path)
    assert all(each.holds for each in checks), checks
    (told,) = [each for each in checks if each.what == "set"]
    assert "since then new: the class “gull”" in told.words


def test_images_that_were_added_since_are_said_with_how_many(reviewed, tmp_path):
    path = written(reviewed, tmp_path)
    more = pictures(6, seed=8, side=4, channels=1)
    source = file_of(
        tmp_path, "more", more, np.zeros(6, int), class_names=np.array(reviewed.class_names)
    )
    growing.add_images(reviewed, source)
    grown = datasets.dataset(reviewed.workspace, reviewed.name)
    grown, _ = new_classes.add_class(grown, "gull")
    (told,) = [each for each in certifying.verify(grown, path) if not each.holds]
    assert told.what == "set"
    assert "has grown since: it says nothing of the 6 images added to its 200" in told.words
