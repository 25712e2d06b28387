"""One image on Explore: what is known of it, and its nearest of two classes."""

from __future__ import annotations

from typing import Any

from lnl_core.services.in_force import loaded, scored, told, unjudged
from lnl_core.services.review.alike import features_of, nearest_of
from lnl_core.services.review.evidence import facts
from lnl_core.store import decisions
from lnl_core.types import DatasetInfo, LnlError


def point(info: DatasetInfo, row: int) -> dict[str, Any]:
    """Return what the map says of one image: `id`, `given`, `suggested`, `p_wrong`, `verdict`.

    `split` says that reviewers differ, `waiting` that one is unsure and nobody has settled it.
    `p_wrong` is None where no run has judged the image, and where one was `told` the answer.

    Raises:
        LnlError: no such row.
    """
    if not 0 <= row < info.n:
        raise LnlError("There is no such image.")
    ranked, data = scored(info), loaded(info)
    suggested = int(ranked.ranking.suggested_labels[row]) if ranked else -1
    there = decisions.in_force(info, rows=[row], auto=True)
    said = decisions.verdict(there.get(row, []))
    return {
        "row": row,
        "id": data.ids[row],
        "given": info.class_names[int(data.given_labels[row])],
        "suggested": info.class_names[suggested] if suggested >= 0 else None,
        "p_wrong": None
        if ranked is None or unjudged(info)[row]
        else float(ranked.ranking.p_wrong[row]),
        "told": ranked is not None and ranked.is_scored(row) and bool(told(info)[row]),
        "verdict": str(said.decision.action) if said.decision and said.agreed else None,
        "split": not said.agreed,
        "waiting": said.waiting,
    }


def neighbours(info: DatasetInfo, row: int) -> dict[str, Any]:
    """Return the nearest images of the given and of the suggested class, doubtful ones left out.

    Returns:
        `chosen`, as `point` says it, and `groups`: for each class its `name`, what it `is`
        (given, suggested) and `images`, each with `row`, `label`, `p_wrong` and `verdict`.
        Without features these are the first images of the class, and `alike` is false.

    Raises:
        LnlError: no such row, or nothing is scored yet.
    """
    chosen = point(info, row)
    ranked = scored(info)
    if ranked is None:
        raise LnlError(f"Nothing of “{info.name}” is scored yet. Start a run first.")
    near = features_of(info)
    labels = {"given": int(loaded(info).given_labels[row])}
    if int(ranked.ranking.suggested_labels[row]) >= 0:
        labels["suggested"] = int(ranked.ranking.suggested_labels[row])
    nearest = {what: nearest_of(info, ranked, near, row, label) for what, label in labels.items()}
    p_wrong, blank = ranked.ranking.p_wrong, unjudged(info)
    groups = [
        {
            "is": what,
            "name": info.class_names[label],
            "images": [
                one | ({} if blank[one["row"]] else {"p_wrong": float(p_wrong[one["row"]])})
                for one in facts(info, nearest[what])
            ],
        }
        for what, label in labels.items()
    ]
    return {"chosen": chosen, "groups": groups, "alike": near is not None}
