"""What should a row of pretrained features hold of its networks?

    python benchmarks/places.py
    python benchmarks/places.py --sets clothing --sides 160 224

The same two networks, the same pass over the images, other parts of it kept:

* `stages and last layer`: the pooled last four stages and the pooled last layer, 4,032 numbers;
* `stages`: without the last layer;
* `stages, rows`: and of the last stage but one its upper, middle and lower third;
* `stages, places`: and there the centre and, as one, both sides: what `pretrained` is today.

`probe` judges each, out of fold: how often it gives the given label back, which needs no truth, and
through the ranking the average precision of "the label is wrong" and the share of wrong labels
whose true class is suggested. Sets: clothing photographs at 128 px (`real.py`) and 8,000 small
photographs with three sets of labels.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO))

from benchmarks import _data, _out, _real_sets, detection, real  # noqa: E402
from lnl_core.learning import hardware, pretrained  # noqa: E402
from lnl_core.review import consensus  # noqa: E402
from lnl_core.store import arrays  # noqa: E402

KINDS = {
    "stages and last layer": ("stages", "last"),
    "stages": ("stages",),
    "stages, rows": ("stages", "rows"),
    "stages, places": ("stages", "places"),
}
SETS = ("clothing", *_real_sets.COLUMNS)


def parts(network: Any, x: torch.Tensor) -> dict[str, torch.Tensor]:
    """Return every part that some kind keeps of prepared images (b, 3, side, side), (b, c) each."""
    x = network.bn1(network.conv_stem(x))
    stages, found, count = [], {}, len(network.blocks)
    for index, stage in enumerate(network.blocks):
        x = stage(x)
        if index >= count - pretrained.LAST_STAGES:
            stages.append(x.mean((2, 3), dtype=torch.float32))
        if index == count - pretrained.WHERE:
            found["places"] = pretrained._places(x)
            found["rows"] = pretrained._thirds(x.float()).mean(3).flatten(1)
    last = network.bn2(network.conv_head(x)).mean((2, 3), dtype=torch.float32)
    return found | {"stages": torch.cat(stages, dim=1), "last": last}


def features(images: np.ndarray, side: int, batch: int = 16) -> dict[str, np.ndarray]:
    """Return (n, d) float16 of each kind."""
    networks = [pretrained.network(name, "cpu") for name in pretrained.BACKBONES]
    found: dict[str, list[np.ndarray]] = {kind: [] for kind in KINDS}
    for start in range(0, len(images), batch):
        some = torch.from_numpy(np.array(images[start : start + batch])).permute(0, 3, 1, 2)
        x = pretrained.prepared(some.float() / 255, side, (0.5,) * 3, (0.5,) * 3)
        with torch.inference_mode(), hardware.autocast(torch.device("cpu")):
            seen = [parts(network, x) for network in networks]
        for kind, names in KINDS.items():
            row = torch.cat([each[name] for each in seen for name in names], dim=1)
            found[kind].append(row.half().numpy())
    return {kind: np.concatenate(rows) for kind, rows in found.items()}


def cases(options: argparse.Namespace) -> Iterator[_real_sets.Case]:
    """Give the sets asked for."""
    if "clothing" in options.sets:
        yield _real_sets.clothing(options.data / "clothing", options.work, _real_sets.DESK_SIDE)
    for column in _real_sets.COLUMNS:
        if column in options.sets:
            dataset = _data.noisy_images(options.data / "cifar10n_dev.npz", column)
            yield _real_sets.known(column, dataset, np.zeros((len(dataset), 0), np.float16))


def judged(case: _real_sets.Case, seen: np.ndarray, seed: int) -> dict[str, float]:
    """Return what `probe` says on these features."""
    given = np.asarray(case.dataset.given_labels)
    task = types.SimpleNamespace(preset="quick", device="cpu")
    said, _ = detection.fit("probe", case.dataset, task, seed, lambda kind: seen, None)
    ranking = consensus.rank([said], given, len(case.dataset.class_names))
    found = real.scores(case, ranking.suspicion, ranking.top_labels)
    back = float((np.asarray(said.pred_probs).argmax(axis=1) == given).mean())
    return {"given back": round(back, 4), "ap": found["ap"], "fix": found["fix"]}


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=SETS)
    parser.add_argument("--sides", type=int, nargs="+", default=[pretrained.SMALL])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--data", type=Path, default=_data.default_path().parent)
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "lnl-real")
    parser.add_argument("--out", type=Path, default=REPO / "benchmarks/results/places.json")
    options = _out.parse(parser, arguments, grows=True)
    stored = arrays.read_json(options.out) if options.out.is_file() else {}
    kept: dict[tuple[int, int], dict[str, np.ndarray]] = {}  # sets of labels share their images
    for case in cases(options):
        images = case.dataset.images
        for side in options.sides:
            if (len(images), side) not in kept:
                kept = {(len(images), side): features(images, side)}
            for kind, seen in kept[len(images), side].items():
                runs = [judged(case, seen, seed) for seed in options.seeds]
                row = {key: round(sum(run[key] for run in runs) / len(runs), 4) for key in runs[0]}
                stored.setdefault(case.name, {})[f"{kind}, {side} px"] = row
                print(case.name, kind, side, seen.shape[1], row, flush=True)
                arrays.write_json(options.out, stored)


if __name__ == "__main__":
    main()
