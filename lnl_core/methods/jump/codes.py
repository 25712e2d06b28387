"""Class codewords, sub-losses and the jump table: the parts of Jump-teaching that stand alone.

Reference: Ji et al., "Jump-teaching: Combating Sample Selection Bias via Temporal Disagreement",
AAAI 2026 (arXiv 2405.17137) and the authors' released code. A class has a codeword of K signs, a
small head predicts the K signs, and the loss of one image falls into K sub-losses whose variance
within the image says whether the label fits, without looking at any other image.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lnl_core.learning import models
from lnl_core.types import Array

CLAMP = 1 - 1e-4
"""Codes are held inside +-CLAMP: a sub-loss lies in [5.0e-5, 9.9035], beyond there is no slope."""


def default_bits(k: int) -> int:
    """Return the smallest power of two that is at least 32 and at least `k`."""
    return max(32, 1 << max(k - 1, 0).bit_length())


def codebook(k: int, bits: int, *, allow_antipodes: bool = False) -> Array:
    """Return the codewords: the first rows of Sylvester's Hadamard matrix, then their negatives.

    Args:
        k: number of classes.
        bits: K, a power of two; any two codewords then differ in exactly K/2 places if k <= K.
        allow_antipodes: accept K < k <= 2K. Class c and class c + K are then each other's
            negatives, and the variance criterion cannot tell one from the other (spec H1).

    Returns:
        (k, bits) int8 of -1 and +1.

    Raises:
        ValueError: `bits` is no power of two, or too small for `k`.
    """
    if bits < 1 or bits & (bits - 1):
        raise ValueError(f"bits must be a power of two, got {bits}")
    if k > 2 * bits:
        raise ValueError(f"{bits} bits hold at most {2 * bits} classes, got {k}")
    if k > bits and not allow_antipodes:
        raise ValueError(
            f"{bits} bits hold {bits} orthogonal classes, got {k}: use {default_bits(k)} bits, or "
            "allow_antipodes and lose the variance test between classes c and c + bits"
        )
    # entry (i, j) of Sylvester's matrix is -1 to the power of the ones that i and j share: only
    # the rows in use are made, for 10,000 classes 164 MB instead of 800
    places = np.arange(bits, dtype=np.uint32)
    words = np.empty((k, bits), dtype=np.int8)
    for row in range(k):
        odd = np.bitwise_count(places & np.uint32(row % bits)) & 1
        words[row] = np.where(odd, -1, 1) if row < bits else np.where(odd, 1, -1)
    return words


def antipodal_pairs(k: int, bits: int) -> int:
    """Return how many pairs of classes have opposite codewords."""
    return max(0, k - bits)


def sub_losses(codes: Tensor, words: Tensor) -> Tensor:
    """Return the K sub-losses -ln((1 + v_k c_k) / 2), (b, K), each in [5.0e-5, 9.9035].

    Args:
        codes: (b, K) in (-1, 1), the output of the code head.
        words: (b, K) codeword of the label in question, -1 or +1.
    """
    return -torch.log((1 + codes.clamp(-CLAMP, CLAMP) * words) / 2)


def spread(losses: Tensor) -> Tensor:
    """Return the unbiased variance over the K sub-losses of each image, (b, K) -> (b,)."""
    return losses.var(dim=1, correction=1)


def clean_clauses(
    logits: Tensor,
    labels: Tensor,
    losses: Tensor,
    *,
    tau: float = 1e-3,
    guard: float = math.inf,
) -> tuple[Tensor, Tensor]:
    """Return the two clauses of the criterion, (b,) bool each; clean = agree or steady.

    Args:
        logits: (b, k) of the classifier head; a temperature on them changes nothing here.
        labels: (b,) given labels.
        losses: (b, K) sub-losses against the given labels.
        tau: steady = the variance of the sub-losses lies below it.
        guard: steady also needs a mean sub-loss below this (our addition, spec H1): an undecided
            code has variance 0 too, at a mean of ln 2.
    """
    agree = logits.argmax(dim=1) == labels
    steady = (spread(losses) < tau) & (losses.mean(dim=1) < guard)
    return agree, steady


def selected_loss(
    logits: Tensor, labels: Tensor, losses: Tensor, chosen: Tensor, temperature: float
) -> Tensor:
    """Return the training loss of a batch: cross-entropy plus mean sub-loss of the chosen rows.

    It is summed over the chosen rows and divided by the size of the whole batch, so a step is
    proportional to the share that was chosen.

    Args:
        logits, labels, losses: as in `clean_clauses`.
        chosen: (b,) bool.
        temperature: T, divides the logits.
    """
    each = F.cross_entropy(logits / temperature, labels, reduction="none") + losses.mean(dim=1)
    return torch.where(chosen, each, 0.0).sum() / len(labels)


def decode(codes: Tensor, words: Tensor) -> Tensor:
    """Return the log-posterior of each class under independent bits and an even prior, (b, k).

    Args:
        codes: (b, K) in (-1, 1).
        words: (k, K) codebook.
    """
    held = codes.clamp(-CLAMP, CLAMP)
    plus, minus = torch.log((1 + held) / 2), torch.log((1 - held) / 2)
    ones = (words > 0).to(codes.dtype)
    return F.log_softmax(plus @ ones.T + minus @ (1 - ones).T, dim=1)


class JumpTable:
    """One flag per image and jump step: read what was written `steps` epochs ago, then overwrite.

    `cells` is (steps, n); epoch e uses the row e mod steps for both, so reading before writing is
    what makes the jump: the selection used now was made by an earlier network.
    """

    def __init__(self, cells: Tensor) -> None:
        self.cells = cells

    def read(self, rows: Tensor, epoch: int) -> Tensor:
        """Return the flags (b,) that the present epoch has to use."""
        return self.cells[epoch % len(self.cells)][rows]

    def write(self, rows: Tensor, epoch: int, flags: Tensor) -> None:
        """Keep the flags (b,) that the network gives now, for `steps` epochs later."""
        self.cells[epoch % len(self.cells)][rows] = flags.to(self.cells.dtype)

    def written(self, epoch: int) -> Tensor:
        """Return the flags (n,) written so far in this epoch, older ones where none were."""
        return self.cells[epoch % len(self.cells)]


class TwoHeads(nn.Module):
    """A backbone with a classifier head and a code head (spec 2.3).

    The heads and the pooled features are float32 even where the backbone runs in bfloat16: a
    variance below 1e-3 is out of its reach.

    Args:
        network: backbone with `features` and the classifier as `head`.
        bits: K.
        dropout: share of hidden units left out in the code head.
    """

    def __init__(self, network: models.Network, bits: int, dropout: float = 0.5) -> None:
        super().__init__()
        self.network, self.bits = network, bits
        self.feature_size = d = network.feature_size
        self.code = nn.Sequential(
            nn.Linear(d, d),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(d, d),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(d, bits),
            nn.Tanh(),
        )

    def maps(self, images: Tensor) -> Tensor:
        """Return the last maps, (b, m, h', w')."""
        return self.network.maps(images)

    def features(self, images: Tensor) -> Tensor:
        """Return the pooled features, (b, d)."""
        return self.network.features(images)

    def head(self, features: Tensor) -> Tensor:
        """Return logits and codes side by side from pooled features, (b, d) -> (b, k + K)."""
        with torch.autocast(features.device.type, enabled=False):
            features = features.float()
            return torch.cat([self.network.head(features), self.code(features)], dim=1)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits and codes side by side, (b, k + K)."""
        return self.head(self.network.features(images))


def build(
    backbone: str, k: int, channels: int, size: int, bits: int, dropout: float = 0.5
) -> TwoHeads:
    """Build the two-headed network; `backbone` is a name of `models.NAMES`."""
    heads = TwoHeads(models.build(backbone, k, channels, size), bits, dropout)
    return heads.to(memory_format=torch.channels_last)
