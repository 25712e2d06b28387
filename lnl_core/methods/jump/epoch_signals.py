"""What Jump-teaching records by epoch, its evaluation at the end, and the signals made of both."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from lnl_core.learning import supervised
from lnl_core.learning.training import Session
from lnl_core.methods.jump import codes as semantic_codes
from lnl_core.methods.jump.codes import JumpTable
from lnl_core.types import Array, Signals


def record_flags(session: Session, table: JumpTable, epoch: int, selects: bool) -> None:
    """Keep this epoch's flags as bits, and how far they overlap the last epoch's.

    Missing flags count against an image once the selection counts (`selects`).
    """
    flags = table.written(epoch).bool()
    bits = torch.from_numpy(np.packbits(flags.cpu().numpy())).to(session.device)
    history = session.tensors["flags"]
    history[epoch] = bits
    overlap = 0.0
    if epoch:
        both, either = history[epoch - 1] & bits, history[epoch - 1] | bits
        overlap = _ones(both) / max(_ones(either), 1)
    session.note("selection_iou", overlap)
    if selects:
        session.tensors["rejected"] += (~flags).float()


def _ones(bits: Tensor) -> int:
    return int(np.unpackbits(bits.cpu().numpy()).sum())


def evaluate(session: Session, codes: Tensor, features: Array | None) -> None:
    """Evaluate both heads on every plain image; the classifier's predictions enter the mean.

    Args:
        session: the run.
        codes: (k, K) codebook on the device.
        features: (n, d) to fill, where given.
    """
    k, tensors = session.k, session.tensors
    for rows, views in session.predictions(mirror=session.augment.flip, features=features):
        given = session.labels[rows]
        probs = torch.stack([F.softmax(view[:, :k], dim=1) for view in views]).mean(0)
        session.recorder.add(rows, probs, supervised.surprise(probs, given))
        heads = views[0][:, k:]
        sub = semantic_codes.sub_losses(heads, codes[given])
        by_code = semantic_codes.decode(heads, codes)  # (b, k)
        code_given = by_code.gather(1, given[:, None]).squeeze(1).exp()
        tensors["code_given"][:, rows] += torch.stack([code_given, torch.ones_like(code_given)])
        other = by_code.scatter(1, given[:, None], -math.inf)
        tensors["code_label"][rows] = other.argmax(dim=1).int()
        tensors["code_probability"][rows] = (
            F.softmax(other, dim=1).amax(dim=1)
            if k > 1
            else torch.ones(len(rows), device=session.device)
        )
        differ = by_code.argmax(dim=1) != probs.argmax(dim=1)
        tensors["heads_disagree"][rows] = differ.to(torch.uint8)
        tensors["sub_loss_mean"][rows] = sub.mean(dim=1)
        tensors["sub_loss_variance"][rows] = semantic_codes.spread(sub)
        if "sub_losses" in tensors:
            tensors["sub_losses"][rows] = sub.half()


def signals(
    key: str,
    session: Session,
    words: Array,
    started: int,
    features: Array | None,
    *,
    score: str = "classifier",
) -> Signals:
    """Return what the run says.

    Args:
        key: of the method.
        session: after its last epoch.
        words: (k, K) codebook.
        started: epoch from which on the selection counted, -1 or the number of epochs where never.
        features: (n, d) or None.
        score: `classifier`, `heads` or `all`: whose doubts are averaged.
    """
    k, bits = words.shape
    selected = session.knobs.epochs - started if started >= 0 else 0
    recorder, tensors = session.recorder, session.tensors
    names = ("sub_losses", "sub_loss_mean", "sub_loss_variance", "code_label", "code_probability")
    extras: dict[str, Array] = {
        name: tensors[name].cpu().numpy()
        for name in (*names, "heads_disagree", "flags")
        if name in tensors
    }
    extras["rejected"] = (tensors["rejected"] / max(selected, 1)).cpu().numpy()
    extras["codebook"] = words
    extras["antipodal_pairs"] = np.array([semantic_codes.antipodal_pairs(k, bits)])
    extras["selection_from"] = np.array([started if selected > 0 else -1], np.int32)
    extras["selection_used"] = np.array([selected > 0], np.uint8)
    summed, times = tensors["code_given"].cpu().numpy()
    extras["code_given"] = (summed / np.maximum(times, 1)).astype(np.float32)
    doubts = [1 - recorder.mean_given(), 1 - extras["code_given"], extras["rejected"]]
    speak = {"classifier": 1, "heads": 2, "all": 3}[score]
    return Signals(
        method=key,
        suspicion=np.clip(np.mean(doubts[:speak], axis=0, dtype=np.float64), 0, 1),
        pred_probs=recorder.mean_probs(),
        features=features,
        curves=recorder.curves() | session.run_curves(),
        extras=extras,
        cost=session.cost(),
    )
