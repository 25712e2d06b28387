"""`lnl score`: probabilities of one's own model as a run."""

from __future__ import annotations

from typing import Any

from lnl_core.cli.screen import DONE, say
from lnl_core.store.db import open_workspace


def score(options: Any) -> int:
    """Take a file of probabilities as a finished run."""
    from lnl_core import services

    found = services.score_with(open_workspace(), options.name, options.file, options.title)
    told = f"Run {found.job.id}, {found.job.method}: {found.job.flagged or 0:,} flagged. "
    say(
        options,
        {
            "id": found.job.id,
            "method": found.job.method,
            "flagged": found.job.flagged,
            "agreement": round(found.agreement, 4),
            "doubt": found.doubt,
        },
        told + (found.doubt or "It is in the ranking: lnl open"),
    )
    return DONE
