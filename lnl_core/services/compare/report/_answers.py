"""The head of the queue with its pictures, and what people decided so far."""

from __future__ import annotations

from html import escape

from lnl_core.services.compare import retraining
from lnl_core.services.compare.report import _markup
from lnl_core.services.compare.report._album import Album
from lnl_core.services.in_force import loaded, scored, standing, unjudged
from lnl_core.store import decisions
from lnl_core.types import Action, DatasetInfo
from lnl_core.views import chance

HEAD = 48
"""Images of the queue that the report shows."""

CHANGES = 200
"""Latest corrections that the report lists."""


def queue(info: DatasetInfo, album: Album) -> str:
    """Draw the first open images of the queue with the suggestion of each."""
    ranked = scored(info)
    assert ranked is not None
    data, seen = loaded(info), standing(info)
    ranking = ranked.ranking
    rows = [int(row) for row in ranking.order[: HEAD + seen.reviewed] if not seen.settled[row]]
    cards, blank = [], unjudged(info)
    for row in rows[:HEAD]:
        given = info.class_names[int(data.given_labels[row])]
        label = int(ranking.suggested_labels[row])
        other = info.class_names[label] if label >= 0 else "–"
        said = f"p wrong {chance(float(ranking.p_wrong[row]))}"
        said = "no score: told or not judged" if blank[row] else said
        cards.append(
            f'<figure><img src="{album.uri(row)}" alt="labelled {escape(given)}">'
            f"<figcaption>{escape(given)} → <b>{escape(other)}</b>"
            f"<span>{escape(said)}</span>"
            f"<small>{escape(data.ids[row])}</small>"
            "</figcaption></figure>"
        )
    if not cards:
        return "<p>Nothing is left in the queue.</p>"
    return (
        "<p>Given label → suggested label, and p wrong, the calibrated chance that the given one "
        "is wrong: "
        f"the first {len(cards):,} that nobody has settled.</p>"
        f'<div class="queue">{"".join(cards)}</div>'
    )


def answered(info: DatasetInfo) -> str:
    """Say how many answers there are of each kind, and list the latest corrections."""
    counts = decisions.counts(info)
    if not counts:
        return "<p>Nobody has answered yet.</p>"
    words = {
        "keep": "label right",
        "relabel": "relabelled",
        "multiple": "several classes",
        "none": "none of the classes",
        "unsure": "unsure",
        "skip": "skipped",
    }
    said = ", ".join(f"{words.get(a, a)} {n:,}" for a, n in sorted(counts.items()))
    data = loaded(info)
    lines: list[tuple[str, ...]] = []
    standing_now = (each for several in decisions.in_force(info).values() for each in several)
    for each in sorted(standing_now, key=lambda each: -each.id):
        if each.action is Action.RELABEL and each.label is not None and len(lines) < CHANGES:
            given = info.class_names[int(data.given_labels[each.row])]
            when = each.decided_at[:16].replace("T", " ")
            new = info.class_names[each.label]
            lines.append((data.ids[each.row], given, new, each.reviewer, when))
    table = ""
    if lines:
        head = ("Image", "Given", "Corrected to", "Reviewer", "When, UTC")
        table = (
            f"<details><summary>Latest corrections ({len(lines):,})</summary>"
            f"{_markup.table(head, lines)}</details>"
        )
    result = retraining.latest(info)
    bought = "" if result is None else " ".join(retraining.words(result))
    after = f"<p>Retrained: {escape(bought)}</p>" if bought else ""
    wrong = standing(info).found
    found = f"{wrong:,} {'label' if wrong == 1 else 'labels'} found wrong. Answers: {said}."
    return f"<p>{escape(found)}</p>{after}{table}"
