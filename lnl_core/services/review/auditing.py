"""Errors left: what random audits say of the labels that nobody has looked at.

The limits are those of `limits`; here they meet the scores, images added since and labels that
plans changed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from lnl_core.review import auditing
from lnl_core.review.auditing import ENOUGH, Rate
from lnl_core.said import many
from lnl_core.services.in_force import Standing, goal, labelled_count, scored, standing
from lnl_core.services.moment import moment, step
from lnl_core.services.review.draws import (
    OPEN,
    RIGHT,
    UNCLEAR,
    WRONG,
    about_given,
    draws,
    open_draws,
    put_off,
    replay_before,
    replay_of_given,
    said_of,
    since_grown,
)
from lnl_core.services.review.expecting import expected
from lnl_core.services.review.limits import from_draws, key_of, limits_of
from lnl_core.services.review.risks import risks
from lnl_core.store import arrays
from lnl_core.types import DatasetInfo

IF = "if nobody errs"
"""What the limit supposes; `corrected` has one that does not."""


def is_team(now: Standing) -> bool:
    """Tell whether more than one person has answered."""
    return len(now.touched) > 1


@dataclass(frozen=True, slots=True)
class ErrorsLeft:
    """Wrong labels that nobody has found yet.

    Attributes:
        audits: drawn rows with an answer, "random checks" on every page; `wrong` of them are wrong,
            `unsure` unclear.
        since: those of them that chose from the set as it is: all, until images are added or a plan
            changes labels.
        wrong: see `audits`.
        unsure: see `audits`.
        enough: audits from which there is an estimate.
        estimate: wrong labels left by p_wrong, which the answers correct, within the interval; by
            the draws alone without a ranking; None before `enough`, unless so few labels are
            open that counting them says enough.
        low: lower end of the 95 % interval, which holds at every moment. It has two sides and is
            for programs: people see the estimate and `limit`.
        high: upper end; above `limit`, which has all of the risk on one side.
        limit: at most so many are left, 95 % sure, at every moment.
        goal: wrong labels that may be left.
        found: labels found wrong, by whatever way: the number that every place shows.
        reviewed: images with an answer.
        total: images of the set that came with a class; the others are not counted.
        unseen: images that were added since the draws behind these numbers: each may be wrong.
        auto: images whose label a plan changed and that no person has answered: such a label
            counts as left where it is wrong.
        before: whether the limit rests on draws from before that, every such image taken as wrong.
        put_off: drawn images that people have seen and not settled: each counts as wrong.
        team: whether more than one person has answered: what holds if nobody errs is then said so.
    """

    audits: int
    since: int
    wrong: int
    unsure: int
    enough: int
    estimate: int | None
    low: int | None
    high: int | None
    limit: int | None
    goal: int
    found: int
    reviewed: int
    total: int
    unseen: int = 0
    auto: int = 0
    before: bool = False
    put_off: int = 0
    team: bool = False

    @property
    def may_stop(self) -> bool:
        """Whether the goal is reached, 95 % sure if nobody errs."""
        return self.limit is not None and self.limit <= self.goal

    @property
    def sure(self) -> str:
        """How sure the limit is: of a team never without what it supposes."""
        return f"95 % {IF}" if self.team else "95 %"

    @property
    def words(self) -> str:
        """What every page and file says: the estimate, and the one limit that is promised.

        Empty before there are enough audits.
        """
        if self.estimate is None or self.limit is None:
            return ""
        most = f"about {self.estimate:,}, at most {self.limit:,}" if self.limit else "0"
        return f"{most} (95 % sure{f' {IF}' if self.team else ''})"

    def words_beside(self, now: Standing) -> str:
        """What a place says that shows the counts of the last answer: `words`, and as of when."""
        if not self.words or (self.reviewed, self.found) == (now.reviewed, now.found):
            return self.words
        return f"{self.words}, as of {self.reviewed:,} reviewed"

    @property
    def checks(self) -> str:
        """How many random checks there are, as every page and file counts them."""
        words = f"{self.audits:,} random check{'' if self.audits == 1 else 's'}"
        if self.since < self.audits:
            words += f", {self.since:,} of them since the set changed"
        return words

    @property
    def waits(self) -> str:
        """How many drawn images were put off, in words; empty where none was.

        They keep a goal of errors away, and only people can mend it; no goal of images or time.
        """
        if not self.put_off:
            return ""
        return many(self.put_off, "drawn image waits", "drawn images wait") + ", skipped or unsure"

    def as_dict(self) -> dict[str, int | bool | str | None]:
        """Return what the review component shows."""
        return {
            "audits": self.audits,
            "since": self.since,
            "enough": self.enough,
            "estimate": self.estimate,
            "limit": self.limit,
            "goal": self.goal,
            "total": self.total,
            "may_stop": self.may_stop,
            "waits": self.waits,
            "supposes": IF if self.team else "",
        }


def errors_left(
    info: DatasetInfo,
    *,
    target: float | None = None,
    fresh: bool = False,
    now: Standing | None = None,
) -> ErrorsLeft:
    """Return how many wrong labels are left, from random audits alone, as of the last moment.

    Args:
        info: the data set.
        target: share of the set that may be wrong; the set's own goal when None.
        fresh: as of the last answer.
        now: the decisions to rest on; those of the last moment when None.
    """
    now = now or (standing(info) if fresh else moment(info))
    drawn = draws(info)
    n = labelled_count(info)
    said = said_of(now)
    every = said[np.array([each.row for each in drawn], np.int64)]
    here = said[np.array([each.row for each in since_grown(info, now)], np.int64)]
    answered, unseen, before = int((here != OPEN).sum()), 0, False
    found = int((said == WRONG).sum())
    numbers: dict[str, int | None] = dict.fromkeys(("estimate", "low", "high", "limit"))
    most_left = goal(info) if target is None else int(target * n)
    still = n - int((said == RIGHT).sum()) - found
    looked_at_all = bool((now.answered | now.no_class).all())
    if answered >= ENOUGH or still <= most_left or looked_at_all:  # the last two need no draw
        totals = limits_of(info, now).totals

        def left(total: float) -> int:
            return int(np.clip(round(total - found), 0, still))

        low, high = left(totals.low), left(totals.high)
        middle = _by_scores(info, now, totals.mean)
        if left(middle) > left(totals.limit):  # the draws contradict the scores
            middle = totals.mean
        numbers = {
            "estimate": int(np.clip(left(middle), low, min(high, left(totals.limit)))),
            "low": low,
            "high": high,
            "limit": left(totals.limit),
        }
    elif info.additions:
        numbers, unseen = _with_unseen(info, now)
    if now.auto_since:
        numbers, before = _with_auto(info, now, numbers)
    return ErrorsLeft(
        audits=int((every != OPEN).sum()),
        since=answered,
        wrong=int((every == WRONG).sum()),
        unsure=int((every == UNCLEAR).sum()),
        enough=ENOUGH,
        **numbers,
        goal=most_left,
        found=now.found,
        reviewed=now.reviewed,
        total=n,
        unseen=unseen,
        auto=int(now.auto_open.sum()),
        before=before,
        put_off=put_off(info, now),
        team=is_team(now),
    )


def _by_scores(info: DatasetInfo, now: Standing, by_draws: float) -> float:
    """Return how many labels are wrong in all by the scores, or by the draws if they cannot say."""
    ranked = scored(info)
    ahead = expected(info, now=now) if ranked is not None and ranked.judged is None else None
    return ahead.total if ahead is not None and ahead.is_borne_out else by_draws


def _with_auto(
    info: DatasetInfo, now: Standing, after: dict[str, int | None]
) -> tuple[dict[str, int | None], bool]:
    """Return the better of two limits, and whether it is that from before plans changed labels.

    All draws speak of the labels that the images came with: that limit, and every label that a plan
    gave and nobody has looked at. The draws since speak of the labels as they are. Each has a risk
    of its own, so that the smaller of the two holds.
    """
    given, risk = about_given(now), risks(info, now).given
    past = replay_of_given(info, now)
    answered, n = int((past.said != OPEN).sum()), labelled_count(info)
    if answered < ENOUGH or risk is None:
        return after, False
    totals = from_draws((*key_of(info, now), "given"), past, given, n, risk).totals
    found, auto = int((given == WRONG).sum()), int(now.auto_open.sum())
    still = n - int((given == RIGHT).sum()) - found

    def left(total: float) -> int:
        return int(np.clip(round(total - found), 0, still))

    limit = left(totals.limit) + auto
    if after["limit"] is not None and after["limit"] <= limit:
        return after, False
    high, ahead = left(totals.high) + auto, expected(info, now=now)
    low = max(0, left(totals.low) - auto)
    middle = round(ahead.total) - ahead.found if ahead and ahead.is_borne_out else left(totals.mean)
    estimate = int(np.clip(middle, low, min(high, limit)))
    return {"estimate": estimate, "low": low, "high": high, "limit": limit}, True


def _with_unseen(info: DatasetInfo, now: Standing) -> tuple[dict[str, int | None], int]:
    """Return what earlier draws say of the smaller set, and that every image added may be wrong.

    So may every label that a plan changed, or it may be right now: those draws speak of the labels
    that came with it.

    Until enough images are drawn from the larger set; what was added is taken to be wrong as often
    for the estimate, never for the smaller end, always for the larger one.
    """
    first = info.additions[-1]
    labelled, said, risk = ~now.no_class, said_of(now), risks(info, now).before
    old, past = about_given(now)[:first], replay_before(info, now)
    answered, n = int((past.said != OPEN).sum()), int(labelled[:first].sum())
    unseen = int((labelled[first:] & np.isin(said[first:], (OPEN, UNCLEAR))).sum())
    if answered < ENOUGH or not n or risk is None:
        return dict.fromkeys(("estimate", "low", "high", "limit")), unseen
    changed = int(now.auto_open[:first].sum())
    totals = from_draws((*key_of(info, now), first), past, old, n, risk).totals
    found = int((old == WRONG).sum())
    since = int((said == WRONG).sum()) - found
    still = n - int((old == RIGHT).sum()) - found

    def left(total: float) -> int:
        return int(np.clip(round(total - found), 0, still))

    low = max(0, left(totals.low) - changed)
    high = left(totals.high) + unseen + changed
    limit = left(totals.limit) + unseen + changed
    draws_say = found + left(totals.mean) + unseen * totals.mean / n
    middle = round(_by_scores(info, now, draws_say + since) - found - since)
    estimate = int(np.clip(middle, low, min(high, limit)))
    return {"estimate": estimate, "low": low, "high": high, "limit": limit}, unseen


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What `lnl audit` says.

    Attributes:
        left: errors left.
        rate: share of all labels that is wrong, found ones included; None without audits.
        needed: about how many more audits a certificate of the target needs; None where audits
            alone cannot: more is left, or there is no estimate yet.
        target: share of the set that may be wrong.
        step: answers after which numbers are made anew.
        drawable: whether an image without an answer is left to be drawn.
    """

    left: ErrorsLeft
    rate: Rate | None
    needed: int | None
    target: float
    step: int
    drawable: bool


def report(info: DatasetInfo, target: float | None = None) -> AuditReport:
    """Return errors left, the noise rate and what a certificate still needs."""
    now = moment(info)
    left = errors_left(info, target=target, now=now)
    needed, drawable = None, bool((~now.answered & ~now.no_class).any())
    if left.estimate is not None and not left.unseen and not left.before:
        n, found = labelled_count(info), int((said_of(now) == WRONG).sum())
        open_ = n - int((now.kept & ~now.disputed).sum()) - found
        needed = auditing.audits_needed(
            limits_of(info, now).evidence,
            found,
            open_,
            left.goal,
            float(left.estimate),
            alpha=risks(info, now).now,
        )
        if left.may_stop:
            needed = 0
        elif not drawable:
            needed = None
        elif needed is not None:  # a drawn image counts as wrong until it has its answer
            needed = max(needed, open_draws(info, now))
    share = left.goal / max(left.total, 1) if target is None else target
    return AuditReport(left, noise_rate(info), needed, share, step(info), drawable)


def noise_rate(info: DatasetInfo) -> Rate | None:
    """Return the share of wrong labels with its interval, None before any audit.

    Once there is an estimate of the errors left, it is those and what was found: parts of one sum.
    Before, and where plans changed labels, the draws alone say it. It then lies between what was
    found and that with all that is open: reviewing everything makes it exact. A few draws since
    images were added would say one in three where the third was wrong: None then.
    The ranking's scores narrow it where the ranking knows no answer from after the first draw: one
    that does may have been told answers of the audit.
    """
    now = moment(info)
    past = replay_of_given(info, now)
    audit = past.counted
    if not len(audit) and not info.additions:
        return None
    n = labelled_count(info)
    left = errors_left(info, now=now)
    ends = (left.estimate, left.low, left.high)
    if not now.auto_since and None not in ends:
        share, low, high = ((left.found + (each or 0)) / n for each in ends)
        return Rate(share, low, high, "anytime")
    if info.additions and len(audit) < ENOUGH:
        return None
    ranked = scored(info)
    folder = info.directory / "ranking"
    knows = None if ranked is None else arrays.ranking_knows(folder, ranked.version)
    if ranked is None or knows is None or knows > draws(info)[0].last_decision:
        rate = auditing.noise_rate(audit, n)
    else:
        p = np.asarray(ranked.ranking.p_wrong, np.float64)
        rows, total = past.rows[past.clear], float(p.sum())
        rate = auditing.noise_rate(audit, n, p[rows], past.score_open[past.clear], total)
    said = about_given(now)
    least, most = (said == WRONG).sum() / n, 1 - (said == RIGHT).sum() / n
    share, low, high = np.clip([rate.share, rate.low, rate.high], least, most)
    return replace(rate, share=float(share), low=float(low), high=float(high))
