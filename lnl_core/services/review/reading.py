"""A certificate as people read it: what holds, by which draws, and how it is checked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from lnl_core.said import command, many
from lnl_core.services.review.auditing import IF
from lnl_core.services.review.corrected import NO_ERRORS
from lnl_core.types import DatasetInfo


def lines(body: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the parts of a certificate in words, name and text.

    Args:
        body: as `certifying.certificate` makes it.
    """
    stopping = body["stopping"]
    by = f", set by {stopping['set_by']}" if stopping["set_by"] else ""
    on = f" on {stopping['set_at'][:10]}" if stopping["set_at"] else ""
    sure = f"sure to {100 * body['confidence']:g} %"
    supposes = f" {IF}" if body["people"]["reviewers"] > 1 else ""
    found = f"{body['found']:,} of {body['labels']:,} labels were found wrong"
    if body["auto_fixed"]:
        found += f"; {many(body['auto_fixed'], 'was', 'were')} changed unseen, "
        found += "and one that is wrong counts as left"
    issued = f"{body['issued_at'][:16].replace('T', ' ')} UTC, checksum {_short(body)}"
    if "rests_on_until" in body:
        dated = body["rests_on_until"][:16].replace("T", " ")
        issued += f". It rests on answers dated up to {dated} UTC: a clock was wrong"
    return [
        ("Guaranteed", f"{_at_most(int(body['at_most_left']))}, {sure}{supposes}"),
        ("Goal", f"Review {stopping['goal']}{by}{on}. Reached: {stopping['said']}."),
        ("Found", f"{found}."),
        ("Where people err", _people(body["people"])),
        ("Random draws", f"{_draws(body['draws'])}, from seed {body['seed']}."),
        ("Set", f"{body['dataset']}, content {body['content'][:16]}"),
        ("Issued", issued),
        ("Method", body["method"]),
        ("Assumes", " ".join(body["assumptions"])),
    ]


def check_with(info: DatasetInfo) -> str:
    """Return the command that checks a certificate under the name that it is downloaded by."""
    return command("audit", info.name, "--verify", file_name(info))


def file_name(info: DatasetInfo) -> str:
    """Return the name that the certificate of a set is downloaded by."""
    return f"{info.name}-certificate.json"


def _short(body: Mapping[str, Any]) -> str:
    return str(body["checksum"])[:16]


def _at_most(count: int) -> str:
    return f"at most {_wrong(count)} left" if count else "no wrong label left"


def _wrong(count: int) -> str:
    return f"{count:,} wrong label{'' if count == 1 else 's'}"


def _draws(draws: list[Mapping[str, Any]]) -> str:
    said = Counter(each["said"] for each in draws)
    words = {"right": "right", "wrong": "wrong", "unclear": "unsure or disputed", "open": "open"}
    parts = [f"{said[code]:,} {word}" for code, word in words.items() if said[code]]
    return f"{len(draws):,} images drawn one after another: {', '.join(parts)}"


def _people(people: Mapping[str, Any]) -> str:
    if people["at_most_left"] is None:
        return f"{NO_ERRORS}."
    gold = people["gold"]
    return (
        f"At most {people['at_most_left']:,} left, those that people passed over among them: they "
        f"noticed {gold['caught']:,} of {gold['wrong']:,} wrong gold labels."
    )
