"""HNML's bi-level objective (spec 6.1: H1 to H3, H7 to H10)."""

import copy
import dataclasses

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from lnl_core.jobs.context import LocalContext
from lnl_core.learning import models
from lnl_core.learning.knobs import TrainingKnobs
from lnl_core.methods.hnml import bilevel
from lnl_core.methods.hnml import session as metatraining
from lnl_core.types import LabeledDataset

B, K, SIDE = 12, 4, 6


class Average(nn.Module):
    def forward(self, maps):
        return maps.mean(dim=(2, 3))


def network(norm="group", seed=0, dtype=torch.float64):
    """A small smooth network that ends in an average and a linear layer."""
    torch.manual_seed(seed)
    made = {"group": lambda d: nn.GroupNorm(2, d), "batch": nn.BatchNorm2d}[norm]
    body = nn.Sequential(
        nn.Conv2d(2, 6, 3, padding=1), made(6), nn.Softplus(), nn.Conv2d(6, 8, 3, padding=1),
        made(8), nn.Softplus(),
    )  # fmt: skip
    return models.Network(body, Average(), 8, K, exact_cam=True).to(dtype)


def scene(norm="group", alpha=1.0, dtype=torch.float64, **knobs):
    """Student, images, two tasks' labels, the teacher's view and the knobs."""
    student = bilevel.FeatureExtractor(network(norm, 1, dtype)).train()
    teacher = bilevel.FeatureExtractor(network(norm, 2, dtype)).eval()
    draw = torch.Generator().manual_seed(3)
    images = torch.randn(B, 2, SIDE, SIDE, generator=draw, dtype=dtype)
    with torch.no_grad():  # a teacher with an opinion
        teacher.network.head.weight *= 6
    labels = torch.randint(K, (2, B), generator=draw)
    meta = bilevel.Meta(alpha=alpha, mu_consistency=0.7, mu_background=0.3, tasks=2, **knobs)
    return student, images, labels, bilevel.teacher_view(teacher, images, meta), meta


def whole_loss(student, images, labels, view, meta):
    return bilevel.meta_loss(student, student(images)[0], images, labels, view, meta)["total"]


def gradient_gap(norm, alpha, order):
    """Largest relative error of the gradient against central differences, 5 directions."""
    student, images, labels, view, meta = scene(norm, alpha, order=order)
    named = [w for w in student.parameters() if w.requires_grad]
    gradients = torch.autograd.grad(whole_loss(student, images, labels, view, meta), named)
    start = [w.detach().clone() for w in named]
    draw, worst = torch.Generator().manual_seed(5), 0.0

    def moved(step, directions):
        with torch.no_grad():
            for w, old, way in zip(named, start, directions, strict=True):
                w.copy_(old + step * way)
        return whole_loss(student, images, labels, view, meta).item()

    for _ in range(5):
        ways = [torch.randn(w.shape, generator=draw, dtype=w.dtype) for w in named]
        said = sum((g * way).sum() for g, way in zip(gradients, ways, strict=True)).item()
        found = (moved(1e-6, ways) - moved(-1e-6, ways)) / 2e-6
        worst = max(worst, abs(said - found) / abs(found))
    return worst


@pytest.mark.parametrize("norm", ["group", "batch"])
@pytest.mark.parametrize("alpha", [0.05, 1.0])
def test_h1_the_gradient_through_the_step_is_right(norm, alpha):
    assert gradient_gap(norm, alpha, "second") < 1e-7


def test_h1_first_order_is_another_gradient():
    assert gradient_gap("group", 1.0, "first") > 1e-2


def test_h1_without_a_step_it_is_the_plain_loss():
    student, images, labels, view, meta = scene("batch", 0.0)
    found = whole_loss(student, images, labels, view, meta)
    logits, maps = student(images)
    part = student(bilevel.foreground(images, view))[0]
    behind = student(bilevel.foreground(images, view, background=True))[0]
    seen = view.seen.double()
    weights = student.network.head.weight - student.network.head.weight.mean(0)
    own = torch.einsum("bduv,bd->buv", maps, weights[view.labels]).clamp_min(0)
    own = own / (own.amax((1, 2), keepdim=True) + 1e-6)
    apart = view.confidence * (own - view.target).square().mean((1, 2))
    flat = torch.full((B, K), 1 / K, dtype=torch.float64)
    target = view.log_probs.exp()
    by_hand = (
        (seen * F.kl_div(part.log_softmax(1), target, reduction="none").sum(1)).sum() / seen.sum()
        + (seen * apart).sum() / seen.sum()
        + 0.7 * F.kl_div(logits.log_softmax(1), target, reduction="batchmean")
        + 0.3
        * (seen * F.kl_div(behind.log_softmax(1), flat, reduction="none").sum(1)).sum()
        / seen.sum()
    )
    assert found.item() == pytest.approx(by_hand.item(), abs=1e-10)
    assert seen.sum() > 0


def test_h2_running_statistics_stay_bitwise():
    student, images, labels, view, meta = scene("batch")
    logits = student(images)[0]
    before = {name: value.clone() for name, value in student.named_buffers()}
    bilevel.meta_loss(student, logits, images, labels, view, meta)["total"].backward()
    assert before
    for name, value in student.named_buffers():
        assert torch.equal(value, before[name]), name


def test_h3_batched_inner_gradients_are_the_loops():
    student, images, labels, view, _ = scene("batch")
    logits = student(images)[0]
    weights = list(bilevel.inner_weights(student).values())
    every = [
        bilevel.inner_gradients(logits, weights, labels, view.log_probs, 0.8, batched=batched)
        for batched in (True, False)
    ]
    for i, task in enumerate(labels):
        loss = F.cross_entropy(logits, task) + 0.8 * F.kl_div(
            logits.log_softmax(1), view.log_probs.exp(), reduction="batchmean"
        )
        plain = torch.autograd.grad(loss, weights, retain_graph=True)
        for batched, looped, wanted in zip(every[0][i], every[1][i], plain, strict=True):
            torch.testing.assert_close(batched, looped, rtol=1e-9, atol=1e-12)
            torch.testing.assert_close(looped, wanted, rtol=1e-9, atol=1e-12)


def test_frozen_weights_are_left_out_of_the_inner_step():
    student, images, labels, view, meta = scene("group")
    student.network.body[0].weight.requires_grad_(False)
    names = bilevel.inner_weights(student)
    assert "network.body.0.weight" not in names
    assert "network.head.weight" in names
    assert set(bilevel.inner_weights(student, "last-block")) == {
        "network.body.4.weight", "network.body.4.bias", "network.head.weight", "network.head.bias",
    } or "network.body.4.weight" not in bilevel.inner_weights(student, "last-block")  # fmt: skip
    whole_loss(student, images, labels, view, meta).backward()
    assert student.network.body[0].weight.grad is None


def test_h7_kl_is_summed_over_classes_and_averaged_over_the_batch():
    draw = torch.Generator().manual_seed(0)
    logits, other = torch.randn(2, 7, 5, generator=draw)
    target = other.log_softmax(1)
    ours = bilevel.kl(target, logits).mean()
    theirs = F.kl_div(logits.log_softmax(1), target.exp(), reduction="batchmean")
    torch.testing.assert_close(ours, theirs)


def test_h8_disturbed_labels_come_from_neighbours():
    draw = torch.Generator().manual_seed(0)
    features, labels = torch.randn(40, 6, generator=draw), torch.arange(40)
    near = bilevel.neighbours_of(features, 10)
    unit = features / features.norm(dim=1, keepdim=True)
    far = (unit[:, None] - unit[None]).norm(dim=2)
    far.fill_diagonal_(torch.inf)
    assert torch.equal(near.sort(1).values, far.topk(10, largest=False).indices.sort(1).values)
    assert not (near == torch.arange(40)[:, None]).any()
    groups = torch.arange(40)
    groups[near[0, :3]] = 0  # copies of the first: they are no neighbours
    assert not (bilevel.neighbours_of(features, 10, groups)[0][:, None] == near[0, :3]).any()
    assert torch.equal(bilevel.neighbours_of(features, 10, torch.arange(40)), near)

    def new(share, **more):
        return bilevel.disturb(labels, features, share, 10, draw, **more)

    assert torch.equal(new(0.0), labels)
    for _ in range(5):
        found = new(0.5)
        changed = (found != labels).nonzero().squeeze(1)
        assert len(changed) == 20  # labels are all different, so every pick shows
        for row in changed:
            assert found[row] in near[row]
    locked = torch.arange(40) % 2 == 0
    assert torch.equal(new(1.0, locked=locked)[locked], labels[locked])
    assert new(1.0, classes=3).max() <= 2
    assert torch.equal(bilevel.disturb(labels[:1], features[:1], 1.0, 10, draw), labels[:1])


def test_h9_a_batch_without_any_mask_trains():
    student, images, labels, view, meta = scene("batch", dtype=torch.float32)
    blind = bilevel.FeatureExtractor(network("batch", 2, torch.float32)).eval()
    with torch.no_grad():
        blind.network.head.weight.zero_()
    view = bilevel.teacher_view(blind, images, meta)
    assert not view.seen.any()
    assert torch.equal(bilevel.foreground(images, view), images)
    loss = whole_loss(student, images, labels, view, meta)
    loss.backward()
    assert torch.isfinite(loss)
    for name, weight in student.named_parameters():
        assert weight.grad is not None, name
        assert torch.isfinite(weight.grad).all(), name


def test_the_mask_shows_the_foreground_and_the_images_own_mean_elsewhere():
    _, images, _, view, _ = scene("group")
    shown = bilevel.foreground(images, view)
    mask = view.mask.bool()[:, None].expand_as(images) | ~view.seen[:, None, None, None]
    assert torch.equal(shown[mask], images[mask])
    mean = images.mean((2, 3), keepdim=True).expand_as(images)
    torch.testing.assert_close(shown[~mask], mean[~mask])
    soft = dataclasses.replace(scene("group")[4], mask="soft")
    assert (
        (bilevel.teacher_view(bilevel.FeatureExtractor(network()), images, soft).mask % 1) > 0
    ).any()


def test_ramp_rises_from_the_start_of_the_meta_phase():
    values = [bilevel.ramp(epoch, 6, 6) for epoch in range(6, 14)]
    assert values == sorted(values)
    assert values[0] == pytest.approx(np.exp(-5))
    assert values[3] == pytest.approx(np.exp(-1.25))
    assert values[6] == values[7] == 1
    assert bilevel.ramp(3, 3, 0) == 1


def test_h10_the_teacher_is_a_slow_copy_without_gradient():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (16, 8, 8, 1), dtype=np.uint8)
    names = ("a", "b")
    dataset = LabeledDataset("t", names, rng.integers(0, 2, 16), list("abcdefghijklmnop"), images)
    recipe = TrainingKnobs("cnn3", epochs=2, batch_size=8, ema_decay=0.9, shift=0)
    with metatraining.MetaSession(dataset, recipe, LocalContext()) as session:
        for epoch in session.epochs():
            session.started = 0 if epoch else -1
            for step, batch in enumerate(session.batches(epoch)):
                old = copy.deepcopy(session.averaged.state_dict())
                session.step(F.cross_entropy(session.forward(batch.images), batch.labels))
                decay = 0.9 if epoch else step / (step + 1)
                new = session.model.state_dict()
                for name, value in session.averaged.state_dict().items():
                    if value.dtype.is_floating_point:
                        wanted = decay * old[name] + (1 - decay) * new[name]
                        torch.testing.assert_close(value, wanted, rtol=1e-5, atol=1e-6)
        assert all(w.grad is None for w in session.averaged.parameters())
        assert not torch.equal(new["body.0.weight"], old["body.0.weight"])
