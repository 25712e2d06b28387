"""Closed forms, theory and gradients of Sparse Regularization (spec 6.1 and 6.2)."""

import math

import pytest
import torch
from torch.nn import functional as F

from lnl_core.methods.sr import losses


def double(*shape, scale=1.0, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64) * scale


def full_loss(logits, labels, *, tau=0.5, p=0.1, weight=1.2):
    log_probs = F.log_softmax(losses.sharpen(logits, tau), dim=1)
    base = losses.cross_entropy(log_probs, labels)
    return (base + weight * losses.sparse_penalty(log_probs, p)).mean()


def test_t1_penalty_of_an_even_guess():
    log_probs = torch.full((3, 10), -math.log(10), dtype=torch.float64)
    expected = torch.full((3,), 7.943282, dtype=torch.float64)
    torch.testing.assert_close(losses.sparse_penalty(log_probs, 0.1), expected, atol=1e-5, rtol=0)


def test_t2_penalty_of_a_certain_guess_is_clamped_and_has_a_gradient():
    logits = torch.zeros(1, 10, dtype=torch.float64)
    logits[0, 4] = 1000.0
    logits.requires_grad_()
    value = losses.sparse_penalty(F.log_softmax(logits, dim=1), 0.1)
    value.sum().backward()
    assert value.item() == pytest.approx(2.795736, abs=1e-5)
    assert torch.isfinite(logits.grad).all()


@pytest.mark.parametrize("tau", [0.1, 0.5])
def test_t3_gradient_of_the_penalty_is_the_closed_form(tau):
    p = 0.1
    z = double(50, 10, scale=3.0).requires_grad_()
    losses.sparse_penalty(F.log_softmax(z / tau, dim=1), p).sum().backward()
    pi = F.softmax(z.detach() / tau, dim=1)
    power = torch.where(pi >= 1e-7, pi.clamp_min(1e-7) ** p, 0.0)
    expected = p / tau * (power - pi * power.sum(dim=1, keepdim=True))
    assert (z.grad - expected).abs().max() < 1e-10


@pytest.mark.parametrize(("k", "expected"), [(10, 0.477755), (100, 0.070107)])
def test_t4_largest_probability_under_length_one(k, expected):
    z = double(1, k).requires_grad_()
    for _ in range(400):
        loss = -F.log_softmax(losses.sharpen(z, 0.5), dim=1)[0, 0]
        (gradient,) = torch.autograd.grad(loss, z)
        z = F.normalize(z.detach() - gradient, dim=1).requires_grad_()
    assert math.exp(-loss.item()) == pytest.approx(expected, abs=1e-4)
    assert losses.largest_probability(k, 0.5) == pytest.approx(expected, abs=1e-6)


def test_t5_scale_of_the_logits_does_not_matter():
    z, labels = double(40, 10).requires_grad_(), torch.arange(40) % 10
    assert abs(full_loss(7.3 * z, labels) - full_loss(z, labels)).item() < 1e-10
    full_loss(z, labels).backward()
    assert (z.grad * z.detach()).sum(dim=1).abs().max() < 1e-10


@pytest.mark.parametrize(
    ("start", "growth", "every", "expected"),
    [
        (4, 2, 5, {0: 4, 4: 4, 5: 8, 49: 2048}),
        (1.2, 1.03, 1, {0: 1.2, 119: 40.440}),
        (4, 1.02, 1, {199: 205.823}),
    ],
)
def test_t6_course_of_the_penalty_weight(start, growth, every, expected):
    for epoch, weight in expected.items():
        assert losses.penalty_weight(epoch, start, growth, every) == pytest.approx(weight, abs=1e-3)


def test_t7_log_form_equals_softmax_clamp_power():
    ours, theirs = (double(200, 10, scale=3.0).requires_grad_() for _ in range(2))
    value = losses.sparse_penalty(F.log_softmax(ours / 0.1, dim=1), 0.1)
    direct = (F.softmax(theirs / 0.1, dim=1).clamp_min(1e-7) ** 0.1).sum(dim=1)
    value.sum().backward()
    direct.sum().backward()
    assert (value - direct).abs().max() < 1e-12
    assert (ours.grad - theirs.grad).abs().max() < 1e-12


def test_t8_permuted_outputs_make_noise_a_change_of_scale():
    k, eta = 10, 0.4
    one = F.log_softmax(double(k, scale=2.0), dim=0)
    shifts = torch.stack([one.roll(int(s)) for s in torch.arange(30) % k])  # (30, k)
    clean = torch.arange(30) * 7 % k
    every = torch.stack(
        [losses.cross_entropy(shifts, torch.full((30,), c)) for c in range(k)], dim=1
    )  # (30, k) loss if the label were c
    total = every.sum(dim=1)
    assert total.max() - total.min() < 1e-12
    transition = torch.full((k, k), eta / (k - 1), dtype=torch.float64)
    transition.fill_diagonal_(1 - eta)
    noisy = (transition[clean] * every).sum(dim=1).mean()
    scaled = (1 - eta * k / (k - 1)) * losses.cross_entropy(shifts, clean).mean()
    assert abs(noisy - (scaled + eta / (k - 1) * total[0])) < 1e-12
    free = F.log_softmax(double(30, k, scale=2.0, seed=1), dim=1)
    assert free.sum(dim=1).max() - free.sum(dim=1).min() > 10  # spec: about 17


@pytest.mark.parametrize(
    ("p", "expected", "within"), [(0.1, 0.40, 0.05), (0.01, 0.05, 0.01), (0.001, 0.005, 0.002)]
)
def test_t9_at_kappa_one_the_penalty_makes_cross_entropy_symmetric(p, expected, within):
    log_probs = F.log_softmax(double(2000, 10, scale=2.0), dim=1)
    plain = -log_probs.sum(dim=1)  # sum over all labels of the cross-entropy
    penalty = 10 * losses.sparse_penalty(log_probs, p) / (p * 10)
    assert ((plain + penalty).std() / plain.std()).item() == pytest.approx(expected, abs=within)
    flipped = ((plain - penalty).std() / plain.std()).item()  # spec: 1.60, 1.95 and 1.99
    assert flipped == pytest.approx(2 - expected, abs=within)


def test_bases_agree_where_they_should():
    log_probs = F.log_softmax(double(20, 7), dim=1)
    labels = torch.arange(20) % 7
    plain = losses.cross_entropy(log_probs, labels)
    torch.testing.assert_close(losses.focal(log_probs, labels, gamma=0.0), plain)
    nearly = losses.generalized_cross_entropy(log_probs, labels, q=1e-7)
    torch.testing.assert_close(nearly, plain, atol=1e-5, rtol=1e-5)
    p = log_probs.exp().gather(1, labels[:, None])[:, 0]
    torch.testing.assert_close(losses.generalized_cross_entropy(log_probs, labels, q=1.0), 1 - p)
    torch.testing.assert_close(losses.focal(log_probs, labels), (1 - p).sqrt() * plain)


def test_focal_factor_is_detached_unless_asked():
    z, labels = double(6, 4).requires_grad_(), torch.arange(6) % 4

    def gradient(detach):
        z.grad = None
        losses.focal(F.log_softmax(z, dim=1), labels, detach=detach).sum().backward()
        return z.grad.clone()

    p = F.softmax(z.detach(), dim=1)
    one_hot = F.one_hot(labels, 4).double()
    p_given = (p * one_hot).sum(dim=1, keepdim=True)
    torch.testing.assert_close(gradient(True), (1 - p_given).sqrt() * (p - one_hot))
    assert (gradient(True) - gradient(False)).abs().max() > 1e-3


@pytest.mark.parametrize("name", ["ce", "fl", "gce"])
def test_bases_are_finite_at_the_extremes(name):
    logits = torch.tensor([[1e4, 0.0, 0.0], [0.0, 1e4, 0.0]]).requires_grad_()
    log_probs = F.log_softmax(logits, dim=1)
    value = losses.base_loss(name, log_probs, torch.tensor([0, 0]), gamma=0.5, q=0.7)
    value.sum().backward()
    assert torch.isfinite(value).all()
    assert torch.isfinite(logits.grad).all()


def test_wrong_parameters_are_refused():
    z = torch.zeros(2, 3)
    with pytest.raises(ValueError, match="q must"):
        losses.generalized_cross_entropy(z, torch.tensor([0, 1]), q=0)
    with pytest.raises(ValueError, match="p must"):
        losses.sparse_penalty(z, 1.5)
    with pytest.raises(ValueError, match="tau must"):
        losses.sharpen(z, 0)
