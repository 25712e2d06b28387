"""What do the frozen features cost on the CPU, and would ONNX Runtime be cheaper?

    python benchmarks/feature_speed.py --out benchmarks/results/feature_speed.json
    pip install onnx onnxruntime          # for the third column; neither is a dependency

Both shipped networks, pooled stages included, from prepared images of each side on: PyTorch with 64
images at a time and with as many as the product takes (`features.CPU_BATCH`), in the precision of
this processor and in float32, and the same graph in ONNX Runtime at the batch size that suits it
best. One thread, CPU seconds, contenders in turns, the least of the repeats. Said beside it: what
the export costs, and how far ONNX Runtime's outputs are from PyTorch's in float32.
"""

from __future__ import annotations

import argparse
import importlib.util
import io
import json
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO))

from benchmarks import _out  # noqa: E402
from lnl_core.learning import hardware, pretrained  # noqa: E402
from lnl_core.learning.features import CPU_BATCH  # noqa: E402

IMAGES = 64
ONNX_BATCHES = (2, 4, 8, 16)
Run = Callable[[], Any]


class Pooled(nn.Module):
    """One network with the pooled stages that a row of features holds of it."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.network = pretrained.network(name, "cpu")

    def forward(self, x: Tensor) -> Tensor:
        """Return (b, d) float32 of prepared images (b, 3, side, side)."""
        return torch.cat(pretrained._pooled(self.network, x), dim=1)


def in_torch(network: nn.Module, x: Tensor, batch: int, dtype: torch.dtype) -> Run:
    """Return a function that encodes the images, `batch` at a time."""

    def run() -> Tensor:
        with torch.inference_mode(), hardware.autocast(torch.device("cpu"), dtype):
            return torch.cat([network(part) for part in x.split(batch)])

    return run


def in_onnx(network: nn.Module, x: Tensor) -> tuple[dict[str, Run], dict[str, float]]:
    """Return a function for each batch size, and what export and start cost; nothing without it."""
    if importlib.util.find_spec("onnxruntime") is None:
        return {}, {}
    import onnxruntime

    began = time.process_time()
    held = io.BytesIO()
    any_batch = {"x": {0: "b"}, "y": {0: "b"}}
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter that traces is told to be the older one
        torch.onnx.export(
            network, (x[:2],), held, dynamo=False, input_names=["x"], output_names=["y"],
            dynamic_axes=any_batch, opset_version=17,
        )  # fmt: skip
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        held.getvalue(), options, providers=["CPUExecutionProvider"]
    )
    cost = {"export_seconds": round(time.process_time() - began, 2), "bytes": held.tell()}
    plain = x.contiguous().numpy()

    def run(batch: int) -> Tensor:
        parts = range(0, len(plain), batch)
        made = [session.run(None, {"x": plain[at : at + batch]})[0] for at in parts]
        return torch.cat([torch.from_numpy(each) for each in made])

    return {f"onnx, {b}": lambda b=b: run(b) for b in ONNX_BATCHES}, cost


def least(runs: Mapping[str, Run], repeats: int) -> dict[str, float]:
    """Return the CPU milliseconds an image of each contender; the first turn does not count."""
    best = dict.fromkeys(runs, float("inf"))
    for turn in range(repeats + 1):
        for name, run in runs.items():
            began = time.process_time()
            run()
            if turn:
                best[name] = min(best[name], (time.process_time() - began) / IMAGES * 1e3)
    return best


def measured(name: str, side: int, repeats: int) -> dict[str, Any]:
    """Return what one network takes at one side."""
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(IMAGES, 3, side, side, generator=generator) * 2 - 1
    x = x.contiguous(memory_format=torch.channels_last)
    network = Pooled(name).eval()
    native = hardware.precision(torch.device("cpu"))
    runs = {"float32, 64": in_torch(network, x, 64, torch.float32)}
    runs["float32"] = in_torch(network, x, CPU_BATCH, torch.float32)
    if native != torch.float32:
        runs["native, 64"] = in_torch(network, x, 64, native)
        runs["native"] = in_torch(network, x, CPU_BATCH, native)
    onnx, cost = in_onnx(network, x)
    best = least(runs | onnx, repeats)
    row: dict[str, Any] = {key: round(best[key], 2) for key in runs}
    if onnx:
        row["onnx"] = round(min(best[key] for key in onnx), 2)
        exact = runs["float32"]()
        row |= cost | {"relative_error": float((onnx["onnx, 4"]() - exact).norm() / exact.norm())}
    return row


def show(found: Mapping[str, Mapping[str, Mapping[str, float]]]) -> None:
    native = str(hardware.precision(torch.device("cpu"))).removeprefix("torch.")
    print(f"CPU milliseconds an image, one thread; this processor's precision is {native}")
    for side, rows in found.items():
        total: dict[str, float] = {}
        for row in rows.values():
            for key, value in row.items():
                total[key] = total.get(key, 0) + value
        used = total.get("native", total["float32"])
        before = total.get("native, 64", total["float32, 64"])
        said = f"{side:>4} px, both networks: {used:.2f}, {before / used:.2f} times as fast as 64"
        if "onnx" in total:
            said += (
                f"; ONNX Runtime {total['onnx']:.2f}, as fast as PyTorch times "
                f"{used / total['onnx']:.2f}, in float32 times "
                f"{total['float32'] / total['onnx']:.2f}; export {total['export_seconds']:.2f} s"
            )
        print(said)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sides", type=int, nargs="+", default=[96, 128, 160, 224])
    parser.add_argument("--repeats", type=int, default=4)
    parser.add_argument("--out", type=Path, help="JSON")
    options = _out.parse(parser, arguments)
    torch.set_num_threads(1)
    found = {
        str(side): {name: measured(name, side, options.repeats) for name in pretrained.BACKBONES}
        for side in options.sides
    }
    show(found)
    if options.out:
        options.out.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
