"""The one run whose probabilities a tool such as cleanlab takes: out of fold where there is one."""

from __future__ import annotations

from dataclasses import dataclass

from lnl_core.methods import AT, METHODS, OWN, out_of_fold, title_of
from lnl_core.said import command, many
from lnl_core.services.in_force import judged_by, learned_from, runs_told, scored, signals
from lnl_core.types import BoolArray, DatasetInfo, FloatArray, LnlError, TopProbs


@dataclass(frozen=True, slots=True, eq=False)
class SingleRun:
    """One run's probabilities.

    Attributes:
        probs: (n, k), rows sum to 1.
        words: which run it is, and whether its models have seen the labels that they judge.
    """

    probs: FloatArray | TopProbs
    words: str


_OUT_OF_FOLD = "out of fold: no model has seen the label that it judges"
_BROUGHT = "as you brought them; out of fold if you made them so"
_SEEN = (
    "not out of fold: the model has seen the labels that it judges, and doubts fewer of them. For "
    "others: lnl run NAME --methods {better}"
)


def choose(info: DatasetInfo) -> SingleRun:
    """Choose among the newest runs of each method: out of fold, then brought, then any.

    Within each the default recipe's methods come first, in the order of their cards.

    Raises:
        LnlError: nothing is scored yet, or no run left probabilities.
    """
    ranked = scored(info)
    if ranked is None:
        raise LnlError("cleanlab's arrays need probabilities, and nothing is scored yet. Score it.")
    for key, run_id in sorted(ranked.run_ids.items(), key=lambda run: _place(*run)):
        run = signals(info, run_id)
        if run is None or run.pred_probs is None:
            continue
        words = f"run {run_id}, {title_of(key)}, {_kind(key)}"
        told = len(runs_told(info, (run_id,)))
        if told:
            words += f". It was told the right label of {many(told, 'image')}"
        words += _unlike(judged_by(info, run_id), learned_from(info, run_id))
        return SingleRun(run.pred_probs, words)
    raise LnlError(
        "No run on this set left probabilities. Score it with one that does: "
        f"{command('run', info.name, '--methods', _better())}"
    )


def _unlike(judged: BoolArray, learned: BoolArray) -> str:
    """Say which rows are unlike those of images that a run both learned from and judged.

    Args:
        judged: (n,) the run was asked about the image.
        learned: (n,) its label was trained on.
    """
    words = ""
    if unasked := int((learned & ~judged).sum()):
        words += (
            f". It learned from {many(unasked, 'image')} of a split that it was not asked about: "
            "their rows are its predictions like any others, and no verdicts"
        )
    if untrained := int((judged & ~learned).sum()):
        words += (
            f". It judged {many(untrained, 'image')} that it did not learn from: their rows come "
            "from models of all the others, and may be less sure than rows of those are"
        )
    if strange := int((~judged & ~learned).sum()):
        words += (
            f". It knows nothing of {many(strange, 'image')} (added since, or of a split that it "
            "neither learned from nor was asked about): their rows say at most how common classes "
            "are, and are no verdicts"
        )
    return words


def _plain(key: str) -> str:
    return key.partition(AT)[0]


def _place(key: str, run_id: int) -> tuple[int, bool, int, int]:
    method = METHODS.get(_plain(key))
    if method is None:
        return (1 if _plain(key).startswith(OWN) else 2), False, 0, -run_id
    return (0 if out_of_fold(key) else 2), not method.recommended, method.place, -run_id


def _kind(key: str) -> str:
    method = METHODS.get(_plain(key))
    if method is None:
        return _BROUGHT if _plain(key).startswith(OWN) else _SEEN.format(better=_better())
    return _OUT_OF_FOLD if out_of_fold(key) else _SEEN.format(better=_better())


def _better() -> str:
    """Return the key of the first method that is out of fold."""
    kept = [(not each.recommended, each.place, key) for key, each in METHODS.items()
            if each.out_of_fold]  # fmt: skip
    return min(kept)[2]
