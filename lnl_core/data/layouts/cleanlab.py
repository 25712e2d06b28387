"""Arrays and tables for cleanlab: what its functions take as they are.

`labels.npy` (n,) given labels, `pred_probs.npy` (n, k), `label_issues.csv` as
`CleanLearning.get_label_issues` returns it and `CleanLearning.fit(label_issues=...)` takes it,
`multiannotator.csv` (n, people) for `cleanlab.multiannotator`, `classes.txt`, `ids.txt`,
`content.txt` (digests of the images).
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from lnl_core.data import chances
from lnl_core.data.export import protect
from lnl_core.data.layouts import placing
from lnl_core.data.layouts.cleaned import NO_ONE_CLASS, VERDICTS, Cleaned
from lnl_core.data.layouts.placing import Need, Report, Written
from lnl_core.store import arrays
from lnl_core.types import Action, FloatArray, IntArray, LnlError, TopProbs

_BLOCK_BYTES = 2**26
_UNDECIDED = ("unreviewed", "waiting", "contradicted", "unlabelled")


def need(cleaned: Cleaned, target: Path) -> Need:
    """Estimate what the arrays take: float32 probabilities of every class, mostly."""
    n, k = len(cleaned.data), len(cleaned.data.class_names)
    empty = placing.need(cleaned, np.zeros(0, np.int64), target, "link")
    return Need(0, n * (4 * k + 200), empty.free, empty.originals)


def write(
    cleaned: Cleaned,
    target: Path,
    probs: FloatArray | TopProbs,
    source: str,
    *,
    report: Report | None = None,
) -> Written:
    """Write the files.

    `pred_probs` is one run's opinion, as cleanlab expects a model's: out of fold where there is
    such a run, (n, k) float32, rows sum to 1. In `label_issues.csv`, `is_label_issue` is what a
    reviewer said, and p_wrong > 0.5 where nobody has; `predicted_label` is the corrected class, or
    the suggestion where an unreviewed label is an issue. A given label that is no class is an
    issue, of probability 0 and quality 0, until somebody has said what the image is.

    Args:
        cleaned: the set.
        target: a folder that does not exist yet.
        probs: (n, k) of one run.
        source: which run that is, in words, for the README.
        report: told how far it is.

    Raises:
        LnlError: nothing is scored yet, no room, or a target that cannot be used.
    """
    if cleaned.ranking is None:
        raise LnlError("cleanlab's arrays need probabilities, and nothing is scored yet. Score it.")
    placing.check_space(need(cleaned, target), target)
    data = cleaned.data
    n, k = len(data), len(data.class_names)
    given = np.asarray(data.given_labels, np.int64)
    with placing.new_folder(target, cleaned) as part:
        np.save(part / "labels.npy", given, allow_pickle=False)
        there = arrays.new_array(part / "pred_probs.npy", np.float32, (n, k))
        step = max(1, _BLOCK_BYTES // (8 * k))
        for start in range(0, n, step):
            rows = np.arange(start, min(n, start + step))
            block = probs.dense(rows) if isinstance(probs, TopProbs) else probs[rows]
            there[rows] = _probabilities(block, cleaned.no_classes)
            if report is not None:
                report(int(rows[-1]) + 1, n)
        there.flush()
        del there
        _issues(cleaned, given, part / "label_issues.csv")
        answered = _annotators(cleaned, given, part / "multiannotator.csv")
        lists = [("classes.txt", data.class_names), ("ids.txt", data.ids)]
        if cleaned.content is not None:
            lists.append(("content.txt", cleaned.content))
        for name, values in lists:
            with (part / name).open("w", encoding="utf-8", newline="\n") as stream:
                stream.writelines(f"{_one_line(value)}\n" for value in values)
        if data.splits is not None:
            with (part / "splits.txt").open("w", encoding="utf-8", newline="\n") as stream:
                stream.writelines(f"{_one_line(value)}\n" for value in data.splits)
        (part / "README.txt").write_text(_readme(source, answered), "utf-8")
    return Written(n, [])


def _one_line(text: str) -> str:
    return text.replace("\r", " ").replace("\n", " ")


def _probabilities(probs: FloatArray, no_classes: tuple[int, ...]) -> FloatArray:
    """Return (rows, k) that sum to 1, nothing of it on labels that are no classes."""
    block = np.array(probs, np.float64)
    block[:, list(no_classes)] = 0
    total = block.sum(axis=1, keepdims=True)
    classes = np.ones(block.shape[1])
    classes[list(no_classes)] = 0
    even = classes / max(classes.sum(), 1)
    whole: FloatArray = np.where(total > 0, block / np.where(total > 0, total, 1), even)
    return whole.astype(np.float32)


def _issues(cleaned: Cleaned, given: IntArray, path: Path) -> None:
    """Write is_label_issue, label_quality, given_label, predicted_label, one row per image."""
    ranking = cleaned.ranking
    assert ranking is not None
    known = ("relabelled", "auto", *NO_ONE_CLASS)
    wrong = np.isin(cleaned.verdicts, [VERDICTS.index(word) for word in known])
    auto = cleaned.verdicts == VERDICTS.index("auto")
    undecided = np.isin(cleaned.verdicts, [VERDICTS.index(word) for word in _UNDECIDED])
    without = np.isin(given, cleaned.no_classes)
    scored = np.array([cleaned.is_scored(row) for row in range(len(given))], bool)
    guessed = (scored & (np.asarray(ranking.p_wrong) > 0.5)) | without
    issue = wrong | (undecided & guessed)
    suggested = np.asarray(ranking.suggested_labels, np.int64)
    best = np.where(cleaned.labels >= 0, cleaned.labels, suggested)
    best = np.where(undecided & guessed & (suggested >= 0), suggested, best)
    best = np.where(best >= 0, best, given)
    quality = np.where(without, 0, chances.within(1 - np.asarray(ranking.suspicion)))
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        columns = ["is_label_issue", "label_quality", "given_label", "predicted_label"]
        writer.writerow([*columns, "status"] if auto.any() else columns)
        for row in range(len(given)):
            known_quality = f"{quality[row]:.6f}" if scored[row] or without[row] else ""
            values = (bool(issue[row]), known_quality, int(given[row]), int(best[row]))
            status = ("auto" if auto[row] else "",) if auto.any() else ()
            writer.writerow((*values, *status))


def _annotators(cleaned: Cleaned, given: IntArray, path: Path) -> bool:
    """Write a column of class numbers per person, `given` first; blank where nobody answered.

    Returns:
        Whether anybody has: cleanlab reads no such file of one column.
    """
    answers = (d for several in cleaned.decisions.values() for d in several)
    people = sorted({d.reviewer for d in answers if d.action is not Action.AUTO})
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        names = [f"reviewer: {name}" for name in people]
        writer.writerow(["given", *(protect(name) for name in names)])
        for row in range(len(given)):
            cells: dict[str, int] = {}
            for decision in cleaned.decisions.get(row, ()):
                if decision.action is Action.KEEP:
                    cells[decision.reviewer] = int(given[row])
                elif decision.action is Action.RELABEL and decision.label is not None:
                    cells[decision.reviewer] = decision.label
            writer.writerow([int(given[row]), *(cells.get(name, "") for name in people)])
    return bool(people)


def _readme(source: str, answered: bool) -> str:
    people = _ANSWERED if answered else "# nobody has answered: multiannotator.csv is for later"
    return _README.format(source=source, people=people)


_ANSWERED = "cleanlab.multiannotator.get_label_quality_multiannotator(people, pred_probs)"

_README = """Arrays for cleanlab, written by LNL Review.

  import numpy as np, pandas as pd
  labels = np.load("labels.npy")              # (n,) given labels, index into classes.txt
  pred_probs = np.load("pred_probs.npy")      # (n, k) of one run, named below
  issues = pd.read_csv("label_issues.csv")    # what people and all runs together say, see below
  people = pd.read_csv("multiannotator.csv")  # a column per person, blank = no answer

  cleanlab.filter.find_label_issues(labels, pred_probs)
  cleanlab.classification.CleanLearning(model).fit(X, labels, label_issues=issues)
  {people}

Rows are in the order of ids.txt; splits.txt, where the set came with splits, has the split of each.

pred_probs: {source}.
label_issues: is_label_issue is what a reviewer said, and p_wrong of all runs together > 0.5 where
nobody has; label_quality = 1 - suspicion of all runs together (1 = right).
"""
