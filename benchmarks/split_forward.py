"""Would Jump-teaching gain by forwarding the rows that its table leaves out without a graph?

    python benchmarks/split_forward.py --out benchmarks/results/split_forward.json

The table is known before the forward pass, so the chosen rows and the rest can go through the
network side by side, layer by layer, only the chosen ones with a graph. Batch norm takes its mean
and spread from both, so the outputs and running statistics stay those of the joint forward (up to
bfloat16). What cannot stay is the gradient: the joint step also differentiates through the rest's
part in the mean and spread. Columns: share of rows chosen; largest relative difference of the
outputs; relative difference and cosine of all weights' gradients; processor time of the joint
forward and backward over that of the split one (above 1, the split one is faster); bytes that
autograd keeps, split over joint.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO))

from benchmarks import _out  # noqa: E402
from lnl_core.learning import hardware  # noqa: E402
from lnl_core.methods.jump import codes as semantic_codes  # noqa: E402

CPU = torch.device("cpu")


class _Normalised(torch.autograd.Function):
    """Batch norm by a mean and variance over `count` values, of which these are a part."""

    @staticmethod
    def forward(ctx, x, weight, bias, mean, var, count, eps):
        ctx.save_for_backward(x, weight, mean, var)
        ctx.count, ctx.eps = count, eps
        return F.batch_norm(x, mean, var, weight, bias, False, 0.0, eps)

    @staticmethod
    def backward(ctx, above):
        x, weight, mean, var = ctx.saved_tensors
        inverse = torch.rsqrt(var + ctx.eps)
        below, by_weight, by_bias = torch.ops.aten.native_batch_norm_backward(
            above, x, weight, mean, var, mean, inverse, False, ctx.eps, [True, True, True]
        )
        slope = weight * inverse**2 * by_weight / ctx.count
        level = weight * inverse * by_bias / ctx.count - slope * mean
        shape = [1, -1] + [1] * (x.dim() - 2)
        below = below.addcmul_(x, -slope.view(shape).to(x.dtype)).sub_(
            level.view(shape).to(x.dtype)
        )
        return below, by_weight, by_bias, None, None, None, None


class Pair:
    """Two parts of one batch that go through a network together; the second has no graph."""

    def __init__(self, chosen: Tensor, rest: Tensor) -> None:
        self.chosen, self.rest = chosen, rest

    @classmethod
    def __torch_function__(cls, function: Any, types: Any, args: Any = (), more: Any = None) -> Any:
        if function is F.batch_norm:
            return _norm(*args, **(more or {}))

        def part(name: str) -> list[Any]:
            return [getattr(one, name) if isinstance(one, Pair) else one for one in args]

        chosen = function(*part("chosen"), **(more or {}))
        with torch.no_grad():
            return cls(chosen, function(*part("rest"), **(more or {})))

    def dim(self) -> int:  # noqa: D102
        return self.chosen.dim()

    def mean(self, *args: Any, **more: Any) -> Any:  # noqa: D102
        return torch.mean(self, *args, **more)

    def flatten(self, *args: Any) -> Any:  # noqa: D102
        return torch.flatten(self, *args)

    def __add__(self, other: Any) -> Any:
        return torch.add(self, other)


def _norm(
    pair: Pair, running_mean: Any, running_var: Any, weight: Any, bias: Any, training: bool,
    momentum: float, eps: float,
) -> Pair:  # fmt: skip
    with torch.no_grad():
        over = [0, *range(2, pair.dim())]
        sizes = [part.numel() // part.shape[1] for part in (pair.chosen, pair.rest)]
        count = sum(sizes)
        (v1, m1), (v2, m2) = (
            torch.var_mean(part.float(), over, correction=0) for part in (pair.chosen, pair.rest)
        )
        a, b = sizes[0] / count, sizes[1] / count
        mean, var = a * m1 + b * m2, a * v1 + b * v2 + a * b * (m1 - m2).square()
        running_mean.lerp_(mean, momentum)
        running_var.lerp_(var * (count / (count - 1)), momentum)
        rest = F.batch_norm(pair.rest, mean, var, weight, bias, False, 0.0, eps)
    return Pair(_Normalised.apply(pair.chosen, weight, bias, mean, var, count, eps), rest)


def compare(backbone: str, batch: int, share: float, repeats: int) -> dict[str, float]:
    torch.manual_seed(0)
    network = semantic_codes.build(backbone, 10, 3, 32, 32, dropout=0.0).train()
    images = torch.randn(batch, 3, 32, 32).contiguous(memory_format=torch.channels_last)
    labels = torch.randint(0, 10, (batch,))
    codes = torch.from_numpy(semantic_codes.codebook(10, 32)).float()[labels]
    chosen = torch.zeros(batch, dtype=torch.bool)
    chosen[torch.randperm(batch)[: round(share * batch)]] = True

    def learn(out: Tensor, rows: Tensor) -> None:
        sub = semantic_codes.sub_losses(out[:, 10:], codes[rows])
        each = F.cross_entropy(out[:, :10] / 2, labels[rows], reduction="none") + sub.mean(1)
        (each.sum() / batch).backward()

    def joint() -> Tensor:
        with hardware.autocast(CPU):
            out = network(images)
        learn(out[chosen].float(), chosen)
        return out.detach().float()

    def split() -> Tensor:
        with hardware.autocast(CPU):
            pair = network.network.features(Pair(images[chosen], images[~chosen]))
            first = network.head(pair.chosen)
            with torch.no_grad():
                rest = network.head(pair.rest)
        learn(first.float(), chosen)
        out = torch.empty(batch, first.shape[1])
        out[chosen], out[~chosen] = first.detach().float(), rest.float()
        return out

    def once(step: Any) -> tuple[Tensor, Tensor, float]:
        kept: dict[int, int] = {}

        def pack(tensor: Tensor) -> Tensor:
            kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
            return tensor

        network.zero_grad()
        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            out = step()
        for weight in network.parameters():
            kept.pop(weight.untyped_storage().data_ptr(), None)
        grads = [weight.grad.flatten() for weight in network.parameters()]
        return out, torch.cat(grads), float(sum(kept.values()))

    (out, grad, bytes_joint), (other, part, bytes_split) = once(joint), once(split)
    seconds: dict[str, list[float]] = {"joint": [], "split": []}
    for _ in range(repeats):
        for step in (joint, split):
            network.zero_grad()
            began = time.process_time()
            step()
            seconds[step.__name__].append(time.process_time() - began)
    return {
        "share": share,
        "output_difference": float((out - other).abs().max() / out.abs().max()),
        "gradient_difference": float((grad - part).norm() / grad.norm()),
        "gradient_cosine": float(F.cosine_similarity(grad, part, dim=0)),
        "speed": float(np.median(seconds["joint"]) / np.median(seconds["split"])),
        "memory": bytes_split / bytes_joint,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--networks", nargs="+", default=["resnet8-wide", "preact18"])
    parser.add_argument("--shares", nargs="+", type=float, default=[0.9, 0.6, 0.3])
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--out", type=Path)
    options = _out.parse(parser)
    torch.set_num_threads(1)
    found: dict[str, list[dict[str, float]]] = {}
    for backbone in options.networks:
        print(f"{backbone}, batch {options.batch}")
        print(f"{'share':>6}{'outputs':>10}{'gradients':>11}{'cosine':>8}{'speed':>7}{'bytes':>7}")
        for share in options.shares:
            row = compare(backbone, options.batch, share, options.repeats)
            found.setdefault(f"{backbone}, batch {options.batch}", []).append(row)
            print(
                f"{share:6.2f}{row['output_difference']:10.1e}{row['gradient_difference']:11.3f}"
                f"{row['gradient_cosine']:8.3f}{row['speed']:7.2f}{row['memory']:7.2f}",
                flush=True,
            )
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
