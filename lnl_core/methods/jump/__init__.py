"""Jump-teaching: a network learns only from images that its own earlier self found clean.

Every class has a codeword of K signs; a small second head predicts the signs. An image counts as
clean when the classifier agrees with its label, or when the K sub-losses of its code hardly
differ. The flag is read one epoch after it was written, so that a mistake of the present network
cannot choose what the present network learns: temporal disagreement instead of a second network.
Labels that the trained network does not believe are suspicious.

Reference: Ji, Cheng, Wang, Huang, "Jump-teaching: Combating Sample Selection Bias via Temporal
Disagreement", AAAI 2026 (arXiv 2405.17137v5) and the authors' code; where the two differ this
follows the code. Ours: the score and the suggestion, the guard, trusted labels that stay selected,
and what the quick and standard presets change (momentum, one cycle, a mean of weights).

Suspicion is 1 - the mean probability of the given label by the classifier head over the last
`score_epochs` epochs, none of them before the selection counts, in evaluation mode on the plain
images. `score` lets the code head speak as well (the mean of both probabilities), and the table of
flags (`rejected`, a third voice).

Curves by epoch: `train_loss`, `chosen` (share of images used), `clean` (share flagged), `agree` and
`steady` (share that each clause of the criterion admits), `selection_iou` (overlap of an epoch's
flags with the last one's), `loss_now` and `loss_then` (mean cross-entropy of what the present and
the earlier network selects), `held_out_agreement` (of the warm-up, where a rule ends it), by epoch
and image `p_given`, `p_other`, `loss`.
Extras: `codebook` (k, K) int8; `sub_losses` (n, K) float16 against the given label (left out above
64 million numbers); `sub_loss_mean`, `sub_loss_variance` (n,) float32; `flags` (epochs,
ceil(n / 8)) uint8, one bit per epoch and image (`np.unpackbits(flags, axis=1)[:, :n]`); `rejected`
(n,) float32, share of the epochs after warm-up without the flag; `code_label` (n,) int32, best
class other than the given one by the code head, and `code_probability` (n,) float32 its share among
those; `code_given` (n,) float32, mean probability of the given label by the code head;
`heads_disagree` (n,) uint8; `antipodal_pairs` (1,), above 0 where the variance test cannot
tell some classes apart; `selection_from` (1,) int32, the epoch from which on the selection counts;
`selection_used` (1,) uint8, 0 where the selection never took effect: then
the network may repeat wrong labels, and its suggestions are worth nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from lnl_core.learning.knobs import OPEN_BACKBONES, TrainingKnobs, knob, restate
from lnl_core.types import Context, LabeledDataset, Leaves, Method, Pictures, Signals

if TYPE_CHECKING:
    from torch import Tensor

    from lnl_core.learning.training import Batch, Session
    from lnl_core.methods.jump.codes import JumpTable
    from lnl_core.methods.jump.warm_up import WarmUp

STRIP_LIMIT = 64_000_000
"""Most sub-losses kept for the review page (float16, so 128 MB)."""

WARM_UP_STEPS = 2000
"""Steps on every label before a network from scratch can tell clean from wrong labels; measured in
docs/methods/jump.md."""

BACKBONES = (*OPEN_BACKBONES, "head")
SCHEDULES = ("cosine", "one_cycle")
SETTINGS = ("usual", "heavy")
STARTS = ("count", "rule")
SCORES = ("classifier", "heads", "all")


@dataclass(frozen=True, slots=True)
class Config(TrainingKnobs):
    """Every knob; the defaults are the authors' CIFAR-10 values."""

    backbone: str = restate("backbone", "preact18", BACKBONES)
    setting: str = knob(
        "usual",
        "Which published weight decay `paper` takes with small images of many classes: heavy is "
        "for half of the labels wrong or more.",
        SETTINGS,
    )
    epochs: int = restate("epochs", 200)
    warm_up: int = knob(30, "First epochs, which use every label; end them before memorisation.")
    start: str = knob(
        "count",
        "Select after warm_up, or by rule before: once two in three held-out labels are "
        "predicted, and clearly more than by chance.",
        STARTS,
    )
    bits: int = knob(0, "Code bits, a power of two; 0 is the least of 32 or more that fits.")
    allow_antipodes: bool = knob(
        False, "Accept fewer bits than classes; weakens the test.", group="advanced"
    )
    tau: float = knob(1e-3, "Variance of the sub-losses below which a label counts as clean.")
    guard: bool = knob(False, "Also ask for a low mean sub-loss before a label counts as clean.")
    jump_step: int = knob(1, "Epochs between writing a flag and using it.")
    temperature: float = knob(2.0, "Divides the logits inside the cross-entropy.")
    beta: float = knob(
        5.0, "Both parameters of the Beta distribution that mixes weak and strong view."
    )
    operations: int = knob(2, "Random changes per image in the strong view.")
    magnitude: int = knob(5, "Strength of these changes, up to 10; 1 is none.")
    strong_cutout: float = knob(0.15, "Side of its blanked square, as a share of the image's.")
    dropout: float = knob(0.5, "Share of hidden units left out in the code head.")
    lr: float = restate("lr", 0.2)
    lr_end: float = knob(5e-4, "Learning rate at the end of the cosine.")
    schedule: str = restate("schedule", "cosine", SCHEDULES)
    momentum: float = restate("momentum", 0.0)
    weight_decay: float = restate("weight_decay", 1e-3)
    clip: float = restate("clip", 0.0)
    border: str = restate("border", "reflect")
    score: str = knob(
        "classifier",
        "Who doubts a label: the classifier head, both heads, or both and the table of flags.",
        SCORES,
        group="scoring",
    )
    score_epochs: int = knob(
        10, "Last epochs whose predictions of the plain images are averaged.", group="scoring"
    )

    def __post_init__(self) -> None:
        TrainingKnobs.__post_init__(self)
        if self.score_epochs < 1:
            raise ValueError(f"score_epochs must be at least 1, got {self.score_epochs}")
        if not 1 <= self.jump_step <= self.warm_up:
            raise ValueError(
                "jump_step must be at least 1 and at most warm_up, got "
                f"{self.jump_step} and {self.warm_up}"
            )
        if self.temperature <= 0 or self.beta <= 0 or self.tau <= 0:
            raise ValueError(
                "temperature, beta and tau must be above 0, got "
                f"{self.temperature}, {self.beta} and {self.tau}"
            )

    @classmethod
    def preset(cls, name: str, n: int, k: int, size: int) -> Self:
        """Return the knobs of `quick`, `standard` or `paper` for n images of `size` pixels.

        `paper` holds the authors' numbers: CIFAR's up to 64 px, else Clothing1M's, WebVision's
        above 20 classes and Food-101N's above 100, each on one pass per epoch; bits grow with the
        classes where theirs would refuse. The
        others warm up until most held-out labels are predicted, for a number of steps at most:
        after a few epochs of a small set the network agrees with a third of the labels, and a
        selection that starts then leaves it too little to learn from.
        """
        if name == "paper":
            return cls._paper(k, size)
        quick = name == "quick"
        epochs = {"quick": 24, "standard": 60}[name]
        batch_size = 128 if n >= 20_000 else 64
        steps = max(1, n // batch_size)
        warm_up = round(min(max(WARM_UP_STEPS / steps, 0.2 * epochs), epochs * 2 / 3))
        return cls(
            backbone="auto" if size > 64 and not quick else "resnet8",
            epochs=epochs,
            warm_up=warm_up,
            start="rule",
            batch_size=batch_size,
            lr=0.1,
            schedule="one_cycle",
            momentum=0.9,
            weight_decay=5e-4,
            clip=5.0,
            resolution=32 if quick else 0,
            ema_decay=0.99,
            score_epochs=epochs * 7 // 12 if quick else 20,
        )

    @classmethod
    def _paper(cls, k: int, size: int) -> Self:
        if size <= 64:
            return cls(magnitude=5 if k <= 10 else 10)
        large = cls(
            backbone="resnet50",
            epochs=20,
            warm_up=5,
            batch_size=64,
            lr=0.01,
            lr_end=2e-4,
            magnitude=10,
        )
        if k <= 20:
            return large
        large = replace(large, batch_size=32, lr_end=5e-4)
        if k <= 100:
            return replace(large, epochs=100, warm_up=30, lr=0.2, weight_decay=1e-4)
        return replace(large, weight_decay=5e-4)

    @classmethod
    def preset_for(
        cls, name: str, n: int, k: int, size: int, channels: int, wanted: Mapping[str, object]
    ) -> Self:
        """Return the knobs of a preset, in `paper` with the weight decay of a wanted setting."""
        knobs = cls.preset(name, n, k, size)
        if name == "paper" and wanted.get("setting") == "heavy" and size <= 64 and k > 10:
            return replace(knobs, weight_decay=5e-4)
        return knobs

    def fine_tuned(self) -> Self:
        """Return these knobs for the few epochs of a network that knows ImageNet."""
        warm_up = max(1, 2 * self.epochs // 3)
        return replace(
            self,
            start="count",
            warm_up=warm_up,
            jump_step=1,
            score_epochs=self.epochs - warm_up,
            border="auto",
        )

    @classmethod
    def on_features(cls, preset: str, n: int, k: int) -> Self:
        """Return the knobs of a head on frozen features (ours); every preset takes seconds."""
        epochs = 12 if preset == "quick" else 24
        return cls(
            backbone="head",
            epochs=epochs,
            warm_up=epochs // 3,
            batch_size=128,
            lr=0.02,
            schedule="one_cycle",
            momentum=0.9,
            weight_decay=5e-4,
            clip=5.0,
            ema_decay=0.99,
            score_epochs=epochs // 2,
        )


def fit(dataset: LabeledDataset, config: Config, context: Context) -> Signals:
    """Train with jump selection, then score every label by the classifier head.

    Raises:
        ValueError: `bits` does not suit the number of classes.
    """
    import torch

    from lnl_core.learning import networks, supervised
    from lnl_core.methods.jump import codes as semantic_codes
    from lnl_core.methods.jump import epoch_signals
    from lnl_core.methods.jump.warm_up import WarmUp

    n, k = len(dataset), len(dataset.class_names)
    if n < 2:
        sure = np.eye(k, dtype=np.float32)[np.asarray(dataset.given_labels, np.int64)]
        return Signals(METHOD.key, np.zeros(n, np.float32), sure)
    words = semantic_codes.codebook(
        k, config.bits or semantic_codes.default_bits(k), allow_antipodes=config.allow_antipodes
    )
    with open_session(dataset, config, context, words.shape[1]) as session:
        table = semantic_codes.JumpTable(session.tensors["table"])
        codes = torch.from_numpy(words).to(session.device).float()  # (k, K)
        trusted = _trusted(dataset, session)
        features = None
        warming = WarmUp(
            session,
            config.warm_up,
            least=config.jump_step,
            by_rule=config.start == "rule",
            seed=context.seed,
            trusted=dataset.trusted,
            groups=dataset.groups,
        )
        for epoch in session.epochs():
            selects = not warming.lasts(epoch)
            train_epoch(session, table, codes, config, epoch, context.seed, trusted, warming)
            epoch_signals.record_flags(session, table, epoch, selects)
            last = epoch == config.epochs - 1
            if not last and (epoch < config.epochs - config.score_epochs or not selects):
                continue
            if last:
                features = supervised.feature_array(session)
            epoch_signals.evaluate(session, codes, features)
        if features is None and supervised.feature_array(session) is not None:
            features = session.features()  # resumed after the last epoch
        heads = session.averaged
        assert isinstance(heads, semantic_codes.TwoHeads)
        networks.keep_network(context, session, heads.network)
        return epoch_signals.signals(
            METHOD.key, session, words, warming.started, features, score=config.score
        )


def open_session(dataset: LabeledDataset, config: Config, context: Context, bits: int) -> Session:
    """Return a session with a two-headed network and an empty jump table."""
    import torch

    from lnl_core.learning import models, training
    from lnl_core.methods.jump import codes as semantic_codes

    def build(k: int, channels: int, size: int) -> Any:
        name = models.auto_name(size) if config.backbone == "auto" else config.backbone
        if context.representation != "pixels":
            name = "head"
        return semantic_codes.build(name, k, channels, size, bits, config.dropout)

    n = len(dataset)
    tensors = {
        "table": torch.zeros(config.jump_step, n, dtype=torch.bool),
        "flags": torch.zeros(config.epochs, -(-n // 8), dtype=torch.uint8),
        "rejected": torch.zeros(n),
        "started": torch.full((1,), -1, dtype=torch.int64),
        "sub_loss_mean": torch.zeros(n),
        "sub_loss_variance": torch.zeros(n),
        "code_label": torch.zeros(n, dtype=torch.int32),
        "code_probability": torch.zeros(n),
        "code_given": torch.zeros(2, n),
        "heads_disagree": torch.zeros(n, dtype=torch.uint8),
    }
    if n * bits <= STRIP_LIMIT:
        tensors["sub_losses"] = torch.zeros(n, bits, dtype=torch.float16)
    return training.Session(dataset, config, context, build=build, tensors=tensors)


def train_epoch(
    session: Session,
    table: JumpTable,
    codes: Tensor,
    config: Config,
    epoch: int,
    seed: int,
    trusted: Tensor | None = None,
    warm_up: WarmUp | None = None,
    *,
    decide: Callable[[Tensor], Tensor] | None = None,
    watch: Callable[[Tensor], None] | None = None,
) -> None:
    """Go once over the images: forward, READ the table, loss, WRITE the table, step.

    Reading before writing is the method (spec 2.5): the other way round the present network
    would choose what it learns from, and nothing else would look different.

    Args:
        session: the run.
        table: flags of earlier epochs.
        codes: (k, K) codebook on the device.
        config: knobs.
        epoch: from 0.
        seed: of the run.
        trusted: (n,) bool, rows that are used whatever the table says; None for none.
        warm_up: says whether it lasts and ends it; by the knobs' number of epochs where None.
        decide: rows -> flags to write, in place of the criterion (tests).
        watch: called with the flags that were read, after warm-up (tests).
    """
    import torch
    from torch.nn import functional as F

    from lnl_core.methods.jump import codes as semantic_codes

    warming = epoch < config.warm_up if warm_up is None else warm_up.lasts(epoch)
    # an undecided code has a mean sub-loss of ln 2; half of it asks for a clear answer
    guard = 0.5 * math.log(2) if config.guard else math.inf
    mixing = np.random.default_rng([seed & 0xFFFFFFFF, epoch, 3])
    # every row is read before it is written, so what this epoch reads is known as it begins:
    # asked in the host's memory, a batch without any chosen row does not stop the device
    known = table.written(epoch).to("cpu", torch.bool, copy=True)
    if trusted is not None:
        known = known | trusted.cpu()
    sums = torch.zeros(2, 2, device=session.device)  # of now and of then: loss and count
    for batch in session.batches(epoch, None if warming else _stronger(session, config)):
        if config.schedule == "cosine":
            _end_above_zero(session, config)
        out = session.forward(_mixed(batch, mixing, config.beta), batch.rows)
        logits, sub = out[:, : session.k], out[:, session.k :]
        sub = semantic_codes.sub_losses(sub, codes[batch.labels])  # (b, K)
        read = table.read(batch.rows, epoch)
        chosen = read.bool()
        if warming:
            every = torch.ones_like(chosen)
            chosen = every if warm_up is None else warm_up.learns(batch.rows)
        if trusted is not None:
            chosen = chosen | trusted[batch.rows]
        loss = semantic_codes.selected_loss(logits, batch.labels, sub, chosen, config.temperature)
        with torch.no_grad():
            agree, steady = semantic_codes.clean_clauses(
                logits, batch.labels, sub, tau=config.tau, guard=guard
            )
            if warming and warm_up is not None:
                warm_up.saw(batch.rows, agree)
            flags = agree | steady if decide is None else decide(batch.rows)
            table.write(batch.rows, epoch, flags)
            losses = F.cross_entropy(logits, batch.labels, reduction="none")  # (b,)
            session.record(batch, torch.softmax(logits, dim=1), losses, average=False)
            shares = torch.stack([agree, steady, agree | steady, chosen]).float().mean(1)
            for name, value in zip(("agree", "steady", "clean", "chosen"), shares, strict=True):
                session.note(name, value)
            masks = torch.stack([flags.bool(), chosen]).to(losses.dtype)  # (2, b)
            sums += torch.stack([masks @ losses, masks.sum(1)], 1)
        if watch is not None and not warming:
            watch(read)
        if warming or bool(known[batch.at].any()):
            session.step(loss)
    if warming and warm_up is not None:
        warm_up.end(epoch)
    session.note("loss_now", sums[0, 0] / sums[0, 1])
    session.note("loss_then", sums[1, 0] / sums[1, 1])


def _mixed(batch: Batch, mixing: np.random.Generator, beta: float) -> Tensor:
    """Return lam * weak + (1 - lam) * strong view of the same images; the weak one in warm-up."""
    if batch.changed is None:
        return batch.images
    share = float(mixing.beta(beta, beta))
    return batch.images.lerp(batch.changed, min(share, 1 - share))


def _stronger(session: Session, config: Config) -> Callable[[Tensor], Tensor]:
    """Return what makes the strong view of uint8 images."""
    from lnl_core.methods.jump.strong_views import rand_augment

    side = min(session.source.height, session.source.width)

    def stronger(images: Tensor) -> Tensor:
        return rand_augment(
            images,
            session.generator,
            operations=config.operations,
            magnitude=config.magnitude,
            cutout=int(config.strong_cutout * side),
        )

    return stronger


def _end_above_zero(session: Session, config: Config) -> None:
    """Squeeze the engine's cosine, which ends at 0, between `lr_end` and `lr`."""
    for group in session.optimizer.param_groups:
        group["lr"] = config.lr_end + group["lr"] * (1 - config.lr_end / config.lr)


def _trusted(dataset: LabeledDataset, session: Session) -> Tensor | None:
    import torch

    if dataset.trusted is None or not np.any(dataset.trusted):
        return None
    return torch.from_numpy(np.asarray(dataset.trusted, dtype=bool)).to(session.device)


def cost(n: int, size: int, config: Config) -> tuple[float, float]:
    """Return (seconds, bytes) on two cores: plain training plus the strong views."""
    from types import SimpleNamespace

    from lnl_core.methods import _estimate

    plain = SimpleNamespace(
        backbone=config.backbone,
        epochs=config.epochs,
        batch_size=config.batch_size,
        resolution=config.resolution,
        record_from=1 - min(config.score_epochs / config.epochs, 1),
    )
    seconds, held = _estimate.training_cost(n, size, plain)
    views = n * (config.epochs - config.warm_up) * (min(size, config.resolution or size) / 32) ** 2
    return seconds + views * 2e-4, held


METHOD = Method(
    key="jump",
    title="Jump-teaching",
    summary="an earlier self picks the clean images",
    reference="Ji et al., AAAI 2026",
    config=Config,
    fit=fit,
    short="Jump",
    good_for="many wrong labels; one class given as another",
    explanation=(
        "A network learns only from images that its own earlier self found clean. It doubts a "
        "label that the trained network does not believe."
    ),
    place=2,
    first_on={
        **dict.fromkeys((Pictures.PHOTOGRAPHS, Pictures.GREY), "pretrained"),
        Pictures.TINY: "",
    },
    recommended=True,
    leaves=(Leaves.NETWORK, Leaves.FEATURES, Leaves.CURVES),
    after=("dmlp",),
    cost=cost,
    parallel=True,
)
