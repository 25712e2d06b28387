"""The process that reads an import: `python -m lnl_core.importer TASK.json`."""

from __future__ import annotations

import logging
import os
import sys
import time
from pathlib import Path

import psutil

from lnl_core import services
from lnl_core.services.datasets import incoming
from lnl_core.store import arrays, db
from lnl_core.types import LnlError

_EVERY = 0.25
"""Seconds between two reports."""


def main(task: Path) -> int:
    """Do what the task file says and write the outcome into it; return the exit code."""
    values = arrays.read_json(task)
    values |= {"pid": os.getpid(), "pid_started": psutil.Process().create_time()}
    arrays.write_json(task, values)
    reported = 0.0

    def report(done: int, total: int, skipped: int) -> None:
        nonlocal reported, values
        values |= {"done": done, "total": total, "skipped": skipped}
        values.setdefault("read_from", [time.time(), done])
        if time.monotonic() - reported >= _EVERY:
            reported = time.monotonic()
            arrays.write_json(task, values)

    def fetching(words: str, done: int, total: int) -> None:
        """Report a stage of its own; a new one starts its own clock."""
        nonlocal reported
        if values.get("words") != words:
            values.update({"words": words, "read_from": [time.time(), done]})
            reported = 0.0
        values["stage"] = words
        if words.startswith("downloading"):
            values["stage"] += f", {done / 1e6:.0f} of {total / 1e6:.0f} MB"
        report(done, total, 0)

    source = Path(values["source"])
    try:
        ws = db.open_workspace(values["home"], values["url"])
        if values.get("public"):
            info = services.add_public(
                ws, values["public"], values["name"], values["labels"], report=fetching
            )
            values |= {"state": "done", "imported": info.n, "skipped": 0}
        else:
            report_of = services.import_dataset(
                ws,
                source,
                values["name"],
                root=None if values["root"] is None else Path(values["root"]),
                size=values["size"],
                report=report,
            )
            values |= {"state": "done", "imported": report_of.n, "skipped": report_of.skipped}
    except LnlError as error:
        values |= {"state": "failed", "message": str(error)}
    except MemoryError:
        values |= {
            "state": "failed",
            "message": "This computer has too little memory for the import. "
            "Close other programs, or choose a smaller working resolution.",
        }
    except OSError as error:
        logging.exception("import failed")
        values |= {
            "state": "failed",
            "message": f"The import stopped: {error.strerror or error}. Free the disk or the "
            "file, then start it again.",
        }
    except Exception:
        logging.exception("import failed")
        values |= {"state": "failed", "message": "The import stopped by a fault of its own."}
    finally:
        if values["uploaded"]:
            incoming.drop_upload(source)
    arrays.write_json(task, values)
    return 0 if values["state"] == "done" else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
