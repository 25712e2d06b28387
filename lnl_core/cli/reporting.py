"""`lnl report`: the comparison of a data set's runs as one HTML file."""

from __future__ import annotations

import argparse
from typing import Any

from lnl_core.cli.command import Command, add_dataset, add_output, opened
from lnl_core.cli.screen import DONE, say
from lnl_core.records import file_size


def _report_arguments(one: argparse.ArgumentParser) -> None:
    add_dataset(one)
    add_output(one, "HTML file")


def report(options: Any) -> int:
    """Write the report."""
    from lnl_core.services.compare import report as reports

    info = opened(options)
    written = reports.write(info, options.out, force=options.force)
    say(
        options,
        {"out": str(written.path), "bytes": written.size, "figures": written.figures},
        f"{options.out}: {written.figures} figures, {file_size(written.size)}. It opens in any "
        "browser, without a network.",
    )
    return DONE


REPORT = Command(
    "report",
    "Write curves, costs, losses and the head of the queue as one HTML file.",
    report,
    _report_arguments,
    ("lnl report birds --out birds.html",),
)
