"""The process that reads an import: `python -m lnl_core.importer TASK.json`.

With `--read BYTES` it only says what would be imported, within that much memory.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lnl_core.readings import Answers
from lnl_core.services.datasets import apart, catalog, incoming
from lnl_core.services.runs import recipes
from lnl_core.services.workspace import dataset
from lnl_core.store import arrays, db
from lnl_core.store.processes import process_started
from lnl_core.types import LnlError, Workspace

_EVERY = 0.25
"""Seconds between two reports."""


_NOT_SCORED = (
    "The run could not be started, by a fault of its own. The set is in: press Score it, or "
    "lnl run."
)


class _Task:
    """The task file: what to read, and for the page that watches, how far it is."""

    def __init__(self, file: Path) -> None:
        self.file, self._written = file, 0.0
        self.values = arrays.read_json(file)
        self.tell({"pid": os.getpid(), "pid_started": process_started(os.getpid())})

    def tell(self, values: Mapping[str, Any]) -> None:
        """Write down what is new, at once."""
        self.values |= values
        arrays.write_json(self.file, self.values)

    def report(self, done: int, total: int, skipped: int) -> None:
        """Note how far it is; written a few times a second."""
        self.values |= {"done": done, "total": total, "skipped": skipped}
        self.values.setdefault("read_from", [time.time(), done])
        if time.monotonic() - self._written >= _EVERY:
            self._written = time.monotonic()
            arrays.write_json(self.file, self.values)

    def fetching(self, words: str, done: int, total: int) -> None:
        """Report a stage of its own; a new one starts its own clock."""
        if self.values.get("words") != words:
            self.values |= {"words": words, "read_from": [time.time(), done]}
            self._written = 0.0
        self.values["stage"] = words
        if words.startswith("downloading"):
            self.values["stage"] += f", {done / 1e6:.0f} of {total / 1e6:.0f} MB"
        self.report(done, total, 0)

    def do(self) -> dict[str, Any]:
        """Import; return what came of it."""
        values = self.values
        ws = db.open_workspace(values["home"], values["url"])
        if values.get("public"):
            info = catalog.add_public(
                ws, values["public"], values["name"], values["labels"], report=self.fetching
            )
            return {"state": "done", "imported": info.n, "skipped": 0}
        told = catalog.import_dataset(
            ws,
            Path(values["source"]),
            values["name"],
            root=None if values["root"] is None else Path(values["root"]),
            size=values["size"],
            no_classes=values.get("no_classes", ()),
            answers=Answers.from_json(values.get("answers", {})),
            report=self.report,
        )
        came = {"state": "done", "imported": told.n, "skipped": told.skipped}
        return came | (_scored(ws, values["name"]) if values.get("score") else {})


def _scored(ws: Workspace, name: str) -> dict[str, Any]:
    """Start the default recipe; what hinders it is said, and takes no import back."""
    try:
        recipes.start_scoring(dataset(ws, name))
    except Exception as error:
        if not isinstance(error, LnlError | MemoryError | OSError):
            logging.exception("scoring failed")
            return {"message": _NOT_SCORED}
        return {"message": _words(error)}
    return {}


def main(file: Path) -> int:
    """Do what the task file says and write the outcome into it; return the exit code."""
    task = _Task(file)
    try:
        if task.values["uploaded"]:
            incoming.take_upload(Path(task.values["source"]))
        outcome = task.do()
    except Exception as error:
        if not isinstance(error, LnlError | MemoryError):
            logging.exception("import failed")
        outcome = {"state": "failed", "message": _words(error)}
    finally:
        if task.values["uploaded"]:
            incoming.drop_upload(Path(task.values["source"]))
    task.tell(outcome)
    return 0 if outcome["state"] == "done" else 1


def _words(error: Exception) -> str:
    """Say to a person why an import stopped, and what to do."""
    if isinstance(error, LnlError):
        return str(error)
    if isinstance(error, MemoryError):
        return (
            "This computer has too little memory for the import. Close other programs, or choose a "
            "smaller working resolution."
        )
    if isinstance(error, OSError):
        return (
            f"The import stopped: {error.strerror or error}. Free the disk or the file, then start "
            "it again."
        )
    return "The import stopped by a fault of its own."


def read_apart(memory: int) -> int:
    """Read what standard input asks for, and answer on standard output; see `apart`."""
    print(apart.answer(sys.stdin.read(), memory))
    return 0


if __name__ == "__main__":
    if sys.argv[1] == "--read":
        sys.exit(read_apart(int(sys.argv[2])))
    sys.exit(main(Path(sys.argv[1])))
