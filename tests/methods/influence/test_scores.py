"""Influence on a softmax head against algebra, autograd and real retraining (spec 6.1, 6.2)."""

import functools

import numpy as np
import pytest
import torch
from scipy.stats import pearsonr, spearmanr

from lnl_core.methods.influence import scores as influence
from lnl_core.methods.influence import softmax_head
from lnl_core.methods.influence.softmax_head import Design, Problem, fit


def problem(n=150, d=5, k=3, lam=1e-2, seed=0, rate=0.4, rows=None, gap=1.5):
    """Gaussian classes with flipped labels, features taken as they are."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, k, n)
    means = rng.normal(0, gap, (k, d))
    x = means[truth] + rng.normal(0, 1, (n, d))
    labels = np.where(rng.random(n) < rate, (truth + rng.integers(1, k, n)) % k, truth)
    design = Design(x, raw=True)
    return Problem(design, torch.from_numpy(labels), k, lam, rows)


def inputs(case):
    """Features with the constant, (n, d), and the gradients G_i, (n, k, d), at weights."""
    return case.design.rows(torch.arange(case.design.n))


def gradients(case, weights):
    x = inputs(case)
    residual = torch.softmax(x @ weights.T, 1)
    residual[torch.arange(len(x)), case.labels] -= 1
    return residual, residual[:, :, None] * x[:, None, :]


def factor_of(case, weights):
    return torch.linalg.cholesky(influence.hessian(case, weights))


def test_6_1_1_on_a_ridge_head_the_formula_misses_only_the_leverage():
    """b(-i) - b = -A^-1 x_i e_i / (1 - t_i): influence is that without the denominator."""
    rng = np.random.default_rng(0)
    x, y, lam = rng.normal(size=(60, 8)), rng.normal(size=60), 1.0
    a = x.T @ x + lam * np.eye(8)
    b = np.linalg.solve(a, x.T @ y)
    for i in range(60):
        rest = np.delete(np.arange(60), i)
        left = np.linalg.solve(x[rest].T @ x[rest] + lam * np.eye(8), x[rest].T @ y[rest])
        solved = np.linalg.solve(a, x[i])
        t, e = x[i] @ solved, y[i] - x[i] @ b
        np.testing.assert_allclose(left - b, -solved * e / (1 - t), atol=1e-13)
        moved, true = np.linalg.norm(solved * e), np.linalg.norm(left - b)
        assert 1 - moved / true == pytest.approx(t, abs=1e-9)


def test_6_1_1_leverage_and_the_left_out_probability_are_those_of_the_head():
    """One Newton step on the row's own logit comes near the head that is refitted without it."""
    case = problem(k=3, lam=1e-2)
    weights = fit(case).weights
    scores = influence.score(case, weights, "block")
    error, naive = [], []
    for i in range(0, 150, 10):
        rows = torch.cat([torch.arange(i), torch.arange(i + 1, 150)])
        left = fit(Problem(case.design, case.labels, 3, 1e-2 * 150 / 149, rows), weights).weights
        true = torch.softmax(inputs(case)[i] @ left.T, 0)[case.labels[i]]
        error.append(abs(float(true - scores.p_left_out[i])))
        naive.append(abs(float(true - scores.p_given[i])))
    assert np.mean(error) < 0.3 * np.mean(naive)
    assert (scores.p_left_out <= scores.p_given + 1e-12).all()


def test_a_copy_is_left_out_with_the_row_that_stands_for_its_picture():
    """The head without the picture says what it says of every copy, whatever its label."""
    one = problem(k=3, lam=1e-2)
    x = one.design.rows(torch.arange(150))[:, :-1].numpy()
    stands = torch.cat([torch.arange(150), torch.tensor([10, 10])])
    labels = torch.cat([one.labels, one.labels[10:11], (one.labels[10:11] + 1) % 3])
    design = Design(x[stands.numpy()], raw=True)
    case = Problem(design, labels, 3, 1e-2, torch.arange(150))
    weights = fit(case).weights
    found = influence.score(case, weights, "block", stands).p_left_out
    rest = torch.cat([torch.arange(10), torch.arange(11, 150)])
    left = fit(Problem(design, labels, 3, 1e-2 * 150 / 149, rest), weights).weights
    true = torch.softmax(design.rows(torch.tensor([10])) @ left.T, 1)[0]
    plain = torch.softmax(design.rows(torch.tensor([10])) @ weights.T, 1)[0]
    for row in (10, 150, 151):
        label = labels[row]
        assert abs(found[row] - true[label]) < 0.3 * abs(plain[label] - true[label])
    assert found[150] == pytest.approx(float(found[10]))


def test_6_1_2_the_hessian_is_autograds():
    case = problem(n=40)
    weights = torch.randn(3, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    x, labels = inputs(case), case.labels

    def loss(flat):
        w = flat.reshape(3, 6)
        return torch.nn.functional.cross_entropy(x @ w.T, labels) + 0.005 * w.square().sum()

    flat = weights.clone().flatten().requires_grad_()
    (slope,) = torch.autograd.grad(loss(flat), flat, create_graph=True)
    true = torch.stack([torch.autograd.grad(one, flat, retain_graph=True)[0] for one in slope])
    found = influence.hessian(case, weights)
    torch.testing.assert_close(found, true, atol=1e-14, rtol=0)
    value, gradient = case.value_and_gradient(weights)
    assert value == pytest.approx(float(loss(weights.detach().flatten())), abs=1e-14)
    direction = torch.arange(18, dtype=torch.float64).reshape(3, 6)
    torch.testing.assert_close(case.times(direction).flatten(), true @ direction.flatten())
    solved = case.solve(direction, 1e-12)
    torch.testing.assert_close(solved.flatten(), torch.linalg.solve(true, direction.flatten()))
    torch.testing.assert_close(gradient.flatten(), slope.detach())


def test_6_1_3_the_gradient_score_is_the_l1_norm_of_the_gradient():
    case = problem()
    weights = fit(case).weights
    _, each = gradients(case, weights)
    scores = influence.score(case, weights, "exact")
    torch.testing.assert_close(scores.gradient, each.abs().sum((1, 2)), atol=4e-14, rtol=1e-13)


def test_6_1_4_removals_cancel_over_classes_and_add_up_to_the_ridge_pull():
    """Sum over classes of D_i is 0; at the optimum sum_i D_i = -lam H^-1 vec(W)."""
    case = problem()
    found = fit(case, tolerance=1e-13)
    moved = influence.removals(
        case, found.weights, torch.arange(150), factor_of(case, found.weights)
    )
    assert float(moved.sum(1).abs().max()) < 1e-13
    pull = torch.linalg.solve(influence.hessian(case, found.weights), found.weights.flatten())
    torch.testing.assert_close(moved.sum(0).flatten(), -case.lam * pull, atol=1e-11, rtol=0)


@pytest.mark.parametrize("solve", ["exact", "block"])
def test_6_1_5_order_and_turning_change_nothing(solve):
    case = problem()
    x = inputs(case)[:, :-1].numpy()
    weights = fit(case, tolerance=1e-12).weights
    plain = influence.score(case, weights, solve).influence
    order = torch.randperm(150, generator=torch.Generator().manual_seed(1))
    shuffled = Problem(Design(x[order.numpy()], raw=True), case.labels[order], 3, case.lam)
    again = influence.score(shuffled, fit(shuffled, tolerance=1e-12).weights, solve).influence
    torch.testing.assert_close(again, plain[order], rtol=1e-6, atol=1e-9)
    names = torch.tensor([2, 0, 1])
    renamed = Problem(case.design, names[case.labels], 3, case.lam)
    again = influence.score(renamed, fit(renamed, tolerance=1e-12).weights, solve).influence
    torch.testing.assert_close(again, plain, rtol=1e-6, atol=1e-9)
    turn = np.linalg.qr(np.random.default_rng(3).normal(size=(5, 5)))[0]
    turned = Problem(Design(x @ turn.T, raw=True), case.labels, 3, case.lam)
    rotated = torch.cat([weights[:, :-1] @ torch.from_numpy(turn.T), weights[:, -1:]], 1)
    again = influence.score(turned, rotated, solve).influence
    torch.testing.assert_close(again, plain, rtol=1e-9, atol=1e-12)


def test_6_1_5_principal_axes_change_nothing_and_lead_back():
    """Centred features of mean square one: in their principal axes the scores are the same."""
    rng = np.random.default_rng(0)
    case = problem()
    x = inputs(case)[:, :-1].numpy() @ rng.normal(size=(5, 5)) * 7 + 3
    design = Design(x)
    square = design.rows(torch.arange(150))[:, :-1]
    assert float(square.square().mean()) == pytest.approx(1)
    cross = square.T @ square / 150
    torch.testing.assert_close(cross, torch.diag(design.spread[:-1]), atol=1e-9, rtol=0)
    centred = (x - x.mean(0)) / np.sqrt(((x - x.mean(0)) ** 2).mean())
    there = Problem(design, case.labels, 3, 1e-2)
    here = Problem(Design(centred, raw=True), case.labels, 3, 1e-2)
    a, b = fit(there, tolerance=1e-12), fit(here, tolerance=1e-12)
    torch.testing.assert_close(
        influence.score(there, a.weights).influence,
        influence.score(here, b.weights).influence,
        rtol=1e-6,
        atol=1e-9,
    )
    weight, bias = design.to_features(a.weights)
    logits = torch.from_numpy(x @ weight.T + bias)
    torch.testing.assert_close(logits, design.rows(torch.arange(150)) @ a.weights.T)
    torch.testing.assert_close(design.from_features(weight, bias), a.weights)
    few = Design(x, width=2)
    torch.testing.assert_close(few.spread[:2] / few.spread[1], design.spread[:2] / design.spread[1])


@pytest.mark.parametrize("width", [0, 12, 110])
@pytest.mark.parametrize("n", [30, 90, 91, 120, 200], ids=lambda n: f"{n} of 120")
def test_few_rows_have_the_axes_of_the_whole_decomposition(n, width):
    """Fewer axes than asked for where rows are few; products, scale and leave-one-out the same."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 120)) * np.linspace(3, 0.5, 120) + 5
    labels = torch.arange(n) % 3
    design = Design(x, width=width)
    rows = design.rows(torch.arange(n))[:, :-1]
    centred = x - x.mean(0)
    keep = width or 120
    left, singular, right = np.linalg.svd(centred, full_matrices=False)
    scale = np.sqrt((singular[:keep] ** 2).sum() / n / keep)
    best = left[:, :keep] * singular[:keep]
    np.testing.assert_allclose(rows @ rows.T, best @ best.T / scale**2, atol=1e-9)
    assert design.asked == keep + 1
    here = Problem(design, labels, 3, 1e-2)
    there = Problem(Design(centred @ right[:keep].T / scale, raw=True), labels, 3, 1e-2)
    found = [
        influence.score(one, fit(one, tolerance=1e-11).weights, "block") for one in (here, there)
    ]
    torch.testing.assert_close(found[0].influence, found[1].influence, rtol=1e-6, atol=1e-9)
    torch.testing.assert_close(found[0].p_left_out, found[1].p_left_out, rtol=1e-6, atol=1e-9)


@functools.cache
def refits(lam=1e-2):
    """The case, its optimum, and the true change of W when each row is left out."""
    case, moved = problem(lam=lam), []
    weights = fit(case, tolerance=1e-12).weights
    for i in range(case.design.n):
        rows = torch.cat([torch.arange(i), torch.arange(i + 1, case.design.n)])
        left = Problem(case.design, case.labels, case.k, case.lam, rows)
        moved.append(fit(left, weights, tolerance=1e-10).weights - weights)
    return case, weights, torch.stack(moved)


@pytest.mark.parametrize("lam", [1e-2, 1e-3])
def test_6_2_influence_against_real_retraining(lam):
    """Spec: correlations 0.9994 and 0.9988, cosine from 0.9996, ratio 0.953, error 4.8 % and 12 %.

    A build with the wrong sign has cosine -1.
    """
    case, weights, moved = refits(lam)
    true = moved.flatten(1)
    said = influence.removals(case, weights, torch.arange(150), factor_of(case, weights)).flatten(1)
    long, short = true.norm(dim=1).numpy(), said.norm(dim=1).numpy()
    cosine = torch.cosine_similarity(true, said).numpy()
    assert pearsonr(long, short)[0] >= 0.99
    assert spearmanr(long, short)[0] >= 0.99
    assert cosine.min() >= 0.99
    assert 0.9 <= np.median(short / long) < 1.0
    error = ((true - said).norm(dim=1) / true.norm(dim=1)).numpy()
    assert np.median(error) < 0.08
    assert error.max() < 0.2
    np.testing.assert_allclose(influence.score(case, weights, "exact").influence, short)
    # what a build without curvature would score
    _, each = gradients(case, weights)
    assert spearmanr(long, each.flatten(1).norm(dim=1))[0] < 0.9
    assert pearsonr(long, each.flatten(1).norm(dim=1))[0] < 0.9


def test_class_blocks_rank_as_the_whole_hessian_does():
    case = problem(n=300, d=8, k=4)
    weights = fit(case).weights
    exact = influence.score(case, weights, "exact")
    block = influence.score(case, weights, "block")
    assert spearmanr(exact.influence, block.influence)[0] >= 0.99
    torch.testing.assert_close(block.leverage, exact.leverage)
    torch.testing.assert_close(block.p_left_out, exact.p_left_out)


def test_very_many_classes_are_scored_as_by_every_block(monkeypatch):
    case = problem(n=900, d=12, k=30, gap=2.5)
    weights = fit(case).weights
    every = influence.score(case, weights, "block")
    monkeypatch.setattr(influence, "DENSE_CLASSES", 20)
    likely = influence.score(case, weights, "block")
    assert spearmanr(every.influence, likely.influence)[0] >= 0.99
    assert float((likely.influence / every.influence - 1).abs().median()) < 0.1
    assert spearmanr(every.leverage, likely.leverage)[0] >= 0.99


def test_chunks_and_float32_storage_change_nothing_that_counts(monkeypatch):

    case = problem(n=400, d=8, k=4)
    weights = fit(case).weights
    plain = influence.score(case, weights, "block")
    x = inputs(case)[:, :-1].numpy()
    monkeypatch.setattr(softmax_head, "CELLS", 700)
    monkeypatch.setattr(softmax_head, "HELD", 100)
    small = Problem(Design(x, raw=True), case.labels, 4, case.lam)
    found = fit(small)
    torch.testing.assert_close(found.weights, weights, atol=1e-5, rtol=1e-5)
    again = influence.score(small, found.weights, "block")
    torch.testing.assert_close(again.influence, plain.influence, rtol=1e-3, atol=1e-6)
    assert found.gradient_norm < 1e-8


def test_rows_left_out_have_no_say_but_are_scored():
    """The head on part of the rows equals the head on that part alone."""
    rows = torch.arange(0, 150, 2)
    case = problem(rows=rows)
    alone = Problem(
        Design(inputs(case)[rows, :-1].numpy(), raw=True), case.labels[rows], 3, case.lam
    )
    a, b = fit(case, tolerance=1e-12).weights, fit(alone, tolerance=1e-12).weights
    torch.testing.assert_close(a, b, atol=1e-9, rtol=0)
    for solve in ("exact", "block"):
        here, there = influence.score(case, a, solve), influence.score(alone, b, solve)
        torch.testing.assert_close(here.influence[rows], there.influence, atol=1e-8, rtol=1e-6)
        torch.testing.assert_close(here.p_left_out[rows], there.p_left_out, atol=1e-8, rtol=0)
    out = torch.arange(1, 150, 2)
    plain = torch.softmax(inputs(case)[out] @ a.T, 1)[torch.arange(75), case.labels[out]]
    torch.testing.assert_close(here.p_left_out[out], plain)


def test_validation_is_the_drop_of_loss_on_trusted_rows_when_a_row_goes():
    """S_val > 0: the sample hurts. Compared with real refits (spec 2.3)."""
    case, weights, moved = refits()
    trusted = torch.arange(0, 150, 5)
    x, labels = inputs(case)[trusted], case.labels[trusted]

    def loss(w):
        return torch.nn.functional.cross_entropy(x @ w.T, labels, reduction="sum")

    true = [float(loss(weights) - loss(weights + step)) for step in moved]
    said = influence.validation(case, weights, trusted).numpy()
    others = np.setdiff1d(np.arange(150), trusted)
    assert pearsonr(np.array(true)[others], said[others])[0] > 0.95
    assert np.mean(np.sign(true) == np.sign(said)) > 0.9


def test_ranks_and_quotas_by_class():
    values = torch.tensor([5.0, 1.0, 3.0, 9.0, 9.0, 2.0])
    groups = torch.tensor([0, 0, 0, 1, 1, 1])
    ranks = influence.rank_within(values, groups)
    torch.testing.assert_close(ranks * 3, torch.tensor([3, 1, 2, 2, 3, 1], dtype=torch.float64))
    labels = torch.tensor([0] * 60 + [1] * 30 + [2] * 12)
    kept = torch.ones(102, dtype=torch.bool)
    assert influence.quotas(labels, kept, 20, 3).tolist() == [12, 6, 2]
    kept[60:90] = False
    kept[60:66] = True
    assert influence.quotas(labels, kept, 20, 3).tolist() == [15, 0, 2]
    gone = influence.pick(torch.arange(102.0), labels, kept, torch.tensor([2, 0, 1]))
    assert gone.tolist() == [58, 59, 101]


def test_a_head_stopped_early_says_so():
    case = problem(n=400, d=8, k=4)
    early = fit(case, limit=4)
    assert early.gradient_norm > 1e-6
    assert early.passes <= 8
    assert fit(case).gradient_norm < 1e-8


def test_a_fit_tells_how_far_it_is():
    told = []
    fit(problem(k=3, lam=1e-2), report=told.append)
    assert len(told) > 2
    assert all(0 <= share <= 1 for share in told)
    assert told[0] < 0.6
    assert told[-1] == 1


def test_a_very_large_pass_in_single_precision_says_the_same(monkeypatch):
    case = problem(k=3, lam=1e-2)
    weights = fit(case).weights
    value, gradient = case.value_and_gradient(0.5 * weights)
    turned = case.times(weights)
    monkeypatch.setattr(softmax_head, "LARGE", 1)
    monkeypatch.setattr(softmax_head, "HELD", 1)
    large = problem(k=3, lam=1e-2)
    found, slope = large.value_and_gradient(0.5 * weights)
    assert found == pytest.approx(value, rel=1e-5)
    torch.testing.assert_close(slope, gradient, atol=1e-6, rtol=1e-4)
    torch.testing.assert_close(large.times(weights), turned, atol=1e-6, rtol=1e-4)
    assert slope.dtype == torch.float64
    assert not torch.equal(slope, gradient)
