"""`lnl doctor`: say what is damaged in the workspace, and restore what can be."""

from __future__ import annotations

import argparse
from typing import Any

from lnl_core.cli.command import Command
from lnl_core.cli.screen import DONE, FAILED, say


def _arguments(one: argparse.ArgumentParser) -> None:
    one.add_argument("--restore", action="store_true", help="restore what can be restored")


def doctor(options: Any) -> int:
    """Look at the database, its copies, every set and run; exit with 1 where something is wrong."""
    from lnl_core.services import doctor as service

    done = service.restore() if options.restore else []
    report = service.look()
    value = {
        "home": str(report.home),
        "read_only": report.read_only,
        "restored": done,
        "findings": [
            {
                "place": each.place,
                "problem": each.problem,
                "remedy": each.remedy,
                "restorable": each.restorable,
            }
            for each in report.findings
        ],
        "copies": [
            {"file": str(each.file), "answers": each.answers, "newer": each.newer}
            for each in report.copies
        ],
    }
    lines = ["Restored:", *(f"  {each}" for each in done)] if done else []
    if options.restore and not done and report.findings:
        lines.append("Nothing could be restored.")
    if report.read_only:
        lines.append(f"{report.home} can be read only: nothing can be saved.")
    for each in report.findings:
        lines.append(f"{each.place}: {each.problem}")
        if each.remedy:
            lines.append(f"  {each.remedy}.")
    for copy in report.copies:
        lines.append(f"Copy of the database: {copy.file} ({copy.held})")
    if not report.findings:
        lines.append(f"{report.home}: nothing is damaged.")
    say(options, value, "\n".join(lines))
    return FAILED if report.findings else DONE


DOCTOR = Command(
    "doctor",
    "Say what is damaged in the workspace, and restore what can be.",
    doctor,
    _arguments,
    ("lnl doctor", "lnl doctor --restore"),
)
