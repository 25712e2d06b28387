import math

import numpy as np
import pytest
import torch

from lnl_core.methods.jump import codes as sc


def book(k, bits, **knobs):
    return torch.from_numpy(sc.codebook(k, bits, **knobs)).double()


# -- 6.1 item 1: the codebook ---------------------------------------------------------------------


@pytest.mark.parametrize(("bits", "k"), [(32, 10), (32, 14), (64, 50), (128, 101)])
def test_6_1_1_codewords_are_orthogonal(bits, k):
    words = sc.codebook(k, bits).astype(np.int64)
    np.testing.assert_array_equal(words @ words.T, bits * np.eye(k, dtype=np.int64))


def test_6_1_1_antipodes_appear_only_when_asked_for():
    words = sc.codebook(100, 64, allow_antipodes=True).astype(np.int64)
    products = words @ words.T
    off = products[~np.eye(100, dtype=bool)]
    assert set(off.tolist()) == {0, -64}
    assert (off == -64).sum() // 2 == 36 == sc.antipodal_pairs(100, 64)
    np.testing.assert_array_equal(words[64], -words[0])
    with pytest.raises(ValueError, match="128 bits"):
        sc.codebook(100, 64)


def test_6_1_1_ten_classes_have_sixteen_distinct_columns():
    words = sc.codebook(10, 32)
    assert len({tuple(column) for column in words.T}) == 16
    assert np.flatnonzero((words == words[0]).all(axis=0)).tolist() == [0, 16]


@pytest.mark.parametrize(("k", "bits"), [(65, 32), (10, 48), (10, 0)])
def test_6_1_1_impossible_codebooks_raise(k, bits):
    with pytest.raises(ValueError, match="bits"):
        sc.codebook(k, bits, allow_antipodes=True)


def test_default_bits_never_need_antipodes():
    assert [sc.default_bits(k) for k in (1, 2, 32, 33, 64, 65, 100, 128, 1000)] == [
        32, 32, 32, 64, 64, 128, 128, 128, 1024,
    ]  # fmt: skip


# -- 6.1 items 2 to 4: sub-losses and their variance ----------------------------------------------


def test_6_1_2_a_saturated_code_against_two_labels():
    words = book(10, 32)
    losses = sc.sub_losses(words[[1, 1]], words[[1, 2]])
    np.testing.assert_allclose(losses.mean(1), [5.0e-5, 4.9517], rtol=1e-4)
    np.testing.assert_allclose(sc.spread(losses), [0, 25.31], atol=5e-3)  # population: 24.52


@pytest.mark.parametrize(
    ("wrong", "expected"), [(1, 3.065), (4, 11.07), (8, 18.98), (16, 25.31), (24, 18.98), (32, 0)]
)
def test_6_1_3_variance_counts_wrong_bits(wrong, expected):
    word = book(10, 32)[3]
    code = word.clone()
    code[:wrong] *= -1
    found = sc.spread(sc.sub_losses(code[None], word[None])).item()
    assert found == pytest.approx(expected, abs=5e-3)


def test_6_1_4_an_undecided_code_passes_unless_guarded():
    words, labels = book(10, 32), torch.tensor([4])
    losses = sc.sub_losses(torch.zeros(1, 32).double(), words[labels])
    assert losses.mean().item() == pytest.approx(math.log(2), abs=1e-12)
    assert sc.spread(losses).item() == pytest.approx(0, abs=1e-12)
    logits = torch.zeros(1, 10).double()
    assert sc.clean_clauses(logits, labels, losses)[1].item()
    assert not sc.clean_clauses(logits, labels, losses, guard=0.5 * math.log(2))[1].item()
    sure = sc.sub_losses(words[labels] * 0.99, words[labels])
    assert sc.clean_clauses(logits, labels, sure, guard=0.5 * math.log(2))[1].item()


def test_the_criterion_is_agree_or_steady():
    words = book(4, 32)
    labels = torch.tensor([0, 0, 1, 1])
    logits = torch.eye(4).double()[[0, 1, 0, 1]]
    codes = words[[0, 0, 2, 2]]
    agree, steady = sc.clean_clauses(logits, labels, sc.sub_losses(codes, words[labels]))
    assert agree.tolist() == [True, False, False, True]
    assert steady.tolist() == [True, True, False, False]


# -- 6.1 item 5: gradients -------------------------------------------------------------------------


def test_6_1_5_gradient_of_the_code_loss_by_hand():
    words, b, bits = book(10, 32), 6, 32
    labels = torch.arange(b)
    generator = torch.Generator().manual_seed(0)
    codes = (torch.rand(b, bits, generator=generator).double() * 1.8 - 0.9).requires_grad_()
    with torch.no_grad():
        codes[0, :4] = torch.tensor([0.99995, -0.99995, 1.0, -1.0])
    chosen = torch.tensor([True, False, True, True, False, False])
    losses = sc.sub_losses(codes, words[labels])
    logits = torch.zeros(b, 10).double()
    sc.selected_loss(logits, labels, losses, chosen, 2.0).backward()
    c = words[labels]
    expected = -c / (1 + codes.detach() * c) / (b * bits)
    expected[0, :4] = 0
    expected[~chosen] = 0
    np.testing.assert_allclose(codes.grad, expected, rtol=1e-12, atol=1e-15)
    assert (codes.grad[~chosen] == 0).all()


def test_the_loss_is_proportional_to_the_share_chosen():
    """Never divide by the number chosen: half the batch chosen gives half the step."""
    words, labels = book(4, 32), torch.tensor([1, 1, 1, 1])
    codes, logits = torch.zeros(4, 32).double(), torch.zeros(4, 4).double()
    losses = sc.sub_losses(codes, words[labels])
    whole = math.log(4) + math.log(2)
    for count in range(5):
        chosen = torch.arange(4) < count
        found = sc.selected_loss(logits, labels, losses, chosen, 2.0).item()
        assert found == pytest.approx(whole * count / 4)


# -- 6.1 item 6: invariance ------------------------------------------------------------------------


def test_6_1_6_bits_may_be_permuted_and_flipped_together():
    generator = torch.Generator().manual_seed(0)
    words, labels = book(10, 32), torch.arange(8)
    codes = torch.rand(8, 32, generator=generator).double() * 2 - 1
    plain = sc.sub_losses(codes, words[labels])
    order = torch.randperm(32, generator=generator)
    signs = torch.where(torch.rand(32, generator=generator) < 0.5, -1.0, 1.0).double()
    for other in (
        sc.sub_losses(codes[:, order], words[labels][:, order]),
        sc.sub_losses(codes * signs, words[labels] * signs),
    ):
        np.testing.assert_allclose(sc.spread(other), sc.spread(plain), rtol=1e-13, atol=1e-14)
        np.testing.assert_allclose(other.mean(1), plain.mean(1), rtol=1e-13, atol=1e-14)


def test_6_1_6_temperature_moves_the_loss_and_no_flag():
    generator = torch.Generator().manual_seed(0)
    words, labels = book(10, 32), torch.arange(8)
    logits = torch.randn(8, 10, generator=generator).double()
    losses = sc.sub_losses(torch.rand(8, 32, generator=generator).double() - 0.5, words[labels])
    everything = torch.ones(8, dtype=torch.bool)
    first = sc.selected_loss(logits, labels, losses, everything, 1.0)
    second = sc.selected_loss(logits, labels, losses, everything, 2.0)
    assert abs(first - second) > 1e-3
    flags = [sc.clean_clauses(logits / t, labels, losses)[0] for t in (1.0, 2.0, 50.0)]
    assert torch.equal(flags[0], flags[1])
    assert torch.equal(flags[0], flags[2])


def test_decoding_gives_the_exact_posterior():
    words = book(5, 32)
    generator = torch.Generator().manual_seed(0)
    codes = torch.rand(3, 32, generator=generator).double() * 1.6 - 0.8
    expected = torch.stack(
        [torch.stack([-sc.sub_losses(v[None], w[None]).sum() for w in words]) for v in codes]
    )
    np.testing.assert_allclose(sc.decode(codes, words), expected.log_softmax(1), rtol=1e-10)
    assert sc.decode(words * 0.9, words).argmax(1).tolist() == list(range(5))
    # soft decoding by v . c names the same class
    assert torch.equal(sc.decode(codes, words).argmax(1), (codes @ words.T).argmax(1))


# -- the table -------------------------------------------------------------------------------------


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_the_table_gives_back_what_was_written_steps_epochs_ago(steps):
    table = sc.JumpTable(torch.full((steps, 5), -1))
    rows = torch.tensor([3, 0, 4])
    for epoch in range(8):
        assert table.read(rows, epoch).tolist() == [epoch - steps if epoch >= steps else -1] * 3
        table.write(rows, epoch, torch.full((3,), epoch))
        assert table.written(epoch)[rows].tolist() == [epoch] * 3
    assert (table.cells[:, 1] == -1).all()


# -- networks and views ----------------------------------------------------------------------------


def test_both_heads_reach_the_backbone_and_stay_in_float32():
    network = sc.build("resnet8", 4, 1, 8, 32)
    out = network(torch.rand(4, 1, 8, 8))
    assert out.shape == (4, 36)
    assert out[:, 4:].abs().max() < 1
    for part in (out[:, :4], out[:, 4:]):
        network.zero_grad()
        part.square().sum().backward(retain_graph=True)
        assert all(p.grad.abs().max() > 0 for p in network.network.body[0].parameters())
    with torch.autocast("cpu", torch.bfloat16):
        assert network(torch.rand(4, 1, 8, 8)).dtype == torch.float32
