"""Where a benchmark writes: refused before anything is measured, as `lnl --out` refuses."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from lnl_core.data import outputs
from lnl_core.types import LnlError


def parse(
    parser: argparse.ArgumentParser, arguments: Sequence[str] | None = None, *, grows: bool = False
) -> argparse.Namespace:
    """Add `--force`, parse, and check `out`; a file that is there ends the program with code 2.

    Args:
        parser: has `--out`.
        arguments: of the command line.
        grows: what is measured is added to a JSON object that is there; that replaces no file.
    """
    parser.add_argument("--force", action="store_true", help="replace the file of --out")
    options = parser.parse_args(arguments)
    if options.out is not None:
        try:
            check(options.out, force=options.force, grows=grows)
        except LnlError as error:
            parser.error(str(error))
    return options


def check(out: Path, *, force: bool = False, grows: bool = False) -> None:
    """Refuse a place that results must not be written to.

    Raises:
        LnlError: a file that is there, a missing folder, or another ending than .json.
    """
    is_ours = grows and out.suffix == ".json" and _is_object(out)
    where = outputs.place(out, (".json",), lambda _: "", force=force or is_ours)
    if where.stream:
        raise LnlError(f"{out} is no file. Name a .json file.")


def _is_object(path: Path) -> bool:
    try:
        return isinstance(json.loads(path.read_text("utf-8")), dict)
    except (OSError, ValueError):
        return False
