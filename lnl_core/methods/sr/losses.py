"""Losses, one value per example; the caller reduces.

Base losses take log-probabilities, so that one `log_softmax` serves the base and the penalty.
Formulas and numbers: Zhou et al., "Learning with Noisy Labels via Sparse Regularization", ICCV
2021, and the authors' code.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

CLAMP = 1e-7
"""Probabilities below this count as this, and give no gradient."""


def given_log_probs(log_probs: Tensor, labels: Tensor) -> Tensor:
    """Pick the log-probability of each given label: (b, k), (b,) -> (b,)."""
    return log_probs.gather(1, labels[:, None]).squeeze(1)


def cross_entropy(log_probs: Tensor, labels: Tensor) -> Tensor:
    """Return -log p of the given label, (b,) in [0, inf).

    Args:
        log_probs: (b, k) log-probabilities.
        labels: (b,) class indices in 0..k-1.
    """
    return -given_log_probs(log_probs, labels)


def focal(log_probs: Tensor, labels: Tensor, *, gamma: float = 0.5, detach: bool = True) -> Tensor:
    """Return -(1-p)^gamma log p, (b,) in [0, inf).

    Args:
        log_probs: (b, k) log-probabilities.
        labels: (b,) class indices.
        gamma: at least 0; 0 gives cross-entropy.
        detach: no gradient through the factor (1-p)^gamma, as in the SR authors' code; False
            gives the focal loss proper.
    """
    if gamma < 0:
        raise ValueError(f"gamma must be at least 0, got {gamma}")
    log_p = given_log_probs(log_probs, labels)
    # expm1 keeps 1 - p exact near p = 1; clamped, because p^gamma has no finite slope at 0
    rest = -torch.expm1(log_p.detach() if detach else log_p.clamp_max(-CLAMP))
    return -(rest.clamp_min(0) ** gamma) * log_p


def generalized_cross_entropy(log_probs: Tensor, labels: Tensor, *, q: float = 0.7) -> Tensor:
    """Return (1 - max(p, 1e-7)^q) / q: between cross-entropy (q -> 0) and absolute error (q = 1).

    Args:
        log_probs: (b, k) log-probabilities.
        labels: (b,) class indices.
        q: in (0, 1]; larger trusts the given labels less.

    Returns:
        (b,) losses in [0, 1/q].
    """
    if not 0 < q <= 1:
        raise ValueError(f"q must lie in (0, 1], got {q}")
    # in logarithms 1 - p^q loses no digits as q goes to 0
    log_p = given_log_probs(log_probs, labels).clamp_min(math.log(CLAMP))
    return -torch.expm1(q * log_p) / q


def base_loss(name: str, log_probs: Tensor, labels: Tensor, **own: float) -> Tensor:
    """Return the base loss called `ce`, `fl` (its own: gamma) or `gce` (q), (b,)."""
    if name == "ce":
        return cross_entropy(log_probs, labels)
    if name == "fl":
        return focal(log_probs, labels, gamma=own["gamma"])
    if name == "gce":
        return generalized_cross_entropy(log_probs, labels, q=own["q"])
    raise ValueError(f"base must be ce, fl or gce, got {name!r}")


def sharpen(logits: Tensor, tau: float, *, normalise: bool = True) -> Tensor:
    """Return s = z / (|z| tau), or z / tau without `normalise`; (b, k), row by row."""
    if tau <= 0:
        raise ValueError(f"tau must be above 0, got {tau}")
    if normalise:
        logits = F.normalize(logits, dim=1, eps=1e-12)
    return logits / tau


def sparse_penalty(log_probs: Tensor, p: float) -> Tensor:
    """Return the sum over classes of max(pi, 1e-7)^p, (b,): no outer root.

    Computed as exp(p * log pi): the same value and gradient, without powers of tiny numbers.
    Keep `log_probs` in float32. Uniform pi gives k^(1-p).

    Args:
        log_probs: (b, k) log-softmax of the sharpened logits.
        p: in (0, 1].
    """
    if not 0 < p <= 1:
        raise ValueError(f"p must lie in (0, 1], got {p}")
    return torch.exp(p * log_probs.clamp_min(math.log(CLAMP))).sum(dim=1)


def penalty_weight(epoch: int, start: float, growth: float, every: int) -> float:
    """Return lambda at zero-based `epoch`: start * growth^floor(epoch / every)."""
    return start * growth ** (epoch // every)


def largest_probability(k: int, tau: float) -> float:
    """Return p_max, the most that one class can get when logits have length 1 (spec 2.5)."""
    if k < 2:
        return 1.0
    return 1 / (1 + (k - 1) * math.exp(-math.sqrt(k / (k - 1)) / tau))
