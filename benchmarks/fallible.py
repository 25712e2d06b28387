"""Is the limit true where people err? Simulated reviews by a reviewer who misses and who accuses.

    python benchmarks/fallible.py --out benchmarks/results/fallible.json
    python benchmarks/fallible.py --sizes 2000 --rates 0.09 --reviews 200

A reviewer calls a wrong label wrong with the sensitivity, a right one with the chance of a false
alarm. Images drawn at random that are called wrong get a second, blind look, and a third where the
two differ. Gold images come among the others, half of them with a wrong label. `plain` takes every
answer as the truth; `corrected` is `review.sensitivity.corrected_limit`. Both are looked at after
every tenth draw and in the end, when every image has an answer. A limit is false where it is below
the wrong labels among the open images and those whose label was called right.
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

from benchmarks import _out  # noqa: E402
from lnl_core.review import auditing  # noqa: E402
from lnl_core.review.evidence import Evidence, possible_totals  # noqa: E402
from lnl_core.review.sensitivity import EVIDENCE, Known, corrected_limit  # noqa: E402
from lnl_core.store import arrays  # noqa: E402

LOOK = 10
GOLD = 0.03


class Reviewer:
    """Somebody with a sensitivity and a chance of false alarms."""

    def __init__(self, sensitivity: float, alarms: float, rng: np.random.Generator) -> None:
        self.chance, self.rng = (alarms, sensitivity), rng

    def calls(self, wrong: bool) -> bool:
        """Return whether a label is called wrong, at one look."""
        return bool(self.rng.random() < self.chance[wrong])

    def sure(self, wrong: bool) -> bool:
        """Return the same after a second look at what was called wrong, and a third in doubt."""
        return self.calls(wrong) and (self.calls(wrong) or self.calls(wrong))


def review(
    n: int, rate: float, seed: int, sensitivity: float, alarms: float
) -> tuple[bool, bool, float]:
    """Return whether the plain and the corrected limit were ever false, and what is to spare."""
    rng = np.random.default_rng(seed)
    who = Reviewer(sensitivity, alarms, rng)
    wrong = np.arange(n) < round(rate * n)
    wrong = wrong[np.argsort(-(rng.normal(size=n) + 1.5 * wrong * (rng.random(n) < 0.85)))]
    open_, said = np.ones(n, bool), Evidence(possible_totals(n))
    found = kept = missed = place = audits = 0
    gold, plain, corrected = Known(0, 0, 0, 0), False, False
    excess = 0.0
    while open_.any():
        block = (auditing.DENSE if audits < auditing.FIRST_AUDITS else auditing.SPARSE) - 1
        rows = np.flatnonzero(open_[place:])[:block] + place
        for row in rows[: max(0, int(open_.sum()) - 1)]:
            called = who.calls(bool(wrong[row]))
            found, kept = found + called, kept + (not called)
            missed += int(wrong[row] and not called)
            open_[row] = False
            if rng.random() < GOLD:
                truth = bool(rng.random() < 0.5)
                hit = who.calls(truth)
                gold += Known(truth, truth and hit, not truth, not truth and hit)
        left = np.flatnonzero(open_)
        row = int(rng.choice(left))
        called = who.sure(bool(wrong[row]))
        said.draw(len(left), found, called)
        found, kept, audits = found + called, kept + (not called), audits + 1
        missed += int(wrong[row] and not called)
        open_[row] = False
        if open_.any() and (audits < auditing.ENOUGH or audits % LOOK):
            continue
        truth, still = missed + int(wrong[open_].sum()), int(open_.sum())
        plain |= auditing.live_limits(said, found, found + still).limit - found < truth
        careful = auditing.live_limits(said, found, found + still, auditing.ALPHA * EVIDENCE)
        limit = corrected_limit(careful.limit - found, found, still, kept, gold).limit
        corrected |= limit < truth
        excess = limit - truth
    return plain, corrected, excess


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=[300, 2000])
    parser.add_argument("--rates", type=float, nargs="+", default=[0.03, 0.09, 0.17])
    parser.add_argument("--reviews", type=int, default=2000, help="simulated reviews of each")
    parser.add_argument("--sensitivity", type=float, default=0.93)
    parser.add_argument("--alarms", type=float, default=0.02, help="chance of a false alarm")
    parser.add_argument("--out", type=Path, help="JSON; rows already in it are replaced")
    options = _out.parse(parser, arguments, grows=True)
    stored = arrays.read_json(options.out) if options.out and options.out.is_file() else {}
    for n in options.sizes:
        for rate in options.rates:
            began = time.process_time()
            each = [
                review(n, rate, seed, options.sensitivity, options.alarms)
                for seed in range(options.reviews)
            ]
            row: dict[str, Any] = {
                "reviews": options.reviews,
                "plain": sum(one[0] for one in each),
                "corrected": sum(one[1] for one in each),
                "above_truth": round(float(np.mean([one[2] for one in each])), 1),
                "cpu_s": round(time.process_time() - began, 1),
            }
            print(
                f"{n:>6,} images, {100 * rate:.0f} % wrong: ever false plain "
                f"{100 * row['plain'] / options.reviews:.1f} %, corrected "
                f"{100 * row['corrected'] / options.reviews:.1f} %, on average "
                f"{row['above_truth']:,.0f} above the truth in the end, {row['cpu_s']} CPU s",
                flush=True,
            )
            if options.out:
                name = f"{n} {rate:g} {options.sensitivity:g} {options.alarms:g}"
                stored[name] = row
                arrays.write_json(options.out, stored)


if __name__ == "__main__":
    main()
