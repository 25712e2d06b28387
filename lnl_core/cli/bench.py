"""`lnl bench`: the benchmarks of a clone, by name."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from typing import Any

from lnl_core.cli.command import Command
from lnl_core.cli.screen import DONE, FAILED, say
from lnl_core.records import LnlError


def _bench_arguments(one: argparse.ArgumentParser) -> None:
    one.add_argument("benchmark", nargs="?", metavar="NAME", help="which one")
    one.add_argument("arguments", nargs=argparse.REMAINDER, metavar="...", help="for the benchmark")


def bench(options: Any) -> int:
    """List the benchmarks, or run one with its own arguments.

    Raises:
        LnlError: no such benchmark, or no clone around the library.
    """
    folder = Path(__file__).resolve().parents[2] / "benchmarks"
    known = {
        path.stem: path for path in sorted(folder.glob("*.py")) if not path.name.startswith("_")
    }
    if not known:
        raise LnlError(
            "The benchmarks were not found beside the library. Go to a clone of LNL Review, "
            "install it with: pip install -e ."
        )
    if options.benchmark is None:
        told = {name: _sentence(path) for name, path in known.items()}
        say(
            options,
            {"benchmarks": told},
            "\n".join(f"{name:<16} {sentence}" for name, sentence in told.items()),
        )
        return DONE
    if options.benchmark not in known:
        raise LnlError(
            f"There is no benchmark “{options.benchmark}”. Known: {', '.join(known)}. "
            "lnl bench says what each measures."
        )
    script = str(known[options.benchmark])
    code = subprocess.call([sys.executable, script, *options.arguments])
    return code if code in (DONE, 2) else FAILED


def _sentence(path: Path) -> str:
    """Return the first line of a script's docstring, without running it."""
    import ast

    text = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    return text.partition("\n")[0]


BENCH = Command(
    "bench",
    "Run a benchmark of this clone; without a name, list them.",
    bench,
    _bench_arguments,
    (
        "lnl bench",
        "lnl bench detection --labels aggre random1",
        "lnl bench speed --help                           its own arguments",
    ),
)
