"""What does an epoch cost? Jump beside Co-teaching, SR and Jump beside CE, CE beside a bare loop.

    python benchmarks/speed.py --out benchmarks/results/speed.json
    python benchmarks/speed.py --contenders bare ce --out benchmarks/results/speed.json
    python benchmarks/speed.py --contenders jump coteaching jocor dividemix --out ...speed.json
    python benchmarks/speed.py --backbone preact18 --batch 32 --images 320
    python benchmarks/speed.py --backbone preact18 --batch 128 --images 256 --optimisers official \
      --contenders jump coteaching jocor dividemix
    python benchmarks/speed.py --device cuda --size cifar            50,000 images, ResNet-18

Every contender is the method's own `fit` (Co-teaching, JoCoR: `_coteaching.py` and `_jocor.py`,
on the same engine;
`bare`: `_bare.py`, a loop without it), on the same synthetic images, network, batch, precision,
optimiser and clipping, without a mean of weights. Time is processor time (wall time on CUDA)
between the ends of two epochs: views, forward, backward, step, records and checkpoint, and no pass
in evaluation mode. The first epoch is left out. Contenders take turns, `--repeats` times; the
median counts.

Memory, each contender in a process of its own: `tensors` = weights, gradients, momenta and what
autograd keeps from forward to backward, counted byte by byte through saved-tensor hooks at the
largest step; `RSS` = the process's peak less what it held before the run, on CUDA the allocator's
peak. Jump-teaching is timed after its warm-up, with the paper's strong views; `jump, quick views`
has those of an earlier quick preset (one weaker change per image), `jump, warm-up` weak ones only.
DivideMix is timed after its warm-up too, its division, guesses and mixed batches included.

`--optimisers official`: those of the authors' code instead of one for all. Jump-teaching has SGD
without momentum, DivideMix SGD with it, Co-teaching and JoCoR Adam.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO))

from benchmarks import _out  # noqa: E402

CONTENDERS = ("bare", "ce", "sr", "jump", "jump, quick views", "jump, warm-up", "coteaching")
LARGER = ("jocor", "dividemix")
"""Taken by `--contenders` alone: an epoch of DivideMix costs ten of the others."""
EVERY = (*CONTENDERS, *LARGER)
TARGETS = (
    # of, over, what, least or most
    ("ce", "bare", "speed", 0.9),
    ("sr", "ce", "speed", 0.95),
    ("jump", "ce", "speed", 0.95),
    ("jump, quick views", "ce", "speed", 0.95),
    ("jump, warm-up", "ce", "speed", 0.95),
    ("jump", "coteaching", "speed", 2.53),
    ("jump", "coteaching", "tensors", 0.46),
    ("jump", "coteaching", "rss", 0.46),
    ("jump", "jocor", "speed", 2.53),
    ("jump", "jocor", "tensors", 0.46),
    ("jump", "dividemix", "speed", 2.53),
    ("jump", "dividemix", "tensors", 0.46),
)


OFFICIAL: dict[str, dict[str, float]] = {
    "jump": {"lr": 0.2, "momentum": 0.0},
    "coteaching": {"lr": 1e-3},
    "jocor": {"lr": 1e-3},
    "dividemix": {"lr": 0.02},
}
"""What the authors' scripts set, where `--optimisers official` asks for it."""


def images(n: int, size: int) -> Any:
    """Make n coloured images of ten classes that a network can tell apart; a fifth mislabelled."""
    from lnl_core.types import LabeledDataset

    rng = np.random.default_rng(0)
    truth = np.arange(n) % 10
    pixels = rng.integers(0, 200, (n, size, size, 3), dtype=np.uint8)
    stripe = size // 10 or 1
    for label in range(10):
        pixels[truth == label, :, label * stripe : (label + 1) * stripe] += 55
    given = np.where(rng.random(n) < 0.2, rng.integers(0, 10, n), truth)
    names = tuple(f"class {i}" for i in range(10))
    return LabeledDataset("speed", names, given, [str(i) for i in range(n)], pixels)


def contender(
    name: str, backbone: str, batch: int, epochs: int, optimisers: str = "one"
) -> tuple[Any, Any]:
    """Return (fit, config) of the same recipe; nothing but the last epoch is evaluated."""
    from benchmarks import _bare, _coteaching, _jocor
    from lnl_core.methods import ce, dividemix, jump, sr

    recipe = {"backbone": backbone, "epochs": epochs, "batch_size": batch, "lr": 0.05}
    recipe |= {"momentum": 0.9, "weight_decay": 5e-4, "clip": 5.0}
    if name == "bare":
        return _bare.fit, _bare.Config(**recipe)
    recipe["schedule"] = "one_cycle"
    if name == "ce":
        more = {"ema_decay": 0.0, "nesterov": False, "record_from": 1.0}
        return ce.fit, ce.Config(**recipe, **more)
    if name == "sr":
        more = {"record_from": 1.0, "shift": -1, "border": "auto"}
        return sr.fit, sr.Config(**recipe, **more)
    official = optimisers == "official"
    recipe |= OFFICIAL.get(name.partition(",")[0], {}) if official else {}
    if name == "jocor":
        return _jocor.fit, _jocor.Config(**recipe, adam=official)
    if name == "dividemix":
        more = {"ema_decay": 0.0, "warm_up": 1, "ramp": 1, "score_epochs": 1, "shift": -1}
        return dividemix.fit, dividemix.Config(**recipe, **more)
    if name == "coteaching":
        return _coteaching.fit, _coteaching.Config(**recipe, adam=official)
    more = {"warm_up": epochs if name.endswith("warm-up") else 1, "score_epochs": 1}
    if name.endswith("quick views"):
        more |= {"operations": 1, "magnitude": 3, "strong_cutout": 0.0}
    return jump.fit, jump.Config(**recipe, **more)


def allow_preact18() -> None:
    """Let every method take the network of Jump-teaching's paper, which not all lists name."""
    from lnl_core.methods import ce, sr

    ce.BACKBONES = sr.BACKBONES = (*ce.BACKBONES, "preact18")


def seconds_of(options: argparse.Namespace, name: str, data: Any) -> float:
    """Run one contender; return the median seconds of an epoch between the first and the last."""
    import torch

    from lnl_core.jobs.context import LocalContext

    cuda = options.device.startswith("cuda")
    clock = time.perf_counter if cuda else time.process_time
    ends: dict[int, float] = {}

    class Ends(LocalContext):
        """Sees a checkpoint at the end of every epoch."""

        def save(self, arrays: Any, state: Any) -> None:
            if cuda:
                torch.cuda.synchronize()
            ends[int(state["epoch"])] = clock()
            super().save(arrays, state)

    fit, config = contender(
        name, options.backbone, options.batch, options.epochs, options.optimisers
    )
    fit(data, config, Ends(options.device))
    between = np.diff([ends[epoch] for epoch in sorted(ends)])
    return float(np.median(between[:-1]))  # the last epoch ends with an evaluation


def held_by(options: argparse.Namespace, name: str) -> dict[str, float]:
    """Run one contender in this process, which has run nothing yet; return what it held."""
    from lnl_core.jobs.context import LocalContext
    from lnl_core.learning import training

    data = images(options.images, options.side)
    fit, config = contender(name, options.backbone, options.batch, 2, options.optimisers)
    cuda = options.device.startswith("cuda")
    largest = _count_tensors(training)
    before = _reset_peak(cuda)
    fit(data, config, LocalContext(options.device))
    return {"tensors": largest[0], "rss": _peak(cuda) - before}


def _count_tensors(training: Any) -> list[float]:
    """Count weights, gradients, momenta and saved activations; the largest step is kept."""
    import torch

    held: dict[int, int] = {}
    weights: set[int] = set()
    largest = [0.0]

    def pack(tensor: Any) -> Any:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            held[storage.data_ptr()] = storage.nbytes()
        return tensor

    from lnl_core.learning.optimizer import Sgd

    networks: dict[int, Any] = {}  # first weight -> the optimiser that moves it
    start = Sgd.__init__

    def note(self: Any, *args: Any, **more: Any) -> None:
        start(self, *args, **more)
        networks[self._weights[0].untyped_storage().data_ptr()] = self
        weights.update(w.untyped_storage().data_ptr() for w in self._weights)

    Sgd.__init__ = note  # type: ignore[method-assign]
    step = training.Session.step

    def watched(self: Any, loss: Any) -> None:
        # weights + gradients, and the moments that are used
        still = sum(
            w.untyped_storage().nbytes() * (2 + bool(net.momentum) + hasattr(net, "seconds"))
            for net in networks.values()
            for w in net._weights
        )
        largest[0] = max(largest[0], float(still + sum(held.values())))
        step(self, loss)
        held.clear()

    training.Session.step = watched
    hooks = torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor)
    hooks.__enter__()
    return largest


def _reset_peak(cuda: bool) -> float:
    """Forget the peak so far; return what is held now, in bytes."""
    import psutil

    if cuda:
        import torch

        torch.cuda.reset_peak_memory_stats()
        return float(torch.cuda.memory_allocated())
    with contextlib.suppress(OSError):  # then the peak of the imports counts too, for all alike
        Path("/proc/self/clear_refs").write_text("5")
    return float(psutil.Process().memory_info().rss)


def _peak(cuda: bool) -> float:
    if cuda:
        import torch

        return float(torch.cuda.max_memory_allocated())
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return float(line.split()[1]) * 1024
    return 0.0


def ask(options: argparse.Namespace, name: str) -> dict[str, float]:
    """Let a process of its own run one contender for two epochs; return what that held."""
    command = [sys.executable, __file__, "--one", name, "--device", options.device]
    for key in ("backbone", "batch", "side", "optimisers"):
        command += [f"--{key}", str(getattr(options, key))]
    command += ["--images", str(min(options.images, 4 * options.batch))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{name} failed:\n{done.stderr[-2000:]}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Let the contenders take turns; return medians and the spread of the seconds."""
    rows: dict[str, dict[str, Any]] = {name: {"all": []} for name in options.contenders}
    data = images(options.images, options.side)
    for turn in range(options.repeats):
        for name in options.contenders:
            rows[name]["all"].append(round(seconds_of(options, name, data), 4))
            print(f"turn {turn + 1}: {name} {rows[name]['all'][-1]:.2f} s", file=sys.stderr)
    for name, row in rows.items():
        row["seconds"] = statistics.median(row["all"])
        row |= ask(options, name)
        row["images_per_second"] = round(options.images / row["seconds"], 1)
    ratios = []
    for of, over, what, target in TARGETS:
        if not {of, over} <= set(rows):
            continue
        if what == "speed":
            ratio = rows[over]["seconds"] / rows[of]["seconds"]
        else:
            ratio = rows[of][what] / rows[over][what]
        met = ratio >= target if what == "speed" else ratio <= target
        ratios.append(
            {
                "of": of,
                "over": over,
                "what": what,
                "ratio": round(ratio, 3),
                "target": target,
                "met": met,
            }
        )
    knobs = ("backbone", "batch", "images", "side", "epochs", "repeats", "device", "optimisers")
    return {
        "settings": {key: getattr(options, key) for key in knobs},
        "rows": rows,
        "ratios": ratios,
    }


def show(found: dict[str, Any]) -> None:
    settings = found["settings"]
    print(", ".join(f"{key} {value}" for key, value in settings.items()))
    print(f"{'':20}{'s/epoch':>9}{'min..max':>15}{'images/s':>10}{'tensors MB':>12}{'RSS MB':>9}")
    for name, row in found["rows"].items():
        spread = f"{min(row['all']):.2f}..{max(row['all']):.2f}"
        print(
            f"{name:20}{row['seconds']:9.2f}{spread:>15}{row['images_per_second']:10.0f}"
            f"{row['tensors'] / 1e6:12.1f}{row['rss'] / 1e6:9.0f}"
        )
    for ratio in found["ratios"]:
        sign = ">=" if ratio["what"] == "speed" else "<="
        print(
            f"{ratio['of']} / {ratio['over']}, {ratio['what']}: {ratio['ratio']:.2f} (target "
            f"{sign} {ratio['target']}: {'met' if ratio['met'] else 'missed'})"
        )


def plot(results: dict[str, Any], out: Path) -> None:
    """Write seconds per epoch and memory of every setting as one HTML file."""
    from plotly.subplots import make_subplots

    figure = make_subplots(
        rows=len(results),
        cols=2,
        subplot_titles=[
            f"{title}: {what}"
            for title in results
            for what in ("seconds per epoch", "MB held by a step")
        ],
    )
    for line, found in enumerate(results.values(), start=1):
        names = list(found["rows"])
        values = [found["rows"][name]["seconds"] for name in names]
        low = [value - min(found["rows"][n]["all"]) for n, value in zip(names, values, strict=True)]
        high = [
            max(found["rows"][n]["all"]) - value for n, value in zip(names, values, strict=True)
        ]
        error = {"type": "data", "symmetric": False, "array": high, "arrayminus": low}
        figure.add_bar(x=names, y=values, error_y=error, marker_color="#0b6e4f", row=line, col=1)
        held = [found["rows"][name]["tensors"] / 1e6 for name in names]
        figure.add_bar(x=names, y=held, marker_color="#3a6ea5", row=line, col=2)
    figure.update_layout(showlegend=False, height=380 * len(results), template="plotly_white")
    figure.write_html(out.with_suffix(".html"), include_plotlyjs=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--backbone", default="resnet8-wide")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--images", type=int, default=2560)
    parser.add_argument("--side", type=int, default=32, help="of the images, in pixels")
    parser.add_argument("--epochs", type=int, default=5, help="the first and the last do not count")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--contenders", nargs="+", default=list(CONTENDERS), choices=EVERY)
    parser.add_argument("--optimisers", choices=["one", "official"], default="one")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--size", choices=["cifar"], help="50,000 images, ResNet-18, batch 128")
    parser.add_argument("--out", type=Path, help="JSON; a setting already in it is replaced")
    parser.add_argument("--one", choices=EVERY, help=argparse.SUPPRESS)
    options = _out.parse(parser, grows=True)
    if options.device == "cpu":
        os.environ.setdefault("OMP_NUM_THREADS", "1")
    if options.backbone == "preact18":
        allow_preact18()
    if options.one:
        print(json.dumps(held_by(options, options.one)))
        return
    if options.size == "cifar":
        options.images, options.backbone, options.batch = 50_000, "resnet18", 128
        options.epochs, options.repeats = 4, 3
    found = measure(options)
    show(found)
    if options.out:
        held = json.loads(options.out.read_text()) if options.out.is_file() else {}
        some = "" if len(options.contenders) == len(CONTENDERS) else ", "
        some += " and ".join(options.contenders) if some else ""
        some += ", official optimisers" if options.optimisers == "official" else ""
        held[f"{options.backbone}, batch {options.batch}, {options.device}{some}"] = found
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(held, indent=1))
        plot(held, options.out)


if __name__ == "__main__":
    main()
