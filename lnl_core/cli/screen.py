"""What every command prints with, and its exit codes."""

from __future__ import annotations

import json
import sys
from typing import Any

from lnl_core.said import command

DONE, FAILED, USAGE, PARTLY = 0, 1, 2, 3


def say(options: Any, value: dict[str, Any], text: str) -> None:
    """Print JSON where asked for, else words; to standard error where an output takes the other."""
    words = json.dumps(value, ensure_ascii=False) if options.json else text
    print(words, file=sys.stderr if _stdout_is_taken(options) else sys.stdout)


def _stdout_is_taken(options: Any) -> bool:
    asked = {str(getattr(options, name, "")) for name in ("out", "certificate")}
    return not asked.isdisjoint(("-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"))


def failure(code: str, message: str) -> str:
    """Return an error as programs read it, JSON in one line."""
    return json.dumps({"error": {"code": code, "message": message}}, ensure_ascii=False)


def first_run(name: str) -> str:
    """Return the command that is proposed after an import: the default recipe runs unasked."""
    return command("run", name)


def progress(text: str, fraction: float | None = None) -> None:
    """Show one line on the terminal that the next one replaces; nothing where it is no terminal."""
    if not sys.stderr.isatty():
        return
    bar = ""
    if fraction is not None:
        full = round(24 * min(max(fraction, 0.0), 1.0))
        bar = "━" * full + "╌" * (24 - full) + " "
    print(f"\r\033[K{bar}{text}", end="" if text else "\r", file=sys.stderr, flush=True)


def duration(seconds: float) -> str:
    """Say how long: `2.1 s`, `50 s`, `1 min 40 s`, `2 h 5 min`."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
