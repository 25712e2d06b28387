"""Do evidence without training and forgetting time add to what the consensus knows?

    python benchmarks/more_evidence.py --out benchmarks/results/more_evidence.json

Candidates, each from the features of the default recipe alone:

* `vote`, `rank`: SimiFeat (Zhu, Dong, Liu, "Detecting Corrupted Labels Without Training a Model to
  Predict", ICML 2022). The labels of the ten nearest images by cosine, and its own, make a soft
  label. By vote, a label is doubted as far as another class has more votes; by rank, as far as the
  soft label points away from the given one, compared within the class.
* `forgetting`: second-split forgetting time (Maini, Garg, Lipton, Kolter, "Characterizing
  Datapoints via the Second-Split Forgetting", NeurIPS 2022). A small network learns one half, then
  the other; how soon the labels of the first half are forgotten. Both halves in turn.
* `margin`: the area under the margin of the same network in its first half, as `aum` takes it.

Each is scored alone and beside probe, knn and the default recipe of photographs through the same
ranking; signals of methods are kept in `--work` as `real.py` keeps them. Average precision of "the
label is wrong".
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import types
from pathlib import Path

import numpy as np

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO))

from benchmarks import _data, _out, _real_sets, real  # noqa: E402
from lnl_core.methods import taught  # noqa: E402
from lnl_core.review import consensus, metrics  # noqa: E402
from lnl_core.store import arrays  # noqa: E402
from lnl_core.types import Signals  # noqa: E402

NEAREST = 10
POOLS = (("probe", "knn"), ("probe", "jump@pretrained", "finetune"))
WIDE, EPOCHS, BATCH, RATE = 256, 12, 128, 0.05


def soft_labels(features: np.ndarray, given: np.ndarray, k: int) -> np.ndarray:
    """Return (n, k) shares of labels among the nearest images by cosine and the image itself."""
    x = np.asarray(features, np.float32)
    x = (x - x.mean(axis=0)) / np.maximum(x.std(axis=0), 1e-6)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    votes = np.zeros((len(x), k))
    for start in range(0, len(x), 1000):
        near = np.argpartition(-(x[start : start + 1000] @ x.T), NEAREST, axis=1)[:, : NEAREST + 1]
        for row, found in enumerate(near, start):
            votes[row] = np.bincount(given[found], minlength=k)
    return votes / votes.sum(axis=1, keepdims=True)


def simi_feat(features: np.ndarray, given: np.ndarray, k: int) -> dict[str, Signals]:
    """Return the vote form and the rank form."""
    soft, line = soft_labels(features, given, k), np.arange(len(given))
    own = soft[line, given]
    others = soft.copy()
    others[line, given] = 0
    vote = (1 + others.max(axis=1) - own) / 2
    away = 1 - own / np.linalg.norm(soft, axis=1)
    rank = np.zeros(len(given))
    for label in np.unique(given):
        here = np.flatnonzero(given == label)
        rank[here[np.argsort(away[here], kind="stable")]] = (np.arange(len(here)) + 0.5) / len(here)
    return {"vote": Signals("vote", vote, soft), "rank": Signals("rank", rank)}


def two_halves(features: np.ndarray, given: np.ndarray, k: int, seed: int) -> dict[str, Signals]:
    """Return forgetting time and margin of a small network that learns half after half."""
    import torch

    x = torch.as_tensor(np.asarray(features, np.float32))
    x = (x - x.mean(0)) / x.std(0).clamp_min(1e-6)
    labels = torch.as_tensor(given)
    half = np.random.default_rng(seed).permutation(len(given)) % 2
    forgot, margin = np.zeros(len(given)), np.zeros(len(given))
    for first in (0, 1):
        torch.manual_seed(seed)
        net = torch.nn.Sequential(
            torch.nn.Linear(x.shape[1], WIDE), torch.nn.ReLU(), torch.nn.Linear(WIDE, k)
        )
        step = torch.optim.SGD(net.parameters(), RATE, momentum=0.9, weight_decay=1e-4)
        here = np.flatnonzero(half == first)
        for stage in (first, 1 - first):
            rows = torch.as_tensor(np.flatnonzero(half == stage))
            for _ in range(EPOCHS):
                for batch in rows[torch.randperm(len(rows))].split(BATCH):
                    step.zero_grad()
                    torch.nn.functional.cross_entropy(net(x[batch]), labels[batch]).backward()
                    step.step()
                with torch.no_grad():
                    logits = net(x[here])
                if stage == first:
                    own = logits.gather(1, labels[here, None])[:, 0]
                    best = logits.scatter(1, labels[here, None], -torch.inf).max(1).values
                    margin[here] += (own - best).numpy() / EPOCHS
                else:
                    forgot[here] += (logits.argmax(1) != labels[here]).numpy()
    # epochs in which it is forgotten, ties by the margin: forgotten early is forgotten often
    scores = forgot + 1 / (1 + np.exp(margin))
    return {
        "forgetting": Signals("forgetting", scores / (EPOCHS + 1)),
        "margin": Signals("margin", 1 / (1 + np.exp(margin))),
    }


def measure(case: _real_sets.Case, options: argparse.Namespace) -> dict[str, float]:
    """Return average precision of each candidate alone, and of pools with and without it."""
    given, k = np.asarray(case.dataset.given_labels), len(case.dataset.class_names)
    found = simi_feat(case.features, given, k) | two_halves(case.features, given, k, 0)

    def precision(few: list[Signals]) -> float:
        ranking = consensus.rank(few, given, k, None, taught(each.method for each in few))
        return round(metrics.average_precision(case.wrong, ranking.suspicion[case.judged]), 4)

    rows = {name: precision([each]) for name, each in found.items()}
    for pool in POOLS:
        heard = [real.alone(case, key, options, 0) for key in pool]
        rows[", ".join(pool)] = precision(heard)
        for name, each in found.items():
            rows[f"{', '.join(pool)} and {name}"] = precision([*heard, each])
    return rows


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=_data.default_path().parent)
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "lnl-real")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--cases", nargs="+", help="some of them, by name")
    options = _out.parse(parser, arguments, grows=True)
    wanted = types.SimpleNamespace(sets=["clothing", "balanced"], seeds=[0])
    wanted.data, wanted.work = options.data.resolve(), options.work
    known = options.out is not None and options.out.is_file()
    stored = arrays.read_json(options.out) if known else {}
    for case in _real_sets.cases(wanted, 0):
        if options.cases and case.name not in options.cases:
            continue
        stored[case.name] = measure(case, wanted)
        print(f"\n{case.name}")
        for name, value in stored[case.name].items():
            print(f"  {name:60} {value:.3f}")
        if options.out is not None:
            arrays.write_json(options.out, stored)


if __name__ == "__main__":
    main()
