"""Accuracy before and after corrections: what it takes, starting it, the result in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lnl_core.jobs import purified, queue
from lnl_core.jobs.engines import local
from lnl_core.jobs.tasks import retrain
from lnl_core.methods import yardstick
from lnl_core.said import percent
from lnl_core.services.in_force import proposed, scored
from lnl_core.services.team import roles
from lnl_core.services.team.roles import Act
from lnl_core.store import arrays, decisions
from lnl_core.types import DatasetInfo, Job, LnlError

TASK = retrain.TASK.key
DECISIONS, SIMULATED, PURIFIED = retrain.DECISIONS, retrain.SIMULATED, retrain.PURIFIED
SOURCES = {
    DECISIONS: "your decisions",
    SIMULATED: "simulated review",
    PURIFIED: "purified labels",
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What a retraining would do; `refusal` says why it cannot, and what to do."""

    source: str
    words: str
    refusal: str
    seconds: float


_JUDGED = {
    "truth": "a fifth of the images, drawn at random, judged by the known truth",
    "audit": "the images of the random audit, judged by what people said",
    "trusted": "images that people confirmed, half of them at most",
}


def plan(info: DatasetInfo, source: str = DECISIONS) -> Plan:
    """Say what would be trained and judged."""
    wanted = proposed(scored(info))
    try:
        parts = retrain.parts(info, source, wanted)
    except LnlError as refusal:
        return Plan(source, "", str(refusal), 0.0)
    what = "purified" if source == PURIFIED else "corrected"
    labels = "label differs" if parts.changed == 1 else "labels differ"
    words = (
        f"{parts.changed:,} {what} {labels}, among {len(parts.train):,} images that train. "
        f"Held out: {len(parts.test):,}, {_JUDGED[parts.kind]}."
    )
    if source == SIMULATED:
        words += f" A simulated reviewer who never errs answers the first {wanted:,} of the queue."
    if source == PURIFIED:
        number, _ = purified.latest(info)
        words += (
            f" Run {number} purified them, and nobody has looked at them; decisions count first. "
            "It was told no answer on what judges it."
        )
    method = yardstick()
    config = method.config.preset(
        "quick", len(parts.train), info.class_count, max(info.height, info.width)
    )
    cost = method.cost
    seconds = 2 * cost(len(parts.train), max(info.height, info.width), config)[0] if cost else 0.0
    return Plan(source, words, "", seconds)


def start(info: DatasetInfo, source: str = DECISIONS, by: str | None = None) -> Job:
    """Queue the two trainings; `by` is who asks, on a page, None on the machine itself.

    Raises:
        NotAllowed: that person may not.
        LnlError: too little is sure, or nothing is corrected.
    """
    roles.require_of(info.workspace, by, Act.RUN)
    wanted = proposed(scored(info))
    retrain.parts(info, source, wanted)
    job = queue.submit_task(info, TASK, {"source": source, "goal": wanted})
    local.ensure_worker(info.workspace, queue.TASKS)
    return job


def latest(info: DatasetInfo) -> dict[str, Any] | None:
    """Return the newest result, as `retrain` writes it; None where there is none."""
    results = [
        arrays.read_json(path)
        for source in SOURCES
        if (path := retrain.result_path(info, source)).is_file()
    ]
    return max(results, key=lambda each: str(each["created_at"]), default=None)


def words(result: dict[str, Any]) -> list[str]:
    """Say what a result means, one sentence each."""
    gain = result["gain"]
    points = [_points(gain[key]) for key in ("value", "low", "high")]
    said = [
        f"{points[0]} points on {result['judged_on']:,} held-out images "
        f"(95 %: {points[1]} to {points[2]}); {result['changed']:,} of "
        f"{result['trained_on']:,} training labels changed."
    ]
    if gain["low"] <= 0 <= gain["high"]:
        said.append("The interval holds 0: this many images cannot tell the two apart.")
    noise = result.get("noise")
    if noise:
        said.append(
            f"Wrong labels that train: {percent(noise['before'], 1)} before, "
            f"{percent(noise['after'], 1)} after."
        )
    if result["held_out"] == "trusted":
        said.append(
            "The held-out images are those that the queue showed: harder than the rest, so read "
            "the gain, not the height."
        )
    if result["source"] == SIMULATED:
        said.append("The review is simulated: a reviewer who never errs. People do err.")
    if result["source"] == PURIFIED:
        said.append("The labels that train are a purifier's, not people's.")
    return said


def _points(share: float) -> str:
    return f"{100 * share:+.1f}".replace("-", "\N{MINUS SIGN}")


def stale(info: DatasetInfo, result: dict[str, Any]) -> bool:
    """Say whether people decided more since a result of their decisions."""
    newer = decisions.last_id(info) > int(result.get("last_decision", 0))
    return newer and result["source"] == DECISIONS
