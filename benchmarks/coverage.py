"""Is the live limit ever wrong? Simulated reviews, small and large sets, few and many errors.

    python benchmarks/coverage.py --out benchmarks/results/coverage.json
    python benchmarks/coverage.py --sizes 300 --rates 0.03 --reviews 200

Each review goes on until every image has an answer, and the limit is looked at after every random
draw: a review counts as wrong where, at any look, the true number of wrong labels lay above it. Two
queues stand between the draws. `static` is ordered by a score that sees most errors and is blind
to some. `hostile` knows the truth and all that the draws have said: before each draw it answers
right or wrong labels only, whichever makes the next bet against the truth boldest. The draws come
as in the product: every fifth image until a hundred, then every twentieth.

`pages` are answered in page mode, where drawn images wait for a page of their class; `late` by
somebody who puts off those of the drawn images that are right, or in every other review wrong.
`changed` is hostile as well, and changes the set as soon as the bets have lost, five times at most:
images are added, or labels changed unseen. Any state's limit that is ever too low counts; each has
its part of the risk (`--old-risks`: as it was before, the whole one for images that were added and
half of it for labels that were changed).

`share` asks for a share of the errors three times over, with a queue that works against the samples
(`benchmarks/_sharing.py`); it is false where any of the promises is broken.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO))

from benchmarks import _out, _paging, _sharing  # noqa: E402
from lnl_core.review import auditing  # noqa: E402
from lnl_core.review.comparison import binomial_interval  # noqa: E402
from lnl_core.store import arrays  # noqa: E402
from lnl_core.types import FloatArray  # noqa: E402

SIZES, RATES = (300, 2000, 8000), (0.01, 0.03, 0.09, 0.17, 0.40)
QUEUES = ("static", "hostile", "pages", "late", "changed", "share")
CHANGES, LOST = 5, 0.5
"""Changes of a hostile review at most, and what bets are worth when it is time for the next."""

BLIND = 0.15
"""Share of the errors that the static queue's score does not see."""


class Bet:
    """What `Evidence` says against the true total, and no other: `above[-1]` of the product's code.

    Only smaller totals bet against it, and only those from `found` on are possible, so a draw costs
    one pass over these (tests hold that the figures are those of `Evidence`).

    Attributes:
        now: log of what the bet has won.
        peak: the most that it ever was.
    """

    def __init__(self, total: int) -> None:
        self.total, self.now, self.peak = total, 0.0, 0.0
        self._said = np.zeros(total + 1)  # log-likelihoods
        self._alike: FloatArray | None = None  # exp of them, the largest 1
        self._next = (-1, -1)
        self._held: tuple[int, int] = (-1, -1)  # where the prior was made last

    def draw(self, open_: int, found: int, hit: bool) -> None:
        """Take a draw from so many open labels."""
        if (open_, found) != self._next:
            self._held = (open_, found)
        won = self._won(open_, found, self._held, hit)
        if won is not None:
            self.now += won
            self.peak = max(self.peak, self.now)
        rest = np.arange(self.total + 1 - found)
        with np.errstate(divide="ignore"):
            self._said[found:] += np.log((rest if hit else open_ - rest) / open_)
        self._next, self._alike = (open_ - 1, found + int(hit)), None

    def forecast(self, open_: int, found: int, hit: bool) -> float:
        """Return the most that the bet has won once such a draw is taken."""
        held = self._held if (open_, found) == self._next else (open_, found)
        won = self._won(open_, found, held, hit)
        return max(self.peak, self.now if won is None else self.now + won)

    def _won(self, open_: int, found: int, held: tuple[int, int], hit: bool) -> float | None:
        """Return log of what one draw wins; None where no smaller total is possible."""
        count = self.total - found
        if count < 1:
            return None
        if self._alike is None:
            smaller = self._said[found : self.total]
            top = smaller.max()
            alike = np.exp(smaller - top) if np.isfinite(top) else np.zeros(count)
            self._alike = np.r_[np.zeros(found), alike]
        rest = _COUNTS[:count]
        left = _COUNTS[found - held[1] : found - held[1] + count] + 0.5
        weight = self._alike[found:] / np.sqrt(left * (held[0] + 1 - left))
        whole = weight.sum()
        if whole <= 0:
            return None
        mean = float(weight @ rest) / whole
        gives, chance = (mean, count) if hit else (open_ - mean, open_ - count)
        return float(np.log(gives / chance)) if gives > 0 else -np.inf


_COUNTS = np.arange(10**6, dtype=float)


class Review:
    """One review in which only counts matter: how many open labels are right, how many wrong."""

    def __init__(self, n: int, wrong: int, rng: np.random.Generator) -> None:
        self.n, self.total, self.rng = n, wrong, rng
        self.right, self.wrong = n - wrong, wrong
        self.said = Bet(wrong)
        self.audits = self.changes = 0
        self.risk = auditing.ALPHA

    @property
    def open(self) -> int:
        """Labels without an answer."""
        return self.right + self.wrong

    @property
    def found(self) -> int:
        """Wrong labels among those with one."""
        return self.total - self.wrong

    def answer(self, wrong: int, right: int) -> None:
        """Take labels out of the open ones."""
        self.wrong -= wrong
        self.right -= right

    def draw(self) -> bool:
        """Draw one at random; return whether the true total is now, or was ever, ruled out."""
        hit = bool(self.rng.random() * self.open < self.wrong)
        self.said.draw(self.open, self.found, hit)
        self.answer(int(hit), int(not hit))
        self.audits += 1
        return self.said.peak >= -np.log(self.risk)

    def change(self, images: int, wrong: int, risk: float) -> None:
        """Add images, or change labels where none is added; bets begin anew.

        Args:
            images: how many are added.
            wrong: how many more labels are wrong then; fewer where negative.
            risk: of the limit from now on.
        """
        self.n, self.total = self.n + images, self.total + wrong
        self.wrong, self.right = self.wrong + wrong, self.right + images - wrong
        self.said, self.audits, self.risk = Bet(self.total), 0, risk
        self.changes += 1

    def between(self) -> int:
        """Return how many images the queue shows before the next draw."""
        few = self.audits < auditing.FIRST_AUDITS
        return min((auditing.DENSE if few else auditing.SPARSE) - 1, max(0, self.open - 1))


def static(review: Review, score: np.ndarray) -> bool:
    """Review in a fixed order; `score` (n,) are the labels in it, True where wrong.

    A drawn label is any open one, so which one it was is settled by chance when the queue gets
    there: of the labels behind, as many as were drawn are gone.
    """
    behind = score.copy()
    open_ = np.ones(len(behind), bool)
    place = 0
    while review.open:
        taken = 0
        for _ in range(review.between()):
            while not open_[place]:
                place += 1
            open_[place] = False
            taken += int(behind[place])
            review.answer(int(behind[place]), int(not behind[place]))
        before = review.wrong
        if review.draw():
            return True
        kind = review.wrong < before
        rows = np.flatnonzero(open_ & (behind == kind))
        open_[review.rng.choice(rows)] = False
    return False


def hostile(review: Review) -> bool:
    """Review as somebody would who wants the limit to be wrong."""
    while review.open:
        block = review.between()
        many = min(block, review.wrong)
        few = block - min(block, review.right)
        first = max({few, many}, key=lambda k: _boldness(review, k, block - k))
        review.answer(first, block - first)
        if review.draw():
            return True
    return False


def changed(review: Review, old: bool) -> bool:
    """Review as somebody would who also changes the set whenever luck has left the bets."""
    rate = review.total / review.n
    if not old:
        review.risk = auditing.risk()
    while review.open:
        may = review.audits >= auditing.ENOUGH and review.open > review.n // 10
        if may and review.changes < CHANGES and review.said.now < np.log(LOST):
            _change(review, rate, old)
        block = review.between()
        many, few = min(block, review.wrong), block - min(block, review.right)
        first = max({few, many}, key=lambda k: _boldness(review, k, block - k))
        review.answer(first, block - first)
        if review.draw():
            return True
    return False


def _change(review: Review, rate: float, old: bool) -> None:
    added = review.changes % 2 == 0
    images = review.n // 10 if added else 0
    wrong = round(rate * images) if added else -(review.wrong // 3)
    before = auditing.ALPHA if added else auditing.ALPHA / 2
    risk = before if old else auditing.risk(review.changes + 1)
    review.change(images, wrong, risk)


def _boldness(review: Review, wrong: int, right: int) -> float:
    """Return the mean square of what the next bet wins after so many answers of the queue."""
    still, open_ = review.wrong - wrong, review.open - wrong - right
    found = review.found + wrong
    mean = 0.0
    for hit, chance in ((True, still / open_), (False, 1 - still / open_)):
        if chance > 0:
            won = review.said.forecast(open_, found, hit)
            mean += chance * float(np.exp(2 * min(won, 20.0)))
    return mean


def ever_wrong(
    n: int, rate: float, queue: str, reviews: int, seed: int, *, old: bool = False
) -> dict[str, Any]:
    """Return in how many reviews the limit was ever too low; `low` and `high` are of the share."""
    wrong = max(1, round(rate * n))
    false = audits = 0
    for k in range(reviews):
        rng = np.random.default_rng([seed, n, wrong, QUEUES.index(queue), k])
        review = Review(n, wrong, rng)
        if queue == "hostile":
            false += hostile(review)
        elif queue == "changed":
            false += changed(review, old)
        elif queue == "share":
            ever, review.audits = _sharing.shared(n, wrong, rng, deep=bool(k % 2))
            false += ever
        elif queue in ("pages", "late"):
            late = "fair" if queue == "pages" else ("right", "wrong")[k % 2]
            ever, draws = _paging.paged(review.said, wrong, n, rng, late, auditing.ALPHA)
            false, review.audits = false + ever, draws
        elif queue == "static":
            labels = np.arange(n) < wrong
            seen = labels & (rng.random(n) >= BLIND)
            order = np.argsort(-(rng.normal(size=n) + 1.5 * seen))
            false += static(review, labels[order])
        else:
            raise ValueError(f"there is no queue “{queue}”")
        audits += review.audits
    low, high = binomial_interval(false, reviews, 0.95)
    return {"reviews": reviews, "false": false, "low": low, "high": high, "draws": audits / reviews}


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="images")
    parser.add_argument("--rates", type=float, nargs="+", default=RATES, help="share wrong")
    parser.add_argument("--queues", nargs="+", default=QUEUES, choices=QUEUES)
    parser.add_argument("--reviews", type=int, default=2000, help="simulated reviews of each")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--old-risks", action="store_true", help="of `changed`, to compare")
    parser.add_argument("--out", type=Path, help="JSON; rows already in it are replaced")
    options = _out.parse(parser, arguments, grows=True)
    stored = arrays.read_json(options.out) if options.out and options.out.is_file() else {}
    for queue in options.queues:
        for n in options.sizes:
            for rate in options.rates:
                began = time.process_time()
                row = ever_wrong(
                    n, rate, queue, options.reviews, options.seed, old=options.old_risks
                )
                row["cpu_s"] = round(time.process_time() - began, 1)
                print(
                    f"{queue:<8} {n:>6,} images, {100 * rate:>4.0f} % wrong: "
                    f"{row['false']:>4} of {row['reviews']:,} ever false "
                    f"({100 * row['low']:.1f} to {100 * row['high']:.1f} %), {row['cpu_s']} CPU s",
                    flush=True,
                )
                if options.out:
                    stored[f"{queue} {n} {rate:g}" + " old risks" * options.old_risks] = row
                    arrays.write_json(options.out, stored)


if __name__ == "__main__":
    main()
