"""Tables of docs/measurements.md on skewed, small and odd sets, from what `real.py` measured."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Results = dict[str, dict[str, Any]]

SHOWN = (
    *("ap", "first25", "first50", "first100", "rare25"),
    *("fix", "fix3", "wrong", "mean_p", "ece", "above"),
)
"""Columns of what is printed after each set."""

COLUMNS = ("aggre", "random1", "worse")
RECIPE = "consensus of probe, jump@pretrained, finetune"
THREE = "consensus of probe, knn, jump@pretrained"
TWO = "consensus of probe, knn"
CLEANLAB, SHARES = "cleanlab, same features", "the same, by class shares"


def _cuts(by: str, ratio: int) -> list[str]:
    return [f"{by}-{column}-{ratio}" for column in COLUMNS]


ORDER = (
    ("clothing: probe, jump@pretrained, finetune", ["clothing"], RECIPE),
    ("the same at the 128 px of the desk", ["clothing-128"], RECIPE),
    ("clothing: probe, knn", ["clothing"], TWO),
    ("the demo photographs, 600: probe, jump@pretrained, finetune", ["shipped-clothing"], RECIPE),
    ("the same: probe, knn, jump@pretrained", ["shipped-clothing"], THREE),
    *(
        (f"cuts by {name} label, {ratio} : 1: probe, knn", _cuts(by, ratio), TWO)
        for by, name in (("given", "given"), ("true", "true"))
        for ratio in (10, 50, 100)
    ),
    *(
        (f"uncut, {column}: probe, jump@pretrained, finetune", [f"balanced-{column}"], RECIPE)
        for column in COLUMNS
    ),
    ("one class holds all 40 wrong labels of 1,000: three methods", ["small-one-bad-class"], THREE),
    ("300 as they come: three methods", ["small-300"], THREE),
    ("300 of two classes: three methods", ["small-two-classes"], THREE),
)
"""Row, sets that it is the mean of, consensus."""

CALIBRATED = (
    ("20 right labels of 10 classes: three methods", ["small-clean-20"], THREE),
    ("60 right labels", ["small-clean-60"], THREE),
    ("300 right labels", ["small-clean-300"], THREE),
    ("300 right labels, four classes of 1 to 4", ["small-classes-of-1-to-4"], THREE),
    ("300 as they come", ["small-300"], THREE),
    ("300 of two classes", ["small-two-classes"], THREE),
    ("300 of 12 px: default recipe", ["odd-tiny"], "default recipe"),
    (
        "the demo digits, mistakes follow the look: recipe",
        ["shipped-demo-digits"],
        "default recipe",
    ),
    ("1,000, one class holds all 40 wrong labels: three methods", ["small-one-bad-class"], THREE),
    ("clothing: probe alone", ["clothing"], "probe"),
    ("clothing: the recipe", ["clothing"], RECIPE),
    ("the same at the 128 px of the desk", ["clothing-128"], RECIPE),
    ("the demo photographs: the recipe", ["shipped-clothing"], RECIPE),
    *((f"uncut, {column}: probe alone", [f"balanced-{column}"], "probe") for column in COLUMNS),
    *((f"uncut, {column}: the recipe", [f"balanced-{column}"], RECIPE) for column in COLUMNS),
    *(
        (f"cut by {by} label, {column}, {ratio} : 1: probe, knn", [f"{by}-{column}-{ratio}"], TWO)
        for by in ("given", "true")
        for ratio in (10, 100)
        for column in COLUMNS
    ),
)

PLANTED = (
    ("digits, none wrong", "planted-none"),
    *(
        (f"{rate} %, {told}", f"planted-{kind}-{rate}")
        for kind, told in (
            ("instance", "by how an image looks"),
            ("pair", "to the next class"),
            ("symmetric", "evenly"),
        )
        for rate in (2, 10, 30)
    ),
)

FIX = "fix"
FILE_ROWS = ("random order", CLEANLAB, "probe", "default recipe")
FILES = (
    ("grey", "odd-grey"),
    ("the same, 12 bits", "odd-12-bit"),
    ("tiny, 12 px", "odd-tiny"),
    ("wide, 8 : 1", "odd-wide"),
    ("folder of classes, 300 JPEG", "odd-sample-folder"),
    ("the same, right labels", "odd-sample-folder-clean"),
)


def print_rows(name: str, rows: dict[str, Any]) -> None:
    """Print every measure of every row of a set."""
    first = next(iter(rows.values()))
    print(f"\n{name}: {first['n']:g} images, {first['seeds']} seeds")
    print(f"{'':34}" + "".join(f"{column:>12}" for column in SHOWN))
    for title, row in rows.items():
        cells = [_cell(row, column) for column in SHOWN]
        print(f"{title[:34]:34}" + "".join(f"{cell:>12}" for cell in cells))


def _cell(row: dict[str, Any], column: str) -> str:
    if column not in row:
        return "-"
    digits = 0 if column == "above" else 3
    spread = row.get("spread", {}).get(column, 0)
    return f"{row[column]:.{digits}f}" + (f"±{spread:.{digits}f}" if spread else "")


def tables(found: Results) -> Iterator[str]:
    """Give the lines of every table; a row whose sets were not measured is left out.

    Args:
        found: what `real.py` wrote, set -> row -> measures.
    """
    yield from _table(
        ("AP", "random", "cleanlab", "by class shares", "probe", "consensus", "suggestions right"),
        (
            (label, *(_mean(found, sets, row, "ap") for row in rows), _mean(found, sets, pool, FIX))
            for label, sets, pool in ORDER
            if _known(found, sets, pool)
            for rows in [("random order", CLEANLAB, SHARES, "probe", pool)]
        ),
    )
    firsts = ("ap", "first25", "first50", "first100", "rare25", "fix")
    yield from _table(
        ("clothing", "AP", "wrong of 25", "of 50", "of 100", "rare and right of 25", "suggestions"),
        (
            (row + note, *(_mean(found, [name], row, key) for key in firsts))
            for name, note in (("clothing", ""), ("clothing-128", ", 128 px"))
            for row in (CLEANLAB, SHARES, "probe", "jump@pretrained", "finetune", TWO, RECIPE)
            if _known(found, [name], row)
        ),
    )
    yield from _table(
        ("p_wrong", "wrong", "mean p_wrong", "above ½", "calibration error"),
        (
            (
                label,
                _mean(found, sets, pool, "wrong_all") or _mean(found, sets, pool, "wrong"),
                *(_mean(found, sets, pool, key) for key in ("mean_p", "above", "ece")),
            )
            for label, sets, pool in CALIBRATED
            if _known(found, sets, pool)
        ),
    )
    whole = "default recipe"
    shown = ("wrong", "mean_p", "above", "ece", "ap")
    yield from _table(
        ("digits of 8 px, default recipe", "wrong", "mean p_wrong", "above ½", "calibration", "AP"),
        (
            (label, *(_mean(found, [name], whole, key) for key in shown))
            for label, name in PLANTED
            if _known(found, [name], whole)
        ),
    )
    yield from _table(
        ("AP", "random", "cleanlab", "probe", whole, "p_wrong above ½, of the recipe"),
        (
            (
                label,
                *(_mean(found, [name], row, "ap") for row in FILE_ROWS),
                _mean(found, [name], whole, "above"),
            )
            for label, name in FILES
            if _known(found, [name], whole)
        ),
    )


def _known(found: Results, sets: list[str], row: str) -> bool:
    return all(row in found.get(name, {}) for name in sets)


def _mean(found: Results, sets: list[str], row: str, key: str) -> str:
    """Return the mean over sets, with half of what seeds differ by."""
    rows = [found[name].get(row, {}) for name in sets]
    if not all(key in each for each in rows):
        return ""
    value = sum(each[key] for each in rows) / len(rows)
    spread = sum(each.get("spread", {}).get(key, 0) for each in rows) / len(rows)
    digits = 0 if key == "above" else 2 if key.startswith(("first", "rare")) else 3
    apart = _short(spread, digits)
    return _short(value, digits) + (f" ± {apart}" if float(apart) else "")


def _short(value: float, digits: int) -> str:
    text = f"{value:.{digits}f}"
    return text.removeprefix("0") if digits else text


def _table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|---" * len(head) + "|"
    for row in rows:
        yield "| " + " | ".join(row) + " |"
    yield ""
