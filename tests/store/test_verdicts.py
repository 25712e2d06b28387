"""Which answers say nothing today, by the store's queries and by the rule for values: one rule."""

from dataclasses import replace

import pytest

from lnl_core.store import decisions, meaning
from lnl_core.types import Action, Decision


@pytest.mark.parametrize("none", [[], [1], [1, 12]])
def test_queries_and_values_have_the_same_rule(workspace, tiny, none):
    """Numbers of two digits among them: 1 is not in [11, 12]."""
    ways = [(Action.KEEP, None, ()), (Action.NONE, None, ()), (Action.UNSURE, None, ())]
    ways += [(Action.RELABEL, label, ()) for label in (0, 1, 2, 11, 12)]
    ways += [(Action.MULTIPLE, None, pair) for pair in ((0, 1), (11, 2), (1, 11), (2, 12), (12, 0))]
    made = [
        Decision(row, action, f"p{number}", label=label, labels=labels, given_label=row % 3)
        for number, (action, label, labels) in enumerate(ways)
        for row in range(3)
    ]
    wide = replace(tiny, class_count=13, class_names=tuple("abcdefghijklm"))
    decisions.append(wide, made)
    info = replace(wide, no_classes=tuple(none))
    says = {(row, who) for row, who, *_ in decisions.states(info)}
    assert sum(decisions.counts(info).values()) == len(says)
    meant = [meaning.meant(each) for each in made]
    assert says == {(d.row, d.reviewer) for d in meant if not meaning.is_void(d, info.no_classes)}
    assert len(says) < len(made) or not none
