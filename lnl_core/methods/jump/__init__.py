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

import numpy as np

from lnl_core.methods.jump.knobs import Config
from lnl_core.types import Context, LabeledDataset, Leaves, Method, Pictures, Signals


def fit(dataset: LabeledDataset, config: Config, context: Context) -> Signals:
    """Train with jump selection, then score every label by the classifier head.

    Raises:
        ValueError: `bits` does not suit the number of classes.
    """
    import torch

    from lnl_core.learning import networks, supervised
    from lnl_core.methods.jump import codes as semantic_codes
    from lnl_core.methods.jump import epoch_signals, training
    from lnl_core.methods.jump.warm_up import WarmUp

    n, k = len(dataset), len(dataset.class_names)
    if n < 2:
        sure = np.eye(k, dtype=np.float32)[np.asarray(dataset.given_labels, np.int64)]
        return Signals(METHOD.key, np.zeros(n, np.float32), sure)
    words = semantic_codes.codebook(
        k, config.bits or semantic_codes.default_bits(k), allow_antipodes=config.allow_antipodes
    )
    with training.open_session(dataset, config, context, words.shape[1]) as session:
        table = semantic_codes.JumpTable(session.tensors["table"])
        codes = torch.from_numpy(words).to(session.device).float()  # (k, K)
        trusted = training.trusted_rows(dataset, session)
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
            training.train_epoch(
                session, table, codes, config, epoch, context.seed, trusted, warming
            )
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


def cost(n: int, size: int, config: Config) -> tuple[float, float]:
    """Return (seconds, bytes) on two cores: plain training plus the strong views of pixels."""
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
    if config.backbone == "head":
        return seconds, held
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
    good_for="many errors; one class given as another",
    shows="Its picture: which bits of the class's code the network reads otherwise.",
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
