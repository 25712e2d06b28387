"""Where two classes meet: how many labels are wrong there, what people said, some images."""

from __future__ import annotations

from html import escape

import numpy as np

from lnl_core.services.compare.report._album import Album
from lnl_core.services.datasets import settings
from lnl_core.services.explore import confusions, definitions
from lnl_core.services.explore.definitions import Definition
from lnl_core.services.in_force import loaded, scored, unjudged
from lnl_core.types import DatasetInfo, IntArray
from lnl_core.views import FEWEST_ERRORS, Matrix, chance

PAIRS, IMAGES = 6, 8
"""Class pairs that are shown, and images of each."""


def pairs(info: DatasetInfo, album: Album) -> str:
    """Return the class pairs with the most wrong labels; a sentence where there is none."""
    matrix = confusions.matrix(info)
    shown = [] if matrix is None else _largest(matrix)
    if matrix is None or not shown:
        return (
            f"<p>No class pair expects {FEWEST_ERRORS} wrong labels or more, "
            "and nobody has found one.</p>"
        )
    return "".join(_pair(info, matrix, i, j, album) for i, j in shown)


def _largest(matrix: Matrix) -> list[tuple[int, int]]:
    """Return places (given, true) in the matrix, the most wrong labels first."""
    cells = np.where(matrix.says, matrix.count, 0)
    order = np.argsort(-cells, axis=None, kind="stable")[:PAIRS]
    places = [divmod(int(place), len(matrix.labels)) for place in order]
    return [(i, j) for i, j in places if cells[i, j]]


def _pair(info: DatasetInfo, matrix: Matrix, i: int, j: int, album: Album) -> str:
    given, true = int(matrix.labels[i]), int(matrix.labels[j])
    names = [escape(info.class_names[label]) for label in (given, true)]
    size = float(matrix.size[i])
    low, high = (f"{size * float(end[i, j]):,.0f}" for end in (matrix.low, matrix.high))
    sure = f"95 %: {low}–{high}" if matrix.audits else "a guess by the scores"
    said = definitions.definition(info, given, true)
    return (
        f'<div class="together"><h3>{names[0]} → {names[1]}</h3>'
        f"<p>Given as {names[0]} and truly {names[1]}: about {matrix.images[i, j]:,} "
        f"({sure}) of {size:,.0f} images. {escape(_words(info, said))}</p>"
        f"{_guides(info, said)}{_images(info, given, true, album)}</div>"
    )


def _words(info: DatasetInfo, pair: Definition) -> str:
    """Say which way the answered images of both classes went."""
    if not pair.reviewed:
        return "Nobody has answered an image of this pair yet."
    one, two = (info.class_names[label] for label in (pair.one, pair.two))
    parts = []
    for label, name, other in ((pair.one, one, two), (pair.two, two, one)):
        kept, moved = pair.kept.get(label, 0), pair.moved.get(label, 0)
        if kept or moved:
            parts.append(f"{kept:,} stayed {name}, {moved:,} of {name} went to {other}")
    for number, what in (
        (pair.both, "both"),
        (pair.unsure, "unsure"),
        (pair.split, "answered differently by two people"),
    ):
        if number:
            parts.append(f"{number:,} {'is' if number == 1 else 'are'} {what}")
    noun = "image" if pair.reviewed == 1 else "images"
    words = f"Of {pair.reviewed:,} answered {noun} of both classes: {'; '.join(parts)}."
    return words + (f" {pair.words(one, two)}" if pair.disputed else "")


def _guides(info: DatasetInfo, pair: Definition) -> str:
    known = settings.guides(info)
    names = (info.class_names[label] for label in (pair.one, pair.two))
    return "".join(
        f'<p class="muted"><b>{escape(name)}</b>: {escape(known[name])}</p>'
        for name in names
        if name in known
    )


def _images(info: DatasetInfo, given: int, true: int, album: Album) -> str:
    """Return the most suspicious images of a pair, whether answered or not."""
    ranked, data = scored(info), loaded(info)
    assert ranked is not None
    ranking = ranked.ranking
    order: IntArray = np.asarray(ranking.order)
    of_pair = np.asarray(data.given_labels)[order] == given
    of_pair &= np.asarray(ranking.suggested_labels)[order] == true
    shown, blank = list(map(int, order[of_pair][:IMAGES])), unjudged(info)
    said = {
        row: "no score: told or not judged"
        if blank[row]
        else f"p wrong {chance(float(ranking.p_wrong[row]))}"
        for row in shown
    }
    cards = "".join(
        f'<figure><img src="{album.uri(row)}" alt=""><figcaption>{escape(said[row])}'
        f"<small>{escape(str(data.ids[row]))}</small></figcaption></figure>"
        for row in shown
    )
    return f'<div class="queue strip">{cards}</div>' if cards else ""
