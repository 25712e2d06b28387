"""Where two classes meet: which way images went, and where people disagree on the definition."""

import numpy as np
import pytest

from lnl_core.services.datasets import settings
from lnl_core.services.explore import definitions
from lnl_core.store import datasets, decisions
from lnl_core.types import Action, Decision

BAR, BELT, BASE = 0, 1, 2


@pytest.fixture
def rows(tiny):
    """label -> rows of `tiny` given so."""
    given = np.asarray(datasets.load(tiny).given_labels)
    return {label: [int(row) for row in np.flatnonzero(given == label)] for label in range(3)}


def say(info, row, action, label=None, who="ann", suggested=BELT, labels=()):
    decisions.append(
        info,
        [Decision(row, Action(action), who, label, labels, suggested_label=suggested)],
    )


def test_nothing_is_known_before_anybody_has_answered(tiny):
    found = definitions.definition(tiny, BELT, BAR)
    assert (found.one, found.two, found.reviewed, found.disputed) == (BAR, BELT, 0, False)
    assert definitions.disputed(tiny) == []


def test_answers_are_counted_for_the_class_that_the_image_was_held_against(tiny, rows):
    bars = rows[BAR]
    say(tiny, bars[0], "keep")
    say(tiny, bars[1], "relabel", BELT)
    say(tiny, bars[2], "relabel", BASE)  # not of this pair, whatever was suggested
    say(tiny, bars[3], "multiple", labels=(BAR, BELT))
    say(tiny, bars[4], "unsure")
    say(tiny, bars[5], "none")
    say(tiny, bars[6], "keep", suggested=BASE)
    say(tiny, rows[BELT][0], "keep", suggested=BAR)
    found = definitions.definition(tiny, BAR, BELT)
    assert found.kept == {BAR: 1, BELT: 1}
    assert found.moved == {BAR: 1}
    assert (found.both, found.unsure, found.split) == (1, 1, 0)
    assert found.reviewed == 5
    assert definitions.definition(tiny, BAR, BASE).reviewed == 2


def test_people_who_contradict_one_another_dispute_the_definition(tiny, rows):
    for row in rows[BAR][:3]:
        say(tiny, row, "keep")
        say(tiny, row, "relabel", BELT, who="bob")
    say(tiny, rows[BAR][3], "keep")
    say(tiny, rows[BAR][3], "keep", who="bob")
    found = definitions.definition(tiny, BAR, BELT)
    assert (found.split, found.twice, found.agreed) == (3, 4, 1)
    assert found.disputed
    assert [(each.one, each.two) for each in definitions.disputed(tiny)] == [(BAR, BELT)]


def test_plain_errors_are_no_dispute_and_corrections_both_ways_are(tiny, rows):
    for row in rows[BAR][:12]:
        say(tiny, row, "relabel", BELT)
    assert not definitions.definition(tiny, BAR, BELT).disputed
    for row in rows[BELT][:3]:
        say(tiny, row, "relabel", BAR)
    assert definitions.definition(tiny, BAR, BELT).disputed


def test_a_few_unclear_ones_among_many_are_no_dispute(tiny, rows):
    for row in rows[BAR][:3]:
        say(tiny, row, "unsure")
    assert definitions.definition(tiny, BAR, BELT).disputed
    for row in [*rows[BAR][3:], *rows[BELT]]:
        say(tiny, row, "keep", suggested=BAR + BELT - (row in rows[BELT]) * BELT)
    assert definitions.definition(tiny, BAR, BELT).reviewed > 30
    assert not definitions.definition(tiny, BAR, BELT).disputed


def test_labels_that_are_no_classes_have_no_definition(tiny, rows):
    info = settings.set_no_classes(tiny, ["belt"])
    for row in rows[BELT][:4]:
        say(info, row, "unsure", suggested=BAR)
    assert definitions.disputed(info) == []
