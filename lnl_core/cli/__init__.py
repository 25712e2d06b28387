"""`lnl`: everything that the pages do, in a terminal.

A module per group of commands; each command stands there as a value, its arguments beside its
function. Functions import what they need, so that `lnl --help` answers at once.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from lnl_core import __version__
from lnl_core.cli import (
    accepting,
    bench,
    copies,
    datasets,
    deciding,
    doctor,
    exporting,
    goal,
    growing,
    importing,
    own,
    pipes,
    reporting,
    review,
    runs,
    screen,
    serving,
    team,
)
from lnl_core.cli.screen import DONE, FAILED, USAGE, progress
from lnl_core.records import LnlError, meant

COMMANDS = (
    datasets.DEMO,
    serving.OPEN,
    importing.IMPORT,
    datasets.PUBLIC,
    runs.RUN,
    runs.STATUS,
    runs.CANCEL,
    runs.RUNS,
    review.RANK,
    own.SCORE,
    deciding.DECIDE,
    review.AUDIT,
    goal.GOAL,
    team.TEAM,
    accepting.ACCEPT,
    copies.COPIES,
    exporting.EXPORT,
    reporting.REPORT,
    bench.BENCH,
    growing.ADD,
    growing.RELINK,
    datasets.RENAME,
    datasets.REMOVE,
    doctor.DOCTOR,
)
"""Every command, in the order of `lnl --help`."""

EXAMPLES = """examples:
  lnl demo --open                                   register the demo set and open the desk
  lnl import photos/ --name birds                   one folder per class
  lnl import list.csv --root photos/ --name birds   columns image, label[, id, true_label]
  lnl run birds --methods probe,sr,jump             queue runs and watch them
  lnl rank birds --out scores.csv                   one row per image
  lnl export birds --format corrections --out corrections.csv

exit codes: 0 done, 1 failed, 2 bad usage, 3 partly imported; with --json a failure is
{"error": {"code": ..., "message": ...}} on standard output
`lnl COMMAND --help` has examples of each.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code (bad usage exits with 2, as argparse does)."""
    if arguments is None:
        pipes.go_on_unread()
    words = parser(arguments)
    if not (sys.argv[1:] if arguments is None else arguments):  # who types `lnl` asks what it does
        words.print_help()
        return USAGE
    options = words.parse_args(arguments)
    if options.home:
        os.environ["LNL_HOME"] = str(options.home)

    try:
        code: int = options.call(options)
    except LnlError as error:
        return _failed(options, error)
    except KeyboardInterrupt:
        progress("")
        print("lnl: stopped", file=sys.stderr)
        return FAILED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except Exception as error:
        from lnl_core.services.workspace import refusal

        return _failed(options, refusal("The command stopped", error))
    return code


def _failed(options: argparse.Namespace, error: LnlError) -> int:
    """Say why a command stopped; as JSON too where that is asked for."""
    progress("")
    if getattr(options, "json", False):
        print(screen.failure(error.code, str(error)))
    print(f"lnl: {error}", file=sys.stderr)
    return FAILED


class Parser(argparse.ArgumentParser):
    """argparse that asks “did you mean”, and says bad usage as JSON too where that is asked for."""

    as_json = False

    def error(self, message: str) -> NoReturn:
        """Print the usage and what is wrong with it; exit with 2."""
        found = re.search(r"invalid choice: '(.*?)' \(choose from (.*)\)$", message)
        if found:
            known = [word.strip("' ") for word in found[2].split(",")]
            message += meant(found[1], known)
        if Parser.as_json:
            print(screen.failure("usage", message))
        super().error(message)


def parser(arguments: Sequence[str] | None = None) -> argparse.ArgumentParser:
    """Return the parser of all commands; `arguments` tell it whether to speak JSON."""
    Parser.as_json = "--json" in (sys.argv[1:] if arguments is None else arguments)
    top = Parser(
        prog="lnl",
        description="Find, see and fix the wrong labels of an image set.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"lnl {__version__}")
    top.add_argument("--home", type=Path, help="workspace folder (default: LNL_HOME)")
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add_to(commands)
    return top
