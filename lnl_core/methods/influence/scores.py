"""How far a softmax head would move if one sample were left out, and rounds of removal by it.

A reconstruction: of Park et al., "Influential Rank", arXiv 2106.07217, only the abstracts were to
be had (v1: influence on the model and on clean validation data; v4: gradual removal of samples with
high influence on the decision boundary). The formulas are the textbook's (Cook and Weisberg 1982;
Koh and Liang, ICML 2017) on the last layer. For the head at the optimum of `linear_head`:

    D_i = 1/n H^-1 vec(r_i h_i^T),   r_i = p_i - onehot(y_i)      W without i ~ W + D_i
    influence   S_model(i) = ||D_i||
    validation  S_val(i)   = - sum_{j in V} G_j . D_i              above 0: the sample hurts V

By blocks of classes, B_c = 1/n sum_j p_jc (1 - p_jc) h_j h_j^T + lam:
S_model(i) = 1/n sqrt(sum_c r_ic^2 ||B_c^-1 h_i||^2).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from lnl_core.methods.influence.softmax_head import HELD, Problem
from lnl_core.methods.influence.work import EXACT_UNKNOWNS, EXACT_WORK

DENSE_CLASSES = 100
"""Above this many classes each row counts in the blocks of its likeliest classes only."""

LIKELY = 10
"""How many these are; what they leave out enters by the common second moment."""


class Scores(NamedTuple):
    """What leaving out each row of a set would do; (n,) float64 on the CPU each.

    Attributes:
        influence: S_model.
        residual: length of r.
        leverage: 1/n h^T B_y^-1 h of the given class's block.
        loss: cross-entropy of the given label.
        gradient: l1 norm of r times that of h: the proxy without curvature of Park et al.,
            "Influence-Balanced Loss", ICCV 2021. A control, no influence.
        p_given, p_other: probability of the given label and of the best other class.
        p_left_out: p_given if the row had been left out, by one Newton step on its own logit.
        best: (n,) int64, likeliest class.
    """

    influence: Tensor
    residual: Tensor
    leverage: Tensor
    loss: Tensor
    gradient: Tensor
    p_given: Tensor
    p_other: Tensor
    p_left_out: Tensor
    best: Tensor


def score(
    problem: Problem, weights: Tensor, solve: str = "auto", stands: Tensor | None = None
) -> Scores:
    """Score every row of the design, also rows that the problem leaves out.

    A row that was left out is scored as if it were added: its influence is that of putting it in,
    and p_left_out is its plain probability. A copy is left out with the row that stands for its
    picture, whatever the labels of both.

    Args:
        problem: the rows that count.
        weights: (k, d) optimum of the problem, or a raw layer.
        solve: `exact`, `block`, or `auto` for exact where that is cheap.
        stands: (n,) row that counts for each row's picture; each for itself where None.
    """
    design, labels, k = problem.design, problem.labels, problem.k
    unknowns = k * design.asked
    if solve == "auto":
        small = unknowns <= EXACT_UNKNOWNS and design.n * unknowns**2 <= EXACT_WORK
        solve = "exact" if small else "block"
    problem.value_and_gradient(weights)
    n, device = design.n, design.device
    counts = torch.ones(n, dtype=torch.bool, device=device)
    if problem.rows is not None:
        counts[:] = False
        counts[problem.rows] = True
    columns = {
        name: torch.zeros(n, dtype=torch.float64, device=device)
        for name in ("residual", "loss", "gradient", "p_given", "p_other", "logit")
    }
    best = torch.zeros(n, dtype=torch.int64, device=device)
    for part, x in design.chunks(wide=k):
        logits = x @ weights.T
        log_probs, given = torch.log_softmax(logits, dim=1), labels[part][:, None]
        columns["loss"][part] = -log_probs.gather(1, given).squeeze(1)
        # log odds from the logits: log(p / (1 - p)) would lose p near 1
        rest = torch.logsumexp(logits.scatter(1, given, -torch.inf), dim=1)
        columns["logit"][part] = logits.gather(1, given).squeeze(1) - rest
        probs = log_probs.exp()
        best[part] = probs.argmax(dim=1)
        columns["p_given"][part] = probs.gather(1, given).squeeze(1)
        columns["p_other"][part] = probs.scatter(1, given, 0.0).amax(dim=1)
        probs.scatter_add_(1, given, torch.full_like(probs[:, :1], -1.0))
        columns["residual"][part] = probs.norm(dim=1)
        columns["gradient"][part] = probs.abs().sum(dim=1) * x.abs().sum(dim=1)
    if solve == "exact":
        influence = _exact(problem, weights)
        leverage = _leverage(problem, weights)
    elif k <= DENSE_CLASSES:
        influence, leverage = _blocks(problem, weights)
    else:
        influence, leverage = _likely_blocks(problem, weights)
    p = columns["p_given"]
    # one Newton step on the row's own logit; the floor is for rows that hold their logit alone
    stretch = leverage / (1 - p * (1 - p) * leverage).clamp_min(0.1)
    own = torch.ones_like(p)
    if stands is not None:
        stands = stands.to(device)
        counts, own = counts[stands], (labels[stands] == labels).to(p.dtype)
    shift = torch.where(counts, (own - p) * stretch, torch.zeros_like(p))
    left_out = torch.sigmoid(columns.pop("logit") - shift)
    return Scores(
        influence=influence.cpu(),
        leverage=leverage.cpu(),
        p_left_out=left_out.cpu(),
        best=best.cpu(),
        **{name: value.cpu() for name, value in columns.items()},
    )


def hessian(problem: Problem, weights: Tensor) -> Tensor:
    """Return the whole Hessian of L at `weights`, (k d, k d), class by class."""
    k, d = weights.shape
    out = torch.zeros(k, d, k, d, dtype=torch.float64, device=weights.device)
    for _, x in problem.design.chunks(problem.rows, k):
        probs = torch.softmax(x @ weights.T, dim=1)
        for a in range(k):
            for b in range(a, k):
                w = -probs[:, a] * probs[:, b]
                if a == b:
                    w = w + probs[:, a]
                out[a, :, b] += (x * w[:, None]).T @ x
    for a in range(k):
        for b in range(a):
            out[a, :, b] = out[b, :, a].T
    whole = out.reshape(k * d, k * d) / problem.count
    whole.diagonal().add_(problem.lam)
    return whole


def removals(problem: Problem, weights: Tensor, rows: Tensor, factor: Tensor) -> Tensor:
    """Return the predicted change of W when each of some rows is left out, (m, k, d).

    Args:
        problem: that W solves.
        weights: W, (k, d).
        rows: (m,).
        factor: Cholesky factor of the Hessian at W, (k d, k d).
    """
    k, d = weights.shape
    x = problem.design.rows(rows)
    residual = torch.softmax(x @ weights.T, dim=1)
    residual[torch.arange(len(rows)), problem.labels[rows]] -= 1
    gradients = (residual[:, :, None] * x[:, None, :]).reshape(len(rows), k * d)
    moved = torch.cholesky_solve(gradients.T, factor).T / problem.count
    return moved.reshape(len(rows), k, d)


def _exact(problem: Problem, weights: Tensor) -> Tensor:
    design, influence = problem.design, weights.new_zeros(problem.design.n)
    factor = torch.linalg.cholesky(hessian(problem, weights))
    for part, _ in design.chunks(wide=weights.numel()):
        moved = removals(problem, weights, part, factor)
        influence[part] = moved.flatten(1).norm(dim=1)
    return influence


def _inverse(block: Tensor) -> Tensor:
    """Return the inverse of a positive definite (d, d); one product is faster than two solves."""
    inverse: Tensor = torch.cholesky_inverse(torch.linalg.cholesky(block))
    return inverse


def _block(problem: Problem, c: int) -> Tensor:
    """Return B_c^-1, (d, d), at the problem's last weights."""
    d, at = problem.design.d, 0
    block = torch.zeros(d, d, dtype=torch.float64, device=problem.design.device)
    for part, x in problem.design.chunks(problem.rows, problem.k):
        p = problem.probs(at, len(part), x)[:, c]
        at += len(part)
        block += (x * (p * (1 - p))[:, None]).T @ x
    block /= problem.count
    block.diagonal().add_(problem.lam)
    return _inverse(block)


def _leverage(problem: Problem, weights: Tensor) -> Tensor:
    """Return 1/n h^T B_y^-1 h of the given class, (n,)."""
    leverage = weights.new_zeros(problem.design.n)
    for c in range(problem.k):
        rows = torch.nonzero(problem.labels == c).squeeze(1)
        if len(rows) == 0:
            continue
        inverse = _block(problem, c)
        for part, x in problem.design.chunks(rows):
            leverage[part] = ((x @ inverse) * x).sum(dim=1) / problem.count
    return leverage


def _blocks(problem: Problem, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Return S_model and leverage by blocks of classes, (n,) each; one block at a time.

    A class that holds less than a thousandth of a row's residual is passed over.
    """
    design, k = problem.design, problem.k
    n = design.n
    residual = torch.empty(n, k, dtype=torch.float64 if n * k <= HELD else torch.float32)
    residual = residual.to(design.device)
    for part, x in design.chunks(wide=k):
        residual[part] = _residuals(problem, weights, part, x).to(residual.dtype)
    least = 1e-3 * residual.norm(dim=1)
    square, leverage = weights.new_zeros(n), weights.new_zeros(n)
    for c in range(k):
        inverse = _block(problem, c)
        given = problem.labels == c
        rows = torch.nonzero((residual[:, c].abs() > least) | given).squeeze(1)
        for part, x in design.chunks(rows):
            solved = x @ inverse  # (b, d)
            square[part] += residual[part, c].double().square() * solved.square().sum(dim=1)
            leverage[part] = torch.where(given[part], (solved * x).sum(dim=1), leverage[part])
    return square.sqrt() / problem.count, leverage / problem.count


def _likely_blocks(problem: Problem, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Do as `_blocks` for very many classes, in time that does not grow with them.

    A row enters the blocks of its given and its `LIKELY` best classes. The rest of each block's
    weight multiplies the second moment of all rows, which is diagonal in the design's axes; the
    rest of a row's residual is weighed by that alone. Memory: n x LIKELY pairs and one block.
    """
    design, labels, k = problem.design, problem.labels, problem.k
    n, d = design.n, design.d
    top = min(LIKELY, k - 1) + 1
    classes = torch.zeros(n, top, dtype=torch.int32, device=weights.device)
    chosen = torch.zeros(n, top, dtype=torch.float32, device=weights.device)
    rest_square = weights.new_zeros(n)
    omitted = weights.new_zeros(k)
    counts = weights.new_ones(n) if problem.rows is None else weights.new_zeros(n)
    if problem.rows is not None:
        counts[problem.rows] = 1
    for part, x in design.chunks(wide=k):
        probs = torch.softmax(x @ weights.T, dim=1)
        given = labels[part][:, None]
        best = probs.scatter(1, given, -1.0).topk(top - 1, dim=1).indices
        picked = torch.cat([given, best], dim=1)
        classes[part], p = picked.int(), probs.gather(1, picked)
        chosen[part] = p.float()
        probs.scatter_(1, picked, 0.0)
        rest_square[part] = probs.square().sum(dim=1)
        omitted += ((probs * (1 - probs)) * counts[part][:, None]).sum(dim=0)
    omitted /= problem.count
    moment = design.spread
    common = 1 / (omitted.mean() * moment + problem.lam)  # (d,)
    square, leverage = weights.new_zeros(n), weights.new_zeros(n)
    for part, x in design.chunks():
        square[part] = rest_square[part] * (x * common).square().sum(dim=1)
    order = torch.argsort(classes.flatten(), stable=True)
    sizes = torch.bincount(classes.flatten(), minlength=k).tolist()
    start = 0
    for c, size in enumerate(sizes):
        pairs = order[start : start + size]
        start += size
        rows = pairs // top
        p = chosen.flatten()[pairs].double()
        block, at = weights.new_zeros(d, d), 0
        for part, x in design.chunks(rows):
            w = p[at : at + len(part)]
            at += len(part)
            block += (x * (w * (1 - w) * counts[part])[:, None]).T @ x
        block /= problem.count
        block.diagonal().add_(omitted[c] * moment + problem.lam)
        inverse, at = _inverse(block), 0
        for part, x in design.chunks(rows):
            given = labels[part] == c
            residual = p[at : at + len(part)] - given.double()
            at += len(part)
            solved = x @ inverse
            square[part] += residual.square() * solved.square().sum(dim=1)
            leverage[part] = torch.where(given, (solved * x).sum(dim=1), leverage[part])
    return square.sqrt() / problem.count, leverage / problem.count


def validation(problem: Problem, weights: Tensor, trusted: Tensor) -> Tensor:
    """Return S_val: by how much leaving each row out lowers the loss of trusted rows, (n,).

    Args:
        problem: the rows that count.
        weights: (k, d) optimum or a raw layer.
        trusted: (m,) rows whose label is confirmed.
    """
    design, k = problem.design, problem.k
    target = torch.zeros_like(weights)
    for part, x in design.chunks(trusted, k):
        target += _residuals(problem, weights, part, x).T @ x
    problem.value_and_gradient(weights)
    turned = problem.solve(target, 1e-10)
    harm = weights.new_zeros(design.n)
    for part, x in design.chunks(wide=k):
        residual = _residuals(problem, weights, part, x)
        harm[part] = -(residual * (x @ turned.T)).sum(dim=1) / problem.count
    return harm.cpu()


def _residuals(problem: Problem, weights: Tensor, part: Tensor, x: Tensor) -> Tensor:
    residual = torch.softmax(x @ weights.T, dim=1)
    given = problem.labels[part][:, None]
    return residual.scatter_add_(1, given, torch.full_like(residual[:, :1], -1.0))


def rank_within(values: Tensor, groups: Tensor) -> Tensor:
    """Return ranks within groups in (0, 1], (n,); ties by row number."""
    order = torch.argsort(values, stable=True)
    order = order[torch.argsort(groups[order], stable=True)]
    sizes = torch.bincount(groups)
    first = (torch.cumsum(sizes, 0) - sizes)[groups[order]]
    ranks = torch.empty(len(values), dtype=torch.float64)
    place = torch.arange(len(values)) - first + 1
    ranks[order] = place.double() / sizes[groups[order]]
    return ranks


def quotas(labels: Tensor, kept: Tensor, count: int, k: int, floor: int = 10) -> Tensor:
    """Return how many rows of each class to remove, (k,) int64: shares of `count` by class size.

    Args:
        labels: (n,) given labels.
        kept: (n,) bool, rows still in.
        count: rows to remove in all.
        k: number of classes.
        floor: rows of a class that stay at least.
    """
    sizes = torch.bincount(labels[kept], minlength=k)
    wanted = (count * sizes.double() / max(int(sizes.sum()), 1)).round().long()
    return torch.minimum(wanted, (sizes - floor).clamp_min(0))


def pick(ranking: Tensor, labels: Tensor, free: Tensor, wanted: Tensor) -> Tensor:
    """Return the rows to remove, (m,): of each class the highest of those that may go.

    Args:
        ranking: (n,) higher goes first; ties by row number.
        labels: (n,) given labels.
        free: (n,) bool, rows that may go.
        wanted: (k,) rows to remove per class.
    """
    gone = []
    for c, size in enumerate(wanted.tolist()):
        rows = torch.nonzero(free & (labels == c)).squeeze(1)
        order = torch.argsort(-ranking[rows], stable=True)
        gone.append(rows[order[:size]])
    return torch.cat(gone).sort().values
