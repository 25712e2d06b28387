"""What judges the runs and is not there yet: checks drawn at random, how many more, how long."""

from __future__ import annotations

import math
from dataclasses import dataclass

from lnl_core.services.compare import comparing
from lnl_core.services.compare.truth import AUDITS_NEEDED, KEPT, WRONG_NEEDED, judging
from lnl_core.services.in_force import without_class
from lnl_core.services.moment import moment
from lnl_core.services.review.auditing import errors_left
from lnl_core.services.review.expecting import expected, guess
from lnl_core.services.review.goals import PACE
from lnl_core.services.review.progress import progress
from lnl_core.types import DatasetInfo
from lnl_core.views import Candidate


@dataclass(frozen=True, slots=True)
class Missing:
    """What a curve waits for.

    Attributes:
        drawn: settled images that were drawn at random and none of the runs was told of.
        told: further ones that a run was told of: these judge nothing.
        wrong: of those drawn, labels found wrong.
        share: of wrong labels expected among those without an answer; None where nobody knows.
        more: further random checks until there is a curve, as far as can be expected; never more
            than there are images without a check.
        seconds: that they take in all.
        own_pace: whether that is this reviewer's own pace.
    """

    drawn: int
    told: int
    wrong: int
    share: float | None
    more: int
    seconds: float
    own_pace: bool


def missing(info: DatasetInfo, chosen: tuple[Candidate, ...], reviewer: str) -> Missing:
    """Return what is missing before people's answers can judge these runs.

    Args:
        info: the data set.
        chosen: the runs.
        reviewer: whose pace.
    """
    told = comparing.unscored(info, chosen)
    answers = judging(info)
    checks = [row for row, random in answers.order if random]
    rows = [row for row in checks if not told[row]]
    wrong = sum(answers.labels[row] != KEPT for row in rows)
    pace = progress(info, reviewer).seconds_per_image
    open_ = int((~told & ~without_class(info)).sum()) - len(rows)
    share = _share(info)
    more = min(open_, more_checks(len(rows), wrong, share))
    known, seconds = len(checks) - len(rows), more * (pace or PACE)
    return Missing(len(rows), known, wrong, share, more, seconds, pace is not None)


def more_checks(drawn: int, wrong: int, share: float | None) -> int:
    """Return how many random checks more a curve is expected to take.

    Args:
        drawn: random checks so far.
        wrong: labels among them that were found wrong.
        share: of labels that are expected to be wrong; None where nobody knows.
    """
    rest = max(0, WRONG_NEEDED - wrong)
    for_wrong = math.ceil(rest / share) if share and rest else rest
    return max(AUDITS_NEEDED - drawn, for_wrong, 0)


def _share(info: DatasetInfo) -> float | None:
    """Return errors left, as every page says them, by the labels without an answer."""
    now = moment(info)
    ahead, left = expected(info, now=now), errors_left(info, now=now).estimate
    if left is None and (guessed := guess(info, now)) is not None:
        left = guessed.left
    if ahead is None or left is None or not len(ahead.open):
        return None
    return min(1.0, left / len(ahead.open))
