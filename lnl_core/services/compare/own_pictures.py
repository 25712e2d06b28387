"""Each method's picture of its own idea, for one image, from what its run kept.

Which picture a run has is known by the arrays that it left, never by the method's name: a method of
another package that leaves the same has the same picture. Numpy on memory-mapped files.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from lnl_core.services.compare import losses
from lnl_core.services.in_force import class_numbers, loaded
from lnl_core.types import Array, DatasetInfo, FloatArray, IntArray, Leaves, Signals
from lnl_core.views import Picture, chance, percent

FOREGROUND = 0.4
"""Part of a map's maximum from which on a place is in the mask, as `learning.cam` has it."""

SHOWN = 4
"""Classes that the sharpened answer is drawn for: the given one and the most probable others."""


def picture(info: DatasetInfo, key: str, run: Signals, row: int) -> Picture | None:
    """Return the picture of a run for one image; None where it kept nothing that shows its idea.

    Of an image that it has not trained on it kept nothing.
    """
    if not losses.is_learned(info, key, row):
        return None
    for name, draw in _BY_WHAT_IS_LEFT:
        if name in run.extras:
            return draw(info, key, run, row)
    return None


def _given(info: DatasetInfo, row: int) -> int:
    return losses.given_label(info, row)


def _sharpened(info: DatasetInfo, key: str, run: Signals, row: int) -> Picture | None:
    """Show the sharpened answer beside plain training's.

    Facts: `classes` (label, own probability, plain training's or None), `p_max`, `plain_title`.
    """
    facts = losses.sharpened(info, key, row)
    if facts is None:
        return None
    own, plain = np.asarray(facts["own"]), facts["plain"]
    given = _given(info, row)
    others = [int(label) for label in np.argsort(-own, kind="stable") if label != given]
    shown = [given, *others[: SHOWN - 1]]
    classes = [
        (label, float(own[label]), None if plain is None else float(plain[label]))
        for label in shown
    ]
    names = info.class_names
    best = int(own.argmax())
    most = facts["p_max"]
    words = f"Its sharpened answer: {chance(own[given])} for {names[given]}"
    if best != given:
        words += f" and {chance(own[best])} for {names[best]}"
    words += f", of {most:.2f} at most"
    if plain is not None:
        words += f"; {facts['plain_title']}: {chance(plain[given])} for {names[given]}"
    drawn = {"classes": classes, "p_max": most, "plain_title": facts["plain_title"]}
    return Picture("sharpened", drawn | {"has_plain": plain is not None}, words + ".")


# Sub-losses over the code ---------------------------------------------------------------------


def _code(info: DatasetInfo, key: str, run: Signals, row: int) -> Picture | None:
    """Show the code of the given class and which of its bits the network reads otherwise.

    A run on purified labels has sub-losses against those alone: it shows the code of that class.

    Facts: `bits` (K,) of that class, True for +1; `read` (K,) as the network reads them;
    `values` (K,) sub-losses in nats, `typical` (K,), `variance_rank`, `rejected`.
    """
    facts = losses.sub_losses(info, key, row)
    book = run.extras.get("codebook")
    label = losses.learned_label(info, key, row)
    if facts is None or book is None:
        return None
    number = class_numbers(info, int(key))[label]  # its codes are of the classes that it learned
    if not 0 <= number < len(book):
        return None
    bits = np.asarray(book[number]) > 0
    turned = np.asarray(facts["values"]) > math.log(2)  # its chance of the right bit is below half
    count, of, whose = int(turned.sum()), len(bits), info.class_names[label]
    if label != _given(info, row):
        whose += ", the purified label that it learned,"
    words = (
        f"{count} of the {of} bits of the code of {whose} are read the other way"
        if count
        else f"All {of} bits of the code of {whose} are read as they should be"
    )
    words += (
        f"; its sub-losses vary more than those of {percent(facts['variance_rank'])} of the images"
    )
    if facts["rejected"]:
        words += f", and it was left out in {percent(facts['rejected'])} of the epochs"
    drawn = facts | {"bits": bits.tolist(), "read": (bits ^ turned).tolist()}
    return Picture("code", drawn, words + ".")


# Rounds of removal ----------------------------------------------------------------------------


def _rounds(info: DatasetInfo, key: str, run: Signals, row: int) -> Picture | None:
    """Show what each round removed and in which one this image went; facts of `losses.rounds`."""
    facts = losses.rounds(info, key, row)
    if facts is None:
        return None
    went, of = facts["round_removed"], len(facts["removed"])
    label = info.class_names[_given(info, row)]
    if went:
        words = f"Removed in round {went} of {of}"
    else:
        words = f"Never removed, in {of} rounds" if of else "No round removed anything"
    if "left_out" in run.extras:
        left = float(run.extras["left_out"][row])
        words += f"; once the network has not seen it, {label} gets {chance(left)}"
    return Picture("rounds", facts, words + ".")


# Purification ---------------------------------------------------------------------------------


def _stages(info: DatasetInfo, key: str, run: Signals, row: int) -> Picture | None:
    """Show the label by stage, and the images whose votes moved it.

    Facts: `stages` (what, label, confidence or None); `votes` (row, label, vote), above 0 for the
    given label.
    """
    extras, given = run.extras, _given(info, row)
    names = info.class_names
    purified = int(extras[Leaves.PURIFIED_LABELS][row])
    sure = float(extras["confidence"][row]) if "confidence" in extras else None
    stages: list[tuple[str, int, float | None]] = [("as given", given, None)]
    if "baseline_labels" in extras:
        stages.append(("simple fit", int(extras["baseline_labels"][row]), None))
    stages.append(("purified", purified, sure))
    if "retrained_labels" in extras:
        stages.append(("retrained", int(extras["retrained_labels"][row]), None))
    votes: list[tuple[int, int, float]] = []
    if "evidence_rows" in extras:
        labels = loaded(info).given_labels
        votes = [
            (int(other), int(labels[other]), float(vote))
            for other, vote in zip(
                extras["evidence_rows"][row], extras["evidence_votes"][row], strict=True
            )
            if 0 <= other < info.n
        ]
    certain = "" if sure is None else f" ({chance(sure)})"
    words = (
        f"Purification keeps {names[given]}{certain}"
        if purified == given
        else f"Purification turns {names[given]} into {names[purified]}{certain}"
    )
    last = stages[-1]
    if last[0] == "retrained":
        same = "too" if last[1] == purified else "however"
        words += f"; the network trained on purified labels says {names[last[1]]} {same}"
    against = sum(vote < 0 for *_, vote in votes)
    if votes:
        words += f"; {against} of the {len(votes)} images that pull hardest pull against the label"
    return Picture("stages", {"stages": stages, "votes": votes}, words + ".")


# Masks ----------------------------------------------------------------------------------------


def _masks(info: DatasetInfo, key: str, run: Signals, row: int) -> Picture | None:
    """Show where the network looks for both classes.

    Facts: `masks` [(label, mask (u, v) of bool, map (u, v) in [0, 1])] of the given and the best
    other class; `overlap` in [0, 1].
    """
    given = _given(info, row)
    other = int(run.extras["suggested_label"][row])
    maps = [_normalised(run.extras[name][row]) for name in ("cam_given", "cam_suggested")]
    masks = [one >= FOREGROUND for one in maps]
    both, either = (masks[0] & masks[1]).sum(), (masks[0] | masks[1]).sum()
    overlap = float(both / max(either, 1))
    names = [info.class_names[label] for label in (given, other)]
    if not masks[0].any() and not masks[1].any():
        words = "The network sees nothing of either class here."
    elif not masks[0].any() or not masks[1].any():
        seen = int(masks[1].any())
        words = (
            f"The network sees nothing of {names[1 - seen]} here; the mask of {names[seen]} covers "
            f"{percent(float(masks[seen].mean()))} of the image."
        )
    else:
        place = "mostly the same place" if overlap >= 0.5 else "different places"
        parts = [percent(float(mask.mean())) for mask in masks]
        words = (
            f"The mask of {names[0]} covers {parts[0]} of the image, that of {names[1]} "
            f"{parts[1]}; they lie in {place}."
        )
    drawn = [
        (label, mask.tolist(), one.round(3).tolist())
        for label, mask, one in zip((given, other), masks, maps, strict=True)
    ]
    return Picture("masks", {"masks": drawn, "overlap": overlap}, words)


def _normalised(values: Array) -> FloatArray:
    """Return max(map, 0) over its maximum, (u, v) in [0, 1]; all 0 where nothing is positive."""
    positive = np.clip(np.nan_to_num(np.asarray(values, np.float64)), 0, None)
    scaled: FloatArray = positive / max(float(positive.max(initial=0)), 1e-6)
    return scaled


_Draw = Callable[[DatasetInfo, str, Signals, int], Picture | None]
_BY_WHAT_IS_LEFT: tuple[tuple[str, _Draw], ...] = (
    ("p_max", _sharpened),
    ("sub_losses", _code),
    ("round_removed", _rounds),
    (str(Leaves.PURIFIED_LABELS), _stages),
    ("cam_given", _masks),
)
"""Extra -> what is drawn of a run that has it; the first that fits."""


def course(
    info: DatasetInfo, key: str, run: Signals, row: int
) -> tuple[dict[str, list[float]], str]:
    """Return one image's curves (`given`, `other`), and what their steps are."""
    extras = run.extras
    if not losses.is_learned(info, key, row):
        return {}, "epoch"
    if "course_given" in extras and extras["course_given"].shape[1] == info.n:
        return {
            "given": [1.0, *_series(extras["course_given"], row)],  # the label before any round
            "other": [0.0, *_series(extras["course_other"], row)],
        }, "round"
    curves = losses.trajectory(info, key, row)
    shown = {name: values for name, values in curves.items() if name in ("given", "other")}
    return shown, "round" if "round_removed" in extras else "epoch"


def _series(values: Array | IntArray, row: int) -> list[float]:
    return [float(value) for value in np.asarray(values[:, row], np.float64)]
