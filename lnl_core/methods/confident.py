"""Confident learning: out-of-fold probabilities, judged by cleanlab.

Every label is predicted by a model that never saw it, five folds; cleanlab turns the probabilities
into a quality of each label and into a list of labels that it would call wrong. This is the usual
recipe of the `cleanlab` package, and needs it: `pip install "lnl-review[baselines]"`.

Reference: Northcutt, Jiang, Chuang, "Confident Learning: Estimating Uncertainty in Dataset
Labels", JAIR 2021; cleanlab 2. Ours: what predicts. By default a logistic regression on label-free
features (a closed-form head where a set is too large for it), and with `learn_on = pixels` the
engine's plain cross-entropy, once per fold, averaged over the last third of the epochs.

Suspicion is 1 - cleanlab's label quality.

Extras: `quality` (n,) float32; `issues` (n,) uint8, 1 where `find_label_issues` calls the label
wrong, left out above 200 million probabilities; `fold` (n,) int32.
"""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from lnl_core.learning.knobs import (
    ABOVE_NOUGHT,
    ONE_OR_MORE,
    OPEN_BACKBONES,
    SHARE,
    TrainingKnobs,
    knob,
    restate,
)
from lnl_core.learning.nested import Stages
from lnl_core.methods import _estimate, _out_of_fold, _standardised
from lnl_core.types import (
    DENSE_CLASSES,
    KEPT_CLASSES,
    Array,
    BoolArray,
    Context,
    FloatArray,
    Group,
    IntArray,
    LabeledDataset,
    LnlError,
    Method,
    Signals,
    TopProbs,
)

if TYPE_CHECKING:
    from lnl_core.learning.training import Session

PLACES = ("features", "pixels")
SCORES = ("self_confidence", "normalized_margin", "confidence_weighted_entropy")
FILTERS = (
    "prune_by_noise_rate",
    "prune_by_class",
    "both",
    "confident_learning",
    "predicted_neq_given",
)
BACKBONES = (*OPEN_BACKBONES, "cnn8", "mlp")

ISSUE_CELLS = 200_000_000
"""Most rows x classes that `find_label_issues` is asked about; it holds them several times."""

CHUNK_CELLS = 20_000_000

CLEANLAB = 1.0, 1.3e8
"""Seconds and bytes of importing cleanlab."""


@dataclass(frozen=True, slots=True)
class Config(TrainingKnobs):
    """Every knob."""

    learn_on: str = knob("features", "Predict from label-free features, or from pixels.", PLACES)
    folds: int = knob(5, "Parts that the set is cut into.", within=(2, 1_000))
    score: str = knob(
        "self_confidence", "cleanlab's measure of label quality.", SCORES, group="scoring"
    )
    filter_by: str = knob(
        "prune_by_noise_rate", "How cleanlab draws its list.", FILTERS, group="scoring"
    )
    l2: float = knob(
        3e-4, "On features: weight of the squared weights of the regression.", within=ABOVE_NOUGHT
    )
    iterations: int = knob(60, "On features: most L-BFGS steps per fold.", within=ONE_OR_MORE)
    backbone: str = restate("backbone", "auto", BACKBONES, "On pixels: network to train.")
    epochs: int = restate("epochs", 30, text="On pixels: passes over the images of each fold.")
    lr: float = restate("lr", 0.2)
    nesterov: bool = restate("nesterov", True)
    ema_decay: float = restate("ema_decay", 0.98)
    record_from: float = knob(
        0.66,
        "On pixels: share of epochs before probabilities count.",
        group="scoring",
        within=SHARE,
    )

    def __post_init__(self) -> None:
        TrainingKnobs.__post_init__(self)
        if self.folds < 2:
            raise ValueError(f"folds must be at least 2, got {self.folds}")

    def idle(self, on_features: bool) -> frozenset[str]:
        """Return the shared knobs that change nothing: all where no network is trained."""
        every = frozenset(each.name for each in fields(TrainingKnobs))
        return every if self.learn_on == "features" else frozenset({"feature_dropout"})

    @classmethod
    def preset(cls, name: str, n: int, k: int, size: int) -> Self:
        """Return the knobs of `quick`, `standard` or `paper` for n images of `size` pixels.

        `quick` and `standard` predict from features; `paper` cross-validates a network on pixels,
        as the paper does on CIFAR-10 (with four folds of a ResNet-50 there).
        """
        small = size <= 16
        return cls(
            learn_on="pixels" if name == "paper" else "features",
            backbone="resnet8" if small else "resnet8-wide" if size <= 64 else "auto",
            epochs={"quick": 15, "standard": 30, "paper": 60}[name],
            batch_size=128 if n >= 4000 else 64,
            resolution=32 if name == "quick" else 0,
        )

    def for_several(self, representation: str, based: bool) -> bool:
        """Say whether several processes help: where it trains networks."""
        return self.learn_on == "pixels"


def fit(dataset: LabeledDataset, config: Config, context: Context) -> Signals:
    """Predict every label out of fold, then ask cleanlab.

    Raises:
        LnlError: cleanlab is not installed.
    """
    try:
        import cleanlab  # noqa: F401 - before anything is trained
    except ImportError as error:
        raise LnlError(
            "The method confident needs the package cleanlab, which is not installed. "
            'Install it with: pip install "lnl-review[baselines]"'
        ) from error
    began, cpu = time.monotonic(), time.process_time()
    labels = np.asarray(dataset.given_labels, dtype=np.int64)
    n, k = len(labels), len(dataset.class_names)
    seen = np.unique(labels)
    context.report("confident", 0.0)
    if len(seen) < 2 or n < 4:
        probs = np.full((n, k), 1e-3 / max(k, 1), dtype=np.float32)
        probs[np.arange(n), labels] += 1 - 1e-3
        return Signals(METHOD.key, np.zeros(n, np.float32), _out_of_fold.stored(probs, k))
    compact = np.searchsorted(seen, labels)
    fold = _out_of_fold.folds(compact, config.folds, context.seed, dataset.groups)
    cost: dict[str, float] = {}
    if config.learn_on == "pixels":
        p_given, pred, cost = _from_pixels(dataset, fold, config, context)
    else:
        p_given, pred = _from_features(compact, fold, seen, k, config, context)
    context.report("cleanlab", 0.98)
    quality = label_quality(labels, p_given, pred, config.score)
    extras: dict[str, Array] = {"quality": quality, "fold": fold.astype(np.int32)}
    if n * k <= ISSUE_CELLS:
        extras["issues"] = _issues(compact, seen, pred, config.filter_by)
    return Signals(
        method=METHOD.key,
        suspicion=np.clip(1 - quality.astype(np.float64), 0, 1),
        pred_probs=pred,
        extras=extras,
        cost=cost
        or {
            "seconds": time.monotonic() - began,
            "cpu_seconds": time.process_time() - cpu,
            "images": float(n),
        },
    )


def _from_features(
    labels: IntArray, fold: IntArray, seen: IntArray, k: int, config: Config, context: Context
) -> tuple[Array, Array | TopProbs]:
    """Return (n,) p_given and the probabilities of linear heads that never saw the row."""
    inputs = _standardised.Inputs(context.features())
    if _out_of_fold.logistic_fits(len(labels), inputs.wide, len(seen)):
        heads = _out_of_fold.logistic_heads(
            inputs,
            labels,
            fold,
            len(seen),
            l2=config.l2,
            iterations=config.iterations,
            device=context.device,
            report=lambda share: context.report("confident", 0.9 * share),
        )
    else:
        heads = _out_of_fold.Moments(inputs, labels, fold, len(seen)).gaussian_heads(0.4)
    return _out_of_fold.pooled(inputs, labels, fold, [heads], seen, k)


def _from_pixels(
    dataset: LabeledDataset, fold: IntArray, config: Config, context: Context
) -> tuple[Array, Array | TopProbs, dict[str, float]]:
    """Train one network per fold on the other rows; return as `_from_features`, and the cost."""
    n, k = len(dataset), len(dataset.class_names)
    dense = k <= DENSE_CLASSES
    width = k if dense else min(k, KEPT_CLASSES)
    kept = {"p_given": np.zeros(n, np.float32), "probs": np.zeros((n, width), np.float32)}
    if not dense:
        kept["classes"] = np.zeros((n, width), np.int32)
    count = int(fold.max()) + 1
    names = tuple(f"fold {j + 1} of {count}" for j in range(count))
    stages = Stages(context, names, kept, representation="pixels")
    for j, nested in stages:
        rows = np.flatnonzero(fold == j)
        with _session(dataset, config, nested) as session:
            _train(session, config, fold != j)
            probs = session.recorder.mean_probs()
            if isinstance(probs, TopProbs):
                stages.kept["classes"][rows] = probs.classes[rows]
                stages.kept["probs"][rows] = probs.probs[rows]
            else:
                stages.kept["probs"][rows] = probs[rows]
            stages.kept["p_given"][rows] = session.recorder.mean_given()[rows]
            stages.costs.append(session.cost())
    results = stages.kept
    pred = results["probs"] if dense else TopProbs(results["classes"], results["probs"], k)
    return results["p_given"], pred, stages.cost()


def _session(dataset: LabeledDataset, config: Config, context: Context) -> Session:
    from lnl_core.learning import training

    return training.Session(dataset, config, context)


def _train(session: Session, config: Config, learned: BoolArray) -> None:
    """Learn the rows of `learned`; what the later epochs say about the others is recorded."""
    import torch
    from torch.nn import functional as F

    use = torch.from_numpy(learned).to(session.device)
    others = torch.from_numpy(np.flatnonzero(~learned))
    first = min(int(config.record_from * config.epochs), config.epochs - 1)
    for epoch in session.epochs():
        for batch in session.batches(epoch):
            here = use[batch.rows]
            if int(here.sum()) < 2:  # batch norm takes no statistics of a single row
                continue
            logits = session.forward(batch.images[here], batch.rows[here])
            session.step(F.cross_entropy(logits, batch.labels[here]))
        if epoch >= first:
            _look(session, others)


def _look(session: Session, rows: Any) -> None:
    """Record what the network says about some plain images, mirrored too where it trains so."""
    import torch

    session.averaged.eval()
    side = session.source.height * session.source.width
    with torch.no_grad():
        for part in rows.split(min(512, max(16, 512 * 48**2 // side))):
            images = session.source.normalise(session.source.batch(part))
            views = [images, images.flip(3)] if session.augment.flip else [images]
            probs = torch.zeros(len(part), session.k, device=session.device)
            for view in views:
                with _autocast(session):
                    logits = session.group.sharded_forward(session.averaged, view)
                probs += torch.softmax(logits.float(), dim=1) / len(views)
            session.recorder.add(part.to(session.device), probs)
            session.tick()


def _autocast(session: Session) -> Any:
    from lnl_core.learning import hardware

    return hardware.autocast(session.device, session.dtype)


def label_quality(
    labels: IntArray, p_given: FloatArray, pred: Array | TopProbs, score: str
) -> FloatArray:
    """Return cleanlab's quality of each label, (n,) float32 in [0, 1]; 1 is surely right.

    Args:
        labels: (n,) given labels.
        p_given: (n,) their out-of-fold probabilities; the exact ones, also for very many classes.
        pred: (n, k) or `TopProbs`, taken in parts.
        score: one of `SCORES`.
    """
    if score == "self_confidence" and isinstance(pred, TopProbs):
        return np.asarray(p_given, np.float32)  # cleanlab's definition, and exact
    from cleanlab.rank import get_label_quality_scores

    n = len(labels)
    k = pred.class_count if isinstance(pred, TopProbs) else pred.shape[1]
    quality = np.empty(n, np.float32)
    step = max(64, CHUNK_CELLS // k)
    for start in range(0, n, step):
        part = slice(start, min(start + step, n))
        probs = pred.dense(part) if isinstance(pred, TopProbs) else pred[part]
        quality[part] = get_label_quality_scores(labels[part], _rows_of_one(probs), method=score)
    return quality


def _issues(labels: IntArray, seen: IntArray, pred: Array | TopProbs, filter_by: str) -> Array:
    """Return (n,) uint8, 1 where cleanlab calls the label wrong; unused classes are left out."""
    from cleanlab.filter import find_label_issues

    probs = pred.dense(slice(None)) if isinstance(pred, TopProbs) else pred
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "May not flag all", UserWarning)  # of tiny classes
        issues = find_label_issues(
            labels, _rows_of_one(probs[:, seen]), filter_by=filter_by, n_jobs=1
        )
    return np.asarray(issues, np.uint8)


def _rows_of_one(probs: Array) -> Array:
    probs = np.clip(np.asarray(probs, np.float64), 1e-12, 1)
    rows: Array = probs / probs.sum(axis=1, keepdims=True)
    return rows


def cost(n: int, size: int, config: Config) -> tuple[float, float]:
    """Return (seconds, bytes) on two cores, without the features."""
    if config.learn_on == "features":
        d = _estimate.usual_features(size)
        seconds, held = _out_of_fold.cost(n, d, config.folds, gaussian=False)
        return seconds + CLEANLAB[0], held + CLEANLAB[1]
    seconds, held = _estimate.training_cost(n, size, config)
    return config.folds * seconds, held


METHOD = Method(
    key="confident",
    title="Confident learning",
    summary="cleanlab on out-of-fold probabilities",
    reference="Northcutt et al., JAIR 2021",
    config=Config,
    fit=fit,
    short="confident",
    good_for="comparing: what cleanlab would list",
    explanation=(
        "A model that never saw an image's label predicts it, and cleanlab compares the two. It "
        "doubts a label that the model finds much less likely than it usually finds that class."
    ),
    group=Group.BASELINE,
    out_of_fold=True,
    place=4,
    advice="Run it again on other features, or with learn_on set to pixels.",
    needs=("features",),
    cost=cost,
    parallel=True,
)
