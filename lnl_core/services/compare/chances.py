"""Compare's question to the consensus: do its chances hold what they promise?"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from lnl_core.review.reliability import Reliability, reliability
from lnl_core.services.compare import comparing
from lnl_core.services.compare.truth import AUDIT, sample_of
from lnl_core.store import decisions
from lnl_core.types import DatasetInfo
from lnl_core.views import TOGETHER, Candidate, Comparison


def judged(info: DatasetInfo, compared: Comparison) -> tuple[Candidate, Reliability] | None:
    """Return the consensus that is compared, and what its chances promised beside what is so.

    These are the chances that the ranking was stored with: answers do not move them. Where a
    ranking from before the review is compared, it is that one's.

    Returns:
        None where nothing judges, or no consensus is compared.
    """
    joint = [each for each in compared.candidates if each.key in TOGETHER]
    if compared.truth is None or not compared.detections or not joint:
        return None
    keys = comparing.chosen_keys(compared.candidates)
    last = decisions.last_id(info)
    version = comparing.joint_of(info, joint[-1].key).version
    found = _judged(info, version, joint[-1].key, keys, compared.truth.kind, last)
    return None if found is None else (joint[-1], found)


@lru_cache(maxsize=8)
def _judged(
    info: DatasetInfo, _version: str, key: str, keys: tuple[str, ...], truth: str, _last_id: int
) -> Reliability | None:
    chosen = [each for each in comparing.candidates(info) if each.key in keys]
    sample = sample_of(info, truth, comparing.unscored(info, chosen))
    if sample is None or not len(sample.rows):
        return None
    return reliability(np.asarray(comparing.joint_of(info, key).ranking.p_wrong), sample)


def words(compared: Comparison, found: Reliability) -> str:
    """Say in a sentence how many wrong labels were promised and how many there are."""
    estimated = compared.truth is not None and compared.truth.kind == AUDIT
    are = f"about {found.errors:,.0f}" if estimated else f"{found.errors:,.0f}"
    return (
        f"Of these {found.size:,} images the chances expect {found.expected:,.0f} to be wrong; "
        f"{are} are."
    )
