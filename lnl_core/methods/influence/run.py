"""One run of Influential Rank from start to end, resumable at every round.

A checkpoint is written after every removal, and by the trainings inside: of a network of our own
before the first round, and of the network between rounds where that is refined. Several processes
share these trainings; each fits and scores the head alone, and the first one's ranking counts.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from lnl_core.learning import hardware, networks, process_group, supervised, training
from lnl_core.learning.nested import Nested
from lnl_core.learning.seeds import derive_seed
from lnl_core.methods.influence import scores as influence
from lnl_core.methods.influence.removal import Rounds, head_probs, probs_of
from lnl_core.methods.influence.softmax_head import Design
from lnl_core.types import Array, Context, FloatArray, LabeledDataset, TopProbs

FIT_WORK = 6e13
"""Most multiplications for one fit of the head, but it gets `FEWEST` passes over the data."""

FEWEST = 16
"""Passes over the data for one fit of the head, at least."""

TRAIN_SHARE = 0.9
"""How much of the progress training a network first is."""

_TICK = 0.5
"""Seconds between two reports."""


class Run:
    """Features, rounds and checkpoints of one run.

    Args:
        dataset: images, given labels, trusted rows.
        config: `methods.influence.Config`.
        context: of the run.
    """

    def __init__(self, dataset: LabeledDataset, config: Any, context: Context) -> None:
        self.dataset, self.config, self.context = dataset, config, context
        self.device = hardware.pick_device(context.device)
        self._group = process_group.current()
        self.n, self.k = len(dataset), len(dataset.class_names)
        self.network: networks.Loaded | None = None
        self.best_network: tuple[dict[str, Array], dict[str, Any]] | None = None
        self.last_ranking = torch.zeros(self.n, dtype=torch.float64)
        self._refined = 0
        self._own = False
        self._trains = config.refine == "network" and context.representation == "pixels"
        self._from, self._reported, self._done = 0.0, 0.0, 0.0
        self._validation: Tensor | None = None

    def __enter__(self) -> Self:
        self._guard = training.seeded(derive_seed(self.context.seed, 0))
        self._guard.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._guard.__exit__(kind, error, trace)

    # -- the start -------------------------------------------------------------------------------

    def start(self) -> None:
        """Open the base run's network, train one, or take frozen features; then the checkpoint."""
        config, dataset = self.config, self.dataset
        saved = self._saved = self.context.load()
        self._meter = hardware.CostMeter(self.device, saved[1]["cost"] if saved else None)
        self._report("influence", 0.0)
        self.rounds = Rounds(
            dataset.given_labels,
            self.k,
            dataset.trusted,
            config.rounds,
            self.device,
            dataset.groups,
        )
        if self.context.representation != "pixels":
            self.frozen: FloatArray | None = self.context.features()
            self._meter.images += 0 if saved else self.n
        else:
            self.frozen = None
            self._open_network(saved)
        if saved is not None and saved[1]["phase"] == "rounds":
            arrays, state = saved
            own = {name[7:]: v for name, v in arrays.items() if name.startswith("rounds.")}
            self.rounds.restore(own, state["rounds"])
            self._refined = int(state["refined"])
            if state.get("best_network"):
                best = {name[5:]: v for name, v in arrays.items() if name.startswith("best.")}
                self.best_network = best, state["best_network"]
        if not self._due():
            self._make_design()

    def _open_network(self, saved: tuple[dict[str, Any], dict[str, Any]] | None) -> None:
        if saved is not None and saved[1].get("network"):
            arrays = {name[4:]: v for name, v in saved[0].items() if name.startswith("net.")}
            state, self._own = saved[1]["network"], True
        elif self.context.base is not None:
            self.network = networks.load_network(
                self.context.base.folder, self.dataset, self.context.device, self._loading
            )
            self._own = self._trains
            return
        else:
            arrays, state = self._train(saved)
            self._own, self._from = True, TRAIN_SHARE
        self.network = networks.open_network(
            arrays, state, self.dataset, self.context.device, self._loading
        )

    def _loading(self, done: float) -> None:
        self._report("load", 0.02 * done)

    def _train(
        self, saved: tuple[dict[str, Any], dict[str, Any]] | None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Train with plain cross-entropy; return the network."""

        def around() -> tuple[dict[str, Any], dict[str, Any]]:
            return {}, {"phase": "train", "cost": self._meter.cost()}

        def loss(logits: Tensor, labels: Tensor, epoch: int) -> supervised.Loss:
            return supervised.Loss(F.cross_entropy(logits, labels), {})

        kept: dict[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {}

        def keep(name: str, arrays: Mapping[str, Any], state: Mapping[str, Any]) -> None:
            kept[name] = arrays, state

        span = (0.0, TRAIN_SHARE)
        nested = Nested(self.context, self.context.seed, span, around, saved, keep=keep)
        outcome = supervised.train(
            self.dataset,
            self.config,
            nested,
            loss=loss,
            probs=lambda logits: F.softmax(logits, dim=1),
            record_from=1.0,
        )
        self._meter.images += int(outcome.cost["images"])
        arrays, state = kept[networks.NAME]
        return dict(arrays), dict(state)

    def _make_design(self) -> None:
        """Make the design from frozen features or from the network as it stands."""
        raw = None
        if self.frozen is not None:
            features: FloatArray = self.frozen
        else:
            assert self.network is not None
            features = self.network.features(lambda done: self._report("features", 0.0))
            self._meter.images += self.n
            raw = self.network.model.head
        self.deep = features
        self.design = Design(
            features, self.device, width=self.config.width, tick=lambda: self._report("head", None)
        )
        self.raw = None
        if raw is not None and not self.config.refit:
            weight = raw.weight.detach().float().cpu().numpy()
            bias = raw.bias.detach().float().cpu().numpy()
            self.raw = self.design.from_features(weight, bias)

    def _due(self) -> bool:
        return self._trains and self._refined < self.rounds.done

    def _refine(self) -> None:
        """Train the whole network on the kept rows for a few epochs, from where it stands."""
        assert self.network is not None
        network, config, number = self.network, self.config, self.rounds.done
        packed = network.state
        knobs = training.TrainingKnobs(
            backbone=packed["backbone"],
            epochs=config.refine_epochs,
            batch_size=config.batch_size,
            lr=config.refine_lr,
            momentum=0.9,
            weight_decay=1e-4,
            schedule="cosine",
            resolution=packed["resolution"],
        )
        kept = self.rounds.kept.to(self.device)
        share = (1 - self._from) / (self.rounds.planned + 1)
        span = (self._from + share * number, self._from + share * (number + 0.9))
        nested = Nested(
            self.context,
            derive_seed(self.context.seed, number, 6),
            span,
            lambda: (around, state),
            self._saved,
            title=lambda _: f"refine, round {number}",
            keep=lambda *_: None,
        )
        around, state = self._around()
        with training.Session(
            self.dataset, knobs, nested, build=lambda *_: copy.deepcopy(network.model)
        ) as session:
            session.source = network.source
            for epoch in session.epochs():
                for batch in session.batches(epoch):
                    chosen = kept[batch.rows]
                    if int(chosen.sum()) < 2:
                        continue  # batch norm takes no statistics of a single row
                    logits = session.forward(batch.images[chosen], batch.rows[chosen])
                    session.step(F.cross_entropy(logits, batch.labels[chosen]))
            network.model.load_state_dict(session.model.state_dict())
        network.model.eval()
        self._meter.images += config.refine_epochs * int(kept.sum())
        self._refined, self._saved = number, None

    # -- a round ---------------------------------------------------------------------------------

    def score(self) -> influence.Scores:
        """Fit and score the head of the present round."""
        rounds, config = self.rounds, self.config
        if self._due():
            self._refine()
            self._make_design()
        work = 4 * self.n * self.design.d * self.k
        limit = int(min(4000, max(FEWEST, FIT_WORK / work)))
        raw = self.raw if self._trains or rounds.done == 0 else None
        if self._trains:
            rounds.weights = None  # other features, other axes
        ahead = (rounds.planned or config.rounds) + 1
        scores = rounds.fit_and_score(
            self.design,
            lam=config.lam,
            solve=config.solve,
            raw=raw,
            limit=limit,
            report=lambda part: self._report("head", min((rounds.done + 0.8 * part) / ahead, 1.0)),
        )
        if rounds.done == 0:
            rounds.plan(config.share, config.cap, config.rounds)
        trusted = torch.nonzero(rounds.pinned).squeeze(1)
        self._validation = None
        if len(trusted):
            assert rounds.weights is not None
            problem = rounds.problem(self.design, config.lam)
            self._validation = influence.validation(
                problem, rounds.weights, trusted.to(self.device)
            )
            if rounds.done == 0:
                rounds.first["validation"] = self._validation.float()
        self.last_ranking = self._group.broadcast(self._ranking(scores, raw is not None))
        metrics = {name: values[-1] for name, values in rounds.notes.items()}
        self._report("influence", (rounds.done + 1) / (rounds.planned + 1), metrics)
        return scores

    def _ranking(self, scores: influence.Scores, raw: bool) -> Tensor:
        """Return what decides the next removal, (n,) higher first, 0 for rows already gone.

        S_val joins by rank where a raw layer is scored (spec 2.4).
        """
        rounds, config = self.rounds, self.config
        if config.criterion == "random":
            seed = derive_seed(self.context.seed, rounds.done, 5)
            draw = torch.Generator().manual_seed(seed)
            values = torch.rand(self.n, generator=draw, dtype=torch.float64)
        else:
            values = getattr(scores, config.criterion)
        labels = rounds.labels if config.within_class else torch.zeros_like(rounds.labels)
        kept, ranking = rounds.kept, torch.zeros(self.n, dtype=torch.float64)
        ranking[kept] = influence.rank_within(values[kept], labels[kept])
        if raw and self._validation is not None and config.criterion == "influence":
            ranking[kept] += influence.rank_within(self._validation[kept], labels[kept])
        return ranking

    def over(self, scores: influence.Scores) -> bool:
        """Say whether removal has come to its end."""
        ended = self.rounds.over(scores, self.config.patience, self.config.cap == 0)
        ended = bool(self._group.broadcast_number(ended))
        if self._trains and self.rounds.best == self.rounds.done:
            assert self.network is not None
            self.best_network = self.network.pack()
        return ended

    def remove(self) -> None:
        """Take out the top of the ranking and keep a checkpoint."""
        self.rounds.remove(self.last_ranking, self.config.within_class)
        self._saved = None
        self.context.save(*self._around())

    def _around(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return what every checkpoint of the rounds holds."""
        arrays = {f"rounds.{name}": value for name, value in self.rounds.arrays().items()}
        state: dict[str, Any] = {
            "phase": "rounds",
            "rounds": self.rounds.state(),
            "refined": self._refined,
            "cost": self._meter.cost(),
        }
        if self.network is not None and self._own:
            packed, state["network"] = self.network.pack()
            arrays |= {f"net.{name}": value for name, value in packed.items()}
        if self.best_network is not None:
            arrays |= {f"best.{name}": value for name, value in self.best_network[0].items()}
            state["best_network"] = self.best_network[1]
        return arrays, state

    # -- results ---------------------------------------------------------------------------------

    def probs(self) -> Array | TopProbs:
        """Return what the refined head, or network, says about every image; keep that network."""
        weights = self.rounds.best_weights
        assert weights is not None
        if self._trains:
            if self.best_network is not None:
                self.network = networks.open_network(
                    *self.best_network, self.dataset, self.context.device
                )
            assert self.network is not None
            self.context.keep(networks.NAME, *self.network.pack())
            outputs = ((rows, logits) for rows, _, logits in self.network.predictions())
            return probs_of(outputs, self.n, self.k)
        if self.network is not None:
            weight, bias = self.design.to_features(weights)
            head = self.network.model.head
            with torch.no_grad():
                head.weight.copy_(torch.from_numpy(weight))
                head.bias.copy_(torch.from_numpy(bias))
            self.context.keep(networks.NAME, *self.network.pack())
        return head_probs(self.design, weights)

    def deep_features(self) -> FloatArray | None:
        """Return the penultimate features, (n, d) float16; None for frozen ones and large sets."""
        if self.network is None:
            return None
        if self.n * self.network.model.feature_size > supervised.FEATURE_LIMIT:
            return None
        return self.deep.astype(np.float16)

    def cost(self) -> dict[str, float]:
        """Return seconds, cpu_seconds, peak_memory_bytes and images of the whole run."""
        return self._meter.cost()

    def _report(
        self, stage: str, fraction: float | None, metrics: dict[str, float] | None = None
    ) -> None:
        """Report progress about twice a second; raises `Cancelled` where the user pressed stop."""
        if fraction is not None:
            self._done = self._from + (1 - self._from) * fraction
        now = time.perf_counter()
        if fraction is None and now - self._reported < _TICK:
            return
        self._reported = now
        self.context.report(stage, self._done, metrics)
