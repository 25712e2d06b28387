"""Is the limit true where people err? Simulated reviews by a reviewer who misses and who accuses.

    python benchmarks/fallible.py --out benchmarks/results/fallible.json
    python benchmarks/fallible.py --team 4 --sizes 2000 --rates 0.09 --out …/fallible.json

A reviewer calls a wrong label wrong with the sensitivity, a right one with the chance of a false
alarm. Images drawn at random that are called wrong get a second, blind look, and a third where the
two differ. Gold images come among the others, half of them with a wrong label. `plain` takes every
answer as the truth; `corrected` is `review.missed.corrected_limit`. Both are looked at after
every tenth draw and in the end, when every image has an answer. A limit is false where it is below
the wrong labels among the open images and those whose label was called right. What the limits have
to spare is told at three quarters of the set and in the end.
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

from benchmarks import _looks, _out, _watching  # noqa: E402
from lnl_core.review import auditing  # noqa: E402
from lnl_core.review.evidence import AUDIT, Audit, Evidence, possible_totals  # noqa: E402
from lnl_core.review.missed import Looks, corrected_limit  # noqa: E402
from lnl_core.review.sensitivity import Known  # noqa: E402
from lnl_core.store import arrays  # noqa: E402

LOOK = 10
TEAM_LOOK = 20
GOLD = 0.03


class Reviewer:
    """Somebody with a sensitivity and a chance of false alarms."""

    def __init__(self, sensitivity: float, alarms: float, rng: np.random.Generator) -> None:
        self.chance, self.rng = (alarms, sensitivity), rng

    def calls(self, wrong: bool) -> bool:
        """Return whether a label is called wrong, at one look."""
        return bool(self.rng.random() < self.chance[wrong])


class Review:
    """One simulated review: the queue in blocks, a draw after each, gold images in between."""

    def __init__(self, n: int, rate: float, seed: int, sensitivity: float, alarms: float) -> None:
        rng = self.rng = np.random.default_rng(seed)
        self.who = Reviewer(sensitivity, alarms, rng)
        wrong = np.arange(n) < round(rate * n)
        seen = wrong * (rng.random(n) < 0.85)
        self.wrong = wrong[np.argsort(-(rng.normal(size=n) + 1.5 * seen))]
        self.n, self.open = n, np.ones(n, bool)
        self.found = self.kept = self.missed = 0
        self.gold = Known(0, 0, 0, 0)
        self.again = self.agreed = self.taken_back = 0
        self.draws: list[tuple[int, int, bool]] = []
        self.said = Evidence(possible_totals(n))

    def step(self) -> None:
        """Answer a block of the queue and one image drawn at random."""
        dense = len(self.draws) < auditing.FIRST_AUDITS
        block = (auditing.DENSE if dense else auditing.SPARSE) - 1
        queue = np.flatnonzero(self.open)
        for row in queue[: min(block, len(queue) - 1)]:
            self._take(int(row), self.who.calls(bool(self.wrong[row])))
            if self.rng.random() < GOLD:
                truth = bool(self.rng.random() < 0.5)
                hit = self.who.calls(truth)
                self.gold += Known(truth, truth and hit, not truth, not truth and hit)
        left = np.flatnonzero(self.open)
        row = int(self.rng.choice(left))
        called = self._looked_twice(bool(self.wrong[row]))
        self.said.draw(len(left), self.found, called)
        self.draws.append((len(left), self.found, called))
        self._take(row, called)

    def _take(self, row: int, called: bool) -> None:
        self.found, self.kept = self.found + called, self.kept + (not called)
        self.missed += int(self.wrong[row] and not called)
        self.open[row] = False

    def _looked_twice(self, wrong: bool) -> bool:
        """Return what is said after a second look at what was called wrong, a third in doubt."""
        if not self.who.calls(wrong):
            return False
        second = self.who.calls(wrong)
        called = second or self.who.calls(wrong)
        self.again += called
        self.agreed += called and second
        self.taken_back += not called
        return called

    def limits(self) -> tuple[int, int, int]:
        """Return the truth, the plain limit and the corrected one."""
        still = int(self.open.sum())
        truth = self.missed + int(self.wrong[self.open].sum())
        plain = auditing.live_limits(self.said, self.found, self.found + still).limit - self.found
        rows, found, called = (np.array(each) for each in zip(*self.draws, strict=True))
        audit = Audit(rows, found, called, (AUDIT,) * len(rows))
        looks = Looks(self.gold, self.again, self.agreed, self.taken_back)
        corrected = corrected_limit(audit, self.n, self.found, still, self.kept, looks)
        return truth, plain, corrected


def review(
    n: int, rate: float, seed: int, sensitivity: float, alarms: float
) -> tuple[bool, bool, int, int]:
    """Return what `_watching.watched` does."""
    return _watching.watched(Review(n, rate, seed, sensitivity, alarms), LOOK)


def _reviews(n: int, rate: float, options: Any) -> list[tuple[Any, ...]]:
    said = (options.sensitivity, options.alarms)
    if not options.team:
        return [review(n, rate, seed, *said) for seed in range(options.reviews)]
    team = (options.team, TEAM_LOOK)
    return [_looks.review(n, rate, seed, *said, *team) for seed in range(options.reviews)]


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=[300, 2000])
    parser.add_argument("--rates", type=float, nargs="+", default=[0.03, 0.09, 0.17])
    parser.add_argument("--reviews", type=int, default=2000, help="simulated reviews of each")
    parser.add_argument("--sensitivity", type=float, default=0.93)
    parser.add_argument("--alarms", type=float, default=0.02, help="chance of a false alarm")
    parser.add_argument("--team", type=int, default=0, metavar="PEOPLE", help="measured by looks")
    parser.add_argument("--out", type=Path, help="JSON; rows already in it are replaced")
    options = _out.parse(parser, arguments, grows=True)
    stored = arrays.read_json(options.out) if options.out and options.out.is_file() else {}
    for n in options.sizes:
        for rate in options.rates:
            began = time.process_time()
            each = _reviews(n, rate, options)
            row: dict[str, Any] = {
                "reviews": options.reviews,
                "plain": sum(one[0] for one in each),
                "corrected": sum(one[1] for one in each),
                "above_at_75": round(float(np.mean([one[2] for one in each])), 1),
                "above_truth": round(float(np.mean([one[3] for one in each])), 1),
                "cpu_s": round(time.process_time() - began, 1),
            }
            if options.team:
                row["gold_wrong"] = round(float(np.mean([one[4] for one in each])), 1)
            print(
                f"{n:>6,} images, {100 * rate:.0f} % wrong: ever false plain "
                f"{100 * row['plain'] / options.reviews:.1f} %, corrected "
                f"{100 * row['corrected'] / options.reviews:.1f} %, on average "
                f"{row['above_truth']:,.0f} above the truth in the end, {row['cpu_s']} CPU s",
                flush=True,
            )
            if options.out:
                name = f"{n} {rate:g} {options.sensitivity:g} {options.alarms:g}"
                name += f" team of {options.team}" if options.team else ""
                stored[name] = row
                arrays.write_json(options.out, stored)


if __name__ == "__main__":
    main()
