"""How much gold there is, what is missing, and which images a second answer turns into it."""

import numpy as np
import pytest

from lnl_core.services.explore import selections
from lnl_core.services.review import looks
from lnl_core.services.review.filtering import Filters
from lnl_core.services.team import gold
from lnl_core.store import decisions
from lnl_core.store import looks as stored
from lnl_core.types import Action, Decision
from tests.services.review.test_auditing import Reviewer, make


@pytest.fixture
def birds(workspace, tmp_path):
    info = make(workspace, tmp_path, 300)
    looks.set_share(info, None, 0.03)
    return info


def wrong_rows(info, count):
    ann = Reviewer(info.workspace, info)
    return [int(row) for row in np.flatnonzero(ann.truth != ann.given)[:count]]


def test_an_owners_second_answers_make_gold_and_a_third_person_is_still_missing(birds):
    rows = wrong_rows(birds, 22)
    ann, owner = (Reviewer(birds.workspace, birds, who) for who in ("ann", "owner"))
    ann.press(*rows)
    there = gold.gold(birds)
    assert (there.wrong, there.missing, there.needed, there.people) == (0, 20, 20, 1)
    assert "It takes a third person" in there.words
    assert set(gold.to_answer(birds, "owner").tolist()) == set(rows)
    assert len(gold.to_answer(birds, "ann")) == 0
    owner.press(*rows[:21])
    there = gold.gold(birds)
    assert (there.wrong, there.missing, there.needed) == (21, 0, 20)
    assert "third person" in there.words
    assert gold.to_answer(birds, "owner").tolist() == rows[21:]
    assert gold.to_answer(birds, "ann").tolist() == []


def test_who_only_skips_is_nobody_who_answers(birds):
    ann, bob = (Reviewer(birds.workspace, birds, who) for who in ("ann", "bob"))
    ann.press(0, 1)
    bob.press(0)
    decisions.append(birds, [Decision(row, Action.SKIP, "cyd") for row in (0, 1)])
    assert gold.gold(birds).people == 2
    assert "third person" in gold.gold(birds).words
    decisions.append(birds, [Decision(1, Action.UNSURE, "cyd")])
    assert gold.gold(birds).people == 3
    assert "third person" not in gold.gold(birds).words


def test_the_queue_of_second_answers_holds_what_one_has_not_answered(birds):
    rows = wrong_rows(birds, 4)
    ann, owner = (Reviewer(birds.workspace, birds, who) for who in ("ann", "owner"))
    ann.press(*rows)
    name = selections.keep_selection(birds, gold.to_answer(birds, "owner"))
    asked = Filters(selection=name, second=True)
    assert set(owner.window(filters=asked)) == set(rows)
    assert ann.window(filters=asked) == []
    assert owner.window(filters=Filters(selection=name)) == []  # a plain selection: open ones
    owner.press(*rows[:3], mode="blind")
    assert owner.window(filters=asked) == rows[3:]
    assert gold.gold(birds).wrong == 3


def test_looks_count_until_there_are_enough_and_off_is_said(birds):
    rows = wrong_rows(birds, 20)
    for who in ("ann", "cyd"):
        Reviewer(birds.workspace, birds, who).press(*rows)
    good = Reviewer(birds.workspace, birds, "bob")
    good.press(*np.flatnonzero(good.truth == good.given)[:2])
    assert "They come as people go on" in gold.gold(birds).words
    looks.set_share(birds, None, 0)
    assert "Hidden looks are off" in gold.gold(birds).words
    given = good.given
    stored.append(
        birds,
        [
            Decision(row, Action.NONE, "bob", given_label=int(given[row]), route="gold")
            for row in rows
        ],
    )
    there = gold.gold(birds)
    assert (there.looked, there.needed) == (20, 0)
    assert "enough to count people's errors" in there.words
