"""Label purification on frozen features: the closed-form mathematics of DMLP.

Reference: Tu, Zhang, Li, Liu, Li, Wang, Wang, Zhao, "Learning from Noisy Labels with Decoupled
Meta Label Purifier", CVPR 2023, arXiv 2302.06810, and the authors' code.

A linear model on features X (n, d) has the closed-form optimum W = G^-1 X'Y, G = X'X + ridge I,
for any label matrix Y (n, k). The loss of W on validation rows is then a function of Y, and its
gradient is exact: X G^-1 (dL/dW). Plain descent on Y keeps the form Y = Y0 + X A with A (d, k), so
that nothing of size n has to move: `LazyLabels`.

Shapes: n rows whose labels may be wrong, n_v validation rows, d features, k classes. Every
function takes float32 or float64 tensors and answers in the same type.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from lnl_core.types import FloatArray, IntArray, LnlError

CONSTANT = 0.5
"""Value of the constant column that serves as intercept (spec 2.2)."""

RESIDENT = 200_000_000
"""Up to this many numbers (n x d) the prepared rows lie in memory at once."""

CELLS = 16_000_000
"""Numbers of one chunk's scores, (rows x k)."""

Tick = Callable[[], None]


class Rows:
    """Features as the linear models see them: centred, scaled to length 1, a constant appended.

    One fixed map for all rows, so training and validation rows are treated alike (test D5).

    Attributes:
        n: number of rows; d: features + 1.
    """

    def __init__(
        self,
        features: FloatArray,
        device: torch.device | str = "cpu",
        *,
        standardise: bool = False,
        sample: int = 50_000,
    ) -> None:
        """Measure the centre (and the spread) on at most `sample` rows, evenly taken."""
        self._features, self.device = features, torch.device(device)
        self.n, width = features.shape
        self.d = width + 1
        at = np.unique(np.linspace(0, max(self.n - 1, 0), min(self.n, sample)).astype(np.int64))
        total, square = np.zeros(width), np.zeros(width)
        for part in np.array_split(at, max(1, len(at) // 4096)):
            values = np.asarray(features[part], dtype=np.float64)
            total += values.sum(0)
            square += np.square(values).sum(0)
        mean = total / max(len(at), 1)
        spread = np.sqrt(np.maximum(square / max(len(at), 1) - mean**2, 0))
        # a feature that hardly varies is noise: it is not blown up to the size of the others
        floor = 0.1 * float(np.sqrt(np.mean(spread**2))) if spread.any() else 1.0
        scale = 1 / np.maximum(spread, floor) if standardise else np.ones(width)
        self._mean = torch.from_numpy(mean).float().to(self.device)
        self._scale = torch.from_numpy(scale).float().to(self.device)
        self._held: Tensor | None = None
        if self.n * self.d <= RESIDENT:
            self._held = self._prepared(features)

    def _prepared(self, values: FloatArray) -> Tensor:
        x = torch.from_numpy(np.array(values, dtype=np.float32)).to(self.device)
        x = F.normalize((x - self._mean) * self._scale, dim=1)
        return torch.cat([x, x.new_full((len(x), 1), CONSTANT)], dim=1)

    def __getitem__(self, rows: IntArray | slice) -> Tensor:
        """Return (b, d) float32 on the device."""
        if self._held is not None:
            if isinstance(rows, slice):
                return self._held[rows]
            return self._held[torch.from_numpy(np.asarray(rows, dtype=np.int64)).to(self.device)]
        return self._prepared(self._features[rows])

    def chunks(self, rows: IntArray, k: int = 1) -> Iterator[tuple[slice, Tensor]]:
        """Go through some rows; a chunk has at most `CELLS` scores of k classes.

        Yields:
            slice into `rows`, (b, d) float32.
        """
        step = max(256, min(32_768, CELLS // max(k, self.d)))
        for start in range(0, len(rows), step):
            part = slice(start, min(start + step, len(rows)))
            yield part, self[rows[part]]


def gram(rows: Rows, which: IntArray, tick: Tick | None = None) -> Tensor:
    """Return X'X of some rows, (d, d) float64, summed over chunks."""
    total = torch.zeros(rows.d, rows.d, dtype=torch.float64, device=rows.device)
    for _, x in rows.chunks(which):
        total += (x.T @ x).double()  # float32 within a chunk, so rounding does not grow with n
        if tick is not None:
            tick()
    return total


class Ridge:
    """G = X'X + ridge I by its Cholesky factor; no inverse is ever formed.

    Attributes:
        gram: (d, d) X'X; ridge: what was added to its diagonal.
    """

    def __init__(self, gram: Tensor, ridge: float) -> None:
        """Factor G.

        Raises:
            LnlError: G is singular: fewer rows than features and no ridge.
        """
        self.gram, self.ridge = gram, float(ridge)
        full = gram.clone()
        full.diagonal().add_(self.ridge)
        self._factor, failed = torch.linalg.cholesky_ex(full)
        pivots = self._factor.diagonal()
        largest = float(full.diagonal().max()) if len(full) else 0.0
        # a pivot this small, some hundred roundings of float64, is no longer a number of G's
        thin = float(pivots.min()) ** 2 <= 1e-13 * max(largest, 1e-300)
        if int(failed) or not bool(torch.isfinite(pivots).all()) or thin:
            raise LnlError(
                f"The features of these rows are linearly dependent ({len(gram)} features): the "
                "closed form has no single answer. Raise `ridge` above 0, or give it more rows."
            )

    def solve(self, right: Tensor) -> Tensor:
        """Return G^-1 right, (d, k) in the type of `right`."""
        solution = torch.cholesky_solve(right.to(self._factor.dtype), self._factor)
        return solution.to(right.dtype)


def relative_ridge(gram: Tensor, share: float) -> float:
    """Return a ridge as a share of the mean diagonal of X'X (spec 2.6: 1e-3)."""
    return share * float(gram.diagonal().mean())


def residual(scores: Tensor, onehot: Tensor, *, entropy: bool = True) -> Tensor:
    """Return dL/dZ of the validation loss at scores Z, (n_v, k): D of spec 2.3.

    L = mean cross-entropy of softmax(Z) + sum of squares of Z - onehot: a sum, as in the code.
    """
    squares = 2 * (scores - onehot)
    if not entropy:
        return squares
    return (torch.softmax(scores, dim=1) - onehot) / len(scores) + squares


def validation_loss(scores: Tensor, onehot: Tensor) -> tuple[Tensor, Tensor]:
    """Return the two parts of the validation loss: mean cross-entropy, sum of squares."""
    entropy = -(onehot * F.log_softmax(scores, dim=1)).sum(1).mean()
    return entropy, (scores - onehot).square().sum()


def balance(scores: Tensor, prior: Tensor) -> tuple[Tensor, Tensor]:
    """Return KL(prior | mean softmax) and its gradient by the scores (n, k).

    Args:
        scores: (n, k).
        prior: (k,) class shares that the mean prediction is pulled to; they sum to 1.
    """
    probs = torch.softmax(scores, dim=1)
    mean = probs.mean(0).clamp_min(1e-12)  # a class that nobody predicts must not divide by 0
    value = torch.special.xlogy(prior, prior / mean).sum()
    pull = -(prior / mean) / len(scores)  # (k,) by the mean, spread over the rows
    return value, probs * (pull - (probs * pull).sum(1, keepdim=True))


def label_gradient(x: Tensor, ridge: Ridge, by_weights: Tensor) -> Tensor:
    """Return dL/dY = X G^-1 dL/dW, (n, k), for dL/dW (d, k): the hyper-gradient."""
    return x @ ridge.solve(by_weights)


def step_size(x_v: Tensor, ridge: Ridge, *, entropy: bool = True) -> float:
    """Return the largest safe step on the labels: 1 / (bend of the loss, top eigenvalue).

    The squares bend by 2 (spec D11), the mean cross-entropy by at most 1 / (2 n_v) more.
    """
    bend = 2 + (0.5 / max(len(x_v), 1) if entropy else 0.0)
    return 1 / (bend * largest_eigenvalue(x_v, ridge))


def largest_eigenvalue(x_v: Tensor, ridge: Ridge, iterations: int = 60) -> float:
    """Return the largest eigenvalue of X_v G^-1 X_v', from above by a hundredth of itself."""
    vector = torch.ones(len(x_v), 1, dtype=x_v.dtype, device=x_v.device)
    # tilted, so that no eigenvector is orthogonal to the start by symmetry
    vector += 0.1 * torch.linspace(-1, 1, len(x_v), dtype=x_v.dtype, device=x_v.device)[:, None]
    size = 0.0
    for _ in range(iterations):
        vector = vector / vector.norm().clamp_min(1e-30)
        vector = x_v @ ridge.solve(x_v.T @ vector)
        size = float(vector.norm())
    return max(1.01 * size, 1e-12)  # power iteration comes from below, a safe step needs above


class Adam:
    """Adam without weight decay on one tensor, moments kept by row so that rows can move alone."""

    def __init__(self, like: Tensor, lr: float, betas: tuple[float, float] = (0.5, 0.999)) -> None:
        # betas of the authors' code
        self.lr, self.betas, self.steps = lr, betas, 0
        self.first, self.second = torch.zeros_like(like), torch.zeros_like(like)

    def step(self, values: Tensor, gradient: Tensor) -> None:
        """Move `values` in place against the gradient."""
        b1, b2 = self.betas
        self.steps += 1
        self.first.mul_(b1).add_(gradient, alpha=1 - b1)
        self.second.mul_(b2).addcmul_(gradient, gradient, value=1 - b2)
        size = self.lr / (1 - b1**self.steps)
        root = (self.second / (1 - b2**self.steps)).sqrt_().add_(1e-8)  # Adam's epsilon
        values.addcdiv_(self.first, root, value=-size)

    def reset(self) -> None:
        """Forget the moments: they belong to labels that were overwritten."""
        self.steps = 0
        self.first.zero_()
        self.second.zero_()


class Head:
    """EAC: a linear classifier with one softmax, trained on the present hard labels.

    Attributes:
        weights: (d + 1, k); the last row is the bias.
    """

    def __init__(
        self, d: int, k: int, lr: float, generator: torch.Generator, device: torch.device
    ) -> None:
        start = (torch.rand(d + 1, k, generator=generator) * 2 - 1) / d**0.5
        self.weights = start.to(device)
        self.adam = Adam(self.weights, lr)

    def logits(self, x: Tensor) -> Tensor:
        """Return (b, k)."""
        return logits(x, self.weights)

    def step(
        self, x: Tensor, targets: Tensor, prior: Tensor | None, weight: float, penalty: float
    ) -> Tensor:
        """Take one Adam step on a batch; return its cross-entropy.

        Args:
            x: (b, d).
            targets: (b,) hard labels.
            prior: (k,) class shares for the balance term, None for none.
            weight: of the balance term.
            penalty: weight of the negative entropy (0.4 in the code, with its stacked softmax).
        """
        probs = torch.softmax(self.logits(x), dim=1)
        at = torch.arange(len(x), device=x.device)
        loss = -probs[at, targets].clamp_min(torch.finfo(probs.dtype).tiny).log().mean()
        slope = torch.full_like(probs[:, :1], 1 / len(x))  # (b, 1) or (b, k), times probs below
        if prior is not None and weight:
            lift = -weight / len(x) * (prior / probs.mean(0).clamp_min(1e-12))
            slope = slope + lift - (probs @ lift)[:, None]  # the gradient of `balance`
        if penalty:
            logs = probs.clamp_min(torch.finfo(probs.dtype).tiny).log()
            slope = slope + penalty / len(x) * (logs - (probs * logs).sum(1, keepdim=True))
        pull = probs * slope
        pull[at, targets] -= 1 / len(x)
        gradient = torch.cat([x.T @ pull, pull.sum(0, keepdim=True)])
        self.adam.step(self.weights, gradient)
        return loss


def logits(x: Tensor, weights: Tensor) -> Tensor:
    """Return the scores of a head with a bias, (b, k), for weights (d + 1, k)."""
    return torch.addmm(weights[-1], x, weights[:-1])


class LazyLabels:
    """Y = a onehot(given) + X A + sum of b softmax(X H): rows are made on demand (spec 2.7).

    Attributes:
        share: a.
        moves: A, (d, k).
        heads: weights (d + 1, k) of each write.
        parts: b of each write.
        cross: X'Y (d, k), maintained as the labels change (test D10).
    """

    def __init__(self, cross: Tensor) -> None:
        self.share = 1.0
        self.cross = cross.clone()
        self.moves = torch.zeros_like(cross)
        self.heads: list[Tensor] = []
        self.parts: list[float] = []

    def descend(self, ridge: Ridge, x_v: Tensor, by_scores: Tensor, size: float) -> None:
        """Move Y against the hyper-gradient of a loss with dL/dZ_v = `by_scores` (n_v, k)."""
        move = size * ridge.solve(x_v.T @ by_scores)
        self.moves -= move
        self.cross -= (ridge.gram.to(move.dtype)) @ move

    def write(self, head: Tensor, keep: float, cross: Tensor) -> None:
        """Blend a head in: Y <- keep Y + (1 - keep) softmax(X head).

        Args:
            head: (d + 1, k).
            keep: m of the moving average, in [0, 1).
            cross: X' softmax(X head), (d, k).
        """
        self.share *= keep
        self.moves *= keep
        self.parts = [part * keep for part in self.parts] + [1 - keep]
        self.heads.append(head.clone())
        self.cross = keep * self.cross + (1 - keep) * cross

    def rows(self, x: Tensor, given: Tensor) -> Tensor:
        """Return Y of some rows, (b, k), for their features (b, d) and given labels (b,)."""
        labels = x @ self.moves.to(x.dtype)
        labels[torch.arange(len(x), device=x.device), given] += self.share
        for part, head in zip(self.parts, self.heads, strict=True):
            if part > 0:
                labels += part * torch.softmax(logits(x, head.to(x.dtype)), dim=1)
        return labels


def label_cross(rows: Rows, which: IntArray, labels: Tensor, k: int) -> Tensor:
    """Return X' onehot(labels), (d, k) float64, as sums over classes: no one-hot matrix."""
    total = torch.zeros(k, rows.d, dtype=torch.float64, device=rows.device)
    for part, x in rows.chunks(which):
        if x.is_cuda:  # its index_add sums in an order of its own each time
            total += (F.one_hot(labels[part], k).to(x.dtype).T @ x).double()
        else:
            total.index_add_(0, labels[part], x.double())
    return total.T.contiguous()


def soft_labels(labels: Tensor, probs: Tensor) -> Tensor:
    """Return q = (normalised max(Y, 0) + P) / 2, rows sum to 1 (spec 5)."""
    positive = labels.clamp_min(0)
    total = positive.sum(1, keepdim=True)
    even = 1 / labels.shape[1]  # where the moves left no positive entry
    share = torch.where(total > 1e-6, positive / total.clamp_min(1e-6), even)
    return (share + probs) / 2


def probe(x: Tensor, onehot: Tensor, shares: tuple[float, ...] = (1e-3, 1e-2, 1e-1, 1.0)) -> Tensor:
    """Fit ridge regression on validation rows alone: the honest baseline (spec 6.3).

    Args:
        x: (n_v, d); onehot: (n_v, k).
        shares: ridges to choose from, of the mean diagonal of X'X; the one with the smallest
            leave-one-out squared error is taken.

    Returns:
        (d, k) weights.
    """
    x, onehot = x.double(), onehot.double()
    gram, cross = x.T @ x, x.T @ onehot
    best, least = torch.zeros_like(cross), float("inf")
    for share in shares:
        ridge = Ridge(gram, relative_ridge(gram, share))
        weights = ridge.solve(cross)
        # a row that alone determines its own fit has leverage 1
        lever = (x * ridge.solve(x.T).T).sum(1, keepdim=True).clamp_max(1 - 1e-9)
        error = float((((x @ weights) - onehot) / (1 - lever)).square().mean())
        if error < least:
            best, least = weights, error
    return best
