"""What a command is: its words, its arguments and its function; and the data set it names."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lnl_core.records import DatasetInfo


def no_arguments(_one: argparse.ArgumentParser) -> None:
    """Ask for nothing more."""


@dataclass(frozen=True, slots=True)
class Command:
    """One word after `lnl`.

    Attributes:
        name: the word.
        help: one line on what it does, as argparse takes it (`%%` for a per cent sign).
        call: options -> exit code; it imports what it needs, so that `--help` loads nothing.
        arguments: adds them to the command's parser.
        examples: lines under the arguments, for `lnl NAME --help`.
    """

    name: str
    help: str
    call: Callable[[Any], int]
    arguments: Callable[[argparse.ArgumentParser], None] = no_arguments
    examples: tuple[str, ...] = ()

    def add_to(self, commands: Any) -> None:
        """Add the command's parser to those of `add_subparsers`."""
        one: argparse.ArgumentParser = commands.add_parser(
            self.name,
            help=self.help,
            description=self.help.replace("%%", "%"),
            epilog="examples:\n  " + "\n  ".join(self.examples) if self.examples else None,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        one.set_defaults(call=self.call, usage=one.error)
        one.add_argument("--json", action="store_true", help="print JSON to standard output")
        self.arguments(one)


def add_dataset(one: argparse.ArgumentParser) -> None:
    """Ask for the data set that a command is about."""
    one.add_argument("name", help="data set")


def add_output(one: argparse.ArgumentParser, what: str) -> None:
    """Ask for the place of an output, and whether a file that is there may be replaced."""
    one.add_argument("--out", type=Path, required=True, help=f"{what}; - for standard output")
    one.add_argument("--force", action="store_true", help="replace the file where it is there")


def opened(options: Any) -> DatasetInfo:
    """Open the workspace and find the data set that `add_dataset` asked for.

    Raises:
        LnlError: there is none of that name.
    """
    from lnl_core.services.workspace import dataset, open_workspace

    return dataset(open_workspace(), options.name)
