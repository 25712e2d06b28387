"""Blind looks: an image as the browser gets it where nobody is to see the label that it came with.

The answer is a class, not a verdict: the browser cannot tell whether it is the given one, so the
server says which of the two it is once the answer has come.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lnl_core.types import Action, Decision

BLIND = "blind"
"""Mode of an answer that was given without sight of the given label or of any advice."""

HIDDEN = -1
"""In place of the given label."""

_TELLS_NOTHING = ("row", "w", "h", "position", "split", "no_class", "unscored", "look")


def item(shown: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item of the queue without what tells its label: class, path, id, copies, examples.

    `blind` is set, so the browser asks what the image is. An item of any mode may be made so.
    """
    kept = {key: shown[key] for key in _TELLS_NOTHING if key in shown}
    if "said" in shown:  # that it was answered, not what
        kept["said"] = {key: shown["said"][key] for key in ("by",) if key in shown["said"]}
    return kept | {"given": HIDDEN, "path": "", "blind": True}


def answered(shown: Mapping[str, Any]) -> dict[str, Any]:
    """Return one of the last answers as it was said blind: the class alone, no verdict on a label.

    Args:
        shown: as `items.recent` gives it, with the given label.
    """
    return item(shown) | _as_class(shown, shown["given"]) | {"mode": BLIND}


def _as_class(answer: Mapping[str, Any], given: int) -> dict[str, Any]:
    said = {key: answer[key] for key in ("action", "label", "labels", "cid")}
    if answer["action"] == str(Action.KEEP):
        said |= {"action": str(Action.RELABEL), "label": given}
    if "before" in answer:
        said["before"] = _as_class(answer["before"], given)
    return said


def judged(decision: Decision) -> Decision:
    """Return a blind answer as the verdict that it is: who names the given class keeps it."""
    if decision.mode != BLIND or decision.action is not Action.RELABEL:
        return decision
    if decision.label != decision.given_label:
        return decision
    return replace(decision, action=Action.KEEP, label=None)
