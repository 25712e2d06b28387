"""`lnl report`: the comparison of a data set's runs as one HTML file."""

from __future__ import annotations

from typing import Any

from lnl_core.cli.screen import DONE, say
from lnl_core.store.db import open_workspace


def report(options: Any) -> int:
    """Write the report."""
    from lnl_core.services.compare import report as reports

    written = reports.write(open_workspace(), options.name, options.out)
    say(
        options,
        {"out": str(written.path), "bytes": written.size, "figures": written.figures},
        f"{written.path}: {written.figures} figures, {written.size / 1e6:.1f} MB. It opens in any "
        "browser, without a network.",
    )
    return DONE
