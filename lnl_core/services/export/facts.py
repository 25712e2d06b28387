"""How far the review behind an export is: a file beside the others, for programs and people."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lnl_core.review.auditing import ALPHA
from lnl_core.services.moment import moment
from lnl_core.services.review import goals
from lnl_core.services.review.auditing import errors_left
from lnl_core.store import arrays
from lnl_core.types import DatasetInfo

NAME = "review.json"


def facts(info: DatasetInfo) -> dict[str, Any]:
    """Return the goal of a review and what holds of it, as of the last moment."""
    now = moment(info)
    left = errors_left(info, now=now)
    return {
        "dataset": info.name,
        "labels": left.total,
        "reviewed": now.reviewed,
        "found_wrong": left.found,
        "errors_left": left.estimate,
        "at_most_left": left.limit,
        "confidence": 1 - ALPHA,
        "random_checks": left.audits,
        "goal": goals.as_record(goals.stand(info, left, now)),
        "last_decision": now.last_id,
    }


def write(info: DatasetInfo, folder: Path, problems: Sequence[str] = ()) -> None:
    """Put them into a folder that was exported, with what was left out of it, as sentences."""
    arrays.write_json(folder / NAME, facts(info) | {"problems": list(problems)})
