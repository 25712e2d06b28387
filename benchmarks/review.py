"""How much work is a review? Effort by several orders and reviewers, and when one may stop.

    lnl bench review --out benchmarks/results/review.json
    python benchmarks/review.py --what effort                    in two minutes
    python benchmarks/review.py --what stopping --labels aggre --goal 80 --seeds 3

`effort` (`_effort.py`): reviewers who never err, who err, and who trust suggestions too much, by
the product's order and by cleanlab's orders of the same probabilities: logistic regression and
nearest neighbours on frozen features, and a small network's, all out of fold. Also on what the
repository ships; where the shared development data are missing that alone, and it says so.

`accept` (`_accepting.py`): how often checks of suggestions that are to be accepted unseen pass.

`stopping`: a reviewer who never errs, the product's order and plan. The queue of the default recipe
on 8,000 small photographs with human labels is reviewed until the live limit says that at most
`--goal` wrong labels are left. Every fifth image is drawn at random, after a hundred every
twentieth; every 25 answers p_wrong is recalibrated and the plan made anew, and once random draws
lead to the goal sooner they alone are shown (`review.auditing.plan`). Beside it `mixed`: the same
without a plan, and `order`: where the order alone reaches the goal, which nobody who reviews can
know. `false` counts reviews whose limit was ever below the truth.

`expected`: is p_wrong true as answers correct it? Its calibration error before any answer, and on
what is open after 500 answers of the queue with random ones mixed in as above; after 800 the wrong
labels that it expects among the rest, over those that there are.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO))

from benchmarks import _accepting, _data, _effort, _out, _real_sets, real  # noqa: E402
from lnl_core.methods import taught  # noqa: E402
from lnl_core.review import auditing, consensus, evidence, metrics, recalibration  # noqa: E402
from lnl_core.store import arrays  # noqa: E402
from lnl_core.types import Signals  # noqa: E402

RECIPE = ["probe", "jump@pretrained", "finetune"]
WHAT = ("effort", "accept", "stopping", "expected")
ANSWERS, REVIEWS = (50, 100, 200, 400, 800), 10
"""Answers after which suggestions are put together for accepting, and how often each is tried."""

EVERY = 25
"""Answers after which the plan is made anew, as in the product."""


def effort(case: _real_sets.Case, options: argparse.Namespace) -> dict[str, Any]:
    """Return what orders and reviewers bring on one set."""
    heard, given, truth = _heard(case, options)
    print(f"{case.name}, effort: {len(case.judged):,} images, {int(case.wrong.sum()):,} wrong")
    k = len(case.dataset.class_names)
    rows = None if len(case.judged) == len(given) else case.judged
    return _effort.measure(heard, given, truth, k, rows)


def accept(case: _real_sets.Case, options: argparse.Namespace) -> dict[str, Any]:
    """Return what checks of suggestions say on one set."""
    heard, given, truth = _heard(case, options)
    ranking = consensus.rank(heard, given, len(case.dataset.class_names))
    order = np.asarray(ranking.order)
    ways = ((count, seed) for count in ANSWERS for seed in range(REVIEWS))
    reviews = ((count, *mixed(order, seed, count)) for count, seed in ways)
    found = _accepting.measure(ranking, truth)
    return found | {"answered": _accepting.answered(ranking, given, truth, reviews)}


def _heard(
    case: _real_sets.Case, options: argparse.Namespace
) -> tuple[list[Signals], np.ndarray, np.ndarray]:
    """Return what the methods say of a set, its given labels and what is true of them."""
    given = np.asarray(case.dataset.given_labels)
    truth = given.copy()
    truth[case.judged] = case.truth
    heard = [real.alone(case, key, options, 0) for key in ("probe", "knn")]
    if (own := _of_network(case, options.data)) is not None:
        heard.append(own)
    return heard, given, truth


def _of_network(case: _real_sets.Case, data: Path) -> Signals | None:
    """Return what a small network said out of fold, as it was computed once; None without it."""
    column = {"aggre": "aggre_label", "random1": "random_label1", "worse": "worse_label"}
    stored = data / "cifar10n_dev_oof_probs.npz"
    label = column.get(case.name.removeprefix("balanced-"))
    if label is None or not stored.is_file():
        return None
    with np.load(stored) as arrays_:
        probs = np.asarray(arrays_[label], np.float64)
    probs /= probs.sum(axis=1, keepdims=True)
    given = np.asarray(case.dataset.given_labels)
    return Signals("own-network", 1 - probs[np.arange(len(given)), given], probs)


class Project:
    """One set under review, with what the methods say of it."""

    def __init__(self, case: _real_sets.Case, options: argparse.Namespace) -> None:
        given = np.asarray(case.dataset.given_labels)
        heard = [real.alone(case, key, options, 0) for key in RECIPE]
        k = len(case.dataset.class_names)
        ranking = consensus.rank(heard, given, k, None, taught(RECIPE))
        self.given, self.wrong = given, case.wrong
        self.p = np.asarray(ranking.p_wrong, np.float64)
        self.order = np.asarray(ranking.order)
        self.suggested = np.asarray(ranking.suggested_labels)

    def alone(self, goal: int) -> int:
        """Return after how many reviews the order has left no more than the goal."""
        left = self.wrong.sum() - np.cumsum(self.wrong[self.order])
        return int(np.argmax(left <= goal)) + 1

    def foreseen(self, goal: int) -> auditing.Plan:
        """Return the shortest way of somebody who knows what is left, and draws nothing before."""
        said = evidence.Evidence(evidence.possible_totals(len(self.p)))
        known = self.wrong[self.order].astype(np.float64)
        return auditing.plan(said, 0, known, goal, alpha=auditing.risk())

    def expected(self, rows: list[int], drawn: list[bool]) -> np.ndarray:
        """Return p_wrong as the answers so far correct it."""
        seen = np.array(rows)
        return recalibration.recalibrated(
            self.p, self.given, self.suggested, seen, self.wrong[seen], np.array(drawn)
        )


def review(project: Project, seed: int, goal: int, *, planned: bool) -> dict[str, Any]:
    """Review until the limit reaches the goal; return reviews, random checks, errors left."""
    n, wrong = len(project.p), project.wrong
    rng, open_ = np.random.default_rng(seed), np.ones(n, bool)
    said, risk = evidence.Evidence(evidence.possible_totals(n)), auditing.risk()
    rows: list[int] = []
    by_chance: list[bool] = []
    found = audits = since = 0
    only = false = False
    place = 0
    while open_.any():
        every = auditing.DENSE if audits < auditing.FIRST_AUDITS else auditing.SPARSE
        if drawn := only or since >= every - 1:
            eligible = np.flatnonzero(open_)
            row = int(rng.choice(eligible))
            said.draw(len(eligible), found, bool(wrong[row]))
            audits, since = audits + 1, 0
        else:
            while not open_[project.order[place]]:
                place += 1
            row, since = int(project.order[place]), since + 1
        open_[row] = False
        found += int(wrong[row])
        rows.append(row)
        by_chance.append(drawn)
        if drawn and audits % 10 == 0:
            most = found + int(open_.sum())
            limit = auditing.live_limits(said, found, most, risk).limit - found
            false |= limit < int(wrong[open_].sum())
            if limit <= goal:
                break
        if planned and audits >= auditing.ENOUGH and len(rows) % EVERY == 0:
            rest = project.order[open_[project.order]]
            way = auditing.plan(
                said, found, project.expected(rows, by_chance)[rest], goal, alpha=risk
            )
            only = way.queue == 0
    left = int(wrong[open_].sum())
    return {"reviews": len(rows), "audits": audits, "left": left, "false": bool(false)}


def mixed(order: np.ndarray, seed: int, count: int) -> tuple[list[int], list[bool]]:
    """Return the first rows of a review, the queue with random ones mixed in, and which are those.

    Args:
        order: (n,) the queue.
        seed: of the draws.
        count: reviews.
    """
    rng, open_ = np.random.default_rng(seed), np.ones(len(order), bool)
    rows: list[int] = []
    drawn: list[bool] = []
    audits = since = place = 0
    while len(rows) < min(count, len(order)):
        every = auditing.DENSE if audits < auditing.FIRST_AUDITS else auditing.SPARSE
        drawn.append(since >= every - 1)
        if drawn[-1]:
            row, audits, since = int(rng.choice(np.flatnonzero(open_))), audits + 1, 0
        else:
            while not open_[order[place]]:
                place += 1
            row, since = int(order[place]), since + 1
        open_[row] = False
        rows.append(row)
    return rows, drawn


def truth_of_p(project: Project, seeds: int) -> dict[str, Any]:
    """Return calibration errors of p_wrong before and after answers, and what it expects left."""
    errors, kept, ratios = [], [], []
    for seed in range(seeds):
        rows, drawn = mixed(project.order, seed, 800)
        rest = np.setdiff1d(np.arange(len(project.p)), rows[:500])
        p, wrong = project.expected(rows[:500], drawn[:500])[rest], project.wrong[rest]
        errors.append(metrics.calibration_error(wrong, p))
        kept.append(metrics.calibration_error(wrong, project.p[rest]))
        rest = np.setdiff1d(np.arange(len(project.p)), rows)
        ratios.append(float(project.expected(rows, drawn)[rest].sum() / project.wrong[rest].sum()))
    found = {
        "before": metrics.calibration_error(project.wrong, project.p),
        "after_500": float(np.mean(errors)),
        "after_500_most": max(errors),
        "after_500_uncorrected": float(np.mean(kept)),
        "left_over_truth": float(np.mean(ratios)),
        "left_least": min(ratios),
        "left_most": max(ratios),
    }
    return {key: round(value, 4) for key, value in found.items()} | {"seeds": seeds}


def measure(project: Project, goal: int, seeds: int) -> dict[str, Any]:
    """Return both ways to review, over seeds of the draws, and where the order alone gets there."""
    rows: dict[str, Any] = {"order": project.alone(goal), "goal": goal, "seeds": seeds}
    rows["foreseen"] = project.foreseen(goal).total
    for name, planned in (("mixed", False), ("planned", True)):
        each = [review(project, seed, goal, planned=planned) for seed in range(seeds)]
        rows[name] = {
            "reviews": round(float(np.mean([one["reviews"] for one in each])), 1),
            "each": [one["reviews"] for one in each],
            "audits": round(float(np.mean([one["audits"] for one in each])), 1),
            "left": round(float(np.mean([one["left"] for one in each])), 1),
            "false": sum(one["false"] for one in each),
        }
    return rows


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--what", nargs="+", default=list(WHAT), choices=WHAT)
    parser.add_argument(
        "--labels", nargs="+", default=list(_real_sets.COLUMNS), choices=_real_sets.COLUMNS
    )
    parser.add_argument("--goal", type=int, default=80, help="wrong labels that may be left")
    parser.add_argument("--seeds", type=int, default=20, help="reviews with draws of their own")
    parser.add_argument("--data", type=Path, default=_data.default_path().parent)
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "lnl-real")
    parser.add_argument("--out", type=Path, help="JSON; rows already in it are replaced")
    options = _out.parse(parser, arguments, grows=True)
    options.data = options.data.resolve()
    there = (options.data / "cifar10n_dev.npz").is_file()
    options.sets = ["shipped", "balanced"] if there else ["shipped"]
    if not there:
        print(f"Skipped what needs {options.data / 'cifar10n_dev.npz'}: it is not there.")
    stored = arrays.read_json(options.out) if options.out and options.out.is_file() else {}
    wanted = {f"balanced-{label}" for label in options.labels}
    counts, options.seeds = options.seeds, [0]
    for case in _real_sets.cases(options, 0):
        shipped = not case.name.startswith("balanced-")
        if "effort" in options.what and (shipped or case.name in wanted):
            stored[f"{case.name} effort"] = effort(case, options)
        if "accept" in options.what and case.name in wanted:
            stored[f"{case.name} accept"] = accept(case, options)
        if "stopping" in options.what and case.name in wanted:
            stored[case.name] = _stopping(case, options, counts)
        if "expected" in options.what and case.name in wanted:
            found = truth_of_p(Project(case, options), counts)
            stored[f"{case.name} expected"] = found
            print(f"{case.name}, expected: {found}", flush=True)
        if options.out:
            arrays.write_json(options.out, stored)


def _stopping(case: _real_sets.Case, options: argparse.Namespace, counts: int) -> dict[str, Any]:
    """Measure and print when a review of one set may stop."""
    found = measure(Project(case, options), options.goal, counts)
    print(f"{case.name}: {len(case.dataset):,} images, goal {options.goal} wrong labels left")
    print(f"  order alone {found['order']:>6,}, with foresight {found['foreseen']:,}")
    for name in ("mixed", "planned"):
        row = found[name]
        print(
            f"  {name:<11} {row['reviews']:>6,.0f} reviews ({min(row['each']):,} to "
            f"{max(row['each']):,}), {row['audits']:,.0f} random, {row['left']:.0f} left, "
            f"{row['false']} of {counts} false"
        )
    return found


if __name__ == "__main__":
    main()
