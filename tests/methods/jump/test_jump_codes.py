"""Jump-teaching's code table beyond ten classes, and what rows that it leaves out still do."""

import tracemalloc

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from lnl_core.learning import models
from lnl_core.methods import jump
from lnl_core.methods.jump import codes as sc


def hadamard(bits):
    """Sylvester's own construction: double the matrix until it is large enough."""
    matrix = np.ones((1, 1), np.int8)
    while len(matrix) < bits:
        matrix = np.block([[matrix, matrix], [matrix, -matrix]])
    return matrix


@pytest.mark.parametrize(("k", "bits"), [(1, 32), (10, 32), (100, 128), (32, 32), (60, 32)])
def test_6_1_1_codewords_are_the_first_rows_of_sylvesters_matrix(k, bits):
    whole = hadamard(bits)
    expected = np.concatenate([whole, -whole])[:k]
    np.testing.assert_array_equal(sc.codebook(k, bits, allow_antipodes=True), expected)


@pytest.mark.parametrize("k", [11, 33, 64, 65, 100, 129, 1000])
@pytest.mark.parametrize("preset", ["quick", "standard", "paper"])
def test_no_preset_ever_has_two_opposite_codewords(preset, k):
    """K < C of the authors' CIFAR-100 configuration cannot come back (spec 7, row 4)."""
    config = jump.Config.preset(preset, 50_000, k, 32)
    bits = config.bits or sc.default_bits(k)
    assert not config.allow_antipodes
    assert sc.antipodal_pairs(k, bits) == 0
    words = sc.codebook(k, bits).astype(np.float32)
    np.testing.assert_array_equal(words @ words.T, bits * np.eye(k))


def test_h1_a_sure_mistake_between_opposite_codewords_passes_the_variance_test():
    """Why K < C is refused: classes 0 and 32 of 40 in 32 bits; orthogonal ones do not pass."""
    words = torch.from_numpy(sc.codebook(40, 32, allow_antipodes=True)).double()
    said = words[[0, 0]] * 0.99999  # the code head is sure of class 0
    labels = torch.tensor([32, 1])  # its opposite, and an orthogonal class
    logits = torch.zeros(2, 40)
    logits[:, 0] = 5.0
    losses = sc.sub_losses(said, words[labels])
    agree, steady = sc.clean_clauses(logits, labels, losses)
    assert not agree.any()
    assert steady.tolist() == [True, False]
    _, guarded = sc.clean_clauses(logits, labels, losses, guard=0.5 * np.log(2))
    assert guarded.tolist() == [False, False]
    fitting = torch.from_numpy(sc.codebook(40, sc.default_bits(40))).double()
    _, steady = sc.clean_clauses(
        logits[:1], labels[:1], sc.sub_losses(fitting[[0]] * 0.99999, fitting[[32]])
    )
    assert steady.tolist() == [False]


def test_thousands_of_classes_take_the_memory_of_their_own_codewords():
    k = 3000
    bits = sc.default_bits(k)
    assert bits == 4096
    tracemalloc.start()
    words = sc.codebook(k, bits)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1.1 * k * bits
    some = words[:: k // 50].astype(np.int32)
    np.testing.assert_array_equal(some @ some.T, bits * np.eye(len(some), dtype=np.int32))


# -- section 8: rows that the table leaves out ----------------------------------------------------


class DetachedRest(nn.BatchNorm2d):
    """Batch norm over the whole batch that lets no gradient through the rows left out."""

    chosen = None

    def forward(self, maps):
        rows = self.chosen[:, None, None, None]
        return super().forward(torch.where(rows, maps, maps.detach()))


def gradients(norm, chosen, *, joint):
    """Return every weight's gradient of the loss of the chosen rows, in one vector."""
    torch.manual_seed(0)
    body = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), norm(8), nn.ReLU(), nn.Conv2d(8, 8, 3, padding=1), norm(8)
    )
    network = sc.TwoHeads(models.Network(body, models._Average(), 8, 4, True), 32, 0.0)
    images, labels = torch.randn(24, 3, 6, 6), torch.arange(24) % 4
    DetachedRest.chosen = torch.ones_like(chosen) if joint else chosen
    out = network(images)
    codes = torch.from_numpy(sc.codebook(4, 32)).float()[labels]
    sub = sc.sub_losses(out[:, 4:], codes)
    sc.selected_loss(out[:, :4], labels, sub, chosen, 2.0).backward()
    return torch.cat([p.grad.flatten() for p in network.parameters() if p.grad is not None])


def test_without_batch_norm_rows_left_out_carry_no_gradient():
    chosen = torch.rand(24, generator=torch.Generator().manual_seed(1)) < 0.6

    class Plain(DetachedRest):
        def forward(self, maps):
            return torch.where(self.chosen[:, None, None, None], maps, maps.detach())

    whole, part = (gradients(Plain, chosen, joint=joint) for joint in (True, False))
    assert (whole - part).abs().max() < 1e-5 * whole.abs().max()


def test_through_batch_norm_rows_left_out_do_carry_gradient():
    """Why the whole batch goes forward with a graph: the loss of the chosen rows depends on every
    row through the batch's mean and spread, so leaving rows without a graph changes the step."""
    chosen = torch.rand(24, generator=torch.Generator().manual_seed(1)) < 0.6
    whole, part = (gradients(DetachedRest, chosen, joint=joint) for joint in (True, False))
    assert (whole - part).norm() > 0.02 * whole.norm()
    assert 0.5 < F.cosine_similarity(whole, part, dim=0) < 0.9999
