"""`lnl accept`: suggestions accepted unseen, once a random check of them has passed."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from lnl_core.cli.command import Command, add_dataset, opened
from lnl_core.cli.screen import DONE, say
from lnl_core.records import LnlError, meant
from lnl_core.said import many, number

if TYPE_CHECKING:
    from lnl_core.records import DatasetInfo
    from lnl_core.services.review.accepting import Plan


def _arguments(one: argparse.ArgumentParser) -> None:
    add_dataset(one)
    one.add_argument("--given", metavar="CLASS", help="only images given as this class")
    one.add_argument("--suggested", metavar="CLASS", help="only images suggested as this class")
    one.add_argument(
        "--least",
        type=float,
        default=0.9,
        metavar="SHARE",
        help="smallest chance that a suggestion is right, p x q (default: 0.9)",
    )
    one.add_argument(
        "--precision",
        type=float,
        default=0.95,
        metavar="SHARE",
        help="share of right ones asked of what nobody looks at (default: 0.95)",
    )
    one.add_argument(
        "--allow", type=int, default=0, metavar="N", help="wrong ones allowed in the check"
    )
    one.add_argument("--reviewer", metavar="WHO", help="who does it; needed by all that follow")
    act = one.add_mutually_exclusive_group()
    act.add_argument("--draw", action="store_true", help="fix the plan and draw its check")
    act.add_argument("--plan", type=int, metavar="N", help="accept, now that its check has passed")
    act.add_argument("--give-up", type=int, metavar="N", help="end a check; nothing is changed")
    act.add_argument("--undo", type=int, metavar="N", help="take back all that a plan decided")


def accept(options: Any) -> int:
    """Say what accepting would take; draw the check; accept, give up or undo a plan."""
    from lnl_core.services.review import accepting

    for name in ("least", "precision"):
        if not 0 < getattr(options, name) < 1:
            options.usage(f"--{name} is a share between 0 and 1, got {getattr(options, name):g}.")
    if options.allow < 0:
        options.usage(f"--allow is a number of images, got {options.allow}.")
    acts = (options.plan, options.give_up, options.undo)
    if (options.draw or any(each is not None for each in acts)) and not options.reviewer:
        options.usage("say who does it: --reviewer WHO")
    info = opened(options)
    if options.plan is not None:
        images = accepting.accept(info, options.plan, options.reviewer)
        words = (
            f"{many(images, 'suggestion')} accepted unseen. To take back: --undo {options.plan}."
        )
        say(options, {"plan": options.plan, "accepted": images}, words)
    elif options.undo is not None:
        images = accepting.undo(info, options.undo, options.reviewer)
        told = {"plan": options.undo, "taken_back": images}
        say(
            options,
            told,
            f"{many(images, 'image has its', 'images have their')} earlier label again.",
        )
    elif options.give_up is not None:
        accepting.give_up(info, options.give_up, options.reviewer)
        told = {"plan": options.give_up, "given_up": True}
        say(options, told, "The check has ended. Nothing was changed.")
    else:
        _propose(options, info)
    return DONE


def _propose(options: Any, info: DatasetInfo) -> None:
    """Say what the pool is, what its check takes, and which plans there are; draw where asked."""
    from lnl_core.services.review import accepting, proposing
    from lnl_core.services.review.filtering import Filters

    given, suggested = (_label(info, getattr(options, each)) for each in ("given", "suggested"))
    filters = Filters(given=given, suggested=suggested)
    chosen = proposing.pool(info, filters, options.least)
    asked = proposing.propose(info, chosen, options.precision, options.allow)
    facts: dict[str, Any] = {
        "name": info.name,
        "pool": asked.size,
        "expected_precision": number(asked.expected),
        "careful_precision": number(asked.careful),
        "precision": asked.precision,
        "confidence": asked.confidence,
        "checks": asked.checks,
        "allowed": asked.allowed,
        "chance_to_pass": number(asked.passes),
        "against": asked.against,
    }
    lines = asked.words()
    if options.draw:
        words = proposing.pool_words(info, filters, options.least)
        plan = accepting.begin(info, options.reviewer, chosen, asked, words)
        facts["plan"] = plan.number
        where = accepting.check_address(info, plan)
        lines.append(f"Plan {plan.number} is drawn. Look at its check on /review?{where}")
    plans = accepting.plans(info)
    facts["plans"] = [_facts(info, each) for each in plans]
    say(options, facts, "\n".join([*lines, *(_line(info, each) for each in plans)]))


def _label(info: DatasetInfo, name: str | None) -> int | None:
    if name is None:
        return None
    if name not in info.class_names:
        raise LnlError(f"“{name}” is no class of “{info.name}”.{meant(name, info.class_names)}")
    return info.class_names.index(name)


def _facts(info: DatasetInfo, plan: Plan) -> dict[str, Any]:
    from lnl_core.services.review import accepting

    seen = accepting.check(info, plan)
    return {
        "plan": plan.number,
        "pool": plan.words,
        "images": len(plan.rows),
        "checks": len(plan.checks),
        "allowed": plan.allowed,
        "done": seen.done,
        "wrong": seen.wrong,
        "state": plan.events[-1].kind if plan.events else "open",
        "events": [
            {"kind": each.kind, "by": each.reviewer, "at": each.at, **each.facts}
            for each in plan.events
        ],
    }


def _line(info: DatasetInfo, plan: Plan) -> str:
    from lnl_core.services.review import accepting

    return f"  plan {plan.number}, {plan.words}: {accepting.state_words(info, plan)}"


ACCEPT = Command(
    "accept",
    "Accept suggestions unseen, once a random check of them has passed.",
    accept,
    _arguments,
    (
        "lnl accept birds                                 what it would take, and the plans",
        "lnl accept birds --given crow --suggested raven --least 0.8",
        "lnl accept birds --draw --reviewer ann           the check, to be looked at in Review",
        "lnl accept birds --plan 1 --reviewer ann         accept, once it has passed",
        "lnl accept birds --undo 1 --reviewer ann         take all of it back",
        "",
        "It pays where many labels are wrong. What is accepted so has the status auto: no person's",
        "answer. The random audit draws from it, and a person's answer goes before it.",
    ),
)
