"""Images as the browser gets them before an answer: nothing here tells what the models think."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from lnl_core.services.in_force import Scored, Standing, loaded, unjudged
from lnl_core.services.review import again, groups
from lnl_core.store import datasets, decisions
from lnl_core.types import Action, DatasetInfo, Decision, IntArray
from lnl_core.views import DOUBTFUL

EXEMPLARS = 20
RECENT = 16


def items_of(
    info: DatasetInfo,
    ranked: Scored,
    rows: Sequence[int],
    now_at: Standing,
    reviewer: str | None = None,
) -> list[dict[str, Any]]:
    """Describe rows for the browser of a reviewer: nothing here tells what the models think."""
    data = loaded(info)
    guides = datasets.read_meta(info).get("guides", {})
    known: dict[int, tuple[list[int], int]] = {}
    items: list[dict[str, Any]] = []
    for position, row in enumerate(rows):
        given = int(data.given_labels[row])
        if given not in known:
            known[given] = class_exemplars(info, ranked, given, now_at)
        exemplars, confirmed = known[given]
        items.append(
            {
                "row": int(row),
                "id": data.ids[row],
                "given": given,
                "path": (data.paths[row] if data.paths is not None else data.ids[row]) or "",
                "w": info.width,
                "h": info.height,
                "position": position,
                "exemplars": [other for other in exemplars if other != row],
                "confirmed": confirmed,
                "guide": guides.get(info.class_names[given], ""),
            }
            | ({"no_class": True} if given in info.no_classes else {})
            | groups.facts(info, int(row), now_at, reviewer)
            | ({"unscored": True} if not ranked.is_scored(int(row)) else {})
            | _split(info, int(row))
        )
    return items


@lru_cache(maxsize=8)
def _splits(info: DatasetInfo) -> tuple[tuple[str, ...], IntArray] | None:
    return datasets.splits(info)


def _split(info: DatasetInfo, row: int) -> dict[str, str]:
    """Return the split that an image came in, where it came in one."""
    divided = _splits(info)
    if divided is None or divided[1][row] < 0:
        return {}
    return {"split": divided[0][int(divided[1][row])]}


@lru_cache(maxsize=4)
def _of_classes(info: DatasetInfo, ranked: Scored) -> dict[int, tuple[IntArray, IntArray]]:
    """Return what was asked of the classes of a ranking so far: n numbers in all at most."""
    return {}


def _showing(info: DatasetInfo, ranked: Scored, label: int) -> tuple[IntArray, IntArray]:
    """Return rows of a given class that methods hardly doubt, the least suspicious first.

    Twice: those that may show the class once people have confirmed them, which no method need have
    judged (they come last), and those that may without.
    """
    known = _of_classes(info, ranked)
    if label in known:
        return known[label]
    data, p = loaded(info), np.asarray(ranked.ranking.p_wrong)
    rows = np.flatnonzero(np.asarray(data.given_labels) == label)
    told, suspicion = unjudged(info)[rows], np.asarray(ranked.ranking.suspicion)[rows]
    calm = p[rows] < DOUBTFUL
    order = np.lexsort((suspicion, told))
    sure, open_ = order[(told | calm)[order]], order[(calm & ~told)[order]]
    known[label] = rows[sure].astype(np.int32), rows[open_[: 4 * EXEMPLARS]]
    return known[label]


def class_exemplars(
    info: DatasetInfo, ranked: Scored, label: int, now_at: Standing
) -> tuple[list[int], int]:
    """Return rows that show what a class means here, and how many of them people confirmed.

    None that methods doubt, whoever kept it: on the line between two classes an image shows
    neither. Confirmed images come first, of these too the least suspicious; the rest are those
    of the class that nobody has called wrong or been unsure of. Each picture once.
    """
    kept, typical = _showing(info, ranked, label)
    kept = kept[now_at.kept[kept]][: 4 * EXEMPLARS]  # a class may have many thousands
    out = now_at.wrong[typical] | now_at.waiting[typical] | now_at.kept[typical]
    typical = typical[~out]
    rows = _distinct(info, [*kept.tolist(), *typical.tolist()])[:EXEMPLARS]
    return rows, int(now_at.kept[rows].sum())


def _distinct(info: DatasetInfo, rows: Sequence[int]) -> list[int]:
    """Return rows without further copies of one picture."""
    known = groups.groups_of(info)
    pictures: dict[int, int] = {}
    for row in rows:
        pictures.setdefault(row if known is None else int(known.first[row]), row)
    return list(pictures.values())


def recent(
    info: DatasetInfo, reviewer: str, newest: Sequence[Decision], now_at: Standing
) -> list[dict[str, Any]]:
    """Return this reviewer's last answers that still stand, newest first.

    Args:
        info: the data set.
        reviewer: whose answers.
        newest: this person's last looks, newest first.
        now_at: the decisions in force.
    """
    data = loaded(info)
    seen: set[int] = set()
    answers: list[dict[str, Any]] = []
    newest = newest[: 4 * RECENT]
    went = _on_copies(info, reviewer, newest)
    for d in newest:
        if d.row in seen:
            continue
        seen.add(d.row)
        if d.action is Action.REOPEN:
            continue
        answers.append(
            answer_of(info, d)
            | ({"revealed": True} if d.revealed else {})
            | ({"no_class": True} if data.given_labels[d.row] in info.no_classes else {})
            | groups.facts(info, d.row, now_at, reviewer)
            | ({"others": went[start]} if (start := _begins(d.cid)) in went else {})
        )
        if len(answers) == RECENT:
            break
    return answers


def with_answers(
    info: DatasetInfo, shown: Sequence[dict[str, Any]], reviewer: str, *, words: bool
) -> list[dict[str, Any]]:
    """Return items with the answer that they have, where they have one, as `said`.

    `action`, `label` and `labels`, `cid` of an own one, and `by` where another person gave it. What
    others said may lead whoever answers after them: without `words`, only that they have answered.
    Never for a queue that holds hidden looks: it would tell them.
    """
    given = decisions.in_force(info, rows=[item["row"] for item in shown]) if shown else {}
    return [item | _said(given.get(item["row"], []), reviewer, words) for item in shown]


def _said(answers: Sequence[Decision], reviewer: str, words: bool) -> dict[str, Any]:
    """Return a person's own answer, else the last of the others; nothing without any.

    A skip answers nothing: it is told only where nobody has said more.
    """
    answers = [each for each in answers if each.action is not Action.SKIP] or answers
    own = [each for each in answers if each.reviewer == reviewer]
    if not answers:
        return {}
    last = (own or list(answers))[-1]
    by = {"cid": last.cid} if own else {"by": last.reviewer}
    if not (own or words):
        return {"said": by}
    what = {"action": str(last.action), "label": last.label, "labels": list(last.labels)}
    return {"said": what | by}


def answer_of(info: DatasetInfo, d: Decision) -> dict[str, Any]:
    """Return an answer as the desk shows it among one's last; `at` is its time."""
    data = loaded(info)
    return {
        "row": d.row,
        "id": data.ids[d.row],
        "given": int(data.given_labels[d.row]),
        "path": (data.paths[d.row] if data.paths is not None else data.ids[d.row]) or "",
        "w": info.width,
        "h": info.height,
        "position": d.position or 0,
        "exemplars": [],
        "confirmed": 0,
        "guide": "",
        "action": str(d.action),
        "label": d.label,
        "labels": list(d.labels),
        "cid": d.cid,
        "mode": d.mode,
        "at": d.decided_at,
    }


def _begins(cid: str) -> str:
    """Return what the client ids of an answer to copies begin with, also where it stands again."""
    return groups.copy_id(again.first_id(cid))


def _on_copies(info: DatasetInfo, reviewer: str, newest: Sequence[Decision]) -> dict[str, int]:
    """Return how many copies the last answers went to, by what their client ids begin with."""
    known = groups.groups_of(info)
    if known is None or not len(known.rows) or not newest:
        return {}
    return decisions.on_copies(info, reviewer, newest[-1].id)
