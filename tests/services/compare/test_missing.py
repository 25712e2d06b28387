"""How many random checks a curve still takes."""

from dataclasses import replace

import numpy as np
import pytest

from lnl_core.services.compare import comparing
from lnl_core.services.compare.missing import missing, more_checks
from lnl_core.services.review.goals import PACE
from lnl_core.store import arrays, datasets, decisions
from lnl_core.types import Action, Decision


@pytest.mark.parametrize(
    ("drawn", "wrong", "share", "more"),
    [
        (0, 0, 0.2, 50),  # fifty are expected to hold more wrong labels than it takes
        (0, 0, 0.02, 250),  # five wrong ones of one in fifty
        (50, 1, 0.1, 40),
        (50, 1, None, 4),  # nobody knows how many are wrong
        (20, 5, 0.1, 30),
        (80, 9, 0.1, 0),
    ],
)
def test_what_is_needed_is_checks_and_wrong_ones_among_them(drawn, wrong, share, more):
    assert more_checks(drawn, wrong, share) == more


def test_checks_of_images_that_a_run_was_told_of_do_not_count(at_once, scored):
    def check(row, action, label=None):
        said = Decision(row=row, action=action, reviewer="ann", route="audit", label=label)
        decisions.append(scored, [replace(said, seconds=2.0)])

    given = datasets.load(scored).given_labels
    check(3, Action.RELABEL, (int(given[3]) + 1) % 3)
    for row in (4, 5, 6, 7):
        check(row, Action.KEEP)
    chosen = comparing.compare(scored).candidates
    found = missing(scored, chosen, "ann")
    assert (found.drawn, found.told, found.wrong) == (5, 0, 1)
    assert found.own_pace
    assert found.seconds == pytest.approx(2 * found.more)
    told = np.zeros(60, bool)
    told[[3, 4]] = True
    arrays.write_array(scored.directory / "runs" / "1" / "trusted.npy", told)
    found = missing(scored, chosen, "bob")
    assert (found.drawn, found.told, found.wrong) == (3, 2, 0)
    assert found.more <= 55, "no more than there are images without a check"
    assert found.seconds == PACE * found.more
