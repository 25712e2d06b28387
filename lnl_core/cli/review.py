"""`lnl rank`, `audit`: the order, and how many wrong labels are left."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lnl_core.cli.command import Command, add_dataset, add_output, opened
from lnl_core.cli.screen import DONE, FAILED, say
from lnl_core.records import DatasetInfo
from lnl_core.said import command, many, percent


def _rank_arguments(one: argparse.ArgumentParser) -> None:
    add_dataset(one)
    one.add_argument(
        "--method",
        default="consensus",
        help="consensus, before (the consensus as it stood before the first answer), or a method's "
        "key",
    )
    one.add_argument(
        "--again",
        action="store_true",
        help="first make the ranking anew from the same runs, where an earlier version made it",
    )
    add_output(one, "CSV or Parquet file")


def rank(options: Any) -> int:
    """Write every image's suspicion and suggested label."""
    from lnl_core.services.export import exporting
    from lnl_core.services.runs import renewing

    info = opened(options)
    if options.again:
        renewing.now(info)
    elif renewing.is_outdated(info):
        print(f"{renewing.WORDS} Add --again.", file=sys.stderr)
    rows = exporting.write_scores(info, options.out, options.method, force=options.force)
    say(
        options,
        {"rows": rows, "out": str(options.out)},
        f"{many(rows, 'row')} in {'standard output' if str(options.out) == '-' else options.out}; "
        "suspicion and p_wrong: 1 = wrong, label_quality: 1 = right.",
    )
    return DONE


RANK = Command(
    "rank",
    "Write every image's suspicion and suggested label.",
    rank,
    _rank_arguments,
    (
        "lnl rank birds --out scores.csv                 all methods together",
        "lnl rank birds --method sr --out sr.csv         one method alone",
    ),
)


def _audit_arguments(one: argparse.ArgumentParser) -> None:
    add_dataset(one)
    one.add_argument(
        "--target",
        type=float,
        metavar="SHARE",
        help="share of the images that may be wrong in the end (default: the set's goal, or 0.01)",
    )
    file = one.add_mutually_exclusive_group()
    file.add_argument(
        "--certificate",
        type=Path,
        metavar="FILE",
        help="write the certificate, once the goal holds",
    )
    file.add_argument("--verify", type=Path, metavar="FILE", help="check a certificate")
    one.add_argument("--force", action="store_true", help="replace the file where it is there")


def audit(options: Any) -> int:
    """Say how many wrong labels are left, from images drawn at random."""
    from lnl_core.services.review import auditing, goals
    from lnl_core.services.review.corrected import corrected
    from lnl_core.services.review.desk import to_label

    if options.target is not None and options.verify is not None:
        options.usage("A certificate is checked against its own goal: --verify takes no --target.")
    if options.target is not None and not 0 < options.target < 1:
        options.usage(f"--target is a share between 0 and 1, got {options.target:g}. 0.01 is 1 %.")
    info = opened(options)
    if options.verify is not None:
        return _verify(options, info)
    if options.certificate is not None:
        if options.target is not None:
            options.usage(
                "A certificate speaks of the goal that is set, not of --target. Set it first: "
                f"{command('goal', info.name, '--left', 'N', '--reviewer', 'WHO')}"
            )
        return _certificate(options, info)
    report = auditing.report(info, options.target)
    left, rate = report.left, report.rate
    people, here = corrected(info, left), goals.stand(info)
    apart = info.n - left.total
    say(
        options,
        {
            "name": info.name,
            "images": left.total,
            "audits": left.audits,
            "audits_wrong": left.wrong,
            "audits_unsure": left.unsure,
            "errors_found": left.found,
            "errors_left": left.estimate,
            "interval": None if left.low is None else [left.low, left.high],
            "at_most": left.limit,
            "noise_rate": None if rate is None else rate.share,
            "noise_rate_interval": None if rate is None else [rate.low, rate.high],
            "target": report.target,
            "target_errors": left.goal,
            "certified": left.may_stop,
            "waits": left.put_off,
            "audits_needed": report.needed,
            "people": people.as_dict(),
            "goal": goals.as_record(here) | {"takes": here.takes},
        }
        | ({"without_class": apart} if apart else {})
        | ({"unseen": left.unseen} if left.unseen else {})
        | ({"auto_fixed": left.auto} if left.auto else {}),
        _audit_words(info.name, report)
        + (f"\n{people.words}." if left.limit is not None else "")
        + ("" if options.target is not None else f"\nGoal: review {here.words}: {here.takes}.")
        + (_apart(apart, to_label(info).done) if apart else ""),
    )
    return DONE


def _certificate(options: Any, info: DatasetInfo) -> int:
    from lnl_core.services.review import auditing, certifying

    body = certifying.write(info, options.certificate, force=options.force)
    say(
        options,
        {
            "out": str(options.certificate),
            "at_most": body["at_most_left"],
            "goal": body["goal"],
            "stopping": body["stopping"],
        },
        f"Review {body['stopping']['goal']}: {body['stopping']['said']}.\n"
        f"At most {many(body['at_most_left'], 'error')} left in {body['labels']:,} labels "
        f"(95 %{f' {auditing.IF}' if body['people']['reviewers'] > 1 else ''}). "
        f"Check it with: {command('audit', info.name, '--verify', options.certificate)}",
    )
    return DONE


def _verify(options: Any, info: DatasetInfo) -> int:
    """Say of each part of a certificate whether it holds; FAILED where one does not."""
    from lnl_core.services.review import certifying

    checks = certifying.verify(info, options.verify)
    holds = all(each.holds for each in checks)
    said = "The certificate holds." if holds else "The certificate does not hold."
    lines = [f"{'  ok ' if each.holds else ' NOT '} {each.what}: {each.words}" for each in checks]
    say(
        options,
        {"holds": holds, "checks": [asdict(each) for each in checks]},
        "\n".join([*lines, said]),
    )
    return DONE if holds else FAILED


def _apart(count: int, done: int) -> str:
    """Say how many images nothing in a report speaks of, and what became of them."""
    images = "1 more image" if count == 1 else f"{count:,} more images"
    since = f", {done:,} labelled since" if done else ""
    return f"\n{images} came without a class{since}: nothing here speaks of them"


def _found(left: Any) -> str:
    words = "wrong label" if left.found == 1 else "wrong labels"
    return f"{left.found:,} {words} found in all, as of {left.reviewed:,} reviewed"


def _audit_words(name: str, report: Any) -> str:
    """Say a report in sentences."""
    left, rate = report.left, report.rate
    goal = f"{percent(report.target, 1)} wrong left ({left.goal:,} of {left.total:,} images)"
    if not left.audits and left.estimate is None:
        return (
            f"No random check of “{name}” counts yet, so nobody knows what is left. "
            f"Numbers are made anew every {report.step} answers.\n"
            "Review mixes such images in by itself, every fifth at first, in single mode and "
            "without filters: lnl open"
        )
    checks = f"{left.checks}; {left.wrong:,} wrong"
    if left.unsure:
        checks += f", {left.unsure:,} unsure or disputed"
    if left.estimate is None:
        missing = max(1, left.enough - left.since)
        return (
            f"{checks}; {_found(left)}.\n"
            f"Too few to say what is left: {many(missing, 'more random check')}."
        )
    lines = [
        f"Errors left: {left.words} of {left.total:,} images",
        f"From {checks}; {_found(left)}",
    ]
    if rate is not None:
        lines.append(
            f"Wrong before review: {percent(rate.share, 1)} "
            f"(95 %: {percent(rate.low, 1)} to {percent(rate.high, 1)})"
        )
    if left.unseen:
        lines.append(
            f"{many(left.unseen, 'image was', 'images were')} added since and count as unseen: "
            f"any may be wrong, "
            f"until {left.enough:,} random checks of the larger set have an answer"
        )
    if left.auto:
        lines.append(
            f"{many(left.auto, 'label was', 'labels were')} accepted unseen: one that is wrong "
            f"counts as left"
            + (", and so does each of them, until more are drawn since" if left.before else "")
        )
    if left.waits and not left.may_stop:
        lines.append(f"{left.waits}: each counts as wrong. Review shows them (key L)")
    lines.append(_target(report, goal))
    return "\n".join(f"{line}." for line in lines)


def _target(report: Any, goal: str) -> str:
    """Say whether the target is reached, and if not what is missing: fewer errors, or proof."""
    left = report.left
    if left.may_stop:
        return f"Certified: at most {many(left.limit, 'error')} left ({left.sure}). Target: {goal}"
    if not report.drawable:
        missing = "Every image has an answer: what people disagree on, or are unsure of, is missing"
    elif left.estimate > left.goal:
        missing = "More than that is left by this estimate: go on with the queue first"
    elif report.needed is None:
        missing = (
            "By this estimate no more than that is left, but it is not proven: that takes random "
            "checks of the set as it is now, which Review in random order shows"
        )
    else:
        missing = (
            f"About {many(report.needed, 'more random check')}, if they go on like this; Review in "
            "random order shows nothing else"
        )
    return f"At most {many(left.limit, 'error')} left ({left.sure}). Target: {goal}. {missing}"


AUDIT = Command(
    "audit",
    "Say how many wrong labels are left, from images drawn at random.",
    audit,
    _audit_arguments,
    (
        "lnl audit birds",
        "lnl audit birds --target 0.005 --json            at most 0.5 % of the labels wrong",
        "lnl audit birds --certificate certificate.json   what the draws prove, as a file",
        "lnl audit birds --verify certificate.json        draws, answers and limit, again",
        "",
        "Review mixes the random images in. Estimate and limit hold at every moment, 95 % sure.",
    ),
)
